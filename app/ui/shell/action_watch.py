"""Notices that the user does something on a page, so that what was said about what they did before may go.

Knows nothing about messages. It listens only while there is a page to watch.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Delete)
"""What does something where it is pressed; other keys move, or write."""


class ActionWatch(QObject):
    """Watches one page at a time, until it has told once."""

    acted = Signal(object)
    """The page on which a button or a key was pressed; before what that does."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._page: QWidget | None = None

    def watch(self, page: QWidget) -> None:
        """Tell of the next action on a page."""
        if self._page is None:
            _program().installEventFilter(self)
        self._page = page

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at what is pressed, and hold nothing back."""
        if self._page is not None and isinstance(watched, QWidget) and self._page.isAncestorOf(watched):
            pressed = event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QAbstractButton)
            if pressed or (isinstance(event, QKeyEvent) and _does_something(event)):
                page, self._page = self._page, None
                _program().removeEventFilter(self)
                self.acted.emit(page)
        return False


def _does_something(event: QKeyEvent) -> bool:
    return event.type() == QEvent.Type.KeyPress and event.key() in KEYS


def _program() -> QCoreApplication:
    program = QCoreApplication.instance()
    assert program is not None, "there are pages only where there is a program"
    return program
