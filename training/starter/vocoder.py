"""One voice made another: formants, pitch and timing changed by the vocoder WORLD (Morise et al., 2016).

Speech is taken apart into its pitch, its smooth spectrum and its breath, which are moved and put together
again. Knows nothing about words.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import SAMPLE_RATE
from training.starter.engines import package
from training.starter.speech import Sound

_FRAME_MS = 5.0
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 600.0
_TINY = 1e-12


class Change(NamedTuple):
    """What is done to a voice; 1 leaves it as it is."""

    formants: float
    """A head this much smaller: all resonances this much higher."""
    pitch: float
    pitch_range: float
    """How far pitch goes from its middle, on a scale of octaves."""
    time: float
    """2 takes twice as long."""


def draw_change(chance: np.random.Generator) -> Change:
    """Return a change that leaves speech natural: about what lies between people of one language."""
    return Change(
        formants=round(float(np.exp(chance.uniform(-0.17, 0.17))), 3),
        pitch=round(float(np.exp(chance.uniform(-0.35, 0.35))), 3),
        pitch_range=round(float(np.exp(chance.uniform(-0.5, 0.4))), 3),
        time=round(float(np.exp(chance.uniform(-0.18, 0.18))), 3),
    )


def change_voice(sound: Sound, change: Change) -> Sound:
    """Return [N] float32 at 24 kHz in another voice. Raises UserError without pyworld."""
    world = package("pyworld")
    samples = np.ascontiguousarray(sound, dtype=np.float64)
    rough, times = world.dio(samples, SAMPLE_RATE, _LOWEST_HZ, _HIGHEST_HZ, frame_period=_FRAME_MS)
    pitch = world.stonemask(samples, rough, times, SAMPLE_RATE)
    spectrum = world.cheaptrick(samples, pitch, times, SAMPLE_RATE)
    breath = world.d4c(samples, pitch, times, SAMPLE_RATE)
    made = world.synthesize(
        _moved_pitch(pitch, change),
        _warped(spectrum, change.formants),
        _warped(breath, change.formants),
        SAMPLE_RATE,
        # The same frames, each of another length: no frame is made up.
        frame_period=_FRAME_MS * change.time,
    )
    wanted = round(len(sound) * change.time)
    return np.pad(made, (0, max(0, wanted - len(made))))[:wanted].astype(np.float32)


def _moved_pitch(pitch: npt.NDArray[np.float64], change: Change) -> npt.NDArray[np.float64]:
    """Return pitch in Hz, moved and stretched around its middle where there is any; 0 is unvoiced."""
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    octaves = np.log2(np.maximum(pitch, _LOWEST_HZ))
    middle = float(np.median(octaves[voiced]))
    moved = 2 ** (middle + np.log2(change.pitch) + change.pitch_range * (octaves - middle))
    return np.where(voiced, np.clip(moved, _LOWEST_HZ, _HIGHEST_HZ), 0.0)


def _warped(frames: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.float64]:
    """Return spectra [T, bins] with all that is at a frequency moved to `factor` times it."""
    bins = np.arange(frames.shape[1])
    source = np.clip(bins / factor, 0, bins[-1])
    below = np.minimum(source.astype(int), bins[-1] - 1)
    part = source - below
    log = np.log(frames + _TINY)
    warped = np.exp(log[:, below] * (1 - part) + log[:, below + 1] * part)
    return np.ascontiguousarray(np.maximum(warped, _TINY))
