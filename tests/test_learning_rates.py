"""Learning rates follow from the size of a model and what of it learns; the 7B has what was published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from app.catalog import KNOWN
from app.learning_rates import Rates, rates_of, width_of
from training.config import Method, parse_config

SEVEN_B = Rates(2e-6, 4e-6)


def own(models: Path, name: str, width: int, file: str = "config.json") -> Path:
    (models / name).mkdir(parents=True)
    (models / name / file).write_text(json.dumps({"dim": width}), encoding="utf-8")
    return models / name


@pytest.mark.parametrize("method", get_args(Method))
def test_the_models_of_the_hub_keep_what_their_makers_used(method: str, tmp_path: Path) -> None:
    for model in KNOWN:
        if not model.bundled:
            assert rates_of(model.name, method) == rates_of(model.repo, method) == SEVEN_B
    assert rates_of("somebody/moshi-of-hers", method, models=tmp_path) == SEVEN_B
    starter = rates_of("starter", method)
    assert min(starter) >= 100 * SEVEN_B.temporal


def test_a_model_of_ones_own_is_as_large_as_its_files_say(tmp_path: Path) -> None:
    own(tmp_path, "small", 256)
    folder = own(tmp_path, "large", 4_096, "moshi_lm_kwargs.json")
    assert width_of("small", tmp_path) == 256
    assert rates_of("small", "lora", models=tmp_path) == rates_of("starter", "lora")
    assert rates_of(str(folder), "lora") == SEVEN_B
    middle = rates_of(str(own(tmp_path, "middle", 1_024)), "lora")
    assert SEVEN_B < middle < rates_of("starter", "lora")
    (tmp_path / "small" / "config.json").write_text("[", encoding="utf-8")
    assert width_of("small", tmp_path) is None
    for nothing in ("", "~nobody-of-this-name/model", "\0", "a" * 5_000):
        assert width_of(nothing, tmp_path) is None
    assert rates_of("small", "lora", base="starter", models=tmp_path) == rates_of("starter", "lora")


def test_what_a_configuration_names_counts() -> None:
    told = {"data": ["talks"], "model": "starter", "optimizer": {"lr_depth": 5e-5}}
    optimizer = parse_config(told, "my.toml").optimizer
    assert (optimizer.lr_temporal, optimizer.lr_depth) == (rates_of("starter", "lora").temporal, 5e-5)
    for steps, warmup in ((500, 50), (20, 2), (3, 1), (5_000, 50)):
        assert parse_config({**told, "steps": steps}, "my.toml").optimizer.warmup_steps == warmup
    assert (
        parse_config({**told, "steps": 20, "optimizer": {"warmup_steps": 9}}, "").optimizer.warmup_steps == 9
    )
