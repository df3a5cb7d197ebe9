"""What the test of a device found for one model, and where it is kept between starts.

The test itself (`app.engine.device_test`) runs in a child, so that a fault of the driver, a hang or a
poisoned CUDA context there hurts nothing here. Knows nothing about kernels; imports no torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Timer
from typing import Any

from app.files import LINE_BYTES, Malformed, make_folder, parse_line, read_json, write_json
from app.frames import FRAME_MS
from app.store import locks

log = logging.getLogger(__name__)

FORMAT = 1
"""Raised whenever a record means something else: older ones are then as if they were not there."""

FOLDER = "device-tests"
"""Where records are, below the folder of caches: a file for each key."""

MOST_RECORDS = 32
"""More are not kept; the oldest go first."""

RECORD_BYTES = 2**20
"""The largest record: some forty kernels of a line each take a hundredth of it."""

LIMIT_S = 240.0
"""After so long a test is taken to hang. It takes some 10 s; compiling for the first time takes a minute."""

WHOLE_LIMIT_S = 900.0
"""The same where all weights of a model are read."""

PAUSE_S = 0.2
"""So often it is looked whether another program has finished its test."""

SAID_LINES = 20
"""So many of a child's last lines that are no result are looked at for why it ended."""

KERNELS, LOGITS, GRAPH, MIMI, SPEED, MOSHI = "kernels", "logits", "graph", "mimi", "speed", "moshi"
CHECKS = (KERNELS, LOGITS, GRAPH, MIMI, SPEED, MOSHI)
"""In the order in which they are done; the last is about moshi's own engine, all others about ours."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    """One of CHECKS."""
    right: bool | None
    """None where it was not checked."""
    seen: str
    """What was seen or why it was not looked at, in words that end a sentence."""
    figures: dict[str, Any]
    """JSON values: errors beside their bounds, times in ms."""


@dataclass(frozen=True)
class Record:
    """What is known about one model, kept in one way, on one device."""

    key: str
    """Of everything that the findings depend on; see `make_key`."""
    about: dict[str, Any]
    """That everything in readable form: names no user and no single card."""
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    """Why the test did not come to its end, '' where it did."""
    frame_ms: float | None = None
    """What a whole frame of this very model took, Mimi included, the median of 50; None before it ran."""

    @property
    def wrong(self) -> Finding | None:
        """Return the first thing about our own engine that was found wrong."""
        return next((each for each in self.findings if each.right is False and each.name != MOSHI), None)

    @property
    def complete(self) -> bool:
        """Return whether everything that our own engine is used for was checked."""
        wanted = self.about.get("checks")
        checked = {each.name for each in self.findings if each.right is not None}
        return isinstance(wanted, list) and KERNELS in wanted and checked.issuperset(wanted)

    @property
    def has_graphs(self) -> bool:
        """Return whether this is about a graphics card, where frames are replayed as CUDA graphs."""
        return self.about.get("graphs") is not False

    @property
    def lasting(self) -> bool:
        """Return whether it is worth keeping: what only lacked memory is looked at again next time."""
        return self.complete or self.wrong is not None

    def finding(self, name: str) -> Finding | None:
        """Return what a check found, None where it was not done."""
        return next((each for each in self.findings if each.name == name), None)

    def ms(self, name: str) -> float | None:
        """Return what a frame of the language model took, for SPEED (ours) or MOSHI."""
        finding = self.finding(name)
        taken = None if finding is None or finding.right is False else finding.figures.get("ms")
        return float(taken) if isinstance(taken, (int, float)) else None


def describe(record: Record | None) -> str:
    """Return a record as a line for people, '' for none."""
    if record is None:
        return ""
    where = "card" if record.has_graphs else "processor"
    if (wrong := record.wrong) is not None:
        return f"checked on this {where}: wrong, {wrong.seen}"
    if not record.complete:
        return f"not checked on this {where}: {record.trouble or _missing(record)}"
    if record.frame_ms is None:
        return f"checked on this {where}: right"
    return f"checked on this {where}: right, {record.frame_ms:.0f} ms of {FRAME_MS:.0f}"


def _missing(record: Record) -> str:
    return next((each.seen for each in record.findings if each.right is None), "the test was broken off")


def make_key(everything: dict[str, Any]) -> str:
    """Return a name for what a record holds good for, the same for the same JSON values."""
    text = json.dumps({"format": FORMAT, **everything}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# --- The cache ------------------------------------------------------------------------------------


def read(cache: Path, key: str) -> Record | None:
    """Return the record of a key, None where there is none that can be believed."""
    path = _path(cache, key)
    try:
        return _parse(read_json(path, RECORD_BYTES), key)
    except FileNotFoundError:
        return None
    except (OSError, Malformed, TypeError, KeyError, ValueError) as fault:
        log.warning("the record %s is not believed", path, exc_info=fault)
        return None


def write(cache: Path, record: Record) -> bool:
    """Keep a record, and forget the oldest beyond MOST_RECORDS; return whether the disk took it."""
    path = _path(cache, record.key)
    try:
        write_json(path, {"format": FORMAT, **asdict(record)}, sync=False)
        for old in _by_age(path.parent)[MOST_RECORDS:]:
            old.unlink(missing_ok=True)
    except OSError as fault:
        # The test is done again at the next load: nothing else is lost.
        log.warning("the record %s could not be kept", path, exc_info=fault)
        return False
    return True


def _path(cache: Path, key: str) -> Path:
    return cache / FOLDER / f"{key}.json"


def _by_age(folder: Path) -> list[Path]:
    """Return the records of a folder, the newest first."""
    return sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)


def _parse(value: Any, key: str) -> Record:
    """Return a record of JSON values. Raises ValueError, KeyError or TypeError for what is none."""
    if value["format"] != FORMAT or value["key"] != key:
        raise ValueError("of another format or for something else")
    findings = tuple(_finding(each) for each in value["findings"])
    frame_ms = value["frame_ms"]
    if not isinstance(value["about"], dict) or not isinstance(value["trouble"], str):
        raise TypeError("not what a record is made of")
    return Record(key, value["about"], findings, value["trouble"], frame_ms and float(frame_ms))


def _finding(value: Any) -> Finding:
    """Return a finding of JSON values. Raises ValueError, KeyError or TypeError for what is none."""
    name, right, seen, figures = (value[part] for part in ("name", "right", "seen", "figures"))
    kinds = isinstance(seen, str) and isinstance(figures, dict) and (right is None or isinstance(right, bool))
    if name not in CHECKS or not kinds:
        raise ValueError("not what a finding is made of")
    return Finding(name, right, seen, figures)


@contextmanager
def alone(cache: Path, wait_s: float = LIMIT_S) -> Iterator[None]:
    """Keep other programs of this user from testing at the same time, as far as the disk can.

    Two tests at once would disturb each other's times and share the card's memory.
    """
    until = time.monotonic() + wait_s
    while (lock := _try_lock(cache / FOLDER)) is None and time.monotonic() < until:
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        if isinstance(lock, locks.Lock):
            lock.release()


def _try_lock(folder: Path) -> locks.Lock | bool | None:
    """Return a lock, None where another program has it, and True where a disk takes none."""
    try:
        return locks.take(make_folder(folder), "the device test", "aizuchi")
    except locks.InUse:
        return None
    except OSError:
        return True


# --- The child ------------------------------------------------------------------------------------


def child_command(request: dict[str, Any]) -> list[str]:
    """Return the command line of a test; what a request holds is told in `app.engine.device_test`."""
    return [sys.executable, "-m", "app.engine.device_test", json.dumps(request)]


def run_child(
    command: Sequence[str],
    *,
    limit_s: float = LIMIT_S,
    told: Callable[[str], None] = lambda _: None,
) -> Record:
    """Run a test to its end, whatever that is, and return what it found until then.

    `told` is called with the name of each check as it begins. Where the child dies or hangs, the check that
    it was at is wrong, and `trouble` says what happened.
    """
    try:
        child = subprocess.Popen(
            [*command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            start_new_session=True,
        )
    except OSError as fault:
        return Record("", {}, trouble=f"the test could not be started: {fault.strerror or fault}")
    late = _Watch(child, limit_s)
    try:
        return _follow(child, late, told)
    finally:
        late.cancel()
        _end(child)


class _Watch:
    """Ends a child after a limit, and knows whether it did."""

    def __init__(self, child: subprocess.Popen[bytes], limit_s: float) -> None:
        self.limit_s = limit_s
        self.bitten = False
        self._child = child
        self._timer = Timer(limit_s, self._bite)
        self._timer.daemon = True
        self._timer.start()

    def _bite(self) -> None:
        self.bitten = True
        _end(self._child)

    def cancel(self) -> None:
        """Leave the child alone from now on."""
        self._timer.cancel()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill a child, if it still lives, with everything that it started, such as processes that compile."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(5)


def _follow(child: subprocess.Popen[bytes], late: _Watch, told: Callable[[str], None]) -> Record:
    """Read the lines of a child to its last."""
    record, at, done = Record("", {}), "", False
    said: deque[str] = deque(maxlen=SAID_LINES)
    assert child.stdout is not None, "a pipe"
    with child.stdout:
        while not done and (line := child.stdout.readline(LINE_BYTES)):
            match parse_line(line):
                case {"key": str(key), "about": dict(about)}:
                    record = replace(record, key=key, about=about)
                case {"begins": str(name)} if name in CHECKS:
                    at = name
                    told(name)
                case {"finding": dict(value)}:
                    with suppress(ValueError, KeyError):
                        record, at = replace(record, findings=(*record.findings, _finding(value))), ""
                case {"done": str(trouble)}:
                    record, done = replace(record, trouble=trouble), True
                case _:
                    said.append(line.decode("utf-8", "replace").strip())
    return record if done else _broken_off(record, at, _why(child, late, said))


def _broken_off(record: Record, at: str, why: str) -> Record:
    """Return a record of a test that did not come to its end; the check that it was at is to blame."""
    if at:
        record = replace(record, findings=(*record.findings, Finding(at, False, why, {})))
    return replace(record, trouble=why)


def _why(child: subprocess.Popen[bytes], late: _Watch, said: Sequence[str]) -> str:
    """Say how a child ended that did not say so itself."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(5)
    status = child.returncode
    if late.bitten or status is None:
        return f"the test gave no answer within {late.limit_s:.0f} s"
    if status < 0:
        with suppress(ValueError):
            return f"the test was ended by {signal.Signals(-status).name}"
    last = next((line for line in reversed(said) if line), "")
    return f"the test ended with status {status}" + (f": {last[:200]}" if last else "")


def kept_ms(times_ms: Sequence[float]) -> float | None:
    """Return the median of times in ms, None of none."""
    times = sorted(time for time in times_ms if math.isfinite(time))
    return round(times[len(times) // 2], 2) if times else None
