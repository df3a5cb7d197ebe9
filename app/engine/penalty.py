"""The repetition penalty on text, which moshi's LMGen has no setting for."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Recent(NamedTuple):
    """What text is penalised by, on the device."""

    tokens: Tensor
    """[P] int64, spoken of late."""
    exempt: Tensor
    """[E] int64, those that are never penalised."""
    strength: Tensor
    """[1] float32, 1 for no penalty."""


def lower(logits: Tensor, recent: Recent) -> None:
    """Lower the logits [N] of recent tokens in place: divide those above zero, multiply those below."""
    before = logits[recent.tokens]
    lowered = torch.where(before > 0, before / recent.strength, before * recent.strength)
    # Duplicates among the recent tokens all write the same value; logits may be in half precision.
    spared = torch.where(torch.isin(recent.tokens, recent.exempt), before, lowered)
    logits[recent.tokens] = spared.to(logits.dtype)


class Penalty:
    """Makes the text tokens that were spoken of late less likely; padding is exempt.

    Recent tokens and the strength stay on the device, in one place for each number of frames, so that nothing
    waits for it and a CUDA graph may hold both methods that a step calls.
    """

    def __init__(self, exempt: tuple[int, ...], device: torch.device, *, captured: bool = False) -> None:
        """Spare these tokens; `captured` tells that logits are lowered within a CUDA graph."""
        self._captured = captured
        self._exempt = torch.tensor(exempt, device=device)
        self._strength = torch.ones(1, device=device)
        self._is_off = True
        self._recent = self._exempt[:1].clone()

    def set(self, strength: float, frames: int) -> bool:
        """Change strength and memory; what is remembered stays, as far as it fits.

        Returns whether the memory took another place, so that a graph has to be captured anew.
        """
        self._strength.fill_(strength)
        self._is_off = strength == 1.0
        if max(1, frames) == len(self._recent):
            return False
        blank = self._exempt[:1].repeat(max(1, frames))
        self._recent = torch.cat((blank, self._recent))[-len(blank) :]
        return True

    def reset(self) -> None:
        """Forget what was spoken."""
        self._recent.copy_(self._exempt[:1].expand(len(self._recent)))

    @property
    def acts(self) -> bool:
        """Return whether logits have to be lowered; in a graph always, as a strength of 1 changes nothing."""
        return self._captured or not self._is_off

    @property
    def recent(self) -> Recent:
        """Return what logits are lowered by."""
        return Recent(self._recent, self._exempt, self._strength)

    def apply(self, logits: Tensor) -> None:
        """Lower the logits [1, 1, 1, text_card] of the recent tokens in place."""
        if self.acts:
            lower(logits[0, 0, 0], self.recent)

    def note(self, token: Tensor) -> None:
        """Remember the text token, [1], that was drawn just now."""
        self._recent.copy_(torch.cat((self._recent[1:], token)))
