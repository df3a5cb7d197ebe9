"""The cushion before the speaker: large enough for this computer, no larger, and changed unheard."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from app.audio.cushion import FADE, MARGIN, MEMORY_FRAMES, MOST, MS, START, Cushion, alter
from app.frames import FRAME_SAMPLES, SAMPLE_RATE


class Speaker:
    """A speaker's ring without a clock: frames come as late as they are told to."""

    def __init__(self) -> None:
        self.cushion = Cushion()
        self.level = START
        self.silence = 0

    def frame(self, late: int, *, quiet: bool, drift: float = 0.0) -> int:
        """Let a frame come `late` samples late and return by how much it was altered."""
        spare = round(self.level) - late
        starved = max(0, -spare)
        self.silence += starved
        self.level += starved
        self.cushion.observe(spare, starved)
        change = self.cushion.correct(quiet)
        self.level += change + drift
        return change

    def run(self, frames: int, late: Callable[[], int], *, quiet: bool = True, drift: float = 0.0) -> None:
        for _ in range(frames):
            self.frame(late(), quiet=quiet, drift=drift)


def test_in_calm_the_cushion_shrinks_to_the_margin_within_6_s() -> None:
    speaker = Speaker()
    speaker.run(75, lambda: 0)
    assert abs(speaker.level - MARGIN) <= 2 * MS
    assert speaker.silence == 0


def test_a_first_late_frame_finds_the_first_cushion() -> None:
    speaker = Speaker()
    speaker.run(40, lambda: 0)
    speaker.frame(START - 2 * MS, quiet=False)
    assert speaker.silence == 0


def test_lateness_that_was_seen_twice_does_not_starve_the_speaker_again() -> None:
    speaker = Speaker()
    speaker.run(100, lambda: 0)
    for _ in range(2):
        speaker.frame(25 * MS, quiet=True)
        speaker.run(10, lambda: 0)
    starved = speaker.silence
    assert starved > 0
    for _ in range(5):
        speaker.run(40, lambda: 0)
        speaker.frame(25 * MS, quiet=True)
    assert speaker.silence == starved


def test_a_single_stall_is_forgotten_and_a_habit_is_not() -> None:
    once, twice = Speaker(), Speaker()
    for speaker, stalls in ((once, 1), (twice, 2)):
        speaker.run(100, lambda: 0)
        for _ in range(stalls):
            speaker.frame(25 * MS, quiet=True)
            speaker.run(20, lambda: 0)
        speaker.run(2 * MEMORY_FRAMES, lambda: 0)
    assert once.level < 10 * MS
    assert twice.level > 25 * MS


def test_jitter_up_to_what_was_learnt_starves_nothing_for_10_minutes() -> None:
    dice = random.Random(3)
    speaker = Speaker()
    speaker.run(750, lambda: dice.randrange(8 * MS))
    learnt = speaker.silence
    speaker.run(7500, lambda: dice.randrange(8 * MS))
    assert speaker.silence == learnt
    assert speaker.level < 20 * MS


def test_a_stall_beyond_any_cushion_costs_its_silence_and_teaches_nothing() -> None:
    speaker = Speaker()
    speaker.run(100, lambda: 0)
    speaker.frame(300 * MS, quiet=False)
    assert speaker.level > 290 * MS
    speaker.run(25, lambda: 0, quiet=False)
    assert speaker.level < 80 * MS
    speaker.run(25, lambda: 0)
    assert speaker.level < 10 * MS


def test_the_cushion_never_exceeds_its_bound() -> None:
    speaker = Speaker()
    dice = random.Random(4)
    speaker.run(1000, lambda: dice.randrange(110 * MS))
    assert speaker.cushion.target <= MOST


@pytest.mark.parametrize("drift", [-0.4, 0.4])
def test_two_clocks_200_ppm_apart_are_kept_together_while_somebody_speaks(drift: float) -> None:
    speaker = Speaker()
    speaker.run(100, lambda: 0)
    speaker.run(7500, lambda: 0, quiet=False, drift=drift)
    assert speaker.silence == 0
    assert speaker.level < 15 * MS


def test_a_frame_out_of_a_backlog_teaches_nothing() -> None:
    cushion = Cushion()
    for _ in range(100):
        cushion.observe(20 * MS, 0)
    before = cushion.target
    cushion.observe(-50 * MS, 50 * MS, catching_up=True)
    assert cushion.target == before


@pytest.mark.parametrize("change", [-1680, -240, -4, -1, 0, 1, 4, 240])
def test_an_altered_frame_has_the_length_asked_for_and_no_step_in_it(change: int) -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(FRAME_SAMPLES) / SAMPLE_RATE).astype(np.float32)
    altered = alter(tone, change)
    assert altered.size == FRAME_SAMPLES + change
    assert altered.dtype == np.float32
    steepest = 2 * np.pi * 200 / SAMPLE_RATE
    assert np.abs(np.diff(altered)).max() < steepest + 2.0 / FADE
    assert altered[0] == pytest.approx(tone[0], abs=1e-6)
    assert altered[-1] == pytest.approx(tone[-1], abs=1e-6)
