"""Damaged files are refused with a sentence, and the fuzzer sees where they are not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import UserError
from tests.fuzz import guard
from tests.fuzz.mutation import FORMS, mutate


@pytest.fixture(scope="module")
def watch() -> guard.Watch:
    return guard.Watch()


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("case", "input"):
        (tmp_path / name).mkdir()
    return tmp_path / "case", tmp_path / "input"


def refuse() -> None:
    raise UserError("It is damaged.", "Make it anew.")


def test_a_refusal_is_no_fault(watch: guard.Watch, places: tuple[Path, Path]) -> None:
    verdict = guard.judge(watch, *places, refuse)
    assert verdict.refused
    assert not verdict.fault
    assert not guard.judge(watch, *places, lambda: (places[0] / "file").write_text("")).fault


def write_outside(home: Path, _: Path) -> None:
    (home.parent / "elsewhere").write_text("")


def change_input(_: Path, inputs: Path) -> None:
    # As a library does that Python does not see.
    subprocess.run(["touch", str(inputs / "new")], check=True)


def take_memory(_home: Path, _inputs: Path) -> None:
    b"1" * (guard.LARGE_BYTES + 10**8)


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        (lambda home, inputs: 1 / 0, "ZeroDivisionError"),
        (lambda home, inputs: sys.exit(1), "SystemExit"),
        (write_outside, "it wrote"),
        (change_input, "it changed"),
        (take_memory, "it took"),
    ],
)
def test_what_goes_wrong_is_seen(
    watch: guard.Watch, places: tuple[Path, Path], does: Callable[[Path, Path], object], fault: str
) -> None:
    assert guard.judge(watch, *places, lambda: does(*places)).fault.startswith(fault)


def test_damage_is_decided_by_its_seed(tmp_path: Path) -> None:
    told = []
    for copy in ("one", "other"):
        folder = tmp_path / copy
        folder.mkdir()
        (folder / "a.json").write_text('{"a": [1, 2, {"b": "c"}]}')
        (folder / "b.toml").write_text("a = 1\n[b]\nc = 2.0\n")
        told.append([mutate(folder, seed) for seed in range(40)])
        shutil.rmtree(folder, ignore_errors=True)
    assert told[0] == told[1]
    assert {".json", ".toml"} <= FORMS.keys()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_door_refuses_damaged_files() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "60"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1100, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
