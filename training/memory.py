"""How much memory training takes at its peak: counted before it begins, and watched while it goes on.

Weights are counted on a model without memory; activations follow from what each layer keeps for the way back,
which is written out below and held against a real model by a test. Knows nothing about cards or data.

Kept for the way back, in numbers for each frame (and step, in the depth transformer), `e` bytes each:
a layer of width d, hidden width h and adapter rank r keeps

    2 d  what the two norms made       3 d  queries, keys, values       2 d  the same two turned, with RoPE
    2 d  what attention found (twice where it has to be laid out anew; once in the depth transformer)
    4 h  the two halves before the gate, the gate, their product         4 r  what the adapter has in between

and the inputs of both norms in float32, 8 d bytes. A head of n classes keeps 4 n bytes, and takes as much
again as long as it is computed.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import LoRALinear, replace_all_linear_with_lora
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from training.base import DEPTH, TEXT_EMBEDDINGS

FULL_BYTES = 4
"""What learns is kept in float32, and so are its gradients."""

STATE_BYTES = {"adamw": 8.0, "adamw8bit": 2 + 8 / 256}
"""Two numbers for each that learns; in 8 bits with a scale for each 256."""

BLOCK_BYTES = {8: 0.0, 4: 4 / 64}
"""Scales of a weight in 4 bits; those of 8 bits, one a row, are counted with the rows."""

WORKSPACE_BYTES = 150_000_000
"""What matrix products and small tensors take on the side. [E]"""

CONTEXT_BYTES = 700_000_000
"""What a card loses besides, to CUDA and to gaps between tensors; not in `expected_peak_bytes`. [E]"""


@dataclass(frozen=True, slots=True)
class Peak:
    """Parts of the peak in bytes."""

    weights: int
    """The model and, in float32, what learns."""
    states: int
    """The optimiser's."""
    gradients: int
    activations: int
    """At the worst moment."""

    @property
    def total(self) -> int:
        """Return all of it, with room to work."""
        return self.weights + self.states + self.gradients + self.activations + WORKSPACE_BYTES


def expected_peak_bytes(config: Mapping[str, Any], **options: Any) -> int:
    """Return what `expected_peak` adds up to; it takes the same."""
    return expected_peak(config, **options).total


def expected_peak(
    config: Mapping[str, Any],
    *,
    method: str,
    rank: int,
    bits: int,
    both: bool,
    frames: int,
    checkpointing: bool,
    chunk_frames: int,
    optimizer: str,
    element_bytes: int,
    accumulated: bool = True,
    kept_layers: int = 0,
    user_words: bool = False,
    ema: bool = False,
    depth_share: float = 1.0,
) -> Peak:
    """Return the most that training takes at a time, as torch counts what it has given out.

    `config` are LMModel's arguments, `both` whether depth steps for the user's voice are to be added;
    `frames` is batch x time of one pass, `element_bytes` what a frozen weight and an activation take.
    Without `accumulated` gradients the worst moment has fewer of them: a step is a single pass. `kept_layers`
    are not checkpointed though the others are. The last three are the settings of those names, the first two
    whether they are on.
    """
    lm = outline(config, rank=rank if method == "lora" else 0, both=both)
    count = _count(lm, method)
    if user_words:
        count = replace(count, trained=count.trained + lm.dim * lm.text_card)
    size = Sizes(lm, rank if method == "lora" else 0, element_bytes)
    weights = _weights_bytes(count, method, bits, element_bytes, ema=ema)
    states = round(count.trained * STATE_BYTES[optimizer])
    gradients = count.trained * FULL_BYTES
    learns_below = method != "depth"
    spoken = min(math.ceil(depth_share * frames), chunk_frames)
    depth = spoken * size.depth_frame + count.depth_trained * (element_bytes + FULL_BYTES)
    text = min(frames, chunk_frames) * size.text_frame
    unpacked = count.largest * element_bytes if bits < 16 else 0
    temporal = frames * size.temporal_working + unpacked if learns_below else 0
    kept = frames * size.kept(checkpointing, kept_layers) if learns_below else frames * size.state
    if accumulated:
        return Peak(weights, states, gradients, kept + max(depth, text, temporal))
    early = kept + max(depth, text) + count.depth_trained * FULL_BYTES
    late = frames * size.state + temporal + gradients
    return Peak(weights, states, gradients, max(early, late) - gradients)


def _weights_bytes(count: _Count, method: str, bits: int, element_bytes: int, *, ema: bool) -> int:
    """Return what the weights take: frozen ones, those that learn, and the average of these."""
    weights = round(count.frozen * element_bytes + count.trained * FULL_BYTES)
    if method == "lora" and bits < 16:
        weights += round(count.packable * (bits / 8 + BLOCK_BYTES[bits] - element_bytes))
        weights += 4 * count.rows if bits == 8 else 0
    if method != "lora":
        weights += count.trained * element_bytes  # autocast keeps copies of what it has turned down
    return weights + (count.trained * FULL_BYTES if ema else 0)


def layers_that_fit(config: Mapping[str, Any], room_bytes: int, **options: Any) -> int:
    """Return how many temporal layers need not be checkpointed, where there are so many bytes in all.

    Takes what `expected_peak` takes. Each layer saves computing it a second time, 1/3 of its forward and
    backward pass with an adapter.
    """
    options = {**options, "checkpointing": True}
    least = expected_peak(config, **options, kept_layers=0).total
    each = expected_peak(config, **options, kept_layers=1).total - least
    if each <= 0:
        return 0
    return max(0, min(int(config["num_layers"]), int((room_bytes - CONTEXT_BYTES - least) // each)))


def outline(config: Mapping[str, Any], *, rank: int, both: bool) -> LMModel:
    """Return a model without memory, with an adapter unless the rank is 0."""
    chosen = dict(config)
    if both and chosen["dep_q"] != chosen["n_q"]:
        chosen["dep_q"] = chosen["n_q"]
        if isinstance(widths := chosen.get("depformer_dim_feedforward"), list):
            chosen["depformer_dim_feedforward"] = (2 * widths)[: chosen["n_q"]]
    with torch.device("meta"):
        lm: LMModel = loaders.get_moshi_lm(None, chosen, device="meta", dtype=torch.bfloat16)
        if rank:
            replace_all_linear_with_lora(lm, rank, 1.0)
    return lm


class Sizes:
    """Bytes for each frame."""

    def __init__(self, lm: LMModel, rank: int, element_bytes: int) -> None:
        temporal, depth = lm.transformer.layers, lm.depformer.layers
        e, steps = element_bytes, lm.dep_q
        self.layers = len(temporal)
        self.state = lm.dim * e
        """A state of the temporal transformer."""
        self.layer = _layer_bytes(temporal[0], rank, e)
        """What a layer of it keeps that is not checkpointed."""
        gate = _hidden(temporal[0])
        self.temporal_working = self.layer + e * (3 * gate + 4 * lm.dim)
        """What it takes while it is computed again and its gradients are."""
        width = depth[0].self_attn.embed_dim
        each = sum(_layer_bytes(layer, rank, e) for layer in depth) + e * (width + 2 * rank) + 4 * lm.card
        self.depth_kept = steps * each + self.state
        """What a frame of a chunk keeps."""
        working = (e + 4) * lm.card + e * (3 * _hidden(depth[0]) + 4 * width)
        self.depth_frame = self.depth_kept + steps * working
        self.text_frame = lm.text_card * (e + 3 * 4)

    def kept(self, checkpointing: bool, kept_layers: int = 0) -> int:
        """Return what a frame keeps from forward to backward: what each layer does, and its ends."""
        whole = min(self.layers, kept_layers) if checkpointing else self.layers
        return int(whole * self.layer + (self.layers - whole) * self.state + 4 * self.state)


def _layer_bytes(layer: Any, rank: int, element_bytes: int) -> int:
    attention = layer.self_attn
    width, heads = attention.embed_dim, attention.num_heads
    turned = attention.rope is not None
    numbers = (9 if turned else 6) * width + 4 * _hidden(layer) + 4 * rank
    table = 4 * width // heads if turned else 0
    return int(element_bytes * numbers + 8 * width + 8 + 4 * heads + table)


def _hidden(layer: Any) -> int:
    gate: Any = layer.gating[0] if isinstance(layer.gating, nn.ModuleList) else layer.gating
    return int((layer.linear2 if gate is None else gate.linear_out).in_features)


@dataclass(frozen=True, slots=True)
class _Count:
    """Numbers in a model."""

    frozen: int
    trained: int
    depth_trained: int
    packable: int
    """In linear layers, which can be kept in fewer bits."""
    rows: int
    largest: int
    """In the largest linear layer."""


def _count(lm: LMModel, method: str) -> _Count:
    linear = [
        module.frozen_W if isinstance(module, LoRALinear) else module
        for module in lm.modules()
        if isinstance(module, LoRALinear | nn.Linear)
    ]
    sizes = {id(module.weight): module.weight.shape for module in linear if module.in_features != 0}
    base = [(name, weight) for name, weight in lm.named_parameters() if "lora_" not in name]
    if method == "lora":
        learning = [(name, weight) for name, weight in lm.named_parameters() if "lora_" in name]
        adapter = {id(weight) for _, weight in learning}
        sizes = {key: shape for key, shape in sizes.items() if key not in adapter}
    else:
        learning = [(name, weight) for name, weight in base if _learns(name, method)]
    every = _sum(weight for _, weight in lm.named_parameters())
    trained = _sum(weight for _, weight in learning)
    return _Count(
        frozen=every - trained,
        trained=trained,
        depth_trained=_sum(weight for name, weight in learning if name.startswith(DEPTH)),
        packable=sum(shape.numel() for shape in sizes.values()),
        rows=sum(shape[0] for shape in sizes.values()),
        largest=max(shape.numel() for shape in sizes.values()),
    )


def _learns(name: str, method: str) -> bool:
    """Return whether a parameter learns, as `training.base` chooses."""
    if method == "text_embedding":
        return name.startswith(TEXT_EMBEDDINGS)
    return method == "full" or name.startswith(DEPTH) == (method == "depth")


def _sum(weights: Iterable[torch.Tensor]) -> int:
    return sum(weight.numel() for weight in weights)


class Watch(TorchDispatchMode):
    """How much more memory a piece of work takes at its peak than there was taken before.

    On a card it is torch's own figure. On the CPU it is 0, unless tensors are to be counted as they are made
    and vanish, which takes time; what is inside of one operation is not seen then.
    """

    def __init__(self, device: torch.device, count: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no types here
        self.taken_bytes = 0
        self._device = device
        self._counts = count and device.type == "cpu"
        self._live: dict[int, int] = {}
        self._now = 0

    def __enter__(self) -> Watch:
        if self._device.type == "cuda":
            wait(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
            self._now = torch.cuda.memory_allocated(self._device)
        if self._counts:
            super().__enter__()  # type: ignore[no-untyped-call]  # as above
        return self

    def __exit__(self, *fault: Any) -> None:
        if self._counts:
            super().__exit__(*fault)  # type: ignore[no-untyped-call]  # as above
        if self._device.type == "cuda":
            self.taken_bytes = torch.cuda.max_memory_allocated(self._device) - self._now

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {each.untyped_storage().data_ptr() for each in _tensors((args, kwargs))}
        made = func(*args, **(kwargs or {}))
        for tensor in _tensors(made):
            storage = tensor.untyped_storage()
            if (pointer := storage.data_ptr()) not in before and pointer not in self._live:
                self._live[pointer] = storage.nbytes()
                self._now += storage.nbytes()
                weakref.finalize(storage, self._forget, pointer).atexit = False
        self.taken_bytes = max(self.taken_bytes, self._now)
        return made

    def _forget(self, pointer: int) -> None:
        self._now -= self._live.pop(pointer, 0)


def wait(device: torch.device) -> None:
    """Wait until a card has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [each for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]
