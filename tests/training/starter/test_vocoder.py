"""The vocoder changes what it is told to change."""

import numpy as np
import pytest

from app.frames import SAMPLE_RATE
from tests.training.starter import needs
from training.starter.vocoder import Change, change_voice, draw_change

pytestmark = needs.package("pyworld")
SAME = Change(1.0, 1.0, 1.0, 1.0)


def vowel(pitch_hz: float = 120.0, formant_hz: float = 800.0, seconds: float = 0.8) -> np.ndarray:
    """Return a buzz with one resonance."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    partials = np.arange(1, int(5000 / pitch_hz)) * pitch_hz
    loud = 1 / (1 + ((partials - formant_hz) / 150) ** 2)
    sound = (loud[:, None] * np.sin(2 * np.pi * partials[:, None] * time)).sum(0)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def pitch_of(sound: np.ndarray) -> float:
    middle = sound[len(sound) // 4 : 3 * len(sound) // 4].astype(np.float64)
    alike = np.correlate(middle, middle, "full")[len(middle) :]
    return SAMPLE_RATE / (100 + int(np.argmax(alike[99:400])))


def formant_of(sound: np.ndarray) -> float:
    power = np.convolve(np.abs(np.fft.rfft(sound)) ** 2, np.ones(200), "same")
    return float(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)[np.argmax(power)])


def test_nothing_changes_where_nothing_shall() -> None:
    made = change_voice(vowel(), SAME)
    assert len(made) == len(vowel())
    assert pitch_of(made) == pytest.approx(120, rel=0.03)
    assert formant_of(made) == pytest.approx(800, abs=100)


def test_pitch_formants_and_time_go_their_own_ways() -> None:
    higher = change_voice(vowel(), SAME._replace(pitch=1.3))
    assert pitch_of(higher) == pytest.approx(156, rel=0.03)
    smaller = change_voice(vowel(), SAME._replace(formants=1.25))
    assert formant_of(smaller) == pytest.approx(1000, abs=130)
    assert pitch_of(smaller) == pytest.approx(120, rel=0.03)
    slower = change_voice(vowel(), SAME._replace(time=1.2))
    assert len(slower) == pytest.approx(1.2 * len(vowel()), abs=2)
    assert pitch_of(slower) == pytest.approx(120, rel=0.03)


def test_changes_are_drawn_by_chance_and_within_reason() -> None:
    drawn = [draw_change(np.random.default_rng(seed)) for seed in range(200)]
    assert drawn[5] == draw_change(np.random.default_rng(5))
    assert 0.8 < min(each.formants for each in drawn) < max(each.formants for each in drawn) < 1.2
    assert np.isfinite(change_voice(np.zeros(2400, dtype=np.float32), drawn[0])).all()
