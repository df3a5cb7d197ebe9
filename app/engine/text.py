"""Text tokens in, readable text out, a token at a time.

Knows nothing about models or frames; what came out once is never taken back.
"""

from __future__ import annotations

import codecs
import unicodedata

import sentencepiece

SPACE = "▁"
"""SentencePiece's mark for a space before a word."""

REPLACEMENT = "\ufffd"

_SPACELESS = ("CJK ", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH KATAKANA")
"""Beginnings of the Unicode names of the characters of scripts that are written without spaces."""


class Detokenizer:
    """Turns SentencePiece ids into text as they come.

    Characters that the vocabulary lacks come as one id per UTF-8 byte: their text appears with the last
    byte. Bytes that form no character (a model may speak any bytes) are dropped without a trace, so that
    neither `<0xE3>` nor U+FFFD is ever shown. Spaces between two characters of a script without spaces are
    dropped too, as is one at the very beginning. At most three bytes and one character are remembered.
    """

    def __init__(self, pieces: sentencepiece.SentencePieceProcessor) -> None:
        self._pieces = pieces
        self._bytes = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._last = ""
        self._space = False

    def push(self, token: int) -> str:
        """Return the text that became readable with this token, '' if none did."""
        if self._pieces.is_byte(token):
            # A byte piece is written <0xE3>.
            return self._show(self._bytes.decode(bytes.fromhex(self._pieces.id_to_piece(token)[3:5])))
        self._bytes.reset()
        if self._pieces.is_control(token) or self._pieces.is_unknown(token):
            return ""
        return self._show(self._pieces.id_to_piece(token))

    def reset(self) -> None:
        """Forget what was said: the next token begins a new text."""
        self._bytes.reset()
        self._last = ""
        self._space = False

    def _show(self, piece: str) -> str:
        """Return a piece with its marks for spaces replaced by those spaces that are to be seen."""
        shown = ""
        for character in piece:
            if character in (SPACE, " "):
                self._space = True
            elif character != REPLACEMENT:
                if self._space and self._last and not _both_spaceless(self._last, character):
                    shown += " "
                shown += character
                self._last, self._space = character, False
        return shown


def _both_spaceless(left: str, right: str) -> bool:
    return all(unicodedata.name(character, "").startswith(_SPACELESS) for character in (left, right))
