"""What a killed program left half done: taken up or removed at the next start, beside whatever goes on.

Touches nothing that is being written: what writes holds a lock, and that of a recording, a dataset or a run
is asked first. Knows nothing about what the files mean.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from app.audio import recorder
from app.errors import UserError
from app.files import clear_parts
from app.paths import Paths
from app.store import locks
from app.store.datasets import AUDIO, CODES, SHARDS, SPOKEN, TEXT
from app.store.runs import CHECKPOINTS, SAMPLES

log = logging.getLogger(__name__)

COMPRESSED_BYTES = 2_000_000_000
"""So much sound at most is compressed at one start, five hours of it: the rest waits for the next."""

NICENESS = 19


def clean(where: Paths) -> None:
    """Take up or remove what a killed program left in the folders of a user; each on its own."""
    for folder in (where.config, where.recordings, where.datasets, where.runs, where.models, where.cache):
        clear_parts(folder)
    # So were settings called while they were written, before all files were written in one way.
    for left in _matching(where.config, f".{where.settings.name}.*"):
        _remove(left)
    _each(where.datasets, _clean_dataset)
    _each(where.runs, _clean_run)
    _each(where.recordings, _Recordings().clean)


def start(where: Paths) -> threading.Thread:
    """Clean beside whatever else goes on, at the lowest priority, and return the thread."""
    thread = threading.Thread(target=_clean_idly, args=(where,), name="upkeep", daemon=True)
    thread.start()
    return thread


def _clean_idly(where: Paths) -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    clean(where)


def _each(root: Path, clean: Callable[[Path], None]) -> None:
    """Clean the folders in another one that nobody is writing; what goes wrong with one is its own."""
    for folder in _folders(root):
        _clean_one(folder, clean)


def _clean_one(folder: Path, clean: Callable[[Path], None]) -> None:
    try:
        if locks.holder(folder) is None:
            clean(folder)
    except (OSError, UserError) as fault:
        log.warning("%s is left as it is: %s", folder, fault)


def _clean_dataset(folder: Path) -> None:
    for place in (folder, *(folder / name for name in (AUDIO, TEXT, SPOKEN, CODES))):
        clear_parts(place)
    # A folder of shards stood aside for a moment while another one took its place.
    current, aside = folder / SHARDS, folder / f"{SHARDS}.old"
    if aside.is_dir() and not current.exists():
        aside.rename(current)
    elif aside.is_dir():
        shutil.rmtree(aside)


def _clean_run(folder: Path) -> None:
    for place in (folder, folder / CHECKPOINTS, folder / SAMPLES):
        clear_parts(place)


class _Recordings:
    """The recordings of one start, which together have a limit."""

    def __init__(self) -> None:
        self._left_bytes = COMPRESSED_BYTES

    def clean(self, folder: Path) -> None:
        """Mend and compress what was cut off. Raises OSError, and UserError where it is in use by now."""
        clear_parts(folder)
        size = recorder.unfinished_bytes(folder)
        if size and size <= self._left_bytes and size < shutil.disk_usage(folder).free:
            self._left_bytes -= size
            recorder.finish(folder)


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders directly in another one, but for links, and those that are only being made."""
    with suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield Path(entry.path)


def _matching(folder: Path, pattern: str) -> list[Path]:
    with suppress(OSError):
        return list(folder.glob(pattern))
    return []


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
