"""Turn-taking: constructed talks with known answers, and real speech in noise."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from app.audio.wav import read_wav
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, SILENCE_DB, Samples, level_db
from app.store.turn_taking import (
    HANGOVER_FRAMES,
    Activity,
    Levels,
    LiveActivity,
    Span,
    Statistics,
    Turns,
    find_activity,
    find_turns,
    join,
    mark_turns,
    statistics,
    user_turns,
    utterances,
)

MINUTE = 750


def active(*spans: tuple[int, int], frames: int = MINUTE) -> Activity:
    """Return activity as it is told for speech at these (first, last) frames."""
    activity = np.zeros(frames, dtype=np.bool_)
    for first, last in spans:
        activity[first : last + HANGOVER_FRAMES + 1] = True
    return activity


def talk(heard: Sequence[tuple[int, int]], said: Sequence[tuple[int, int]]) -> Turns:
    return mark_turns(active(*heard), active(*said))


def levels_of(samples: Samples) -> Levels:
    frames = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.array([level_db(frame) for frame in frames], dtype=np.float32)


def figures(turns: Turns) -> dict[str, float]:
    found: Statistics = statistics(turns)
    names = ("turns", "ipus", "pauses", "gaps", "overlaps", "backchannels", "interruptions")
    return {name: round(getattr(found, name), 6) for name in names}


def test_what_was_not_recorded_is_no_pause_and_no_length() -> None:
    heard, said = active((10, 30), (60, 80)), active((100, 120))
    # A loss of half a second within what the user says, and an outage between the two.
    heard[20:26] = False
    gaps = [Span(20, 25), Span(85, 96)]
    found = statistics(mark_turns(heard, said, gaps))
    minutes = found.length_s / 60
    assert found.length_s == pytest.approx((len(heard) - 18) * 0.08)
    assert round(found.ipus * minutes) == 3
    assert round(found.pauses * minutes) == 1  # from 30 to 60
    assert round(found.gaps * minutes) == 0
    assert round(found.turns * minutes) == 2


def test_levels_in_a_gap_say_nothing_about_the_background() -> None:
    noise = np.full(200, -48.0, dtype=np.float32)
    noise[100:110] = SILENCE_DB
    assert find_activity(noise)[110:].any(), "which is why gaps are passed over"
    assert not find_activity(noise, [Span(100, 109)]).any()


def test_a_pause_is_within_one_side_and_a_gap_is_between_the_two() -> None:
    turns = talk(heard=[(10, 30), (40, 60)], said=[(70, 100)])
    assert figures(turns) == {
        "turns": 2, "ipus": 3, "pauses": 1, "gaps": 1, "overlaps": 0, "backchannels": 0, "interruptions": 0,
    }  # fmt: skip


def test_gaps_below_200_ms_do_not_end_an_utterance() -> None:
    assert utterances(active((10, 20), (23, 30))) == [Span(10, 30)]
    assert utterances(active((10, 20), (24, 30))) == [Span(10, 20), Span(24, 30)]


def test_speech_at_the_very_end_keeps_its_last_frames() -> None:
    activity = np.zeros(20, dtype=np.bool_)
    activity[12:] = True
    assert utterances(activity) == [Span(12, 19)]


def test_a_short_mm_within_a_turn_of_the_user_is_a_backchannel() -> None:
    assert talk(heard=[(10, 80)], said=[(40, 44)]).backchannels == [Span(40, 44)]
    in_a_pause = talk(heard=[(10, 40), (50, 80)], said=[(43, 47)])
    assert in_a_pause.backchannels == [Span(43, 47)]
    assert figures(in_a_pause)["turns"] == 1


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ([(10, 80)], [(40, 60)]),  # too long
        ([(10, 40)], [(42, 46)]),  # after the user
        ([(40, 80)], [(30, 36)]),  # before the user
        ([(10, 40)], [(38, 44)]),  # outlasts the user
        ([(10, 30), (60, 80)], [(40, 44)]),  # between two turns
    ],
)
def test_what_is_no_backchannel_is_not_called_one(
    heard: list[tuple[int, int]], said: list[tuple[int, int]]
) -> None:
    assert talk(heard, said).backchannels == []


def test_a_model_that_stops_for_the_user_was_interrupted() -> None:
    assert talk(heard=[(50, 90)], said=[(10, 60)]).interruptions == [Span(50, 60)]


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ([(50, 90)], [(10, 80)]),  # the model goes on for too long
        ([(50, 55)], [(10, 60)]),  # the user gives way
        ([(61, 90)], [(10, 60)]),  # the model had ended
        ([(5, 90)], [(10, 30)]),  # the user spoke first
        ([(50, 90)], [(10, 60), (64, 90)]),  # the model only took a breath
    ],
)
def test_what_is_no_interruption_is_not_called_one(
    heard: list[tuple[int, int]], said: list[tuple[int, int]]
) -> None:
    assert talk(heard, said).interruptions == []


def test_overlap_is_where_both_are_active() -> None:
    turns = talk(heard=[(10, 40)], said=[(30, 60)])
    np.testing.assert_array_equal(turns.overlap, turns.heard & turns.said)
    assert figures(turns)["overlaps"] == 1
    assert statistics(turns).overlap_s == pytest.approx(11 * 0.08)


def test_every_frame_of_random_talks_is_counted_once_and_marks_stay_within_activity() -> None:
    rng = np.random.default_rng(7)
    for _ in range(100):
        heard, said = (np.repeat(rng.random(60) < 0.4, 6) for _ in range(2))
        turns = mark_turns(heard, said)
        found = statistics(turns)
        for channel, spoken_s in ((heard, found.heard_s), (said, found.said_s)):
            spans = utterances(channel)
            assert all(one.last < other.first - HANGOVER_FRAMES for one, other in pairwise(spans))
            assert sum(span.frames for span in spans) * 0.08 == pytest.approx(spoken_s)
            assert all(channel[span.first : span.last + 1].all() for span in spans)
        for span in turns.backchannels:
            assert said[span.first] and said[span.last]
        for span in turns.interruptions:
            assert turns.overlap[span.first]
        assert found.overlap_s <= min(found.heard_s, found.said_s)


def test_no_talk_has_no_figures() -> None:
    nothing = find_turns(np.zeros(0, np.float32), np.zeros(0, np.float32))
    assert set(figures(nothing).values()) == {0.0}
    assert statistics(nothing).length_s == 0


def test_joining_keeps_what_is_far_apart() -> None:
    assert join([Span(0, 5), Span(8, 9), Span(30, 31)], 2) == [Span(0, 9), Span(30, 31)]


def test_a_turn_of_the_user_spans_short_pauses() -> None:
    assert user_turns(talk(heard=[(10, 30), (38, 60), (100, 120)], said=[])) == [Span(10, 60), Span(100, 120)]


def test_the_live_activity_is_the_stored_one() -> None:
    levels = np.random.default_rng(1).uniform(-80, -10, 400).astype(np.float32)
    live = LiveActivity()
    np.testing.assert_array_equal([live.push(float(level)) for level in levels], find_activity(levels))


def test_silence_and_steady_noise_are_not_speech() -> None:
    rng = np.random.default_rng(2)
    for noise_db in (SILENCE_DB, -60.0, -45.0, -30.0):
        noise = (noise_db + rng.normal(0, 0.5, 300)).astype(np.float32)
        assert not find_activity(noise)[LiveActivity.FLOOR_WINDOW_FRAMES :].any(), noise_db


def test_noise_that_sets_in_is_learnt_within_four_seconds() -> None:
    levels = np.concatenate([np.full(100, SILENCE_DB), np.full(200, -40.0)]).astype(np.float32)
    activity = find_activity(levels)
    assert activity[100]
    assert not activity[100 + 55 :].any()


def test_loud_speech_without_a_pause_stays_speech() -> None:
    assert find_activity(np.full(500, -15.0, dtype=np.float32)).all()


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    path: Path = tmp_path_factory.mktemp("speech") / "speech.wav"
    text = (
        "Hello there. I wanted to ask you something, do you have a moment? Yesterday I walked through the "
        "park, and, well, I saw a heron standing quite still in the water. It waited there for minutes."
    )
    subprocess.run(["espeak-ng", "-w", path, text], check=True)
    pause = np.zeros(2 * SAMPLE_RATE, dtype=np.float32)
    return np.concatenate([pause, read_wav(path), pause, read_wav(path), pause])


@pytest.mark.parametrize(("gain", "snr_db"), list(product((1.0, 0.2), (40, 20))))
def test_speech_is_found_in_noise(speech: Samples, gain: float, snr_db: float) -> None:
    clean = gain * speech
    power = float(np.mean(np.square(clean[np.abs(clean) > 1e-4])))
    noise = np.random.default_rng(3).normal(0, np.sqrt(power / 10 ** (snr_db / 10)), clean.size)
    activity = find_activity(levels_of((clean + noise).astype(np.float32)))
    clean_db = levels_of(clean)
    truth = clean_db > clean_db.max() - 40  # as dGSLM defines activity on clean channels
    assert np.mean(activity == truth) >= 0.9
