"""The samples of a run: what the model made of the same prompt at each evaluation, a button each.

Knows nothing about sound: it tells which one is wanted, and shows which one plays.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.ui.shell.theme import GRID
from app.ui.widgets.controls import IconButton
from app.ui.widgets.panel import heading, quiet

COLUMNS = 4
SHOWN = 8
"""The one before training, and the newest."""


class Samples(QWidget):
    """Buttons in the order of the steps."""

    play_wanted = Signal(str)
    """A sample's path within the run; '' to fall silent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: dict[int, str] = {}
        self._best: int | None = None
        self._playing = ""
        self._buttons: dict[str, IconButton] = {}
        self._grid = QGridLayout()
        self._grid.setSpacing(GRID)
        self._grid.setColumnStretch(COLUMNS, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID // 2)
        rows.addWidget(heading(self.tr("Hear it go on with the same prompt")))
        rows.addWidget(
            quiet(self.tr("A dialogue that was kept aside: its beginning, then what the model says."))
        )
        rows.addSpacing(GRID // 2)
        rows.addLayout(self._grid)
        self.hide()

    @property
    def count(self) -> int:
        """Return how many samples there are."""
        return len(self._paths)

    def clear(self) -> None:
        """Begin with another run."""
        self._paths, self._best, self._playing = {}, None, ""
        self._show()

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in the samples of evaluations."""
        before = dict(self._paths), self._best
        for event in events:
            if event["kind"] == "evaluation":
                step = int(event.get("step", 0))
                if path := event.get("sample"):
                    self._paths[step] = str(path)
                if event.get("best"):
                    self._best = step
        if before != (self._paths, self._best):
            self._show()

    def set_playing(self, path: str) -> None:
        """Show which sample is heard, '' for none."""
        self._playing = path
        for name, button in self._buttons.items():
            button.set_icon("pause" if name == path else "play")

    def _show(self) -> None:
        for button in self._buttons.values():
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        steps = sorted(self._paths)
        kept = steps if len(steps) <= SHOWN else [steps[0], *steps[1 - SHOWN :]]
        if self._best in steps and self._best not in kept:
            kept[1] = self._best
        self._buttons = {self._paths[step]: self._button(step) for step in kept}
        for place, button in enumerate(self._buttons.values()):
            self._grid.addWidget(button, place // COLUMNS, place % COLUMNS)
        self.set_playing(self._playing)
        self.setVisible(bool(steps))

    def _button(self, step: int) -> IconButton:
        name = self.tr("Before") if step == 0 else self.tr("Step {0}").format(f"{step:,}")
        if step == self._best and step:
            name = self.tr("{0} · best").format(name)
        button = IconButton("play", name)
        button.setAccessibleName(self.tr("Play the sample: {0}").format(name))
        button.setToolTip(self.tr("Play or stop this sample"))
        button.clicked.connect(partial(self._press, self._paths[step]))
        return button

    def _press(self, path: str) -> None:
        self.play_wanted.emit("" if path == self._playing else path)
