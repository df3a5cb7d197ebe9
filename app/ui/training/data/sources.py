"""The talks that a dataset is made of: a list with check marks.

Knows nothing about datasets; it tells which recordings are marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.store.recordings import Recording
from app.ui.shell import theme, wording
from app.ui.shell.icons import paint_icon
from app.ui.shell.theme import GRID, RADIUS, SMALL, colours, mixed
from app.ui.widgets.panel import quiet

Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 36
BOX = 18.0
VISIBLE_ROWS = 6
FADED = 0.45
RECORDING = Qt.ItemDataRole.UserRole
FACTS = Qt.ItemDataRole.UserRole + 1


class Sources(QWidget):
    """Recordings of our own, newest first, all marked at first."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = QListWidget()
        self._list.setItemDelegate(_Row(self._list))
        self._list.setAccessibleName(self.tr("Talks to learn from"))
        self._list.setToolTip(self.tr("Click, or press Space, to mark a talk or not"))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setMouseTracking(True)
        self._list.setUniformItemSizes(True)
        self._list.viewport().setAutoFillBackground(False)
        self._list.itemChanged.connect(lambda _: self._tell())
        self._none = quiet(
            self.tr("No talks yet. Every talk is recorded unless you switch it off; Ctrl+1 begins one.")
        )
        self._sum = QLabel()
        self._lay_out()
        self.show_recordings([])

    @property
    def marked(self) -> list[Recording]:
        """Return the recordings that are marked, newest first."""
        items = (self._list.item(row) for row in range(self._list.count()))
        return [item.data(RECORDING) for item in items if item.checkState() == Qt.CheckState.Checked]

    def show_recordings(self, recordings: Iterable[Recording]) -> None:
        """Show these; those that were there keep their marks."""
        kept = {item.data(RECORDING).folder: item.checkState() for item in self._items()}
        whole = [recording for recording in recordings if recording.seconds > 0]
        with QSignalBlocker(self._list):
            self._list.clear()
            for recording in whole:
                item = QListWidgetItem(wording.date_words(recording.started))
                item.setData(RECORDING, recording)
                item.setData(FACTS, wording.facts(recording))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}. {wording.facts(recording)}")
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(kept.get(recording.folder, Qt.CheckState.Checked))
                self._list.addItem(item)
        rows = min(VISIBLE_ROWS, max(1, len(whole)))
        self._list.setFixedHeight(rows * ROW_HEIGHT + 2)
        self._list.setVisible(bool(whole))
        self._none.setVisible(not whole)
        for button in (self._all, self._nothing):
            button.setVisible(bool(whole))
        self._tell()

    def mark_all(self, marked: bool) -> None:
        """Mark all, or none."""
        self._mark(lambda _: marked)

    def mark_only(self, folder: Path | None) -> None:
        """Mark the talk in a folder and no other."""
        self._mark(lambda recording: recording.folder == folder)

    def _mark(self, chosen: Callable[[Recording], bool]) -> None:
        with QSignalBlocker(self._list):
            for item in self._items():
                marked = chosen(item.data(RECORDING))
                item.setCheckState(Qt.CheckState.Checked if marked else Qt.CheckState.Unchecked)
        self._list.viewport().update()
        self._tell()

    def _items(self) -> list[QListWidgetItem]:
        return [self._list.item(row) for row in range(self._list.count())]

    def _tell(self) -> None:
        marked = self.marked
        length = wording.length_words(sum(recording.seconds for recording in marked))
        text = self.tr("1 of {1} talks, {2}") if len(marked) == 1 else self.tr("{0} of {1} talks, {2}")
        self._sum.setText(text.format(len(marked), self._list.count(), length) if self._list.count() else "")
        self.changed.emit()

    def _lay_out(self) -> None:
        self._all = QPushButton(self.tr("All"), flat=True)
        self._all.setToolTip(self.tr("Mark every talk"))
        self._all.clicked.connect(lambda: self.mark_all(True))
        self._nothing = QPushButton(self.tr("None"), flat=True)
        self._nothing.setToolTip(self.tr("Mark no talk"))
        self._nothing.clicked.connect(lambda: self.mark_all(False))
        top = QHBoxLayout()
        top.addWidget(QLabel(self.tr("Your talks")))
        top.addSpacing(GRID)
        self._sum.setFont(theme.scaled(self._sum.font(), SMALL))
        self._sum.setForegroundRole(self._sum.palette().ColorRole.PlaceholderText)
        top.addWidget(self._sum, 1)
        top.addWidget(self._all)
        top.addWidget(self._nothing)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, GRID)
        rows.setSpacing(GRID // 2)
        rows.addLayout(top)
        rows.addWidget(self._list)
        rows.addWidget(self._none)


class _Row(QStyledItemDelegate):
    """Draws a talk in one line, a box with a tick before it; the whole row can be clicked."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a row."""
        return QSize(200, ROW_HEIGHT)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """Change the mark of a row that is clicked, or on which Space is pressed."""
        clicked = (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton
        )
        pressed = (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)
        )
        if not clicked and not pressed:
            return False
        state = Qt.CheckState.Unchecked if _is_marked(index) else Qt.CheckState.Checked
        return model.setData(index, state.value, Qt.ItemDataRole.CheckStateRole)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw box, date and facts."""
        tones = colours(option.palette)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(1, 1, -1, -1)
        state = option.state
        painter.setPen(
            QPen(tones.text, 2.0) if state & QStyle.StateFlag.State_HasFocus else Qt.PenStyle.NoPen
        )
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(mixed(tones.base, tones.text, 0.05 if hovered else 0.0))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        marked = _is_marked(index)
        painter.setOpacity(1.0 if state & QStyle.StateFlag.State_Enabled else FADED)
        box = QRectF(area.left() + GRID, area.center().y() - BOX / 2, BOX, BOX)
        painter.setPen(QPen(tones.text if marked else tones.quiet, 1.5))
        painter.setBrush(tones.text if marked else tones.base)
        painter.drawRoundedRect(box.adjusted(0.75, 0.75, -0.75, -0.75), 4, 4)
        if marked:
            paint_icon(painter, box.adjusted(2, 2, -2, -2), "done", tones.base)
        self._paint_words(painter, area.adjusted(BOX + 2.5 * GRID, 0, -GRID, 0), option.font, index, marked)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF, font: QFont, index: Index, marked: bool) -> None:
        tones = colours()
        middle = Qt.AlignmentFlag.AlignVCenter
        small = theme.scaled(font, SMALL)
        facts = str(index.data(FACTS))
        painter.setFont(small)
        width = painter.fontMetrics().horizontalAdvance(facts)
        painter.setPen(tones.quiet)
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, facts)
        painter.setFont(font)
        painter.setPen(tones.text if marked else tones.quiet)
        room = int(area.width() - width - GRID)
        date = str(index.data(Qt.ItemDataRole.DisplayRole))
        shown = painter.fontMetrics().elidedText(date, Qt.TextElideMode.ElideRight, room)
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, shown)


def _is_marked(index: Index) -> bool:
    state: Any = index.data(Qt.ItemDataRole.CheckStateRole)
    return Qt.CheckState(state) == Qt.CheckState.Checked
