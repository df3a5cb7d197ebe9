"""The slim bar of pages at the left: an icon and a word each.

Knows nothing about what the pages hold.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from app.ui.icons import paint_icon
from app.ui.theme import GRID, RADIUS, SMALL, colours, mixed, scaled

ICON = 24.0
PLACE_HEIGHT = 64


class Place(QAbstractButton):
    """One page to go to."""

    def __init__(self, icon: str, name: str, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(f"{name} ({key})")
        self.setAccessibleName(name)
        self.setFont(scaled(self.font(), SMALL))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

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
        icon = QRectF((self.width() - ICON) / 2, 11, ICON, ICON)
        paint_icon(painter, icon, self._icon, colour)
        painter.setPen(colour)
        word = QRectF(0, icon.bottom() + 2, self.width(), self.height() - icon.bottom() - 6)
        painter.drawText(word, Qt.AlignmentFlag.AlignCenter, self.text())


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

    def show_current(self, index: int) -> None:
        """Let one place stand out."""
        self._group.button(index).setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a thin line at the right."""
        painter = QPainter(self)
        x = self.width() - 1
        painter.fillRect(x, 0, 1, self.height(), colours(self.palette()).line)
