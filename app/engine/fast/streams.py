"""The streams of tokens heard and said, each delayed by some frames, as a ring that keeps its place.

Plain torch, which the kernels are held against. Knows nothing about where tokens come from.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Streams(NamedTuple):
    """What was said (the first streams) and heard (the others) of late."""

    tokens: Tensor
    """[K, max delay + 2] int64, each token at the frame that it is fed in, modulo the width."""
    initial: Tensor
    """[K] int64, what is fed in before anything was said or heard."""
    delays: Tensor
    """[K] int64, frames."""
    position: Tensor
    """[1] int64, frames since the beginning."""

    @property
    def max_delay(self) -> int:
        """Return the longest delay in frames."""
        return self.tokens.shape[1] - 2


def begin(initial: Tensor, delays: list[int], blank: int) -> Streams:
    """Return streams [K] that hold nothing, which `blank` stands for."""
    device = initial.device
    return Streams(
        torch.full((len(delays), max(delays) + 2), blank, device=device),
        initial.contiguous(),
        torch.tensor(delays, device=device),
        torch.zeros(1, device=device, dtype=torch.long),
    )


def hear(streams: Streams, heard: Tensor) -> Tensor:
    """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""
    tokens, initial, delays, position = streams
    count, ring = tokens.shape
    last = slice(count - len(heard), None)
    tokens[last].scatter_(1, ((position + delays[last]) % ring)[:, None], heard)
    now = tokens.gather(1, (position % ring).expand(count, 1))[:, 0]
    return torch.where(position <= delays, initial, now)


def say(streams: Streams, said: Tensor) -> Tensor:
    """Take in what the first streams say, [n], and go on a frame; return what is to be said now, [n, 1].

    All of it belongs to one time, the latest that every stream has come to.
    """
    tokens, _, delays, position = streams
    ring, first = tokens.shape[1], tokens[: len(said)]
    position.add_(1)
    first.scatter_(1, (position % ring).expand(len(said), 1), said[:, None])
    reads = (position - streams.max_delay + delays[: len(said)]) % ring
    return first.gather(1, reads[:, None])
