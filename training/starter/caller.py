"""Somebody who talks to the model, frame by frame, and listens: asks, tells stories, pauses, cuts in.

A frame port like a microphone that follows a plan of turns, and what happened as a list of acts. Knows
nothing about models or scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Heard, Samples, level_db
from training.starter.acoustics import Place, carry, scale
from training.starter.dialogues import PAUSE_S
from training.starter.speech import Sound
from training.starter.user_texts import UserText

AUDIBLE_DB = -45.0
"""A frame of the model above this is speech."""

_BEGIN_S = 1.0
_SETTLE_S = 1.0
"""The model is done when it was silent for so long."""
_LONGEST_ANSWER_S = 12.0
_PATIENCE_S = 2.5
"""Nobody waits longer for an answer to begin."""
_CUT_FRAMES = 5, 20
"""So long after it began to speak it is cut short."""
LONGEST_PAUSE_S = 0.6
"""In what is shorter the model has no business but to murmur."""


class Turn(NamedTuple):
    """Something that the caller is going to do."""

    kind: Literal["question", "cut_in", "control", "story"]
    """A control is a cut-in in which nothing is said."""
    texts: tuple[UserText, ...]
    """The question; the question and what is said when cutting in; the clauses of a story."""


class Act(NamedTuple):
    """Something that the caller did. Times are frames, from the first sample of it to the end of the last."""

    kind: Literal["question", "story", "clause", "pause", "cut_in", "control"]
    text: UserText
    """Of a story, its first clause; of a control, the question."""
    start: float
    end: float
    until: int
    """Frame up to which the model's reaction counts."""


class Caller:
    """A FramePort of which the user follows a plan, and waits for the model as a person does."""

    def __init__(
        self, say: Callable[[UserText], Sound], plan: Sequence[Turn], place: Place, seed: int
    ) -> None:
        self._say, self.plan, self._place = say, plan, place
        self._chance = np.random.default_rng(seed)
        self.acts: list[Act] = []
        self.said: list[Samples] = []
        """The frames of the model so far."""
        self.turns_done = 0
        self._user: list[Sound] = []
        self._put(np.zeros(round(_BEGIN_S * FRAME_RATE) * FRAME_SAMPLES, dtype=np.float32))
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
        for turn in self.plan:
            if turn.kind == "question":
                yield from self._ask(turn.texts[0])
            elif turn.kind == "story":
                yield from self._story(turn.texts)
            else:
                yield from self._interrupt(turn)
            self.turns_done += 1

    def _ask(self, text: UserText) -> Iterator[bool]:
        start, end = self._says(text)
        yield True
        yield from self._wait()
        self.acts.append(Act("question", text, start, end, self._now))

    def _story(self, clauses: Sequence[UserText]) -> Iterator[bool]:
        began = ended = 0.0
        for at, clause in enumerate(clauses):
            pause_s = float(self._chance.uniform(*PAUSE_S)) if at < len(clauses) - 1 else 0.0
            start, end = self._says(clause, pause_s)
            self.acts.append(Act("clause", clause, start, end, math.ceil(end)))
            began = began or start
            if at and start - ended < LONGEST_PAUSE_S * FRAME_RATE:
                self.acts.append(Act("pause", clause, ended, start, math.ceil(start)))
            ended = end
            yield True
        yield from self._wait()
        self.acts.append(Act("story", clauses[0], began, ended, self._now))

    def _interrupt(self, turn: Turn) -> Iterator[bool]:
        """Ask, let the model speak for a while, and cut in; in a control, go on listening instead."""
        self._says(turn.texts[0])
        yield True
        for _ in range(round(_PATIENCE_S * FRAME_RATE)):
            if self._speaks():
                break
            yield self._silence()
        for _ in range(int(self._chance.integers(*_CUT_FRAMES))):
            yield self._silence()
        if not self._speaks():
            yield from self._wait()
            return
        start, end = float(self._now), float(self._now)
        if turn.kind == "cut_in":
            start, end = self._says(turn.texts[1])
            yield True
        yield from self._wait()
        self.acts.append(Act(turn.kind, turn.texts[-1], start, end, self._now))

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

    def _says(self, text: UserText, pause_s: float = 0.0) -> tuple[float, float]:
        """Speak, and pause, in whole frames; return first and last moment of the speech, in frames."""
        speech = self._say(text)
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
