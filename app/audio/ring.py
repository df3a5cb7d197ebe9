"""Sound between two processes: a ring of samples with one writer and one reader, in shared memory.

Knows nothing about devices or frames, and never waits: a full ring takes less, an empty one gives less.
"""

from __future__ import annotations

import numpy as np

from app.frames import Samples

LINE_BYTES = 64
"""A cache line; what different threads write stands on different ones."""


class Ring:
    """float32 samples that one thread writes and one other thread or process reads.

    Safe without a lock: each position is written by one side only, never goes back, and is an aligned
    8-byte word, which the machine reads and writes whole. The writer moves its position after the
    samples are in place, and the reader moves its own after it has copied them out, so neither touches
    a sample that the other may still use. x86-64 shows stores to others in the order they were made;
    on machines that may not, the interpreter runs for hundreds of instructions between the two stores.
    """

    def __init__(self, memory: memoryview) -> None:
        samples = np.frombuffer(memory[2 * LINE_BYTES :], dtype=np.float32)
        self.capacity = samples.size
        if self.capacity & (self.capacity - 1):
            raise ValueError(f"a ring holds a power of two of samples, not {self.capacity}")
        self._samples = samples
        self._written = memory[:8].cast("Q")
        self._taken = memory[LINE_BYTES : LINE_BYTES + 8].cast("Q")

    @staticmethod
    def size_bytes(capacity: int) -> int:
        """Return the memory that a ring of this many samples needs."""
        return 2 * LINE_BYTES + 4 * capacity

    @property
    def fill(self) -> int:
        """Return how many samples can be read now."""
        # The reader's position is read first: whatever the other side does between the two reads,
        # the reader sees too little and the writer sees too much, and both are safe.
        taken = self._taken[0]
        return int(self._written[0] - taken)

    @property
    def written(self) -> int:
        """Return how many samples were ever written."""
        return int(self._written[0])

    @property
    def taken(self) -> int:
        """Return how many samples were ever read or skipped."""
        return int(self._taken[0])

    def write(self, samples: Samples) -> int:
        """Append samples, [N] float32, and return how many found room. The writer's alone."""
        position = self._written[0]
        count = min(samples.size, self.capacity - (position - self._taken[0]))
        start = position & (self.capacity - 1)
        first = min(count, self.capacity - start)
        self._samples[start : start + first] = samples[:first]
        self._samples[: count - first] = samples[first:count]
        self._written[0] = position + count
        return int(count)

    def read(self, into: Samples) -> int:
        """Move the oldest samples into `into`, [N] float32, and return how many. The reader's alone."""
        position = self._taken[0]
        count = min(into.size, self._written[0] - position)
        self._copy(position, into[:count])
        self._taken[0] = position + count
        return int(count)

    def skip(self, count: int) -> int:
        """Drop up to `count` of the oldest samples and return how many. The reader's alone."""
        count = min(count, self.fill)
        self._taken[0] += count
        return count

    def look_back(self, position: int, count: int) -> Samples:
        """Return a copy of the `count` samples before `position`, [N] float32.

        They may be overwritten meanwhile if they are nearly a whole ring old: good enough for a meter.
        """
        count = min(count, position)
        copy = np.empty(count, dtype=np.float32)
        self._copy(position - count, copy)
        return copy

    def _copy(self, position: int, into: Samples) -> None:
        start = position & (self.capacity - 1)
        first = min(into.size, self.capacity - start)
        into[:first] = self._samples[start : start + first]
        into[first:] = self._samples[: into.size - first]
