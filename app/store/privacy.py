"""Voices and words are for their owner alone: what is written from now on, and what earlier versions wrote.

Knows nothing about what is in a folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.files import PRIVATE_FOLDER
from app.paths import Paths

UMASK = stat.S_IRWXG | stat.S_IRWXO
"""What the group and everybody else may do, and what is taken from them."""


@contextmanager
def private(where: Paths) -> Iterator[None]:
    """Let what this process and its children write be private, and make private what lies there."""
    before = os.umask(UMASK)
    try:
        tighten(where)
        yield
    finally:
        os.umask(before)


def tighten(where: Paths) -> None:
    """Take from others what they may do in the folders of a user; where nothing is open this is quick."""
    for root in where.all():
        for folder in (*_folders(root), root):
            if _is_open(folder):
                _close(folder)


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders directly in another one, but for links."""
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _is_open(folder: Path) -> bool:
    """Say whether others may use a folder, or a file that lies directly in it."""
    with suppress(OSError), os.scandir(folder) as entries:
        inside = (entry for entry in entries if not entry.is_symlink() and not entry.is_dir())
        modes = (folder.stat().st_mode, *(entry.stat().st_mode for entry in inside))
        return any(mode & UMASK for mode in modes)
    return False


def _close(folder: Path) -> None:
    """Let a folder and all in it be for its owner alone, last the folder itself: this may break off."""
    for place, _, names in os.walk(folder, topdown=False):
        for path in (*(Path(place, name) for name in names), Path(place)):
            with suppress(OSError):
                mode = path.lstat().st_mode
                if mode & UMASK and not stat.S_ISLNK(mode):
                    path.chmod(stat.S_IMODE(mode) & PRIVATE_FOLDER)
