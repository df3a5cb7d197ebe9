"""What users say: the texts of the bank of speech and of the scores, out of one readable table.

Knows nothing about who says them, or when.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

from app.files import parse_toml
from training.starter.scripts import LANGUAGES, phrases

Kind = Literal[
    "question", "cut_in", "murmur", "hesitation", "opening", "clause",
    "unknown", "name", "again", "slower", "follow_up",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

_LISTS: dict[str, Kind] = {
    "cut_ins": "cut_in",
    "murmurs": "murmur",
    "hesitations": "hesitation",
    "openings": "opening",
    "clauses": "clause",
    "again": "again",
    "slower": "slower",
}


class UserText(NamedTuple):
    """Something that a user says."""

    kind: Kind
    language: str
    written: str
    """As people write it."""
    spoken: str
    """Word by word between spaces, without punctuation: English in small letters, Japanese in kana."""
    answer: str = ""
    """The line of the model that is right, as phrases.toml has it; '' where none is."""
    new: bool = False
    """Whether nothing is trained on it."""
    after: str = ""
    """The line of the model that it is said after, '' where it may be said at any time."""

    @property
    def words(self) -> list[str]:
        """Return its words."""
        return self.spoken.split()


@cache
def user_texts(language: str) -> tuple[UserText, ...]:
    """Return all texts of a language, "en" or "ja"."""
    raw = parse_toml(files(__package__).joinpath("user_texts.toml").read_bytes())[language]
    texts: list[UserText] = []
    for question in raw["questions"]:
        for name in ("asks", "new"):
            texts += _texts("question", language, question[name], question["answer"], new=name == "new")
    for name, kind in _LISTS.items():
        texts += _texts(kind, language, raw[name])
        texts += _texts(kind, language, raw.get(f"{name}_new", ()), new=True)
    unknown = phrases(language).unknown
    texts += _texts("unknown", language, raw["unknown"], unknown)
    texts += _texts("unknown", language, raw["unknown_new"], unknown, new=True)
    for name in phrases(language).names:
        texts += _introductions(language, raw["introductions"], name)
    for each in raw["follow_ups"]:
        texts += [
            text._replace(after=each["after"])
            for text in _texts("follow_up", language, each["asks"], each["answer"])
        ]
    return tuple(texts)


def chosen(kind: Kind, language: str, *, new: bool = False) -> list[UserText]:
    """Return the texts of a kind: those to learn from, or those that are kept for scores."""
    return [text for text in user_texts(language) if text.kind == kind and text.new == new]


def taught(kinds: Collection[str] = KINDS) -> list[UserText]:
    """Return all texts of some kinds that may be learnt from, of both languages."""
    every = (text for language in LANGUAGES for text in user_texts(language))
    return [text for text in every if not text.new and text.kind in kinds]


def spell_words(written: str) -> str:
    """Return an English text as its words are spoken: small letters, no punctuation."""
    return " ".join(re.sub(r"[^\w' -]+", " ", written.lower()).replace("-", " ").split())


def _texts(
    kind: Kind, language: str, raw: Iterable[Any], answer: str = "", *, new: bool = False
) -> list[UserText]:
    pairs = [(each, spell_words(each)) if isinstance(each, str) else tuple(each) for each in raw]
    return [UserText(kind, language, written, spoken, answer, new) for written, spoken in pairs]


def _introductions(language: str, patterns: Iterable[Any], name: str) -> list[UserText]:
    """Return how somebody with a name introduces themselves; kana are read as they are written."""
    filled = [
        each.format(name=name) if isinstance(each, str) else [part.format(name=name) for part in each]
        for each in patterns
    ]
    return _texts("name", language, filled, phrases(language).introduced.format(name=name))
