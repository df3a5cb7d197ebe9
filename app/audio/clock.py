"""The clock on the wall beside the frames that a microphone brings: how much time passed without sound.

Knows nothing about rings and devices; all times are s, all lengths frames of 80 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from app.frames import FRAME_MS

FRAME_S = FRAME_MS / 1000

OUTAGE_FRAMES = 6
"""So much time without sound, 0.48 s, is lost. Less may still come: no server's blocks are so long."""

WINDOW_FRAMES = 25
"""What is lacking at every look of 2 s will not come any more."""

CREEP_FRAMES = 0.025
"""By how much a microphone's clock may differ from ours within a window: 0.1 %, ten times what quartz does.
That much is no loss; the frames are counted by the microphone."""

NOISE_S = 0.05
"""The two clocks of the system are not read at once."""


def wall_s() -> float:
    """Return a clock that goes on while the computer sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _asleep_s() -> float:
    return wall_s() - time.monotonic()


class Sleep:
    """Tells how long the computer slept: the time that CLOCK_MONOTONIC leaves out."""

    def __init__(self, asleep_s: Callable[[], float] = _asleep_s) -> None:
        """`asleep_s` returns for how long the computer has slept since any moment."""
        self._asleep_s = asleep_s
        self._seen_s = asleep_s()

    def frames(self) -> int:
        """Return for how many frames the computer slept since the last call."""
        asleep_s = self._asleep_s()
        frames = round((asleep_s - self._seen_s) / FRAME_S) if asleep_s - self._seen_s > NOISE_S else 0
        self._seen_s += frames * FRAME_S
        return frames


class Look(NamedTuple):
    """What is to be done about the frames that are there."""

    twice: int = 0
    """The oldest so many were counted as lost before they came: they are to be dropped and not counted."""
    lost: int = 0
    """So many are missing before them for good."""


class FrameClock:
    """Counts the frames that were heard or lost, and compares them with the time that has passed.

    Frames that wait to be taken are there; time that is neither counted nor there is owed.
    """

    def __init__(self, now_s: float) -> None:
        self._zero_s = now_s  # when the first frame began
        self._counted = 0
        self._told = 0  # frames that were told as lost of late, and may yet come
        self._least = float("inf")
        self._looks = 0

    def align(self, now_s: float, ready: float) -> None:
        """Let the sound begin that is there now: what the waking of a device took is nobody's loss."""
        self._zero_s = now_s - FRAME_S * (self._counted + ready)

    def count(self, frames: int) -> None:
        """Count frames that were heard, or lost for a reason that is known."""
        self._counted += frames

    def outage(self, now_s: float, ready: float) -> int:
        """Return how many frames are lost while nothing comes, and count them; 0 while they may come yet."""
        owed = self._owed(now_s, ready)
        return self._lose(int(owed)) if owed >= OUTAGE_FRAMES else 0

    def look(self, now_s: float, ready: float) -> Look:
        """Return what is to be done before the next of `ready` frames is taken; what is lost is counted."""
        owed = self._owed(now_s, ready)
        # A server that stood still may bring what it held back, after that was counted as lost.
        if twice := max(0, min(int(-owed), self._told, int(ready) - 1)):
            self._told -= twice
            return Look(twice=twice)
        if owed >= OUTAGE_FRAMES:
            return Look(lost=self._lose(int(owed)))
        self._least = min(self._least, owed)
        self._looks += 1
        return Look() if self._looks < WINDOW_FRAMES else Look(lost=self._settle())

    def _settle(self) -> int:
        """Return what is missing after a window, and follow the microphone's clock in what is less."""
        least, self._least, self._looks, self._told = self._least, float("inf"), 0, 0
        if least >= 1:
            lost = self._lose(int(least))
            self._told = 0
            return lost
        # What came early can not be given back, so there the microphone's clock counts at once.
        self._zero_s += FRAME_S * min(least, CREEP_FRAMES)
        return 0

    def _lose(self, frames: int) -> int:
        self._counted += frames
        self._told += frames
        self._least, self._looks = float("inf"), 0
        return frames

    def _owed(self, now_s: float, ready: float) -> float:
        return (now_s - self._zero_s) / FRAME_S - self._counted - ready
