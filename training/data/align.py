"""Words with times become a text stream: one token for each frame of 80 ms.

Knows nothing about files, audio or models. Two placements, each that of a public finetuner, so that data
prepared here and there is the same: 'nu-dialogue' (nu-dialogue/moshi-finetune, tools/tokenize_text.py and
the fit to the audio of tools/prepare_dataset.py) and 'kyutai' (kyutai-labs/moshi-finetune,
finetune/data/interleaver.py, with the settings of its train.py). Three things differ. Where nu-dialogue
stops with an exception (an empty channel, a blank word, a character outside a vocabulary that puts a space
before every text), there is a stream here, by the same definition. Where normalisation changes the number of
characters, nu-dialogue shifts or loses those behind; here they stay. Impossible times are refused.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import sentencepiece

from app.engine.text import SPACE
from app.errors import UserError
from app.frames import FRAME_RATE, seconds

log = logging.getLogger(__name__)

TextStream = npt.NDArray[np.int32]
"""[T] int32, one text token for each frame."""

Placement = Literal["nu-dialogue", "kyutai"]

PADDING = 3
"""The token of a frame without text."""

END_OF_PADDING = 0
"""The token of the last frame before text; in Moshi's vocabularies also that of the unknown piece."""

_FRAME_S = 1 / FRAME_RATE

_TAIL_S = 1.0
"""nu-dialogue has room for pushed tokens until this long after the end of the last word."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of one speaker; times in seconds from the beginning of the audio."""

    text: str
    start_s: float
    end_s: float


class _Token(NamedTuple):
    id: int
    start_s: float


@dataclass(frozen=True, slots=True)
class TextStatistics:
    """What a text stream consists of."""

    frames: int
    tokens: int
    """Frames that carry text."""
    bare_spaces: int
    """Tokens that are a space and nothing else."""

    @property
    def padding_share(self) -> float:
        """Return the share of frames without text, 0..1."""
        return 1 - self.tokens / self.frames if self.frames else 0.0

    @property
    def bare_space_share(self) -> float:
        """Return the share of tokens that are a bare space, 0..1.

        It is high where Japanese was encoded with a space before each word.
        """
        return self.bare_spaces / self.tokens if self.tokens else 0.0

    @property
    def tokens_per_s(self) -> float:
        """Return the mean number of tokens in a second."""
        return self.tokens / seconds(self.frames) if self.frames else 0.0


def text_stream(
    words: Iterable[Word],
    frames: int,
    tokenizer: sentencepiece.SentencePieceProcessor,
    placement: Placement = "nu-dialogue",
    *,
    no_whitespace_before_word: bool = False,
    spell_bytes: bool = False,
    keep_and_shift: bool = False,
) -> TextStream:
    """Return the text of one channel over `frames` frames of audio, [frames] int32.

    'nu-dialogue' encodes the words in one piece, joined by spaces unless `no_whitespace_before_word` (for
    Japanese: the words are then taken as they are). A character that is not in the vocabulary is one unknown
    piece, or with `spell_bytes` its UTF-8 bytes in as many frames. 'kyutai' encodes each word alone; a word
    that begins cuts off what is left of the one before, unless `keep_and_shift`. Text behind the last frame
    is cut off. Words need not be in order.
    Raises UserError for a word with impossible times and for an unknown placement.
    """
    ordered = sorted(words, key=lambda word: word.start_s)
    for word in ordered:
        _check(word, frames)
    if placement == "nu-dialogue":
        spelt = [word for word in ordered if word.text] if no_whitespace_before_word else _spaced(ordered)
        return _place_pushed(list(_timed_tokens(spelt, tokenizer, spell_bytes)), _end_s(spelt), frames)
    if placement == "kyutai":
        return _place_by_word(ordered, frames, tokenizer, keep_and_shift)
    raise UserError(f"There is no text placement '{placement}'.", "Choose 'nu-dialogue' or 'kyutai'.")


def spoken_stream(spoken: Iterable[tuple[int, int]], frames: int) -> TextStream:
    """Return the text that a model spoke in a talk, [frames] int32, from its (frame, token) pairs.

    A recording does not keep which of the two paddings a frame had: the last one before text becomes
    END_OF_PADDING, the others PADDING. Raises UserError for a pair that can not be of this talk.
    """
    stream = np.full(frames, PADDING, dtype=np.int32)
    for frame, token in spoken:
        if not 0 <= frame < frames:
            raise _damaged(f"Text stands in frame {frame} of a talk with {frames} frames.")
        if token < 0 or token in (PADDING, END_OF_PADDING):
            raise _damaged(f"Frame {frame} has the token {token}, which is no text.")
        if stream[frame] != PADDING:
            raise _damaged(f"Frame {frame} has more than one text token.")
        stream[frame] = token
    empty = stream == PADDING
    stream[:-1][empty[:-1] & ~empty[1:]] = END_OF_PADDING
    return stream


def text_statistics(stream: TextStream, tokenizer: sentencepiece.SentencePieceProcessor) -> TextStatistics:
    """Return what a stream, [T] int32, consists of; END_OF_PADDING counts as padding wherever it stands."""
    is_text = (stream != PADDING) & (stream != END_OF_PADDING)
    is_space = is_text & (stream == tokenizer.piece_to_id(SPACE))
    return TextStatistics(stream.size, int(is_text.sum()), int(is_space.sum()))


def _damaged(sentence: str) -> UserError:
    return UserError(sentence, "The recording's events are damaged: leave it out.")


def _check(word: Word, frames: int) -> None:
    """Raise UserError for a word that can not have been said in the audio.

    A word may end behind the audio, as recognisers often say; the last, incomplete frame may not be counted.
    """
    text, advice = word.text.strip(), "Correct its times in the transcript, which are in seconds."
    if not (math.isfinite(word.start_s) and math.isfinite(word.end_s)):
        raise UserError(f"The word '{text}' has no times.", advice)
    if word.start_s < 0:
        raise UserError(f"The word '{text}' begins at {word.start_s:.2f} s, before the audio.", advice)
    if word.end_s < word.start_s:
        times = f"at {word.end_s:.2f} s, before it begins at {word.start_s:.2f} s"
        raise UserError(f"The word '{text}' ends {times}.", advice)
    if word.start_s >= seconds(frames + 1):
        times = f"at {word.start_s:.2f} s, after the audio of {seconds(frames):.2f} s"
        raise UserError(f"The word '{text}' begins {times}.", advice)


def _spaced(words: Sequence[Word]) -> list[Word]:
    """Return the words that are not blank, each but the first with a space that shares the word's time."""
    texts = ((word, word.text.strip()) for word in words)
    stripped = [replace(word, text=text) for word, text in texts if text]
    return stripped[:1] + [replace(word, text=f" {word.text}") for word in stripped[1:]]


def _timed_tokens(
    words: Sequence[Word], tokenizer: sentencepiece.SentencePieceProcessor, spell_bytes: bool
) -> Iterator[_Token]:
    """Yield the tokens of all words in one encoding, each with the start of its first character.

    The space that SentencePiece puts before every text is no token where it stands alone.
    """
    starts_s = [start_s for word in words for start_s in _character_starts(word)]
    text = "".join(word.text for word in words)
    for position, (pieces, first) in enumerate(_spans(text, tokenizer)):
        if position == 0 and pieces == [SPACE]:
            continue
        ids = [tokenizer.piece_to_id(piece) for piece in pieces]
        if tokenizer.is_byte(ids[0]) and not spell_bytes:
            ids = [tokenizer.unk_id()]
        yield from (_Token(token, starts_s[first]) for token in ids)


def _character_starts(word: Word) -> list[float]:
    """Return the start of each character: they share the word's time evenly."""
    length = len(word.text)
    return [word.start_s + at * ((word.end_s - word.start_s) / length) for at in range(length)]


def _end_s(words: Sequence[Word]) -> float:
    """Return the end of the last character, rounded as the starts are; 0 without words."""
    if not words:
        return 0.0
    last = words[-1]
    length = len(last.text)
    return last.start_s + length * ((last.end_s - last.start_s) / length)


def _spans(text: str, tokenizer: sentencepiece.SentencePieceProcessor) -> Iterator[tuple[list[str], int]]:
    """Yield the pieces of a text, those of one character's bytes together, with their first character.

    Together they spell the normalised text, of which SentencePiece knows where each character came from.
    """
    normalised, origins = tokenizer.normalize(text, with_offsets=True)
    at = 0
    pieces: list[str] = []
    for piece in tokenizer.encode_as_pieces(text):
        pieces.append(piece)
        if not tokenizer.is_byte(tokenizer.piece_to_id(piece)):
            length = len(piece)
        elif len(pieces) == len(normalised[at].encode()):
            length = 1
        else:
            continue
        yield pieces, origins[at]
        at, pieces = at + length, []


def _place_pushed(tokens: Sequence[_Token], end_s: float, frames: int) -> TextStream:
    """Put each token into the frame of its start, or into the next one that is free.

    The free frame before a token becomes END_OF_PADDING and is free no more. The first token that would
    come too long after `end_s` is dropped with all that follow.
    """
    room = int((end_s + _TAIL_S) * FRAME_RATE)
    placed: dict[int, int] = {}
    written = 0
    for token in tokens:
        # Not start_s * FRAME_RATE: at the edge of a frame the two differ, and this is what nu-dialogue does.
        frame = int(token.start_s // _FRAME_S)
        while placed.get(frame, PADDING) != PADDING:
            frame += 1
        if frame >= room:
            break
        placed[frame] = token.id
        written += frame < frames
        if frame > 0 and placed.get(frame - 1, PADDING) == PADDING:
            placed[frame - 1] = END_OF_PADDING
    if written < len(tokens):
        log.warning("%d of %d text tokens found no frame", len(tokens) - written, len(tokens))
    return np.array([placed.get(frame, PADDING) for frame in range(frames)], dtype=np.int32)


def _place_by_word(
    words: Sequence[Word],
    frames: int,
    tokenizer: sentencepiece.SentencePieceProcessor,
    keep_and_shift: bool,
) -> TextStream:
    """Put the tokens of each word into the frames from its start on.

    Words without duration are left out, and without `keep_and_shift` all but the last of those that begin in
    the same frame.
    """
    stream = np.full(frames, PADDING, dtype=np.int32)
    coming = deque(word for word in words if word.start_s < word.end_s)
    tokens: deque[int] = deque()
    for frame in range(frames):
        while coming and coming[0].start_s * FRAME_RATE < frame + 1:
            if not keep_and_shift:
                tokens.clear()
            tokens.extend(tokenizer.encode(coming.popleft().text.strip()))
        if tokens:
            if frame > 0 and stream[frame - 1] == PADDING:
                stream[frame - 1] = END_OF_PADDING
            stream[frame] = tokens.popleft()
    return stream
