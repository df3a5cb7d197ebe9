"""When the words of a text begin and end, from the times of its phonemes.

Knows nothing about how phonemes are spoken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from training.starter.speech import Timed

_PUNCTUATION = ".,!?;:—…、。！？"
_CLAUSE = re.compile(f"[^{re.escape(_PUNCTUATION)}]+")

Span = tuple[int, int]


def time_words(
    words: Sequence[str], lengths: Sequence[int], phonemes: str, edges_s: Sequence[float]
) -> tuple[Timed, ...]:
    """Return the words of a text with their times.

    `words` keep their punctuation; `lengths` tells how many phonemes each has by itself; `phonemes` are those
    of all, groups of them between spaces and the punctuation of the words among them, and each sounds from
    its place in `edges_s` to the next, in s. A word whose phonemes stand together is found exactly; where
    several are run together ("there was"), they share the time of their clause by their lengths.
    """
    ours = _clauses(words)
    theirs = [match.span() for match in _CLAUSE.finditer(phonemes) if match.group().strip()]
    if len(ours) != len(theirs):
        ours, theirs = [(0, len(words))], [(0, len(phonemes))]
    timed: list[Timed] = []
    for (first, end), clause in zip(ours, theirs, strict=True):
        spans = _spans(phonemes, clause, lengths[first:end])
        timed += [
            Timed(word, edges_s[begin], edges_s[stop])
            for word, (begin, stop) in zip(words[first:end], spans, strict=True)
        ]
    return tuple(timed)


def _clauses(words: Sequence[str]) -> list[Span]:
    """Return the first word of each clause and the one after its last."""
    ends = [at + 1 for at, word in enumerate(words) if word[-1] in _PUNCTUATION or at == len(words) - 1]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _spans(phonemes: str, clause: Span, lengths: Sequence[int]) -> list[Span]:
    """Return the first phoneme of each word of a clause and the one after its last."""
    groups = [match.span() for match in re.compile(r"\S+").finditer(phonemes, *clause)]
    if len(groups) == len(lengths):
        return groups
    first, end = (groups[0][0], groups[-1][1]) if groups else clause
    shares = np.cumsum([0, *lengths]) / max(1, sum(lengths))
    places = [first + round(float(share) * (end - first)) for share in shares]
    return list(pairwise(places))
