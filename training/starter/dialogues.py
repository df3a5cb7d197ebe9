"""Dialogues made up: who speaks when, what the model says and writes, and what the user says.

The rules of the talk are here: the model answers a question within 0.35 to 0.65 s; after a story, which has
pauses under 0.6 s, it waits a little longer; it murmurs in such pauses; whoever cuts in makes it stop within
0.65 s, who only murmurs does not; a long silence makes it ask. The language of an answer is that of the
question. Knows nothing about codes, rooms or voices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from app.frames import FRAME_RATE
from training.starter.scripts import LANGUAGES, Phrases, phrases
from training.starter.speech import Speech, Timed
from training.starter.user_texts import Kind, chosen

_T = TypeVar("_T")

ANSWER_S = 0.35, 0.65
REPLY_S = 0.8, 1.05
"""After the last word of a story; a pause inside of it is at most PAUSE_S[1] long."""
PAUSE_S = 0.15, 0.55
MURMUR_S = 0.1, 0.2
_MURMURS = 0.85
"""How often it murmurs in a pause that leaves room for it: what is rare, a cool model never says."""
STOP_S = 0.4, 0.65
CUT_FRAMES = 3
"""A line is cut after a multiple of this, so that each cut is encoded once; STOP_S is as wide."""
_CUT_IN_S = 0.5
"""So much of a line is heard before somebody cuts in."""
WAKE_S = 4.6, 5.0
WAKE_AGAIN_S = 9.0, 9.5
GREETING_S = 2.2, 2.6

_ENGLISH_SHARE = 0.6
_OTHER_LANGUAGE = 0.05
"""How often a turn is in the other language."""

_TURNS = {
    "question": 0.41, "long": 0.29, "story": 0.11, "unknown": 0.08, "name": 0.04, "again": 0.04,
    "silence": 0.03,
}  # fmt: skip
_CUT_INS = {"question": 0.4, "long": 0.78}
"""How often the user cuts an answer short, …"""
_MURMUR_SHARE = {"question": 0.06, "long": 0.22}
"""… and how often they murmur in it."""
_HESITATIONS = 0.25
_FOLLOW_UPS = 0.7

NORMAL, SLOW = 0, 1
TEMPI: Mapping[int, float] = {NORMAL: 1.0, SLOW: 0.8}
"""How fast a line is said in each tempo."""


class Utterance(Protocol):
    """Something that a user says; moments are frames of 80 ms from its own first frame."""

    @property
    def language(self) -> str:
        """The language."""

    @property
    def text(self) -> str:
        """As people write it."""

    @property
    def answer(self) -> str:
        """The line that is right, '' where none is."""

    @property
    def begin(self) -> float:
        """Where its sound begins."""

    @property
    def end(self) -> float:
        """Where its sound ends."""

    @property
    def words(self) -> Sequence[Timed]:
        """Its words, in s from its first frame."""


class User(Protocol):
    """Somebody who speaks to the model."""

    def say(self, kind: Kind, language: str, answer: str = "", after: str = "") -> Utterance | None:
        """Return something of a kind, to which an answer is right; None where there is nothing."""


class Line(NamedTuple):
    """Something that the model says."""

    text: str
    language: str
    first: int
    """Frame of its first sample."""
    end: int | None = None
    """Frame from which on it is silent, where the user cut it short."""
    tempo: int = NORMAL


class Turn(NamedTuple):
    """Something that the user says, and the frame that its own first frame is in."""

    utterance: Utterance
    first: int

    @property
    def begin_s(self) -> float:
        """Return when its sound begins."""
        return (self.first + self.utterance.begin) / FRAME_RATE

    @property
    def end_s(self) -> float:
        """Return when its sound ends."""
        return (self.first + self.utterance.end) / FRAME_RATE

    @property
    def words(self) -> list[Timed]:
        """Return its words, in s of the dialogue."""
        at_s = self.first / FRAME_RATE
        return [Timed(word.text, word.start_s + at_s, word.end_s + at_s) for word in self.utterance.words]


@dataclass
class Dialogue:
    """What happens in it."""

    language: str
    frames: int
    lines: list[Line] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


class Lines:
    """What the model can say, said once in each tempo."""

    def __init__(self, speech: Mapping[tuple[str, str, int], Speech]) -> None:
        self.speech = speech
        """By language, line and tempo."""

    def seconds(self, language: str, line: str, tempo: int = NORMAL) -> float:
        """Return how long a line takes."""
        return self.speech[language, line, tempo].seconds

    def words(self, line: Line) -> list[Timed]:
        """Return the words of a line that were begun, in seconds of the dialogue."""
        first_s = line.first / FRAME_RATE
        end_s = math.inf if line.end is None else line.end / FRAME_RATE
        words = [
            Timed(word.text, first_s + word.start_s, min(first_s + word.end_s, end_s))
            for word in self.speech[line.language, line.text, line.tempo].words
        ]
        return [word for word in words if word.start_s < end_s]


def make_dialogue(user: User, lines: Lines, chance: np.random.Generator, seconds: float) -> Dialogue:
    """Return a dialogue of about so many seconds with a user."""
    language = LANGUAGES[int(chance.random() > _ENGLISH_SHARE)]
    return _Play(user, lines, chance, seconds, language).dialogue()


class _Play:
    """A dialogue while it is made up: time goes on with each turn."""

    def __init__(
        self, user: User, lines: Lines, chance: np.random.Generator, seconds: float, language: str
    ) -> None:
        self._user, self._lines, self._chance = user, lines, chance
        self._seconds = seconds
        self._made = Dialogue(language, round(seconds * FRAME_RATE))
        self._now_s = 0.0
        self._turns: dict[str, Callable[[Phrases], None]] = {
            "question": self._question,
            "long": self._long,
            "story": self._story,
            "unknown": self._unknown,
            "name": self._name,
            "again": self._again,
            "silence": self._silence,
        }

    def dialogue(self) -> Dialogue:
        """Play it to its end."""
        self._begin()
        while self._now_s < self._seconds:
            other = self._chance.random() < _OTHER_LANGUAGE
            language = self._made.language
            said = phrases(LANGUAGES[1 - LANGUAGES.index(language)] if other else language)
            before_s = self._now_s
            self._turns[str(self._chance.choice(list(_TURNS), p=list(_TURNS.values())))](said)
            if self._now_s > before_s:
                self._follow_up(said)
                self._pause()
            else:
                # Nobody has anything of the kind to say.
                self._now_s += 1 / FRAME_RATE
        self._made.lines = [line for line in self._made.lines if line.first < self._made.frames]
        self._made.turns = [turn for turn in self._made.turns if turn.begin_s < self._seconds]
        return self._made

    def _begin(self) -> None:
        """The user speaks first, or does not, and is greeted."""
        if self._chance.random() < 0.75:
            self._now_s = self._between((0.3, 1.5))
        else:
            self._now_s = self._between(GREETING_S)
            said = phrases(self._made.language)
            self._model(said, self._pick(said.greetings))
            self._now_s += self._between((0.3, 1.5))

    def _question(self, said: Phrases) -> None:
        question = self._pick(said.questions)
        if self._chance.random() < _HESITATIONS and self._says("hesitation", said):
            self._now_s += self._between((0.1, 0.45))
        if self._says("question", said, question.answer):
            self._answer(said, question.answer, "question")

    def _long(self, said: Phrases) -> None:
        """A long answer, in which the user murmurs, cuts in, or lets it be."""
        question = self._pick([each for each in said.questions if each.long])
        if self._says("question", said, question.answer):
            self._answer(said, question.answer, "long")

    def _unknown(self, said: Phrases) -> None:
        if self._says("unknown", said):
            self._answer(said, said.unknown, "question")

    def _name(self, said: Phrases) -> None:
        line = said.introduced.format(name=self._pick(said.names))
        if self._says("name", said, line):
            self._answer(said, line, "question")

    def _again(self, said: Phrases) -> None:
        """What the model said last once more, or slower."""
        last = self._made.lines[-1] if self._made.lines else None
        if last is None or last.end is not None or last.language != said.language:
            return
        slower = self._chance.random() < 0.5
        if last.text not in said.backchannels and self._says("slower" if slower else "again", said):
            self._now_s += self._between(ANSWER_S)
            self._model(said, last.text, SLOW if slower else NORMAL)

    def _follow_up(self, said: Phrases) -> None:
        """What is said to the last line of the model, where that asked for it."""
        last = self._made.lines[-1] if self._made.lines else None
        if (
            last is None
            or last.end is not None
            or last.language != said.language
            or self._chance.random() > _FOLLOW_UPS
        ):
            return
        texts = [text for text in chosen("follow_up", said.language) if text.after == last.text]
        if not texts:
            return
        answer = self._pick(texts).answer
        self._now_s += self._between((0.3, 1.2))
        if self._says("follow_up", said, answer, last.text):
            self._answer(said, answer, "question")

    def _answer(self, said: Phrases, answer: str, kind: str) -> None:
        """Let the model answer what was just said, and the user murmur, cut in, or let it be."""
        self._now_s += self._between(ANSWER_S)
        begin_s, longest_s = self._now_s, self._lines.seconds(said.language, answer)
        happens = self._chance.random()
        if happens < _CUT_INS[kind] and longest_s > _CUT_IN_S + 2 * STOP_S[1]:
            self._cut_in(said, answer, begin_s + self._between((_CUT_IN_S, longest_s - 1.5 * STOP_S[1])))
            return
        self._model(said, answer)
        if happens > 1 - _MURMUR_SHARE[kind] and longest_s > 1.2:
            end_s = self._now_s
            self._now_s = begin_s + self._between((0.5, longest_s - 0.6))
            self._says("murmur", said)
            self._now_s = max(self._now_s, end_s)

    def _cut_in(self, said: Phrases, answer: str, at_s: float) -> None:
        """Let the user cut in while the model answers: it stops, and says so or answers what they ask."""
        first = math.ceil(self._now_s * FRAME_RATE)
        asks = self._chance.random() < 0.4
        other = self._pick([each for each in said.questions if not each.long])
        self._now_s = at_s
        if not (self._says("question", said, other.answer) if asks else self._says("cut_in", said)):
            self._now_s = first / FRAME_RATE
            self._model(said, answer)
            return
        began = self._made.turns[-1].begin_s * FRAME_RATE
        cut = CUT_FRAMES * math.ceil((began + STOP_S[0] * FRAME_RATE - first) / CUT_FRAMES)
        self._made.lines.append(Line(answer, said.language, first, first + cut))
        self._now_s = max(self._now_s, (first + cut) / FRAME_RATE) + self._between(ANSWER_S)
        self._model(said, other.answer if asks else said.stopped[int(self._chance.random() < 0.3)])

    def _story(self, said: Phrases) -> None:
        """Clauses of the user with pauses between, in some of which the model murmurs."""
        if not self._says("opening", said):
            return
        for _ in range(int(self._chance.integers(1, 4))):
            end_s = self._now_s
            pause_s = self._between(PAUSE_S)
            self._now_s += pause_s
            if self._says("clause", said) and pause_s > MURMUR_S[1] and self._chance.random() < _MURMURS:
                murmur = math.ceil((end_s + self._between(MURMUR_S)) * FRAME_RATE)
                self._made.lines.append(Line(self._pick(said.backchannels), said.language, murmur))
        self._now_s = self._made.turns[-1].end_s + self._between(REPLY_S)
        self._model(said, self._pick(said.replies))

    def _silence(self, said: Phrases) -> None:
        """Nobody speaks until the model asks, and perhaps once more."""
        wait_s = WAKE_S
        while True:
            # Time has gone on since the model's last word; the wait counts from there.
            self._now_s = self._last_end_s() + self._between(wait_s)
            self._model(said, self._pick(said.wakes))
            wait_s = WAKE_AGAIN_S
            if self._chance.random() < 0.8 or self._now_s > self._seconds:
                break

    def _pause(self) -> None:
        """Let the user think, less long than it takes to be asked."""
        self._now_s += self._between((0.2, 0.9) if self._chance.random() < 0.75 else (0.9, 2.8))

    def _last_end_s(self) -> float:
        """Return when the model or the user was last heard."""
        ends_s = [self._end_s(line) for line in self._made.lines[-1:]]
        return max([0.0, *ends_s, *(turn.end_s for turn in self._made.turns[-1:])])

    def _end_s(self, line: Line) -> float:
        if line.end is not None:
            return line.end / FRAME_RATE
        return line.first / FRAME_RATE + self._lines.seconds(line.language, line.text, line.tempo)

    def _says(self, kind: Kind, said: Phrases, answer: str = "", after: str = "") -> bool:
        """Let the user say something of a kind as soon as can be from now, and time go on to its end."""
        utterance = self._user.say(kind, said.language, answer, after)
        if utterance is None:
            return False
        self._made.turns.append(Turn(utterance, math.ceil(self._now_s * FRAME_RATE - utterance.begin)))
        self._now_s = self._made.turns[-1].end_s
        return True

    def _model(self, said: Phrases, line: str, tempo: int = NORMAL) -> None:
        """Let the model speak now, to its end."""
        first = math.ceil(self._now_s * FRAME_RATE)
        self._made.lines.append(Line(line, said.language, first, tempo=tempo))
        self._now_s = self._end_s(self._made.lines[-1])

    def _between(self, limits: tuple[float, float]) -> float:
        return float(self._chance.uniform(*limits))

    def _pick(self, choices: Sequence[_T]) -> _T:
        return choices[int(self._chance.integers(len(choices)))]
