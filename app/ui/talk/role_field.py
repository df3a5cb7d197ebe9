"""Where a role is written: a few lines of text, presets and earlier roles to begin from, and how long it is.

Knows nothing about models.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QPalette, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app.errors import UserError
from app.prompts import LETTERS_A_TOKEN, ROLE_LETTERS, in_one_line, tidy_role
from app.ui.shell.theme import GRID, colours
from app.ui.talk.role_presets import TEACHER, blanks, presets
from app.ui.widgets.controls import Chooser
from app.ui.widgets.panel import quiet

LINES = 5
EARLIER_LETTERS = 44
"""How much of an earlier role stands in the list."""


class RoleField(QWidget):
    """A role as it is being written."""

    changed = Signal(str)
    """The role, tidy and no longer than it may be, after each change that the user makes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tip = self.tr("Start from a preset, or from one of your last roles")
        self._begin = Chooser("talk", self.tr("Start from a role"), tip)
        self._begin.setMaximumWidth(16_777_215)
        self._begin.activated.connect(self._take)
        self._text = QPlainTextEdit()
        self._text.setAccessibleName(self.tr("Role"))
        self._text.setAccessibleDescription(self.tr("Who the model is to be, in English"))
        self._text.setToolTip(self.tr("Who the model is to be, in a few English sentences"))
        self._text.setPlaceholderText(self.tr("For example: {0}").format(TEACHER))
        self._text.setTabChangesFocus(True)
        line = self._text.fontMetrics().lineSpacing()
        self._text.setFixedHeight(LINES * line + 2 * GRID)
        self._text.textChanged.connect(self._tell)
        self._length = quiet("")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID // 2)
        for widget in (self._begin, self._text, self._length):
            rows.addWidget(widget)
        self.set_roles(())
        self._show_length()

    @property
    def role(self) -> str:
        """Return the role that is written, as far as it may be used."""
        return _usable(self._text.toPlainText())

    @property
    def note(self) -> str:
        """Return what is said about its length, and about what is left open in it."""
        return self._length.text()

    def set_role(self, role: str) -> None:
        """Show a role that was chosen elsewhere, without telling it; what is being written stays."""
        if role != self.role:
            with QSignalBlocker(self._text):
                self._text.setPlainText(role)
            self._show_length()

    def set_roles(self, roles: Sequence[str]) -> None:
        """Offer the presets, and these earlier roles."""
        with QSignalBlocker(self._begin):
            self._begin.clear()
            self._begin.addItem(self.tr("Start from…"), None)
            for name, text in presets():
                self._begin.addItem(name, text)
            if roles:
                self._begin.insertSeparator(self._begin.count())
            for text in roles:
                self._begin.addItem(in_one_line(text, EARLIER_LETTERS), text)
            self._begin.setCurrentIndex(0)

    def _take(self) -> None:
        """Begin from the chosen role, what is left open in it marked to be typed over."""
        text = self._begin.currentData()
        self._begin.setCurrentIndex(0)
        if text is None:
            return
        self._text.setPlainText(text)
        cursor = self._text.textCursor()
        if open_ones := blanks(text):
            at, blank = open_ones[0]
            cursor.setPosition(at)
            cursor.setPosition(at + len(blank), QTextCursor.MoveMode.KeepAnchor)
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        self._text.setTextCursor(cursor)
        self._text.setFocus()

    def _tell(self) -> None:
        self._show_length()
        self.changed.emit(self.role)

    def _show_length(self) -> None:
        letters = len(self._text.toPlainText().strip())
        over = letters - ROLE_LETTERS
        locale = self.locale()
        text = self.tr("{0} of {1} characters, about {2} tokens").format(
            locale.toString(letters), locale.toString(ROLE_LETTERS), -(-letters // LETTERS_A_TOKEN)
        )
        if over > 0:
            text = self.tr("{0} characters too long: the end is left out").format(locale.toString(over))
        elif still := ", ".join(blank for _, blank in blanks(self.role)):
            open_ones = self.tr("Still to fill in: {0}").format(still)
            text = f"{text}\n{open_ones}"
        self._length.setText(text)
        palette = QPalette(self.palette())
        tones = colours(palette)
        shade = tones.trouble_text if over > 0 else tones.quiet
        palette.setColor(QPalette.ColorRole.PlaceholderText, shade)
        self._length.setPalette(palette)


def _usable(text: str) -> str:
    """Return a text as a role, cut where it is too long."""
    try:
        return tidy_role(text)
    except UserError:
        return tidy_role(text.strip()[:ROLE_LETTERS])
