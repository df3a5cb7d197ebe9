"""What safetensors files hold, read from their headers alone: one file, or the shards that an index names.

Nothing in a header is believed before it is checked. Knows nothing about models and imports no torch: 15 GB
of weights are looked over in milliseconds.
"""

from __future__ import annotations

import hashlib
import math
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from app.engine.limits import shorten
from app.errors import UserError
from app.files import Malformed, parse_json, read_bytes

ELEMENT_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Size of each element type, by its name in the file format."""

INDEX_SUFFIX = ".index.json"
"""How the name of a file ends that says which shard holds which tensor; before it stands the whole file's."""

_MAX_HEADER_BYTES = 16 * 2**20
"""The file format allows 100 MB; that of a Moshi 7B takes 0.05."""

_MAX_INDEX_BYTES = 16 * 2**20
_MAX_SHARDS = 1_000
_MAX_NAME_LETTERS = 100
_MAX_DIMENSIONS = 8
_MAX_SIZE = 2**48
"""The largest size of a tensor along one dimension, far beyond every disk."""

_METADATA = "__metadata__"
"""The name, in the file format, of what is no tensor."""

_POINTER = b"version https://git-lfs.github.com/spec/"
"""How the text begins that Git keeps in the place of a large file."""

_SAMPLES = 64
_SAMPLE_BYTES = 65_536

_AGAIN = "Copy or download it again."


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    dtype: str
    shape: tuple[int, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    """Where its bytes begin and end in the file."""
    file: Path = field(default=Path(), compare=False)

    @property
    def floating(self) -> bool:
        """Return whether the elements are real numbers, that may be kept in another precision."""
        return self.dtype.startswith(("F", "BF"))

    @property
    def elements(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or of the shards of an index, by name.

    Raises UserError if a file is missing, of another format, damaged, or shorter than its header says.
    """
    if not is_index(path):
        return _read_file(path)
    named = _read_index(path)
    tensors: dict[str, Tensor] = {}
    for shard in _shards(path, named):
        for name, tensor in _read_file(shard).items():
            if name in tensors:
                sentence = f"{shorten(name)} is both in {tensors[name].file} and in {shard.name}."
                raise UserError(sentence, _AGAIN)
            tensors[name] = tensor
    for name, tensor in tensors.items():
        if named.get(name) != tensor.file.relative_to(path.parent).as_posix():
            raise UserError(f"{path} does not say that {shorten(name)} is in {tensor.file.name}.", _AGAIN)
    if missing := named.keys() - tensors.keys():
        name = min(missing)
        raise UserError(
            f"{path.parent / named[name]} lacks {shorten(name)}, which {path.name} names.", _AGAIN
        )
    return tensors


def is_index(path: Path) -> bool:
    """Return whether a file is the index of shards, by its name."""
    return path.name.endswith(INDEX_SUFFIX)


def weight_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold weights: the file itself, or the shards of an index. Raises UserError."""
    return _shards(path, _read_index(path)) if is_index(path) else (path,)


def shard_names(path: Path) -> tuple[str, ...]:
    """Return the names of the files that an index speaks of, there or not. Raises UserError."""
    return _names(path, _read_index(path))


def size_bytes(path: Path) -> int:
    """Return what weights that `read_header` takes need on disk. Raises UserError."""
    return sum(file.stat().st_size for file in weight_files(path))


def read_metadata(path: Path) -> dict[str, str]:
    """Return what the writer of a safetensors file that `read_header` takes said about it."""
    if is_index(path):
        return {}
    said: dict[str, str] = _parse(path, _read_raw(path)[0]).get(_METADATA) or {}
    return said


def fingerprint(path: Path) -> str:
    """Return a hash of samples from all over weights, quick even for 15 GB, for telling them apart."""
    files = weight_files(path)
    if len(files) == 1:
        return _fingerprint(files[0])
    return hashlib.sha256("".join(map(_fingerprint, files)).encode()).hexdigest()


def refuse_pointer(path: Path, content: bytes) -> None:
    """Raise UserError for the text that Git leaves in the place of a large file that was not fetched."""
    if content.startswith(_POINTER):
        advice = "Fetch the file itself with `git lfs pull` in its folder, or download it from the hub."
        raise UserError(f"{path} is a Git LFS pointer, not the file itself.", advice)


def _fingerprint(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for sample in range(_SAMPLES):
            file.seek(sample * max(0, size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _read_index(path: Path) -> dict[str, str]:
    """Return the shard of each tensor. Raises UserError."""
    try:
        content = read_bytes(path, _MAX_INDEX_BYTES)
        refuse_pointer(path, content)
        index = parse_json(content, unique=True)
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", _AGAIN) from fault
    except Malformed as fault:
        raise UserError(f"{path} is not valid JSON: it {fault}.", _AGAIN) from fault
    named = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(named, dict) or not named or not all(isinstance(each, str) for each in named.values()):
        raise UserError(f"{path} does not say which file holds which tensor.", _AGAIN)
    return named


def _names(path: Path, named: dict[str, str]) -> tuple[str, ...]:
    """Return the files that an index names, each once. Raises UserError for one that is not of its folder."""
    names = sorted(set(named.values()))
    if len(names) > _MAX_SHARDS:
        raise UserError(f"{path} names {len(names):,} files.", _AGAIN)
    for name in names:
        place = PurePosixPath(name)
        usual = name.isprintable() and name.endswith(".safetensors") and "\\" not in name
        if place.is_absolute() or ".." in place.parts or not usual or len(name) > _MAX_NAME_LETTERS:
            sentence = f"{path} names {shorten(name)}, which is no safetensors file in its folder."
            raise UserError(sentence, _AGAIN)
    return tuple(names)


def _shards(path: Path, named: dict[str, str]) -> tuple[Path, ...]:
    """Return where the files are that an index names. Raises UserError for one that is not there."""
    names = _names(path, named)
    for name in names:
        if not (path.parent / name).is_file():
            raise UserError(f"{path.parent} has no {name}, which {path.name} names.", _AGAIN)
    return tuple(path.parent / name for name in names)


def _read_file(path: Path) -> dict[str, Tensor]:
    """Return the tensors of one file. Raises UserError."""
    raw, size = _read_raw(path)
    header = _parse(path, raw)
    header.pop(_METADATA, None)
    base = 8 + len(raw)
    tensors = {name: _tensor(path, base, name, entry) for name, entry in header.items()}
    end = base
    for tensor in sorted(tensors.values(), key=lambda each: (each.start, each.end)):
        # The format leaves no room between tensors and lets none overlap.
        if tensor.start != end:
            raise _no_safetensors(path)
        end = tensor.end
    if end != size:
        raise _wrong_size(path, end, size)
    return tensors


def _read_raw(path: Path) -> tuple[bytes, int]:
    """Return the header of a file as it stands there, and the size of the file. Raises UserError."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
            # A pipe would be waited for.
            raise _no_safetensors(path)
        size = about.st_size
        with path.open("rb") as file:
            first = file.read(max(8, len(_POINTER)))
            refuse_pointer(path, first)
            length = int.from_bytes(first[:8], "little")
            if len(first) < 8 or not 2 <= length <= _MAX_HEADER_BYTES:
                raise _no_safetensors(path)
            file.seek(8)
            raw = file.read(length)
    except OSError as fault:
        raise UserError(
            f"{path} can not be read: {fault.strerror}.", "Check the path and try again."
        ) from fault
    if raw[:1] != b"{":
        raise _no_safetensors(path)
    if len(raw) < length:
        raise _wrong_size(path, 8 + length, size)
    return raw, size


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    """Return a header as it stands in a file. Raises UserError where it is none."""
    try:
        header = parse_json(raw, unique=True)
    except Malformed as fault:
        raise _no_safetensors(path) from fault
    said = header.get(_METADATA) if isinstance(header, dict) else None
    if not isinstance(header, dict) or not (said is None or isinstance(said, dict)):
        raise _no_safetensors(path)
    if said and not all(isinstance(each, str) for each in said.values()):
        raise _no_safetensors(path)
    return header


def _tensor(path: Path, base: int, name: str, entry: object) -> Tensor:
    """Return what a header says of one tensor. Raises UserError where that can not be."""
    if not isinstance(entry, dict):
        raise _no_safetensors(path)
    dtype: Any
    shape: Any
    offsets: Any
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not (isinstance(dtype, str) and _are_sizes(shape) and _are_sizes(offsets) and len(offsets) == 2):
        raise _no_safetensors(path)
    if dtype not in ELEMENT_BYTES:
        advice = "Convert it to float32, float16 or bfloat16, or choose another model."
        raise UserError(f"{path} keeps {shorten(name)} as {shorten(dtype)}, which is not known.", advice)
    start, end = offsets
    tensor = Tensor(dtype, tuple(shape), base + start, base + end, path)
    if len(shape) > _MAX_DIMENSIONS or end - start != ELEMENT_BYTES[dtype] * tensor.elements:
        raise _no_safetensors(path)
    return tensor


def _are_sizes(value: Any) -> bool:
    """Return whether this is a list of whole numbers, none of them negative or beyond all sense."""
    return isinstance(value, list) and all(type(each) is int and 0 <= each <= _MAX_SIZE for each in value)


def _no_safetensors(path: Path) -> UserError:
    return UserError(
        f"{path} is not a safetensors file, or it is damaged.",
        "Download it again; checkpoints of other formats (.pt, .bin, .gguf) have to be converted first.",
    )


def _wrong_size(path: Path, expected: int, size: int) -> UserError:
    if size > expected:
        return UserError(f"{path} is too long: it should have {expected:,} bytes and has {size:,}.", _AGAIN)
    return UserError(f"{path} is cut short: it should have {expected:,} bytes and has {size:,}.", _AGAIN)
