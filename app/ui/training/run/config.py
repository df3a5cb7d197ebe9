"""What a run is asked to do, as the window knows it: goals in plain words become settings, written as TOML.

Knows nothing about widgets; which settings there are, and what they mean, is told in `training.config`, which
fills in all that is left out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from app.files import read_toml, replace_file
from app.learning_rates import rates_of
from app.store.runs import CONFIG

MICRO = 1e-6
"""Learning rates are shown in millionths."""

PROMPT_S = 10.0
NAME = re.compile(r"[\w][\w .-]*")
"""What a dataset or a run may be called: it becomes the name of a folder."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The settings of one run that the window lets choose."""

    model: str = "moshiko"
    data: tuple[str, ...] = ()
    name: str = ""
    steps: int = 500
    method: str = "lora"
    """What learns, as `training.config` names it."""
    rank: int = 64
    both_streams: bool = False
    lr_temporal: float = 2.0
    """In millionths, as lr_depth."""
    lr_depth: float = 4.0
    seconds: int = 100
    accumulation: int = 8
    base_bits: int = 16
    patience: int = 5
    held_out_percent: int = 10

    def document(self) -> dict[str, Any]:
        """Return the run as a document of `training.config`."""
        return {
            "model": self.model,
            "data": list(self.data),
            "name": self.name,
            "held_out_share": self.held_out_percent / 100,
            "method": self.method,
            "streams": "both" if self.both_streams else "model",
            # Only a base that does not learn can be kept in fewer bits.
            "base_bits": self.base_bits if self.method == "lora" else 16,
            "steps": self.steps,
            "lora": {"rank": self.rank},
            "optimizer": {
                "lr_temporal": round(self.lr_temporal * MICRO, 12),
                "lr_depth": round(self.lr_depth * MICRO, 12),
                "warmup_steps": max(1, min(50, self.steps // 10)),
            },
            "batch": {
                "seconds": float(self.seconds),
                "min_seconds": min(10.0, float(self.seconds)),
                "accumulation": self.accumulation,
            },
            "evaluation": {"every_steps": max(1, min(50, self.steps // 10)), "patience": self.patience},
        }


GOALS: dict[str, dict[str, Any]] = {
    "voice": {"steps": 500, "rank": 64, "both_streams": False},
    "manner": {"steps": 1_000, "rank": 64, "both_streams": True},
    "topic": {"steps": 1_000, "rank": 128, "both_streams": False},
}
"""What each goal sets; learning rates follow from the model."""


def with_default_rates(before: Choices, after: Choices, models: Path) -> Choices:
    """Return the choices `after` a change, learning rates that were the default ones still being these."""
    if (before.lr_temporal, before.lr_depth) != default_rates(before, models):
        return after
    if (after.lr_temporal, after.lr_depth) != (before.lr_temporal, before.lr_depth):
        return after
    temporal, depth = default_rates(after, models)
    return replace(after, lr_temporal=temporal, lr_depth=depth)


def default_rates(choices: Choices, models: Path) -> tuple[float, float]:
    """Return the learning rates that fit the model and what of it learns, in millionths."""
    rates = rates_of(choices.model, choices.method, models=models)
    return round(rates.temporal / MICRO, 6), round(rates.depth / MICRO, 6)


def for_goal(choices: Choices, goal: str) -> Choices:
    """Return the choices with what a goal sets."""
    return replace(choices, **GOALS[goal])


def write_document(document: dict[str, Any], path: Path) -> None:
    """Write a configuration in one step. Raises OSError."""
    replace_file(path, tomli_w.dumps(document))


def prompt_seconds(run: Path) -> float:
    """Return how long the beginning is that a run's samples are given, the default where it is not told."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        config = read_toml(run / CONFIG)
        return float(config["evaluation"]["prompt_s"])
    return PROMPT_S


def free_name(stem: str, taken: Iterable[str]) -> str:
    """Return `stem` with the least number at its end that no other has."""
    names = set(taken)
    return next(name for number in range(1, len(names) + 2) if (name := f"{stem}-{number}") not in names)
