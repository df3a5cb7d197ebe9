"""What can be said: the phrases of both languages, and stories that are made up of them by chance.

Knows nothing about sound or time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from app.files import parse_toml

LANGUAGES = ("en", "ja")

MOST_CLAUSES = 6


@dataclass(frozen=True)
class Question:
    """What may be asked in several ways and has one answer."""

    asks: tuple[str, ...]
    answer: str
    long: bool = False
    """Whether the answer takes so long that it may be cut short."""


@dataclass(frozen=True)
class Phrases:
    """All that is said in one language. Words stand between spaces, in Japanese as well."""

    language: str
    voice: str
    """The voice of the model, as espeak-ng names it."""
    aloud: Mapping[str, str]
    """Words that are written unlike they sound."""
    questions: tuple[Question, ...]
    backchannels: tuple[str, ...]
    greetings: tuple[str, ...]
    wakes: tuple[str, ...]
    """Said after a long silence."""
    stopped: tuple[str, ...]
    """Said when the user cut in."""
    replies: tuple[str, ...]
    """Said after a story of the user."""
    unknown: str
    """Said to what is none of the questions."""
    introduced: str
    """Said to somebody who tells their `{name}`, one of …"""
    names: tuple[str, ...]
    follow_ups: tuple[str, ...]
    """Said to what the user says to a question of the model."""
    hesitations: tuple[str, ...]
    cut_ins: tuple[str, ...]
    user_backchannels: tuple[str, ...]
    openings: tuple[str, ...]
    clauses: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    read: Mapping[str, str] = field(default_factory=dict)
    """Lines of the model as an engine that reads Japanese needs them: in kanji, of which kana leave open."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Return all that the model can say."""
        answers = tuple(dict.fromkeys(question.answer for question in self.questions))
        names = tuple(self.introduced.format(name=name) for name in self.names)
        others = (*self.greetings, *self.wakes, *self.stopped, *self.replies, *self.backchannels)
        return (*answers, *others, self.unknown, *names, *self.follow_ups)

    def story(self, chance: np.random.Generator, clauses: int) -> list[str]:
        """Return a story of the user: so many clauses, the first an opening."""
        others = chance.permutation(len(self.clauses))[: clauses - 1]
        patterns = [str(chance.choice(self.openings)), *(self.clauses[at] for at in others)]
        return [self._fill(pattern, chance) for pattern in patterns]

    def _fill(self, pattern: str, chance: np.random.Generator) -> str:
        return pattern.format(**{name: chance.choice(words) for name, words in self.words.items()})


@cache
def phrases(language: str) -> Phrases:
    """Return the phrases of a language, "en" or "ja"."""
    raw = parse_toml(files(__package__).joinpath("phrases.toml").read_bytes())[language]
    return Phrases(language=language, **{name: _frozen(name, value) for name, value in raw.items()})


def display(line: str, language: str) -> str:
    """Return a line as it is written: Japanese has no spaces."""
    return line.replace(" ", "") if language == "ja" else line


def _frozen(name: str, value: Any) -> Any:
    if name == "questions":
        return tuple(Question(tuple(each.pop("asks")), **each) for each in value)
    if name == "words":
        return {key: tuple(words) for key, words in value.items()}
    return tuple(value) if isinstance(value, list) else value
