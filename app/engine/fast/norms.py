"""RMSNorm of one vector as one Triton kernel, for what several products read.

Sums are kept in float32. `plain` is the reference.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from app.engine.fast.layers import Norm


def normalize(x: Tensor, norm: Norm) -> Tensor:
    """Return x [1, C] by its root mean square, times the norm's weight; worked out in float32."""
    y = torch.empty_like(x)
    columns = x.shape[-1]
    _normalize[(1,)](x, norm.weight, y, columns, norm.eps, BLOCK=triton.next_power_of_2(columns), num_warps=8)
    return y


@triton.jit
def _normalize(x_ptr, weight_ptr, y_ptr, columns, eps, BLOCK: tl.constexpr):
    column = tl.arange(0, BLOCK)
    here = column < columns
    x = tl.load(x_ptr + column, mask=here, other=0.0).to(tl.float32)
    weight = tl.load(weight_ptr + column, mask=here, other=0.0).to(tl.float32)
    size = tl.rsqrt(tl.sum(x * x, axis=0) / columns + eps)
    tl.store(y_ptr + column, x * size * weight, mask=here)
