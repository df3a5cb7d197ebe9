"""Ways in which a folder on a disk is damaged, for tests of what reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

NOBODY = 65_534
"""A user who may not read what others keep private, in place of root, whom nothing stops."""

DEEP = b"[" * 200_000
DIGITS = b'{"format": ' + b"9" * 100_000 + b"}"
WEIRD: Mapping[str, bytes] = {
    "deep": DEEP,
    "deep object": b'{"a":' * 100_000,
    "digits": DIGITS,
    "infinite": b'{"format": 1e999, "frames": Infinity, "step": NaN, "started": NaN, "created": NaN}',
    "list": b"[1, 2]",
    "text": b'"text"',
    "null": b"null",
    "bytes": bytes(range(256)),
    "utf-16": '{"format": 1}'.encode("utf-16")[:-1],
    "nothing": b"",
    "surrogate": b'{"model": "\\ud800", "name": "\\udfff", "started": "\\ud800", "created": "\\ud800"}',
}
"""Contents that a JSON file may have."""


def pipe(path: Path) -> None:
    """Put a pipe in place of a file: whoever opens it to read waits for ever."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def loop(path: Path) -> None:
    """Put a link to itself in place of a file."""
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    """Put a folder in place of a file."""
    path.unlink(missing_ok=True)
    (path / "inside").mkdir(parents=True)


def endless(path: Path) -> None:
    """Put a device that never ends in place of a file."""
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    """Put 64 GB, of which none are on the disk, in place of a file."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(64 * 2**30)


IN_PLACE: Mapping[str, Callable[[Path], None]] = {
    "pipe": pipe,
    "loop": loop,
    "folder": folder,
    "endless": endless,
    "huge": huge,
}
"""What may stand where a file should."""


def damage(path: Path, how: str) -> None:
    """Damage a file in one of the ways of IN_PLACE or WEIRD."""
    if how in IN_PLACE:
        IN_PLACE[how](path)
    else:
        path.write_bytes(WEIRD[how])


def run_unprivileged(script: str, within: Path, *imports: str) -> str:
    """Run Python in a folder as somebody whom permissions stop, and return what it printed.

    The imports come first: their files may be out of reach for that user.
    """
    if os.geteuid() == 0:
        os.chown(within, NOBODY, NOBODY)
    begun = "\n".join(f"import {name}" for name in ("os", *imports))
    drop = f"os.getuid() or os.setresuid({NOBODY}, {NOBODY}, {NOBODY})"
    code = f"{begun}\n{drop}\nos.umask(0o022)\n{script}"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(
        command, cwd=within, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
