"""Stands in for the step Check until it is there. Knows nothing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel

from app.paths import Paths


class CheckStep(QLabel):
    """An empty page."""

    trouble = Signal(str, str)
    prepare_wanted = Signal()

    def __init__(self, where: Paths) -> None:
        super().__init__()

    def show_dataset(self, folder: Path | None) -> None:
        """Do nothing."""

    def shut(self) -> None:
        """Do nothing."""
