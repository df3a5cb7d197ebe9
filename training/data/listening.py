"""The words of one voice of a long recording: cut where nobody speaks, heard piece by piece, put in place.

Knows nothing about files, datasets or which recogniser listens. A recogniser is never given a long silence,
in which Whisper hears words that nobody said, nor more than it can take at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples, seconds
from app.store.turn_taking import TURN_PAUSE_S, Activity, Levels, Span, find_activity, utterances
from training.data.recogniser import RECOGNISER_RATE, SPACELESS, HeardWord, Recogniser
from training.data.voices import Voice

LONGEST_FRAMES = int(25.0 * FRAME_RATE)
"""A stretch is no longer than this, margins aside; Whisper takes 30 s."""

MARGIN_FRAMES = 3
"""So much is heard before and after speech (0.24 s): soft beginnings, and a pause to begin in."""

UNSURE = 0.5
"""A word in silence counts as invented below this probability."""

SHORTEST_WORD_S = 0.02
"""Of words without a length, which Whisper gives at times; also the step of its word times."""


class Listened(NamedTuple):
    """What was heard in one voice."""

    words: list[HeardWord]
    """In order, without overlap, each at least SHORTEST_WORD_S long; seconds from the beginning."""
    invented: int
    """Unsure words in silence, which were left out."""
    speech_s: float
    """So long there is speech, by the levels."""


def listen(
    voice: Voice, recogniser: Recogniser, language: str, told: Callable[[float], None] = lambda done_s: None
) -> Listened:
    """Return the words of one voice. `told` hears up to which second it is done.

    Raises UserError where the recogniser can not go on, and what reading the voice raises.
    """
    speech = _speech(voice.levels_db)
    heard: list[HeardWord] = []
    for span in stretches(voice.levels_db):
        samples = voice.read(span.first * FRAME_SAMPLES, span.frames * FRAME_SAMPLES)
        words = recogniser.hear(_resample(samples), language)
        heard += _placed(words, seconds(span.first), seconds(span.last + 1))
        told(seconds(span.last + 1))
    said = [word for word in heard if word.probability >= UNSURE or _is_spoken(word, speech)]
    trimmed = [_trimmed(word, speech) for word in tidy(said, language)]
    return Listened(in_order(trimmed, voice.length_s), len(heard) - len(said), seconds(int(speech.sum())))


def stretches(levels_db: Levels) -> list[Span]:
    """Return what a recogniser should hear of a voice, in order, from its levels [T] dB.

    Turns with their short pauses, cut at pauses, or failing these where it is quietest, so that none is
    longer than LONGEST_FRAMES; with a margin on either side that never reaches into the next stretch.
    """
    grouped: list[Span] = []
    for span in utterances(find_activity(levels_db)):
        for piece in _cut(span, levels_db):
            if grouped and _belongs(grouped[-1], piece):
                grouped[-1] = Span(grouped[-1].first, piece.last)
            else:
                grouped.append(piece)
    return _widened(grouped, len(levels_db))


def tidy(words: Iterable[HeardWord], language: str) -> list[HeardWord]:
    """Return the words as a dataset holds them: without spaces around them, and none that is blank.

    In a language without spaces one stays between two pieces that need it ('OK', ' Google').
    """
    tidied: list[HeardWord] = []
    for word in words:
        text = word.text.replace("\N{REPLACEMENT CHARACTER}", "")
        bare = text.strip()
        if not bare:
            continue
        if language in SPACELESS and text[0].isspace() and tidied and _is_latin(tidied[-1].text[-1], bare[0]):
            bare = f" {bare}"
        tidied.append(word._replace(text=bare))
    return tidied


def in_order(words: Sequence[HeardWord], length_s: float) -> list[HeardWord]:
    """Return the words with times that rise, do not overlap and lie within the audio, to the millisecond.

    A word gives way at its end to the beginning of the next. Those that find no room in the audio are lost.
    """
    starts_s: list[float] = []
    for word in words:
        earliest_s = starts_s[-1] + SHORTEST_WORD_S if starts_s else 0.0
        starts_s.append(max(word.start_s, earliest_s))
    latest_s = length_s
    for at in reversed(range(len(starts_s))):
        latest_s = starts_s[at] = min(starts_s[at], latest_s - SHORTEST_WORD_S)
    ends_s = [*starts_s[1:], length_s]
    return [
        word._replace(
            start_s=round(start_s, 3),
            end_s=round(min(max(word.end_s, start_s + SHORTEST_WORD_S), next_s), 3),
        )
        for word, start_s, next_s in zip(words, starts_s, ends_s, strict=False)
        if start_s >= 0
    ]


def _speech(levels_db: Levels) -> Activity:
    """Return where there is speech, [T] bool, without the hangover of activity."""
    speech = np.zeros(len(levels_db), dtype=np.bool_)
    for span in utterances(find_activity(levels_db)):
        speech[span.first : span.last + 1] = True
    return speech


def _cut(span: Span, levels_db: Levels) -> Iterator[Span]:
    """Yield a stretch in pieces of at most LONGEST_FRAMES, cut where the later half of each is quietest."""
    first = span.first
    while span.last - first >= LONGEST_FRAMES:
        half = first + LONGEST_FRAMES // 2
        quietest = half + int(np.argmin(levels_db[half : first + LONGEST_FRAMES]))
        yield Span(first, quietest)
        first = quietest + 1
    yield Span(first, span.last)


def _belongs(before: Span, piece: Span) -> bool:
    pause_frames = piece.first - before.last - 1
    return pause_frames <= TURN_PAUSE_S * FRAME_RATE and piece.last - before.first < LONGEST_FRAMES


def _widened(spans: Sequence[Span], frames: int) -> list[Span]:
    """Return the stretches with margins, those of two neighbours up to the middle between them."""
    widened = []
    for at, span in enumerate(spans):
        before = (span.first - spans[at - 1].last - 1) // 2 if at else span.first
        after = (spans[at + 1].first - span.last - 1) // 2 if at + 1 < len(spans) else frames - 1 - span.last
        widened.append(Span(span.first - min(before, MARGIN_FRAMES), span.last + min(after, MARGIN_FRAMES)))
    return widened


def _resample(samples: Samples) -> Samples:
    import soxr

    heard: Samples = soxr.resample(samples, SAMPLE_RATE, RECOGNISER_RATE).astype(np.float32)
    return heard


def _placed(words: Iterable[HeardWord], first_s: float, last_s: float) -> Iterator[HeardWord]:
    """Yield the words of a stretch with times in the whole, none outside of the stretch."""
    for word in words:
        start_s = min(max(first_s + word.start_s, first_s), last_s)
        yield word._replace(start_s=start_s, end_s=min(max(first_s + word.end_s, start_s), last_s))


def _frames_of(word: HeardWord) -> slice:
    return slice(int(word.start_s * FRAME_RATE), int(word.end_s * FRAME_RATE) + 1)


def _is_spoken(word: HeardWord, speech: Activity) -> bool:
    return bool(speech[_frames_of(word)].any())


def _trimmed(word: HeardWord, speech: Activity) -> HeardWord:
    """Return a word without the silence at its ends.

    Whisper divides all of the time between its words: each ends where the next begins, and the first begins
    with the stretch. A word without speech stays as it is.
    """
    frames = _frames_of(word)
    spoken = np.flatnonzero(speech[frames])
    if not spoken.size:
        return word
    start_s = max(word.start_s, seconds(frames.start + int(spoken[0])))
    return word._replace(
        start_s=start_s, end_s=max(start_s, min(word.end_s, seconds(frames.start + int(spoken[-1]) + 1)))
    )


def _is_latin(*characters: str) -> bool:
    return all(character.isascii() and character.isalnum() for character in characters)
