"""The memory that the audio process and its parent share: two rings, what is counted, and what is wished.

It has no name in the file system: both sides map one anonymous file, and it is gone with the last of
them, however they end. Knows nothing about devices.
"""

from __future__ import annotations

import mmap
import os

from app.audio.ring import LINE_BYTES, Lane, Ring

MIC_SAMPLES = 1 << 17
"""What the microphone ring holds: 5.4 s, longer than any stall that a talk survives."""

SPEAKER_SAMPLES = 1 << 15
"""What the speaker ring holds: 1.3 s, several times the largest cushion."""

LOG_ENTRIES = 256
"""How far back the log of the speaker's blocks reaches: 2.5 s in blocks of 10 ms."""


class BlockLog:
    """One whole number per device block, left for the other side to read later: the last LOG_ENTRIES.

    Safe for the reason that a ring is: one writer, and the count moves after the entry is in place.
    """

    def __init__(self, memory: memoryview) -> None:
        self._count = memory[:8].cast("Q")
        self._entries = memory[LINE_BYTES:].cast("q")

    @staticmethod
    def size_bytes() -> int:
        """Return the memory that a log needs."""
        return LINE_BYTES + 8 * LOG_ENTRIES

    @property
    def count(self) -> int:
        """Return how many entries were ever put."""
        return int(self._count[0])

    def put(self, entry: int) -> None:
        """Append an entry in place of the oldest."""
        count = self._count[0]
        self._entries[count % LOG_ENTRIES] = entry
        self._count[0] = count + 1

    def since(self, count: int) -> list[int]:
        """Return the entries put after the first `count`, oldest first, at most LOG_ENTRIES."""
        end = self._count[0]
        return [int(self._entries[i % LOG_ENTRIES]) for i in range(max(count, end - LOG_ENTRIES), end)]


class Gauge:
    """One signed 64-bit number, written by one thread of the audio process and read by anyone."""

    def __init__(self, memory: memoryview) -> None:
        self._cell = memory[:8].cast("q")

    @property
    def value(self) -> int:
        """Return the number as it is now."""
        return int(self._cell[0])

    @value.setter
    def value(self, value: int) -> None:
        self._cell[0] = value


class Side:
    """What is shared about one of the two devices."""

    def __init__(self, memory: memoryview, samples: int) -> None:
        gauges = [Gauge(memory[at : at + 8]) for at in range(0, LINE_BYTES, 8)]
        self.opened, self.blocks, self.block_ns, self.latency_us, self.lost, self.xruns = gauges[:6]
        """How often the device was opened; its blocks so far; CLOCK_MONOTONIC of the last; the way between
        air and ring; samples that found no room, or were not there in time; blocks that the device
        called late."""
        self.ring = Ring(memory[LINE_BYTES : LINE_BYTES + Ring.size_bytes(samples)])

    @staticmethod
    def size_bytes(samples: int) -> int:
        """Return the memory that a side with a ring of this many samples needs."""
        return LINE_BYTES + Ring.size_bytes(samples)


class EchoPanel:
    """What is wished of the echo canceller, and how it does."""

    def __init__(self, memory: memoryview) -> None:
        gauges = [Gauge(memory[at : at + 8]) for at in range(0, LINE_BYTES, 8)]
        self.wish, self.noise, self.active, self.removed = gauges[:4]
        """An index of ECHO_WISHES and whether noise is suppressed, both written by the parent; whether
        echo is cancelled, and by how many tenths of a dB it is lessened, UNKNOWN while nothing is said."""


ECHO_WISHES = ("auto", "on", "off")
"""Left to itself, echo is cancelled unless microphone and speaker are one headset."""

UNKNOWN = -(2**31)


class SharedSound:
    """Both sides, the log of the speaker's blocks and the panel of the echo canceller, in one anonymous file.

    The log holds, for each block, how many samples the ring held beyond what the speaker took: less
    than nothing when silence had to fill up.
    """

    def __init__(self, fd: int | None = None) -> None:
        sizes = (
            Side.size_bytes(MIC_SAMPLES),
            Side.size_bytes(SPEAKER_SAMPLES),
            BlockLog.size_bytes(),
            LINE_BYTES,
            Lane.size_bytes(MIC_SAMPLES),
        )
        self.fd = os.memfd_create("aizuchi-sound") if fd is None else fd
        if fd is None:
            os.ftruncate(self.fd, sum(sizes))
        memory = memoryview(mmap.mmap(self.fd, sum(sizes)))
        mic, speaker, log, panel, raw = (
            memory[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes))
        )
        self.mic = Side(mic, MIC_SAMPLES)
        self.speaker = Side(speaker, SPEAKER_SAMPLES)
        self.spare = BlockLog(log)
        self.echo = EchoPanel(panel)
        self.raw = Lane(raw)
        """The microphone as it was before its echo was cancelled, beside what is in its ring."""

    def close(self) -> None:
        """Let go of the file; the mapping goes with the last reference to it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
