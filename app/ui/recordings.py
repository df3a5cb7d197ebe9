"""The Recordings page: past talks as cards, newest first, and one of them opened.

Knows nothing about how a recording is written or a model is run.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.paths import Paths


class RecordingsPage(QWidget):
    """All talks below `paths.recordings`."""

    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths

    def open_recording(self, folder: Path) -> None:
        """Show the talk in `folder`, ready to be played."""
