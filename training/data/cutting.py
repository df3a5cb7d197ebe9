"""Where a dialogue that is too long for one piece is cut: in a joint silence, between words.

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

from app.datasets import TimedWord
from app.frames import FRAME_RATE, seconds
from app.turns import Levels, find_activity

Tokens = list[tuple[int, int]]
"""(frame, token) of what a model spoke."""

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
) -> list[Part]:
    """Return the parts of a dialogue, none longer than `longest_frames`; one if it is short enough.

    `cuts` are frames at which a part begins in any case.
    """
    frames = len(levels_db[0])
    edges = sorted({0, frames, *(cut for cut in cuts if 0 < cut < frames)})
    found: list[Part] = []
    for first, end in pairwise(edges):
        if end - first > longest_frames:
            cost = _cost(levels_db, words, frames)
            inner = [first, *_cuts(cost, first, end, longest_frames), end]
        else:
            inner = [first, end]
        found += [Part(a, b - a) for a, b in pairwise(inner)]
    return found


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
