"""Notices when a model can not keep up: each step takes longer than its frame lasts, and sound is skipped.

Knows nothing about how that is told.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean

from app.frames import FRAME_MS, FRAME_RATE

WINDOW_FRAMES = round(4 * FRAME_RATE)
SKIPS = 3
"""A single stall is no lateness."""
RECOVERED_SHARE = 0.9
TELL_FRAMES = round(FRAME_RATE)
"""How often the figure is told anew while a talk is late."""


class Lateness:
    """Looks at the last seconds; once late, it takes a clear recovery to be on time again."""

    def __init__(self) -> None:
        self._steps_ms: deque[float] = deque(maxlen=WINDOW_FRAMES)
        self._skips: deque[int] = deque(maxlen=2 * SKIPS)
        self._told = 0
        self.late = False

    @property
    def is_due(self) -> bool:
        """Say whether a second of steps went by since this was last said, so that the figure is new."""
        if self._told < TELL_FRAMES:
            return False
        self._told = 0
        return True

    @property
    def step_ms(self) -> float:
        """Return the mean cost of a frame over the last seconds."""
        return fmean(self._steps_ms) if self._steps_ms else 0.0

    def push(self, frame: int, step_ms: float) -> bool:
        """Take the cost of a frame and say whether the talk is late."""
        self._steps_ms.append(step_ms)
        self._told += 1
        recent = [at for at in self._skips if at > frame - WINDOW_FRAMES]
        if self.late:
            self.late = bool(recent) or self.step_ms > RECOVERED_SHARE * FRAME_MS
        elif len(self._steps_ms) == WINDOW_FRAMES:
            self.late = self.step_ms > FRAME_MS or len(recent) >= SKIPS
        return self.late

    def skip(self, frame: int) -> None:
        """Take note that sound was skipped before a frame."""
        self._skips.append(frame)
