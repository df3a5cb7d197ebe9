"""Dialogues made up: who speaks when, what the microphone hears, what the model says and writes.

The rules of the talk are here: the model answers a question within 0.35 to 0.65 s; after a story, which has
pauses under 0.6 s, it waits a little longer; it murmurs in such pauses; whoever cuts in makes it stop within
0.65 s, who only murmurs does not; a long silence makes it ask. Knows nothing about codes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from training.starter.acoustics import Place, carry, draw_place, scale
from training.starter.scripts import LANGUAGES, Phrases, Question, phrases
from training.starter.speech import Sound, Speaker, Speech, Timed, Voice
from training.starter.voices import draw_voice, model_voice

_T = TypeVar("_T")

ANSWER_S = 0.35, 0.65
REPLY_S = 0.8, 1.05
"""After the last word of a story; a pause inside of it is at most PAUSE_S[1] long."""
PAUSE_S = 0.15, 0.55
MURMUR_S = 0.1, 0.2
_MURMURS = 0.85
"""How often it murmurs in a pause that leaves room for it: what is rare, a cool model never says."""
STOP_S = 0.4, 0.65
WAKE_S = 4.6, 5.0
WAKE_AGAIN_S = 9.0, 9.5
GREETING_S = 2.2, 2.6

_ENGLISH_SHARE = 0.6
_OTHER_LANGUAGE = 0.08
"""How often a turn is in the other language."""

_TURNS = {"question": 0.46, "long": 0.25, "story": 0.21, "silence": 0.08}
_LEAK_SHARE, _LEAK_DB, _LEAK_S = 0.2, (-45.0, -25.0), (0.03, 0.15)
"""How often the microphone hears the model from a loudspeaker, how much softer, and how much later."""


class Line(NamedTuple):
    """Something that the model says."""

    text: str
    language: str
    first: int
    """Frame of its first sample."""
    end: int | None
    """Frame from which on it is silent, where the user cut it short."""


@dataclass
class Dialogue:
    """What happens in it. Times are seconds, sounds [N] float32 at 24 kHz."""

    language: str
    frames: int
    heard: Sound
    lines: list[Line] = field(default_factory=list)
    user: list[tuple[str, list[Timed]]] = field(default_factory=list)
    """What the user says: language and words."""
    user_voice: str = ""


class Lines:
    """What the model can say, said once."""

    def __init__(self, speaker: Speaker) -> None:
        self.speech: Mapping[tuple[str, str], Speech] = {
            (language, line): _said(speaker, phrases(language), line)
            for language in LANGUAGES
            for line in phrases(language).lines
        }
        """By language and line."""

    def seconds(self, language: str, line: str) -> float:
        """Return how long a line takes."""
        return self.speech[language, line].seconds

    def words(self, line: Line) -> list[Timed]:
        """Return the words of a line that were begun, in seconds of the dialogue."""
        first_s = line.first / FRAME_RATE
        end_s = math.inf if line.end is None else line.end / FRAME_RATE
        words = [
            Timed(word.text, first_s + word.start_s, min(first_s + word.end_s, end_s))
            for word in self.speech[line.language, line.text].words
        ]
        return [word for word in words if word.start_s < end_s]


def make_dialogue(
    speaker: Speaker, lines: Lines, chance: np.random.Generator, seconds: float, *, held_out: bool = False
) -> Dialogue:
    """Return a dialogue of about so many seconds, with a voice that nothing learns from if `held_out`."""
    language = LANGUAGES[int(chance.random() > _ENGLISH_SHARE)]
    voices = {each: draw_voice(each, chance, held_out=held_out) for each in LANGUAGES}
    return _Play(speaker, lines, chance, seconds, (language, voices)).dialogue()


class _Play:
    """A dialogue while it is made up: time goes on with each turn."""

    def __init__(
        self,
        speaker: Speaker,
        lines: Lines,
        chance: np.random.Generator,
        seconds: float,
        user: tuple[str, Mapping[str, Voice]],
    ) -> None:
        self._speaker, self._lines, self._chance = speaker, lines, chance
        self._language, self._voices = user
        self._place = draw_place(chance)
        self._seconds = seconds
        frames = round(seconds * FRAME_RATE)
        self._user: Sound = np.zeros(frames * FRAME_SAMPLES, dtype=np.float32)
        voice = self._voices[self._language]
        self._made = Dialogue(self._language, frames, self._user, user_voice=voice.name)
        self._now_s = 0.0

    def dialogue(self) -> Dialogue:
        """Play it to its end."""
        self._begin()
        turns: dict[str, Callable[[Phrases], None]] = {
            "question": self._question,
            "long": self._long,
            "story": self._story,
            "silence": self._silence,
        }
        while self._now_s < self._seconds:
            other = self._chance.random() < _OTHER_LANGUAGE
            language = LANGUAGES[1 - LANGUAGES.index(self._language)] if other else self._language
            turns[str(self._chance.choice(list(_TURNS), p=list(_TURNS.values())))](phrases(language))
        self._made.heard = self._hear(self._place)
        self._made.lines = [line for line in self._made.lines if line.first < self._made.frames]
        return self._made

    def _begin(self) -> None:
        """The user speaks first, or does not, and is greeted."""
        if self._chance.random() < 0.6:
            self._now_s = self._between((0.3, 2.0))
        else:
            self._now_s = self._between(GREETING_S)
            self._model(phrases(self._language), self._pick(phrases(self._language).greetings))
            self._now_s += self._between((0.3, 2.5))

    def _question(self, said: Phrases) -> None:
        question = self._pick(said.questions)
        self._hesitate(said)
        self._asks(said, self._pick(question.asks))
        self._model(said, question.answer)
        self._pause()

    def _long(self, said: Phrases) -> None:
        """A long answer, in which the user murmurs, cuts in, or lets it be."""
        question = self._pick([each for each in said.questions if each.long])
        self._asks(said, self._pick(question.asks))
        begin_s = self._now_s
        kind = self._chance.random()
        longest_s = self._lines.seconds(said.language, question.answer)
        if kind < 0.65:
            self._cut_in(said, question, begin_s + self._between((0.7, max(0.8, longest_s - 1.0))))
            return
        self._model(said, question.answer)
        if kind < 0.85:
            at_s = begin_s + self._between((0.5, longest_s - 0.6))
            self._says(said, self._pick(said.user_backchannels), at_s)
        self._pause()

    def _cut_in(self, said: Phrases, question: Question, at_s: float) -> None:
        stops_s = at_s + self._between(STOP_S)
        self._model(said, question.answer, stops_s)
        asks = self._chance.random() < 0.4
        other = self._pick([each for each in said.questions if not each.long])
        end_s = self._says(said, self._pick(other.asks if asks else said.cut_ins), at_s)
        self._now_s = max(end_s, stops_s) + self._between(ANSWER_S)
        self._model(said, other.answer if asks else said.stopped[int(self._chance.random() < 0.3)])
        self._pause()

    def _story(self, said: Phrases) -> None:
        """Clauses of the user with pauses between, in some of which the model murmurs."""
        clauses = said.story(self._chance, int(self._chance.integers(2, 7)))
        for at, clause in enumerate(clauses):
            self._now_s = self._says(said, clause, self._now_s)
            if at == len(clauses) - 1:
                break
            pause_s = self._between(PAUSE_S)
            if pause_s > MURMUR_S[1] and self._chance.random() < _MURMURS:
                murmur_s = self._now_s + self._between(MURMUR_S)
                self._add(said, self._pick(said.backchannels), murmur_s, None)
            self._now_s += pause_s
        self._now_s += self._between(REPLY_S)
        self._model(said, self._pick(said.replies))
        self._pause()

    def _silence(self, said: Phrases) -> None:
        """Nobody speaks until the model asks, and perhaps once more."""
        wait_s = WAKE_S
        while True:
            # Time has gone on since the model's last word; the wait counts from there.
            self._now_s = self._last_end_s() + self._between(wait_s)
            self._model(said, self._pick(said.wakes))
            wait_s = WAKE_AGAIN_S
            if self._chance.random() < 0.7 or self._now_s > self._seconds:
                break
        self._pause()

    def _hesitate(self, said: Phrases) -> None:
        if self._chance.random() < 0.25:
            end_s = self._says(said, self._pick(said.hesitations), self._now_s)
            self._now_s = end_s + self._between((0.1, 0.45))

    def _asks(self, said: Phrases, text: str) -> None:
        self._now_s = self._says(said, text, self._now_s) + self._between(ANSWER_S)

    def _pause(self) -> None:
        """Let the user think, less long than it takes to be asked."""
        self._now_s += self._between((0.3, 1.2) if self._chance.random() < 0.6 else (1.2, 3.8))

    def _last_end_s(self) -> float:
        return max(0.0, self._now_s if not self._made.lines else self._end_s(self._made.lines[-1]))

    def _end_s(self, line: Line) -> float:
        if line.end is not None:
            return line.end / FRAME_RATE
        return line.first / FRAME_RATE + self._lines.seconds(line.language, line.text)

    def _says(self, said: Phrases, text: str, at_s: float) -> float:
        """Let the user say something, and return when it ends."""
        voice = self._voices[said.language]
        speech = self._speaker.say(
            text, voice._replace(speed=round(voice.speed * self._between((0.93, 1.07)))), said.aloud
        )
        first = round(at_s * SAMPLE_RATE)
        room = self._user[first : first + len(speech.sound)]
        room += scale(speech.sound, self._place)[: len(room)] * np.float32(
            10 ** (self._between((-3, 3)) / 20)
        )
        words = [Timed(word.text, word.start_s + at_s, word.end_s + at_s) for word in speech.words]
        self._made.user.append((said.language, words))
        return at_s + speech.seconds

    def _model(self, said: Phrases, line: str, end_s: float | None = None) -> None:
        """Let the model speak now, to its end or until it is stopped."""
        self._add(said, line, self._now_s, end_s)
        self._now_s = self._end_s(self._made.lines[-1])

    def _add(self, said: Phrases, line: str, at_s: float, end_s: float | None) -> None:
        end = None if end_s is None else math.ceil(end_s * FRAME_RATE)
        self._made.lines.append(Line(line, said.language, math.ceil(at_s * FRAME_RATE), end))

    def _hear(self, place: Place) -> Sound:
        """Return what the microphone hears, the model from a loudspeaker included where there is one."""
        sound = self._user
        if self._chance.random() < _LEAK_SHARE:
            gain = np.float32(10 ** (self._between(_LEAK_DB) / 20))
            sound = sound + gain * np.roll(self._spoken(), round(self._between(_LEAK_S) * SAMPLE_RATE))
        return carry(sound, place, self._chance)

    def _spoken(self) -> Sound:
        """Return what the loudspeaker plays."""
        spoken = np.zeros_like(self._user)
        for line in self._made.lines:
            sound = self._lines.speech[line.language, line.text].sound
            first = line.first * FRAME_SAMPLES
            end = len(spoken) if line.end is None else line.end * FRAME_SAMPLES
            room = spoken[first : min(end, first + len(sound))]
            room += sound[: len(room)]
        return spoken

    def _between(self, limits: tuple[float, float]) -> float:
        return float(self._chance.uniform(*limits))

    def _pick(self, choices: Sequence[_T]) -> _T:
        return choices[int(self._chance.integers(len(choices)))]


def _said(speaker: Speaker, said: Phrases, line: str) -> Speech:
    return speaker.say(line, model_voice(said.language), said.aloud)
