"""What a card replays says what is said without graphs: by kernels, plain, by moshi, and as a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from moshi.models import LMModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.engine import stepper
from app.engine.events import ENGINES, Loadout, Sampling
from app.engine.fast.frame import FrameStep
from app.engine.fast.plain import Plain
from app.engine.stepper import MoshiStepper, Stepper
from tests.engine.conftest import INTERPRETED, Load, speech, talk
from tests.engine.fast.test_frame import build, drive
from tests.engine.graphs import Captures, emulated

if TYPE_CHECKING:
    from app.engine.fast.fused import Fused

pytestmark = INTERPRETED

SMALL = {
    "num_layers": 1,
    "depformer_num_layers": 1,
    "n_q": 4,
    "dep_q": 2,
    "delays": [0, 0, 1, 0, 1],
    "context": 4,
    "card": 32,
    "text_card": 48,
}
"""A model whose frame the interpreter gets through in a second; its ring is gone round twice."""

FRAMES = 14

Change = Callable[[Stepper], None]


def read_prompt(step: Stepper) -> None:
    """Go through a frame of a prompt by its inputs, and put in the place of what was drawn what it says."""
    lm = step.lm
    step.feed(torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long), torch.full((1, lm.dim), 0.1))
    step.force(5, torch.arange(lm.dep_q))
    step.force(None, torch.tensor([-1, *[2] * (lm.dep_q - 1)]))


CHANGES: dict[int, Change] = {
    1: read_prompt,
    2: lambda step: step.set_sampling(Sampling(audio_temperature=1.3, text_top_k=7)),
    4: lambda step: step.set_sampling(Sampling(repetition_penalty=1.4, repetition_frames=5)),
    6: lambda step: step.reset(),
    8: lambda step: step.set_sampling(Sampling(greedy=True)),
    10: lambda step: step.set_sampling(Sampling(text_top_k=0, audio_top_k=0)),
    11: read_prompt,
    12: lambda step: step.set_sampling(Sampling(text_temperature=0.0, repetition_penalty=2.0)),
}
"""Every form that sampling has, prompts and a reset, before the frames of these numbers."""


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captures]:
    with emulated(monkeypatch) as counted, no_compile():
        yield counted


def said(step: Stepper, lm: LMModel) -> list[list[int]]:
    frames = iter(range(FRAMES))

    def take(heard: Tensor) -> Tensor | None:
        CHANGES.get(next(frames), lambda _: None)(step)
        return step.step(heard)

    return drive(take, lm, FRAMES)


@pytest.mark.parametrize("kv", ["bf16", "int8"])
def test_our_step_with_kernels_over_all_changes(captures: Captures, fused: Fused, kv: str) -> None:
    lm = build(**SMALL)
    by_kernels = said(FrameStep(lm, fused, kv, captured=True), lm)
    assert captures.count >= 3, "another memory of the penalty is captured anew"
    without = FrameStep(lm, Plain(), kv, captured=True)
    without._graph.disable = True
    assert by_kernels == said(without, lm)


@pytest.mark.parametrize("make", [partial(FrameStep, captured=True), MoshiStepper], ids=["plain", "moshi"])
def test_a_step_over_all_changes_at_each_start(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, make: Callable[[LMModel], Stepper]
) -> None:
    lm = build(**{**SMALL, "dep_q": 3, "n_q": 6, "delays": [0, 0, 1, 1, 0, 1, 1], "num_layers": 2})
    starts = [replayed(make(lm), lm) for _ in range(2)]
    assert captures.count >= 6
    monkeypatch.setenv("NO_CUDA_GRAPH", "1")
    assert starts == [replayed(make(lm), lm)] * 2


def replayed(step: Stepper, lm: LMModel) -> list[list[int]]:
    heard = said(step, lm)
    step.close()
    return heard


@pytest.mark.parametrize("engine", ENGINES)
def test_the_whole_program_from_sound_to_sound(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, tiny: Path, load: Load, engine: str
) -> None:
    # As make_stepper makes it on a card.
    monkeypatch.setattr(
        stepper, "FrameStep", lambda *them, **named: FrameStep(*them, **{**named, "captured": True})
    )
    heard, loadout = speech(30), Loadout(engine=engine)

    def talks() -> list[list[tuple[int | None, bytes]]]:
        model = load(tiny, loadout=loadout, seed=3)
        first = talk(model, heard)
        model.set_sampling(Sampling(audio_top_k=9, repetition_penalty=1.3))
        model.restart(3)
        return [first, talk(model, heard)]

    by_graphs = [talks() for _ in range(2)]
    assert captures.count >= 6, "both halves of Mimi and the language model"
    monkeypatch.setenv("NO_CUDA_GRAPH", "1")
    assert by_graphs == [talks()] * 2


def test_a_second_start_in_one_process_says_the_same(captures: Captures, fused: Fused) -> None:
    lm = build(**SMALL)
    one, two = FrameStep(lm, fused, captured=True), FrameStep(lm, fused, captured=True)
    for step in (one, two):
        step.set_sampling(replace(Sampling(), greedy=True))
    frames = 7
    first = drive(one.step, lm, frames)
    assert drive(two.step, lm, frames) == first
    one.reset()
    assert drive(one.step, lm, frames) == first, "the other one's memory is its own"
