"""What lies between a mouth and a microphone: distance, room, noise, and how a microphone colours sound.

So that a human voice is no stranger to a model that grew up with synthetic ones. Knows nothing about speech.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import SAMPLE_RATE

Sound = npt.NDArray[np.float32]
"""[N] float32 in -1..1 at 24 kHz."""


class Place(NamedTuple):
    """Where somebody speaks."""

    level_db: float
    """RMS of the voice while it speaks, against full scale."""
    noise_db: float
    """RMS of the noise, against full scale."""
    noise_slope_db: float
    """How the spectrum of the noise falls, for each octave: 0 is white, 3 pink, 6 brown."""
    reverberation_s: float
    """Time in which the room's echo falls by 60 dB; 0 is a microphone at the mouth."""
    wet: float
    """Energy of the echo against that of the voice itself."""
    tilt_db: float
    """How the microphone favours high frequencies, for each octave."""


_SMOOTH = 1 << 15

CLEAN = Place(-20.0, -120.0, 3.0, 0.0, 0.0, 0.0)


def draw_place(chance: np.random.Generator) -> Place:
    """Return a place that a person might sit in: some quiet and near, some noisy, some echoing."""
    level_db = chance.uniform(-38.0, -14.0)
    echoes = chance.random() < 0.5
    noisy = chance.random() < 0.8
    return Place(
        level_db=level_db,
        noise_db=level_db - chance.uniform(10.0, 45.0) if noisy else -120.0,
        noise_slope_db=chance.uniform(0.0, 6.0),
        reverberation_s=chance.uniform(0.1, 0.7) if echoes else 0.0,
        wet=chance.uniform(0.02, 0.5) if echoes else 0.0,
        tilt_db=chance.uniform(-2.0, 2.0),
    )


def draw_calm_place(chance: np.random.Generator) -> Place:
    """Return a place in which people like to talk: near, little echo, quiet to moderately noisy."""
    level_db = chance.uniform(-32.0, -18.0)
    echoes = chance.random() < 0.5
    return Place(
        level_db=level_db,
        noise_db=level_db - chance.uniform(12.0, 45.0),
        noise_slope_db=chance.uniform(2.0, 5.0),
        reverberation_s=chance.uniform(0.1, 0.35) if echoes else 0.0,
        wet=chance.uniform(0.01, 0.15) if echoes else 0.0,
        tilt_db=chance.uniform(-1.0, 1.0),
    )


def scale(sound: Sound, place: Place) -> Sound:
    """Return speech as loud as it is in a place, and nothing else changed. Silence stays silent."""
    loud = sound[np.abs(sound) > 0.01 * max(1e-9, float(np.max(np.abs(sound), initial=0.0)))]
    rms = float(np.sqrt(np.mean(np.square(loud)))) if len(loud) else 0.0
    return sound * np.float32(10 ** (place.level_db / 20) / rms) if rms else sound


def carry(sound: Sound, place: Place, chance: np.random.Generator) -> Sound:
    """Return what a microphone in a place hears of a sound that is as loud as it should be."""
    heard = _echo(sound, place, chance) if place.reverberation_s else sound
    if place.tilt_db:
        heard = _tilt(heard, place.tilt_db)
    noise = _noise(len(sound), place.noise_slope_db, chance) * np.float32(10 ** (place.noise_db / 20))
    return np.clip(heard + noise, -1.0, 1.0).astype(np.float32)


def _echo(sound: Sound, place: Place, chance: np.random.Generator) -> Sound:
    """Fold the sound with a decaying noise, the simplest model of a room (Moorer, 1979)."""
    length = int(place.reverberation_s * SAMPLE_RATE)
    decay = np.exp(-6.91 * np.arange(length) / length)
    tail = (chance.standard_normal(length) * decay).astype(np.float32)
    tail[: int(0.003 * SAMPLE_RATE)] = 0.0
    tail *= np.sqrt(place.wet / np.sum(np.square(tail)))
    # A multiple of a power of two: transforms of other sizes take ten times as long.
    size = -(-(len(sound) + length) // _SMOOTH) * _SMOOTH
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
    return (sound + wet).astype(np.float32)


def _tilt(sound: Sound, db_an_octave: float) -> Sound:
    gains = _slope(len(sound), db_an_octave)
    return np.fft.irfft(np.fft.rfft(sound) * gains, len(sound)).astype(np.float32)


def _noise(samples: int, fall_db: float, chance: np.random.Generator) -> Sound:
    white = np.fft.rfft(chance.standard_normal(samples))
    noise = np.fft.irfft(white * _slope(samples, -fall_db), samples)
    return (noise / max(1e-9, float(np.sqrt(np.mean(np.square(noise)))))).astype(np.float32)


def _slope(samples: int, db_an_octave: float) -> npt.NDArray[np.float64]:
    """Return gains for each frequency of a transform: 0 dB at 1 kHz, within 40 dB."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 20.0) / 1000.0)
    gains: npt.NDArray[np.float64] = 10.0 ** (np.clip(db_an_octave * octaves, -40.0, 40.0) / 20)
    return gains
