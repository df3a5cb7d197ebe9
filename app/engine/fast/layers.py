"""One position of a transformer at a time: the layers of moshi's, their weights taken as they are.

Batch of one. What is the same in all layers (rotation, slot, how many slots are filled) is worked out once by
whoever calls; the arithmetic itself is an `Ops`. Knows nothing about tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

import torch
from moshi.modules.gating import ActivationGating
from moshi.modules.rope import RotaryEmbedding
from moshi.modules.transformer import LayerScale, RMSNorm, StreamingTransformer, StreamingTransformerLayer
from torch import Tensor, nn

from app.engine.fast.quantized import QuantizedLinear
from app.engine.fast.streams import Streams
from app.engine.fast.tables import Joined, Row, Table
from app.engine.penalty import Recent

Activation = Callable[[Tensor], Tensor]


class Norm(NamedTuple):
    """RMSNorm or LayerNorm over the channels."""

    weight: Tensor
    bias: Tensor | None
    eps: float
    mean_free: bool
    """Whether the mean is taken off first, as LayerNorm does."""
    exact: bool
    """Whether it is worked out in float32, whatever comes in."""


class Weights(NamedTuple):
    """What one layer multiplies with at one position."""

    qkv: nn.Module
    out: nn.Module
    gate_in: nn.Module
    gate_out: nn.Module


class Layer(NamedTuple):
    """A layer: the norms and scales of all positions, and the weights of each (one of all, if the same)."""

    norm1: Norm | None
    norm2: Norm | None
    scale1: Tensor | None
    scale2: Tensor | None
    activation: Activation
    weights: tuple[Weights, ...]


class Place(NamedTuple):
    """Where in time a step is."""

    position: Tensor
    """[1] int64, steps since the beginning."""
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


class Ring(NamedTuple):
    """The keys and the values of one layer, the latest in the place of the oldest."""

    numbers: Tensor
    """[2, H, S, D], of the type of activations or int8."""
    scale: Tensor | None = None
    """[2, H, S] float32, what int8 is multiplied by."""


class Ops(Protocol):
    """The arithmetic of a frame, for one position: x is [1, C]."""

    def hear(self, streams: Streams, heard: Tensor) -> Tensor:
        """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""

    def say(self, streams: Streams, said: Tensor) -> Tensor:
        """Take in what the first streams say, [n], and go on a frame; return what is to be said, [n, 1]."""

    def embed(self, tokens: Tensor, first: Table, others: Joined) -> Tensor:
        """Return the sum [1, C] of the rows of tokens [1 + n], the first one's in a table of its own."""

    def normalize(self, x: Tensor, norm: Norm | None) -> Tensor:
        """Return x normalised, or as it is."""

    def project(self, x: Tensor, linear: nn.Module, norm: Norm | None = None) -> Tensor:
        """Return the linear map of x, normalised first if so told, [1, out]."""

    def gate(self, x: Tensor, linear: nn.Module, norm: Norm | None, activation: Activation) -> Tensor:
        """Return activation(a) * b for the halves a and b of the map of x, [1, out / 2]."""

    def add(self, to: Tensor | Row, x: Tensor, linear: nn.Module, scale: Tensor | None = None) -> Tensor:
        """Return `to`, [1, out] or a row of a table, + scale * the linear map of x."""

    def attend(self, qkv: Tensor, ring: Ring, place: Place) -> Tensor:
        """Return what is heard [1, H * D] of a ring, which takes in this position first.

        `qkv` [1, 3 * H * D] may be overwritten.
        """

    def penalize(self, logits: Tensor, recent: Recent) -> None:
        """Lower the logits [1, N] of recent tokens in place."""

    def draw(self, logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
        """Return a token [1] int64 of the likeliest `top_k` [1] for logits [1, N] and exponential noise [N].

        Of equal ones the first count as likelier.
        """


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
        if not all(is_linear(module) and cast(nn.Linear, module).bias is None for module in linears):
            return "linear layers of another kind"
    return ""


def is_linear(module: nn.Module) -> bool:
    """Return whether this is a linear layer as an Ops takes it."""
    return type(module) is nn.Linear or isinstance(module, QuantizedLinear)


class Stack:
    """The layers of a transformer that `uncovered` has nothing against, and the ring of each; one talk."""

    def __init__(
        self,
        transformer: StreamingTransformer,
        slots: int,
        like: Tensor,
        ops: Ops,
        *,
        packed_kv: bool = False,
    ) -> None:
        """Make rings of so many slots, of the type and on the device of `like`, or in 8 bits."""
        self._ops = ops
        self._layers = [_take_layer(layer) for layer in transformer.layers]
        attention = transformer.layers[0].self_attn
        shape = (2, attention.num_heads, slots, attention.embed_dim // attention.num_heads)
        self._rings = [_ring(shape, like, packed_kv) for _ in self._layers]

    @property
    def rings(self) -> tuple[Ring, ...]:
        """Return the keys and values of each layer."""
        return tuple(self._rings)

    @property
    def ring_bytes(self) -> int:
        """Return what keys and values take."""
        return sum(part.nbytes for ring in self._rings for part in ring if part is not None)

    def step(self, x: Tensor, at: int, place: Place) -> Tensor:
        """Return what the layers make of one position [1, C], with the weights of the step `at`."""
        ops = self._ops
        for layer, ring in zip(self._layers, self._rings, strict=True):
            weights = layer.weights[at if len(layer.weights) > 1 else 0]
            heard = ops.attend(ops.project(x, weights.qkv, layer.norm1), ring, place)
            x = ops.add(x, heard, weights.out, layer.scale1)
            gated = ops.gate(x, weights.gate_in, layer.norm2, layer.activation)
            x = ops.add(x, gated, weights.gate_out, layer.scale2)
        return x


def _ring(shape: tuple[int, ...], like: Tensor, packed: bool) -> Ring:
    if not packed:
        return Ring(like.new_zeros(shape))
    return Ring(like.new_zeros(shape, dtype=torch.int8), like.new_zeros(shape[:3], dtype=torch.float32))


def take_norm(norm: nn.Module) -> Norm | None:
    """Return a norm of moshi's, None where nothing is normalised."""
    if isinstance(norm, nn.Identity):
        return None
    if isinstance(norm, RMSNorm):
        return Norm(norm.alpha.detach().view(-1), None, norm.eps, False, norm.dtype is not None)
    assert isinstance(norm, nn.LayerNorm), "moshi has no others"
    return Norm(norm.weight.detach(), norm.bias.detach(), norm.eps, True, False)


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
    # As float32, which is exact for 2^24 steps: more than two weeks.
    angles = turns * position
    return torch.complex(torch.cos(angles), torch.sin(angles))


def _take_layer(layer: StreamingTransformerLayer) -> Layer:
    attention = layer.self_attn
    gates = cast(list[ActivationGating], _gates(layer))
    weights = [
        Weights(qkv, out, gate.linear_in, gate.linear_out)
        for qkv, out, gate in zip(attention.in_projs, attention.out_projs, gates, strict=True)
    ]
    schedule = attention.weights_per_step_schedule
    return Layer(
        take_norm(layer.norm1),
        take_norm(layer.norm2),
        _scale(layer.layer_scale_1),
        _scale(layer.layer_scale_2),
        cast(Activation, gates[0].activation),
        tuple(weights if schedule is None else (weights[at] for at in schedule)),
    )


def _gates(layer: StreamingTransformerLayer) -> list[nn.Module | None]:
    return list(layer.gating) if isinstance(layer.gating, nn.ModuleList) else [layer.gating]


def _scale(scale: nn.Module) -> Tensor | None:
    return scale.scale.detach() if isinstance(scale, LayerScale) else None


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.LayerNorm | RMSNorm)
