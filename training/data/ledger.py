"""import.jsonl: which source each dialogue of a dataset came from, and what was found and done on the way.

A line is `{"dialogue", "source", "finding", "sentence", "done"}`; a dialogue that came in has one whose
finding is 'imported', with what tells its source, its sound and its words from others. Knows nothing about
their content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.files import private, read_json_lines, readable
from app.store.datasets import IMPORTED, Dataset
from training.data.identity import sound_identity

IMPORTED_FINDING = "imported"


@dataclass(frozen=True)
class Entry:
    """What is known of a source, '' and nothing where an older version did not note it."""

    source: str
    identity: str
    """Of its file, by size and time."""
    dialogues: tuple[str, ...] = ()
    sound: str = ""
    """The identity of its sound at 24 kHz, before it was cut or its channels were exchanged."""
    words: str = ""
    """The identity of its words as the source has them."""
    swapped: bool | None = None
    """Whether the channels were exchanged."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each dialogue, the identities of the words of A and of B as they came in."""


class Ledger:
    """The lines of one dataset, read once and added to."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._path = dataset.folder / IMPORTED
        self._lines = {_text(line) for line in _read(self._path)}
        self._entries: dict[str, Entry] = {}
        for line in _read(self._path):
            self._remember(line)

    def known(self, source: Path) -> Entry | None:
        """Return what came of a source, None if it was never imported."""
        # Earlier versions noted where links lead.
        real = Path(os.path.realpath(source))
        return self._entries.get(source_name(source)) or self._entries.get(source_name(real))

    def moved(self, source: Path, identity: str) -> Entry | None:
        """Return what came of a file of this name, size and time that is no longer where it was."""
        for entry in self._entries.values():
            is_same = entry.identity == identity and Path(entry.source).name == Path(source_name(source)).name
            if is_same and self.is_gone(entry):
                return entry
        return None

    def twins(self, sound: str, source: Path) -> list[Entry]:
        """Return what came of other sources with the same sound, and is there."""
        others = (entry for entry in self._entries.values() if entry.source != source_name(source))
        return [entry for entry in others if sound and self._sound(entry) == sound and self.is_there(entry)]

    def is_there(self, entry: Entry) -> bool:
        """Say whether all that came of a source is in the dataset."""
        return all(self.dataset.audio(name).exists() for name in entry.dialogues)

    def is_gone(self, entry: Entry) -> bool:
        """Say whether a source is no longer where it was, as far as its name can tell."""
        return "\\" not in entry.source and not os.path.lexists(entry.source)

    @property
    def dialogues(self) -> set[str]:
        """Return the names of all dialogues that ever came in."""
        return {name for entry in self._entries.values() for name in entry.dialogues}

    @property
    def sources(self) -> dict[str, str]:
        """Return for each dialogue the identity of the sound that it is, or was cut from, if it is known."""
        found = self._entries.values()
        return {name: entry.sound for entry in found if entry.sound for name in entry.dialogues}

    def imported(self, entry: Entry) -> None:
        """Note what a source became. Raises OSError."""
        if self._entries.get(entry.source) == entry:
            return
        self._entries.pop(entry.source, None)
        about = {"identity": entry.identity, "sound": entry.sound, "words": entry.words}
        for name in entry.dialogues:
            line = {"dialogue": name, "source": entry.source, "finding": IMPORTED_FINDING}
            line |= {"sentence": "", "done": "It was imported."}
            text = dict(entry.texts.get(name, {}))
            self.add({**line, **about, "swapped": entry.swapped, "text": text})

    def add(self, line: dict[str, Any]) -> None:
        """Append a line, unless it says what was noted before. Raises OSError."""
        line = {name: readable(value) if isinstance(value, str) else value for name, value in line.items()}
        self._remember(line)
        if (text := _text(line)) in self._lines and line["finding"] != IMPORTED_FINDING:
            return
        with open(self._path, "ab", opener=private) as file:
            # A crash may have cut the last line.
            torn = file.tell() > 0 and not _ends_well(self._path)
            file.write(f"{chr(10) * torn}{text}\n".encode())
        self._lines.add(text)

    def _remember(self, line: dict[str, Any]) -> None:
        if line["finding"] != IMPORTED_FINDING:
            return
        source, name = str(line["source"]), str(line["dialogue"])
        identity, sound, words = (str(line.get(key) or "") for key in ("identity", "sound", "words"))
        swapped, text = line.get("swapped"), line.get("text")
        entry = Entry(source, identity, (), sound, words, swapped if isinstance(swapped, bool) else None)
        before = self._entries.get(source)
        if before is not None and before.identity == identity:
            entry = replace(entry, dialogues=before.dialogues, texts=before.texts)
        names = entry.dialogues if name in entry.dialogues else (*entry.dialogues, name)
        texts = {**entry.texts, name: text if isinstance(text, dict) else {}}
        self._entries[source] = replace(entry, dialogues=names, texts=texts)

    def _sound(self, entry: Entry) -> str:
        """Return the identity of the sound of a source; of an older import that of what came of it."""
        if not entry.sound and len(entry.dialogues) == 1:
            with suppress(OSError):
                return sound_identity(self.dataset.audio(entry.dialogues[0]))
        return entry.sound


def source_name(source: Path) -> str:
    """Return what a source is called in the ledger."""
    return readable(str(source))


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _read(path: Path) -> Iterator[dict[str, Any]]:
    # A crash may have cut a line; what is no list of lines at all says nothing.
    with suppress(OSError, ValueError):
        yield from (
            line for line in read_json_lines(path) if {"dialogue", "source", "finding"} <= line.keys()
        )
