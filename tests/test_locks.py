"""One process writes a folder at a time; the system alone says which, not a number that was left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store.locks import LOCK, InUse, holder, in_use, take

ROOT = Path(__file__).parent.parent

HOLD = """
import sys
from pathlib import Path
from app.store.locks import take

with take(Path(sys.argv[1]), "demo", "aizuchi train"):
    print("held", flush=True)
    sys.stdin.read()
"""

CHILDREN = {
    "forked": "os.fork() or [os.read(0, 1), os._exit(0)]",
    "started": "subprocess.Popen(['cat'], close_fds=False).pid",
}
"""What a process can leave running that has all of its open files."""

KILLED = """
import os, subprocess, sys
from pathlib import Path
from app.store.locks import take

lock = take(Path(sys.argv[1]), "demo", "aizuchi train")
print({child}, flush=True)
os.kill(os.getpid(), 9)
"""

LOCKLESS = """
import ctypes, platform, struct

def forbid_flock():
    # A filter of the kernel that answers flock as a disk without locks does: with ENOLCK.
    number, machine = {"x86_64": (73, 0xC000003E), "aarch64": (32, 0xC00000B7)}[platform.machine()]
    program = b"".join(struct.pack("HBBI", *line) for line in (
        (0x20, 0, 0, 4), (0x15, 0, 3, machine), (0x20, 0, 0, 0), (0x15, 0, 1, number),
        (0x06, 0, 0, 0x00050000 | 37), (0x06, 0, 0, 0x7FFF0000),
    ))
    kept = ctypes.create_string_buffer(program)
    filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 6, ctypes.addressof(kept)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, filter) == 0, ctypes.get_errno()

forbid_flock()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


@contextmanager
def held(folder: Path, *before: str, code: str = HOLD) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a folder."""
    pipe = subprocess.PIPE
    command = [*before, sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def run(code: str, *arguments: object, before: tuple[str, ...] = ()) -> str:
    command = [*before, sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def left_behind(folder: Path, **changes: Any) -> None:
    """Write what this process would into a lock that nobody holds."""
    with take(folder, "demo", "aizuchi train"):
        values = json.loads((folder / LOCK).read_text())
    (folder / LOCK).write_text(json.dumps({**values, **changes}))


def test_a_second_process_is_refused_and_told_which_one_is_at_work(folder: Path) -> None:
    with held(folder) as process:
        found = holder(folder)
        assert found is not None
        assert (found.pid, found.host, found.is_here) == (process.pid, socket.gethostname(), True)
        with pytest.raises(InUse) as caught:
            take(folder, "demo", "aizuchi train")
        said = f"demo is in use: `aizuchi train` is at work on it (process {process.pid})."
        assert caught.value.sentence == said
        assert caught.value.advice
        assert [where for where, _ in in_use(folder.parent)] == [folder]
    assert holder(folder) is None


def test_a_lock_that_is_given_back_leaves_nothing(folder: Path) -> None:
    lock = take(folder, "demo", "aizuchi")
    with pytest.raises(InUse):
        take(folder, "demo", "aizuchi")
    lock.release()
    lock.release()
    assert list(folder.iterdir()) == []
    take(folder, "demo", "aizuchi").release()


def test_a_process_that_is_killed_holds_nothing(folder: Path) -> None:
    with held(folder) as process:
        process.kill()
        process.wait()
        assert (folder / LOCK).exists()
        assert holder(folder) is None
        take(folder, "demo", "aizuchi").release()


def test_a_number_that_lives_says_nothing(folder: Path) -> None:
    """As in a container that is started again, where the next process has the number of the killed one."""
    left_behind(folder)
    assert holder(folder) is None
    take(folder, "demo", "aizuchi").release()


def test_a_holder_in_another_container_is_seen_and_not_signalled(folder: Path) -> None:
    """Both think that they are the process 1 or so of their container."""
    apart = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")
    with held(folder, *apart):
        found = holder(folder)
        assert found is not None
        assert not found.is_here
        assert not found.terminate()
        with pytest.raises(InUse, match="in another container"):
            take(folder, "demo", "aizuchi")
        assert holder(folder) == found


def test_a_holder_on_another_machine_is_named_and_not_signalled(folder: Path) -> None:
    with held(folder):
        values = json.loads((folder / LOCK).read_text())
        (folder / LOCK).write_text(json.dumps({**values, "host": "cuda9", "boot": "another"}))
        with pytest.raises(InUse, match=r"`aizuchi train` is at work on it on cuda9\.") as caught:
            take(folder, "demo", "aizuchi")
        assert not caught.value.holder.terminate()
        assert holder(folder) is not None


def test_a_holder_is_asked_to_end(folder: Path) -> None:
    with held(folder) as process:
        found = holder(folder)
        assert found is not None
        assert found.terminate()
        assert process.wait(10) == -signal.SIGTERM
        assert not found.terminate()


@pytest.mark.parametrize("way", CHILDREN)
def test_what_a_process_starts_or_forks_does_not_keep_its_locks(way: str, folder: Path) -> None:
    command = [sys.executable, "-c", KILLED.format(child=CHILDREN[way]), str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.wait(10) == -signal.SIGKILL
        assert Path(f"/proc/{child}").exists()
        assert (folder / LOCK).exists()
        # A forked child lets go as soon as it runs, which a busy machine puts off.
        deadline = time.monotonic() + 10
        while holder(folder) is not None:
            assert time.monotonic() < deadline, "the child keeps the lock"
            time.sleep(0.01)
        take(folder, "demo", "aizuchi").release()


def test_who_looks_hinders_nobody(folder: Path) -> None:
    """Windows look twice a second, and each look holds the lock for a moment."""
    look = "import sys; from pathlib import Path; from app.store.locks import holder\n"
    look += "print('held', flush=True)\nwhile True: holder(Path(sys.argv[1]))"
    left_behind(folder)
    with held(folder, code=look):
        for _ in range(50):
            take(folder, "demo", "aizuchi").release()
            left_behind(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": "x"}', "\0" * 10_000, '{"pid": 1}'])
def test_whatever_stands_in_the_file_the_system_decides(content: str, folder: Path) -> None:
    (folder / LOCK).write_text(content)
    assert holder(folder) is None
    with held(folder):
        (folder / LOCK).write_text(content)
        found = holder(folder)
        assert found is not None
        assert not found.terminate()
        with pytest.raises(InUse, match=r"demo is in use by another program\.") as caught:
            take(folder, "demo", "aizuchi")
        assert caught.value.advice
    take(folder, "demo", "aizuchi").release()


def test_what_is_no_folder_or_can_not_be_written_is_not_held(folder: Path) -> None:
    assert holder(folder / "gone") is None
    assert list(in_use(folder / "gone")) == []
    with pytest.raises(FileNotFoundError):
        take(folder / "gone", "gone", "aizuchi")
    (folder / LOCK).symlink_to(folder.parent / "elsewhere")
    assert holder(folder) is None
    with pytest.raises(OSError, match="symbolic links"):
        take(folder, "demo", "aizuchi")
    assert not (folder.parent / "elsewhere").exists()


def test_a_lock_goes_with_a_folder_that_is_moved(folder: Path) -> None:
    lock = take(folder, "demo", "aizuchi")
    folder.rename(folder.with_name("trash"))
    folder.mkdir()
    with take(folder, "demo", "aizuchi"):
        lock.release()
        assert holder(folder) is not None


ASK = f"""{LOCKLESS}
import sys
from pathlib import Path
from app.store.locks import InUse, holder, take
folder = Path(sys.argv[1])
try:
    with take(folder, "demo", "aizuchi train"):
        assert holder(folder).is_here
        try:
            take(folder, "demo", "aizuchi")
        except InUse as fault:
            print("mine")
    assert holder(folder) is None
except InUse as fault:
    print(fault, fault.holder.certain, holder(folder) is not None)
"""


def test_without_locks_the_process_itself_is_looked_for(folder: Path) -> None:
    assert run(ASK, folder) == "mine"
    with held(folder, code=LOCKLESS + HOLD) as process:
        assert f"process {process.pid}" in run(ASK, folder)
    assert run(ASK, folder) == "mine"


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({}, False),
        ({"started": 1}, True),
        ({"pid": 2**22 + 1}, True),
        ({"boot": "another"}, True),
        ({"boot": "another", "host": "cuda9"}, False),
        ({"namespace": "pid:[1]"}, False),
        ({"pid": "x"}, True),
    ],
)
def test_without_locks_what_can_not_be_known_is_said(
    changes: dict[str, Any], free: bool, folder: Path
) -> None:
    """This very process, a later one of its number, none, one before a restart, one that nobody can see."""
    left_behind(folder, **changes)
    said = run(ASK, folder)
    if free:
        assert said == "mine"
    elif not changes:
        assert f"process {os.getpid()}" in said
    else:
        host = changes.get("host", socket.gethostname())
        assert f"demo may be in use on {host}: its disk knows no locks. " in said
        assert f"delete {folder / LOCK}. False True" in said
        (folder / LOCK).unlink()
        assert run(ASK, folder) == "mine"
