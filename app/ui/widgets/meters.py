"""A level meter that jumps up at once and falls slowly, with the highest of the last second.

Knows nothing about where levels come from.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.frames import SILENCE_DB
from app.ui.shell.theme import colours

FLOOR_DB = -60.0
CLIPPED_DB = -0.5
FALL_DB_PER_S = 36.0
HOLD_MS = 1_000.0
SEGMENT_PX = 5
SEGMENT_GAP_PX = 2


class LevelMeter(QWidget):
    """A row of small segments in the colour of a speaker; the last one turns red when sound is clipped."""

    def __init__(self, name: str, *, user: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._user = user
        self._level_db = SILENCE_DB
        self._peak_db = SILENCE_DB
        self._held_ms = 0.0
        self._drawn = (-1, -1)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(56)
        self.setMaximumWidth(112)

    @property
    def level_db(self) -> float:
        """Return the level that is shown."""
        return self._level_db

    def push(self, level_db: float) -> None:
        """Show a level if it is louder than what is still falling."""
        self._level_db = max(self._level_db, level_db)
        if level_db >= self._peak_db:
            self._peak_db = level_db
            self._held_ms = 0.0

    def advance(self, elapsed_ms: float) -> None:
        """Let the level fall for as long as has passed."""
        fall_db = FALL_DB_PER_S * elapsed_ms / 1000
        self._level_db = max(SILENCE_DB, self._level_db - fall_db)
        self._held_ms += elapsed_ms
        if self._held_ms > HOLD_MS:
            self._peak_db = max(self._level_db, self._peak_db - fall_db)
        drawn = self._segments(self._level_db), self._segments(self._peak_db)
        if drawn != self._drawn:
            self._drawn = drawn
            self.update()

    def clear(self) -> None:
        """Fall to silence at once."""
        self._level_db = self._peak_db = SILENCE_DB
        self.advance(0.0)

    def sizeHint(self) -> QSize:
        """Return the size in a row of controls."""
        return QSize(96, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the segments up to the level, and the one of the peak."""
        tones = colours(self.palette())
        colour = tones.user if self._user else tones.model
        painter = QPainter(self)
        lit, peak = self._segments(self._level_db), self._segments(self._peak_db)
        count = self._count()
        top, height = (self.height() - 14) / 2, 14.0
        for index in range(count):
            shade: QColor = tones.line
            if index < lit or (index == peak - 1 and peak > 0):
                shade = colour
            if index == count - 1 and self._peak_db > CLIPPED_DB:
                shade = tones.trouble
            x = index * (SEGMENT_PX + SEGMENT_GAP_PX)
            painter.fillRect(QRectF(x, top, SEGMENT_PX, height), shade)

    def _count(self) -> int:
        return max(1, (self.width() + SEGMENT_GAP_PX) // (SEGMENT_PX + SEGMENT_GAP_PX))

    def _segments(self, level_db: float) -> int:
        share = (level_db - FLOOR_DB) / -FLOOR_DB
        return round(min(1.0, max(0.0, share)) * self._count())
