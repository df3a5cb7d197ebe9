"""Who the model is to be in the next talk: its voice, among those that it has or from a file, and its role.

There only for models that take it. Knows nothing about sessions: it hands out new Settings.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from app.engine.events import NO_PROMPTS, PromptSupport
from app.errors import UserError
from app.prompts import OwnVoice, find_voice, fitting_voice, own_voice, voice_length_s
from app.settings import MOST_VOICES, Settings
from app.ui.shell.theme import GRID
from app.ui.shell.wording import own_voice_words, voice_kind, voice_words
from app.ui.talk.consent import ConsentDialog
from app.ui.talk.role_field import RoleField
from app.ui.widgets.controls import Chooser
from app.ui.widgets.panel import heading, quiet

OPEN = object()
"""What stands for the wish to choose a file."""


class PromptForm(QWidget):
    """Voice and role."""

    changed = Signal(object)
    """The new Settings, after each change that the user makes."""
    restart_wanted = Signal()
    trouble = Signal(str, str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._support = NO_PROMPTS
        self.voice = Chooser("speaker", self.tr("Voice"), self.tr("The voice that the model speaks with"))
        self.voice.setMaximumWidth(16_777_215)
        self.voice.activated.connect(self._choose)
        self.role = RoleField()
        self.role.changed.connect(lambda role: self._change(role=role))
        self._restart = QPushButton(self.tr("Restart with these"))
        self._restart.setToolTip(
            self.tr("Let the model forget the talk and start again with this voice and role (Ctrl+Shift+R)")
        )
        self._restart.clicked.connect(self.restart_wanted)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, GRID)
        rows.setSpacing(GRID // 2)
        rows.addWidget(heading(self.tr("Voice and role")))
        rows.addWidget(self.voice)
        rows.addWidget(self.role)
        rows.addWidget(quiet(self.tr("Changes apply from the next start.")))
        rows.addWidget(self._restart)
        self.set_talking(False)
        self.set_support(NO_PROMPTS)

    def set_settings(self, settings: Settings) -> None:
        """Show settings that were changed elsewhere, without telling them again."""
        before, self._settings = self._settings, settings
        if settings.roles != before.roles:
            self.role.set_roles(settings.roles)
        self.role.set_role(settings.role)
        if (settings.voice, settings.own_voices) != (before.voice, before.own_voices):
            self._fill_voices()

    def set_support(self, support: PromptSupport) -> None:
        """Offer what a model takes, or nothing at all."""
        self._support = support
        self.setVisible(support != NO_PROMPTS)
        self.voice.setVisible(bool(support.voices or support.own_voice))
        self.role.setVisible(support.role)
        self.role.set_roles(self._settings.roles)
        self._fill_voices()

    def set_talking(self, talking: bool) -> None:
        """Offer to begin anew at once, while somebody talks."""
        self._restart.setVisible(talking)

    def open_voice(self, file: Path) -> None:
        """Use the voice in a file, after the question whose it is if it was not answered before."""
        try:
            known = find_voice(file, self._settings.own_voices)
            if known is not None:
                self._use(replace(known, file=str(file)))
                return
            dialog = ConsentDialog(own_voice(file, ""), voice_length_s(file), self)
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return
        dialog.agreed.connect(self._use)
        dialog.open()

    def _use(self, voice: OwnVoice) -> None:
        others = (other for other in self._settings.own_voices if other.sha256 != voice.sha256)
        self._change(voice=voice.file, own_voices=(voice, *others)[:MOST_VOICES])
        self._fill_voices()

    def _choose(self) -> None:
        data = self.voice.currentData()
        if data is not OPEN:
            self._change(voice=data)
            return
        self._show_voice()
        dialog = QFileDialog(self, self.tr("Choose a recording of the voice"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("Sound ({0})").format("*.wav *.flac *.WAV *.FLAC"))
        dialog.fileSelected.connect(lambda name: self.open_voice(Path(name)))
        dialog.finished.connect(partial(dialog.deleteLater))
        dialog.open()

    def _change(self, **values: Any) -> None:
        self._settings = replace(self._settings, **values)
        self.changed.emit(self._settings)

    def _fill_voices(self) -> None:
        """Offer the voices in groups: as they are named, those of files, and another file."""
        with QSignalBlocker(self.voice):
            self.voice.clear()
            kind = ""
            for name in self._support.voices:
                if self.voice.count() and voice_kind(name) != kind:
                    self.voice.insertSeparator(self.voice.count())
                kind = voice_kind(name)
                self.voice.addItem(voice_words(name), name)
            if self._support.own_voice:
                self.voice.insertSeparator(self.voice.count())
                for voice in self._settings.own_voices:
                    self.voice.addItem(own_voice_words(voice), voice.file)
                self.voice.addItem(self.tr("Own voice…"), OPEN)
        self._show_voice()

    def _show_voice(self) -> None:
        if voice := fitting_voice(self._support, self._settings.voice):
            self.voice.choose(voice)
