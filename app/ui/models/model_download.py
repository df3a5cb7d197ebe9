"""One model on its way to this computer: how far, how fast, how long still; it can be held and go on later.

Knows nothing about the hub: `aizuchi models download` does that, in a process of its own.
"""

from __future__ import annotations

import time
from collections import deque

from PySide6.QtCore import QObject, Signal

from app.files import parse_line
from app.paths import Paths
from app.ui.shell import wording
from app.ui.shell.verb_process import Errand

SPEED_S = 10.0
"""Over so long the speed is averaged."""


class Fetching(QObject):
    """A download until it is there, is held, or can not go on."""

    progress = Signal(float, str)
    """The share that is there, 0..1, and a line about it."""
    done = Signal(bool, str)
    """Whether all of it is there; otherwise why not, '' if the user held it."""

    def __init__(self, name: str, where: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held = False
        self._seen: deque[tuple[float, int]] = deque()
        self._errand = Errand(["models", "download", name, "--json"], where, self)
        self._errand.line.connect(self._hear)
        self._errand.done.connect(self._end)

    def hold(self) -> None:
        """Stop for now; what is here stays, and the next download goes on from it."""
        self._held = True
        self._errand.interrupt()

    def cancel(self) -> None:
        """End without a word, as the window closes."""
        self._errand.cancel()

    def _hear(self, line: str) -> None:
        try:
            told = parse_line(line) or {}
            done, total = int(told["done"]), int(told["total"])
        except (ValueError, KeyError, TypeError):
            return
        if total:
            self.progress.emit(done / total, self._describe(done, total))

    def _describe(self, done: int, total: int) -> str:
        now = time.monotonic()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > SPEED_S:
            self._seen.popleft()
        line = self.tr("{0} of {1}").format(wording.size_words(done), wording.size_words(total))
        speed = (done - self._seen[0][1]) / max(1e-9, now - self._seen[0][0])
        if len(self._seen) < 3 or speed <= 0:
            return line
        minutes = max(1, round((total - done) / speed / 60))
        rate = self.tr("{0} a second").format(wording.size_words(speed))
        return " · ".join((line, rate, self.tr("{0} min left").format(minutes)))

    def _end(self, status: int, out: str, complaint: str) -> None:
        if status == 0:
            self.done.emit(True, "")
        elif self._held:
            self.done.emit(False, "")
        else:
            words = complaint.strip() or self.tr("The download ended without a word.")
            self.done.emit(False, words)
