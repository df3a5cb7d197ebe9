"""Which learning rates a finetune begins with: by the size of the model and by what of it learns.

Asked by training and by the window alike. Knows nothing about optimisers; imports neither torch nor moshi.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.catalog import find
from app.files import named, read_json

CONFIGS = "config.json", "moshi_lm_kwargs.json"


class Rates(NamedTuple):
    """Those of the temporal and of the depth transformer."""

    temporal: float
    depth: float


LARGE_WIDTH, SMALL_WIDTH = 2_048, 512
"""The widths of the temporal transformer from which on a model is large, and up to which it is small."""

LARGE = Rates(2e-6, 4e-6)
"""Of the 7B models (width 4096), whatever learns: J-Moshi's second stage had these two, Kyutai's LoRA has the
first. An hour of dialogue does not collapse with them, 28 minutes did with 3e-5."""

MIDDLE = Rates(5e-5, 1e-4)
"""In between, about the geometric mean of both ends: none was measured, since there is no such model."""

SMALL = {"lora": Rates(5e-4, 1e-3)} | dict.fromkeys(
    ("full", "temporal", "depth", "text_embedding"), Rates(3e-4, 6e-4)
)
"""Of the starter (width 256), measured: what 20 steps took off its held-out loss, see the README."""


def default_rates(width: int, method: str) -> Rates:
    """Return the learning rates of a model whose temporal transformer is so wide, for what learns of it."""
    if width >= LARGE_WIDTH:
        return LARGE
    return SMALL[method] if width <= SMALL_WIDTH else MIDDLE


def width_of(spec: str, models: Path | None = None) -> int | None:
    """Return how wide a model's temporal transformer is, by its name or folder; None where nothing tells.

    `models` is where those of the user's own lie.
    """
    if (known := find(spec)) is not None:
        return int(known.config["dim"])
    for folder in _folders(spec, models):
        for name in CONFIGS:
            with suppress(OSError, ValueError, KeyError, TypeError):
                return int(read_json(folder / name)["dim"])
    return None


def _folders(spec: str, models: Path | None) -> list[Path]:
    """Return where a model of this name may lie."""
    if not spec:
        return []
    return [named(spec), *([models / spec] if models is not None else [])]


def rates_of(spec: str, method: str, *, base: str = "", models: Path | None = None) -> Rates:
    """Return the learning rates that a finetune of a model begins with; `base` is that of an adapter.

    What tells nothing about its size is taken for one of the family's 7B.
    """
    width = width_of(spec, models) or width_of(base, models) or LARGE_WIDTH
    return default_rates(width, method)
