"""From a checkpoint to modules in memory, and before that the proof that its files fit together.

The proof builds the model without memory (torch's meta device) and lets it load tensors that have only the
shapes of the file's header, so that moshi's own renaming of older formats applies. Knows nothing about talk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora, replace_lora_with_linear

from app.engine import modes, shapes, user_half
from app.engine.checkpoint import Checkpoint
from app.engine.events import MODES
from app.engine.fast.frame import uncovered
from app.engine.fast.quantized import LEAST, SCALE
from app.engine.limits import shorten, unfit_mimi
from app.engine.reader import DTYPES, SLICE_BYTES, Part, read_parts, read_tensors
from app.engine.weights import Tensor, read_header, read_metadata, refuse_pointer
from app.errors import UserError
from app.files import Malformed, read_bytes
from app.frames import FRAME_RATE, SAMPLE_RATE
from app.memory_plan import WHOLE

Told = Callable[[int, int], None]
"""Told (done_bytes, total_bytes) while weights are read."""

_CONFIGURATION_AGAIN = "Copy or download the configuration again."

_TOKENIZER_BYTES = 64 * 2**20
"""The largest tokenizer; that of 32 000 pieces takes 0.6 MB."""

_SCALES = ("weight_scb", SCALE, LEAST)
"""Ends of the names of the scales of packed weights; they stay as they are in the file."""

_EXPOSED = re.compile(r"(gating(?:\.\d+)?\.linear_(?:in|out)|self_attn\.out_proj)_weight$")
"""Names that nu-dialogue/moshi-finetune has until its tools.clean_moshi, which writes moshi's own."""


@dataclass(frozen=True)
class Outline:
    """A checkpoint that was proven to fit together. Takes no memory for weights yet."""

    checkpoint: Checkpoint
    lm: LMModel
    """On the meta device; with an adapter, its linear layers are LoRA layers."""
    tokenizer: sentencepiece.SentencePieceProcessor
    packed: str
    """The mode that the weights of the file are packed in, WHOLE if they are not."""
    uncovered: str
    """What our own step does not cover of the model, '' for nothing."""

    def lm_bytes(self, dtype: torch.dtype, mode: str = WHOLE) -> int:
        """Return what the language model takes in memory, its real numbers kept as `dtype`."""
        whole: int = sum(
            tensor.numel() * (tensor if _is_kept(name, tensor) else dtype).itemsize
            for name, tensor in self.lm.state_dict().items()
            if ".lora_" not in name
        )
        return whole - modes.saved_bytes(self.lm, mode, dtype.itemsize)

    def adapter_bytes(self, dtype: torch.dtype) -> int:
        """Return what an adapter takes beside the weights while it is fused, with the layer that is made."""
        if self.checkpoint.adapter is None:
            return 0
        state = self.lm.state_dict()
        sizes: dict[str, int] = {name: each.numel() * dtype.itemsize for name, each in state.items()}
        adapter = sum(size for name, size in sizes.items() if ".lora_" in name)
        return adapter + 2 * max(sizes.values())

    @property
    def mimi_bytes(self) -> int:
        """Return what Mimi takes in memory."""
        return self.checkpoint.mimi.stat().st_size


def prove(checkpoint: Checkpoint) -> Outline:
    """Check that all files of a checkpoint are whole and fit together, reading nothing but headers.

    Raises UserError with a sentence that names the file and what is wrong with it.
    """
    tokenizer = _open_tokenizer(checkpoint)
    _prove_mimi(checkpoint)
    header = _header(checkpoint.weights, checkpoint.config)
    shapes.check_lm(checkpoint.config, checkpoint.source, header, checkpoint.weights)
    lm, packed = _outline_lm(checkpoint), _packed(checkpoint.weights)
    modes.keep_in(lm, packed)
    reason = uncovered(lm)
    adapter = checkpoint.adapter
    if adapter is not None:
        replace_all_linear_with_lora(lm, adapter.rank, adapter.scaling, device=torch.device("meta"))
    _prove_tensors(lm, checkpoint.weights, header, lambda name: "lora_" not in name)
    if adapter is not None:
        learnt = _header(adapter.path, checkpoint.config)
        _prove_tensors(lm, adapter.path, learnt, lambda name: "lora_" in name)
    return Outline(checkpoint, lm, tokenizer, packed, reason)


def _packed(weights: Path) -> str:
    """Return the mode of a file that `aizuchi quantize` wrote, WHOLE for any other. Raises UserError."""
    said = read_metadata(weights)
    if said.get("format") != modes.FORMAT:
        return WHOLE
    if said.get("version") != modes.VERSION or said.get("mode") not in MODES:
        advice = "Update Aizuchi, or make the file again with `aizuchi quantize`."
        raise UserError(f"{weights} was written by a newer version of Aizuchi.", advice)
    return said["mode"]


def precision(checkpoint: Checkpoint) -> torch.dtype:
    """Return how the real numbers of a checkpoint are kept in their file. Raises UserError."""
    header = read_header(checkpoint.weights)
    return DTYPES[next(tensor.dtype for tensor in header.values() if tensor.floating)]


def leaves_out(checkpoint: Checkpoint) -> bool:
    """Return whether the weights hold a half for the user's voice that is not read. Raises UserError."""
    return user_half.has_user_half(read_header(checkpoint.weights), checkpoint.config)


def load_lm(
    outline: Outline, device: torch.device, dtype: torch.dtype, told: Told, mode: str = WHOLE
) -> LMModel:
    """Read the weights into the outline's model and return it, adapter fused, in evaluation mode.

    Whole weights are packed for `mode` a few rows at a time, so that none of them is ever whole on the
    device. Those of a model with an adapter are put together on the processor first.
    """
    lm, checkpoint = outline.lm, outline.checkpoint
    if checkpoint.adapter is None:
        modes.keep_in(lm, mode)
        tensors = _read(lm, checkpoint.weights, checkpoint.config, (device, dtype), told)
        lm.load_state_dict(tensors, strict=False, assign=True)
    else:
        fused_on = torch.device("cpu") if mode != WHOLE else device
        for path in (checkpoint.weights, checkpoint.adapter.path):
            tensors = _read(lm, path, checkpoint.config, (fused_on, dtype), told)
            lm.load_state_dict(tensors, strict=False, assign=True)
        del tensors
        with torch.no_grad():
            replace_lora_with_linear(lm)
            _pack_all(lm, mode, device)
    lm.requires_grad_(False)
    _give_back(device)
    return lm.eval()


def _give_back(device: torch.device) -> None:
    """Give back what torch keeps of a graphics card for later, which may be of no size that is asked for."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _pack_all(lm: LMModel, mode: str, device: torch.device) -> None:
    """Pack a model that is whole in memory and bring it to a device, a few rows after the other."""
    whole = dict(lm.state_dict())
    modes.keep_in(lm, mode)
    state = modes.make_room(lm, whole, device, next(iter(whole.values())).dtype)
    while whole:
        name, tensor = whole.popitem()
        if not modes.is_packed(lm, name):
            state[name] = tensor.to(device)
            continue
        rows = max(1, SLICE_BYTES * len(tensor) // max(1, tensor.nbytes))
        for at in range(0, len(tensor), rows):
            part = Part(name, tensor[at : at + rows].to(device), at, tensor.shape, 0)
            for each, packed in modes.pack(lm, name, part.rows).items():
                part.put(state, each, packed)
    lm.load_state_dict(state, assign=True)


def load_mimi(checkpoint: Checkpoint, device: torch.device) -> MimiModel:
    """Read Mimi, set to the number of codebooks of one voice."""
    codebooks = int(checkpoint.config["n_q"]) // 2
    mimi = loaders.get_mimi(None, checkpoint.mimi_config, device=device, num_codebooks=codebooks)
    mimi.load_state_dict({name: tensor for name, tensor, _ in read_tensors(checkpoint.mimi, device)})
    _give_back(device)
    return mimi.requires_grad_(False)


def _read(
    lm: LMModel, path: Path, config: Mapping[str, Any], on: tuple[torch.device, torch.dtype], told: Told
) -> dict[str, torch.Tensor]:
    """Return the tensors of a file as a model takes them; no second copy of all of them is ever held."""
    header = _split(lm, _header(path, config))
    done, total = 0, sum(tensor.end - tensor.start for tensor in header.values())
    packed = {name for name, tensor in header.items() if tensor.floating and modes.is_packed(lm, name)}
    state = modes.make_room(lm, packed, *on)
    for part in read_parts(path, header, *on, kept=_SCALES, sliced=packed.__contains__):
        done += part.size
        for name, rows in modes.pack(lm, part.name, part.rows).items():
            part.put(state, name, rows)
        told(done, total)
    return state


def _header(path: Path, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a file that a model of this configuration takes, by moshi's own names."""
    renamed = {_rename(name): tensor for name, tensor in read_header(path).items()}
    return user_half.leave_out(renamed, config)


def _split(lm: LMModel, header: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file by the names that a model has, each a place in the file.

    An older format of moshi's has what its load hooks part, such as the projections of all steps of a depth
    transformer, below each other in one tensor. The hooks are asked with tensors that take no memory.
    """
    known, modules = lm.state_dict().keys(), dict(lm.named_modules())
    split: dict[str, Tensor] = {}
    for name, tensor in header.items():
        owner = next((name[:at] for at in _dots(name) if name[:at] in modules), "")
        if name in known or not owner:
            split[name] = tensor
            continue
        state = {name: torch.empty(tensor.shape, dtype=torch.uint8, device="meta")}
        for hook in modules[owner]._load_state_dict_pre_hooks.values():
            hook(state, f"{owner}.", {}, True, [], [], [])
        element_bytes = (tensor.end - tensor.start) // max(1, tensor.elements)
        for own, part in state.items():
            start = tensor.start + int(part.storage_offset()) * element_bytes
            end = start + part.numel() * element_bytes
            split[own] = replace(tensor, shape=tuple(part.shape), start=start, end=end)
    return split


def _dots(name: str) -> Iterator[int]:
    """Yield where the dots of a name are, from the last to the first."""
    return (at for at in range(len(name) - 1, 0, -1) if name[at] == ".")


def _rename(name: str) -> str:
    """Return moshi's own name of a tensor."""
    return _EXPOSED.sub(r"\1.weight", name)


def _is_kept(name: str, tensor: torch.Tensor) -> bool:
    """Return whether a tensor stays in the type that it has in the file."""
    return not tensor.is_floating_point() or name.endswith(_SCALES)


def _outline_lm(checkpoint: Checkpoint) -> LMModel:
    """Return the language model without memory; the keys that the weights would fill are all there."""
    with _judged_by_moshi(f"The configuration of {checkpoint.source}"), torch.device("meta"):
        return loaders.get_moshi_lm(None, checkpoint.config, device="meta", dtype=torch.bfloat16)


@contextmanager
def _judged_by_moshi(what: str) -> Iterator[None]:
    """Turn a fault while moshi builds a model into a sentence about the configuration that caused it."""
    try:
        yield
    except Exception as fault:
        # moshi does not check its settings: it meets them, with a fault of any kind.
        reason = shorten(str(fault).strip() or type(fault).__name__, 200)
        raise UserError(
            f"{what} describes no model that moshi can build: {reason}.", _CONFIGURATION_AGAIN
        ) from fault


def _prove_mimi(checkpoint: Checkpoint) -> None:
    config = checkpoint.mimi_config or loaders._mimi_config
    header, codebooks = read_header(checkpoint.mimi), checkpoint.config["n_q"] // 2
    what = f"The Mimi configuration of {checkpoint.source}"
    if reason := unfit_mimi(config, codebooks):
        raise UserError(f"{what} describes no model that moshi can build: {reason}.", _CONFIGURATION_AGAIN)
    shapes.check_mimi(config, checkpoint.source, header, checkpoint.mimi)
    with _judged_by_moshi(what), torch.device("meta"):
        mimi = loaders.get_mimi(None, config, device="meta", num_codebooks=codebooks)
    _prove_tensors(mimi, checkpoint.mimi, header, lambda _: True)
    if (mimi.sample_rate, mimi.frame_rate) != (SAMPLE_RATE, FRAME_RATE):
        found = f"{mimi.sample_rate} Hz in {mimi.frame_rate} frames a second"
        advice = f"Use a Mimi of {SAMPLE_RATE} Hz and {FRAME_RATE} frames a second."
        raise UserError(f"{checkpoint.mimi} makes {found}.", advice)
    if mimi.cardinality != checkpoint.config["card"]:
        raise UserError(
            f"{checkpoint.mimi} has {mimi.cardinality} codes, and the language model "
            f"{checkpoint.weights.name} expects {checkpoint.config['card']}.",
            "Use the Mimi that the model was trained with.",
        )


def _prove_tensors(
    module: torch.nn.Module, path: Path, header: dict[str, Tensor], belongs: Callable[[str], bool]
) -> None:
    """Raise UserError unless the tensors of a file are those that a module on the meta device takes.

    Of the module's tensors only those that `belongs` picks by name have to be in the file.
    """
    advice = "The file belongs to another model, or to another configuration: copy or download both again."
    state = {
        name: torch.empty(tensor.shape, dtype=DTYPES[tensor.dtype], device="meta")
        for name, tensor in header.items()
    }
    for name, wanted in module.state_dict().items():
        if name in state and state[name].is_floating_point() != wanted.is_floating_point():
            kind = header[name].dtype
            raise UserError(f"{path} does not fit its configuration: {name} is kept as {kind}.", advice)
    try:
        result = module.load_state_dict(state, strict=False, assign=True)
    except (RuntimeError, IndexError, ValueError) as fault:
        raise UserError(f"{path} does not fit its configuration: {_mismatch(fault)}.", advice) from fault
    missing = [name for name in result.missing_keys if belongs(name)]
    if missing or result.unexpected_keys:
        parts = _count("lacks", missing), _count("has unknown", result.unexpected_keys)
        raise UserError(f"{path} {' and '.join(part for part in parts if part)}.", advice)


def _count(verb: str, names: list[str]) -> str:
    return f"{verb} {len(names)} tensors, such as {names[0]}" if names else ""


def _mismatch(fault: Exception) -> str:
    """Return the first complaint of load_state_dict in one line."""
    lines = [line.strip(" \t.") for line in str(fault).splitlines()]
    return next((line for line in lines if line.startswith("size mismatch")), lines[-1] if lines else "")


def _open_tokenizer(checkpoint: Checkpoint) -> sentencepiece.SentencePieceProcessor:
    path, expected = checkpoint.tokenizer, checkpoint.config["text_card"]
    advice = "Use the tokenizer that the model was trained with; another would speak other words."
    try:
        content = read_bytes(path, _TOKENIZER_BYTES)
        refuse_pointer(path, content)
        pieces = sentencepiece.SentencePieceProcessor(model_proto=content)
    except (OSError, RuntimeError, Malformed) as fault:
        raise UserError(f"{path} is no SentencePiece model, or it is damaged.", advice) from fault
    if (found := pieces.get_piece_size()) != expected:
        raise UserError(f"{path} has {found} pieces, and the model expects {expected}.", advice)
    return pieces
