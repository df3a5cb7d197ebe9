"""How far a long command is, for people and for programs: a bar with the time left, or JSON lines.

The bar goes to stderr, what was found goes to stdout, one line each; with `as_json` everything is one JSON
object a line on stdout. Knows nothing about what is being done.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from types import TracebackType

from tqdm import tqdm

from app.files import readable

_EVERY_S = 0.2
"""Progress is told no more often than this, but for the first and the last time."""


class Progress:
    """One stage of a command. Use it as a context manager; stages may follow each other.

    `total` and what `advance` takes are in `unit`: 's' (of audio) or 'dialogues'.
    """

    def __init__(self, stage: str, total: float, unit: str, as_json: bool) -> None:
        self._stage = stage
        self._total = total
        self._unit = unit
        self._as_json = as_json
        self._done = 0.0
        self._began_s = self._told_s = time.monotonic()
        self._bar: tqdm[object] | None = None

    def __enter__(self) -> Progress:
        if self._as_json:
            self._tell()
        else:
            # Hundredths of a second of audio are no news; the bar shows what was added up, rounded.
            form = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} {unit} [{elapsed}<{remaining}]"
            self._bar = tqdm(
                total=self._total, desc=self._stage, unit=self._unit, bar_format=form, file=sys.stderr
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        elif self._as_json and kind is None:
            self._tell()

    def advance(self, amount: float) -> None:
        """Say that this much more is done; it is never more than all."""
        amount = min(amount, self._total - self._done)
        self._done += amount
        if self._bar is not None:
            self._bar.update(amount)
        elif self._as_json and time.monotonic() - self._told_s >= _EVERY_S:
            self._tell()

    def finding(self, values: Mapping[str, object]) -> None:
        """Tell a finding, such as a line of import.jsonl: for people, `dialogue: sentence what was done`."""
        if self._as_json:
            _print_json({"kind": "finding", **values})
            return
        dialogue = f"{values['dialogue']}: " if values.get("dialogue") else ""
        told = " ".join(str(values[name]) for name in ("sentence", "done", "advice") if values.get(name))
        tqdm.write(readable(f"{dialogue}{told}"), file=sys.stdout)

    def result(self, values: Mapping[str, object]) -> None:
        """Tell what came of it, as the last line: for people, its `sentence`."""
        if self._as_json:
            _print_json({"kind": "result", **values})
        elif values.get("sentence"):
            tqdm.write(readable(str(values["sentence"])), file=sys.stdout)

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        left_s = None
        if 0 < self._done <= self._total:
            left_s = round((self._told_s - self._began_s) * (self._total - self._done) / self._done, 1)
        _print_json(
            {
                "kind": "progress",
                "stage": self._stage,
                "done": round(self._done, 2),
                "total": round(self._total, 2),
                "unit": self._unit,
                "left_s": left_s,
            }
        )


def _print_json(values: Mapping[str, object]) -> None:
    # A name of a file may be no text.
    values = {name: readable(value) if isinstance(value, str) else value for name, value in values.items()}
    print(json.dumps(values, ensure_ascii=False), flush=True)


def duration(length_s: float) -> str:
    """Return a length as people say it."""
    if length_s < 120:
        return f"{length_s:.0f} s"
    return f"{length_s / 60:.1f} minutes" if length_s < 5400 else f"{length_s / 3600:.1f} hours"


def counted(number: int, thing: str) -> str:
    """Return '1 dialogue', '2 dialogues' and the like."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
