"""One writer for each run, dataset and recording: a lock that the system takes back when its process ends.

`flock` on `.lock` in the folder decides who writes, across processes, containers and machines that share a
disk; a number that a process once had says nothing. What stands in the file only names the holder in a
sentence. On a disk that knows no such locks that name has to do: machine, boot, process and when it started.
Knows nothing about what is in a folder.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from app import files
from app.errors import UserError

LOCK = ".lock"

TRIES = 10
PAUSE_S = 0.02
"""Whoever looks whether a folder is in use holds its lock for a moment: it is asked for again and again."""

LOCKLESS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""How a file system says that it knows no locks."""

CLOCK_S = 1.0
"""By so much clocks and the dates of files may differ."""

MOST_BYTES = 4096
"""More than a name in a lock takes."""

_TEXTS = ("command", "host", "boot", "namespace")
_DEAD = "ZX"
_STATE, _STARTED = 0, 19
"""Places in /proc/PID/stat behind the name, which may hold anything."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process as it wrote itself into a lock; '' and 0 where that can not be read."""

    command: str = ""
    host: str = ""
    boot: str = ""
    """Which start of which machine: alike in all containers of one."""
    namespace: str = ""
    """Within which numbers of processes mean something."""
    pid: int = 0
    started: int = 0
    """In ticks of the system's clock after its boot: a later process of this number started later."""
    certain: bool = True
    """Whether the system itself says that the lock is held."""

    @property
    def is_here(self) -> bool:
        """Return whether it is a process that this one can see: on this machine, in no other container."""
        seen = (self.boot, self.namespace) == (_boot(), _namespace()) and self.boot != ""
        return seen and self.pid > 0 and _started(self.pid) == self.started

    def terminate(self) -> bool:
        """Ask the process to end, if it can be seen from here; return whether it was asked."""
        with suppress(OSError):
            process = os.pidfd_open(self.pid)
            try:
                # Looked at after it was opened: no other process can have this number now.
                if self.is_here:
                    signal.pidfd_send_signal(process, signal.SIGTERM)
                    return True
            finally:
                os.close(process)
        return False


class InUse(UserError):
    """A folder is being written by another process."""

    def __init__(self, name: str, folder: Path, holder: Holder) -> None:
        self.holder = holder
        super().__init__(*_told(name, folder, holder))


class Lock:
    """A folder that nobody else writes, until `release` or the end of the process; a context manager."""

    _held: ClassVar[weakref.WeakSet[Lock]] = weakref.WeakSet()
    """All of this process: what it forks must not keep them alive."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = path, handle
        _watch_forks()
        self._held.add(self)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others write, and leave no file behind; calling it again does nothing."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            # While it is still held: whoever waits for this very file sees that it is gone, and takes anew.
            with suppress(OSError):
                if _is_at(self._path, handle):
                    self._path.unlink()
            os.close(handle)

    @classmethod
    def forget(cls) -> None:
        """Close in a forked child what only its parent holds; the parent's locks stay."""
        for lock in list(cls._held):
            with suppress(OSError):
                os.close(lock._handle)
            lock._handle = -1


def take(folder: Path, name: str, command: str) -> Lock:
    """Hold a folder that is there; `command` is what people are told is at work on `name`.

    Raises InUse where another process or another part of this one holds it, OSError where the folder can not
    be written.
    """
    path = folder / LOCK
    for _ in range(TRIES):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            locked = _flock(handle, fcntl.LOCK_EX)
            free = _living(_read(handle)) is None if locked is None else locked
            # A holder that has just ended took the file away: then the next one is another file.
            if free and _is_at(path, handle):
                _write(handle, command)
                kept, handle = handle, -1
                return Lock(path, kept)
        finally:
            if handle >= 0:
                os.close(handle)
        time.sleep(PAUSE_S)
    raise InUse(name, folder, holder(folder) or Holder())


def holder(folder: Path) -> Holder | None:
    """Return who holds a folder, None where nobody does or that can not be seen. Changes nothing."""
    with suppress(OSError):
        path = folder / LOCK
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            locked = _flock(handle, fcntl.LOCK_SH)
            if not locked and _is_at(path, handle):
                return _read(handle) or Holder() if locked is False else _living(_read(handle))
        finally:
            os.close(handle)
    return None


def holder_before(pid: int, time_s: float, command: str) -> Holder | None:
    """Return a process of this number that was there at a time (Unix), None for a later or a dead one."""
    started = _started(pid)
    if started < 0 or _booted_s() + started / os.sysconf("SC_CLK_TCK") > time_s + CLOCK_S:
        return None
    return Holder(command, socket.gethostname(), _boot(), _namespace(), pid, started)


def in_use(root: Path) -> Iterator[tuple[Path, Holder]]:
    """Yield who holds a folder, or one of those directly in it."""
    with suppress(OSError):
        for folder in (root, *root.iterdir()):
            if (found := holder(folder)) is not None:
                yield folder, found


def _told(name: str, folder: Path, holder: Holder) -> tuple[str, str]:
    """Return the sentence and the advice for a folder that another process holds."""
    there = "Wait until it has ended there, or end it there."
    if not holder.certain:
        return (
            f"{name} may be in use on {holder.host}: its disk knows no locks.",
            f"If nothing is at work on it there, delete {folder / LOCK}.",
        )
    if not holder.pid:
        return f"{name} is in use by another program.", "Wait until it has ended."
    if holder.boot != _boot():
        return f"{name} is in use: `{holder.command}` is at work on it on {holder.host}.", there
    if not holder.is_here:
        return f"{name} is in use: `{holder.command}` is at work on it in another container.", there
    return (
        f"{name} is in use: `{holder.command}` is at work on it (process {holder.pid}).",
        "Wait until it has ended, or end it.",
    )


def _flock(handle: int, how: int) -> bool | None:
    """Take a lock without waiting; return whether that was possible, None where no locks are known."""
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        if fault.errno in LOCKLESS:
            return None
        raise
    return True


def _is_at(path: Path, handle: int) -> bool:
    """Return whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False


def _write(handle: int, command: str) -> None:
    own = Holder(command, socket.gethostname(), _boot(), _namespace(), os.getpid(), _started(os.getpid()))
    # In place: a file that is renamed over this one would carry no lock.
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(asdict(own)).encode(), 0)


def _read(handle: int) -> Holder | None:
    """Return the process that wrote itself down, None where none did."""
    with suppress(ValueError, TypeError, LookupError):
        values = files.parse_json(os.pread(handle, MOST_BYTES, 0))
        command, host, boot, namespace = (str(values[name]) for name in _TEXTS)
        return Holder(command, host, boot, namespace, int(values["pid"]), int(values["started"]))
    return None


def _living(found: Holder | None) -> Holder | None:
    """Return a holder that may still be there, judged without a lock: on another machine nobody knows."""
    if found is None or found.is_here:
        return found
    ended = (found.boot, found.namespace) == (_boot(), _namespace())
    restarted = found.boot != _boot() and found.host == socket.gethostname()
    return None if ended or restarted else replace(found, certain=False)


def _started(pid: int) -> int:
    """Return when a process started, in ticks after the boot, -1 where there is none or it is dead."""
    with suppress(OSError, ValueError, IndexError):
        values = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return -1 if values[_STATE] in _DEAD else int(values[_STARTED])
    return -1


@cache
def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _booted_s() -> float:
    """Return when this machine was started, Unix time."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


@cache
def _watch_forks() -> None:
    os.register_at_fork(after_in_child=Lock.forget)
