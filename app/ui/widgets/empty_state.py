"""What stands where the words will be: a title, a sentence, progress, and the one or two next things to do.

Knows nothing about models or talks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.shell.theme import GRID, SMALL, WORDS, colours, make_primary, scaled
from app.ui.shell.translation import told

PANE_WIDTH = 560


class Action(NamedTuple):
    """A button: its word, what it does in a sentence, what happens."""

    text: str
    tip: str
    do: Callable[[], None]


class Progress(QWidget):
    """A thin bar that fills, in no colour that means a speaker."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_share(self, share: float) -> None:
        """Fill a share of the bar, 0..1."""
        self._share = min(1.0, max(0.0, share))
        self.setAccessibleDescription(f"{self._share:.0%}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(PANE_WIDTH, 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the track and the part that is done."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        for share, colour in ((1.0, tones.line), (self._share, tones.text)):
            if share > 0:
                painter.setBrush(colour)
                width = max(area.height(), area.width() * share)
                painter.drawRoundedRect(QRectF(0, 0, width, area.height()), 3, 3)


class Pane(QWidget):
    """One state of the page in words, in the middle of the room that the talk will take."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._title.setFont(scaled(self.font(), WORDS))
        self._sentence = QLabel()
        self._detail = QLabel()
        self._detail.setFont(scaled(self.font(), SMALL))
        self._progress = Progress()
        self._progress.setAccessibleName(self.tr("Progress"))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GRID)
        for label in (self._title, self._sentence, self._detail):
            label.setWordWrap(True)
            # What people wrote is shown as they wrote it.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self._sentence, self._detail):
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column = QWidget()
        column.setMaximumWidth(PANE_WIDTH)
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID)
        for widget in (self._title, self._sentence):
            rows.addWidget(widget)
        rows.addSpacing(GRID)
        rows.addWidget(self._progress)
        rows.addWidget(self._detail)
        rows.addLayout(self._buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        whole.addStretch(2)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(column, 100)
        across.addStretch(1)
        whole.addLayout(across)
        whole.addStretch(3)

    @property
    def title(self) -> str:
        """Return the title that is shown."""
        return self._title.text()

    def show_state(self, title: str, sentence: str, *actions: Action, likely: bool = True) -> None:
        """Show a state and what can be done about it, the first button the likeliest if one is."""
        self._title.setText(told(title))
        self._sentence.setText(told(sentence))
        self._progress.hide()
        self._detail.hide()
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for number, action in enumerate(actions):
            self._buttons.addWidget(_button(action, primary=likely and number == 0))
        self._buttons.addStretch(1)

    def show_progress(self, share: float | None, detail: str) -> None:
        """Show how far something is, None while that is not known, and a line about it."""
        self._progress.setVisible(share is not None)
        self._progress.set_share(share or 0.0)
        self._detail.setVisible(bool(detail))
        self._detail.setText(detail)

    def event(self, event: QEvent) -> bool:
        """Need another height when the words or the buttons are others."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Need more height where there is less width."""
        super().resizeEvent(event)
        self._fit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Need nothing while a talk has the room."""
        super().hideEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Let a low window scroll, in place of cutting the words off."""
        whole = self.layout()
        needed = whole.totalHeightForWidth(self.width()) if whole is not None and self.isVisible() else 0
        self.setMinimumHeight(max(0, needed))


def _button(action: Action, *, primary: bool) -> QPushButton:
    button = QPushButton(action.text)
    button.setToolTip(action.tip)
    button.setAutoDefault(True)
    button.clicked.connect(action.do)
    if primary:
        make_primary(button)
    return button
