"""The folder of a run, held by the one process that writes it: a new one, or one to go on with.

Of several processes the main one holds it, and what it refuses all refuse. Knows nothing about models.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator

from app.errors import UserError
from app.files import PART_SUFFIX, PRIVATE_FOLDER, make_folder
from app.paths import Paths
from app.store import locks
from app.store.locks import LOCK, InUse, Lock
from app.store.runs import CHECKPOINTS, CONFIG, RUN, open_run
from training import checkpoint
from training.config import Config, write_config

COMMAND = "aizuchi train"


class Claim(NamedTuple):
    """A run that this process, or the main one beside it, may write."""

    folder: Path
    first: int | None
    """The step to go on after, None for a new run."""


@contextmanager
def claimed(
    config: Config, folder: Path | None, step: int | None, accelerator: Accelerator, where: Paths
) -> Iterator[Claim]:
    """Hold a run: a new one, or that of `folder` after its last checkpoint or after `step`.

    Raises UserError on all processes: where another process writes it, and where there is no such step.
    """
    with ExitStack() as held:
        found: Claim | UserError | None = None
        if accelerator.is_main_process:
            try:
                found = _take_up(folder, step, held) if folder else _begin(config, where, held)
            except UserError as fault:
                found = fault
        yield _agreed(found, accelerator)


def _agreed(found: Claim | UserError | None, accelerator: Accelerator) -> Claim:
    """Return on all processes what the main one found, or raise what it refused."""
    told: list[Claim | tuple[str, str] | None] = [None]
    if isinstance(found, UserError):
        told = [(found.sentence, found.advice)]
    elif found is not None:
        told = [found]
    if accelerator.num_processes > 1:
        torch.distributed.broadcast_object_list(told)
    if isinstance(told[0], Claim):
        return told[0]
    if isinstance(found, UserError):
        raise found
    assert told[0] is not None
    raise UserError(*told[0])


def _take_up(folder: Path, step: int | None, held: ExitStack) -> Claim:
    run = open_run(folder)
    if (found := run.holder) is not None:
        # Also one begun by an Aizuchi that knew no locks.
        raise InUse(run.name, folder, found)
    held.enter_context(_hold(folder, run.name))
    there = checkpoint.list_checkpoints(folder)
    if step is not None and step not in there:
        known = f"It has those after {', '.join(map(str, there))}." if there else "It has none yet."
        raise UserError(f"{run.name} has no checkpoint after step {step}.", known)
    return Claim(folder, step if step is not None else max(there, default=0))


def _begin(config: Config, where: Paths, held: ExitStack) -> Claim:
    """Make the folder of a new run: the one that is named, or the first that is free."""
    for folder in _names(config, where):
        _remove_fruitless(folder)
        if _make(folder):
            held.enter_context(_hold(folder, folder.name))
            try:
                (folder / CHECKPOINTS).mkdir(PRIVATE_FOLDER)
                write_config(config, folder / CONFIG)
            except OSError as fault:
                raise checkpoint.disk_full(fault, f"The run {folder}") from fault
            return Claim(folder, None)
    advice = f"Go on with it by `aizuchi train --resume {config.name}`, or choose another name."
    raise UserError(f"There is a run {config.name} already.", advice)


def _names(config: Config, where: Paths) -> Iterator[Path]:
    """Yield the folder that is named, or without a name DATA-1, DATA-2 and so on."""
    if config.name:
        yield where.runs / config.name
        return
    stem = Path(config.data[0]).stem.replace("*", "").strip("-_") or "run"
    yield from (where.runs / f"{stem}-{number}" for number in count(1))


def _make(folder: Path) -> bool:
    """Make a folder and return whether there was none. Raises UserError."""
    try:
        make_folder(folder.parent)
        folder.mkdir(PRIVATE_FOLDER)
    except FileExistsError:
        return False
    except OSError as fault:
        raise checkpoint.disk_full(fault, f"The run {folder}") from fault
    return True


def _hold(folder: Path, name: str) -> Lock:
    try:
        return locks.take(folder, name, COMMAND)
    except OSError as fault:
        raise checkpoint.disk_full(fault, f"The run {folder}") from fault


def _remove_fruitless(folder: Path) -> None:
    """Remove a run that failed before its first checkpoint: what was wrong has been mended since, or not."""
    if _is_fruitless(folder):
        with suppress(UserError), _hold(folder, folder.name):
            if _is_fruitless(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_fruitless(folder: Path) -> bool:
    if checkpoint.list_checkpoints(folder):
        return False
    if (folder / RUN).exists():
        with suppress(UserError):
            return open_run(folder).state == "failed"
        return False
    if not folder.is_dir():
        return False
    # Killed before it was a run: there is what `_begin` makes, and nothing else.
    names = {each.name for each in folder.iterdir() if not each.name.endswith(PART_SUFFIX)}
    return CONFIG in names and names <= {CONFIG, CHECKPOINTS, LOCK}
