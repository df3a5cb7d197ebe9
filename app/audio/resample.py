"""Streaming resampling between a device's rate and the house's 24 kHz, in blocks of a fixed size.

Knows nothing about devices or rings. One thread per object.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

from app.frames import Samples


class Resampler:
    """Turns blocks at one rate into whatever is ready at another, within a constant delay.

    soxr's variable-rate engine is used at a fixed ratio: measured, it is flat up to 11 kHz and keeps
    images 113 dB down like the fixed-rate engine at HQ, but hands out every block within 5 to 10 ms,
    where the fixed-rate one works on transforms of 34 ms and hands out sound in lumps of that length.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        # The ratio at the start is the largest one that the engine prepares for.
        self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ", vr=True)
        self._to_rate = to_rate

    @property
    def delay_s(self) -> float:
        """Return how much sound is inside, in seconds."""
        return float(self._stream.delay()) / self._to_rate

    def push(self, samples: Samples) -> Samples:
        """Return what became ready with these samples, [N] float32 in, [M] float32 out."""
        ready: Samples = self._stream.resample_chunk(samples)
        return ready


class Puller:
    """Fills blocks of any size at one rate from a source at another.

    `read(into)` fills as much of `into`, [N] float32 at `from_rate`, as it can and returns how much.
    """

    def __init__(self, read: Callable[[Samples], int], from_rate: int, to_rate: int) -> None:
        self._read = read
        self._resampler = Resampler(from_rate, to_rate)
        self._chunk = np.zeros(max(1, from_rate // 400), dtype=np.float32)
        self._ready: Samples = np.zeros(0, dtype=np.float32)

    @property
    def delay_s(self) -> float:
        """Return how much sound is inside, in seconds."""
        return self._resampler.delay_s

    def fill(self, block: Samples) -> int:
        """Fill `block`, [N] float32, and return how many samples of the source were missing for it.

        Missing samples become silence before they are resampled, so that the delay stays what it is.
        """
        missing = 0
        while self._ready.size < block.size:
            found = self._read(self._chunk)
            self._chunk[found:] = 0
            missing += self._chunk.size - found
            self._ready = np.concatenate((self._ready, self._resampler.push(self._chunk)))
        block[:] = self._ready[: block.size]
        self._ready = self._ready[block.size :]
        return missing
