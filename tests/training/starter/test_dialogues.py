"""The rules of a made-up talk hold in every dialogue."""

import numpy as np
import pytest

from app.frames import FRAME_RATE, FRAME_SAMPLES
from training.starter import dialogues
from training.starter.dialogues import Dialogue, Lines, make_dialogue
from training.starter.scripts import phrases
from training.starter.speech import Speaker

SECONDS = 40.0


@pytest.fixture(scope="module")
def lines(speaker: Speaker) -> Lines:
    return Lines(speaker)


@pytest.fixture(scope="module")
def talks(speaker: Speaker, lines: Lines) -> list[Dialogue]:
    return [make_dialogue(speaker, lines, np.random.default_rng(seed), SECONDS) for seed in range(30)]


def test_the_same_seed_gives_the_same_dialogue(speaker: Speaker, lines: Lines, talks: list[Dialogue]) -> None:
    again = make_dialogue(speaker, lines, np.random.default_rng(3), SECONDS)
    assert again.lines == talks[3].lines
    np.testing.assert_array_equal(again.heard, talks[3].heard)


def test_a_dialogue_is_as_long_as_asked_for(talks: list[Dialogue]) -> None:
    for talk in talks:
        assert talk.frames == SECONDS * FRAME_RATE
        assert talk.heard.shape == (talk.frames * FRAME_SAMPLES,)
        assert np.abs(talk.heard).max() <= 1
        assert all(line.first < talk.frames for line in talk.lines)


def test_every_question_is_answered_in_time_and_rightly(talks: list[Dialogue]) -> None:
    answered = 0
    for talk in talks:
        for language, words in talk.user:
            text = " ".join(word.text for word in words)
            right = {each.answer for each in phrases(language).questions if text in each.asks}
            end_s = words[-1].end_s
            if not right or end_s > SECONDS - 2:
                continue
            after = [line for line in talk.lines if line.first / FRAME_RATE >= end_s]
            wait_s = after[0].first / FRAME_RATE - end_s
            assert after[0].text in right
            assert dialogues.ANSWER_S[0] <= wait_s <= dialogues.ANSWER_S[1] + 1 / FRAME_RATE + 0.01
            answered += 1
    assert answered > 50


def test_who_is_cut_short_stops_soon_and_says_no_further_word(talks: list[Dialogue], lines: Lines) -> None:
    cut = [(talk, line) for talk in talks for line in talk.lines if line.end is not None]
    assert len(cut) > 5
    for talk, line in cut:
        end_s = line.end / FRAME_RATE  # type: ignore[operator]
        began = [
            words[0].start_s for _, words in talk.user if line.first / FRAME_RATE < words[0].start_s < end_s
        ]
        assert dialogues.STOP_S[0] <= end_s - began[-1] <= dialogues.STOP_S[1] + 1 / FRAME_RATE
        assert all(word.start_s < end_s for word in lines.words(line))


def test_the_model_murmurs_only_while_the_user_goes_on(talks: list[Dialogue]) -> None:
    murmurs = 0
    for talk in talks:
        for line in talk.lines:
            if line.text in phrases(line.language).backchannels:
                later = [
                    words[0].start_s
                    for _, words in talk.user
                    if words[0].start_s > line.first / FRAME_RATE - 0.1
                ]
                assert later, "the story goes on"
                assert min(later) - line.first / FRAME_RATE < dialogues.PAUSE_S[1]
                murmurs += 1
    assert murmurs > 5


def test_a_long_silence_is_broken(talks: list[Dialogue]) -> None:
    wakes = [line for talk in talks for line in talk.lines if line.text in phrases(line.language).wakes]
    assert wakes
