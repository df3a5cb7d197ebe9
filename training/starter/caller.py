"""Somebody who talks to the model, frame by frame, and listens: asks, tells stories, pauses, cuts in.

A frame port like a microphone, and what happened as a list of acts. Knows nothing about models or scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Heard, Samples, level_db
from training.starter.acoustics import carry, draw_place, scale
from training.starter.dialogues import PAUSE_S
from training.starter.scripts import LANGUAGES, Phrases, Question, phrases
from training.starter.speech import Sound, Speaker
from training.starter.voices import draw_voice

AUDIBLE_DB = -45.0
"""A frame of the model above this is speech."""

_SETTLE_S = 1.0
"""The model is done when it was silent for so long."""
_LONGEST_ANSWER_S = 12.0
_PATIENCE_S = 3.0
"""Nobody waits longer for an answer to begin."""
_QUESTIONS_OF_ONE = 6
"""Then somebody else takes the microphone, somewhere else."""
LONGEST_PAUSE_S = 0.6
"""In what is shorter the model has no business but to murmur."""


class Act(NamedTuple):
    """Something that the caller did. Times are frames, from the first sample of it to the end of the last."""

    kind: Literal["question", "story", "pause", "cut_in"]
    language: str
    text: str
    expected: str
    """The model's answer; '' where none is right or wrong."""
    start: float
    end: float
    until: int
    """Frame up to which the model's reaction counts."""


class Caller:
    """A FramePort of which the user follows a plan, and waits for the model as a person does.

    All voices and places are drawn by chance, of voices that nothing was trained on.
    """

    def __init__(self, speaker: Speaker, seed: int) -> None:
        self._speaker, self._chance = speaker, np.random.default_rng(seed)
        self.acts: list[Act] = []
        self.said: list[Samples] = []
        """The frames of the model so far."""
        self._user: list[Sound] = [np.zeros(FRAME_SAMPLES, dtype=np.float32)] * 12
        self._place = draw_place(self._chance)
        self._turns = self._talk()

    def take(self) -> Heard | None:
        """Return the next frame of the caller, None after the last."""
        while not self._user:
            if next(self._turns, None) is None:
                return None
        return Heard(self._user.pop(0))

    def give(self, said: Samples) -> None:
        """Hear the model."""
        self.said.append(said)

    def close(self) -> None:
        """Do nothing: nobody waits."""

    def _talk(self) -> Iterator[bool]:
        """Yield whenever frames of the user are ready."""
        for number, (language, question) in enumerate(self._questions()):
            said = phrases(language)
            if number % _QUESTIONS_OF_ONE == 0:
                self._place = draw_place(self._chance)
                self._voices = {each: draw_voice(each, self._chance, held_out=True) for each in LANGUAGES}
            if question.long and self._chance.random() < 0.7:
                yield from self._cut_in(said, question)
            else:
                yield from self._ask(said, question)
            if self._chance.random() < 0.4:
                yield from self._story(said)

    def _questions(self) -> list[tuple[str, Question]]:
        questions = [(each, question) for each in LANGUAGES for question in phrases(each).questions]
        # Long answers are few, and the only ones that can be cut short.
        often = [each for each in questions for _ in range(4 if each[1].long else 1)]
        return [often[at] for at in self._chance.permutation(len(often))]

    def _ask(self, said: Phrases, question: Question) -> Iterator[bool]:
        text = str(self._chance.choice(question.asks))
        start, end = self._says(said, text)
        yield True
        yield from self._wait()
        self.acts.append(Act("question", said.language, text, question.answer, start, end, self._now))

    def _story(self, said: Phrases) -> Iterator[bool]:
        clauses = said.story(self._chance, int(self._chance.integers(3, 7)))
        began = ended = 0.0
        for at, clause in enumerate(clauses):
            pause_s = float(self._chance.uniform(*PAUSE_S)) if at < len(clauses) - 1 else 0.0
            start, end = self._says(said, clause, pause_s)
            began = began or start
            if at and start - ended < LONGEST_PAUSE_S * FRAME_RATE:
                self.acts.append(Act("pause", said.language, clause, "", ended, start, math.ceil(start)))
            ended = end
            yield True
        yield from self._wait()
        self.acts.append(Act("story", said.language, ". ".join(clauses), "", began, ended, self._now))

    def _cut_in(self, said: Phrases, question: Question) -> Iterator[bool]:
        self._says(said, str(self._chance.choice(question.asks)))
        yield True
        for _ in range(round(_PATIENCE_S * FRAME_RATE)):
            if self._speaks():
                break
            yield self._silence()
        for _ in range(int(self._chance.integers(8, 25))):
            yield self._silence()
        if self._speaks():
            text = str(self._chance.choice(said.cut_ins))
            start, end = self._says(said, text)
            yield True
            yield from self._wait()
            self.acts.append(Act("cut_in", said.language, text, "", start, end, self._now))

    def _wait(self) -> Iterator[bool]:
        """Listen until the model has spoken and is done, or does not speak at all."""
        began, quiet, spoke = self._now, 0, False
        while self._now - began < _LONGEST_ANSWER_S * FRAME_RATE:
            yield self._silence()
            spoke = spoke or self._speaks()
            quiet = 0 if self._speaks() else quiet + 1
            if quiet >= (_SETTLE_S if spoke else _PATIENCE_S) * FRAME_RATE:
                break

    @property
    def _now(self) -> int:
        """Return the frame that comes next."""
        return len(self.said) + len(self._user)

    def _speaks(self) -> bool:
        return bool(self.said) and level_db(self.said[-1]) > AUDIBLE_DB

    def _silence(self) -> bool:
        self._put(np.zeros(FRAME_SAMPLES, dtype=np.float32))
        return True

    def _says(self, said: Phrases, text: str, pause_s: float = 0.0) -> tuple[float, float]:
        """Speak, and pause, in whole frames; return first and last moment of the speech, in frames."""
        speech = self._speaker.say(text, self._voices[said.language], said.aloud).sound
        lead = int(self._chance.integers(FRAME_SAMPLES))
        samples = lead + len(speech) + round(pause_s * SAMPLE_RATE)
        sound = np.zeros(samples + -samples % FRAME_SAMPLES, dtype=np.float32)
        sound[lead : lead + len(speech)] = scale(speech, self._place)
        start = self._now + lead / FRAME_SAMPLES
        self._put(sound)
        return start, start + len(speech) / FRAME_SAMPLES

    def _put(self, sound: Sound) -> None:
        heard = carry(sound, self._place, self._chance)
        self._user.extend(heard.reshape(-1, FRAME_SAMPLES))
