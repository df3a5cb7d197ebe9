"""The training loop: steps over examples, judged now and then, kept in checkpoints, on one process or many.

Everything that several processes share is asked of Accelerate. Knows nothing about the command line; the run
folder and the events are given.
"""

from __future__ import annotations

import math
import resource
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from moshi.models import LMModel
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from app.errors import UserError
from app.frames import seconds
from training import checkpoint, zero
from training.base import Learner
from training.best import HARDLY, STALL, Best, Learning
from training.config import Config
from training.ema import Ema
from training.examples import Examples, Window, choose
from training.generation import continue_dialogues
from training.judge import Judge
from training.loss import ALL, NO_TARGET, LossWeights, Positions, compute_loss, count_weights
from training.pace import Pace, is_due
from training.rates import raised
from training.record import Record, Silence
from training.stopping import Stop

LEARNING_FLOOR = 0.1
"""The cosine ends at this share of the learning rates."""

SAVING = "Saving a checkpoint"


class Trainee(nn.Module):
    """A language model behind one `forward`, since shares of a model (FSDP2) are only whole inside of it."""

    def __init__(
        self,
        lm: LMModel,
        weights: LossWeights,
        chunk_frames: int,
        dtype: torch.dtype,
        stop: int = NO_TARGET,
    ) -> None:
        super().__init__()
        self.lm = lm
        # Here and not by Accelerate, which has other ways for shares, that round the loss itself.
        self._mixed = partial(torch.autocast, dtype=dtype, enabled=dtype != torch.float32)
        self._weights = weights
        self._chunk_frames = chunk_frames
        self._stop = stop

    @property
    def streams(self) -> list[str]:
        """Return the names of the streams that `forward` sums up, in order."""
        both = self.lm.dep_q > self.lm.n_q // 2
        return [
            "text",
            "semantic",
            "acoustic",
            *["user"] * both,
            *["words"] * bool(self._weights.user_words),
        ]

    def forward(
        self,
        codes: Tensor,
        share: Tensor | None = None,
        generate: dict[str, Any] | None = None,
        positions: Positions = ALL,
    ) -> tuple[Tensor, Tensor]:
        """Return (loss, sums) of codes [B, K, T], or (tokens, tokens) where they are to be continued.

        The loss is this batch's part of that of a larger one, whose text, padding, audio and user's words
        weigh `share`, [4]. The sums, [4 + streams, 2], are total and weight of these as they count, then of
        each stream.
        """
        with self._mixed(codes.device.type):
            if generate is not None:
                tokens = continue_dialogues(self.lm, codes, **generate)
                return tokens, tokens
            loss = compute_loss(
                self.lm,
                codes,
                self._weights,
                chunk_frames=self._chunk_frames,
                positions=positions._replace(stop=self._stop),
            )
        means = (*loss.means, *loss.streams.values())
        sums = torch.stack([torch.stack((mean.total.detach(), mean.weight)) for mean in means])
        if share is None:
            return loss.value, sums
        shares = share.clamp(min=torch.finfo(share.dtype).tiny)
        parts = [mean.total / weight for mean, weight in zip(loss.means, shares, strict=True)]
        return torch.stack(parts).sum(), sums

    def count(self, codes: Tensor, positions: Positions) -> Tensor:
        """Return what text, padding, audio and user's words of a batch weigh, [4]."""
        chosen = positions._replace(stop=self._stop)
        return torch.stack(count_weights(self.lm, codes, self._weights, chosen))


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
    judged: int
    """The step after which it was judged last; below 0 before that."""
    pace: Pace
    learning: Learning
    ema: Ema | None = None
    """The average of the weights, where they are judged and kept by one."""
    fixed_frames: int | None = None
    """The length that each batch is filled up to, where a compiled model wants one."""

    def averaged(self) -> AbstractContextManager[None]:
        """Give the model its average, where there is one, for as long as it lasts."""
        return nullcontext() if self.ema is None else self.ema.applied()

    def tell(self, event: dict[str, Any]) -> None:
        """Write down and show what happened, a step with how long the rest will take."""
        self.pace.add([event])
        self.learning.add([event])
        if event["kind"] == "step":
            event = {**event, "left_s": self.pace.left_s(event["step"])}
        self.record.emit(event)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one step tells."""

    losses: dict[str, float]
    gradient_norm: float
    audio_s: float
    data_s: float
    step_s: float


def train(work: Work, first: int, stop: Stop) -> tuple[str, str]:
    """Train from step `first` (done) on; return the state of the run and, where it ended early, why.

    Asked to stop it leaves what it has begun, a part of a step or an evaluation, and keeps the steps that are
    done. Raises UserError; what was written until then stays.
    """
    step = kept = first
    with stop.patiently():
        while True:
            if work.judged != step and is_due(step, work.config.steps, work.config.evaluation.every_steps):
                if not _judge(work, step, stop):
                    break
                if step:
                    _keep(work, step)
                    kept = step
                if ending := _early_end(work, step):
                    return "finished", ending
            if step >= work.config.steps:
                return "finished", ""
            figures = take_step(work, step, stop)
            if figures is None:
                break
            step += 1
            work.tell(_step_event(work, step, figures))
        if step > kept and not (stop.agree() and stop.at_once):
            work.tell({"kind": "stage", "step": step, "text": SAVING, "done": 0, "total": 0})
            _keep(work, step)
    return "stopped", ""


def _early_end(work: Work, step: int) -> str:
    """Return why a run ends before its last step, '' where it does not."""
    best, patience = work.best, work.config.evaluation.patience
    if step == work.config.steps or not 0 < patience <= best.waited:
        return ""
    waited = f"The held-out loss has not fallen for {best.waited} evaluations"
    if best.since < best.waited:
        waited = f"The held-out loss fell by less than {100 * STALL:g} % in {best.waited} evaluations"
    return f"{waited}; the best is step {best.step}."


def take_step(work: Work, step: int, stop: Stop) -> Figures | None:
    """Learn from the examples of one step (from 0), on all processes together; None where it is to end.

    The loss is the mean over all of them, however shared out. A step that is left half-way changed nothing.
    Raises UserError where the loss is no number.
    """
    began = time.perf_counter()
    accelerator, config = work.accelerator, work.config
    chosen = choose(len(work.train.windows), config.batch.examples, config.seed, step)
    windows = [work.train.windows[index] for index in chosen]
    batches = _share_out(work, windows, step)
    share = accelerator.reduce(sum(work.trainee.count(*batch) for batch in batches), reduction="sum")
    data_s = time.perf_counter() - began
    sums: Tensor | float = 0.0
    for number, batch in enumerate(batches):
        if stop.agree():
            work.optimizer.zero_grad(set_to_none=True)
            return None
        sums = sums + _add_gradients(work, batch, share, last=number == len(batches) - 1)
    losses = _losses(accelerator.reduce(sums, reduction="sum"), work)
    # Not before: what is kept of a run that ends half-way through a step knows nothing of it.
    _set_rates(work.optimizer, config, step)
    if zero.is_used(accelerator):
        norm = zero.step(work.model)
    else:
        norm = _whole(accelerator.clip_grad_norm_(work.model.parameters(), config.optimizer.clip))
    if not (math.isfinite(losses["loss"]) and math.isfinite(norm)):
        raise _no_number(work, step, windows)
    work.optimizer.step()
    work.optimizer.zero_grad(set_to_none=True)
    if work.ema is not None:
        work.ema.update(step)
    audio_s = seconds(sum(window.frames for window in windows))
    return Figures(losses, norm, audio_s, data_s, time.perf_counter() - began)


def _add_gradients(work: Work, batch: tuple[Tensor, Positions], share: Tensor, *, last: bool) -> Tensor:
    """Add the gradients of a batch to those of its step, and return its sums."""
    accelerator = work.accelerator
    with nullcontext() if last else accelerator.no_sync(work.model):
        codes, positions = batch
        loss, sums = work.model(codes, share, positions=positions)
        # Gradients of several processes are averaged; what is wanted is their sum.
        if zero.is_used(accelerator):
            zero.backward(work.model, loss * accelerator.num_processes, last=last)
        else:
            accelerator.backward(loss * accelerator.num_processes)
    part: Tensor = sums
    return part


def _no_number(work: Work, step: int, windows: list[Window]) -> UserError:
    names = ", ".join(sorted({work.train.name(window) for window in windows}))
    return UserError(
        f"The loss of step {step + 1} is not a number; it learnt from {names}.",
        "Look at these dialogues, or lower the learning rates; the checkpoints until then are good.",
    )


def _whole(norm: Tensor) -> float:
    """Return a norm that each process may hold a share of."""
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def _share_out(work: Work, windows: list[Window], step: int) -> list[tuple[Tensor, Positions]]:
    """Return this process's batches of a step, on its device, all of the same number everywhere."""
    accelerator, share = work.accelerator, work.config.batch.depth_share
    shared = []
    for at, batch in enumerate(_mine(work, windows)):
        codes, positions = _stack(work, work.train, batch)
        if share < 1:
            # The place among all batches of the step: the same frames on any number of processes.
            number = at * accelerator.num_processes + accelerator.process_index
            frames = codes.shape[0] * codes.shape[2]
            chosen = np.random.default_rng((work.config.seed, step, number)).permutation(frames)
            chosen = np.sort(chosen[: math.ceil(share * frames)])
            positions = positions._replace(depth=torch.from_numpy(chosen).to(accelerator.device))
        shared.append((codes, positions))
    return shared


def _stack(work: Work, examples: Examples, windows: list[Window]) -> tuple[Tensor, Positions]:
    """Return the codes of some windows and, where they are to be learnt, the user's words, on the device."""
    device = work.accelerator.device
    codes = examples.stack(windows, work.fixed_frames).to(device)
    if not work.config.loss.user_words:
        return codes, ALL
    return codes, Positions(words=examples.stack_words(windows, work.fixed_frames).to(device))


def _mine(work: Work, windows: list[Window]) -> list[list[Window]]:
    """Return this process's batches; each is one that a single process would have, filled up alike."""
    size, accelerator = work.config.batch.size, work.accelerator
    batches = [windows[at : at + size] for at in range(0, len(windows), size)]
    return batches[accelerator.process_index :: accelerator.num_processes]


def _losses(sums: Tensor, work: Work) -> dict[str, float]:
    """Return the loss and those of the streams from their sums, [4 + streams, 2]."""
    means = [total / weight if weight else 0.0 for total, weight in sums.tolist()]
    text, padding, audio, words, *streams = means
    return {"loss": text + padding + audio + words, **dict(zip(work.trainee.streams, streams, strict=True))}


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
    frozen = step < config.optimizer.frozen_embeddings * config.steps
    # A rate of 0 leaves them as they are to the bit: the weight decay is a share of the rate.
    rates["codes"] = 0.0 if frozen else rates["temporal"]
    for group in optimizer.param_groups:
        group["lr"] = rates[group["name"]] * factor


def _judge(work: Work, step: int, stop: Stop) -> bool:
    """Judge the model by what was kept aside and by a sample of its speech, and say what is amiss.

    Returns False where it was broken off, which leaves nothing of it.
    """
    began = time.perf_counter()
    with work.averaged():
        found = held_out_losses(work, stop) if work.held_out.windows else ({}, [])
        figures, sample = work.judge.sample(
            work.model, work.accelerator, work.record.folder, step, stop.agree
        )
    if found is None or stop.agree():
        return False
    losses, parts = found
    is_best = bool(losses) and work.best.take(step, losses["loss"], parts)
    work.judged = step
    if losses or figures:
        took_s = time.perf_counter() - began
        told = {"best": is_best, "sample": sample, "took_s": took_s}
        work.tell({"kind": "evaluation", "step": step, **losses, **figures, **told})
    for sentence, advice in work.judge.warnings(figures):
        work.tell({"kind": "warning", "step": step, "sentence": sentence, "advice": advice})
    _warn_of_low_rates(work, step)
    return True


def _warn_of_low_rates(work: Work, step: int) -> None:
    """Say that a run hardly learns, and which learning rates to try."""
    ending = step == work.config.steps or bool(_early_end(work, step))
    if work.learning.is_hard(step, ending=ending):
        temporal, depth = raised(work.config, work.learner.config)
        fall = f"{100 * HARDLY:.0f} %"
        warning = {
            "about": "hardly",
            "sentence": f"The model hardly learns: in {step} steps its loss has changed by less than {fall}.",
            "advice": f"Train anew with higher learning rates, such as {temporal:g} and {depth:g} (depth).",
        }
        work.tell({"kind": "warning", "step": step, **warning})


@torch.no_grad()
def held_out_losses(work: Work, stop: Stop) -> tuple[dict[str, float], list[float]] | None:
    """Return the losses over all that was kept aside, shared out to all processes, and those of its batches.

    None where the run is to end.
    """
    accelerator, windows = work.accelerator, work.held_out.windows
    mine = _mine(work, windows)
    batches = math.ceil(len(windows) / work.config.batch.size)
    found: list[Tensor] = []
    for at in range(math.ceil(batches / accelerator.num_processes)):
        if stop.agree():
            return None
        # All processes have to take part in each round; who has nothing left takes part with nothing.
        codes, positions = _stack(work, work.held_out, mine[at] if at < len(mine) else windows[:1])
        if at >= len(mine):
            codes.fill_(NO_TARGET)
            if positions.words is not None:
                positions.words.fill_(NO_TARGET)
        found.append(work.model(codes, positions=positions)[1])
    # [processes, rounds, ...], and then in the order in which a single process has them.
    gathered = accelerator.gather(torch.stack(found)[None])
    sums = gathered.transpose(0, 1).flatten(0, 1)[:batches]
    return _losses(sums.sum(0), work), [_losses(each, work)["loss"] for each in sums]


def _keep(work: Work, step: int) -> None:
    """Write a checkpoint, then remove those that are neither new nor the best."""
    began = time.perf_counter()
    folder, best = work.record.folder, work.best
    target = checkpoint.checkpoint_folder(folder, step)
    state = {"step": step, "best": best.state(), "judge": work.judge.state(), "judged": work.judged}
    average = None if work.ema is None else work.ema.values
    checkpoint.save(target, work.accelerator, work.model, work.optimizer, state, average=average)
    if work.accelerator.is_main_process:
        newest = checkpoint.list_checkpoints(folder)[-work.config.evaluation.keep :]
        checkpoint.forget(folder, {*newest, best.step})
        path, took_s = str(target.relative_to(folder)), time.perf_counter() - began
        work.tell({"kind": "checkpoint", "step": step, "path": path, "took_s": took_s})
        judged = {"best_step": best.step, "best_loss": best.loss} if best.known else {}
        work.record.update(step=step, first_loss=work.learning.first_loss, **judged)


def _step_event(work: Work, step: int, figures: Figures) -> dict[str, Any]:
    rates = {f"lr_{group['name']}": group["lr"] for group in work.optimizer.param_groups}
    return {
        "kind": "step",
        "step": step,
        **figures.losses,
        **rates,
        "gradient_norm": figures.gradient_norm,
        "audio_s_per_s": figures.audio_s / figures.step_s,
        "data_share": figures.data_s / figures.step_s,
        "memory_gb": memory_gb(work.accelerator.device),
        "took_s": figures.step_s,
    }


def memory_gb(device: torch.device) -> float:
    """Return the most memory that was taken so far, in GB: of the card, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
