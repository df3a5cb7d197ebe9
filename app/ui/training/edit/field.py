"""The line in which a word over the sound is written.

Knows nothing about words: it tells what was written, and which way to go on.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

WIDTH = 144


class WordField(QLineEdit):
    """Hidden until a word is written. Return and Tab take the text, Escape leaves it."""

    done = Signal(str, int)
    """The text, and 1, -1 or 0: go on with the next word, the one before, or none."""
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("The word"))
        self.setToolTip(
            self.tr("Return keeps it, Tab goes on with the next word, Escape leaves it as it was")
        )
        self.hide()

    def begin(self, text: str, word: QRectF, height: float, right: float) -> None:
        """Appear over a word with its text; no further right than `right`."""
        self.setText(text)
        self.selectAll()
        width = round(max(WIDTH, word.width()))
        self.setGeometry(
            round(min(word.left(), right - width)), round(word.top()) - 4, width, round(height) + 8
        )
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """Take Tab before it leads to another control."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
            step = steps.get(Qt.Key(event.key()))
            if step is not None:
                self.done.emit(self.text(), step)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """End writing with Return or Escape."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.done.emit(self.text(), 0)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take what was written when something else is clicked."""
        super().focusOutEvent(event)
        own = event.reason() in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
        if self.isVisible() and not own:
            self.done.emit(self.text(), 0)
