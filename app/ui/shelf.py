"""Which models are on this computer, as `aizuchi models list --json` tells, and how large its card is.

Knows nothing about how a model looks in the window. The known models themselves are in app.catalog.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import groupby

from app.catalog import KNOWN, KnownModel

QUANTIZED = "-q8"


@dataclass(frozen=True)
class Shelf:
    """The state of this computer. `card_bytes` is 0 where there is no graphics card."""

    there: frozenset[str] = field(default_factory=frozenset)
    """Names of the known models whose files are here."""
    card_bytes: int = 0


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
    models = json.loads(text)
    if not isinstance(models, list):
        raise ValueError("no list of models")
    try:
        return frozenset(str(model["name"]) for model in models if model["downloaded"])
    except (KeyError, TypeError) as fault:
        raise ValueError(f"not a model: {fault}") from fault
