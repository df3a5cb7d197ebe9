"""The one clock of the house: time is counted in Mimi frames of 80 ms.

Knows nothing about devices, models or files.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono audio, [N], float32 in -1..1, at SAMPLE_RATE."""

SAMPLE_RATE = 24_000
FRAME_SAMPLES = 1_920
FRAME_RATE = SAMPLE_RATE / FRAME_SAMPLES
FRAME_MS = 1000.0 / FRAME_RATE

SILENCE_DB = -90.0
"""The level that stands for silence: below the noise of 16-bit audio."""


LATE, DEVICE, MICROPHONE, STALLED, SUSPENDED = "late", "device", "microphone", "stalled", "suspended"
RESTARTED = "restarted"
"""Why time passed without a frame: the model was late; a device was lost and is opened anew; there is no
microphone; the sound server brought nothing for a while; the computer slept; the model began anew."""


class Lost(NamedTuple):
    """Time that passed without sound of the user: so many frames that will never come, and why."""

    frames: int
    reason: str


class Heard(NamedTuple):
    """One frame from the user, and what was lost on either side since the frame before."""

    samples: Samples
    """[FRAME_SAMPLES] float32; the receiver may keep it, the port never writes to it again."""
    skipped: int = 0
    """Frames lost just before this one; they count as time."""
    starved: int = 0
    """Frames of silence that the speaker had to play since the last `take`."""
    lag_ms: float | None = None
    """Mouth to ear, as measured for the last frame that was given; None where time has no meaning."""
    raw: Samples | None = None
    """[FRAME_SAMPLES] float32, the microphone before its echo was cancelled; None where it was not."""
    late_samples: int = 0
    """How much later than the microphone brought them these come, for what the cancelling takes."""
    reason: str = LATE
    """Why frames were lost."""


def seconds(frames: int) -> float:
    """Return the length of a number of frames in seconds."""
    return frames / FRAME_RATE


def silence() -> Samples:
    """Return one silent frame, [FRAME_SAMPLES] float32."""
    return np.zeros(FRAME_SAMPLES, dtype=np.float32)


def level_db(samples: Samples) -> float:
    """Return the RMS level of some samples in dB relative to full scale, at least SILENCE_DB."""
    power = float(np.dot(samples, samples)) / max(1, samples.size)
    return max(SILENCE_DB, 10.0 * float(np.log10(power + 1e-12)))
