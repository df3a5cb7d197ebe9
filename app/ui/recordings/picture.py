"""The verb `aizuchi picture`: a talk, or what a dataset would teach, as one PNG, drawn as in the window.

Needs no screen. Knows nothing about how a recording is written or a dataset is checked.
"""

from __future__ import annotations

import argparse
import math
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QLocale, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QImageWriter,
    QPainter,
    QPen,
    QPolygonF,
)

from app.errors import UserError
from app.files import replacing
from app.frames import FRAME_RATE, seconds
from app.paths import Paths
from app.store.datasets import DATASET, open_dataset
from app.store.recordings import Recording, open_recording
from app.store.turn_taking import Statistics, statistics
from app.ui.recordings.reading import read_timeline
from app.ui.shell import theme, wording
from app.ui.shell.typeface import choose_letters, even_strokes
from app.ui.timeview.timeline_data import TimelineData
from app.ui.timeview.timeline_paint import paint_hatch, paint_timeline
from app.ui.training.check.data import read_check
from app.ui.training.check.report import draw_check

translate = QCoreApplication.translate

FILE, CHECK_FILE = "timeline.png", "check.png"
PAGE_WIDTH = 1_200.0
"""The width that distances and letters are made for; another width scales them all."""
DEFAULT_WIDTH_PX = 1_800
WIDTHS_PX = (600, 8_000)
MAX_HEIGHT_PX = 32_000
"""QImage refuses 32 768 and more."""

MARGIN = 32.0
ROW_HEIGHT = 152.0
AXIS_HEIGHT = 40.0
HEADER_HEIGHT = 72.0
FOOTER_HEIGHT = 40.0
ONE_ROW_S = 45
ROWS_S = (30, 60, 120, 300, 600, 1_800)
MAX_ROWS = 24
BREAK_SHARE = 0.25
"""A row may end this much earlier than a full one, to end in a silence."""
LETTER_PX = 13
SWATCH = 14.0


@dataclass(frozen=True)
class Sheet:
    """What is drawn, and in which colours and letters."""

    recording: Recording
    timeline: TimelineData
    figures: Statistics
    tones: theme.Colours
    font: QFont

    @property
    def row_frames(self) -> int:
        """Return the frames of a full row: all of a short talk, else a round time that gives few rows."""
        frames = self.timeline.frames
        if seconds(frames) <= ONE_ROW_S:
            return max(1, frames)
        lengths = (round(row_s * FRAME_RATE) for row_s in ROWS_S)
        return next((row for row in lengths if frames <= row * MAX_ROWS), -(-frames // MAX_ROWS))

    @cached_property
    def rows(self) -> list[tuple[int, int]]:
        """Return the stretches of the talk, [first, last), that stand below each other."""
        rows, first = [], 0
        while first < self.timeline.frames:
            last = self._break(first)
            rows.append((first, last))
            first = last
        return rows

    @property
    def height(self) -> float:
        """Return the height of the page."""
        return 2 * MARGIN + HEADER_HEIGHT + len(self.rows) * (ROW_HEIGHT + AXIS_HEIGHT) + FOOTER_HEIGHT

    def _break(self, first: int) -> int:
        """Return where a row ends: in the last silence of a full row, as text is broken between words."""
        last = first + self.row_frames
        if last >= self.timeline.frames:
            return self.timeline.frames
        start = last - int(self.row_frames * BREAK_SHARE)
        silent = np.flatnonzero(~self.timeline.activity(start, last).any(axis=0))
        return start + int(silent[-1]) if silent.size else last


def main(argv: list[str], paths: Paths) -> int:
    """Draw a recording or a dataset and print the path of the picture."""
    options = _parse(argv)
    folder = _find(options.folder, paths)
    is_dataset = (folder / DATASET).exists()
    out: Path = options.out or folder / (CHECK_FILE if is_dataset else FILE)
    even_strokes()
    # The offscreen platform draws the same letters, and works where there is no display.
    app = QGuiApplication.instance() or QGuiApplication(["aizuchi", "-platform", "offscreen"])
    choose_letters()
    assert app is not None
    if is_dataset:
        name = open_dataset(folder).name
        picture = draw_check(name, read_check(folder), dark=options.dark, width_px=options.width)
    else:
        picture = draw(open_recording(folder), dark=options.dark, width_px=options.width)
    _save(picture, out)
    print(out)
    return 0


def _save(picture: QImage, out: Path) -> None:
    """Write a picture. Raises UserError where the disk refuses."""
    content = QBuffer()
    content.open(QIODevice.OpenModeFlag.WriteOnly)
    # Qt does not say whether a file that it wrote is whole.
    QImageWriter(content, b"png").write(picture)
    try:
        with replacing(out) as part:
            part.write_bytes(bytes(content.data().data()))
    except OSError as fault:
        sentence = f"The picture could not be written to {out}: {fault.strerror or fault}."
        raise UserError(sentence, "Name another file with --out.") from fault


def draw(recording: Recording, *, dark: bool = False, width_px: int = DEFAULT_WIDTH_PX) -> QImage:
    """Return the picture of a talk. Raises UserError where its sound can not be read."""
    timeline = read_timeline(recording)
    if timeline.frames == 0:
        sentence = f"The sound of {recording.folder.name} can not be read."
        raise UserError(sentence, "There is nothing to draw; its words are in events.jsonl.")
    sheet = Sheet(recording, timeline, statistics(recording.turns()), theme.scheme_colours(dark), _font())
    scale = min(width_px / PAGE_WIDTH, MAX_HEIGHT_PX / sheet.height)
    size = QSizeF(PAGE_WIDTH, sheet.height) * scale
    image = QImage(size.toSize(), QImage.Format.Format_RGB32)
    image.fill(sheet.tones.base)
    painter = QPainter(image)
    try:
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.scale(scale, scale)
        _draw_sheet(painter, sheet)
    finally:
        # Qt ends the process when an image goes while it is painted on.
        painter.end()
    return image


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi picture",
        description="Draw the timeline of a recording, or what would be learnt from a dataset.",
    )
    parser.add_argument("folder", type=Path, metavar="SESSION_OR_DATASET", help="a folder, or its name")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.png", help=f"default: {FILE} or {CHECK_FILE} in the folder"
    )
    parser.add_argument("--dark", action="store_true", help="light letters on a dark ground")
    parser.add_argument("--width", type=int, default=DEFAULT_WIDTH_PX, metavar="N", help="width in pixels")
    options = parser.parse_args(argv)
    if not WIDTHS_PX[0] <= options.width <= WIDTHS_PX[1]:
        parser.error(f"the width must be between {WIDTHS_PX[0]} and {WIDTHS_PX[1]}")
    return options


def _find(folder: Path, paths: Paths) -> Path:
    """Return the folder that is meant: a path, or the name of a recording or of a dataset."""
    named = (folder, paths.recordings / folder, paths.datasets / folder)
    return next((path for path in named if path.is_dir()), folder)


def _font() -> QFont:
    font = QFont()
    font.setPixelSize(LETTER_PX)
    return font


def _draw_sheet(painter: QPainter, sheet: Sheet) -> None:
    _draw_header(painter, sheet)
    for number, row in enumerate(sheet.rows):
        _draw_row(painter, sheet, row, MARGIN + HEADER_HEIGHT + number * (ROW_HEIGHT + AXIS_HEIGHT))
    _draw_footer(painter, sheet)


def _draw_header(painter: QPainter, sheet: Sheet) -> None:
    title = theme.scaled(sheet.font, theme.WORDS)
    title.setBold(True)
    when = wording.full_date(sheet.recording.started)
    _write(painter, title, sheet.tones.text, QPointF(MARGIN, MARGIN + 18), when)
    facts = wording.facts(sheet.recording)
    _write(painter, sheet.font, sheet.tones.quiet, QPointF(MARGIN, MARGIN + 42), facts)
    _draw_legend(painter, sheet)


def _draw_legend(painter: QPainter, sheet: Sheet) -> None:
    """Draw what the colours and the marks mean, from the right."""
    metrics = QFontMetricsF(sheet.font)
    right, top = PAGE_WIDTH - MARGIN, MARGIN + 6
    for name, draw_sample in (
        (translate("Report", "interruption"), _draw_wedge),
        (translate("Report", "backchannel"), _draw_cup),
        (translate("Report", "both at once"), paint_hatch),
        (translate("Report", "you"), partial(_fill, side="user")),
        (translate("Report", "the model"), partial(_fill, side="model")),
    ):
        left = right - metrics.horizontalAdvance(name)
        _write(painter, sheet.font, sheet.tones.quiet, QPointF(left, top + 12), name)
        sample = QRectF(left - SWATCH - 6, top, SWATCH, SWATCH)
        draw_sample(painter, sample, sheet.tones)
        right = sample.left() - 24


def _fill(painter: QPainter, area: QRectF, tones: theme.Colours, side: str) -> None:
    painter.fillRect(area, tones.model if side == "model" else tones.user)


def _draw_cup(painter: QPainter, area: QRectF, tones: theme.Colours) -> None:
    painter.setPen(QPen(tones.model_text, 2, c=Qt.PenCapStyle.RoundCap))
    painter.drawArc(area.adjusted(0, -5, 0, -3), 200 * 16, 140 * 16)


def _draw_wedge(painter: QPainter, area: QRectF, tones: theme.Colours) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tones.user_text)
    middle = area.center()
    corners = [QPointF(middle.x() - 5, middle.y() + 5), QPointF(middle.x() + 5, middle.y() + 5)]
    painter.drawPolygon(QPolygonF([*corners, QPointF(middle.x(), middle.y() - 5)]))


def _draw_row(painter: QPainter, sheet: Sheet, row: tuple[int, int], top: float) -> None:
    """Draw one stretch of the talk and its time axis; its last word may reach into the margin."""
    first, last = row
    stretch = copy(sheet.timeline)
    stretch.frames = last
    stretch.labels = sheet.timeline.labels_between(first, last)
    width = PAGE_WIDTH - 2 * MARGIN
    painter.setFont(sheet.font)
    area = QRectF(MARGIN, top, width + MARGIN, ROW_HEIGHT)
    frames = sheet.row_frames * area.width() / width
    paint_timeline(painter, area, stretch, first, frames, colours=sheet.tones)
    _draw_axis(painter, sheet, row, top + ROW_HEIGHT + 4)


def _draw_axis(painter: QPainter, sheet: Sheet, row: tuple[int, int], y: float) -> None:
    first, last = row
    scale = (PAGE_WIDTH - 2 * MARGIN) / sheet.row_frames
    small = theme.scaled(sheet.font, theme.SMALL)
    painter.setPen(QPen(sheet.tones.line, 1))
    painter.drawLine(QPointF(MARGIN, y), QPointF(MARGIN + (last - first) * scale, y))
    step_s = _tick_s(seconds(sheet.row_frames))
    for number in range(math.ceil(seconds(first) / step_s), math.ceil(seconds(last) / step_s)):
        x = MARGIN + (number * step_s * FRAME_RATE - first) * scale
        painter.setPen(QPen(sheet.tones.line, 1))
        painter.drawLine(QPointF(x, y), QPointF(x, y + 4))
        _write(painter, small, sheet.tones.quiet, QPointF(x + 3, y + 13), wording.clock(number * step_s))


def _draw_footer(painter: QPainter, sheet: Sheet) -> None:
    figures = sheet.figures
    number = QLocale().toString
    parts = (
        (translate("Report", "turns"), figures.turns),
        (translate("Report", "pauses"), figures.pauses),
        (translate("Report", "gaps"), figures.gaps),
        (translate("Report", "overlaps"), figures.overlaps),
        (translate("Report", "backchannels"), figures.backchannels),
        (translate("Report", "interruptions"), figures.interruptions),
    )
    text = translate("Report", "Each minute: {0}").format(
        ", ".join(f"{number(value, 'f', 1)} {name}" for name, value in parts)
    )
    _write(painter, sheet.font, sheet.tones.quiet, QPointF(MARGIN, sheet.height - MARGIN), text)


def _tick_s(row_s: float) -> int:
    """Return the distance of the labels on the time axis: a round time, so that about six fit in a row."""
    return min((1, 2, 5, 10, 20, 60, 120, 300, 600, 1_800), key=lambda step_s: abs(row_s / 6 - step_s))


def _write(painter: QPainter, font: QFont, colour: QColor, place: QPointF, text: str) -> None:
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(place, text)
