"""Weights in several files, as the hub has large ones, are one model; what is wrong with them is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from app.commands.models import main
from app.engine.build import prove
from app.engine.checkpoint import find
from app.engine.weights import fingerprint, size_bytes
from app.errors import UserError
from app.paths import paths
from tests.engine.conftest import GREEDY, Load, speech, talk
from tests.engine.test_checkpoint import in_cache

INDEX = "model.safetensors.index.json"
FIRST, SECOND = (f"model-0000{at}-of-00002.safetensors" for at in (1, 2))


def shard(folder: Path) -> Path:
    """Part the weights of a model, as the hub's tools do for large ones."""
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    parts = {FIRST: names[::2], SECOND: names[1::2]}
    for file, held in parts.items():
        save_file({name: state[name] for name in held}, folder / file)
    named = {name: file for file, held in parts.items() for name in held}
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 7}, "weight_map": named}))
    return folder


def change(folder: Path, **named: str | None) -> None:
    """Change what the index says of tensors; None takes one out."""
    index = json.loads((folder / INDEX).read_text())
    known = {**index["weight_map"], **{name.replace("__", "."): file for name, file in named.items()}}
    index["weight_map"] = {name: file for name, file in known.items() if file is not None}
    (folder / INDEX).write_text(json.dumps(index))


def refused(folder: Path, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        prove(find(str(folder)))
    assert caught.value.advice


def test_shards_are_one_model(tiny: Path, folder: Path, load: Load) -> None:
    expected = talk(load(tiny, sampling=GREEDY), speech(10))
    assert talk(load(shard(folder), sampling=GREEDY), speech(10)) == expected
    found = find(str(folder))
    assert found.weights_bytes == sum((folder / name).stat().st_size for name in (FIRST, SECOND))
    assert found.weights_bytes == size_bytes(found.weights)
    told = json.loads(json.dumps(found.details))["weights"]
    assert (told["file"], told["fingerprint"]) == (INDEX, fingerprint(found.weights))
    before = fingerprint(found.weights)
    state = load_file(folder / SECOND)
    save_file({name: each + 1 for name, each in state.items()}, folder / SECOND)
    assert fingerprint(found.weights) != before


def test_shards_of_a_repository_are_found_in_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    files: dict[str, Path | str] = {path.name: path for path in shard(folder).iterdir()}
    in_cache(monkeypatch, tmp_path / "hub", "someone/large", files)
    found = find("someone/large")
    assert found.weights.name == INDEX
    prove(found)
    (found.weights.parent / SECOND).unlink()
    with pytest.raises(UserError, match="someone/large is not on this computer"):
        find("someone/large")


def test_all_shards_are_verified(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = paths(tmp_path / "home")
    assert main(["verify", str(shard(folder))], where) == 0
    told = capsys.readouterr().out
    assert all(f"{folder / name}: fits" in told for name in (FIRST, SECOND, "mimi.safetensors"))
    state = load_file(folder / SECOND)
    name = next(name for name, each in state.items() if each.is_floating_point())
    state[name].view(-1)[0] = float("nan")
    save_file(state, folder / SECOND)
    with pytest.raises(UserError, match=rf"{SECOND} holds numbers that are not finite .* in {name}"):
        main(["verify", str(folder)], where)


def test_what_is_wrong_with_shards_is_named(folder: Path) -> None:
    shard(folder)
    whole = (folder / INDEX).read_text()
    for file, sentence in (
        (
            "../model-1.safetensors",
            r"names ../model-1.safetensors, which is no safetensors file in its folder",
        ),
        ("/etc/model.safetensors", r"names /etc/model.safetensors, which is no safetensors file"),
        ("a/../../b.safetensors", "which is no safetensors file in its folder"),
        ("model.bin", "names model.bin, which is no safetensors file"),
        ("x" * 5_000 + ".safetensors", "which is no safetensors file in its folder"),
        ("model-3.safetensors", rf"has no model-3.safetensors, which {INDEX} names"),
        (SECOND, rf"{INDEX} does not say that out_norm.alpha is in {FIRST}"),
    ):
        change(folder, out_norm__alpha=file)
        refused(folder, sentence)
        (folder / INDEX).write_text(whole)
    change(folder, missing__weight=FIRST)
    refused(folder, rf"{FIRST} lacks missing.weight, which {INDEX} names")
    (folder / INDEX).write_text(whole)
    save_file({**load_file(folder / SECOND), "out_norm.alpha": torch.zeros(1)}, folder / SECOND)
    refused(folder, rf"out_norm.alpha is both in .*{FIRST} and in {SECOND}")
    (folder / SECOND).write_text("version https://git-lfs.github.com/spec/v1\n")
    refused(folder, f"{SECOND} is a Git LFS pointer")
    (folder / SECOND).unlink()
    refused(folder, f"has no {SECOND}, which {INDEX} names")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "index.json is not valid JSON: it is not JSON, or is cut off"),
        ("[]", "index.json does not say which file holds which tensor"),
        ("{}", "index.json does not say which file holds which tensor"),
        ('{"weight_map": {}}', "index.json does not say which file holds which tensor"),
        ('{"weight_map": {"a": 1}}', "index.json does not say which file holds which tensor"),
        (
            '{"weight_map": {"a": "x", "a": "y"}}',
            "index.json is not valid JSON: it names the same thing twice",
        ),
    ],
)
def test_an_index_that_is_none_is_told(text: str, sentence: str, folder: Path) -> None:
    shard(folder)
    (folder / INDEX).write_text(text)
    refused(folder, sentence)
