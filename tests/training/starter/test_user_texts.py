"""The table of what users say is whole, and what scores ask is never learnt."""

import pytest

from training.starter.scripts import LANGUAGES, phrases
from training.starter.user_texts import KINDS, chosen, spell_words, taught, user_texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_has_five_phrasings_and_one_that_is_new(language: str) -> None:
    for question in phrases(language).questions:
        asks = [text for text in chosen("question", language) if text.answer == question.answer]
        new = [text for text in chosen("question", language, new=True) if text.answer == question.answer]
        assert len(asks) >= 5, question.answer
        assert new, question.answer
        assert asks[0].spoken == spell_words(question.asks[0]), "it stands on the card"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_a_line_of_the_model(language: str) -> None:
    answers = {text.answer for text in user_texts(language) if text.kind == "question"}
    assert answers == {question.answer for question in phrases(language).questions}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_twice(language: str) -> None:
    spoken = [text.spoken for text in user_texts(language)]
    assert len(spoken) == len(set(spoken))


def test_what_is_new_is_never_taught() -> None:
    learnt = {(text.language, text.spoken) for text in taught()}
    new = {(text.language, text.spoken) for each in LANGUAGES for text in user_texts(each) if text.new}
    assert new
    assert not learnt & new
    assert len(learnt) >= 400


def test_japanese_is_spoken_in_kana_and_english_in_small_letters() -> None:
    for text in user_texts("ja"):
        assert all("ぁ" <= letter <= "ゖ" or letter in " ー" for letter in text.spoken), text
    for text in user_texts("en"):
        assert all("a" <= letter <= "z" or letter in " '" for letter in text.spoken), text


def test_words_are_without_punctuation() -> None:
    assert spell_words("Okay, what's the T-shirt?") == "okay what's the t shirt"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_to_each_kind_is_a_line_of_the_model(language: str) -> None:
    said = phrases(language)
    for text in user_texts(language):
        assert not text.answer or text.answer in said.lines, text
        assert not text.after or text.after in said.lines, text
    assert {text.kind for text in user_texts(language)} == set(KINDS)
    assert {text.answer for text in chosen("unknown", language)} == {said.unknown}
    assert len({text.answer for text in chosen("name", language)}) == len(said.names) == 8


def test_some_kinds_alone_leave_the_others_out() -> None:
    assert {text.kind for text in taught(["again", "slower"])} == {"again", "slower"}
    assert len(taught(["unknown"])) >= 80
