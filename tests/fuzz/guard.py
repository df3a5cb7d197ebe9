"""What a case may take, and where it may write: time, memory, and nothing outside its home."""

from __future__ import annotations

import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from app.errors import UserError

SLOW_S = 5.0
"""More processor time than this is a fault."""

LARGE_BYTES = 10**9
"""More memory than this is a fault."""

SPARE_BYTES = 6 * 10**9
"""So much more may be asked of the system before Python is refused it, which is a fault as well."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_TARGETS = {
    "os.mkdir": 0, "os.remove": 0, "os.rmdir": 0, "os.truncate": 0, "os.chmod": 0, "os.rename": 1,
    "os.link": 1, "os.symlink": 1,
}  # fmt: skip
"""Events of Python that change the disk, and which of their arguments names the place."""

_DEVICES = ("/dev/null", "/dev/tty")


class Verdict(NamedTuple):
    """How one case went. `fault` is '' where it went well; `place` is where it was raised."""

    fault: str
    place: str
    seconds: float
    megabytes: float
    refused: bool


class Watch:
    """Notes what Python writes outside a folder. One for each process: such a watch can not be taken off."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.outside: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.home is None:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else bool((flags or 0) & _WRITING)
            # Where a file is opened below an open folder, the event does not say which folder that is.
            if writes and (mode or os.path.isabs(os.fsdecode(path))):
                self._note(path)
        elif event in _TARGETS:
            # A folder comes last, as a number; below one, nothing is named that was not looked up before.
            within = arguments[-1] if event != "os.truncate" else -1
            if not (isinstance(within, int) and within >= 0):
                self._note(arguments[_TARGETS[event]])

    def _note(self, path: Any) -> None:
        home, self.home = self.home, None
        try:
            if isinstance(path, (str, bytes, os.PathLike)):
                place = os.path.abspath(os.fsdecode(path))
                if home is not None and not place.startswith(home) and place not in _DEVICES:
                    self.outside.append(place)
        finally:
            self.home = home


def limit_memory() -> None:
    """Let this process be refused memory before the computer runs out of it."""
    limit = _status_bytes("VmSize") + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def judge(watch: Watch, home: Path, inputs: Path, run: Callable[[], None]) -> Verdict:
    """Run one case and say what was wrong with how it went."""
    before = _listing(inputs)
    memory = _reset_peak()
    watch.outside.clear()
    fault, place, refused = "", "", False
    began = time.process_time()
    watch.home = f"{os.path.realpath(home)}"
    try:
        run()
    except UserError as said:
        refused = True
        if not said.sentence.strip():
            fault, place = "a fault without a sentence", _place(said)
        fault = fault or _unprintable(str(said))
    except BaseException as raised:
        if isinstance(raised, KeyboardInterrupt):
            raise
        fault, place = f"{type(raised).__name__}: {raised}"[:300], _place(raised)
    finally:
        watch.home = None
    seconds = time.process_time() - began
    taken = max(0, _status_bytes("VmHWM") - memory)
    if not fault and seconds > SLOW_S:
        fault = f"it took {seconds:.1f} s"
    if not fault and taken > LARGE_BYTES:
        fault = f"it took {taken / 1e6:.0f} MB"
    if not fault and watch.outside:
        fault, place = f"it wrote {watch.outside[0]}", "outside"
    if not fault and _listing(inputs) != before:
        fault, place = "it changed what it was to read", "outside"
    return Verdict(fault, place, seconds, taken / 1e6, refused)


def _unprintable(sentence: str) -> str:
    try:
        sentence.encode()
    except UnicodeEncodeError:
        return f"a sentence that can not be printed: {sentence!r}"[:300]
    return ""


def _place(fault: BaseException) -> str:
    """Return where a fault was raised, by the innermost line of our own."""
    frames = [
        frame for frame in traceback.extract_tb(fault.__traceback__) if "site-packages" not in frame.filename
    ]
    own = [frame for frame in frames if "/app/" in frame.filename or "/training/" in frame.filename]
    last = (own or frames)[-1]
    return f"{'/'.join(Path(last.filename).parts[-3:])}:{last.lineno}"


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    found = []
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            state = os.lstat(os.path.join(where, name))
            found.append((os.path.join(where, name), state.st_size, state.st_mtime_ns))
    return sorted(found)


def _reset_peak() -> int:
    """Begin to measure the peak of memory anew, and return what is taken now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_bytes("VmRSS")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise AssertionError(f"the system does not tell {name}")
