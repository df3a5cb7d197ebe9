"""A dialogue goes on as the model's whole forward pass says, and what is given stays given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from moshi.models import LMGen, LMModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora
from moshi.utils.compile import no_compile
from safetensors.torch import load_file
from torch import Tensor

from app.engine.fake import tiny_config
from app.errors import UserError
from training.generation import UNKNOWN, collapse_figures, continue_dialogues
from training.speed import prepare_for_training
from training.streams import extend

PROMPT, FRAMES = 6, 5

HOT = {"temperature": 1.0, "text_temperature": 1.0}


def make(tiny: Path, *, both: bool, **changes: object) -> LMModel:
    found = json.loads((tiny / "config.json").read_text())
    config = {name: found[name] for name in tiny_config(0)} | changes
    state = load_file(tiny / "model.safetensors")
    if both:
        state, config = extend(state, config)
    lm = loaders.get_moshi_lm(None, dict(config), device="cpu", dtype=torch.float32)
    lm.load_state_dict(state)
    if both:
        # The new steps are copies of the old ones; so that a mistake between them shows, they differ here.
        generator = torch.Generator().manual_seed(1)
        for step in range(8, 16):
            weight = lm.linears[step].weight.data
            weight.add_(torch.randn(weight.shape, generator=generator) * weight.std())
    return lm


@pytest.fixture(params=[False, True], ids=["model", "both"])
def lm(tiny: Path, request: pytest.FixtureRequest) -> LMModel:
    return make(tiny, both=request.param)


def talk(lm: LMModel, batch: int, frames: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    voices = torch.randint(lm.card, (batch, lm.n_q, frames), generator=generator)
    text = torch.randint(lm.text_card, (batch, 1, frames), generator=generator)
    return torch.cat([text, voices], dim=1)


def own(lm: LMModel) -> slice:
    return slice(1, 1 + lm.dep_q)


@torch.no_grad()
def slowly(lm: LMModel, codes: Tensor, prompt: int, frames: int) -> Tensor:
    """Choose one token after the other, in the order of the delays, by moshi's whole forward pass."""
    length = prompt + frames
    result = torch.zeros(len(codes), lm.num_codebooks, length + max(lm.delays), dtype=torch.int64)
    result[:, :, :prompt] = codes[:, :, :prompt]
    result[:, 1 + lm.dep_q :, :length] = codes[:, 1 + lm.dep_q :, :length]
    with no_compile():
        for position in range(length + max(lm.delays)):
            for stream in range(1 + lm.dep_q):
                frame = position - lm.delays[stream]
                if frame >= prompt:
                    output = lm(torch.cat([result, result[:, :, -1:]], dim=2))
                    logits = output.text_logits[:, 0] if stream == 0 else output.logits[:, stream - 1]
                    result[:, stream, frame] = logits[:, frame].argmax(-1)
    return result[:, :, :length]


@pytest.mark.parametrize("prompt", [0, 1, PROMPT])
def test_each_token_is_the_likeliest_of_the_whole_forward_pass(lm: LMModel, prompt: int) -> None:
    codes = talk(lm, 2, PROMPT + FRAMES)
    found = continue_dialogues(lm, codes, prompt, FRAMES, greedy=True)
    assert found.shape == (2, 17, prompt + FRAMES)
    assert torch.equal(found, slowly(lm, codes, prompt, FRAMES))
    assert torch.equal(found[:, :, :prompt], codes[:, :, :prompt])


@torch.no_grad()
def by_hand(lm: LMModel, codes: Tensor, prompt: int, frames: int) -> Tensor:
    """Drive moshi's LMGen as in a talk, the prompt put in place of what it says.

    In a talk the user's frame goes in with the step after it, since it has to be heard first.
    """
    length, said = prompt + frames, []
    position = 0

    def put_text(text: Tensor) -> None:
        if position < prompt:
            text[:] = codes[:, 0, position]

    def put_audio(audio: Tensor) -> None:
        for stream in range(1, 9):
            frame = position - lm.delays[stream]
            if 0 <= frame < prompt:
                audio[:, stream - 1] = codes[:, stream, frame]

    lm_gen = LMGen(
        lm, use_sampling=False, condition_tensors={}, on_text_hook=put_text, on_audio_hook=put_audio
    )
    with no_compile(), lm_gen.streaming(len(codes)):
        for position in range(length + 1):
            tokens = lm_gen.step(codes[:, 9:, max(0, position - 1) : max(1, position)])
            if tokens is not None:
                said.append(tokens)
    return torch.cat([torch.cat(said, dim=2), codes[:, 9:, :length]], dim=1)


@pytest.mark.parametrize("prompt", [0, PROMPT])
def test_a_model_of_one_voice_says_what_moshi_says_in_a_talk(tiny: Path, prompt: int) -> None:
    lm = make(tiny, both=False).eval()
    codes = talk(lm, 2, 30)
    found = continue_dialogues(lm, codes, prompt, 30 - prompt, greedy=True)
    assert torch.equal(found, by_hand(lm, codes, prompt, 30 - prompt))


def test_beyond_its_context_a_model_forgets_and_goes_on(tiny: Path) -> None:
    """The oracle has the same context, but no ring."""
    lm = make(tiny, both=True, context=4)
    codes = talk(lm, 1, PROMPT + 4)
    found = continue_dialogues(lm, codes[:, :, :PROMPT], PROMPT, 4, greedy=True)
    assert torch.equal(found, slowly(lm, codes, PROMPT, 4))


def test_the_seed_decides_alone_and_beside_others(lm: LMModel) -> None:
    codes = talk(lm, 3, PROMPT + FRAMES)
    found = continue_dialogues(lm, codes, PROMPT, FRAMES, seed=[3, 4, 5], **HOT)
    for row, seed in enumerate((3, 4, 5)):
        alone = continue_dialogues(lm, codes[row : row + 1], PROMPT, FRAMES, seed=seed, **HOT)
        assert torch.equal(alone[0], found[row])
    assert torch.equal(found, continue_dialogues(lm, codes, PROMPT, FRAMES, seed=[3, 4, 5], **HOT))
    other = continue_dialogues(lm, codes, PROMPT, FRAMES, seed=6, **HOT)
    assert (other[:, own(lm), PROMPT:] != found[:, own(lm), PROMPT:]).float().mean() > 0.5


def test_one_seed_is_each_dialogues(lm: LMModel) -> None:
    codes = talk(lm, 1, PROMPT + FRAMES).expand(2, -1, -1)
    found = continue_dialogues(lm, codes, PROMPT, FRAMES, seed=7, **HOT)
    assert torch.equal(found[0], found[1])


def test_tokens_are_drawn_as_often_as_the_model_says(tiny: Path) -> None:
    lm = make(tiny, both=False)
    codes = talk(lm, 1, 1).expand(4000, -1, -1)
    for temperature in 0.5, 1.0:
        options = {"temperature": temperature, "text_temperature": temperature}
        found = continue_dialogues(lm, codes, 1, 1, seed=range(4000), **options)
        counts = found[:, 0, 1].bincount(minlength=lm.text_card) / 4000
        with torch.no_grad(), no_compile():
            output = lm(torch.cat([codes[:1]] * 2, dim=2))
        expected = (output.text_logits[0, 0, 1] / temperature).softmax(-1)
        assert (counts - expected).abs().max() < 0.03


def test_top_k_leaves_the_likeliest(lm: LMModel) -> None:
    codes = talk(lm, 2, PROMPT + FRAMES)
    greedy = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    for options in ({"top_k": 1, "text_top_k": 1}, {"temperature": 0.0, "text_temperature": 0.0}):
        assert torch.equal(continue_dialogues(lm, codes, PROMPT, FRAMES, **options), greedy)
    wide = continue_dialogues(lm, codes, PROMPT, FRAMES, top_k=10_000, text_top_k=10_000, **HOT)
    assert torch.equal(wide, continue_dialogues(lm, codes, PROMPT, FRAMES, **HOT))


def test_the_user_is_who_was_given_where_the_model_speaks_for_itself(tiny: Path) -> None:
    lm = make(tiny, both=False)
    codes = talk(lm, 1, PROMPT + 2)
    codes[:, :, PROMPT + 1] = UNKNOWN
    found = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    held = codes[:, 9:, PROMPT : PROMPT + 1].expand(-1, -1, FRAMES)
    assert torch.equal(found[:, 9:, PROMPT:], held), "the last known frame is held"
    longer = torch.cat([codes[:, :, : PROMPT + 1]] + [codes[:, :, PROMPT : PROMPT + 1]] * 4, dim=2)
    assert torch.equal(found, continue_dialogues(lm, longer, PROMPT, FRAMES, greedy=True))


def test_what_is_unknown_in_a_prompt_stays_so(lm: LMModel) -> None:
    codes = talk(lm, 1, PROMPT + FRAMES)
    codes[:, :, 2:4] = UNKNOWN
    found = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    assert torch.equal(found[:, :, :PROMPT], codes[:, :, :PROMPT])
    assert torch.equal(found, slowly(lm, codes, PROMPT, FRAMES))


def test_a_model_in_training_is_left_as_it_was(lm: LMModel) -> None:
    replace_all_linear_with_lora(lm, 4, 2.0)
    lm.train()
    lm.text_emb.eval()
    codes = talk(lm, 2, PROMPT + FRAMES)
    modes = [module.training for module in lm.modules()]
    contexts = [layer.self_attn.context for layer in lm.transformer.layers]
    random = torch.get_rng_state()
    found = continue_dialogues(lm, codes, PROMPT, FRAMES, seed=1)
    assert torch.equal(torch.get_rng_state(), random)
    assert [module.training for module in lm.modules()] == modes
    assert [layer.self_attn.context for layer in lm.transformer.layers] == contexts
    assert not lm.is_streaming
    assert not lm.depformer.is_streaming
    assert not found.requires_grad
    with no_compile():
        assert lm(codes).logits.requires_grad
    assert torch.equal(continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True), slowly(lm, codes, 6, 5))


def test_an_adapter_in_float32_on_a_base_in_bfloat16(lm: LMModel) -> None:
    lm.to(torch.bfloat16)
    codes = talk(lm, 2, PROMPT + FRAMES)
    alone = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    replace_all_linear_with_lora(lm, 4, 2.0, dtype=torch.float32)
    for name, parameter in lm.named_parameters():
        if "lora_B" in name:
            parameter.data.zero_()
    mixed = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    assert torch.equal(mixed[:, :, : PROMPT + 1], alone[:, :, : PROMPT + 1])
    assert (mixed == alone).float().mean() > 0.9, "rounding may tip a token"


def test_a_model_made_fast_for_training_says_the_same(lm: LMModel) -> None:
    replace_all_linear_with_lora(lm, 4, 2.0)
    codes = talk(lm, 2, PROMPT + FRAMES)
    expected = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    prepare_for_training(lm, checkpointing=True, compile=False)
    lm.train()
    assert torch.equal(continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True), expected)


def test_a_call_from_within_autocast(lm: LMModel) -> None:
    codes = talk(lm, 2, PROMPT + FRAMES)
    with torch.autocast("cpu", torch.bfloat16):
        found = continue_dialogues(lm, codes, PROMPT, FRAMES, greedy=True)
    assert found.shape == codes.shape


@pytest.mark.parametrize("name", ["text_linear.weight", "linears.3.weight"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_gives_no_numbers_is_named(lm: LMModel, name: str, value: float) -> None:
    lm.get_parameter(name).data[5] = value
    with pytest.raises(UserError, match="gives no numbers"):
        continue_dialogues(lm, talk(lm, 1, PROMPT + FRAMES), PROMPT, FRAMES)
    assert not lm.is_streaming
    assert all(layer.self_attn.context == 250 for layer in lm.transformer.layers)


@pytest.mark.parametrize(("stream", "value"), [(0, 100_000), (0, -2), (5, 257), (9, 300), (9, -3)])
def test_a_token_that_the_model_does_not_know_is_refused(lm: LMModel, stream: int, value: int) -> None:
    codes = talk(lm, 1, PROMPT + FRAMES)
    codes[0, stream, 3] = value
    with pytest.raises(UserError, match=f"hold a token {value}, and the model knows 0 to"):
        continue_dialogues(lm, codes, PROMPT, FRAMES)


def test_the_figures_of_speech_and_of_a_collapse() -> None:
    text = torch.tensor([3, 3, 0, 17, 3, 3, 3, UNKNOWN])
    codes = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3], [9, 9, 9, 9, 9, 9, 9, UNKNOWN]])
    figures = collapse_figures(codes, text)
    assert (figures.distinct_codes, figures.entropy_bits) == (5, 2.0)
    assert figures.padding_share == pytest.approx(6 / 7)
    silent = collapse_figures(torch.full((8, 50), 7), torch.full((50,), 3))
    assert (silent.distinct_codes, silent.entropy_bits, silent.padding_share) == (8, 0.0, 1.0)
