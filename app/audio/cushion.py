"""How much sound lies ready before the speaker, and how it is lengthened and shortened unheard.

A jitter buffer: enough to cover the lateness seen of late, and no more. Knows nothing about rings,
devices or clocks; all lengths are samples at 24 kHz.
"""

from __future__ import annotations

import statistics
from collections import deque

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples, level_db

MS = SAMPLE_RATE // 1000

MEMORY_FRAMES = round(20 * FRAME_RATE)
"""Lateness is remembered for 20 s."""

MARGIN = 10 * MS
"""What must be left when the latest frame of the memory comes as late again: one device block."""

START = 40 * MS
"""The first cushion: as if a frame had been late by this, less the margin."""

MOST = 120 * MS
"""The largest cushion; lateness beyond it is a stall, which no cushion covers and which teaches nothing."""

GROSS = 60 * MS
"""A surplus that is cut at once, whatever is being said; below, quiet moments are awaited."""

QUIET_DB = -45.0
QUIET_STEP = 10 * MS
CREEP_STEP = 4
"""A frame in which something is said is made longer or shorter by so much: 0.2 %, 3.6 cents."""

CREEP_DEADBAND = 2 * MS
SETTLED_FRAMES = 12
FADE = 5 * MS


class Cushion:
    """Decides by how much each frame is to be longer (or, negative, shorter) than it is.

    What lies spare in the ring at the worst moment between two frames is the one thing observed. Each
    is kept as it would have been had nothing been added or removed since, so the memory stays true
    while the cushion moves; the least of them is what is surely spare.
    """

    def __init__(self) -> None:
        # As if a frame had been late once before the beginning: that is forgotten after MEMORY_FRAMES.
        self._spares: deque[int] = deque([MARGIN], maxlen=MEMORY_FRAMES)
        self._moved = 0
        self._usual = START
        self._now = START

    @property
    def spare(self) -> int:
        """Return what would be left if the latest frame of the memory came as late again."""
        floor = self._usual - MOST
        return min(spare for spare in self._spares if spare >= floor) + self._moved

    @property
    def size(self) -> int:
        """Return what usually lies ready when the next frame comes."""
        return self._usual + self._moved

    def observe(self, spare: int, starved: int, *, catching_up: bool = False) -> None:
        """Note the least that was spare since the last frame, and the silence that had to be played.

        With `starved` > 0 `spare` is minus the silence, and the silence made the cushion thicker. A frame
        out of a backlog is late because of the stall before it and says nothing about usual lateness.
        """
        if not catching_up:
            self._spares.append(spare - self._moved)
        self._moved += starved
        self._now = max(0, spare)
        if len(self._spares) > SETTLED_FRAMES:
            self._usual = round(statistics.median(self._spares))

    def correct(self, quiet: bool) -> int:
        """Return by how many samples to lengthen (> 0) or shorten (< 0) the next frame."""
        # Never more than is there now: after a stall the ring fills up again only bit by bit.
        surplus = min(max(self.spare - MARGIN, self.size - MOST), self._now - MARGIN)
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
        return np.interp(at, np.arange(samples.size), samples).astype(np.float32)
    size = samples.size + change
    first = samples[: size // 2]
    second = samples[-(size - first.size + FADE) :]
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    seam = first[-FADE:] * (1 - ramp) + second[:FADE] * ramp
    joined: Samples = np.concatenate((first[:-FADE], seam, second[FADE:]))
    return joined
