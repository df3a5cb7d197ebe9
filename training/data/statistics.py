"""What can be said about one dialogue before anything is learnt from it: who speaks when, and what is odd.

Speech is told from the levels of the two channels, as the window tells it of a talk; the words are held
against it. Knows nothing about datasets as a whole, codes or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from app.files import Malformed, open_regular
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, SILENCE_DB, seconds
from app.store.datasets import Speaker, TimedWord
from app.store.turn_taking import (
    Activity,
    Levels,
    Statistics,
    Turns,
    find_turns,
    join,
    statistics,
    utterances,
)

SHORTEST_S = 10.0
"""Training takes nothing shorter unless it is told to."""

LONGEST_WORD_S = 3.0

FASTEST, FASTEST_CARD = 7.0, 32_000
"""Tokens for each second of words, of a tokenizer with so many; faster text can not keep up for long."""

_SPEECH_S = 0.5
"""A voice that speaks less than this does not speak."""

_SHARE = 0.1
"""Words over silence, and speech without words, are odd from this share on: both are told with errors."""

_NEAR_FRAMES = 3
"""So far from a word may its speech lie."""

_OVERLAP_S = 0.1
"""Words of one voice that overlap by less are no fault."""

_BLOCK_SAMPLES = 512 * FRAME_SAMPLES


class Finding(NamedTuple):
    """Something odd about a dialogue, and what to do; where it is, if it is at one place of one voice."""

    sentence: str
    advice: str
    at_s: float | None = None
    speaker: str = ""


@dataclass(frozen=True)
class Voice:
    """One voice of one dialogue."""

    speech_s: float
    words: int


@dataclass(frozen=True)
class Seen:
    """What was seen of one dialogue."""

    seconds: float
    a: Voice
    b: Voice
    turns: Statistics
    findings: list[Finding]


def look(
    audio: Path, words: Sequence[TimedWord], tokens: Sequence[int] | None, text_card: int = FASTEST_CARD
) -> Seen:
    """Return what is to be seen of a dialogue. `tokens` are those of A and B, where they are known.

    The tokenizer that made them knows `text_card` of them.

    Raises UserError for sound that can not be read.
    """
    a_db, b_db = measure_levels(audio)
    turns = find_turns(b_db, a_db)
    length_s = seconds(len(a_db))
    findings = []
    if length_s < SHORTEST_S:
        findings.append(Finding(f"It lasts only {length_s:.1f} s.", "Training leaves out what is so short."))
    figures = statistics(turns)
    for speaker, active, speech_s in _voices(turns, figures):
        own = sorted((word for word in words if word.speaker == speaker), key=lambda word: word.start_s)
        findings += _look_at_voice(speaker, active, speech_s, own)
        if tokens is not None:
            findings += _look_at_pace(speaker, own, tokens["AB".index(speaker)], fastest(text_card))
    counts = [sum(word.speaker == speaker for word in words) for speaker in "AB"]
    return Seen(
        length_s, Voice(figures.said_s, counts[0]), Voice(figures.heard_s, counts[1]), figures, findings
    )


def measure_levels(audio: Path) -> tuple[Levels, Levels]:
    """Return the levels of both channels, [T] dB of full scale each. Raises UserError."""
    import soundfile

    blocks: list[npt.NDArray[np.float32]] = []
    try:
        # Opened here: the library knows no name that is not text, and waits for a pipe for ever.
        with open_regular(audio) as raw, soundfile.SoundFile(raw) as file:
            if (file.channels, file.samplerate) != (2, SAMPLE_RATE):
                found = f"{file.channels} channels at {file.samplerate} Hz, not 2 at {SAMPLE_RATE}"
                raise UserError(f"{audio} has {found}.", "Import the dialogue again.")
            blocks += (_levels(block) for block in file.blocks(_BLOCK_SAMPLES, dtype="float32"))
    except (soundfile.SoundFileError, OSError, Malformed, RuntimeError) as fault:
        raise UserError(f"{audio} can not be read as sound.", "Import the dialogue again.") from fault
    levels = np.concatenate([np.zeros((0, 2), dtype=np.float32), *blocks])
    return levels[:, 0], levels[:, 1]


def _levels(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the level of each frame, [t, 2] from [N, 2], a last piece of a frame counted as one."""
    starts = np.arange(0, len(block), FRAME_SAMPLES)
    power = np.add.reduceat(np.square(block, dtype=np.float64), starts, axis=0)
    power /= np.minimum(FRAME_SAMPLES, len(block) - starts)[:, None]
    levels: npt.NDArray[np.float32] = np.maximum(SILENCE_DB, 10 * np.log10(power + 1e-12)).astype(np.float32)
    return levels


def _voices(turns: Turns, figures: Statistics) -> list[tuple[Speaker, Activity, float]]:
    return [("A", turns.said, figures.said_s), ("B", turns.heard, figures.heard_s)]


def _look_at_voice(
    speaker: Speaker, active: Activity, speech_s: float, words: Sequence[TimedWord]
) -> list[Finding]:
    """Hold the words of one voice against its speech."""
    if speech_s < _SPEECH_S and not words:
        return [Finding(f"{speaker} never speaks.", "Leave the dialogue out, or swap its channels.")]
    if not words:
        advice = "Transcribe it, or its text stays empty."
        return [Finding(f"{speaker} speaks for {speech_s:.1f} s and has no words.", advice)]
    length_s = seconds(len(active))
    wrong = [word for word in words if not 0 <= word.start_s <= min(word.end_s, length_s)]
    if wrong:
        when = f"“{wrong[0].text}” from {wrong[0].start_s:.1f} to {wrong[0].end_s:.1f} s"
        sentence = f"{_some(len(wrong), speaker)} at impossible times: {when}."
        return [Finding(sentence, _TIMES, *_place(wrong[0]))]
    found = [*_over_silence(speaker, active, words), *_without_words(speaker, active, speech_s, words)]
    if long := [word for word in words if word.end_s - word.start_s > LONGEST_WORD_S]:
        lasts = f"“{long[0].text}” lasts {long[0].end_s - long[0].start_s:.1f} s"
        found.append(Finding(f"{_some(len(long), speaker)} too long: {lasts}.", _TIMES, *_place(long[0])))
    over = [(one, other) for one, other in pairwise(words) if one.end_s - other.start_s > _OVERLAP_S]
    if over:
        which = f"“{over[0][0].text}” and “{over[0][1].text}” at {over[0][1].start_s:.1f} s"
        found.append(
            Finding(
                f"{_some(len(over), speaker)} said over the one before: {which}.", _TIMES, *_place(over[0][1])
            )
        )
    return found


_TIMES = "Correct their times."


def _place(word: TimedWord) -> tuple[float, str]:
    return word.start_s, word.speaker


def _some(count: int, speaker: Speaker) -> str:
    return f"One word of {speaker} is" if count == 1 else f"{count} words of {speaker} are"


def _over_silence(speaker: Speaker, active: Activity, words: Sequence[TimedWord]) -> list[Finding]:
    silent = [word for word in words if not active[_stretch(word)].any()]
    if len(silent) <= _SHARE * len(words):
        return []
    where = f"“{silent[0].text}” at {silent[0].start_s:.1f} s"
    sentence = f"{len(silent)} of {len(words)} words of {speaker} lie where it is silent, such as {where}."
    advice = "The times do not fit the sound, or the channels are swapped."
    return [Finding(sentence, advice, *_place(silent[0]))]


def _without_words(
    speaker: Speaker, active: Activity, speech_s: float, words: Sequence[TimedWord]
) -> list[Finding]:
    worded = np.zeros(len(active), dtype=np.bool_)
    for word in words:
        worded[_stretch(word)] = True
    bare = [span for span in join(utterances(active), 6) if not worded[span.first : span.last + 1].any()]
    bare_s = seconds(sum(span.frames for span in bare))
    if bare_s < 2.0 or bare_s <= _SHARE * speech_s:
        return []
    longest = max(bare, key=lambda span: span.frames)
    where = f"most from {seconds(longest.first):.1f} s on"
    sentence = f"{speaker} speaks for {bare_s:.1f} of {speech_s:.1f} s without words, {where}."
    return [Finding(sentence, "Transcribe it again, or complete the words.", seconds(longest.first), speaker)]


def _stretch(word: TimedWord) -> slice:
    """Return the frames of a word, and those near it."""
    first, last = int(word.start_s * FRAME_RATE), int(word.end_s * FRAME_RATE)
    return slice(max(0, first - _NEAR_FRAMES), last + 1 + _NEAR_FRAMES)


def fastest(text_card: int) -> float:
    """Return how many tokens a second of words may have at most.

    A tokenizer of fewer pieces needs more of them for the same words: what a token says grows with the
    logarithm of their number. There is one for each frame at the very most.
    """
    return min(float(FRAME_RATE), FASTEST * math.log(FASTEST_CARD) / math.log(max(2, text_card)))


def _look_at_pace(
    speaker: Speaker, words: Sequence[TimedWord], tokens: int, most_per_s: float
) -> list[Finding]:
    words_s = sum(max(0.0, word.end_s - word.start_s) for word in words)
    if not words or tokens <= most_per_s * max(words_s, 1.0):
        return []
    sentence = f"{speaker} has {tokens} text tokens for {words_s:.1f} s of words: the text can not keep up."
    return [Finding(sentence, "Look at the times of the words, and whether the model speaks the language.")]
