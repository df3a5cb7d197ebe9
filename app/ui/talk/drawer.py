"""The drawer at the right of a talk: how the next tokens are drawn, and in figures how the talk keeps up.

Knows nothing about sessions: it hands out new Settings, and is told figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.frames import FRAME_MS, FRAME_RATE, seconds
from app.settings import LIMITS, Settings
from app.ui.shell.theme import GRID
from app.ui.talk.prompt_form import PromptForm
from app.ui.talk.readout import Readout
from app.ui.widgets.controls import IconButton
from app.ui.widgets.graphs import Graph
from app.ui.widgets.number import NoWheel, Number
from app.ui.widgets.panel import quiet
from app.ui.widgets.sampling import LARGEST_SEED, SAMPLING, sampling_words, seed_at_will

DRAWER_WIDTH = 344


class Drawer(QFrame):
    """Live settings, each with its default, the figures of the talk, and three graphs of the last minute."""

    changed = Signal(object)
    """The new Settings, after each change that the user makes."""
    closed = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._numbers: dict[str, Number] = {}
        self._no_wheel = NoWheel(self)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(self.tr("Live settings"))
        rows = self._scrolling_rows()
        self.prompt = PromptForm(settings)
        self.prompt.changed.connect(self._change_prompt)
        rows.addWidget(self.prompt)
        self._add_numbers(rows)
        rows.addSpacing(GRID)
        self.readout = Readout()
        rows.addWidget(self.readout)
        self._add_graphs(rows)
        rows.addStretch(1)
        self.set_settings(settings)

    def set_settings(self, settings: Settings) -> None:
        """Show settings that were changed elsewhere, without telling them again."""
        self._settings = settings
        self.prompt.set_settings(settings)
        for name, number in self._numbers.items():
            value = getattr(settings, name)
            number.set_value(seconds(value) if name == "context" and value is not None else value)

    def push(self, lag_ms: float | None, step_ms: float, fill_ms: float | None) -> None:
        """Show the figures of one frame."""
        self.readout.push(lag_ms, step_ms)
        self._step.push(step_ms)
        if lag_ms is not None:
            self._lag.push(lag_ms)
        if fill_ms is not None:
            self._fill.push(fill_ms)

    def lose(self, frames: int) -> None:
        """Let the graphs go on through time without a figure."""
        for graph in (self._lag, self._step, self._fill):
            graph.skip(frames)

    def clear(self) -> None:
        """Forget the figures of the last talk."""
        self.readout.clear()
        for graph in (self._lag, self._step, self._fill):
            graph.clear()

    def show_prompt(self) -> None:
        """Let the keys go to voice and role."""
        self._area.verticalScrollBar().setValue(0)
        self.prompt.voice.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _scrolling_rows(self) -> QVBoxLayout:
        """Lay out title and close button above a column that scrolls, and return the column."""
        title = QLabel(self.tr("While you talk"))
        close = IconButton("close")
        close.setToolTip(self.tr("Close the drawer (Esc)"))
        close.setAccessibleName(self.tr("Close the drawer"))
        close.clicked.connect(self.closed)
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(close)
        inside = self._inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 2 * GRID, GRID)
        rows.setSpacing(GRID // 2)
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        for part in (area.viewport(), inside):
            part.setAutoFillBackground(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(2 * GRID, GRID, 0, 0)
        whole.setSpacing(GRID // 2)
        whole.addLayout(top)
        whole.addWidget(area, 1)
        return rows

    def _add_numbers(self, rows: QVBoxLayout) -> None:
        for name in SAMPLING:
            title, tip = sampling_words(name)
            self._add(rows, name, title, Number(title, tip, *LIMITS[name], default=_default(name)))
        self._add_seed(rows)
        self._add_context(rows)
        rows.addWidget(quiet(self.tr("The seed counts from the next start, the context from the next load.")))

    def _add_seed(self, rows: QVBoxLayout) -> None:
        title, tip = sampling_words("seed")
        number = Number(title, tip, -1, LARGEST_SEED, default=None, whenever=seed_at_will())
        self._add(rows, "seed", title, number)

    def _add_context(self, rows: QVBoxLayout) -> None:
        title, tip = sampling_words("context")
        low, high = (int(seconds(int(limit))) for limit in LIMITS["context"])
        number = Number(
            title, tip, low - 1, high, default=None, whenever=self.tr("as made"), suffix=self.tr(" s")
        )
        self._add(rows, "context", title, number)

    def _add(self, rows: QVBoxLayout, name: str, title: str, number: Number) -> None:
        number.changed.connect(lambda value: self._change(name, value))
        for box in number.findChildren(QWidget):
            box.installEventFilter(self._no_wheel)
        self._numbers[name] = number
        across = QHBoxLayout()
        across.addWidget(QLabel(title), 1)
        across.addWidget(number)
        rows.addLayout(across)

    def _add_graphs(self, rows: QVBoxLayout) -> None:
        self._lag = Graph(self.tr("Lag"), self.tr("From your mouth to your ear, over the last minute"))
        tip = self.tr("What the model takes for each frame of {frame} ms, over the last minute")
        self._step = Graph(self.tr("Step"), tip.format(frame=round(FRAME_MS)), limit_ms=FRAME_MS)
        tip = self.tr("Speech that waits to be played; empty means silence, over the last minute")
        self._fill = Graph(self.tr("Speaker buffer"), tip)
        for graph in (self._lag, self._step, self._fill):
            rows.addWidget(graph)

    def _change_prompt(self, settings: Settings) -> None:
        self._settings = settings
        self.changed.emit(settings)

    def _change(self, name: str, value: Any) -> None:
        if name == "context" and value is not None:
            value = round(value * FRAME_RATE)
        self._settings = replace(self._settings, **{name: value})
        self.prompt.set_settings(self._settings)
        self.changed.emit(self._settings)

    def sizeHint(self) -> QSize:
        """Return a size that asks for no more height than the page gives, wide enough for large letters."""
        bar = self._area.verticalScrollBar().sizeHint().width()
        needed = 2 * GRID + self._inside.minimumSizeHint().width() + bar
        return QSize(max(DRAWER_WIDTH, needed), 320)


def _default(name: str) -> float:
    value: float = getattr(Settings(), name)
    return value
