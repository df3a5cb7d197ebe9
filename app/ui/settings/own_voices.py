"""Voices of people that a model may speak with: whose each is, since when, and a button that takes it back.

Knows nothing about models, and reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

from PySide6.QtCore import QDate, QLocale, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.prompts import OwnVoice
from app.ui.shell.theme import GRID
from app.ui.shell.wording import own_voice_words
from app.ui.widgets.panel import Panel, heading

SHOWN_DIGITS = 12
"""How much of a hash is shown: enough to tell two files apart."""


class OwnVoices(QWidget):
    """A titled list; not there while there is nothing in it."""

    revoked = Signal(object)
    """The OwnVoice whose consent is taken back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._voices: tuple[OwnVoice, ...] = ()
        self._panel: Panel | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 2 * GRID, 0, 0)
        self._rows.setSpacing(GRID)
        self._rows.addWidget(heading(self.tr("Voices used with consent")))
        self.hide()

    def set_voices(self, voices: Sequence[OwnVoice]) -> None:
        """Show these."""
        if tuple(voices) == self._voices:
            return
        self._voices = tuple(voices)
        if self._panel is not None:
            self._panel.hide()
            self._panel.deleteLater()
        panel = self._panel = Panel()
        panel.setAccessibleName(self.tr("Voices used with consent"))
        for voice in voices:
            self._add(panel, voice)
        self._rows.addWidget(panel)
        self.setVisible(bool(voices))

    def _add(self, panel: Panel, voice: OwnVoice) -> None:
        name = own_voice_words(voice)
        button = QPushButton(self.tr("Revoke"))
        button.setAccessibleName(self.tr("Revoke the consent: {0}").format(name))
        button.setToolTip(self.tr("No model will speak with this voice any more; the file stays"))
        button.clicked.connect(partial(self.revoked.emit, voice))
        explanation = self.tr("Consent given on {0}. SHA-256 {1}…").format(
            _day(voice.agreed), voice.sha256[:SHOWN_DIGITS]
        )
        row = panel.add_row(name, explanation, button)
        row.setToolTip(str(Path(voice.file)))


def _day(agreed: str) -> str:
    """Return a day as the locale writes it, and what is none as it stands."""
    try:
        day = date.fromisoformat(agreed)
    except ValueError:
        return agreed
    return QLocale().toString(QDate(day.year, day.month, day.day), QLocale.FormatType.LongFormat)
