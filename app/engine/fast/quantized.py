"""Layers whose weights are kept in 8 or 4 bits, with the names and the layout that their file has.

8 bits: a row of the weight is its codes times one scale, the largest magnitude of the row being 127. 4 bits:
each 64 numbers of a row are `code * scale + least`, scale and least searched for the smallest squared error;
two codes share a byte, the earlier in its low half. What is multiplied by them is not rounded. A table of
embeddings is kept in 8 bits, a scale for each row. Knows nothing about where in a model a layer is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from moshi.models.lm_utils import ScaledEmbedding
from torch import Tensor, nn

GROUP = 64
"""So many numbers of a row share a scale in 4 bits."""

SHRINKS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Shares of a group's range that the search tries: a few clipped numbers cost less than coarse steps."""

SCALE, LEAST = "weight_scale", "weight_least"
"""What the tensors beside `weight` are called in a file, after the name of the layer."""

ROW_SCALE = "row_scale"
"""The same for a table of embeddings; unlike the others, it is of the type of activations."""

_MOST = {8: 127, 4: 15}
_NUMBERS_AT_ONCE = 2**21
"""So many are packed at a time: the search holds a dozen copies of them in float32, 0.1 GB."""


class Packed(NamedTuple):
    """A weight [out, in] in few bits."""

    weight: Tensor
    """[out, in] int8, or [out, in / 2] uint8."""
    scale: Tensor
    """[out] float32, or [out, in / GROUP] bfloat16."""
    least: Tensor | None
    """[out, in / GROUP] bfloat16; None in 8 bits."""


class QuantizedLinear(nn.Module):
    """A linear layer for inference with a packed weight. Its state_dict is what a file holds."""

    weight: Tensor
    weight_scale: Tensor
    weight_least: Tensor | None
    bias: Tensor | None

    def __init__(self, packed: Packed, bias: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", packed.weight)
        self.register_buffer(SCALE, packed.scale)
        self.register_buffer(LEAST, packed.least)
        self.register_buffer("bias", bias)

    @property
    def bits(self) -> int:
        """Return 8 or 4."""
        return 8 if self.weight_least is None else 4

    @property
    def out_features(self) -> int:
        """Return the number of rows."""
        return self.weight.shape[0]

    @property
    def in_features(self) -> int:
        """Return the number of columns."""
        return self.weight.shape[1] * (1 if self.bits == 8 else 2)

    def dequantize(self) -> Tensor:
        """Return the weight [out, in] in float32."""
        return unpack(Packed(self.weight, self.weight_scale, self.weight_least))

    def forward(self, x: Tensor) -> Tensor:
        """Return x W^T + bias for x [..., in], in the type of x."""
        if self.bits == 8 and not x.is_cuda:
            # torch's own product of 8-bit weights, which takes rows.
            rows = torch._weight_int8pack_mm(
                x.view(-1, x.shape[-1]), self.weight, self.weight_scale.to(x.dtype)
            )
            product = rows.view(*x.shape[:-1], -1)
            return product if self.bias is None else product + self.bias
        return F.linear(x, self.dequantize().to(x.dtype), self.bias)

    def extra_repr(self) -> str:
        """Return the sizes, as nn.Linear does."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bits={self.bits}"


class QuantizedEmbedding(nn.Module):
    """A table of embeddings for inference, in 8 bits. Its state_dict is what a file holds."""

    weight: Tensor
    """[N, C] int8."""

    def __init__(self, weight: Tensor, row_scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        # A parameter, since moshi asks the parameters of a model for its type.
        self.row_scale = nn.Parameter(row_scale, requires_grad=False)

    @property
    def embedding_dim(self) -> int:
        """Return the width of a row."""
        return self.weight.shape[1]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return rows [..., C] for tokens of any shape; of -1, which stands for nothing, zeros."""
        known = tokens.clamp(min=0)
        scale = torch.where(tokens < 0, 0, self.row_scale[known])
        return self.weight[known].to(scale.dtype) * scale[..., None]


def is_plain(embedding: ScaledEmbedding) -> bool:
    """Return whether an embedding is a table and nothing else."""
    return embedding.norm is None and embedding.low_rank is None and not embedding.demux_second_stream


def outline_table(embedding: ScaledEmbedding) -> QuantizedEmbedding:
    """Return what a table would be in 8 bits, without memory for it."""
    shape = embedding.weight.shape
    with torch.device("meta"):
        rows = torch.empty(shape, dtype=torch.int8)
        return QuantizedEmbedding(rows, torch.empty(shape[0], dtype=embedding.weight.dtype))


def pack_table(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return a table [N, C] in 8 bits, and the scales [N] of its rows in its type."""
    rows, scale = _by_rows(_pack_table, weight)
    assert rows is not None and scale is not None, "a table has both"
    return rows, scale


def outline(linear: nn.Linear, bits: int) -> QuantizedLinear:
    """Return what a linear layer would be in so many bits, without memory for its weight."""
    rows, columns = linear.weight.shape
    with torch.device("meta"):
        if bits == 8:
            packed = Packed(torch.empty(rows, columns, dtype=torch.int8), torch.empty(rows), None)
        else:
            scale, least = torch.empty(2, rows, columns // GROUP, dtype=torch.bfloat16)
            packed = Packed(torch.empty(rows, columns // 2, dtype=torch.uint8), scale, least)
    return QuantizedLinear(packed, linear.bias)


def fits(linear: nn.Linear, bits: int) -> bool:
    """Return whether the shape of a layer can be kept in so many bits."""
    return bits == 8 or linear.in_features % GROUP == 0


def pack(weight: Tensor, bits: int) -> Packed:
    """Return a weight [out, in] of any real type in 8 or 4 bits, on its device."""
    rows, scale, least = _by_rows(_pack_8 if bits == 8 else _pack_4, weight)
    assert rows is not None and scale is not None, "a weight has both"
    return Packed(rows, scale, least)


def _by_rows(
    pack_rows: Callable[[Tensor], Sequence[Tensor | None]], weight: Tensor
) -> Sequence[Tensor | None]:
    """Return what `pack_rows` makes of a weight, a few rows at a time, so that it needs little room."""
    count = max(1, _NUMBERS_AT_ONCE // max(1, weight.shape[1]))
    if len(weight) <= count:
        return pack_rows(weight)
    whole: list[Tensor | None] = []
    for at in range(0, len(weight), count):
        parts = pack_rows(weight[at : at + count])
        whole = whole or [part if part is None else _like(part, len(weight)) for part in parts]
        for goal, part in zip(whole, parts, strict=True):
            if goal is not None and part is not None:
                goal[at : at + count] = part
    return whole


def _like(part: Tensor, rows: int) -> Tensor:
    return part.new_empty((rows, *part.shape[1:]))


def unpack(packed: Packed) -> Tensor:
    """Return the weight [out, in] in float32."""
    if packed.least is None:
        return packed.weight.float() * packed.scale[:, None]
    codes = torch.stack((packed.weight & 15, packed.weight >> 4), dim=-1)
    groups = codes.view(*packed.scale.shape, GROUP)
    whole = torch.addcmul(packed.least.float()[..., None], groups.float(), packed.scale.float()[..., None])
    return whole.flatten(1)


def _pack_table(weight: Tensor) -> tuple[Tensor, Tensor]:
    exact = weight.float()
    scale = (exact.abs().amax(dim=1) / _MOST[8]).to(weight.dtype)
    codes = (exact / _no_zeros(scale.float())[:, None]).round().clamp(-_MOST[8], _MOST[8])
    return codes.to(torch.int8), scale


def _pack_8(weight: Tensor) -> Packed:
    exact = weight.float()
    scale = exact.abs().amax(dim=1) / _MOST[8]
    codes = (exact / _no_zeros(scale)[:, None]).round().to(torch.int8)
    return Packed(codes, scale, None)


def _pack_4(weight: Tensor) -> Packed:
    groups = weight.float().view(weight.shape[0], -1, GROUP)
    low, high = groups.amin(dim=-1), groups.amax(dim=-1)
    least = torch.full_like(low, torch.inf)
    best = Packed(torch.zeros_like(groups), low, low)
    for share in SHRINKS:
        scale, start = (high - low) * share / _MOST[4], low * share + (high + low) * (1 - share) / 2
        for _ in range(2):
            codes, error, scale, start = _fit(groups, scale, start)
            better = error < least
            least = torch.where(better, error, least)
            assert best.least is not None, "of 4 bits"
            best = Packed(
                torch.where(better[..., None], codes, best.weight),
                torch.where(better, scale, best.scale),
                torch.where(better, start, best.least),
            )
            scale, start = _refit(groups, codes, scale, start)
    codes = best.weight.to(torch.uint8).flatten(1)
    assert best.least is not None, "of 4 bits"
    return Packed(codes[:, ::2] | codes[:, 1::2] << 4, best.scale.bfloat16(), best.least.bfloat16())


def _fit(groups: Tensor, scale: Tensor, start: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the best codes for a scale and a start as a file can hold them, with the squared error."""
    scale, start = scale.bfloat16().float(), start.bfloat16().float()
    codes = ((groups - start[..., None]) / _no_zeros(scale)[..., None]).round().clamp(0, _MOST[4])
    error = (torch.addcmul(start[..., None], codes, scale[..., None]) - groups).square().sum(dim=-1)
    return codes, error, scale, start


def _refit(groups: Tensor, codes: Tensor, scale: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Return scale and start of least squares for given codes."""
    code_mean, mean = codes.mean(dim=-1), groups.mean(dim=-1)
    off = codes - code_mean[..., None]
    spread = off.square().sum(dim=-1)
    slope = (off * groups).sum(dim=-1) / _no_zeros(spread)
    scale = torch.where(spread > 0, slope, scale)
    return scale, torch.where(spread > 0, mean - scale * code_mean, start)


def _no_zeros(divisor: Tensor) -> Tensor:
    return divisor.clamp(min=torch.finfo(torch.float32).tiny)
