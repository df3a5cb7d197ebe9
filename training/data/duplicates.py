"""Which dialogues are the same by what is heard in them, whatever they are called and wherever they are.

Knows nothing about words, which may differ, or about what is done about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.errors import UserError
from app.store.datasets import SHARDS, Dataset, open_dataset
from training.data.identity import sound_identity
from training.data.ledger import Ledger
from training.data.shards import Shards


class Content(NamedTuple):
    """What tells a dialogue from others; '' is not known."""

    codes: str
    """Of both voices, whichever is A."""
    sound: str = ""
    """What the codes were made of."""
    source: str = ""
    """The sound of which the dialogue may be a piece."""
    folder: str = ""
    """Of its dataset: two pieces of one source in one dataset are not the same."""


class Heard:
    """Dialogues by their content."""

    def __init__(self, contents: Iterable[Content] = ()) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._folders: dict[str, set[str]] = {}
        for content in contents:
            self.add(content)

    def add(self, content: Content) -> None:
        """Take note of a dialogue."""
        self._keys |= _keys(content)
        if content.source:
            self._folders.setdefault(content.source, set()).add(content.folder)

    def __contains__(self, content: Content) -> bool:
        elsewhere = self._folders.get(content.source, set()) - {content.folder}
        return bool(_keys(content) & self._keys or elsewhere)


def _keys(content: Content) -> set[tuple[str, str]]:
    return {(kind, key) for kind, key in (("codes", content.codes), ("sound", content.sound)) if key}


def repeats(contents: Sequence[Content]) -> list[int]:
    """Return which dialogues are the same as one before them."""
    heard, found = Heard(), []
    for index, content in enumerate(contents):
        if content in heard:
            found.append(index)
        heard.add(content)
    return found


def contents_of(shards: Shards) -> list[Content]:
    """Return the content of each dialogue of prepared files, in their order; all codes are read once."""
    origins = {path: _Origin(path) for path in dict.fromkeys(shards.files)}
    return [
        origins[path].content(name, _codes_identity(shards, index))
        for index, (path, (name, _)) in enumerate(zip(shards.files, shards.dialogues, strict=True))
    ]


def sounds_of(dataset: Dataset) -> list[Content]:
    """Return the content of each dialogue of a dataset that has sound, by what can be read at once."""
    return [Content("", _sound_of(dataset, name)) for name in dataset.dialogues()]


class _Origin:
    """What the dataset around a prepared file knows of its dialogues; nothing where there is none."""

    def __init__(self, path: Path) -> None:
        self._dataset: Dataset | None = None
        self._sources: dict[str, str] = {}
        if path.parent.name == SHARDS:
            with suppress(UserError):
                self._dataset = open_dataset(path.parent.parent.resolve())
                self._sources = Ledger(self._dataset).sources

    def content(self, name: str, codes: str) -> Content:
        """Return the content of a dialogue with these codes."""
        if self._dataset is None:
            return Content(codes)
        source = self._sources.get(name, "")
        return Content(codes, _sound_of(self._dataset, name), source, str(self._dataset.folder))


def _sound_of(dataset: Dataset, name: str) -> str:
    # The identity of a dialogue of tokens alone may be any text.
    with suppress(OSError, ValueError):
        return sound_identity(dataset.audio(name))
    return ""


def _codes_identity(shards: Shards, index: int) -> str:
    """Return what tells the codes of both voices from others; '' for a dialogue without any."""
    voices = [np.ascontiguousarray(voice[1:], dtype=np.int32) for voice in shards.streams(index)]
    if not voices[0].size:
        return ""
    return "-".join(sorted(hashlib.sha256(voice.tobytes()).hexdigest() for voice in voices))
