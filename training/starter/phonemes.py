"""English in phonemes, by espeak-ng's command: in its own IPA, and in the alphabet that Kokoro learnt.

Knows nothing about sound.
"""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from shutil import which

from app.errors import UserError

_PUNCTUATION = re.compile(r"\s*([.,!?;:]+)\s*")
_TIE = "^"

_TO_KOKORO = (
    ("ʔˌn\u0329", "ʔn"), ("ʔn\u0329", "ʔn"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("ə^l", "ᵊl"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""),
    ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"),
    ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"), ("\u0303", ""),
)  # fmt: skip
"""What Kokoro writes for what espeak-ng writes, longest first; of misaki 0.9.4 (espeak.py), Apache-2.0."""
_AMERICAN = (("o^ʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))
_BRITISH = (("e^ə", "ɛː"), ("i^ə", "ɪə"), ("iə", "ɪə"), ("ə^ʊ", "Q"))
_LAST = (("e", "A"), ("o", "ɔ"), ("ɾ", "T"), ("ʔ", "t"), (_TIE, ""))


@lru_cache(maxsize=4096)
def ipa(text: str, voice: str, *, tied: bool = False) -> str:
    """Return a text as espeak-ng pronounces it, its punctuation kept; `tied` joins diphthongs by "^".

    Raises UserError without espeak-ng.
    """
    pieces = _PUNCTUATION.split(text)
    heard = [_clause(piece, voice, tied) if piece.strip() else "" for piece in pieces[::2]]
    marks = [*pieces[1::2], ""]
    return " ".join(f"{sounds}{mark}" for sounds, mark in zip(heard, marks, strict=True) if sounds).strip()


def kokoro_phonemes(text: str, *, british: bool = False) -> str:
    """Return an English text in the phonemes of Kokoro's vocabulary."""
    told = ipa(text, "en-gb" if british else "en-us", tied=True)
    for old, new in _TO_KOKORO:
        told = told.replace(old, new)
    told = re.sub("(\\S)\u0329", "ᵊ\\1", told).replace("\u0329", "")
    for old, new in (*(_BRITISH if british else _AMERICAN), *_LAST):
        told = told.replace(old, new)
    return told


def _clause(text: str, voice: str, tied: bool) -> str:
    if which("espeak-ng") is None:
        raise UserError("espeak-ng is not installed.", "Install the package espeak-ng.")
    command = [
        "espeak-ng",
        "-q",
        "-v",
        voice,
        *(["--ipa", f"--tie={_TIE}"] if tied else ["--ipa"]),
        "--",
        text,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())
