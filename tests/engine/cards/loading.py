"""What loading a 7B model and talking with it asks of a graphics card, noted from the code that does it.

Files are holes with true headers; `meta` stands for the card; what a disk, pinned memory and numbers would do
is left out. The rest is the program's: reading, packing, the step and moshi's Mimi.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from app.engine.events import KVS
from app.engine.fast import quantized
from app.engine.fast.frame import FrameStep
from app.engine.stepper import MoshiStepper, make_ops
from app.frames import FRAME_SAMPLES
from app.memory_plan import WHOLE
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


@dataclass(frozen=True)
class Trace:
    """What parts of loading and of a talk ask of a card."""

    mimi: list[Event]
    weights: list[Event]
    coding: list[Event]
    """Frames of Mimi, both halves."""
    steps: list[Event]
    """Frames of the language model, with the rings."""

    def events(self, *, mimi_apart: bool = False) -> list[Event]:
        """Return what loading and a talk ask for, in the order of the loader."""
        mimi, coding = ([], []) if mimi_apart else (self.mimi, self.coding)
        return [*mimi, *self.weights, *self.steps, *coding]

    def loading(self) -> list[Event]:
        """Return what is asked for before a talk."""
        return [*self.mimi, *self.weights]


def trace(made: Outline, mode: str, dtype: torch.dtype, *, engine: str = "fast", kv: str = KVS[0]) -> Trace:
    """Load a model in a mode, and talk with it."""
    recorder, cut = Recorder(), _Cut()
    with pytest.MonkeyPatch.context() as patch, torch.no_grad(), no_compile(), no_cuda_graph():
        _stand_in(patch, recorder)
        with recorder:
            recorder.ask(CUBLAS_BYTES)
            mimi = build.load_mimi(made.checkpoint, CARD)
            loaded_mimi = cut(recorder)
            lm = build.load_lm(made, CARD, dtype, lambda *_: None, mode)
            weights = cut(recorder)
            steps = _step(recorder, lm, kv, engine, cut)
            return Trace(loaded_mimi, weights, _code(recorder, mimi, cut), steps)


class _Cut:
    """Takes from a recorder what is new."""

    def __init__(self) -> None:
        self._at = 0

    def __call__(self, recorder: Recorder) -> list[Event]:
        begin, self._at = self._at, len(recorder.events)
        return recorder.events[begin:]


def _step(recorder: Recorder, lm: LMModel, kv: str, engine: str, cut: _Cut) -> list[Event]:
    """Return what a step and its warm-up ask for: a frame as it is, and one into the pool of its graph."""
    step = FrameStep(lm, make_ops(), kv, captured=True) if engine == "fast" else MoshiStepper(lm)
    heard = torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long, device=CARD)
    _twice(recorder, "frame", lambda: step.step(heard))
    return cut(recorder)


def _code(recorder: Recorder, mimi: MimiModel, cut: _Cut) -> list[Event]:
    with mimi.streaming(1):
        sound = torch.zeros(1, 1, FRAME_SAMPLES, device=CARD)
        codes = torch.zeros(1, 8, 1, dtype=torch.long, device=CARD)
        _twice(recorder, "encode", lambda: mimi.encode(sound))
        _twice(recorder, "decode", lambda: mimi.decode(codes))
        return cut(recorder)


def _twice(recorder: Recorder, name: str, part: Callable[[], object]) -> None:
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
        patch.setattr(quantized, name, recorder.repeated(getattr(quantized, name), whole_every=8))


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
