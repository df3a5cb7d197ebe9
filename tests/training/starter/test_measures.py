"""The figures of a talk are what happened in it, told of talks that are made up to be so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.frames import FRAME_RATE, FRAME_SAMPLES
from tests.training.starter import needs
from training.starter import measures
from training.starter.acoustics import CLEAN, scale
from training.starter.caller import Act
from training.starter.crowd import Talk
from training.starter.measures import Heard, hear, matches, turn_taking
from training.starter.scripts import phrases
from training.starter.speech import Speaker
from training.starter.user_texts import UserText
from training.starter.voices import model_voice

pytestmark = needs.engine("espeak-ng")
FRAMES = 200
NAME, MUSIC = "My name is Aizuchi.", "Yes, I like quiet music."
MURMUR = phrases("en").backchannels[0]
STORY = next(each.answer for each in phrases("en").questions if each.answer.startswith("One") and each.long)
CLAUSE = UserText("clause", "en", "it was cold", "it was cold")


def say(
    speaker: Speaker, lines: Sequence[tuple[str, float]], acts: list[Act], *, language: str = "en"
) -> Heard:
    """Return a talk in which the model says lines, each from a time in seconds on; words come with them."""
    samples = np.zeros(FRAMES * FRAME_SAMPLES, dtype=np.float32)
    texts = [""] * FRAMES
    for line, at_s in lines:
        speech = speaker.say(line, model_voice(language))
        first = round(at_s * FRAME_RATE) * FRAME_SAMPLES
        samples[first : first + len(speech.sound)] = scale(speech.sound, CLEAN)
        for word in speech.words:
            texts[round((at_s + word.start_s) * FRAME_RATE)] += (
                f" {word.text}" if language == "en" else word.text
            )
    return hear(Talk(acts, samples, texts), "somebody")


def question(answer: str, end_s: float = 2.0, *, new: bool = False, text: str = "what") -> Act:
    asked = UserText("question", "en", text, text, answer, new)
    return Act("question", asked, 10.0, end_s * FRAME_RATE, FRAMES)


def act(kind: str, start_s: float, end_s: float) -> Act:
    return Act(kind, CLAUSE, start_s * FRAME_RATE, end_s * FRAME_RATE, FRAMES)  # type: ignore[arg-type]


def figure(heard: Heard, name: str) -> float:
    return turn_taking([heard])[name].value


def test_a_right_answer_in_time_counts(speaker: Speaker) -> None:
    heard = say(speaker, [(NAME, 2.5)], [question(NAME)])
    assert matches([heard]).value == figure(heard, "answer_rate") == 1


def test_a_wrong_answer_is_an_answer_but_no_match(speaker: Speaker) -> None:
    heard = say(speaker, [(MUSIC, 2.5)], [question(NAME)])
    assert (figure(heard, "answer_rate"), matches([heard]).value) == (1, 0)


def test_an_answer_that_comes_late_is_none(speaker: Speaker) -> None:
    heard = say(speaker, [(NAME, 4.0)], [question(NAME)])
    assert (figure(heard, "answer_rate"), matches([heard]).value) == (0, 1)


def test_new_phrasings_are_told_apart(speaker: Speaker) -> None:
    talks = [
        say(speaker, [(NAME, 2.5)], [question(NAME)]),
        say(speaker, [(MUSIC, 2.5)], [question(NAME, new=True)]),
    ]
    assert (matches(talks).value, matches(talks).n) == (1, 1)
    assert (matches(talks, new=True).value, matches(talks, new=True).n) == (0, 1)


def test_the_same_question_by_the_same_voice_is_one_for_the_interval(speaker: Speaker) -> None:
    one = say(speaker, [(NAME, 2.5)], [question(NAME)])
    again = matches([one, one, one])
    assert (again.n, again.of) == (3, 1)
    other = Heard("somebody else", one.talk, one.runs)
    assert matches([one, other]).of == 2


def test_who_stops_in_the_middle_of_a_line_has_yielded(speaker: Speaker) -> None:
    for stops_s, yielded in ((3.7, 1), (20.0, 0)):
        heard = say(speaker, [(STORY, 1.0)], [act("cut_in", 3.0, 3.4)])
        heard.talk.samples[round(stops_s * FRAME_RATE) * FRAME_SAMPLES :] = 0
        heard.talk.texts[round(stops_s * FRAME_RATE) :] = [""] * (FRAMES - round(stops_s * FRAME_RATE))
        assert figure(hear(heard.talk), "yield_rate") == yielded


def test_a_line_that_ends_by_itself_is_no_yielding(speaker: Speaker) -> None:
    for kind, name in (("cut_in", "yield_rate"), ("control", "yield_rate_control")):
        ending = say(speaker, [(NAME, 1.0)], [act(kind, 1.6, 1.9)])
        assert turn_taking([ending])[name].n == 0
        misspelt = ending._replace(talk=Talk(ending.talk.acts, ending.talk.samples, list(ending.talk.texts)))
        misspelt.talk.texts[round(1.0 * FRAME_RATE)] = " Me"
        assert turn_taking([hear(misspelt.talk)])[name].n == 0
        going_on = say(speaker, [(STORY, 1.0)], [act(kind, 1.6, 1.9)])
        assert (turn_taking([going_on])[name].n, turn_taking([going_on])[name].value) == (1, 0)


def test_a_murmur_in_a_pause_is_a_backchannel_and_no_turn(speaker: Speaker) -> None:
    for said, kept, murmured in ((MURMUR, 1, 1), (NAME, 0, 0)):
        heard = say(speaker, [(said, 3.1), (MUSIC, 6.6)], [act("pause", 3.0, 3.5), act("story", 1.0, 6.0)])
        assert (figure(heard, "pause_silence_rate"), figure(heard, "backchannel_rate")) == (kept, murmured)
        assert figure(heard, "answer_rate") == 1


def test_talking_while_the_user_does_counts_but_for_a_murmur_and_the_very_end(speaker: Speaker) -> None:
    for said, at_s, over in ((NAME, 1.5, 1), (MURMUR, 1.5, 0), (NAME, 2.8, 0), (NAME, 3.2, 0)):
        heard = say(speaker, [(said, at_s)], [act("clause", 1.0, 3.0)])
        assert figure(heard, "talked_over_rate") == over, (said, at_s)


def test_an_answer_in_the_other_language_is_told(speaker: Speaker) -> None:
    japanese = phrases("ja").questions[3].answer
    wrong = say(speaker, [(japanese, 2.5)], [question(NAME)], language="ja")
    assert figure(wrong, "wrong_language_rate") == 1
    assert figure(say(speaker, [(NAME, 2.5)], [question(NAME)]), "wrong_language_rate") == 0
    silent = turn_taking([say(speaker, [], [question(NAME)])])["wrong_language_rate"]
    assert silent.n == 0, "who says nothing speaks no language"
    assert measures.language_of("はい、とても OK") == "ja"


def test_a_talk_that_falls_silent_has_collapsed(speaker: Speaker) -> None:
    acts = [
        question(NAME, 1 + 3 * at)._replace(
            start=3.0 * at * FRAME_RATE, until=round((3 + 3 * at) * FRAME_RATE)
        )
        for at in range(4)
    ]
    for answers, collapsed in ((4, False), (2, True)):
        said = [(NAME, 1.4 + 3 * at) for at in range(answers)]
        assert measures.collapsed(say(speaker, said, acts)) == collapsed


def test_the_answers_that_are_judged_are_whole_lines(speaker: Speaker) -> None:
    heard = say(speaker, [(NAME, 2.5)], [question(NAME)])
    [(_, run)] = measures.answers([heard])
    assert run.line == NAME
    assert len(heard.sound(run)) == (run.end - run.start) * FRAME_SAMPLES
    assert measures.answers([say(speaker, [("purple monkeys", 2.5)], [question(NAME)])]) == []


@pytest.mark.parametrize("kind", ["cut_in", "control"])
def test_nothing_at_all_is_not_measured(kind: str) -> None:
    silent = hear(Talk([], np.zeros(10 * FRAME_SAMPLES, dtype=np.float32), [""] * 10))
    assert silent.runs == []
    assert turn_taking([silent])["yield_rate" if kind == "cut_in" else "yield_rate_control"].n == 0
