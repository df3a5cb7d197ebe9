"""Which models can learn: the known ones in full precision, and those below the models folder.

Knows nothing about widgets or weights.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from app.catalog import HUB, STARTER
from app.ui import wording


def base_models(models: Path) -> list[tuple[str, str]]:
    """Return the name of each model and how it is written in a sentence, those of the hub first."""
    known = [
        (model.name, wording.model_words(model.name)) for model in (*HUB, STARTER) if not model.quantized
    ]
    own: list[str] = []
    with suppress(OSError):
        own = sorted(folder.name for folder in models.iterdir() if (folder / "config.json").exists())
    return [*known, *((name, name) for name in own)]
