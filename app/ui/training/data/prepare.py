"""From recordings or a folder to a dataset that can be learnt from: commands one after another, and how far.

Runs `aizuchi data import`, `transcribe` and `prepare` as processes; each goes on where it was stopped. Knows
nothing about widgets, or about what the commands do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.files import parse_line
from app.paths import Paths
from app.ui.shell.verb_process import Errand


class Preparation(QObject):
    """A row of commands; at most one runs at a time."""

    progressed = Signal(str, float, float)
    """What is being done, the share that is done (below 0: not known), seconds left (0: not known)."""
    found = Signal(dict)
    """A finding: `dialogue`, `sentence`, `done`."""
    ended = Signal(bool, str, str)
    """Whether all went well; if not, a sentence and an advice, both '' if it was stopped."""

    def __init__(self, where: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._where = where
        self._left: deque[Sequence[str]] = deque()
        self._errand: Errand | None = None

    @property
    def busy(self) -> bool:
        """Return whether a command runs."""
        return self._errand is not None

    def begin(self, *commands: Sequence[str]) -> None:
        """Run commands in order, each with `--json`; the first that fails ends it."""
        self.cancel()
        self._left = deque(commands)
        self._next()

    def stop(self) -> None:
        """End it where it is: what is written stays, and the same commands go on from there."""
        if self._errand is not None:
            self.cancel()
            self.ended.emit(False, "", "")

    def cancel(self) -> None:
        """End it without a word."""
        errand, self._errand = self._errand, None
        self._left.clear()
        if errand is not None:
            errand.cancel()
            errand.deleteLater()

    def _next(self) -> None:
        if not self._left:
            self.ended.emit(True, "", "")
            return
        self._errand = Errand([*self._left.popleft(), "--json"], self._where, self)
        self._errand.line.connect(self._hear)
        self._errand.done.connect(self._finish)

    def _hear(self, line: str) -> None:
        if (event := parse_line(line)) is None:
            return
        if event.get("kind") == "progress":
            total = float(event.get("total") or 0.0)
            share = float(event.get("done") or 0.0) / total if total else -1.0
            self.progressed.emit(str(event.get("stage", "")), share, float(event.get("left_s") or 0.0))
        elif event.get("kind") == "finding":
            self.found.emit(event)

    def _finish(self, status: int, _out: str, complaint: str) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.deleteLater()
        if status == 0:
            self._next()
            return
        self._left.clear()
        lines = [line.strip() for line in complaint.splitlines() if line.strip()]
        sentence = lines[-2] if len(lines) > 1 else "".join(lines)
        self.ended.emit(
            False,
            sentence or self.tr("It broke off."),
            lines[-1]
            if len(lines) > 1
            else self.tr("The log holds the details; try again to go on from here."),
        )
