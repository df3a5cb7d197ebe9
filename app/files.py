"""The one way to write a file or a folder, and the one door for JSON and TOML.

A file is written beside its place under a hidden name, synced to the disk and renamed, so that a reader, a
crash or a full disk leaves the old or the new one, never half of it. What is read is believed only within
limits. Everything is for its owner alone, since most of it holds a person's voice or words. Knows nothing
about what the files mean.
"""

from __future__ import annotations

import codecs
import errno
import fcntl
import itertools
import json
import math
import os
import shutil
import stat
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PART_SUFFIX = ".part"
"""How the name of what is being written ends; it begins with a dot."""

OLD_SUFFIX = f".old{PART_SUFFIX}"
"""How the name of a folder ends for the moment in which another one takes its place."""

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600

JSON_BYTES = 64 * 2**20
"""The largest JSON file of ours: the words of a day of dialogue are a tenth of it."""

TOML_BYTES = 2**20
"""The largest TOML file: people write them by hand."""

LINES_BYTES = 256 * 2**20
"""The largest file of JSON lines: 12 hours with an event in each frame are a fifth of it."""

LINE_BYTES = 2**20
"""The longest of its lines."""

MOST_DIGITS = 20
"""A whole number of 64 bits has no more, with its sign."""

DEPTH = 64
"""How deep lists and tables may lie in each other: ours need six."""

_numbers = itertools.count()
"""Tells apart what several threads write to the same place; `next` is one step of the interpreter."""

_ENCODINGS = (
    # UTF-32 begins as UTF-16 does, so it is looked for first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Malformed(ValueError):
    """What is wrong with the content of a file, as the end of a sentence: 'is not JSON (line 3)'."""


def named(spec: str | Path) -> Path:
    """Return the absolute path of what a person names; `~` is the home, links stay as they are.

    Whatever was written gives a path; `os.path.isfile` and its kin say no to what the system refuses, such as
    a name that is too long, where the methods of a Path raise.
    """
    return Path(os.path.abspath(os.path.expanduser(spec)))


# --- Reading --------------------------------------------------------------------------------------


def read_json(path: Path, limit_bytes: int = JSON_BYTES, *, foreign: bool = False) -> Any:
    """Return what a JSON file holds, as `parse_json` does.

    Raises OSError, and Malformed (a ValueError) for any other fault.
    """
    return parse_json(read_bytes(path, limit_bytes), foreign=foreign)


def read_toml(path: Path, limit_bytes: int = TOML_BYTES) -> dict[str, Any]:
    """Return what a TOML file holds. Raises OSError, and Malformed (a ValueError) for any other fault."""
    return parse_toml(read_bytes(path, limit_bytes))


def read_json_lines(path: Path, limit_bytes: int = LINES_BYTES) -> Iterator[dict[str, Any]]:
    """Yield the objects in a file that has one a line; what is none, or cut off by a crash, is passed over.

    Raises OSError, and Malformed (a ValueError) where the file is none, or where it goes beyond the limit.
    """
    with open_regular(path) as file:
        done = 0
        while line := file.readline(LINE_BYTES):
            if (done := done + len(line)) > limit_bytes:
                raise _too_large(limit_bytes)
            if (value := parse_line(line)) is not None:
                yield value


def read_bytes(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a regular file. Raises OSError, and Malformed where it is larger than allowed."""
    with open_regular(path) as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise _too_large(limit_bytes)
    return content


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading. Raises OSError, and Malformed for a pipe or a device: it might never end."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Malformed("is not a regular file")
    return file


def _too_large(limit_bytes: int) -> Malformed:
    return Malformed(f"is larger than {limit_bytes / 2**20:.0f} MB")


def may_hold(folder: Path, name: str) -> bool:
    """Say whether something of this name is in a folder, be it a file or not, or whether nobody can tell."""
    try:
        return name in os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def parse_json(content: bytes | str, *, unique: bool = False, foreign: bool = False) -> Any:
    """Return the value of a JSON text; with `unique` no table may name a thing twice. Raises Malformed.

    Its numbers are finite, and whole ones have 64 bits, unless the text is not ours: others write NaN.
    """
    text = content if isinstance(content, str) else decode(content)
    numbers = {} if foreign else _NUMBERS
    try:
        value = json.loads(text, object_pairs_hook=_unique if unique else None, **numbers)
    except Malformed:
        raise
    except json.JSONDecodeError as fault:
        raise Malformed(f"is not JSON, or is cut off (line {fault.lineno}: {fault.msg})") from fault
    except RecursionError as fault:
        raise Malformed("is nested too deeply") from fault
    except ValueError as fault:
        # Python refuses numbers of thousands of digits.
        raise Malformed(f"is not JSON that can be used: {fault}") from fault
    _check_depth(value)
    if "\\ud" in text or "\\uD" in text:
        _check_text(value)
    return value


def _float(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise ValueError(f"the number {digits[:MOST_DIGITS]} is too large")
    return value


def _int(digits: str) -> int:
    if len(digits) > MOST_DIGITS or not -(2**63) <= (value := int(digits)) < 2**63:
        raise ValueError(f"the number {digits[:MOST_DIGITS]} is too large")
    return value


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_NUMBERS: Mapping[str, Any] = {"parse_float": _float, "parse_int": _int, "parse_constant": _constant}
"""Whoever counts with infinity, or with more digits than numpy takes, raises what nobody expects."""


def parse_line(line: bytes | str) -> dict[str, Any] | None:
    """Return the object in a line that another process printed, None for a line that is anything else."""
    with suppress(Malformed):
        value = parse_json(line)
        return value if isinstance(value, dict) else None
    return None


def parse_toml(content: bytes | str) -> dict[str, Any]:
    """Return the table of a TOML text. Raises Malformed."""
    text = (content if isinstance(content, str) else decode(content)).replace("\r\n", "\n")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise Malformed(f"is not valid TOML: {fault}") from fault
    except RecursionError as fault:
        raise Malformed("is nested too deeply") from fault
    except (ValueError, OverflowError) as fault:
        # A date that no calendar has, a number of thousands of digits.
        raise Malformed(f"is not valid TOML: {fault}") from fault
    _check_depth(value)
    return value


def decode(content: bytes) -> str:
    """Return text that is in UTF-8, or in what its byte order mark says. Raises Malformed."""
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        # Without a mark there is no telling Shift-JIS from Latin-1: a wrong guess would be learnt.
        raise Malformed(f"is not text in UTF-8 (byte {fault.start})") from fault


def readable(text: str) -> str:
    """Return a text as it can be printed and written in one line, such as a sentence that names a file.

    Bytes of a name that are no UTF-8 (kept by Python as halves of characters), control characters, ends of
    lines and what turns the direction of writing are escaped.
    """
    return "".join(_escaped(letter) if _is_unreadable(letter) else letter for letter in text)


def _is_unreadable(letter: str) -> bool:
    turns = "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069"
    return turns or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape", "backslashreplace").decode()


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise Malformed("is nested too deeply")


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise Malformed("names the same thing twice")
    return table


def _check_text(value: object) -> None:
    """Refuse half of a character pair: such text can be neither written nor shown."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as fault:
        raise Malformed("holds half of a character (a lone surrogate)") from fault


# --- Writing --------------------------------------------------------------------------------------


def make_folder(folder: Path) -> Path:
    """Make a folder for its owner alone, and those above it where they are missing. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        try:
            folder.mkdir(PRIVATE_FOLDER)
        except FileExistsError as fault:
            # Another process may have been as fast.
            if not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from fault
    return folder


def private(name: str | Path, flags: int) -> int:
    """Open a file for its owner alone: the `opener` of `open`, for files that grow. Raises OSError."""
    return os.open(name, flags | os.O_CLOEXEC, PRIVATE_FILE)


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a name beside `path` for a new file that takes its place at the end, on disk.

    The name exists, empty and private; it is to be written to, not renamed over. Where the block raises, the
    old file stays and the new one goes. `sync=False` is for what can be made anew. Raises OSError.
    """
    with scratch(path) as part:
        yield part
        put(part, path, sync=sync)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield the name of an empty file beside `path`, for `put` or for nothing: it is gone at the end.

    Raises OSError.
    """
    part = _part(path)
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        # Held as long as it is being written: `clear_parts` leaves it alone.
        _try_lock(handle)
        yield part
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        os.close(handle)


def put(part: Path, path: Path, *, sync: bool = True) -> None:
    """Let a file that was written beside `path` take its place, on disk. Raises OSError."""
    if sync:
        _sync(part)
    os.replace(part, path)
    if sync:
        sync_folder(path.parent)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder` that takes its place at the end, on disk with all its files.

    An old folder of that name goes when the new one stands. Where the block raises, the old one stays and the
    new one goes. Raises OSError.
    """
    part = _part(folder)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(PRIVATE_FOLDER)
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _try_lock(handle)
        yield part
        sync_tree(part)
        _take_place(part, folder)
    finally:
        os.close(handle)
        shutil.rmtree(part, ignore_errors=True)


def replace_file(path: Path, content: bytes | str, *, sync: bool = True) -> None:
    """Replace a file in one step, its folder made where it is missing. Raises OSError."""
    make_folder(path.parent)
    with replacing(path, sync=sync) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, value: Mapping[str, Any] | list[Any], *, sync: bool = True) -> None:
    """Replace a JSON file in one step; what JSON does not know is written as its text. Raises OSError."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"
    # A file name may hold bytes that are no text.
    replace_file(path, text.encode("utf-8", "replace"), sync=sync)


def clear_parts(folder: Path) -> None:
    """Remove what a killed program left half written in a folder of ours; what is being written stays.

    A folder that was about to be replaced is put back. Names without a dot are those of earlier versions.
    """
    with suppress(OSError):
        for part in folder.glob(f"*{PART_SUFFIX}"):
            with suppress(OSError):
                _clear(part)


def sync_tree(folder: Path) -> None:
    """Bring all files of a folder to the disk. Raises OSError."""
    for where, _, names in os.walk(folder):
        for name in names:
            _sync(Path(where, name))
        sync_folder(Path(where))


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder to the disk, where its file system knows how to."""
    with suppress(OSError):
        _sync(folder)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}{PART_SUFFIX}")


def _take_place(part: Path, folder: Path) -> None:
    """Rename a folder over another one, which is put back where that fails."""
    if not folder.exists():
        os.replace(part, folder)
    else:
        old = part.with_name(part.name.removesuffix(PART_SUFFIX) + OLD_SUFFIX)
        os.replace(folder, old)
        try:
            os.replace(part, folder)
        except OSError:
            os.replace(old, folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync_folder(folder.parent)


def _clear(part: Path) -> None:
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not _try_lock(handle):
            return
        # The name is `.NAME.PID-NUMBER.part`, or `.NAME.PID-NUMBER.old.part`.
        folder = part.with_name(part.name.removesuffix(OLD_SUFFIX).rpartition(".")[0].removeprefix("."))
        if part.name.endswith(OLD_SUFFIX) and not folder.exists():
            os.replace(part, folder)
        elif part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Take a lock that ends with the process; a file system without locks says no."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
