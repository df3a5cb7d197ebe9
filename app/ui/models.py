"""The Models page: what each model is for, what it costs, and the one thing to do with it next.

Knows nothing about how a model is loaded: it asks with signals, and learns the rest from events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.engine.events import Event
from app.paths import Paths

if TYPE_CHECKING:
    from app.settings import Settings


class ModelsPage(QWidget):
    """One card for each known model, and for each folder of the user's own."""

    load_model = Signal(str)
    """The spec of the model that the user wants in memory."""
    unload_model = Signal()
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._settings = settings

    def on_event(self, event: Event) -> None:
        """Follow what the session does with its model."""
