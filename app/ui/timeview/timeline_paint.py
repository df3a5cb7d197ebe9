"""How a stretch of a timeline is drawn: the same for the live widget, for small pictures and for a report.

Knows nothing about widgets, scrolling or time axes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from app.store.turn_taking import Span
from app.ui.shell.theme import Colours, mixed
from app.ui.shell.wording import band_words, lost_words
from app.ui.timeview.timeline_data import FIRST_UNSPACED, MODEL, USER, Label, TimelineData

FLOOR_DB, CEILING_DB = -62.0, -12.0
"""The levels that are drawn as a line and as the full height of a lane."""

MIN_BAR_PX = 2.0
MIN_WORD_SCALE = 0.6
"""Pixels per frame below which words would be noise."""
WORD_GAP_PX = 5.0
WORD_SLACK_PX = 56.0
"""How far a word may stand behind its frame when its place is taken."""
WORD_SILENCE_PX = 240.0
"""A pause of this width is passed by no word, so that placing may begin behind it."""
WORD_LOOKBACK = 300
PAUSE_FRAMES = 9
"""A pause of the model after which its words begin again in the upmost free row."""
STRIPE_PX = 4.0
MIN_BAND_PX = 2.0
BAND_TEXT_PX = 4.0
BAND_ALPHA = 0.22


class Lane(NamedTuple):
    """A horizontal band."""

    top: float
    height: float

    @property
    def middle(self) -> float:
        """Return the y of its middle."""
        return self.top + self.height / 2


class Lanes(NamedTuple):
    """Where everything stands in a timeline, from top to bottom."""

    words: Lane
    rows: int
    model: Lane
    user: Lane
    overlap: Lane


class PlacedWord(NamedTuple):
    """A word with its place: x from frame 0, in pixels, and its row, 0 the upmost."""

    label: Label
    x: float
    row: int
    text: str


def arrange(height: float, row_height: float, *, compact: bool = False) -> Lanes:
    """Divide a height into lanes; `row_height` is that of a row of words."""
    gap = 2.0 if compact else 8.0
    overlap = max(3.0, height * 0.1) if compact else 8.0
    rows = 0 if compact else int(min(3.0, max(1.0, (height - 90.0) / row_height)))
    top = rows * row_height + (0.0 if compact else 2.0)
    each = max(4.0, (height - top - overlap - 2 * gap) / 2)
    user_top = top + each + gap
    return Lanes(
        words=Lane(0.0, top),
        rows=rows,
        model=Lane(top, each),
        user=Lane(user_top, each),
        overlap=Lane(user_top + each + gap, overlap),
    )


def paint_timeline(
    painter: QPainter,
    rect: QRectF,
    data: TimelineData,
    first_frame: float,
    frames: float,
    *,
    colours: Colours,
    compact: bool = False,
    bands: bool = True,
) -> None:
    """Paint `frames` frames from `first_frame` on into `rect`, with the painter's font for the words.

    Frames that the data does not hold stay empty; nothing is painted behind. `compact` leaves out
    words and marks, for small pictures. A picture that is kept leaves out `bands`, which grow.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
    painter.translate(rect.topLeft())
    scale = rect.width() / frames
    lanes = arrange(rect.height(), painter.fontMetrics().height(), compact=compact)
    start = max(data.first, int(first_frame) - 1)
    end = min(data.frames, int(first_frame + frames) + 2)
    if start < end:
        painter.translate(-first_frame * scale, 0.0)
        stretch = _Stretch(painter, lanes, data, start, end, scale, colours)
        stretch.paint_lanes()
        if not compact:
            stretch.paint_marks()
            stretch.paint_words()
    painter.restore()
    if bands:
        paint_bands(painter, rect, data, first_frame, frames, colours=colours, compact=compact)


def paint_bands(
    painter: QPainter,
    rect: QRectF,
    data: TimelineData,
    first_frame: float,
    frames: float,
    *,
    colours: Colours,
    compact: bool = False,
) -> None:
    """Paint where sound was lost as a quiet band across both lanes, and what was lost where that fits in."""
    scale = rect.width() / frames
    lanes = arrange(rect.height(), painter.fontMetrics().height(), compact=compact)
    top, height = rect.top() + lanes.model.top, lanes.user.top + lanes.user.height - lanes.model.top
    shade = QColor(colours.quiet)
    shade.setAlphaF(BAND_ALPHA)
    painter.save()
    painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
    painter.setPen(colours.quiet)
    advance = painter.fontMetrics().horizontalAdvance
    for band in data.bands_between(first_frame, first_frame + frames):
        left = rect.left() + (band.frame - first_frame) * scale
        width = max(MIN_BAND_PX, (min(band.end, data.frames) - band.frame) * scale)
        painter.fillRect(QRectF(left, top, width, height), shade)
        begin = max(left, rect.left()) + BAND_TEXT_PX
        room = 0.0 if compact else left + width - begin
        text = next((text for text in (band_words(band), lost_words(band)) if advance(text) < room), "")
        painter.drawText(QPointF(begin, top + height - BAND_TEXT_PX), text)
    painter.restore()


def place_words(
    data: TimelineData, frames: tuple[int, int], scale: float, rows: int, metrics: QFontMetricsF
) -> list[PlacedWord]:
    """Return the words of some frames (first, last) that find a place in their rows, none upon another.

    They read like lines: a word whose place is taken moves a little to the right, then into the row below;
    where even that is taken it is left out, and the word before it ends in an ellipsis. What was said
    since the last silence takes part, so that any two stretches that meet agree.
    """
    if scale < MIN_WORD_SCALE or rows == 0:
        return []
    first, last = frames
    placed: list[PlacedWord] = []
    ends = [-1e9] * rows
    row, before = 0, -1e9
    for label in data.labels_around(first, last, WORD_SILENCE_PX / scale, WORD_LOOKBACK):
        wish = label.frame * scale
        if wish >= max(ends) or label.frame - before > PAUSE_FRAMES:
            row = next((r for r, end in enumerate(ends) if end <= wish), row)
        elif ends[row] - wish > WORD_SLACK_PX:
            row = _next_row(row, ends, wish)
        before = label.last
        x = max(wish, ends[row])
        if x - wish > WORD_SLACK_PX:
            if placed and not placed[-1].text.endswith("…"):
                placed[-1] = placed[-1]._replace(text=placed[-1].text + "…")
                ends[placed[-1].row] += metrics.horizontalAdvance("…")
            continue
        placed.append(PlacedWord(label, x, row, label.text))
        gap = WORD_GAP_PX if ord(label.text[-1]) < FIRST_UNSPACED else 0.0
        ends[row] = x + metrics.horizontalAdvance(label.text) + gap
    return [word for word in placed if word.x + metrics.horizontalAdvance(word.text) >= first * scale]


def _next_row(row: int, ends: list[float], wish: float) -> int:
    """Return the row below; from the lowest, the upmost one if what stands there is well past."""
    if row + 1 < len(ends):
        return row + 1
    return 0 if wish - ends[0] > WORD_SLACK_PX / 2 else row


def paint_hatch(painter: QPainter, area: QRectF, colours: Colours) -> None:
    """Fill an area with the stripes of overlap: model and user, both at once."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.fillRect(area, colours.model)
    painter.setPen(_pen(colours.user, STRIPE_PX / 2**0.5, Qt.PenCapStyle.FlatCap))
    height = area.height()
    step = 2 * STRIPE_PX
    x = area.left() // step * step - height - step
    lines = []
    while x < area.right() + step:
        lines.append(QLineF(x - 2, area.bottom() + 2, x + height + 2, area.top() - 2))
        x += step
    painter.drawLines(lines)
    painter.restore()


def runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of True in a row, [T], as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def paint_middles(painter: QPainter, rect: QRectF, lanes: Lanes, colours: Colours) -> None:
    """Paint the line that each lane grows from."""
    painter.setPen(_pen(mixed(colours.line, colours.base, 0.4), 1.0, Qt.PenCapStyle.FlatCap))
    for lane in (lanes.model, lanes.user, lanes.overlap):
        y = round(rect.top() + lane.middle) + 0.5
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The frames start..end-1 on a painter whose x is 0 at frame 0, `scale` pixels each."""

    painter: QPainter
    lanes: Lanes
    data: TimelineData
    start: int
    end: int
    scale: float
    colours: Colours

    def paint_lanes(self) -> None:
        """Paint both envelopes, several frames to a bar where frames are narrow, and the overlap."""
        step = max(1, int(np.ceil(MIN_BAR_PX / self.scale)))
        begin = max(self.data.first, self.start // step * step)
        end = min(self.data.frames, -(-self.end // step) * step)
        heights = _bars(_loudness(self.data.levels(begin, end)), step)
        active = _bars(self.data.activity(begin, end), step)
        width = step * self.scale
        x = begin * self.scale + width * (np.arange(heights.shape[1]) + 0.5)
        for row, lane, colour in self._sides():
            faint = mixed(colour, self.colours.base, 0.62)
            for chosen, shade in ((~active[row], faint), (active[row], colour)):
                _paint_bars(self.painter, lane, x[chosen], heights[row, chosen], _bar_pen(shade, width))
        overlap = self.lanes.overlap
        for first, last in runs(active[MODEL] & active[USER]):
            left = begin * self.scale + first * width
            area = QRectF(left, overlap.top, (last - first) * width, overlap.height)
            paint_hatch(self.painter, area, self.colours)

    def paint_words(self) -> None:
        """Paint the words above the model's lane."""
        metrics = QFontMetricsF(self.painter.font())
        self.painter.setPen(self.colours.model_text)
        for word in place_words(self.data, (self.start, self.end), self.scale, self.lanes.rows, metrics):
            y = self.lanes.words.top + word.row * metrics.height() + metrics.ascent()
            self.painter.drawText(QPointF(word.x, y), word.text)

    def paint_marks(self) -> None:
        """Paint a cup under a backchannel, a wedge where the user made the model stop, a line for a note."""
        model_bottom = self.lanes.model.top + self.lanes.model.height
        for span in self._visible(self.data.backchannels):
            left, right = span.first * self.scale, (span.last + 1) * self.scale
            _paint_cup(self.painter, left, right, model_bottom, self.colours.model_text)
        for span in self._visible(self.data.interruptions):
            _paint_wedge(self.painter, span.first * self.scale, self.lanes.user.top, self.colours.user_text)
        self.painter.setPen(_pen(self.colours.quiet, 1.0, Qt.PenCapStyle.FlatCap))
        for note in self.data.notes_between(self.start, self.end):
            x, bottom = note.frame * self.scale, self.lanes.user.top + self.lanes.user.height
            self.painter.drawLine(QPointF(x, self.lanes.model.top), QPointF(x, bottom))

    def _visible(self, spans: Iterable[Span]) -> list[Span]:
        """Return the spans whose mark reaches into the stretch, or stands just beside it."""
        margin = 1 + int(8 / self.scale)
        first, last = self.start - margin, self.end + margin
        return [span for span in spans if span.last >= first and span.first <= last]

    def _sides(self) -> tuple[tuple[int, Lane, QColor], ...]:
        return (MODEL, self.lanes.model, self.colours.model), (USER, self.lanes.user, self.colours.user)


def _pen(colour: QColor, width: float, cap: Qt.PenCapStyle) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, cap)


def _bar_pen(colour: QColor, width: float) -> QPen:
    return _pen(colour, max(1.0, width * 0.68), Qt.PenCapStyle.RoundCap)


def _paint_bars(
    painter: QPainter, lane: Lane, x: npt.NDArray[np.float64], loudness: npt.NDArray[np.float32], pen: QPen
) -> None:
    half = np.maximum(0.25, loudness * (lane.height - pen.widthF()) / 2)
    painter.setPen(pen)
    middle = lane.middle
    painter.drawLines(
        [QLineF(a, middle - h, a, middle + h) for a, h in zip(x.tolist(), half.tolist(), strict=True)]
    )


def _bars(rows: npt.NDArray[np.generic], step: int) -> npt.NDArray[np.generic]:
    """Return the largest of each `step` columns, [2, T] -> [2, ceil(T / step)]."""
    if step == 1 or rows.shape[1] == 0:
        return rows
    return np.maximum.reduceat(rows, np.arange(0, rows.shape[1], step), axis=1)


def _loudness(levels_db: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Map levels to the share of a lane that they fill, 0..1."""
    share = (levels_db - np.float32(FLOOR_DB)) / np.float32(CEILING_DB - FLOOR_DB)
    return np.clip(share, 0.0, 1.0).astype(np.float32)


def _paint_cup(painter: QPainter, left: float, right: float, y: float, colour: QColor) -> None:
    middle, half = (left + right) / 2, max(6.0, (right - left) / 2)
    cup = QPainterPath(QPointF(middle - half, y - 2))
    cup.quadTo(QPointF(middle, y + 8), QPointF(middle + half, y - 2))
    painter.setPen(_pen(colour, 2.0, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(cup)


def _paint_wedge(painter: QPainter, x: float, y: float, colour: QColor) -> None:
    wedge = QPainterPath(QPointF(x - 5, y + 3))
    for point in (QPointF(x + 5, y + 3), QPointF(x, y - 7)):
        wedge.lineTo(point)
    wedge.closeSubpath()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPath(wedge)
