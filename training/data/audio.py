"""Sound files of all kinds become 24 kHz FLAC of 16 bit, block by block, and are measured on the way.

What has 16 bit and 24 kHz already stays as it is, sample by sample. Knows nothing about datasets or words.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.files import Malformed, open_regular
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, level_db
from app.store.turn_taking import Levels
from training.data import containers
from training.data.voices import SoundError

_READABLE = ".wav .wave .w64 .rf64 .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .caf"
_UNREADABLE = ".m4a .aac .mp4 .wma .webm .amr"
SUFFIXES = frozenset([*_READABLE.split(), *_UNREADABLE.split()])
"""What has such a name is meant to be sound, whether it can be read or not."""

_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b".snd", b"caff", b"riff")

RATES_HZ = range(4_000, 768_001)
"""Rates of sound that can be speech; a file that says another one is damaged."""

_UNKNOWN_SAMPLES = 2**62
"""libsndfile says so many, and more, where a file does not say how long it is."""

_FULL_SCALE = 32767 / 32768
"""The largest sample of 16 bit."""

_BLOCK_SAMPLES = 64 * FRAME_SAMPLES

_COPY_AGAIN = "Copy it again from where it came from."

Told = Callable[[float], None]
"""Hears of how many more seconds of sound something is done."""


class About(NamedTuple):
    """What the head of a sound file says."""

    rate: int
    channels: int
    length_s: float


@dataclass(frozen=True, eq=False)
class Measured:
    """What was seen of a stereo sound while it passed."""

    samples: int
    """At 24 kHz, in each channel."""
    levels_db: tuple[Levels, Levels]
    """[T] for the left and the right channel, a last piece of a frame counted as one."""
    clipped: tuple[float, float]
    """The share of samples at full scale in each channel, 0..1."""
    not_numbers: int
    """Samples that were no numbers."""
    alike: bool
    """Whether both channels are the same."""

    @property
    def length_s(self) -> float:
        """Return the length of the sound."""
        return self.samples / SAMPLE_RATE


def is_sound(path: Path) -> bool:
    """Say whether a file is, or is meant to be, sound: by its first bytes, or failing these by its name."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open_regular(path) as file:
            return file.read(4).startswith(_MAGIC)
    except (OSError, Malformed):
        return False


def about(path: Path) -> About:
    """Return what the head of a sound file says; a length of 0 is not known. Raises SoundError."""
    with _opened(path) as file:
        rate, channels, frames = int(file.samplerate), int(file.channels), int(file.frames)
    if rate not in RATES_HZ:
        raise SoundError(f"{path} says that it has {rate} samples a second.", _COPY_AGAIN)
    return About(rate, channels, frames / rate if frames < _UNKNOWN_SAMPLES else 0.0)


def convert(source: Path, target: Path, told: Told = lambda seconds: None) -> Measured:
    """Write a stereo file as 24 kHz FLAC and return what was seen.

    Samples that are no numbers become silence. Raises SoundError where the source can not be read to its
    end, OSError where the target can not be written.
    """
    seen = _Meter()
    with writer(target) as write:
        for block in _resampled(source, seen, told):
            pcm = _pcm(block)
            seen.push(pcm)
            write(pcm)
    return seen.result()


def copy(source: Path, target: Path, *, first: int = 0, samples: int | None = None, swap: bool) -> None:
    """Write a stretch of a 24 kHz stereo file as FLAC, with `swap` its channels exchanged.

    Raises SoundError or OSError.
    """
    with writer(target) as write:
        for block in pcm_blocks(source, first, samples):
            write(np.ascontiguousarray(block[:, ::-1]) if swap else block)


def pcm_blocks(source: Path, first: int = 0, samples: int | None = None) -> Iterator[npt.NDArray[np.int16]]:
    """Yield a stretch of a sound file, [n, channels] int16 a block. Raises SoundError."""
    with _opened(source) as file:
        file.seek(first)
        left = file.frames - first if samples is None else min(samples, file.frames - first)
        while left > 0:
            block = file.read(min(left, _BLOCK_SAMPLES), dtype="int16", always_2d=True)
            if not len(block):
                raise _broken(source, (file.frames - left) / file.samplerate)
            left -= len(block)
            yield block


@contextmanager
def _opened(path: Path, *, whole: bool = False) -> Iterator[Any]:
    """Open a sound file, whatever its name is; what reading it raises becomes a SoundError.

    So does with `whole` that there is less of it than its head promises.
    """
    import soundfile

    try:
        with open_regular(path) as raw:
            said_at = containers.unsaid_length(raw.fileno())
            source = raw.fileno() if said_at is None else containers.Mended(raw, said_at)
            with soundfile.SoundFile(source, closefd=False) as file:
                if whole and containers.is_cut(raw.fileno()):
                    raise _broken(path, file.frames / file.samplerate)
                yield file
    except Malformed as fault:
        raise SoundError(f"{path} {fault}.", _COPY_AGAIN) from fault
    except (OSError, soundfile.SoundFileError, ValueError) as fault:
        raise _unreadable(path, fault) from fault


@contextmanager
def writer(path: Path, form: str = "FLAC") -> Iterator[Callable[[npt.NDArray[np.int16]], None]]:
    """Give a function that appends [n, 2] int16 to a new file, which is gone if anything is raised.

    Raises OSError where the disk refuses, of which libsndfile itself says too little.
    """
    import soundfile

    try:
        with path.open("wb", buffering=0) as raw:
            target = _Target(raw)
            with soundfile.SoundFile(target, "w", SAMPLE_RATE, 2, "PCM_16", format=form) as file:

                def write(pcm: npt.NDArray[np.int16]) -> None:
                    file.write(pcm)
                    target.check()

                yield write
            target.check()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class _Target:
    """A file for libsndfile that keeps what the disk refused, since nothing may be raised through C."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._fault: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write all of the data, or pretend to."""
        left = memoryview(data)
        try:
            while left and self._fault is None:
                left = left[self._file.write(left) :]
        except OSError as fault:
            self._fault = fault
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the next byte goes."""
        return self._file.tell()

    def check(self) -> None:
        """Raise what the disk has refused."""
        if self._fault is not None:
            raise self._fault


class _Meter:
    """Looks at what passes; memory grows by 8 bytes a frame and channel."""

    def __init__(self) -> None:
        self.read_samples = 0
        self.full = np.zeros(2, dtype=np.int64)
        self.not_numbers = 0
        self._samples = 0
        self._alike = True
        self._levels: tuple[list[float], list[float]] = ([], [])
        self._rest: npt.NDArray[np.float32] = np.zeros((0, 2), dtype=np.float32)

    def look(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Count full scale in what was read, [n, 2], and return it with numbers alone."""
        bad = ~np.isfinite(block)
        if bad.any():
            self.not_numbers += int(bad.sum())
            block = np.where(bad, np.float32(0), block)
        self.read_samples += len(block)
        self.full += (np.abs(block) >= _FULL_SCALE).sum(axis=0)
        return block

    def push(self, pcm: npt.NDArray[np.int16]) -> None:
        """Take the next samples as they are written, [n, 2]."""
        self._samples += len(pcm)
        self._alike = self._alike and np.array_equal(pcm[:, 0], pcm[:, 1])
        waiting = np.concatenate([self._rest, pcm.astype(np.float32) / 32768])
        whole = len(waiting) // FRAME_SAMPLES * FRAME_SAMPLES
        self._tell(waiting[:whole])
        self._rest = waiting[whole:]

    def result(self) -> Measured:
        """Return what was seen, after the last sample."""
        self._tell(self._rest)
        left, right = (np.array(levels, dtype=np.float32) for levels in self._levels)
        shares = self.full / max(1, self.read_samples)
        return Measured(
            self._samples, (left, right), (float(shares[0]), float(shares[1])), self.not_numbers, self._alike
        )

    def _tell(self, samples: npt.NDArray[np.float32]) -> None:
        for channel, levels in zip(samples.T, self._levels, strict=True):
            voice = np.ascontiguousarray(channel)
            levels.extend(
                level_db(voice[at : at + FRAME_SAMPLES]) for at in range(0, len(voice), FRAME_SAMPLES)
            )


def _resampled(source: Path, seen: _Meter, told: Told) -> Iterator[npt.NDArray[np.float32]]:
    """Yield a stereo file at 24 kHz, [n, 2] a block. Raises SoundError, also for one that breaks off."""
    import soxr

    with _opened(source, whole=True) as file:
        rate, frames = file.samplerate, file.frames
        stream = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 2, quality="HQ")
        while True:
            block = seen.look(file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True))
            is_last = not len(block) or seen.read_samples >= frames
            yield block if stream is None else stream.resample_chunk(block, last=is_last)
            told(len(block) / rate)
            if is_last:
                break
    # The head of an MP3 guesses its length; a second less than any other says is a file that breaks off.
    if seen.read_samples < frames - rate:
        raise _broken(source, seen.read_samples / rate)


def _pcm(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Return samples as 16 bit, in libsndfile's scale for reading: what had 16 bit stays as it was."""
    pcm: npt.NDArray[np.int16] = np.clip(np.rint(np.float32(32768) * block), -32768, 32767).astype(np.int16)
    return pcm


def _unreadable(path: Path, fault: Exception) -> SoundError:
    if isinstance(fault, OSError) and fault.errno in (errno.EACCES, errno.EPERM):
        return SoundError(f"{path} can not be read: {fault.strerror}.", "See who may read it.")
    reason = getattr(fault, "strerror", None) or getattr(fault, "error_string", None) or str(fault)
    reason = str(reason).removeprefix("Error : ").strip().rstrip(".") or "it is damaged, or breaks off"
    return SoundError(f"{path} can not be read as sound: {reason}.", _advice(path))


def _advice(path: Path) -> str:
    if path.suffix.lower() in _UNREADABLE.split():
        name = path.name
        return f"Convert it, for example by `ffmpeg -i '{name}' '{path.stem}.wav'`, and import that."
    return "See whether it plays to its end; what is no WAV, FLAC, Ogg or MP3 has to be converted."


def _broken(path: Path, at_s: float) -> SoundError:
    return SoundError(f"{path} breaks off after {at_s:.1f} s.", _COPY_AGAIN)
