"""The words over the sound: to look at, to choose, to write, and to drag about.

Shows a WordList and changes it. Knows nothing about files or playing: it is told where the play head is, and
tells where it is wanted.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from app.store.datasets import Speaker, TimedWord
from app.ui.shell.theme import Colours
from app.ui.training.check.pictures import model_name, user_name
from app.ui.training.edit.field import WordField
from app.ui.training.edit.grip import Grip, drag, find_grip
from app.ui.training.edit.peaks import Peaks
from app.ui.training.edit.sound_view import ZOOM_STEP, Columns, SoundView
from app.ui.training.edit.waveform_paint import DENSE_PX, Box, Canvas, View, VoiceLane, worded_columns
from app.ui.training.edit.words import SHORTEST_S, Entry, WordList, exact_clock

NEW_WORD_S = 0.3


class Waveform(SoundView):
    """Two lanes with words. One word may be chosen, and one voice is the current one."""

    chosen = Signal(object)
    """The key of the word that was chosen, None for none."""
    sought = Signal(float)
    """The time at which the play head is wanted, in seconds."""

    def __init__(self, words: WordList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.voice: Speaker = "A"
        self._words = words
        self._chosen: int | None = None
        self._grip: Grip | None = None
        self._dragged: TimedWord | None = None
        self._pressed: tuple[QPointF, float] | None = None
        self._moving = False
        self._writing: tuple[int | None, TimedWord] | None = None
        self._field = WordField(self)
        self._field.done.connect(self._take_text)
        self._field.left.connect(self._leave_text)
        words.edited.connect(self._on_edited)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Sound and words"))

    @property
    def length_s(self) -> float:
        """Return how long the sound is."""
        return self._words.length_s

    @property
    def chosen_key(self) -> int | None:
        """Return the key of the chosen word."""
        return self._chosen

    def show_sound(self, peaks: Peaks | None) -> None:
        """Show another sound from its beginning, None for none."""
        self._writing = self._grip = self._dragged = self._pressed = None
        self._field.hide()
        self._chosen, self.voice = None, "A"
        super().show_sound(peaks)
        self._describe()

    def choose(self, key: int | None, *, seek: bool = True) -> None:
        """Choose a word, bring it into view and put the play head at its beginning; None for none."""
        if key is not None:
            word = self._words.word(key)
            self.voice = word.speaker
            if word.start_s < self.view.first_s or word.end_s > self.view.last_s:
                self.look_at(word.start_s, share=0.3)
            if seek:
                self.sought.emit(word.start_s)
        if key != self._chosen:
            self._chosen = key
            self.chosen.emit(key)
        self._describe()
        self.update()

    def step(self, by: int) -> bool:
        """Choose the next or the previous word; say whether there was one."""
        entries = self._words.entries
        if self._chosen is not None:
            row = self._words.row(self._chosen) + by
        else:
            first = next((r for r, e in enumerate(entries) if e.start_s >= self.cursor_s), len(entries))
            row = first if by > 0 else first - 1
        if 0 <= row < len(entries):
            self.choose(entries[row].key)
            return True
        return False

    # Writing.

    @property
    def writing(self) -> bool:
        """Say whether a word is being written."""
        return self._writing is not None

    def write(self) -> None:
        """Let the chosen word be written anew."""
        if self._chosen is not None:
            self._begin_writing(self._chosen, self._words.word(self._chosen))

    def insert(self) -> None:
        """Let a word of the current voice be written at the cursor; it ends where the next one begins."""
        until_s = self.cursor_s + NEW_WORD_S
        later = self._words.between(self.cursor_s + SHORTEST_S, until_s)
        starts = [entry.start_s for entry in later if entry.speaker == self.voice]
        end_s = min([until_s, *(start for start in starts if start > self.cursor_s + SHORTEST_S)])
        word = self._words.limited(TimedWord(self.voice, "", self.cursor_s, end_s))
        self.choose(None)
        self._begin_writing(None, word)

    def _begin_writing(self, key: int | None, word: TimedWord) -> None:
        if not self.view.first_s <= word.start_s <= self.view.last_s:
            self.look_at(word.start_s)
        self._writing = key, word
        view, lane = self.view, self._lane(word.speaker)
        width = view.scale * (word.end_s - word.start_s)
        area = QRectF(view.x(word.start_s), lane.words.top, width, lane.words.height)
        self._field.begin(word.text, area, lane.words.height, view.area.right())
        self.update()

    def _take_text(self, text: str, step: int) -> None:
        """Take what was written, and go on writing the next or previous word if that is wanted."""
        if self._writing is None:
            return
        key, word = self._writing
        self._leave_text()
        if key is not None:
            self._words.write(key, text)
        elif text := " ".join(text.split()):
            key = self._words.add(word._replace(text=text))
        if key is not None:
            self.choose(key)
        if step and self.step(step):
            self.write()

    def _leave_text(self) -> None:
        self._writing = None
        self._field.hide()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.update()

    # The pointer.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a word, or of the ground."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position()
        self._pressed, self._moving = (place, self.view.first_s), False
        self.voice = self._voice_at(place.y())
        self._grip = self._grip_at(place)
        if self._grip is not None:
            self.choose(self._grip.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what is held, or show what would be."""
        place = event.position()
        if self._pressed is None:
            self._show_grip(self._grip_at(place))
            return
        start, first_s = self._pressed
        if not self._moving and abs(place.x() - start.x()) < QApplication.startDragDistance():
            return
        self._moving = True
        if self._grip is None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.scroll_to(first_s - (place.x() - start.x()) / self.view.scale)
            return
        self._dragged = drag(self._grip, self.view.time_s(place.x()), self.length_s)
        self.refresh()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Leave the word where it was dragged to; a click puts the play head there."""
        pressed, self._pressed = self._pressed, None
        grip, self._grip = self._grip, None
        dragged, self._dragged = self._dragged, None
        if pressed is None:
            return
        if grip is not None and dragged is not None:
            self._words.set_times(grip.key, dragged.start_s, dragged.end_s)
            self.sought.emit(self._words.word(grip.key).start_s)
        elif grip is None and not self._moving:
            self.choose(None)
            self.sought.emit(min(max(0.0, self.view.time_s(pressed[0].x())), self.length_s))
        self.refresh()
        self._show_grip(self._grip_at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Write a word anew; on the ground of a lane, a new one."""
        grip = self._grip_at(event.position())
        self._pressed = self._grip = None
        if grip is not None:
            self.choose(grip.key)
            self.write()
        else:
            self.insert()

    def _grip_at(self, place: QPointF) -> Grip | None:
        view = self.view
        if not view.area.contains(place):
            return None
        time_s, voice = view.time_s(place.x()), self._voice_at(place.y())
        near_s = 8 / view.scale
        entries = self._words.between(time_s - near_s, time_s + near_s)
        own = [entry for entry in entries if entry.speaker == voice]
        return find_grip(own, time_s, view.scale, self._chosen)

    def _show_grip(self, grip: Grip | None) -> None:
        if grip is None:
            self.unsetCursor()
        elif grip.part == "body":
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(Qt.CursorShape.SizeHorCursor)

    def _voice_at(self, y: float) -> Speaker:
        return "A" if y < self.lanes[1].top else "B"

    # The keys.

    def event(self, event: QEvent) -> bool:
        """Go from word to word with Tab; behind the last one, Tab leads on as everywhere."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            by = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}.get(Qt.Key(event.key()), 0)
            if by and not event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.step(by):
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the play head and the view; what is left goes to the page."""
        key, view = Qt.Key(event.key()), self.view
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        times = {
            Qt.Key.Key_Left: self.cursor_s - view.shown_s / 20,
            Qt.Key.Key_Right: self.cursor_s + view.shown_s / 20,
            Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: self.length_s,
        }
        if key in times and plain:
            self.choose(None)
            self.sought.emit(min(max(0.0, times[key]), self.length_s))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and plain:
            self.voice = "A" if key == Qt.Key.Key_Up else "B"
            self.choose(self._words.nearest(self.cursor_s, self.voice))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(ZOOM_STEP if key == Qt.Key.Key_Minus else 1 / ZOOM_STEP)
        else:
            super().keyPressEvent(event)

    # How it is painted.

    def worded(self, view: View, count: int) -> tuple[Columns, Columns]:
        """Return which of the columns lie within a word of the model, and of the user."""
        entries = self._seen(view)
        model, user = (
            worded_columns(view, (self._shown(entry) for entry in entries if entry.speaker == speaker), count)
            for speaker in ("A", "B")
        )
        return model, user

    def crowded(self, view: View) -> bool:
        """Say whether there are too many words in a view to draw each."""
        words = self._words.count_between(view.first_s, view.last_s)
        return words * DENSE_PX > 2 * view.area.width()

    def paint_over(self, painter: QPainter, view: View, tones: Colours) -> None:
        """Paint the words that can be seen."""
        canvas = Canvas(painter, view, tones)
        entries = self._seen(view) if not self.crowded(view) else []
        if not entries and self._chosen is not None:
            row = self._words.row(self._chosen)
            entries = [self._words.entries[row]]
        for speaker, lane, colour in (("A", self.lanes[0], tones.model), ("B", self.lanes[1], tones.user)):
            boxes = [Box(self._shown(e), e.key == self._chosen) for e in entries if e.speaker == speaker]
            canvas.paint_words(lane, boxes, colour)

    def _seen(self, view: View) -> list[Entry]:
        return self._words.between(view.first_s, view.last_s)

    def _shown(self, entry: Entry) -> TimedWord:
        """Return a word as it is, or as it is being dragged."""
        if self._dragged is not None and self._grip is not None and entry.key == self._grip.key:
            return self._dragged
        return entry.word

    def _lane(self, speaker: Speaker) -> VoiceLane:
        return self.lanes[0] if speaker == "A" else self.lanes[1]

    def _on_edited(self) -> None:
        if self._chosen is not None and self._chosen not in self._words:
            self._chosen = None
            self.chosen.emit(None)
        self._describe()
        self.refresh()

    def _describe(self) -> None:
        """Tell a screen reader which word is chosen."""
        text = self.tr("No word is chosen. Tab goes from word to word, Insert adds one at the play head.")
        if self._chosen is not None:
            text = word_facts(self._words.word(self._chosen))
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)


def word_facts(word: TimedWord) -> str:
    """Return what is known of a word in one line."""
    name = model_name() if word.speaker == "A" else user_name()
    length = QCoreApplication.translate("Wording", "{0} s").format(f"{word.end_s - word.start_s:.2f}")
    return f"{word.text} · {name} · {exact_clock(word.start_s)} – {exact_clock(word.end_s)} · {length}"
