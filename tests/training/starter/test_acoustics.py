"""Rooms, noise and microphones do what they say."""

import numpy as np
import pytest

from training.starter.acoustics import CLEAN, Place, carry, draw_calm_place, draw_place, scale

SECOND = 24_000


def db(sound: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(sound))) + 1e-9))


def test_a_voice_is_as_loud_as_its_place_says() -> None:
    voice = np.random.default_rng(0).normal(0, 0.2, SECOND).astype(np.float32)
    silence = np.zeros(SECOND, dtype=np.float32)
    assert db(scale(np.concatenate([voice]), CLEAN)) == pytest.approx(CLEAN.level_db, abs=0.5)
    np.testing.assert_array_equal(scale(silence, CLEAN), silence)


def test_nothing_is_added_where_nothing_is_between() -> None:
    voice = scale(np.random.default_rng(0).normal(0, 0.2, SECOND).astype(np.float32), CLEAN)
    np.testing.assert_allclose(carry(voice, CLEAN, np.random.default_rng(1)), voice, atol=1e-5)


def test_noise_is_as_loud_and_as_dark_as_its_place_says() -> None:
    place = Place(-26.0, -40.0, 6.0, 0.0, 0.0, 0.0)
    noise = carry(np.zeros(4 * SECOND, dtype=np.float32), place, np.random.default_rng(0))
    assert db(noise) == pytest.approx(-40, abs=1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[4 * low : 8 * low].mean() for low in (500, 1000, 2000)]
    falls = np.diff(10 * np.log10(octaves))
    assert falls == pytest.approx([-6, -6], abs=1.5)


def test_a_room_rings_on_and_not_before() -> None:
    click = np.zeros(SECOND, dtype=np.float32)
    click[1000] = 0.5
    heard = carry(click, Place(-20, -120, 3, 0.4, 0.3, 0.0), np.random.default_rng(0))
    assert np.abs(heard[:1000]).max() < 1e-4
    assert heard[1000] == pytest.approx(0.5, abs=1e-3)
    early, late = heard[1100:4000], heard[8000:12_000]
    assert db(early) > db(late) + 20


def test_places_differ_and_never_clip() -> None:
    chance = np.random.default_rng(0)
    voice = np.random.default_rng(1).normal(0, 0.2, SECOND).astype(np.float32)
    places = [draw_place(chance) for _ in range(50)]
    assert len({place.noise_db for place in places}) > 30
    for place in places:
        assert np.abs(carry(scale(voice, place), place, chance)).max() <= 1


def test_a_calm_place_is_quiet_or_moderately_noisy() -> None:
    chance = np.random.default_rng(0)
    places = [draw_calm_place(chance) for _ in range(200)]
    ratios = [place.level_db - place.noise_db for place in places]
    assert 12 <= min(ratios) < 15
    assert 40 < max(ratios) <= 45
    # Pink noise 15 dB below the voice, which scores are taken in, is among them.
    assert any(
        abs(ratio - 15) < 2 and abs(place.noise_slope_db - 3) < 1
        for ratio, place in zip(ratios, places, strict=True)
    )
