"""Taking hold of words with the pointer: which one, by which end, and what becomes of it when it is dragged.

Knows nothing about widgets or painting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from app.store.datasets import TimedWord
from app.ui.training.edit.words import SHORTEST_S, Entry

EDGE_PX = 5.0
"""How near to an end of a word the pointer takes hold of it."""

Part = Literal["start", "end", "body"]


class Grip(NamedTuple):
    """A word by one of its ends, or as a whole, and the time at which it was taken hold of."""

    key: int
    part: Part
    time_s: float
    word: TimedWord


def find_grip(
    entries: Iterable[Entry], time_s: float, scale: float, preferred: int | None = None
) -> Grip | None:
    """Return what is under the pointer among the words of one voice, `scale` pixels a second.

    The nearest end comes first, that of the chosen word before others; of two words that touch, the one on
    whose side the pointer is. In a narrow word the middle third stays for the whole.
    """
    reach_s = EDGE_PX / scale
    found: list[tuple[float, Grip]] = []
    for entry in entries:
        word, length_s = entry.word, entry.word.end_s - entry.word.start_s
        inner_s = min(reach_s, length_s / 3)
        favour = 0.0 if entry.key == preferred else 1.0
        for part, offset_s in (("start", time_s - word.start_s), ("end", word.end_s - time_s)):
            # Positive inside of the word: there the end of the word itself is meant, not that of another.
            if -reach_s <= offset_s <= inner_s:
                outside = 0.5 if offset_s < 0 else 0.0
                rank = 10 * favour + 2 * outside + abs(offset_s) / reach_s / 10
                found.append((rank, Grip(entry.key, part, time_s, word)))  # type: ignore[arg-type]
        if word.start_s <= time_s <= word.end_s:
            found.append((10 * favour + 5, Grip(entry.key, "body", time_s, word)))
    return min(found, key=lambda each: each[0])[1] if found else None


def drag(grip: Grip, time_s: float, length_s: float) -> TimedWord:
    """Return the word as it is when the pointer is at a time; it stays whole and within the sound."""
    word, by_s = grip.word, time_s - grip.time_s
    if grip.part == "start":
        start_s = min(max(0.0, word.start_s + by_s), word.end_s - SHORTEST_S)
        return word._replace(start_s=start_s)
    if grip.part == "end":
        end_s = max(word.start_s + SHORTEST_S, min(length_s, word.end_s + by_s))
        return word._replace(end_s=end_s)
    by_s = min(max(by_s, -word.start_s), length_s - word.end_s)
    return word._replace(start_s=word.start_s + by_s, end_s=word.end_s + by_s)
