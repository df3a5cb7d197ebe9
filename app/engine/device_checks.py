"""The checks of a device: kernels, graphs and logits of our engine against what needs no trust, and its time.

Each takes modules in memory and returns a Finding; torch and moshi are all that they need. Knows nothing
about files, processes or what follows from a finding.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from moshi.models import LMModel, MimiModel, loaders
from moshi.models import lm as moshi_lm
from moshi.utils.compile import CUDAGraphed, no_cuda_graph
from torch import Tensor

from app.commands.bench.engine import random_lm
from app.engine import modes
from app.engine.compared import FLOAT32_BOUND, Compared, Worst
from app.engine.device_record import GRAPH, KERNELS, LOGITS, MIMI, MOSHI, SPEED, Finding, kept_ms
from app.engine.events import Sampling
from app.engine.fast.frame import FrameStep
from app.engine.fast.layers import Ops, Ring
from app.engine.fast.plain import Plain
from app.engine.fast.quantized import QuantizedEmbedding, QuantizedLinear
from app.engine.fast.sampling import Sampler
from app.engine.in_place import keep_in_place
from app.engine.stepper import MoshiStepper, Stepper
from app.frames import FRAME_SAMPLES
from app.memory_plan import WHOLE

CUT_LAYERS, CUT_DEPTH_LAYERS = 2, 1
"""So many layers have all the shapes that a model has; more of them would only take memory."""

TIMED_FRAMES = 50
LEAST_FRAMES, TIMED_MS = 3, 5_000
"""A large model on a processor takes a second for a frame: then fewer have to do."""

WARM_UP_FRAMES = 8

PLAIN_ROUNDINGS = 4
"""Plain torch rounds after a norm, a product, an activation and a gate."""

LOGITS_EPS = 8
"""Logits of a cut model may differ by so many units in the last place of the type: both sides round after
each of a dozen operations, and such errors grow with the root of their number; 3 were seen."""

CODES_EQUAL = 0.98
"""Of Mimi's codes so many have to be equal: a vector between two codes may go either way, whereas a graph
that reads a dead tensor leaves a third of them right."""

SOUND_BOUND = 1e-2
"""By so much of its level Mimi's sound may differ."""

FREE_FRAMES = 20
"""Frames in which both engines say what is likeliest to them."""

FORCED_FRAMES = 6
"""Frames in which both engines are told what to say, so that they have the same before them."""


class Subject(NamedTuple):
    """What is checked."""

    ours: LMModel
    """As our own step takes it, packed or not."""
    whole: LMModel
    """The same numbers in whole weights, as moshi's step takes them; the same model where none are packed."""


# --- The model that stands for a large one ------------------------------------------------------------


def cut_model(config: dict[str, Any], mode: str, device: torch.device, dtype: torch.dtype) -> Subject:
    """Return a model of the widths of another, with few layers of random weights, and its twin in whole."""
    return with_twin(cut_lm(config, mode, device, dtype), config, mode)


def cut_lm(config: dict[str, Any], mode: str, device: torch.device, dtype: torch.dtype) -> LMModel:
    """Return a model of the widths of another, with few layers of random weights."""
    ours = random_lm(cut_config(config), mode, device, dtype)
    _roughen(ours)
    return ours


def cut_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model with few layers."""
    return {
        **config,
        "num_layers": min(CUT_LAYERS, int(config["num_layers"])),
        "depformer_num_layers": min(CUT_DEPTH_LAYERS, int(config["depformer_num_layers"])),
    }


def with_twin(ours: LMModel, config: dict[str, Any], mode: str) -> Subject:
    """Return a cut model beside the same numbers in whole weights."""
    if mode == WHOLE:
        return Subject(ours, ours)
    whole = random_lm(cut_config(config), WHOLE, ours.device, ours.dtype)
    _copy_unpacked(ours, whole)
    return Subject(ours, whole)


def _roughen(lm: LMModel) -> None:
    """Let norms, scales and biases differ from one, so that what leaves them out is seen."""
    for seed, (name, each) in enumerate(lm.named_parameters()):
        if each.dim() != 2 and not name.endswith("row_scale"):
            chance = torch.Generator(each.device).manual_seed(seed)
            each.data.copy_(0.5 + torch.rand(each.shape, generator=chance, device=each.device))


def _copy_unpacked(packed: LMModel, into: LMModel) -> None:
    """Give a whole model the numbers of a packed one of the same shape."""
    whole = dict(into.named_parameters())
    for name, each in packed.named_parameters():
        if name in whole and whole[name].shape == each.shape:
            whole[name].data.copy_(each.data)
    for name, module in packed.named_modules():
        if isinstance(module, QuantizedLinear):
            whole[f"{name}.weight"].data.copy_(module.dequantize())
        elif isinstance(module, QuantizedEmbedding):
            whole[f"{name}.weight"].data.copy_(module.weight * module.row_scale[:, None])


def lengthen(cut: LMModel, config: dict[str, Any], mode: str) -> LMModel:
    """Return a model of all layers that share the weights of a cut one: it takes the time of the real one.

    Weights that are read again after a few layers do not stay in the caches of a card but for those of the
    depth transformer, which are a twelfth of all; both engines have that gain.
    """
    with torch.device("meta"):
        whole = loaders.get_moshi_lm(None, dict(config), device="meta", dtype=cut.dtype)
    modes.keep_in(whole, mode)
    have = cut.state_dict()
    state = {name: have[_short_name(name)] for name in whole.state_dict()}
    whole.load_state_dict(state, assign=True)
    return cast(LMModel, whole.requires_grad_(False).eval())


def _short_name(name: str) -> str:
    """Return the name in a cut model of what stands for a tensor of the whole one."""
    for stack, layers in (("transformer.layers.", CUT_LAYERS), ("depformer.layers.", CUT_DEPTH_LAYERS)):
        if name.startswith(stack):
            number, _, rest = name.removeprefix(stack).partition(".")
            return f"{stack}{int(number) % layers}.{rest}"
    return name


# --- Kernels ------------------------------------------------------------------------------------------


@torch.no_grad()
def check_kernels(lm: LMModel, ops: Ops, kv: str) -> Finding:
    """Hold every call of a frame against float32, with the ring empty, half full, full, and gone round."""
    compared = Compared(ops, roundings=PLAIN_ROUNDINGS if isinstance(ops, Plain) else 1)
    step = FrameStep(lm, compared, kv, captured=True)
    step.set_sampling(Sampling(repetition_penalty=1.3))
    torch.manual_seed(0)
    with no_cuda_graph():
        _run(step, lm, 2)
        for ring in step.rings:
            _fill(ring)
        for age in (step.context // 2, step.context - 1, step.context, 2 * step.context + 3):
            step.age(age)
            _run(step, lm, 1)
    return _judge_kernels(compared.worst)


def _fill(ring: Ring) -> None:
    """Let a ring hold random keys and values of the size that norms and projections give them."""
    if ring.scale is None:
        ring.numbers.normal_()
    else:
        ring.numbers.random_(-127, 128)
        ring.scale.uniform_(0.01, 0.03)


def _judge_kernels(worst: dict[str, Worst]) -> Finding:
    figures = {
        name: {"error": _rounded(each.error), "bound": _rounded(each.bound), "calls": each.calls}
        for name, each in worst.items()
    }
    wrong = [name for name, each in worst.items() if not each.right]
    if not wrong:
        return Finding(KERNELS, True, f"{len(worst)} kinds of calls are right", figures)
    # Of tokens none may be wrong: there the bound is nothing.
    first = max(wrong, key=lambda name: worst[name].error / max(worst[name].bound, sys.float_info.min))
    off = worst[first]
    seen = f"the kernel “{first}” is off by {100 * off.error:.2g} %, and {100 * off.bound:.2g} % are allowed"
    return Finding(KERNELS, False, seen, figures)


# --- Logits -------------------------------------------------------------------------------------------


class _Script:
    """Says the same tokens whatever is expected, and notes what was expected."""

    def __init__(self, lm: LMModel) -> None:
        self.logits: list[Tensor] = []
        chance = torch.Generator().manual_seed(3)
        count = FORCED_FRAMES * (1 + lm.dep_q)
        most = min(lm.card, lm.text_card)
        self._tokens = torch.randint(most, (count,), generator=chance).tolist()

    def draw(self, logits: Tensor, *_: object) -> Tensor:
        """Return the next token [*] for logits [*, card]."""
        token = self._tokens[len(self.logits)]
        self.logits.append(logits.float().flatten().clone())
        return torch.full(logits.shape[:-1], token, device=logits.device)


@contextmanager
def _drawn_by(script: _Script) -> Iterator[None]:
    """Let moshi's step say what a script says."""
    draw = moshi_lm.sample_token
    moshi_lm.sample_token = script.draw
    try:
        yield
    finally:
        moshi_lm.sample_token = draw


class _ForcedStep(FrameStep):
    """Our step with a script in the place of chance."""

    script: _Script

    def _draw(self, logits: Tensor, sampler: Sampler, stream: int) -> Tensor:
        return self.script.draw(logits)[0, 0]


@torch.no_grad()
def check_logits(subject: Subject, ops: Ops, kv: str) -> Finding:
    """Hold the logits of each head against those of moshi's own step, which is told to say the same."""
    ours = _ForcedStep(subject.ours, ops, kv, captured=True)
    ours.script, theirs = _Script(subject.ours), _Script(subject.whole)
    with no_cuda_graph(), _drawn_by(theirs):
        _run(ours, subject.ours, FORCED_FRAMES)
        moshi = MoshiStepper(subject.whole)
        try:
            _run(moshi, subject.whole, FORCED_FRAMES)
        finally:
            moshi.close()
    errors = [relative_norm(*pair) for pair in zip(ours.script.logits, theirs.logits, strict=True)]
    return _judge_logits(errors, subject, kv, _count_equal(subject, ops, kv))


def _count_equal(subject: Subject, ops: Ops, kv: str) -> int:
    """Return for how many frames both engines, left to themselves, say the same from the first on."""
    moshi = MoshiStepper(subject.whole)
    said = []
    with no_cuda_graph(), ExitStack() as life:
        life.callback(moshi.close)
        for step, lm in (
            (FrameStep(subject.ours, ops, kv, captured=True), subject.ours),
            (moshi, subject.whole),
        ):
            step.set_sampling(Sampling(greedy=True))
            said.append(_run(step, lm, FREE_FRAMES))
    pairs = list(zip(*said, strict=True))
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))


def relative_norm(found: Tensor, expected: Tensor) -> float:
    """Return the relative error of a vector by its norm."""
    return float((found - expected).norm() / expected.norm().clamp(min=torch.finfo(torch.float32).tiny))


def _judge_logits(errors: Sequence[float], subject: Subject, kv: str, equal: int) -> Finding:
    """Judge logits by their errors, and tokens where nothing is rounded that could tip the likeliest over."""
    lm, whole = subject.ours, kv == "bf16" and subject.ours.dtype == torch.float32
    heads = 1 + lm.dep_q
    # Errors of layers are independent of each other, and add up as the root of their number.
    depth = math.sqrt(max(1.0, len(lm.transformer.layers) / CUT_LAYERS))
    bound = max(LOGITS_EPS * depth * torch.finfo(lm.dtype).eps, FLOAT32_BOUND)
    if kv != "bf16":
        # Keys and values in 8 bits are rounded to 1/127 of the largest: a loss that is known and wished for.
        bound = max(bound, depth * 8 / 127)
    worst = max(errors, key=lambda error: error if math.isfinite(error) else math.inf)
    figures = {
        "frames": FORCED_FRAMES,
        "text": _rounded(max(errors[::heads])),
        "codes": _rounded(max(error for at, error in enumerate(errors) if at % heads)),
        "bound": _rounded(bound),
        "tokens_equal": f"{equal} of {FREE_FRAMES} frames",
    }
    if worst <= bound and whole and equal < FREE_FRAMES:
        seen = f"the tokens are those of moshi's own step for {equal} frames only"
        return Finding(LOGITS, False, seen, figures)
    if worst <= bound:
        return Finding(LOGITS, True, "the logits are those of moshi's own step", figures)
    seen = f"the logits differ from those of moshi's own step by {100 * worst:.2g} %"
    return Finding(LOGITS, False, seen, figures)


# --- Graphs -------------------------------------------------------------------------------------------

_CHANGES = (
    Sampling(text_temperature=1.1, audio_temperature=0.9),
    Sampling(audio_top_k=100, text_top_k=40, repetition_penalty=1.3),
    Sampling(greedy=True, repetition_frames=9),
    Sampling(),
)
"""What a talk changes; all but the memory of the penalty within one graph."""

_FRAMES_EACH = 6


@torch.no_grad()
def check_graph(lm: LMModel, ops: Ops, kv: str) -> Finding:
    """Compare tokens of a captured frame with those of one that is not, over changes, a reset, a wrap."""
    said = []
    for guard in (nullcontext(), no_cuda_graph()):
        step = FrameStep(lm, ops, kv, captured=True)
        torch.manual_seed(1)
        with cast("AbstractContextManager[None]", guard):
            said.append(_tokens_over_changes(step, lm))
        del step
        gc.collect()
    wrong = sum(one != other for one, other in zip(*said, strict=True))
    figures = {"frames": len(said[0]), "different": wrong}
    if not wrong:
        return Finding(GRAPH, True, "a captured frame says what it says uncaptured", figures)
    seen = f"a frame replayed as a CUDA graph says something else in {wrong} of {len(said[0])} frames"
    return Finding(GRAPH, False, seen, figures)


def _tokens_over_changes(step: FrameStep, lm: LMModel) -> list[list[int]]:
    said = []
    for sampling in _CHANGES:
        step.set_sampling(sampling)
        said += _run(step, lm, _FRAMES_EACH)
    step.reset()
    said += _run(step, lm, _FRAMES_EACH)
    # The ring wraps in the middle of these.
    step.age(step.context - _FRAMES_EACH // 2)
    return said + _run(step, lm, _FRAMES_EACH)


@torch.no_grad()
def check_mimi(mimi: MimiModel, frames: int = 24) -> Finding:
    """Compare codes and sound of Mimi's halves, each one graph, with those of the same halves as they are."""
    plain, captured = (_hear_and_say(mimi, frames, graphs=graphs) for graphs in (False, True))
    equal = float((plain[0] == captured[0]).float().mean())
    sound = relative_norm(captured[1], plain[1])
    figures = {"frames": frames, "codes_equal": round(equal, 4), "sound_error": _rounded(sound)}
    if equal >= CODES_EQUAL and sound <= SOUND_BOUND:
        return Finding(MIMI, True, "Mimi hears and says the same in graphs", figures)
    seen = f"Mimi in CUDA graphs hears {100 * equal:.0f} % of the codes and says {100 * sound:.2g} % else"
    return Finding(MIMI, False, seen, figures)


def _hear_and_say(mimi: MimiModel, frames: int, *, graphs: bool) -> tuple[Tensor, Tensor]:
    """Return codes [T, K], and sound [T, 1920] of given codes, with a reset after the first as in a talk."""
    device = next(mimi.parameters()).device
    chance = torch.Generator().manual_seed(4)
    loudness = torch.rand(frames, generator=chance) * 0.3
    heard = loudness[:, None] * torch.randn(frames, FRAME_SAMPLES, generator=chance)
    told = torch.randint(mimi.cardinality, (frames, 1, mimi.num_codebooks, 1), generator=chance)
    codes, sound = [], []
    with mimi.streaming(1), nullcontext() if graphs else no_cuda_graph():
        keep_in_place(mimi)
        encode, decode = (CUDAGraphed(half, disable=not graphs) for half in (mimi.encode, mimi.decode))
        for at, (frame, saying) in enumerate(zip(heard.to(device), told.to(device), strict=True)):
            codes.append(encode(frame[None, None])[0, :, 0].clone())
            if at in (0, frames // 2):
                mimi.reset_streaming()
            sound.append(decode(saying)[0, 0].clone())
    return torch.stack(codes), torch.stack(sound)


# --- Time ---------------------------------------------------------------------------------------------


@torch.no_grad()
def check_speed(lm: LMModel, ops: Ops, kv: str) -> Finding:
    """Time frames of our own step with a full ring."""
    step = FrameStep(lm, ops, kv)
    heard = _heard(lm)
    _time(step, heard, WARM_UP_FRAMES)
    step.age(2 * step.context)
    _time(step, heard, WARM_UP_FRAMES)
    return _timed(SPEED, _time(step, heard, TIMED_FRAMES))


@torch.no_grad()
def check_moshi(lm: LMModel, *, warm_up_frames: int = WARM_UP_FRAMES) -> Finding:
    """Time frames of moshi's own step; on a card it attends to the whole ring from the first frame on."""
    step = MoshiStepper(lm)
    heard = _heard(lm)
    with ExitStack() as life:
        life.callback(step.close)
        _time(step, heard, warm_up_frames)
        return _timed(MOSHI, _time(step, heard, TIMED_FRAMES))


def _timed(name: str, times_ms: list[float]) -> Finding:
    median = kept_ms(times_ms)
    slowest = max(times_ms)
    figures = {"ms": median, "slowest_ms": round(slowest, 2), "frames": len(times_ms)}
    return Finding(name, True, f"a frame of the language model takes {median} ms", figures)


def _time(step: Stepper, heard: Tensor, frames: int) -> list[float]:
    """Return what each frame took in ms, until its tokens were at hand; fewer where they take too long."""
    taken: list[float] = []
    while len(taken) < frames and (len(taken) < LEAST_FRAMES or sum(taken) < TIMED_MS):
        began = time.perf_counter()
        if (said := step.step(heard)) is not None:
            said.cpu()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


# --- What the checks have in common -------------------------------------------------------------------


def _run(step: Stepper, lm: LMModel, frames: int) -> list[list[int]]:
    """Return the tokens that are said to made-up codes, [] while the delays fill."""
    chance = torch.Generator().manual_seed(5)
    said = []
    for _ in range(frames):
        heard = torch.randint(lm.card, (1, lm.n_q - lm.dep_q, 1), generator=chance).to(lm.device)
        tokens = step.step(heard)
        said.append([] if tokens is None else tokens[0, :, 0].tolist())
    return said


def _heard(lm: LMModel) -> Tensor:
    chance = torch.Generator().manual_seed(2)
    return torch.randint(lm.card, (1, lm.n_q - lm.dep_q, 1), generator=chance).to(lm.device)


def _rounded(error: float) -> float | str:
    """Return a number of two digits; JSON has no word for what is none."""
    return float(f"{error:.2g}") if error < float("inf") else str(error)
