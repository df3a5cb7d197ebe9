"""`aizuchi bench engine`: how long a frame takes, against moshi's own step in the same run.

Random weights are made in place, so that nothing is downloaded; both engines have the same. Their frames are
timed in turn, one of each, since machines are noisy. Prints a table for people and one JSON line last.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.utils.compile import CUDAGraphed, no_compile
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from app import catalog
from app.engine import anatomy, build, modes
from app.engine.checkpoint import find
from app.engine.compare import agreement, expectations
from app.engine.device import Device, choose_device, compile_trouble
from app.engine.events import KVS, MODES
from app.engine.fake import tiny_config, tiny_mimi_config
from app.engine.fast.frame import FrameStep
from app.engine.modes import WHOLE
from app.engine.stepper import MoshiStepper, make_ops
from app.errors import UserError
from app.files import named
from app.frames import FRAME_SAMPLES

if TYPE_CHECKING:
    from app.paths import Paths

TINY_TEXT_CARD = 640

WARM_UP_FRAMES = 8
"""Frames that do not count: kernels are compiled and graphs captured."""

COPY_BYTES = 2**30
"""What is copied to find the bandwidth; a graphics card's caches are far smaller."""

COPIES = 20

COMPARED_FRAMES = 64
"""On which the expectations of packed weights are compared with those of whole ones."""

_ADDED = re.compile(r"out_projs\.\d+\.weight|linear_out\.weight")
"""Names of the weights whose products are added to the residual stream."""

Step = Callable[[], None]


class Spread(NamedTuple):
    """Times in ms."""

    p50: float
    p99: float
    p999: float


@dataclass(frozen=True)
class Measured:
    """The engine in figures; what begins with `against_` is moshi's."""

    config: str
    mode: str
    kv: str
    device: str
    torch: str
    frames: int
    context: int
    step_ms: Spread
    mimi_ms: Spread
    kernels_per_frame: int
    """Kernels of a graphics card; on a processor, operators of torch that call no other."""
    bytes_per_frame: int
    """Weights, filled slots of the rings and rows of tables: what has to be read."""
    copy_gb_s: float
    bandwidth_share: float
    """Bytes a frame over the median step, as a share of what a copy reaches."""
    peak_gb: float | None
    """Of a graphics card's memory, without Mimi and before moshi's engine is made."""
    parts_ms: dict[str, dict[str, float]] | None = None
    """Of a profiled frame, Mimi included, by engine and kind; see app.engine.anatomy."""
    against_step_ms: Spread | None = None
    step_ratio: float | None = None
    against_mimi_ms: Spread | None = None
    mimi_ratio: float | None = None
    against_kernels_per_frame: int | None = None
    top1: float | None = None
    kl: float | None = None
    """Of packed weights against whole ones, the mean over the streams; see app.engine.compare."""


def main(argv: list[str], where: Paths | None = None) -> int:
    """Run the command and return its exit status. Raises UserError."""
    options = _parse(argv)
    measured = measure(
        options.config,
        options.mode,
        options.frames,
        kv=options.kv,
        against=options.against,
        picture=options.profile,
        where=where,
    )
    if not options.json:
        _print_table(measured)
    fields = asdict(measured)
    spreads = {name: each._asdict() for name, each in vars(measured).items() if isinstance(each, Spread)}
    print(json.dumps({**fields, **spreads}), flush=True)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi bench engine", description="Measure how long a frame takes, on random weights."
    )
    add = parser.add_argument
    add("--config", default="7b", metavar="7b|tiny|DIR", help="which shape, or a model of its own weights")
    add("--mode", choices=MODES, default=WHOLE, help="how weights are kept (default %(default)s)")
    add("--kv", choices=KVS, default=KVS[0], help="how keys and values are kept (default %(default)s)")
    add("--against", choices=("moshi",), help="measure moshi's own step in the same run")
    add("--frames", type=int, default=500, help="that are measured (default %(default)s)")
    add("--profile", type=Path, metavar="FILE.svg", help="draw where the time of a frame goes")
    add("--json", action="store_true", help="print no table")
    options = parser.parse_args(argv)
    if options.frames < 1:
        parser.error("at least 1 frame is measured")
    if options.profile is not None and not options.profile.parent.is_dir():
        raise UserError(f"There is no folder {options.profile.parent}.", "Name a file in one that is there.")
    return options


def measure(
    config: str,
    mode: str,
    frames: int,
    *,
    kv: str = KVS[0],
    against: str | None = None,
    picture: Path | None = None,
    where: Paths | None = None,
) -> Measured:
    """Measure the engine on the graphics card if there is one. Raises UserError."""
    device = choose_device()
    make = _maker(config, device, where)
    with ExitStack() as life, torch.no_grad():
        if not device.on_card:
            life.enter_context(no_compile())
            torch.set_num_threads(1)
        ours, codes = _begin_ours(make.lm(mode), kv, device)
        steps: list[Step] = [lambda: _drop(ours.step(codes))]
        peak_gb = torch.cuda.max_memory_reserved() / 1e9 if device.on_card else None
        halves = [_mimi_step(make.mimi(), device, life, whole=True)]
        if against:
            moshi = MoshiStepper(make.lm(WHOLE))
            life.callback(moshi.close)
            steps.append(lambda: _drop(moshi.step(codes)))
            _repeat(steps[1], WARM_UP_FRAMES + (0 if device.on_card else ours.context))
            halves.append(_mimi_step(make.mimi(), device, life, whole=False))
        lm_times, mimi_times = _in_turn(steps, frames), _in_turn(halves, frames)
        counts = [_count_kernels(step, device) for step in steps]
        parts = None if picture is None else _dissect(picture, steps, halves, device)
        bytes_per_frame = count_bytes(ours)
        copy_gb_s = _copy_gb_s(device)
        measured = Measured(
            config=config,
            mode=mode,
            kv=kv,
            device=device.label,
            torch=torch.__version__,
            frames=frames,
            context=ours.context,
            step_ms=_spread(lm_times[0]),
            mimi_ms=_spread(mimi_times[0]),
            kernels_per_frame=counts[0],
            bytes_per_frame=bytes_per_frame,
            copy_gb_s=round(copy_gb_s, 1),
            bandwidth_share=round(bytes_per_frame / 1e6 / _spread(lm_times[0]).p50 / copy_gb_s, 3),
            peak_gb=None if peak_gb is None else round(peak_gb, 2),
            parts_ms=parts,
        )
        if not against:
            return measured
        beside: dict[str, Any] = {
            "against_step_ms": _spread(lm_times[1]),
            "step_ratio": _ratio(lm_times),
            "against_mimi_ms": _spread(mimi_times[1]),
            "mimi_ratio": _ratio(mimi_times),
            "against_kernels_per_frame": counts[1],
        }
        if mode != WHOLE:
            moshi.close()
            beside |= _compare(moshi.lm, ours.lm)
        return Measured(**vars(measured) | beside)


def _begin_ours(lm: LMModel, kv: str, device: Device) -> tuple[FrameStep, Tensor]:
    """Return our engine with its ring full and warmed up, and the codes that it hears."""
    ours = FrameStep(lm, make_ops() if device.on_card and compile_trouble(device) is None else None, kv)
    codes = _heard(ours.lm)
    _repeat(lambda: _drop(ours.step(codes)), WARM_UP_FRAMES)
    ours.age(2 * ours.context)
    _repeat(lambda: _drop(ours.step(codes)), WARM_UP_FRAMES)
    return ours, codes


def _dissect(
    picture: Path, steps: Sequence[Step], halves: Sequence[Step], device: Device
) -> dict[str, dict[str, float]]:
    """Draw where the time of a frame goes, and return it for each engine."""
    parts = {
        name: anatomy.dissect(_both(step, half), on_card=device.on_card)
        for name, step, half in zip(("fast", "moshi"), steps, halves, strict=False)
    }
    anatomy.draw(picture, parts)
    return parts


class _Maker(NamedTuple):
    """Makes the models that are measured."""

    lm: Callable[[str], LMModel]
    """For a mode."""
    mimi: Callable[[], MimiModel]


def _maker(config: str, device: Device, where: Paths | None) -> _Maker:
    if config in ("7b", "tiny"):
        shape = catalog.moshi_7b() if config == "7b" else tiny_config(TINY_TEXT_CARD)
        mimi_shape = None if config == "7b" else tiny_mimi_config()
        return _Maker(
            lambda mode: random_lm(shape, mode, device.device, device.dtype),
            lambda: loaders.get_mimi(None, mimi_shape, device=device.device, num_codebooks=8).eval(),
        )
    if not os.path.isdir(named(config)):
        raise UserError(f"There is no model folder {config}.", "Name 7b, tiny, or the folder of a model.")
    found = find(config, models=where.models if where else None)
    return _Maker(
        lambda mode: build.load_lm(build.prove(found), device.device, device.dtype, lambda *_: None, mode),
        lambda: build.load_mimi(found, device.device),
    )


def random_lm(shape: dict[str, Any], mode: str, device: torch.device, dtype: torch.dtype) -> LMModel:
    """Return a language model of random weights, the same for each mode, packed one by one as they are made.

    Drawn so that activations keep their size from layer to layer: what is added to them is the smaller, the
    more layers there are (GPT-2's way, section 2.3 of its report).
    """
    with torch.device("meta"):
        lm = loaders.get_moshi_lm(None, dict(shape), device="meta", dtype=dtype)
    whole = lm.state_dict()
    modes.keep_in(lm, mode)
    state: dict[str, Tensor] = {}
    for seed, (name, each) in enumerate(whole.items()):
        if each.dim() == 2:
            chance = torch.Generator(device).manual_seed(seed)
            tensor = torch.randn(each.shape, generator=chance, device=device, dtype=each.dtype)
            tensor *= each.shape[1] ** -0.5
            if _ADDED.search(name):
                depth = name.startswith("depformer.")
                tensor *= (2 * len((lm.depformer if depth else lm.transformer).layers)) ** -0.5
        else:
            tensor = torch.ones(each.shape, device=device, dtype=each.dtype)
        state.update(modes.pack(lm, name, tensor))
    lm.load_state_dict(state, assign=True)
    return lm.requires_grad_(False).eval()


def count_bytes(step: FrameStep) -> int:
    """Return what a frame has to read: each product's weight once, the rings when full, rows of tables."""
    lm = step.lm
    linears = (
        module for name, module in lm.named_modules() if hasattr(module, "in_features") and "emb" not in name
    )
    weights: int = sum(tensor.nbytes for module in linears for tensor in module.state_dict().values())
    numbers = lm.num_codebooks * lm.dim + lm.dep_q * lm.depformer_text_emb.embedding_dim
    return int(weights + step.ring_bytes + numbers * lm.dtype.itemsize)


def _compare(whole: LMModel, packed: LMModel) -> dict[str, float]:
    """Return how near packed weights are to whole ones on random tokens."""
    chance = torch.Generator().manual_seed(1)
    shape = (1, whole.num_codebooks, COMPARED_FRAMES)
    tokens = torch.randint(min(whole.card, whole.text_card), shape, generator=chance).to(whole.device)
    found = [
        agreement(*pair)
        for pair in zip(expectations(whole, tokens), expectations(packed, tokens), strict=True)
    ]
    return {
        "top1": round(sum(each.top1 for each in found) / len(found), 4),
        "kl": round(sum(each.kl for each in found) / len(found), 6),
    }


def _heard(lm: LMModel) -> Tensor:
    chance = torch.Generator().manual_seed(2)
    return torch.randint(lm.card, (1, lm.n_q - lm.dep_q, 1), generator=chance).to(lm.device)


def _mimi_step(mimi: MimiModel, device: Device, life: ExitStack, *, whole: bool) -> Step:
    """Return a frame of encoding and decoding: each half as one graph, or as moshi captures it."""
    life.enter_context(mimi.streaming(1))
    loose = not (whole and device.on_card)
    encode, decode = (CUDAGraphed(half, disable=loose) for half in (mimi.encode, mimi.decode))
    sound = 0.1 * torch.randn(1, 1, FRAME_SAMPLES, device=device.device)

    def step() -> None:
        decode(encode(sound)).cpu()

    _repeat(step, WARM_UP_FRAMES)
    return step


def _in_turn(steps: list[Step], frames: int) -> list[list[float]]:
    """Return the times in ms of each step, one frame of each after the other."""
    times: list[list[float]] = [[] for _ in steps]
    gc.collect()
    gc.disable()
    try:
        for _ in range(frames):
            for step, taken in zip(steps, times, strict=True):
                began = time.perf_counter()
                step()
                taken.append(1000 * (time.perf_counter() - began))
    finally:
        gc.enable()
    return times


def _both(step: Step, half: Step) -> Step:
    def frame() -> None:
        step()
        half()

    return frame


def _drop(result: Tensor | None) -> None:
    """Wait for a result, as who passes it on to the sound card has to."""
    if result is not None:
        result.cpu()


def _repeat(step: Step, times: int) -> None:
    for _ in range(times):
        step()


def _count_kernels(step: Step, device: Device) -> int:
    """Return the kernels of a frame, as the profiler sees them."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.on_card else [])]
    with profile(activities=activities) as seen:
        step()
    if device.on_card:
        return sum(event.device_type.name == "CUDA" for event in seen.events())
    return sum(event.name.startswith("aten::") and not event.cpu_children for event in seen.events())


def _copy_gb_s(device: Device) -> float:
    """Return what a copy reads and writes in a second."""
    source = torch.zeros(
        COPY_BYTES if device.on_card else COPY_BYTES // 8, dtype=torch.uint8, device=device.device
    )
    goal = torch.empty_like(source)
    taken = []
    for _ in range(COPIES):
        began = time.perf_counter()
        goal.copy_(source)
        if device.on_card:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return 2 * len(source) / float(np.median(taken)) / 1e9


def _spread(times: list[float]) -> Spread:
    return Spread(*(round(float(each), 3) for each in np.percentile(times, (50, 99, 99.9))))


def _ratio(times: list[list[float]]) -> float:
    return round(float(np.median(times[0]) / np.median(times[1])), 3)


def _print_table(measured: Measured) -> None:
    for name, value in vars(measured).items():
        parts = value._asdict() if isinstance(value, Spread) else {}
        shown = ", ".join(f"{part} {each}" for part, each in parts.items()) or value
        if shown is not None:
            print(f"{name.replace('_', ' '):>26}  {shown}")
