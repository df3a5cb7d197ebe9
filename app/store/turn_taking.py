"""Who speaks when: speech activity from levels, and the events of turn-taking in it.

Live and afterwards alike: what was seen during the talk is what its recording shows. Knows nothing
about audio files, words or pictures; everything is counted in frames of 80 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import FRAME_RATE, seconds

Levels = npt.NDArray[np.float32]
"""[T] RMS levels in dB of full scale, one a frame."""

Activity = npt.NDArray[np.bool_]
"""[T] speech or not, one a frame, as LiveActivity tells it."""

HANGOVER_FRAMES = 2
"""Activity outlasts speech by this much. It closes the gaps below 0.2 s that do not end an inter-pausal
unit (dGSLM, arXiv 2203.16502, section 4.3); the utterances below are counted without it."""

TURN_PAUSE_S = 1.0
"""A pause up to this long does not end a turn."""

BACKCHANNEL_S = 1.0
"""What the model says within a turn of the user and is no longer than this is a backchannel."""

YIELD_S = 1.5
"""A model that falls silent within this time after the user broke in was interrupted."""


class Span(NamedTuple):
    """A stretch of frames, both ends included."""

    first: int
    last: int

    @property
    def frames(self) -> int:
        """Return the length of the stretch."""
        return self.last - self.first + 1


class LiveActivity:
    """Tells speech from background on one channel, frame by frame, from the past alone.

    The floor is the lowest level of the last FLOOR_WINDOW_FRAMES: speech pauses at least once in that
    time, noise does not (minimum statistics, Martin 2001). Within the bounds below, speech is
    what stands MARGIN_DB above it.
    """

    FLOOR_WINDOW_FRAMES = 50
    MARGIN_DB = 8.0
    LOWEST_FLOOR_DB = -58.0
    HIGHEST_FLOOR_DB = -35.0

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=self.FLOOR_WINDOW_FRAMES)
        self._hangover_frames = 0

    def push(self, level_db: float) -> bool:
        """Take the level of the next frame and return whether there is speech in it, or just was."""
        self._recent.append(level_db)
        floor_db = min(max(min(self._recent), self.LOWEST_FLOOR_DB), self.HIGHEST_FLOOR_DB)
        if level_db > floor_db + self.MARGIN_DB:
            self._hangover_frames = HANGOVER_FRAMES
            return True
        self._hangover_frames -= 1
        return self._hangover_frames >= 0

    def interrupt(self) -> None:
        """Pass over a gap: nobody speaks in it, and it says nothing about the background."""
        self._hangover_frames = 0


@dataclass(frozen=True, eq=False)
class Turns:
    """Who was active when, and what came of it. The arrays are [T] bool; the spans are in order."""

    heard: Activity
    said: Activity
    overlap: Activity
    backchannels: list[Span]
    """Short utterances of the model within a turn of the user."""
    interruptions: list[Span]
    """From where the user broke in to where the model fell silent."""
    gaps: list[Span] = field(default_factory=list)
    """Time that is no part of the talk, since neither side was recorded."""


@dataclass(frozen=True)
class Statistics:
    """Turn-taking, counted per minute of the talk, and the seconds each side spoke.

    An inter-pausal unit (ipu) is speech of one side without a silence of 0.2 s; a pause is a joint
    silence within the speech of one side, a gap one between the two, an overlap a stretch where
    both speak (dGSLM, arXiv 2203.16502, section 4.3). A turn is what one side says before the
    other takes over; backchannels are none. Time that was not recorded counts for nothing, and a silence
    beside it is neither pause nor gap, as nobody knows how long it was.
    """

    length_s: float
    heard_s: float
    said_s: float
    overlap_s: float
    turns: float
    ipus: float
    pauses: float
    gaps: float
    overlaps: float
    backchannels: float
    interruptions: float


def find_activity(levels_db: Levels, gaps: Sequence[Span] = ()) -> Activity:
    """Return the activity of one channel, [T] bool from [T] dB; there is none in gaps."""
    live, lost = LiveActivity(), _filled(gaps, len(levels_db))
    activity = np.zeros(len(levels_db), dtype=np.bool_)
    for frame, level_db in enumerate(levels_db.tolist()):
        if lost[frame]:
            live.interrupt()
        else:
            activity[frame] = live.push(level_db)
    return activity


def find_turns(heard_db: Levels, said_db: Levels, gaps: Sequence[Span] = ()) -> Turns:
    """Return the turn-taking in the levels of the user and the model, [T] dB each."""
    return mark_turns(find_activity(heard_db, gaps), find_activity(said_db, gaps), gaps)


def mark_turns(heard: Activity, said: Activity, gaps: Sequence[Span] = ()) -> Turns:
    """Return the turn-taking in the activity of the user and the model, [T] bool each, hangover included."""
    heard_spans, said_spans = utterances(heard), utterances(said)
    return Turns(
        heard=heard,
        said=said,
        overlap=heard & said,
        backchannels=_backchannels(heard_spans, said_spans),
        interruptions=_interruptions(heard_spans, said_spans),
        gaps=list(gaps),
    )


def utterances(active: Activity) -> list[Span]:
    """Return the inter-pausal units of one channel: its runs of activity without the hangover."""
    last = len(active) - 1
    return [
        Span(span.first, span.last if span.last == last else max(span.first, span.last - HANGOVER_FRAMES))
        for span in _runs(active)
    ]


def join(spans: Sequence[Span], pause_frames: int) -> list[Span]:
    """Return the spans, those that lie at most `pause_frames` apart made one."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.first - joined[-1].last - 1 <= pause_frames:
            joined[-1] = Span(joined[-1].first, max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return joined


def user_turns(turns: Turns) -> list[Span]:
    """Return the stretches that the user spoke without a longer pause."""
    return join(utterances(turns.heard), _frames(TURN_PAUSE_S))


def statistics(turns: Turns) -> Statistics:
    """Return the figures of one talk; those of a talk of no length are 0."""
    frames = len(turns.heard)
    heard_spans, said_spans = utterances(turns.heard), utterances(turns.said)
    heard, said = _filled(heard_spans, frames), _filled(said_spans, frames)
    lost = _filled(turns.gaps, frames)
    pauses, gaps = _silences(heard, said, lost)
    length_s = seconds(frames - int(lost.sum()))
    minutes = max(length_s, seconds(1)) / 60.0
    return Statistics(
        length_s=length_s,
        heard_s=seconds(int(heard.sum())),
        said_s=seconds(int(said.sum())),
        overlap_s=seconds(int((heard & said).sum())),
        turns=_turn_count(heard_spans, said_spans, turns.backchannels) / minutes,
        ipus=(_unbroken(heard_spans, lost) + _unbroken(said_spans, lost)) / minutes,
        pauses=pauses / minutes,
        gaps=gaps / minutes,
        overlaps=_unbroken(_runs(heard & said), lost) / minutes,
        backchannels=len(turns.backchannels) / minutes,
        interruptions=len(turns.interruptions) / minutes,
    )


def _backchannels(heard: Sequence[Span], said: Sequence[Span]) -> list[Span]:
    """Return what the model said shortly while the user's turn went on before and after it."""
    within = join(heard, _frames(TURN_PAUSE_S))
    return [
        span
        for span in join(said, _frames(TURN_PAUSE_S / 2))
        if span.frames <= _frames(BACKCHANNEL_S)
        and any(turn.first < span.first and span.last < turn.last for turn in within)
    ]


def _interruptions(heard: Sequence[Span], said: Sequence[Span]) -> list[Span]:
    """Return where the user broke in on the model, the model stopped soon, and the user went on."""
    found = []
    for model in join(said, _frames(TURN_PAUSE_S / 2)):
        for user in heard:
            broke_in = model.first < user.first <= model.last
            if broke_in and model.last - user.first <= _frames(YIELD_S) and user.last > model.last:
                found.append(Span(user.first, model.last))
    return found


def _unbroken(spans: Sequence[Span], lost: Activity) -> int:
    """Return how many spans there are, those that only a short loss parts counted as one."""
    joined = 0
    for before, after in pairwise(spans):
        between = lost[before.last + 1 : after.first]
        # The frames that stand for the hangover were cut from the end of the first.
        beside = between.size - int(between.sum())
        joined += bool(between.any()) and beside <= HANGOVER_FRAMES and between.size <= _frames(TURN_PAUSE_S)
    return len(spans) - joined


def _silences(heard: Activity, said: Activity, lost: Activity) -> tuple[int, int]:
    """Return how many joint silences lie within the speech of one side, and between the two."""
    pauses = gaps = 0
    for span in _runs(~(heard | said)):
        if span.first == 0 or span.last == len(heard) - 1 or lost[span.first : span.last + 1].any():
            continue
        before, after = span.first - 1, span.last + 1
        if (heard[before] and heard[after]) or (said[before] and said[after]):
            pauses += 1
        else:
            gaps += 1
    return pauses, gaps


def _turn_count(heard: Sequence[Span], said: Sequence[Span], backchannels: Sequence[Span]) -> int:
    """Return how often the floor was taken: utterances in order, those in a row of one side counted once."""
    short = [span for span in said if any(b.first <= span.first <= b.last for b in backchannels)]
    order = sorted(
        [(span.first, 0) for span in heard] + [(span.first, 1) for span in said if span not in short]
    )
    return sum(1 for i, (_, side) in enumerate(order) if i == 0 or order[i - 1][1] != side)


def _runs(active: Activity) -> list[Span]:
    """Return the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [Span(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _filled(spans: Sequence[Span], frames: int) -> Activity:
    active = np.zeros(frames, dtype=np.bool_)
    for span in spans:
        active[span.first : span.last + 1] = True
    return active


def _frames(length_s: float) -> int:
    """Return the number of frames nearest to a time."""
    return round(length_s * FRAME_RATE)
