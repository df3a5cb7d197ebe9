"""A run that is asked to stop leaves what it has begun, keeps what is done, and goes on bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from app.cli import run_verb
from app.paths import Paths, paths
from app.store.runs import open_run
from tests.training.test_processes import free_port
from tests.training.test_train import (
    assert_same,
    configure,
    curve,
    events,
    kept,
    process,
    wait_for,
    write_shard,
)
from training.checkpoint import list_checkpoints
from training.stopping import SIGNALS, Ended, Stop, listening

LONG: dict[str, Any] = {
    "steps": 3,
    "batch": {"accumulation": 40},
    "evaluation": {"every_steps": 10, "sample_s": 0.0},
}
"""A step takes long, and each of its parts a fortieth of that."""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write_shard(tmp_path / "dialogues.parquet", (60, 75, 90, 100))


@contextmanager
def begun(where: Paths, config: Path) -> Iterator[subprocess.Popen[str]]:
    """Begin a run as a process, and leave none behind."""
    child = process(where, config)
    try:
        yield child
    finally:
        child.kill()
        child.communicate(timeout=20)


def ask(child: subprocess.Popen[str], *numbers: int) -> None:
    """Ask a run to stop, and see that it ends well."""
    for number in numbers:
        child.send_signal(number)
    _, said = child.communicate(timeout=200)
    assert child.returncode == 0, said[-2000:]


def stopped(where: Paths, step: int, name: str = "asked") -> None:
    run = open_run(where.runs / name)
    assert (run.state, run.step, run.values["pid"]) == ("stopped", step, None)


@pytest.mark.parametrize("number", SIGNALS)
def test_half_a_step_is_as_if_it_had_not_begun(
    number: int, where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    assert run_verb("train", [str(configure(tmp_path, tiny, shard, **LONG)), "--json"], where) == 0
    with begun(where, configure(tmp_path, tiny, shard, name="asked", **LONG)) as child:
        wait_for(child, "step", 1)
        ask(child, number)
    stopped(where, 1)
    assert list_checkpoints(where.runs / "asked") == [1]
    assert [event["step"] for event in events(where, "asked") if event["kind"] == "step"] == [1]
    assert run_verb("train", ["--resume", "asked", "--json"], where) == 0
    assert curve(events(where, "asked")) == curve(events(where))
    assert_same(kept(where, 3, "asked"), kept(where, 3))


def test_asked_again_it_ends_at_the_last_checkpoint(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    changes = {**LONG, "steps": 9, "evaluation": {"every_steps": 2, "sample_s": 0.0}}
    with begun(where, configure(tmp_path, tiny, shard, name="asked", **changes)) as child:
        wait_for(child, "step", 3)
        # Two signals of the same kind that come at once are one.
        ask(child, signal.SIGTERM, signal.SIGINT)
    stopped(where, 2)
    assert list_checkpoints(where.runs / "asked") == [2]
    assert run_verb("train", ["--resume", "asked", "--steps", "3", "--json"], where) == 0
    stepped = [event["step"] for event in events(where, "asked") if event["kind"] == "step"]
    assert stepped == [1, 2, 3], "what was lost is not told twice"


def test_an_evaluation_is_left_and_done_when_the_run_goes_on(
    where: Paths, tiny: Path, tmp_path: Path
) -> None:
    """Some hundred stretches are kept aside, which takes seconds to judge by."""
    shard = write_shard(tmp_path / "long.parquet", (8_000, 8_000))
    changes = {"steps": 2, "held_out_share": 0.5, "evaluation": {"every_steps": 1, "sample_s": 0.0}}
    assert run_verb("train", [str(configure(tmp_path, tiny, shard, **changes)), "--json"], where) == 0
    with begun(where, configure(tmp_path, tiny, shard, name="asked", **changes)) as child:
        wait_for(child, "step", 1)
        ask(child, signal.SIGTERM)
    stopped(where, 1)
    assert judged(where, "asked") == judged(where)[:1]
    assert run_verb("train", ["--resume", "asked", "--json"], where) == 0
    assert judged(where, "asked") == judged(where)
    assert_same(kept(where, 2, "asked"), kept(where, 2))


def judged(where: Paths, name: str = "run") -> list[tuple[int, float, bool]]:
    told = events(where, name)
    return [(each["step"], each["loss"], each["best"]) for each in told if each["kind"] == "evaluation"]


def test_a_sample_is_left_too(where: Paths, tiny: Path, tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "long.parquet", (3_000, 3_000))
    changes = {
        "batch": {"seconds": 300.0},
        "held_out_share": 0.5,
        "evaluation": {"prompt_s": 1.0, "sample_s": 230.0},
    }
    with begun(where, configure(tmp_path, tiny, shard, name="asked", **changes)) as child:
        wait_for(child, "started", 0)
        time.sleep(1.0)
        ask(child, signal.SIGTERM)
    stopped(where, 0)
    assert not judged(where, "asked")


def test_while_it_loads_it_ends_at_once(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    with begun(where, configure(tmp_path, tiny, shard, name="asked", **LONG)) as child:
        wait_for(child, "stage", 0)
        ask(child, signal.SIGTERM)
    stopped(where, 0)
    assert run_verb("train", ["--resume", "asked", "--steps", "1", "--json"], where) == 0
    assert open_run(where.runs / "asked").state == "finished"


def test_beyond_the_loop_the_first_wish_ends_and_within_it_the_second() -> None:
    before = signal.getsignal(signal.SIGINT)
    with listening(Accelerator(cpu=True)) as stop, stop.patiently():
        assert not stop.agree()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.agree()
        assert not stop.at_once
        with pytest.raises(Ended):
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.agree()
        assert stop.at_once
    with listening(Accelerator(cpu=True)), pytest.raises(Ended):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


AGREE = """
import signal, sys
from accelerate import Accelerator
from training.stopping import Stop

accelerator = Accelerator(cpu=True)
stop = Stop(accelerator)
for number in map(int, sys.argv[1:]):
    if accelerator.process_index == 1:
        stop.hear(number)
stop.agree()
print(stop.wanted, stop.at_once)
"""


@pytest.mark.parametrize(
    ("heard", "agreed"),
    [
        ([], "False False"),
        ([signal.SIGTERM], "True False"),
        # What a terminal and then a launcher make of Ctrl+C.
        ([signal.SIGINT, signal.SIGTERM], "True False"),
        ([signal.SIGINT, signal.SIGTERM, signal.SIGINT], "True True"),
    ],
)
def test_all_processes_know_what_one_was_asked(heard: list[int], agreed: str) -> None:
    place = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    place |= {"MASTER_PORT": str(free_port())}
    command = [sys.executable, "-c", AGREE, *(str(int(number)) for number in heard)]
    children = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **place, "RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in "01"
    ]
    try:
        said = [child.communicate(timeout=120)[0].splitlines()[-1] for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert said == [agreed, agreed]


def test_one_process_counts_every_wish() -> None:
    stop = Stop(Accelerator(cpu=True))
    with stop.patiently():
        stop.hear(signal.SIGINT)
        with pytest.raises(Ended):
            stop.hear(signal.SIGTERM)
