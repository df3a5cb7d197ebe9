"""Audio files in: any file that libsndfile reads as 24 kHz mono, and as a frame port.

Knows nothing about sound cards or models, and nothing about how our own recordings are written
beyond which channel of them is the user.
"""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from app.audio.clock import Sleep
from app.errors import UserError
from app.frames import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, SUSPENDED, Heard, Samples

MAX_BACKLOG_FRAMES = 3
"""A consumer that is later than this loses the oldest frames, as it would at a sound card."""

_FRAME_S = FRAME_MS / 1000.0


def read_wav(path: Path) -> Samples:
    """Return the user's side of an audio file as [N] float32 at 24 kHz.

    Of a stereo file beside a `session.json`, that is of a recording of our own, this is the right
    channel; every other file is mixed down. Raises UserError when the file is missing, holds no
    audio, or holds values that are not numbers.
    """
    audio, rate = _read(path)
    if audio.size == 0:
        raise UserError(f"The audio file {path} is empty.", "Choose a file with some sound in it.")
    if not np.isfinite(audio).all():
        raise UserError(
            f"The audio file {path} holds values that are not numbers.",
            "Export it anew as 16-bit WAV or FLAC.",
        )
    user = audio[:, 1] if _is_session_audio(path, audio) else audio.mean(axis=1, dtype=np.float32)
    if rate != SAMPLE_RATE:
        user = soxr.resample(user, rate, SAMPLE_RATE)
    return np.ascontiguousarray(user, dtype=np.float32)


def _read(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Return ([N, channels] float32, rate)."""
    if not path.is_file():
        raise UserError(f"There is no audio file {path}.", "Check the name and the folder.")
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(
            f"The file {path} can not be read as audio: {_reason(error)}",
            "Choose a WAV, FLAC, Ogg or MP3 file.",
        ) from error
    return audio, rate


def _reason(error: Exception) -> str:
    """Return the library's or the system's own words, as the end of a sentence."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return text.rstrip(".") + "."


def _is_session_audio(path: Path, audio: npt.NDArray[np.float32]) -> bool:
    return audio.shape[1] == 2 and (path.parent / "session.json").is_file()


class WavPort:
    """A frame port that hears a file; what is said to it goes nowhere, the recorder keeps it.

    As fast as it is asked, or in real time: then a frame is ready when its last sample would have
    been spoken, and a consumer more than MAX_BACKLOG_FRAMES late loses frames, counted. Raises
    what `read_wav` raises.
    """

    def __init__(self, source: Path, *, realtime: bool = False, tail_s: float = 0.0) -> None:
        audio = read_wav(source)
        speech_frames = math.ceil(audio.size / FRAME_SAMPLES)
        tail_frames = math.ceil(round(tail_s / _FRAME_S, 6))
        self._frames = np.zeros((speech_frames + tail_frames, FRAME_SAMPLES), dtype=np.float32)
        self._frames.reshape(-1)[: audio.size] = audio
        self._next = 0
        self._realtime = realtime
        self._began_s: float | None = None
        self._lag_ms: float | None = None
        self._sleep = Sleep() if realtime else None
        self._closed = threading.Event()  # set by any thread, waited for in `take`

    @property
    def frames(self) -> int:
        """Return how many frames the port gives in all, the tail included."""
        return len(self._frames)

    def take(self) -> Heard | None:
        """Return the next frame, waiting for its time to come; None at the end and once closed.

        While the computer slept nothing of the file was spoken: that time is lost before the next frame.
        """
        skipped = self._keep_time() if self._realtime else 0
        if self._closed.is_set() or self._next >= len(self._frames):
            return None
        samples = self._frames[self._next].copy()
        self._next += 1
        if self._sleep is not None and (slept := self._sleep.frames()):
            return Heard(samples, skipped + slept, lag_ms=self._lag_ms, reason=SUSPENDED)
        return Heard(samples, skipped=skipped, lag_ms=self._lag_ms)

    def give(self, said: Samples) -> None:
        """Note when the frame that answers the last one was there."""
        if self._began_s is not None:
            spoken_s = self._began_s + (self._next - 1) * _FRAME_S
            self._lag_ms = 1000.0 * (time.monotonic() - spoken_s)

    def close(self) -> None:
        """End the port; a waiting `take` returns None at once."""
        self._closed.set()

    def _keep_time(self) -> int:
        """Wait until the next frame has been spoken; return how many were too old and dropped."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        spoken_frames = min(len(self._frames), int((now_s - self._began_s) / _FRAME_S))
        backlog = spoken_frames - self._next
        if backlog > MAX_BACKLOG_FRAMES:
            self._next = spoken_frames - 1
            return backlog - 1
        if self._next < len(self._frames):
            self._closed.wait(max(0.0, self._began_s + (self._next + 1) * _FRAME_S - now_s))
        return 0
