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
        _store(self._samples, position, samples[:count])
        self._written[0] = position + count
        return int(count)

    def read(self, into: Samples) -> int:
        """Move the oldest samples into `into`, [N] float32, and return how many. The reader's alone."""
        position = self._taken[0]
        count = min(into.size, self._written[0] - position)
        self._copy(position, into[:count])
        self._taken[0] = position + count
        return int(count)

    @property
    def room(self) -> int:
        """Return how many samples can be written now. The writer's alone."""
        return self.capacity - self.fill

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
        _load(self._samples, position, into)


class Lane:
    """Samples beside those of a ring, at the same positions: what belongs to each of them.

    The ring's writer puts them here before it writes there, its reader gets them before it reads.
    """

    def __init__(self, memory: memoryview) -> None:
        self._samples = np.frombuffer(memory, dtype=np.float32)

    @staticmethod
    def size_bytes(capacity: int) -> int:
        """Return the memory that the lane of a ring of this many samples needs."""
        return 4 * capacity

    def put(self, position: int, samples: Samples) -> None:
        """Keep samples, [N] float32, for a position of the ring and those after it."""
        _store(self._samples, position, samples)

    def get(self, position: int, count: int) -> Samples:
        """Return a copy of what belongs to a position and those after it, [count] float32."""
        copy = np.empty(count, dtype=np.float32)
        _load(self._samples, position, copy)
        return copy


def _store(circle: Samples, position: int, samples: Samples) -> None:
    start = position & (circle.size - 1)
    first = min(samples.size, circle.size - start)
    circle[start : start + first] = samples[:first]
    circle[: samples.size - first] = samples[first:]


def _load(circle: Samples, position: int, into: Samples) -> None:
    start = position & (circle.size - 1)
    first = min(into.size, circle.size - start)
    into[:first] = circle[start : start + first]
    into[first:] = circle[: into.size - first]
