"""Triton kernels for one position of a transformer, each with the plain torch of `plain` as its reference.

A product reads its weight once and does on the way what stands before and after it: RMSNorm, bias, gate,
residual. Attention is split over the ring, and looks at filled slots alone; how many there are it reads from
the device, so that one CUDA graph serves every frame. Sums are kept in float32.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from app.engine.fast.layers import Norm, Place, Ring
from app.engine.fast.quantized import GROUP, QuantizedLinear

ROWS = 8
"""So many rows of a weight are one program's."""

COLUMNS = 512
"""So many columns are read at a time."""

SLOTS = 32
"""So many slots of a ring are looked at at a time."""

SPLITS = 16
"""Into so many parts a long ring is split, each looked at by a program of its own."""

LONG_SLOTS = 256
"""A ring of more slots is split."""


def multiply(
    x: Tensor,
    linear: nn.Module,
    *,
    norm: Norm | None = None,
    gated: bool = False,
    add: Tensor | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    """Return `add` + scale * W norm(x) for x [1, in]; gated, silu(a) * b for the halves a and b of W norm(x).

    The norm is an RMSNorm.
    """
    packed = isinstance(linear, QuantizedLinear)
    weight, bits = linear.weight, linear.bits if packed else 16
    assert isinstance(weight, Tensor), "of a linear layer"
    rows, columns = weight.shape[0] // (2 if gated else 1), x.shape[-1]
    y = torch.empty(1, rows, dtype=x.dtype, device=x.device)
    bias = linear.bias if isinstance(linear.bias, Tensor) else None
    # What is not there is never looked at; Triton wants some pointer in its place.
    none = x
    _multiply[(triton.cdiv(rows, ROWS),)](
        x,
        weight,
        linear.weight_scale if packed else none,
        none if bits != 4 else linear.weight_least,
        none if norm is None else norm.weight,
        none if bias is None else bias,
        none if add is None else add,
        none if scale is None else scale,
        y,
        rows,
        columns,
        0.0 if norm is None else norm.eps,
        BITS=bits,
        GROUP_COLUMNS=GROUP,
        HAS_NORM=norm is not None,
        HAS_BIAS=bias is not None,
        HAS_ADD=add is not None,
        HAS_SCALE=scale is not None,
        GATED=gated,
        BLOCK_ROWS=ROWS,
        BLOCK_COLUMNS=COLUMNS,
    )
    return y


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
def _multiply(
    x_ptr, weight_ptr, scale_ptr, least_ptr, norm_ptr, bias_ptr, add_ptr, add_scale_ptr, y_ptr,
    rows, columns, eps,
    BITS: tl.constexpr, GROUP_COLUMNS: tl.constexpr, HAS_NORM: tl.constexpr, HAS_BIAS: tl.constexpr,
    HAS_ADD: tl.constexpr, HAS_SCALE: tl.constexpr, GATED: tl.constexpr, BLOCK_ROWS: tl.constexpr,
    BLOCK_COLUMNS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    inside = row < rows
    total = tl.zeros((BLOCK_ROWS,), tl.float32)
    up = tl.zeros((BLOCK_ROWS,), tl.float32)
    squares = 0.0
    for start in range(0, columns, BLOCK_COLUMNS):
        if BITS == 4:
            groups = columns // GROUP_COLUMNS
            group = start // GROUP_COLUMNS + tl.arange(0, BLOCK_COLUMNS // GROUP_COLUMNS)
            pair = tl.arange(0, GROUP_COLUMNS // 2)
            known = group < groups
            at = group[:, None] * GROUP_COLUMNS + 2 * pair[None, :]
            low = tl.load(x_ptr + at, mask=known[:, None], other=0.0).to(tl.float32)
            high = tl.load(x_ptr + at + 1, mask=known[:, None], other=0.0).to(tl.float32)
            if HAS_NORM:
                squares += tl.sum(tl.sum(low * low + high * high, axis=1), axis=0)
                low *= tl.load(norm_ptr + at, mask=known[:, None], other=0.0).to(tl.float32)
                high *= tl.load(norm_ptr + at + 1, mask=known[:, None], other=0.0).to(tl.float32)
            total += _dot_4(
                weight_ptr, scale_ptr, least_ptr, row, inside, group, known, pair, low, high, columns,
                GROUP_COLUMNS,
            )  # fmt: skip
            if GATED:
                up += _dot_4(
                    weight_ptr, scale_ptr, least_ptr, row + rows, inside, group, known, pair, low, high,
                    columns, GROUP_COLUMNS,
                )  # fmt: skip
        else:
            column = start + tl.arange(0, BLOCK_COLUMNS)
            here = column < columns
            x = tl.load(x_ptr + column, mask=here, other=0.0).to(tl.float32)
            if HAS_NORM:
                squares += tl.sum(x * x, axis=0)
                x *= tl.load(norm_ptr + column, mask=here, other=0.0).to(tl.float32)
            both = inside[:, None] & here[None, :]
            at = row[:, None] * columns + column[None, :]
            total += tl.sum(tl.load(weight_ptr + at, mask=both, other=0).to(tl.float32) * x[None, :], axis=1)
            if GATED:
                at += rows * columns
                up += tl.sum(tl.load(weight_ptr + at, mask=both, other=0).to(tl.float32) * x[None, :], axis=1)
    if BITS == 8:
        total *= tl.load(scale_ptr + row, mask=inside, other=0.0)
        if GATED:
            up *= tl.load(scale_ptr + rows + row, mask=inside, other=0.0)
    if HAS_NORM:
        size = tl.rsqrt(squares / columns + eps)
        total *= size
        up *= size
    if HAS_BIAS:
        total += tl.load(bias_ptr + row, mask=inside, other=0.0).to(tl.float32)
    if GATED:
        total = total * tl.sigmoid(total) * up
    if HAS_SCALE:
        total *= tl.load(add_scale_ptr + row, mask=inside, other=0.0).to(tl.float32)
    if HAS_ADD:
        total += tl.load(add_ptr + row, mask=inside, other=0.0).to(tl.float32)
    tl.store(y_ptr + row, total, mask=inside)


@triton.jit
def _dot_4(
    weight_ptr, scale_ptr, least_ptr, row, inside, group, known, pair, low, high, columns,
    GROUP_COLUMNS: tl.constexpr,
):  # fmt: skip
    """Return the products of rows in 4 bits with a block of whole groups: scale and least once a group."""
    byte = group[:, None] * (GROUP_COLUMNS // 2) + pair[None, :]
    at = row[:, None, None] * (columns // 2) + byte[None, :, :]
    codes = tl.load(weight_ptr + at, mask=inside[:, None, None] & known[None, :, None], other=0)
    first = (codes & 15).to(tl.float32) * low[None, :, :]
    second = (codes >> 4).to(tl.float32) * high[None, :, :]
    places = row[:, None] * (columns // GROUP_COLUMNS) + group[None, :]
    both = inside[:, None] & known[None, :]
    scale = tl.load(scale_ptr + places, mask=both, other=0.0).to(tl.float32)
    least = tl.load(least_ptr + places, mask=both, other=0.0).to(tl.float32)
    sums = tl.sum(low + high, axis=1)
    return tl.sum(scale * tl.sum(first + second, axis=2) + least * sums[None, :], axis=1)


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
