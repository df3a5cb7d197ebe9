"""The dialogues of a dataset as a table, those with trouble first; Return or a double click opens one.

Knows nothing about how trouble is found or mended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from app.ui.shell import theme
from app.ui.shell.wording import length_words
from app.ui.training.check.data import Check, Item

ROW_PX = 4 * theme.GRID
MOST_ROWS = 12
"""A longer table scrolls by itself."""

Index = QModelIndex | QPersistentModelIndex

_KEYS: tuple[Callable[[Item], Any], ...] = (
    lambda item: item.dialogue.casefold(),
    lambda item: item.seconds,
    lambda item: item.speech_s[0],
    lambda item: item.speech_s[1],
    lambda item: item.words[0],
    lambda item: item.words[1],
    lambda item: len(item.findings),
)
"""By what each column is sorted."""

FINDINGS = len(_KEYS) - 1


class Dialogues(QAbstractTableModel):
    """One row for each dialogue."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[Item] = []
        self._sorted = FINDINGS, Qt.SortOrder.DescendingOrder

    def show(self, check: Check) -> None:
        """Show the dialogues of a check, the most trouble first."""
        self.beginResetModel()
        self._items = sorted(check.items, key=lambda item: (-len(item.findings), item.dialogue))
        self._sorted = FINDINGS, Qt.SortOrder.DescendingOrder
        self.endResetModel()

    def item(self, row: int) -> Item:
        """Return the dialogue in a row."""
        return self._items[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of dialogues."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_KEYS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            column, order = self._sorted
            arrow = "▴" if order == Qt.SortOrder.AscendingOrder else "▾"
            return f"{self._titles()[section]} {arrow}" if section == column else self._titles()[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tr("A is the voice of the model, B that of the user")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what stands in a cell; all findings as its tooltip, and trouble in red."""
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells(item)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.ToolTipRole and item.findings:
            return "\n".join(item.findings)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == FINDINGS:
            return theme.colours().trouble_text
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Put the dialogues in the order of a column."""
        self.layoutAboutToBeChanged.emit()
        self._sorted = column, order
        self._items.sort(key=_KEYS[column], reverse=order == Qt.SortOrder.DescendingOrder)
        self.layoutChanged.emit()

    def _titles(self) -> tuple[str, ...]:
        return (
            self.tr("Dialogue"), self.tr("Length"), self.tr("Speech A"), self.tr("Speech B"),
            self.tr("Words A"), self.tr("Words B"), self.tr("Findings"),
        )  # fmt: skip

    def _cells(self, item: Item) -> tuple[str, ...]:
        more = len(item.findings) - 1
        finding = item.findings[0] if item.findings else ""
        return (
            item.dialogue,
            length_words(item.seconds),
            *(length_words(speech_s) for speech_s in item.speech_s),
            *(str(count) for count in item.words),
            self.tr("{0} (and {1} more)").format(finding, more) if more > 0 else finding,
        )


class DialogueTable(QTableView):
    """The table. Its height is that of its rows, up to MOST_ROWS."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dialogues = Dialogues(self)
        self.setModel(self._dialogues)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setAccessibleName(self.tr("The dialogues, those with findings first"))
        self.setToolTip(self.tr("Press Return or double-click to correct the words of a dialogue"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(False)
        header.setSectionsClickable(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(FINDINGS, QHeaderView.ResizeMode.Stretch)
        header.sortIndicatorChanged.connect(self._dialogues.sort)
        self.doubleClicked.connect(self._choose)

    def set_check(self, check: Check) -> None:
        """Show the dialogues of a check."""
        header = self.horizontalHeader()
        header.blockSignals(True)
        header.setSortIndicator(FINDINGS, Qt.SortOrder.DescendingOrder)
        header.blockSignals(False)
        self._dialogues.show(check)
        rows = min(MOST_ROWS, len(check.items))
        self.setFixedHeight(header.sizeHint().height() + rows * ROW_PX + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the dialogue of the current row with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._choose(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self._dialogues.item(index.row()).dialogue)


def _alignment(column: int) -> Qt.AlignmentFlag:
    across = Qt.AlignmentFlag.AlignLeft if column in (0, FINDINGS) else Qt.AlignmentFlag.AlignRight
    return across | Qt.AlignmentFlag.AlignVCenter
