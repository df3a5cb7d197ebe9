"""A sample that has lost much of what the model said before training is told, in two degrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from app.engine.checkpoint import find
from tests.training.test_train import write_shard
from training.base import prepare_learner
from training.config import Batch, Config
from training.data.shards import Shards
from training.examples import Examples
from training.judge import Judge

BEFORE = {"distinct_codes": 297, "entropy_bits": 3.56, "padding_share": 0.7}


@pytest.fixture
def judge(tiny: Path, tmp_path: Path) -> Judge:
    config = Config(model=str(tiny), data=("x",), method="depth")
    learner = prepare_learner(config, find(str(tiny), both_voices=True), torch.device("cpu"), torch.float32)
    shards = Shards([write_shard(tmp_path / "a.parquet", (60,))], tmp_path / "cache", card=256, text_card=600)
    return Judge(config, learner, Examples(shards, [0], ["A"], Batch(4.0, 1.0)), dict(BEFORE))


def sentences(judge: Judge, **figures: Any) -> list[str]:
    return [sentence for sentence, advice in judge.warnings({**BEFORE, **figures}) if advice]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, []),
        ({"distinct_codes": 160, "entropy_bits": 2.3}, []),
        (
            {"distinct_codes": 134, "entropy_bits": 2.05},
            [
                "The voice loses variety: the sample has 134 different sounds and 2.05 bits of entropy, "
                "before training it had 297 and 3.56."
            ],
        ),
        (
            {"entropy_bits": 2.1},
            [
                "The voice loses variety: the sample has 297 different sounds and 2.10 bits of entropy, "
                "before training it had 297 and 3.56."
            ],
        ),
        (
            {"distinct_codes": 61},
            ["The voice collapses: the sample has 61 different sounds, before training it had 297."],
        ),
        (
            {"padding_share": 0.99},
            ["The model falls silent: 99 % of the sample's text is padding."],
        ),
    ],
)
def test_what_was_lost_since_the_beginning_is_told(
    judge: Judge, figures: dict[str, Any], expected: list[str]
) -> None:
    assert sentences(judge, **figures) == expected
