"""Products with the linear layers of a model: one by one, or those of all depth steps at once.

An adapter is added onto the product of its frozen weight in place of making a second one. The layers of K
steps are multiplied side by side in one product; where their frozen weights lie together in memory that takes
no copy. Knows nothing about attention or what comes before and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from moshi.modules.lora import LoRALinear
from torch import Tensor, nn
from torch.nn import functional

from training.quantized import QuantizedLinear


def apply_linear(module: nn.Module, x: Tensor) -> Tensor:
    """Return x [..., dim] through a linear layer, with an adapter or without."""
    return apply_lora(module, x) if isinstance(module, LoRALinear) else cast(Tensor, module(x))


def apply_lora(lora: LoRALinear, x: Tensor) -> Tensor:
    """Return W x + scaling B A x for x [..., dim]: moshi's LoRALinear without a second tensor of its size."""
    rows = x.reshape(-1, lora.in_features)
    base = lora.frozen_W(rows)
    down = functional.linear(rows.to(base.dtype), lora.lora_A.weight.to(base.dtype))
    # Nobody needs the frozen product alone, so the other is added in place.
    summed = base.addmm_(down, lora.lora_B.weight.to(base.dtype).t(), alpha=lora.scaling)
    return cast(Tensor, summed.view(*x.shape[:-1], -1))


def multiply(modules: list[nn.Module], x: Tensor, together: Tensor | None) -> Tensor:
    """Return x [K, N, dim] through K linear layers, as one product where they are alike."""
    frozen = _bases(modules)
    if together is not None:
        base = torch.bmm(x.to(together.dtype), together.mT)
    elif not is_alike(frozen):
        return torch.stack([apply_linear(module, part) for module, part in zip(modules, x, strict=True)])
    elif any(weight.requires_grad for module in frozen for weight in module.parameters()):
        base = torch.bmm(x, torch.stack([cast(Tensor, module.weight) for module in frozen]).mT)
    else:
        base = cast(Tensor, cast(Any, _FrozenProduct.apply)(x, frozen))
    adapters = [module for module in modules if isinstance(module, LoRALinear)]
    if not adapters:
        return base
    down = torch.stack([adapter.lora_A.weight for adapter in adapters]).to(base.dtype)
    up = torch.stack([adapter.lora_B.weight for adapter in adapters]).to(base.dtype)
    return base.baddbmm_(torch.bmm(x.to(base.dtype), down.mT), up.mT, alpha=adapters[0].scaling)


def is_alike(modules: list[nn.Module]) -> bool:
    """Return whether layers have no bias and the same size, so that one product can stand for all."""
    sizes = {(module.in_features, module.out_features) for module in modules}
    # moshi's LoRALinear has False in place of None.
    return len(sizes) == 1 and not any(isinstance(module.bias, Tensor) for module in modules)


class _FrozenProduct(torch.autograd.Function):
    """x [K, N, dim] through the frozen weights of K layers; keeps nothing for the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, modules: list[nn.Module]) -> Tensor:
        ctx.modules, ctx.dtype = modules, x.dtype
        weights = _frozen_weights(modules)
        return torch.bmm(x.to(weights.dtype), weights.mT)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None
        weights = _frozen_weights(ctx.modules)
        return torch.bmm(grads[0].to(weights.dtype), weights).to(ctx.dtype), None


def _frozen_weights(modules: list[nn.Module]) -> Tensor:
    """Return a copy of the weights of K layers, [K, out, in]."""
    return torch.stack(
        [
            module.dequantize()
            if isinstance(module, QuantizedLinear)
            else cast(Tensor, module.weight).detach()
            for module in modules
        ]
    )


def together_in_memory(modules: list[nn.Module]) -> Tensor | None:
    """Return the frozen weights of K layers, [K, out, in], without a copy; None where they lie apart."""
    frozen = _bases(modules)
    weights = [module.weight for module in frozen if type(module) is nn.Linear]
    if len(weights) < len(frozen) or not is_alike(frozen) or any(weight.requires_grad for weight in weights):
        return None
    first = weights[0]
    size, start = first.numel(), first.data_ptr()
    end = (first.storage_offset() + size * len(frozen)) * first.itemsize
    if not first.is_contiguous() or first.untyped_storage().nbytes() < end:
        return None
    if any(weight.data_ptr() != start + at * size * first.itemsize for at, weight in enumerate(weights)):
        return None
    return first.detach().as_strided((len(weights), *first.shape), (size, *first.stride()))


def _bases(modules: Iterable[nn.Module]) -> list[nn.Module]:
    return [module.frozen_W if isinstance(module, LoRALinear) else module for module in modules]


def lay_side_by_side(modules: Iterable[nn.Module]) -> None:
    """Move the frozen weights of some layers together in memory; they stay tensors of their own."""
    frozen = _bases(modules)
    weights = [module.weight for module in frozen if type(module) is nn.Linear]
    if len(weights) < len(frozen) or not is_alike(frozen) or len(weights) == 1:
        return
    if any(weight.requires_grad or weight.is_meta for weight in weights):
        return
    if together_in_memory(frozen) is None:
        for weight, row in zip(weights, torch.stack([weight.data for weight in weights]), strict=True):
            weight.data = row
