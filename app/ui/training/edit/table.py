"""The words of a dialogue one below the other: time, voice, word; what a word says is edited in place.

Knows nothing about sound. Keys that it has no use for go to the page, as they do from the sound.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from app.ui.shell import theme
from app.ui.training.check.pictures import model_name, user_name
from app.ui.training.edit.words import TIME, VOICE, WORD, WordList, exact_clock

ROW_PX = 28

Index = QModelIndex | QPersistentModelIndex


class WordTable(QTableView):
    """The table, in step with the sound: `chosen` tells the key of the word that was chosen here."""

    chosen = Signal(int)

    def __init__(self, words: WordList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._told = False
        self.setModel(words)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setAccessibleName(self.tr("The words, in order of time"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(WORD, QHeaderView.ResizeMode.Stretch)
        words.modelReset.connect(self._fit_columns)
        self._fit_columns()

    def show_chosen(self, key: int | None) -> None:
        """Mark the word that was chosen elsewhere, None for none."""
        self._told = True
        if key is None:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        elif not self.currentIndex().isValid() or self._words.key(self.currentIndex().row()) != key:
            self.setCurrentIndex(self._words.index(self._words.row(key), WORD))
        self._told = False

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell which word was chosen."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._told and self.hasFocus():
            self.chosen.emit(self._words.key(current.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move through the words, and write with F2; the rest goes to the page."""
        moves = (
            Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
            Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Tab, Qt.Key.Key_Backtab,
        )  # fmt: skip
        if self.state() == QAbstractItemView.State.EditingState:
            # A key that the line has done with: Return, which it tells its parents too.
            event.accept()
        elif event.key() in moves and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.edit(self.currentIndex().siblingAtColumn(WORD))
        else:
            event.ignore()

    def sizeHint(self) -> QSize:
        """Return a width at which most words can be read whole."""
        return QSize(40 * theme.GRID, 320)

    def _fit_columns(self) -> None:
        metrics = self.fontMetrics()
        clock = metrics.horizontalAdvance(exact_clock(max(600.0, self._words.length_s)))
        self.setColumnWidth(TIME, clock + 4 * theme.GRID)
        voices = [QCoreApplication.translate("WordList", "Voice"), model_name(), user_name()]
        self.setColumnWidth(VOICE, max(map(metrics.horizontalAdvance, voices)) + 4 * theme.GRID)
