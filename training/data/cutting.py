"""Where a dialogue is cut: in a joint silence, between words, if it is too long, and around gaps in any case.

Knows nothing about files. Everything is counted in frames of 80 ms, so that what belongs to a frame stays
with its sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import FRAME_RATE, seconds
from app.store.datasets import TimedWord
from app.store.turn_taking import Levels, find_activity

Tokens = list[tuple[int, int]]
"""(frame, token) of what a model spoke."""

LEAST_FRAMES = round(5 * FRAME_RATE)
"""What is shorter between two gaps is no dialogue, and no example of training is made of it."""

_NEAR_SHARE = 0.25
"""A cut lies within this share of a part's length from where equal parts would end."""


class Part(NamedTuple):
    """A stretch of a dialogue."""

    first: int
    frames: int


def parts(
    levels_db: tuple[Levels, Levels],
    words: Iterable[TimedWord],
    longest_frames: int,
    cuts: Iterable[int] = (),
    gaps: Sequence[Part] = (),
) -> list[Part]:
    """Return the parts of a dialogue, none longer than `longest_frames`; one if it is short enough.

    `cuts` are frames at which a part begins in any case. Gaps are in no part, and no part goes over one; what
    is left between them is left out where it is shorter than LEAST_FRAMES, which may be all of it.
    """
    frames = len(levels_db[0])
    lost = np.zeros(frames, dtype=np.bool_)
    for gap in gaps:
        lost[gap.first : gap.first + gap.frames] = True
    borders = np.flatnonzero(lost[1:] != lost[:-1]) + 1
    edges = sorted({0, frames, *borders.tolist(), *(cut for cut in cuts if 0 < cut < frames)})
    found: list[Part] = []
    for first, end in pairwise(edges):
        if lost[first] or (end - first < LEAST_FRAMES and _touches(lost, first, end)):
            continue
        if end - first > longest_frames:
            cost = _cost(levels_db, words, frames)
            inner = [first, *_cuts(cost, first, end, longest_frames), end]
        else:
            inner = [first, end]
        found += [Part(a, b - a) for a, b in pairwise(inner)]
    return found


def _touches(lost: npt.NDArray[np.bool_], first: int, end: int) -> bool:
    """Say whether a stretch lies beside a gap."""
    return bool(lost[max(0, first - 1) : end + 1].any())


def words_of(words: Iterable[TimedWord], part: Part) -> list[TimedWord]:
    """Return the words that begin in a part, with times from its beginning."""
    first_s, end_s = seconds(part.first), seconds(part.first + part.frames)
    return [
        word._replace(start_s=word.start_s - first_s, end_s=min(word.end_s, end_s) - first_s)
        for word in words
        if first_s <= word.start_s < end_s
    ]


def tokens_of(tokens: Iterable[tuple[int, int]], part: Part) -> Tokens:
    """Return the tokens of a part, in frames from its beginning."""
    return [(frame - part.first, token) for frame, token in tokens if 0 <= frame - part.first < part.frames]


def _cost(
    levels_db: tuple[Levels, Levels], words: Iterable[TimedWord], frames: int
) -> npt.NDArray[np.float64]:
    """Return how bad it is to cut at the beginning of each frame: speech, then words, then loudness."""
    loudness = np.maximum(*levels_db).astype(np.float64)
    speech = find_activity(levels_db[0]) | find_activity(levels_db[1])
    cost = loudness + 1000.0 * speech
    for word in words:
        cost[int(word.start_s * FRAME_RATE) + 1 : math.ceil(word.end_s * FRAME_RATE)] += 1000.0
    # The middle of a long silence is better than its edge.
    width = min(13, frames)
    around: npt.NDArray[np.float64] = np.convolve(cost, np.full(width, 1 / width), mode="same")
    return cost + 0.1 * around


def _cuts(cost: Sequence[float] | npt.NDArray[np.float64], first: int, end: int, longest: int) -> list[int]:
    """Return the cuts within a stretch that make parts about as long as each other."""
    cuts: list[int] = []
    while end - first > longest:
        left = math.ceil((end - first) / longest)
        ideal = first + math.ceil((end - first) / left)
        near = max(1, int(_NEAR_SHARE * (ideal - first)))
        # What is left must still go into the parts that are left, and this part must not be too long.
        earliest = max(first + 1, ideal - near)
        latest = min(first + longest, ideal + near, end - 1)
        cuts.append(earliest + int(np.argmin(np.asarray(cost[earliest : latest + 1]))))
        first = cuts[-1]
    return cuts
