"""The four steps across the top of the Train page: where one is, what is done, and a way to each.

Knows nothing about what the steps hold.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from app.ui.shell.icons import paint_icon
from app.ui.shell.theme import GRID, RADIUS, colours, mixed

DISC = 26.0
STEP_HEIGHT = 44
LINE_WIDTH = 48


class Step(QAbstractButton):
    """One step: its number in a disc, and its word."""

    def __init__(self, number: int, name: str, tip: str) -> None:
        super().__init__()
        self._number = number
        self._done = False
        self.setText(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Step {0}: {1}").format(number, name))
        self.setToolTip(f"{tip} (Alt+{number})")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_done(self, done: bool) -> None:
        """Show whether there is nothing left to do here."""
        if done != self._done:
            self._done = done
            self.setAccessibleDescription(self.tr("done") if done else "")
            self.update()

    def sizeHint(self) -> QSize:
        """Return the size of disc and word, the word bold."""
        word = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(int(DISC + word * 1.12 + 4 * GRID), STEP_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the disc full where one is, ticked where it is done, and empty where one was not yet."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        here = self.isChecked()
        painter.setPen(QPen(tones.text, 2.0) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(mixed(tones.window, tones.text, 0.06 if self.underMouse() and not here else 0.0))
        if self.hasFocus() or self.underMouse():
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        disc = QRectF(GRID, (self.height() - DISC) / 2, DISC, DISC)
        edge = tones.text if here else mixed(tones.window, tones.quiet, 0.75)
        painter.setPen(QPen(edge, 1.5))
        painter.setBrush(tones.text if here else tones.window)
        painter.drawEllipse(disc.adjusted(1, 1, -1, -1))
        inside = tones.base if here else tones.quiet
        if self._done and not here:
            paint_icon(painter, disc.adjusted(5.5, 5.5, -5.5, -5.5), "done", tones.text)
        else:
            painter.setPen(inside)
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(self._number))
        font = self.font()
        font.setBold(here)
        painter.setFont(font)
        painter.setPen(tones.text if here or self._done or self.underMouse() else tones.quiet)
        word = QRectF(disc.right() + GRID, 0, self.width(), self.height())
        painter.drawText(word, Qt.AlignmentFlag.AlignVCenter, self.text())


class _Line(QWidget):
    """What leads from one step to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(LINE_WIDTH, STEP_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a line at the height of the discs."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setPen(QPen(mixed(tones.window, tones.quiet, 0.5), 1.5))
        y = self.height() / 2
        painter.drawLine(QPointF(0, y), QPointF(self.width(), y))


class StepBar(QWidget):
    """The steps, left to right."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Steps of training"))
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self.chosen)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        for number, (name, tip) in enumerate(self._steps(), 1):
            if number > 1:
                across.addWidget(_Line())
            step = Step(number, name, tip)
            self._group.addButton(step, number - 1)
            across.addWidget(step)
        across.addStretch(1)

    def show_current(self, index: int) -> None:
        """Let one step stand out."""
        self._step(index).setChecked(True)

    def set_done(self, index: int, done: bool) -> None:
        """Tick a step, or take the tick away."""
        self._step(index).set_done(done)

    def _step(self, index: int) -> Step:
        step = self._group.button(index)
        assert isinstance(step, Step)
        return step

    def _steps(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.tr("Data"), self.tr("What the model learns from")),
            (self.tr("Check"), self.tr("See what will be learnt, and mend what is odd")),
            (self.tr("Train"), self.tr("Train, and watch it")),
            (self.tr("Listen"), self.tr("Hear before and after, and make a model of it")),
        )
