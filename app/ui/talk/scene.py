"""The room for the words, with the length of the talk in its corner; before a talk, a pane stands there.

Knows nothing about what is said.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QWidget

from app.frames import seconds
from app.ui.shell.wording import clock

LEAST = QSize(160, 128)
"""Room for a title, a sentence of two lines and a button."""


class Scene(QWidget):
    """Either the pane or the words, never both."""

    def __init__(self, pane: QWidget, words: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._pane = pane
        self._stack = QStackedWidget()
        self._stack.addWidget(pane)
        self._stack.addWidget(words)
        self._time = QLabel()
        self._time.setAccessibleName(self.tr("Length of the talk"))
        self._time.setToolTip(self.tr("Length of the talk"))
        self._time.setAlignment(Qt.AlignmentFlag.AlignRight)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(self._stack, 1)
        across.addWidget(self._time, 0, Qt.AlignmentFlag.AlignTop)

    def minimumSizeHint(self) -> QSize:
        """Return a size in which there is something to read."""
        return super().minimumSizeHint().expandedTo(LEAST)

    @property
    def time(self) -> str:
        """Return the length that is shown."""
        return self._time.text()

    def show_words(self, shown: bool) -> None:
        """Show the words and the time, or the pane."""
        self._stack.setCurrentWidget(self._words if shown else self._pane)
        self._time.setVisible(shown)

    def set_frames(self, frames: int) -> None:
        """Show how long the talk is."""
        self._time.setText(clock(seconds(frames)))
