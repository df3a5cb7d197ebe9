"""Attention over a ring of keys and values as Triton kernels: take in a position, look at the filled ones.

How many slots are filled is read from the device, so that one CUDA graph serves every frame. Sums are kept in
float32. `plain` is the reference.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from app.engine.fast.layers import Place, Ring

SLOTS = 32
"""So many slots of a ring are looked at at a time."""

SPLITS = 16
"""Into so many parts a long ring is split, each looked at by a program of its own."""

LONG_SLOTS = 256
"""A ring of more slots is split."""


def attend(qkv: Tensor, ring: Ring, place: Place) -> Tensor:
    """Return what is heard [1, H * D] of a ring [2, H, S, D], into which this position goes first.

    `qkv` [1, 3 * H * D]; its queries are turned in place.
    """
    numbers, packed = ring.numbers, ring.scale is not None
    scale = ring.scale if ring.scale is not None else qkv
    _, heads, slots, dim = numbers.shape
    heard = torch.empty(1, heads * dim, dtype=qkv.dtype, device=qkv.device)
    turned = place.rotation is not None
    rotation = torch.view_as_real(place.rotation) if place.rotation is not None else qkv
    half = triton.next_power_of_2(dim // 2)
    _write[(heads,)](
        qkv, rotation, numbers, scale, place.slot, heads, slots, dim,
        TURNED=turned, INTERLEAVED=place.interleaved, HALF=half, PACKED=packed,
    )  # fmt: skip
    splits = SPLITS if slots > LONG_SLOTS else 1
    parts = torch.empty(heads, splits, dim + 2, dtype=torch.float32, device=qkv.device)
    share = triton.cdiv(triton.cdiv(slots, splits), SLOTS) * SLOTS
    dims = triton.next_power_of_2(dim)
    _attend[(heads, splits)](
        qkv, numbers, scale, place.position, parts, heard, heads, slots, dim, share, dim**-0.5,
        SPLIT=splits > 1, DIMS=dims, BLOCK_SLOTS=SLOTS, PACKED=packed,
    )  # fmt: skip
    if splits > 1:
        _combine[(heads,)](parts, heard, dim, DIMS=dims, PARTS=splits)
    return heard


@triton.jit
def _write(
    qkv_ptr, rotation_ptr, ring_ptr, scale_ptr, slot_ptr, heads, slots, dim,
    TURNED: tl.constexpr, INTERLEAVED: tl.constexpr, HALF: tl.constexpr, PACKED: tl.constexpr,
):  # fmt: skip
    """Turn a head's query and key by its rotation, and put key and value into the ring."""
    head = tl.program_id(0)
    pair = tl.arange(0, HALF)
    here = pair < dim // 2
    first = 2 * pair if INTERLEAVED else pair
    second = first + 1 if INTERLEAVED else first + dim // 2
    query, key = qkv_ptr + head * dim, qkv_ptr + (heads + head) * dim
    value = qkv_ptr + (2 * heads + head) * dim
    slot = tl.load(slot_ptr)
    keys = ring_ptr + (head * slots + slot) * dim
    values = ring_ptr + ((heads + head) * slots + slot) * dim
    one = tl.load(key + first, mask=here, other=0.0)
    two = tl.load(key + second, mask=here, other=0.0)
    if TURNED:
        cos = tl.load(rotation_ptr + 2 * pair, mask=here, other=0.0)
        sin = tl.load(rotation_ptr + 2 * pair + 1, mask=here, other=0.0)
        query_one = tl.load(query + first, mask=here, other=0.0).to(tl.float32)
        query_two = tl.load(query + second, mask=here, other=0.0).to(tl.float32)
        tl.store(query + first, query_one * cos - query_two * sin, mask=here)
        tl.store(query + second, query_one * sin + query_two * cos, mask=here)
        still_one, still_two = one.to(tl.float32), two.to(tl.float32)
        one = still_one * cos - still_two * sin
        two = still_one * sin + still_two * cos
    places = scale_ptr + head * slots + slot
    _keep(keys, places, first, second, one, two, here, PACKED)
    one = tl.load(value + first, mask=here, other=0.0)
    two = tl.load(value + second, mask=here, other=0.0)
    _keep(values, places + heads * slots, first, second, one, two, here, PACKED)


@triton.jit
def _keep(goal, scale_goal, first, second, one, two, here, PACKED: tl.constexpr):
    """Store the halves of a key or a value, in 8 bits with a scale if so told."""
    if PACKED:
        one, two = one.to(tl.float32), two.to(tl.float32)
        scale = tl.max(tl.maximum(tl.abs(one), tl.abs(two)), axis=0) / 127
        divisor = tl.maximum(scale, 1e-30)
        one = _round(one / divisor).to(tl.int8)
        two = _round(two / divisor).to(tl.int8)
        tl.store(scale_goal, scale)
    tl.store(goal + first, one, mask=here)
    tl.store(goal + second, two, mask=here)


@triton.jit
def _round(x):
    """Return the nearest whole number."""
    return tl.floor(x + 0.5)


@triton.jit
def _attend(
    qkv_ptr, ring_ptr, scale_ptr, position_ptr, parts_ptr, heard_ptr, heads, slots, dim, share, softness,
    SPLIT: tl.constexpr, DIMS: tl.constexpr, BLOCK_SLOTS: tl.constexpr, PACKED: tl.constexpr,
):  # fmt: skip
    """Softmax attention of a head over a share of the ring's filled slots, in one pass (arXiv 1805.02867)."""
    head, split = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, DIMS)
    here = d < dim
    query = tl.load(qkv_ptr + head * dim + d, mask=here, other=0.0).to(tl.float32) * softness
    filled = tl.minimum(tl.load(position_ptr) + 1, slots).to(tl.int32)
    most = -float("inf")
    total = 0.0
    heard = tl.zeros((DIMS,), tl.float32)
    end = tl.minimum((split + 1) * share, filled)
    for start in range(split * share, end, BLOCK_SLOTS):
        slot = start + tl.arange(0, BLOCK_SLOTS)
        known = slot < end
        both = known[:, None] & here[None, :]
        at = (head * slots + slot)[:, None] * dim + d[None, :]
        keys = tl.load(ring_ptr + at, mask=both, other=0.0).to(tl.float32)
        scores = tl.sum(keys * query[None, :], axis=1)
        if PACKED:
            scores *= tl.load(scale_ptr + head * slots + slot, mask=known, other=0.0)
        scores = tl.where(known, scores, -float("inf"))
        now = tl.maximum(most, tl.max(scores, axis=0))
        fade = tl.exp(most - now)
        weights = tl.exp(scores - now)
        values = tl.load(ring_ptr + heads * slots * dim + at, mask=both, other=0.0).to(tl.float32)
        total = total * fade + tl.sum(weights, axis=0)
        if PACKED:
            weights *= tl.load(scale_ptr + (heads + head) * slots + slot, mask=known, other=0.0)
        heard = heard * fade + tl.sum(values * weights[:, None], axis=0)
        most = now
    if SPLIT:
        part = parts_ptr + (head * tl.num_programs(1) + split) * (dim + 2)
        tl.store(part + d, heard, mask=here)
        tl.store(part + dim, most)
        tl.store(part + dim + 1, total)
    else:
        tl.store(heard_ptr + head * dim + d, heard / total, mask=here)


@triton.jit
def _combine(parts_ptr, heard_ptr, dim, DIMS: tl.constexpr, PARTS: tl.constexpr):
    """Put together what the shares of a ring came to; one without filled slots counts for nothing."""
    head = tl.program_id(0)
    part = (head * PARTS + tl.arange(0, PARTS)) * (dim + 2)
    d = tl.arange(0, DIMS)
    here = d < dim
    most = tl.load(parts_ptr + part + dim)
    weight = tl.exp(most - tl.max(most, axis=0))
    total = tl.sum(weight * tl.load(parts_ptr + part + dim + 1), axis=0)
    heard = tl.load(parts_ptr + part[:, None] + d[None, :], mask=here[None, :], other=0.0)
    tl.store(heard_ptr + head * dim + d, tl.sum(heard * weight[:, None], axis=0) / total, mask=here)
