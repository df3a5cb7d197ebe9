"""What costs seconds and is the same for all tests of a process: the Speaker, and the model's lines by it."""

from collections.abc import Iterator

import pytest
import sentencepiece
import torch

from app.frames import FRAME_SAMPLES
from training.starter.dialogues import TEMPI
from training.starter.language import train_tokenizer
from training.starter.own_lines import OwnLines
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Speaker
from training.starter.voices import model_voice

BOOKS = 8


class Loudness:
    """A codec whose codes are how loud each frame is, from 0 to 100."""

    def encode(self, sound: torch.Tensor) -> torch.Tensor:
        frames = sound.reshape(len(sound), -1, FRAME_SAMPLES)
        loud = (100 * frames.abs().amax(-1)).ceil().clamp(0, 100).long()
        return loud[:, None].expand(-1, BOOKS, -1)


@pytest.fixture(scope="session")
def speaker() -> Iterator[Speaker]:
    one = Speaker()
    yield one
    one.close()


@pytest.fixture(scope="session")
def tokenizer() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())


@pytest.fixture(scope="session")
def lines(speaker: Speaker, tokenizer: sentencepiece.SentencePieceProcessor) -> OwnLines:
    """The model's lines in codes that tell how loud they are."""
    said = {
        (language, line, tempo): speaker.say(
            line,
            model_voice(language)._replace(speed=round(160 * speed)),
            phrases(language).aloud,
        )
        for language in LANGUAGES
        for line in phrases(language).lines
        for tempo, speed in TEMPI.items()
    }
    return OwnLines(said, Loudness(), tokenizer)  # type: ignore[arg-type]
