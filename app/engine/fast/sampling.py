"""Draws a token from logits as moshi's `sample_token` does: the same seed draws the same tokens.

In a captured graph temperature and top-k stand in tensors, so that they change from one frame to the next
without another capture; what can not change so is told by `set`.
"""

from __future__ import annotations

import torch
from moshi.utils.sampling import sample_token
from torch import Tensor

LEAST_WIDTH = 256
"""A captured top-k is drawn from at least so many tokens, all but the first k with probability 0: moshi's 250
and all that is smaller needs no other capture. A card draws a random number for each of them in one go, so
that those of the first k are the same however many follow."""


class Sampler:
    """How the tokens of one kind (text, or codes) are drawn."""

    def __init__(self, card: int, device: torch.device, *, captured: bool) -> None:
        """Draw from 0..card-1; `captured` tells that `draw` is called within a CUDA graph."""
        self._card = card
        self._captured = captured
        self._form: tuple[str, int] = ("greedy", 0)
        self._temperature, self._top_k = 1.0, 0
        self._temperature_now = torch.ones(1, device=device)
        self._top_k_now = torch.zeros(1, device=device, dtype=torch.long)
        self._ranks = torch.arange(card, device=device)

    def set(self, *, greedy: bool, temperature: float, top_k: int) -> bool:
        """Draw this way from now on, and return whether a graph has to be captured anew for it."""
        self._temperature, self._top_k = temperature, min(top_k, self._card)
        self._temperature_now.fill_(temperature or 1.0)
        self._top_k_now.fill_(self._top_k)
        form = self._form_of(greedy)
        changed, self._form = form != self._form, form
        return changed

    def _form_of(self, greedy: bool) -> tuple[str, int]:
        """Return what is done to the logits, and with how many of them."""
        if greedy or self._temperature <= 0.0:
            return "greedy", 0
        if self._top_k <= 0:
            return "all", 0
        # In powers of two, so that a slider that is drawn along asks for few captures.
        width = 1 << max(LEAST_WIDTH - 1, self._top_k - 1).bit_length()
        return "top k", min(width, self._card)

    def draw(self, logits: Tensor) -> Tensor:
        """Return tokens [*] int64 for logits [*, card]."""
        form, width = self._form
        logits = logits.float()
        if form == "greedy":
            return logits.argmax(dim=-1)
        if not self._captured:
            token: Tensor = sample_token(logits, True, self._temperature, self._top_k)
            return token
        scores = torch.softmax(logits / self._temperature_now, dim=-1)
        if form == "all":
            return (scores / _noise(scores)).argmax(dim=-1)
        scores, tokens = torch.topk(scores, width, dim=-1)
        kept = torch.where(self._ranks[:width] < self._top_k_now, scores, 0.0)
        rank = (kept / _noise(kept)).argmax(dim=-1, keepdim=True)
        return tokens.gather(-1, rank)[..., 0]


def _noise(like: Tensor) -> Tensor:
    """Return exponential noise: the largest of p / noise is a draw from p, and needs no waiting for a sum."""
    return torch.empty_like(like).exponential_(1)
