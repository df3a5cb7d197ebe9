"""The Recordings page: past talks as cards, newest first, and one of them opened.

Knows nothing about how a recording is written or a model is run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.engine.events import Event, RecordingEnded, Stopped
from app.errors import UserError
from app.paths import Paths
from app.store.recordings import Recording, list_recordings, open_recording
from app.ui.recordings.gallery import RECORDING, Card, Gallery
from app.ui.recordings.replay import Replay
from app.ui.shell import theme, wording
from app.ui.shell.background_worker import Aside
from app.ui.widgets.panel import heading, quiet

SEARCH_WIDTH = 264
SEARCH_PAUSE_MS = 150
EXCERPT_BEFORE = 24
"""How many letters before what was found are shown with it."""


class RecordingsPage(QWidget):
    """All talks below `paths.recordings`."""

    deleted = Signal(Path)
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._recordings: list[Recording] = []
        self._texts: dict[Path, str] = {}
        self._aside = Aside(self)
        self._gallery = Gallery(self)
        self.replay = Replay()
        self._list = CardList(self._gallery)
        self._count = quiet("")
        self._search = QLineEdit()
        self._pause = QTimer(self, interval=SEARCH_PAUSE_MS, singleShot=True)
        self._empty = _EmptyState()
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()

    def open_recording(self, folder: Path) -> None:
        """Show the talk in `folder`, ready to be played."""
        try:
            self._open(open_recording(folder))
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)

    @property
    def recordings(self) -> list[Recording]:
        """Return all talks that were found, newest first."""
        return self._recordings

    def search(self, text: str) -> None:
        """Show the talks that hold this text, '' for all."""
        self._search.setText(text)

    def refresh(self) -> None:
        """Read anew which recordings there are."""
        self._aside.ask(partial(list_recordings, self._paths.recordings), self._found)

    def on_event(self, event: Event) -> None:
        """See to it that a talk that just ended is shown."""
        if isinstance(event, (Stopped, RecordingEnded)) and self.isVisible():
            self.refresh()

    def set_speaker(self, name: str) -> None:
        """Play through this device (a name as in app.audio.devices), '' for the default."""
        self.replay.set_speaker(name)

    def shut(self) -> None:
        """End the sound and what is under way beside the window."""
        self.replay.shut()
        self._gallery.shut()
        self._aside.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Look for new recordings whenever the page is opened."""
        super().showEvent(event)
        self.refresh()
        if self._stack.currentIndex() == 0:
            self._list.setFocus()

    def _found(self, recordings: list[Recording]) -> None:
        self._recordings = recordings
        opened = self.replay.recording
        if opened is not None and not opened.folder.exists():
            self.replay.forget()
        length = wording.length_words(sum(recording.seconds for recording in recordings))
        count = self.tr("1 talk, {1}") if len(recordings) == 1 else self.tr("{0} talks, {1}")
        self._count.setText(count.format(len(recordings), length))
        self._sift()

    def _sift(self) -> None:
        """Show the recordings that hold what is searched for; read their words first if need be."""
        wanted = self._search.text().strip().casefold()
        unread = [recording for recording in self._recordings if recording.folder not in self._texts]
        if wanted and unread:
            self._aside.ask(partial(_read_texts, unread), self._read)
            return
        self._card.excerpt = partial(self._excerpt, wanted) if wanted else None
        self._gallery.show([recording for recording in self._recordings if self._holds(recording, wanted)])
        self._list.viewport().update()
        self._count.setVisible(bool(self._recordings))
        self._search.setVisible(bool(self._recordings))
        self._empty.show_for(bool(self._recordings), self._search.text().strip())
        self._pages.setCurrentWidget(self._list if self._gallery.rowCount() else self._empty)

    def _read(self, texts: dict[Path, str]) -> None:
        self._texts.update(texts)
        self._sift()

    def _holds(self, recording: Recording, wanted: str) -> bool:
        if not wanted:
            return True
        facts = f"{wording.full_date(recording.started)} {wording.facts(recording)}"
        return wanted in facts.casefold() or wanted in self._texts.get(recording.folder, "").casefold()

    def _excerpt(self, wanted: str, recording: Recording) -> str:
        """Return the words around what was found, '' where it stands elsewhere."""
        text = self._texts.get(recording.folder, "")
        at = text.casefold().find(wanted)
        if at < 0:
            return ""
        start = text.find(" ", at - EXCERPT_BEFORE, at) + 1 if at > EXCERPT_BEFORE else 0
        return ("…" if start else "") + text[start:]

    def _open(self, recording: Recording) -> None:
        self.replay.open(recording)
        self._stack.setCurrentWidget(self.replay)
        self.replay.setFocus()

    def _close(self) -> None:
        self._stack.setCurrentIndex(0)
        self._list.setFocus()

    def _deleted(self, folder: Path) -> None:
        self._texts.pop(folder, None)
        self._gallery.forget(folder)
        self._found([recording for recording in self._recordings if recording.folder != folder])
        self.deleted.emit(folder)

    def _connect(self) -> None:
        self._list.opened.connect(self._open)
        self.replay.closed.connect(self._close)
        self.replay.deleted.connect(self._deleted)
        self.replay.trouble.connect(self.trouble)
        self._search.textChanged.connect(self._pause.start)
        self._pause.timeout.connect(self._sift)
        shortcut = QShortcut(QKeySequence.StandardKey.Find, self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._search.setFocus)

    def _lay_out(self) -> None:
        self._card = Card(self._list)
        self._list.setItemDelegate(self._card)
        self._search.setPlaceholderText(self.tr("Search in the model's words"))
        self._search.setAccessibleName(self.tr("Search in the model's words"))
        self._search.setToolTip(self.tr("Show the talks in which the model said this (Ctrl+F)"))
        self._search.setClearButtonEnabled(True)
        self._search.setFixedWidth(SEARCH_WIDTH)
        top = QHBoxLayout()
        top.addWidget(heading(self.tr("Recordings")))
        top.addSpacing(theme.GRID)
        self._count.setWordWrap(False)
        top.addWidget(self._count)
        top.addStretch(1)
        top.addWidget(self._search)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._list)
        self._pages.addWidget(self._empty)
        overview = QWidget()
        rows = QVBoxLayout(overview)
        rows.setContentsMargins(3 * theme.GRID, 2 * theme.GRID, 3 * theme.GRID, 0)
        rows.setSpacing(2 * theme.GRID)
        rows.addLayout(top)
        rows.addWidget(self._pages, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        self._stack.addWidget(overview)
        self._stack.addWidget(self.replay)


class CardList(QListView):
    """The cards; one click or Return opens one."""

    opened = Signal(object)

    def __init__(self, gallery: Gallery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(gallery)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Recordings, newest first"))
        self.setToolTip(self.tr("Click, or press Return, to open a talk"))
        self.clicked.connect(self._tell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the card that has the focus with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._tell(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _tell(self, index: QModelIndex) -> None:
        self.opened.emit(index.data(RECORDING))


class _EmptyState(QWidget):
    """What stands where cards would be."""

    def __init__(self) -> None:
        super().__init__()
        self._title = QLabel()
        self._title.setFont(theme.scaled(self._title.font(), theme.WORDS))
        self._advice = quiet("")
        rows = QVBoxLayout(self)
        rows.addStretch(2)
        for label in (self._title, self._advice):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            rows.addWidget(label)
        rows.addStretch(3)

    def show_for(self, any_recordings: bool, wanted: str) -> None:
        """Say that there are no recordings yet, or none that hold what is searched for."""
        if any_recordings:
            self._title.setText(self.tr("No talk with “{0}” was found").format(wanted))
            self._advice.setText(
                self.tr(
                    "The search looks at the model's words, its name and the date. Your words are not known."
                )
            )
        else:
            self._title.setText(self.tr("No talks yet"))
            self._advice.setText(
                self.tr("Every talk is recorded here unless you switch it off. Ctrl+1 begins one.")
            )


def _read_texts(recordings: list[Recording]) -> dict[Path, str]:
    return {
        recording.folder: "".join(word.text for word in recording.words()).strip() for recording in recordings
    }
