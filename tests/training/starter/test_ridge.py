"""A reader tells apart what its codec keeps apart, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from moshi.models import MimiModel

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from training.starter import ridge
from training.starter.bank_codes import Coded
from training.starter.ridge import MOMENTS, features, train_reader

ANSWERS = "Yes.", "No.", "Blue."
BEGIN, WORD, TAIL = 3, 20, 5


@pytest.fixture(scope="module")
def mimi() -> MimiModel:
    return build.load_mimi(checkpoint.find(str(BUNDLED / STARTER.name)), torch.device("cpu"))


def asked(seed: int, *, alike: bool = False) -> tuple[list[Coded], list[str]]:
    """Return questions: each answer's has codes of its own, of which half are others by chance."""
    chance, told = np.random.default_rng(seed), []
    words = np.random.default_rng(4711).integers(512, size=(len(ANSWERS), 8, WORD))
    answers = [ANSWERS[at] for at in chance.integers(len(ANSWERS), size=60)]
    for number, answer in enumerate(answers):
        word = words[0 if alike else ANSWERS.index(answer)]
        length = int(chance.integers(15, 30))
        said = word[:, np.arange(length) * WORD // length]
        other = chance.integers(512, size=said.shape)
        room = chance.integers(512, size=(8, BEGIN + length + TAIL))
        room[:, BEGIN : BEGIN + length] = np.where(chance.random(said.shape) < 0.5, other, said)
        told.append(Coded(number, 0, room.astype(np.uint16), BEGIN, BEGIN + length, 1.0))
    return told, answers


def test_it_reads_questions_that_it_has_not_seen(mimi: MimiModel) -> None:
    seen, answers = asked(0)
    unseen, right = asked(1)
    read = train_reader(features(mimi, seen), answers).read(features(mimi, unseen))
    assert np.mean([one == other for one, other in zip(read, right, strict=True)]) > 0.9


def test_it_guesses_where_all_questions_sound_the_same(mimi: MimiModel) -> None:
    seen, answers = asked(0, alike=True)
    unseen, right = asked(1, alike=True)
    read = train_reader(features(mimi, seen), answers).read(features(mimi, unseen))
    assert np.mean([one == other for one, other in zip(read, right, strict=True)]) < 0.6


def test_moments_are_spread_over_what_is_said_and_nothing_else(mimi: MimiModel) -> None:
    (first, *_), _ = asked(0)
    found = features(mimi, [first])
    assert found.shape[:2] == (1, MOMENTS)
    room = first.codes.copy()
    room[:, :BEGIN] = room[:, BEGIN + round(first.end - first.begin) + 1 :][:, :BEGIN] = 0
    np.testing.assert_array_equal(features(mimi, [first._replace(codes=room)]), found)
    assert not np.array_equal(features(mimi, [first._replace(codes=first.codes[:, ::-1])]), found)


def test_of_many_questions_some_are_drawn(mimi: MimiModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "MOST", 20)
    seen, answers = asked(0)
    reader = train_reader(features(mimi, seen), answers)
    assert len(reader.seen) == 20
    assert set(reader.answers) == set(ANSWERS), "drawn by chance, so that none is left out"
