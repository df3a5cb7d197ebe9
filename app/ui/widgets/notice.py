"""A strip that says what happened, what to do, and has a button that does it; it never blocks.

Knows nothing about what it says.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.shell.theme import GRID, RADIUS, SMALL, colours, mixed, scaled
from app.ui.shell.translation import told
from app.ui.widgets.controls import IconButton
from app.ui.widgets.empty_state import Action

STRIPE_PX = 4.0


class Notice(QWidget):
    """One message at a time; trouble carries a red stripe, anything else a grey one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.topic = ""
        """What the message is about, so that it can be taken away when that is over."""
        self._grave = False
        self._sentence = QLabel()
        self._advice = QLabel()
        self._advice.setFont(scaled(self.font(), SMALL))
        self._advice.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self._sentence, self._advice):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(label)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GRID)
        close = IconButton("close")
        close.setToolTip(self.tr("Close this message"))
        close.setAccessibleName(self.tr("Close this message"))
        close.clicked.connect(self.clear)
        across = QHBoxLayout(self)
        across.setContentsMargins(2 * GRID, GRID, GRID // 2, GRID)
        across.addLayout(words, 1)
        across.addLayout(self._buttons)
        across.addWidget(close)
        self.hide()

    @property
    def text(self) -> str:
        """Return the message, '' while there is none."""
        return f"{self._sentence.text()} {self._advice.text()}".strip() if self.topic else ""

    def tell(self, topic: str, sentence: str, advice: str, *actions: Action, grave: bool = True) -> None:
        """Show a message in place of the one before."""
        self.topic = topic
        self._grave = grave
        self._sentence.setText(told(sentence))
        self._advice.setText(told(advice))
        self._advice.setVisible(bool(advice))
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for action in actions:
            button = QPushButton(action.text)
            button.setToolTip(action.tip)
            button.setAutoDefault(True)
            button.clicked.connect(action.do)
            self._buttons.addWidget(button)
        self.show()
        self.update()

    def update_sentence(self, sentence: str) -> None:
        """Say the present message with other figures, in place; its buttons stay as they are."""
        self._sentence.setText(told(sentence))

    def clear(self) -> None:
        """Take the message away."""
        self.topic = ""
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a sheet with a stripe at its left."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = tones.trouble_text if self._grave else tones.quiet
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(mixed(tones.line, shade, 0.3), 1.0))
        painter.setBrush(mixed(tones.base, shade, 0.06))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        stripe = QRectF(GRID / 2 + 2, GRID, STRIPE_PX, self.height() - 2 * GRID)
        painter.drawRoundedRect(stripe, STRIPE_PX / 2, STRIPE_PX / 2)
