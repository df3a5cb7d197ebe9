"""The question whose voice a file holds, and whether that person agrees that a model speaks with it.

Asked once for each file. Knows nothing about models.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.prompts import VOICE_S, WHOSE_LETTERS, OwnVoice
from app.ui.shell.geometry import fit_dialog
from app.ui.shell.theme import GRID
from app.ui.shell.wording import length_words
from app.ui.widgets.panel import heading, quiet

WIDTH = 480


class ConsentDialog(QDialog):
    """Two answers are needed: a name, and a yes."""

    agreed = Signal(object)
    """The OwnVoice."""

    def __init__(self, voice: OwnVoice, length_s: float, parent: QWidget | None = None) -> None:
        """Ask about a voice whose speaker is not known yet."""
        super().__init__(parent)
        self._voice = voice
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Whose voice is it?"))
        self._whose = QLineEdit()
        self._whose.setMaxLength(WHOSE_LETTERS)
        self._whose.setAccessibleName(self.tr("Name of the speaker"))
        self._whose.setPlaceholderText(self.tr("Name of the speaker"))
        self._yes = QCheckBox(self.tr("It is my own voice, or this person agrees"))
        self._yes.setToolTip(self.tr("They agree that a model on this computer speaks with their voice"))
        buttons = QDialogButtonBox()
        self._use = buttons.addButton(self.tr("Use this voice"), QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setDefault(True)
        self._use.clicked.connect(self._agree)
        cancel.clicked.connect(self.reject)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        rows.setSpacing(GRID)
        explanation = QLabel(
            self.tr(
                "A model can say anything with the voice of a person, as if they had said it. Use a voice "
                "only if it is your own, or if that person has allowed you to."
            )
        )
        explanation.setWordWrap(True)
        rows.addWidget(heading(self.tr("Whose voice is it?")))
        rows.addWidget(quiet(f"{Path(voice.file).name} · {length_words(length_s)}"))
        hint = self.tr("3 to 10 s in which nobody else speaks are best; {0} s are the most.")
        rows.addWidget(quiet(hint.format(round(VOICE_S[1]))))
        for widget in (explanation, self._whose, self._yes):
            rows.addWidget(widget)
        rows.addWidget(
            quiet(self.tr("Your answer stays on this computer and can be revoked under Settings."))
        )
        rows.addWidget(buttons)
        self._whose.textChanged.connect(self._allow)
        self._yes.toggled.connect(self._allow)
        self._allow()
        self.setMinimumWidth(WIDTH)
        fit_dialog(self, self.sizeHint())
        self._whose.setFocus()

    def _allow(self) -> None:
        self._use.setEnabled(bool(self._whose.text().strip()) and self._yes.isChecked())

    def _agree(self) -> None:
        whose = " ".join(self._whose.text().split())
        self.agreed.emit(replace(self._voice, whose=whose))
        self.accept()
