"""The Settings page: what a talk starts with, and what to send with a bug report.

Knows nothing about where the settings file lies: it hands out a new Settings with each change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.paths import Paths

if TYPE_CHECKING:
    from app.settings import Settings


class SettingsPage(QWidget):
    """Devices, recording, appearance, the defaults of sampling, and About."""

    changed = Signal(object)
    """The new Settings, after each change that the user makes."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, settings: Settings, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._paths = paths

    def set_settings(self, settings: Settings) -> None:
        """Show settings that were changed elsewhere, without telling them again."""
        self._settings = settings
