"""A disk that is soon full: one of its own where that may be made, else files that may not grow."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs a command line of the program on the disk, with its home there."""


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Run]:
    """Make a folder a disk of this size, and yield what runs the program there."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    is_disk = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield partial(_run, folder, 0 if is_disk else size_bytes)
    finally:
        if is_disk:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _run(folder: Path, limit_bytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if limit_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "app", "--home", folder / "home", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, preexec_fn=limit)
