"""What loading a 7B model and talking with it asks of a graphics card, noted from the code that does it.

Files are holes with true headers; `meta` stands for the card; what a disk, pinned memory and numbers would do
is left out. The rest is the program's: reading, packing, the step and moshi's Mimi.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.utils.compile import no_compile, no_cuda_graph
from sentencepiece import SentencePieceProcessor
from torch import Tensor
from triton.runtime.autotuner import Autotuner
from triton.runtime.interpreter import GridExecutor
from triton.runtime.jit import JITFunction

from app.engine import build, modes, reader
from app.engine.build import Outline
from app.engine.checkpoint import Adapter, Checkpoint
from app.engine.device import Device
from app.engine.fast import quantized
from app.engine.fast.frame import FrameStep
from app.engine.stepper import MoshiStepper, make_ops
from app.frames import FRAME_SAMPLES
from app.memory_plan import WHOLE, Fit
from tests.engine.cards.allocator import GIVE_BACK, Event, Recorder

CARD = torch.device("meta")

CUBLAS_BYTES = 8_519_680
"""What cuBLAS asks of torch for each stream that it works on, by default on cards before Hopper."""

_KINDS = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.int8: "I8"}


def device(free_bytes: int, dtype: torch.dtype = torch.bfloat16) -> Device:
    """Return a card by its figures."""
    return Device(torch.device("cuda"), "Some Card", dtype, free_bytes, free_bytes)


def checkpoint(folder: Path, config: dict[str, Any], file_dtype: torch.dtype, *, joined: bool) -> Checkpoint:
    """Write files of holes; `joined` as moshi's older format has the steps of a depth transformer."""
    lm = _outline(config)
    tensors = {name: (tuple(each.shape), each.dtype) for name, each in lm.state_dict().items()}
    if joined:
        tensors = _join(tensors, int(config["dep_q"]))
    folder.mkdir(parents=True, exist_ok=True)
    weights, mimi = folder / "model.safetensors", folder / "mimi.safetensors"
    _write_hole(weights, tensors, file_dtype)
    with torch.device("meta"):
        state = loaders.get_mimi(None, device="meta", num_codebooks=8).state_dict()
    _write_hole(mimi, {name: (tuple(each.shape), each.dtype) for name, each in state.items()}, torch.float32)
    return Checkpoint("7b", "folder", str(folder), weights, mimi, folder / "tokenizer", config)


def outline(found: Checkpoint, adapter: Adapter | None = None) -> Outline:
    """Return the outline of files that need no proof."""
    lm = _outline(found.config)
    if adapter is not None:
        build.replace_all_linear_with_lora(lm, adapter.rank, adapter.scaling, device=CARD)
    return Outline(replace(found, adapter=adapter), lm, SentencePieceProcessor(), WHOLE, "")


def write_adapter(path: Path, config: dict[str, Any], rank: int) -> Adapter:
    """Write the holes of a LoRA for a model of a configuration."""
    lm = _outline(config)
    build.replace_all_linear_with_lora(lm, rank, 2.0, device=CARD)
    state = {name: each for name, each in lm.state_dict().items() if "lora_" in name}
    _write_hole(path, {name: (tuple(each.shape), each.dtype) for name, each in state.items()}, torch.bfloat16)
    return Adapter(path, rank, 2.0)


def trace_loading(
    made: Outline, fit: Fit, dtype: torch.dtype, *, engine: str = "fast", talks: bool = True
) -> list[Event]:
    """Return what a talk asks of a card from the first file to the frames, in the order of the loader."""
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patch, torch.no_grad(), no_compile(), no_cuda_graph():
        _stand_in(patch, recorder)
        with recorder:
            recorder.ask(CUBLAS_BYTES)
            mimi = build.load_mimi(made.checkpoint, torch.device("cpu") if fit.mimi_apart else CARD)
            lm = build.load_lm(made, CARD, dtype, lambda *_: None, fit.mode)
            if talks:
                own = engine == "fast"
                step = FrameStep(lm, make_ops(), fit.kv, captured=True) if own else MoshiStepper(lm)
                _talk(recorder, mimi, step, lm)
    return recorder.events


def _talk(recorder: Recorder, mimi: MimiModel, step: FrameStep | MoshiStepper, lm: LMModel) -> None:
    """Say frames as they are warmed up: once as they are, once into the pool of each graph."""
    on_card = next(mimi.parameters()).device == CARD
    # A processor's Mimi takes nothing of the card.
    parts: list[tuple[str, Callable[[], Any]]] = []
    with mimi.streaming(1):
        if on_card:
            sound = torch.zeros(1, 1, FRAME_SAMPLES, device=CARD)
            codes = torch.zeros(1, 8, 1, dtype=torch.long, device=CARD)
            parts = [("encode", lambda: mimi.encode(sound)), ("decode", lambda: mimi.decode(codes))]
        heard = torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long, device=CARD)
        parts.insert(1, ("frame", lambda: step.step(heard)))
        for name, part in parts:
            part()
            recorder.ask(CUBLAS_BYTES, name)
            with recorder.pool(name):
                part()


def _stand_in(patch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    """Leave out what only a card and a disk can do."""

    def fill(source: Any, piece: Any, memory: Tensor) -> None:
        del source, piece, memory

    keep_in = modes.keep_in

    def keep_outlines(lm: LMModel, mode: str) -> None:
        with recorder.outlines():
            keep_in(lm, mode)

    def give_back(on: torch.device) -> None:
        if on == CARD:
            recorder.events.append(GIVE_BACK)

    for kernel, launch in ((JITFunction, "run"), (Autotuner, "run"), (GridExecutor, "__call__")):
        patch.setattr(kernel, launch, lambda *_, **__: None)
    patch.setattr(reader._Source, "fill", fill)
    patch.setattr(reader, "_refuse_unfinite", lambda *_: None)
    patch.setattr(modes, "keep_in", keep_outlines)
    patch.setattr(build, "_give_back", give_back)
    # What the search holds is the same for each share of a range that it tries.
    patch.setattr(quantized, "SHRINKS", quantized.SHRINKS[:1])
    for name in ("_pack_4", "_pack_8", "_pack_table"):
        patch.setattr(quantized, name, recorder.repeated(getattr(quantized, name)))


def _outline(config: dict[str, Any]) -> LMModel:
    with torch.device("meta"):
        return loaders.get_moshi_lm(None, dict(config), device="meta", dtype=torch.bfloat16)


def _join(
    tensors: dict[str, tuple[tuple[int, ...], torch.dtype]], steps: int
) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    joined = {}
    for name, (shape, dtype) in tensors.items():
        before, found, after = name.partition("_projs.")
        at, _, rest = after.partition(".")
        if not found:
            joined[name] = shape, dtype
        elif at == "0":
            rows = shape[0] * (steps if name.startswith("depformer.") else 1)
            kind = "_proj_weight" if before.endswith("in") else "_proj.weight"
            joined[f"{before}{kind}{rest.removeprefix('weight')}"] = (rows, *shape[1:]), dtype
    return joined


def _write_hole(
    path: Path, tensors: dict[str, tuple[tuple[int, ...], torch.dtype]], real: torch.dtype
) -> None:
    """Write a safetensors file with a true header and nothing behind it."""
    header, at = {}, 0
    for name, (shape, dtype) in sorted(tensors.items()):
        kept = real if dtype.is_floating_point and not name.endswith("_scb") else dtype
        size = kept.itemsize * cast(int, torch.Size(shape).numel())
        header[name] = {"dtype": _KINDS[kept], "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + at)
