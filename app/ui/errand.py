"""Runs one verb of the `aizuchi` command as a process and gives back what it printed.

The window asks this way for what would need torch or PortAudio in its own process. Knows nothing about
what the verbs mean.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QProcess, Signal

from app.cli import child_command
from app.paths import Paths

FAREWELL_MS = 1_000


class Errand(QObject):
    """One run of `aizuchi VERB …`."""

    done = Signal(int, str, str)
    """Comes once: the exit status, -1 for a process that crashed or did not start; stdout; stderr."""

    def __init__(self, arguments: list[str], where: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._refuse)
        program, *beginning = child_command(where)
        self._process.start(program, [*beginning, *arguments])

    def cancel(self) -> None:
        """End the process if it still runs; `done` does not come any more."""
        self._process.finished.disconnect(self._finish)
        self._process.errorOccurred.disconnect(self._refuse)
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(FAREWELL_MS)

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        out = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        trouble = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        self.done.emit(status if how == QProcess.ExitStatus.NormalExit else -1, out, trouble)

    def _refuse(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.done.emit(-1, "", self._process.errorString())
