"""What is odd about a dialogue that comes in, by its levels and its words.

Knows nothing about files, and decides nothing but what it is sure of. Times of words are in seconds, levels
in dB for each frame of 80 ms: [T] of the left and of the right channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import FRAME_RATE
from app.store.datasets import Speaker, TimedWord
from app.store.turn_taking import Activity, Levels, find_activity
from training.data.audio import Measured

Both = tuple[Levels, Levels]

CLIPPED_SHARE = 1e-4
"""So many samples at full scale are no accident: more than two in a second."""

LOUDER_DB = 6.0
"""A voice is on the other channel where that is louder by this much, …"""

SURE_SHARE = 0.8
"""… in this share of the frames of its words, …"""

SURE_FRAMES = 25
"""… of which there are at least two seconds."""

_STRETCHES = np.concatenate(
    [
        np.linspace(0.98, 1.02, 161),
        # Sound that was played at the wrong one of the usual rates.
        [44100 / 48000, 48000 / 44100, 22050 / 24000, 24000 / 22050, 32000 / 44100, 44100 / 32000, 0.5, 2.0],
    ]
)
_GOOD, _BETTER = 0.5, 0.2
"""A stretch counts where speech and words then agree so well (as a correlation), and better by so much."""

_LEAST_WORDS = 20

_BEHIND_S = 1.0
"""Recognisers let the last word end so much behind the sound."""


class Finding(NamedTuple):
    """What was found, in one sentence, and what was done about it."""

    kind: str
    sentence: str
    done: str
    advice: str = ""
    """What to do, where there is something."""


def sound_findings(seen: Measured) -> list[Finding]:
    """Return what is odd about a stereo sound that stays."""
    found = []
    sides = ("left", "right")
    clipped = [
        f"{100 * share:.2g} % of the {side} channel"
        for side, share in zip(sides, seen.clipped, strict=True)
        if share >= CLIPPED_SHARE
    ]
    if clipped:
        found.append(Finding("clipped", f"It is clipped: {' and '.join(clipped)}.", "It was kept as it is."))
    if seen.not_numbers:
        sentence = f"{seen.not_numbers} samples are no numbers."
        found.append(Finding("damaged", sentence, "They were made silent."))
    for side, voice, is_quiet in zip(sides, "AB", silent_sides(seen.levels_db), strict=True):
        if is_quiet:
            sentence = f"The {side} channel (voice {voice}) is silent."
            found.append(Finding("silent", sentence, "It was kept: the other voice can be learnt."))
    return found


def silent_sides(levels_db: Both) -> tuple[bool, bool]:
    """Say of both channels whether there is no speech at all."""
    left, right = (not find_activity(levels).any() for levels in levels_db)
    return left, right


def fit(words: Iterable[TimedWord], length_s: float) -> tuple[list[TimedWord], list[Finding]]:
    """Return the words that were said within the sound, with times that can be, and what was done to them."""
    kept: list[TimedWord] = []
    late = mended = 0
    for word in words:
        start_s = max(0.0, word.start_s)
        end_s = word.end_s if word.end_s <= length_s + _BEHIND_S else length_s
        fitted = word._replace(start_s=start_s, end_s=max(start_s, end_s))
        if start_s >= length_s:
            late += 1
            continue
        mended += fitted != word
        kept.append(fitted)
    found = []
    if late:
        where = f"{_count(late, 'word')} behind the end of the sound ({length_s:.1f} s)"
        found.append(Finding("drifted", f"There {'is' if late == 1 else 'are'} {where}.", _left_out(late)))
    if mended:
        many = _count(mended, "word")
        sentence = f"{many} would begin before the sound, or end before beginning or far behind it."
        found.append(Finding("times", sentence, "Their times were mended."))
    return kept, found


def is_swapped(words: Sequence[TimedWord], levels_db: Both) -> bool:
    """Say whether the words of each voice are clearly heard on the channel of the other.

    Only frames count that one voice alone has words in. A voice without words has no say.
    """
    frames = len(levels_db[0])
    has_words = {speaker: _covered(words, speaker, frames) for speaker in ("A", "B")}
    alone = has_words["A"] & ~has_words["B"], has_words["B"] & ~has_words["A"]
    left_db, right_db = levels_db
    votes = [
        _is_louder(other_db[frames_of], own_db[frames_of])
        for frames_of, own_db, other_db in zip(alone, (left_db, right_db), (right_db, left_db), strict=True)
        if frames_of.any()
    ]
    enough = max((int(frames_of.sum()) for frames_of in alone), default=0) >= SURE_FRAMES
    return enough and bool(votes) and all(votes)


def better_stretch(words: Sequence[TimedWord], levels_db: Both) -> float | None:
    """Return by how much the times of the words should be multiplied, None where they fit as they are.

    Words and speech agree as the correlation of two sequences of yes and no, over the frames of both voices.
    """
    speakers: list[Speaker] = [
        speaker for speaker in ("A", "B") if sum(word.speaker == speaker for word in words) >= _LEAST_WORDS
    ]
    if not speakers:
        return None
    frames = len(levels_db[0])
    speech = {"A": find_activity(levels_db[0]), "B": find_activity(levels_db[1])}

    def agreement(stretch: float) -> float:
        return min(
            _correlation(_covered(words, speaker, frames, stretch), speech[speaker]) for speaker in speakers
        )

    scores = [agreement(float(stretch)) for stretch in _STRETCHES]
    best = int(np.argmax(scores))
    is_better = scores[best] >= max(_GOOD, agreement(1.0) + _BETTER)
    return float(_STRETCHES[best]) if is_better else None


def stretch_finding(stretch: float) -> Finding:
    """Return what to say of words whose times run faster or slower than the sound."""
    sentence = f"The words would fit the sound better with their times multiplied by {stretch:.4g}."
    return Finding("drifted", sentence, "They were kept as they are; transcribe the dialogue again.")


def _is_louder(one_db: Levels, other_db: Levels) -> bool:
    return float(np.mean(one_db - other_db >= LOUDER_DB)) >= SURE_SHARE


def _covered(
    words: Iterable[TimedWord], speaker: str, frames: int, stretch: float = 1.0
) -> npt.NDArray[np.bool_]:
    """Return in which frames a voice has words, [T] bool: those whose middle a word covers."""
    edges = np.zeros(frames + 1, dtype=np.int64)
    times_s = np.array(
        [(word.start_s, word.end_s) for word in words if word.speaker == speaker], dtype=np.float64
    ).reshape(-1, 2)
    first, end = np.clip(np.ceil(stretch * times_s.T * FRAME_RATE - 0.5), 0, frames).astype(np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, end, -1)
    covered: npt.NDArray[np.bool_] = np.cumsum(edges[:-1]) > 0
    return covered


def _correlation(one: Activity, other: Activity) -> float:
    """Return the correlation of two sequences of yes and no, 0 where one of them never changes."""
    if one.all() or other.all() or not one.any() or not other.any():
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _left_out(number: int) -> str:
    return "It was left out." if number == 1 else "They were left out."
