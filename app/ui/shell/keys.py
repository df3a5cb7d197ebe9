"""Keys that do what a control of a page does, while the page is in front.

Knows nothing about pages. A key that a focused control types or moves with stays with that control.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def add_key(page: QWidget, key: str, do: Callable[[], None]) -> QShortcut:
    """Let a key do something while a page can be seen, wherever in the window the focus is."""
    shortcut = QShortcut(QKeySequence(key), page)
    shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
    shortcut.activated.connect(do)
    return shortcut
