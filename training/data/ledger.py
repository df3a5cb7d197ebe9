"""import.jsonl: which source each dialogue of a dataset came from, and what was found and done on the way.

Knows nothing about sound or words. A line is `{"dialogue", "source", "finding", "sentence", "done"}`; a
dialogue that came in has one whose finding is 'imported', with the `identity` of its source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from app.datasets import IMPORTED, Dataset
from app.files import private

IMPORTED_FINDING = "imported"


class Entry(NamedTuple):
    """What is known of a source."""

    dialogues: list[str]
    identity: str


class Ledger:
    """The lines of one dataset, read once and added to."""

    def __init__(self, dataset: Dataset) -> None:
        self._path = dataset.folder / IMPORTED
        self._lines = {_text(line) for line in _read(self._path)}
        self._entries: dict[str, Entry] = {}
        for line in _read(self._path):
            self._remember(line)

    def known(self, source: Path) -> Entry | None:
        """Return what came of a source, None if it was never imported."""
        return self._entries.get(str(source))

    @property
    def dialogues(self) -> set[str]:
        """Return the names of all dialogues that ever came in."""
        return {name for entry in self._entries.values() for name in entry.dialogues}

    def imported(self, dialogues: list[str], source: Path, identity: str) -> None:
        """Note that a source became these dialogues. Raises OSError."""
        self._entries.pop(str(source), None)
        for name in dialogues:
            line = {"dialogue": name, "source": str(source), "finding": IMPORTED_FINDING}
            self.add({**line, "sentence": "", "done": "It was imported.", "identity": identity})

    def add(self, line: dict[str, Any]) -> None:
        """Append a line, unless it says what was noted before. Raises OSError."""
        self._remember(line)
        if (text := _text(line)) in self._lines:
            return
        with open(self._path, "ab", opener=private) as file:
            # A crash may have cut the last line.
            torn = file.tell() > 0 and not _ends_well(self._path)
            file.write(f"{chr(10) * torn}{text}\n".encode())
        self._lines.add(text)

    def _remember(self, line: dict[str, Any]) -> None:
        if line["finding"] != IMPORTED_FINDING:
            return
        source, identity = str(line["source"]), str(line.get("identity", ""))
        before = self._entries.get(source)
        names = before.dialogues if before and before.identity == identity else []
        name = str(line["dialogue"])
        self._entries[source] = Entry(names if name in names else [*names, name], identity)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with suppress(ValueError):
            values = json.loads(line)
            if isinstance(values, dict) and {"dialogue", "source", "finding"} <= values.keys():
                yield values
