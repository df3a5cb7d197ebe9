"""What graphics cards would be given, found out once by a process in which Triton compiles."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

Row = dict[str, Any]


def found_out(into: Path, targets: str, *options: str) -> dict[str, Any]:
    """Return what `python -m tests.engine.cards` finds out. This process may interpret Triton."""
    path = into / "figures.json"
    command = [
        sys.executable,
        "-m",
        "tests.engine.cards",
        "--targets",
        targets,
        "--json",
        str(path),
        *options,
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    found: dict[str, Any] = json.loads(path.read_text())
    return found


CONTINUOUS = (75, 89)
"""Cards that are compiled for each time: the oldest, in float16, and the most common, in bfloat16."""


@pytest.fixture(scope="session")
def launched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the frames that a card is given, without their cubins."""
    return found_out(tmp_path_factory.mktemp("launches"), "")


@pytest.fixture(scope="session")
def cubins(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Return what cards of two kinds run of a 7B model."""
    into, targets = tmp_path_factory.mktemp("cubins"), ",".join(map(str, CONTINUOUS))
    rows: list[Row] = found_out(into, targets, "--shapes", "7B", "--no-frames")["cubins"]
    return rows
