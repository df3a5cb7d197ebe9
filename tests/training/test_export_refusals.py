"""An export loses nothing that was there before, and what is wrong with a run is one sentence."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file

from app.cli import main as cli
from app.engine.checkpoint import find
from app.engine.device import choose_device
from app.errors import UserError
from app.paths import Paths, paths
from tests.training.trained_runs import (
    STEP,
    by_hand,
    export,
    learnt,
    make_run,
    moshi_adapter,
    moshi_whole,
    refuse,
    same,
)
from training.checkpoint import TRAINED, checkpoint_folder, read_trained
from training.config import Lora
from training.source import find_source, read_source


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


def test_what_was_there_before_is_not_overwritten(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    other = where.models / "run-1"
    for content in None, "no json", "[]", "{}", '{"run": "run-2"}':
        shutil.rmtree(other, ignore_errors=True)
        other.mkdir(parents=True)
        (other / "letter.txt").write_text("dear")
        if content is not None:
            (other / "aizuchi.json").write_text(content)
        refuse(where, run, said="run-1 holds something else")
        assert (other / "letter.txt").read_text() == "dear"
    refuse(where, run, "--out", other / "letter.txt", said="letter.txt holds something else")


def test_an_earlier_export_of_the_same_run_is_replaced(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    export(where, run, "--merge")
    export(where, run, "--step", STEP + 1)
    folder = where.models / "run-1"
    assert sorted(os.listdir(folder)) == ["aizuchi.json", "config.json", "lora.safetensors", "mimi.json"]
    same(load_file(folder / "lora.safetensors"), learnt(run, STEP + 1))
    assert os.listdir(where.models) == ["run-1"]


def test_an_empty_folder_may_be_named(tiny: Path, where: Paths, tmp_path: Path) -> None:
    out = tmp_path / "some" / "where"
    out.mkdir(parents=True)
    export(where, make_run(where, tiny), "--out", out)
    assert find(str(out)).adapter is not None
    assert os.listdir(out.parent) == ["where"]


@pytest.mark.parametrize("options", [[], ["--merge"], ["--format", "nu-dialogue"]])
def test_damaged_weights_are_one_sentence_and_leave_nothing(
    options: list[str], tiny: Path, where: Paths
) -> None:
    run = make_run(where, tiny)
    path = checkpoint_folder(run, STEP) / TRAINED
    whole, content = learnt(run), path.read_bytes()
    for damaged in b"", content[:100], content[:-1]:
        path.write_bytes(damaged)
        fault = refuse(where, run, *options, said="trained.safetensors can not be read")
        assert "\n" not in fault.sentence
    path.unlink()
    refuse(where, run, *options, said="trained.safetensors can not be read")
    name = "text_linear.lora_A.weight"
    for foreign, said in (
        ({each: whole[each] for each in whole if each != name}, f"{name} is on one side only"),
        ({**whole, "other.lora_A.weight": whole[name].clone()}, "other.lora_A.weight is on one side only"),
        ({**whole, name: whole[name][:2].clone()}, f"{name} has another shape"),
    ):
        save_file(foreign, path)
        refuse(where, run, *options, said=f"step-000003 does not fit its run: {said}")
    assert not where.models.exists() or not os.listdir(where.models)


@pytest.mark.parametrize("options", [[], ["--merge"], ["--format", "nu-dialogue"]])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named_and_not_exported(
    value: float, options: list[str], tiny: Path, where: Paths
) -> None:
    run = make_run(where, tiny)
    whole, name = learnt(run), "text_linear.lora_A.weight"
    whole[name].view(-1)[5] = value
    save_file(whole, checkpoint_folder(run, STEP) / TRAINED)
    refuse(where, run, *options, said=rf"{name} of run-1 holds numbers that are not finite after step {STEP}")
    with pytest.raises(UserError, match=f"{name} of run-1 holds numbers that are not finite"):
        read_source(find_source(str(run), where), choose_device())
    assert not where.models.exists() or not os.listdir(where.models)


def test_an_adapter_on_an_adapter_is_exported_as_a_whole(tiny: Path, where: Paths) -> None:
    export(where, make_run(where, tiny, "first"))
    run = make_run(where, where.models / "first", "second")
    refuse(where, run, said="second is an adapter on first, which is one itself")
    export(where, run, "--merge")
    expected = by_hand(moshi_adapter(where.models / "first"), learnt(run), 1.5)
    same(moshi_whole(where.models / "second"), expected, 1e-6)


def test_what_is_no_run_is_refused(tiny: Path, where: Paths) -> None:
    refuse(where, tiny, said=f"There is no training run '{tiny}'")
    refuse(where, "nothing", said="There is no training run 'nothing'")
    run = make_run(where, tiny)
    assert refuse(where, "nothing", said="There is no training run").advice == "There are run-1."
    shutil.rmtree(run / "checkpoints")
    refuse(where, run, said="The run run-1 has no checkpoint yet")


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`, as if that were all that the disk has."""
    _, most = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("options", [[], ["--merge"], ["--format", "nu-dialogue"]])
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(
    options: list[str], tiny: Path, where: Paths
) -> None:
    run = make_run(where, tiny, lora=Lora(rank=32))
    export(where, run, "--step", STEP + 1)
    folder = where.models / "run-1"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    full = f"The disk is full: The model {folder} could not be written."
    for size in 100, 20_000, 1_000_000:
        with room(size):
            fault = refuse(where, run, *options, said=full)
        assert fault.advice == "Free some space, or name another disk with --out."
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert os.listdir(where.models) == ["run-1"]


def test_a_folder_that_can_not_be_made_is_one_sentence(tiny: Path, where: Paths, tmp_path: Path) -> None:
    run = make_run(where, tiny)
    (tmp_path / "file").write_text("")
    refuse(where, run, "--out", tmp_path / "file" / "model", said="could not be written: Not a directory")


def test_the_command_is_a_verb_of_the_program(
    tiny: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(where, tiny)
    home = str(where.config.parent)
    assert cli(["--home", home, "export", "run-1"]) == 0
    assert (where.models / "run-1" / "lora.safetensors").exists()
    capsys.readouterr()
    assert cli(["--home", home, "export", "run-2"]) == 1
    assert "There is no training run 'run-2'" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_finite_is_not_gone_on_from(tiny: Path, where: Paths) -> None:
    folder = checkpoint_folder(make_run(where, tiny), STEP)
    save_file({"weight": torch.tensor([1.0, float("nan")])}, folder / TRAINED)
    with pytest.raises(UserError, match=f"weight of run-1 .* not finite after step {STEP}"):
        read_trained(folder)
