"""What each step of `gpu_check.py` finds out, by names and values as soon as they are known.

A step that can tell right from wrong says so in `wrong`, a list of sentences; `summary` is what is printed.
Runs in a process of its own, on a card or, dry, on the processor. Knows nothing about limits or results.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from moshi.models import LMModel, loaders
from moshi.utils.compile import no_compile, no_cuda_graph
from torch import Tensor, nn

from app import catalog
from app.commands.bench import engine as bench
from app.engine import build, checkpoint
from app.engine.device import Device, choose_device, compile_trouble
from app.engine.events import Event, Loadout, Ready, Sampling, Trouble
from app.engine.fake import tiny_config
from app.engine.fast.frame import FrameStep
from app.engine.fast.layers import Ops, Ring
from app.engine.fast.plain import Plain
from app.engine.fast.quantized import QuantizedLinear
from app.engine.fast.tables import Table
from app.engine.stepper import MoshiStepper, Stepper, make_ops
from app.frames import FRAME_SAMPLES
from app.paths import paths

if TYPE_CHECKING:
    from app.engine.device_checks import Subject
    from app.engine.device_record import Finding

Found = dict[str, Any]

COLD_BYTES = 2**30
"""What is written between two calls: it leaves nothing in a card's caches, and keeps it busy meanwhile."""

TIMES = 15

LARGE_BYTES = 4 * 2**20
"""A call that is given less says nothing about bandwidth."""

ROUNDING = 1e-5
"""What sums of thousands of terms in float32 may be off, beside one unit in the last place of the result."""

FILLING_FRAMES = 6

TOKEN_FRAMES, DRY_TOKEN_FRAMES = 200, 25
BENCH_FRAMES, DRY_BENCH_FRAMES = 300, 10

CHANGES = (
    Sampling(audio_temperature=0.6),
    Sampling(text_temperature=1.1, repetition_penalty=1.3),
    Sampling(audio_top_k=50, text_top_k=10),
    Sampling(repetition_penalty=1.1, repetition_frames=20),
)
"""What a talk changes between two frames."""


@dataclass(frozen=True)
class Place:
    """Where a step runs."""

    device: Device
    dry: bool

    @property
    def ops(self) -> Ops:
        """Return the arithmetic that the engine has there."""
        return make_ops() if self.device.on_card else Plain()

    @property
    def shape(self) -> dict[str, Any]:
        """Return the configuration of the model that is measured: the 7B, or a tiny one."""
        return tiny_config(bench.TINY_TEXT_CARD) if self.dry else catalog.moshi_7b()

    def random_lm(self, mode: str = "bf16") -> LMModel:
        """Return a model of random weights."""
        return bench.random_lm(self.shape, mode, self.device.device, self.device.dtype)

    def clean(self) -> None:
        """Give back what nothing holds any more."""
        gc.collect()
        if self.device.on_card:
            torch.cuda.empty_cache()


def find(name: str, *, dry: bool) -> Iterator[Found]:
    """Yield what a step finds, piece by piece."""
    device = choose_device("cpu" if dry else "cuda")
    with ExitStack() as life:
        life.enter_context(torch.no_grad())
        if device.on_card:
            torch.cuda.set_device(device.device)
        else:
            torch.set_num_threads(1)
            life.enter_context(no_compile())
        step, *rest = name.split("_")
        yield from cast("Iterator[Found]", _STEPS[step](Place(device, dry), *rest))


def import_all() -> None:
    """Import what the steps do, also what they import late and only on a card.

    Training reads Parquet besides, whose library is too large to be carried along.
    """
    for name in (
        "app.engine.model",
        "app.engine.device_checks",
        "app.engine.fast.fused",
        "training.bench",
        "platformdirs",
    ):
        import_module(name)


# --- The machine --------------------------------------------------------------------------------------


def look_at_machine(place: Place) -> Iterator[Found]:
    """Find what the card is, how fast it copies and reads, and whether code can be compiled for it."""
    device = place.device
    yield {"torch": torch.__version__, "cuda": torch.version.cuda, "device": device.label}
    with contextlib.suppress(ImportError):
        yield {"triton": import_module("triton").__version__}
    yield {"free_gb": device.free_bytes / 1e9, "total_gb": device.total_bytes / 1e9}
    if device.on_card:
        about = torch.cuda.get_device_properties(device.device)
        yield {"capability": [about.major, about.minor], "multiprocessors": about.multi_processor_count}
        yield {"built_for": torch.cuda.get_arch_list()}
    copy_gb_s = bench._copy_gb_s(device)
    yield {"copy_gb_s": round(copy_gb_s, 1)}
    numbers = torch.ones(COLD_BYTES // (8 if device.on_card else 64), device=device.device)
    read_ms = _time(place, numbers.sum)
    yield {"read_gb_s": round(numbers.nbytes / read_ms / 1e6, 1)}
    began = time.perf_counter()
    trouble = compile_trouble(device)
    compile_s = time.perf_counter() - began
    yield {"compile_s": round(compile_s, 2), "compile_trouble": trouble}
    yield {"wrong": [trouble[0]] if trouble else []}
    yield {"summary": f"{device.label}, torch {torch.__version__}, copy {copy_gb_s:.0f} GB/s"}


# --- Right or wrong -----------------------------------------------------------------------------------


def check_mimi(place: Place) -> Iterator[Found]:
    """Compare both halves of Mimi as graphs with themselves: the small one, and one of the released shape."""
    from app.engine import device_checks

    small = build.load_mimi(_starter(), place.device.device)
    with no_cuda_graph() if place.dry else nullcontext():
        yield from _told([("starter", lambda: device_checks.check_mimi(small))])
    if not place.dry:
        torch.manual_seed(0)
        large = loaders.get_mimi(None, None, device=place.device.device, num_codebooks=8).eval()
        for name, each in large.named_buffers():
            # Vectors that were not learnt are all alike, and every code would be the first.
            if name.endswith("embedding_sum"):
                each.normal_()
        yield from _told([("released shape", lambda: device_checks.check_mimi(large))])


def check_mode(place: Place, mode: str) -> Iterator[Found]:
    """Hold kernels, logits and graphs of a mode at the widths of a 7B against what needs no trust."""
    from app.engine import device_checks

    device = place.device
    subject = device_checks.cut_model(place.shape, mode, device.device, device.dtype)
    ways: list[tuple[str, Callable[[], Finding]]] = []
    for kv in ("bf16", "int8"):
        ways += _ways(place, subject, kv)
    yield from _told(ways)


def _ways(place: Place, subject: Subject, kv: str) -> list[tuple[str, Callable[[], Finding]]]:
    from app.engine import device_checks

    ops = place.ops
    ways: list[tuple[str, Callable[[], Finding]]] = [
        (f"kernels, KV {kv}", lambda: device_checks.check_kernels(subject.ours, ops, kv)),
        (f"logits, KV {kv}", lambda: device_checks.check_logits(subject, ops, kv)),
    ]
    if place.device.on_card:
        ways.append((f"graph, KV {kv}", lambda: device_checks.check_graph(subject.ours, ops, kv)))
    return ways


def _told(ways: list[tuple[str, Callable[[], Finding]]]) -> Iterator[Found]:
    """Yield what checks find, and a summary."""
    wrong, seen = [], []
    for name, check in ways:
        finding = check()
        yield {name: asdict(finding)}
        seen.append(f"{name}: {finding.seen}")
        if finding.right is False:
            wrong.append(seen[-1])
        yield {"wrong": wrong, "summary": "; ".join(seen)}


def check_logits(place: Place) -> Iterator[Found]:
    """Hold the logits of a whole 7B against those of moshi's step on the same weights."""
    from app.engine import device_checks
    from app.engine.device_checks import Subject

    lm = place.random_lm()
    yield from _told([("logits", lambda: device_checks.check_logits(Subject(lm, lm), place.ops, "bf16"))])


# --- Time ---------------------------------------------------------------------------------------------


def measure_engine(place: Place, mode: str) -> Iterator[Found]:
    """Measure a frame beside moshi's own step; with keys and values in 8 bits, alone."""
    seen = []
    for kv in ("bf16", "int8")[: 1 if place.dry and mode != "bf16" else 2]:
        measured = bench.measure(
            "tiny" if place.dry else "7b",
            mode,
            DRY_BENCH_FRAMES if place.dry else BENCH_FRAMES,
            kv=kv,
            against="moshi" if kv == "bf16" else None,
            wish=str(place.device.device),
        )
        spreads = {name: each._asdict() for name, each in vars(measured).items() if isinstance(each, tuple)}
        yield {kv: asdict(measured) | spreads}
        beside = f", {measured.step_ratio} of moshi's" if measured.step_ratio is not None else ""
        seen.append(
            f"KV {kv}: {measured.step_ms.p50} ms{beside}, {measured.kernels_per_frame} kernels, "
            f"{measured.bandwidth_share:.0%} of a copy, {measured.whole_peak_gb} GB"
        )
        yield {"summary": "; ".join(seen)}
        place.clean()


class Call(NamedTuple):
    """One kind of call that the engine makes of its arithmetic."""

    method: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]


@dataclass
class Kinds:
    """An Ops that lets another one do the work, and keeps the last call of each kind, and their number."""

    ops: Any
    last: dict[str, Call] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget the calls until now."""
        self.last.clear()
        self.counts.clear()

    def __getattr__(self, method: str) -> Any:
        """Return a method of the other one that is watched."""
        own = getattr(self.ops, method)

        def call(*arguments: Any, **named: Any) -> Any:
            kind = " ".join([method, *_describe((*arguments, *named.values()))])
            self.last[kind] = Call(method, arguments, named)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            return own(*arguments, **named)

        return call if callable(own) else own


def measure_kernels(place: Place) -> Iterator[Found]:
    """Time each kind of call that a frame makes, with cold caches, and hold it against float64."""
    from app.engine.device_checks import cut_model

    wrong: list[str] = []
    rates: list[float] = []
    for mode, kv in (("bf16", "bf16"), ("int8", "int8"), ("int4", "int8")):
        device = place.device
        lm = cut_model(place.shape, mode, device.device, device.dtype).ours
        kinds = Kinds(place.ops)
        step = FrameStep(lm, cast(Ops, kinds), kv, captured=True)
        heard = torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long, device=device.device)
        with no_cuda_graph():
            # What is looked up in the frame that counts has to have been said before.
            for _ in range(FILLING_FRAMES):
                step.step(heard)
            kinds.forget()
            step.age(2 * step.context)
            step.step(heard)
        for kind, call in kinds.last.items():
            figures = _measure_call(place, call)
            name = f"{mode}, KV {kv}: {kind}"
            yield {name: {**figures, "in_a_frame_of_few_layers": kinds.counts[kind]}}
            if figures["bytes"] >= LARGE_BYTES or place.dry:
                rates.append(figures["gb_s"])
            if figures["error"] is not None and not figures["error"] <= figures["bound"]:
                wrong.append(f"{name} is off by {figures['error']:.2g}")
            yield {"wrong": wrong}
        del lm, step, kinds
        place.clean()
    seen = f"{len(rates)} kinds of large calls, {min(rates):.0f} to {max(rates):.0f} GB/s"
    yield {"summary": f"{seen}, {median(rates):.0f} in the median"}


def _measure_call(place: Place, call: Call) -> Found:
    method = getattr(place.ops, call.method)
    size = sum(each.nbytes for each in _tensors((*call.arguments, *call.named.values())))
    arguments, named = _copied(call.arguments, None), _copied(call.named, None)
    error, bound = None, None
    if callable(reference := getattr(Plain(), call.method, None)):
        exact = reference(*_copied(call.arguments, torch.float64), **_copied(call.named, torch.float64))
        found = method(*arguments, **named)
        if isinstance(exact, Tensor) and exact.is_floating_point():
            error = float((found.double() - exact).norm() / exact.norm().clamp(min=1e-30))
            # Keys and values in 8 bits are rounded on both sides alike.
            bound = torch.finfo(found.dtype).eps + ROUNDING
    ms = _time(place, lambda: method(*arguments, **named))
    rates = {"us": round(1000 * ms, 2), "bytes": size, "gb_s": round(size / ms / 1e6, 1)}
    return {**rates, "error": error, "bound": bound}


def _time(place: Place, call: Callable[[], object]) -> float:
    """Return the median ms of a call, by the card's own clock and with nothing of it in a cache."""
    taken = []
    on_card = place.device.on_card
    cold = torch.empty(COLD_BYTES if on_card else 0, dtype=torch.int8, device=place.device.device)
    for _ in range(TIMES + 3 if on_card else 3):
        if not on_card:
            began = time.perf_counter()
            call()
            taken.append(1000 * (time.perf_counter() - began))
            continue
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        cold.zero_()
        first.record()
        call()
        last.record()
        last.synchronize()
        taken.append(first.elapsed_time(last))
    return median(taken[3:] if on_card else taken)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in the arguments of a call, each once."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Table):
        # A few rows of it are looked at.
        return
    elif isinstance(value, nn.Module):
        yield from value.state_dict().values()
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)


def _describe(value: Any) -> Iterator[str]:
    """Yield words for what makes a call of another kind: sizes and types, not numbers."""
    if isinstance(value, Tensor):
        yield "x".join(map(str, value.shape)) + str(value.dtype).removeprefix("torch.").replace("float", "f")
    elif isinstance(value, nn.Module):
        bits = value.bits if isinstance(value, QuantizedLinear) else "whole"
        yield f"{getattr(value, 'in_features', '')}->{getattr(value, 'out_features', '')} in {bits}"
    elif isinstance(value, (tuple, list)):
        inner = " ".join(word for each in value for word in _describe(each))
        yield f"({inner})"


def _copied(value: Any, dtype: torch.dtype | None) -> Any:
    """Return the arguments of a call once more, real numbers in a type if one is named."""
    if isinstance(value, Tensor):
        return value.to(dtype, copy=True) if dtype and value.is_floating_point() else value.clone()
    if isinstance(value, nn.Module):
        return value if dtype is None else _exact(value, dtype)
    if isinstance(value, dict):
        return {name: _copied(each, dtype) for name, each in value.items()}
    if isinstance(value, Ring) and value.scale is not None:
        return Ring(value.numbers.clone(), value.scale.clone())
    if isinstance(value, tuple):
        parts = [_copied(each, dtype) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _exact(linear: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Return a linear layer in a type, whatever its weight is kept in."""
    weight = linear.dequantize() if isinstance(linear, QuantizedLinear) else cast(Tensor, linear.weight)
    twin = nn.Linear(weight.shape[1], weight.shape[0], bias=linear.bias is not None, device="meta")
    twin.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    if isinstance(linear.bias, Tensor):
        twin.bias = nn.Parameter(linear.bias.to(dtype), requires_grad=False)
    return twin


# --- Talks --------------------------------------------------------------------------------------------


def compare_tokens(place: Place) -> Iterator[Found]:
    """Find from which frame on the likeliest tokens of a talk differ from those of moshi without graphs."""
    found, wrong, seen = _starter(), [], []
    frames = DRY_TOKEN_FRAMES if place.dry else TOKEN_FRAMES
    types = (torch.float32,) if place.dry else (torch.float32, torch.bfloat16)
    for dtype in types:
        said: dict[str, list[list[int]]] = {}
        for name, (make, guard) in _talkers(place).items():
            device = place.device.device
            lm = build.load_lm(build.prove(found), device, dtype, lambda *_: None)
            with guard():
                said[name] = _talk(make(lm), lm, frames)
            place.clean()
        reference = said["moshi"]
        for name, tokens in said.items():
            pairs = zip(tokens, reference, strict=True)
            same = next((at for at, (one, other) in enumerate(pairs) if one != other), len(reference))
            key = f"{name} in {str(dtype).removeprefix('torch.')}"
            yield {key: f"equal for {same} of {len(reference)} frames"}
            seen.append(f"{key}: {same} of {len(reference)}")
            # In bfloat16 the likeliest of two that are nearly alike may be the other one.
            if same < len(reference) and dtype == torch.float32:
                wrong.append(seen[-1])
            yield {"wrong": wrong, "summary": "; ".join(seen)}


Make = Callable[[LMModel], Stepper]


def _talkers(place: Place) -> dict[str, tuple[Make, Callable[[], AbstractContextManager[Any]]]]:
    """Return what talks, each with what it talks within; the first needs no trust."""
    ops = place.ops
    talkers: dict[str, tuple[Make, Callable[[], AbstractContextManager[Any]]]] = {
        "moshi": (MoshiStepper, no_cuda_graph),
        "ours": (lambda lm: FrameStep(lm, ops, captured=False), nullcontext),
        "ours with a mask": (lambda lm: FrameStep(lm, ops, captured=True), no_cuda_graph),
    }
    if place.device.on_card:
        talkers["moshi captured"] = (MoshiStepper, nullcontext)
        talkers["ours captured"] = (lambda lm: FrameStep(lm, ops, captured=True), nullcontext)
        talkers["ours in plain torch"] = (lambda lm: FrameStep(lm, Plain(), captured=False), nullcontext)
    return talkers


def _talk(step: Stepper, lm: LMModel, frames: int) -> list[list[int]]:
    """Return the tokens that are said to made-up codes."""
    chance = torch.Generator().manual_seed(1)
    step.set_sampling(Sampling(greedy=True))
    said = []
    for _ in range(frames):
        heard = torch.randint(lm.card, (1, lm.n_q - lm.dep_q, 1), generator=chance).to(lm.device)
        if (tokens := step.step(heard)) is not None:
            said.append(tokens[0, :, 0].tolist())
    step.close()
    return said


def change_sampling(place: Place) -> Iterator[Found]:
    """Find how often a talk in which sampling changes is captured anew, and what a change costs."""
    wrong, seen = [], []
    makes: dict[str, Make] = {"ours": lambda lm: FrameStep(lm, place.ops), "moshi": MoshiStepper}
    for name, make in makes.items():
        lm = bench.random_lm(
            tiny_config(bench.TINY_TEXT_CARD), "bf16", place.device.device, place.device.dtype
        )
        step = make(lm)
        # Set before the first frame, as a model does whose makers recommend another sampling.
        step.set_sampling(Sampling(text_temperature=0.9, audio_temperature=0.7))
        heard = torch.zeros(1, lm.n_q - lm.dep_q, 1, dtype=torch.long, device=lm.device)
        calm = [_time_frame(step, heard) for _ in range(12)][6:]
        with _counted_captures() as captures:
            changed = []
            for sampling in CHANGES:
                step.set_sampling(sampling)
                changed += [_time_frame(step, heard) for _ in range(2)]
        step.close()
        figures = {"captures": len(captures), "frame_ms": median(calm), "slowest_changed_ms": max(changed)}
        yield {name: figures}
        if name == "ours" and captures:
            wrong.append(f"{len(captures)} captures for {len(CHANGES)} changes of sampling")
        seen.append(f"{name}: {len(captures)} captures, {max(changed):.1f} ms at most")
        yield {"wrong": wrong, "summary": "; ".join(seen)}


def _time_frame(step: Stepper, heard: Tensor) -> float:
    began = time.perf_counter()
    if (said := step.step(heard)) is not None:
        said.cpu()
    return 1000 * (time.perf_counter() - began)


@contextlib.contextmanager
def _counted_captures() -> Iterator[list[object]]:
    """Let every capture of a CUDA graph be noted."""
    noted: list[object] = []
    enter = torch.cuda.graph.__enter__

    def note(self: Any) -> Any:
        noted.append(self)
        return enter(self)

    cast(Any, torch.cuda.graph).__enter__ = note
    try:
        yield noted
    finally:
        cast(Any, torch.cuda.graph).__enter__ = enter


def load_models(place: Place) -> Iterator[Found]:
    """Load the model that comes with the program as the program does, and time frames from sound to sound."""
    from app.engine.model import load_model

    seen = []
    ways = {"auto": Loadout(), "fast": Loadout(engine="fast"), "int8": Loadout(mode="int8")}
    for name, loadout in ways.items():
        events: list[Event] = []
        began = time.perf_counter()
        wish = Loadout(mode=loadout.mode, engine=loadout.engine, device=str(place.device.device))
        model = load_model("starter", events.append, loadout=wish)
        load_s = time.perf_counter() - began
        sound = np.zeros(FRAME_SAMPLES, np.float32)
        times = []
        for _ in range(20 if place.dry else 100):
            began = time.perf_counter()
            model.step(sound)
            times.append(1000 * (time.perf_counter() - began))
        model.close()
        (ready,) = (event for event in events if isinstance(event, Ready))
        p50, p99 = (round(float(each), 2) for each in np.percentile(times, (50, 99)))
        said = [f"{event.sentence} {event.advice}" for event in events if isinstance(event, Trouble)]
        figures = {"load_s": round(load_s, 2), "p50_ms": p50, "p99_ms": p99, "said": said}
        yield {name: asdict(ready) | figures}
        seen.append(f"{name}: loaded in {load_s:.1f} s, {p50} ms a frame in {ready.mode}")
        yield {"summary": "; ".join(seen)}
        place.clean()


def measure_training(place: Place) -> Iterator[Found]:
    """Measure a step of training, small models on a card."""
    if find_spec("pyarrow") is None:
        yield {"summary": "left out: PyArrow is not installed"}
        return
    from training import bench as training_bench

    line = ["--config", "small", "--seconds", "40", "--steps", "5", "--json"]
    if place.dry:
        line = ["--config", "tiny", "--seconds", "4", "--steps", "1", "--no-compile", "--json"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), torch.enable_grad():
        training_bench.main(line)
    measured = json.loads(said.getvalue().splitlines()[-1])
    yield {"measured": measured}
    yield {"summary": f"{measured['audio_s_per_s']:.1f} s of dialogue a second, {measured['peak_gb']} GB"}


def _starter() -> checkpoint.Checkpoint:
    """Return the model that comes with the program."""
    return checkpoint.find("starter", models=paths(Path(".gpu_check")).models, reach="never")


_STEPS: dict[str, Callable[..., Iterator[Found]]] = {
    "env": look_at_machine,
    "mimi": check_mimi,
    "check": check_mode,
    "engine": measure_engine,
    "kernels": measure_kernels,
    "tokens": compare_tokens,
    "sampling": change_sampling,
    "logits": check_logits,
    "load": load_models,
    "train": measure_training,
}

if __name__ == "__main__":
    sys.exit("Run gpu_check.py, which runs this.")
