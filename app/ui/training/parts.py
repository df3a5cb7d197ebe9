"""What the steps of the Train page share: a list at the left, a bar with what to do next, cards.

Knows nothing about datasets or runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.shell import theme
from app.ui.shell.theme import GRID, RADIUS, SMALL, colours, mixed, scaled
from app.ui.shell.translation import told
from app.ui.widgets.empty_state import Progress
from app.ui.widgets.panel import heading, quiet

Index = QModelIndex | QPersistentModelIndex

LIST_WIDTH = 208
FORM_WIDTH = 1_200
TROUBLE = QPalette.ColorRole.BrightText
"""The theme keeps the red of trouble there, readable on both grounds."""
ROW_HEIGHT = 56
KEY = Qt.ItemDataRole.UserRole
DETAIL = Qt.ItemDataRole.UserRole + 1
LIVELY = Qt.ItemDataRole.UserRole + 2


class Entry(NamedTuple):
    """One row of a list: what it stands for, its name, a line about it, and whether it is going on."""

    key: object
    name: str
    detail: str
    lively: bool = False


class SideList(QWidget):
    """Things that there are, newest first, below a button for a new one."""

    chosen = Signal(object)
    """The key of an entry."""
    new_wanted = Signal()

    def __init__(self, title: str, new: str, new_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._new = QPushButton(new)
        self._new.setCheckable(True)
        self._new.setToolTip(new_tip)
        self._new.clicked.connect(self._ask_new)
        self._list = QListWidget()
        self._list.setItemDelegate(_Row(self._list))
        self._list.setAccessibleName(title)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setMouseTracking(True)
        self._list.viewport().setAutoFillBackground(False)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.currentItemChanged.connect(self._tell)
        self._list.itemClicked.connect(self._tell)
        self.setFixedWidth(LIST_WIDTH)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID)
        rows.addWidget(heading(title))
        rows.addWidget(self._new)
        rows.addWidget(self._list, 1)

    @property
    def keys(self) -> list[object]:
        """Return the keys of the entries in their order."""
        return [self._list.item(row).data(KEY) for row in range(self._list.count())]

    def show_entries(self, entries: Sequence[Entry], current: object) -> None:
        """Show these; `current` is the key of the one that is open, None for a new one."""
        with QSignalBlocker(self._list):
            if self.keys != [entry.key for entry in entries]:
                self._list.clear()
                for _ in entries:
                    self._list.addItem(QListWidgetItem())
            for row, entry in enumerate(entries):
                item = self._list.item(row)
                item.setData(KEY, entry.key)
                item.setText(entry.name)
                item.setData(LIVELY, entry.lively)
                _describe(item, entry.detail)
        self.show_current(current)

    def show_detail(self, key: object, detail: str) -> None:
        """Show another line about one entry; nothing where there is none of this key."""
        with QSignalBlocker(self._list):
            if key in self.keys:
                _describe(self._list.item(self.keys.index(key)), detail)

    def show_current(self, key: object) -> None:
        """Let one entry stand out, or the button for a new one."""
        with QSignalBlocker(self._list):
            row = self.keys.index(key) if key in self.keys else -1
            self._list.setCurrentRow(row)
        self._new.setChecked(row < 0)
        self._list.viewport().update()

    def _ask_new(self) -> None:
        self.show_current(None)
        self.new_wanted.emit()

    def _tell(self, item: QListWidgetItem | None, _: object = None) -> None:
        if item is not None:
            self._new.setChecked(False)
            self.chosen.emit(item.data(KEY))


def _describe(item: QListWidgetItem, detail: str) -> None:
    """Show a line about an entry, to eyes and ears."""
    item.setData(DETAIL, detail)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}. {detail}")
    item.setToolTip(f"{item.text()}\n{detail}")


class _Row(QStyledItemDelegate):
    """Draws an entry: its name, and a smaller line below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of two lines."""
        return QSize(LIST_WIDTH, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the entry; the open one stands out, one that goes on has a dot."""
        tones = colours(option.palette)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(1, 1, -1, -3)
        state = option.state
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(tones.text, 2.0) if focused else Qt.PenStyle.NoPen)
        share = 0.1 if state & QStyle.StateFlag.State_Selected else 0.0
        share = share or (0.05 if state & QStyle.StateFlag.State_MouseOver else 0.0)
        painter.setBrush(mixed(tones.window, tones.text, share))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        inner = area.adjusted(1.25 * GRID, GRID * 0.75, -GRID, -GRID * 0.75)
        if index.data(LIVELY):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tones.model)
            painter.drawEllipse(QRectF(inner.right() - 8, inner.top() + 5, 8, 8))
            inner.setRight(inner.right() - 1.5 * GRID)
        upper, lower = QRectF(inner), QRectF(inner)
        upper.setHeight(inner.height() / 2)
        lower.setTop(upper.bottom())
        _draw_line(painter, upper, str(index.data(Qt.ItemDataRole.DisplayRole)), option.font, tones.text)
        _draw_line(painter, lower, str(index.data(DETAIL)), scaled(option.font, SMALL), tones.quiet)
        painter.restore()


def _draw_line(painter: QPainter, area: QRectF, text: str, font: QFont, colour: QColor) -> None:
    painter.setFont(font)
    painter.setPen(colour)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class ActionBar(QWidget):
    """What stands below a step: what there is in a line or two, how far it is, and the next thing to do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel()
        self._detail = quiet("")
        self._progress = Progress()
        self._progress.setAccessibleName(self.tr("Progress"))
        self._progress.hide()
        self._words = words = QVBoxLayout()
        words.setSpacing(GRID // 2)
        words.addStretch(1)
        for widget in (self._title, self._progress, self._detail):
            words.addWidget(widget)
        words.addStretch(1)
        self._across = QHBoxLayout(self)
        self._across.setContentsMargins(0, 12, 0, 12)
        self._across.setSpacing(GRID)
        self._across.addLayout(words, 1)
        self._across.addSpacing(GRID)
        self.setMinimumHeight(9 * GRID)
        self._title.setWordWrap(True)

    @property
    def text(self) -> str:
        """Return what is said."""
        return f"{self._title.text()} {self._detail.text()}".strip()

    def add(self, *controls: QWidget) -> None:
        """Add controls at the right; the last one is the likeliest."""
        for control in controls:
            self._across.addWidget(control)

    def add_below(self, widget: QWidget) -> None:
        """Add something under the title."""
        self._words.insertWidget(2, widget)

    def say(self, title: str, detail: str = "", *, trouble: bool = False) -> None:
        """Show what there is; in red if it stands in the way."""
        self._title.setText(told(title))
        self._detail.setText(told(detail))
        self._detail.setVisible(bool(detail))
        self._title.setForegroundRole(TROUBLE if trouble else QPalette.ColorRole.WindowText)

    def show_progress(self, share: float | None) -> None:
        """Show a share that is done, None to show no bar."""
        self._progress.setVisible(share is not None)
        self._progress.set_share(share or 0.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a thin line above."""
        QPainter(self).fillRect(0, 0, self.width(), 1, colours(self.palette()).line)


class _Card(QAbstractButton):
    """One of a few things to choose from: its word and what it means."""

    HEIGHT = 92

    def __init__(self, title: str, explanation: str) -> None:
        super().__init__()
        self._explanation = explanation
        self.setText(title)
        self.setCheckable(True)
        self.setAccessibleName(title)
        self.setAccessibleDescription(explanation)
        self.setToolTip(explanation)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size in which the explanation fits."""
        return QSize(21 * GRID, self.HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a sheet, a dot that is full where it is chosen, the word, and the explanation."""
        tones = colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        heavy = chosen or self.hasFocus()
        edge = tones.text if heavy else tones.line
        painter.setPen(QPen(edge, 2.0 if heavy else 1.0))
        painter.setBrush(mixed(tones.base, tones.text, 0.05 if self.underMouse() and not chosen else 0.0))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        inner = QRectF(self.rect()).adjusted(1.5 * GRID, 1.25 * GRID, -1.5 * GRID, -GRID)
        dot = QRectF(inner.left(), inner.top() + 2, 14, 14)
        painter.setPen(QPen(tones.text if chosen else tones.quiet, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(dot)
        if chosen:
            painter.setBrush(tones.text)
            painter.drawEllipse(dot.adjusted(4, 4, -4, -4))
        bold = QFont(self.font())
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(tones.text)
        painter.drawText(inner.adjusted(14 + GRID, 0, 0, 0), Qt.AlignmentFlag.AlignTop, self.text())
        painter.setFont(theme.scaled(self.font(), SMALL))
        painter.setPen(tones.quiet)
        below = inner.adjusted(0, 3 * GRID, 0, GRID)
        painter.drawText(below, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop, self._explanation)


class Cards(QWidget):
    """A few cards side by side, of which one is chosen."""

    chosen = Signal(str)

    def __init__(self, name: str, cards: Sequence[tuple[str, str, str]]) -> None:
        """Offer cards, each a key, a word and an explanation; the first is chosen."""
        super().__init__()
        self.setAccessibleName(name)
        self._keys = [key for key, _, _ in cards]
        self._group = QButtonGroup(self)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(GRID)
        for number, (_, title, explanation) in enumerate(cards):
            card = _Card(title, explanation)
            self._group.addButton(card, number)
            across.addWidget(card)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._keys[number]))

    @property
    def key(self) -> str:
        """Return the key of the chosen card."""
        return self._keys[self._group.checkedId()]

    def choose(self, key: str) -> None:
        """Press a card."""
        self._group.button(self._keys.index(key)).click()
