"""The recording of one talk: a session folder that is whole at every moment, written on a thread of its own.

Knows nothing about devices, models or what the noted events mean. The folder holds

- `audio.wav` while the talk goes on, `audio.flac` afterwards: 24 kHz, 16 bit, left = model, right = user;
- `microphone.wav` or `.flac`, one channel beside it, where echo was cancelled: the user's side as it was
  before that, at the same samples; where it was not cancelled, what the model heard;
- `events.jsonl`: one event a line, `{"kind": "spoke", "frame": 12, "token": 412, "text": "hi"}`; time that
  neither side has is silence of its length in the sound, and `{"kind": "gap", "frame": 80, "frames": 6,
  "reason": "late"}` says why. Where older recordings say `skipped`, the sound had been joined;
- `session.json`: `format`, `model`, `started`, `ended` (ISO 8601, null until the end), `frames`, `details`.

A kill leaves what was written: the wav header is brought up to date with every frame.
"""

from __future__ import annotations

import errno
import json
import logging
import queue
import re
import shutil
import struct
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol, Union

import numpy as np
import numpy.typing as npt
import soundfile

from app.audio.late import Late
from app.files import PRIVATE_FOLDER, make_folder, open_regular, private, replacing, write_json
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples, seconds, silence
from app.store import locks

log = logging.getLogger(__name__)

FORMAT = 1
WAV, FLAC, EVENTS, SESSION = "audio.wav", "audio.flac", "events.jsonl", "session.json"

MAX_WAITING_S = 60
"""How far the disk may fall behind before the recording ends."""

MAX_LENGTH_S = 12 * 3600
"""A wav file ends at 4 GiB, which is 12.4 hours of this format."""

MICROPHONE_WAV, MICROPHONE_FLAC = "microphone.wav", "microphone.flac"

_WAV_HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_COPY_SAMPLES = 1 << 16

OnFailure = Callable[[Path, str, str], None]
"""Called once, on another thread, with (folder, sentence, advice) when a recording ends before its talk."""


class HasSamples(Protocol):
    """What the model said in one frame."""

    @property
    def samples(self) -> Samples:
        """[FRAME_SAMPLES] float32."""


class Recorder:
    """Writes one session folder. `tap` and `note` come from one thread and only queue; `close` waits.

    The folder is a new one below `root`, named after the time and the model, or exactly `folder`.
    A run on files names its folder and may be faster than the disk: there a full queue makes `tap`
    wait up to MAX_WAITING_S. A live talk never waits. Raises OSError when the folder can not be begun, and
    InUse where another recording goes into it.
    """

    def __init__(
        self,
        root: Path,
        *,
        model: str,
        details: Mapping[str, object],
        on_failure: OnFailure,
        folder: Path | None = None,
    ) -> None:
        began = datetime.now().astimezone()
        self.folder = _new_folder(root, model, began) if folder is None else folder
        make_folder(self.folder)
        self._patience_s = 0 if folder is None else MAX_WAITING_S
        self._on_failure = on_failure
        # Twice the frames: room for one note with each.
        self._queue: queue.Queue[_Item | None] = queue.Queue(int(2 * MAX_WAITING_S * FRAME_RATE))
        self._late = Late()
        self._late_samples = 0
        self._over = threading.Event()  # set by whoever ends the recording first, read by all
        self._ending = threading.Lock()  # taken by the first to end it and never released
        self._stalled = False  # set before the talk closes the recorder, read there
        session = {"format": FORMAT, "model": model, "started": began.isoformat(timespec="seconds")}
        # Held until the audio is compressed: nobody mends, moves or deletes it before.
        self._lock = locks.take(self.folder, self.folder.name, "aizuchi")
        try:
            self._files = _SessionFiles(
                self.folder, {**session, "ended": None, "frames": 0, "details": dict(details)}
            )
        except OSError:
            self._lock.release()
            if folder is None:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def tap(
        self,
        frame: int,
        heard: Samples,
        said: HasSamples,
        raw: Samples | None = None,
        late_samples: int = 0,
    ) -> None:
        """Record one frame; `frame` counts up from 0, together with those of gaps without a hole in between.

        `raw` is what was heard before its echo was cancelled, which made it so many samples late: the model's
        side is put as much later, so that both are as they were in the room.
        """
        self._late_samples = late_samples
        said_then = self._late.push(said.samples, late_samples)
        self._put(_Frame(_pcm(said_then, heard), None if raw is None else _pcm(raw)))

    def gap(self, frame: int, frames: int, reason: str) -> None:
        """Record `frames` frames of silence from `frame` on, for time that neither side has, and say why."""
        self.note("gap", {"frame": frame, "frames": frames, "reason": reason})
        # What the model's side is behind by comes at the beginning of the silence.
        rest = self._late.push(silence(), self._late_samples)
        self._put(_Frame(_pcm(rest, silence()), None))
        if frames > 1:
            self._put(_Silence(frames - 1))

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Record one event as a line of `events.jsonl`."""
        self._put(json.dumps({"kind": kind, **fields}, ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        """Finish the files and compress the audio; calling it again does nothing."""
        if self._stalled:
            return  # the thread hangs in the disk; it ends by itself, or with the program
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._queue.put(None, timeout=0.1)
                break
        self._thread.join()

    def _put(self, item: _Item) -> None:
        if self._over.is_set():
            return
        try:
            self._queue.put(item, block=self._patience_s > 0, timeout=self._patience_s)
        except queue.Full:
            self._stalled = True
            self._end(
                f"The disk took nothing for {MAX_WAITING_S} seconds; the recording ended.", "Check the disk."
            )

    def _write(self) -> None:
        """Move what is queued to the files until the end or the first refusal, on the recorder thread."""
        try:
            while not self._over.is_set() and (item := self._queue.get()) is not None:
                self._files.add(item)
                if self._files.frames >= MAX_LENGTH_S * FRAME_RATE:
                    self._end(
                        f"The recording reached {MAX_LENGTH_S // 3600} hours and ended.",
                        "Switch recording off and on again to begin a new one.",
                    )
            self._files.finish()
        except OSError as fault:
            self._files.abandon()
            self._end(*_refusal(fault, self._files.frames))
        finally:
            self._lock.release()
        with suppress(queue.Empty):  # what is left is not kept, and a tap may be waiting for room
            while True:
                self._queue.get_nowait()

    def _end(self, sentence: str, advice: str) -> None:
        if self._ending.acquire(blocking=False):
            self._over.set()
            log.warning("%s %s", sentence, self.folder)
            self._on_failure(self.folder, sentence, advice)


class _Frame(NamedTuple):
    """One frame of 16-bit PCM."""

    stereo: bytes
    raw: bytes | None
    """One channel."""


class _Silence(NamedTuple):
    """So many silent frames on all channels."""

    frames: int


_Item = Union[_Frame, _Silence, str]
"""A frame, a silence, or a line of events."""

_SILENT = _Frame(bytes(2 * _SAMPLE_BYTES * FRAME_SAMPLES), None)


class _SessionFiles:
    """The open files of one session folder; any method but `abandon` may raise OSError."""

    def __init__(self, folder: Path, session: dict[str, object]) -> None:
        self.frames = 0
        self._folder = folder
        self._session = session
        write_json(folder / SESSION, session)
        self._raw: _Wav | None = None
        with ExitStack() as files:
            self._events = files.enter_context(
                open(folder / EVENTS, "w", encoding="utf-8", buffering=1, opener=private)
            )
            self._stereo = files.enter_context(_Wav(folder / WAV, 2))
            self._open = files.pop_all()

    def add(self, item: _Item) -> None:
        """Append one frame of PCM, a silence or one line, and hand it to the system at once."""
        if isinstance(item, str):
            self._events.write(item)
        elif isinstance(item, _Silence):
            for _ in range(item.frames):
                self._add_frame(_SILENT)
        else:
            self._add_frame(item)

    def _add_frame(self, item: _Frame) -> None:
        if item.raw is not None and self._raw is None:
            self._raw = self._open.enter_context(_Wav(self._folder / MICROPHONE_WAV, 1))
            for stereo in self._stereo.read_back():
                self._raw.add(_right(stereo))
        self._stereo.add(item.stereo)
        if self._raw is not None:
            self._raw.add(_right(item.stereo) if item.raw is None else item.raw)
        self.frames += 1

    def finish(self) -> None:
        """Close the files, write the end into session.json, and compress."""
        self._open.close()
        ended = datetime.now().astimezone().isoformat(timespec="seconds")
        write_json(self._folder / SESSION, {**self._session, "ended": ended, "frames": self.frames})
        if self.frames:
            _compress(self._folder / WAV, self._folder / FLAC)
            if self._raw is not None:
                _compress(self._folder / MICROPHONE_WAV, self._folder / MICROPHONE_FLAC)

    def abandon(self) -> None:
        """Close the files after the disk refused one, so that what is there opens."""
        with suppress(OSError):
            self._open.close()
        with suppress(OSError):
            _mend_header(self._folder / WAV, 2)
            _mend_header(self._folder / MICROPHONE_WAV, 1)


class _Wav:
    """A 16-bit wav file that opens after each frame; a context manager. May raise OSError."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path = path
        self._files = ExitStack()
        with ExitStack() as files:
            self._file = files.enter_context(open(path, "wb", opener=private))
            self._wav = files.enter_context(wave.open(self._file, "wb"))
            self._wav.setparams((channels, _SAMPLE_BYTES, SAMPLE_RATE, 0, "NONE", ""))
            self.add(b"")  # the header: from now on the file opens
            self._files = files.pop_all()

    def __enter__(self) -> _Wav:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, pcm: bytes) -> None:
        """Append frames."""
        self._wav.writeframes(pcm)  # brings the sizes in the header up to date as well
        self._file.flush()

    def read_back(self) -> Iterator[bytes]:
        """Yield what was written so far, a piece at a time."""
        with wave.open(str(self._path), "rb") as written:
            while piece := written.readframes(_COPY_SAMPLES):
                yield piece


def unfinished_bytes(folder: Path) -> int:
    """Return how much sound of a recording is not compressed."""
    paths = (folder / name for name in (WAV, MICROPHONE_WAV))
    return sum(path.stat().st_size for path in paths if path.is_file())


def finish(folder: Path) -> None:
    """Mend and compress the sound of a recording whose program was killed; nothing else of it changes.

    Raises OSError, and InUse where it is being written.
    """
    with locks.take(folder, folder.name, "aizuchi"):
        for wav, flac, channels in (
            (folder / WAV, folder / FLAC, 2),
            (folder / MICROPHONE_WAV, folder / MICROPHONE_FLAC, 1),
        ):
            if not wav.is_file() or not _is_ours(wav, channels):
                continue
            _mend_header(wav, channels)
            if not flac.exists():
                _compress(wav, flac)
            elif _same_audio(wav, flac):
                # It was killed after the one was whole, and before the other was gone.
                wav.unlink()


def _is_ours(wav: Path, channels: int) -> bool:
    """Say whether a wav file with some sound begins as `_Wav` writes it, whatever it says of its length."""
    frame_bytes = channels * _SAMPLE_BYTES
    about = struct.pack("<LHHLLHH", 16, 1, channels, SAMPLE_RATE, SAMPLE_RATE * frame_bytes, frame_bytes, 16)
    with open_regular(wav) as file:
        head = file.read(_WAV_HEADER_BYTES + frame_bytes)
    whole = len(head) == _WAV_HEADER_BYTES + frame_bytes
    return whole and (head[:4], head[8:16], head[16:36], head[36:40]) == (
        b"RIFF",
        b"WAVEfmt ",
        about,
        b"data",
    )


def _new_folder(root: Path, model: str, began: datetime) -> Path:
    """Make and return a folder below `root` that was not there."""
    safe = re.sub(r"[^\w.-]+", "-", model).strip("-.")[-60:] or "model"
    name = f"{began:%Y-%m-%d_%H-%M-%S}-{safe}"
    make_folder(root)
    for folder in _numbered(root / name):
        with suppress(FileExistsError):
            folder.mkdir(PRIVATE_FOLDER)
            break
    return folder


def _numbered(path: Path) -> Iterator[Path]:
    """Yield `path`, `path-2`, `path-3` and so on."""
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}-{number}")
        number += 1


def _right(stereo: bytes) -> bytes:
    """Return the right channel of interleaved 16-bit samples."""
    return np.frombuffer(stereo, dtype=np.int16)[1::2].tobytes()


def _pcm(*channels: Samples) -> bytes:
    """Return one frame as interleaved 16-bit samples; beyond full scale is clipped, a NaN is silence.

    The scale is libsndfile's for reading: 16-bit audio that came in goes out unchanged.
    """
    interleaved = 32768.0 * np.nan_to_num(np.stack(channels, axis=1), posinf=1.0, neginf=-1.0)
    pcm: npt.NDArray[np.int16] = np.clip(np.rint(interleaved), -32768, 32767).astype(np.int16)
    return pcm.tobytes()


def _mend_header(path: Path, channels: int) -> None:
    """Make the sizes in a wav header agree with the file, and cut off half a sample."""
    with open(path, "r+b") as file:
        frame_bytes = channels * _SAMPLE_BYTES
        data_bytes = (path.stat().st_size - _WAV_HEADER_BYTES) // frame_bytes * frame_bytes
        file.truncate(_WAV_HEADER_BYTES + data_bytes)
        file.seek(4)
        file.write(struct.pack("<L", _WAV_HEADER_BYTES - 8 + data_bytes))
        file.seek(_WAV_HEADER_BYTES - 4)
        file.write(struct.pack("<L", data_bytes))


def _compress(wav: Path, flac: Path) -> None:
    """Replace the wav by a flac that was read back and found equal; else leave the wav."""
    try:
        with replacing(flac) as part:
            _transcode(wav, part)
            if not _same_audio(wav, part):
                raise OSError(errno.EIO, "the compressed audio differs")
        wav.unlink()
    except (OSError, soundfile.SoundFileError) as fault:
        log.warning("%s stays as it is: %s", wav, fault)


def _transcode(wav: Path, flac: Path) -> None:
    with (
        soundfile.SoundFile(wav) as source,
        soundfile.SoundFile(flac, "w", SAMPLE_RATE, source.channels, "PCM_16", format="FLAC") as target,
    ):
        for block in source.blocks(_COPY_SAMPLES, dtype="int16"):
            target.write(block)


def _same_audio(one: Path, other: Path) -> bool:
    with soundfile.SoundFile(one) as first, soundfile.SoundFile(other) as second:
        return len(first) == len(second) and all(
            np.array_equal(block, second.read(len(block), dtype="int16"))
            for block in first.blocks(_COPY_SAMPLES, dtype="int16")
        )


def _refusal(fault: OSError, frames: int) -> tuple[str, str]:
    """Return the sentence and the advice for a disk that refused."""
    minutes, rest_s = divmod(int(seconds(frames)), 60)
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        sentence = f"The disk is full; the recording ended after {minutes}:{rest_s:02}."
        return sentence, "Free some space. What was recorded until then is kept."
    reason = fault.strerror or str(fault)
    sentence = f"The recording ended after {minutes}:{rest_s:02}, since the disk refused it: {reason}."
    return sentence, "Check the disk. What was recorded until then is kept."
