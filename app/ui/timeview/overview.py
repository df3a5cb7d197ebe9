"""A whole talk as a narrow strip: where the play head is, and which stretch is marked.

Click to go there, drag to mark a stretch. Knows nothing about playing.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.frames import FRAME_RATE
from app.ui.shell import theme
from app.ui.timeview.timeline_data import TimelineData
from app.ui.timeview.timeline_paint import paint_timeline

HEIGHT = 56
MARGIN = 6
SHADE = 0.72
"""How far what is not marked fades into the ground."""
SHORTEST_FRAMES = 3.0

Stretch = tuple[float, float]
"""First and last frame, not necessarily whole."""


class Overview(QWidget):
    """The strip. `sought` tells a frame that was clicked, `marked` a stretch (or None) that was dragged."""

    sought = Signal(float)
    marked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = TimelineData()
        self._cursor = 0.0
        self._stretch: Stretch | None = None
        self._pressed: float | None = None
        self._picture: tuple[object, QPixmap] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("The whole talk"))
        self.setAccessibleDescription(self.tr("The arrow keys move the play head by a second."))
        self.setToolTip(self.tr("Click to play from there; drag to mark a stretch for the loop"))

    def set_data(self, data: TimelineData) -> None:
        """Show another talk, from its start, with nothing marked."""
        self._data = data
        self._cursor, self._stretch, self._picture = 0.0, None, None
        self.update()

    def set_cursor(self, frame: float) -> None:
        """Show the play head at a frame."""
        if round(self._x(frame)) != round(self._x(self._cursor)):
            self.update()
        self._cursor = frame

    def set_stretch(self, stretch: Stretch | None) -> None:
        """Show what is marked."""
        self._stretch = stretch
        self.update()

    def sizeHint(self) -> QSize:
        """Return a height at which two lanes can be told apart."""
        return QSize(400, HEIGHT)

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew in another scheme."""
        self.update()
        super().changeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        if event.button() == Qt.MouseButton.LeftButton and self._data.frames:
            self._pressed = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what is dragged over."""
        if self._pressed is None:
            return
        x = event.position().x()
        if abs(x - self._pressed) >= QApplication.startDragDistance():
            edges = sorted((self._frame(self._pressed), self._frame(x)))
            self.set_stretch((edges[0], max(edges[1], edges[0] + SHORTEST_FRAMES)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell what was clicked or marked."""
        if self._pressed is None:
            return
        pressed, self._pressed = self._pressed, None
        x = event.position().x()
        if abs(x - pressed) >= QApplication.startDragDistance():
            self.marked.emit(self._stretch)
        else:
            self.sought.emit(self._frame(x))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the play head."""
        step = {Qt.Key.Key_Left: -FRAME_RATE, Qt.Key.Key_Right: FRAME_RATE}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        self.sought.emit(min(max(0.0, self._cursor + step), float(self._data.frames)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip, what is marked, and the play head."""
        tones = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sheet = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(tones.base)
        painter.setPen(QPen(tones.text, 2) if self.hasFocus() else QPen(tones.line, 1))
        painter.drawRoundedRect(sheet, theme.RADIUS, theme.RADIUS)
        if not self._data.frames:
            return
        painter.drawPixmap(QPointF(MARGIN, MARGIN), self._drawn(tones))
        self._draw_stretch(painter, tones)
        x = self._x(self._cursor)
        painter.setPen(QPen(tones.text, 2))
        painter.drawLine(QPointF(x, 3), QPointF(x, self.height() - 3))

    def _draw_stretch(self, painter: QPainter, tones: theme.Colours) -> None:
        if self._stretch is None:
            return
        first, last = (self._x(frame) for frame in self._stretch)
        veil = QColor(tones.base)
        veil.setAlphaF(SHADE)
        height = self.height() - 4
        painter.fillRect(QRectF(2, 2, max(0.0, first - 2), height), veil)
        painter.fillRect(QRectF(last, 2, max(0.0, self.width() - 2 - last), height), veil)
        painter.setPen(QPen(tones.quiet, 1))
        for x in (first, last):
            painter.drawLine(QPointF(x, 2), QPointF(x, 2 + height))

    def _drawn(self, tones: theme.Colours) -> QPixmap:
        size = QSize(max(1, self.width() - 2 * MARGIN), self.height() - 2 * MARGIN)
        ratio = self.devicePixelRatioF()
        key = (size, ratio, tones.dark)
        if self._picture is None or self._picture[0] != key:
            self._picture = (key, draw_strip(self._data, size, ratio, tones))
        return self._picture[1]

    def _x(self, frame: float) -> float:
        return MARGIN + frame / max(1, self._data.frames) * (self.width() - 2 * MARGIN)

    def _frame(self, x: float) -> float:
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return min(max(0.0, share), 1.0) * self._data.frames


def draw_strip(data: TimelineData, size: QSize, ratio: float, tones: theme.Colours) -> QPixmap:
    """Return a whole talk as a small picture on a transparent ground."""
    strip = QPixmap(size * ratio)
    strip.setDevicePixelRatio(ratio)
    strip.fill(Qt.GlobalColor.transparent)
    if data.frames:
        painter = QPainter(strip)
        area = QRectF(0, 0, size.width(), size.height())
        paint_timeline(painter, area, data, 0, data.frames, colours=tones, compact=True)
        painter.end()
    return strip
