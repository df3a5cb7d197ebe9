"""How much sound lies ready before the speaker, and how it is lengthened and shortened unheard.

A jitter buffer: enough to cover the lateness seen of late, and no more. Knows nothing about rings,
devices or clocks; all lengths are samples at 24 kHz.
"""

from __future__ import annotations

import heapq
import statistics
from collections import deque

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples, level_db

MS = SAMPLE_RATE // 1000

MEMORY_FRAMES = round(20 * FRAME_RATE)
"""Lateness is remembered for 20 s."""

MARGIN = 5 * MS
SLACK = 2 * MS
HEADROOM = 1.25
"""The target is HEADROOM times the lateness in memory and SLACK, and at least MARGIN, a device block."""

STALL = 15 * MS
STALL_FRAMES = round(300 * FRAME_RATE)
"""A frame as late as STALL is a stall. Once is chance for any lateness, but a second stall within
5 min shows a habit (of a window that paints, of a collector of garbage), and all are remembered so long."""

STALLS = 128

START = 40 * MS
"""The first cushion: a guess."""

GUESS_FRAMES = round(5 * FRAME_RATE)
"""The guess is given up after 5 s of knowing better."""

MOST = 120 * MS
"""The largest cushion; lateness beyond it is a stall, which no cushion covers and which teaches nothing."""

GROSS = 60 * MS
"""A surplus that is cut at once, whatever is being said; below, quiet moments are awaited."""

QUIET_DB = -45.0
QUIET_STEP = 10 * MS
CREEP_STEP = 4
"""A frame in which something is said is made longer or shorter by so much: 0.2 %, 3.6 cents."""

CREEP_DEADBAND = 2 * MS
FADE = 5 * MS

LEVEL_FRAMES = 12
SETTLED_FRAMES = 3
"""The level is the median of the last LEVEL_FRAMES frames, and known from the third on."""


class Cushion:
    """Decides by how much each frame is to be longer (or, negative, shorter) than it is.

    Its level is what usually lies spare in the ring at the worst moment between two frames; a frame
    with less was late by the difference. The target covers
    the second latest of the memory: one frame may be late by chance.
    """

    def __init__(self) -> None:
        # As if two frames had been late before the beginning; forgotten after GUESS_FRAMES.
        guess, known = round((START - SLACK) / HEADROOM), [0] * (MEMORY_FRAMES - GUESS_FRAMES)
        self._late: deque[int] = deque([guess, guess, *known], maxlen=MEMORY_FRAMES)
        self._stalls: deque[tuple[int, int]] = deque(maxlen=STALLS)
        self._frame = 0
        # Each as it would be had nothing been put in or taken out since; `_moved` is all of that.
        self._levels: deque[int] = deque(maxlen=LEVEL_FRAMES)
        self._moved = 0
        self._spare = START

    @property
    def target(self) -> int:
        """Return the level that is wished for."""
        late = heapq.nlargest(2, self._late)[1]
        if len(self._stalls) > 1:
            late = max(late, *(lateness for _, lateness in self._stalls))
        return min(MOST, max(MARGIN, round(HEADROOM * late) + SLACK))

    @property
    def level(self) -> int:
        """Return what usually lies spare."""
        return round(statistics.median(self._levels)) + self._moved if self._levels else self._spare

    def observe(self, spare: int, starved: int, *, catching_up: bool = False) -> None:
        """Note the least that was spare since the last frame, and the silence that had to be played.

        A frame out of a backlog is late because of the stall before it and says nothing about usual
        lateness. Silence sets the level anew.
        """
        known = starved or len(self._levels) >= SETTLED_FRAMES
        lateness = self.level - (-starved or spare) if known and not catching_up else 0
        self._remember(max(0, lateness) if lateness <= MOST else 0)
        self._spare = max(0, spare)
        if starved:
            self._levels.clear()
        else:
            self._levels.append(spare - self._moved)

    def _remember(self, lateness: int) -> None:
        self._frame += 1
        self._late.append(lateness)
        while self._stalls and self._stalls[0][0] < self._frame - STALL_FRAMES:
            self._stalls.popleft()
        if lateness > STALL:
            self._stalls.append((self._frame, lateness))

    def correct(self, quiet: bool) -> int:
        """Return by how many samples to lengthen (> 0) or shorten (< 0) the next frame."""
        if len(self._levels) < SETTLED_FRAMES:
            return 0
        # Never more than is there now: after a stall the ring fills up again only bit by bit.
        surplus = min(self.level - self.target, self._spare - MARGIN)
        if surplus > GROSS:
            change = -min(surplus, FRAME_SAMPLES - 2 * FADE)
        elif quiet:
            change = max(-QUIET_STEP, min(QUIET_STEP, -surplus))
        elif abs(surplus) > CREEP_DEADBAND:
            change = max(-CREEP_STEP, min(CREEP_STEP, -surplus))
        else:
            change = 0
        self._moved += change
        return change


def is_quiet(samples: Samples) -> bool:
    """Say whether a frame may be cut without being missed."""
    return level_db(samples) < QUIET_DB


def alter(samples: Samples, change: int) -> Samples:
    """Return one frame, [N] float32, made `change` samples longer or shorter: [N + change].

    A few samples are spread over the frame; more are taken out of, or put into, its middle under a
    cross-fade of FADE samples.
    """
    if change == 0:
        return samples
    if abs(change) <= CREEP_STEP:
        at = np.linspace(0, samples.size - 1, samples.size + change)
        stretched: Samples = np.interp(at, np.arange(samples.size), samples).astype(np.float32)
        return stretched
    size = samples.size + change
    first = samples[: size // 2]
    second = samples[-(size - first.size + FADE) :]
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    seam = first[-FADE:] * (1 - ramp) + second[:FADE] * ramp
    joined: Samples = np.concatenate((first[:-FADE], seam, second[FADE:]))
    return joined
