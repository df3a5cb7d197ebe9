"""Microphones and lines colour speech, and leave it as loud."""

import numpy as np
import pytest

from app.frames import SAMPLE_RATE
from training.starter.microphones import PLAIN, Microphone, draw_microphone, through


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)


def db_between(sound: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return float(10 * np.log10(power[(hertz >= low_hz) & (hertz < high_hz)].mean()))


def test_a_telephone_passes_its_band_alone() -> None:
    heard = through(noise(), Microphone(300, 3400, (), 0.0, False))
    middle = db_between(heard, 500, 3000)
    assert db_between(heard, 50, 150) < middle - 20
    assert db_between(heard, 4500, 11_000) < middle - 30


def test_eight_bits_can_be_heard() -> None:
    sound = noise()
    heard = through(sound, PLAIN._replace(coded=True))
    error_db = 20 * np.log10(np.std(heard - sound) / np.std(sound))
    # G.711 has a signal-to-noise ratio of 38 dB.
    assert -42 < error_db < -30


def test_a_bump_is_where_and_as_high_as_it_says() -> None:
    flat, bumped = noise(), through(noise(), PLAIN._replace(bumps=((1000.0, 9.0, 0.4),)))
    gains = [db_between(bumped, *band) - db_between(flat, *band) for band in ((950, 1050), (5000, 6000))]
    assert gains[0] - gains[1] == pytest.approx(9, abs=0.5)


def test_every_microphone_leaves_speech_as_loud_and_is_drawn_by_chance() -> None:
    sound = noise()
    drawn = [draw_microphone(np.random.default_rng(seed)) for seed in range(200)]
    assert drawn[3] == draw_microphone(np.random.default_rng(3))
    assert 0.1 < np.mean([each == PLAIN for each in drawn]) < 0.3
    assert 0.05 < np.mean([each.coded for each in drawn]) < 0.2
    for each in drawn[:40]:
        heard = through(sound, each)
        assert heard.shape == sound.shape
        assert heard.dtype == np.float32
        assert np.std(heard) == pytest.approx(np.std(sound), rel=0.01)
    assert not len(through(np.zeros(0, dtype=np.float32), drawn[0]))
