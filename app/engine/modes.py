"""In how many bits the weights of a language model are kept, layer by layer.

int8 packs every linear layer and every table of embeddings in 8 bits; int4 the linear layers of the temporal
transformer in 4, and the rest in 8.
A model of its own kind of file says its mode there; any other can be packed while it is read. Knows nothing
about devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from moshi.models import LMModel
from moshi.models.lm_utils import ScaledEmbedding
from torch import Tensor, nn

from app.engine.fast import quantized
from app.engine.fast.quantized import LEAST, ROW_SCALE, SCALE, QuantizedEmbedding, QuantizedLinear
from app.memory_plan import WHOLE

FORMAT = "aizuchi-quantized"
VERSION = "1"
"""What a file of packed weights says it is, beside its mode, in the metadata of safetensors."""

_TEMPORAL = "transformer."
_HEADS = ("text_linear", "depformer_in.", "depformer.", "linears.")
"""What the linear layers that are multiplied with once in each frame, or in each step of it, begin with."""


def keep_in(lm: LMModel, mode: str) -> None:
    """Put layers of packed weights, without memory, in the place of a model's own."""
    for name, layer, bits in list(_packable(lm, mode)):
        parent, _, own = name.rpartition(".")
        setattr(lm.get_submodule(parent), own, _outline(layer, bits))


def saved_bytes(lm: LMModel, mode: str, element_bytes: int) -> int:
    """Return how much less memory a mode takes than whole weights of so many bytes a number."""
    saved = 0
    for _, layer, bits in _packable(lm, mode):
        packed = _outline(layer, bits).state_dict()
        saved += layer.weight.numel() * element_bytes
        saved -= sum(tensor.nbytes for name, tensor in packed.items() if name != "bias")
    return saved


def is_packed(lm: LMModel, name: str) -> bool:
    """Return whether a model that `keep_in` went through takes a whole tensor in few bits."""
    layer_name, _, own = name.rpartition(".")
    return own == "weight" and isinstance(_find(lm, layer_name), QuantizedLinear | QuantizedEmbedding)


def make_room(
    lm: LMModel, names: Iterable[str], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return memory for what `pack` makes of these whole tensors, of which some may not be packed.

    It is made at once: among what packing holds meanwhile, what stays would leave gaps of no use.
    """
    room: dict[str, Tensor] = {}
    for layer_name in (name.rpartition(".")[0] for name in names if is_packed(lm, name)):
        for own, like in lm.get_submodule(layer_name).state_dict().items():
            if own != "bias":
                kind = dtype if own == ROW_SCALE else like.dtype
                room[f"{layer_name}.{own}"] = torch.empty_like(like, dtype=kind, device=device)
    return room


def pack(lm: LMModel, name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Return the tensors, by name, that a model which `keep_in` went through takes for a whole one.

    Rows are packed each by itself: rows of the tensor give the same rows of what all of it would give.
    """
    layer_name, _, own = name.rpartition(".")
    layer = _find(lm, layer_name) if own == "weight" and tensor.is_floating_point() else None
    if isinstance(layer, QuantizedEmbedding):
        rows, scale = quantized.pack_table(tensor)
        return {name: rows, f"{layer_name}.{ROW_SCALE}": scale}
    if not isinstance(layer, QuantizedLinear):
        return {name: tensor}
    weight, scale, least = quantized.pack(tensor, layer.bits)
    packed = {name: weight, f"{layer_name}.{SCALE}": scale, f"{layer_name}.{LEAST}": least}
    return {each: value for each, value in packed.items() if value is not None}


def _find(lm: LMModel, name: str) -> nn.Module | None:
    """Return a module of this name, None where there is none, as of a name of another format."""
    try:
        module: nn.Module = lm.get_submodule(name)
        return module
    except AttributeError:
        return None


def _outline(layer: nn.Linear | ScaledEmbedding, bits: int) -> QuantizedLinear | QuantizedEmbedding:
    return (
        quantized.outline_table(layer)
        if isinstance(layer, ScaledEmbedding)
        else quantized.outline(layer, bits)
    )


def _packable(lm: LMModel, mode: str) -> Iterator[tuple[str, nn.Linear | ScaledEmbedding, int]]:
    """Yield the layers that a mode packs, each with its name and its bits."""
    if mode == WHOLE:
        return
    for name, module in lm.named_modules():
        ours = name.startswith((_TEMPORAL, *_HEADS)) and ".lora_" not in name
        if type(module) is nn.Linear and ours:
            four = mode == "int4" and name.startswith(_TEMPORAL) and quantized.fits(module, 4)
            yield name, module, 4 if four else 8
        elif isinstance(module, ScaledEmbedding) and quantized.is_plain(module):
            yield name, module, 8
