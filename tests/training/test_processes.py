"""Several processes learn what one does, share a model out, and take up each other's checkpoints (gloo)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from app.paths import Paths, paths
from app.runs import open_run
from tests.training.test_train import configure, curve, events, kept, train, wait_for, write_shard
from training.checkpoint import list_checkpoints

PROCESSES = 2
LIMIT_S = 100.0
"""After so long all processes of a test are ended."""

ALIKE = 1e-5
"""Sums in another order differ by less."""

STEADY: dict[str, Any] = {"epsilon": 1e-4, "lr_temporal": 1e-3, "lr_depth": 1e-3, "warmup_steps": 1}
"""With a larger epsilon, AdamW does not turn the last bit of a gradient into a whole step."""

JUDGED: dict[str, Any] = {"every_steps": 2, "keep": 9}
"""Every checkpoint is kept, so that any can be gone on from."""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Return a Parquet file from which three examples are kept aside, which two can not share evenly."""
    return write_shard(tmp_path / "dialogues.parquet", (60, 75, 90, 100, 55, 40, 95))


@contextmanager
def processes(where: Paths, *runs: tuple[bool, list[str | Path]]) -> Iterator[list[subprocess.Popen[str]]]:
    """Start several processes that train together, and end them, whatever happens."""
    asked = json.dumps([(free_port(), shared_out, [*map(str, given)]) for shared_out, given in runs])
    command = [sys.executable, "-m", "tests.training.sharded", str(where.config.parent), asked]
    children = []
    try:
        for rank in range(PROCESSES):
            place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(PROCESSES)}
            place |= {"LOCAL_WORLD_SIZE": str(PROCESSES), "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
            pipe, environment = subprocess.PIPE, {**os.environ, **place}
            children.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment))
        yield children
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.communicate(timeout=20)


def together(where: Paths, *runs: tuple[bool, list[str | Path]]) -> None:
    """Train with several processes, one run after another."""
    with processes(where, *runs) as children:
        for child in children:
            _, said = child.communicate(timeout=LIMIT_S)
            assert child.returncode == 0, said[-3000:]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def numbers(where: Paths, name: str) -> list[float]:
    """Return losses and gradient norms of all steps, and all held-out losses."""
    told = events(where, name)
    judged = [each["loss"] for each in told if each["kind"] == "evaluation"]
    return [number for _, *pair in curve(told) for number in pair] + judged


def assert_alike(where: Paths, step: int, one: str, *others: str) -> None:
    """Compare all that was told, and weights and optimiser after a step."""
    expected = kept(where, step, one)
    for other in others:
        assert numbers(where, other) == pytest.approx(numbers(where, one), rel=ALIKE, abs=ALIKE)
        found = kept(where, step, other)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(
                found[name], value, rtol=1e-4, atol=ALIKE, msg=lambda said: f"{name}: {said}"
            )


@pytest.mark.parametrize("shared_out", [False, True], ids=["ddp", "fsdp2"])
def test_two_processes_learn_what_one_does(
    shared_out: bool, where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """Two runs: an adapter with examples one by one, and all weights with two at a time."""
    adapter = {"method": "lora", "batch": {"size": 1, "accumulation": 4}}
    everything = {"method": "full", "batch": {"size": 2, "accumulation": 2}}
    asked: list[tuple[bool, list[str | Path]]] = []
    for name, changes in (("adapter", adapter), ("everything", everything)):
        common = {**changes, "steps": 4, "optimizer": STEADY, "evaluation": JUDGED, "held_out_share": 0.4}
        train(where, configure(tmp_path, tiny, shard, name=f"{name}-one", **common))
        asked.append((shared_out, [configure(tmp_path, tiny, shard, name=f"{name}-two", **common)]))
    together(where, *asked)
    assert_alike(where, 4, "adapter-one", "adapter-two")
    assert_alike(where, 4, "everything-one", "everything-two")
