"""What a loss may look at beyond the codes: the user's words, onsets, a share of the depth transformer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from moshi.models import LMModel
from moshi.models.lm_utils import _delay_sequence
from moshi.utils.compile import no_compile
from torch import Tensor
from torch.nn import functional

from app.engine.fake import make_tiny
from tests.training.test_loss import FRAMES, draw_codes, number, open_lm
from training.base import DEPTH, WORD_HEAD, add_word_head
from training.loss import (
    ALL,
    NO_TARGET,
    NOTHING_SAID,
    WORD_FRAMES,
    LossWeights,
    Positions,
    compute_loss,
    count_weights,
    spread_words,
)

PAD, END = 3, 0


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def lm(folder: Path) -> LMModel:
    lm = open_lm(folder)
    add_word_head(lm)
    torch.nn.init.normal_(getattr(lm, WORD_HEAD).weight, std=0.1, generator=torch.Generator().manual_seed(0))
    return lm


def draw_words() -> Tensor:
    """Return the text stream of two users, [2, FRAMES], the end of the last unknown as in `draw_codes`."""
    words = torch.full((2, FRAMES), PAD)
    words[0, [3, 4, 9]] = torch.tensor([20, 21, 22])
    words[0, [2, 8]] = END
    words[1, 15] = 30
    words[1, FRAMES - 6 :] = NO_TARGET
    return words


def loss_of(lm: LMModel, weights: LossWeights, positions: Positions = ALL, chunk_frames: int = 64) -> Tensor:
    found = compute_loss(lm, draw_codes(lm), weights, chunk_frames=chunk_frames, positions=positions)
    return found.value


def test_a_word_is_asked_for_three_frames_late_until_the_next_one(lm: LMModel) -> None:
    first, second = spread_words(lm, draw_words()).tolist()
    assert first[:6] == [PAD] * 6
    assert first[6:12] == [20, 21, 21, 21, 21, 21]
    assert first[12:20] == [22] * WORD_FRAMES
    assert first[20:] == [PAD] * (FRAMES - 20)
    assert second[18:24] == [30] * 6
    assert second[24:] == [NO_TARGET] * 6


@pytest.mark.parametrize("chunk_frames", [7, 64])
def test_the_users_words_count_as_much_as_is_said(lm: LMModel, chunk_frames: int) -> None:
    weights = LossWeights(user_words=0.7)
    codes, words = draw_codes(lm), draw_words()
    loss = compute_loss(lm, codes, weights, chunk_frames=chunk_frames, positions=Positions(words))
    initial = lm._get_initial_token().expand(2, -1, -1)
    heard = torch.cat([initial, _delay_sequence(lm.delays, codes, initial)], dim=2)[:, :, :-1]
    logits = getattr(lm, WORD_HEAD)(lm.forward_text(heard)[0]).transpose(1, 2)
    targets = spread_words(lm, words)
    each = torch.ones(lm.text_card)
    each[PAD] = NOTHING_SAID
    expected = functional.cross_entropy(logits, targets, weight=each, ignore_index=NO_TARGET)
    assert number(loss.words.value) == pytest.approx(0.7 * number(expected), rel=1e-5)
    plain = compute_loss(lm, codes, chunk_frames=chunk_frames)
    assert number(loss.value) == pytest.approx(number(plain.value) + 0.7 * number(expected), rel=1e-5)
    assert loss.streams.keys() == plain.streams.keys() | {"words"}


def test_their_gradient_reaches_what_hears_and_nothing_that_speaks(lm: LMModel) -> None:
    codes = draw_codes(lm)
    compute_loss(
        lm, codes, LossWeights(user_words=1.0), positions=Positions(draw_words())
    ).words.value.backward()
    reached = {name for name, each in lm.named_parameters() if each.grad is not None and each.grad.any()}
    assert {
        f"{WORD_HEAD}.weight",
        "emb.8.weight",
        "transformer.layers.0.self_attn.in_projs.0.weight",
    } < reached
    assert not [name for name in reached if name.startswith((*DEPTH, "text_linear"))]


def test_left_off_nothing_is_another_to_the_bit(lm: LMModel) -> None:
    plain = compute_loss(lm, draw_codes(lm), chunk_frames=64)
    off = LossWeights(onset=1.0, user_words=0.0)
    assert torch.equal(loss_of(lm, off, Positions(stop=7)), plain.value)
    everywhere = Positions(depth=torch.arange(2 * FRAMES))
    assert torch.equal(loss_of(lm, off, everywhere), plain.value)


@pytest.mark.parametrize("chunk_frames", [7, 64])
def test_a_share_of_the_frames_is_all_that_audio_is_learnt_from(lm: LMModel, chunk_frames: int) -> None:
    codes, chosen = draw_codes(lm), torch.tensor([2, 3, 11, 31, 40])
    whole = compute_loss(lm, codes, chunk_frames=chunk_frames)
    part = compute_loss(lm, codes, chunk_frames=chunk_frames, positions=Positions(depth=chosen))
    torch.testing.assert_close(part.text.value, whole.text.value)
    rest = torch.tensor([at for at in range(2 * FRAMES) if at not in chosen.tolist()])
    other = compute_loss(lm, codes, chunk_frames=chunk_frames, positions=Positions(depth=rest))
    torch.testing.assert_close(part.audio.total + other.audio.total, whole.audio.total)
    torch.testing.assert_close(part.audio.weight + other.audio.weight, whole.audio.weight)
    assert 0 < number(part.audio.weight) < number(whole.audio.weight) / 4


def onsets(lm: LMModel, text: list[int], stop: int = NO_TARGET) -> list[float]:
    """Return what each token of a text stream weighs with `onset` 3, by the gradient of the loss' total."""
    codes = draw_codes(lm, batch=1)[:, :, : len(text)].clamp(min=0)
    codes[0, 0] = torch.tensor(text)
    found: list[float] = []
    weights = [LossWeights(onset=onset) for onset in (1.0, 3.0)]
    for at in range(len(text)):
        alone = codes.clone()
        alone[0, 0, at + 1 :] = NO_TARGET
        before = alone.clone()
        before[0, 0, at:] = NO_TARGET
        plain, more = (
            count_weights(lm, alone, each, Positions(stop=stop))[0]
            - count_weights(lm, before, each, Positions(stop=stop))[0]
            for each in weights
        )
        found.append(round(number(more / plain), 3))
    return found


def test_the_first_tokens_of_an_utterance_count_for_more_and_padding_never(lm: LMModel) -> None:
    text = [PAD, END, 10, 11, PAD, 12, 13, *[PAD] * 7, 14, *[PAD] * 7, END, 15]
    expected = [1.0] * len(text)
    for at in (2, 3, 5, len(text) - 1):
        expected[at] = 3.0
    assert onsets(lm, text) == expected


def test_so_does_the_mark_of_an_utterance_that_was_broken_off(lm: LMModel) -> None:
    text = [10, 11, 12, 13, 7, 14]
    assert onsets(lm, text) == [3.0, 3.0, 3.0, 1.0, 1.0, 1.0]
    assert onsets(lm, text, stop=7) == [3.0, 3.0, 3.0, 1.0, 3.0, 1.0]


@pytest.mark.parametrize("text_mean", ["joint", "separate"])
def test_what_each_part_weighs_is_known_before_the_forward_pass(lm: LMModel, text_mean: str) -> None:
    weights = LossWeights(text_mean=text_mean, onset=3.0, user_words=0.5)  # type: ignore[arg-type]
    positions = Positions(draw_words(), torch.tensor([0, 5, 33]), 12)
    codes = draw_codes(lm)
    loss = compute_loss(lm, codes, weights, positions=positions)
    counted = torch.stack(count_weights(lm, codes, weights, positions))
    torch.testing.assert_close(counted, torch.stack([mean.weight for mean in loss.means]))
