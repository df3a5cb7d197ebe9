"""What a run tells while it goes on: JSON lines in its folder and on stdout, TensorBoard, and its state.

Knows nothing about models. Only the main process writes; the files are those of `app.store.runs`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from app.files import private, replace_file, write_json
from app.store.runs import FORMAT, METRICS, RUN, Run, open_run, read_metrics

Emit = Callable[[dict[str, Any]], None]
"""Takes an event of the run."""

CURVES = {
    "step": ("loss", "text", "semantic", "acoustic", "user", "words", "lr_temporal", "lr_depth",
             "gradient_norm", "audio_s_per_s", "memory_gb"),
    "evaluation": ("loss", "text", "semantic", "acoustic", "user", "words", "distinct_codes",
                   "entropy_bits", "padding_share"),
}  # fmt: skip
"""What TensorBoard shows of which events, below 'train/' and 'held_out/'."""


class Record:
    """The open files of a run that goes on; `close` ends it."""

    def __init__(self, folder: Path, values: dict[str, Any], show: Emit) -> None:
        self.folder = folder
        self._show = show
        self._values = values
        metrics = private(folder / METRICS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._metrics = os.fdopen(metrics, "a", encoding="utf-8", buffering=1)
        self._board = SummaryWriter(folder / "tensorboard", purge_step=int(values.get("step", 0)) + 1)
        self.update(state="running", pid=os.getpid(), sentence="", advice="")

    @property
    def values(self) -> dict[str, Any]:
        """Return what run.json says."""
        return self._values

    def emit(self, event: dict[str, Any]) -> None:
        """Write an event down and show it. Raises OSError where the disk refuses."""
        self._metrics.write(json.dumps(event, ensure_ascii=False) + "\n")
        self._show(event)
        prefix = "train" if event["kind"] == "step" else "held_out"
        for name in CURVES.get(event["kind"], ()):
            if event.get(name) is not None:
                self._board.add_scalar(f"{prefix}/{name}", event[name], event["step"])

    def update(self, **changes: Any) -> None:
        """Change values of run.json."""
        self._values.update(changes)
        write_json(self.folder / RUN, self._values)

    def end(self, state: str, step: int, sentence: str = "", advice: str = "") -> None:
        """Say how the run ended; what the disk refuses now is not worth another fault."""
        try:
            self.emit({"kind": "ended", "step": step, "state": state, "sentence": sentence, "advice": advice})
            self.update(state=state, pid=None, sentence=sentence, advice=advice)
        except OSError as fault:
            print(f"The end of the run could not be written: {fault}", file=sys.stderr)

    def close(self) -> None:
        """Close the files."""
        self._metrics.close()
        self._board.close()


class Silence:
    """The record of the other processes: they say nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def emit(self, event: dict[str, Any]) -> None:
        """Leave it to the main process."""

    def update(self, **changes: Any) -> None:
        """Leave it to the main process."""

    def end(self, state: str, step: int, sentence: str = "", advice: str = "") -> None:
        """Leave it to the main process."""

    def close(self) -> None:
        """Do nothing."""


def new_values(name: str, **values: Any) -> dict[str, Any]:
    """Return the first run.json of a run."""
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    begun = {"format": FORMAT, "name": name, "created": created, "state": "running", "pid": None}
    return {**begun, "step": 0, "steps": 0, "best_step": None, "best_loss": None, **values}


def take_up(folder: Path, step: int) -> Run:
    """Open a run to go on after `step`; what its metrics say of later steps is forgotten."""
    run = open_run(folder)
    events, _ = read_metrics(folder)
    kept = [event for event in events if event.get("step", 0) <= step and event["kind"] != "ended"]
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept)
    replace_file(folder / METRICS, lines)
    return run


def show_json(event: dict[str, Any]) -> None:
    """Print an event as one line for programs."""
    print(json.dumps(event, ensure_ascii=False), flush=True)


def show_words(event: dict[str, Any]) -> None:
    """Print an event for people; why a run failed is left to what ends the program with it."""
    if event["kind"] in _SAID:
        print(_SAID[event["kind"]](event), flush=True)


def _stage(event: dict[str, Any]) -> str:
    done = f": {100 * event['done'] / event['total']:.0f} %" if event["total"] else ""
    return f"{event['text']}{done}"


def _started(event: dict[str, Any]) -> str:
    learnt, aside = (_lasting(3600 * event[name]) for name in ("hours", "held_out_hours"))
    judged = f"{aside} are kept aside" if event["held_out_hours"] else "nothing is kept aside"
    return (
        f"{event['parameters']:,} parameters learn from {learnt} of dialogue on {event['device']}; "
        f"{judged} to judge by."
    )


def _stepped(event: dict[str, Any]) -> str:
    speed = f"{event['audio_s_per_s']:.0f} s of audio a second, {event['memory_gb']:.1f} GB"
    left = f"; {_lasting(event['left_s'])} left" if event["left_s"] else ""
    return f"step {event['step']}: loss {event['loss']:.4f} ({_streams(event)}); {speed}{left}"


def _judged(event: dict[str, Any]) -> str:
    """Return what an evaluation says: the losses, or what its sample is like where nothing is kept aside."""
    if "loss" in event:
        best = ", the best so far" if event["best"] else ""
        return f"step {event['step']}: held out {event['loss']:.4f} ({_streams(event)}){best}"
    silent = f"{100 * event['padding_share']:.0f} % of its text is padding"
    return f"step {event['step']}: a sample has {event['distinct_codes']} different sounds, {silent}"


def _warned(event: dict[str, Any]) -> str:
    return f"step {event['step']}: {event['sentence']} {event['advice']}"


def _ended(event: dict[str, Any]) -> str:
    when = f"after step {event['step']}" if event["step"] else "before the first step"
    ended = f"{event['state'].capitalize()} {when}."
    return f"{ended} {event['sentence']}" if event["sentence"] and event["state"] != "failed" else ended


_SAID: dict[str, Callable[[dict[str, Any]], str]] = {
    "stage": _stage,
    "started": _started,
    "step": _stepped,
    "evaluation": _judged,
    "warning": _warned,
    "ended": _ended,
}


def _streams(event: dict[str, Any]) -> str:
    known = (
        name for name in ("text", "semantic", "acoustic", "user", "words") if event.get(name) is not None
    )
    return ", ".join(f"{name} {event[name]:.3f}" for name in known)


def _lasting(length_s: float) -> str:
    minutes, rest_s = divmod(round(length_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest_s:02} s" if minutes else f"{rest_s} s"
