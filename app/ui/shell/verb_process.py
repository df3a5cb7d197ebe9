"""Runs one verb of the `aizuchi` command as a process and gives back what it printed, also line by line.

The window asks this way for what would need torch or PortAudio in its own process. Knows nothing about
what the verbs mean.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QProcess, Signal

from app.cli import child_command
from app.paths import Paths
from app.ui.shell.launch import new_process

FAREWELL_MS = 1_000


class Errand(QObject):
    """One run of `aizuchi VERB …`."""

    done = Signal(int, str, str)
    """Comes once: the exit status, -1 for a process that crashed or did not start; stdout; stderr."""
    line = Signal(str)
    """Each line of stdout as soon as it is whole, before `done`."""

    def __init__(self, arguments: list[str], where: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._out = ""
        self._rest = b""
        self._process = new_process(self, arguments)
        self._process.readyReadStandardOutput.connect(self._hear)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._refuse)
        program, *beginning = child_command(where)
        self._process.start(program, [*beginning, *arguments])

    def interrupt(self) -> None:
        """Ask the process to end as it wishes to; `done` still comes."""
        self._process.terminate()

    def cancel(self) -> None:
        """End the process if it still runs; `line` and `done` do not come any more."""
        self._process.readyReadStandardOutput.disconnect(self._hear)
        self._process.finished.disconnect(self._finish)
        self._process.errorOccurred.disconnect(self._refuse)
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(FAREWELL_MS)

    def _hear(self) -> None:
        whole = self._rest + bytes(self._process.readAllStandardOutput().data())
        lines = whole.splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for raw in lines:
            text = raw.decode(errors="replace")
            self._out += text
            self.line.emit(text.rstrip())

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._hear()
        out = self._out + self._rest.decode(errors="replace")
        trouble = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        self.done.emit(status if how == QProcess.ExitStatus.NormalExit else -1, out, trouble)

    def _refuse(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.done.emit(-1, "", self._process.errorString())
