"""Which version of the program this is, and the text that belongs below a bug report.

Knows nothing about what is looked at: `aizuchi doctor` does that, in a process of its own.
"""

from __future__ import annotations

import sys

import PySide6
from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QHideEvent
from PySide6.QtWidgets import QPlainTextEdit, QPushButton

from app import __version__
from app.commands.doctor import ADVICE_MARK
from app.paths import Paths
from app.ui.shell.translation import told
from app.ui.shell.verb_process import Errand
from app.ui.widgets.panel import Panel, quiet

TEXT_HEIGHT = 260


class About(Panel):
    """Which version this is, and the text for a bug report."""

    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths
        self._errand: Errand | None = None
        self._copy = QPushButton(self.tr("Look over this computer"))
        self._copy.setToolTip(self.tr("Show what is here and what is missing, and copy it for a bug report"))
        self._copy.clicked.connect(self._look)
        versions = self.tr("Python {0}, PySide6 {1}. Free software under the MIT licence.")
        version = ".".join(map(str, sys.version_info[:3]))
        self.add_row(f"Aizuchi {__version__}", versions.format(version, PySide6.__version__), self._copy)
        self._note = quiet("")
        self._note.hide()
        self.add(self._note)
        self._advice = quiet("")
        self._advice.hide()
        self.add(self._advice)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setAccessibleName(self.tr("What was found"))
        self._text.setMinimumHeight(TEXT_HEIGHT)
        self._text.hide()
        self.add(self._text)

    def shut(self) -> None:
        """End the look-over if it is under way."""
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def hideEvent(self, event: QHideEvent) -> None:
        """Say no more that something was copied."""
        super().hideEvent(event)
        if self._errand is None:
            self._note.hide()

    def _look(self) -> None:
        self._copy.setEnabled(False)
        self._say(self.tr("Looking over this computer…"))
        self._errand = Errand(["doctor"], self._paths, self)
        self._errand.done.connect(self._found)

    def _found(self, status: int, out: str, trouble: str) -> None:
        self._errand = None
        self._copy.setEnabled(True)
        text = out.strip()
        if not text:
            self._say(self.tr("This computer could not be looked over."))
            self.trouble.emit(trouble.strip() or self.tr("`aizuchi doctor` ended without a word."), "")
            return
        QGuiApplication.clipboard().setText(f"Aizuchi {__version__}\n{text}\n")
        self._advice.setText("\n".join(_advice(text)))
        self._advice.setVisible(bool(self._advice.text()))
        self._text.setPlainText(text)
        self._text.show()
        self._say(self.tr("Copied, for a bug report: paste it below your description of what happened."))

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.show()


def _advice(text: str) -> list[str]:
    """Return what to do about what will not do, in the user's language; the text itself is for a report."""
    lines = (line.strip() for line in text.splitlines())
    advice = (line.removeprefix(ADVICE_MARK) for line in lines if line.startswith(ADVICE_MARK))
    return [f"→ {told(sentence)}" for sentence in dict.fromkeys(advice)]
