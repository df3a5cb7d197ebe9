"""The icons, drawn with strokes on a grid of 24 units: crisp at any size, in any colour.

Knows nothing about the widgets that show them.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

GRID_UNITS = 24.0
STROKE_UNITS = 1.7


def paint_icon(painter: QPainter, area: QRectF, name: str, colour: QColor) -> None:
    """Paint an icon into a square area. Raises KeyError for a name that there is not."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(area.topLeft())
    painter.scale(area.width() / GRID_UNITS, area.height() / GRID_UNITS)
    cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setPen(QPen(colour, STROKE_UNITS, Qt.PenStyle.SolidLine, cap, join))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_path(name))
    painter.restore()


def _lines(*strokes: tuple[float, ...]) -> QPainterPath:
    """Return open strokes, each given as x, y, x, y, …"""
    path = QPainterPath()
    for stroke in strokes:
        path.moveTo(stroke[0], stroke[1])
        for x, y in zip(stroke[2::2], stroke[3::2], strict=True):
            path.lineTo(x, y)
    return path


def _talk() -> QPainterPath:
    """Two bubbles that overlap, as two speakers do."""
    path = QPainterPath(QPointF(14.5, 11.5))
    path.arcTo(QRectF(3, 3.5, 12, 10.5), -20, 268)
    path.lineTo(4.2, 16.6)
    path.lineTo(4.4, 12)
    path.moveTo(15, 9.2)
    path.arcTo(QRectF(9, 9.2, 12, 9.3), 90, -180)
    path.moveTo(20.2, 16.4)
    path.lineTo(20.4, 20.5)
    path.lineTo(16.4, 18.5)
    path.lineTo(14.5, 18.5)
    path.quadTo(11.6, 18.3, 10, 16.4)
    return path


def _recordings() -> QPainterPath:
    path = _lines((3.5, 10, 3.5, 14), (7.75, 6.5, 7.75, 17.5), (12, 4, 12, 20))
    path.addPath(_lines((16.25, 8, 16.25, 16), (20.5, 10.5, 20.5, 13.5)))
    return path


def _models() -> QPainterPath:
    path = _lines((12, 3.5, 20.5, 8, 12, 12.5, 3.5, 8, 12, 3.5))
    path.addPath(_lines((3.5, 12.2, 12, 16.7, 20.5, 12.2), (3.5, 16.2, 12, 20.7, 20.5, 16.2)))
    return path


def _train() -> QPainterPath:
    """Two axes, and a loss that falls."""
    path = _lines((3.8, 3.5, 3.8, 20.2, 20.5, 20.2))
    path.moveTo(7.3, 5.5)
    path.cubicTo(8.6, 13.5, 11.5, 15.6, 20.0, 16.4)
    return path


def _play() -> QPainterPath:
    return _lines((8, 5.2, 18.5, 12, 8, 18.8, 8, 5.2))


def _pause() -> QPainterPath:
    return _lines((8.7, 5.5, 8.7, 18.5), (15.3, 5.5, 15.3, 18.5))


def _done() -> QPainterPath:
    return _lines((5, 12.6, 10, 17.4, 19, 7))


def _sliders() -> QPainterPath:
    path = QPainterPath()
    for y, x in ((6.0, 15.0), (12.0, 8.5), (18.0, 13.0)):
        path.addPath(_lines((3.5, y, x - 2.3, y), (x + 2.3, y, 20.5, y)))
        path.addEllipse(QPointF(x, y), 2.3, 2.3)
    return path


def _gear() -> QPainterPath:
    """A sun-like wheel: a hub and eight teeth."""
    path = QPainterPath()
    path.addEllipse(QPointF(12, 12), 5.6, 5.6)
    path.addEllipse(QPointF(12, 12), 1.9, 1.9)
    for x, y in ((0, 1), (0.707, 0.707), (1, 0), (0.707, -0.707)):
        for side in (1, -1):
            path.addPath(
                _lines((12 + side * x * 5.8, 12 + side * y * 5.8, 12 + side * x * 9, 12 + side * y * 9))
            )
    return path


def _microphone() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(8.7, 3, 6.6, 11.5), 3.3, 3.3)
    path.moveTo(5.2, 11.5)
    path.arcTo(QRectF(5.2, 4.7, 13.6, 13.6), 180, 180)
    path.addPath(_lines((12, 18.3, 12, 21)))
    return path


def _speaker() -> QPainterPath:
    path = _lines((3.5, 9.3, 7, 9.3, 11.8, 5, 11.8, 19, 7, 14.7, 3.5, 14.7, 3.5, 9.3))
    for radius in (3.4, 7.0):
        path.arcMoveTo(QRectF(12.8 - radius, 12 - radius, 2 * radius, 2 * radius), 50)
        path.arcTo(QRectF(12.8 - radius, 12 - radius, 2 * radius, 2 * radius), 50, -100)
    return path


def _muted() -> QPainterPath:
    path = _microphone()
    path.addPath(_lines((4, 3.5, 20, 20.5)))
    return path


def _restart() -> QPainterPath:
    path = QPainterPath()
    path.arcMoveTo(QRectF(4.5, 4.5, 15, 15), 60)
    path.arcTo(QRectF(4.5, 4.5, 15, 15), 60, -300)
    path.addPath(_lines((11.2, 2.2, 15.7, 5.4, 12.2, 9.4)))
    return path


def _close() -> QPainterPath:
    return _lines((6, 6, 18, 18), (18, 6, 6, 18))


def _chevron() -> QPainterPath:
    return _lines((6, 9.5, 12, 15.5, 18, 9.5))


_ICONS = {
    "talk": _talk,
    "recordings": _recordings,
    "models": _models,
    "train": _train,
    "settings": _gear,
    "play": _play,
    "pause": _pause,
    "done": _done,
    "sliders": _sliders,
    "microphone": _microphone,
    "muted": _muted,
    "speaker": _speaker,
    "restart": _restart,
    "close": _close,
    "chevron": _chevron,
}


@cache
def _path(name: str) -> QPainterPath:
    return _ICONS[name]()
