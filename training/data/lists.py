"""Lists of sound files as Kyutai's finetuner reads them: JSON lines, each with `path` and `duration`.

Taken in each form in which they are met: lines, objects over several lines, one array, in UTF-8 or UTF-16.
Also the names in them: with slashes of either kind, and accents in one character or two. Knows nothing about
what the files are.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from app.files import JSON_BYTES, Malformed, decode, open_regular, read_bytes
from app.store.datasets import time_in_s

SUFFIXES = (".jsonl", ".json", ".txt", "")
LINES = ".jsonl"
"""What has this name is meant to be lines of JSON."""

_SNIFFED_BYTES = 256
_BETWEEN, _IN_ARRAY = " \t\r\n", " \t\r\n,[]"
"""What stands between the entries, on lines of their own and in one array."""


class Entry(NamedTuple):
    """A sound file that a list names; '' where a line names none."""

    line: int
    path: str
    said_s: float | None
    """How long it is said to be."""


def list_entries(path: Path) -> list[Entry]:
    """Return what a list names, [] for a file that is none.

    Raises OSError where the file can not be read, and Malformed where it is meant to be a list and is not.
    """
    if path.suffix.lower() not in SUFFIXES or not os.path.isfile(path) or not os.stat(path).st_size:
        return []
    is_meant = path.suffix.lower() == LINES
    if not _may_be_json(path):
        if is_meant:
            raise Malformed("holds no lines of JSON in UTF-8")
        return []
    try:
        values = _values(_text(read_bytes(path, JSON_BYTES)))
    except Malformed:
        if is_meant:
            raise
        return []
    entries: list[Entry] = []
    for line, value in values:
        if value is not None and not _names_file(value) and not any(entry.path for entry in entries):
            return []
        entries.append(_entry(line, value))
    if not any(entry.path for entry in entries):
        if is_meant:
            raise Malformed("holds no lines of JSON in UTF-8")
        return []
    return entries


def _names_file(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("path"), str) and value["path"] != ""


def _entry(line: int, value: Any) -> Entry:
    if not _names_file(value):
        return Entry(line, "", None)
    return Entry(line, value["path"], time_in_s(value.get("duration")))


def find(folder: Path, name: str) -> Path | None:
    """Return the file that a list in `folder` calls so, None where there is none."""
    for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
        if os.path.isfile(folder / spelt):
            return folder / spelt
        if (path := _alike(folder, spelt)) is not None:
            return path
    return None


def beside(path: Path, suffix: str) -> Path:
    """Return what is called as a file but for its suffix, or as much like that as there is."""
    try:
        wanted = path.with_suffix(suffix)
    except ValueError:
        return path.with_name(f"{path.name}{suffix}")
    return wanted if os.path.lexists(wanted) else _alike(path.parent, wanted.name) or wanted


def _alike(folder: Path, name: str) -> Path | None:
    """Return the file whose name differs at most in how its accents are written."""
    at = Path("/") if name.startswith("/") else folder
    for part in Path(name).parts:
        if part == "/":
            continue
        plain = _normal(part)
        if not os.path.lexists(at / part) and plain.isascii():
            # Nothing else is written like this.
            return None
        if part == ".." or os.path.lexists(at / part):
            at /= part
            continue
        try:
            at = next(at / each for each in os.listdir(at) if _normal(each) == plain)
        except (OSError, StopIteration):
            return None
    return at if os.path.isfile(at) else None


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _may_be_json(path: Path) -> bool:
    with open_regular(path) as file:
        head = file.read(_SNIFFED_BYTES)
    # Of UTF-16 and UTF-32 every other byte, or three of four, are 0.
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"{", b"[")


def _text(content: bytes) -> str:
    """Return the text of a file; bytes that are no UTF-8 stay, as in names of files. Raises Malformed."""
    try:
        return decode(content)
    except Malformed:
        if not content.startswith((b"{", b"[")):
            raise
        return content.decode("utf-8", "surrogateescape")


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the lines and the JSON values that stand there, one after the other or in one array.

    What is none is None; the next line may be well again.
    """
    decoder, at, line = json.JSONDecoder(), 0, 1
    between = _IN_ARRAY if text.lstrip().startswith("[") else _BETWEEN
    while True:
        first = at
        while at < len(text) and text[at] in between:
            at += 1
        line += text.count("\n", first, at)
        if at == len(text):
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, end = None, text.find("\n", at)
            end = end if end >= 0 else len(text)
        yield line, value
        line += text.count("\n", at, end)
        at = end
