"""Settings for small models and long runs: what they leave in a run, and that it goes on unchanged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from accelerate.utils import DistributedType
from safetensors.torch import load_file

from app.cli import run_verb
from app.engine.checkpoint import find
from app.errors import UserError
from app.paths import Paths, paths
from tests.training.test_train import configure, curve, events, kept, shard, train, where, write_shard
from training.base import WORD_HEAD
from training.checkpoint import NEWEST, TRAINED, checkpoint_folder, list_checkpoints
from training.config import Config, Optimizer
from training.ema import Ema
from training.setup import _refuse
from training.source import find_source, read_source

__all__ = ["shard", "where"]

EVERYTHING: dict[str, Any] = {
    "method": "full",
    "loss": {"user_words": 0.5, "onset": 3.0},
    "optimizer": {"ema": 0.9, "frozen_embeddings": 0.5},
    "batch": {"size": 2, "accumulation": 2, "depth_share": 0.25},
    "evaluation": {"every_steps": 1, "keep": 10, "sample_s": 0.0},
}


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> tuple[Paths, Path]:
    """Return where a run with all of the settings is, and its configuration."""
    folder = tmp_path_factory.mktemp("learnt")
    dialogues = write_shard(folder / "dialogues.parquet", (60, 75, 90, 100))
    where = paths(folder / "home")
    torch.set_num_threads(1)
    config = configure(folder, tiny, dialogues, **EVERYTHING)
    train(where, config)
    return where, config


def weights(where: Paths, step: int, file: str = TRAINED) -> dict[str, torch.Tensor]:
    return load_file(checkpoint_folder(where.runs / "run", step) / file)


def base(tiny: Path) -> dict[str, torch.Tensor]:
    found = find(str(tiny))
    return {name: each.float() for name, each in load_file(found.weights).items()}


def test_stopped_and_resumed_it_goes_on_bit_for_bit(
    learnt: tuple[Paths, Path], tiny: Path, shard: Path, tmp_path: Path, where: Paths
) -> None:
    whole, _ = learnt
    config = configure(tmp_path, tiny, shard, **EVERYTHING)
    text = config.read_text()
    train(where, config, "--steps", "6")
    for step in list_checkpoints(where.runs / "run"):
        if step > 3:
            shutil.rmtree(checkpoint_folder(where.runs / "run", step))
    assert text == config.read_text()
    train(where, "--resume", "run")
    assert curve(events(where))[-3:] == curve(events(whole))[-3:]
    ours, theirs = kept(where, 6), kept(whole, 6)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_average_is_that_of_the_weights_after_each_step(learnt: tuple[Paths, Path], tiny: Path) -> None:
    where, _ = learnt
    name = "transformer.layers.0.self_attn.in_projs.0.weight"
    average = base(tiny).get(name, base(tiny).get(name.replace("in_projs.0.weight", "in_proj_weight")))
    assert average is not None
    for step in range(6):
        decay = min(0.9, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * weights(where, step + 1, NEWEST)[name]
        torch.testing.assert_close(weights(where, step + 1)[name], average)
    assert not torch.equal(weights(where, 6)[name], weights(where, 6, NEWEST)[name])


def test_embeddings_of_codes_stay_for_their_share_of_the_steps(
    learnt: tuple[Paths, Path], tiny: Path
) -> None:
    where, _ = learnt
    begun = base(tiny)
    for name in ("emb.0.weight", "emb.15.weight"):
        assert torch.equal(weights(where, 3, NEWEST)[name], begun[name])
        assert not torch.equal(weights(where, 4, NEWEST)[name], begun[name])
    assert not torch.equal(weights(where, 1, NEWEST)["text_emb.weight"], begun["text_emb.weight"])


def test_the_words_are_told_and_their_head_is_in_no_model(learnt: tuple[Paths, Path], tmp_path: Path) -> None:
    where, _ = learnt
    told = [each for each in events(where) if each["kind"] in ("step", "evaluation")]
    assert all(each["words"] > 0 for each in told)
    assert f"{WORD_HEAD}.weight" in weights(where, 6)
    assert run_verb("export", ["run", "--out", str(tmp_path / "model"), "--step", "6"], where) == 0
    exported = find(str(tmp_path / "model"))
    state = load_file(exported.weights)
    assert not [name for name in state if WORD_HEAD in name]
    average = weights(where, 6)["text_linear.weight"]
    torch.testing.assert_close(state["text_linear.weight"].float(), average, atol=1e-2, rtol=1e-2)
    lm, _ = read_source(
        find_source("run", where), cast(Any, SimpleNamespace(device=torch.device("cpu"), dtype=torch.float32))
    )
    assert not hasattr(lm, WORD_HEAD)


def test_without_them_a_run_keeps_what_it_always_did(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    told = train(where, configure(tmp_path, tiny, shard, steps=1))
    assert not (checkpoint_folder(where.runs / "run", 1) / NEWEST).exists()
    assert all("words" not in each for each in told)
    state = json.loads((checkpoint_folder(where.runs / "run", 1) / "state.json").read_text())
    assert [group["name"] for group in state["param_groups"]] == ["temporal", "depth"]


def test_the_model_has_its_average_for_as_long_as_it_is_judged() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    ema = Ema([("weight", weight)], 0.5)
    with torch.no_grad():
        weight.fill_(1.0)
    ema.update(100)
    with ema.applied():
        assert weight.tolist() == [0.5] * 3
    assert weight.tolist() == [1.0] * 3
    assert ema.values["weight"].tolist() == [0.5] * 3


@pytest.mark.parametrize("kind", [DistributedType.FSDP, DistributedType.DEEPSPEED])
def test_an_average_of_shares_is_refused(kind: DistributedType) -> None:
    config = Config(data=("talks",), optimizer=Optimizer(ema=0.99))
    accelerator = SimpleNamespace(distributed_type=kind, num_processes=1)
    with pytest.raises(UserError, match="An average of the weights can not be shared out"):
        _refuse(config, cast(Any, accelerator))
