"""The cards of the recordings: a list model, what is read for a card, and how a card is drawn.

Knows nothing about playing or deleting. What a card shows of the sound is read when the card is first
seen, beside the window, so that hundreds of recordings open at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.store.recordings import Recording
from app.ui.shell import theme, wording
from app.ui.shell.background_worker import Aside
from app.ui.timeview.overview import draw_strip
from app.ui.timeview.timeline_data import TimelineData

RECORDING = Qt.ItemDataRole.UserRole
GLIMPSE = Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex

CARD_HEIGHT = 112
GAP = theme.GRID
PICTURE_HEIGHT = 64
PICTURE_SHARE = 0.5
MAX_GLIMPSES = 256
OPENING_LETTERS = 160


@dataclass
class Glimpse:
    """What a card shows of a talk beside its facts."""

    timeline: TimelineData
    opening: str
    _picture: tuple[object, QPixmap] | None = field(default=None, repr=False)

    def picture(self, size: QSize, ratio: float, tones: theme.Colours) -> QPixmap:
        """Return the timeline as a small picture, drawn once for a size and a scheme."""
        key = (size, ratio, tones.dark)
        if self._picture is None or self._picture[0] != key:
            self._picture = (key, draw_strip(self.timeline, size, ratio, tones))
        return self._picture[1]


def read_glimpse(recording: Recording) -> Glimpse:
    """Read what a card shows; whatever is damaged is left out."""
    text = "".join(word.text for word in recording.words()).strip()
    return Glimpse(TimelineData.from_levels(recording.levels(), [], recording.gaps()), text[:OPENING_LETTERS])


class Gallery(QAbstractListModel):
    """The recordings that are shown, in their order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recordings: list[Recording] = []
        self._glimpses: OrderedDict[Path, Glimpse] = OrderedDict()
        self._asked: set[Path] = set()
        self._aside = Aside(self)

    def show(self, recordings: list[Recording]) -> None:
        """Show these and no others."""
        if recordings == self._recordings:
            return
        self.beginResetModel()
        self._recordings = list(recordings)
        self.endResetModel()

    def forget(self, folder: Path) -> None:
        """Read a folder anew when it is seen next."""
        self._glimpses.pop(folder, None)

    def shut(self) -> None:
        """End what is under way."""
        self._aside.close()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of cards."""
        return 0 if parent.isValid() else len(self._recordings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the recording, its glimpse (asking for it if it is not there), or its words for a reader."""
        recording = self._recordings[index.row()]
        if role == RECORDING:
            return recording
        if role == GLIMPSE:
            return self._glimpse(recording)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ". ".join(part for part in (*_lines(recording), wording.damage(recording)) if part)
        return None

    def _glimpse(self, recording: Recording) -> Glimpse | None:
        folder = recording.folder
        glimpse = self._glimpses.get(folder)
        if glimpse is not None:
            self._glimpses.move_to_end(folder)
        elif folder not in self._asked and recording.seconds > 0:
            self._asked.add(folder)
            self._aside.ask(lambda: read_glimpse(recording), lambda found: self._keep(folder, found))
        return glimpse

    def _keep(self, folder: Path, glimpse: Glimpse) -> None:
        self._asked.discard(folder)
        self._glimpses[folder] = glimpse
        while len(self._glimpses) > MAX_GLIMPSES:
            self._glimpses.popitem(last=False)
        for row, recording in enumerate(self._recordings):
            if recording.folder == folder:
                self.dataChanged.emit(self.index(row), self.index(row))


class Card(QStyledItemDelegate):
    """Draws one recording: when, what and how it began on the left, its timeline on the right."""

    excerpt: Callable[[Recording], str] | None = None
    """What to show instead of the opening words, while something is searched for."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a card and the gap below it."""
        return QSize(320, CARD_HEIGHT + GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the card."""
        tones = theme.colours(option.palette)
        area = QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -GAP - 0.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _draw_sheet(painter, area, option.state, tones)
        inner = area.adjusted(2 * theme.GRID, theme.GRID * 1.5, -2 * theme.GRID, -theme.GRID * 1.5)
        recording: Recording = index.data(RECORDING)
        glimpse: Glimpse | None = index.data(GLIMPSE)
        words = QRectF(inner)
        words.setWidth(inner.width() * (1 - PICTURE_SHARE) - 2 * theme.GRID)
        painter.setFont(option.font)
        _draw_rows(painter, words, self._rows(recording, glimpse, option.font, tones))
        if glimpse is not None:
            left = inner.right() - inner.width() * PICTURE_SHARE
            size = QSize(int(inner.right() - left), PICTURE_HEIGHT)
            ratio = painter.device().devicePixelRatioF()
            top = inner.center().y() - PICTURE_HEIGHT / 2
            painter.drawPixmap(QPointF(round(left), round(top)), glimpse.picture(size, ratio, tones))
        painter.restore()

    def _rows(
        self, recording: Recording, glimpse: Glimpse | None, font: QFont, tones: theme.Colours
    ) -> list[_Row]:
        when, what = _lines(recording)
        small = theme.scaled(font, theme.SMALL)
        bold = QFont(font)
        bold.setBold(True)
        rows = [_Row(when, bold, tones.text), _Row(what, small, tones.quiet)]
        trouble = "" if recording.seconds else wording.damage(recording)
        opening = glimpse.opening if glimpse else ""
        if self.excerpt is not None:
            opening = self.excerpt(recording) or opening
        if trouble:
            rows.append(_Row(trouble, small, tones.trouble_text))
        elif opening:
            rows.append(_Row(opening, font, tones.model_text))
        return rows


class _Row(NamedTuple):
    text: str
    font: QFont
    colour: QColor


def _draw_rows(painter: QPainter, area: QRectF, rows: list[_Row]) -> None:
    """Draw rows of text below each other, in the middle of an area; what is too long ends in an ellipsis."""
    heights = [QFontMetricsF(row.font).height() + theme.GRID * 0.75 for row in rows]
    y = area.center().y() - (sum(heights) - theme.GRID * 0.75) / 2
    for row, height in zip(rows, heights, strict=True):
        painter.setFont(row.font)
        painter.setPen(row.colour)
        text = QFontMetricsF(row.font).elidedText(row.text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(QRectF(area.left(), y, area.width(), height), Qt.AlignmentFlag.AlignTop, text)
        y += height


def _lines(recording: Recording) -> tuple[str, str]:
    when, what = wording.date_words(recording.started), wording.facts(recording)
    cut_off = recording.seconds > 0 and not recording.whole
    return when, f"{what} · {wording.cut_off(recording)}" if cut_off else what


def _draw_sheet(painter: QPainter, area: QRectF, state: QStyle.StateFlag, tones: theme.Colours) -> None:
    hovered = bool(state & QStyle.StateFlag.State_MouseOver)
    focused = bool(state & QStyle.StateFlag.State_HasFocus)
    painter.setBrush(theme.mixed(tones.base, tones.text, 0.04) if hovered else tones.base)
    painter.setPen(QPen(tones.text, 2) if focused else QPen(tones.line, 1))
    painter.drawRoundedRect(area, theme.RADIUS, theme.RADIUS)
