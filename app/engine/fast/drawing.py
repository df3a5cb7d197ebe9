"""A token drawn from logits, with temperature and top-k, and a penalty on recent ones, as Triton kernels.

All of these stand in tensors, so that they change within a CUDA graph. `plain` is the reference: the same
noise gives the same token.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from app.engine.penalty import Recent

WARPS = {4096: 8, 1 << 30: 32}
"""Warps for so many tokens or less: one program sees them all, a thread 8 to 32 of them in its registers."""

CHUNK = 4096
"""So many are looked at together when the threshold is known."""


def draw(logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
    """Return a token [1] int64 of the likeliest `top_k` [1] for logits [1, N] and exponential noise [N]."""
    token = torch.empty(1, dtype=torch.long, device=logits.device)
    count = logits.shape[-1]
    block = triton.next_power_of_2(count)
    warps = next(warps for most, warps in WARPS.items() if count <= most)
    _draw[(1,)](
        logits, noise, temperature, top_k, token, count,
        BLOCK=block, BLOCK_CHUNK=min(block, CHUNK), num_warps=warps,
    )  # fmt: skip
    return token


def penalize(logits: Tensor, recent: Recent) -> None:
    """Lower the logits [1, N] of recent tokens in place."""
    count, spared = len(recent.tokens), len(recent.exempt)
    _penalize[(1,)](
        logits, *recent, count, spared,
        BLOCK=triton.next_power_of_2(count), BLOCK_SPARED=triton.next_power_of_2(spared), num_warps=1,
    )  # fmt: skip


@triton.jit
def _penalize(
    logits_ptr, recent_ptr, exempt_ptr, strength_ptr, count, spared,
    BLOCK: tl.constexpr, BLOCK_SPARED: tl.constexpr,
):  # fmt: skip
    at, of = tl.arange(0, BLOCK), tl.arange(0, BLOCK_SPARED)
    there = at < count
    token = tl.load(recent_ptr + at, mask=there, other=-1)
    exempt = tl.load(exempt_ptr + of, mask=of < spared, other=-1)
    # A token that is there twice is read before it is written: one warp does one after the other.
    before = tl.load(logits_ptr + token, mask=there, other=0.0).to(tl.float32)
    strength = tl.load(strength_ptr)
    lowered = tl.where(before > 0, before / strength, before * strength)
    is_exempt = tl.max((token[:, None] == exempt[None, :]).to(tl.int32), axis=1) > 0
    tl.store(logits_ptr + token, lowered, mask=there & (is_exempt == 0))


@triton.jit
def _draw(
    logits_ptr, noise_ptr, temperature_ptr, top_k_ptr, token_ptr, count,
    BLOCK: tl.constexpr, BLOCK_CHUNK: tl.constexpr,
):  # fmt: skip
    every = _load_in_order(logits_ptr, tl.arange(0, BLOCK), count)
    threshold, left = _threshold(every, tl.load(top_k_ptr).to(tl.int32))
    most = _out_of_order(tl.max(every, axis=0))
    temperature = tl.load(temperature_ptr)
    best = -1.0
    token = tl.zeros((), tl.int32)
    for begin in range(0, count, BLOCK_CHUNK):
        at = begin + tl.arange(0, BLOCK_CHUNK)
        order = _load_in_order(logits_ptr, at, count)
        equal = (order == threshold) & (at < count)
        kept = (order > threshold) | (equal & (tl.cumsum(equal.to(tl.int32), axis=0) <= left))
        left -= tl.sum(equal.to(tl.int32), axis=0)
        # Not divided by its sum, which is the same for all.
        likely = tl.exp((_out_of_order(order) - most) / temperature)
        # The largest of p / noise is a draw from p (exponential races).
        score = tl.where(kept, likely / tl.load(noise_ptr + at, mask=at < count, other=1.0), -1.0)
        highest = tl.max(score, axis=0)
        token = tl.where(highest > best, begin + tl.argmax(score, axis=0), token)
        best = tl.maximum(best, highest)
    tl.store(token_ptr, token.to(tl.int64))


@triton.jit
def _load_in_order(logits_ptr, at, count):
    """Return logits as whole numbers of 32 bits in the same order: those of negative ones run backwards."""
    logits = tl.load(logits_ptr + at, mask=at < count, other=-float("inf"))
    bits = logits.to(tl.float32).to(tl.int32, bitcast=True)
    return tl.where(at < count, tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits), -2147483648)


@triton.jit
def _out_of_order(order):
    """Return the numbers again."""
    return tl.where(order < 0, order ^ 0x7FFFFFFF, order).to(tl.float32, bitcast=True)


@triton.jit
def _threshold(order, count):
    """Return the largest number that `count` are not below, and how many of them may equal it."""
    # Bit by bit, from the sign on.
    enough = tl.sum((order >= 0).to(tl.int32), axis=0) >= count
    threshold = tl.where(enough, 0, -2147483648)
    for step in range(31):
        trial = threshold | (1 << (30 - step))
        enough = tl.sum((order >= trial).to(tl.int32), axis=0) >= count
        threshold = tl.where(enough, trial, threshold)
    return threshold, count - tl.sum((order > threshold).to(tl.int32), axis=0)
