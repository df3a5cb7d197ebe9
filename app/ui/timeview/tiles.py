"""Stretches of a timeline as pictures, painted once and kept as long as nothing in them changes.

Knows nothing about widgets or scrolling.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFont, QPainter, QPixmap

from app.ui.shell.theme import scheme_colours
from app.ui.timeview.timeline_data import TimelineData
from app.ui.timeview.timeline_paint import arrange, paint_middles, paint_timeline

TILE_PX = 256
MAX_TILES = 32
"""Enough for a window twice as wide as most, at 16 MB for double resolution."""
REACH_PX = 16
"""How far to the left of a changed frame something may look different: the edge of a mark."""


class Look(NamedTuple):
    """How tiles are painted; when it changes, the old ones are worthless."""

    scale: float
    """Pixels of one frame."""
    height: int
    ratio: float
    """Device pixels of one pixel."""
    dark: bool
    font: QFont


class Tiles:
    """The pictures of one talk: tile `i` begins `i * TILE_PX` pixels after frame 0."""

    def __init__(self) -> None:
        self._tiles: dict[int, QPixmap] = {}
        self._look: Look | None = None

    def tile(self, index: int, data: TimelineData, look: Look) -> QPixmap:
        """Return one picture; those used longest ago are forgotten."""
        if look != self._look:
            self._tiles.clear()
            self._look = look
        tile = self._tiles.pop(index, None)
        if tile is None:
            tile = _painted(index, data, look)
        self._tiles[index] = tile
        while len(self._tiles) > MAX_TILES:
            del self._tiles[next(iter(self._tiles))]
        return tile

    def drop(self, frame: int) -> None:
        """Forget the pictures that show `frame` or what comes after it."""
        if self._look is None:
            return
        oldest = int((frame * self._look.scale - REACH_PX) // TILE_PX)
        for index in [index for index in self._tiles if index >= oldest]:
            del self._tiles[index]

    def clear(self) -> None:
        """Forget every picture."""
        self._tiles.clear()


def _painted(index: int, data: TimelineData, look: Look) -> QPixmap:
    tones = scheme_colours(look.dark)
    tile = QPixmap(QSize(TILE_PX, look.height) * look.ratio)
    tile.setDevicePixelRatio(look.ratio)
    tile.fill(tones.base)
    painter = QPainter(tile)
    painter.setFont(look.font)
    rect = QRectF(0, 0, TILE_PX, look.height)
    paint_middles(painter, rect, arrange(look.height, painter.fontMetrics().height()), tones)
    frames = TILE_PX / look.scale
    paint_timeline(painter, rect, data, index * frames, frames, colours=tones, bands=False)
    painter.end()
    return tile
