"""The rules of a made-up talk hold in every dialogue."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from app.frames import FRAME_RATE
from training.starter import dialogues
from training.starter.dialogues import CUT_FRAMES, SLOW, TEMPI, Dialogue, Lines, make_dialogue
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Speech, Timed
from training.starter.user_texts import Kind, UserText, chosen

SECONDS = 40.0
WORD_S = 0.3
MARGIN_S = 1 / FRAME_RATE + 1e-6
"""The model begins with a frame, a user anywhere in one."""


@dataclass(frozen=True)
class Said:
    """An utterance without sound: so long as it has words."""

    text: str
    kind: Kind
    language: str
    answer: str
    begin: float
    words: list[Timed]

    @property
    def end(self) -> float:
        return self.words[-1].end_s * FRAME_RATE


class Talker:
    """A user who can say all but some kinds."""

    def __init__(self, seed: int, mute: tuple[Kind, ...] = ()) -> None:
        self._chance, self._mute = np.random.default_rng(seed), mute

    def say(self, kind: Kind, language: str, answer: str = "", after: str = "") -> Said | None:
        found = [
            text
            for text in chosen(kind, language)
            if kind not in self._mute and (kind == "unknown" or text.answer == answer) and text.after == after
        ]
        return self._said(found[int(self._chance.integers(len(found)))]) if found else None

    def _said(self, text: UserText) -> Said:
        begin = 4 + float(self._chance.random())
        starts = [begin / FRAME_RATE + at * WORD_S for at in range(len(text.words))]
        words = [Timed(word, start, start + WORD_S) for word, start in zip(text.words, starts, strict=True)]
        return Said(text.written, text.kind, text.language, text.answer, begin, words)


def said_by(line: str, tempo: int) -> Speech:
    words = line.split()
    word_s = WORD_S / TEMPI[tempo]
    timed = tuple(Timed(word, at * word_s, (at + 1) * word_s) for at, word in enumerate(words))
    return Speech(np.zeros(round(len(words) * word_s * 24_000), dtype=np.float32), timed, ())


@pytest.fixture(scope="module")
def lines() -> Lines:
    return Lines(
        {
            (language, line, tempo): said_by(line, tempo)
            for language in LANGUAGES
            for line in phrases(language).lines
            for tempo in TEMPI
        }
    )


@pytest.fixture(scope="module")
def talks(lines: Lines) -> list[Dialogue]:
    return [make_dialogue(Talker(at), lines, np.random.default_rng(at), SECONDS) for at in range(200)]


def test_the_same_seed_gives_the_same_dialogue(lines: Lines, talks: list[Dialogue]) -> None:
    again = make_dialogue(Talker(3), lines, np.random.default_rng(3), SECONDS)
    assert again == talks[3]
    assert again.lines != talks[4].lines


def test_a_dialogue_is_as_long_as_asked_for_and_full(talks: list[Dialogue]) -> None:
    for talk in talks:
        assert talk.frames == SECONDS * FRAME_RATE
        assert all(line.first < talk.frames for line in talk.lines)
        assert [turn.begin_s for turn in talk.turns] == sorted(turn.begin_s for turn in talk.turns)
        assert all(one.end_s <= other.begin_s for one, other in zip(talk.turns, talk.turns[1:], strict=False))
    kinds = Counter(kind_of(turn) for talk in talks for turn in talk.turns)
    assert kinds["question"] / len(talks) > 5
    assert set(kinds) == {
        "question", "cut_in", "murmur", "hesitation", "opening", "clause",
        "unknown", "name", "again", "slower", "follow_up",
    }  # fmt: skip


def kind_of(turn: dialogues.Turn) -> Kind:
    assert isinstance(turn.utterance, Said)
    return turn.utterance.kind


def test_every_question_is_answered_in_time_and_rightly(talks: list[Dialogue]) -> None:
    answered = Counter[str]()
    for talk in talks:
        for turn in talk.turns:
            if not turn.utterance.answer or turn.end_s > SECONDS - 1:
                continue
            # A line that was under way when the user cut in stops after they began, and is none.
            line = next(line for line in talk.lines if line.first / FRAME_RATE >= turn.end_s)
            assert line.text == turn.utterance.answer
            assert line.language == turn.utterance.language
            wait_s = line.first / FRAME_RATE - turn.end_s
            stopped = any(
                turn.end_s < (other.end or 0) / FRAME_RATE < turn.end_s + wait_s for other in talk.lines
            )
            assert dialogues.ANSWER_S[0] <= wait_s
            assert stopped or wait_s <= dialogues.ANSWER_S[1] + MARGIN_S
            answered[line.text] += 1
    assert set(answered) >= {question.answer for each in LANGUAGES for question in phrases(each).questions}
    assert {phrases(each).unknown for each in LANGUAGES} < set(answered)


def test_both_languages_come_in_one_dialogue_now_and_then(talks: list[Dialogue]) -> None:
    mixed = [len({turn.utterance.language for turn in talk.turns}) > 1 for talk in talks]
    assert 0.1 < np.mean(mixed) < 0.6
    assert 0.5 < np.mean([talk.language == "en" for talk in talks]) < 0.7


def test_who_is_cut_short_stops_soon_and_says_no_further_word(talks: list[Dialogue], lines: Lines) -> None:
    cuts = [(talk, line) for talk in talks for line in talk.lines if line.end and line.end < talk.frames]
    assert len(cuts) / len(talks) > 1.5
    by_phrase = 0
    for talk, line in cuts:
        assert line.end is not None
        assert (line.end - line.first) % CUT_FRAMES == 0
        end_s = line.end / FRAME_RATE
        assert end_s < line.first / FRAME_RATE + lines.seconds(line.language, line.text)
        turn = [turn for turn in talk.turns if line.first / FRAME_RATE < turn.begin_s < end_s][-1]
        assert dialogues.STOP_S[0] <= end_s - turn.begin_s + 1e-6
        assert end_s - turn.begin_s <= dialogues.STOP_S[1] + MARGIN_S
        assert all(word.start_s < end_s for word in lines.words(line))
        after = [other for other in talk.lines if other.first >= line.end]
        if kind_of(turn) == "cut_in" and after:
            assert after[0].text in phrases(line.language).stopped
            by_phrase += 1
    assert by_phrase > 50


def test_a_murmur_stops_nobody(talks: list[Dialogue], lines: Lines) -> None:
    murmurs = 0
    for talk in talks:
        for turn in talk.turns:
            over = [
                line
                for line in talk.lines
                if line.first / FRAME_RATE
                <= turn.begin_s
                < line.first / FRAME_RATE + lines.seconds(line.language, line.text)
            ]
            if kind_of(turn) == "murmur":
                assert [line.end for line in over] == [None]
                murmurs += 1
    assert murmurs > 20


def test_the_model_murmurs_only_while_the_user_goes_on(talks: list[Dialogue]) -> None:
    murmurs = 0
    for talk in talks:
        for line in talk.lines:
            if line.text in phrases(line.language).backchannels:
                later = [turn.begin_s for turn in talk.turns if turn.begin_s > line.first / FRAME_RATE - 0.1]
                assert min(later, default=SECONDS) - line.first / FRAME_RATE < dialogues.PAUSE_S[1] + MARGIN_S
                murmurs += 1
    assert murmurs > 20


def test_what_was_said_last_is_said_again_and_slower(talks: list[Dialogue]) -> None:
    asked = Counter[Kind]()
    for talk in talks:
        for turn in talk.turns:
            kind = kind_of(turn)
            after = [line for line in talk.lines if line.first / FRAME_RATE >= turn.end_s]
            if kind in ("again", "slower") and after:
                before = [line for line in talk.lines if line.first / FRAME_RATE < turn.begin_s]
                assert after[0].text == before[-1].text
                assert (after[0].tempo == SLOW) == (kind == "slower")
                asked[kind] += 1
    assert min(asked["again"], asked["slower"]) > 10


def test_a_long_silence_is_broken(talks: list[Dialogue]) -> None:
    wakes = [line for talk in talks for line in talk.lines if line.text in phrases(line.language).wakes]
    assert wakes


def test_kinds_that_nobody_can_say_are_left_out(lines: Lines) -> None:
    later: tuple[Kind, ...] = ("unknown", "name", "again", "slower", "follow_up")
    talks = [make_dialogue(Talker(at, later), lines, np.random.default_rng(at), SECONDS) for at in range(30)]
    kinds = Counter(kind_of(turn) for talk in talks for turn in talk.turns)
    assert not set(kinds) & set(later)
    assert kinds["question"] / len(talks) > 5
    assert not [line for talk in talks for line in talk.lines if line.text == phrases(line.language).unknown]
