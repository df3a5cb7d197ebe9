"""Which model learns: the one choice that all steps of the Train page show and use.

Knows nothing about weights, or about what is done with the choice.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.catalog import HUB, STARTER
from app.ui.models.model_list import QUANTIZED
from app.ui.shell import wording
from app.ui.shell.background_worker import Aside
from app.ui.widgets.controls import Chooser

CHOOSER_WIDTH = 264


def base_models(models: Path) -> list[tuple[str, str]]:
    """Return the name of each model that can learn and how it is written in a sentence, the known ones first.

    These are in full precision; the others lie below the models folder.
    """
    known = [
        (model.name, wording.model_words(model.name)) for model in (*HUB, STARTER) if not model.quantized
    ]
    return [*known, *((name, name) for name in _own(models))]


def models_here(models: Path) -> frozenset[str]:
    """Return which of them are on this computer. Reads the disk; the first time it takes a moment."""
    from app.engine.download import cached

    known = (model for model in (*HUB, STARTER) if not model.quantized)
    return frozenset({*(model.name for model in known if all(map(cached, model.files))), *_own(models)})


def _own(models: Path) -> list[str]:
    with suppress(OSError):
        return sorted(folder.name for folder in models.iterdir() if (folder / "config.json").exists())
    return []


class ModelChoice(QObject):
    """The model that learns: as chosen, else the one in memory, else that of the talks, else the starter.

    What was not chosen is never a model that would have to be downloaded.
    """

    changed = Signal()

    def __init__(self, models: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._aside = Aside(self)
        self._here = frozenset({STARTER.name, *_own(models)})
        self._chosen = self._loaded = self._talks = ""

    @property
    def spec(self) -> str:
        """Return the name of the model."""
        return self._chosen or self._suggested()

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Return the models that can be chosen and how each is shown, the one that is chosen among them."""
        models = base_models(self._models)
        if self.spec not in dict(models):
            models.append((self.spec, wording.model_words(self.spec)))
        return [(spec, self._words(spec, words)) for spec, words in models]

    def choose(self, spec: str) -> None:
        """Let a model be the one that learns, '' for the one that is suggested."""
        self._set("_chosen", spec)

    def set_loaded(self, spec: str) -> None:
        """Take note of the model in memory, which is on this computer."""
        self._here |= {_whole(spec)} & dict(base_models(self._models)).keys()
        self._set("_loaded", _whole(spec))

    def set_talks(self, spec: str) -> None:
        """Take note of the model that the marked talks were held with, '' for none."""
        self._set("_talks", _whole(spec))

    def look(self) -> None:
        """See anew which models are on this computer."""
        self._aside.ask(lambda: models_here(self._models), self._take)

    def shut(self) -> None:
        """End what is under way."""
        self._aside.close()

    def _suggested(self) -> str:
        likely = (self._loaded, self._talks)
        return next((spec for spec in likely if spec in self._here), STARTER.name)

    def _take(self, here: frozenset[str]) -> None:
        self._here = here | ({self._loaded} & self._here)
        self.changed.emit()

    def _set(self, name: str, spec: str) -> None:
        if spec != getattr(self, name):
            setattr(self, name, spec)
            self.changed.emit()

    def _words(self, spec: str, words: str) -> str:
        return words if spec in self._here else self.tr("{0} (not downloaded)").format(words)


def _whole(spec: str) -> str:
    """Return the name of the model in full precision, since no other can learn."""
    return spec.removesuffix(QUANTIZED)


class ModelChooser(Chooser):
    """Shows the choice, and changes it."""

    def __init__(self, choice: ModelChoice, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__("models", name, tip, parent)
        self._choice = choice
        self.fix_width(CHOOSER_WIDTH)
        self.activated.connect(lambda _: choice.choose(str(self.currentData())))
        choice.changed.connect(self.show_choice)
        self.show_choice()

    def show_choice(self) -> None:
        """Show the models that there are, and which one is chosen."""
        offered = self._choice.offered
        if offered != [(self.itemData(row), self.itemText(row)) for row in range(self.count())]:
            self.clear()
            for spec, words in offered:
                self.addItem(words, spec)
        self.choose(self._choice.spec)
