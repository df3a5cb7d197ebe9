"""The quiet furniture of the pages: a scrolling column, titled panels with rows, a switch.

Knows nothing about what stands in the rows; colours and distances come from the theme.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.shell import theme

COLUMN_WIDTH = 760
"""Wide enough for a sentence, narrow enough to be read without moving the head."""


class Column(QScrollArea):
    """A page that scrolls: one column of at most `width` pixels in the middle, `margin` around it."""

    def __init__(
        self, width: int = COLUMN_WIDTH, parent: QWidget | None = None, *, margin: int = 3 * theme.GRID
    ) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        middle = QWidget()
        middle.setMaximumWidth(width)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.items = QVBoxLayout(middle)
        self.items.setContentsMargins(0, 0, 0, 0)
        self.items.setSpacing(theme.GRID)
        whole = QWidget()
        across = QHBoxLayout(whole)
        across.setContentsMargins(margin, margin, margin, margin)
        across.addStretch(1)
        across.addWidget(middle, 1000, Qt.AlignmentFlag.AlignTop)
        across.addStretch(1)
        self.setWidget(whole)
        for part in (self.viewport(), whole):
            part.setAutoFillBackground(False)

    def section(self, title: str) -> Panel:
        """Add a titled panel and return it."""
        self.items.addSpacing(2 * theme.GRID if self.items.count() else 0)
        self.items.addWidget(heading(title))
        panel = Panel()
        panel.setAccessibleName(title)
        self.items.addWidget(panel)
        return panel


class Panel(QFrame):
    """A sheet with round corners that holds rows, a thin line between them."""

    def __init__(self, across: int = 2 * theme.GRID, down: int = theme.GRID) -> None:
        super().__init__()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(across, down, across, down)
        self._rows.setSpacing(0)

    def add_row(self, title: str, explanation: str | QLabel, *controls: QWidget) -> QWidget:
        """Add a row: what it is on the left, what to do about it on the right.

        An explanation that will change is given as a label.
        """
        if self._rows.count():
            self._rows.addWidget(_Line())
        row = QWidget()
        across = QHBoxLayout(row)
        across.setContentsMargins(0, theme.GRID, 0, theme.GRID)
        across.setSpacing(theme.GRID)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(QLabel(title))
        if explanation:
            words.addWidget(quiet(explanation) if isinstance(explanation, str) else explanation)
        words.addStretch(1)
        across.addLayout(words, 1)
        for control in controls:
            across.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        self._rows.addWidget(row)
        return row

    def add(self, content: QWidget | QLayout) -> None:
        """Add anything else below the rows."""
        if isinstance(content, QWidget):
            self._rows.addWidget(content)
        else:
            self._rows.addLayout(content)

    def add_space(self, height: int) -> None:
        """Leave some room before what is added next."""
        self._rows.addSpacing(height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sheet."""
        tones = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tones.line, 1))
        painter.setBrush(tones.base)
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS
        )


class _Line(QWidget):
    """A thin line between two rows."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.colours(self.palette()).line)


class Switch(QCheckBox):
    """A check box that looks like the switch it is."""

    WIDTH, HEIGHT = 44, 24

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return the size of the switch and its focus ring."""
        return QSize(self.WIDTH + 4, self.HEIGHT + 4)

    def hitButton(self, pos: object) -> bool:
        """Let the whole switch be clicked."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the track, the knob at its end, and the focus ring."""
        tones = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, (self.height() - self.HEIGHT) / 2, self.WIDTH, self.HEIGHT)
        if self.hasFocus():
            painter.setPen(QPen(tones.text, 2))
            painter.drawRoundedRect(track.adjusted(-1, -1, 1, 1), self.HEIGHT / 2 + 1, self.HEIGHT / 2 + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tones.text if self.isChecked() else theme.mixed(tones.line, tones.text, 0.25))
        inner = track.adjusted(2, 2, -2, -2)
        painter.drawRoundedRect(inner, inner.height() / 2, inner.height() / 2)
        painter.setBrush(tones.base)
        radius = inner.height() / 2 - 2
        x = inner.right() - 2 - radius if self.isChecked() else inner.left() + 2 + radius
        painter.drawEllipse(QRectF(x - radius, inner.center().y() - radius, 2 * radius, 2 * radius))


def heading(text: str) -> QLabel:
    """Return the title of a section."""
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def quiet(text: str) -> QLabel:
    """Return an explanation: smaller, fainter, wrapped."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setFont(theme.scaled(label.font(), theme.SMALL))
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label
