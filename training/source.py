"""Where a model that goes on with dialogues comes from: a training run after one of its steps, or any model.

Knows nothing about dialogues.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from moshi.models import LMModel, MimiModel

from app.engine import build
from app.engine.checkpoint import Checkpoint, find
from app.engine.device import Device
from app.errors import UserError
from app.files import named
from app.paths import Paths
from app.store.runs import CONFIG, RUN, open_run
from training.base import WORD_HEAD, find_base, prepare_learner
from training.checkpoint import checkpoint_folder, list_checkpoints, read_trained
from training.config import Config, read_config

FOREIGN = "Its config.toml or the model that it was trained from has changed: put the old one back."
"""What to do about weights that do not fit their run."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A run after a step."""

    run: Path
    config: Config
    step: int


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a model; those of a run stand upon what it was trained from."""

    found: Checkpoint
    trained: Trained | None = None

    @property
    def name(self) -> str:
        """Return what to call it, also in names of files."""
        if self.trained is None:
            return self.found.name.replace("/", "-")
        return f"{self.trained.run.name}-step-{self.trained.step:06}"

    @property
    def both_voices(self) -> bool:
        """Return whether it predicts the user's voice too."""
        extended = self.trained is not None and self.trained.config.streams == "both"
        return extended or self.found.config["dep_q"] == self.found.config["n_q"]

    @property
    def details(self) -> dict[str, object]:
        """Return what tells it from others, as JSON values."""
        if self.trained is None:
            return self.found.details
        return {**self.found.details, "run": self.trained.run.name, "step": self.trained.step}


def find_source(spec: str, where: Paths, *, base: str | None = None, step: int | None = None) -> Source:
    """Find a run by its folder or name, or else a model by what `app.engine.checkpoint.find` knows.

    Of a run it is the checkpoint after `step`, the best if None. A name of both is the run's: a model made
    of it for talk has lost the user's voice. Raises UserError.
    """
    for folder in (named(spec), where.runs / spec):
        if os.path.isfile(folder / RUN):
            trained = choose_step(Path(os.path.realpath(folder)), step)
            return Source(find_base(trained.config, where.models), trained)
    if step is not None:
        raise UserError(f"'{spec}' is no training run, so it has no step {step}.", "Leave out --step.")
    if spec == "echo":
        raise UserError("An echo has nothing to go on with.", "Name a model, a folder or a training run.")
    return Source(find(spec, base=base, models=where.models, both_voices=True))


def read_source(source: Source, device: Device) -> tuple[LMModel, MimiModel]:
    """Read the weights onto a device; the model is ready to generate, its adapter beside its base.

    Raises UserError where files are damaged or do not fit.
    """
    found, trained = source.found, source.trained
    mimi = build.load_mimi(found, device.device)
    if trained is None:
        return build.load_lm(build.prove(found), device.device, device.dtype, lambda *_: None), mimi
    lm = prepare_learner(trained.config, found, device.device, device.dtype).lm
    folder = checkpoint_folder(trained.run, trained.step)
    _put(lm, read_trained(folder), folder)
    if hasattr(lm, WORD_HEAD):
        delattr(lm, WORD_HEAD)
    lm.requires_grad_(False)
    for parameter in lm.parameters():
        # What learns is kept in float32, which is for the sake of small steps.
        parameter.data = parameter.data.to(device.dtype)
    return lm.eval(), mimi


def choose_step(run: Path, step: int | None) -> Trained:
    """Return a run after `step`, or after its best one if None. Raises UserError."""
    there = list_checkpoints(run)
    if not there:
        raise UserError(f"The run {run.name} has no checkpoint yet.", "Wait for its first evaluation.")
    if step is None:
        best = open_run(run).values.get("best_step")
        step = best if best in there else there[-1]
    if step not in there:
        known = ", ".join(map(str, there))
        raise UserError(f"{run.name} has no checkpoint after step {step}.", f"It has those after {known}.")
    return Trained(run, read_config(run / CONFIG), step)


def _put(lm: LMModel, trained: dict[str, torch.Tensor], folder: Path) -> None:
    """Put what learnt into a model. Raises UserError where it belongs to another configuration."""
    try:
        result = lm.load_state_dict(trained, strict=False)
    except RuntimeError as fault:
        reason = str(fault).splitlines()[-1].strip(" \t.")
        raise UserError(f"{folder} does not fit its run: {reason}.", FOREIGN) from fault
    learnt = {name for name, each in lm.named_parameters() if each.requires_grad}
    odd = sorted(set(result.unexpected_keys) | (learnt - set(trained)))
    if odd:
        raise UserError(f"{folder} does not fit its run: {odd[0]} is on one side only.", FOREIGN)
