"""The slim bar of pages at the left: an icon and a word each, and what goes on there, seen from every page.

Knows nothing about what the pages hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from app.ui.shell.icons import paint_icon
from app.ui.shell.theme import GRID, RADIUS, SMALL, Colours, colours, mixed, scaled

ICON = 24.0
PLACE_HEIGHT = 64
LEAST_HEIGHT = 36
"""So low is a place in a window that has no room for the words."""

SIGN_PX = 12.0
"""How large the sign is at the upper right of an icon."""


@dataclass(frozen=True)
class Sign:
    """What goes on at a page: in words, and as a dot or a ring beside its icon."""

    words: str
    share: float | None = None
    """How much of it is done, 0..1, for a ring that fills; None for a red dot."""
    recorded: bool = False
    """Whether the dot has a ring around it."""


class Place(QAbstractButton):
    """One page to go to."""

    def __init__(self, icon: str, name: str, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._tip = f"{name} ({key})"
        self.sign: Sign | None = None
        self.setText(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(self._tip)
        self.setAccessibleName(name)
        self.setFont(scaled(self.font(), SMALL))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def minimumSizeHint(self) -> QSize:
        """Return a size in which the icon fits."""
        return QSize(self.sizeHint().width(), LEAST_HEIGHT)

    def show_sign(self, sign: Sign | None) -> None:
        """Show what goes on there, None for nothing."""
        if sign == self.sign:
            return
        self.sign = sign
        words = sign.words if sign is not None else ""
        self.setToolTip("\n".join(part for part in (self._tip, words) if part))
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size in which the word fits below the icon."""
        return QSize(
            max(9 * GRID, self.fontMetrics().horizontalAdvance(self.text()) + 2 * GRID), PLACE_HEIGHT
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint icon and word; the page that is open stands out."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(GRID / 2, 2, -GRID / 2, -2)
        painter.setPen(QPen(tones.text, 2.0) if self.hasFocus() else Qt.PenStyle.NoPen)
        if self.isChecked():
            painter.setBrush(mixed(tones.window, tones.text, 0.1))
        elif self.underMouse():
            painter.setBrush(mixed(tones.window, tones.text, 0.05))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        colour = tones.text if self.isChecked() or self.underMouse() else tones.quiet
        worded = self.height() >= PLACE_HEIGHT
        top = 11 if worded else (self.height() - ICON) / 2
        icon = QRectF((self.width() - ICON) / 2, top, ICON, ICON)
        paint_icon(painter, icon, self._icon, colour)
        if worded:
            painter.setPen(colour)
            word = QRectF(0, icon.bottom() + 2, self.width(), self.height() - icon.bottom() - 6)
            painter.drawText(word, Qt.AlignmentFlag.AlignCenter, self.text())
        if self.sign is not None:
            corner = QRectF(icon.right() - SIGN_PX / 3, icon.top() - SIGN_PX / 2, SIGN_PX, SIGN_PX)
            _paint_sign(painter, corner, self.sign, tones)


def _paint_sign(painter: QPainter, area: QRectF, sign: Sign, tones: Colours) -> None:
    """Paint a red dot, with a ring where it is recorded, or a ring that is full where all is done."""
    if sign.share is None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tones.trouble)
        inset = SIGN_PX / 4 if sign.recorded else SIGN_PX / 8
        painter.drawEllipse(area.adjusted(inset, inset, -inset, -inset))
        if sign.recorded:
            painter.setPen(QPen(tones.trouble, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(area.adjusted(0.75, 0.75, -0.75, -0.75))
        return
    ring = area.adjusted(1.5, 1.5, -1.5, -1.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(mixed(tones.window, tones.text, 0.25), 3.0))
    painter.drawEllipse(ring)
    cap = Qt.PenCapStyle.FlatCap
    painter.setPen(QPen(tones.text, 3.0, Qt.PenStyle.SolidLine, cap))
    # Qt counts sixteenths of a degree, against the clock from three o'clock.
    painter.drawArc(ring, 90 * 16, -round(sign.share * 360 * 16))


class SideBar(QWidget):
    """The places, top to bottom."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self.chosen)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(GRID // 2, GRID, GRID // 2, GRID)
        self._rows.setSpacing(GRID // 2)
        self._rows.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Pages"))

    def add(self, icon: str, name: str, key: str) -> None:
        """Add a place below the others."""
        place = Place(icon, name, key)
        self._group.addButton(place, len(self._group.buttons()))
        self._rows.insertWidget(self._rows.count() - 1, place)

    def show_sign(self, index: int, sign: Sign | None) -> None:
        """Show what goes on at a page, None for nothing."""
        self.place(index).show_sign(sign)

    def place(self, index: int) -> Place:
        """Return the button of a page."""
        place = self._group.button(index)
        assert isinstance(place, Place)
        return place

    def show_current(self, index: int) -> None:
        """Let one place stand out."""
        self._group.button(index).setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a thin line at the right."""
        painter = QPainter(self)
        x = self.width() - 1
        painter.fillRect(x, 0, 1, self.height(), colours(self.palette()).line)
