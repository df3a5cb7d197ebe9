"""The loss is what its definition says, and computing it in chunks changes nothing but memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import replace_all_linear_with_lora
from moshi.utils.compile import no_compile
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from app.engine.fake import make_tiny, tiny_config
from training.loss import NO_TARGET, LossWeights, compute_loss, count_weights, cross_in_chunks
from training.streams import extend

FRAMES = 30
CHUNKS = [None, 7, 64]
"""None is dense; 7 divides nothing; 64 is more than there are."""


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_tiny(tmp_path_factory.mktemp("models") / "tiny")


def open_lm(folder: Path, voices: int = 1) -> LMModel:
    """Return the tiny model, predicting one voice or two."""
    found = json.loads((folder / "config.json").read_text())
    config = {name: found[name] for name in tiny_config(0)}
    state = load_file(folder / "model.safetensors")
    if voices == 2:
        state, config = extend(state, config)
    lm = loaders.get_moshi_lm(None, config, device="cpu", dtype=torch.float32)
    lm.load_state_dict(state)
    return lm.train()


@pytest.fixture
def lm(folder: Path) -> LMModel:
    return open_lm(folder)


@pytest.fixture
def both(folder: Path) -> LMModel:
    return open_lm(folder, voices=2)


def draw_codes(lm: LMModel, batch: int = 2, seed: int = 0) -> Tensor:
    """Return codes [batch, 17, FRAMES], text mostly padding, the end of the last row unknown."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(lm.card, (batch, lm.num_codebooks, FRAMES), generator=generator)
    text = torch.randint(lm.text_card, (batch, FRAMES), generator=generator)
    kind = torch.rand((batch, FRAMES), generator=generator)
    codes[:, 0] = text.where(kind < 0.3, 3).where(kind < 0.9, 0)
    codes[-1, :, FRAMES - 6 :] = NO_TARGET
    codes[0, 0, 4:6] = NO_TARGET
    return codes


def number(value: Tensor) -> float:
    return float(value.detach())


def surprise(logits: Tensor, token: Tensor) -> float:
    """Return -log of the probability of a token under logits [card]."""
    exact = logits.detach().numpy().astype(np.float64)
    return float(np.log(np.exp(exact - exact.max()).sum()) + exact.max() - exact[int(token)])


def surprises(lm: LMModel, codes: Tensor) -> dict[tuple[int, int, int], float]:
    """Return the surprise of each token (b, k, t) that is known and not delayed past the end."""
    output = lm(codes)
    return {
        (b, k, t): surprise(
            output.text_logits[b, 0, t] if k == 0 else output.logits[b, k - 1, t], codes[b, k, t]
        )
        for b in range(codes.shape[0])
        for k in range(1 + lm.dep_q)
        for t in range(FRAMES - lm.delays[k])
        if codes[b, k, t] != -1
    }


def weighted(values: dict[tuple[int, int, int], float], weights: dict[tuple[int, int, int], float]) -> float:
    return sum(values[at] * weight for at, weight in weights.items()) / sum(weights.values())


@pytest.mark.parametrize("chunk_frames", CHUNKS)
@pytest.mark.parametrize("voices", [1, 2])
def test_it_is_the_mean_by_weight_over_what_is_known(
    folder: Path, voices: int, chunk_frames: int | None
) -> None:
    lm = open_lm(folder, voices)
    codes = draw_codes(lm)
    values = surprises(lm, codes)
    text = {at: 0.5 if codes[at] in (0, 3) else 1.0 for at in values if at[1] == 0}
    audio = {at: 100.0 if at[1] in (1, 9) else 1.0 for at in values if at[1] > 0}
    assert len(set(text.values())) == 2
    loss = compute_loss(lm, codes, chunk_frames=chunk_frames)
    assert number(loss.text.value) == pytest.approx(weighted(values, text), rel=1e-5)
    assert number(loss.audio.value) == pytest.approx(weighted(values, audio), rel=1e-5)
    assert number(loss.value) == pytest.approx(weighted(values, text) + weighted(values, audio), rel=1e-5)
    assert number(loss.text.weight) == sum(text.values())
    assert number(loss.audio.weight) == sum(audio.values())


@pytest.mark.parametrize("chunk_frames", CHUNKS)
def test_streams_are_told_apart_each_position_counting_alike(both: LMModel, chunk_frames: int | None) -> None:
    codes = draw_codes(both)
    values = surprises(both, codes)
    rows = {"text": [0], "semantic": [1], "acoustic": range(2, 9), "user": range(9, 17)}
    streams = compute_loss(both, codes, chunk_frames=chunk_frames).streams
    assert streams.keys() == rows.keys()
    for name, codebooks in rows.items():
        expected = [value for at, value in values.items() if at[1] in codebooks]
        assert number(streams[name].value) == pytest.approx(np.mean(expected), rel=1e-5)
        assert streams[name].weight == len(expected)
        assert not streams[name].total.requires_grad


def test_a_model_of_one_voice_has_no_loss_for_the_user(lm: LMModel) -> None:
    assert compute_loss(lm, draw_codes(lm)).streams.keys() == {"text", "semantic", "acoustic"}


def test_other_weights_count(lm: LMModel) -> None:
    codes = draw_codes(lm)
    values = surprises(lm, codes)
    loss = compute_loss(lm, codes, LossWeights(text_padding=0.0, semantic=3.0, acoustic=0.0))
    words = {at: 1.0 for at in values if at[1] == 0 and codes[at] not in (0, 3)}
    semantic = {at: 3.0 for at in values if at[1] == 1}
    assert number(loss.text.value) == pytest.approx(weighted(values, words), rel=1e-5)
    assert number(loss.audio.value) == pytest.approx(weighted(values, semantic), rel=1e-5)


SEPARATE = LossWeights(text_mean="separate")


@pytest.mark.parametrize("chunk_frames", CHUNKS)
@pytest.mark.parametrize("voices", [1, 2])
def test_nu_dialogues_is_the_mean_of_text_and_a_share_of_that_of_padding(
    folder: Path, voices: int, chunk_frames: int | None
) -> None:
    lm = open_lm(folder, voices)
    codes = draw_codes(lm)
    values = surprises(lm, codes)
    words = [value for at, value in values.items() if at[1] == 0 and codes[at] not in (0, 3)]
    padding = [value for at, value in values.items() if at[1] == 0 and codes[at] in (0, 3)]
    audio = {at: 100.0 if at[1] in (1, 9) else 1.0 for at in values if at[1] > 0}
    theirs = np.mean(words) + 0.5 * np.mean(padding) + weighted(values, audio)
    loss = compute_loss(lm, codes, SEPARATE, chunk_frames=chunk_frames)
    assert number(loss.text.value) == pytest.approx(np.mean(words), rel=1e-5)
    assert number(loss.padding.value) == pytest.approx(0.5 * np.mean(padding), rel=1e-5)
    assert number(loss.value) == pytest.approx(theirs, rel=1e-5)
    assert theirs > 1.1 * number(compute_loss(lm, codes, chunk_frames=chunk_frames).value)


@pytest.mark.parametrize("weights", [LossWeights(), SEPARATE])
@pytest.mark.parametrize("chunk_frames", CHUNKS)
def test_parts_weigh_what_is_counted_without_a_forward_pass(
    both: LMModel, chunk_frames: int | None, weights: LossWeights
) -> None:
    codes = draw_codes(both)
    whole = compute_loss(both, codes, weights, chunk_frames=chunk_frames)
    parts = [compute_loss(both, part, weights, chunk_frames=chunk_frames) for part in codes.split(1)]
    torch.testing.assert_close((parts[0] + parts[1]).value, whole.value)
    torch.testing.assert_close(
        torch.stack(count_weights(both, codes, weights)), torch.stack([mean.weight for mean in whole.means])
    )


@pytest.mark.parametrize("kind", [10, 3])
def test_text_alone_or_padding_alone_has_a_separate_mean(lm: LMModel, kind: int) -> None:
    codes = draw_codes(lm)
    codes[:, 0] = kind
    loss = compute_loss(lm, codes, SEPARATE)
    assert (number(loss.text.value) > 0) == (kind == 10)
    assert (number(loss.padding.value) > 0) == (kind == 3)
    loss.value.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in lm.parameters())


def gradients(
    lm: LMModel, codes: Tensor, chunk_frames: int | None, weights: LossWeights | None = None
) -> dict[str, Tensor]:
    lm.zero_grad()
    compute_loss(lm, codes, weights, chunk_frames=chunk_frames).value.backward()
    found = {name: weight.grad for name, weight in lm.named_parameters() if weight.requires_grad}
    return {name: grad.clone() for name, grad in found.items() if grad is not None}


@pytest.mark.parametrize("chunk_frames", [7, 64])
@pytest.mark.parametrize("voices", [1, 2])
@pytest.mark.parametrize("weights", [LossWeights(), SEPARATE])
def test_in_chunks_all_gradients_are_those_of_moshis_own_pass(
    folder: Path, voices: int, weights: LossWeights, chunk_frames: int
) -> None:
    lm = open_lm(folder, voices)
    codes = draw_codes(lm)
    dense, chunked = gradients(lm, codes, None, weights), gradients(lm, codes, chunk_frames, weights)
    assert dense.keys() == chunked.keys() == {name for name, _ in lm.named_parameters()}
    for name, grad in dense.items():
        assert grad.isfinite().all() and grad.abs().max() > 0, name
        torch.testing.assert_close(chunked[name], grad, rtol=1e-3, atol=1e-6)


def test_with_an_adapter_only_the_adapter_gets_gradients(lm: LMModel) -> None:
    lm.requires_grad_(False)
    replace_all_linear_with_lora(lm, 4, 2.0)
    for name, weight in lm.named_parameters():
        weight.requires_grad_("lora_" in name)
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.02)
    codes = draw_codes(lm)
    dense, chunked = gradients(lm, codes, None), gradients(lm, codes, 7)
    assert all("lora_" in name for name in dense) and "text_linear.lora_A.weight" in chunked
    for name, grad in dense.items():
        torch.testing.assert_close(chunked[name], grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("chunk_frames", CHUNKS)
def test_parts_of_a_batch_put_together_are_the_batch(both: LMModel, chunk_frames: int | None) -> None:
    codes = draw_codes(both)
    whole = compute_loss(both, codes, chunk_frames=chunk_frames)
    parts = [compute_loss(both, part, chunk_frames=chunk_frames) for part in codes.split(1)]
    together = parts[0] + parts[1]
    torch.testing.assert_close(together.value, whole.value)
    for name, mean in whole.streams.items():
        torch.testing.assert_close(together.streams[name].value, mean.value)


@pytest.mark.parametrize("chunk_frames", CHUNKS)
def test_a_stream_without_anything_known_adds_nothing(lm: LMModel, chunk_frames: int | None) -> None:
    codes = draw_codes(lm)
    codes[:, 0] = NO_TARGET
    loss = compute_loss(lm, codes, chunk_frames=chunk_frames)
    assert loss.text.value == 0
    assert loss.value == loss.audio.value
    loss.value.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in lm.parameters())


def test_half_precision_is_summed_in_full(lm: LMModel) -> None:
    exact = compute_loss(lm, codes := draw_codes(lm)).value
    loss = compute_loss(lm.bfloat16(), codes).value
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, exact, rtol=2e-2, atol=0)


# The cross-entropy of a large head alone.

ROWS, WIDTH, CARD, CHUNK = 200, 8, 96, 32
EVEN = 29
"""Of as few chunks of at most CHUNK rows as hold all, the largest."""


class Largest(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that was made."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.elements = max(self.elements, made.numel())
        return made


def draw_rows(dtype: torch.dtype) -> tuple[Tensor, nn.Linear, Tensor]:
    torch.manual_seed(0)
    states = torch.randn(ROWS, WIDTH, dtype=dtype, requires_grad=True)
    targets = torch.randint(CARD, (ROWS,))
    targets[::7] = NO_TARGET
    return states, nn.Linear(WIDTH, CARD, dtype=dtype), targets


def backward(losses: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad((losses * torch.linspace(0, 1, ROWS, dtype=losses.dtype)).sum(), weights)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("chunk", [1, CHUNK, ROWS, 10 * ROWS])
def test_chunked_cross_entropy_is_the_dense_one(dtype: torch.dtype, chunk: int) -> None:
    states, head, targets = draw_rows(dtype)
    dense = nn.functional.cross_entropy(head(states), targets, reduction="none", ignore_index=NO_TARGET)
    chunked = cross_in_chunks(states, head, targets, chunk)
    assert chunked.dtype == dtype and not chunked[::7].any()
    torch.testing.assert_close(chunked, dense)
    weights = states, head.weight, head.bias
    for ours, theirs in zip(backward(chunked, *weights), backward(dense, *weights), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_no_more_logits_than_those_of_a_chunk_ever_exist() -> None:
    states, head, targets = draw_rows(torch.float32)
    with Largest() as chunked:
        backward(cross_in_chunks(states, head, targets, CHUNK), states, head.weight)
    with Largest() as dense:
        backward(cross_in_chunks(states, head, targets, ROWS), states, head.weight)
    assert (chunked.elements, dense.elements) == (EVEN * CARD, ROWS * CARD)


def test_neither_do_the_activations_of_all_depth_steps(lm: LMModel) -> None:
    codes = draw_codes(lm)
    all_logits = codes.shape[0] * FRAMES * lm.dep_q * lm.card
    with Largest() as dense:
        gradients(lm, codes, None)
    with Largest() as chunked:
        gradients(lm, codes, 7)
    assert dense.elements >= all_logits > 2 * chunked.elements


def test_without_gradients_chunks_are_not_kept_either() -> None:
    states, head, targets = draw_rows(torch.float32)
    with torch.no_grad(), Largest() as seen:
        cross_in_chunks(states, head, targets, CHUNK)
    assert seen.elements == EVEN * CARD
