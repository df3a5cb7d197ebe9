"""How loud speech is, and speech made so loud: ITU-R BS.1770-4, for one channel.

Knows nothing about files or models.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from app.frames import Samples

BLOCK_S = 0.4
"""Loudness is told from blocks of this length, three quarters of which overlap (section 2 of annex 1)."""

_OVERLAP = 0.75
_ABSOLUTE_LUFS = -70.0
"""Blocks that are softer are no sound."""

_RELATIVE_LU = -10.0
"""Blocks that are softer than the mean of the others by this are pauses."""

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1500.0, 4.0, 1 / math.sqrt(2)
_LOW_CUT_HZ, _LOW_CUT_Q = 38.0, 0.5
"""The two filters of K-weighting, rounded as the published procedure of PersonaPlex has them (pyloudnorm)."""

_DECAY_S = 1.0
"""Within this the answer of both filters to a click has died away."""

_Curve = npt.NDArray[np.complex128]


def measure_lufs(sound: Samples, rate: int) -> float:
    """Return the integrated loudness of mono sound [N] in LUFS, -inf for silence.

    The sound has at least BLOCK_S.
    """
    step_s = BLOCK_S * (1 - _OVERLAP)
    count = round((len(sound) / rate - BLOCK_S) / step_s) + 1
    starts = (np.arange(count) * step_s * rate).astype(int)
    square = np.concatenate(([0.0], np.cumsum(_weight(sound, rate) ** 2)))
    ends = np.minimum((starts + BLOCK_S * rate).astype(int), len(sound))
    power = np.maximum(square[ends] - square[starts], 0.0) / (BLOCK_S * rate)
    loud = power[_lufs(power) > _ABSOLUTE_LUFS]
    if not len(loud):
        return -math.inf
    kept = loud[_lufs(loud) > _lufs(loud.mean()) + _RELATIVE_LU]
    return float(_lufs(kept.mean()))


def to_loudness(sound: Samples, rate: int, lufs: float) -> Samples:
    """Return mono sound [N] with this integrated loudness; silence stays as it is."""
    found = measure_lufs(sound, rate)
    return sound if math.isinf(found) else (sound * 10 ** ((lufs - found) / 20)).astype(np.float32)


def _lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return -0.691 + 10 * np.log10(np.asarray(power, dtype=np.float64))


def _weight(sound: Samples, rate: int) -> npt.NDArray[np.float64]:
    """Return K-weighted sound [N]: both filters at once, by their response at each frequency."""
    length = 1 << (len(sound) + math.ceil(_DECAY_S * rate) - 1).bit_length()
    spectrum = np.fft.rfft(sound.astype(np.float64), length)
    delay = np.exp(-2j * np.pi * np.arange(len(spectrum)) / length)
    weighted = np.fft.irfft(spectrum * _shelf(delay, rate) * _low_cut(delay, rate), length)
    return np.asarray(weighted[: len(sound)])


def _shelf(delay: _Curve, rate: int) -> _Curve:
    """Return the response of the high shelf: what a head does to sound from the front.

    A second-order filter after R. Bristow-Johnson's Audio EQ Cookbook; `delay` is z^-1.
    """
    gain = 10 ** (_SHELF_DB / 40)
    turn = 2 * math.pi * _SHELF_HZ / rate
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * _SHELF_Q)
    slope = 2 * math.sqrt(gain) * alpha
    above = (
        gain * ((gain + 1) + (gain - 1) * cosine + slope),
        -2 * gain * ((gain - 1) + (gain + 1) * cosine),
        gain * ((gain + 1) + (gain - 1) * cosine - slope),
    )
    below = (
        (gain + 1) - (gain - 1) * cosine + slope,
        2 * ((gain - 1) - (gain + 1) * cosine),
        (gain + 1) - (gain - 1) * cosine - slope,
    )
    return _respond(delay, above, below)


def _low_cut(delay: _Curve, rate: int) -> _Curve:
    """Return the response of the high-pass, after the same cookbook."""
    turn = 2 * math.pi * _LOW_CUT_HZ / rate
    cosine, alpha = math.cos(turn), math.sin(turn) / (2 * _LOW_CUT_Q)
    above = (1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2
    return _respond(delay, above, (1 + alpha, -2 * cosine, 1 - alpha))


def _respond(delay: _Curve, above: tuple[float, ...], below: tuple[float, ...]) -> _Curve:
    top, bottom = (sum(each * delay**at for at, each in enumerate(part)) for part in (above, below))
    return np.asarray(top / bottom)
