"""Which models are on this computer, as `aizuchi models list --json` tells, and how large its card is.

Knows nothing about how a model looks in the window. The known models themselves are in app.catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from app.catalog import KNOWN, KnownModel
from app.engine.events import Loadout
from app.files import parse_json

QUANTIZED = "-q8"


@dataclass(frozen=True, slots=True)
class OwnModelFacts:
    """A model that was trained on this computer. `scores` and `before` are held-out losses in nats."""

    name: str
    parent: str
    language: str = ""
    created: str = ""
    data: tuple[str, ...] = ()
    hours: float = 0.0
    steps: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shelf:
    """The state of this computer. Of a graphics card there are 0 bytes where there is none."""

    there: frozenset[str] = field(default_factory=frozenset)
    """Names of the known models whose files are here."""
    card_bytes: int = 0
    free_bytes: int = 0
    """What is free of the graphics card for a model, what the model in memory takes counted as free."""
    loadout: Loadout = field(default_factory=Loadout)
    """How the user wants models to be loaded."""
    own: tuple[OwnModelFacts, ...] = ()
    """The user's own models, newest first."""


def families(known: tuple[KnownModel, ...] = KNOWN) -> list[list[KnownModel]]:
    """Return the models, those that differ only in how they are kept in memory together."""
    in_order = {family_name(model): position for position, model in reversed(list(enumerate(known)))}
    together = sorted(known, key=lambda model: (in_order[family_name(model)], model.quantized))
    return [list(group) for _, group in groupby(together, key=family_name)]


def family_name(model: KnownModel) -> str:
    """Return the name without the word for the mode."""
    return model.name.removesuffix(QUANTIZED)


def read_downloaded(text: str) -> frozenset[str]:
    """Return the names of the models that are here. Raises ValueError for any other text."""
    try:
        return frozenset(str(model["name"]) for model in _read_list(text) if model["downloaded"])
    except (KeyError, TypeError) as fault:
        raise ValueError(f"not a model: {fault}") from fault


def read_own(text: str) -> tuple[OwnModelFacts, ...]:
    """Return the user's own models in the same text. Raises ValueError for any other text."""
    try:
        return tuple(
            OwnModelFacts(
                name=str(model["name"]),
                parent=str(model["parent"]),
                language=str(model["language"]),
                created=str(model["created"]),
                data=tuple(str(name) for name in model["data"]),
                hours=float(model["hours"]),
                steps=int(model["steps"]),
                scores=dict(model["scores"]),
                before=dict(model["before"]),
            )
            for model in _read_list(text)
            if model.get("own")
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"not a model: {fault}") from fault


def _read_list(text: str) -> list[dict[str, Any]]:
    models = parse_json(text)
    if not isinstance(models, list):
        raise ValueError("no list of models")
    return models
