"""What a timeline shows: loudness and activity of both sides by frame, words, marks. Compact and bounded.

Knows nothing about painting. Six hours of talk take about 1 MB and the words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.frames import SILENCE_DB
from app.turns import LiveActivity, Span, find_activity, mark_turns

MAX_FRAMES = 540_000
"""Twelve hours. When they are full, the oldest quarter is forgotten."""
MAX_WORDS = 120_000

WORD_JOIN_FRAMES = 6
FIRST_UNSPACED = 0x0590
"""Below are the scripts that part words by spaces: Latin, Greek, Cyrillic."""

STEPS_PER_DB = 2
"""Levels are kept in half decibels above SILENCE_DB, so that one fits in a byte."""

MARK_EVERY_FRAMES = 5
MARK_WINDOW_FRAMES = 500
MARK_MARGIN_FRAMES = 250
"""Marks are found in the last 40 s; what begins in the first half of them was settled before."""

MODEL, USER = 0, 1
"""The rows of all arrays here."""


class TimedText(Protocol):
    """A word or a piece of one, as recordings keep it."""

    @property
    def frame(self) -> int:
        """The frame it is spoken in."""

    @property
    def text(self) -> str:
        """What is spoken; starts with a space where a word does."""


@dataclass(slots=True)
class Label:
    """A word over the timeline, grown from the pieces that are spoken."""

    frame: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that were lost before `frame`: dropped from the microphone, or silence for want of speech."""

    frame: int
    frames: int
    starved: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What happened to the talk before `frame`, in words for the user: it was muted, say."""

    frame: int
    text: str


class TimelineData:
    """The talk so far. `frames` counts all of it, `first` is the oldest frame that is still known."""

    def __init__(self) -> None:
        self.first = 0
        self.frames = 0
        self.labels: list[Label] = []
        self.gaps: list[Gap] = []
        self.notes: list[Note] = []
        self.backchannels: list[Span] = []
        self.interruptions: list[Span] = []
        self._levels: npt.NDArray[np.uint8] = np.zeros((2, 1024), dtype=np.uint8)
        self._active: npt.NDArray[np.bool_] = np.zeros((2, 1024), dtype=np.bool_)
        self._live = (LiveActivity(), LiveActivity())
        self._dirty: int | None = None

    @classmethod
    def from_levels(
        cls, levels: npt.NDArray[np.float32], words: Iterable[TimedText], skips: Iterable[Gap] = ()
    ) -> TimelineData:
        """Return the timeline of a whole talk from its levels, [2, T] in dB, row 0 the model."""
        data = cls()
        data.frames = levels.shape[1]
        data._levels = _quantized(levels)
        data._active = np.stack([find_activity(row) for row in levels])
        data._mark_turns(0, 0)
        for word in words:
            data.word(word.frame, word.text)
        data.gaps = list(skips)
        return data

    def append(self, heard_db: float, said_db: float) -> None:
        """Add one frame of the user and of the model."""
        if self.frames - self.first == self._levels.shape[1]:
            self._make_room()
        at = self.frames - self.first
        self._levels[:, at] = _quantized(np.array([said_db, heard_db], dtype=np.float32))
        self._active[MODEL, at] = self._live[MODEL].push(said_db)
        self._active[USER, at] = self._live[USER].push(heard_db)
        self._touch(self.frames)
        self.frames += 1
        if self.frames % MARK_EVERY_FRAMES == 0:
            start = max(self.first, self.frames - MARK_WINDOW_FRAMES)
            self._mark_turns(start, start + MARK_MARGIN_FRAMES if start else 0)

    def word(self, frame: int, text: str) -> None:
        """Add what is spoken at a frame: a word, or a piece that goes on with the one before."""
        clean = text.strip()
        if not clean:
            return
        last = self.labels[-1] if self.labels else None
        if last is not None and _goes_on(last, frame, text):
            last.text += clean
            last.last = frame
        else:
            # The word before may end in an ellipsis now.
            self._touch(last.frame if last is not None else frame)
            last = Label(frame, frame, clean)
            self.labels.append(last)
        if len(self.labels) > MAX_WORDS:
            del self.labels[: MAX_WORDS // 4]
        self._touch(last.frame)

    def skip(self, frame: int, frames: int) -> None:
        """Mark that heard audio of this many frames was dropped before `frame`."""
        self._mark(Gap(frame, frames, starved=False))

    def starve(self, frame: int, frames: int) -> None:
        """Mark that the speaker played silence for this many frames before `frame`."""
        self._mark(Gap(frame, frames, starved=True))

    def note(self, text: str) -> None:
        """Mark that something happens to the talk now."""
        self.notes.append(Note(self.frames, text))
        if len(self.notes) > MAX_WORDS:
            del self.notes[: MAX_WORDS // 4]
        self._touch(self.frames)

    def levels(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Return the levels of frames first..last-1, [2, last - first] in dB, row 0 the model."""
        codes = self._levels[:, first - self.first : last - self.first]
        return codes.astype(np.float32) / np.float32(STEPS_PER_DB) + np.float32(SILENCE_DB)

    def activity(self, first: int, last: int) -> npt.NDArray[np.bool_]:
        """Return who speaks in frames first..last-1, [2, last - first], row 0 the model."""
        return self._active[:, first - self.first : last - self.first]

    def labels_between(self, first: float, last: float) -> list[Label]:
        """Return the words that begin in first..last."""
        start = bisect_left(self.labels, first, key=_frame_of)
        return self.labels[start : bisect_left(self.labels, last, key=_frame_of)]

    def labels_around(self, first: float, last: float, silence: float, most: int) -> list[Label]:
        """Return the words that begin in first..last, and those before them back to a silence.

        A silence is so many frames without a word; without one, `most` words before are returned.
        """
        start = bisect_left(self.labels, first, key=_frame_of)
        oldest = max(0, start - most)
        while start > oldest and not self._silent(start, silence):
            start -= 1
        return self.labels[start : bisect_left(self.labels, last, key=_frame_of)]

    def _silent(self, at: int, silence: float) -> bool:
        """Say whether the word at an index follows a silence."""
        if at == len(self.labels):
            return False
        return self.labels[at].frame - self.labels[at - 1].last > silence

    def gaps_between(self, first: float, last: float) -> list[Gap]:
        """Return the losses in first..last."""
        start = bisect_left(self.gaps, first, key=_frame_of)
        return self.gaps[start : bisect_left(self.gaps, last, key=_frame_of)]

    def notes_between(self, first: float, last: float) -> list[Note]:
        """Return what happened in first..last."""
        start = bisect_left(self.notes, first, key=_frame_of)
        return self.notes[start : bisect_left(self.notes, last, key=_frame_of)]

    def take_dirty(self) -> int | None:
        """Return the first frame that looks different since the last call; None when nothing does."""
        dirty, self._dirty = self._dirty, None
        return dirty

    def _mark(self, gap: Gap) -> None:
        self.gaps.append(gap)
        if len(self.gaps) > MAX_WORDS:
            del self.gaps[: MAX_WORDS // 4]
        self._touch(gap.frame)

    def _touch(self, frame: int) -> None:
        self._dirty = frame if self._dirty is None else min(self._dirty, frame)

    def _make_room(self) -> None:
        """Double the arrays, or forget the oldest quarter when they are as large as they may be."""
        size = self._levels.shape[1]
        if size < MAX_FRAMES:
            more = min(size, MAX_FRAMES - size)
            self._levels = np.pad(self._levels, ((0, 0), (0, more)))
            self._active = np.pad(self._active, ((0, 0), (0, more)))
            return
        gone = size // 4
        for array in (self._levels, self._active):
            array[:, :-gone] = array[:, gone:].copy()
        self.first += gone
        self.labels = self.labels_between(self.first, float("inf"))
        self.gaps = self.gaps_between(self.first, float("inf"))
        self.notes = self.notes_between(self.first, float("inf"))
        self.backchannels = [span for span in self.backchannels if span.first >= self.first]
        self.interruptions = [span for span in self.interruptions if span.first >= self.first]

    def _mark_turns(self, start: int, settled: int) -> None:
        """Find the turns from frame `start` on, and take the marks that begin at `settled` or later."""
        active = self.activity(start, self.frames)
        turns = mark_turns(active[USER], active[MODEL])
        self.backchannels = self._renewed(self.backchannels, turns.backchannels, start, settled)
        self.interruptions = self._renewed(self.interruptions, turns.interruptions, start, settled)

    def _renewed(self, old: list[Span], found: Iterable[Span], start: int, settled: int) -> list[Span]:
        kept = [span for span in old if span.first < settled]
        shifted = (Span(span.first + start, span.last + start) for span in found)
        fresh = [span for span in shifted if span.first >= settled]
        for span in set(fresh).symmetric_difference(old[len(kept) :]):
            self._touch(span.first)
        return kept + fresh


def _quantized(levels_db: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return np.clip((levels_db - SILENCE_DB) * STEPS_PER_DB, 0, 255).astype(np.uint8)


def _frame_of(item: Label | Gap | Note) -> int:
    return item.frame


def _goes_on(last: Label, frame: int, text: str) -> bool:
    """Say whether a piece belongs to the word before: no space between them, and next to it in time.

    Scripts without spaces would make one endless word, so there only punctuation joins.
    """
    if text[0].isspace() or frame - last.last > WORD_JOIN_FRAMES:
        return False
    alphabetic = all(ord(char) < FIRST_UNSPACED for char in last.text[-1] + text)
    return alphabetic or not any(char.isalnum() for char in text)
