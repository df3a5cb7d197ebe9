"""The scores of a talk are what happened in it, told of talks that are made up to be so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.frames import FRAME_RATE, FRAME_SAMPLES
from training.starter.acoustics import CLEAN, scale
from training.starter.caller import Act
from training.starter.recogniser import PhraseRecogniser
from training.starter.score import Talk, recognised_lines, score_talk
from training.starter.scripts import phrases
from training.starter.speech import Speaker
from training.starter.voices import model_voice

FRAMES = 200
NAME, MUSIC = "My name is Aizuchi.", "Yes, I like quiet music."
MURMUR = phrases("en").backchannels[0]


@pytest.fixture(scope="module")
def recogniser() -> PhraseRecogniser:
    return PhraseRecogniser(recognised_lines())


def say(speaker: Speaker, lines: Sequence[tuple[str, float]], acts: list[Act], *, shift: int = 0) -> Talk:
    """Return a talk in which the model says lines, each from a time in seconds on; words come with them."""
    samples = np.zeros(FRAMES * FRAME_SAMPLES, dtype=np.float32)
    texts = [""] * FRAMES
    for line, at_s in lines:
        speech = speaker.say(line, model_voice("en"))
        first = round(at_s * FRAME_RATE) * FRAME_SAMPLES
        samples[first : first + len(speech.sound)] = scale(speech.sound, CLEAN)
        for word in speech.words:
            texts[round((at_s + word.start_s) * FRAME_RATE) + shift] += f" {word.text}"
    return Talk(acts, samples, texts, [10.0] * FRAMES)


def question(expected: str, end_s: float = 2.0) -> Act:
    return Act("question", "en", "?", expected, 10.0, end_s * FRAME_RATE, FRAMES)


def test_a_right_answer_in_time_counts_and_its_speech_is_its_text(
    speaker: Speaker, recogniser: PhraseRecogniser
) -> None:
    scores = score_talk(say(speaker, [(NAME, 2.5)], [question(NAME)]), recogniser)
    assert scores["answer_rate"] == scores["answer_match_rate"] == scores["speech_phrase_match"] == 1
    assert scores["text_lag_s"] < 0.15
    assert scores["step_ms_p95"] == 10


def test_a_wrong_answer_is_an_answer_but_no_match(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    scores = score_talk(say(speaker, [(MUSIC, 2.5)], [question(NAME)]), recogniser)
    assert (scores["answer_rate"], scores["answer_match_rate"]) == (1, 0)


def test_an_answer_that_comes_late_is_none(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    scores = score_talk(say(speaker, [(NAME, 4.0)], [question(NAME)]), recogniser)
    assert (scores["answer_rate"], scores["answer_match_rate"]) == (0, 1)


def test_text_that_runs_ahead_is_measured(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    # The recogniser is asked for the words of what is written while the model speaks.
    early = score_talk(say(speaker, [(NAME, 2.5)], [question(NAME)], shift=-3), recogniser)
    assert early["text_lag_s"] == pytest.approx(0.24, abs=0.1)


def test_speech_that_is_not_its_text_is_no_match(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    spoken = say(speaker, [(MUSIC, 2.5)], [question(NAME)])
    written = say(speaker, [(NAME, 2.5)], [question(NAME)])
    mixed = Talk(spoken.acts, spoken.samples, written.texts, spoken.step_ms)
    scores = score_talk(mixed, recogniser)
    assert (scores["answer_match_rate"], scores["speech_phrase_match"]) == (1, 0)


def test_who_stops_in_time_has_yielded(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    story = next(each.answer for each in phrases("en").questions if each.long)
    cut = Act("cut_in", "en", "stop", "", 3.0 * FRAME_RATE, 3.4 * FRAME_RATE, FRAMES)
    for stops_s, yielded in ((3.7, 1), (20.0, 0)):
        talk = say(speaker, [(story, 1.0)], [cut])
        talk.samples[round(stops_s * FRAME_RATE) * FRAME_SAMPLES :] = 0
        assert score_talk(talk, recogniser)["yield_rate"] == yielded


def test_a_murmur_in_a_pause_is_a_backchannel_and_no_turn(
    speaker: Speaker, recogniser: PhraseRecogniser
) -> None:
    acts = [
        Act("pause", "en", "", "", 3.0 * FRAME_RATE, 3.5 * FRAME_RATE, 44),
        Act("story", "en", "", "", 1.0 * FRAME_RATE, 6.0 * FRAME_RATE, FRAMES),
    ]
    for said, kept, murmured in ((MURMUR, 1, 1), (NAME, 0, 0)):
        scores = score_talk(say(speaker, [(said, 3.1), (MUSIC, 6.6)], acts), recogniser)
        assert (scores["pause_silence_rate"], scores["backchannel_rate"]) == (kept, murmured)
        assert scores["answer_rate"] == 1


def test_a_talk_that_falls_silent_has_collapsed(speaker: Speaker, recogniser: PhraseRecogniser) -> None:
    acts = [
        Act("question", "en", "?", NAME, 0.0, (1 + 3 * at) * FRAME_RATE, round((3 + 3 * at) * FRAME_RATE))
        for at in range(4)
    ]
    for answers, collapsed in ((4, False), (2, True)):
        said = [(NAME, 1.4 + 3 * at) for at in range(answers)]
        assert score_talk(say(speaker, said, acts), recogniser)["collapsed"] == collapsed
