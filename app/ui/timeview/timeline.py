"""The timeline of a talk: one painted widget that scrolls along, zooms, and can be dragged back.

Knows nothing about sessions or recordings: it shows a TimelineData and says which frame was clicked.
Stretches are painted once into tiles, so that a repaint only moves pixels.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QPushButton, QToolTip, QWidget

from app.frames import FRAME_MS, FRAME_RATE, seconds
from app.ui.shell.theme import GRID, RADIUS, SMALL, Colours, colours, scaled
from app.ui.shell.wording import band_words, clock
from app.ui.timeview.axis import LABEL_PX, times_before_now, times_of_talk
from app.ui.timeview.tiles import TILE_PX, Look, Tiles
from app.ui.timeview.timeline_data import TimelineData
from app.ui.timeview.timeline_paint import arrange, paint_bands, paint_timeline

__all__ = ["Timeline", "TimelineData", "paint_timeline"]

MIN_FRAMES = 5 * FRAME_RATE
DEFAULT_FRAMES = 20 * FRAME_RATE
ZOOM_STEP = 1.2
AXIS_PX = 20
TOP_PX = 8
RIGHT_PX = 16
MOST_NAME_PX = 120
"""A longer name of a model is shortened in its middle, and told whole under the pointer."""
CATCH_UP = 0.1
"""The share of its distance that the view makes good with each tick."""
JUMP_FRAMES = 6.0
STEP_FRAMES = FRAME_RATE
"""A play cursor that goes on by less is playing."""


class Timeline(QWidget):
    """Two lanes of loudness, words and overlap. `live` talks are followed until they are dragged back."""

    frame_clicked = Signal(int)

    def __init__(self, data: TimelineData | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = data or TimelineData()
        self._model = ""
        self._live = False
        self._following = True
        self._shown = DEFAULT_FRAMES
        self._right = 0.0
        self._cursor: int | None = None
        self._tiles = Tiles()
        self._drag: tuple[float, float] | None = None
        self._dragged = False
        self._ringed = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(120)
        self.setAccessibleName(self.tr("Timeline"))
        self.setAccessibleDescription(
            self.tr("The wheel zooms, dragging goes back, the arrow keys move, End returns to the newest.")
        )
        self._now = QPushButton(self.tr("Now"), self)
        self._now.setToolTip(self.tr("Return to the newest (End)"))
        self._now.setAccessibleName(self.tr("Return to the newest"))
        self._now.clicked.connect(self.follow)
        self._now.hide()

    # What it shows.

    @property
    def data(self) -> TimelineData:
        """Return what is shown."""
        return self._data

    @property
    def frames_shown(self) -> float:
        """Return how many frames the width of the widget stands for."""
        return self._shown

    @property
    def first_frame(self) -> float:
        """Return the frame at the left end; negative while the talk is shorter than the view."""
        return self._right - self._shown

    @property
    def following(self) -> bool:
        """Say whether the view moves along with the newest frame."""
        return self._following

    def set_data(self, data: TimelineData, *, live: bool = False, model: str = "") -> None:
        """Show another talk, with a model of this name: all of it, or what comes of a live one."""
        self._data = data
        self._model = model
        self._tiles.clear()
        self._cursor = None
        self.set_live(live)
        if live:
            self._shown = DEFAULT_FRAMES
            self.follow()
        else:
            self.fit()

    def set_live(self, live: bool) -> None:
        """Say whether frames are still being added; the time axis then counts back from now."""
        if self._live and not live and self._data.frames < self._shown:
            self.fit()
        self._live = live
        self._place_now_button()
        self.update()

    def set_cursor(self, frame: int | None) -> None:
        """Draw the play cursor at a frame and turn the page with it; None takes it away.

        While it plays on outside a view that was moved elsewhere, the view stays there.
        """
        if frame == self._cursor:
            return
        before, self._cursor = self._cursor, frame
        if frame is not None and not self._sees(frame):
            left = before is not None and 0 < frame - before < STEP_FRAMES and not self._sees(before)
            if not left:
                self._move(frame + 0.9 * self._shown)
        self.update()

    def fit(self) -> None:
        """Show the whole talk."""
        self._shown = self._longest()
        self._following = False
        self._move(self._data.frames)

    def zoom_to(self, frames: float) -> None:
        """Show so many frames, or the whole talk if it is shorter, with the play cursor near the left end."""
        self._shown = min(max(frames, MIN_FRAMES), self._longest())
        self._following = False
        self._move((self._cursor or 0) + 0.9 * self._shown)

    def follow(self) -> None:
        """Return to the newest frame and move along with it."""
        self._following = True
        self._right = float(self._data.frames)
        self._place_now_button()
        self.update()

    def show_frame(self, frame: int) -> None:
        """Bring a frame to the middle of the view."""
        self._following = False
        self._move(frame + self._shown / 2)

    def advance(self, elapsed_ms: float) -> None:
        """Move along with a live talk, as evenly as time goes; to be called with each tick of the window."""
        dirty = self._data.take_dirty()
        if dirty is not None:
            self._tiles.drop(dirty)
        if self._following and self._live:
            newest = float(self._data.frames)
            behind = newest - 0.5 - self._right
            if abs(behind) > JUMP_FRAMES:
                self._right = newest
            elif self._right < newest:
                self._right = min(newest, self._right + elapsed_ms / FRAME_MS + CATCH_UP * behind)
            else:
                return
        if dirty is not None or (self._following and self._live):
            self.update()

    # Where it looks.

    @property
    def _area(self) -> QRectF:
        """Return where the lanes are painted."""
        left = self._gutter()
        height = self.height() - AXIS_PX - TOP_PX
        return QRectF(left, TOP_PX, max(1, self.width() - left - RIGHT_PX), max(1, height))

    @property
    def _scale(self) -> float:
        """Return the pixels of one frame."""
        return self._area.width() / self._shown

    def _gutter(self) -> int:
        metrics = QFontMetricsF(scaled(self.font(), SMALL))
        names = self._lane_names()
        return int(min(MOST_NAME_PX, max(map(metrics.horizontalAdvance, names)))) + 3 * GRID

    def _lane_names(self) -> tuple[str, str, str]:
        return self._model or self.tr("Model"), self.tr("You"), self.tr("overlap")

    def _longest(self) -> float:
        return max(float(self._data.frames), MIN_FRAMES)

    def _move(self, right: float) -> None:
        """Let the view end at a frame, within the talk."""
        oldest = min(self._data.first + self._shown, float(self._data.frames))
        self._right = min(max(right, oldest), max(float(self._data.frames), oldest))
        self._place_now_button()
        self.update()

    def _zoom(self, factor: float, x: float) -> None:
        """Show that many times as many frames; what is at `x` stays there unless now is followed."""
        anchor = self.frame_at(x)
        longest = max(self._longest(), DEFAULT_FRAMES) if self._live else self._longest()
        shown = min(max(self._shown * factor, MIN_FRAMES), longest)
        share = (self._right - anchor) / self._shown
        self._shown = shown
        if not self._following:
            self._move(anchor + share * shown)
        self.update()

    def _sees(self, frame: int) -> bool:
        return self.first_frame <= frame <= self._right

    def frame_at(self, x: float) -> float:
        """Return the frame at an x of the widget."""
        return self._right - (self._area.right() - x) / self._scale

    def _place_now_button(self) -> None:
        self._now.setVisible(self._live and not self._following)
        size = self._now.sizeHint()
        self._now.setGeometry(self.width() - size.width() - GRID, GRID, size.width(), size.height())

    # What the user does.

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom in time; sideways or with Shift, move."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            self._following = False
            self._move(self._right - (delta.x() or delta.y()) / 120 * self._shown / 10)
        else:
            self._zoom(ZOOM_STEP ** (-delta.y() / 120), event.position().x())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag or a click."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = event.position().x(), self._right
            self._dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the view."""
        if self._drag is None:
            return
        start, right = self._drag
        distance = event.position().x() - start
        if self._dragged or abs(distance) >= QApplication.startDragDistance():
            self._dragged = True
            self._following = False
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._move(right - distance / self._scale)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or tell the frame that was clicked."""
        if self._drag is None:
            return
        self._drag = None
        self.unsetCursor()
        if self._dragged:
            if self._live and self._right >= self._data.frames - 1:
                self.follow()
            return
        frame = int(self.frame_at(event.position().x()))
        if self._data.first <= frame < self._data.frames:
            self.frame_clicked.emit(frame)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrows, zoom with + and -, return to the newest with End."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._following = False
            self._move(self._right + (1 if key == Qt.Key.Key_Right else -1) * self._shown / 10)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(ZOOM_STEP if key == Qt.Key.Key_Minus else 1 / ZOOM_STEP, self._area.center().x())
        elif key == Qt.Key.Key_Home:
            self._following = False
            self._move(0.0)
        elif key == Qt.Key.Key_End:
            self.follow()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tell in a tooltip what is under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            over_names = event.pos().x() < self._area.left()
            text = self._model if over_names else self._describe(int(self.frame_at(event.pos().x())))
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _describe(self, frame: int) -> str:
        if not self._data.first <= frame < self._data.frames:
            return ""
        said = [clock(seconds(frame))]
        for spans, text in (
            (self._data.backchannels, self.tr("backchannel, {length} s")),
            (self._data.interruptions, self.tr("interruption: the model stops after {length} s")),
        ):
            found = [span for span in spans if span.first - 1 <= frame <= span.last + 1]
            said += [text.format(length=f"{seconds(span.frames):.1f}") for span in found[:1]]
        said += [band_words(band) for band in self._data.bands_between(frame - 1, frame + 2)[:1]]
        said += [note.text for note in self._data.notes_between(frame - 2, frame + 3)]
        return " · ".join(said)

    # How it is painted.

    def sizeHint(self) -> QSize:
        """Return a height at which three rows of words fit."""
        return QSize(800, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the button in its corner."""
        super().resizeEvent(event)
        self._place_now_button()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring to those who come by keyboard."""
        self._ringed = event.reason() not in (
            Qt.FocusReason.MouseFocusReason,
            Qt.FocusReason.PopupFocusReason,
        )
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the focus ring away."""
        self._ringed = False
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Put the tiles together and paint the little that moves against them."""
        painter = QPainter(self)
        tones = colours(self.palette())
        area = self._area
        font = scaled(self.font(), SMALL)
        painter.setFont(font)
        self._paint_ground(painter, area, tones)
        painter.setClipRect(area)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        look = Look(self._scale, int(area.height()), self.devicePixelRatioF(), tones.dark, font)
        left = self.first_frame * self._scale
        for index in range(int(left // TILE_PX), int((left + area.width()) // TILE_PX) + 1):
            x = area.left() + index * TILE_PX - left
            painter.drawPixmap(QPointF(x, area.top()), self._tiles.tile(index, self._data, look))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        paint_bands(painter, area, self._data, self.first_frame, self._shown, colours=tones)
        if self._cursor is not None:
            x = area.left() + (self._cursor - self.first_frame) * self._scale
            painter.setPen(QPen(tones.text, 2.0))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if self._ringed:
            painter.setClipping(False)
            painter.setPen(QPen(tones.text, 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def _paint_ground(self, painter: QPainter, area: QRectF, tones: Colours) -> None:
        """Paint what stands still: the names of the lanes and the time axis."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tones.line, 1.0))
        painter.setBrush(tones.base)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        metrics = painter.fontMetrics()
        lanes = arrange(area.height(), metrics.height())
        names = zip(
            self._lane_names(),
            (lanes.model, lanes.user, lanes.overlap),
            (tones.model_text, tones.user_text, tones.quiet),
            strict=True,
        )
        for name, lane, colour in names:
            painter.setPen(colour)
            box = QRectF(GRID, area.top() + lane.middle - AXIS_PX, area.left() - 2 * GRID, 2 * AXIS_PX)
            fitting = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(box.width()))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, fitting)
        painter.setPen(tones.quiet)
        for x, text in self._time_labels(area):
            box = QRectF(x - LABEL_PX, area.bottom(), 2 * LABEL_PX, AXIS_PX)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        if self._live and self._following:
            painter.setPen(QPen(tones.quiet, 1.0))
            painter.drawLine(area.topRight(), area.bottomRight())

    def _time_labels(self, area: QRectF) -> list[tuple[float, str]]:
        """Return where the time axis is labelled: seconds before now, or the time of the talk."""
        if self._live and self._following:
            (_, now), *back = times_before_now(area.width(), self._scale)
            # The last letters of "now" would be cut off at the edge.
            return [(area.right() - GRID / 2, now), *((area.right() + x, text) for x, text in back)]
        if not self._data.frames:
            return []
        last = min(self._right, self._data.frames)
        labels = times_of_talk(self.first_frame, last, self._scale)
        return [(area.left() + x, text) for x, text in labels]
