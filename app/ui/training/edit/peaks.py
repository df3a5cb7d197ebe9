"""The shape of a stereo sound at every zoom: lowest and highest sample of each stretch, coarser and coarser.

Read block by block, so that it can be shown while it grows. An hour takes 10 MB; a longer file is kept less
finely. Knows nothing about painting or threads.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

FINEST_SAMPLES = 96
"""4 ms at 24 kHz: the stretch that one value stands for in files that are not too long."""
MOST_VALUES = 2_700_000
"""Three hours at FINEST_SAMPLES: 30 MB."""
COARSER = 4
BLOCK_S = 60.0
FULL_SCALE = 32_767

Extremes = npt.NDArray[np.int16]
"""[2 channels, N, 2]: lowest and highest 16-bit sample of each stretch."""


class Piece(NamedTuple):
    """Extremes that were read, from this value on."""

    first: int
    extremes: Extremes


class Peaks:
    """One file. Values that were not read yet are silence."""

    def __init__(self, samples: int, rate: int) -> None:
        self.rate = rate
        self.samples = samples
        self.step = FINEST_SAMPLES
        while samples // self.step > MOST_VALUES:
            self.step *= 2
        self.loudest = [1e-3, 1e-3]
        """Of each channel, 0..1: what fills its lane."""
        self.values_read = 0
        self._levels: list[Extremes] = []
        values = -(-samples // self.step)
        while True:
            self._levels.append(np.zeros((2, max(1, values), 2), dtype=np.int16))
            if values <= 1_000:
                break
            values = -(-values // COARSER)

    @property
    def length_s(self) -> float:
        """Return how long the file is."""
        return self.samples / self.rate

    @property
    def whole(self) -> bool:
        """Say whether all of it was read."""
        return self.values_read * self.step >= self.samples

    def add(self, piece: Piece) -> None:
        """Take in what was read next."""
        extremes, first = piece.extremes, piece.first
        last = first + extremes.shape[1]
        self.values_read = last
        for channel in (0, 1):
            # A click must not make speech small: the loudest is what one value in a thousand exceeds.
            loud = np.abs(extremes[channel].astype(np.int32)).max(axis=1)
            if loud.size:
                loudest = float(np.percentile(loud, 99.9)) / FULL_SCALE
                self.loudest[channel] = max(self.loudest[channel], loudest)
        self._levels[0][:, first:last] = extremes
        for finer, level in zip(self._levels, self._levels[1:], strict=False):
            first, last = first // COARSER, -(-last // COARSER)
            level[:, first:last] = _gathered(finer[:, first * COARSER : last * COARSER])

    def columns(self, first_s: float, last_s: float, count: int) -> npt.NDArray[np.float32]:
        """Return lowest and highest of `count` stretches of a time span, [2 channels, count, 2] in -1..1."""
        per_column = (last_s - first_s) * self.rate / self.step / count
        number = 0
        while number + 1 < len(self._levels) and per_column >= COARSER ** (number + 1):
            number += 1
        level = self._levels[number]
        values_per_s = self.rate / self.step / COARSER**number
        edges = np.linspace(first_s, last_s, count + 1) * values_per_s
        return _ranges(level, *_columns_of(edges))


def read_piece(audio: Path, peaks: Peaks, first: int) -> Piece:
    """Return the extremes from this value on, about BLOCK_S of them. Raises OSError and SoundFileError."""
    values = max(1, round(BLOCK_S * peaks.rate) // peaks.step)
    start = first * peaks.step
    samples = min(values * peaks.step, peaks.samples - start)
    block, _ = soundfile.read(audio, samples, start, dtype="int16", always_2d=True)
    return Piece(first, _extremes(block, peaks.step))


def open_peaks(audio: Path) -> Peaks:
    """Return the peaks of a file before anything of it is read. Raises OSError and SoundFileError."""
    about = soundfile.info(audio)
    return Peaks(int(about.frames), int(about.samplerate))


class Fine(NamedTuple):
    """A stretch of the samples themselves, for a view in which single values would look coarse."""

    first: int
    samples: npt.NDArray[np.int16]
    """[2 channels, N]"""

    def holds(self, first: float, last: float) -> bool:
        """Say whether a stretch from one sample to another lies within this one."""
        return self.first <= first and last <= self.first + self.samples.shape[1]

    def columns(self, first: float, last: float, count: int) -> npt.NDArray[np.float32]:
        """Return lowest and highest of `count` stretches between two samples, [2, count, 2] in -1..1."""
        edges = np.linspace(first, last, count + 1) - self.first
        extremes = np.stack([self.samples, self.samples], axis=2)
        return _ranges(extremes, *_columns_of(edges))


def read_fine(audio: Path, first: int, samples: int) -> Fine:
    """Return a stretch of the samples themselves. Raises OSError and SoundFileError."""
    block, _ = soundfile.read(audio, samples, first, dtype="int16", always_2d=True)
    return Fine(first, np.ascontiguousarray(block.T[[0, -1]]))


def _columns_of(edges: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each column begins and ends, in whole values; each has one at least."""
    starts = np.floor(edges[:-1]).astype(np.int64)
    return starts, np.maximum(starts + 1, np.ceil(edges[1:]).astype(np.int64))


def _extremes(block: npt.NDArray[np.int16], step: int) -> Extremes:
    """Return [2, ceil(N / step), 2] from [N, channels]; a mono file is the same voice twice."""
    starts = np.arange(0, len(block), step)
    channels = block.T[[0, -1]]
    low, high = (np.asarray(f.reduceat(channels, starts, axis=1)) for f in (np.minimum, np.maximum))
    return np.stack([low, high], axis=2)


def _gathered(finer: Extremes) -> Extremes:
    """Return the extremes of each COARSER values."""
    starts = np.arange(0, finer.shape[1], COARSER)
    low = np.minimum.reduceat(finer[:, :, 0], starts, axis=1)
    high = np.maximum.reduceat(finer[:, :, 1], starts, axis=1)
    return np.stack([low, high], axis=2)


def _ranges(
    level: Extremes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return the extremes of each start..end, those outside of the sound being silence."""
    size = level.shape[1]
    found = np.zeros((2, len(starts), 2), dtype=np.float32)
    inside = (starts >= 0) & (starts < size)
    if not inside.any():
        return found
    first = starts[inside]
    last = np.minimum(ends[inside], size)
    # reduceat takes start, end, start, end …; every second result lies between two columns.
    edges = np.stack([first, last], axis=1).reshape(-1) - first[0]
    part = level[:, first[0] : last.max()]
    part = np.concatenate([part, part[:, -1:]], axis=1)
    found[:, inside, 0] = np.minimum.reduceat(part[:, :, 0], edges, axis=1)[:, ::2]
    found[:, inside, 1] = np.maximum.reduceat(part[:, :, 1], edges, axis=1)[:, ::2]
    return found / np.float32(FULL_SCALE)
