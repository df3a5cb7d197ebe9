"""Training runs on disk: what a run folder holds, read as values.

Written by `training`, read by the window and the command line while a run goes on; knows nothing about how
training works. A run folder holds

- `config.toml`: the configuration, complete;
- `run.json`: `format`, `name`, `created`, `model` (spec), `base` (the checkpoint's details), `data` (names),
  `hours`, `state` (one of STATES), `pid` (of the process that trains, or null), `step`, `steps`, `best_step`,
  `best_loss`, `first_loss` (held out, in nats: at the best step and before the first), `sentence`, `advice`
  (why it ended, or '');
- `.lock`: held by the process that trains, which its number alone does not tell;
- `provenance.json`: what it began with, by content: settings, model, dialogues, versions;
- `metrics.jsonl`: what happened, one event a line, each with `kind` and `step`;
- `checkpoints/step-000100/`: weights and the whole state of the optimiser, to go on from;
- `samples/step-000100.flac`: what the model said to the same prompt (stereo, left = model, right = user);
- `tensorboard/`: the same curves for TensorBoard.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import UserError
from app.files import Malformed, named, open_regular, parse_line, read_json
from app.store import locks
from app.store.locks import LOCK, Holder, InUse

FORMAT = 1
CONFIG, RUN, METRICS, CHECKPOINTS, SAMPLES = (
    "config.toml",
    "run.json",
    "metrics.jsonl",
    "checkpoints",
    "samples",
)

_NUMBER, _NONE = (int, float), type(None)
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str, _NONE),
    "created": (str, _NONE),
    "state": (str, _NONE),
    "model": (str, _NONE),
    "step": (int, _NONE),
    "steps": (int, _NONE),
    "best_step": (int, _NONE),
    "best_loss": (*_NUMBER, _NONE),
    "hours": (*_NUMBER, _NONE),
    "sentence": (str, _NONE),
    "advice": (str, _NONE),
}
"""What the values of run.json are, where they are told."""

_TAIL_BYTES = 8_192
"""So much of the end of metrics.jsonl holds the last step."""

STATES = ("running", "stopped", "finished", "failed")
"""'stopped' can be resumed; so can 'running' without a living process, which was killed, and 'failed'."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, as it stood when it was read."""

    folder: Path
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.values.get("name") or self.folder.name)

    @property
    def state(self) -> str:
        """Return one of STATES; a run whose process was killed is 'stopped'."""
        state = self.values.get("state")
        if state not in STATES:
            return "failed"
        return "stopped" if state == "running" and not self.alive else state

    @property
    def alive(self) -> bool:
        """Return whether a process trains it, on whatever machine."""
        return self.holder is not None

    @property
    def is_here(self) -> bool:
        """Return whether a process trains it that `stop` can reach."""
        return (found := self.holder) is not None and found.is_here

    @property
    def holder(self) -> Holder | None:
        """Return the process that trains it, None where none does."""
        if self.values.get("state") != "running":
            return None
        return locks.holder(self.folder) or self._begun_without_lock()

    @property
    def step(self) -> int:
        """Return how many steps are done."""
        return int(self.values.get("step") or 0)

    @property
    def steps(self) -> int:
        """Return how many steps there will be."""
        return int(self.values.get("steps") or 0)

    @property
    def newest_step(self) -> int:
        """Return how many steps are done, those since the last checkpoint counted while it goes on."""
        return max(self.step, _last_told(self.folder)) if self.alive else self.step

    @property
    def progress(self) -> float:
        """Return which share of its steps is done, 0..1: the one figure that is shown everywhere."""
        return min(1.0, self.newest_step / self.steps) if self.steps > 0 else 0.0

    def stop(self) -> None:
        """Ask the process to write a checkpoint and end; asked again, it ends at the last one it has.

        Does nothing where none runs. Raises UserError where one runs that can not be reached from here.
        """
        found = self.holder
        if found is not None and not found.terminate() and self.alive:
            raise InUse(self.name, self.folder, found)

    def _begun_without_lock(self) -> Holder | None:
        """Return the process of an Aizuchi that wrote its number alone, if it is surely that one."""
        pid, file = self.values.get("pid"), self.folder / RUN
        if not isinstance(pid, int) or (self.folder / LOCK).exists():
            return None
        with suppress(OSError):
            # In a container that was started again the number may be that of any process, a later one.
            if b"train" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return locks.holder_before(pid, file.stat().st_mtime, "aizuchi train")
        return None


def open_run(folder: Path) -> Run:
    """Return the run in a folder. Raises UserError when there is none."""
    try:
        values = read_json(folder / RUN)
        if values["format"] > FORMAT:
            raise UserError(f"{folder} was made by a newer Aizuchi.", "Update the program.")
        if odd := [name for name, kinds in _TYPES.items() if not isinstance(values.get(name), kinds)]:
            raise TypeError(odd[0])
    except OSError as fault:
        raise UserError(
            f"There is no training run in {folder}.", "Begin one with `aizuchi train CONFIG.toml`."
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise UserError(
            f"{folder / RUN} is damaged.", "Put back a copy of the file, or begin another run."
        ) from fault
    return Run(folder, values)


def find_run(spec: str, root: Path) -> Path:
    """Return the folder of a run, named by the folder or by its name below `root`. Raises UserError."""
    for folder in (named(spec), root / spec):
        if os.path.isfile(folder / RUN):
            return Path(os.path.realpath(folder))
    names = ", ".join(run.name for run in list_runs(root))
    known = f"There are {names}." if names else "Begin one with `aizuchi train CONFIG.toml`."
    raise UserError(f"There is no training run '{spec}'.", known)


def list_runs(root: Path) -> list[Run]:
    """Return the runs below `root`, newest first; one that is damaged hides no other, and is left out."""
    found = []
    with suppress(OSError):
        for folder in root.iterdir():
            with suppress(UserError):
                # One with a dot is only being made.
                found += [] if folder.name.startswith(".") else [open_run(folder)]
    return sorted(found, key=lambda run: (str(run.values.get("created", "")), run.name), reverse=True)


def read_metrics(folder: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return the events of a run from a byte offset on, and the offset to go on from.

    A line that is still being written is left for the next time.
    """
    try:
        with open_regular(folder / METRICS) as file:
            file.seek(offset)
            raw = file.read()
    except (OSError, Malformed):
        return [], offset
    whole = raw[: raw.rfind(b"\n") + 1]
    return list(_events(whole)), offset + len(whole)


def _last_told(folder: Path) -> int:
    """Return the newest step that a run told, 0 where it told none."""
    try:
        with open_regular(folder / METRICS) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            raw = file.read()
    except (OSError, Malformed):
        return 0
    steps = [event.get("step") for event in _events(raw[: raw.rfind(b"\n") + 1]) if event["kind"] == "step"]
    return max((step for step in steps if isinstance(step, int)), default=0)


def _events(raw: bytes) -> Iterator[dict[str, Any]]:
    for line in raw.splitlines():
        event = parse_line(line)
        if event is not None and isinstance(event.get("kind"), str) and _is_step(event.get("step", 0)):
            yield event


def _is_step(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
