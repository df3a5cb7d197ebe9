"""Keep the frozen base of an adapter in 8 or 4 bits, and multiply by it as if it were whole.

A weight is made whole for the time of each product, forward and on the way back; activations stay in its
type. 8 bits: a scale for each row, the largest magnitude of it being 127 (as LLM.int8 keeps weights; nothing
is done about outliers of activations, since these are not rounded). 4 bits: NormalFloat4 of QLoRA (arXiv
2305.14314), a scale for each 64 numbers in a row, byte for byte as bitsandbytes packs it; its kernel unpacks
where it is installed. Knows nothing about adapters beyond where their frozen weight is.
"""

from __future__ import annotations

import io
import logging
from contextlib import redirect_stderr
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple, cast

import torch
from moshi.models import LMModel
from moshi.modules.lora import LoRALinear
from torch import Tensor, nn
from torch.nn import functional

from app.errors import UserError

BLOCK = 64
"""So many numbers share a scale in 4 bits."""

SCALE_BITS = 32

_INT8_MAX = 127

_NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip
"""The 16 values of NormalFloat4, appendix E of the paper."""


def quantize_base(lm: LMModel, bits: int, device: torch.device | None = None) -> None:
    """Keep the frozen weight of each LoRALinear in 8 or 4 bits, in place, one after the other.

    They are packed on `device` and stay there, by default where they are; one at a time is whole there.
    16 bits change nothing. Raises UserError for other numbers of bits, and where a model has no adapter.
    """
    _check_bits(bits)
    if bits == 16:
        return
    adapted = [module for module in lm.modules() if isinstance(module, LoRALinear)]
    if not adapted:
        raise UserError(
            "Only the frozen base of an adapter can be kept in fewer bits.", 'Choose method = "lora".'
        )
    for module in adapted:
        if not isinstance(module.frozen_W, QuantizedLinear):
            weight = module.frozen_W.weight.detach()
            module.frozen_W = quantize_linear(weight.to(device or weight.device), bits)


def quantize_linear(weight: Tensor, bits: int) -> nn.Module:
    """Return a frozen linear layer without bias for a weight [out, in]; it stays on the weight's device.

    For 16 bits a plain nn.Linear with that very weight. Raises UserError for other numbers than 16, 8, 4.
    """
    _check_bits(bits)
    if bits == 16:
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
        linear.weight = nn.Parameter(weight, requires_grad=False)
        return linear
    return QuantizedLinear(weight, bits)


class _Packing(NamedTuple):
    """How a packed weight becomes whole."""

    bits: int
    rows: int
    dtype: torch.dtype
    kernel: bool
    """Whether a card may unpack with the kernel of bitsandbytes. Found out at the start, as a compiled layer
    can not look for it."""


class QuantizedLinear(nn.Module):
    """x W^T for a weight kept in 8 or 4 bits; has no parameters and nothing in its state_dict."""

    codes: Tensor
    """[out, in] int8, or [out x in / 2] uint8 of two numbers each."""
    scales: Tensor
    """[out, 1] float32, or [out x in / 64] float32."""

    def __init__(self, weight: Tensor, bits: int) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.bias = None
        kernel = bits == 4 and torch.cuda.is_available() and _bitsandbytes() is not None
        self.packing = _Packing(bits, self.out_features, weight.dtype, kernel)
        codes, scales = _pack_8(weight) if bits == 8 else _pack_4(weight)
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    def dequantize(self) -> Tensor:
        """Return the weight [out, in] in the type that it had."""
        return _unpack(self.codes, self.scales, self.packing)

    def forward(self, x: Tensor) -> Tensor:
        """Return x W^T for x [..., in]."""
        multiply = cast(Any, _Product.apply)
        return cast(Tensor, multiply(x, self.codes, self.scales, self.packing))

    def extra_repr(self) -> str:
        """Return the sizes, as nn.Linear does."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bits={self.packing.bits}"


class _Product(torch.autograd.Function):
    """x W^T, keeping W packed for the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, codes: Tensor, scales: Tensor, packing: _Packing) -> Tensor:
        ctx.save_for_backward(codes, scales)
        ctx.packing, ctx.dtype = packing, x.dtype
        return functional.linear(x.to(packing.dtype), _unpack(codes, scales, packing))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, None, None]:
        grad = None
        if ctx.needs_input_grad[0]:
            codes, scales = ctx.saved_tensors
            weight = _unpack(codes, scales, ctx.packing)
            grad = (grads[0].to(weight.dtype) @ weight).to(ctx.dtype)
        return grad, None, None, None


def _pack_8(weight: Tensor) -> tuple[Tensor, Tensor]:
    exact = weight.float()
    scales = exact.abs().amax(dim=1, keepdim=True) / _INT8_MAX
    return (exact / scales.clamp(min=torch.finfo(torch.float32).tiny)).round().to(torch.int8), scales


def _pack_4(weight: Tensor) -> tuple[Tensor, Tensor]:
    if weight.numel() % BLOCK:
        shape = " x ".join(str(size) for size in weight.shape)
        raise UserError(f"A weight of {shape} can not be kept in 4 bits.", "Choose base_bits = 8 or 16.")
    blocks = weight.float().view(-1, BLOCK)
    scales = blocks.abs().amax(dim=1)
    values = torch.tensor(_NF4, device=weight.device)
    # A number belongs to the value that is nearest to it.
    borders = (values[1:] + values[:-1]) / 2
    scaled = blocks / scales.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    codes = torch.bucketize(scaled, borders).to(torch.uint8).view(-1, 2)
    return codes[:, 0] << 4 | codes[:, 1], scales


def _unpack(codes: Tensor, scales: Tensor, packing: _Packing) -> Tensor:
    """Return the weight [rows, in] of packed codes."""
    bits, rows, dtype, kernel = packing
    if bits == 8:
        # In one kernel: multiplied in float32, rounded when it is written.
        return torch.mul(codes, scales, out=torch.empty(codes.shape, dtype=dtype, device=codes.device))
    shape = [rows, 2 * codes.numel() // rows]
    if codes.is_cuda and kernel:
        packed = codes.view(-1, 1)
        unpack = torch.ops.bitsandbytes.dequantize_4bit.default
        return cast(Tensor, unpack(packed, scales, BLOCK, "nf4", shape, dtype))
    values = torch.tensor(_NF4, device=codes.device)
    numbers = torch.stack([values[(codes >> 4).int()], values[(codes & 15).int()]], dim=-1)
    return (numbers.view(-1, BLOCK) * scales[:, None]).to(dtype).view(shape)


@cache
def _bitsandbytes() -> ModuleType | None:
    """Return bitsandbytes if it is installed; what it says about kernels for the CPU is left out."""
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        with redirect_stderr(io.StringIO()):
            import bitsandbytes
    except (ImportError, OSError, RuntimeError):
        return None
    return cast(ModuleType, bitsandbytes)


def _check_bits(bits: int) -> None:
    if bits not in (4, 8, 16):
        raise UserError(f"A base of {bits} bits is not known.", "Choose 16, 8 or 4.")
