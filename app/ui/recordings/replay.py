"""One recording opened: its timeline and transcript with a play head, its figures, export and delete.

Knows nothing about the other recordings. Reading and exporting happen beside the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.errors import UserError
from app.frames import FRAME_RATE
from app.store.archive import pack
from app.store.recordings import Recording
from app.ui.recordings.reading import Talk, read_talk
from app.ui.recordings.transport import Transport
from app.ui.shell import theme, wording
from app.ui.shell.background_worker import Aside
from app.ui.shell.trash import trash_recording
from app.ui.timeview.overview import Overview, Stretch
from app.ui.timeview.timeline import Timeline
from app.ui.timeview.timeline_data import TimelineData
from app.ui.widgets.figures import Figures
from app.ui.widgets.panel import Panel, quiet
from app.ui.widgets.player import Player
from app.ui.widgets.transcript import Transcript

FIGURES_WIDTH = 264
LONG_FRAMES = 60 * FRAME_RATE
"""A longer talk would open too narrow for its words; it opens with as much as can be read."""
READABLE_FRAMES = 30 * FRAME_RATE


class Replay(QWidget):
    """The opened recording."""

    closed = Signal()
    deleted = Signal(Path)
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording: Recording | None = None
        self.guard: Callable[[Path, Callable[[], None]], None] = lambda _folder, do: do()
        """Called with a folder and what deletes it, which may be put off or left out."""
        self._stretch: Stretch | None = None
        self._aside = Aside(self)
        self._player = Player(self)
        self._timeline = Timeline()
        self._overview = Overview()
        self._transport = Transport()
        self._transcript = Transcript()
        self._figures = Figures()
        self._title = QLabel()
        self._facts = quiet("")
        self._prompt = quiet("")
        self._note = quiet("")
        self._sounding = self._sound_controls()
        self._lay_out()
        self._connect()

    def open(self, recording: Recording) -> None:
        """Show a recording; its timeline follows as soon as it is read."""
        self._recording = recording
        self._title.setText(wording.date_words(recording.started))
        self._facts.setText(wording.facts(recording))
        self._show_prompt(recording.prompt)
        self._say(wording.damage(recording))
        self._sounding.setVisible(recording.seconds > 0)
        self._show(Talk(recording, TimelineData(), [], None))
        self._aside.ask(partial(read_talk, recording), self._show)

    def _show_prompt(self, prompt: Mapping[str, str]) -> None:
        """Show who the model was in one line, and all of its role where the pointer rests."""
        words = wording.prompt_words(prompt)
        self._prompt.setText(words)
        self._prompt.setVisible(bool(words))
        role = prompt.get("role", "")
        self._prompt.setAccessibleDescription(role)
        self._prompt.setToolTip(f"<p>{escape(role)}</p>" if role else "")

    @property
    def recording(self) -> Recording | None:
        """Return the recording that is opened."""
        return self._recording

    @property
    def is_read(self) -> bool:
        """Say whether the timeline of the opened recording is there."""
        return self._timeline.data.frames > 0

    def go_to(self, frame: float) -> None:
        """Put the play head at a frame."""
        self._player.seek(frame)

    def set_speaker(self, name: str) -> None:
        """Play through this device, '' for the default."""
        self._player.set_speaker(name)

    def shut(self) -> None:
        """End the sound and what is under way."""
        self._player.close()
        self._aside.close()

    def hideEvent(self, event: QHideEvent) -> None:
        """Fall silent when another page is shown, and say no more what was exported."""
        self._player.pause()
        super().hideEvent(event)
        if self._recording is not None and not self._aside.busy:
            self._say(wording.damage(self._recording))

    def _show(self, talk: Talk) -> None:
        if talk.recording != self._recording:
            return
        model = wording.model_words(talk.recording.model)
        self._timeline.set_data(talk.timeline, model=model)
        self._timeline.set_cursor(0)
        if talk.timeline.frames > LONG_FRAMES:
            self._timeline.zoom_to(READABLE_FRAMES)
        self._overview.set_data(talk.timeline)
        self._transcript.set_lines(talk.lines)
        self._figures.setVisible(talk.figures is not None and talk.timeline.frames > 0)
        if talk.figures is not None:
            self._figures.set_statistics(talk.figures, model)
        self._transport.set_length(talk.timeline.frames)
        self.mark(None)
        self._player.load(talk.recording.audio)

    def mark(self, stretch: Stretch | None) -> None:
        """Mark a stretch and go round in it, or no more."""
        self._stretch = stretch
        self._overview.set_stretch(stretch)
        self._transport.set_stretch(stretch is not None)
        self._player.loop(stretch)
        if stretch is not None:
            self._player.seek(stretch[0])

    def _loop(self, on: bool) -> None:
        if not on and self._stretch is not None:
            self.mark(None)

    def _move(self, frame: float) -> None:
        self._timeline.set_cursor(int(frame))
        self._overview.set_cursor(frame)
        self._transcript.set_cursor(frame)
        self._transport.set_frame(frame)

    def _toggle(self) -> None:
        if self._player.playing:
            self._player.pause()
            return
        if self._player.frame >= self._timeline.data.frames - 1:
            self._player.seek(0.0)
        if self._timeline.data.frames:
            self._player.play()

    def _leave(self) -> None:
        self._player.pause()
        self.closed.emit()

    def _export(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder for the sound and the text"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        dialog.open()

    def export_to(self, folder: Path) -> None:
        """Write the sound and the text into a folder, beside the window."""
        if self._recording is None:
            return
        self._say(self.tr("Exporting…"))
        self._aside.ask(partial(_export, self._recording, folder), self._exported)

    def _pack(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder for the file"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.pack_to(Path(name)))
        dialog.open()

    def pack_to(self, folder: Path) -> None:
        """Write the whole recording into one file in a folder, beside the window."""
        if self._recording is not None:
            self._say(self.tr("Packing…"))
            self._aside.ask(partial(_pack, self._recording, folder), self._packed)

    def _packed(self, written: Path | UserError) -> None:
        if isinstance(written, UserError):
            self._say("")
            self.trouble.emit(written.sentence, written.advice)
        else:
            self._say(self.tr("Packed into {0}.").format(written))

    def _exported(self, written: tuple[Path, Path] | UserError) -> None:
        if isinstance(written, UserError):
            self._say("")
            self.trouble.emit(written.sentence, written.advice)
            return
        wav, text = written
        self._say(self.tr("Exported {0} and {1} to {2}.").format(wav.name, text.name, wav.parent))

    def ask_delete(self) -> None:
        """Ask whether the talk is to be deleted."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Delete the recording"))
        box.setText(self.tr("Move this talk to the trash?"))
        box.setInformativeText(f"{self._title.text()}\n{self._facts.text()}")
        delete = box.addButton(self.tr("Move to trash"), QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        delete.clicked.connect(self.delete)
        box.open()

    def delete(self) -> None:
        """Move the recording to the trash, or say that there is none."""
        if self._recording is None:
            return
        folder = self._recording.folder
        self.guard(folder, partial(self._delete, folder))

    def _delete(self, folder: Path) -> None:
        self._player.close()
        if trouble := trash_recording(folder):
            self.trouble.emit(*trouble)
        if not folder.exists():
            self.forget()
            self.deleted.emit(folder)

    def forget(self) -> None:
        """Leave a recording that is not there any more."""
        self._player.close()
        self._recording = None
        self.closed.emit()

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def _connect(self) -> None:
        self._player.moved.connect(self._move)
        self._player.playing_changed.connect(self._transport.set_playing)
        self._player.trouble.connect(self.trouble)
        self._timeline.frame_clicked.connect(self._player.seek)
        self._overview.sought.connect(self._player.seek)
        self._overview.marked.connect(self.mark)
        self._transcript.frame_chosen.connect(self._player.seek)
        self._transport.play_pressed.connect(self._toggle)
        self._transport.speed_chosen.connect(self._player.set_speed)
        self._transport.loop_toggled.connect(self._loop)
        self._transport.balance_chosen.connect(self._player.set_balance)
        for key, action in (
            (Qt.Key.Key_Space, self._toggle),
            (Qt.Key.Key_L, self._transport.toggle_loop),
            (Qt.Key.Key_Escape, self._leave),
            (Qt.Key.Key_Delete, self.ask_delete),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(3 * theme.GRID, 2 * theme.GRID, 3 * theme.GRID, 2 * theme.GRID)
        rows.setSpacing(1 * theme.GRID)
        rows.addLayout(self._header())
        rows.addWidget(self._note)
        rows.addWidget(self._sounding, 3)
        rows.addSpacing(theme.GRID)
        below = QHBoxLayout()
        below.setSpacing(2 * theme.GRID)
        sheet = Panel(across=2, down=2)
        sheet.add(self._transcript)
        self._transcript.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        below.addWidget(sheet, 1)
        self._figures.setFixedWidth(FIGURES_WIDTH)
        below.addWidget(self._figures)
        rows.addLayout(below, 4)

    def _sound_controls(self) -> QWidget:
        """Return what needs sound: timeline, strip and controls."""
        part = QWidget()
        rows = QVBoxLayout(part)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.GRID)
        rows.addWidget(self._timeline, 1)
        rows.addWidget(self._overview)
        rows.addWidget(self._transport)
        return part

    def _header(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.GRID)
        back = self._button(self.tr("‹ All"), self.tr("Back to all recordings (Esc)"), self._leave)
        back.setAccessibleName(self.tr("Back to all recordings"))
        across.addWidget(back)
        across.addSpacing(theme.GRID)
        words = QVBoxLayout()
        words.setSpacing(0)
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        words.addWidget(self._title)
        words.addWidget(self._facts)
        # Others may have written it: it is shown as it stands.
        self._prompt.setTextFormat(Qt.TextFormat.PlainText)
        self._prompt.hide()
        words.addWidget(self._prompt)
        across.addLayout(words, 1)
        across.addWidget(
            self._button(self.tr("Export…"), self.tr("Save sound and text in a folder"), self._export)
        )
        tip = self.tr("Save all of it as one file that Aizuchi opens again")
        across.addWidget(self._button(self.tr("Pack…"), tip, self._pack))
        across.addWidget(
            self._button(self.tr("Delete…"), self.tr("Move the talk to the trash (Del)"), self.ask_delete)
        )
        return across

    def _button(self, text: str, tip: str, action: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(action)
        return button


def _pack(recording: Recording, folder: Path) -> Path | UserError:
    try:
        return pack(recording.folder, folder)
    except UserError as fault:
        return fault


def _export(recording: Recording, folder: Path) -> tuple[Path, Path] | UserError:
    try:
        return recording.export(folder)
    except UserError as fault:
        return fault
