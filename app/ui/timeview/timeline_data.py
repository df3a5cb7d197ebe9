"""What a timeline shows: loudness and activity of both sides by frame, words, marks. Compact and bounded.

Knows nothing about painting. Six hours of talk take about 1 MB and the words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.frames import LATE, SILENCE_DB
from app.store.turn_taking import LiveActivity, Span, find_activity, mark_turns

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

LOST_AT_ONCE = 4096
BAND_JOIN_FRAMES = 25
"""A late model loses something every few frames: what is lost within 2 s is one state, and no other alarm."""

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


class Stretch(Protocol):
    """Some frames, as recordings keep them."""

    @property
    def frame(self) -> int:
        """Where it is."""

    @property
    def frames(self) -> int:
        """How many frames it takes."""


class Lapse(Stretch, Protocol):
    """Time that neither side has, from its frame on."""

    @property
    def reason(self) -> str:
        """Why, one of those of app.frames."""


@dataclass(slots=True)
class Label:
    """A word over the timeline, grown from the pieces that are spoken."""

    frame: int
    last: int
    text: str


@dataclass(slots=True)
class Band:
    """A stretch in which sound was lost, for one reason; what is lost soon after extends it.

    A model that is late loses now and then of what is heard (skipped), and is silent for want of speech
    (starved); all else are outages, of which all is lost.
    """

    reason: str
    frame: int
    end: int
    """One past the last frame."""
    skipped: int = 0
    starved: int = 0
    losses: int = 0
    """How often something was lost."""


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
        self.bands: list[Band] = []
        self.notes: list[Note] = []
        self.backchannels: list[Span] = []
        self.interruptions: list[Span] = []
        self._levels: npt.NDArray[np.uint8] = np.zeros((2, 1024), dtype=np.uint8)
        self._active: npt.NDArray[np.bool_] = np.zeros((2, 1024), dtype=np.bool_)
        self._live = (LiveActivity(), LiveActivity())
        self._dirty: int | None = None

    @classmethod
    def from_levels(
        cls,
        levels: npt.NDArray[np.float32],
        words: Iterable[TimedText],
        gaps: Iterable[Lapse] = (),
        starved: Iterable[Stretch] = (),
    ) -> TimelineData:
        """Return the timeline of a whole talk from its levels, [2, T] in dB, row 0 the model.

        A stretch that was starved stands before its frame, as it is told in a live talk.
        """
        data, gaps = cls(), list(gaps)
        data.frames = levels.shape[1]
        data._levels = _quantized(levels)
        spans = [Span(gap.frame, gap.frame + gap.frames - 1) for gap in gaps]
        data._active = np.stack([find_activity(row, spans) for row in levels])
        data._mark_turns(0, 0)
        for word in words:
            data.word(word.frame, word.text)
        # In the order in which a live talk tells them, so that both show the same bands.
        silences = deque(sorted(starved, key=lambda silence: silence.frame))
        for gap in gaps:
            while silences and silences[0].frame <= gap.frame:
                data.starve(*_stretch(silences.popleft()))
            data._extend_band(gap.reason, gap.frame, gap.frames).skipped += gap.frames
        for silence in silences:
            data.starve(*_stretch(silence))
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

    def lose(self, frames: int, reason: str = LATE) -> None:
        """Add so many frames that neither side has, and mark them as lost."""
        self._extend_band(reason, self.frames, frames).skipped += frames
        for live in self._live:
            live.interrupt()
        self._touch(self.frames)
        while frames:
            # Bit by bit, since a night is longer than what is kept.
            some = min(frames, LOST_AT_ONCE)
            while self.frames + some - self.first > self._levels.shape[1]:
                self._make_room()
            at = self.frames - self.first
            self._levels[:, at : at + some] = 0
            self._active[:, at : at + some] = False
            self.frames += some
            frames -= some

    def skip(self, frame: int, frames: int) -> None:
        """Mark that heard audio of this many frames was dropped before `frame`, and the sound joined."""
        self._extend_band(LATE, frame, 0).skipped += frames

    def starve(self, frame: int, frames: int) -> None:
        """Mark that the speaker played silence for this many frames before `frame`."""
        self._extend_band(LATE, max(0, frame - frames), frames).starved += frames

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

    def bands_between(self, first: float, last: float) -> list[Band]:
        """Return the bands that reach into first..last."""
        start = bisect_left(self.bands, first, key=lambda band: band.end)
        return self.bands[start : bisect_right(self.bands, last, key=_frame_of)]

    def notes_between(self, first: float, last: float) -> list[Note]:
        """Return what happened in first..last."""
        start = bisect_left(self.notes, first, key=_frame_of)
        return self.notes[start : bisect_left(self.notes, last, key=_frame_of)]

    def take_dirty(self) -> int | None:
        """Return the first frame that looks different since the last call; None when nothing does."""
        dirty, self._dirty = self._dirty, None
        return dirty

    def _extend_band(self, reason: str, frame: int, frames: int) -> Band:
        """Return the band of a loss: the newest, if it goes on with it, or a new one."""
        last = self.bands[-1] if self.bands else None
        far = BAND_JOIN_FRAMES if reason == LATE else 0
        if last is None or last.reason != reason or frame > last.end + far:
            begin = frame if last is None else max(frame, last.end)
            last = Band(reason, begin, max(begin, frame + frames))
            self.bands.append(last)
        last.end = max(last.end, frame + frames)
        last.losses += 1
        if len(self.bands) > MAX_WORDS:
            del self.bands[: MAX_WORDS // 4]
        return last

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
        self.bands = self.bands_between(self.first, float("inf"))
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


def _frame_of(item: Label | Band | Note) -> int:
    return item.frame


def _stretch(stretch: Stretch) -> tuple[int, int]:
    return stretch.frame, stretch.frames


def _goes_on(last: Label, frame: int, text: str) -> bool:
    """Say whether a piece belongs to the word before: no space between them, and next to it in time.

    Scripts without spaces would make one endless word, so there only punctuation joins.
    """
    if text[0].isspace() or frame - last.last > WORD_JOIN_FRAMES:
        return False
    alphabetic = all(ord(char) < FIRST_UNSPACED for char in last.text[-1] + text)
    return alphabetic or not any(char.isalnum() for char in text)
