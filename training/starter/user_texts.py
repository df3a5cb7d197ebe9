"""What users say: the texts of the bank of speech and of the scores, out of one readable table.

Knows nothing about who says them, or when.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from app.files import parse_toml
from training.starter.scripts import LANGUAGES

Kind = Literal["question", "cut_in", "murmur", "hesitation", "opening", "clause"]

_LISTS: dict[str, Kind] = {
    "cut_ins": "cut_in",
    "murmurs": "murmur",
    "hesitations": "hesitation",
    "openings": "opening",
    "clauses": "clause",
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
    return tuple(texts)


def chosen(kind: Kind, language: str, *, new: bool = False) -> list[UserText]:
    """Return the texts of a kind: those to learn from, or those that are kept for scores."""
    return [text for text in user_texts(language) if text.kind == kind and text.new == new]


def taught() -> list[UserText]:
    """Return all texts that may be learnt from, of both languages."""
    return [text for language in LANGUAGES for text in user_texts(language) if not text.new]


def spell_words(written: str) -> str:
    """Return an English text as its words are spoken: small letters, no punctuation."""
    return " ".join(re.sub(r"[^\w' -]+", " ", written.lower()).replace("-", " ").split())


def _texts(
    kind: Kind, language: str, raw: Iterable[Any], answer: str = "", *, new: bool = False
) -> list[UserText]:
    pairs = [(each, spell_words(each)) if isinstance(each, str) else tuple(each) for each in raw]
    return [UserText(kind, language, written, spoken, answer, new) for written, spoken in pairs]
