"""A crowd hears from the model what each would hear alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.catalog import STARTER
from app.engine.checkpoint import BUNDLED
from app.engine.events import Sampling
from app.engine.loop import converse
from app.engine.model import load_model
from app.frames import Samples
from tests.training.starter import needs
from training.starter.caller import Caller, Turn
from training.starter.crowd import hold_talks
from training.starter.score import QUIET
from training.starter.speech import Speaker, Voice
from training.starter.user_texts import UserText, chosen

pytestmark = needs.engine("espeak-ng")
FOLDER = BUNDLED / STARTER.name
ASKS = [
    text for text in chosen("question", "en") if text.spoken in ("how are you", "who are you", "thank you")
]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def caller(speaker: Speaker, asks: list[UserText], seed: int) -> Caller:
    def say(text: UserText) -> Samples:
        return speaker.say(text.spoken, Voice("en-us+m3")).sound

    return Caller(say, [Turn("question", (text,)) for text in asks], QUIET, seed)


def test_each_hears_what_the_loop_of_every_talk_gives_alone(speaker: Speaker) -> None:
    crowd = hold_talks(FOLDER, [caller(speaker, ASKS[:1], 1), caller(speaker, ASKS, 2)], 0, greedy=True)
    assert len(crowd[0].texts) < len(crowd[1].texts), "who is done is done"
    for talk, alone in zip(crowd, (caller(speaker, ASKS[:1], 1), caller(speaker, ASKS, 2)), strict=True):
        model, texts = load_model(str(FOLDER), lambda event: None, sampling=Sampling(greedy=True), seed=0), []
        try:
            converse(
                alone,
                model,
                [lambda frame, heard, said, texts=texts: texts.append(said.text)],
                lambda event: None,
            )
        finally:
            model.close()
        assert "".join(talk.texts) == "".join(texts)
        assert len(talk.samples) == len(np.concatenate(alone.said))
