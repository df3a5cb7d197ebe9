"""Make moshi's language model fast to train in place, with the numbers that it had before.

What changes, for a model that is not streaming: attention is causal by itself in place of by a mask of T x T;
the steps of the depth transformer, each with weights of its own, are computed side by side in one product in
place of one after the other; an adapter is added onto the product of the frozen weight in place of making a
second one; the layers of the temporal transformer are checkpointed, and compiled on a graphics card. While it
is streaming, moshi's own code runs, so that the same model can speak between two steps of training. Names and
values of weights stay as they are. Knows nothing about losses, data or optimisers.

The depth transformer of the 7B with an adapter, forward, counted on the meta device: 410 operations that
compute in place of 1 480, whatever the number of frames.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from inspect import unwrap
from types import MethodType
from typing import Any, cast

import torch
from moshi.models import LMModel
from moshi.modules.lora import LoRALinear
from moshi.modules.rope import apply_rope
from moshi.modules.streaming import StreamingModule
from moshi.modules.transformer import (
    RingKVCache,
    RMSNorm,
    StreamingMultiheadAttention,
    StreamingTransformerLayer,
    expand_repeated_kv,
)
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.nn import functional

from app.engine.device import choose_device, compile_trouble
from training.products import (
    apply_linear,
    apply_lora,
    is_alike,
    lay_side_by_side,
    multiply,
    together_in_memory,
)

log = logging.getLogger(__name__)


class TemporalLayer(StreamingTransformerLayer):  # type: ignore[misc]  # moshi has no types
    """What the layers of the temporal transformer are once they are prepared: a name for FSDP2 to share out.

    Those of the depth transformer have to stay with the root of a model: their chunks are computed again on
    the way back one by one, between which FSDP2 would take the weights away.
    """


Compute = Callable[..., Tensor]
"""Computes what a layer makes of x [B, T, dim]: `_compute_layer`, or the same compiled."""

Together = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]
"""The frozen weights of all steps, [K, out, in], for a layer's four products; None where they lie apart."""

_APART: Together = (None, None, None, None)

# moshi compiles these two when they are first called, which neither a compiled layer nor a CPU can use.
_rotate = cast(Callable[..., tuple[Tensor, Tensor]], unwrap(apply_rope))


def prepare_for_training(lm: LMModel, *, checkpointing: bool, compile: bool, kept_layers: int = 0) -> None:
    """Make a model fast to train, in place; its outputs and gradients stay equal up to rounding.

    To be called when the model is on its device, with its adapter, and knows which weights are frozen.
    `checkpointing` computes each temporal layer once more on the way back in place of keeping its
    activations, except the first `kept_layers`; the depth transformer is left to the chunks of
    `training.loss`. `compile` is heeded on a graphics card where torch.compile works.
    """
    compiles = compile and _can_compile(lm.device)
    compute, compute_steps = _compiled() if compiles else (_compute_layer, _compute_layer)
    lm.transformer.checkpointing = lm.depformer.checkpointing = False
    for index, layer in enumerate(lm.transformer.layers):
        layer.__class__ = TemporalLayer
        layer.forward = partial(_forward_layer, layer, compute, checkpointing and index >= kept_layers)
    for layer in lm.depformer.layers:
        layer.forward = partial(_forward_steps, layer, compute_steps)
        for modules in _steps_of(layer):
            lay_side_by_side(modules)
    lay_side_by_side(lm.depformer_in)
    lay_side_by_side(lm.linears)
    lm.forward_depformer_training = MethodType(_forward_depth, lm)
    _allow_sharding(lm)
    for module in lm.modules():
        if isinstance(module, LoRALinear):
            module.forward = MethodType(apply_lora, module)
        elif isinstance(module, RMSNorm):
            module.forward = MethodType(_normalize, module)
        elif isinstance(module, StreamingMultiheadAttention):
            module._init_streaming_state = MethodType(_begin_streaming, module)


def _begin_streaming(attention: StreamingMultiheadAttention, batch_size: int) -> Any:
    """Return moshi's state of an attention, whose cache takes keys and values in the type that they have.

    moshi believes that this is the type of the weights, which are float32 where they learn.
    """
    state = StreamingMultiheadAttention._init_streaming_state(attention, batch_size)
    if (kept := state.kv_cache) is not None:
        kept.complete = MethodType(_complete, kept)
    return state


def _complete(kept: RingKVCache, k: Tensor, v: Tensor, exec_mask: Tensor) -> Any:
    kept.cache = kept.cache.to(k.dtype)
    return RingKVCache.complete(kept, k, v, exec_mask)


def _allow_sharding(lm: LMModel) -> None:
    """Let FSDP2 take moshi's streaming modules.

    It gives a module a class made of its own and of FSDPModule, in an order that Python refuses for these:
    their first base is an abstract class, which has another layout. The other order is accepted.
    """
    try:
        from torch.distributed.fsdp._fully_shard import _fully_shard as sharding

        known: dict[type, type] = sharding.cls_to_fsdp_cls
    except (ImportError, AttributeError):
        # Inner parts of torch may move; that matters to those alone who share a model out.
        log.warning("This torch keeps the classes of FSDP2 elsewhere; models can not be shared out with it.")
        return
    for kind in {type(module) for module in lm.modules() if isinstance(module, StreamingModule)}:
        if not issubclass(kind, FSDPModule) and kind not in known:
            # None stands for `copy.deepcopy` refusing, as torch has it.
            known[kind] = type(f"FSDP{kind.__name__}", (kind, FSDPModule), {"__deepcopy__": None})


def _can_compile(device: torch.device) -> bool:
    # A process whose weights come from another one has them on the meta device until then.
    if device.type == "cpu" or not torch.cuda.is_available():
        return False
    if (trouble := compile_trouble(choose_device())) is not None:
        log.warning("The layers are not compiled, so that training takes longer. %s", trouble[1])
    return trouble is None


@cache
def _compiled() -> tuple[Compute, Compute]:
    """Return the computation of a temporal and a depth layer, compiled: one graph for all of a kind.

    The first length of a batch is compiled as such, another one makes the length a variable.
    """
    return torch.compile(_compute_layer), torch.compile(_compute_steps)


def _forward_layer(
    layer: StreamingTransformerLayer,
    compute: Compute,
    checkpointing: bool,
    x: Tensor,
    cross_attention_src: Tensor | None = None,
) -> Tensor:
    """Return what a layer makes of x [B, T, dim]; `StreamingTransformerLayer.forward` in few kernels."""
    if layer.is_streaming or cross_attention_src is not None or layer.skip_self_attn:
        return cast(Tensor, StreamingTransformerLayer.forward(layer, x, cross_attention_src))
    if not torch.is_grad_enabled():
        # A graph of its own for the few batches of an evaluation takes longer than it saves.
        return _compute_layer(layer, x)
    if not checkpointing:
        return compute(layer, x)
    return cast(Tensor, _checkpoint(compute, layer, x))


def _checkpoint(compute: Compute, *args: Any) -> Any:
    from torch.utils.checkpoint import checkpoint

    # Nothing in a layer draws random numbers, so their state need not be kept.
    return checkpoint(compute, *args, use_reentrant=False, preserve_rng_state=False)


def _forward_steps(
    layer: StreamingTransformerLayer, compute: Compute, x: Tensor, cross_attention_src: Tensor | None = None
) -> Tensor:
    """Return what a layer of the depth transformer makes of x [N, K, dim]."""
    if layer.is_streaming or cross_attention_src is not None or layer.skip_self_attn:
        return cast(Tensor, StreamingTransformerLayer.forward(layer, x, cross_attention_src))
    together = cast(Together, tuple(together_in_memory(list(modules)) for modules in _steps_of(layer)))
    if len(together) < len(_APART) or None in together or not torch.is_grad_enabled():
        return _compute_layer(layer, x)
    return compute(layer, x, together)


def _compute_steps(layer: StreamingTransformerLayer, x: Tensor, together: Together) -> Tensor:
    """Do what `_compute_layer` does, under a name of its own: torch counts the graphs of each function."""
    return _compute_layer(layer, x, together)


def _compute_layer(layer: StreamingTransformerLayer, x: Tensor, together: Together = _APART) -> Tensor:
    update = _attend(layer.self_attn, _normalized(layer.norm1, x), together)
    x = x.to(update) + layer.layer_scale_1(update)
    update = _feed_forward(layer, _normalized(layer.norm2, x), together)
    return cast(Tensor, x.to(update) + layer.layer_scale_2(update))


def _attend(attention: StreamingMultiheadAttention, x: Tensor, together: Together) -> Tensor:
    """Return the self-attention of x [B, T, dim], looking back on `context` positions."""
    length, width, heads = x.shape[1], attention.embed_dim, attention.num_heads
    schedule = attention.weights_per_step_schedule
    projected = _project(attention.in_projs, schedule, x, together[0])
    part = width // attention.kv_repeat
    q, k, v = (
        each.view(*each.shape[:2], -1, width // heads).transpose(1, 2)
        for each in torch.split(projected, [width, part, part], dim=-1)
    )
    if (rope := attention.rope) is not None:
        offset = torch.zeros(len(x), device=x.device, dtype=torch.long)
        q, k = _rotate(q, k, offset, rope.max_period, rope.interleave, False)
    if attention.kv_repeat > 1:
        k, v = expand_repeated_kv(k, attention.kv_repeat), expand_repeated_kv(v, attention.kv_repeat)
    if attention.causal and attention.context is not None and length > attention.context:
        mask = _window(length, attention.context, x.device)
        attended = functional.scaled_dot_product_attention(q, k, v, mask)
    else:
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=attention.causal)
    attended = attended.transpose(1, 2).flatten(2)
    return _project(attention.out_projs, schedule, attended, together[1])


def _window(length: int, context: int, device: torch.device) -> Tensor:
    """Return which of the last `context` positions each of `length` sees, [length, length] bool."""
    at = torch.arange(length, device=device)
    delta = at[:, None] - at
    return (delta >= 0) & (delta < context)


def _feed_forward(layer: StreamingTransformerLayer, x: Tensor, together: Together) -> Tensor:
    if layer.gating is None:
        assert layer.linear1 is not None and layer.linear2 is not None
        return apply_linear(layer.linear2, layer.activation(apply_linear(layer.linear1, x)))
    if not isinstance(layer.gating, nn.ModuleList):
        return _gate([layer.gating], x, _APART)
    gates = _at_steps(layer.gating, layer.weights_per_step_schedule, x.shape[1])
    if is_alike([cast(nn.Module, gate.linear_in) for gate in gates]):
        return _gate(gates, x, together)
    return torch.cat([_gate([gate], x[:, at : at + 1], _APART) for at, gate in enumerate(gates)], dim=1)


def _gate(gates: list[Any], x: Tensor, together: Together) -> Tensor:
    opened, value = _project([gate.linear_in for gate in gates], None, x, together[2]).chunk(2, dim=-1)
    gated = gates[0].activation(opened) * value
    return _project([gate.linear_out for gate in gates], None, gated, together[3])


def _normalized(norm: nn.Module, x: Tensor) -> Tensor:
    return _normalize(norm, x) if isinstance(norm, RMSNorm) else cast(Tensor, norm(x))


def _normalize(norm: RMSNorm, x: Tensor) -> Tensor:
    """Return x [..., dim] normalised: moshi's RMSNorm, of which 16-bit numbers are summed in float32."""
    if norm.dtype is None and x.dtype != torch.float32:
        # This kind sums in the type of x, which no kernel does.
        var = norm.eps + torch.mean(x**2, dim=-1, keepdim=True)
        return cast(Tensor, (x * (norm.alpha.flatten().to(var) * torch.rsqrt(var))).to(x.dtype))
    return functional.rms_norm(x, (x.shape[-1],), norm.alpha.flatten().to(x.dtype), norm.eps).to(x.dtype)


# The depth transformer: K steps with weights of their own. Its tensors are [N, K, dim] where moshi sees them,
# and [K, N, dim] in memory, so that what belongs to a step lies together.


def _forward_depth(lm: LMModel, sequence: Tensor, transformer_out: Tensor) -> Tensor:
    """Return audio logits [B, dep_q, T, card] for tokens [B, K, T] and temporal states [B, T, dim]."""
    batch, _, length = sequence.shape
    steps = lm.dep_q
    states = transformer_out.flatten(0, 1)
    tokens = sequence.transpose(0, 1).flatten(1)
    embedded = [lm.depformer_text_emb(tokens[0])]
    embedded += [lm.depformer_emb[step](tokens[lm.audio_offset + step]) for step in range(steps - 1)]
    inputs = _at_steps(lm.depformer_in, lm.depformer_weights_per_step_schedule, steps)
    projected = (
        multiply(inputs, states.expand(steps, -1, -1), together_in_memory(inputs))
        if len(inputs) > 1
        else inputs[0](states)
    )
    x = lm.depformer((torch.stack(embedded) + projected).transpose(0, 1)).transpose(0, 1)
    if not isinstance(lm.depformer_norms[0], nn.Identity):
        x = torch.stack([norm(x[step : step + 1])[0] for step, norm in enumerate(lm.depformer_norms)])
    heads = list(lm.linears)
    return multiply(heads, x, together_in_memory(heads)).view(steps, batch, length, -1).transpose(0, 1)


def _project(
    modules: Sequence[nn.Module], schedule: list[int] | None, x: Tensor, together: Tensor | None
) -> Tensor:
    """Return x [B, T, dim] through one linear layer, or through one for each step."""
    if len(modules) == 1:
        return apply_linear(modules[0], x)
    steps = _at_steps(modules, schedule, x.shape[1])
    return multiply(steps, x.transpose(0, 1), together).transpose(0, 1)


def _at_steps(modules: Iterable[nn.Module], schedule: list[int] | None, steps: int) -> list[nn.Module]:
    """Return the layer of each of `steps` steps, or the only one."""
    found = list(modules)
    if len(found) == 1:
        return found
    return [found[schedule[step] if schedule else step] for step in range(steps)]


def _steps_of(layer: StreamingTransformerLayer) -> Iterable[Sequence[nn.Module]]:
    """Yield the layers of all steps, for each of the four products of a layer of the depth transformer."""
    yield layer.self_attn.in_projs
    yield layer.self_attn.out_projs
    if isinstance(gates := layer.gating, nn.ModuleList):
        yield [cast(nn.Module, gate.linear_in) for gate in gates]
        yield [cast(nn.Module, gate.linear_out) for gate in gates]
