"""What learns to tell decoded speech from recorded speech, so that the decoder learns to be taken for it.

The multi-resolution discriminator on complex spectra of EnCodec (Défossez et al., 2022), as Mimi has it:
narrower, for it judges one voice. Knows nothing about codecs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

WINDOWS = (2048, 1024, 512)
"""Samples of each resolution; a hop is a quarter of it."""
CHANNELS = 16

_KERNEL, _DILATIONS = (3, 9), (1, 1, 2, 4)
"""Frames and bins that a layer looks at, and how far apart the frames of each layer are."""
_SLOPE = 0.2
_TINY = 1e-5


class Judged(NamedTuple):
    """What one resolution makes of a batch."""

    logits: Tensor
    """Above 0 is recorded, below 0 decoded, of each place of the spectrum: [B, 1, T, F]."""
    features: tuple[Tensor, ...]
    """What each layer before them gives, [B, C, T, F]."""


class Discriminator(nn.Module):
    """Judges sounds [B, N] at several resolutions."""

    def __init__(self, windows: Sequence[int] = WINDOWS, channels: int = CHANNELS) -> None:
        super().__init__()
        self._resolutions = nn.ModuleList(_Resolution(window, channels) for window in windows)

    def forward(self, sound: Tensor) -> list[Judged]:
        """Return what each resolution makes of a batch."""
        return [resolution(sound) for resolution in self._resolutions]


class _Resolution(nn.Module):
    window: Tensor

    def __init__(self, window: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        widths = (2, *[channels] * len(_DILATIONS))
        layers = [
            _convolution(into, out, _KERNEL, dilation, stride=2)
            for (into, out), dilation in zip(pairwise(widths), _DILATIONS, strict=True)
        ]
        self._layers = nn.ModuleList([*layers, _convolution(channels, channels, (3, 3))])
        self._last = _convolution(channels, 1, (3, 3))

    def forward(self, sound: Tensor) -> Judged:
        size = len(self.window)
        spectrum = torch.stft(
            sound, size, size // 4, window=self.window, normalized=True, return_complex=True
        )
        sheet = torch.view_as_real(spectrum).permute(0, 3, 2, 1)
        features: list[Tensor] = []
        # The spectra keep their precision; convolutions are three times as fast in bfloat16 where a
        # processor has instructions for it.
        with torch.autocast("cpu", torch.bfloat16):
            for layer in self._layers:
                sheet = F.leaky_relu(layer(sheet), _SLOPE)
                features.append(sheet)
            return Judged(self._last(sheet), tuple(features))


def _convolution(
    into: int, out: int, kernel: tuple[int, int], dilation: int = 1, stride: int = 1
) -> nn.Module:
    """Return a convolution over frames and bins; only bins may become fewer."""
    padding = (dilation * (kernel[0] // 2), kernel[1] // 2)
    return cast(
        nn.Module,
        weight_norm(nn.Conv2d(into, out, kernel, (1, stride), padding, dilation=(dilation, 1))),
    )


def telling_loss(recorded: Sequence[Judged], decoded: Sequence[Judged]) -> Tensor:
    """Return the hinge loss by which a discriminator learns (Lim, Ye, 2017), a scalar."""
    losses = [
        F.relu(1 - real.logits.float()).mean() + F.relu(1 + made.logits.float()).mean()
        for real, made in zip(recorded, decoded, strict=True)
    ]
    return torch.stack(losses).mean()


def fooling_loss(decoded: Sequence[Judged]) -> Tensor:
    """Return what is small where decoded sound is taken for recorded, a scalar."""
    return torch.stack([F.relu(1 - made.logits.float()).mean() for made in decoded]).mean()


def feature_loss(recorded: Sequence[Judged], decoded: Sequence[Judged]) -> Tensor:
    """Return how far apart the features of two batches are, against how large they are, a scalar."""
    losses = [
        (ours.float() - theirs.float()).abs().mean() / (theirs.float().abs().mean() + _TINY)
        for real, made in zip(recorded, decoded, strict=True)
        for theirs, ours in zip(real.features, made.features, strict=True)
    ]
    return torch.stack(losses).mean()
