"""Attention over a ring of keys and values as Triton kernels: take in a position, look at the filled ones.

The position is turned and put into the ring on the way. How many slots are filled is read from the device, so
that one CUDA graph serves every frame. A long ring is split, and a second kernel puts the parts together.
Sums are kept in float32. `plain` is the reference.
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

SHORT_SLOTS = 16
"""A ring of so many is one warp's, as in the depth transformer: it adds up without waiting for others."""


def attend(qkv: Tensor, ring: Ring, place: Place) -> Tensor:
    """Return what is heard [1, H * D] of a ring [2, H, S, D], into which qkv [1, 3 * H * D] goes first."""
    numbers, packed = ring.numbers, ring.scale is not None
    scale = ring.scale if ring.scale is not None else qkv
    _, heads, slots, dim = numbers.shape
    heard = torch.empty(1, heads * dim, dtype=qkv.dtype, device=qkv.device)
    turned = place.rotation is not None
    rotation = torch.view_as_real(place.rotation) if place.rotation is not None else qkv
    splits = SPLITS if slots > LONG_SLOTS else 1
    parts = torch.empty(heads, splits, dim + 2, dtype=torch.float32, device=qkv.device)
    block = min(SLOTS, triton.next_power_of_2(slots))
    share = triton.cdiv(triton.cdiv(slots, splits), block) * block
    dims = triton.next_power_of_2(dim)
    _attend[(heads, splits)](
        qkv, rotation, numbers, scale, place.position, place.slot, parts, heard,
        heads, slots, dim, share, dim**-0.5,
        TURNED=turned, INTERLEAVED=place.interleaved, SPLIT=splits > 1, DIMS=dims, BLOCK_SLOTS=block,
        PACKED=packed, num_warps=1 if slots <= SHORT_SLOTS else 4,
    )  # fmt: skip
    if splits > 1:
        _combine[(heads,)](parts, heard, dim, DIMS=dims, PARTS=splits)
    return heard


@triton.jit
def _attend(
    qkv_ptr, rotation_ptr, ring_ptr, scale_ptr, position_ptr, slot_ptr, parts_ptr, heard_ptr,
    heads, slots, dim, share, softness,
    TURNED: tl.constexpr, INTERLEAVED: tl.constexpr, SPLIT: tl.constexpr, DIMS: tl.constexpr,
    BLOCK_SLOTS: tl.constexpr, PACKED: tl.constexpr,
):  # fmt: skip
    """Softmax attention of a head over a share of the ring's filled slots, in one pass (arXiv 1805.02867)."""
    head, split = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, DIMS)
    here = d < dim
    query = _turn(qkv_ptr + head * dim, rotation_ptr, dim, TURNED, INTERLEAVED, DIMS) * softness
    filled = tl.minimum(tl.load(position_ptr) + 1, slots).to(tl.int32)
    now = tl.load(slot_ptr).to(tl.int32)
    begin = split * share
    # The position itself belongs to the share of its slot: it comes first, and is left out below.
    own = (now >= begin) & (now < begin + share)
    key, value = _take_in(
        qkv_ptr, rotation_ptr, ring_ptr, scale_ptr, head, now, own, heads, slots, dim,
        TURNED, INTERLEAVED, PACKED, DIMS,
    )  # fmt: skip
    most = tl.where(own, tl.sum(key * query, axis=0), -float("inf"))
    total = tl.where(own, 1.0, 0.0)
    heard = tl.where(own, value, 0.0)
    end = tl.minimum(begin + share, filled)
    for start in range(begin, end, BLOCK_SLOTS):
        slot = start + tl.arange(0, BLOCK_SLOTS)
        known = (slot < end) & (slot != now)
        both = known[:, None] & here[None, :]
        at = (head * slots + slot)[:, None] * dim + d[None, :]
        keys = tl.load(ring_ptr + at, mask=both, other=0.0).to(tl.float32)
        values = tl.load(ring_ptr + heads * slots * dim + at, mask=both, other=0.0).to(tl.float32)
        scores = tl.sum(keys * query[None, :], axis=1)
        if PACKED:
            scores *= tl.load(scale_ptr + head * slots + slot, mask=known, other=0.0)
        scores = tl.where(known, scores, -float("inf"))
        # Not minus infinity, where nothing is known yet: the difference to it would be no number.
        higher = tl.maximum(tl.maximum(most, tl.max(scores, axis=0)), -3e38)
        fade = tl.exp(most - higher)
        weights = tl.exp(scores - higher)
        total = total * fade + tl.sum(weights, axis=0)
        if PACKED:
            weights *= tl.load(scale_ptr + (heads + head) * slots + slot, mask=known, other=0.0)
        heard = heard * fade + tl.sum(values * weights[:, None], axis=0)
        most = higher
    if SPLIT:
        part = parts_ptr + (head * tl.num_programs(1) + split) * (dim + 2)
        tl.store(part + d, heard, mask=here)
        tl.store(part + dim, most)
        tl.store(part + dim + 1, total)
    else:
        tl.store(heard_ptr + head * dim + d, heard / total, mask=here)


@triton.jit
def _take_in(
    qkv_ptr, rotation_ptr, ring_ptr, scale_ptr, head, slot, own, heads, slots, dim,
    TURNED: tl.constexpr, INTERLEAVED: tl.constexpr, PACKED: tl.constexpr, DIMS: tl.constexpr,
):  # fmt: skip
    """Return a head's key and value as the ring holds them; put them there if it is own."""
    key = _turn(qkv_ptr + (heads + head) * dim, rotation_ptr, dim, TURNED, INTERLEAVED, DIMS)
    value = _turn(qkv_ptr + (2 * heads + head) * dim, rotation_ptr, dim, False, INTERLEAVED, DIMS)
    place = head * slots + slot
    key = _keep(key, ring_ptr + place * dim, scale_ptr + place, own, dim, PACKED)
    place += heads * slots
    return key, _keep(value, ring_ptr + place * dim, scale_ptr + place, own, dim, PACKED)


@triton.jit
def _turn(
    x_ptr, rotation_ptr, dim, TURNED: tl.constexpr, INTERLEAVED: tl.constexpr, DIMS: tl.constexpr
):  # fmt: skip
    """Return a head's numbers [DIMS] in float32, each pair turned by its rotation if so told."""
    d = tl.arange(0, DIMS)
    here = d < dim
    x = tl.load(x_ptr + d, mask=here, other=0.0).to(tl.float32)
    if TURNED:
        first = (d % 2 == 0) if INTERLEAVED else (d < dim // 2)
        step = 1 if INTERLEAVED else dim // 2
        pair = (d // 2) if INTERLEAVED else tl.where(first, d, d - step)
        other = tl.load(x_ptr + tl.where(first, d + step, d - step), mask=here, other=0.0).to(tl.float32)
        cos = tl.load(rotation_ptr + 2 * pair, mask=here, other=0.0)
        sin = tl.load(rotation_ptr + 2 * pair + 1, mask=here, other=0.0)
        x = x * cos + tl.where(first, -other, other) * sin
    return x


@triton.jit
def _keep(x, goal, scale_goal, own, dim, PACKED: tl.constexpr):
    """Store a key or a value [DIMS], in 8 bits with a scale if so told; return what then stands there."""
    d = tl.arange(0, x.shape[0])
    here = own & (d < dim)
    if PACKED:
        scale = tl.max(tl.abs(x), axis=0) / 127
        codes = tl.floor(x / tl.maximum(scale, 1e-30) + 0.5).to(tl.int8)
        tl.store(scale_goal, scale, mask=own)
        tl.store(goal + d, codes, mask=here)
        kept = codes.to(tl.float32) * scale
    else:
        rounded = x.to(goal.dtype.element_ty)
        tl.store(goal + d, rounded, mask=here)
        kept = rounded.to(tl.float32)
    return kept


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
