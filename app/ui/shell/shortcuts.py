"""Every key of the window and what it does, for whoever looks for one.

Knows nothing about how they are bound: a test holds the list against the pages.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from app.ui.shell.geometry import fit_dialog
from app.ui.shell.theme import GRID
from app.ui.widgets.panel import Column, Panel, quiet

DIALOG_SIZE = QSize(640, 720)


class Shortcuts(Panel):
    """Three columns: where, which key, and what it does."""

    def __init__(self) -> None:
        super().__init__(down=2 * GRID)
        rows = QGridLayout()
        rows.setHorizontalSpacing(3 * GRID)
        rows.setVerticalSpacing(GRID // 2)
        rows.setColumnStretch(2, 1)
        for place, keys in self._places():
            if rows.count():
                rows.setRowMinimumHeight(rows.rowCount(), GRID)
            first = rows.rowCount()
            rows.addWidget(QLabel(place), first, 0)
            for row, (key, what) in enumerate(keys, first):
                rows.addWidget(QLabel(_shown(key)), row, 1, Qt.AlignmentFlag.AlignVCenter)
                rows.addWidget(quiet(what), row, 2, Qt.AlignmentFlag.AlignVCenter)
        self.add(rows)

    def keys(self) -> set[str]:
        """Return the keys that are listed."""
        return {key for _, keys in self._places() for key, _ in keys}

    def _places(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        return (
            (
                self.tr("Everywhere"),
                (
                    ("Ctrl+1", self.tr("Talk; Ctrl+2 to Ctrl+5 the other pages")),
                    ("Tab", self.tr("the next control")),
                    ("F1", self.tr("show these keys")),
                    ("?", self.tr("the same, where nothing is written")),
                ),
            ),
            (
                self.tr("Talk"),
                (
                    ("Ctrl+Return", self.tr("start and stop")),
                    ("Space", self.tr("mute")),
                    ("R", self.tr("record or not")),
                    ("Ctrl+Shift+R", self.tr("let the model begin anew")),
                    ("Ctrl+Up", self.tr("louder; Ctrl+Down softer")),
                    ("Ctrl+,", self.tr("open what can be changed while talking")),
                    ("Esc", self.tr("close it")),
                ),
            ),
            (
                self.tr("Timeline"),
                (
                    ("Left", self.tr("back, and with the right arrow on")),
                    ("+", self.tr("closer, and with − farther")),
                    ("End", self.tr("to the present, Home to the beginning")),
                ),
            ),
            (
                self.tr("Recordings"),
                (("Ctrl+F", self.tr("search in the model's words")),),
            ),
            (
                self.tr("A recording"),
                (
                    ("Space", self.tr("play and pause")),
                    ("L", self.tr("repeat the marked stretch")),
                    ("Del", self.tr("move to the trash")),
                    ("Esc", self.tr("back to the list")),
                ),
            ),
            (
                self.tr("Train"),
                (("Alt+1", self.tr("Data; Alt+2 to Alt+4 the other steps")),),
            ),
            (
                self.tr("Words beside the sound"),
                (
                    ("Return", self.tr("write the word")),
                    ("Ins", self.tr("a new one")),
                    ("Del", self.tr("take it away")),
                    ("M", self.tr("give it to the other voice")),
                    ("Ctrl+Space", self.tr("play the word")),
                    (
                        "Alt+Left",
                        self.tr("begin earlier; with Shift end earlier, with the right arrow later"),
                    ),
                    ("Ctrl+Z", self.tr("undo; Ctrl+Shift+Z again")),
                    ("Ctrl+S", self.tr("save")),
                ),
            ),
        )


class KeysDialog(QDialog):
    """The keys in a window of their own, which any of the keys that open it closes again."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keys"))
        column = Column(margin=2 * GRID)
        column.items.addWidget(Shortcuts())
        column.setAccessibleName(self.tr("Keys"))
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(column)
        fit_dialog(self, DIALOG_SIZE, parent)
        column.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with the keys that open it, as with Escape."""
        if event.key() in (Qt.Key.Key_F1, Qt.Key.Key_Question):
            self.close()
        else:
            super().keyPressEvent(event)


def _shown(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
