"""How much of the graphics card a model takes, as a bar.

Knows nothing about models.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.shell import theme

BAR_HEIGHT = 10


class MemoryBar(QWidget):
    """A part of a whole; what goes beyond the whole is red."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._needed = 0.0
        self._there = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_memory(self, needed_bytes: float, there_bytes: float) -> None:
        """Show what is needed of what is there; nothing is there where there is no card."""
        self._needed, self._there = needed_bytes, there_bytes
        self.setVisible(there_bytes > 0)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(160, BAR_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the whole, and the part over it."""
        if self._there <= 0:
            return
        tones = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), BAR_HEIGHT / 2, BAR_HEIGHT / 2)
        painter.setClipPath(shape)
        painter.fillRect(self.rect(), tones.line)
        scale = self.width() / max(self._needed, self._there)
        fitting = min(self._needed, self._there) * scale
        painter.fillRect(QRectF(0, 0, fitting, self.height()), tones.text)
        beyond = (self._needed - self._there) * scale
        if beyond > 0:
            painter.fillRect(QRectF(fitting + 1, 0, beyond, self.height()), tones.trouble)
