"""The small painted controls of the Talk page: buttons with an icon, choosers, a sign that recording is on.

Knows nothing about what they control.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSizePolicy, QWidget

from app.ui.shell.icons import paint_icon
from app.ui.shell.theme import GRID, RADIUS, SMALL, Colours, colours, mixed, scaled

CONTROL_HEIGHT = 36
ICON = 20.0


def drawn_icon(name: str, colour: QColor, size: int = 20) -> QIcon:
    """Return an icon as pictures for one and for two device pixels a pixel."""
    icon = QIcon()
    for ratio in (1, 2, 3):
        picture = QPixmap(QSize(size, size) * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_icon(painter, QRectF(0, 0, size, size), name, colour)
        painter.end()
        icon.addPixmap(picture)
    return icon


def paint_frame(painter: QPainter, widget: QWidget, tones: Colours, ground: QColor | None) -> None:
    """Paint the round frame of a control: its ground, a thin line, and a ring when it has the focus."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    focused = widget.hasFocus()
    inset = 1.0 if focused else 0.5
    painter.setPen(QPen(tones.text, 2.0) if focused else QPen(tones.line, 1.0))
    if ground is None:
        if not focused:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        painter.setBrush(ground)
    area = QRectF(widget.rect()).adjusted(inset, inset, -inset, -inset)
    painter.drawRoundedRect(area, RADIUS, RADIUS)


class IconButton(QAbstractButton):
    """A button with an icon, and perhaps a word and the key that does the same."""

    def __init__(self, icon: str, text: str = "", key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.icon_name = icon
        self._key = key
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self.icon_name = icon
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size that icon, word and key need."""
        width = ICON + 2 * GRID
        if self.text():
            width += self.fontMetrics().horizontalAdvance(self.text()) + GRID
        if self._key:
            width += self.fontMetrics().horizontalAdvance(self._key) * SMALL + GRID
        return QSize(int(width), CONTROL_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint icon, word and key side by side."""
        tones = colours(self.palette())
        painter = QPainter(self)
        ground = None
        if self.isDown() or self.isChecked():
            ground = mixed(tones.window, tones.text, 0.14)
        elif self.underMouse() and self.isEnabled():
            ground = mixed(tones.window, tones.text, 0.07)
        paint_frame(painter, self, tones, ground)
        colour = tones.text if self.isEnabled() else mixed(tones.quiet, tones.window, 0.45)
        top = (self.height() - ICON) / 2
        paint_icon(painter, QRectF(GRID, top, ICON, ICON), self.icon_name, colour)
        x = GRID + ICON + GRID
        painter.setPen(colour)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(x, 0, self.width(), self.height()), middle, self.text())
        if self._key:
            x += self.fontMetrics().horizontalAdvance(self.text()) + GRID
            painter.setFont(scaled(self.font(), SMALL))
            painter.setPen(tones.quiet if self.isEnabled() else colour)
            painter.drawText(QRectF(x, 0, self.width(), self.height()), middle, self._key)


class RecordSign(QAbstractButton):
    """REC with a red dot and the time while recording is on; a click switches it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._time = ""

    def set_time(self, text: str) -> None:
        """Show how long has been recorded; '' while nothing is."""
        if text != self._time:
            self._time = text
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size that the time of an hour fits in."""
        return QSize(4 * GRID + self.fontMetrics().horizontalAdvance("REC 0:00:00"), CONTROL_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a full dot while recording is on, an empty one while it is not."""
        tones = colours(self.palette())
        painter = QPainter(self)
        hover = self.underMouse() and self.isEnabled()
        paint_frame(painter, self, tones, mixed(tones.window, tones.text, 0.07) if hover else None)
        on = self.isChecked()
        dot = QRectF(GRID, self.height() / 2 - 5, 10, 10)
        painter.setPen(QPen(tones.trouble_text if on else tones.quiet, 1.6))
        painter.setBrush(tones.trouble if on and self._time else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(dot)
        painter.setPen(tones.text if on else tones.quiet)
        area = QRectF(dot.right() + GRID, 0, self.width(), self.height())
        text = f"REC {self._time}".strip() if on else self.tr("not recorded")
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)


class Chooser(QComboBox):
    """A choice among names, shown beside an icon; long names are shortened, the tooltip tells them whole."""

    def __init__(self, icon: str, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._tip = tip
        self.setAccessibleName(name)
        self.setFixedHeight(CONTROL_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(280)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.currentTextChanged.connect(self._tell)
        self._tell(self.currentText())

    def fix_width(self, width: int) -> None:
        """Stand in a column of controls, in place of sharing the width of a row."""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(width)

    def choose(self, data: object) -> None:
        """Select the entry with this data, without a signal; one that is not there is added."""
        with QSignalBlocker(self):
            found = self.findData(data)
            if found < 0:
                self.addItem(str(data).rsplit("/", 1)[-1], data)
                found = self.count() - 1
            self.setCurrentIndex(found)
        self._tell(self.currentText())
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Return the size in which a shortened name still says something."""
        return QSize(112, CONTROL_HEIGHT)

    def showPopup(self) -> None:
        """Open a list as wide as its longest name."""
        self.view().setMinimumWidth(max(self.width(), self.view().sizeHintForColumn(0) + 4 * GRID))
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint icon, name and a chevron."""
        tones = colours(self.palette())
        painter = QPainter(self)
        hover = self.underMouse() and self.isEnabled()
        paint_frame(painter, self, tones, mixed(tones.base, tones.text, 0.05) if hover else tones.base)
        colour = tones.text if self.isEnabled() else tones.quiet
        top = (self.height() - ICON) / 2
        paint_icon(painter, QRectF(GRID, top, ICON, ICON), self._icon, colour)
        right = self.width() - GRID - 12
        paint_icon(painter, QRectF(right, self.height() / 2 - 6, 12, 12), "chevron", tones.quiet)
        left = GRID + ICON + GRID
        text = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, int(right - left - GRID / 2)
        )
        painter.setPen(colour)
        painter.drawText(QRectF(left, 0, right, self.height()), Qt.AlignmentFlag.AlignVCenter, text)

    def _tell(self, text: str) -> None:
        self.setToolTip(f"{self._tip}\n{text}" if text else self._tip)
