"""Several processes learn what one does, share a model out, and take up each other's checkpoints (gloo)."""

from __future__ import annotations

import json
import os
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
from app.store import locks
from app.store.runs import open_run
from tests.training.test_train import configure, curve, events, kept, train, write_shard
from training.checkpoint import list_checkpoints

PROCESSES = 2
LIMIT_S = 200.0
"""After so long all processes of a test are ended."""

ALIKE = 1e-5
"""Sums in another order differ by less."""

STEADY: dict[str, Any] = {"epsilon": 1e-4, "lr_temporal": 1e-3, "lr_depth": 1e-3, "warmup_steps": 1}
"""With a larger epsilon, AdamW does not turn the last bit of a gradient into a whole step."""

COMMON: dict[str, Any] = {
    "steps": 4,
    "held_out_share": 0.4,
    "optimizer": {**STEADY, "decay": "none"},
    "evaluation": {"every_steps": 2},
}
ADAPTER: dict[str, Any] = {**COMMON, "method": "lora", "batch": {"size": 1, "accumulation": 4}}
ROUNDED: dict[str, Any] = {**ADAPTER, "precision": "bf16", "steps": 2}
EVERYTHING: dict[str, Any] = {**COMMON, "method": "full", "batch": {"size": 2, "accumulation": 2}}
EXTRAS: dict[str, Any] = {
    **COMMON,
    "method": "full",
    "optimizer": {**COMMON["optimizer"], "frozen_embeddings": 0.5},
    "batch": {"size": 2, "accumulation": 2, "depth_share": 0.3},
    "loss": {"user_words": 0.5, "onset": 3.0},
}
SEPARATE: dict[str, Any] = {**ADAPTER, "loss": {"text_mean": "separate"}, "steps": 2}


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


def wait_for(child: subprocess.Popen[str], kind: str) -> None:
    """Read what a process prints until an event comes; gloo prints lines of its own."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("{") and json.loads(line)["kind"] == kind:
            return
    raise AssertionError(f"the run ended without {kind}")


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
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=ALIKE)


@pytest.mark.parametrize("shared_out", [False, True], ids=["ddp", "fsdp2"])
def test_two_processes_learn_what_one_does(
    shared_out: bool, where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """An adapter with examples one by one, all weights with two at a time, and an adapter to bfloat16.

    And all weights with the user's words, a share of the depth transformer and, where that works, an average.
    """
    asked = []
    average = {} if shared_out else {"ema": 0.9}
    extras = {**EXTRAS, "optimizer": {**EXTRAS["optimizer"], **average}}
    configurations = {"adapter": ADAPTER, "everything": EVERYTHING, "rounded": ROUNDED, "separate": SEPARATE}
    configurations |= {"extras": extras}
    for name, changes in configurations.items():
        train(where, configure(tmp_path, tiny, shard, name=f"{name}-one", **changes))
        asked.append((shared_out, [configure(tmp_path, tiny, shard, name=f"{name}-two", **changes)]))
    together(where, *asked)
    assert_alike(where, 4, "adapter-one", "adapter-two")
    assert_alike(where, 4, "everything-one", "everything-two")
    assert_alike(where, 4, "extras-one", "extras-two")
    assert_alike(where, 2, "separate-one", "separate-two")
    assert numbers(where, "rounded-two") == pytest.approx(numbers(where, "rounded-one"), rel=1e-3)


@pytest.mark.slow
def test_checkpoints_of_one_two_and_shares_go_on_in_each_other(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """Each way writes after step 2 what each other goes on from to step 4."""
    for method, changes in (("lora", ADAPTER), ("full", EVERYTHING)):
        names = [f"{method}-{way}" for way in ("whole", "alone", "copied", "shared", "copied-shared")]
        files = [configure(tmp_path, tiny, shard, name=name, **changes) for name in names]
        whole, alone, copied, shared, both = names
        train(where, files[0])
        train(where, files[1], "--steps", "2")
        together(
            where,
            (False, [files[2], "--steps", "2"]),
            (True, [files[3], "--steps", "2"]),
            (False, [files[4], "--steps", "2"]),
            (True, ["--resume", both, "--steps", "4"]),
            (False, ["--resume", alone, "--steps", "4"]),
        )
        for name in (copied, shared):
            train(where, "--resume", name, "--steps", "4")
        assert_alike(where, 4, whole, alone, copied, shared, both)


def test_killed_all_at_once_they_go_on(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    train(where, configure(tmp_path, tiny, shard, name="whole", **ADAPTER))
    broken = configure(tmp_path, tiny, shard, name="broken", **ADAPTER)
    with processes(where, (False, [broken])) as children:
        wait_for(children[0], "checkpoint")
        for child in children:
            child.kill()
    assert open_run(where.runs / "broken").state in ("stopped", "finished")
    assert max(list_checkpoints(where.runs / "broken")) in (2, 4)
    together(where, (False, ["--resume", "broken"]))
    assert_alike(where, 4, "whole", "broken")


def test_asked_to_stop_the_main_process_stops_all_with_a_checkpoint(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    changes = {**ADAPTER, "steps": 1000}
    with processes(where, (False, [configure(tmp_path, tiny, shard, name="asked", **changes)])) as children:
        wait_for(children[0], "step")
        open_run(where.runs / "asked").stop()
        for child in children:
            _, said = child.communicate(timeout=LIMIT_S)
            assert child.returncode == 0, said[-3000:]
    run = open_run(where.runs / "asked")
    assert run.state == "stopped"
    assert 1 <= run.step == max(list_checkpoints(where.runs / "asked")) < 1000


def test_what_processes_can_not_share_is_one_sentence(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    odd = configure(tmp_path, tiny, shard, name="odd", batch={"accumulation": 3})
    refused(where, False, odd, "A step learns from 3 examples, which 2 processes with 1 each can not share")
    few = configure(tmp_path, tiny, shard, name="few", base_bits=8)
    refused(where, True, few, "A model with base_bits = 8 can not be shared out.")
    small = configure(tmp_path, tiny, shard, name="small", optimizer={"name": "adamw8bit"})
    refused(where, True, small, "The optimizer adamw8bit can not be shared out.")
    assert not where.runs.exists()


def test_what_the_main_process_refuses_all_refuse(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """And each says it in the same words, where the others had waited for ever or ended with a traceback."""
    config = configure(tmp_path, tiny, shard, name="held", **{**ADAPTER, "steps": 1})
    train(where, config)
    with locks.take(where.runs / "held", "held", "aizuchi train"):
        for given in ([config], ["--resume", "held", "--steps", "2"]):
            said = "There is a run held already." if given == [config] else "held is in use: `aizuchi train`"
            with processes(where, (False, given)) as children:
                for child in children:
                    _, told = child.communicate(timeout=LIMIT_S)
                    assert child.returncode == 1
                    assert said in told.splitlines()[-1]


def refused(where: Paths, shared_out: bool, config: Path, sentence: str) -> None:
    with processes(where, (shared_out, [config])) as children:
        for child in children:
            _, said = child.communicate(timeout=LIMIT_S)
            assert child.returncode == 1
            assert said.splitlines()[-1].startswith(sentence)
