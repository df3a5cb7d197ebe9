"""Callers follow their plan, and wait for the model as people do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples
from training.starter.acoustics import Place
from training.starter.caller import Act, Caller, Turn
from training.starter.score import NOISY, QUIET
from training.starter.user_texts import UserText

ASK = UserText("question", "en", "What?", "what", "That.")
CUT = UserText("cut_in", "en", "Stop.", "stop")
CLAUSES = tuple(UserText("clause", "en", each, each) for each in ("one", "two", "three"))
Model = Callable[[int, bool], bool]
"""(frame, whether the caller spoke in it) -> whether it speaks."""


def tone(text: UserText) -> Samples:
    return (0.3 * np.sin(np.arange(round(0.5 * SAMPLE_RATE)) / 20)).astype(np.float32)


def talk(plan: list[Turn], model: Model, place: Place = QUIET) -> tuple[list[Act], np.ndarray]:
    caller, heard = Caller(tone, plan, place, 1), []
    while (frame := caller.take()) is not None:
        heard.append(frame.samples)
        loud = float(np.sqrt(np.mean(frame.samples**2))) > 0.02
        speaks = model(len(heard), loud)
        caller.give(np.full(FRAME_SAMPLES, 0.1 if speaks else 0.0, dtype=np.float32))
        assert len(heard) < 2000, "it ends"
    assert caller.turns_done == len(plan)
    return caller.acts, np.concatenate(heard)


class Answering:
    """A model that speaks for so many frames after the caller has spoken."""

    def __init__(self, frames: int) -> None:
        self._frames, self._since = frames, 10_000

    def __call__(self, frame: int, loud: bool) -> bool:
        self._since = 0 if loud else self._since + 1
        return 4 <= self._since < 4 + self._frames


def test_a_question_is_where_it_says_and_its_answer_may_be_waited_for() -> None:
    acts, heard = talk([Turn("question", (ASK,))] * 2, Answering(20))
    assert [act.kind for act in acts] == ["question"] * 2
    for act in acts:
        assert act.end - act.start == pytest.approx(0.5 * FRAME_RATE)
        first, last = (round(at * FRAME_SAMPLES) for at in (act.start, act.end))
        loud = np.sqrt(np.mean(heard[first:last] ** 2))
        before = np.sqrt(np.mean(heard[first - 4000 : first] ** 2))
        assert 20 * np.log10(loud / before) > 25
        assert act.until - act.end > 20
    assert acts[1].start > acts[0].until - 1


def test_nobody_waits_for_ever_for_who_says_nothing() -> None:
    acts, heard = talk([Turn("question", (ASK,))], lambda frame, loud: False)
    assert len(heard) / SAMPLE_RATE < 6
    assert acts[0].until - acts[0].end < 4 * FRAME_RATE


def test_cutting_in_waits_for_the_model_and_a_control_says_nothing() -> None:
    for kind, texts in (("cut_in", (ASK, CUT)), ("control", (ASK,))):
        acts, heard = talk([Turn(kind, texts)], Answering(60))  # type: ignore[arg-type]
        [act] = acts
        assert act.kind == kind
        spoken = heard[round(act.start * FRAME_SAMPLES) :][: round(0.4 * SAMPLE_RATE)]
        loud = float(np.sqrt(np.mean(spoken**2))) > 0.02
        assert loud == (kind == "cut_in")


def test_nobody_cuts_in_on_who_does_not_speak() -> None:
    acts, _ = talk([Turn("cut_in", (ASK, CUT))], lambda frame, loud: False)
    assert acts == []


def test_a_story_has_clauses_with_short_pauses_between() -> None:
    acts, _ = talk([Turn("story", CLAUSES)], Answering(10))
    kinds = [act.kind for act in acts]
    assert (kinds.count("clause"), kinds.count("pause"), kinds[-1]) == (3, 2, "story")
    pauses = [act for act in acts if act.kind == "pause"]
    clauses = [act for act in acts if act.kind == "clause"]
    assert [(act.start, act.end) for act in pauses] == [
        (one.end, other.start) for one, other in pairwise(clauses)
    ]
    assert all(0.1 < (act.end - act.start) / FRAME_RATE < 0.6 for act in pauses)
    assert (acts[-1].start, acts[-1].end) == (clauses[0].start, clauses[-1].end)


def test_noise_is_15_db_below_the_voice() -> None:
    [act], heard = talk(
        [Turn("question", (ASK,))], lambda frame, loud: False, NOISY._replace(reverberation_s=0.0)
    )
    speech = heard[round(act.start * FRAME_SAMPLES) : round(act.end * FRAME_SAMPLES)]
    noise = heard[round(act.end * FRAME_SAMPLES) + 2000 :]
    ratio_db = 10 * np.log10((np.mean(speech**2) - np.mean(noise**2)) / np.mean(noise**2))
    assert ratio_db == pytest.approx(15, abs=1)
