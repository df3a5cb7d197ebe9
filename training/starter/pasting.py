"""Dialogues pasted together of codes, as training reads them: in milliseconds, without the codec.

Between what a user says there is the room that it was said in, or one without anybody. Knows nothing about
who says what, and when.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import sentencepiece

from training.data.align import END_OF_PADDING, PADDING, Word, text_stream
from training.data.packing import Packed
from training.starter.bank_codes import LEAD_FRAMES
from training.starter.bank_codes import Codes as ClipCodes
from training.starter.clips import Clips, ClipUser, Spoken
from training.starter.dialogues import Dialogue, Turn, make_dialogue
from training.starter.own_lines import OwnLines

Codes = npt.NDArray[np.int32]
"""[K, T]"""

_SHAKEN_SHARE = 0.7
_SWAPPED, _SWAPPED_DEEP = 0.1, 0.2
"""At most so many codes of the first book are swapped for others, and so many more of the last."""
_ROOM_SHARE = 0.5
"""How often long gaps are filled with a room without anybody."""
_LONG_GAP = 15
_UNSETTLED_FRAMES = 2
"""So many frames of a clip sound as if the codec had just begun, which it never does in a talk."""
_ECHO_FRAMES = 3
"""So long a room rings on after what was said."""
_SHORTEST_WORD_S = 0.02
_MOST_LATE_FRAMES = 13


class Paster:
    """Makes up dialogues of clips and pastes them together."""

    def __init__(
        self, clips: Clips, lines: OwnLines, tokenizer: sentencepiece.SentencePieceProcessor
    ) -> None:
        self.clips, self.lines, self.tokenizer = clips, lines, tokenizer

    def rows(self, numbers: Sequence[int], seed: int, seconds: float) -> Iterator[Packed]:
        """Yield dialogues as training reads them, each of which follows from the seed and its number."""
        for number in numbers:
            yield self.make(number, seed, seconds)[0]

    def make(self, number: int, seed: int, seconds: float) -> tuple[Packed, Dialogue]:
        """Return a dialogue as training reads it, and what happens in it."""
        chance = np.random.default_rng([seed, number])
        shaken = chance.random() < _SHAKEN_SHARE
        made = make_dialogue(ClipUser(self.clips, chance, shaken=shaken), self.lines, chance, seconds)
        heard = _heard(made, self.clips.rooms, self.lines.silence, chance)
        if shaken:
            heard = _swapped(heard, chance)
        own = np.concatenate([own_text(made, self.lines)[None], own_codes(made, self.lines)])
        user = np.concatenate([user_text(made, self.tokenizer)[None], heard])
        return Packed(f"{made.language}-{number:05}", own, user), made


def own_codes(made: Dialogue, lines: OwnLines) -> Codes:
    """Return the codes of the model's voice, [K, T]: silence, and its lines."""
    codes = np.repeat(lines.silence, made.frames, axis=1)
    for line in made.lines:
        said = lines.codes(line)[:, : made.frames - line.first]
        codes[:, line.first : line.first + said.shape[1]] = said
    return codes


def own_text(made: Dialogue, lines: OwnLines) -> npt.NDArray[np.int32]:
    """Return the text stream of the model, [T]."""
    stream = np.full(made.frames, PADDING, dtype=np.int32)
    for line in made.lines:
        text = lines.text(line)[: made.frames - line.first]
        stream[line.first : line.first + len(text)] = text
        # As in every text stream: first that a word comes, then which.
        if line.first and stream[line.first - 1] == PADDING:
            stream[line.first - 1] = END_OF_PADDING
    return stream


def user_text(made: Dialogue, tokenizer: sentencepiece.SentencePieceProcessor) -> npt.NDArray[np.int32]:
    """Return the text stream of the user, [T]."""
    stream = np.full(made.frames, PADDING, dtype=np.int32)
    for turn in made.turns:
        words = [
            Word(word.text, word.start_s, max(word.end_s, word.start_s + _SHORTEST_WORD_S))
            for word in turn.utterance.words
        ]
        frames = math.ceil(turn.utterance.end) + _MOST_LATE_FRAMES
        text = text_stream(
            words, frames, tokenizer, no_whitespace_before_word=turn.utterance.language == "ja"
        )
        first, begin = max(0, turn.first), max(0, -turn.first)
        text = text[begin : begin + made.frames - first]
        np.copyto(stream[first : first + len(text)], text, where=text != PADDING)
    return stream


def _heard(made: Dialogue, rooms: Sequence[ClipCodes], silence: Codes, chance: np.random.Generator) -> Codes:
    """Return what the user's microphone hears, [K, T]."""
    frames = made.frames
    heard = np.repeat(silence, frames, axis=1)
    room = rooms[int(chance.integers(len(rooms)))] if rooms and chance.random() < _ROOM_SHARE else None
    if not made.turns:
        return heard if room is None else _filled(room, frames, chance).astype(np.int32)
    filled, before = 0, None
    for turn in made.turns:
        first = _first(before, turn, filled)
        _fill_gap(heard, (filled, min(first, frames)), [before, turn], room, chance)
        filled, before = _put(heard, turn, first), turn
    _fill_gap(heard, (filled, frames), [before], room, chance)
    return heard


def _first(before: Turn | None, turn: Turn, filled: int) -> int:
    """Return the frame from which on a turn is heard, with the room before it.

    Where that would hide what was said before, it begins halfway between.
    """
    first = max(0, turn.first + _UNSETTLED_FRAMES)
    if before is None or first >= filled:
        return first
    end = math.ceil(before.first + before.utterance.end)
    begin = math.floor(turn.first + turn.utterance.begin)
    return max(first, (end + begin + 1) // 2)


def _put(heard: Codes, turn: Turn, first: int) -> int:
    """Put the codes of a turn from a frame on, and return the frame after them."""
    codes = _spoken(turn).codes[:, first - turn.first :][:, : max(0, heard.shape[1] - first)]
    heard[:, first : first + codes.shape[1]] = codes
    return first + codes.shape[1]


def _fill_gap(
    heard: Codes,
    gap: tuple[int, int],
    turns: Sequence[Turn | None],
    room: ClipCodes | None,
    chance: np.random.Generator,
) -> None:
    """Fill frames in which nobody speaks with the rooms of the turns before and after."""
    first, end = gap
    if end <= first:
        return
    if room is not None and end - first >= _LONG_GAP:
        heard[:, first:end] = _filled(room, end - first, chance)
        return
    around = [_room(turn) for turn in turns if turn is not None]
    edges = np.linspace(first, end, len(around) + 1).astype(int)
    for each, (begin, stop) in zip(around, pairwise(edges), strict=True):
        heard[:, begin:stop] = _filled(each, stop - begin, chance)


def _room(turn: Turn) -> ClipCodes:
    """Return the frames of a turn in which nobody speaks, without the first."""
    said = _spoken(turn)
    after = math.ceil(said.end) + _ECHO_FRAMES
    return np.concatenate([said.codes[:, _UNSETTLED_FRAMES:LEAD_FRAMES], said.codes[:, after:]], axis=1)


def _filled(room: ClipCodes, frames: int, chance: np.random.Generator) -> ClipCodes:
    """Return so many frames of a room, which go on by chance where they end."""
    return room[:, chance.integers(room.shape[1], size=frames)]


def _swapped(codes: Codes, chance: np.random.Generator) -> Codes:
    """Return codes some of which are others of the same book, in deep books more of them."""
    depth = np.arange(len(codes)) / max(1, len(codes) - 1)
    rate = chance.uniform(0, _SWAPPED) + chance.uniform(0, _SWAPPED_DEEP) * depth
    others = chance.permuted(codes, axis=1)
    return np.where(chance.random(codes.shape) < rate[:, None], others, codes)


def _spoken(turn: Turn) -> Spoken:
    assert isinstance(turn.utterance, Spoken), "users speak by clips"
    return turn.utterance
