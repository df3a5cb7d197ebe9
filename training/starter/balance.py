"""Several losses of one output, each with its share of what the output learns, whatever their scales are.

The balancer of EnCodec (Défossez et al., 2022, equation 4). Knows nothing about the losses.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_DECAY = 0.99
_TINY = 1e-12


class Balance:
    """Weighs gradients by shares, each against its usual length."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._lengths: dict[str, float] = {}

    def gradient(self, losses: Mapping[str, Tensor], output: Tensor) -> Tensor:
        """Return the gradient that an output of the losses, a leaf, shall go down, of length about one."""
        total, used = torch.zeros_like(output), sum(self._shares[name] for name in losses)
        for at, (name, loss) in enumerate(losses.items(), 1):
            (pull,) = torch.autograd.grad(loss, output, retain_graph=at < len(losses))
            length = float(pull.norm())
            usual = self._lengths.get(name, length)
            self._lengths[name] = _DECAY * usual + (1 - _DECAY) * length
            total += self._shares[name] / used * pull / max(_TINY, self._lengths[name])
        return total

    def state_dict(self) -> dict[str, float]:
        """Return the usual lengths."""
        return dict(self._lengths)

    def load_state_dict(self, lengths: Mapping[str, float]) -> None:
        """Go on with the usual lengths of before."""
        self._lengths = dict(lengths)
