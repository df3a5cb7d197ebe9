"""A model's weights have the names that other programs read, which are written down here one by one."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import loaders
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.engine.fake import tiny_config
from training.naming import nu_dialogue, released
from training.streams import extend

LAYERS, NORMS, SIDES = range(2), (1, 2), ("in", "out")


@pytest.fixture
def state(tiny: Path) -> dict[str, Tensor]:
    return load_file(tiny / "model.safetensors")


@pytest.fixture
def config(tiny: Path) -> dict[str, Any]:
    found = json.loads((tiny / "config.json").read_text())
    return {name: found[name] for name in tiny_config(0)}


def plain(steps: int) -> set[str]:
    """Return the names that are the same everywhere, of the tiny model with so many depth steps."""
    names = {"text_emb", "text_linear", "depformer_text_emb"}
    names |= {f"emb.{number}" for number in range(16)}
    names |= {f"{part}.{step}" for part in ("depformer_in", "linears") for step in range(steps)}
    names |= {f"depformer_emb.{step}" for step in range(steps - 1)}
    names |= {f"transformer.layers.{layer}.self_attn.out_proj" for layer in LAYERS}
    norms = {
        f"{side}.layers.{layer}.norm{norm}.alpha"
        for side, layer, norm in product(("transformer", "depformer"), LAYERS, NORMS)
    }
    attention = {
        f"{side}.layers.{layer}.self_attn.in_proj_weight"
        for side, layer in product(("transformer", "depformer"), LAYERS)
    }
    return {f"{name}.weight" for name in names} | norms | attention | {"out_norm.alpha"}


def linear(steps: int) -> set[str]:
    """Return the linear layers whose weights nu-dialogue's finetuner has at their parents."""
    temporal = {f"transformer.layers.{at}.gating.linear_{side}" for at, side in product(LAYERS, SIDES)}
    depth = {
        f"depformer.layers.{at}.gating.{step}.linear_{side}"
        for at, step, side in product(LAYERS, range(steps), SIDES)
    }
    return temporal | depth | {f"depformer.layers.{at}.self_attn.out_proj" for at in LAYERS}


@pytest.mark.parametrize("steps", [8, 16])
def test_names_are_those_that_each_program_reads(
    steps: int, state: dict[str, Tensor], config: dict[str, Any]
) -> None:
    whole = state if steps == 8 else extend(state, config)[0]
    assert set(released(whole)) == plain(steps) | {f"{name}.weight" for name in linear(steps)}
    assert set(nu_dialogue(whole)) == plain(steps) | {f"{name}_weight" for name in linear(steps)}


def test_attention_is_packed_step_after_step(state: dict[str, Tensor], config: dict[str, Any]) -> None:
    both, _ = extend(state, config)
    # Numbers tell the steps apart, whatever order they come in.
    marked = {
        name: torch.full_like(each, int(name.split(".")[5])) if ".self_attn." in name else each
        for name, each in sorted(both.items(), reverse=True)
    }
    packed = released(marked)["depformer.layers.1.self_attn.in_proj_weight"]
    assert torch.equal(packed[:, 0], torch.arange(16.0).repeat_interleave(96))
    assert packed.shape == (16 * 96, 32)
    exposed = nu_dialogue(marked)["depformer.layers.0.self_attn.out_proj_weight"]
    assert torch.equal(exposed[:, 0], torch.arange(16.0).repeat_interleave(32))


@pytest.mark.parametrize("both", [False, True])
def test_moshi_reads_released_names_as_the_same_weights(
    both: bool, state: dict[str, Tensor], config: dict[str, Any], tmp_path: Path
) -> None:
    whole, settings = extend(state, config) if both else (state, config)
    save_file(released(whole), tmp_path / "model.safetensors")
    lm = loaders.get_moshi_lm(tmp_path / "model.safetensors", settings, dtype=torch.float32)
    read = lm.state_dict()
    assert read.keys() == whole.keys()
    assert all(torch.equal(read[name], whole[name]) for name in whole)


def test_nothing_but_names_changes(state: dict[str, Tensor]) -> None:
    def values(some: dict[str, Tensor]) -> float:
        return sum(float(each.double().abs().sum()) for each in some.values())

    for renamed in released(state), nu_dialogue(state):
        assert values(renamed) == pytest.approx(values(state), rel=1e-12)
        assert renamed["linears.3.weight"] is state["linears.3.weight"]
    # What is renamed already stays as it is.
    again = released(released(state))
    assert again.keys() == released(state).keys()
