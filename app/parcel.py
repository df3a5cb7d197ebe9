"""A recording as one file, `NAME.aizuchi`: the session folder in a zip archive, to hand on and to open.

Knows nothing about what the files of a session mean.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

from app.errors import UserError

SUFFIX = ".aizuchi"
SOUND = ("audio.flac", "audio.wav")
FILES = ("session.json", "events.jsonl", *SOUND, "microphone.flac", "microphone.wav")
"""What a parcel holds; anything else in one is not taken out."""

MOST_BYTES = 8_000_000_000
"""What is larger is no recording: 12 hours, uncompressed, are 4 GB."""


def pack(folder: Path, to: Path) -> Path:
    """Write the recording of a folder into a file below the folder `to` and return it. Raises UserError."""
    file = to / f"{folder.name}{SUFFIX}"
    part = file.with_name(f"{file.name}.part")
    try:
        to.mkdir(parents=True, exist_ok=True)
        # Sound is compressed already.
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as parcel:
            for name in FILES:
                if (folder / name).is_file():
                    parcel.write(folder / name, f"{folder.name}/{name}")
        os.replace(part, file)
    except OSError as fault:
        part.unlink(missing_ok=True)
        reason = fault.strerror or str(fault)
        raise UserError(
            f"{file} can not be written: {reason}.", "Choose a folder that can be written and has room."
        ) from fault
    return file


def unpack(file: Path, recordings: Path) -> Path:
    """Put the recording of a file among the others and return its folder; the same one is not put twice.

    Raises UserError for a file that is no parcel.
    """
    try:
        with zipfile.ZipFile(file) as parcel:
            return _take_out(parcel, file, recordings)
    except (zipfile.BadZipFile, OSError, RuntimeError) as fault:
        raise UserError(
            f"{file} can not be opened as a recording: {fault}.", "Copy the file again, and check the disk."
        ) from fault


def _take_out(parcel: zipfile.ZipFile, file: Path, recordings: Path) -> Path:
    # Only the last part of a name is used: an archive may name places outside of itself.
    members = {name: each for each in parcel.infolist() if (name := Path(each.filename).name) in FILES}
    size = sum(each.file_size for each in members.values())
    if not members.keys() & set(SOUND) or size > MOST_BYTES:
        raise UserError(f"{file} holds no recording.", "Choose a file that Aizuchi has written.")
    own = Path(next(iter(members.values())).filename).parent.name
    folder = recordings / (file.stem if own in ("", "..") else own)
    if folder.exists():
        return folder
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name, each in members.items():
            with parcel.open(each) as source, (part / name).open("wb") as goal:
                shutil.copyfileobj(source, goal)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder
