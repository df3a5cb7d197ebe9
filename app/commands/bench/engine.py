"""`aizuchi bench engine`: how long a frame takes, against moshi's own step in the same run.

Random weights are made in place, so that nothing is downloaded; both engines have the same. Their frames are
timed in turn, one of each, since machines are noisy; where memory does not hold the weights of both, blocks
of many are. Prints a table for people and one JSON line last.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.utils.compile import CUDAGraphed, no_compile
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from app import catalog
from app.commands.bench.plan import (
    MOSHI,
    OURS,
    ROUNDS,
    Plan,
    check_plan,
    copied_bytes,
    make_plan,
    outline_random,
)
from app.engine import anatomy, build, modes
from app.engine.checkpoint import find
from app.engine.compare import agreement, expectations
from app.engine.device import Device, choose_device, compile_trouble
from app.engine.events import AUTO, KVS, MODES
from app.engine.fake import tiny_config, tiny_mimi_config
from app.engine.fast.frame import FrameStep
from app.engine.stepper import MoshiStepper, make_ops
from app.errors import UserError
from app.files import named
from app.frames import FRAME_SAMPLES
from app.memory_plan import WHOLE

if TYPE_CHECKING:
    from app.paths import Paths

TINY_TEXT_CARD = 640

WARM_UP_FRAMES = 8
"""Frames that do not count: kernels are compiled and graphs captured."""

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
    order: str
    """One of those of app.commands.bench.plan."""
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
    needed_gb: float
    """What all of it was thought to take, before anything was made."""
    peak_gb: float | None
    """Of a graphics card's memory, without Mimi and before moshi's engine is made."""
    whole_peak_gb: float | None
    """The same of everything that is measured."""
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
        wish=options.device,
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
    add("--device", default=AUTO, metavar="NAME", help="what is measured: auto, cpu, cuda or cuda:1")
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
    wish: str = AUTO,
) -> Measured:
    """Measure the engine on a device, the graphics card if there is one. Raises UserError."""
    device = choose_device(wish)
    with ExitStack() as life, torch.no_grad():
        if device.on_card:
            torch.cuda.set_device(device.device)
        else:
            life.enter_context(no_compile())
            torch.set_num_threads(1)
        source = _find_source(config, device, where)
        case = _Case(source, device, mode, kv, beside=against is not None, dissected=picture is not None)
        _refuse(case)
        plan = make_plan(source.outline, device, mode, kv, beside=case.beside)
        check_plan(plan, source.outline, device, mode, kv)
        copy_gb_s = _copy_gb_s(device)
        sides = {name: _Side() for name in (OURS, MOSHI)[: 1 + case.beside]}
        rounds = ROUNDS[plan.order]
        for at, names in enumerate(rounds):
            blocks = sum(names == each for each in rounds)
            _measure_round(case, {name: sides[name] for name in names}, -(-frames // blocks), first=at < 2)
            _give_back(device)
        if picture is not None:
            anatomy.draw(picture, {name: side.parts for name, side in sides.items()})
        return _sum_up(case, plan, sides, config=config, frames=frames, copy_gb_s=copy_gb_s)


@dataclass(frozen=True)
class _Case:
    """What is measured, and how it is kept."""

    source: _Source
    device: Device
    mode: str
    kv: str
    beside: bool
    """Whether moshi's engine is measured as well."""
    dissected: bool
    """Whether to find out where the time of a frame goes."""


@dataclass
class _Side:
    """What is found out about an engine, over all rounds."""

    step_ms: list[float] = field(default_factory=list)
    mimi_ms: list[float] = field(default_factory=list)
    kernels: int = 0
    parts: dict[str, float] = field(default_factory=dict)
    expected: list[Tensor] = field(default_factory=list)
    """What its weights expect of random tokens, where packed weights are compared with whole ones."""
    context: int = 0
    bytes_per_frame: int = 0
    peak_bytes: int = 0
    """Before Mimi and the other engine are made."""
    whole_peak_bytes: int = 0


class _Running(NamedTuple):
    """An engine in memory."""

    lm: LMModel
    step: Step
    half: Step
    """A frame of Mimi: encoding and decoding."""
    close: Callable[[], None]


def _measure_round(case: _Case, sides: dict[str, _Side], frames: int, *, first: bool) -> None:
    """Measure engines that are in memory together, frame by frame; what does not vary, in the first round."""
    device = case.device
    with ExitStack() as life:
        running: list[_Running] = []
        for name, side in sides.items():
            lm = running[0].lm if running and case.mode == WHOLE else None
            begin = _begin_ours if name == OURS else _begin_moshi
            running.append(begin(case, side, lm, life))
            life.callback(running[-1].close)
        step_ms = _in_turn([each.step for each in running], frames)
        mimi_ms = _in_turn([each.half for each in running], frames)
        for side, each, steps, halves in zip(sides.values(), running, step_ms, mimi_ms, strict=True):
            side.step_ms += steps
            side.mimi_ms += halves
            if first:
                side.kernels = _count_kernels(each.step, device)
                if case.dissected:
                    side.parts = anatomy.dissect(_both(each.step, each.half), on_card=device.on_card)
        if first and case.beside and case.mode != WHOLE:
            for side, each in zip(sides.values(), running, strict=True):
                # moshi's model can not be asked about many frames at once while it streams.
                each.close()
                side.expected = expectations(each.lm, _random_tokens(each.lm))
        for side in sides.values():
            side.whole_peak_bytes = max(side.whole_peak_bytes, _peak_bytes(device))


def _sum_up(
    case: _Case, plan: Plan, sides: dict[str, _Side], *, config: str, frames: int, copy_gb_s: float
) -> Measured:
    """Return the figures of our engine, and of moshi's where it was measured."""
    ours, moshi, on_card = sides[OURS], sides.get(MOSHI), case.device.on_card
    step_ms = _spread(ours.step_ms)
    beside: dict[str, Any] = {}
    if moshi is not None:
        beside = {
            "against_step_ms": _spread(moshi.step_ms),
            "step_ratio": _ratio(ours.step_ms, moshi.step_ms),
            "against_mimi_ms": _spread(moshi.mimi_ms),
            "mimi_ratio": _ratio(ours.mimi_ms, moshi.mimi_ms),
            "against_kernels_per_frame": moshi.kernels,
        }
        if moshi.expected:
            beside |= _compare(moshi.expected, ours.expected)
    whole_peak = max(side.whole_peak_bytes for side in sides.values())
    return Measured(
        config=config,
        mode=case.mode,
        kv=case.kv,
        device=case.device.label,
        torch=torch.__version__,
        frames=frames,
        order=plan.order,
        context=ours.context,
        step_ms=step_ms,
        mimi_ms=_spread(ours.mimi_ms),
        kernels_per_frame=ours.kernels,
        bytes_per_frame=ours.bytes_per_frame,
        copy_gb_s=round(copy_gb_s, 1),
        bandwidth_share=round(ours.bytes_per_frame / 1e6 / step_ms.p50 / copy_gb_s, 3),
        needed_gb=round(plan.needed_bytes / 1e9, 2),
        peak_gb=round(ours.peak_bytes / 1e9, 2) if on_card else None,
        whole_peak_gb=round(whole_peak / 1e9, 2) if on_card else None,
        parts_ms={name: side.parts for name, side in sides.items()} if case.dissected else None,
        **beside,
    )


def _refuse(case: _Case) -> None:
    """Raise UserError for what can not be measured so."""
    outline, device = case.source.outline, case.device
    name = outline.checkpoint.name
    if outline.uncovered:
        sentence = f"The fast engine does not cover {name}: it has {outline.uncovered}."
        raise UserError(sentence, "Choose a model in whole weights, or 7b.")
    if outline.packed != WHOLE and case.mode not in (WHOLE, outline.packed):
        sentence = f"The weights of {name} are kept in {outline.packed}, not in {case.mode}."
        raise UserError(sentence, "Leave out --mode, or choose the whole model.")
    if outline.packed != WHOLE and case.beside:
        sentence = f"moshi's own engine can not step {name}, whose weights are packed."
        raise UserError(sentence, "Leave out --against, or choose the whole model with --mode.")
    packed = (case.mode, outline.packed, case.kv) != (WHOLE, WHOLE, KVS[0])
    if packed and (trouble := compile_trouble(device)) is not None:
        raise UserError("What is packed needs code compiled for the graphics card.", trouble[1])


def _begin_ours(case: _Case, side: _Side, lm: LMModel | None, life: ExitStack) -> _Running:
    """Return our engine with its ring full and warmed up."""
    assert lm is None, "ours is the first"
    device = case.device
    if device.on_card:
        torch.cuda.reset_peak_memory_stats()
    ops = make_ops() if device.on_card and compile_trouble(device) is None else None
    ours = FrameStep(case.source.lm(case.mode), ops, case.kv)
    codes = _heard(ours.lm)

    def step() -> None:
        _drop(ours.step(codes))

    _repeat(step, WARM_UP_FRAMES)
    ours.age(2 * ours.context)
    _repeat(step, WARM_UP_FRAMES)
    side.context, side.bytes_per_frame = ours.context, count_bytes(ours)
    side.peak_bytes = max(side.peak_bytes, _peak_bytes(device))
    half = _mimi_step(case.source.mimi(), device, life, whole=True)
    return _Running(ours.lm, step, half, ours.close)


def _begin_moshi(case: _Case, side: _Side, lm: LMModel | None, life: ExitStack) -> _Running:
    """Return moshi's engine with its ring full and warmed up, on the weights of ours where they are whole.

    Ours comes first: it puts the tables of embeddings together in new memory, where a graph has to find them.
    """
    device = case.device
    moshi = MoshiStepper(case.source.lm(WHOLE) if lm is None else lm)
    codes = _heard(moshi.lm)

    def step() -> None:
        _drop(moshi.step(codes))

    side.context = case.source.outline.checkpoint.context
    _repeat(step, WARM_UP_FRAMES + (0 if device.on_card else side.context))
    half = _mimi_step(case.source.mimi(), device, life, whole=False)
    return _Running(moshi.lm, step, half, moshi.close)


class _Source(NamedTuple):
    """Where the models that are measured come from."""

    outline: build.Outline
    """What tells their size; its own model takes no memory."""
    lm: Callable[[str], LMModel]
    """Makes one for a mode."""
    mimi: Callable[[], MimiModel]


def _find_source(config: str, device: Device, where: Paths | None) -> _Source:
    """Return what makes the models. Raises UserError for a folder that holds none."""
    if config in ("7b", "tiny"):
        shape = catalog.moshi_7b() if config == "7b" else tiny_config(TINY_TEXT_CARD)
        mimi_shape = None if config == "7b" else tiny_mimi_config()
        return _Source(
            outline_random(config, shape, mimi_shape),
            lambda mode: random_lm(shape, mode, device.device, device.dtype),
            lambda: loaders.get_mimi(None, mimi_shape, device=device.device, num_codebooks=8).eval(),
        )
    if not os.path.isdir(named(config)):
        raise UserError(f"There is no model folder {config}.", "Name 7b, tiny, or the folder of a model.")
    found = find(config, models=where.models if where else None)
    return _Source(
        build.prove(found),
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


def _random_tokens(lm: LMModel) -> Tensor:
    """Return the tokens [1, K, COMPARED_FRAMES] on which weights are compared, the same for each mode."""
    chance = torch.Generator().manual_seed(1)
    shape = (1, lm.num_codebooks, COMPARED_FRAMES)
    return torch.randint(min(lm.card, lm.text_card), shape, generator=chance).to(lm.device)


def _compare(whole: list[Tensor], packed: list[Tensor]) -> dict[str, float]:
    """Return how near the expectations of packed weights are to those of whole ones."""
    found = [agreement(*pair) for pair in zip(whole, packed, strict=True)]
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
    source = torch.zeros(copied_bytes(device), dtype=torch.uint8, device=device.device)
    goal = torch.empty_like(source)
    taken = []
    for _ in range(COPIES):
        began = time.perf_counter()
        goal.copy_(source)
        if device.on_card:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    size = len(source)
    del source, goal
    _give_back(device)
    return 2 * size / float(np.median(taken)) / 1e9


def _peak_bytes(device: Device) -> int:
    """Return the most that torch had of a graphics card's memory since it was asked to begin anew."""
    return torch.cuda.max_memory_reserved() if device.on_card else 0


def _give_back(device: Device) -> None:
    """Let memory that nothing holds any more be free for the next round, and for other programs."""
    gc.collect()
    if device.on_card:
        torch.cuda.empty_cache()


def _spread(times: list[float]) -> Spread:
    return Spread(*(round(float(each), 3) for each in np.percentile(times, (50, 99, 99.9))))


def _ratio(ours: list[float], against: list[float]) -> float:
    return round(float(np.median(ours) / np.median(against)), 3)


def _print_table(measured: Measured) -> None:
    for name, value in vars(measured).items():
        parts = value._asdict() if isinstance(value, Spread) else {}
        shown = ", ".join(f"{part} {each}" for part, each in parts.items()) or value
        if shown is not None:
            print(f"{name.replace('_', ' '):>26}  {shown}")
