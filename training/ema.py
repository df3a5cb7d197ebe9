"""An exponential moving average of what learns: steadier weights than those of any one step.

Kept beside the model, and put in its place for as long as it is judged. Knows nothing about steps or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


class Ema:
    """The average of some parameters, by name, on their devices."""

    def __init__(self, parameters: Iterable[tuple[str, nn.Parameter]], decay: float) -> None:
        self._parameters = dict(parameters)
        self._decay = decay
        self.values = {name: each.detach().clone() for name, each in self._parameters.items()}
        """Names as LMModel has them, in the precision of what learns."""

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step` (from 0).

        The decay begins low, (1 + step) / (10 + step), so that a short run does not end where it began.
        """
        decay = min(self._decay, (1 + step) / (10 + step))
        now = [each.detach() for each in self._parameters.values()]
        torch._foreach_lerp_(list(self.values.values()), now, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the model the average in place of its weights for as long as it lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, each in self._parameters.items():
            kept = each.detach().clone()
            each.copy_(self.values[name])
            self.values[name].copy_(kept)
