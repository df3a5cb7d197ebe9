"""How long a sound file says that it is, and whether all of that is there: WAV and its kin, AIFF, AU and Ogg.

libsndfile takes what there is of a file that breaks off, and nothing of a WAV that was streamed and says 0.
Knows nothing about samples. Files are file descriptors, which are read without moving their position.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_MOST_CHUNKS = 1000
_LONGEST_PAGE_BYTES = 27 + 255 + 255 * 255
"""Of Ogg (RFC 3533)."""

_LAST_PAGE = 0x04
"""The flag of the last page of an Ogg stream."""

_UNKNOWN = (range(0x7FFF_0000, 0x8001_0000), range(0xFFFF_0000, 0x1_0000_0000))
"""What programs write as the length of a stream whose end they do not know yet, beside 0."""


class Data(NamedTuple):
    """Where the samples of a file are, as its head has it."""

    first: int
    """The first byte."""
    bytes: int
    """How many there are said to be."""
    said_at: int
    """Where that is said."""


def is_cut(file: int) -> bool:
    """Say whether a file holds less than its head promises, or an Ogg file has no end. Raises OSError."""
    size = os.fstat(file).st_size
    if os.pread(file, 4, 0) == b"OggS":
        return _is_cut_ogg(file, size)
    data = _find_data(file)
    return data is not None and not _is_unknown(data.bytes) and data.first + data.bytes > size


def unsaid_length(file: int) -> int | None:
    """Return where a WAV says that it holds 0 bytes of sound although some follow, else None. Raises OSError.

    So it is where a program has streamed the file, or was killed before it wrote the length.
    """
    if os.pread(file, 4, 0) != b"RIFF" or (data := _find_data(file)) is None or data.bytes:
        return None
    left = os.fstat(file).st_size - data.first
    name, _, size = _chunk(file, data.first, "<")
    is_chunk = len(name) == 4 and name.isascii() and name.decode().isprintable() and 8 + size <= left
    return data.said_at if left and not is_chunk else None


class Mended:
    """A WAV that says as its length that it is not known, so that libsndfile reads to its end."""

    def __init__(self, file: BinaryIO, said_at: int) -> None:
        self._file = file
        self._said = range(said_at, said_at + 4)

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        first = self._file.tell()
        content = bytearray(self._file.read(count))
        for at in range(max(first, self._said.start), min(first + len(content), self._said.stop)):
            content[at - first] = 0xFF
        return bytes(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the next byte comes from."""
        return self._file.tell()


def _is_unknown(length: int) -> bool:
    return length == 0 or any(length in some for some in _UNKNOWN)


def _find_data(file: int) -> Data | None:
    """Return where the samples are; None for another kind of file, and where there are none."""
    head = os.pread(file, 12, 0)
    if head[:4] == b".snd" and len(head) == 12:
        first, size = struct.unpack(">II", head[4:])
        return Data(first, size, 8)
    if head[:4] == b"riff":
        return _find_data_w64(file)
    is_riff = head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE"
    if not is_riff and not (head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC")):
        return None
    long_size = None
    for name, first, size in _chunks(file, "<" if is_riff else ">"):
        if name == b"ds64":
            # RF64 has the length of the samples here, behind that of the whole (EBU Tech 3306).
            found = os.pread(file, 8, first + 8)
            long_size = struct.unpack("<Q", found)[0] if len(found) == 8 else None
        if name in (b"data", b"SSND"):
            is_long = size == 0xFFFF_FFFF and long_size is not None
            return Data(first, long_size if is_long and long_size is not None else size, first - 4)
    return None


def _find_data_w64(file: int) -> Data | None:
    """Return where the samples of a Sony Wave64 are: names of 16 bytes, lengths of 64 bits with the head."""
    at = 40
    for _ in range(_MOST_CHUNKS):
        head = os.pread(file, 24, at)
        size = struct.unpack("<Q", head[16:])[0] if len(head) == 24 else 0
        if size < 24:
            return None
        if head[:4] == b"data":
            return Data(at + 24, size - 24, at + 16)
        at += (size + 7) // 8 * 8
    return None


def _chunks(file: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, the first byte and the length of each chunk."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        name, first, size = _chunk(file, at, order)
        if len(name) < 4:
            return
        yield name, first, size
        at = first + size + size % 2


def _chunk(file: int, at: int, order: str) -> tuple[bytes, int, int]:
    head = os.pread(file, 8, at)
    if len(head) < 8:
        return b"", at, 0
    return head[:4], at + 8, struct.unpack(f"{order}I", head[4:])[0]


def _is_cut_ogg(file: int, size: int) -> bool:
    """Say whether the last page of an Ogg file is not whole, or not the last one of its stream."""
    first = max(0, size - 2 * _LONGEST_PAGE_BYTES)
    end = os.pread(file, size - first, first)
    page = end[end.rfind(b"OggS") :] if b"OggS" in end else b""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    is_whole = len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    return not is_whole or not page[5] & _LAST_PAGE
