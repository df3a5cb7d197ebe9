"""What to do about devices that are open and yet bring or take nothing: tell it, and try again step by step.

Knows nothing about streams and processes: it is told how many blocks have come, and answers with a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from app.audio.devices import Kind

Step = Literal["", "tell", "reopen", "default", "wait"]
"""Nothing; tell it; open the devices anew; use the default one instead; tell that the talk waits."""

TELL_S: dict[Kind, float] = {"in": 2.0, "out": 5.0}
"""After how much silence of a device something is done. A speaker may take 4 s to wake up, while its stream
is opened with larger blocks."""

PAUSE_S = 1.0
"""A device that has paused for so long is silent too where another one is."""

LADDER: tuple[tuple[float, Step], ...] = ((2.0, "tell"), (5.0, "reopen"), (10.0, "default"), (15.0, "wait"))
"""After how much silence each step is taken."""

AGAIN_S = 10.0
"""How often the devices are opened anew beyond that."""


class Silence:
    """Follows a microphone and a speaker. All times are s of one clock that does not go back."""

    def __init__(self) -> None:
        self._blocks: dict[Kind, int] = {}
        self._since_s: dict[Kind, float] = {}
        self._taken = 0
        self._next_s = 0.0

    @property
    def lasts(self) -> bool:
        """Say whether a step was taken, and no sound has come since."""
        return self._taken > 0

    def look(self, now_s: float, blocks: Mapping[Kind, int], *, expected: bool) -> tuple[Step, list[Kind]]:
        """Return the step to take now, and which devices are silent, after so many blocks of each so far.

        Where none are `expected`, since no devices are open, there is nothing to do.
        """
        for kind, count in blocks.items():
            if not expected or count != self._blocks.get(kind):
                self._blocks[kind] = count
                self._since_s[kind] = now_s
        if not any(now_s - self._since_s[kind] >= TELL_S[kind] for kind in blocks):
            self._taken = 0
            return "", []
        silent = [kind for kind in blocks if now_s - self._since_s[kind] >= PAUSE_S]
        return self._climb(now_s, min(self._since_s[kind] for kind in silent)), silent

    def _climb(self, now_s: float, since_s: float) -> Step:
        if self._taken < len(LADDER):
            after_s, step = LADDER[self._taken]
            if now_s - since_s < after_s:
                return ""
            self._taken += 1
            self._next_s = now_s + AGAIN_S
            return step
        if now_s < self._next_s:
            return ""
        self._next_s = now_s + AGAIN_S
        return "reopen"
