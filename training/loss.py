"""How far a model is from what was said: cross-entropy of text and audio, weighted as its makers do.

Computed densely by moshi's own forward pass, or in chunks of frames that are computed once more on the way
back, which gives the same numbers in a fraction of the memory. Knows nothing about data or optimisers.

Memory, for the 7B in bfloat16 at 16 x 100 s (20 000 frames), counted and not measured: the text logits in
float32 are 2.6 GB, and the loss keeps more than one copy; those of 512 frames are 66 MB. For its gradients
the depth transformer keeps 2.9 MB a frame for one voice and 5.8 MB for both: 57 or 116 GB for all frames,
1.5 or 3 GB for 512; three quarters of that once a model is prepared by `training.speed`. The temporal
transformer's own activations are the same either way. The price is to run the heads and the depth transformer
forward twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from moshi.models import LMModel
from moshi.models.lm_utils import _delay_sequence
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

NO_TARGET = -1
"""The id of LMModel that is no input and no target."""

WORD_DELAY = 3
"""The user's words are asked for so many frames late: their codes are heard one or two frames late, and a
word is known before it has ended."""

WORD_FRAMES = 8
"""A word of the user lasts no longer."""

NOTHING_SAID = 0.2
"""What a frame in which the user says nothing counts for beside one of a word."""

ONSET_SILENCE, ONSET_TOKENS = 8, 3
"""An utterance begins after so many frames without text, with so many tokens that decide what it is about."""

CHUNK_FRAMES = 512
"""Large matrix products still, with both voices in 3 GB of depth activations."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What a position counts for; 1 for text that is not padding."""

    text_padding: float = 0.5
    semantic: float = 100.0
    """The first codebook of each voice."""
    acoustic: float = 1.0
    """The other codebooks."""
    text_mean: Literal["joint", "separate"] = "joint"
    """How text and padding are put together, which weigh `text_padding` against each other either way.

    "joint", as kyutai-labs/moshi-finetune does: one mean by weight over all positions, sum(w x) / sum(w).
    "separate", as nu-dialogue/moshi-finetune does: the mean over text, and `text_padding` times the mean over
    padding. Text is rare, so that there it counts for more: of 10 positions, 9 of them padding, the text has
    2/11 of the weight in the joint mean, and 2/3 in the separate ones.
    """
    onset: float = 1.0
    """What the first tokens of an utterance count for, and the mark of one that was broken off."""
    user_words: float = 0.0
    """What the words of the user count for, which a head that is thrown away afterwards predicts from the
    temporal transformer; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A weighted mean in two parts, so that batches and processes can be put together exactly."""

    total: Tensor
    """Sum of weight x loss, []."""
    weight: Tensor
    """Sum of weights, []."""

    @property
    def value(self) -> Tensor:
        """Return the mean, [], in nats; 0 where nothing counts."""
        return self.total / self.weight.clamp(min=torch.finfo(self.weight.dtype).tiny)

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.weight + other.weight)


@dataclass(frozen=True, slots=True)
class Loss:
    """What is made small, and the same stream by stream for people."""

    text: Mean
    """Padding too, unless that has a mean of its own."""
    padding: Mean
    """Its weight is 0 where it counts with the text."""
    audio: Mean
    words: Mean
    """The user's, `user_words` times; its weight is 0 where nothing predicts them."""
    streams: dict[str, Mean]
    """Without gradient, each position counting alike: 'text' (padding too), 'semantic' and 'acoustic' of the
    model's voice, 'user' (all codebooks of the user's voice) if the model predicts it, and 'words' of the
    user if a head does."""

    @property
    def value(self) -> Tensor:
        """Return the loss, [], to call `backward` on."""
        return self.text.value + self.padding.value + self.audio.value + self.words.value

    @property
    def means(self) -> tuple[Mean, Mean, Mean, Mean]:
        """Return the means that it is the sum of."""
        return self.text, self.padding, self.audio, self.words

    def __add__(self, other: Loss) -> Loss:
        streams = {name: mean + other.streams[name] for name, mean in self.streams.items()}
        text, padding, audio, words = (mine + its for mine, its in zip(self.means, other.means, strict=True))
        return Loss(text, padding, audio, words, streams)


class Positions(NamedTuple):
    """What of a batch a loss looks at beyond its codes."""

    words: Tensor | None = None
    """[B, T] int64: the user's text stream, whose words a head of the model (`word_head`) is to predict."""
    depth: Tensor | None = None
    """[M] int64: which of the B x T frames the depth transformer is computed for; None: all."""
    stop: int = NO_TARGET
    """The text token of an utterance that was broken off."""


ALL = Positions()


def compute_loss(
    lm: LMModel,
    codes: Tensor,
    weights: LossWeights | None = None,
    *,
    chunk_frames: int | None = CHUNK_FRAMES,
    positions: Positions = ALL,
) -> Loss:
    """Return the loss of a model that is not streaming on codes [B, K, T] int64 (NO_TARGET: unknown).

    For codes of the model's voice alone it is that of kyutai-labs/moshi-finetune, unless the weights say
    otherwise; where the model predicts both voices, the user's counts like the model's. `chunk_frames` is how
    many of the B x T frames have their logits in memory at a time; None for all, by LMModel's own forward
    pass, which is faster where memory allows it, and knows no other `positions`. The model is one without
    conditions.
    """
    if chunk_frames is None:
        assert positions.words is None and positions.depth is None, "LMModel's own pass computes all frames"
        crossed = _cross_all(lm, codes)
    else:
        crossed = _cross_in_chunks(lm, codes, chunk_frames, positions)
    return _weigh(lm, crossed, weights or LossWeights(), positions.stop)


def cross_in_chunks(
    states: Tensor, head: Callable[[Tensor], Tensor], targets: Tensor, chunk_frames: int = CHUNK_FRAMES
) -> Tensor:
    """Return the cross-entropies [N] of a head's logits for states [N, D] and targets [N] int64.

    Value and gradients are those of the dense computation, 0 at NO_TARGET; no more than `chunk_frames` rows
    of logits exist at a time, forward or backward. `head` is a module or function [n, D] -> [n, card].
    """
    sizes = _sizes(len(states), chunk_frames)
    return _in_chunks(lambda part, target: _cross(head(part), target), sizes, states, targets)


@dataclass(frozen=True, slots=True)
class _Crossed:
    """Cross-entropies of N = B x T frames, M of them in audio, and the tokens that they belong to."""

    text: Tensor
    """[N], 0 at NO_TARGET."""
    text_targets: Tensor
    """[B, T] int64"""
    audio: Tensor
    """[M, dep_q], 0 at NO_TARGET."""
    audio_targets: Tensor
    """[M, dep_q] int64"""
    words: Tensor | None = None
    """[N], 0 at NO_TARGET; None where nothing predicts the user's words."""
    word_targets: Tensor | None = None
    """[N] int64"""


def _cross_all(lm: LMModel, codes: Tensor) -> _Crossed:
    output = lm(codes)
    first = lm.audio_offset
    text_targets = codes[:, :first].where(output.text_mask, NO_TARGET)
    audio_targets = codes[:, first : first + lm.dep_q].where(output.mask, NO_TARGET)
    # Logits at invalid positions are NaN; they meet NO_TARGET and stay out of sums and gradients.
    text, audio = _cross(output.text_logits, text_targets), _cross(output.logits, audio_targets)
    return _Crossed(_by_frame(text)[:, 0], text_targets[:, 0], _by_frame(audio), _by_frame(audio_targets))


def _cross_in_chunks(lm: LMModel, codes: Tensor, chunk_frames: int, positions: Positions) -> _Crossed:
    """Do what LMModel.forward does, the targets delayed in place of logits brought back in line."""
    initial = lm._get_initial_token().expand(len(codes), -1, -1)
    delayed = _delay_sequence(lm.delays, codes, initial)
    states = _run_temporal(lm, torch.cat([initial, delayed], dim=2)[:, :, :-1]).flatten(0, 1)
    text_targets, audio_targets = _targets(lm, codes, positions)

    def cross_depth(part: Tensor, tokens: Tensor, target: Tensor) -> Tensor:
        logits = lm.forward_depformer_training(tokens.T[None], part[None])
        return _cross(logits[0], target.T).T

    sizes = _sizes(len(audio_targets), chunk_frames)
    heard = (_at(states, positions.depth), _at(_by_frame(delayed), positions.depth))
    audio = _in_chunks(cross_depth, sizes, *heard, audio_targets)
    text = cross_in_chunks(states, lm.text_linear, text_targets.flatten(), chunk_frames)
    if positions.words is None:
        return _Crossed(text, text_targets, audio, audio_targets)
    word_targets = spread_words(lm, positions.words).flatten()
    words = cross_in_chunks(states, lm.word_head, word_targets, chunk_frames)
    return _Crossed(text, text_targets, audio, audio_targets, words, word_targets)


def _targets(lm: LMModel, codes: Tensor, positions: Positions) -> tuple[Tensor, Tensor]:
    """Return the targets of text, [B, T], and of audio, [M, dep_q], for codes [B, K, T]."""
    unknown = torch.full_like(codes[:, :, :1], NO_TARGET)
    targets = _delay_sequence(lm.delays, codes, unknown)
    audio = targets[:, lm.audio_offset : lm.audio_offset + lm.dep_q]
    return targets[:, 0], _at(_by_frame(audio), positions.depth)


def _at(frames: Tensor, chosen: Tensor | None) -> Tensor:
    """Return the chosen rows of frames [N, ...], all of them where none are chosen."""
    return frames if chosen is None else frames.index_select(0, chosen)


def spread_words(lm: LMModel, stream: Tensor) -> Tensor:
    """Return what the user was saying WORD_DELAY frames ago, [B, T], from his text stream [B, T] int64.

    A token lasts until the next one, and no longer than WORD_FRAMES; padding stands where nothing is said.
    """
    at = torch.arange(stream.shape[1], device=stream.device)
    newest = at.where(_is_text(lm, stream), NO_TARGET).cummax(1).values
    said = stream.gather(1, newest.clamp(min=0)).where(
        (newest >= 0) & (at - newest < WORD_FRAMES), lm.text_padding_token_id
    )
    late = torch.full_like(stream, lm.text_padding_token_id)
    late[:, WORD_DELAY:] = said[:, :-WORD_DELAY]
    targets: Tensor = late.where(stream != NO_TARGET, NO_TARGET)
    return targets


def _is_text(lm: LMModel, stream: Tensor) -> Tensor:
    """Return where a text stream has a token that is neither padding nor unknown."""
    padding = (stream == lm.text_padding_token_id) | (stream == lm.end_of_text_padding_id)
    is_text: Tensor = ~padding & (stream != NO_TARGET)
    return is_text


def _run_temporal(lm: LMModel, tokens: Tensor) -> Tensor:
    """Return the temporal transformer's states [B, T, dim] for tokens [B, K, T]: forward_text, no logits."""
    embedded = lm.text_emb(tokens[:, 0])
    for index, embedding in enumerate(lm.emb):
        embedded = embedded + embedding(tokens[:, lm.audio_offset + index])
    states: Tensor = lm.out_norm(lm.transformer(embedded))
    return states


def _sizes(count: int, most: int) -> list[int]:
    """Return the sizes of as few chunks as hold `count`, as even as can be: none is of a few frames."""
    chunks = math.ceil(count / most)
    return [(count + at) // chunks for at in range(chunks)]


def _in_chunks(cross: Callable[..., Tensor], sizes: list[int], *parts: Tensor) -> Tensor:
    """Return cross(*parts), computed in chunks along the first dimension and again on the way back.

    What fits into one chunk is computed once: there, doing it again would spare next to nothing.
    """
    if len(sizes) == 1:
        return cross(*parts)
    chunks = zip(*(torch.split(part, sizes) for part in parts), strict=True)
    # Nothing in it draws random numbers, so their state need not be kept.
    options: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
    return torch.cat([checkpoint(cross, *chunk, **options) for chunk in chunks])


def _cross(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropies [...] of logits [..., card] and targets [...], in float32 or better."""
    exact = logits.flatten(0, -2).to(torch.promote_types(logits.dtype, torch.float32))
    crossed = functional.cross_entropy(exact, targets.flatten(), reduction="none", ignore_index=NO_TARGET)
    return crossed.view(targets.shape)


def _by_frame(values: Tensor) -> Tensor:
    """Return [B, K, T] as [B x T, K]."""
    return values.transpose(1, 2).flatten(0, 1)


def count_weights(
    lm: LMModel, codes: Tensor, weights: LossWeights | None = None, positions: Positions = ALL
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what text, padding, audio and user's words of codes [B, K, T] weigh in their means, [] each.

    It needs no forward pass, so that a batch in parts, or on several processes, can be weighed as one.
    """
    text_targets, audio_targets = _targets(lm, codes, positions)
    chosen = weights or LossWeights()
    text, padding = _text_weights(lm, text_targets, chosen, positions.stop)
    audio = _audio_weights(lm, audio_targets, chosen).sum()
    if positions.words is None:
        return text.sum(), padding.sum(), audio, torch.zeros_like(audio)
    words = _word_weights(lm, spread_words(lm, positions.words))
    return text.sum(), padding.sum(), audio, words.sum()


def _weigh(lm: LMModel, crossed: _Crossed, weights: LossWeights, stop: int) -> Loss:
    known = crossed.text_targets.flatten() != NO_TARGET
    text_weights, padding_weights = _text_weights(lm, crossed.text_targets, weights, stop)
    padding = _mean(crossed.text, padding_weights)
    audio_weights = _audio_weights(lm, crossed.audio_targets, weights)
    voice = lm.n_q // 2
    audio, audio_known = crossed.audio, crossed.audio_targets != NO_TARGET
    streams = {
        "text": _mean(crossed.text.detach(), known),
        "semantic": _mean(audio[:, :1].detach(), audio_known[:, :1]),
        "acoustic": _mean(audio[:, 1:voice].detach(), audio_known[:, 1:voice]),
    }
    if lm.dep_q > voice:
        streams["user"] = _mean(audio[:, voice:].detach(), audio_known[:, voice:])
    words = Mean(torch.zeros_like(padding.total), torch.zeros_like(padding.weight))
    if crossed.words is not None and crossed.word_targets is not None:
        words = _mean(crossed.words, _word_weights(lm, crossed.word_targets))
        streams["words"] = _mean(crossed.words.detach(), crossed.word_targets != NO_TARGET)
    # The padding's own mean counts `text_padding` times: its total does, its weight does not. So do words.
    padding = Mean(weights.text_padding * padding.total, padding.weight)
    words = Mean(weights.user_words * words.total, words.weight)
    return Loss(_mean(crossed.text, text_weights), padding, _mean(audio, audio_weights), words, streams)


def _text_weights(
    lm: LMModel, targets: Tensor, weights: LossWeights, stop: int = NO_TARGET
) -> tuple[Tensor, Tensor]:
    """Return what each of the targets [B, T] weighs in the means of text and of padding, [B x T] float32.

    Both are 0 at NO_TARGET; padding weighs nothing in the second where it counts with the text.
    """
    known, is_text = targets != NO_TARGET, _is_text(lm, targets)
    if weights.text_mean == "separate":
        text, padding = is_text.float(), (known & ~is_text).float()
    else:
        text = torch.where(known & ~is_text, weights.text_padding, 1.0) * known
        padding = torch.zeros_like(targets).float()
    if weights.onset != 1.0:
        decides = _first_tokens(is_text) | (is_text & (targets == stop))
        text = text.where(~decides, weights.onset * text)
    return text.flatten(), padding.flatten()


def _first_tokens(is_text: Tensor) -> Tensor:
    """Return which tokens, by where text stands [B, T], are among the first ONSET_TOKENS of an utterance.

    Padding is not: that would change when the model begins to speak, not what it says. An utterance begins
    after ONSET_SILENCE frames without text; what stands before the first frame counts as such.
    """
    count = is_text.long().cumsum(1)
    before = functional.pad(count, (ONSET_SILENCE + 1, 0))[:, : count.shape[1]]
    begins = is_text & (count - 1 == before)
    number = count - count.where(begins, 0).cummax(1).values
    return is_text & (number < ONSET_TOKENS)


def _word_weights(lm: LMModel, targets: Tensor) -> Tensor:
    """Return what each of the user's words [N] weighs, [N] float32; 0 at NO_TARGET."""
    silent = targets == lm.text_padding_token_id
    return torch.where(silent, NOTHING_SAID, 1.0) * (targets != NO_TARGET)


def _audio_weights(lm: LMModel, targets: Tensor, weights: LossWeights) -> Tensor:
    """Return what each of the targets [N, dep_q] weighs, [N, dep_q] float32; 0 at NO_TARGET."""
    codebooks = torch.arange(lm.dep_q, device=targets.device) % (lm.n_q // 2)
    return torch.where(codebooks == 0, weights.semantic, weights.acoustic) * (targets != NO_TARGET)


def _mean(values: Tensor, weights: Tensor) -> Mean:
    return Mean((values * weights).sum(), weights.sum(dtype=values.dtype))
