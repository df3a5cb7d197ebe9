"""The product of a weight and a vector, with what stands before and after it, as one Triton kernel.

A program takes a few rows of the weight, each of its threads 16 bytes of each row at a time, and keeps its
own sum for every row in a register: threads add up once, after the last column. RMSNorm, bias, gate, scale
and residual are done on the way. Sums are kept in float32. `plain` is the reference; how rows and columns are
shared out is told by `tiling`.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from app.engine.fast.layers import Norm
from app.engine.fast.quantized import GROUP, QuantizedLinear
from app.engine.fast.tables import Row
from app.engine.fast.tiling import choose_for


def multiply(
    x: Tensor,
    linear: nn.Module,
    *,
    norm: Norm | None = None,
    gated: bool = False,
    add: Tensor | Row | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    """Return `add` + scale * W norm(x) for x [1, in]; gated, silu(a) * b for the halves a and b of W norm(x).

    The norm is an RMSNorm. `add`, [1, out], may be a row of a table.
    """
    packed = linear if isinstance(linear, QuantizedLinear) else None
    weight, bits = linear.weight, packed.bits if packed else 16
    assert isinstance(weight, Tensor), "of a linear layer"
    rows, columns = weight.shape[0] // (2 if gated else 1), x.shape[-1]
    in_words = packed is not None and columns * bits % 128 == 0
    tiling = choose_for(rows, columns, bits, gated=gated, device=x.device)
    y = torch.empty(1, rows, dtype=x.dtype, device=x.device)
    bias = linear.bias if isinstance(linear.bias, Tensor) else None
    # What is not there is never looked at; Triton wants some pointer in its place.
    none = x
    row, added = (add, add.table.rows) if isinstance(add, Row) else (None, add)
    row_scale = None if row is None else row.table.scale
    _multiply[(triton.cdiv(rows, tiling.rows),)](
        x,
        weight.view(torch.int32) if in_words else weight,
        packed.weight_scale if packed else none,
        packed.weight_least if packed and bits == 4 else none,
        none if norm is None else norm.weight,
        none if bias is None else bias,
        none if added is None else added,
        none if row is None else row.token,
        none if row_scale is None else row_scale,
        none if scale is None else scale,
        y,
        rows,
        columns,
        columns * bits // 32,
        columns // GROUP,
        0.0 if norm is None else norm.eps,
        BITS=bits,
        GROUP_COLUMNS=GROUP,
        IN_WORDS=in_words,
        HAS_NORM=norm is not None,
        HAS_BIAS=bias is not None,
        HAS_ADD=add is not None,
        HAS_ROW=row is not None,
        HAS_ROW_SCALE=row_scale is not None,
        HAS_SCALE=scale is not None,
        GATED=gated,
        EVEN=columns % tiling.columns == 0,
        ROWS=tiling.rows,
        COLUMNS=tiling.columns,
        num_warps=tiling.warps,
    )
    return y


@triton.jit
def _multiply(
    x_ptr, weight_ptr, scale_ptr, least_ptr, norm_ptr, bias_ptr, add_ptr, token_ptr, row_scale_ptr,
    add_scale_ptr, y_ptr,
    rows, columns, words, groups, eps,
    BITS: tl.constexpr, GROUP_COLUMNS: tl.constexpr, IN_WORDS: tl.constexpr, HAS_NORM: tl.constexpr,
    HAS_BIAS: tl.constexpr, HAS_ADD: tl.constexpr, HAS_ROW: tl.constexpr, HAS_ROW_SCALE: tl.constexpr,
    HAS_SCALE: tl.constexpr, GATED: tl.constexpr, EVEN: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    # A row below the last is the last again, which takes no mask: nothing is stored for it.
    read = tl.minimum(row, rows - 1).to(tl.int64)
    SHARES: tl.constexpr = COLUMNS // ((128 // BITS) if IN_WORDS else 8)
    a = tl.zeros((ROWS, SHARES), tl.float32)
    b = tl.zeros((ROWS, SHARES), tl.float32)
    squares = tl.zeros((SHARES,), tl.float32)
    zero = rows >> 31
    for start in range(0, columns, COLUMNS):
        if not IN_WORDS:
            a, b, squares = _step(
                a, b, squares, x_ptr, weight_ptr, norm_ptr, read, start, rows, columns,
                HAS_NORM, GATED, EVEN, COLUMNS,
            )  # fmt: skip
        elif BITS == 8:
            a, b, squares = _step_8(
                a, b, squares, x_ptr, weight_ptr, norm_ptr, read, start, rows, columns, words, zero,
                HAS_NORM, GATED, EVEN,
            )  # fmt: skip
        else:
            a, b, squares = _step_4(
                a, b, squares, x_ptr, weight_ptr, scale_ptr, least_ptr, norm_ptr, read, start, rows, columns,
                words, groups, zero, GROUP_COLUMNS, HAS_NORM, GATED, EVEN,
            )  # fmt: skip
    y = tl.sum(a, axis=1)
    up = tl.sum(b, axis=1)
    if BITS == 8:
        y *= tl.load(scale_ptr + read)
        up *= tl.load(scale_ptr + rows + read) if GATED else 1.0
    if HAS_NORM:
        size = tl.rsqrt(tl.sum(squares, axis=0) / columns + eps)
        y *= size
        up *= size
    if HAS_BIAS:
        y += tl.load(bias_ptr + read).to(tl.float32)
        if GATED:
            up += tl.load(bias_ptr + rows + read).to(tl.float32)
    if GATED:
        y = y * tl.sigmoid(y) * up
    if HAS_SCALE:
        y *= tl.load(add_scale_ptr + read).to(tl.float32)
    if HAS_ADD:
        y += _added(add_ptr, token_ptr, row_scale_ptr, read, rows, HAS_ROW, HAS_ROW_SCALE)
    tl.store(y_ptr + row, y, mask=row < rows)


@triton.jit
def _added(
    add_ptr, token_ptr, row_scale_ptr, read, rows, HAS_ROW: tl.constexpr, HAS_ROW_SCALE: tl.constexpr
):  # fmt: skip
    """Return what is added to some rows [R], a part of a table's row if so told."""
    if HAS_ROW:
        token = tl.load(token_ptr)
        added = tl.load(add_ptr + token * rows + read).to(tl.float32)
        if HAS_ROW_SCALE:
            added *= tl.load(row_scale_ptr + token).to(tl.float32)
    else:
        added = tl.load(add_ptr + read).to(tl.float32)
    return added


@triton.jit
def _step(
    a, b, squares, x_ptr, weight_ptr, norm_ptr, read, start, rows, columns,
    HAS_NORM: tl.constexpr, GATED: tl.constexpr, EVEN: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Add some columns to the sums [R, N] of the upper and the lower rows, and to those of squares [N]."""
    column = start + tl.arange(0, COLUMNS)
    here = column < columns
    at = weight_ptr + read[:, None] * columns + column[None, :]
    upper = _stream(at, here[None, :], EVEN)
    lower = _stream(at + rows.to(tl.int64) * columns, here[None, :], EVEN) if GATED else upper
    x = _load(x_ptr + column, here, EVEN)
    if HAS_NORM:
        squares += tl.sum(tl.reshape(x * x, (squares.shape[0], COLUMNS // squares.shape[0])), axis=1)
        x *= _load(norm_ptr + column, here, EVEN)
    return _add(a, upper, x), _add(b, lower, x) if GATED else b, squares


@triton.jit
def _step_8(
    a, b, squares, x_ptr, weight_ptr, norm_ptr, read, start, rows, columns, words, zero,
    HAS_NORM: tl.constexpr, GATED: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Do the same with codes in 8 bits, 16 neighbours to each of N."""
    first = start + tl.arange(0, squares.shape[0]) * 16
    word = start // 4 + tl.arange(0, squares.shape[0] * 4)
    here = (word < words)[None, :]
    at = weight_ptr + read[:, None] * words + word[None, :]
    upper = _stream(at, here, EVEN)
    lower = _stream(at + rows.to(tl.int64) * words, here, EVEN) if GATED else upper
    x0, squares = _octet(squares, x_ptr, norm_ptr, first, columns, HAS_NORM, EVEN)
    x1, squares = _octet(squares, x_ptr, norm_ptr, first + 8, columns, HAS_NORM, EVEN)
    return _add_8(a, upper, x0, x1, zero), _add_8(b, lower, x0, x1, zero) if GATED else b, squares


@triton.jit
def _step_4(
    a, b, squares, x_ptr, weight_ptr, scale_ptr, least_ptr, norm_ptr, read, start, rows, columns,
    words, groups, zero, GROUP_COLUMNS: tl.constexpr, HAS_NORM: tl.constexpr, GATED: tl.constexpr,
    EVEN: tl.constexpr,
):  # fmt: skip
    """Do the same with codes in 4 bits, 32 neighbours of one group to each of N."""
    first = start + tl.arange(0, squares.shape[0]) * 32
    word = start // 8 + tl.arange(0, squares.shape[0] * 4)
    here = (word < words)[None, :]
    at = weight_ptr + read[:, None] * words + word[None, :]
    upper = _stream(at, here, EVEN)
    lower = _stream(at + rows.to(tl.int64) * words, here, EVEN) if GATED else upper
    x0, squares = _octet(squares, x_ptr, norm_ptr, first, columns, HAS_NORM, EVEN)
    x1, squares = _octet(squares, x_ptr, norm_ptr, first + 8, columns, HAS_NORM, EVEN)
    x2, squares = _octet(squares, x_ptr, norm_ptr, first + 16, columns, HAS_NORM, EVEN)
    x3, squares = _octet(squares, x_ptr, norm_ptr, first + 24, columns, HAS_NORM, EVEN)
    # [N, R]: so they come to the threads that the sums are in.
    group = (first // GROUP_COLUMNS)[:, None] + read[None, :] * groups
    known = (first < columns)[:, None]
    scale, least = _load(scale_ptr + group, known, EVEN), _load(least_ptr + group, known, EVEN)
    a = _add_4(a, upper, scale, least, x0, x1, x2, x3, zero)
    if GATED:
        group += rows.to(tl.int64) * groups
        scale, least = _load(scale_ptr + group, known, EVEN), _load(least_ptr + group, known, EVEN)
        b = _add_4(b, lower, scale, least, x0, x1, x2, x3, zero)
    return a, b, squares


@triton.jit
def _stream(at, here, EVEN: tl.constexpr):
    """Return part of a weight, 0 where there is none. It is read once: L1 is left to x."""
    if EVEN:
        return tl.load(at, cache_modifier=".cg")
    return tl.load(at, mask=here, other=0, cache_modifier=".cg")


@triton.jit
def _load(at, here, EVEN: tl.constexpr):
    """Return numbers in float32, 0 where there are none."""
    if EVEN:
        return tl.load(at).to(tl.float32)
    return tl.load(at, mask=here, other=0.0).to(tl.float32)


@triton.jit
def _octet(squares, x_ptr, norm_ptr, first, columns, HAS_NORM: tl.constexpr, EVEN: tl.constexpr):
    """Return 8 columns [N, 8] from each of N on, times the norm's weight, and `squares` with theirs."""
    at = first[:, None] + tl.arange(0, 8)[None, :]
    here = (first < columns)[:, None]
    x = _load(x_ptr + at, here, EVEN)
    if HAS_NORM:
        squares += tl.sum(x * x, axis=1)
        x *= _load(norm_ptr + at, here, EVEN)
    return x, squares


@triton.jit
def _add(total, weight, x):
    """Add to sums [R, N] the products of a weight [R, C] with x [C], C / N neighbours to each."""
    product = weight.to(tl.float32) * x[None, :]
    shares: tl.constexpr = total.shape[1]
    return total + tl.sum(tl.reshape(product, (total.shape[0], shares, x.shape[0] // shares)), axis=2)


@triton.jit
def _add_8(total, codes, x0, x1, zero):
    """Add to sums [R, N] the products of codes in 8 bits, four words each, with 16 columns of x."""
    a, b, c, d = _fourths(codes, total.shape[0], total.shape[1])
    e0, e1, e2, e3, e4, e5, e6, e7 = _eighths(x0)
    f0, f1, f2, f3, f4, f5, f6, f7 = _eighths(x1)
    dot = _bytes(tl.zeros_like(total), a, e0, e1, e2, e3, zero)
    dot = _bytes(dot, b, e4, e5, e6, e7, zero)
    dot = _bytes(dot, c, f0, f1, f2, f3, zero)
    dot = _bytes(dot, d, f4, f5, f6, f7, zero)
    x = (e0 + e1 + e2 + e3) + (e4 + e5 + e6 + e7) + (f0 + f1 + f2 + f3) + (f4 + f5 + f6 + f7)
    return total + (dot - 384 * x[None, :])


@triton.jit
def _bytes(dot, word, x0, x1, x2, x3, zero):
    """Add to [R, N] the products of the 4 codes of a word, each with 384 on it, with columns [N]."""
    dot += _real(word << 15, 0x7F8000, 0x43C00000, zero) * x0[None, :]
    dot += _real(word << 7, 0x7F8000, 0x43C00000, zero) * x1[None, :]
    dot += _real(word >> 1, 0x7F8000, 0x43C00000, zero) * x2[None, :]
    dot += _real(word >> 9, 0x7F8000, 0x43C00000, zero) * x3[None, :]
    return dot


@triton.jit
def _add_4(total, codes, scale, least, x0, x1, x2, x3, zero):
    """Add to sums [R, N] the products of codes in 4 bits, four words each, with 32 columns of one group.

    Scale and least are [N, R].
    """
    a, b, c, d = _fourths(codes, total.shape[0], total.shape[1])
    dot = tl.zeros_like(total)
    dot, even0, odd0 = _nibbles(dot, a, x0, zero)
    dot, even1, odd1 = _nibbles(dot, b, x1, zero)
    dot, even2, odd2 = _nibbles(dot, c, x2, zero)
    dot, even3, odd3 = _nibbles(dot, d, x3, zero)
    even, odd = (even0 + even1) + (even2 + even3), (odd0 + odd1) + (odd2 + odd3)
    dot -= (256 * even + 16 * odd)[None, :]
    return total + tl.trans(scale) * dot + tl.trans(least) * (even + odd)[None, :]


@triton.jit
def _nibbles(dot, word, x, zero):
    """Add to [R, N] the products of the 8 codes of a word with x [N, 8]; return also x's even and odd sums.

    There is 256 on every even code, and 16 on every odd one.
    """
    x0, x1, x2, x3, x4, x5, x6, x7 = _eighths(x)
    dot = _pair(dot, word << 15, x0, x1, zero)
    dot = _pair(dot, word << 7, x2, x3, zero)
    dot = _pair(dot, word >> 1, x4, x5, zero)
    dot = _pair(dot, word >> 9, x6, x7, zero)
    return dot, (x0 + x2) + (x4 + x6), (x1 + x3) + (x5 + x7)


@triton.jit
def _pair(dot, word, x0, x1, zero):
    dot += _real(word, 0x78000, 0x43800000, zero) * x0[None, :]
    dot += _real(word, 0x780000, 0x41800000, zero) * x1[None, :]
    return dot


@triton.jit
def _real(word, FIELD: tl.constexpr, FLIP: tl.constexpr, zero):
    """Return some bits of a word as the number that they make in a real number's fraction.

    The exponent in FLIP gives the lowest of the bits the weight of 1, and puts a power of two on the code; a
    sign bit is flipped along. That takes one instruction, where a conversion would run at a quarter to an
    eighth of the speed of others; but only if one of the constants is in a register, so that it comes with a
    zero that the compiler can not work out.
    """
    return ((word & FIELD) ^ (zero + FLIP)).to(tl.float32, bitcast=True)


@triton.jit
def _fourths(words, ROWS: tl.constexpr, SHARES: tl.constexpr):
    """Return words [R, 4 * N] as four of [R, N], neighbours apart."""
    even, odd = tl.split(tl.reshape(words, (ROWS, SHARES, 2, 2)))
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def _eighths(x):
    """Return columns [N, 8] as eight of [N]."""
    even, odd = tl.split(tl.reshape(x, (x.shape[0], 2, 2, 2)))
    even_even, even_odd = tl.split(even)
    odd_even, odd_odd = tl.split(odd)
    x0, x4 = tl.split(even_even)
    x2, x6 = tl.split(even_odd)
    x1, x5 = tl.split(odd_even)
    x3, x7 = tl.split(odd_odd)
    return x0, x1, x2, x3, x4, x5, x6, x7
