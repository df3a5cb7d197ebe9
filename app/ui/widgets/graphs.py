"""Small painted graphs of the last minute: one figure over time, its limit as a line.

Knows nothing about what the figures mean.
"""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.frames import FRAME_RATE
from app.ui.shell.theme import GRID, SMALL, colours, mixed, scaled

MINUTE_FRAMES = round(60 * FRAME_RATE)
GRAPH_HEIGHT = 84
TITLE_PX = 20


class Graph(QWidget):
    """The last minute of a figure in milliseconds, `limit_ms` drawn as a line that should not be crossed."""

    def __init__(
        self, title: str, tip: str, *, limit_ms: float | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._limit_ms = limit_ms
        self._values: deque[float | None] = deque(maxlen=MINUTE_FRAMES)
        self.setAccessibleName(title)
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def push(self, value_ms: float) -> None:
        """Add the figure of the next frame."""
        self._values.append(value_ms)
        self.update()

    def skip(self, frames: int) -> None:
        """Let so many frames go by of which there is no figure."""
        self._values.extend([None] * min(frames, MINUTE_FRAMES))
        self.update()

    def clear(self) -> None:
        """Forget the figures of the last talk."""
        self._values.clear()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size in the drawer."""
        return QSize(240, GRAPH_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, newest value, limit and curve."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled(self.font(), SMALL))
        top = QRectF(0, 0, self.width(), TITLE_PX)
        painter.setPen(tones.quiet)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        known = [value for value in self._values if value is not None]
        if known:
            painter.setPen(tones.text)
            newest = self.tr("{value} ms").format(value=round(known[-1]))
            painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, newest)
        area = QRectF(0.5, TITLE_PX + 0.5, self.width() - 1, self.height() - TITLE_PX - GRID)
        painter.setPen(QPen(tones.line, 1.0))
        painter.setBrush(tones.base)
        painter.drawRoundedRect(area, 4, 4)
        self._paint_curve(painter, area.adjusted(2, 3, -2, -3), max(known, default=0.0))

    def _paint_curve(self, painter: QPainter, area: QRectF, largest_ms: float) -> None:
        tones = colours(self.palette())
        limit_ms = self._limit_ms or 0.0
        ceiling = max(1.25 * limit_ms, 1.15 * largest_ms, 40.0)
        if self._limit_ms is not None:
            painter.setPen(QPen(mixed(tones.trouble, tones.base, 0.3), 1.0, Qt.PenStyle.DashLine))
            y = area.bottom() - area.height() * limit_ms / ceiling
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        step = area.width() / MINUTE_FRAMES
        left = area.right() - step * (len(self._values) - 1)
        points = [
            QPointF(left + step * n, area.bottom() - area.height() * max(0.0, value) / ceiling)
            for n, value in enumerate(self._values)
            if value is not None
        ]
        painter.setPen(QPen(tones.text, 1.2))
        painter.drawPolyline(QPolygonF(points))
