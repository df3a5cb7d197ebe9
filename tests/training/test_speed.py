"""A model prepared for training says what it said before, learns the same, and still speaks."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMGen, LMModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora
from moshi.utils.compile import no_compile
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.utils._python_dispatch import TorchDispatchMode

from app.engine.device import Device
from app.engine.fake import tiny_config
from training import speed
from training.loss import compute_loss
from training.products import together_in_memory
from training.quantized import quantize_base
from training.speed import TemporalLayer, prepare_for_training

CARD = 600


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    torch.set_num_threads(1)
    with no_compile():
        yield


def build(voices: int = 1, **changes: Any) -> LMModel:
    """Return a random model in the shape of the tiny one."""
    torch.manual_seed(0)
    config = {**tiny_config(CARD), "dep_q": 8 * voices, **changes}
    lm = loaders.get_moshi_lm(None, config, device="cpu", dtype=torch.float32)
    return lm.requires_grad_(True).train()


def adapt(lm: LMModel, dtype: torch.dtype | None = None) -> LMModel:
    """Give a model an adapter that changes something, and freeze the rest."""
    lm.requires_grad_(False)
    replace_all_linear_with_lora(lm, 4, 2.0, dtype=dtype)
    for name, weight in lm.named_parameters():
        if "lora_" in name:
            nn.init.normal_(weight.requires_grad_(), std=0.05)
    return lm


def draw_codes(lm: LMModel, frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(lm.card, (2, lm.num_codebooks, frames), generator=generator)
    codes[1, :, frames - 4 :] = -1
    return codes


def learn(lm: LMModel, codes: Tensor, chunk_frames: int | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Return loss and gradients by name."""
    lm.zero_grad()
    loss = compute_loss(lm, codes, chunk_frames=chunk_frames).value
    loss.backward()
    found = {name: weight.grad for name, weight in lm.named_parameters() if weight.grad is not None}
    return loss.detach(), {name: grad.clone() for name, grad in found.items()}


def compare(lm: LMModel, prepared: LMModel, codes: Tensor, chunk_frames: int | None) -> None:
    loss, grads = learn(lm, codes, None)
    fast_loss, fast_grads = learn(prepared, codes, chunk_frames)
    torch.testing.assert_close(fast_loss, loss)
    assert fast_grads.keys() == grads.keys()
    assert grads.keys() == {name for name, weight in lm.named_parameters() if weight.requires_grad}
    for name, grad in grads.items():
        torch.testing.assert_close(fast_grads[name], grad, rtol=1e-3, atol=1e-6, msg=name)


@pytest.mark.parametrize("chunk_frames", [None, 13])
@pytest.mark.parametrize("context", [250, 20])
@pytest.mark.parametrize("voices", [1, 2])
@pytest.mark.parametrize("adapted", [True, False])
def test_loss_and_gradients_are_those_of_moshis_own_pass(
    adapted: bool, voices: int, context: int, chunk_frames: int | None
) -> None:
    lm = build(voices, context=context)
    lm = adapt(lm) if adapted else lm
    prepared = copy.deepcopy(lm)
    prepare_for_training(prepared, checkpointing=True, compile=True)
    assert prepared.state_dict().keys() == lm.state_dict().keys()
    compare(lm, prepared, draw_codes(lm, 30), chunk_frames)


@pytest.mark.parametrize(
    "changes",
    [
        {"depformer_weights_per_step_schedule": [0, 1, 2, 3, 4, 4, 4, 4]},
        {"depformer_multi_linear": False},
        {"depformer_dim_feedforward": [132, 132, 132, 132, 96, 96, 96, 96]},
        {"kv_repeat": 2},
        {"gating": "none", "depformer_gating": "silu"},
        {"norm": "rms_norm", "layer_scale": 0.1, "depformer_norm": "layer_norm"},
        {"norm": "layer_norm", "positional_embedding": "sin_rope", "bias_proj": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_models_of_the_family_are_the_same_too(changes: dict[str, Any]) -> None:
    lm = build(**changes)
    prepared = copy.deepcopy(lm)
    prepare_for_training(prepared, checkpointing=False, compile=False)
    compare(lm, prepared, draw_codes(lm, 12), 5)


def test_an_adapter_in_float32_trains_on_a_base_in_half_precision() -> None:
    lm = adapt(build().bfloat16(), torch.float32)
    prepare_for_training(lm, checkpointing=True, compile=False)
    _, grads = learn(lm, draw_codes(lm, 12), 5)
    assert {grad.dtype for grad in grads.values()} == {torch.float32}
    exact = lm.float()
    _, exact_grads = learn(exact, draw_codes(lm, 12), 5)
    ours, theirs = (torch.cat([each[name].flatten() for name in grads]) for each in (grads, exact_grads))
    assert torch.cosine_similarity(ours, theirs, dim=0) > 0.98


def speak(lm: LMModel, frames: int) -> Tensor:
    """Return what a model says to noise."""
    generator = torch.Generator().manual_seed(2)
    heard = torch.randint(lm.card, (1, 8, frames), generator=generator)
    training = lm.training
    lm.eval()
    with torch.no_grad(), (generation := LMGen(lm, use_sampling=False)).streaming(1):
        said = [generation.step(frame) for frame in heard.split(1, dim=2)]
    lm.train(training)
    return torch.cat([tokens for tokens in said if tokens is not None], dim=2)


def test_it_speaks_between_two_steps_and_learns_on() -> None:
    lm = adapt(build(context=20))
    prepared = copy.deepcopy(lm)
    prepare_for_training(prepared, checkpointing=True, compile=False)
    codes = draw_codes(lm, 30)
    before = learn(prepared, codes, 7)
    assert torch.equal(speak(prepared, 40), speak(lm, 40))
    after = learn(prepared, codes, 7)
    assert torch.equal(before[0], after[0])
    assert all(torch.equal(before[1][name], after[1][name]) for name in before[1])


@pytest.mark.parametrize("adapted", [True, False])
def test_it_learns_and_speaks_in_mixed_precision(adapted: bool) -> None:
    """What learns is float32, what is frozen bfloat16, and autocast is on, as on a graphics card."""
    lm = build()
    exact, codes = copy.deepcopy(lm), draw_codes(lm, 20)
    lm = adapt(lm.bfloat16(), torch.float32) if adapted else lm
    exact = adapt(exact) if adapted else exact
    exact.load_state_dict(lm.state_dict())
    prepare_for_training(lm, checkpointing=True, compile=False)
    with torch.autocast("cpu", torch.bfloat16):
        loss, grads = learn(lm, codes, 7)
        said = speak(lm, 12)
        assert torch.equal(loss, learn(lm, codes, 7)[0])
    exact_loss, exact_grads = learn(exact, codes, None)
    torch.testing.assert_close(loss, exact_loss, rtol=2e-2, atol=0)
    ours, theirs = (torch.cat([each[name].flatten() for name in grads]) for each in (grads, exact_grads))
    assert torch.cosine_similarity(ours, theirs, dim=0) > 0.98
    assert said.shape == (1, 9, 11)


def test_weights_can_be_saved_and_read_again(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    lm = adapt(build())
    values = {name: tensor.clone() for name, tensor in lm.state_dict().items()}
    prepare_for_training(lm, checkpointing=True, compile=False)
    save_file(lm.state_dict(), tmp_path / "all.safetensors")
    read = load_file(tmp_path / "all.safetensors")
    assert read.keys() == values.keys() and all(torch.equal(read[name], values[name]) for name in read)
    codes = draw_codes(lm, 12)
    loss, _ = learn(lm, codes, 5)
    lm.load_state_dict(read, assign=True)  # What lay side by side does so no more.
    torch.testing.assert_close(learn(lm, codes, 5)[0], loss)


class Counter(TorchDispatchMode):
    """Counts what would be kernels, and the largest tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = 0
        self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            view = any(
                made.untyped_storage().data_ptr() == arg.untyped_storage().data_ptr()
                for arg in args
                if isinstance(arg, Tensor)
            )
            self.kernels += not view
            self.elements = max(self.elements, made.numel())
        return made


def test_the_depth_transformer_takes_a_fraction_of_the_kernels() -> None:
    lm = adapt(build(2))
    prepared = copy.deepcopy(lm)
    prepare_for_training(prepared, checkpointing=False, compile=False)
    tokens, states = draw_codes(lm, 20), torch.randn(2, 20, lm.dim)
    with Counter() as before:
        lm.forward_depformer_training(tokens, states)
    with Counter() as after:
        prepared.forward_depformer_training(tokens, states)
    assert after.kernels < before.kernels / 3


def test_frozen_weights_of_the_steps_lie_side_by_side_and_are_not_copied() -> None:
    lm = adapt(build())
    prepare_for_training(lm, checkpointing=False, compile=False)
    layer = lm.depformer.layers[0]
    frozen = [module.frozen_W for module in layer.self_attn.in_projs]
    together = together_in_memory(list(layer.self_attn.in_projs))
    assert together is not None and together.data_ptr() == frozen[0].weight.data_ptr()
    assert torch.equal(together, torch.stack([module.weight for module in frozen]))
    frozen[3].weight.data = frozen[3].weight.data.clone()
    assert together_in_memory(list(layer.self_attn.in_projs)) is None


def test_no_mask_of_all_times_all_positions_is_made() -> None:
    lm = build(context=3000, dim=32, num_heads=4)
    tokens = torch.randint(lm.card, (1, lm.num_codebooks, 600))
    prepare_for_training(lm, checkpointing=False, compile=False)
    lm.text_linear = nn.Identity()
    with torch.no_grad(), Counter() as counted:
        lm.forward_text(tokens)
    assert counted.elements < 600 * 600 < 1000 * 1000


def kept_bytes(lm: LMModel, codes: Tensor) -> int:
    """Return what the temporal transformer keeps for the way back."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {weight.untyped_storage().data_ptr() for weight in lm.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        states = lm.transformer(torch.randn(1, codes.shape[2], lm.dim, requires_grad=True))
    assert states.requires_grad
    return sum(size for pointer, size in kept.items() if pointer not in weights)


def test_checkpointed_layers_keep_their_inputs_alone() -> None:
    codes = torch.zeros(1, 17, 100)
    kept = []
    for checkpointing, layers in ((False, 0), (True, 1), (True, 0)):
        lm = build()
        prepare_for_training(lm, checkpointing=checkpointing, compile=False, kept_layers=layers)
        kept.append(kept_bytes(lm, codes))
    everything, one, none = kept
    assert none == 2 * 100 * 64 * 4 < one < everything


def test_the_depth_transformer_is_not_checkpointed_twice() -> None:
    lm = build(gradient_checkpointing=True)
    prepare_for_training(lm, checkpointing=True, compile=False)
    calls = []
    layer = lm.depformer.layers[0]
    layer.register_forward_hook(lambda *_: calls.append(1))
    learn(lm, draw_codes(lm, 8), 8)
    assert len(calls) == 4  # each of two chunks once, and once more on the way back


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated")
@pytest.mark.parametrize(("adapted", "bits"), [(False, 16), (True, 16), (True, 8), (True, 4)])
def test_all_layers_share_one_compiled_graph(
    adapted: bool, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._dynamo.testing import CompileCounterWithBackend

    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = [
        torch.compile(compute, backend=counter, fullgraph=True)
        for compute in (speed._compute_layer, speed._compute_steps)
    ]
    monkeypatch.setattr(speed, "_can_compile", lambda device: True)
    monkeypatch.setattr(speed, "_compiled", lambda: compiled)
    lm = build(num_layers=4, depformer_dim=64)
    lm = adapt(lm) if adapted else lm
    quantize_base(lm, bits)
    prepared = copy.deepcopy(lm)
    prepare_for_training(prepared, checkpointing=True, compile=True)
    for frames in (30, 25, 20):
        compare(lm, prepared, draw_codes(lm, frames), 7)
    # The first length and any length; the first layer of a frozen base has an input without gradient; steps
    # are compiled where they are frozen and not packed, once more where gradients are there to be added to.
    assert counter.frame_count <= (2 if not adapted else 4 if bits < 16 else 7)
    torch._dynamo.reset()


def test_without_a_compiler_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = Device(torch.device("cuda"), "a card", torch.bfloat16, 1, 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(speed, "choose_device", lambda: card)
    monkeypatch.setattr(speed, "compile_trouble", lambda device: ("It does not work.", "Install gcc."))
    with caplog.at_level(logging.WARNING):
        assert not speed._can_compile(torch.device("cuda"))
    assert "Install gcc." in caplog.text


class Whole(nn.Module):
    """What FSDP2 has to have around a loss."""

    def __init__(self, lm: LMModel) -> None:
        super().__init__()
        self.lm = lm

    def forward(self, codes: Tensor) -> Tensor:
        return compute_loss(self.lm, codes, chunk_frames=7).value


def test_shared_out_layers_learn_the_same(tmp_path: Path) -> None:
    from torch import distributed

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        lm = adapt(build())
        prepared = copy.deepcopy(lm)
        prepare_for_training(prepared, checkpointing=True, compile=False)
        whole = Whole(prepared)
        mesh = distributed.init_device_mesh("cpu", (1,))
        for module in whole.modules():
            if isinstance(module, TemporalLayer):
                fully_shard(module, mesh=mesh)
        fully_shard(whole, mesh=mesh)
        codes = draw_codes(lm, 20)
        loss, grads = learn(lm, codes, None)
        for _ in range(2):
            whole.zero_grad()
            fast_loss = whole(codes)
            fast_loss.backward()
            torch.testing.assert_close(fast_loss.detach(), loss)
            for name, grad in grads.items():
                fast = prepared.get_parameter(name).grad.full_tensor()
                torch.testing.assert_close(fast, grad, rtol=1e-3, atol=1e-6, msg=name)
    finally:
        distributed.destroy_process_group()
