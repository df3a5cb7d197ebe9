"""The memory that is expected is what real models keep and hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from moshi.models import LMModel, loaders
from moshi.utils.compile import no_compile
from torch import Tensor

from app.engine.fake import tiny_config
from tests.training.test_speed import CARD, adapt, build
from training.loss import _cross, compute_loss
from training.memory import (
    CONTEXT_BYTES,
    STATE_BYTES,
    Sizes,
    expected_peak,
    expected_peak_bytes,
    layers_that_fit,
)
from training.quantized import quantize_base
from training.speed import prepare_for_training

FRAMES = 600
RANK = 4


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    torch.set_num_threads(1)
    with no_compile(), torch.autocast("cpu", torch.bfloat16):
        yield


def medium(voices: int = 1) -> LMModel:
    """Return a model large enough that its frames weigh more than its adapter."""
    lm = build(
        voices,
        context=3000,
        dim=128,
        depformer_dim=64,
        depformer_dim_feedforward=264,
        num_layers=3,
    )
    lm = adapt(lm.bfloat16(), torch.float32)
    prepare_for_training(lm, checkpointing=False, compile=False)
    return lm


def kept_bytes(lm: LMModel, compute: Callable[[], Tensor]) -> int:
    """Return what a computation keeps for the way back, besides what the model itself is."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = compute()
    assert result.requires_grad
    own = {weight.untyped_storage().data_ptr() for weight in lm.parameters()}
    return sum(size for pointer, size in kept.items() if pointer not in own)


def test_a_layer_keeps_for_each_frame_what_is_written_out() -> None:
    lm = medium()
    states = torch.randn(1, FRAMES, lm.dim, dtype=torch.bfloat16, requires_grad=True)
    size = Sizes(lm, RANK, 2)
    assert kept_bytes(lm, lambda: lm.transformer(states)) == pytest.approx(3 * FRAMES * size.layer, rel=0.05)


@pytest.mark.parametrize("voices", [1, 2])
def test_so_does_a_frame_of_the_depth_transformer(voices: int) -> None:
    lm = medium(voices)
    states = torch.randn(1, FRAMES, lm.dim, dtype=torch.bfloat16, requires_grad=True)
    tokens = torch.randint(lm.card, (1, lm.num_codebooks, FRAMES))

    def cross() -> Tensor:
        return _cross(lm.forward_depformer_training(tokens, states)[0], tokens[0, 1 : 1 + lm.dep_q])

    assert kept_bytes(lm, cross) == pytest.approx(FRAMES * Sizes(lm, RANK, 2).depth_kept, rel=0.05)


@pytest.mark.parametrize("checkpointing", [True, False])
def test_so_does_a_whole_pass(checkpointing: bool) -> None:
    lm = medium()
    prepare_for_training(lm, checkpointing=checkpointing, compile=False)
    tokens = torch.randint(lm.card, (1, lm.num_codebooks, FRAMES))
    lm.emb[0].weight.requires_grad_()  # so that the first layer has an input that learns, as the others have
    kept = kept_bytes(lm, lambda: compute_loss(lm, tokens, chunk_frames=64).value)
    assert kept == pytest.approx(FRAMES * Sizes(lm, RANK, 2).kept(checkpointing), rel=0.15)


@pytest.mark.parametrize("bits", [16, 8, 4])
@pytest.mark.parametrize("both", [False, True])
def test_weights_are_those_of_a_real_model(bits: int, both: bool) -> None:
    lm = adapt(build(1 + both, depformer_dim=64).bfloat16(), torch.float32)
    quantize_base(lm, bits)
    expected = expected_peak(
        {**tiny_config(CARD), "depformer_dim": 64},
        method="lora",
        rank=RANK,
        bits=bits,
        both=both,
        frames=1,
        checkpointing=True,
        chunk_frames=1,
        optimizer="adamw",
        element_bytes=2,
    )
    held = sum(each.nbytes for each in (*lm.parameters(), *lm.buffers()))
    assert expected.weights == pytest.approx(held, rel=0.002)
    assert expected.gradients == sum(each.nbytes for each in lm.parameters() if each.requires_grad)
    assert expected.states == 2 * expected.gradients


@pytest.mark.parametrize("method", ["full", "depth", "temporal", "text_embedding"])
def test_parts_of_a_model_weigh_what_they_are(method: str) -> None:
    from training.base import _thaw

    lm = build().bfloat16().requires_grad_(False)
    _thaw(lm, method)
    peak = expected_peak(
        tiny_config(CARD),
        method=method,
        rank=RANK,
        bits=16,
        both=False,
        frames=1,
        checkpointing=True,
        chunk_frames=1,
        optimizer="adamw8bit",
        element_bytes=2,
    )
    assert peak.gradients == sum(each.nbytes for each in lm.parameters() if each.requires_grad)
    assert peak.weights == sum(each.nbytes for each in lm.parameters()) + peak.gradients // 2


OPTIONS: dict[str, Any] = {
    "method": "lora",
    "rank": 128,
    "bits": 16,
    "both": False,
    "frames": 1250,
    "checkpointing": True,
    "chunk_frames": 256,
    "optimizer": "adamw8bit",
    "element_bytes": 2,
}


def plan(bits: int, **changes: object) -> float:
    """Return the peak in GB of rank 128 and one example of 100 s, with the 7B."""
    return expected_peak_bytes(loaders._lm_kwargs, **{**OPTIONS, "bits": bits, **changes}) / 1e9


@pytest.mark.parametrize(("bits", "goal_gb"), [(16, 22.0), (8, 14.5), (4, 10.51)])
def test_the_7b_fits_the_cards_that_it_should(bits: int, goal_gb: float) -> None:
    assert plan(bits) <= goal_gb


def test_what_takes_more_is_expected_to_take_more() -> None:
    least = plan(4)
    assert all(
        plan(4, **change) > least
        for change in ({"checkpointing": False}, {"chunk_frames": 1250}, {"frames": 5000}, {"both": True})
    )
    assert plan(4, accumulated=False) < least


def test_a_head_for_words_an_average_and_a_share_of_the_depth_transformer_are_counted() -> None:
    least, head = plan(16), 4096 * 32_000
    assert plan(16, user_words=True) - least == pytest.approx(
        head * (4 + 4 + STATE_BYTES["adamw8bit"]) / 1e9, rel=0.05
    )
    learns = expected_peak(loaders._lm_kwargs, **OPTIONS).gradients
    assert plan(16, ema=True) - least == pytest.approx(learns / 1e9, rel=1e-6)
    whole = plan(16, chunk_frames=1250)
    assert plan(16, chunk_frames=1250, depth_share=0.25) < whole - 1


def test_as_many_layers_are_kept_as_fit() -> None:
    options = {
        "method": "lora",
        "rank": 128,
        "bits": 16,
        "both": False,
        "frames": 1250,
        "chunk_frames": 512,
        "optimizer": "adamw",
        "element_bytes": 2,
    }
    for room_gb, least, most in ((24, 0, 0), (30, 10, 25), (80, 32, 32)):
        count = layers_that_fit(loaders._lm_kwargs, room_gb * 10**9, **options)
        assert least <= count <= most
        peak = expected_peak(loaders._lm_kwargs, checkpointing=True, kept_layers=count, **options).total
        assert peak + CONTEXT_BYTES <= room_gb * 10**9 or count == 0
