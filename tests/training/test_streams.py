"""A model gets depth steps for the user's voice and loses them again, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.engine.fake import make_tiny, tiny_config
from app.errors import UserError
from training.streams import extend, restore

State = dict[str, Tensor]
Config = dict[str, Any]

# Which step a new step is a copy of, written down from the definition of the extension.
STEPS = [*range(8), *range(8)]
EMBEDDINGS = [*range(7), 0, *range(7)]
MODULES = {
    "depformer_in.{}.weight": STEPS,
    "depformer_emb.{}.weight": EMBEDDINGS,
    "depformer.layers.0.gating.{}.linear_in.weight": STEPS,
    "depformer.layers.0.gating.{}.linear_out.weight": STEPS,
    "depformer.layers.0.self_attn.in_projs.{}.weight": STEPS,
    "depformer.layers.0.self_attn.out_projs.{}.weight": STEPS,
    "depformer.layers.1.gating.{}.linear_in.weight": STEPS,
    "depformer.layers.1.gating.{}.linear_out.weight": STEPS,
    "depformer.layers.1.self_attn.in_projs.{}.weight": STEPS,
    "depformer.layers.1.self_attn.out_projs.{}.weight": STEPS,
    "linears.{}.weight": STEPS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def state(folder: Path) -> State:
    return load_file(folder / "model.safetensors")


@pytest.fixture
def config(folder: Path) -> Config:
    found = json.loads((folder / "config.json").read_text())
    return {name: found[name] for name in tiny_config(0)}


def build(state: State, config: Config) -> LMModel:
    lm = loaders.get_moshi_lm(None, dict(config), device="cpu", dtype=torch.float32)
    lm.load_state_dict(dict(state), strict=True)
    return lm


def pack(state: State) -> State:
    """Return a state with the projections of all steps in one tensor, as in the released checkpoints."""
    packed = {
        name: tensor for name, tensor in state.items() if "depformer" not in name or "_projs" not in name
    }
    for layer in range(2):
        attention = f"depformer.layers.{layer}.self_attn"
        for old, new in ("in_projs", "in_proj_weight"), ("out_projs", "out_proj.weight"):
            parts = [state[f"{attention}.{old}.{step}.weight"] for step in range(8)]
            packed[f"{attention}.{new}"] = torch.cat(parts)
    return packed


def same(left: State, right: State) -> None:
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in right)


def test_each_new_step_is_a_copy_of_the_step_for_the_same_codebook(state: State, config: Config) -> None:
    extended, _ = extend(state, config)
    expected = {
        name: tensor for name, tensor in state.items() if not name.startswith(("depformer", "linears"))
    }
    # The embedding of the text before the first step belongs to no step.
    expected |= {name: state[name] for name in state if "depformer_text_emb" in name or ".norm" in name}
    for pattern, sources in MODULES.items():
        expected |= {pattern.format(step): state[pattern.format(old)] for step, old in enumerate(sources)}
    same(extended, expected)


def test_packed_projections_are_repeated_along_their_rows(state: State, config: Config) -> None:
    extended, _ = extend(pack(state), config)
    for layer in range(2):
        for name in "in_proj_weight", "out_proj.weight":
            before = pack(state)[f"depformer.layers.{layer}.self_attn.{name}"]
            after = extended[f"depformer.layers.{layer}.self_attn.{name}"]
            assert torch.equal(after, torch.cat([before, before]))


@pytest.mark.parametrize("packed", [False, True])
def test_restoring_undoes_extending(state: State, config: Config, packed: bool) -> None:
    before = pack(state) if packed else state
    restored, restored_config = restore(*extend(before, config))
    same(restored, before)
    assert restored_config == config


@pytest.mark.parametrize("packed", [False, True])
def test_moshi_loads_both_and_predicts_the_same_for_the_models_voice(
    state: State, config: Config, packed: bool
) -> None:
    before = pack(state) if packed else state
    codes = torch.randint(256, (2, 17, 12), generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), no_compile():
        alone, both = build(before, config)(codes), build(*extend(before, config))(codes)
    assert both.logits.shape == (2, 16, 12, 256)
    assert torch.equal(both.text_logits, alone.text_logits)
    torch.testing.assert_close(both.logits[:, :8], alone.logits, equal_nan=True)
    assert not torch.allclose(both.logits[:, 8:, :-1], alone.logits[:, :, :-1])


def test_extended_weights_survive_a_file_and_share_no_memory(
    state: State, config: Config, tmp_path: Path
) -> None:
    extended, _ = extend(state, config)
    save_file(extended, tmp_path / "both.safetensors")
    same(load_file(tmp_path / "both.safetensors"), extended)
    before = {name: tensor.clone() for name, tensor in extended.items()}
    extended["linears.8.weight"].zero_()
    assert torch.equal(extended["linears.0.weight"], before["linears.0.weight"])


def test_what_training_did_to_the_models_steps_is_kept(state: State, config: Config) -> None:
    extended, both = extend(state, config)
    trained = {name: tensor + 1 for name, tensor in extended.items()}
    restored, _ = restore(trained, both)
    same(restored, {name: tensor + 1 for name, tensor in state.items()})


def test_an_adapter_is_extended_and_restored_as_its_base_is(state: State, config: Config) -> None:
    lm, both = build(state, config), build(*extend(state, config))
    for model in lm, both:
        replace_all_linear_with_lora(model, 4, 2.0)
    adapter = {name: tensor for name, tensor in lm.state_dict().items() if "lora_" in name}
    extended, extended_config = extend(adapter, config)
    assert extended.keys() == {name for name in both.state_dict() if "lora_" in name}
    same(restore(extended, extended_config)[0], adapter)


def test_norms_and_widths_of_the_steps_are_extended_where_a_model_has_them(config: Config) -> None:
    config = {**config, "depformer_norm": "rms_norm_f32", "depformer_dim_feedforward": [132] * 8}
    lm = loaders.get_moshi_lm(None, dict(config), device="cpu", dtype=torch.float32)
    before = {name: tensor.detach() for name, tensor in lm.state_dict().items()}
    build(*extend(before, config))
    restored, restored_config = restore(*extend(before, config))
    same(restored, before)
    assert restored_config == config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"depformer_weights_per_step_schedule": [0, 1, 2, 3, 4, 5, 6, 6]}, "share weights"),
        ({"depformer_weights_per_step": False}, "share weights"),
        ({"depformer_multi_linear": False}, "share weights"),
        ({"dep_q": 16}, "predicts the user's voice already"),
        ({"n_q": 20}, "hears 20 codebooks and predicts 8"),
        ({"dep_q": 4, "n_q": 8}, "speaks of 4 depth steps"),
        ({"dep_q": 32, "n_q": 64}, "lack linears.31.weight"),
    ],
)
def test_a_model_that_cannot_be_extended_is_refused(
    state: State, config: Config, change: Config, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        extend(state, {**config, **change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "does not predict the user's voice"),
        ({"dep_q": 16}, "lack linears.15.weight"),
        ({"dep_q": 7, "n_q": 7}, "are not two voices"),
    ],
)
def test_a_model_without_the_users_voice_is_not_restored(
    state: State, config: Config, change: Config, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        restore(state, {**config, **change})
