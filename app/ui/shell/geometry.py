"""Where a window stands and how large it is: within the screen, and where it was left the last time.

Knows nothing about what is in the window.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication, QStyle, QWidget

from app.errors import UserError
from app.files import Malformed, make_folder, read_json, write_json

LARGEST = 100_000
"""No screen has so many pixels: what a file says beyond that is not believed."""

EDGE = 4
"""The width of a frame at the sides and below, before it is known."""

GRIP = QSize(96, 24)
"""So much of the upper edge has to lie on a screen for the window to be taken hold of."""


@dataclass(frozen=True)
class Place:
    """Where a window was left: the corner of its frame, its size without one, whether it filled a screen."""

    x: int
    y: int
    width: int
    height: int
    maximized: bool = False

    @property
    def corner(self) -> QPoint:
        """Return the upper left corner of the frame."""
        return QPoint(self.x, self.y)

    @property
    def size(self) -> QSize:
        """Return the size without the frame."""
        return QSize(self.width, self.height)


def read_place(path: Path) -> Place | None:
    """Return where the window was left, None where that is not known or can not be read."""
    try:
        known = read_json(path)
    except (OSError, Malformed):
        return None
    if not isinstance(known, dict) or set(known) != set(Place.__dataclass_fields__):
        return None
    numbers = [known[name] for name in ("x", "y", "width", "height")]
    if not all(type(number) is int and abs(number) < LARGEST for number in numbers):
        return None
    if min(known["width"], known["height"]) <= 0 or type(known["maximized"]) is not bool:
        return None
    return Place(**known)


def write_place(path: Path, place: Place) -> None:
    """Keep where the window was left. Raises UserError when the disk refuses."""
    values: dict[str, Any] = asdict(place)
    try:
        make_folder(path.parent)
        write_json(path, values)
    except OSError as fault:
        sentence = f"Where the window stands could not be saved: {fault}."
        raise UserError(sentence, "Check the folder and its disk.") from fault


def place_of(window: QWidget) -> Place:
    """Return where a window stands; of one that fills the screen, where it would stand otherwise."""
    maximized = window.isMaximized()
    inside = window.normalGeometry() if maximized or window.isMinimized() else window.geometry()
    frame = margins_of(window)
    corner = inside.topLeft() - QPoint(frame.left(), frame.top()) if maximized else window.pos()
    return Place(corner.x(), corner.y(), inside.width(), inside.height(), maximized)


def arrange(window: QWidget, place: Place | None, wanted: QSize, least: QSize) -> None:
    """Put a window where it was left, if that still lies on a screen, and let all of it be on the screen.

    It has the `wanted` size where none is known, and no less than `least` where the screen has room for it.
    """
    screen = screen_at(place, QGuiApplication.screens()) if place is not None else None
    known = screen is not None
    screen = screen or window.screen()
    room = room_for(window, screen)
    window.setMinimumSize(least.boundedTo(room.size()))
    window.resize((place.size if place is not None else wanted).expandedTo(least).boundedTo(room.size()))
    if place is None:
        return
    if known:
        window.move(_moved_in(QRect(place.corner, _outer(window)), screen.availableGeometry()).topLeft())
    if place.maximized:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def keep_within(window: QWidget) -> None:
    """Let a window that stands free be no larger than what its screen has room for, and stand on it."""
    if window.isMaximized() or window.isFullScreen():
        return
    available = window.screen().availableGeometry()
    room = room_for(window, window.screen())
    window.setMinimumSize(window.minimumSize().boundedTo(room.size()))
    if window.size() != window.size().boundedTo(room.size()):
        window.resize(window.size().boundedTo(room.size()))
    outer = QRect(window.pos(), _outer(window))
    if not available.contains(outer):
        window.move(_moved_in(outer, available).topLeft())


def fit_dialog(dialog: QWidget, wanted: QSize, parent: QWidget | None = None) -> None:
    """Give a dialog the size that it wants, or what its screen has room for."""
    room = room_for(dialog, (parent or dialog).screen())
    dialog.resize(wanted.boundedTo(room.size()))


def room_for(window: QWidget, screen: QScreen) -> QRect:
    """Return the part of a screen that a window may fill inside its frame, beside panels and docks."""
    return screen.availableGeometry().marginsRemoved(margins_of(window))


def margins_of(window: QWidget) -> QMargins:
    """Return the width of a window's frame; before it is shown, what a frame of this style has."""
    handle = window.windowHandle()
    if handle is not None and window.isVisible():
        return handle.frameMargins()
    style = QApplication.style()
    title = style.pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    return QMargins(EDGE, title, EDGE, EDGE)


def screen_at(place: Place, screens: Iterable[QScreen]) -> QScreen | None:
    """Return the screen on which the upper edge of a window can be taken hold of, None for none."""
    edge = QRect(place.corner, QSize(place.width, GRIP.height()))
    for screen in screens:
        seen = edge.intersected(screen.availableGeometry())
        if seen.width() >= min(GRIP.width(), place.width) and seen.height() >= GRIP.height() // 2:
            return screen
    return None


def _outer(window: QWidget) -> QSize:
    return window.size().grownBy(margins_of(window))


def _moved_in(area: QRect, available: QRect) -> QRect:
    """Return an area moved, not shrunk, so that it lies within another, or its upper left corner at least."""
    x = max(available.left(), min(area.left(), available.right() + 1 - area.width()))
    y = max(available.top(), min(area.top(), available.bottom() + 1 - area.height()))
    return QRect(QPoint(x, y), area.size())
