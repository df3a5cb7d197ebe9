"""Teacher forcing tells a model that hears from one that does not, at each branch of the answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from moshi.models import loaders

from app.engine.fake import tiny_config
from training.data.align import END_OF_PADDING, PADDING
from training.starter.bank_codes import Coded
from training.starter.forcing import Asking, Sounding, branches, force

CARD, BOOKS = 32, 8
ANSWERS = (10, 11, 12), (10, 13), (14, 15)
"""Two part at their second token, the third from the first on."""


def sounding(tokens: tuple[int, ...]) -> Sounding:
    spread = [(token, PADDING) for token in tokens]
    return Sounding(np.ravel(spread).astype(np.int32), np.full((BOOKS, 9), 7, dtype=np.int32))


def asking(right: int, heard: int | None = None) -> Asking:
    """Return a question that is asked by one code, which tells the answer or another."""
    codes = np.zeros((BOOKS, 20), dtype=np.uint16)
    codes[:, 5:9] = 1 + (right if heard is None else heard)
    return Asking(Coded(0, 0, codes, 5.0, 9.0, 1.0), [sounding(each) for each in ANSWERS], right)


SILENCE = np.full((BOOKS, 1), 6, dtype=np.int32)


class Hearing:
    """Says what it was asked by the one code of the user that it listens to, from what lies before alone."""

    delays = [0] + ([0] + [1] * (BOOKS - 1)) * 2

    def _get_initial_token(self) -> torch.Tensor:
        return torch.zeros(1, 1 + 2 * BOOKS, 1, dtype=torch.long)

    def forward_text(self, codes: torch.Tensor) -> tuple[Any, torch.Tensor]:
        logits = torch.zeros(len(codes), 1, codes.shape[2], CARD)
        for row, heard in enumerate(codes[:, 1 + BOOKS]):
            for at in range(len(heard)):
                asked = int(heard[: at + 1].max())
                for token in ANSWERS[asked - 1] if asked else ():
                    logits[row, 0, at, token] = 1.0
        return None, logits


class Deaf(Hearing):
    """Always says the first answer."""

    def forward_text(self, codes: torch.Tensor) -> tuple[Any, torch.Tensor]:
        logits = torch.zeros(len(codes), 1, codes.shape[2], CARD)
        logits[..., list(ANSWERS[0])] = 1.0
        return None, logits


def told(model: Any, asked: list[Asking]) -> list[tuple[bool, bool]]:
    return [(each.first, each.path) for each in force(model, SILENCE, asked)]


def test_who_hears_is_right_at_every_branch() -> None:
    assert told(Hearing(), [asking(at) for at in range(3)]) == [(True, True)] * 3


def test_who_mishears_is_right_as_far_as_answers_are_alike() -> None:
    assert told(Hearing(), [asking(0, heard=1)]) == [(True, False)]
    assert told(Hearing(), [asking(0, heard=2)]) == [(False, False)]


def test_who_is_deaf_says_always_the_same() -> None:
    assert told(Deaf(), [asking(at) for at in range(3)]) == [(True, True), (True, False), (False, False)]


def test_branches_are_where_answers_part() -> None:
    assert branches((10, 11, 12), ANSWERS) == {0: [10, 14], 1: [11, 13]}
    assert branches((14, 15), ANSWERS) == {0: [10, 14]}


def test_a_row_is_room_question_gap_and_answer() -> None:
    from training.starter.forcing import _SOUND_LATE_FRAMES, GAP_FRAMES, LEAD_FRAMES, _row

    each = asking(1)
    row = _row(each, SILENCE, np.random.default_rng(0))
    first = LEAD_FRAMES + 9 + GAP_FRAMES
    text, own, user = row[0], row[1 : 1 + BOOKS], row[1 + BOOKS :]
    np.testing.assert_array_equal(user[:, LEAD_FRAMES : LEAD_FRAMES + 20][:, :13], each.coded.codes[:, :13])
    assert not user[:, :LEAD_FRAMES].any(), "the room of the question"
    np.testing.assert_array_equal(own[:, :first], np.repeat(SILENCE, first, axis=1))
    late = first + _SOUND_LATE_FRAMES
    np.testing.assert_array_equal(own[:, first:late], np.repeat(SILENCE, late - first, axis=1))
    assert (own[:, late:] == 7).all()
    assert (text[: first - 1] == PADDING).all()
    assert list(text[first - 1 :]) == [END_OF_PADDING, 10, PADDING, 13, PADDING]


@pytest.mark.parametrize(("announces", "before"), [(True, END_OF_PADDING), (False, PADDING)])
def test_a_line_is_announced_where_the_model_does_so(announces: bool, before: int) -> None:
    seen: list[int] = []

    class Model(Hearing):
        def forward_text(self, codes: torch.Tensor) -> tuple[Any, torch.Tensor]:
            seen[:] = codes[0, 0].tolist()
            _, logits = super().forward_text(codes)
            logits[..., END_OF_PADDING] = 2.0 if announces else -2.0
            return None, logits

    assert told(Model(), [asking(1)]) == [(True, True)]
    # What is read in a frame is the token of the frame before it.
    assert seen[seen.index(10) - 1] == before


def test_company_changes_nothing() -> None:
    config = tiny_config(CARD)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        lm = loaders.get_moshi_lm(None, dict(config), device="cpu", dtype=torch.float32)
    asked = [asking(at % 3, heard=at % 2) for at in range(40)]
    longer = asking(0)
    longer = longer._replace(coded=longer.coded._replace(codes=np.tile(longer.coded.codes, 3)))
    together = force(lm, SILENCE, [*asked, longer])
    assert together[:6] == [force(lm, SILENCE, [each])[0] for each in asked[:6]]
