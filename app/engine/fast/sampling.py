"""How the tokens of one kind are drawn, and how that changes while a talk goes on.

Outside a CUDA graph tokens are drawn as by moshi's `sample_token`: the same seed draws the same. In a
captured graph temperature and top-k stand in tensors, so that every change takes effect without another
capture; there a token is drawn from the same distribution, but with noise of its own.
"""

from __future__ import annotations

import torch
from moshi.utils.sampling import sample_token
from torch import Tensor


class Sampler:
    """How the tokens of one kind (text, or codes) are drawn."""

    def __init__(self, card: int, device: torch.device) -> None:
        """Draw from 0..card-1."""
        self._card = card
        self._greedy = True
        self._temperature, self._top_k = 1.0, 0
        self.temperature = torch.ones(1, device=device)
        """[1] float32, for a captured graph."""
        self.top_k = torch.ones(1, device=device, dtype=torch.long)
        """[1], for a captured graph; 1 draws the likeliest token."""

    def set(self, *, greedy: bool, temperature: float, top_k: int) -> None:
        """Draw this way from now on."""
        self._greedy = greedy or temperature <= 0.0
        self._temperature, self._top_k = temperature, min(top_k, self._card)
        self.temperature.fill_(1.0 if self._greedy else temperature)
        self.top_k.fill_(1 if self._greedy else self._top_k if self._top_k > 0 else self._card)

    def draw(self, logits: Tensor) -> Tensor:
        """Return tokens [*] int64 for logits [*, card], outside a graph."""
        logits = logits.float()
        if self._greedy:
            return logits.argmax(dim=-1)
        token: Tensor = sample_token(logits, True, self._temperature, self._top_k)
        return token
