"""A run becomes a model that the program and moshi load, an adapter or whole, and it says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file

from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.errors import UserError
from app.paths import Paths, paths
from tests.engine.conftest import GREEDY, Load, speech, talk
from tests.training.trained_runs import (
    CPU,
    EVALUATION,
    STEP,
    base,
    by_hand,
    export,
    learnt,
    make_run,
    moshi_adapter,
    moshi_whole,
    refuse,
    same,
    weights,
)
from training.streams import restore


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


def test_an_adapter_and_a_whole_model_are_the_same_for_moshi(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    export(where, "run-1")
    export(where, run, "--merge", "--out", where.models / "whole")
    expected = by_hand(base(tiny), learnt(run), 1.5)
    same(moshi_adapter(where.models / "run-1"), expected, 1e-6)
    same(moshi_whole(where.models / "whole"), expected, 1e-6)
    assert not (where.models / "run-1" / "model.safetensors").exists()
    assert not (where.models / "whole" / "lora.safetensors").exists()
    # It did learn, or nothing was compared.
    assert not torch.allclose(expected["text_linear.weight"].float(), base(tiny)["text_linear.weight"])


def test_an_adapter_has_the_numbers_that_were_learnt(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    export(where, run)
    same(load_file(where.models / "run-1" / "lora.safetensors"), learnt(run))
    config = json.loads((where.models / "run-1" / "config.json").read_text())
    assert (config["lora"], config["lora_rank"], config["lora_scaling"]) == (True, 4, 1.5)


@pytest.mark.parametrize("merge", [False, True])
def test_without_the_users_voice_it_is_what_is_left_of_both(merge: bool, tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny, streams="both")
    export(where, run, *(["--merge"] if merge else []))
    folder = where.models / "run-1"
    config = json.loads((folder / "config.json").read_text())
    assert (config["dep_q"], config["n_q"], config["depformer_context"]) == (8, 16, 8)
    extended = {**find(str(tiny)).config, "dep_q": 16, "depformer_context": 16}
    left, settings = restore(learnt(run), extended)
    assert settings == find(str(tiny)).config
    assert len(left) < len(learnt(run))
    found = moshi_whole(folder) if merge else moshi_adapter(folder)
    same(found, by_hand(base(tiny), left, 1.5), 1e-6)


@pytest.mark.parametrize("streams", ["model", "both"])
@pytest.mark.parametrize("method", ["full", "temporal", "depth", "text_embedding"])
def test_parts_that_learnt_take_the_place_of_the_bases(
    method: str, streams: str, tiny: Path, where: Paths
) -> None:
    run = make_run(where, tiny, method=method, streams=streams)
    export(where, run)
    names = base(tiny).keys()
    expected = {**base(tiny), **{name: each for name, each in learnt(run).items() if name in names}}
    same(moshi_whole(where.models / "run-1"), expected)


def test_a_base_of_fewer_bits_is_whole_again(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny, base_bits=8)
    export(where, run, "--merge")
    same(moshi_whole(where.models / "run-1"), by_hand(base(tiny), learnt(run), 1.5), 1e-6)


def test_weights_have_the_precision_of_their_base(folder: Path, where: Paths) -> None:
    path = folder / "model.safetensors"
    save_file({name: each.bfloat16() for name, each in load_file(path).items()}, path)
    run = make_run(where, folder)
    export(where, run)
    export(where, run, "--merge", "--out", where.models / "whole")
    for file in "run-1/lora.safetensors", "whole/model.safetensors":
        assert {each.dtype for each in load_file(where.models / file).values()} == {torch.bfloat16}
    merged = load_lm(prove(find(str(where.models / "whole"))), CPU, torch.float32, lambda *_: None)
    expected = by_hand(base(folder), learnt(run), 1.5)
    # Rounded once, from an exact sum.
    same(weights(merged), {name: each.float().bfloat16() for name, each in expected.items()}, 2**-9)


def test_another_step_may_be_asked_for(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    export(where, run, "--step", STEP + 1)
    same(load_file(where.models / "run-1" / "lora.safetensors"), learnt(run, STEP + 1))
    card = json.loads((where.models / "run-1" / "aizuchi.json").read_text())
    assert (card["step"], card["scores"]["loss"]) == (STEP + 1, 5.0)
    refuse(where, run, "--step", 7, said="has no checkpoint after step 7")


@pytest.mark.parametrize("streams", ["model", "both"])
def test_the_program_talks_with_either_and_they_say_the_same(
    streams: str, tiny: Path, where: Paths, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(where, tiny, streams=streams)
    export(where, run)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Talk with it: aizuchi talk --model {where.models / 'run-1'}"
    assert lines[-1] == str(where.models / "run-1")
    export(where, run, "--merge", "--out", where.models / "whole")
    heard = speech(15)
    said = [talk(load(where.models / name, sampling=GREEDY), heard) for name in ("run-1", "whole")]
    assert said[0] == said[1]
    assert said[0] != talk(load(tiny, sampling=GREEDY), heard)


def test_moshis_server_is_told_every_file_that_it_needs(
    tiny: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(where, tiny)
    for options in [], ["--merge"]:
        export(where, run, *options)
        _, _, command = capsys.readouterr().out.splitlines()[1].partition("python -m moshi.server ")
        words = command.split()
        files = "--moshi-weight", "--mimi-weight", "--tokenizer"
        assert set(words[::2]) == {"--config-path", *(files if options else ["--lora-weight"])}
        assert all(Path(word).is_file() for word in words[1::2])


def test_a_card_says_where_a_model_is_from_and_how_good_it_is(tiny: Path, where: Paths) -> None:
    export(where, make_run(where, tiny))
    card = json.loads((where.models / "run-1" / "aizuchi.json").read_text())
    created = card.pop("created")
    assert created.startswith("20")
    assert card == {
        "format": 1,
        "name": "run-1",
        "run": "run-1",
        "parent": str(tiny),
        "language": "",
        "data": ["talks", "others"],
        "hours": 0.5,
        "method": "lora",
        "streams": "model",
        "steps": 500,
        "step": STEP,
        "scores": {"loss": 6.0, **EVALUATION},
        "before": {"loss": 9.0, **EVALUATION},
    }


def test_a_run_that_was_never_judged_has_no_scores(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    (run / "metrics.jsonl").unlink()
    export(where, run)
    card = json.loads((where.models / "run-1" / "aizuchi.json").read_text())
    assert (card["scores"], card["before"]) == ({}, {})


def test_an_adapter_on_a_hubs_model_names_the_hub(
    tiny: Path, tmp_path: Path, where: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    raw = json.loads((tiny / "config.json").read_text())
    raw["mimi_name"] = "hf://kyu/base/codec/mimi.safetensors"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(raw))
    own = {
        "config.json": config,
        **{name: tiny / name for name in ("model.safetensors", "mimi.json", "tokenizer.model")},
    }
    for repo, files in (
        ("me--you", own),
        ("kyu--base", {"codec/mimi.safetensors": tiny / "mimi.safetensors"}),
    ):
        root = tmp_path / "hub" / f"models--{repo}"
        for name, source in files.items():
            path = root / "snapshots" / ("a" * 40) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
        (root / "refs").mkdir()
        (root / "refs" / "main").write_text("a" * 40)
    export(where, make_run(where, "me/you"))
    found = json.loads((where.models / "run-1" / "config.json").read_text())
    assert found["moshi_name"] == "hf://me/you/model.safetensors"
    assert found["mimi_name"] == "hf://kyu/base/codec/mimi.safetensors"
    assert found["tokenizer_name"] == "hf://me/you/tokenizer.model"
    prove(find("run-1", models=where.models))
    assert json.loads((where.models / "run-1" / "aizuchi.json").read_text())["commit"] == "a" * 40


@pytest.mark.parametrize("options", [[], ["--merge"]])
def test_a_folder_that_was_moved_is_the_same_model(options: list[str], folder: Path, where: Paths) -> None:
    run = make_run(where, folder)
    export(where, run, *options)
    out = where.models / "run-1"
    expected = base(out)
    assert str(where.models) not in (out / "config.json").read_text()
    assert "file:///" not in (out / "config.json").read_text()
    moved = out.rename(where.models.parent / "elsewhere")
    same(base(moved), expected)
    if options:
        same(moshi_whole(moved), expected, 1e-6)


def test_an_adapter_that_is_moved_together_with_its_base_is_the_same_model(
    folder: Path, where: Paths, tmp_path: Path
) -> None:
    run = make_run(where, folder)
    export(where, run, "--out", tmp_path / "adapter")
    expected = base(tmp_path / "adapter")
    away = tmp_path / "away"
    away.mkdir()
    for name in "adapter", "model":
        shutil.move(tmp_path / name, away / name)
    same(base(away / "adapter"), expected)
    same(moshi_adapter(away / "adapter"), expected, 1e-6)
    shutil.rmtree(away / "model")
    with pytest.raises(
        UserError, match=r"adapter is an adapter on .*away/model/model.safetensors, which is not"
    ):
        find(str(away / "adapter"))


def test_an_export_from_before_names_were_relative_is_found_where_it_lies_now(
    tiny: Path, where: Paths
) -> None:
    run = make_run(where, tiny)
    export(where, run, "--merge")
    out = where.models / "run-1"
    config = json.loads((out / "config.json").read_text())
    config["mimi_config_name"] = f"file://{out / 'mimi.json'}"
    (out / "config.json").write_text(json.dumps(config))
    moved = out.rename(where.models / "moved")
    prove(find(str(moved)))
