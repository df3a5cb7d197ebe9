"""Lets a page scroll where the window is smaller than what the page needs, in place of cutting it off.

Knows nothing about the page.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

LEAST = QSize(160, 96)


class Fitting(QScrollArea):
    """As large as it is let be; its content has at least the size that it needs."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(content)
        for part in (self.viewport(), content):
            part.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        """Return a size in which something can still be seen of the content."""
        return LEAST
