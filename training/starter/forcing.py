"""What a language model would answer to questions, without letting it talk: by teacher forcing.

Each question is followed by its right answer, and where the answers of a language part from each other, the
right token is held against those that other answers have there. Knows nothing about who asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import LMModel
from moshi.models.lm_utils import _delay_sequence
from moshi.utils.compile import no_compile

from training.data.align import END_OF_PADDING, PADDING
from training.starter.bank_codes import Coded

LEAD_FRAMES = 25
"""The room before a question."""
GAP_FRAMES = 6
"""From the end of a question to its answer: 0.48 s, as in the middle of the talks that are learnt from."""
_AT_ONCE = 16
_SOUND_LATE_FRAMES = 3
"""So long after its text an answer is heard here: else the first sound of a line tells which one it is, since
each is always said alike. No talk is so, which makes what comes after the first token harder than it is."""
_EDGE_FRAMES = 2
"""So long what was said rings on in the room after it."""

Tokens = npt.NDArray[np.int64]


class Sounding(NamedTuple):
    """A line of the model."""

    text: npt.NDArray[np.int32]
    """[T], from the first frame of its sound on."""
    codes: npt.NDArray[np.int32]
    """[K, T]"""

    @property
    def tokens(self) -> tuple[int, ...]:
        """Return what it says, without padding."""
        return tuple(int(each) for each in self.text if each not in (PADDING, END_OF_PADDING))


class Asking(NamedTuple):
    """A question, and the answers among which its own is right."""

    coded: Coded
    answers: Sequence[Sounding]
    right: int


class Forced(NamedTuple):
    """What a model would choose."""

    first: bool
    """Whether the first token is right, …"""
    path: bool
    """… and whether every one is at which the right answer parts from others."""


def force(
    lm: LMModel, silence: npt.NDArray[np.int32], asked: Sequence[Asking], *, bf16: bool = False
) -> list[Forced]:
    """Return what a model would answer to questions; `silence` is the codes of its own silence, [K, 1].

    Questions are put after so much of the room that they were asked in. The same come to the same.
    """
    rows = [_row(each, silence, np.random.default_rng(at)) for at, each in enumerate(asked)]
    if not _announces(lm, asked[:_AT_ONCE], rows[:_AT_ONCE], bf16):
        for each, row in zip(asked, rows, strict=True):
            row[0, _first(each) - 1] = PADDING
    order = sorted(range(len(rows)), key=lambda at: rows[at].shape[1])
    forced: dict[int, Forced] = {}
    for first in range(0, len(order), _AT_ONCE):
        batch = order[first : first + _AT_ONCE]
        for at, logits in zip(batch, _text_logits(lm, [rows[at] for at in batch], bf16), strict=True):
            forced[at] = _forced(logits, rows[at][0], asked[at])
    return [forced[at] for at in range(len(rows))]


def _row(asking: Asking, silence: npt.NDArray[np.int32], chance: np.random.Generator) -> Tokens:
    """Return a question with its answer as the model reads them, [1 + 2K, T]: as far as answers part."""
    coded, answer = asking.coded, asking.answers[asking.right]
    heard = coded.codes.astype(np.int64)
    after = math.ceil(coded.end)
    room = np.concatenate([heard[:, 1 : int(coded.begin)], heard[:, after + _EDGE_FRAMES :]], axis=1)
    first = _first(asking)
    frames = first + len(answer.text)
    lead = room[:, chance.integers(room.shape[1], size=LEAD_FRAMES)]
    tail = room[:, chance.integers(room.shape[1], size=max(0, frames - LEAD_FRAMES - heard.shape[1]))]
    user = np.concatenate([lead, heard, tail], axis=1)[:, :frames]
    own = np.repeat(silence.astype(np.int64), frames, axis=1)
    said = answer.codes[:, : max(0, len(answer.text) - _SOUND_LATE_FRAMES)]
    sounds = first + _SOUND_LATE_FRAMES
    own[:, sounds : sounds + said.shape[1]] = said
    text = np.full(frames, PADDING, dtype=np.int64)
    text[first:] = answer.text
    text[first - 1] = END_OF_PADDING
    return np.concatenate([text[None], own, user])


def _first(asking: Asking) -> int:
    """Return the frame in which an answer begins."""
    return LEAD_FRAMES + math.ceil(asking.coded.end) + GAP_FRAMES


def _announces(lm: LMModel, asked: Sequence[Asking], rows: Sequence[Tokens], bf16: bool) -> bool:
    """Tell whether a model writes END_OF_PADDING before a line, as it was taught, or begins at once."""
    announced = [
        logits[_first(each) - 1, END_OF_PADDING]
        > max(logits[_first(each) - 1, answer.tokens[0]] for answer in each.answers)
        for each, logits in zip(asked, _text_logits(lm, rows, bf16), strict=True)
    ]
    return bool(2 * sum(announced) >= len(announced))


def _text_logits(lm: LMModel, rows: Sequence[Tokens], bf16: bool) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the logits of the text of rows, [T, tokens], each from what lies before it."""
    longest = max(row.shape[1] for row in rows)
    # What follows a row changes nothing before it.
    codes = torch.from_numpy(
        np.stack([np.pad(row, ((0, 0), (0, longest - row.shape[1])), "edge") for row in rows])
    )
    initial = lm._get_initial_token().expand(len(rows), -1, -1)
    delayed = torch.cat([initial, _delay_sequence(lm.delays, codes, initial)], dim=2)
    precision = torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext()
    with torch.no_grad(), no_compile(), precision:
        _, logits = lm.forward_text(delayed[:, :, :-1])
    for row, each in zip(rows, logits[:, 0].float().numpy(), strict=True):
        yield each[: row.shape[1]]


def _forced(logits: npt.NDArray[np.float32], text: Tokens, asking: Asking) -> Forced:
    right = asking.answers[asking.right].tokens
    frames = [at for at, token in enumerate(text) if token not in (PADDING, END_OF_PADDING)]
    chosen = [
        right[depth] == max(others, key=lambda token: float(logits[frames[depth], token]))
        for depth, others in branches(right, [each.tokens for each in asking.answers]).items()
    ]
    return Forced(chosen[0], all(chosen))


def branches(right: Sequence[int], answers: Sequence[Sequence[int]]) -> Mapping[int, list[int]]:
    """Return at which of its tokens an answer parts from others, and what there is to choose from."""
    found: dict[int, list[int]] = {}
    for depth in range(len(right)):
        alike = [each for each in answers if tuple(each[:depth]) == tuple(right[:depth])]
        tokens = sorted({each[depth] for each in alike if len(each) > depth})
        if len(tokens) > 1:
            found[depth] = tokens
    return found
