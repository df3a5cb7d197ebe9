"""What was said in a dialogue that comes in: the words beside its sound, or those of a recording of ours.

Knows nothing about sound, or about where the words go. A is the voice whose part the model learns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app import files
from app.frames import FRAME_RATE, FRAME_SAMPLES, seconds
from app.store.datasets import TimedWord
from app.store.recordings import Recording
from training.data import cutting
from training.data.align import END_OF_PADDING, PADDING
from training.data.oddities import Finding
from training.data.spacing import belongs_to_last, is_spaceless
from training.data.transcript_formats import read_transcript

INSIDE_S = 0.001
"""A word of a recording begins this much after its frame does, so that no rounding moves it to the frame
before: `0.24 // 0.08` is 2."""

LONGEST_WORD_FRAMES = 5
"""A model speaks a word's sound in about this time after its last piece."""

_LATE_BYTES_FRAMES = 4
"""A character that came as bytes began with the first of them, if that was no longer before."""


@dataclass
class Wording:
    """What was said: words, and for a recording of ours what the model spoke, exactly."""

    words: list[TimedWord] = field(default_factory=list)
    tokens: list[tuple[int, int]] = field(default_factory=list)
    """(frame, token) of A."""
    restarts: list[int] = field(default_factory=list)
    """Frames before which the model forgot the talk."""
    gaps: list[cutting.Part] = field(default_factory=list)
    """Where neither voice was recorded: silence that is no part of the talk."""
    skipped_frames: int = 0
    """So many frames of B were lost, and what is before and after them was joined."""
    said_s: float | None = None
    """How long the sound is said to be, …"""
    said_by: str = ""
    """… and where."""
    recorded: bool = False
    """Whether a program of ours has recorded it, so that the channels are known to be right."""
    findings: list[Finding] = field(default_factory=list)
    """What was odd about the words."""
    exchanged: bool = False
    """Whether the voices were exchanged, so that the channels have to be as well."""


def read_beside(
    path: Path,
    speaker: str | None,
    *,
    spoken: Path | None = None,
    said_s: float | None = None,
    list_name: str = "",
) -> Wording:
    """Return the words in a JSON file, in nu-dialogue's or Kyutai's form; none where there is no file.

    `speaker` is whom the file calls A, None for 'A' or SPEAKER_MAIN. With 'B' in nu-dialogue's form the
    channels are known to be the other way round too. Raises UserError for a file that is damaged.
    """
    wording = Wording(said_s=said_s, said_by=list_name, exchanged=speaker == "B")
    if os.path.lexists(path):
        wording.words, wording.findings = read_transcript(path, speaker)
    if spoken is not None and not wording.exchanged:
        with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
            tokens = files.read_json(spoken)["tokens"]
            wording.tokens = [(int(frame), int(token)) for frame, token in tokens]
    return wording


def read_recording(recording: Recording, speaker: str | None) -> Wording:
    """Return what the model spoke in a recording of ours, as tokens and as words.

    In a script without spaces each piece is a word. With the speaker 'B' the user's voice becomes A.
    """
    gaps = [cutting.Part(gap.frame, gap.frames) for gap in recording.gaps()]
    wording = Wording(recorded=True, exchanged=speaker == "B", gaps=gaps)
    frames = int(recording.seconds * FRAME_RATE + 1 / FRAME_SAMPLES)
    pieces: list[tuple[int, str]] = []
    for event in recording.events():
        kind, frame = event["kind"], event["frame"]
        if kind == "restarted":
            wording.restarts.append(frame)
        elif kind == "skipped" and isinstance(event.get("frames"), int):
            wording.skipped_frames += event["frames"]
        elif kind == "spoke" and 0 <= frame < frames and _is_after(pieces, frame):
            pieces.append((frame, str(event.get("text") or "")))
            token = event.get("token")
            if isinstance(token, int) and token not in (PADDING, END_OF_PADDING):
                wording.tokens.append((frame, token))
    spaceless = recording.language.split("-")[0] in ("ja", "zh")
    wording.words = list(_grouped(pieces, spaceless))
    if wording.exchanged:
        wording.words, wording.tokens = exchange(wording.words), []
    return wording


def exchange(words: list[TimedWord]) -> list[TimedWord]:
    """Return the words of A as those of B, and the other way round."""
    return [word._replace(speaker="B" if word.speaker == "A" else "A") for word in words]


def _is_after(pieces: list[tuple[int, str]], frame: int) -> bool:
    return not pieces or frame > pieces[-1][0]


def _grouped(pieces: list[tuple[int, str]], spaceless: bool) -> Iterator[TimedWord]:
    """Yield the words of A in pieces of text: one ends where a space begins the next, or at a pause.

    In a script without spaces each piece is a word. One lasts until the next one, but no more than
    LONGEST_WORD_FRAMES after its last piece. With `spaceless` spaces between Latin words are kept.
    """
    text, first, last = "", 0, 0
    began: int | None = None
    for frame, piece in pieces:
        if not piece.strip():
            # Part of a character, or a space alone: the text comes with a later token.
            if began is None or frame - began > _LATE_BYTES_FRAMES:
                began = frame
            continue
        start = began if began is not None and frame - began <= _LATE_BYTES_FRAMES else frame
        began = None
        if text and _begins_word(text, piece, frame - last):
            yield _spoken_word(text, first, last, start)
            text = ""
        if not text:
            text, first = _tidied(piece, spaceless), start
        else:
            text += piece
        last = frame
    if text:
        yield _spoken_word(text, first, last, last + LONGEST_WORD_FRAMES)


def _begins_word(text: str, piece: str, after_frames: int) -> bool:
    """Say whether a piece so long after the last one of a word begins another one."""
    if piece[0].isspace() or after_frames > LONGEST_WORD_FRAMES:
        return True
    return not belongs_to_last(piece[0]) and (is_spaceless(text[-1]) or is_spaceless(piece[0]))


def _tidied(piece: str, spaceless: bool) -> str:
    """Return a piece without the spaces around it; two Latin ones of Japanese keep the one between them."""
    bare = piece.strip()
    keeps = spaceless and piece[0].isspace() and bare[0].isascii() and bare[0].isalnum()
    return f" {bare}" if keeps else bare


def _spoken_word(text: str, first: int, last: int, following: int) -> TimedWord:
    end = max(first + 1, min(following, last + LONGEST_WORD_FRAMES))
    return TimedWord("A", text, round(seconds(first) + INSIDE_S, 3), round(seconds(end), 3))
