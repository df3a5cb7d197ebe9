"""The sum of one row of each of several tables of embeddings, as one Triton kernel.

All rows are asked for at once, since each takes as long as memory takes to answer. Sums are kept in float32.
`plain` is the reference.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from app.engine.fast.tables import Joined, Table

COLUMNS = 128
"""So many columns are a program's."""

INTERPRETED_COLUMNS = 1 << 16
"""The same in Triton's interpreter, where it is the number of programs that takes time."""


def embed(tokens: Tensor, first: Table, others: Joined) -> Tensor:
    """Return the sum [1, C] of the rows of tokens [1 + n], the first one's in a table of its own."""
    width, count = first.rows.shape[1], len(others.starts)
    kept = first.rows.dtype if first.scale is None else first.scale.dtype
    x = torch.empty(1, width, dtype=kept, device=tokens.device)
    block = INTERPRETED_COLUMNS if tokens.device.type == "cpu" else COLUMNS
    block = min(block, triton.next_power_of_2(width))
    # What is not there is never looked at; Triton wants some pointer in its place.
    none = x
    _embed[(triton.cdiv(width, block),)](
        tokens,
        first.rows,
        none if first.scale is None else first.scale,
        others.table.rows,
        none if others.table.scale is None else others.table.scale,
        others.starts,
        x,
        width,
        count,
        FIRST_PACKED=first.scale is not None,
        PACKED=others.table.scale is not None,
        COUNT=triton.next_power_of_2(count),
        COLUMNS=block,
        num_warps=4,
    )
    return x


@triton.jit
def _embed(
    tokens_ptr, first_ptr, first_scale_ptr, rows_ptr, scale_ptr, starts_ptr, x_ptr, width, count,
    FIRST_PACKED: tl.constexpr, PACKED: tl.constexpr, COUNT: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    here = column < width
    first = tl.load(tokens_ptr)
    x = tl.load(first_ptr + first * width + column, mask=here, other=0).to(tl.float32)
    if FIRST_PACKED:
        x *= tl.load(first_scale_ptr + first).to(tl.float32)
    each = tl.arange(0, COUNT)
    there = each < count
    row = tl.load(starts_ptr + each, mask=there, other=0)
    row += tl.load(tokens_ptr + 1 + each, mask=there, other=0)
    both = there[:, None] & here[None, :]
    rows = tl.load(rows_ptr + row[:, None] * width + column[None, :], mask=both, other=0).to(tl.float32)
    if PACKED:
        rows *= tl.load(scale_ptr + row, mask=there, other=0.0).to(tl.float32)[:, None]
    tl.store(x_ptr + column, x + tl.sum(rows, axis=0), mask=here)
