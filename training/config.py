"""What a training run is asked to do: one TOML file, checked before anything is loaded.

Knows nothing about models or data beyond their names. Every setting has a default that is safe for an hour of
dialogue on one card with 24 GB. Learning rates follow from the size of the model and from what of it learns.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import sys
import types
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from app.errors import UserError
from app.files import Malformed, read_toml, replace_file
from app.frames import FRAME_RATE
from app.learning_rates import LARGE, rates_of
from training.loss import LossWeights

Method = Literal["lora", "full", "temporal", "depth", "text_embedding"]
"""What learns: an adapter, everything, or one part of the model (those of nu-dialogue/moshi-finetune)."""


WARMUP_PARTS = 10
"""A short run warms up for this part of its steps."""


@dataclass(frozen=True, slots=True)
class Lora:
    """The adapter, in the format of kyutai-labs/moshi-finetune."""

    rank: int = 64
    scaling: float = 2.0


@dataclass(frozen=True, slots=True)
class Optimizer:
    """AdamW with separate learning rates for the two transformers, warmed up and then constant or falling."""

    name: Literal["adamw", "adamw8bit"] = "adamw"
    lr_temporal: float = LARGE.temporal
    """Where it is not named, it and lr_depth follow from the size of the model: see `app.learning_rates`."""
    lr_depth: float = LARGE.depth
    warmup_steps: int = 50
    decay: Literal["none", "cosine"] = "cosine"
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    clip: float = 1.0
    ema: float = 0.0
    """Decay of an exponential moving average of the weights, by which it is judged and kept; 0: none."""
    frozen_embeddings: float = 0.0
    """For this share of the steps the embeddings of codes stay as they began, where they would learn."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from: `size` x `accumulation` examples, on however many processes."""

    seconds: float = 100.0
    """An example is at most this long; a longer dialogue is cut evenly."""
    min_seconds: float = 10.0
    """What is shorter is left out."""
    size: int = 1
    """Examples that are in memory at a time, on each process."""
    accumulation: int = 8
    depth_share: float = 1.0
    """The depth transformer learns from this share of the frames, drawn anew each step: it has most of the
    cost of a small model, and frames next to each other teach it much the same."""

    @property
    def frames(self) -> int:
        """Return the longest example in frames."""
        return max(1, round(self.seconds * FRAME_RATE))

    @property
    def min_frames(self) -> int:
        """Return the shortest example in frames."""
        return max(1, round(self.min_seconds * FRAME_RATE))

    @property
    def examples(self) -> int:
        """Return how many examples a step learns from."""
        return self.size * self.accumulation


@dataclass(frozen=True, slots=True)
class Memory:
    """How memory is spared."""

    checkpointing: bool = True
    """Compute each layer once more on the way back in place of keeping its activations."""
    kept_layers: int = 0
    """So many of the temporal layers keep theirs all the same, which is faster where memory allows it."""
    chunk_frames: int = 512
    """How many frames have their logits and depth activations in memory at a time."""
    compile: Literal["auto", "on", "off"] = "auto"
    sharded: bool = False
    """Share parameters and optimiser out to all processes (FSDP2), also without `accelerate launch`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the run is judged while it goes on."""

    every_steps: int = 50
    patience: int = 5
    """Stop after so many evaluations without a better held-out loss; 0: never."""
    prompt_s: float = 10.0
    sample_s: float = 10.0
    """Length of the sample that is generated each time; 0: none."""
    keep: int = 2
    """How many of the newest checkpoints stay, beside the best."""


@dataclass(frozen=True, slots=True)
class Config:
    """One run. Names of datasets are those below the datasets folder; paths and globs work as well."""

    model: str = "moshiko"
    base: str = ""
    """What an adapter was trained on, if `model` is one."""
    data: tuple[str, ...] = ()
    name: str = ""
    held_out: tuple[str, ...] = ()
    held_out_share: float = 0.1
    speakers: tuple[str, ...] = ("A",)
    method: Method = "lora"
    streams: Literal["model", "both"] = "model"
    precision: Literal["auto", "bf16", "float32"] = "auto"
    base_bits: int = 16
    steps: int = 500
    seed: int = 0
    lora: Lora = field(default_factory=Lora)
    loss: LossWeights = field(default_factory=LossWeights)
    optimizer: Optimizer = field(default_factory=Optimizer)
    batch: Batch = field(default_factory=Batch)
    memory: Memory = field(default_factory=Memory)
    evaluation: Evaluation = field(default_factory=Evaluation)


def read_config(path: Path, models: Path | None = None) -> Config:
    """Read a configuration. Raises UserError with the setting that is wrong and what it may be."""
    return parse_config(read_settings(path), str(path), models)


def read_settings(path: Path) -> dict[str, Any]:
    """Return what the file of a configuration says, and nothing else. Raises UserError."""
    try:
        raw = read_toml(path)
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", "Name a TOML file.") from fault
    except Malformed as fault:
        raise UserError(f"{path} {fault}.", "Correct the line.") from fault
    return raw


def parse_config(raw: dict[str, Any], where: str, models: Path | None = None) -> Config:
    """Make a configuration of what a TOML file holds. Raises UserError.

    Learning rates that it does not hold follow from the size of the model, which may be one below `models`;
    the warm-up from the number of steps.
    """
    config: Config = _build(Config, raw, where, "")
    config = _fill_in(config, raw.get("optimizer", {}), models)
    _check(config, where)
    return config


def _fill_in(config: Config, named: Container[str], models: Path | None) -> Config:
    """Return a configuration with what follows from others, where it is not named."""
    rates = rates_of(config.model, config.method, base=config.base, models=models)
    chosen = config.optimizer
    warmup_steps = max(1, min(chosen.warmup_steps, config.steps // WARMUP_PARTS))
    optimizer = dataclasses.replace(
        chosen,
        lr_temporal=chosen.lr_temporal if "lr_temporal" in named else rates.temporal,
        lr_depth=chosen.lr_depth if "lr_depth" in named else rates.depth,
        warmup_steps=chosen.warmup_steps if "warmup_steps" in named else warmup_steps,
    )
    return dataclasses.replace(config, optimizer=optimizer)


def write_config(config: Config, path: Path) -> None:
    """Write a configuration with all its settings, in one step. Raises OSError."""
    import tomli_w

    replace_file(path, tomli_w.dumps(_plain(config)))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return list(value) if isinstance(value, tuple) else value


def _build(kind: type[Any], raw: dict[str, Any], where: str, prefix: str) -> Any:
    hints = get_type_hints(kind)
    for name in raw:
        if name not in hints:
            near = difflib.get_close_matches(name, hints, 1, 0.5)
            advice = f"Did you mean {prefix}{near[0]}?" if near else f"Known are {', '.join(hints)}."
            raise UserError(f"{where} has an unknown setting {prefix}{name}.", advice)
    values = {name: _convert(hints[name], value, where, prefix + name) for name, value in raw.items()}
    return kind(**values)


def _convert(hint: Any, value: Any, where: str, name: str) -> Any:
    """Return a value of a TOML file as the type that a setting has."""
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, dict):
            raise UserError(f"{where}: {name} is not a table.", f"Write its settings below [{name}].")
        return _build(hint, value, where, f"{name}.")
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            choices = ", ".join(f'"{choice}"' for choice in get_args(hint))
            raise UserError(f"{where}: {name} can not be {value!r}.", f"Choose one of {choices}.")
        return value
    if origin is tuple:
        return _convert_list(get_args(hint), value, where, name)
    assert origin not in (Union, types.UnionType), "a setting has one type"
    if hint is float and type(value) is int and abs(value) <= sys.float_info.max:
        value = float(value)
    if type(value) is not hint or (hint is float and not math.isfinite(value)):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise UserError(f"{where}: {name} can not be {value!r}.", f"It has to be {kinds[hint]}.")
    return value


def _convert_list(kinds: tuple[Any, ...], value: Any, where: str, name: str) -> tuple[Any, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or (kinds[-1] is not Ellipsis and len(values) != len(kinds)):
        length = "a list" if kinds[-1] is Ellipsis else f"a list of {len(kinds)} values"
        raise UserError(f"{where}: {name} can not be {value!r}.", f"It has to be {length}.")
    return tuple(_convert(kinds[0], each, where, name) for each in values)


def _check(config: Config, where: str) -> None:
    """Refuse values that no run could use."""
    for sentence, advice in (*_out_of_range(config), *_do_not_go_together(config)):
        raise UserError(f"{where}: {sentence}", advice)


def _out_of_range(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with single settings."""
    positive = {
        "": ("steps",),
        "lora": ("rank", "scaling"),
        "batch": ("size", "accumulation", "seconds"),
        "memory": ("chunk_frames",),
        "optimizer": ("clip", "epsilon"),
        "evaluation": ("every_steps", "keep"),
    }
    not_negative = {
        "": ("seed",),
        "loss": ("text_padding", "semantic", "acoustic", "onset", "user_words"),
        "batch": ("min_seconds",),
        "memory": ("kept_layers",),
        "optimizer": ("lr_temporal", "lr_depth", "warmup_steps", "weight_decay"),
        "evaluation": ("patience", "prompt_s", "sample_s"),
    }
    for names, least in ((positive, "above 0"), (not_negative, "0 or above")):
        for table, settings in names.items():
            for name in settings:
                value = getattr(getattr(config, table) if table else config, name)
                if value < 0 or (value == 0 and names is positive):
                    yield f"{table}{'.' if table else ''}{name} is {value}.", f"It has to be {least}."
    if not 0 <= config.held_out_share < 1:
        yield f"held_out_share is {config.held_out_share}.", "It lies between 0 and 1."
    if not 0 < config.batch.depth_share <= 1:
        yield f"batch.depth_share is {config.batch.depth_share}.", "It lies between 0 and 1."
    if not 0 <= config.optimizer.ema < 1:
        yield f"optimizer.ema is {config.optimizer.ema}.", "It lies between 0 and 1."
    if not 0 <= config.optimizer.frozen_embeddings <= 1:
        yield (
            f"optimizer.frozen_embeddings is {config.optimizer.frozen_embeddings}.",
            "It lies between 0 and 1.",
        )
    if not all(0 <= beta < 1 for beta in config.optimizer.betas):
        yield f"optimizer.betas are {list(config.optimizer.betas)}.", "For example [0.9, 0.95]."
    if config.name in (".", "..") or "/" in config.name:
        yield f"name is {config.name!r}.", "A run's name is that of its folder, without others around it."
    if config.base_bits not in (4, 8, 16):
        yield f"base_bits is {config.base_bits}.", "It is 16, 8 or 4."


def _do_not_go_together(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what is missing, and what contradicts itself."""
    if not config.data:
        yield "data names no dataset.", 'Write for example data = ["my-talks"].'
    if both := sorted(set(map(_place, config.data)) & set(map(_place, config.held_out))):
        yield f"{both[0]} stands in data and in held_out.", "Hold out what is not learnt from."
    if sorted(config.speakers) not in (["A"], ["B"], ["A", "B"]):
        yield f"speakers are {list(config.speakers)}.", 'Choose ["A"] (the left channel), ["B"] or both.'
    if config.batch.min_seconds > config.batch.seconds:
        yield "batch.min_seconds is above batch.seconds.", "Lower it."
    if config.method != "lora" and config.base_bits != 16:
        sentence = f"base_bits {config.base_bits} is for an adapter, and the method is {config.method}."
        yield sentence, 'Only a frozen base can be kept in fewer bits: choose method = "lora".'
    if config.loss.user_words and config.method == "depth":
        yield (
            "loss.user_words teaches the temporal transformer, which the method depth leaves as it is.",
            "Set it to 0, or choose another method.",
        )
    if config.memory.sharded and config.base_bits != 16:
        yield (
            f"memory.sharded shares out a whole base, not one of {config.base_bits} bits.",
            "Choose one of both.",
        )


def _place(spec: str) -> str:
    """Return a name of data as others that mean the same are, as far as it alone tells."""
    return os.path.normpath(os.path.expanduser(spec)) if spec else spec


def replaced(config: Config, **changes: Any) -> Config:
    """Return a configuration with other values, checked."""
    changed = dataclasses.replace(config, **changes)
    _check(changed, "The configuration")
    return changed
