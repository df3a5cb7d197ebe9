"""Starts training as a process that outlives the window, and follows a run by what it writes.

Knows nothing about how training works or how it is shown: it reads `app.store.runs`, a small file
twice a second, and so it can follow a run that was begun by another window or in a terminal.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from app.cli import child_command
from app.errors import UserError
from app.files import replace_file
from app.paths import Paths
from app.store.runs import Run, open_run, read_metrics
from app.ui.shell import launch

translate = QCoreApplication.translate

LOOK_MS = 500
TAIL_BYTES = 4_000


def start_detached(arguments: list[str], log: Path, where: Paths) -> int:
    """Start a verb of the command in a session of its own and return its process id.

    What it prints goes to `log`. Raises UserError when it can not be started.
    """
    try:
        replace_file(log, b"", sync=False)
    except OSError as fault:
        raise UserError(
            translate("Process", "The log {0} can not be written: {1}.").format(log, fault.strerror),
            translate("Process", "Make room on the disk."),
        ) from fault
    pid = launch.start_detached([*child_command(where), *arguments], log)
    if pid is None:
        raise UserError(
            translate("Process", "Training could not be started."),
            translate("Process", "Close other programs, or restart this one, and try again."),
        )
    return pid


def log_file(run: str, where: Paths) -> Path:
    """Return where the process that trains a run writes what it prints."""
    return where.logs / f"train-{run}.log"


def is_training(pid: int) -> bool:
    """Say whether a process that was started to train is still there."""
    process = Path(f"/proc/{pid}")
    with suppress(OSError):
        if command := (process / "cmdline").read_bytes():
            return b"train" in command
        # There is no command line while the shell becomes the command, nor of a dead process.
        return (process / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def last_words(log: Path) -> tuple[str, str]:
    """Return the sentence and the advice with which a command that failed ended its log."""
    lines: list[str] = []
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return "", ""
    return (lines[-2], lines[-1]) if len(lines) > 1 else (lines[-1], "")


class Follower(QObject):
    """Follows one run: its events as they come, and its state whenever it changes."""

    came = Signal(list)
    """New events of metrics.jsonl, oldest first; the first time all that there are."""
    changed = Signal(object)
    """The Run, when run.json or the life of its process changed."""
    died = Signal(str, str)
    """A process that was started here ended before it was a run: a sentence and an advice."""

    def __init__(self, where: Paths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._where = where
        self.folder: Path | None = None
        self.run: Run | None = None
        self._offset = 0
        self._pid: int | None = None
        self._before: object = None
        self._seen: object = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    @property
    def starting(self) -> bool:
        """Return whether a process was started and has not yet said that it trains."""
        return self._pid is not None

    def follow(self, folder: Path | None, pid: int | None = None) -> None:
        """Follow another run from its beginning; `pid` is a process that was just started to train it."""
        self.folder, self.run, self._offset, self._seen = folder, None, 0, None
        self._pid, self._before = pid, None
        if folder is None:
            self._timer.stop()
            return
        self.look()
        self._timer.start()

    def expect(self, pid: int) -> None:
        """Go on following the same run, for which a process was started again."""
        self._pid = pid
        self._before = self.run.values if self.run is not None else None
        self._seen = None
        self.look()

    def look(self) -> None:
        """Read what is new."""
        if self.folder is None:
            return
        with suppress(UserError):
            self.run = open_run(self.folder)
        events, self._offset = read_metrics(self.folder, self._offset)
        if self.run is not None and self.run.alive:
            self._pid = None
        if events:
            self.came.emit(events)
        if self._pid is not None and not is_training(self._pid):
            self._mourn()
        seen = (self.run.values, self.run.state, self.starting) if self.run is not None else None
        if self.run is not None and seen != self._seen:
            self._seen = seen
            self.changed.emit(self.run)

    def end_start(self) -> None:
        """End a process that has not yet said that it trains."""
        if self._pid is not None and is_training(self._pid):
            with suppress(OSError):
                os.kill(self._pid, signal.SIGTERM)

    def stop(self) -> None:
        """Look no more; the process goes on."""
        self._timer.stop()

    def _mourn(self) -> None:
        """Tell why a process ended that never trained; one that did said so in run.json."""
        self._pid = None
        assert self.folder is not None
        if self.run is None or self.run.values == self._before:
            log = log_file(self.folder.name, self._where)
            sentence, advice = last_words(log)
            self.died.emit(
                sentence or self.tr("Training ended before it began."),
                advice or self.tr("The log is {0}.").format(log),
            )
