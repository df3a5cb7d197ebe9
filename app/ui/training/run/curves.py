"""The losses of a run, painted: a panel for each stream, training faint, held out strong, the best marked.

Knows nothing about files: it is given the events of a run. The model's streams are orange, the user's blue.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.shell.theme import GRID, RADIUS, SMALL, Colours, colours, mixed, scaled
from app.ui.training.run.curve_scale import Scale, nice_steps, thinned, value_range

STREAMS = ("text", "semantic", "acoustic", "user")
TITLE_PX = 26
AXIS_PX = 20
MARGIN_PX = 38
"""The room for the labels of the losses."""
PANEL_WIDTH, PANEL_HEIGHT = 232, 144

Point = tuple[int, float]
"""A step, and the loss at it in nats."""


@dataclass
class Losses:
    """What is painted of a run."""

    training: dict[str, list[Point]] = field(default_factory=lambda: {name: [] for name in STREAMS})
    held_out: dict[str, list[Point]] = field(default_factory=lambda: {name: [] for name in STREAMS})
    best_step: int | None = None
    last_step: int = 0

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in what happened; steps that were done again after a resume replace those before."""
        for event in events:
            if event["kind"] not in ("step", "evaluation"):
                continue
            step = int(event.get("step", 0))
            lines = self.training if event["kind"] == "step" else self.held_out
            for name in STREAMS:
                if isinstance(value := event.get(name), (int, float)):
                    line = lines[name]
                    while line and line[-1][0] >= step:
                        line.pop()
                    line.append((step, float(value)))
            self.last_step = max(self.last_step, step)
            if event["kind"] == "evaluation" and event.get("best"):
                self.best_step = step

    @property
    def streams(self) -> list[str]:
        """Return the streams of which anything is known; those of the model before there is anything."""
        return [name for name in STREAMS if self.training[name] or self.held_out[name]] or list(STREAMS[:3])


class Curves(QWidget):
    """The panels side by side, or in two rows where the window is narrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._losses = Losses()
        self._steps = 0
        self._x: float | None = None
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Losses of the run"))
        self.setToolTip(self.tr("Lower is better. Thin: while training. Thick: on dialogues kept aside."))

    def clear(self, steps: int = 0) -> None:
        """Begin with another run that will have this many steps."""
        self._losses, self._steps, self._x = Losses(), steps, None
        self.update()

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Show what happened."""
        before = len(self._losses.streams)
        self._losses.add(events)
        if len(self._losses.streams) != before:
            self.updateGeometry()
        self.setAccessibleDescription(self._spoken())
        self.update()

    def set_steps(self, steps: int) -> None:
        """Show how many steps there will be."""
        if steps != self._steps:
            self._steps = steps
            self.update()

    def heightForWidth(self, width: int) -> int:
        """Return the height that the rows of panels need."""
        rows = -(-len(self._losses.streams) // self._columns(width))
        return rows * (PANEL_HEIGHT + GRID) - GRID

    def sizeHint(self) -> QSize:
        """Return the size of a row of panels."""
        return QSize(2 * PANEL_WIDTH, self.heightForWidth(2 * PANEL_WIDTH))

    def minimumSizeHint(self) -> QSize:
        """Return the least size in which anything can be read."""
        width = max(PANEL_WIDTH, self.width())
        return QSize(PANEL_WIDTH, self.heightForWidth(width))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read off the losses under the pointer."""
        self._x = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Stop reading off."""
        self._x = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint each panel."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled(self.font(), SMALL))
        panels = self._panels()
        pointed = self._pointed_step(panels)
        for name, area in zip(self._losses.streams, panels, strict=True):
            self._paint_panel(painter, area, name, pointed, tones)

    def _columns(self, width: int) -> int:
        count = len(self._losses.streams)
        fitting = max(1, min(count, (width + GRID) // (PANEL_WIDTH + GRID)))
        return 2 if count == 4 and fitting == 3 else fitting

    def _panels(self) -> list[QRectF]:
        """Return the area of each panel."""
        count, columns = len(self._losses.streams), self._columns(self.width())
        rows = -(-count // columns)
        width = (self.width() - GRID * (columns - 1)) / columns
        height = (self.height() - GRID * (rows - 1)) / rows
        places = (divmod(number, columns) for number in range(count))
        return [QRectF(x * (width + GRID), y * (height + GRID), width, height) for y, x in places]

    def _plot(self, area: QRectF) -> QRectF:
        return area.adjusted(MARGIN_PX, TITLE_PX + 4, -1.5 * GRID, -AXIS_PX - 2)

    def _scale(self, area: QRectF, name: str) -> Scale:
        low, high = value_range(self._losses.training[name], self._losses.held_out[name])
        return Scale(self._plot(area), max(self._steps, self._losses.last_step, 1), low, high)

    def _pointed_step(self, panels: Sequence[QRectF]) -> int | None:
        """Return the step at the pointer, in whichever panel it is."""
        for name, area in zip(self._losses.streams, panels, strict=True):
            plot = self._plot(area)
            if self._x is not None and plot.left() - 2 <= self._x <= plot.right() + 2:
                step = self._scale(area, name).step(self._x)
                return step if step <= self._losses.last_step else None
        return None

    def _paint_panel(
        self, painter: QPainter, area: QRectF, name: str, pointed: int | None, tones: Colours
    ) -> None:
        painter.setPen(QPen(tones.line, 1.0))
        painter.setBrush(tones.base)
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        scale = self._scale(area, name)
        _paint_axes(painter, scale, tones)
        colour = tones.user if name == "user" else tones.model
        faint = mixed(colour, tones.base, 0.5)
        painter.setPen(QPen(faint, 1.1))
        painter.drawPolyline(
            QPolygonF([scale.point(at) for at in thinned(self._losses.training[name], scale)])
        )
        self._paint_held_out(painter, scale, name, colour, tones)
        if pointed is not None:
            x = scale.x(pointed)
            painter.setPen(QPen(tones.quiet, 1.0))
            painter.drawLine(QPointF(x, scale.area.top()), QPointF(x, scale.area.bottom()))
        self._paint_title(painter, area, name, pointed, tones)

    def _paint_held_out(
        self, painter: QPainter, scale: Scale, name: str, colour: QColor, tones: Colours
    ) -> None:
        line = self._losses.held_out[name]
        points = [scale.point(at) for at in line]
        join = Qt.PenJoinStyle.RoundJoin
        painter.setPen(QPen(colour, 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, join))
        painter.drawPolyline(QPolygonF(points))
        for (step, _), point in zip(line, points, strict=True):
            best = step == self._losses.best_step
            painter.setPen(QPen(tones.text, 2.0) if best else Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            radius = 4.6 if best else 2.8
            painter.drawEllipse(point, radius, radius)

    def _paint_title(
        self, painter: QPainter, area: QRectF, name: str, pointed: int | None, tones: Colours
    ) -> None:
        """Paint what the panel shows, and at the right the loss that counts or is pointed at."""
        row = QRectF(area.left() + 1.5 * GRID, area.top() + 2, area.width() - 3 * GRID, TITLE_PX)
        value = self._reading(name, pointed)
        room = row.width() - painter.fontMetrics().horizontalAdvance(value) - GRID
        title = painter.fontMetrics().elidedText(self._title(name), Qt.TextElideMode.ElideRight, int(room))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(tones.text)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | middle, title)
        painter.setPen(tones.user_text if name == "user" else tones.model_text)
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | middle, value)

    def _reading(self, name: str, pointed: int | None) -> str:
        if pointed is not None:
            value = _near(self._losses.training[name], pointed) or _near(self._losses.held_out[name], pointed)
            return self.tr("{0} at {1}").format(f"{value[1]:.2f}", value[0]) if value else ""
        held = dict(self._losses.held_out[name])
        if self._losses.best_step in held:
            return self.tr("best {0}").format(f"{held[self._losses.best_step]:.2f}")
        line = self._losses.held_out[name] or self._losses.training[name]
        return f"{line[-1][1]:.2f}" if line else ""

    def _title(self, name: str) -> str:
        return {
            "text": self.tr("Words (text)"),
            "semantic": self.tr("Speech sounds (semantic)"),
            "acoustic": self.tr("Voice (acoustic)"),
            "user": self.tr("Your voice (user)"),
        }[name]

    def _spoken(self) -> str:
        """Return the newest losses in words."""
        return ", ".join(f"{self._title(name)} {self._reading(name, None)}" for name in self._losses.streams)


def _near(line: list[Point], step: int) -> Point | None:
    """Return the point of a line at a step or just before."""
    at = bisect_left(line, (step + 1, float("-inf")))
    return line[at - 1] if at else None


def _paint_axes(painter: QPainter, scale: Scale, tones: Colours) -> None:
    """Paint a few losses with thin lines, and a few steps."""
    grid = mixed(tones.line, tones.base, 0.35)
    area = scale.area
    for value, text in nice_steps(scale.low, scale.high, 3):
        y = scale.y(value)
        painter.setPen(QPen(grid, 1.0))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(tones.quiet)
        label = QRectF(area.left() - MARGIN_PX, y - 9, MARGIN_PX - 6, 18)
        painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
    painter.setPen(tones.quiet)
    for value, text in nice_steps(0.0, float(scale.steps), 4):
        x = scale.x(value)
        width = painter.fontMetrics().horizontalAdvance(text)
        left = min(max(area.left() - 4, x - width / 2), area.right() + GRID - width)
        painter.drawText(QPointF(left, area.bottom() + AXIS_PX - 4), text)
