"""Both voices of a sound below each other: which stretch of time is seen, zoomed, scrolled and drawn.

Knows nothing about words but which columns of its picture lie within one. Drawn once into a picture, so
that a moving play head costs next to nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.ui.shell.theme import GRID, RADIUS, SMALL, Colours, colours, scaled
from app.ui.timeview.timeline_paint import Lane
from app.ui.training.check.pictures import model_name, user_name
from app.ui.training.edit.peaks import Fine, Peaks
from app.ui.training.edit.waveform_paint import Canvas, View, VoiceLane, arrange

AXIS_PX, TOP_PX, RIGHT_PX = 22, 10, 12
SHORTEST_VIEW_S = 0.25
OPENING_SCALE = 165.0
"""The pixels of a second at first: so that most words can be read."""
ZOOM_STEP = 1.2

Columns = npt.NDArray[np.bool_]


class SoundView(QWidget):
    """The two lanes, and a play head."""

    moved = Signal()
    """Another stretch of time is shown."""
    fine_wanted = Signal(int, int)
    """First sample and number of samples that are needed to draw this view well."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._peaks: Peaks | None = None
        self._fine: Fine | None = None
        self._asked: tuple[int, int] | None = None
        self._first_s, self._shown_s = 0.0, 1.0
        self._zoomed = False
        self._picture: tuple[object, QPixmap] | None = None
        self._revision = 0
        self._ringed = False
        self.cursor_s = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(180)

    # What it shows.

    @property
    def view(self) -> View:
        """Return which stretch of time is shown where."""
        left = self._gutter()
        width, height = self.width() - left - RIGHT_PX, self.height() - TOP_PX - AXIS_PX
        return View(QRectF(left, TOP_PX, max(1, width), max(1, height)), self._first_s, self._shown_s)

    @property
    def lanes(self) -> tuple[VoiceLane, VoiceLane, Lane]:
        """Return where the model, the user and overlap are."""
        return arrange(self.view.area, self.fontMetrics().height())

    @property
    def length_s(self) -> float:
        """Return how long the sound is."""
        return self._peaks.length_s if self._peaks is not None else 0.0

    @property
    def peaks(self) -> Peaks | None:
        """Return the sound that is shown."""
        return self._peaks

    def show_sound(self, peaks: Peaks | None) -> None:
        """Show another sound from its beginning, None for none."""
        self._peaks, self._fine, self._asked = peaks, None, None
        self.cursor_s = self._first_s = 0.0
        self._zoomed = False
        self._zoom_at_first()
        self.refresh()
        self.moved.emit()

    def refresh(self) -> None:
        """Draw anew: more of the sound was read, or words changed."""
        self._revision += 1
        self.update()

    def take_fine(self, fine: Fine | None) -> None:
        """Draw with the samples themselves where they suffice."""
        self._fine = fine
        self.refresh()

    def set_cursor(self, time_s: float) -> None:
        """Show the play head at a time, and turn the page when it leaves the view."""
        before, self.cursor_s = self.cursor_s, time_s
        view = self.view
        if view.first_s <= before <= view.last_s < time_s:
            self.look_at(time_s, share=0.05)
        elif not view.first_s <= time_s <= view.last_s:
            self.look_at(time_s, share=0.3)
        for at_s in (before, time_s):
            self.update(int(self.view.x(at_s)) - 2, 0, 5, self.height())

    def look_at(self, time_s: float, *, share: float = 0.5) -> None:
        """Show the stretch in which a time stands at this share of the width."""
        self.scroll_to(time_s - share * self._shown_s)

    def scroll_to(self, first_s: float) -> None:
        """Let the view begin at a time, within the sound."""
        first_s = min(max(0.0, first_s), max(0.0, self.length_s - self._shown_s))
        if first_s != self._first_s:
            self._first_s = first_s
            self.moved.emit()
            self.update()

    def zoom(self, factor: float, anchor_s: float | None = None) -> None:
        """Show that many times as much time; the anchor, or the play head, stays where it is."""
        self._zoomed = True
        view = self.view
        if anchor_s is None:
            seen = view.first_s <= self.cursor_s <= view.last_s
            anchor_s = self.cursor_s if seen else view.first_s + view.shown_s / 2
        share = (anchor_s - view.first_s) / view.shown_s
        longest = max(self.length_s, SHORTEST_VIEW_S)
        self._shown_s = min(max(self._shown_s * factor, SHORTEST_VIEW_S), longest)
        self._first_s = -1.0
        self.scroll_to(anchor_s - share * self._shown_s)

    def _zoom_at_first(self) -> None:
        wanted_s = self.view.area.width() / OPENING_SCALE
        self._shown_s = max(SHORTEST_VIEW_S, min(wanted_s, self.length_s or wanted_s))
        self._first_s = min(self._first_s, max(0.0, self.length_s - self._shown_s))

    # What the user does.

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom in time; sideways or with Shift, move."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            self.scroll_to(self._first_s - (delta.x() or delta.y()) / 120 * self._shown_s / 10)
        else:
            self.zoom(ZOOM_STEP ** (-delta.y() / 120), self.view.time_s(event.position().x()))
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring to those who come by keyboard."""
        by_mouse = Qt.FocusReason.MouseFocusReason, Qt.FocusReason.PopupFocusReason
        self._ringed = event.reason() not in by_mouse
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the focus ring away."""
        self._ringed = False
        super().focusOutEvent(event)
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew in another scheme."""
        self.refresh()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the first scale as long as no other was wanted."""
        super().resizeEvent(event)
        if not self._zoomed:
            self._zoom_at_first()
        self.moved.emit()

    def sizeHint(self) -> QSize:
        """Return a height at which the shape of sounds can be seen."""
        return QSize(800, 320)

    # How it is painted.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, the sound, and what moves over it."""
        painter = QPainter(self)
        tones = colours(self.palette())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(QPointF(0, 0), self._drawn(tones))
        view = self.view
        painter.setClipRect(view.area.adjusted(-1, -TOP_PX, 1, 0))
        self.paint_over(painter, view, tones)
        x = view.x(self.cursor_s)
        painter.setPen(QPen(tones.text, 2.0))
        painter.drawLine(QPointF(x, view.area.top() - 4), QPointF(x, view.area.bottom()))
        if self._ringed:
            painter.setClipping(False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def paint_over(self, painter: QPainter, view: View, tones: Colours) -> None:
        """Paint what lies over the sound; nothing here."""

    def crowded(self, view: View) -> bool:
        """Say whether there are too many words in a view to draw each; never, here."""
        return False

    def worded(self, view: View, count: int) -> tuple[Columns, Columns]:
        """Return which of the columns lie within a word of the model, and of the user; all, here."""
        return np.ones(count, dtype=np.bool_), np.ones(count, dtype=np.bool_)

    def _drawn(self, tones: Colours) -> QPixmap:
        """Return what stands still as long as the view does."""
        ratio = self.devicePixelRatioF()
        key = (self.size(), ratio, tones.dark, self._first_s, self._shown_s, self._revision)
        if self._picture is None or self._picture[0] != key:
            picture = QPixmap(self.size() * ratio)
            picture.setDevicePixelRatio(ratio)
            picture.fill(tones.window)
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw(painter, tones, ratio)
            painter.end()
            self._picture = (key, picture)
        return self._picture[1]

    def _draw(self, painter: QPainter, tones: Colours, ratio: float) -> None:
        view, (model, user, overlap) = self.view, self.lanes
        painter.setPen(QPen(tones.line, 1.0))
        painter.setBrush(tones.base)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setFont(scaled(self.font(), SMALL))
        self._draw_names(painter, tones)
        canvas = Canvas(painter, view, tones)
        canvas.paint_axis(self.height() - 2, self.length_s)
        count = max(1, int(view.area.width() * ratio))
        worded = self.worded(view, count)
        columns = self._columns(view, count)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for number, (lane, colour) in enumerate(((model, tones.model), (user, tones.user))):
            if columns is not None:
                canvas.paint_sound(lane.sound, columns[number], worded[number], colour)
            if self.crowded(view):
                canvas.paint_crowd(lane, worded[number], colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        canvas.paint_overlap(overlap, worded[0] & worded[1])

    def _columns(self, view: View, count: int) -> npt.NDArray[np.float32] | None:
        """Return the shape of both voices, the loudest of each filling its lane; None without a sound."""
        if self._peaks is None:
            return None
        peaks = self._peaks
        first, last = view.first_s * peaks.rate, view.last_s * peaks.rate
        if (last - first) / count >= peaks.step:
            found = peaks.columns(view.first_s, view.last_s, count)
        elif self._fine is not None and self._fine.holds(max(0.0, first), min(last, peaks.samples)):
            found = self._fine.columns(first, last, count)
        else:
            found = peaks.columns(view.first_s, view.last_s, count)
            self._ask_fine(first, last)
        return found / np.array(peaks.loudest, dtype=np.float32)[:, None, None]

    def _ask_fine(self, first: float, last: float) -> None:
        """Ask for the samples of a view and of as much beside it."""
        assert self._peaks is not None
        width = last - first
        start = max(0, int(first - width))
        end = min(self._peaks.samples, int(last + width) + 1)
        if (start, end - start) != self._asked and end > start:
            self._asked = (start, end - start)
            self.fine_wanted.emit(*self._asked)

    def _draw_names(self, painter: QPainter, tones: Colours) -> None:
        model, user, overlap = self.lanes
        names = (
            (model_name(), model.sound, tones.model_text),
            (user_name(), user.sound, tones.user_text),
            (self.tr("overlap"), overlap, tones.quiet),
        )
        for name, lane, colour in names:
            painter.setPen(colour)
            box = QRectF(GRID, lane.middle - 2 * GRID, self._gutter() - 2 * GRID, 4 * GRID)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, name)

    def _gutter(self) -> int:
        names = model_name(), user_name(), self.tr("overlap")
        return max(self.fontMetrics().horizontalAdvance(name) for name in names) + 2 * GRID
