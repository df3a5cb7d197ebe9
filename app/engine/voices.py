"""The voices that a model can be told to speak with: those that its makers publish, and a sound file.

Published ones are read out of their archive one at a time, with limits, and never unpacked to the disk; they
are PyTorch files, of which nothing but tensors is taken. Knows nothing about how a model hears a voice.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.engine.limits import shorten
from app.engine.loudness import to_loudness
from app.engine.prompt_phase import ANY, Voice
from app.engine.weights import refuse_pointer
from app.errors import UserError
from app.files import read_bytes
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples

LUFS = -24.0
"""How loud a voice is when the model hears it, as in the published procedure."""

SHORTEST_S, LONGEST_S = 1.0, 30.0
"""How long the voice in a sound file may be; those that are published have 4 s."""

_MEMBER = re.compile(r"(?:\./)?(?:voices/)?(?P<name>[\w-]{1,60})\.pt", re.ASCII)

_ARCHIVE_BYTES = 256 * 2**20
"""The most of an archive that is looked at, unpacked; that of 18 voices has 8 MB."""

_VOICE_BYTES = 32 * 2**20
_MOST_FRAMES = 500
_MOST_CHANNELS = 8
_RATES = range(8_000, 192_001)

_AGAIN = "Copy or download it again."


class Shape(NamedTuple):
    """What a model takes: a voice that was worked out for another does not fit."""

    dim: int
    """Width of the temporal transformer."""
    text_card: int
    card: int
    delays: tuple[int, ...]
    """Those of text, of the model's voice and of the user's."""


def names(place: Path) -> tuple[str, ...]:
    """Return the names of the voices in an archive, or in a folder, sorted. Raises UserError."""
    if place.is_dir():
        found = (_MEMBER.fullmatch(path.name) for path in place.iterdir() if path.is_file())
        return tuple(sorted({each["name"] for each in found if each}))
    return tuple(sorted({name for name, _ in _members(place)}))


def read_published(place: Path, name: str, shape: Shape) -> Voice:
    """Return a voice of an archive or a folder. Raises UserError where it is not there, damaged or unfit."""
    content = _content(place, name)
    try:
        return _voice(_tensors(content), shape)
    except Exception as fault:
        # torch meets a damaged file with a fault of any kind.
        sentence = f"The voice {name} of {place} is damaged, or belongs to another model."
        raise UserError(sentence, _AGAIN) from fault


def read_sound(path: Path) -> list[Samples]:
    """Return the frames of a voice in a sound file, each [FRAME_SAMPLES] float32, the last filled with zeros.

    They are mono, at the model's rate and LUFS loud. Raises UserError for what is no such sound.
    """
    sound = to_loudness(_mono(path), SAMPLE_RATE, LUFS)
    count = -(-len(sound) // FRAME_SAMPLES)
    whole = np.pad(sound, (0, count * FRAME_SAMPLES - len(sound)))
    return list(whole.reshape(count, FRAME_SAMPLES))


def _mono(path: Path) -> Samples:
    """Return the sound of a file, [N] float32 at SAMPLE_RATE. Raises UserError."""
    # Only here: a model runs without it, where nobody's own voice is asked for.
    import sphn

    advice = f"Choose a WAV or FLAC file of {SHORTEST_S:.0f} to {LONGEST_S:.0f} s in which one person speaks."
    try:
        file = sphn.FileReader(str(path))
        rate, channels = int(file.sample_rate), int(file.channels)
        if rate not in _RATES or not 1 <= channels <= _MOST_CHANNELS:
            raise ValueError(f"{channels} channels of {rate} Hz")
        # A little more, to see whether there is more: what a header says of it need not be so.
        sound: npt.NDArray[np.float32] = file.decode(0.0, LONGEST_S + 1)
    except (ValueError, OverflowError, OSError) as fault:
        raise UserError(f"{path} is no sound that can be read.", advice) from fault
    length_s = sound.shape[-1] / rate
    if length_s < SHORTEST_S:
        raise UserError(f"The voice in {path} is shorter than {SHORTEST_S:.0f} s.", advice)
    if length_s > LONGEST_S:
        raise UserError(f"The voice in {path} is longer than {LONGEST_S:.0f} s.", advice)
    mono = sound.mean(axis=0)
    if not np.isfinite(mono).all() or not np.abs(mono).max() > 1e-4:
        raise UserError(f"There is no voice in {path}: it is silent.", advice)
    return mono if rate == SAMPLE_RATE else np.asarray(sphn.resample(mono, rate, SAMPLE_RATE))


def _content(place: Path, name: str) -> bytes:
    """Return the file of a voice. Raises UserError."""
    if place.is_dir():
        try:
            content = read_bytes(place / f"{name}.pt", _VOICE_BYTES)
            refuse_pointer(place / f"{name}.pt", content)
            return content
        except (OSError, ValueError) as fault:
            raise UserError(f"The voice {name} of {place} can not be read: {fault}.", _AGAIN) from fault
    for found, file in _members(place):
        if found == name:
            return file.read(_VOICE_BYTES)
    raise UserError(f"{place} has no voice called '{shorten(name)}'.", _AGAIN)


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of the voices in an archive, in its order, each to be read at once."""
    try:
        with path.open("rb") as file:
            refuse_pointer(path, file.read(64))
            file.seek(0)
            with tarfile.open(fileobj=_Bounded(file), mode="r|") as archive:
                for member in archive:
                    found = _MEMBER.fullmatch(member.name) if member.isreg() else None
                    content = archive.extractfile(member) if found else None
                    if found and content is not None:
                        yield found["name"], content
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as fault:
        raise UserError(f"{path} is no archive of voices, or it is damaged.", _AGAIN) from fault


class _Bounded(io.RawIOBase):
    """What a gzip file holds, up to _ARCHIVE_BYTES. Raises EOFError beyond."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = _ARCHIVE_BYTES
        self._unpack = zlib.decompressobj(wbits=31)

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = 1) -> bytes:
        """Return up to so many bytes; none at the end."""
        got = b""
        while not got and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(65_536)
            if not packed:
                raise EOFError("it is cut short")
            got = self._unpack.decompress(packed, min(size, self._left + 1))
        self._left -= len(got)
        if self._left < 0:
            raise EOFError(f"it holds more than {_ARCHIVE_BYTES} bytes")
        return got


def _tensors(content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch file. Raises ValueError, or whatever torch meets."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        # Unpacked it is no larger than packed: PyTorch does not compress.
        if sum(each.file_size for each in parts.infolist()) > _VOICE_BYTES:
            raise ValueError("it is too large")
    held = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(held, dict):
        raise ValueError("it holds no tensors by name")
    return {name: held[name] for name in ("embeddings", "cache")}


def _voice(held: dict[str, Tensor], shape: Shape) -> Voice:
    """Return what a published voice tells: temporal inputs, and the tokens that were to be fed in next.

    `embeddings` are [T, 1, 1, dim], the inputs of the T + 1 frames of the voice but for the last. `cache`
    [1, K, W] is a ring of the tokens by the frame that they are fed in, as it was after the last.
    Raises ValueError for anything else.
    """
    inputs, ring = held["embeddings"], held["cache"]
    books = len(shape.delays) // 2
    frames, latest = len(inputs) + 1, max(shape.delays)
    if not 1 < frames <= _MOST_FRAMES or inputs.shape[1:] != (1, 1, shape.dim):
        raise ValueError(f"its inputs are {tuple(inputs.shape)}")
    if ring.dim() != 3 or ring.shape[:2] != (1, len(shape.delays)) or not latest < ring.shape[2] <= 64:
        raise ValueError(f"its tokens are {tuple(ring.shape)}")
    if not inputs.is_floating_point() or ring.is_floating_point() or not inputs.isfinite().all():
        raise ValueError("its numbers are none")
    width = ring.shape[2]
    codes = torch.full((frames, books), ANY)
    for book, delay in enumerate(shape.delays[1 : 1 + books]):
        # What frame f says in a book is fed in at f + delay; of the ring, what is not yet fed in is needed.
        for frame in range(max(0, frames - 1 - delay), frames):
            codes[frame, book] = ring[0, 1 + book, (frame + delay) % width]
    text = int(ring[0, 0, (frames - 1) % width])
    known = codes[codes != ANY]
    if not (0 <= text <= shape.text_card and bool(((known >= 0) & (known < shape.card)).all())):
        raise ValueError("its tokens are none of the model's")
    return Voice(codes, inputs[:, 0, 0].contiguous(), text)
