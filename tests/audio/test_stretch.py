"""Speech is played faster or slower, and its pitch stays."""

from __future__ import annotations

import numpy as np
import pytest

from app.audio.stretch import Stereo, Stretch

RATE = 24_000


def play(stretch: Stretch, samples: Stereo, block: int = 960) -> Stereo:
    return np.concatenate([stretch.push(samples[at : at + block]) for at in range(0, len(samples), block)])


def tone(hz: float, length_s: float = 4.0) -> Stereo:
    time = np.arange(int(length_s * RATE)) / RATE
    return np.repeat(0.5 * np.sin(2 * np.pi * hz * time)[:, None], 2, axis=1).astype(np.float32)


def pitch_hz(samples: Stereo) -> float:
    middle = samples[RATE // 4 : -RATE // 4, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(np.argmax(spectrum) * RATE / len(middle))


@pytest.mark.parametrize("speed", [0.75, 1.5, 2.0])
@pytest.mark.parametrize("hz", [95.0, 210.0, 1_000.0])
def test_the_length_changes_and_the_pitch_stays(speed: float, hz: float) -> None:
    played = play(Stretch(speed, RATE), tone(hz))
    assert len(played) == pytest.approx(4 * RATE / speed, rel=0.03)
    assert pitch_hz(played) == pytest.approx(hz, rel=0.01)


@pytest.mark.parametrize("speed", [0.75, 1.5, 2.0])
def test_a_tone_stays_even(speed: float) -> None:
    played = play(Stretch(speed, RATE), tone(150.0))[RATE // 4 : -RATE // 4, 0]
    loudness = np.sqrt(np.mean(played[: len(played) // 480 * 480].reshape(-1, 480) ** 2, axis=1))
    assert loudness.std() / loudness.mean() < 0.1


def test_at_its_own_speed_speech_is_not_touched() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    assert np.array_equal(play(Stretch(1.0, RATE), noise), noise)


def test_both_voices_keep_together() -> None:
    click = np.zeros((2 * RATE, 2), dtype=np.float32)
    click[RATE] = (0.9, -0.9)
    played = play(Stretch(1.5, RATE), click + tone(120.0, 2.0) * 0.1)
    assert np.argmax(played[:, 0]) == np.argmin(played[:, 1])


def test_nothing_is_kept_for_ever() -> None:
    stretch = Stretch(2.0, RATE)
    play(stretch, tone(200.0, 20.0))
    assert stretch.pending_samples < RATE // 10


def test_a_jump_forgets_what_was_inside() -> None:
    stretch = Stretch(1.5, RATE)
    play(stretch, tone(200.0, 1.0))
    stretch.clear()
    assert not play(stretch, np.zeros((RATE, 2), dtype=np.float32)).any()
