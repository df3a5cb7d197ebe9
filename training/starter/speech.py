"""Speech with the times of its words and phonemes, by the library of espeak-ng.

Its command gives no times, its library does. Knows nothing about who says what, and why.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, c_char, c_int, c_short, c_uint, c_void_p
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from app.errors import UserError
from app.frames import SAMPLE_RATE

Sound = npt.NDArray[np.float32]
"""[N] float32 in -1..1 at 24 kHz."""

LIBRARY = "libespeak-ng.so.1"

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_UTF8 = 1
_CHARACTERS = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_END, _WORD, _PHONEME = 0, 1, 7
_QUIET = 0.003
"""What lies below at both ends of what is said is cut off."""


class Voice(NamedTuple):
    """Who speaks: a voice of espeak-ng (`language+variant`), words a minute, pitch and its range in 0..99."""

    name: str
    speed: int = 160
    pitch: int = 50
    pitch_range: int = 50


class Timed(NamedTuple):
    """A word or a phoneme, in seconds from the first sample."""

    text: str
    start_s: float
    end_s: float


class Speech(NamedTuple):
    """What was said, without silence at its ends."""

    sound: Sound
    words: tuple[Timed, ...]
    phonemes: tuple[Timed, ...]

    @property
    def seconds(self) -> float:
        """Return its length."""
        return len(self.sound) / SAMPLE_RATE


class _Identity(ctypes.Union):
    _fields_ = (("number", c_int), ("name", c_void_p), ("string", c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of espeak-ng/speak_lib.h."""

    _fields_ = (
        ("type", c_int),
        ("unique_identifier", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _Identity),
    )


_Callback = ctypes.CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))


class Speaker:
    """The library, which has one voice at a time: there is one Speaker in a process.

    Raises UserError where espeak-ng is not installed.
    """

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as fault:
            raise UserError("espeak-ng is not installed.", "Install the package espeak-ng.") from fault
        self._rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self._rate <= 0:
            raise UserError("espeak-ng can not find its data.", "Install the package espeak-ng again.")
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, int, int, str]] = []
        self._keep = _Callback(self._hear)
        self._library.espeak_SetSynthCallback(self._keep)

    def say(self, text: str, voice: Voice, spoken: Mapping[str, str] | None = None) -> Speech:
        """Return what a voice makes of words between spaces.

        `spoken` gives words that are written unlike they sound. Raises UserError for an unknown voice.
        """
        written = text.split()
        aloud = [(spoken or {}).get(word, word) for word in written]
        self._choose(voice)
        self._pieces, self._events = [], []
        said = " ".join(aloud)
        raw = said.encode()
        self._library.espeak_Synth(raw, c_int(len(raw) + 1), 0, _CHARACTERS, 0, _UTF8, None, None)
        samples = np.concatenate([*self._pieces, np.zeros(0, dtype=np.int16)])
        return _trim(samples, self._rate, self._words(written, aloud), self._phonemes())

    def _choose(self, voice: Voice) -> None:
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise UserError(f"espeak-ng has no voice {voice.name}.", "`espeak-ng --voices` lists them.")
        for parameter, value in ((_RATE, voice.speed), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        at = 0
        while events[at].type != _END:
            each = events[at]
            if each.type in (_WORD, _PHONEME):
                name = each.id.string.decode("utf-8", "replace") if each.type == _PHONEME else ""
                self._events.append((each.type, each.text_position, each.length, each.audio_position, name))
            at += 1
        return 0

    def _words(self, written: list[str], aloud: list[str]) -> list[tuple[str, int]]:
        """Return each written word and when it begins, in ms.

        espeak-ng tells of some pairs ("there was") as of one word: they share its time by their letters.
        """
        told: dict[int, int] = {}
        starts = np.cumsum([0, *(len(word) + 1 for word in aloud)])
        for kind, position, length, at_ms, _ in self._events:
            if kind == _WORD and length:
                word = int(np.searchsorted(starts, position - 1, side="right")) - 1
                told.setdefault(min(word, len(written) - 1), at_ms)
        told.setdefault(0, 0)
        letters = np.cumsum([0, *(len(word) for word in written)])
        last_ms = max(at_ms for *_, at_ms, _ in self._events)
        known = [*sorted(told), len(written)]
        times = [*(told[word] for word in known[:-1]), last_ms]
        begins = np.interp(letters[:-1], letters[known], times)
        return [(word, round(at_ms)) for word, at_ms in zip(written, begins, strict=True)]

    def _phonemes(self) -> list[tuple[str, int]]:
        return [(name, at_ms) for kind, _, _, at_ms, name in self._events if kind == _PHONEME]


def _trim(
    samples: npt.NDArray[np.int16], rate: int, words: list[tuple[str, int]], phonemes: list[tuple[str, int]]
) -> Speech:
    sound = soxr.resample(samples.astype(np.float32) / 2**15, rate, SAMPLE_RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    if not len(loud):
        return Speech(np.zeros(0, dtype=np.float32), (), ())
    first, last = int(loud[0]), int(loud[-1]) + 1
    end_s = (last - first) / SAMPLE_RATE
    begin_s = first / SAMPLE_RATE

    def timed(marks: list[tuple[str, int]]) -> tuple[Timed, ...]:
        starts = [min(max(0.0, at_ms / 1000 - begin_s), end_s) for _, at_ms in marks]
        return tuple(
            Timed(text, start, end)
            for (text, _), start, end in zip(marks, starts, [*starts[1:], end_s], strict=True)
            if end > start
        )

    return Speech(sound[first:last], timed(words), timed(phonemes))
