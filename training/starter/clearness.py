"""How clear speech is after it went through a codec, as a loss: extended STOI (Jensen, Taal, 2016).

Its measure, with the bands taken at the codec's own rate: short stretches of the envelopes of one-third
octave bands are normalised over time, then over bands, and compared. pystoi gives the number on the card;
this gives a gradient.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from app.frames import SAMPLE_RATE

_WINDOW, _HOP, _FFT = 614, 307, 1024
"""25.6 ms and half of it."""
_BANDS, _LOWEST_HZ = 15, 150.0
_STRETCH = 30
"""Frames that are compared at a time: 384 ms."""
_STEP = 5
_AUDIBLE = 1e-2
"""A stretch whose mean energy is below this share of the loudest one's is silence: it is not compared."""
_TINY = 1e-8


class Clearness:
    """Compares batches of speech."""

    def __init__(self) -> None:
        self._window = torch.hann_window(_WINDOW)
        centres = _LOWEST_HZ * 2.0 ** (np.arange(_BANDS) / 3)
        hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
        low, high = centres[:, None] * 2 ** (-1 / 6), centres[:, None] * 2 ** (1 / 6)
        self._bands = torch.from_numpy(((hertz >= low) & (hertz < high)).astype(np.float32))

    def loss(self, decoded: Tensor, said: Tensor) -> Tensor:
        """Return 1 less the clearness of a batch [B, N] against what was said, a scalar in 0..2."""
        ours, theirs = (self._stretches(each) for each in (decoded, said))
        energy = theirs.square().mean(dim=(-2, -1))
        compared = energy > _AUDIBLE * energy.amax(dim=1, keepdim=True).clamp(min=1e-3)
        alike = (_normalised(ours) * _normalised(theirs)).sum(dim=(-2, -1)) / _STRETCH
        return 1 - (alike * compared).sum() / compared.sum().clamp(min=1)

    def _stretches(self, sound: Tensor) -> Tensor:
        """Return the envelopes of the bands, [B, S, bands, _STRETCH]."""
        spectrum = torch.stft(sound, _FFT, _HOP, _WINDOW, self._window, center=False, return_complex=True)
        energies = self._bands @ (spectrum.real.square() + spectrum.imag.square())
        return (energies + _TINY).sqrt().unfold(-1, _STRETCH, _STEP).transpose(1, 2)


def _normalised(stretches: Tensor) -> Tensor:
    """Return stretches with each band, then each frame, without mean and of length one."""
    for dim in (-1, -2):
        stretches = stretches - stretches.mean(dim=dim, keepdim=True)
        stretches = stretches / (stretches.norm(dim=dim, keepdim=True) + _TINY)
    return stretches
