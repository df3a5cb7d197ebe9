"""How sound and words are drawn above each other: lanes, shapes, boxes, the time axis.

Knows nothing about widgets, files or what is done with words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.store.datasets import TimedWord
from app.ui.shell.theme import Colours, mixed
from app.ui.timeview.timeline_paint import Lane, paint_hatch
from app.ui.training.edit.words import exact_clock

LABEL_PX = 120.0
"""The least distance of two labels of the time axis."""
STEPS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600)
CURVE = 0.65
"""The height of a lane grows with this power of the amplitude, so that soft beginnings can be seen."""
GAP_PX = 12.0
OVERLAP_PX = 8.0
TEXT_PAD_PX = 4.0
DENSE_PX = 14.0
"""With less room than this for each word, no single one is drawn."""
FAINT = 0.6


@dataclass(frozen=True, slots=True)
class View:
    """Which stretch of time is shown where."""

    area: QRectF
    first_s: float
    shown_s: float

    @property
    def scale(self) -> float:
        """Return the pixels of one second."""
        return self.area.width() / self.shown_s

    @property
    def last_s(self) -> float:
        """Return the time at the right end."""
        return self.first_s + self.shown_s

    def x(self, time_s: float) -> float:
        """Return where a time is."""
        return self.area.left() + (time_s - self.first_s) * self.scale

    def time_s(self, x: float) -> float:
        """Return which time is at an x."""
        return self.first_s + (x - self.area.left()) / self.scale


class VoiceLane(NamedTuple):
    """The room of one voice: its words above its sound."""

    words: Lane
    sound: Lane

    @property
    def top(self) -> float:
        """Return the upper edge."""
        return self.words.top

    @property
    def bottom(self) -> float:
        """Return the lower edge."""
        return self.sound.top + self.sound.height


class Box(NamedTuple):
    """A word to be drawn."""

    word: TimedWord
    chosen: bool


def arrange(area: QRectF, line_px: float) -> tuple[VoiceLane, VoiceLane, Lane]:
    """Return the lanes of the model, of the user and of overlap, from top to bottom."""
    words = line_px + 2 * TEXT_PAD_PX
    sound = max(8.0, (area.height() - 2 * words - 2 * GAP_PX - OVERLAP_PX) / 2)
    lanes, top = [], area.top()
    for _ in range(2):
        lanes.append(VoiceLane(Lane(top, words), Lane(top + words, sound)))
        top += words + sound + GAP_PX
    return lanes[0], lanes[1], Lane(top, OVERLAP_PX)


def worded_columns(view: View, words: Iterable[TimedWord], count: int) -> npt.NDArray[np.bool_]:
    """Return which of `count` columns of a view lie within a word, [count]."""
    times = np.array([(word.start_s, word.end_s) for word in words], dtype=np.float64).reshape(-1, 2)
    edges = (times - view.first_s) * (count / view.shown_s)
    first = np.clip(np.floor(edges[:, 0]), 0, count).astype(np.int64)
    last = np.clip(np.ceil(edges[:, 1]), first, count).astype(np.int64)
    steps = np.bincount(first, minlength=count + 1) - np.bincount(last, minlength=count + 1)
    return np.cumsum(steps)[:-1] > 0


@dataclass(frozen=True)
class Canvas:
    """A painter, the stretch of time it paints, and in which colours."""

    painter: QPainter
    view: View
    tones: Colours

    def paint_sound(
        self, lane: Lane, columns: npt.NDArray[np.float32], worded: npt.NDArray[np.bool_], colour: QColor
    ) -> None:
        """Paint lowest and highest of each column, [N, 2] in -1..1 of the lane; faint where no word is."""
        area, middle, half = self.view.area, lane.middle, lane.height / 2 - 1
        shaped = np.sign(columns) * np.minimum(1.0, np.abs(columns)) ** CURVE
        low = middle - shaped[:, 0] * half + 0.5
        high = middle - shaped[:, 1] * half - 0.5
        width = area.width() / max(1, len(columns))
        x = area.left() + (np.arange(len(columns)) + 0.5) * width
        for chosen, shade in ((worded, colour), (~worded, mixed(colour, self.tones.base, FAINT))):
            self.painter.setPen(_flat(shade, max(1.0, width)))
            ends = zip(x[chosen].tolist(), high[chosen].tolist(), low[chosen].tolist(), strict=True)
            self.painter.drawLines([QLineF(at, top, at, bottom) for at, top, bottom in ends])

    def paint_words(self, lane: VoiceLane, boxes: Sequence[Box], colour: QColor) -> None:
        """Paint the words of one voice as boxes over its lane, in order of time."""
        for number, box in enumerate(boxes):
            self._paint_box(lane, box, colour)
            following = boxes[number + 1].word.start_s if number + 1 < len(boxes) else self.view.last_s
            free_x = self.view.x(max(following, box.word.end_s))
            self._paint_text(lane, box, min(free_x, self.view.area.right()))

    def paint_crowd(self, lane: VoiceLane, worded: npt.NDArray[np.bool_], colour: QColor) -> None:
        """Paint in which columns there are words, where they are too many for boxes."""
        width = self.view.area.width() / max(1, len(worded))
        height = lane.words.height / 3
        for first, last in _runs(worded):
            left, top = self.view.area.left() + first * width, lane.words.middle - height / 2
            self.painter.fillRect(QRectF(left, top, (last - first) * width, height), colour)

    def paint_overlap(self, lane: Lane, both: npt.NDArray[np.bool_]) -> None:
        """Hatch where words of both voices are said at once, [N] columns."""
        width = self.view.area.width() / max(1, len(both))
        for first, last in _runs(both):
            left = self.view.area.left() + first * width
            area = QRectF(left, lane.top, (last - first) * width, lane.height)
            paint_hatch(self.painter, area, self.tones)

    def paint_axis(self, bottom: float, length_s: float) -> None:
        """Write the time below the lanes, and draw thin lines up through them."""
        view, painter = self.view, self.painter
        step_s = next((step for step in STEPS_S if step * view.scale >= LABEL_PX), STEPS_S[-1])
        metrics = QFontMetricsF(painter.font())
        first = max(0, int(np.ceil(view.first_s / step_s)))
        for number in range(first, int(min(view.last_s, length_s) / step_s) + 1):
            x = view.x(number * step_s)
            painter.setPen(_flat(mixed(self.tones.base, self.tones.line, 0.7), 1.0))
            painter.drawLine(QPointF(x, view.area.top()), QPointF(x, view.area.bottom()))
            text = exact_clock(number * step_s)
            text = text[:-3] if step_s >= 1 else text
            painter.setPen(self.tones.quiet)
            wide = metrics.horizontalAdvance(text)
            left = min(max(x - wide / 2, view.area.left()), view.area.right() - wide)
            painter.drawText(QPointF(left, bottom - metrics.descent() - 2), text)

    def _paint_box(self, lane: VoiceLane, box: Box, colour: QColor) -> None:
        left, right = self.view.x(box.word.start_s), self.view.x(box.word.end_s)
        share = 0.42 if box.chosen else 0.2
        label = QRectF(left, lane.words.top, right - left, lane.words.height)
        self.painter.fillRect(label, mixed(self.tones.base, colour, share))
        if box.chosen:
            self.painter.setPen(_flat(self.tones.text, 2.0))
            self.painter.setBrush(Qt.BrushStyle.NoBrush)
            self.painter.drawRect(
                QRectF(left + 1, lane.top + 1, right - left - 2, lane.bottom - lane.top - 2)
            )
            return
        self.painter.setPen(_flat(colour, 1.0))
        for x in (left + 0.5, right - 0.5):
            self.painter.drawLine(QPointF(x, lane.top), QPointF(x, lane.bottom))

    def _paint_text(self, lane: VoiceLane, box: Box, free_x: float) -> None:
        """Write a word; it may reach out of its box up to the next one, else it ends in an ellipsis."""
        metrics = QFontMetricsF(self.painter.font())
        left = max(self.view.x(box.word.start_s), self.view.area.left()) + TEXT_PAD_PX
        room = free_x - left - 2
        if room < TEXT_PAD_PX:
            return
        text = metrics.elidedText(box.word.text, Qt.TextElideMode.ElideRight, room)
        if text == "…":
            return
        self.painter.setPen(self.tones.text)
        self.painter.drawText(QPointF(left, lane.words.top + TEXT_PAD_PX + metrics.ascent()), text)


def _flat(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)


def _runs(there: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Return the first and the end of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    found: list[list[int]] = edges.reshape(-1, 2).tolist()
    return found
