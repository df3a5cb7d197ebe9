"""The library of espeak-ng in a process of its own that forks for each text: `speech` asks it.

Its voices flutter on from what was said before, and can not be set back. In a fork each text is the first, so
that it sounds the same in every order. Knows nothing about words.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import sys
from ctypes import POINTER, c_char, c_int, c_short, c_size_t, c_uint, c_void_p
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

LIBRARY = "libespeak-ng.so.1"
WORD, PHONEME = 1, 7
"""Kinds of marks, as espeak_EVENT_TYPE has them."""

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_UTF8 = 1
_CHARACTERS = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_END = 0


Answer = tuple[int, npt.NDArray[np.int16], list[tuple[int, int, int, int, str]]]
"""Samples a second, samples, and marks: kind, first character (from 1), characters, when in ms, name. What is
refused is a sentence and an advice instead."""


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


class Refusal(Exception):
    """A sentence and an advice."""


class _Library:
    """The library, freshly begun."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as fault:
            raise Refusal("espeak-ng is not installed.", "Install the package espeak-ng.") from fault
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self.rate <= 0:
            raise Refusal("espeak-ng can not find its data.", "Install the package espeak-ng again.")
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._marks: list[tuple[int, int, int, int, str]] = []
        self._callback = _Callback(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, parameters: tuple[int, int, int]) -> Answer:
        """Return samples and marks, once in the life of the library. Raises Refusal."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise Refusal(f"espeak-ng has no voice {voice}.", "`espeak-ng --voices` lists them.")
        for parameter, value in zip((_RATE, _PITCH, _RANGE), parameters, strict=True):
            self._library.espeak_SetParameter(parameter, value, 0)
        # Its breath is rand(), which the sound library that it opens seeds by chance in a new home.
        ctypes.CDLL(None).srand(1)
        raw = text.encode()
        self._library.espeak_Synth(raw, c_size_t(len(raw) + 1), 0, _CHARACTERS, 0, _UTF8, None, None)
        return self.rate, np.concatenate([*self._pieces, np.zeros(0, dtype=np.int16)]), self._marks

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        at = 0
        while events[at].type != _END:
            each = events[at]
            if each.type in (WORD, PHONEME):
                name = each.id.string.decode("utf-8", "replace") if each.type == PHONEME else ""
                self._marks.append((each.type, each.text_position, each.length, each.audio_position, name))
            at += 1
        return 0


def serve() -> None:
    """Say what is asked for on stdin, each in a child, until it closes; first, whether there is a library."""
    out = sys.stdout.buffer
    try:
        library = _Library()
    except Refusal as refusal:
        _send(out, refusal)
        return
    _send(out, (library.rate, np.zeros(0, dtype=np.int16), []))
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        child = os.fork()
        if not child:
            try:
                _send(out, library.say(*request))
            except Refusal as refusal:
                _send(out, refusal)
            os._exit(0)
        os.waitpid(child, 0)


def _send(out: BinaryIO, answer: Answer | Refusal) -> None:
    plain = answer.args if isinstance(answer, Refusal) else answer
    pickle.dump(plain, out, protocol=pickle.HIGHEST_PROTOCOL)
    out.flush()


if __name__ == "__main__":
    serve()
