"""How faster-whisper is asked, and what is said where it can not be used.

Whisper's weights can not come with the tests: the adapter is held against a stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import UserError
from tests.training.data.ears import Segment, whisper
from training.data.recogniser import RECOGNISER_RATE, HeardWord, WhisperRecogniser, open_recogniser

__all__ = ["whisper"]  # a fixture


def test_whisper_gives_plain_numbers_and_what_it_raises_becomes_a_sentence(whisper: Path) -> None:
    recogniser = open_recogniser(str(whisper), "en", "cpu")
    samples = np.zeros(RECOGNISER_RATE, dtype=np.float32)
    samples[4000:8000] = 0.3 * np.sin(np.arange(4000) * 2 * np.pi * 1000 / RECOGNISER_RATE)
    [word] = recogniser.hear(samples, "en")
    assert word == HeardWord(" blue", 0.25, 0.5, pytest.approx(0.8))
    assert all(type(value) is float for value in word[1:])

    class Exhausted:
        def transcribe(self, *_: object, **__: object) -> tuple[Iterator[Segment], None]:
            return self._segments(), None

        def _segments(self) -> Iterator[Segment]:
            yield Segment([])
            raise RuntimeError("CUDA failed with error out of memory")

    with pytest.raises(UserError, match="out of memory") as fault:
        WhisperRecogniser(Exhausted()).hear(samples, "en")
    assert "smaller recogniser" in fault.value.advice


@pytest.mark.parametrize(
    ("asked", "sentence", "advice"),
    [
        (("medium", "en", "cpu"), "'medium' is not on this computer and can not be fetched", "folder"),
        (("huge", "en", "cpu"), "There is no recogniser 'huge'.", "one of tiny, medium."),
        (("./nowhere", "en", "cpu"), "There is no folder ./nowhere.", "folder"),
        (("{folder}", "xx", "cpu"), "does not know the language 'xx'", "en, ja"),
        (("{folder}", "en", "cuda"), "no CUDA-capable device", "--device cpu"),
        (("{folder}/..", "en", "cpu"), "holds no Whisper model", "model.bin"),
    ],
)
def test_a_recogniser_that_can_not_be_used_says_why(
    whisper: Path, asked: tuple[str, str, str], sentence: str, advice: str
) -> None:
    spec, language, device = asked
    with pytest.raises(UserError) as fault:
        open_recogniser(spec.format(folder=whisper), language, device)
    assert sentence in fault.value.sentence
    assert advice in fault.value.advice


def test_a_model_in_another_format_is_told_apart(whisper: Path) -> None:
    (whisper / "model.bin").rename(whisper / "model.safetensors")
    with pytest.raises(UserError, match="ct2-transformers-converter"):
        open_recogniser(str(whisper), "en", "cpu")
