"""Speech with the times of its words and phonemes, by the library of espeak-ng.

Its command gives no times, its library does. Knows nothing about who says what, and why.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import weakref
from collections.abc import Mapping
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import soxr

from app.errors import UserError
from app.frames import SAMPLE_RATE
from training.starter import espeak

Sound = npt.NDArray[np.float32]
"""[N] float32 in -1..1 at 24 kHz."""

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


class Mark(NamedTuple):
    """Where espeak-ng begins a word or a phoneme."""

    kind: int
    position: int
    """The first character of a word, counted from 1."""
    length: int
    at_ms: int
    name: str


class Speaker:
    """Says things, each as if it were the first. Raises UserError without espeak-ng."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", espeak.__name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.close = weakref.finalize(self, _end, self._process)
        """Ends the process; so does the end of the Speaker."""
        self._read()

    def say(self, text: str, voice: Voice, spoken: Mapping[str, str] | None = None) -> Speech:
        """Return what a voice makes of words between spaces.

        `spoken` gives words that are written unlike they sound. Raises UserError for an unknown voice.
        """
        written = text.split()
        aloud = [(spoken or {}).get(word, word) for word in written]
        assert self._process.stdin is not None, "a pipe"
        pickle.dump((" ".join(aloud), voice.name, tuple(voice[1:])), self._process.stdin)
        self._process.stdin.flush()
        rate, samples, raw = self._read()
        marks = [Mark(*each) for each in raw]
        phonemes = [(mark.name, mark.at_ms) for mark in marks if mark.kind == espeak.PHONEME]
        return _trim(samples, rate, _word_starts(written, aloud, marks), phonemes)

    def _read(self) -> espeak.Answer:
        assert self._process.stdout is not None, "a pipe"
        answer = pickle.load(self._process.stdout)
        if len(answer) == 2:
            raise UserError(*answer)
        return cast(espeak.Answer, answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:
        process.kill()


def _word_starts(written: list[str], aloud: list[str], marks: list[Mark]) -> list[tuple[str, int]]:
    """Return each written word and when it begins, in ms.

    espeak-ng tells of some pairs ("there was") as of one word: they share its time by their letters.
    """
    told: dict[int, int] = {}
    starts = np.cumsum([0, *(len(word) + 1 for word in aloud)])
    for mark in marks:
        if mark.kind == espeak.WORD and mark.length:
            word = int(np.searchsorted(starts, mark.position - 1, side="right")) - 1
            told.setdefault(min(word, len(written) - 1), mark.at_ms)
    told.setdefault(0, 0)
    letters = np.cumsum([0, *(len(word) for word in written)])
    known = [*sorted(told), len(written)]
    times = [*(told[word] for word in known[:-1]), max((mark.at_ms for mark in marks), default=0)]
    begins = np.interp(letters[:-1], letters[known], times)
    return [(word, round(at_ms)) for word, at_ms in zip(written, begins, strict=True)]


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
