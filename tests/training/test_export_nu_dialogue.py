"""nu-dialogue's finetuner gets a run under its own names, and what comes from there goes on here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from moshi.utils.compile import no_compile
from safetensors.torch import load_file

from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.paths import Paths, paths
from tests.training.trained_runs import (
    CPU,
    base,
    by_hand,
    export,
    learnt,
    make_run,
    moshi_whole,
    refuse,
    same,
    weights,
)
from training.base import prepare_learner
from training.config import Config
from training.streams import restore


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


STEPS, LAYERS = range(16), range(2)
SIDES = "transformer", "depformer"
PLAIN = [
    *(f"emb.{number}.weight" for number in range(16)),
    *(f"depformer_in.{step}.weight" for step in STEPS),
    *(f"depformer_emb.{step}.weight" for step in range(15)),
    *(f"linears.{step}.weight" for step in STEPS),
    *(f"{side}.layers.{at}.norm{n}.alpha" for side in SIDES for at in LAYERS for n in (1, 2)),
    *(f"{side}.layers.{at}.self_attn.in_proj_weight" for side in SIDES for at in LAYERS),
    *(f"transformer.layers.{at}.self_attn.out_proj.weight" for at in LAYERS),
    "text_emb.weight",
    "text_linear.weight",
    "depformer_text_emb.weight",
    "out_norm.alpha",
]
# What expose_linear_weights_for_zero3 moves to the parents.
EXPOSED = [
    *(f"transformer.layers.{at}.gating.linear_{side}_weight" for at in LAYERS for side in ("in", "out")),
    *(
        f"depformer.layers.{at}.gating.{step}.linear_{side}_weight"
        for at in LAYERS
        for step in STEPS
        for side in ("in", "out")
    ),
    *(f"depformer.layers.{at}.self_attn.out_proj_weight" for at in LAYERS),
]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_nu_dialogues_finetuner_gets_its_names_and_both_voices(
    method: str, tiny: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(where, tiny, method=method, streams="both")
    export(where, run, "--format", "nu-dialogue")
    folder = where.models / "run-1"
    assert f"finetune.py --model_dir {folder}" in capsys.readouterr().out
    assert set(load_file(folder / "model.safetensors")) == {*PLAIN, *EXPOSED}
    config = json.loads((folder / "moshi_lm_kwargs.json").read_text())
    assert config == {**find(str(tiny)).config, "dep_q": 16, "depformer_context": 16}
    assert not (folder / "config.json").exists()
    learner = prepare_learner(
        Config(model=str(tiny), streams="both", method="full"), find(str(tiny)), CPU, torch.float32
    )
    before = weights(learner.lm)
    expected = by_hand(before, learnt(run), 1.5) if method == "lora" else learnt(run)
    found = find(str(folder), base=str(tiny), both_voices=True)
    assert (found.kind, found.config) == ("nu-dialogue", config)
    lm = load_lm(prove(found), CPU, torch.float32, lambda *_: None)
    same(weights(lm), expected, 1e-6)


def test_nu_dialogues_finetuner_gets_one_voice_where_one_learnt(tiny: Path, where: Paths) -> None:
    run = make_run(where, tiny)
    export(where, run, "--format", "nu-dialogue")
    found = find(str(where.models / "run-1"), base=str(tiny))
    assert found.config == find(str(tiny)).config
    lm = load_lm(prove(found), CPU, torch.float32, lambda *_: None)
    same(weights(lm), by_hand(base(tiny), learnt(run), 1.5), 1e-6)


def test_a_model_of_both_voices_goes_on_and_talks_at_last(tiny: Path, where: Paths) -> None:
    export(where, make_run(where, tiny, "first", streams="both"), "--format", "nu-dialogue")
    first = where.models / "first"
    run = make_run(where, first, "second", base=str(tiny), streams="both")
    refuse(where, run, said="second is an adapter on first, which predicts the user's voice too")
    export(where, run, "--merge")
    extended = find(str(first), base=str(tiny), both_voices=True)
    whole = by_hand(weights(load_lm(prove(extended), CPU, torch.float32, lambda *_: None)), learnt(run), 1.5)
    expected, config = restore(whole, extended.config)
    same(moshi_whole(where.models / "second"), expected, 1e-6)
    assert find("second", models=where.models).config == config
