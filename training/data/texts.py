"""The text streams of a dialogue: which of what a dataset knows about its text counts, and how it is placed.

Knows nothing about sound, codes or the files that training reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import sentencepiece

from app.engine.text import Detokenizer
from app.errors import UserError
from app.files import read_json
from app.frames import FRAME_RATE
from app.store.datasets import Dataset, Speaker, TimedWord, read_words
from training.data.align import PADDING, Placement, TextStream, Word, spoken_stream, text_stream
from training.data.spacing import has_space_between

JAPANESE, CHINESE = "ja", "zh"

_KANA = range(0x3041, 0x30FF)
_DIALOGUES_LOOKED_AT = 20


@dataclass(frozen=True)
class Text:
    """How words become text streams."""

    tokenizer: sentencepiece.SentencePieceProcessor
    placement: Placement
    no_whitespace_before_word: bool
    by_script: bool = False
    """Whether the script of the words says instead where there are spaces between them."""


@dataclass(frozen=True)
class Streams:
    """The text of both voices, [T] int32 each, and who has none."""

    a: TextStream
    b: TextStream
    silent: tuple[Speaker, ...]
    """The voices without a single word."""
    spoken: bool
    """Whether the text of A is what the model said, exactly."""


def is_japanese(dataset: Dataset) -> bool:
    """Say whether a dataset is Japanese: by its language, or by its words where that is unknown."""
    if dataset.language:
        return dataset.language.split("-")[0] == JAPANESE
    for dialogue in islice(dataset.dialogues(), _DIALOGUES_LOOKED_AT):
        with suppress(UserError):
            if any(
                ord(letter) in _KANA for word in read_words(dataset.text(dialogue)) for letter in word.text
            ):
                return True
    return False


def is_spaceless(dataset: Dataset) -> bool:
    """Say whether the language of a dataset is written without spaces between words, as far as it is one."""
    return dataset.language.split("-")[0] == CHINESE or is_japanese(dataset)


def is_tagged_spaceless(dataset: Dataset) -> bool:
    """Say whether a dataset is said to be of one language that is written without spaces."""
    return dataset.language.split("-")[0] in (JAPANESE, CHINESE)


def text_streams(dataset: Dataset, dialogue: str, frames: int, text: Text) -> Streams:
    """Return the text streams of a dialogue of `frames` frames; those of a voice without words are empty.

    What a model said in a recording of ours counts as it was, as long as the tokenizer is that model's and
    the words of A are still those. Raises UserError for words that can not be read or placed.
    """
    path = dataset.text(dialogue)
    words = read_words(path) if path.exists() else []
    voices: dict[Speaker, list[TimedWord]] = {"A": [], "B": []}
    for word in words:
        voices[word.speaker].append(word)
    spoken = _spoken(dataset, dialogue, frames, voices["A"], text.tokenizer)
    try:
        return Streams(
            a=_placed(voices["A"], frames, text) if spoken is None else spoken,
            b=_placed(voices["B"], frames, text),
            silent=tuple(speaker for speaker, said in voices.items() if not said),
            spoken=spoken is not None,
        )
    except UserError as fault:
        raise UserError(f"{path}: {fault.sentence}", fault.advice) from fault


def _placed(words: Sequence[TimedWord], frames: int, text: Text) -> TextStream:
    said = [Word(word.text, word.start_s, word.end_s) for word in words]
    return text_stream(
        list(_spaced_by_script(said)) if text.by_script else said,
        frames,
        text.tokenizer,
        text.placement,
        no_whitespace_before_word=text.by_script or text.no_whitespace_before_word,
    )


def _spaced_by_script(words: Iterable[Word]) -> Iterator[Word]:
    """Yield the words that are not blank by time, with a space before those that are written with one."""
    before: Word | None = None
    for word in sorted(words, key=lambda word: word.start_s):
        bare = word.text.strip()
        if not bare:
            continue
        pause_s = word.start_s - before.end_s if before is not None else 0.0
        is_spaced = before is not None and has_space_between(before.text, bare, pause_s)
        yield replace(word, text=f" {bare}" if is_spaced else bare)
        before = word


def _spoken(
    dataset: Dataset,
    dialogue: str,
    frames: int,
    words: Sequence[TimedWord],
    tokenizer: sentencepiece.SentencePieceProcessor,
) -> TextStream | None:
    """Return what the model said, [frames], None where that is not known, or no longer what counts."""
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, UserError):
        raw = read_json(dataset.spoken(dialogue))
        tokens, length = [(int(frame), int(token)) for frame, token in raw["tokens"]], int(raw["frames"])
        if abs(length - frames) <= 1 and _still_says(words, tokens, tokenizer):
            fitted = np.full(frames, PADDING, dtype=np.int32)
            fitted[:length] = spoken_stream(tokens, length)[:frames]
            return fitted
    return None


def _still_says(
    words: Sequence[TimedWord],
    tokens: Sequence[tuple[int, int]],
    tokenizer: sentencepiece.SentencePieceProcessor,
) -> bool:
    """Say whether the words are those of the (frame, token) pairs, each begun where a token stands."""
    if any(token >= tokenizer.get_piece_size() for _, token in tokens):
        return False
    reader = Detokenizer(tokenizer)
    said = "".join(reader.push(token) for _, token in tokens)
    frames = {frame + near for frame, _ in tokens for near in (-1, 0, 1)}
    return _letters(said) == _letters("".join(word.text for word in words)) and all(
        int(word.start_s * FRAME_RATE) in frames for word in words
    )


def _letters(text: str) -> str:
    return "".join(text.split())
