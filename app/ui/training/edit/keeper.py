"""Keeps the words of a dialogue on disk while they are corrected: soon after each change, beside the window.

Knows nothing about how words are shown or changed. What a recording of ours says about its text stream counts
in place of the words of voice A; once these are corrected it is set aside, never deleted.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import UserError
from app.store.datasets import Dataset, TimedWord, hold, read_words, write_words
from app.ui.shell.background_worker import Aside

PAUSE_MS = 400
"""Changes that follow each other faster are saved together."""
AGAIN_MS = 2_000
"""How often it is tried again while something else writes the dataset."""
REPLACED = ".replaced"


class WordKeeper(QObject):
    """The file of one dialogue's words."""

    saved = Signal()
    told = Signal()
    """How it stands with saving changed."""
    trouble = Signal(str, str)
    """A sentence and an advice."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._aside = Aside(self)
        self._timer = QTimer(self, interval=PAUSE_MS, singleShot=True)
        self._timer.timeout.connect(self._save_beside)
        self._dataset: Dataset | None = None
        self._file: _File | None = None
        self._words: list[TimedWord] | None = None
        self.failed = False
        self.ever_saved = False

    @property
    def unsaved(self) -> bool:
        """Say whether there is a change that is not on disk."""
        return self._words is not None

    @property
    def overtaken(self) -> bool:
        """Say whether something else wrote the words since they were read or saved here."""
        return self._file is not None and not self.unsaved and self._file.overtaken

    @property
    def spoken_set_aside(self) -> str:
        """Return the name of the text stream that does not count any more, '' where it does, or is none."""
        return self._file.set_aside.name if self._file is not None and self._file.set_aside else ""

    def open(self, dataset: Dataset, dialogue: str) -> list[TimedWord]:
        """Take another dialogue and return its words; none where there is no file yet. Raises UserError."""
        self.save()
        path = dataset.text(dialogue)
        words = read_words(path) if path.exists() else []
        self._dataset = dataset
        self._file = _File(path, dataset.spoken(dialogue), words)
        self._words, self.failed, self.ever_saved = None, False, False
        return words

    def keep(self, words: list[TimedWord]) -> None:
        """Save these words soon."""
        self._words = words
        self._timer.start(PAUSE_MS)
        self.told.emit()

    def save(self) -> None:
        """Save now what is not saved, whatever else is at work, and return when that is done."""
        self._timer.stop()
        if self._words is None or self._file is None:
            return
        # What is under way writes to the same name; it is older, and must not come last.
        self._aside.close()
        words = self._words
        self._done(words, self._file.write(words))

    def close(self) -> None:
        """Save, and end the thread."""
        self.save()
        self._aside.close()

    def _save_beside(self) -> None:
        if self._words is not None:
            words = self._words
            self._aside.ask(partial(self._write_alone, words), partial(self._done, words))

    def _write_alone(self, words: list[TimedWord]) -> OSError | UserError | None:
        """Write while nothing else writes the dataset, beside the window; return what hindered it."""
        assert self._dataset is not None
        assert self._file is not None
        try:
            with hold(self._dataset, "aizuchi"):
                return self._file.write(words)
        except UserError as fault:
            return fault

    def _done(self, words: list[TimedWord], fault: OSError | UserError | None) -> None:
        told, self.failed = self.failed, fault is not None
        if isinstance(fault, UserError):
            self._timer.start(AGAIN_MS)
            if not told:
                advice = self.tr("The corrected words are kept here, and saved when it has ended.")
                self.trouble.emit(fault.sentence, advice)
        elif fault is not None:
            self.trouble.emit(
                self.tr("The corrected words could not be saved: {0}.").format(fault.strerror or fault),
                self.tr("They are kept here; make room or allow writing, and press Ctrl+S."),
            )
        else:
            self.ever_saved = True
            if self._words is words:
                self._words = None
            self.saved.emit()
        self.told.emit()


class _File:
    """Where the words are, what they were of voice A, and the text stream that they may replace.

    Used by one thread at a time: WordKeeper waits for the other one.
    """

    def __init__(self, path: Path, spoken: Path, words: list[TimedWord]) -> None:
        self._path = path
        self._spoken = spoken
        self._before = _of_model(words)
        self._seen = _stamp(path)
        self.set_aside: Path | None = None

    @property
    def overtaken(self) -> bool:
        """Say whether the file is another one than was read or written last."""
        return _stamp(self._path) != self._seen

    def write(self, words: list[TimedWord]) -> OSError | None:
        """Write the words, and let the text stream count or not; return what went wrong."""
        try:
            write_words(self._path, words)
            self._seen = _stamp(self._path)
            self._judge_spoken(corrected=_of_model(words) != self._before)
        except OSError as fault:
            return fault
        return None

    def _judge_spoken(self, *, corrected: bool) -> None:
        if corrected and self._spoken.exists():
            self.set_aside = _free_name(self._spoken)
            os.rename(self._spoken, self.set_aside)
        elif not corrected and self.set_aside is not None:
            os.rename(self.set_aside, self._spoken)
            self.set_aside = None


def _of_model(words: list[TimedWord]) -> list[TimedWord]:
    return sorted(word for word in words if word.speaker == "A")


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what tells one state of a file from another, None where there is no file."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


def _free_name(spoken: Path) -> Path:
    """Return a name for what is set aside that no earlier one has."""
    name = spoken.with_name(spoken.name + REPLACED)
    number = 2
    while name.exists():
        name = spoken.with_name(f"{spoken.name}{REPLACED}-{number}")
        number += 1
    return name
