"""A configuration says what is wrong before anything is loaded, and what is not said has a safe value."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from app.errors import UserError
from training.config import (
    Batch,
    Config,
    Evaluation,
    Lora,
    Memory,
    Optimizer,
    parse_config,
    read_config,
    replaced,
    write_config,
)
from training.loss import LossWeights

DATA = {"data": ["my-talks"]}

# Written down from the promise that is made to users, not from the code.
DEFAULTS = {
    "model": "moshiko",
    "base": "",
    "data": ("my-talks",),
    "name": "",
    "held_out": (),
    "held_out_share": 0.1,
    "speakers": ("A",),
    "method": "lora",
    "streams": "model",
    "precision": "auto",
    "base_bits": 16,
    "steps": 500,
    "seed": 0,
    "lora": {"rank": 64, "scaling": 2.0},
    "loss": {
        "text_padding": 0.5,
        "semantic": 100.0,
        "acoustic": 1.0,
        "text_mean": "joint",
        "onset": 1.0,
        "user_words": 0.0,
    },
    "optimizer": {
        "name": "adamw",
        "lr_temporal": 2e-6,
        "lr_depth": 4e-6,
        "warmup_steps": 50,
        "decay": "cosine",
        "weight_decay": 0.1,
        "betas": (0.9, 0.95),
        "epsilon": 1e-8,
        "clip": 1.0,
        "ema": 0.0,
        "frozen_embeddings": 0.0,
    },
    "batch": {"seconds": 100.0, "min_seconds": 10.0, "size": 1, "accumulation": 8, "depth_share": 1.0},
    "memory": {
        "checkpointing": True,
        "kept_layers": 0,
        "chunk_frames": 512,
        "compile": "auto",
        "sharded": False,
    },
    "evaluation": {"every_steps": 50, "patience": 5, "prompt_s": 10.0, "sample_s": 10.0, "keep": 2},
}

ALL_OTHER = Config(
    model="some/model",
    base="moshika",
    data=("one", "two/*.parquet", "会話"),
    name="run 1",
    held_out=("three",),
    held_out_share=0.25,
    speakers=("A", "B"),
    method="depth",
    streams="both",
    precision="float32",
    steps=7,
    seed=3,
    lora=Lora(8, 1.5),
    loss=LossWeights(0.3, 50.0, 0.0, "separate", 3.0, 0.0),
    optimizer=Optimizer("adamw8bit", 1e-5, 0.0, 0, "none", 0.0, (0.8, 0.99), 1e-6, 0.5, 0.9, 0.25),
    batch=Batch(60.0, 60.0, 2, 3, 0.5),
    memory=Memory(checkpointing=False, kept_layers=3, chunk_frames=64, compile="off", sharded=True),
    evaluation=Evaluation(5, 0, 0.0, 0.0, 1),
)


def parse(**settings: Any) -> Config:
    return parse_config({**DATA, **settings}, "my.toml")


def refuse(**settings: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        parse(**settings)
    assert caught.value.sentence.startswith("my.toml")
    assert caught.value.advice
    return caught.value


def test_the_readme_shows_the_defaults_in_valid_toml(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "talks.toml"
    path.write_text(readme.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    assert read_config(path) == Config(model="moshika", data=("talks",))


def test_what_is_not_said_has_the_promised_value() -> None:
    assert dataclasses.asdict(parse()) == DEFAULTS


@pytest.mark.parametrize("config", [Config(data=("my-talks",)), ALL_OTHER])
def test_what_was_written_is_read(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write_config(config, path)
    assert read_config(path) == config
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "talks.toml"
    path.write_text('model = "tiny"\r\ndata = ["talks"]\r\n', encoding=encoding, newline="")
    assert read_config(path).data == ("talks",)


def test_a_table_in_part_leaves_its_other_settings() -> None:
    assert parse(lora={"rank": 8}).lora == Lora(rank=8, scaling=2.0)


def test_one_name_may_stand_where_a_list_does() -> None:
    config = parse_config({"data": "my-talks", "held_out": "others", "speakers": "B"}, "my.toml")
    assert (config.data, config.held_out, config.speakers) == (("my-talks",), ("others",), ("B",))


def test_a_whole_number_may_stand_for_a_number() -> None:
    scaling = parse(lora={"scaling": 2}).lora.scaling
    assert isinstance(scaling, float)
    assert parse(optimizer={"betas": [0, 0.9]}).optimizer.betas == (0.0, 0.9)


def test_lengths_are_in_frames_of_80_ms() -> None:
    assert (Batch(100.0, 10.0).frames, Batch(100.0, 10.0).min_frames) == (1250, 125)
    assert (Batch(0.01, 0.0).frames, Batch(0.01, 0.0).min_frames) == (1, 1)
    assert Batch(size=3, accumulation=5).examples == 15


@pytest.mark.parametrize(
    ("settings", "name", "meant"),
    [
        ({"step": 100}, "step", "steps"),
        ({"sedd": 1}, "sedd", "seed"),
        ({"lora": {"rnak": 8}}, "lora.rnak", "lora.rank"),
        ({"optimizer": {"lr_temproal": 1e-6}}, "optimizer.lr_temproal", "optimizer.lr_temporal"),
        ({"batch": {"second": 10}}, "batch.second", "batch.seconds"),
        ({"evaluations": {}}, "evaluations", "evaluation"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest(
    settings: dict[str, Any], name: str, meant: str
) -> None:
    fault = refuse(**settings)
    assert fault.sentence == f"my.toml has an unknown setting {name}."
    assert fault.advice == f"Did you mean {meant}?"


def test_an_unknown_setting_like_no_other_gets_all_names() -> None:
    assert refuse(lora={"xyz": 1}).advice == "Known are rank, scaling."


@pytest.mark.parametrize(
    ("settings", "name", "advice"),
    [
        ({"steps": 1.5}, "steps", "a whole number"),
        ({"steps": "100"}, "steps", "a whole number"),
        ({"steps": True}, "steps", "a whole number"),
        ({"held_out_share": "0.1"}, "held_out_share", "a number"),
        ({"held_out_share": True}, "held_out_share", "a number"),
        ({"held_out_share": float("nan")}, "held_out_share", "a number"),
        ({"lora": {"scaling": float("inf")}}, "lora.scaling", "a number"),
        ({"lora": {"scaling": 10**400}}, "lora.scaling", "a number"),
        ({"model": 3}, "model", "a text"),
        ({"memory": {"checkpointing": 1}}, "memory.checkpointing", "true or false"),
        ({"data": 3}, "data", "a list"),
        ({"data": ["a", 3]}, "data", "a text"),
        ({"data": [["a"]]}, "data", "a text"),
        ({"optimizer": {"betas": [0.9]}}, "optimizer.betas", "a list of 2 values"),
        ({"optimizer": {"betas": 0.9}}, "optimizer.betas", "a list of 2 values"),
        ({"lora": 8}, "lora", "below [lora]"),
        ({"lora": [{"rank": 8}]}, "lora", "below [lora]"),
        ({"method": "qlora"}, "method", '"lora", "full", "temporal", "depth", "text_embedding"'),
        ({"method": ["lora"]}, "method", '"lora"'),
        ({"streams": "user"}, "streams", '"model", "both"'),
        ({"precision": "fp16"}, "precision", '"auto", "bf16", "float32"'),
        ({"optimizer": {"name": "sgd"}}, "optimizer.name", '"adamw", "adamw8bit"'),
        ({"optimizer": {"decay": "linear"}}, "optimizer.decay", '"none", "cosine"'),
        ({"memory": {"compile": True}}, "memory.compile", '"auto", "on", "off"'),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(settings: dict[str, Any], name: str, advice: str) -> None:
    fault = refuse(**settings)
    assert fault.sentence.startswith(f"my.toml: {name} ")
    assert advice in fault.advice


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        *[({name: value}, f"{name} is {value}") for name, value in (("steps", 0), ("seed", -1))],
        *[
            ({table: {name: value}}, f"{table}.{name} is {value}")
            for table, name, value in (
                ("lora", "rank", 0),
                ("lora", "scaling", 0.0),
                ("loss", "text_padding", -0.1),
                ("loss", "semantic", -1.0),
                ("loss", "acoustic", -1.0),
                ("optimizer", "lr_temporal", -1e-6),
                ("optimizer", "lr_depth", -1e-6),
                ("optimizer", "warmup_steps", -1),
                ("optimizer", "weight_decay", -0.1),
                ("optimizer", "epsilon", 0.0),
                ("optimizer", "clip", 0.0),
                ("batch", "seconds", 0.0),
                ("batch", "min_seconds", -1.0),
                ("batch", "size", 0),
                ("batch", "accumulation", 0),
                ("memory", "chunk_frames", 0),
                ("evaluation", "every_steps", 0),
                ("evaluation", "patience", -1),
                ("evaluation", "prompt_s", -1.0),
                ("evaluation", "sample_s", -1.0),
                ("evaluation", "keep", 0),
            )
        ],
        ({"held_out_share": 1.0}, "held_out_share is 1.0"),
        ({"held_out_share": -0.1}, "held_out_share is -0.1"),
        ({"optimizer": {"betas": [0.9, 1.0]}}, "betas are [0.9, 1.0]"),
        ({"optimizer": {"betas": [-0.1, 0.9]}}, "betas are [-0.1, 0.9]"),
        ({"base_bits": 5}, "base_bits is 5"),
        ({"batch": {"depth_share": 0.0}}, "batch.depth_share is 0.0"),
        ({"batch": {"depth_share": 1.5}}, "batch.depth_share is 1.5"),
        ({"optimizer": {"ema": 1.0}}, "optimizer.ema is 1.0"),
        ({"optimizer": {"frozen_embeddings": 1.1}}, "optimizer.frozen_embeddings is 1.1"),
        ({"loss": {"user_words": -0.5}}, "loss.user_words is -0.5"),
        ({"loss": {"onset": -1.0}}, "loss.onset is -1.0"),
        (
            {"method": "depth", "loss": {"user_words": 0.5}},
            "loss.user_words teaches the temporal transformer",
        ),
        ({"data": []}, "data names no dataset"),
        ({"speakers": []}, "speakers are []"),
        ({"speakers": ["C"]}, "speakers are ['C']"),
        ({"speakers": ["A", "A"]}, "speakers are ['A', 'A']"),
        ({"speakers": ["A", "B", "A"]}, "speakers are ['A', 'B', 'A']"),
        ({"batch": {"seconds": 5.0}}, "batch.min_seconds is above batch.seconds"),
        ({"name": "../elsewhere"}, "name is '../elsewhere'"),
        ({"name": ".."}, "name is '..'"),
        ({"name": "/tmp/run"}, "name is '/tmp/run'"),
        ({"memory": {"sharded": True}, "base_bits": 8}, "shares out a whole base, not one of 8 bits"),
        *[
            ({"method": method, "base_bits": bits}, f"base_bits {bits} is for an adapter, and the method is")
            for method in ("full", "temporal", "depth", "text_embedding")
            for bits in (8, 4)
        ],
    ],
)
def test_what_no_run_could_use_is_refused(settings: dict[str, Any], said: str) -> None:
    assert said in refuse(**settings).sentence


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_an_adapters_base_may_have_fewer_bits(bits: int) -> None:
    assert parse(base_bits=bits).base_bits == bits


def test_a_change_is_checked_as_a_file_is() -> None:
    config = parse()
    assert replaced(config, steps=7).steps == 7
    assert config.steps == 500
    with pytest.raises(UserError, match="The configuration: steps is 0"):
        replaced(config, steps=0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"steps = ", "is not valid TOML"),
        (b"a = '\xff'", "is not text in UTF-8"),
        (None, "can not be read"),
    ],
)
def test_a_file_that_is_none_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read_config(path)
    assert str(path) in caught.value.sentence


def test_a_run_without_data_is_told_how_to_name_some(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('model = "tiny"\n')
    with pytest.raises(UserError, match=r'Write for example data = \["my-talks"\]'):
        read_config(tmp_path / "my.toml")
