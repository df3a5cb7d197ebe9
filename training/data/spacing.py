"""Where words are written with a space between them: by their script, not by what a language is called.

Korean has spaces, Japanese, Chinese and Thai have none, and a text may hold several scripts. Knows nothing
about sound or tokens.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

from app.store.turn_taking import TURN_PAUSE_S

_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x312F),  # radicals, punctuation, kana, Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo, strokes, small katakana
    (0x3300, 0x4DBF),  # squared words, Han
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han
    (0xFE30, 0xFE4F),  # vertical punctuation
    (0xFF01, 0xFF9F),  # wide Latin, narrow katakana
    (0x1AFF0, 0x1B16F),  # old kana
    (0x20000, 0x3FFFF),  # Han
)
_FIRST = [first for first, _ in _SPACELESS]

_VOICED = "\uff9e\uff9f"
"""The marks of narrow katakana, which are letters to Unicode but belong to the one before."""


def is_spaceless(letter: str) -> bool:
    """Say whether a letter is of a script that is written without spaces between words."""
    at = bisect_right(_FIRST, ord(letter)) - 1
    return at >= 0 and ord(letter) <= _SPACELESS[at][1]


def belongs_to_last(letter: str) -> bool:
    """Say whether a letter can only follow another one: a vowel sign, a tone, an accent of its own."""
    return letter in _VOICED or unicodedata.category(letter).startswith("M")


def has_space_between(before: str, after: str, pause_s: float) -> bool:
    """Say whether a space stands between two words, neither of them blank, that are so far apart.

    A word in another script, such as Latin in Japanese, has none, unless it begins another utterance.
    """
    if is_spaceless(after.lstrip()[0]):
        return False
    return not is_spaceless(before.rstrip()[-1]) or pause_s >= TURN_PAUSE_S
