"""Tables of embeddings, taken from a model as they are: rows of real numbers, or of 8 bits with a scale each.

Plain torch, which the kernels are held against. Knows nothing about what the tokens stand for.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from moshi.models.lm_utils import ScaledEmbedding
from torch import Tensor, nn

from app.engine.fast.quantized import QuantizedEmbedding, is_plain


class Table(NamedTuple):
    """Rows of embeddings."""

    rows: Tensor
    """[N, C], real numbers or int8."""
    scale: Tensor | None
    """[N], what a row of int8 is multiplied by."""


class Joined(NamedTuple):
    """Tables of one width below each other."""

    table: Table
    starts: Tensor
    """[n] int64, the row that each begins at."""


class Row(NamedTuple):
    """One row of a table, of a token that stands on the device."""

    table: Table
    token: Tensor
    """[1] int64."""


def is_table(embedding: nn.Module) -> bool:
    """Return whether an embedding can be taken."""
    if isinstance(embedding, ScaledEmbedding):
        return embedding.low_rank is not None or is_plain(embedding)
    return isinstance(embedding, QuantizedEmbedding)


def look_up(table: Table, tokens: Tensor) -> Tensor:
    """Return the rows [n, C] of tokens [n]."""
    rows = F.embedding(tokens, table.rows)
    if table.scale is None:
        return rows
    return rows.to(table.scale.dtype) * table.scale[tokens][:, None]


def take(embedding: nn.Module) -> Table:
    """Return the rows of an embedding, a low rank multiplied out."""
    weight = cast(Tensor, embedding.weight).detach()
    if isinstance(embedding, QuantizedEmbedding):
        return Table(weight, embedding.row_scale.detach())
    low_rank = cast(ScaledEmbedding, embedding).low_rank
    return Table(weight if low_rank is None else F.linear(weight, low_rank.weight.detach()), None)


def join(embeddings: list[nn.Module]) -> Joined:
    """Return the rows of embeddings of one kind and height; those of the model become parts of the whole."""
    tables = [take(each) for each in embeddings]
    scales = [table.scale for table in tables if table.scale is not None]
    joined = Table(torch.cat([table.rows for table in tables]), torch.cat(scales) if scales else None)
    rows = len(tables[0].rows)
    for at, each in enumerate(embeddings):
        part = joined.rows[at * rows : (at + 1) * rows]
        if isinstance(each, QuantizedEmbedding):
            each.weight = part
        elif cast(ScaledEmbedding, each).low_rank is None:
            cast(ScaledEmbedding, each).weight.data = part
    return Joined(joined, torch.arange(0, rows * len(tables), rows, device=joined.rows.device))
