"""What goes into the streams of tokens and comes out of them at a frame, as two Triton kernels of one warp.

What is read is never what another thread writes: a token that is written and read at the same frame is taken
from where it came. `streams` is the reference.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from app.engine.fast.streams import Streams


def hear(streams: Streams, heard: Tensor) -> Tensor:
    """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""
    tokens, initial, delays, position = streams
    count, ring = tokens.shape
    now = torch.empty_like(initial)
    _hear[(1,)](
        tokens, initial, delays, position, heard, now, count, count - len(heard), heard.stride(0), ring,
        BLOCK=triton.next_power_of_2(count), num_warps=1,
    )  # fmt: skip
    return now


def say(streams: Streams, said: Tensor) -> Tensor:
    """Take in what the first streams say, [n], and go on a frame; return what is to be said now, [n, 1]."""
    tokens, _, delays, position = streams
    due = torch.empty_like(said)
    _say[(1,)](
        tokens, delays, position, said, due, len(said), tokens.shape[1],
        BLOCK=triton.next_power_of_2(len(said)), num_warps=1,
    )  # fmt: skip
    return due[:, None]


@triton.jit
def _hear(
    tokens_ptr, initial_ptr, delays_ptr, position_ptr, heard_ptr, now_ptr, count, first, stride, ring,
    BLOCK: tl.constexpr,
):  # fmt: skip
    stream = tl.arange(0, BLOCK)
    there = stream < count
    position = tl.load(position_ptr)
    delay = tl.load(delays_ptr + stream, mask=there, other=0)
    hears = there & (stream >= first)
    heard = tl.load(heard_ptr + (stream - first) * stride, mask=hears, other=0)
    now = tl.load(tokens_ptr + stream * ring + position % ring, mask=there, other=0)
    tl.store(tokens_ptr + stream * ring + (position + delay) % ring, heard, mask=hears)
    now = tl.where(hears & (delay == 0), heard, now)
    now = tl.where(position <= delay, tl.load(initial_ptr + stream, mask=there, other=0), now)
    tl.store(now_ptr + stream, now, mask=there)


@triton.jit
def _say(
    tokens_ptr, delays_ptr, position_ptr, said_ptr, due_ptr, count, ring, BLOCK: tl.constexpr
):  # fmt: skip
    stream = tl.arange(0, BLOCK)
    there = stream < count
    position = tl.load(position_ptr) + 1
    # As far behind as the longest delay, ring - 2, but never below zero.
    reads = position + 2 + tl.load(delays_ptr + stream, mask=there, other=0)
    said = tl.load(said_ptr + stream, mask=there, other=0)
    due = tl.load(tokens_ptr + stream * ring + reads % ring, mask=there, other=0)
    due = tl.where(reads % ring == position % ring, said, due)
    tl.store(tokens_ptr + stream * ring + position % ring, said, mask=there)
    tl.store(due_ptr + stream, due, mask=there)
    tl.store(position_ptr, position)
