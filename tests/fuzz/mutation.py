"""Damages files: their bytes, the values in them, or what they are at all. Each is decided by one seed.

Knows the forms of files, not what they mean to the program.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Chance = random.Random

TOML_FRIENDLY = (bool, int, float, str, list, dict)

HOSTILE: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, -(2**31), 2**63 - 1, 2**64, 10**12, 10**30, -5,
    0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"), -float("inf"),
    "", " ", "x", "0", "None", "nan", "a" * 5_000, "言葉", "\0", "\n", "a\nb", "\x1b[2J", "\ud800",
    "..", "../../x", "/", "/etc/passwd", "/dev/zero", "hf://a/b/c", "file:///etc/passwd", "C:\\x", "A", "B",
    [], {}, [None], [[]], {"": 0}, [0] * 10_000, ["a"] * 1_000, {"a": {"b": {"c": []}}},
    "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00-23:59", "2026-02-31", -1e300,
)  # fmt: skip
"""What a value is replaced by."""

NAMES = (
    "..aizuchi", "...", "-", "--help", " ", "a b", "a\nb", "\x07", "言葉", "e\u0301", "\ufeff", "a" * 250,
    "CON", "a\\b", "%s", "{0}", "*", "~", "$HOME", ".hidden", b"\x83\x5c".decode("utf-8", "surrogateescape"),
)  # fmt: skip
"""What a file is renamed to."""


def mutate(root: Path, seed: int) -> list[str]:
    """Damage one to three files below a folder, and say how."""
    chance = Chance(seed)
    told = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        if files:
            path = chance.choice(files)
            how = _damage(path, chance)
            told.append(f"{path.relative_to(root)!s:.80}: {how}")
    return told


def _damage(path: Path, chance: Chance) -> str:
    by_form = FORMS.get(path.suffix)
    if by_form is not None and chance.random() < 0.6:
        try:
            by_form(path, chance)
        except Exception:
            pass  # It was damaged before, beyond its form.
        else:
            return by_form.__name__.strip("_")
    kinds: tuple[Callable[[Path, Chance], None], ...] = (_bytes, _bytes, _bytes, _text, _kind)
    how = chance.choice(kinds)
    # A name may be longer than the system allows.
    with suppress(OSError):
        how(path, chance)
    return how.__name__.strip("_")


# --- Any file -------------------------------------------------------------------------------------


def _bytes(path: Path, chance: Chance) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = _place(len(content), chance)
        span = chance.choice((1, 2, 4, 8, 64, 1024))
        match chance.randrange(9):
            case 0 if content:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                del content[at : at + span]
            case 2:
                content[at:at] = chance.randbytes(span)
            case 3:
                content[at:at] = content[at : at + span]
            case 4:
                del content[at:]
            case 5:
                content[at : at + span] = bytes(len(content[at : at + span]))
            case 6:
                content[at : at + span] = b"\xff" * len(content[at : at + span])
            case 7:
                length = chance.choice((2, 4, 8))
                number = chance.choice((0, 1, 2 ** (8 * length) - 1, 2 ** (8 * length - 1), 10_000_000))
                content[at : at + length] = (number % 2 ** (8 * length)).to_bytes(length, "little")
            case _:
                other = _place(len(content), chance)
                content[at : at + span] = content[other : other + span]
    path.write_bytes(bytes(content))


def _place(length: int, chance: Chance) -> int:
    """Return a place in a file: headers are short, and stand at either end."""
    if not length:
        return 0
    near = min(length, 200)
    return chance.choice(
        (chance.randrange(length), chance.randrange(near), length - 1 - chance.randrange(near))
    )


def _text(path: Path, chance: Chance) -> None:
    content = path.read_bytes()
    text = content.decode("utf-8", "replace")
    path.write_bytes(
        chance.choice(
            (
                lambda: b"",
                lambda: b"\xef\xbb\xbf" + content,
                lambda: text.encode("utf-16", "replace"),
                lambda: text.encode("utf-32", "replace"),
                lambda: text.encode("shift-jis", "replace"),
                lambda: text.replace("\n", "\r\n").encode(),
                lambda: text.replace("\n", "\r").encode(),
                lambda: content + content,
                lambda: content + b"\0" * 100,
                lambda: b"[" * 100_000,
                lambda: b'{"a":' * 100_000,
                lambda: b"a = " + b"[" * 100_000,
                lambda: b"<!DOCTYPE html><html>",
                lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
                lambda: gzip.compress(content),
                lambda: b'"' + b"\\ud800" * 10 + b'"',
            )
        )()
    )


def _kind(path: Path, chance: Chance) -> None:
    """Make something else of a file: a folder, a pipe, a link, nothing; or give it another name."""
    kind = chance.randrange(8)
    if kind == 0:
        shutil.copyfile(path, path.with_name(f"copy-{path.name}"))
        return
    if kind in (1, 2):
        path.rename(path.with_name(chance.choice(NAMES) + chance.choice(("", path.suffix))))
        return
    path.unlink()
    if kind == 3:
        path.mkdir()
    elif kind == 4:
        os.mkfifo(path)
    elif kind == 5:
        path.symlink_to(path.name)
    elif kind == 6:
        path.symlink_to(chance.choice(("/dev/zero", "/nowhere", ".", "/proc/self/mem")))


# --- JSON and TOML --------------------------------------------------------------------------------


def _json(path: Path, chance: Chance) -> None:
    path.write_text(_dumps(_changed(json.loads(path.read_text(encoding="utf-8")), chance)))


def _jsonl(path: Path, chance: Chance) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for _ in range(chance.choice((1, 1, 3))):
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines[at:at] = [lines[at]] * chance.choice((1, 1_000))
            case 2:
                lines[at] = chance.choice(("", "{", "null", "[]", "1", "[" * 5_000, "\0", '"\\ud800"'))
            case _:
                lines[at] = _dumps(_changed(json.loads(lines[at]), chance))
        if not lines:
            break
    path.write_text("\n".join(lines) + chance.choice(("", "\n")), encoding="utf-8", errors="surrogatepass")


def _toml(path: Path, chance: Chance) -> None:
    value = _for_toml(_changed(tomllib.loads(path.read_text(encoding="utf-8")), chance))
    text = tomli_w.dumps(value if isinstance(value, dict) else {"a": value})
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def _changed(value: Any, chance: Chance) -> Any:
    """Return a JSON value with one place in it changed."""
    places = list(_places(value))
    if not places:
        return _hostile(chance)
    holder, key = chance.choice(places)
    match chance.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(("", "a", "\0", "__class__", "言葉"))] = _hostile(chance)
        case 1:
            holder.insert(key, _hostile(chance))
        case 2 if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = chance.choice((-1, 2, 0.5, 1e6, 1e12)) * holder[key]
        case 3:
            holder[key] = [holder[key]]
        case _:
            holder[key] = _hostile(chance)
    return value


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    elif isinstance(value, list):
        # Of a long list a few places stand for all.
        for at, inner in list(enumerate(value))[:50]:
            yield value, at
            yield from _places(inner)


def _hostile(chance: Chance) -> Any:
    if chance.random() < 0.05:
        value: Any = 0
        for _ in range(chance.choice((60, 70, 500))):
            value = [value]
        return value
    return chance.choice(HOSTILE)


def _dumps(value: Any) -> str:
    return json.dumps(value)


def _for_toml(value: Any) -> Any:
    """Return what TOML can hold of a value."""
    if isinstance(value, dict):
        return {key: _for_toml(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_for_toml(inner) for inner in value]
    return value if isinstance(value, TOML_FRIENDLY) else "None"


# --- Archives, arrays, weights --------------------------------------------------------------------


def _zip(path: Path, chance: Chance) -> None:
    """Write an archive anew with one member changed, or one that should not be there."""
    with zipfile.ZipFile(path) as archive:
        members = [(each.filename, archive.read(each)) for each in archive.infolist()]
    at = chance.randrange(len(members))
    name, content = members[at]
    match chance.randrange(6):
        case 0:
            members[at] = name, bytes(50_000_000)
        case 1:
            members[at] = f"../../{name}", content
        case 2:
            members[at] = f"{chance.choice(NAMES)}/{Path(name).name}", content
        case 3:
            members.append((name.upper(), content))
        case 4:
            del members[at]
        case _:
            members[at] = name, content[: chance.randrange(len(content) + 1)]
    pressed = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(path, "w", pressed) as archive:
        for name, content in members:
            archive.writestr(name.encode("utf-8", "replace").decode(), content)


def _safetensors(path: Path, chance: Chance) -> None:
    """Change the header of weights, or a few numbers to NaN or infinity."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    if chance.random() < 0.3:
        at = chance.randrange(max(1, len(data) // 4)) * 4
        data[at : at + 4] = chance.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\xff\xff"))
    else:
        header = _changed(header, chance)
    text = json.dumps(header).encode()
    claimed = len(text) if chance.random() < 0.9 else chance.choice((0, 2**63, 10**8, len(text) + 1))
    path.write_bytes(claimed.to_bytes(8, "little") + text + data)


def _npz(path: Path, chance: Chance) -> None:
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    name = chance.choice(list(arrays))
    array = arrays[name]
    arrays[name] = chance.choice(
        (
            lambda: array.astype(np.float32) + 0.5,
            lambda: array.astype(object),
            lambda: array.astype(str),
            lambda: array[..., :0],
            array.ravel,
            lambda: array[None],
            lambda: -array - 1,
            lambda: array.astype(np.int64) * 2**40,
            lambda: np.zeros((9, 2_000_000), dtype=np.int8),
            lambda: np.array(3),
            lambda: array.astype(np.complex64),
            lambda: array.T,
        )
    )()
    if chance.random() < 0.2:
        arrays[chance.choice(("", "a/b", "C"))] = arrays.pop(name)
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=True, **arrays)
    path.write_bytes(written.getvalue())


def _parquet(path: Path, chance: Chance) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(path).to_pylist()
    row = chance.choice(rows)
    column = chance.choice(list(row))
    match chance.randrange(8):
        case 0:
            row[column] = None
        case 1:
            del row[column]
        case 2 if isinstance(row[column], list):
            chance.choice(row[column]).append(3)
        case 3 if isinstance(row[column], list):
            row[column] = [[value * chance.choice((-1, 10**6)) for value in row[column][0]]]
        case 4 if isinstance(row[column], list):
            row[column] = [[None] * len(each) for each in row[column]]
        case 5:
            rows.extend([row] * 50)
        case 6:
            for each in rows:
                each[column] = chance.choice(("a", 1, 0.5, [], [[]], [[[1]]]))
        case _:
            row[column] = [] if isinstance(row[column], list) else "../" * 30
    try:
        pq.write_table(pa.Table.from_pylist(rows), path)
    except pa.ArrowException as fault:
        raise ValueError(str(fault)) from fault


FORMS: dict[str, Callable[[Path, Chance], None]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".toml": _toml,
    ".aizuchi": _zip,
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".parquet": _parquet,
}
