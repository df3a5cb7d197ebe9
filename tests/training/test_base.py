"""Exactly that learns which the method names, it begins where the base is, and all else is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel
from moshi.modules.lora import LoRALinear
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.engine.fake import tiny_config
from app.errors import UserError
from training.base import (
    Learner,
    adapters,
    compute_dtype,
    find_base,
    learning_rate_groups,
    prepare_learner,
)
from training.config import Config, Lora, Optimizer
from training.loss import compute_loss
from training.streams import extend

CPU = torch.device("cpu")

# get_parameters of nu-dialogue/moshi-finetune, module by module.
TEMPORAL = ("emb.", "text_emb.", "transformer.", "out_norm.", "text_linear.")
DEPTH = ("depformer_in.", "depformer_emb.", "depformer_text_emb.", "depformer.", "linears.")
LEARN = {
    "full": TEMPORAL + DEPTH,
    "temporal": TEMPORAL,
    "depth": DEPTH,
    "text_embedding": ("text_emb.", "depformer_text_emb."),
}


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture
def both(tiny: Path, tmp_path: Path) -> Path:
    """Return a model that predicts the user's voice too, in the official format."""
    raw = json.loads((tiny / "config.json").read_text())
    state, config = extend(
        load_file(tiny / "model.safetensors"), {name: raw[name] for name in tiny_config(0)}
    )
    folder = tmp_path / "both"
    folder.mkdir()
    for name in ("mimi.safetensors", "mimi.json", "tokenizer.model"):
        (folder / name).symlink_to(tiny / name)
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**raw, **config}))
    return folder


def make_config(folder: Path, **settings: Any) -> Config:
    return Config(**{"data": ("talks",), "lora": Lora(rank=4), **settings, "model": str(folder)})


def learner(folder: Path, dtype: torch.dtype = torch.float32, **settings: Any) -> Learner:
    config = make_config(folder, **settings)
    return prepare_learner(config, find_base(config, folder.parent), CPU, dtype)


def base(folder: Path) -> LMModel:
    return load_lm(prove(find(str(folder), both_voices=True)), CPU, torch.float32, lambda *_: None)


def codes(frames: int = 12) -> Tensor:
    return torch.randint(256, (2, 17, frames), generator=torch.Generator().manual_seed(0))


def logits(lm: LMModel) -> Tensor:
    """Return all logits that mean something, [N]."""
    with torch.no_grad():
        output = lm.eval()(codes())
    parts = output.text_logits[output.text_mask], output.logits[output.mask]
    return torch.cat([part.flatten() for part in parts])


def backward(lm: LMModel) -> None:
    torch.autograd.backward(compute_loss(lm, codes()).value)


def adapt(folder: Path) -> None:
    """Put an adapter beside a model, so that the folder means the model with it."""
    adapter = learner(folder, lora=Lora(rank=2))
    for layer in adapters(adapter.lm):
        torch.nn.init.normal_(layer.lora_B.weight, 0, 0.05)
    save_file(dict(adapter.trained()), folder / "lora.safetensors")
    path = folder / "config.json"
    settings = {"lora": True, "lora_rank": 2, "lora_scaling": 3.0}
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


@pytest.mark.parametrize("streams", ["model", "both"])
def test_a_fresh_adapter_changes_nothing(streams: str, tiny: Path, both: Path) -> None:
    expected = base(tiny if streams == "model" else both)
    assert torch.equal(logits(learner(tiny, streams=streams).lm), logits(expected))


def test_b_is_zero_and_a_is_drawn_as_moshi_finetune_does(tiny: Path) -> None:
    layers = adapters(learner(tiny, lora=Lora(rank=16, scaling=1.5)).lm)
    assert layers
    shares = []
    for layer in layers:
        assert layer.scaling == 1.5
        assert layer.lora_A.weight.shape == (16, layer.in_features)
        assert layer.lora_B.weight.shape == (layer.out_features, 16)
        assert not layer.lora_B.weight.any()
        # kaiming_uniform_ with a = sqrt(5) is uniform within 1 / sqrt(fan_in).
        shares.append(layer.lora_A.weight.detach().flatten() * math.sqrt(layer.in_features))
    drawn = torch.cat(shares)
    assert drawn.abs().max() <= 1
    assert drawn.abs().max() > 0.99
    assert float(drawn.std()) == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.02)


def test_each_linear_layer_has_an_adapter(tiny: Path) -> None:
    lm = learner(tiny).lm
    inside = {id(part) for layer in adapters(lm) for part in layer.modules()}
    assert len(adapters(lm)) == sum(isinstance(each, torch.nn.Linear) for each in base(tiny).modules())
    assert all(id(each) in inside for each in lm.modules() if isinstance(each, torch.nn.Linear))


def test_the_seed_decides_on_the_adapter(tiny: Path) -> None:
    torch.manual_seed(1)
    one = dict(learner(tiny, seed=3).trained())
    torch.manual_seed(2)
    same, other = dict(learner(tiny, seed=3).trained()), dict(learner(tiny, seed=4).trained())
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one if "lora_A" in name)


def test_of_an_adapter_nothing_else_learns(tiny: Path) -> None:
    model = learner(tiny)
    expected = {
        f"{name}.lora_{part}.weight"
        for name, module in model.lm.named_modules()
        if isinstance(module, LoRALinear)
        for part in "AB"
    }
    assert {name for name, _ in model.trained()} == expected


@pytest.mark.parametrize("streams", ["model", "both"])
@pytest.mark.parametrize("method", list(LEARN))
def test_exactly_the_parts_learn_that_the_method_names(method: str, streams: str, tiny: Path) -> None:
    model = learner(tiny, method=method, streams=streams)
    names = {name for name, _ in model.lm.named_parameters()}
    assert all(name.startswith(TEMPORAL + DEPTH) for name in names)
    learn = {name for name, _ in model.trained()}
    assert learn == {name for name in names if name.startswith(LEARN[method])}
    assert all(any(name.startswith(prefix) for name in learn) for prefix in LEARN[method])


@pytest.mark.parametrize("method", ["lora", "full", "temporal", "depth", "text_embedding"])
def test_what_learns_is_float32_and_what_does_not_is_small(method: str, tiny: Path) -> None:
    model = learner(tiny, torch.bfloat16, method=method)
    assert model.lm.training
    for each in model.lm.parameters():
        assert each.dtype is (torch.float32 if each.requires_grad else torch.bfloat16)


def test_a_gradient_reaches_what_learns_and_nothing_else(tiny: Path) -> None:
    for method in "lora", "depth":
        model = learner(tiny, method=method)
        backward(model.lm)
        for name, each in model.lm.named_parameters():
            assert (each.grad is not None) == each.requires_grad, name
            if each.grad is not None and "lora_A" not in name and "emb" not in name:
                assert each.grad.any(), name


def test_the_users_voice_is_added_as_a_copy_of_the_models(tiny: Path, both: Path) -> None:
    model = learner(tiny, streams="both", method="full")
    assert (model.config["dep_q"], model.lm.dep_q) == (16, 16)
    assert model.config == find(str(both), both_voices=True).config
    expected = load_file(both / "model.safetensors")
    state = model.lm.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_a_model_that_has_the_users_voice_goes_on_with_it(both: Path) -> None:
    model = learner(both, streams="both")
    assert (model.config["dep_q"], model.lm.dep_q) == (16, 16)
    assert torch.equal(logits(model.lm), logits(base(both)))


def test_the_models_voice_alone_learns_where_a_model_has_both(tiny: Path, both: Path) -> None:
    model = learner(both)
    assert (model.config, model.lm.dep_q) == (find(str(tiny)).config, 8)
    assert torch.equal(logits(model.lm), logits(base(tiny)))


def test_an_adapter_that_is_trained_on_becomes_part_of_the_base(folder: Path) -> None:
    before = logits(learner(folder).lm)
    adapt(folder)
    expected = logits(base(folder))
    assert not torch.allclose(before, expected)
    model = learner(folder)
    assert torch.equal(logits(model.lm), expected)
    assert {each.rank for each in adapters(model.lm)} == {4}


def test_what_a_model_was_read_from_keeps_its_configuration(tiny: Path) -> None:
    model = learner(tiny, streams="both")
    assert model.checkpoint.config["dep_q"] == 8


@pytest.mark.parametrize(("bits", "least", "most"), [(8, 1e-4, 0.02), (4, 0.01, 0.25)])
@pytest.mark.parametrize("streams", ["model", "both"])
def test_a_base_in_fewer_bits_is_near_the_whole(
    bits: int, least: float, most: float, streams: str, tiny: Path
) -> None:
    whole, small = (logits(learner(tiny, streams=streams, base_bits=each).lm) for each in (16, bits))
    assert least < float((small - whole).norm() / whole.norm()) < most


@pytest.mark.parametrize("bits", [8, 4])
def test_on_a_base_in_fewer_bits_the_same_adapter_learns(bits: int, tiny: Path) -> None:
    whole, small = learner(tiny), learner(tiny, base_bits=bits)
    expected, found = dict(whole.trained()), dict(small.trained())
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)
    backward(small.lm)
    assert all(each.grad is not None for each in found.values())


@pytest.mark.parametrize("method", ["lora", "depth"])
@pytest.mark.parametrize("streams", ["model", "both"])
@pytest.mark.parametrize("adapted", [False, True])
def test_without_values_it_is_the_same_model(
    method: str, streams: str, adapted: bool, tiny: Path, folder: Path
) -> None:
    if adapted:
        adapt(folder)
    config = make_config(folder, method=method, streams=streams)
    found = find_base(config, tiny.parent)
    assert (found.adapter is not None) == adapted
    whole, empty = (prepare_learner(config, found, CPU, torch.bfloat16, empty=each) for each in (False, True))
    described = [
        {name: (each.shape, each.requires_grad) for name, each in model.lm.named_parameters()}
        for model in (whole, empty)
    ]
    assert described[0] == described[1]
    for name, each in empty.lm.named_parameters():
        assert each.is_meta != each.requires_grad, name
        assert each.dtype is (torch.float32 if each.requires_grad else torch.bfloat16)
    places = [each.data_ptr() for _, each in empty.trained()]
    assert len(set(places)) == len(places)


def test_an_echo_can_not_be_trained(folder: Path) -> None:
    with pytest.raises(UserError, match="An echo has nothing to learn with"):
        find_base(Config(model="echo"), folder.parent)


def test_weights_in_8_bits_can_not_be_trained(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantize": True}))
    quantized = folder.rename(folder.with_name("model-q8"))
    with pytest.raises(UserError, match="model-q8 has 8-bit weights, which can not be trained") as caught:
        learner(quantized)
    assert caught.value.advice == "Train model with base_bits = 8, which needs as little memory."


@pytest.mark.parametrize("method", ["lora", "full"])
def test_each_transformer_has_its_learning_rate(method: str, tiny: Path) -> None:
    model = learner(tiny, method=method)
    config = Config(data=("talks",), optimizer=Optimizer(lr_temporal=1e-5, lr_depth=3e-5))
    temporal, depth = learning_rate_groups(model, config)
    names = {id(each): name for name, each in model.trained()}
    for group, name, rate, prefixes in (
        (temporal, "temporal", 1e-5, TEMPORAL),
        (depth, "depth", 3e-5, DEPTH),
    ):
        assert (group["name"], group["lr"]) == (name, rate)
        assert {names[id(each)] for each in group["params"]} == {
            each for each in names.values() if each.startswith(prefixes)
        }


@pytest.mark.parametrize(
    ("method", "groups"),
    [("temporal", ["temporal"]), ("depth", ["depth"]), ("text_embedding", ["temporal", "depth"])],
)
def test_what_does_not_learn_has_no_learning_rate(method: str, groups: list[str], tiny: Path) -> None:
    model = learner(tiny, method=method)
    found = learning_rate_groups(model, Config(data=("talks",)))
    assert [group["name"] for group in found] == groups
    assert sum(len(group["params"]) for group in found) == len(list(model.trained()))


def test_the_precision_is_as_asked_and_else_what_the_device_has() -> None:
    assert compute_dtype(Config(precision="bf16")) is torch.bfloat16
    assert compute_dtype(Config(precision="float32")) is torch.float32
    able = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    assert compute_dtype(Config()) is (torch.bfloat16 if able else torch.float32)
