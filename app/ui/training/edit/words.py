"""The words of one dialogue while they are corrected: in order of time, every change can be undone.

Each word has a key that stays the same whatever happens to it. Knows nothing about sound, files or how
words are shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.store.datasets import Speaker, TimedWord
from app.ui.shell import theme
from app.ui.training.check.pictures import model_name, user_name

SHORTEST_S = 0.02
"""No word is made shorter than this."""
TIME, VOICE, WORD = 0, 1, 2
"""The columns."""

Index = QModelIndex | QPersistentModelIndex


class Entry(NamedTuple):
    """A word in its place; entries sort by time."""

    start_s: float
    speaker: Speaker
    key: int
    word: TimedWord


class WordList(QAbstractTableModel):
    """The words as rows. `length_s` is how long the sound is; no word leaves it."""

    edited = Signal()
    """Any word changed, by hand or by undoing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stack = QUndoStack(self)
        self.length_s = 0.0
        self._keys = count()
        self._entries: list[Entry] = []
        self._by_key: dict[int, Entry] = {}
        self._longest_s = 0.0

    def show(self, words: Iterable[TimedWord], length_s: float) -> None:
        """Take the words of another dialogue; what was done before can not be undone any more."""
        self.stack.clear()
        self.beginResetModel()
        self.length_s = length_s
        self._entries = sorted(_entry(next(self._keys), word) for word in words)
        self._by_key = {entry.key: entry for entry in self._entries}
        self._longest_s = max((e.word.end_s - e.start_s for e in self._entries), default=0.0)
        self.endResetModel()

    # What there is.

    @property
    def words(self) -> list[TimedWord]:
        """Return the words in order."""
        return [entry.word for entry in self._entries]

    @property
    def entries(self) -> Sequence[Entry]:
        """Return the words with their keys, in order."""
        return self._entries

    def word(self, key: int) -> TimedWord:
        """Return one word. Raises KeyError where it is gone."""
        return self._by_key[key].word

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def row(self, key: int) -> int:
        """Return the row of a word."""
        return bisect_left(self._entries, self._by_key[key])

    def key(self, row: int) -> int:
        """Return the key of the word in a row."""
        return self._entries[row].key

    def between(self, first_s: float, last_s: float) -> list[Entry]:
        """Return the words that lie in a stretch, or reach into it."""
        start = bisect_left(self._entries, first_s - self._longest_s, key=_start_of)
        end = bisect_left(self._entries, last_s, key=_start_of)
        return [entry for entry in self._entries[start:end] if entry.word.end_s >= first_s]

    def count_between(self, first_s: float, last_s: float) -> int:
        """Return how many words begin in a stretch."""
        start = bisect_left(self._entries, first_s, key=_start_of)
        return bisect_left(self._entries, last_s, key=_start_of) - start

    def nearest(self, time_s: float, speaker: Speaker | None = None) -> int | None:
        """Return the word that begins nearest to a time, of one voice or of both; None without any."""
        own = [entry for entry in self._entries if speaker in (None, entry.speaker)]
        return min(own, key=lambda entry: abs(entry.start_s - time_s)).key if own else None

    def limited(self, word: TimedWord) -> TimedWord:
        """Return a word with its ends within the sound, and the first before the last."""
        start_s = min(max(0.0, word.start_s), max(0.0, self.length_s - SHORTEST_S))
        end_s = min(max(word.end_s, start_s + SHORTEST_S), max(self.length_s, SHORTEST_S))
        return word._replace(start_s=round(start_s, 3), end_s=round(end_s, 3))

    # What is done.

    def add(self, word: TimedWord) -> int:
        """Add a word and return its key."""
        key = next(self._keys)
        self.stack.push(_Change(self, key, None, self.limited(word), self.tr("adding “{0}”")))
        return key

    def remove(self, key: int) -> None:
        """Take a word away."""
        self.stack.push(_Change(self, key, self.word(key), None, self.tr("deleting “{0}”")))

    def write(self, key: int, text: str) -> None:
        """Change what a word says; nothing but spaces changes nothing."""
        if text := " ".join(text.split()):
            self._change(key, self.word(key)._replace(text=text), self.tr("writing “{0}”"))

    def set_times(self, key: int, start_s: float, end_s: float) -> None:
        """Change when a word is said."""
        word = self.limited(self.word(key)._replace(start_s=start_s, end_s=end_s))
        self._change(key, word, self.tr("moving “{0}”"))

    def nudge(self, key: int, start_by_s: float, end_by_s: float) -> None:
        """Move the ends of a word a little; such steps in a row are undone together."""
        word = self.word(key)
        end_s = min(max(word.end_s + end_by_s, word.start_s + SHORTEST_S), self.length_s)
        start_s = max(0.0, min(word.start_s + start_by_s, end_s - SHORTEST_S))
        moved = word._replace(start_s=round(start_s, 3), end_s=round(end_s, 3))
        self._change(key, moved, self.tr("moving “{0}”"), step=True)

    def swap_voice(self, key: int) -> None:
        """Give a word to the other voice."""
        word = self.word(key)
        other: Speaker = "B" if word.speaker == "A" else "A"
        self._change(key, word._replace(speaker=other), self.tr("giving “{0}” to the other voice"))

    def _change(self, key: int, word: TimedWord, what: str, *, step: bool = False) -> None:
        if word != self.word(key):
            self.stack.push(_Change(self, key, self.word(key), word, what, step=step))

    def put(self, key: int, word: TimedWord | None) -> None:
        """Let a key stand for this word from now on, None for none; what the undo stack does."""
        old = self._by_key.get(key)
        new = _entry(key, word) if word is not None else None
        row = bisect_left(self._entries, old) if old is not None else -1
        if old is not None and new is not None and self._fits(row, new):
            self._entries[row] = self._by_key[key] = new
            self.dataChanged.emit(self.index(row, TIME), self.index(row, WORD))
        else:
            if old is not None:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._entries[row], self._by_key[key]
                self.endRemoveRows()
            if new is not None:
                row = bisect_left(self._entries, new)
                self.beginInsertRows(QModelIndex(), row, row)
                self._entries.insert(row, new)
                self._by_key[key] = new
                self.endInsertRows()
        if new is not None:
            self._longest_s = max(self._longest_s, new.word.end_s - new.start_s)
        self.edited.emit()

    def _fits(self, row: int, entry: Entry) -> bool:
        """Say whether a word stays in its row."""
        after_before = row == 0 or self._entries[row - 1] < entry
        return after_before and (row + 1 == len(self._entries) or entry < self._entries[row + 1])

    # What a table asks for.

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of words."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return 0 if parent.isValid() else 3

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Time"), self.tr("Voice"), self.tr("Word"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what stands in a cell, the voice in its colour."""
        word = self._entries[index.row()].word
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            voice = model_name() if word.speaker == "A" else user_name()
            return (exact_clock(word.start_s), voice, word.text)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == VOICE:
            tones = theme.colours()
            return tones.model_text if word.speaker == "A" else tones.user_text
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == TIME:
            return theme.colours().quiet
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Write a word."""
        if role != Qt.ItemDataRole.EditRole or index.column() != WORD:
            return False
        self.write(self._entries[index.row()].key, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let what a word says be edited in place."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == WORD else flags


class _Change(QUndoCommand):
    """A word that was there before or was not, and is there afterwards or is not."""

    def __init__(
        self,
        words: WordList,
        key: int,
        before: TimedWord | None,
        after: TimedWord | None,
        what: str,
        *,
        step: bool = False,
    ) -> None:
        word = after or before
        super().__init__(what.format(word.text if word is not None else ""))
        self._words, self._step = words, step
        self.key, self.before, self.after = key, before, after

    def redo(self) -> None:
        """Do it."""
        self._words.put(self.key, self.after)

    def undo(self) -> None:
        """Take it back."""
        self._words.put(self.key, self.before)

    def id(self) -> int:
        """Return a number that only small steps share."""
        return 1 if self._step else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in the next small step of the same word."""
        if not isinstance(other, _Change) or other.key != self.key:
            return False
        self.after = other.after
        self.setObsolete(self.after == self.before)
        return True


def exact_clock(time_s: float) -> str:
    """Return a time as 0:07.48, exact enough to correct words by."""
    hundredths = round(100 * time_s)
    minutes, rest = divmod(hundredths, 6_000)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes}:{rest // 100:02}.{rest % 100:02}"
    return f"{hours}:{clock.zfill(8)}" if hours else clock


def _entry(key: int, word: TimedWord) -> Entry:
    return Entry(word.start_s, word.speaker, key, word)


def _start_of(entry: Entry) -> float:
    return entry.start_s
