"""The training loop: steps over examples, judged now and then, kept in checkpoints, on one process or many.

Everything that several processes share is asked of Accelerate. Knows nothing about the command line; the run
folder and the events are given.
"""

from __future__ import annotations

import math
import resource
import signal
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

import torch
from accelerate import Accelerator
from moshi.models import LMModel
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from app.errors import UserError
from app.frames import seconds
from training import checkpoint, zero
from training.base import Learner
from training.config import Config
from training.examples import Examples, Window, choose
from training.generation import continue_dialogues
from training.judge import Best, Judge
from training.loss import NO_TARGET, LossWeights, compute_loss, count_weights
from training.record import Record, Silence

LEARNING_FLOOR = 0.1
"""The cosine ends at this share of the learning rates."""


SPEED_STEPS = 21
"""How many steps tell how long the rest will take."""


class Trainee(nn.Module):
    """A language model behind one `forward`, since shares of a model (FSDP2) are only whole inside of it."""

    def __init__(self, lm: LMModel, weights: LossWeights, chunk_frames: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.lm = lm
        # Here and not by Accelerate, which has other ways for shares, that round the loss itself.
        self._mixed = partial(torch.autocast, dtype=dtype, enabled=dtype != torch.float32)
        self._weights = weights
        self._chunk_frames = chunk_frames

    def forward(
        self, codes: Tensor, share: Tensor | None = None, generate: dict[str, Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (loss, sums) of codes [B, K, T], or (tokens, tokens) where they are to be continued.

        The loss is this batch's part of that of a larger one, whose text and audio weigh `share`, [2]. The
        sums, [2 + streams, 2], are total and weight of text and audio as they count, then of each stream.
        """
        with self._mixed(codes.device.type):
            if generate is not None:
                tokens = continue_dialogues(self.lm, codes, **generate)
                return tokens, tokens
            loss = compute_loss(self.lm, codes, self._weights, chunk_frames=self._chunk_frames)
        means = (loss.text, loss.audio, *loss.streams.values())
        sums = torch.stack([torch.stack((mean.total.detach(), mean.weight)) for mean in means])
        if share is None:
            return loss.value, sums
        least = torch.finfo(share.dtype).tiny
        text, audio = share.clamp(min=least)
        return loss.text.total / text + loss.audio.total / audio, sums

    def count(self, codes: Tensor) -> Tensor:
        """Return what text and audio of a batch weigh, [2]."""
        return torch.stack(count_weights(self.lm, codes, self._weights))


@dataclass
class Work:
    """What a process trains with."""

    config: Config
    accelerator: Accelerator
    learner: Learner
    model: nn.Module
    """The Trainee, as Accelerate has prepared it."""
    trainee: Trainee
    optimizer: Any
    train: Examples
    held_out: Examples
    judge: Judge
    best: Best
    record: Record | Silence
    fixed_frames: int | None = None
    """The length that each batch is filled up to, where a compiled model wants one."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one step tells."""

    losses: dict[str, float]
    gradient_norm: float
    audio_s: float
    data_s: float
    step_s: float


def train(work: Work, first: int) -> tuple[str, str]:
    """Train from step `first` (done) on; return the state of the run and, where it ended early, why.

    Raises UserError; what was written until then stays.
    """
    config, every, emit = work.config, work.config.evaluation.every_steps, work.record.emit
    speed = _Speed(config.steps - first)
    step = first
    with _stopping() as stop:
        if first == 0:
            _judge(work, 0)
        while step < config.steps:
            figures = take_step(work, step)
            step += 1
            speed.add(figures)
            emit({"kind": "step", "step": step, **_step_event(work, figures, speed)})
            stopped = _any(work.accelerator, stop.is_set())
            last = step == config.steps
            if not (stopped or last or step % every == 0):
                continue
            if last or step % every == 0:
                _judge(work, step)
            _keep(work, step)
            if stopped and not last:
                return "stopped", ""
            if 0 < config.evaluation.patience <= work.best.waited and not last:
                waited = f"The held-out loss has not fallen for {work.best.waited} evaluations"
                return "finished", f"{waited}; the best is step {work.best.step}."
    return "finished", ""


def take_step(work: Work, step: int) -> Figures:
    """Learn from the examples of one step (from 0), on all processes together.

    The loss is the mean over all of them, however shared out. Raises UserError where it is no number.
    """
    began = time.perf_counter()
    accelerator, config = work.accelerator, work.config
    chosen = choose(len(work.train.windows), config.batch.examples, config.seed, step)
    windows = [work.train.windows[index] for index in chosen]
    batches = _share_out(work, windows)
    share = accelerator.reduce(sum(work.trainee.count(codes) for codes in batches), reduction="sum")
    data_s = time.perf_counter() - began
    sums: Tensor | float = 0.0
    _set_rates(work.optimizer, config, step)
    for number, codes in enumerate(batches):
        last = number == len(batches) - 1
        with nullcontext() if last else accelerator.no_sync(work.model):
            loss, part = work.model(codes, share)
            # Gradients of several processes are averaged; what is wanted is their sum.
            if zero.is_used(accelerator):
                zero.backward(work.model, loss * accelerator.num_processes, last=last)
            else:
                accelerator.backward(loss * accelerator.num_processes)
        sums = sums + part
    losses = _losses(accelerator.reduce(sums, reduction="sum"), work)
    if zero.is_used(accelerator):
        norm = zero.step(work.model)
    else:
        norm = _whole(accelerator.clip_grad_norm_(work.model.parameters(), config.optimizer.clip))
    if not (math.isfinite(losses["loss"]) and math.isfinite(norm)):
        names = ", ".join(sorted({work.train.name(window) for window in windows}))
        raise UserError(
            f"The loss of step {step + 1} is not a number; it learnt from {names}.",
            "Look at these dialogues, or lower the learning rates; the checkpoints until then are good.",
        )
    work.optimizer.step()
    work.optimizer.zero_grad(set_to_none=True)
    audio_s = seconds(sum(window.frames for window in windows))
    return Figures(losses, norm, audio_s, data_s, time.perf_counter() - began)


def _whole(norm: Tensor) -> float:
    """Return a norm that each process may hold a share of."""
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def _share_out(work: Work, windows: list[Window]) -> list[Tensor]:
    """Return this process's batches of a step, on its device, all of the same number everywhere."""
    accelerator = work.accelerator
    mine = _mine(work, windows)
    return [work.train.stack(batch, work.fixed_frames).to(accelerator.device) for batch in mine]


def _mine(work: Work, windows: list[Window]) -> list[list[Window]]:
    """Return this process's batches; each is one that a single process would have, filled up alike."""
    size, accelerator = work.config.batch.size, work.accelerator
    batches = [windows[at : at + size] for at in range(0, len(windows), size)]
    return batches[accelerator.process_index :: accelerator.num_processes]


def _losses(sums: Tensor, work: Work) -> dict[str, float]:
    """Return the loss and those of the streams from their sums, [2 + streams, 2]."""
    text, audio, *streams = (total / weight if weight else 0.0 for total, weight in sums.tolist())
    names = ("text", "semantic", "acoustic", "user")
    return {"loss": text + audio, **dict(zip(names, streams, strict=False))}


def _set_rates(optimizer: Any, config: Config, step: int) -> None:
    """Warm the learning rates up, then let them fall: by the step alone, so that nothing is to be kept."""
    warm = min(1.0, (step + 1) / max(1, config.optimizer.warmup_steps))
    factor = warm
    if config.optimizer.decay == "cosine":
        done = max(0, step - config.optimizer.warmup_steps) / max(
            1, config.steps - config.optimizer.warmup_steps
        )
        factor = warm * (LEARNING_FLOOR + (1 - LEARNING_FLOOR) * (1 + math.cos(math.pi * min(1.0, done))) / 2)
    rates = {"temporal": config.optimizer.lr_temporal, "depth": config.optimizer.lr_depth}
    for group in optimizer.param_groups:
        group["lr"] = rates[group["name"]] * factor


def _judge(work: Work, step: int) -> None:
    """Judge the model by what was kept aside and by a sample of its speech, and say what is amiss."""
    emit, folder = work.record.emit, work.record.folder
    losses = held_out_losses(work) if work.held_out.windows else {}
    figures, sample = work.judge.sample(work.model, work.accelerator, folder, step)
    is_best = bool(losses) and work.best.take(step, losses["loss"])
    if losses or figures:
        emit({"kind": "evaluation", "step": step, **losses, **figures, "best": is_best, "sample": sample})
    for sentence, advice in work.judge.warnings(figures):
        emit({"kind": "warning", "step": step, "sentence": sentence, "advice": advice})


@torch.no_grad()
def held_out_losses(work: Work) -> dict[str, float]:
    """Return the losses over all that was kept aside, shared out to all processes."""
    accelerator, windows = work.accelerator, work.held_out.windows
    mine = _mine(work, windows)
    rounds = math.ceil(math.ceil(len(windows) / work.config.batch.size) / accelerator.num_processes)
    sums: Tensor | float = 0.0
    for at in range(rounds):
        # All processes have to take part in each round; who has nothing left takes part with nothing.
        codes = work.held_out.stack(mine[at] if at < len(mine) else windows[:1], work.fixed_frames)
        if at >= len(mine):
            codes.fill_(NO_TARGET)
        sums = sums + work.model(codes.to(accelerator.device))[1]
    return _losses(accelerator.reduce(sums, reduction="sum"), work)


def _keep(work: Work, step: int) -> None:
    """Write a checkpoint, then remove those that are neither new nor the best."""
    folder, best = work.record.folder, work.best
    target = checkpoint.checkpoint_folder(folder, step)
    state = {"step": step, "best": best.state(), "judge": work.judge.state()}
    checkpoint.save(target, work.accelerator, work.model, work.optimizer, state)
    if work.accelerator.is_main_process:
        newest = checkpoint.list_checkpoints(folder)[-work.config.evaluation.keep :]
        checkpoint.forget(folder, {*newest, best.step})
        work.record.emit({"kind": "checkpoint", "step": step, "path": str(target.relative_to(folder))})
        judged = {"best_step": best.step, "best_loss": best.loss} if best.known else {}
        work.record.update(step=step, **judged)


def _step_event(work: Work, figures: Figures, speed: _Speed) -> dict[str, Any]:
    rates = {f"lr_{group['name']}": group["lr"] for group in work.optimizer.param_groups}
    return {
        **figures.losses,
        **rates,
        "gradient_norm": figures.gradient_norm,
        "audio_s_per_s": figures.audio_s / figures.step_s,
        "data_share": figures.data_s / figures.step_s,
        "memory_gb": memory_gb(work.accelerator.device),
        "left_s": speed.left_s,
    }


class _Speed:
    """How long the rest will take, by the median of the last steps: the first ones also compile."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._last_s: deque[float] = deque(maxlen=SPEED_STEPS)

    def add(self, figures: Figures) -> None:
        self._left -= 1
        self._last_s.append(figures.step_s)

    @property
    def left_s(self) -> float:
        return self._left * statistics.median(self._last_s)


def memory_gb(device: torch.device) -> float:
    """Return the most memory that was taken so far, in GB: of the card, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _any(accelerator: Accelerator, value: bool) -> bool:
    """Return whether something holds on any process."""
    flag = torch.tensor([float(value)], device=accelerator.device)
    return bool(accelerator.reduce(flag, reduction="sum").item() > 0)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield what is set when the process is asked to end: by Ctrl+C, the window or the system."""
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
