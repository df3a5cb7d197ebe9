"""The figures of a running talk: lag, step time, what was skipped and starved.

Knows nothing about where they come from.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.frames import FRAME_MS, FRAME_RATE
from app.ui.shell.theme import GRID, SMALL, colours, scaled

SMOOTH_FRAMES = round(FRAME_RATE)
SHOW_EVERY_FRAMES = 6
"""Figures that change more often can not be read."""


class Readout(QWidget):
    """Four figures of the last second, two by two, those that mean loss turn red; and what echo there was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lags_ms: deque[float] = deque(maxlen=SMOOTH_FRAMES)
        self._steps_ms: deque[float] = deque(maxlen=SMOOTH_FRAMES)
        self._lost = {"skipped": 0, "starved": 0}
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID // 2)
        grid.setVerticalSpacing(0)
        for number, (name, title, tip) in enumerate(self._rows()):
            label, value = QLabel(title), QLabel()
            value.setAccessibleName(title)
            for part in (label, value):
                part.setFont(scaled(self.font(), SMALL))
                part.setToolTip(tip)
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row, column = number % 2, 3 * (number // 2)
            grid.addWidget(label, row, column)
            grid.addWidget(value, row, column + 1)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("100/80 ms"))
            self._values[name] = value
        grid.setColumnMinimumWidth(2, GRID)
        for name in ("skipped", "starved"):
            self._values[name].setMinimumWidth(self.fontMetrics().horizontalAdvance("000"))
        self._echo = QLabel()
        self._echo.setFont(scaled(self.font(), SMALL))
        self._echo.setToolTip(self.tr("How much quieter the speaker's sound became in what the model hears"))
        self._echo.setAccessibleName(self.tr("echo"))
        grid.addWidget(self._echo, 0, 6, 2, 1, Qt.AlignmentFlag.AlignTop)
        self.clear()

    def clear(self) -> None:
        """Forget the figures of the last talk."""
        self._lags_ms.clear()
        self._steps_ms.clear()
        self._pushed = -1  # so that the first frame is shown at once
        for name in self._lost:
            self._lost[name] = 0
            self._show_lost(name)
        for name in ("lag", "step"):
            self._values[name].setText("–")
        self.show_echo(None)

    def show_echo(self, removed_db: float | None) -> None:
        """Show by how many dB the echo is lessened; None where nothing is."""
        self._echo.setVisible(removed_db is not None)
        if removed_db is not None:
            self._echo.setText(self.tr("echo −{removed} dB").format(removed=max(0, round(removed_db))))

    def push(self, lag_ms: float | None, step_ms: float) -> None:
        """Take the figures of one frame."""
        self._pushed += 1
        self._steps_ms.append(step_ms)
        if lag_ms is not None:
            self._lags_ms.append(lag_ms)
        if self._pushed % SHOW_EVERY_FRAMES:
            return
        if self._lags_ms:
            self._values["lag"].setText(self.tr("{lag} ms").format(lag=round(fmean(self._lags_ms))))
        step = self.tr("{step}/{frame} ms")
        self._values["step"].setText(step.format(step=round(fmean(self._steps_ms)), frame=round(FRAME_MS)))

    def lose(self, name: str, frames: int) -> None:
        """Count frames that were 'skipped' or 'starved'."""
        self._lost[name] += frames
        self._show_lost(name)

    def text(self, name: str) -> str:
        """Return what is shown for 'lag', 'step', 'skipped' or 'starved'."""
        return self._values[name].text()

    def _show_lost(self, name: str) -> None:
        value = self._values[name]
        value.setText(str(self._lost[name]))
        palette = QPalette(self.palette())
        if self._lost[name]:
            palette.setColor(QPalette.ColorRole.WindowText, colours(palette).trouble_text)
        value.setPalette(palette)

    def _rows(self) -> tuple[tuple[str, str, str], ...]:
        return (
            ("lag", self.tr("lag"), self.tr("From your mouth to your ear")),
            ("step", self.tr("step"), self.tr("What the model takes for each 80 ms of sound")),
            ("skipped", self.tr("skipped"), self.tr("Frames of yours that were dropped to keep up")),
            ("starved", self.tr("starved"), self.tr("Frames of silence for want of speech in time")),
        )
