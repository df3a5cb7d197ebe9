"""What a microphone and a line do to speech: an equaliser, a telephone, a cheap microphone, a loud one.

Between a mouth and the room of `acoustics`; drawn anew each time that speech is mixed. Knows nothing about
rooms or noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import SAMPLE_RATE
from training.starter.speech import Sound

_MU = 255.0
_SLOPE_OCTAVES = 0.25
"""A band ends within so much."""
_SMOOTH = 1 << 12


class Microphone(NamedTuple):
    """How speech is heard before it is in a room."""

    low_hz: float
    high_hz: float
    """What is outside is gone."""
    bumps: tuple[tuple[float, float, float], ...]
    """(Hz, dB, octaves) of an equaliser's bands."""
    drive: float
    """How far it is driven into a soft limit: 0 is not at all."""
    coded: bool
    """Whether it came as eight bits by the mu-law of G.711."""


PLAIN = Microphone(0.0, SAMPLE_RATE / 2, (), 0.0, False)


def draw_microphone(chance: np.random.Generator) -> Microphone:
    """Return a microphone: half are good, one of eight is a telephone, one of five is cheap."""
    kind = chance.random()
    if kind < 0.12:
        return Microphone(
            chance.uniform(200, 350), chance.uniform(3200, 3600), _bumps(chance, 2, 4.0), 0.0, True
        )
    if kind < 0.32:
        drive = chance.uniform(0.5, 3.0) if chance.random() < 0.5 else 0.0
        return Microphone(
            chance.uniform(80, 300), chance.uniform(4000, 9000), _bumps(chance, 4, 9.0), drive, False
        )
    if kind < 0.5:
        return PLAIN
    return Microphone(
        chance.uniform(20, 120), chance.uniform(7000, 12000), _bumps(chance, 3, 6.0), 0.0, False
    )


def through(sound: Sound, microphone: Microphone) -> Sound:
    """Return [N] float32 at 24 kHz as a microphone gives it, as loud as before."""
    if microphone == PLAIN or not len(sound):
        return sound
    level = _rms(sound)
    heard = _equalised(sound, microphone)
    if microphone.drive:
        peak = max(1e-9, float(np.abs(heard).max()))
        heard = np.tanh((1 + microphone.drive) * heard / peak).astype(np.float32)
    if microphone.coded:
        heard = _mu_law(heard)
    return (heard * np.float32(level / max(1e-9, _rms(heard)))).astype(np.float32)


def _bumps(chance: np.random.Generator, most: int, most_db: float) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        (
            float(2 ** chance.uniform(7, 13)),
            float(chance.uniform(-most_db, most_db)),
            float(chance.uniform(0.3, 1.5)),
        )
        for _ in range(int(chance.integers(0, most + 1)))
    )


def _equalised(sound: Sound, microphone: Microphone) -> Sound:
    """Filter without phase: what is heard of the equaliser is its colour."""
    size = -(-(len(sound) + _SMOOTH // 2) // _SMOOTH) * _SMOOTH
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 1.0)
    db = np.zeros(len(hertz))
    for centre, gain_db, octaves in microphone.bumps:
        db += gain_db * np.exp(-0.5 * np.square(np.log2(hertz / centre) / octaves))
    gains = 10 ** (db / 20) * _band(hertz, microphone.low_hz, microphone.high_hz)
    heard: Sound = np.fft.irfft(np.fft.rfft(sound, size) * gains, size)[: len(sound)].astype(np.float32)
    return heard


def _band(hertz: npt.NDArray[np.float64], low_hz: float, high_hz: float) -> npt.NDArray[np.float64]:
    """Return the gains of a band; one that ends where hearing or the rate does has no end there."""
    passed = np.ones(len(hertz))
    if low_hz > 0:
        passed *= 0.5 + 0.5 * np.tanh(2 * np.log2(hertz / low_hz) / _SLOPE_OCTAVES)
    if high_hz < SAMPLE_RATE / 2:
        passed *= 0.5 - 0.5 * np.tanh(2 * np.log2(hertz / high_hz) / _SLOPE_OCTAVES)
    return passed


def _mu_law(sound: Sound) -> Sound:
    """Return sound as it comes out of the eight bits of G.711 (ITU-T, 1988), its continuous form."""
    peak = max(1e-9, float(np.abs(sound).max()))
    x = sound / peak
    pressed = np.sign(x) * np.log1p(_MU * np.abs(x)) / np.log1p(_MU)
    stepped = np.round(pressed * 127) / 127
    heard: Sound = (peak * np.sign(stepped) * np.expm1(np.abs(stepped) * np.log1p(_MU)) / _MU).astype(
        np.float32
    )
    return heard


def _rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))
