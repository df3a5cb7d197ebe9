"""Words and times of one dialogue beside its sound: heard, chosen, written, moved; saved as they change.

Knows nothing about why a word is wrong, or where the dialogue came from. Sound is read beside the window.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollBar, QVBoxLayout, QWidget

from app.errors import UserError
from app.frames import FRAME_RATE
from app.store.datasets import Dataset
from app.ui.shell import theme, wording
from app.ui.training.edit.keeper import WordKeeper
from app.ui.training.edit.sound_reader import SoundReader
from app.ui.training.edit.table import WordTable
from app.ui.training.edit.waveform import Waveform, word_facts
from app.ui.training.edit.words import WordList, exact_clock
from app.ui.widgets.panel import Panel, heading, quiet
from app.ui.widgets.player import Player

NUDGE_S = 0.01
NEAR_S = 0.5
"""A word that begins so near to where something is odd is what is meant."""
TABLE_WIDTH = 38 * theme.GRID


class WordEditor(QWidget):
    """The page for one dialogue."""

    closed = Signal()
    saved = Signal()
    """Corrected words are on disk."""
    prepare_wanted = Signal()
    """The corrected words, which are saved, are to be turned into what training reads."""
    trouble = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._dialogue = ""
        self._reader = SoundReader(self)
        self._keeper = WordKeeper(self)
        self._player = Player(self)
        self.words = WordList(self)
        self.sound = Waveform(self.words)
        self.table = WordTable(self.words)
        self._bar = QScrollBar(Qt.Orientation.Horizontal)
        self._title, self._facts, self._state = heading(""), quiet(""), quiet("")
        self._note = quiet("")
        self._place, self._about = QLabel(), QLabel()
        self._play = QPushButton()
        self._buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._connect()

    def open(self, dataset: Dataset, dialogue: str) -> None:
        """Show the words of a dialogue; its sound follows as it is read. Raises UserError."""
        peaks = self._reader.open(dataset.audio(dialogue))
        words = self._keeper.open(dataset, dialogue)
        self._dataset, self._dialogue = dataset, dialogue
        self.words.show(words, peaks.length_s)
        self.sound.show_sound(peaks)
        self.table.scrollToTop()
        self._player.load(dataset.audio(dialogue))
        self._title.setText(dialogue)
        parts = dataset.name, wording.length_words(peaks.length_s), wording.language_words(dataset.language)
        self._facts.setText(" · ".join(part for part in parts if part))
        self._move(0.0)
        self._show_chosen(None)
        self._show_state()

    @property
    def is_read(self) -> bool:
        """Say whether the whole sound is there."""
        return self._reader.whole

    def save(self) -> None:
        """Save now what is not saved."""
        self._keeper.save()

    def put_away(self) -> None:
        """Save, fall silent, and read no more of the sound."""
        self._player.pause()
        self._keeper.save()
        self._reader.rest()

    def shut(self) -> None:
        """Save, and end the sound and what is under way."""
        self._player.close()
        self._keeper.close()
        self._reader.close()

    def set_speaker(self, name: str) -> None:
        """Play through this device, '' for the default."""
        self._player.set_speaker(name)

    def go_to(self, time_s: float, speaker: str) -> None:
        """Choose the word of a voice that begins at a time; where there is none, show the time alone."""
        key = self.words.nearest(time_s, "B" if speaker == "B" else "A") if speaker else None
        if key is not None and abs(self.words.word(key).start_s - time_s) <= NEAR_S:
            self.sound.choose(key)
            return
        self.sound.look_at(min(time_s, self.words.length_s), share=0.3)
        self._player.seek(time_s * FRAME_RATE)

    def take_focus(self) -> None:
        """Let the keys go to the sound."""
        self.sound.setFocus(Qt.FocusReason.OtherFocusReason)

    def showEvent(self, event: QShowEvent) -> None:
        """Read the words anew if they were transcribed again meanwhile."""
        super().showEvent(event)
        if self._dataset is not None and self._keeper.overtaken:
            try:
                self.open(self._dataset, self._dialogue)
            except UserError as fault:
                self.trouble.emit(fault.sentence, fault.advice)
                self.closed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Fall silent and save when another page is shown."""
        self._player.pause()
        self._keeper.save()
        super().hideEvent(event)

    # The keys of the whole page.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key stands for, wherever on the page the focus is."""
        combination = event.keyCombination()
        modifiers = combination.keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier
        action = self._keys.get((modifiers, Qt.Key(event.key())))
        if action is not None:
            action()
        else:
            super().keyPressEvent(event)

    def _key_table(self) -> dict[tuple[Qt.KeyboardModifier, Qt.Key], Callable[[], object]]:
        none, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
        shift, alt = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
        return {
            (none, Qt.Key.Key_Space): self.toggle,
            (control, Qt.Key.Key_Space): self.play_word,
            (none, Qt.Key.Key_F2): self.sound.write,
            (none, Qt.Key.Key_Return): self.sound.write,
            (none, Qt.Key.Key_Insert): self.sound.insert,
            (none, Qt.Key.Key_Delete): self.delete,
            (none, Qt.Key.Key_M): self.swap_voice,
            (none, Qt.Key.Key_Escape): self.leave,
            (control, Qt.Key.Key_S): self.save,
            (control, Qt.Key.Key_Z): self.words.stack.undo,
            (control | shift, Qt.Key.Key_Z): self.words.stack.redo,
            (control, Qt.Key.Key_Y): self.words.stack.redo,
            (alt, Qt.Key.Key_Left): partial(self._nudge, -NUDGE_S, 0.0),
            (alt, Qt.Key.Key_Right): partial(self._nudge, NUDGE_S, 0.0),
            (alt | shift, Qt.Key.Key_Left): partial(self._nudge, 0.0, -NUDGE_S),
            (alt | shift, Qt.Key.Key_Right): partial(self._nudge, 0.0, NUDGE_S),
        }

    def toggle(self) -> None:
        """Play from the play head, or pause."""
        if self._player.playing:
            self._player.pause()
            return
        if self._player.frame >= self.words.length_s * FRAME_RATE - 1:
            self._player.seek(0.0)
        self._player.play()

    def play_word(self) -> None:
        """Play the chosen word alone."""
        key = self.sound.chosen_key
        if key is not None:
            word = self.words.word(key)
            self._player.pause()
            self._player.seek(word.start_s * FRAME_RATE)
            self._player.play(until=word.end_s * FRAME_RATE)

    def delete(self) -> None:
        """Take the chosen word away and choose the next one."""
        key = self.sound.chosen_key
        if key is not None:
            row = self.words.row(key)
            self.words.remove(key)
            if self.words.entries:
                self.sound.choose(self.words.key(min(row, len(self.words.entries) - 1)))

    def swap_voice(self) -> None:
        """Give the chosen word to the other voice."""
        key = self.sound.chosen_key
        if key is not None:
            self.words.swap_voice(key)
            self.sound.choose(key, seek=False)

    def leave(self) -> None:
        """Save, and go back to the pictures."""
        self.put_away()
        self.closed.emit()

    def prepare(self) -> None:
        """Save, and have the dataset prepared again."""
        self.put_away()
        self.prepare_wanted.emit()

    def _nudge(self, start_s: float, end_s: float) -> None:
        key = self.sound.chosen_key
        if key is not None:
            word = self.words.word(key)
            self.words.nudge(key, start_s, end_s)
            if self.words.word(key).start_s != word.start_s:
                self._player.seek(self.words.word(key).start_s * FRAME_RATE)

    # What it hears of its parts.

    def _connect(self) -> None:
        self._keys = self._key_table()
        self.words.edited.connect(self._on_edited)
        self.sound.chosen.connect(self._show_chosen)
        self.sound.sought.connect(lambda time_s: self._player.seek(time_s * FRAME_RATE))
        self.sound.moved.connect(self._show_stretch)
        self.sound.fine_wanted.connect(self._reader.ask_fine)
        self._reader.fine.connect(self.sound.take_fine)
        self._reader.grown.connect(self.sound.refresh)
        self._reader.trouble.connect(self.trouble)
        self.table.chosen.connect(self.sound.choose)
        self._bar.valueChanged.connect(lambda value: self.sound.scroll_to(value / 1000))
        self._player.moved.connect(lambda frame: self._move(frame / FRAME_RATE))
        self._player.playing_changed.connect(self._show_playing)
        self._player.trouble.connect(self.trouble)
        self._keeper.told.connect(self._show_state)
        self._keeper.saved.connect(self.saved)
        self._keeper.trouble.connect(self.trouble)
        stack = self.words.stack
        stack.canUndoChanged.connect(self._buttons["undo"].setEnabled)
        stack.canRedoChanged.connect(self._buttons["redo"].setEnabled)

    def _on_edited(self) -> None:
        self._keeper.keep(self.words.words)
        self._show_about()

    def _move(self, time_s: float) -> None:
        self.sound.set_cursor(time_s)
        self._place.setText(f"{exact_clock(time_s)} / {exact_clock(self.words.length_s)}")

    def _show_chosen(self, key: int | None) -> None:
        self.table.show_chosen(key)
        for name in ("hear", "write", "delete", "swap"):
            self._buttons[name].setEnabled(key is not None)
        self._show_about()

    def _show_about(self) -> None:
        key = self.sound.chosen_key
        text = self.tr("No word is chosen: click one, or press Tab.")
        if key is not None and key in self.words:
            text = word_facts(self.words.word(key))
        self._about.setText(text)

    def _show_stretch(self) -> None:
        """Let the scroll bar show which stretch is seen, in milliseconds."""
        view = self.sound.view
        self._bar.blockSignals(True)
        self._bar.setRange(0, max(0, round(1000 * (self.sound.length_s - view.shown_s))))
        self._bar.setPageStep(max(1, round(1000 * view.shown_s)))
        self._bar.setSingleStep(max(1, round(100 * view.shown_s)))
        self._bar.setValue(round(1000 * view.first_s))
        self._bar.blockSignals(False)

    def _show_playing(self, playing: bool) -> None:
        self._play.setText(self.tr("Pause") if playing else self.tr("Play"))

    def _show_state(self) -> None:
        keeper = self._keeper
        text = self.tr("Every change is saved by itself.")
        if keeper.failed:
            text = self.tr("Not saved.")
        elif keeper.unsaved:
            text = self.tr("Saving…")
        elif keeper.ever_saved:
            text = self.tr("Saved.")
            if self._dataset is not None and self._dataset.prepared:
                text = self.tr("Saved. Prepare the dataset again before you train.")
        self._state.setText(text)
        prepared = self._dataset is not None and bool(self._dataset.prepared)
        self._buttons["prepare"].setVisible(prepared and keeper.ever_saved)
        aside = keeper.spoken_set_aside
        self._note.setVisible(bool(aside))
        note = self.tr(
            "The words of the model were exactly what it said. Now that you corrected them, yours count; "
            "the exact ones are kept as {0}."
        )
        self._note.setText(note.format(aside))

    # How it is laid out.

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID)
        rows.setSpacing(theme.GRID)
        rows.addLayout(self._header())
        self._note.hide()
        rows.addWidget(self._note)
        across = QHBoxLayout()
        across.setSpacing(2 * theme.GRID)
        left = QVBoxLayout()
        left.setSpacing(theme.GRID // 2)
        left.addWidget(self.sound, 1)
        self._bar.setAccessibleName(self.tr("The stretch that is shown"))
        left.addWidget(self._bar)
        across.addLayout(left, 1)
        sheet = Panel(across=theme.GRID // 2, down=theme.GRID // 2)
        sheet.setFixedWidth(TABLE_WIDTH)
        sheet.add(self.table)
        across.addWidget(sheet)
        rows.addLayout(across, 1)
        rows.addLayout(self._controls())
        self._about.setAccessibleName(self.tr("The chosen word"))
        rows.addWidget(self._about)
        rows.addWidget(quiet(self._keys_in_words()))

    def _header(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.GRID)
        across.addWidget(self._button("back", self.tr("‹ Pictures"), self.tr("Back (Esc)"), self.leave))
        across.addSpacing(theme.GRID)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._facts)
        across.addLayout(words, 1)
        self._state.setWordWrap(True)
        self._state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._state.setAccessibleName(self.tr("State of saving"))
        across.addWidget(self._state, 1)
        again = self._button(
            "prepare",
            self.tr("Prepare again"),
            self.tr("Turn the corrected words into what training reads"),
            self.prepare,
        )
        again.hide()
        across.addWidget(again)
        stack = self.words.stack
        undo = self._button(
            "undo", self.tr("Undo"), self.tr("Take the last change back (Ctrl+Z)"), stack.undo
        )
        redo = self._button("redo", self.tr("Redo"), self.tr("Do it after all (Ctrl+Shift+Z)"), stack.redo)
        for button in (undo, redo):
            button.setEnabled(False)
            across.addWidget(button)
        return across

    def _controls(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.GRID)
        self._play.setMinimumWidth(12 * theme.GRID)
        self._play.setToolTip(self.tr("Play from the play head, or pause (Space)"))
        self._play.clicked.connect(self.toggle)
        theme.make_primary(self._play)
        self._show_playing(False)
        across.addWidget(self._play)
        across.addWidget(
            self._button(
                "hear", self.tr("Hear the word"), self.tr("Play it alone (Ctrl+Space)"), self.play_word
            )
        )
        across.addWidget(self._place)
        across.addSpacing(theme.GRID)
        across.addStretch(1)
        for name, text, tip, do in (
            ("add", self.tr("Add"), self.tr("Add a word at the play head (Insert)"), self.sound.insert),
            ("write", self.tr("Write"), self.tr("Change what the word says (F2)"), self.sound.write),
            (
                "swap",
                self.tr("Other voice"),
                self.tr("Give the word to the other voice (M)"),
                self.swap_voice,
            ),
            ("delete", self.tr("Delete"), self.tr("Take the word away (Delete)"), self.delete),
        ):
            across.addWidget(self._button(name, text, tip, do))
        return across

    def _keys_in_words(self) -> str:
        return self.tr(
            "Tab: next word · F2: write · Insert: add · M: other voice · Alt+←/→: start by 10 ms, with Shift "
            "the end · Ctrl+Space: hear the word · wheel: zoom · drag a word or its edges to move them"
        )

    def _button(self, name: str, text: str, tip: str, action: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(action)
        self._buttons[name] = button
        return button
