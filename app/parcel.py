"""A recording as one file, `NAME.aizuchi`: the session folder in a zip archive, to hand on and to open.

Knows nothing about what the files of a session mean.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

from app.errors import UserError

SUFFIX = ".aizuchi"
FILES = (
    "session.json", "events.jsonl", "audio.flac", "audio.wav", "microphone.flac", "microphone.wav",
)  # fmt: skip
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
                size = sum(each.file_size for each in members)
            if not names & {"audio.flac", "audio.wav"} or size > MOST_BYTES:
                raise UserError(f"{file} holds no recording.", "Choose a file that Aizuchi has written.")
            # Only the last part of a name is used: an archive may name places outside of itself.
            own = Path(members[0].filename).parent.name
            folder = recordings / (file.stem if own in ("", "..") else own)
            if folder.exists():
                return folder
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            for each in members:
                with parcel.open(each) as source, (part / Path(each.filename).name).open("wb") as goal:
                    shutil.copyfileobj(source, goal)
            os.replace(part, folder)
    except (zipfile.BadZipFile, OSError, RuntimeError) as fault:
        with suppress(UnboundLocalError, OSError):
            shutil.rmtree(part)
        raise UserError(
            f"{file} can not be opened as a recording: {fault}.", "Copy the file again, and check the disk."
        ) from fault
    return folder
