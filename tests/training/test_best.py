"""Better is what is beyond noise; a run that gets no further ends, one that hardly learns is told."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from app.cli import run_verb
from app.paths import Paths, paths
from app.store.runs import open_run
from tests.training.test_train import configure, events, train, write_shard
from training.best import LEAST_FALL, STALL, Best, Learning, noise


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write_shard(tmp_path / "dialogues.parquet", (60, 75, 90, 100, 55, 70))


def test_noise_is_how_unevenly_the_same_stretches_change() -> None:
    before = [4.0, 5.0, 6.0, 5.0]
    assert noise(before, [each - 0.5 for each in before], 5.0) == pytest.approx(LEAST_FALL * 5)
    uneven = [3.0, 6.0, 5.0, 6.0]
    # Changes of -1, 1, -1, 1: their deviation is 2 / sqrt(3), that of the mean of four half of it.
    assert noise(before, uneven, 5.0) == pytest.approx(2 * (2 / math.sqrt(3)) / 2)
    assert noise([5.0], [4.0], 5.0) == noise(before, [4.0], 5.0) == LEAST_FALL * 5


def test_the_best_is_better_by_more_than_noise() -> None:
    best = Best()
    assert best.take(0, 5.0, [4.0, 5.0, 6.0])
    assert not best.take(1, 4.999, [3.999, 4.999, 5.999])
    assert not best.take(2, 4.9, [3.0, 6.0, 5.7]), "one fell, another rose"
    assert best.take(3, 4.9, [3.9, 4.9, 5.9])
    assert (best.step, best.loss, best.waited) == (3, 4.9, 0)
    again = Best.restored(json.loads(json.dumps(best.state())))
    assert again == best
    assert Best.restored(Best().state()) == Best()


def test_tiny_falls_do_not_keep_a_run_going() -> None:
    best = Best()
    losses = [5.0 * (1 - 0.0012 * step) for step in range(4)]
    assert [best.take(step, loss) for step, loss in enumerate(losses)] == [True, True, True, True]
    assert (best.since, best.waited) == (0, 3), f"together less than {STALL}"
    assert best.take(4, 4.9)
    assert best.waited == 0


def told(*losses: float, kind: str = "evaluation") -> list[dict[str, object]]:
    return [{"kind": kind, "step": step, "loss": loss} for step, loss in enumerate(losses)]


def test_a_run_that_hardly_learns_is_told_once_from_its_half_on() -> None:
    learning = Learning(20, 2)
    learning.add(told(15.14, 15.12))
    assert not learning.is_hard(9, ending=True)
    learning.add(told(15.06))
    assert learning.is_hard(10, ending=False)
    assert not Learning(40, 2).is_hard(10, ending=False), "nothing is known"
    learning.add([{"kind": "warning", "about": "hardly", "step": 10}])
    assert not learning.is_hard(20, ending=True)


def test_a_run_that_learns_or_forgets_is_not() -> None:
    for last in (4.9, 5.2):
        learning = Learning(20, 2)
        learning.add(told(5.0, last))
        assert not learning.is_hard(20, ending=True)


def test_without_anything_kept_aside_the_training_loss_tells() -> None:
    learning = Learning(40, 2)
    learning.add(told(*[5.0, 5.01] * 9, kind="step"))
    assert not learning.is_hard(40, ending=True), "too few"
    learning.add(told(*[5.0] * 4, kind="step"))
    assert learning.is_hard(40, ending=True)


def test_a_run_with_rates_that_are_too_low_says_so_and_ends(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    low = {"lr_temporal": 2e-6, "lr_depth": 4e-6, "warmup_steps": 1}
    changes = {"evaluation": {"every_steps": 1, "patience": 10, "sample_s": 0.0}, "held_out_share": 0.4}
    said = train(where, configure(tmp_path, tiny, shard, steps=30, optimizer=low, **changes))
    (warning,) = [each for each in said if each["kind"] == "warning"]
    assert (
        "The model hardly learns: in 10 steps its loss has changed by less than 1 %." in warning["sentence"]
    )
    assert "0.0005 and 0.001 (depth)" in warning["advice"]
    run = open_run(where.runs / "run")
    assert (run.state, run.step) == ("finished", 10)
    assert "10 evaluations; the best is step" in run.values["sentence"]
    assert run.values["first_loss"] == next(each["loss"] for each in said if each["kind"] == "evaluation")


def test_rates_that_are_not_named_let_a_small_model_learn(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """Two dialogues over and over: the tiny model learns them by heart, or it hardly changes."""
    file = tmp_path / "named.toml"
    file.write_text(
        f'model = "{tiny}"\ndata = ["{shard}"]\nname = "run"\nsteps = 20\nmethod = "full"\n'
        "[batch]\nseconds = 4.0\nmin_seconds = 1.0\naccumulation = 4\n"
        "[evaluation]\nevery_steps = 10\nsample_s = 0.0\n",
        encoding="utf-8",
    )
    assert run_verb("train", [str(file), "--json"], where) == 0
    losses = [each["loss"] for each in events(where) if each["kind"] == "step"]
    assert losses[-1] < 0.95 * losses[0]
    written = (where.runs / "run" / "config.toml").read_text(encoding="utf-8")
    assert "warmup_steps = 2" in written
