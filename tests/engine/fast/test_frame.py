"""Our frame step says token for token what moshi's LMGen says, whatever the model is shaped like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from moshi.models import LMGen, LMModel, loaders
from moshi.utils.compile import no_compile, no_cuda_graph
from torch import Tensor

from app.engine.events import Sampling
from app.engine.fake import tiny_config
from app.engine.fast.frame import FrameStep, uncovered
from app.engine.stepper import MoshiStepper, make_stepper
from app.errors import UserError

FRAMES = 60
GREEDY = Sampling(greedy=True)


def build(**config: Any) -> LMModel:
    """Return a tiny random model whose context is short enough to be gone round three times."""
    torch.manual_seed(0)
    config = {**tiny_config(100), "context": 20, **config}
    lm: LMModel = loaders.get_moshi_lm(None, config, device="cpu", dtype=torch.float32).eval()
    with torch.no_grad():
        for weight in lm.parameters():
            if weight.dim() == 2:
                weight.normal_(std=weight.shape[-1] ** -0.5)
            else:
                weight.uniform_(0.5, 1.5)
    return lm


def drive(step: Callable[[Tensor], Tensor | None], lm: LMModel, frames: int = FRAMES) -> list[list[int]]:
    """Return what is said to made-up codes, [] while the delays fill."""
    chance = torch.Generator().manual_seed(5)
    torch.manual_seed(1)
    said = []
    for _ in range(frames):
        heard = torch.randint(lm.card, (1, lm.n_q - lm.dep_q, 1), generator=chance)
        tokens = step(heard)
        said.append([] if tokens is None else tokens[0, :, 0].tolist())
    return said


def by_moshi(lm: LMModel, sampling: Sampling = GREEDY) -> list[list[int]]:
    lm_gen = LMGen(
        lm,
        use_sampling=not sampling.greedy,
        temp=sampling.audio_temperature,
        top_k=sampling.audio_top_k,
        temp_text=sampling.text_temperature,
        top_k_text=sampling.text_top_k,
    )
    with no_compile(), torch.no_grad(), lm_gen.streaming(1):
        return drive(lm_gen.step, lm)


def ours(lm: LMModel, sampling: Sampling = GREEDY) -> FrameStep:
    step = FrameStep(lm)
    step.set_sampling(sampling)
    return step


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"context": 50},
        {"n_q": 8, "dep_q": 4, "delays": [0, 0, 1, 1, 1, 0, 1, 1, 1]},
        {"dep_q": 16},
        {"delays": [0, *[0, 2, 2, 2, 3, 3, 3, 3] * 2]},
        {"delays": [2, *[0, 1, 1, 1, 1, 1, 1, 1] * 2]},
        {"depformer_weights_per_step_schedule": [0, 1, 2, 3, 4, 4, 4, 4]},
        {"depformer_low_rank_embeddings": 16},
        {"depformer_multi_linear": False},
        {"positional_embedding": "rope_concat"},
        {"positional_embedding": "none"},
        {"norm": "rms_norm"},
        {"norm": "layer_norm", "depformer_norm": "rms_norm_f32"},
        {"layer_scale": 0.3},
        {"gating": "gelu", "bias_proj": True},
        {"num_heads": 2, "num_layers": 3, "depformer_num_layers": 1},
    ],
    ids=str,
)
def test_every_token_is_moshis(config: dict[str, Any]) -> None:
    lm = build(**config)
    assert uncovered(lm) == ""
    expected = by_moshi(lm)
    assert len({tokens[1] for tokens in expected if tokens}) > 3, "it does not say the same for ever"
    step = ours(lm)
    assert drive(step.step, lm) == expected
    step.reset()
    assert drive(step.step, lm) == expected, "a reset forgets everything"


@pytest.mark.parametrize("config", [{}, {"dep_q": 16}], ids=str)
def test_the_same_seed_draws_the_same_tokens(config: dict[str, Any]) -> None:
    lm = build(**config)
    for sampling in (Sampling(), Sampling(text_temperature=1.3, text_top_k=0, audio_top_k=9)):
        assert drive(ours(lm, sampling).step, lm) == by_moshi(lm, sampling)


def test_sampling_changes_from_the_next_frame_on() -> None:
    lm = build()
    step = ours(lm)
    calls = iter(range(FRAMES))

    def change(heard: Tensor) -> Tensor | None:
        if next(calls) == 30:
            step.set_sampling(replace(GREEDY, greedy=False, text_temperature=5.0, audio_temperature=5.0))
        return step.step(heard)

    said, greedy = drive(change, lm), drive(ours(lm).step, lm)
    assert said[:30] == greedy[:30]
    assert said[31:] != greedy[31:]


def test_the_penalty_is_that_of_moshis_path() -> None:
    lm = build()
    strict = replace(GREEDY, repetition_penalty=2.0, repetition_frames=20)
    step, moshi = ours(lm, strict), MoshiStepper(lm)
    moshi.set_sampling(strict)
    said = drive(step.step, lm)
    with no_compile(), torch.no_grad():
        assert drive(moshi.step, lm) == said
        moshi.reset()
        step.reset()
        assert drive(moshi.step, lm) == drive(step.step, lm) == said, "a reset forgets what was spoken"
    moshi.close()
    assert said != drive(ours(lm).step, lm)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"positional_embedding": "sin"}, "sin embeddings of positions"),
        ({"depformer_pos_emb": "sin"}, "sin embeddings of positions"),
        ({"gating": "none", "depformer_gating": "silu"}, "layers without gates"),
        ({"norm_emb": True}, "embeddings of another kind"),
        ({"kv_repeat": 2}, "attention that is shared or not causal"),
    ],
    ids=str,
)
def test_what_is_not_covered_is_left_to_moshi(config: dict[str, Any], reason: str) -> None:
    lm = build(**config)
    assert uncovered(lm) == reason
    step = make_stepper(lm)
    assert isinstance(step, MoshiStepper)
    step.set_sampling(GREEDY)
    with no_compile():
        assert drive(step.step, lm) == by_moshi_again(step, lm)
    step.close()
    with pytest.raises(UserError, match=f"does not cover a model with {reason}"):
        make_stepper(lm, "fast")


def by_moshi_again(step: MoshiStepper, lm: LMModel) -> list[list[int]]:
    step.reset()
    return drive(step.step, lm)


def test_a_covered_model_on_the_processor_takes_our_step() -> None:
    assert isinstance(make_stepper(build()), FrameStep)


def test_weights_are_taken_and_not_copied() -> None:
    lm = build()
    step = ours(lm)
    pointers = {weight.untyped_storage().data_ptr() for weight in lm.parameters()}
    assert step._code_embeddings.table.rows.untyped_storage().data_ptr() in pointers
    for layer in (*step._temporal._layers, *step._depth._layers):
        for weights in layer.weights:
            assert {each.weight.untyped_storage().data_ptr() for each in weights} <= pointers


@pytest.mark.parametrize("context", [20, 19, 18])
def test_a_step_may_be_made_older_at_any_time(context: int) -> None:
    """Whatever the length of the ring of tokens: what is fed in next was said, and is a row of a table."""
    lm = build(context=context)
    for frames in (0, 1, 5):
        step = ours(lm)
        drive(step.step, lm, frames)
        step.age(2 * context + 5)
        assert all(drive(step.step, lm, 2 * context))


def test_logits_in_half_precision_are_penalised_too() -> None:
    lm = build().to(torch.bfloat16)
    for step in (FrameStep(lm, captured=True), MoshiStepper(lm)):
        step.set_sampling(replace(GREEDY, repetition_penalty=1.5))
        with no_compile(), torch.no_grad(), no_cuda_graph():
            assert len(drive(step.step, lm, 10)) == 10
        step.close()
