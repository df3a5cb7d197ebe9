"""What would be learnt from a dataset as one sheet: the six pictures of the window, side by side.

Needs no screen. Knows nothing about how a dataset is checked.
"""

from __future__ import annotations

from functools import cached_property

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from app.ui.shell import theme
from app.ui.training.check.data import Check
from app.ui.training.check.pictures import Picture, pictures
from app.ui.training.check.words import facts, verdict

PAGE_WIDTH = 1_200.0
MARGIN = 32.0
HEADER_PX = 72.0
ACROSS = 3
GAP = float(theme.GRID)
PAD = 2.0 * theme.GRID
LETTER_PX = 13
MOST_FINDINGS = 12


class CheckReport:
    """One sheet. Distances are those of a page PAGE_WIDTH wide; the painter is scaled to what is wanted."""

    def __init__(self, name: str, check: Check, tones: theme.Colours) -> None:
        self._name, self._check, self._tones = name, check, tones
        self._font = QFont()
        self._font.setPixelSize(LETTER_PX)
        self._small = theme.scaled(self._font, theme.SMALL)

    @property
    def height(self) -> float:
        """Return the height of the page."""
        cards = sum(self._heights) + GAP * (len(self._heights) - 1)
        return 2 * MARGIN + HEADER_PX + cards + self._findings_height

    def paint(self, painter: QPainter) -> None:
        """Paint the sheet."""
        title = theme.scaled(self._font, theme.WORDS)
        title.setBold(True)
        self._write(painter, title, self._tones.text, QPointF(MARGIN, MARGIN + 18), self._name)
        shade = self._tones.trouble_text if self._check.refused else self._tones.quiet
        line = f"{facts(self._check)}. {verdict(self._check)}"
        self._write(painter, self._font, shade, QPointF(MARGIN, MARGIN + 42), line)
        width = (PAGE_WIDTH - 2 * MARGIN - (ACROSS - 1) * GAP) / ACROSS
        top = MARGIN + HEADER_PX
        for row, height in enumerate(self._heights):
            for column, picture in enumerate(self._pictures[row * ACROSS : (row + 1) * ACROSS]):
                left = MARGIN + column * (width + GAP)
                self._paint_card(painter, picture, QRectF(left, top, width, height))
            top += height + GAP
        self._paint_findings(painter, top + 2 * GAP)

    @cached_property
    def _pictures(self) -> list[Picture]:
        return pictures(self._check)

    @cached_property
    def _heights(self) -> list[float]:
        """Return the height of each row of pictures."""
        line, small = QFontMetricsF(self._font).height(), QFontMetricsF(self._small).height()
        around = 2 * PAD + line + 2 * GAP + 3 * small
        rows = range(0, len(self._pictures), ACROSS)
        return [around + max(each.height for each in self._pictures[at : at + ACROSS]) for at in rows]

    @property
    def _findings_height(self) -> float:
        shown = min(MOST_FINDINGS + 1, len(self._check.findings))
        return 2 * GAP + shown * 20 if shown else 0.0

    def _paint_card(self, painter: QPainter, picture: Picture, card: QRectF) -> None:
        painter.setPen(QPen(self._tones.line, 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(card, theme.RADIUS, theme.RADIUS)
        inner = card.adjusted(PAD, PAD, -PAD, -PAD)
        bold = QFont(self._font)
        bold.setBold(True)
        metrics = QFontMetricsF(bold)
        place = QPointF(inner.left(), inner.top() + metrics.ascent())
        self._write(painter, bold, self._tones.text, place, picture.title)
        painter.setFont(self._font)
        top = inner.top() + metrics.height() + GAP
        picture.paint(painter, QRectF(inner.left(), top, inner.width(), picture.height), self._tones)
        painter.setFont(self._small)
        painter.setPen(self._tones.quiet)
        below = QRectF(inner.left(), top + picture.height + GAP, inner.width(), card.height())
        painter.drawText(below, Qt.TextFlag.TextWordWrap, picture.sentence)

    def _paint_findings(self, painter: QPainter, top: float) -> None:
        """Write the findings one a line, and how many there are beside those that fit."""
        found = self._check.findings
        metrics = QFontMetricsF(self._font)
        lines = [finding.words for finding in found[:MOST_FINDINGS]]
        if len(found) > MOST_FINDINGS:
            lines.append(f"… + {len(found) - MOST_FINDINGS}")
        for number, line in enumerate(lines):
            text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, PAGE_WIDTH - 2 * MARGIN)
            place = QPointF(MARGIN, top + number * 20 + metrics.ascent())
            self._write(painter, self._font, self._tones.trouble_text, place, text)

    def _write(self, painter: QPainter, font: QFont, colour: QColor, place: QPointF, text: str) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(place, text)


def draw_check(name: str, check: Check, *, dark: bool = False, width_px: int) -> QImage:
    """Return the pictures of a check on one sheet of this width."""
    tones = theme.scheme_colours(dark)
    sheet = CheckReport(name, check, tones)
    scale = width_px / PAGE_WIDTH
    image = QImage((QSizeF(PAGE_WIDTH, sheet.height) * scale).toSize(), QImage.Format.Format_RGB32)
    image.fill(tones.base)
    painter = QPainter(image)
    try:
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.scale(scale, scale)
        sheet.paint(painter)
    finally:
        # Qt ends the process when an image goes while it is painted on.
        painter.end()
    return image
