"""What holds for every test: a home of its own, no network, no screen by default, nothing left running."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

GRACE_S = 2.0
"""How long a thread or a process may take to end after the test that started it."""

TOLERATED = ("multiprocessing.resource_tracker",)
"""Children that Python itself starts once and keeps until it ends."""

OWN_VARIABLES = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "FREETYPE_PROPERTIES", "TORCHINDUCTOR_CACHE_DIR")
"""What pytest itself sets while tests run, and what Qt and torch set once for their own part."""

TIMEOUT = signal.SIGALRM
"""Ends a test that takes too long, and belongs to pytest."""

USERS_HOME = Path.home() / ".local"
"""Below it the settings, recordings and runs of whoever runs the tests would be."""


def pytest_configure() -> None:
    """Set what libraries read when they are imported."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.pop("AIZUCHI_DEBUG", None)


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """Fail a test that leaves the process other than it was: what it took, it gives back."""
    before = _state()
    yield
    after = _state()
    changed = (name for name in before | after if before.get(name) != after.get(name))
    told = [f"{name} was {before.get(name)}, is {after.get(name)}" for name in changed]
    assert not told, f"left behind: {'; '.join(told)}"


@pytest.fixture(autouse=True)
def home(no_trace: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home, so that no settings or models of the user reach it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    return folder


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    threads, children = set(threading.enumerate()), _children()
    yield
    deadline = time.monotonic() + GRACE_S
    while (left := _left(threads, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"left running: {', '.join(left)}"


def _state() -> dict[str, object]:
    """Return what a test may change of the process, each by a name for people."""
    own = os.getpid()
    status = Path("/proc/self/status").read_text()
    return {
        "priority": os.getpriority(os.PRIO_PROCESS, own),
        "scheduling": os.sched_getscheduler(own),
        "umask": next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:")),
        "working directory": os.getcwd(),
        "open for writing": _written_in(USERS_HOME),
        **{f"${name}": value for name, value in os.environ.items() if name not in OWN_VARIABLES},
        **{f"handler of {each.name}": signal.getsignal(each) for each in signal.Signals if each != TIMEOUT},
    }


def _written_in(folder: Path) -> list[str]:
    """Return the files below a folder that this process has open for writing."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            flags = Path(f"/proc/self/fdinfo/{entry.name}").read_text().split()[3]
            target = entry.readlink()
            if int(flags, 8) & os.O_ACCMODE and target.is_relative_to(folder):
                found.append(str(target))
    return sorted(found)


def _left(threads: set[threading.Thread], children: set[int]) -> list[str]:
    started = (thread for thread in threading.enumerate() if thread not in threads)
    # Threads of C libraries that have once called Python show as daemons without a target.
    names = [f"thread {thread.name}" for thread in started if not thread.daemon]
    for pid in _children() - children:
        command = _command(pid)
        if command and not any(name in command for name in TOLERATED):
            names.append(f"process {pid} {command}")
    return names


def _children() -> set[int]:
    """Return the ids of the processes whose parent is this one."""
    own = os.getpid()
    return {
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent(entry) == own
    }


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _command(pid: int) -> str:
    """Return the command line of a process, '' once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


@pytest.fixture
def card_found() -> Iterator[None]:
    """Let a graphics card that a test loses be there again afterwards."""
    yield
    from app.engine import card_fault

    card_fault._lost.clear()
