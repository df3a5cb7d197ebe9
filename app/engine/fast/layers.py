"""One position of a transformer at a time: the layers of moshi's, their weights taken as they are.

Batch of one. What is the same in all layers (rotation, slot, how many slots are filled) is worked out once by
whoever calls. Knows nothing about tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from moshi.modules.gating import ActivationGating
from moshi.modules.rope import RotaryEmbedding
from moshi.modules.transformer import LayerScale, RMSNorm, StreamingTransformer, StreamingTransformerLayer
from torch import Tensor, nn

Norm = Callable[[Tensor], Tensor]
Activation = Callable[[Tensor], Tensor]


class Weights(NamedTuple):
    """What one layer multiplies with at one position. Linear weights are [out, in]."""

    qkv: Tensor
    out: Tensor
    gate_in: Tensor
    gate_out: Tensor


class Layer(NamedTuple):
    """A layer: the norms and scales of all positions, and the weights of each (one of all, if the same)."""

    norm1: Norm
    norm2: Norm
    scale1: Tensor | None
    scale2: Tensor | None
    activation: Activation
    heads: int
    weights: tuple[Weights, ...]


class Place(NamedTuple):
    """Where in time a step is."""

    slot: Tensor
    """[1] int64, the slot of the ring that keys and values go to."""
    filled: int
    """So many slots of the ring are looked at."""
    mask: Tensor | None
    """[filled] bool, which of them hold something; None for all."""
    rotation: Tensor | None
    """[D / 2] complex64, how queries and keys are turned; None without rotary embeddings."""
    interleaved: bool = True
    """Whether the two numbers that are turned together are neighbours, or half a head apart."""


def uncovered(transformer: StreamingTransformer) -> str:
    """Return what a transformer has that is not covered here, '' for nothing."""
    if transformer.positional_embedding not in ("none", "rope", "rope_concat"):
        return f"{transformer.positional_embedding} embeddings of positions"
    for layer in transformer.layers:
        if layer.skip_self_attn or layer.cross_attention is not None:
            return "cross attention"
        if not layer.self_attn.causal or layer.self_attn.kv_repeat != 1:
            return "attention that is shared or not causal"
        if not all(isinstance(gate, ActivationGating) for gate in _gates(layer)):
            return "layers without gates"
        linears = (module for module in layer.modules() if hasattr(module, "weight") and not _is_norm(module))
        if not all(type(module) is nn.Linear and module.bias is None for module in linears):
            return "linear layers of another kind"
    return ""


def take_layers(transformer: StreamingTransformer) -> list[Layer]:
    """Return the layers of a transformer that `uncovered` has nothing against; no weight is copied."""
    return [_take_layer(layer) for layer in transformer.layers]


def frequencies(rope: RotaryEmbedding | None, head_dim: int, device: torch.device) -> Tensor | None:
    """Return by how much each pair of a head is turned from one position to the next, [D / 2] float32."""
    if rope is None:
        return None
    pairs = torch.arange(head_dim // 2, device=device, dtype=torch.float32)
    return torch.exp(pairs * (-math.log(rope.max_period) * 2 / head_dim))


def rotation(turns: Tensor | None, position: Tensor) -> Tensor | None:
    """Return the rotation of a position, [1] int64, as complex numbers of length one."""
    if turns is None:
        return None
    angles = turns * position.float()
    return torch.complex(torch.cos(angles), torch.sin(angles))


def step(x: Tensor, layer: Layer, weights: Weights, ring: Tensor, place: Place) -> Tensor:
    """Return what a layer makes of one position [1, C]; keys and values go into its ring [2, H, S, D]."""
    qkv = F.linear(layer.norm1(x), weights.qkv).view(3, layer.heads, 1, -1)
    if place.rotation is not None:
        _rotate(qkv[:2], place.rotation, place.interleaved)
    ring.index_copy_(2, place.slot, qkv[1:])
    keys, values = ring[:, None, :, : place.filled]
    heard = F.scaled_dot_product_attention(qkv[0][None], keys, values, place.mask)
    x = _add(x, heard.view(1, -1), weights.out, layer.scale1)
    gate, up = F.linear(layer.norm2(x), weights.gate_in).chunk(2, dim=-1)
    return _add(x, layer.activation(gate) * up, weights.gate_out, layer.scale2)


def take_norm(norm: nn.Module) -> Norm:
    """Return a norm of moshi's as one call."""
    if not isinstance(norm, RMSNorm):
        return norm
    weight, eps = norm.alpha.view(-1), norm.eps
    if norm.dtype is None:
        return lambda x: F.rms_norm(x, weight.shape, weight, eps)
    return lambda x: F.rms_norm(x.float(), weight.shape, weight, eps).to(x.dtype)


def _add(x: Tensor, update: Tensor, weight: Tensor, scale: Tensor | None) -> Tensor:
    if scale is None:
        return torch.addmm(x, update, weight.t())
    return x + scale * F.linear(update, weight)


def _rotate(pairs: Tensor, rotation: Tensor, interleaved: bool) -> None:
    """Turn queries and keys [2, H, 1, D] in place, in float32."""
    if interleaved:
        split = pairs.float().view(*pairs.shape[:-1], -1, 2)
    else:
        split = pairs.float().view(*pairs.shape[:-1], 2, -1).transpose(-1, -2).contiguous()
    turned = torch.view_as_real(torch.view_as_complex(split) * rotation)
    if not interleaved:
        turned = turned.transpose(-1, -2)
    pairs.copy_(turned.flatten(-2))


def _take_layer(layer: StreamingTransformerLayer) -> Layer:
    attention = layer.self_attn
    gates = cast(list[ActivationGating], _gates(layer))
    weights = [
        Weights(qkv.weight, out.weight, gate.linear_in.weight, gate.linear_out.weight)
        for qkv, out, gate in zip(attention.in_projs, attention.out_projs, gates, strict=True)
    ]
    schedule = attention.weights_per_step_schedule
    return Layer(
        take_norm(layer.norm1),
        take_norm(layer.norm2),
        _scale(layer.layer_scale_1),
        _scale(layer.layer_scale_2),
        cast(Activation, gates[0].activation),
        attention.num_heads,
        tuple(weights if schedule is None else (weights[at] for at in schedule)),
    )


def _gates(layer: StreamingTransformerLayer) -> list[nn.Module | None]:
    return list(layer.gating) if isinstance(layer.gating, nn.ModuleList) else [layer.gating]


def _scale(scale: nn.Module) -> Tensor | None:
    return scale.scale if isinstance(scale, LayerScale) else None


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.LayerNorm | RMSNorm)
