"""The two voices of a dialogue, read from its sound file piece by piece, in whatever length.

Knows nothing about words or who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, SILENCE_DB, Samples, level_db
from app.store.datasets import Speaker
from app.store.turn_taking import Levels

_BLOCK_FRAMES = 750

_IMPORT_AGAIN = "Import the dialogue again, or take it out of the dataset."


class SoundError(UserError):
    """The sound of one dialogue can not be read; others may."""


@dataclass(frozen=True, eq=False)
class Voice:
    """One channel of a dialogue."""

    levels_db: Levels
    """[T] dB, one a frame."""
    read: Callable[[int, int], Samples]
    """Gives samples at 24 kHz by (first, count), fewer at the end of the audio. Raises SoundError."""
    length_s: float


def sound_length_s(path: Path) -> float:
    """Return the length of a dialogue. Raises SoundError for what is not 24 kHz stereo sound."""
    import soundfile

    with _reading(path):
        about = soundfile.info(path)
    if (about.samplerate, about.channels) != (SAMPLE_RATE, 2):
        kind = f"{about.channels} channel{'' if about.channels == 1 else 's'} at {about.samplerate} Hz"
        raise SoundError(f"{path} has {kind}, not two at 24000 Hz.", _IMPORT_AGAIN)
    return float(about.frames / SAMPLE_RATE)


@contextmanager
def open_voices(path: Path) -> Iterator[dict[Speaker, Voice]]:
    """Give the voices of a dialogue of 24 kHz stereo, to be read while this is open. Raises SoundError."""
    import soundfile

    with _reading(path):
        file = soundfile.SoundFile(path)
    with file:
        with _reading(path):
            a_db, b_db = _levels(file)
        length_s = file.frames / SAMPLE_RATE
        yield {
            "A": Voice(a_db, _reader(file, path, 0), length_s),
            "B": Voice(b_db, _reader(file, path, 1), length_s),
        }


def _levels(file: Any) -> tuple[Levels, Levels]:
    """Return the levels of both channels of an open sound file."""
    levels_db: tuple[list[float], list[float]] = ([], [])
    for block in file.blocks(_BLOCK_FRAMES * FRAME_SAMPLES, dtype="float32", always_2d=True):
        for channel, told in zip(block.T, levels_db, strict=True):
            samples = np.ascontiguousarray(channel)
            told.extend(
                level_db(samples[at : at + FRAME_SAMPLES]) for at in range(0, len(samples), FRAME_SAMPLES)
            )
    a_db, b_db = (np.array(told or [SILENCE_DB], dtype=np.float32) for told in levels_db)
    return a_db, b_db


def _reader(file: Any, path: Path, channel: int) -> Callable[[int, int], Samples]:
    def read(first: int, count: int) -> Samples:
        with _reading(path):
            file.seek(first)
            samples: Samples = file.read(count, dtype="float32", always_2d=True)[:, channel]
        return samples

    return read


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    import soundfile

    try:
        yield
    except (OSError, soundfile.SoundFileError) as fault:
        raise SoundError(f"{path} can not be read: {fault}", _IMPORT_AGAIN) from fault
