"""A recording as one file, `NAME.aizuchi`: the session folder in a zip archive, to hand on and to open.

A parcel may come from anybody, so that nothing it says of itself is believed: names are ours or made anew,
sizes are counted while it is unpacked. Knows nothing about what the files of a session mean.
"""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import UserError
from app.faults import FULL
from app.files import make_folder, private, replacing, replacing_folder
from app.store.recordings import EVENTS_BYTES

SUFFIX = ".aizuchi"
SOUND = ("audio.flac", "audio.wav")
FILES = ("session.json", "events.jsonl", *SOUND, "microphone.flac", "microphone.wav")
"""What a parcel holds; anything else in one is not taken out."""

SESSION_BYTES = 4 * 2**20
SOUND_BYTES = 4_500_000_000
"""12 hours, uncompressed, are 4.15 GB; a wav file ends at 4.3."""

LIMITS = {"session.json": SESSION_BYTES, "events.jsonl": EVENTS_BYTES}
"""How large a file may become; sound may become SOUND_BYTES."""

RATIO = 32
"""JSON packs to a tenth, FLAC hardly at all: what unpacks to more than this was made to do harm, …"""

FREE_BYTES = 16 * 2**20
"""… unless it stays small: silence packs well."""

DIRECTORY_BYTES = 2**20
"""The list of what is in an archive is read in one piece; ours takes a thousandth of this."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How files may be packed. The others ask for as much memory as the archive says."""

NAME_BYTES = 120

_BLOCK_BYTES = 1 << 18
_NO_PARCEL = "Choose a file that Aizuchi has written."

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, MemoryError)
"""What `zipfile` raises for archives that are damaged, encrypted, or were made to do harm."""


def pack(folder: Path, to: Path) -> Path:
    """Write the recording of a folder into a file below the folder `to` and return it. Raises UserError."""
    file = to / f"{folder.name}{SUFFIX}"
    try:
        make_folder(to)
        # Sound is compressed already.
        with (
            replacing(file) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, strict_timestamps=False) as parcel,
        ):
            for name in FILES:
                if (folder / name).is_file():
                    parcel.write(folder / name, f"{folder.name}/{name}")
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise UserError(
            f"{file} can not be written: {reason}.", "Choose a folder that can be written and has room."
        ) from fault
    return file


def unpack(file: Path, recordings: Path) -> Path:
    """Put the recording of a file among the others and return its folder; the same one is not put twice.

    Raises UserError for a file that is no parcel, and where the disk refuses.
    """
    with _refusals(file), _Archive(file) as raw, zipfile.ZipFile(raw) as parcel:
        members = _members(parcel, file)
        for folder in _places(members, file, recordings):
            if not os.path.lexists(folder):
                return _take_out(parcel, members, file, folder)
            if _is_same(members, folder):
                return folder
    raise AssertionError("unreachable: the places do not end")


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Turn what is wrong with a file, or with the disk, into a sentence."""
    try:
        yield
    except OSError as fault:
        if fault.errno in FULL:
            raise UserError(
                f"The disk is full: {file} can not be unpacked.", "Free some space, and open it again."
            ) from fault
        raise _unreadable(file, fault.strerror or str(fault)) from fault
    except _DAMAGE as fault:
        raise _unreadable(file, str(fault) or type(fault).__name__) from fault


def _unreadable(file: Path, reason: str) -> UserError:
    sentence = f"{file} can not be opened as a recording: {reason.rstrip('.')}."
    return UserError(sentence, "Copy the file again, and check the disk.")


class _Archive(io.FileIO):
    """A regular file that is read in pieces, however large its archive says that they are."""

    def __init__(self, path: Path) -> None:
        # A pipe would never be opened.
        super().__init__(path, "r", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
        if not stat.S_ISREG(os.fstat(self.fileno()).st_mode):
            self.close()
            raise zipfile.BadZipFile("it is not a regular file")

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes. Raises BadZipFile for more than the list of what is in an archive takes."""
        left = os.fstat(self.fileno()).st_size - self.tell()
        size = left if size is None or size < 0 else min(size, left)
        if size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("it lists more than a recording holds")
        return super().read(max(0, size)) or b""


def _members(parcel: zipfile.ZipFile, file: Path) -> dict[str, zipfile.ZipInfo]:
    """Return what is to be taken out, by the names of ours. Raises UserError for what can be no recording."""
    members: dict[str, zipfile.ZipInfo] = {}
    for each in parcel.infolist():
        # Only the last part of a name is used: an archive may name places outside of itself.
        name = each.filename.rpartition("/")[2]
        if name in FILES:
            if name in members:
                raise UserError(f"{file} holds {name} twice.", _NO_PARCEL)
            members[name] = each
            # What a file takes in the archive is no more than the archive itself.
            each.compress_size = min(each.compress_size, file.stat().st_size)
            _check(name, each, file)
    if not members.keys() & set(SOUND):
        raise UserError(f"{file} holds no recording.", _NO_PARCEL)
    return members


def _check(name: str, member: zipfile.ZipInfo, file: Path) -> None:
    """Refuse what can not be a file of a recording, by what the archive says. Raises UserError."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or member.compress_type not in METHODS:
        raise UserError(f"{file} holds no recording.", _NO_PARCEL)
    if member.flag_bits & 1:
        raise UserError(f"{file} is encrypted.", "Unpack it with its password, and pack it without one.")
    if member.file_size > _most_bytes(name, member):
        raise _too_large(name, file)


def _most_bytes(name: str, member: zipfile.ZipInfo) -> int:
    """Return how large a file of a recording may honestly become."""
    return min(LIMITS.get(name, SOUND_BYTES), max(FREE_BYTES, RATIO * member.compress_size))


def _too_large(name: str, file: Path) -> UserError:
    return UserError(f"{file} holds {name} larger than that of any recording.", _NO_PARCEL)


def _places(members: dict[str, zipfile.ZipInfo], file: Path, recordings: Path) -> Iterator[Path]:
    """Yield the folders that the recording may have: the one that it had, and then NAME-2, NAME-3, …"""
    had = next(iter(members.values())).filename.rpartition("/")[0].rpartition("/")[2]
    name = _safe(had) or _safe(file.name.removesuffix(SUFFIX)) or "recording"
    yield recordings / name
    number = 2
    while True:
        yield recordings / f"{name}-{number}"
        number += 1


def _safe(name: str) -> str:
    """Return a name as a folder of ours may have it, '' where nothing is left of it."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")
    return plain.encode()[:NAME_BYTES].decode(errors="ignore").rstrip("-.")


def _is_same(members: dict[str, zipfile.ZipInfo], folder: Path) -> bool:
    """Say whether a folder holds what is in the archive."""
    return all(_checksum(folder / name) == (each.file_size, each.CRC) for name, each in members.items())


def _checksum(path: Path) -> tuple[int, int] | None:
    """Return the size and the CRC-32 of a file, None where there is none."""
    if not path.is_file():
        return None
    size = checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            size, checksum = size + len(block), zlib.crc32(block, checksum)
    return size, checksum


def _take_out(parcel: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], file: Path, folder: Path) -> Path:
    make_folder(folder.parent)
    if sum(each.file_size for each in members.values()) > shutil.disk_usage(folder.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with replacing_folder(folder) as part:
        for name, each in members.items():
            with parcel.open(each) as source, open(part / name, "wb", opener=private) as goal:
                # Counted: what the archive says of the size need not be true.
                left = _most_bytes(name, each)
                while block := source.read(_BLOCK_BYTES):
                    if (left := left - len(block)) < 0:
                        raise _too_large(name, file)
                    goal.write(block)
                if goal.tell() != each.file_size:
                    raise zipfile.BadZipFile(f"{name} is cut off")
    return folder
