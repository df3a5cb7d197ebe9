"""What a safetensors file holds, read from its header alone.

Knows nothing about models and imports no torch: 15 GB of weights are looked over in milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import UserError

ELEMENT_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Size of each element type, by its name in the file format."""

_MAX_HEADER_BYTES = 100_000_000
"""The limit of the file format; a larger length is no length."""

_METADATA = "__metadata__"
"""The name, in the file format, of what is no tensor."""

_SAMPLES = 64
_SAMPLE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    dtype: str
    shape: tuple[int, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    """Where its bytes begin and end in the file."""

    @property
    def floating(self) -> bool:
        """Return whether the elements are real numbers, that may be kept in another precision."""
        return self.dtype.startswith(("F", "BF"))

    @property
    def elements(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    Raises UserError if the file is missing, of another format, damaged, or shorter than its header says.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _MAX_HEADER_BYTES:
                raise _no_safetensors(path)
            raw = file.read(length)
    except OSError as fault:
        raise UserError(
            f"{path} can not be read: {fault.strerror}.", "Check the path and try again."
        ) from fault
    if len(raw) < length and raw[:1] == b"{":
        raise _truncated(path, 8 + length, size)
    entries = _parse(path, raw)
    base = 8 + length
    end = base + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if end > size:
        raise _truncated(path, end, size)
    tensors = {}
    for name, entry in entries.items():
        start, end = entry["data_offsets"]
        tensors[name] = Tensor(entry["dtype"], tuple(entry["shape"]), base + start, base + end)
    return tensors


def read_metadata(path: Path) -> dict[str, str]:
    """Return what the writer of a safetensors file that `read_header` takes said about it."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return dict(header.get(_METADATA, {}))


def fingerprint(path: Path) -> str:
    """Return a hash of samples from all over a file, quick even for 15 GB, for telling weights apart."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for sample in range(_SAMPLES):
            file.seek(sample * max(0, size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw)
        header.pop(_METADATA, None)
        for entry in header.values():
            start, end = entry["data_offsets"]
            tensor = Tensor(entry["dtype"], tuple(entry["shape"]))
            if end - start != ELEMENT_BYTES[tensor.dtype] * tensor.elements:
                raise ValueError(entry)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise _no_safetensors(path) from fault
    return dict(header)


def _no_safetensors(path: Path) -> UserError:
    return UserError(
        f"{path} is not a safetensors file, or it is damaged.",
        "Download it again; checkpoints of other formats (.pt, .bin, .gguf) have to be converted first.",
    )


def _truncated(path: Path, expected: int, size: int) -> UserError:
    return UserError(
        f"{path} is cut short: it should have {expected:,} bytes and has {size:,}.",
        "Copy or download it again.",
    )
