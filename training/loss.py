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
from typing import Any, Literal

import torch
from moshi.models import LMModel
from moshi.models.lm_utils import _delay_sequence
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

NO_TARGET = -1
"""The id of LMModel that is no input and no target."""

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
    streams: dict[str, Mean]
    """Without gradient, each position counting alike: 'text' (padding too), 'semantic' and 'acoustic' of the
    model's voice, and 'user' (all codebooks of the user's voice) if the model predicts it."""

    @property
    def value(self) -> Tensor:
        """Return the loss, [], to call `backward` on."""
        return self.text.value + self.padding.value + self.audio.value

    @property
    def means(self) -> tuple[Mean, Mean, Mean]:
        """Return the means that it is the sum of."""
        return self.text, self.padding, self.audio

    def __add__(self, other: Loss) -> Loss:
        streams = {name: mean + other.streams[name] for name, mean in self.streams.items()}
        return Loss(self.text + other.text, self.padding + other.padding, self.audio + other.audio, streams)


def compute_loss(
    lm: LMModel, codes: Tensor, weights: LossWeights | None = None, *, chunk_frames: int | None = CHUNK_FRAMES
) -> Loss:
    """Return the loss of a model that is not streaming on codes [B, K, T] int64 (NO_TARGET: unknown).

    For codes of the model's voice alone it is that of kyutai-labs/moshi-finetune, unless the weights say
    otherwise; where the model predicts both voices, the user's counts like the model's. `chunk_frames` is how
    many of the B x T frames have their logits in memory at a time; None for all, by LMModel's own forward
    pass, which is faster where memory allows it. The model is one without conditions.
    """
    crossed = _cross_all(lm, codes) if chunk_frames is None else _cross_in_chunks(lm, codes, chunk_frames)
    return _weigh(lm, crossed, weights or LossWeights())


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
    """Cross-entropies of N = B x T frames, and the tokens that they belong to."""

    text: Tensor
    """[N], 0 at NO_TARGET."""
    text_targets: Tensor
    """[N] int64"""
    audio: Tensor
    """[N, dep_q], 0 at NO_TARGET."""
    audio_targets: Tensor
    """[N, dep_q] int64"""


def _cross_all(lm: LMModel, codes: Tensor) -> _Crossed:
    output = lm(codes)
    first = lm.audio_offset
    text_targets = codes[:, :first].where(output.text_mask, NO_TARGET)
    audio_targets = codes[:, first : first + lm.dep_q].where(output.mask, NO_TARGET)
    # Logits at invalid positions are NaN; they meet NO_TARGET and stay out of sums and gradients.
    text, audio = _cross(output.text_logits, text_targets), _cross(output.logits, audio_targets)
    return _Crossed(
        _by_frame(text)[:, 0], _by_frame(text_targets)[:, 0], _by_frame(audio), _by_frame(audio_targets)
    )


def _cross_in_chunks(lm: LMModel, codes: Tensor, chunk_frames: int) -> _Crossed:
    """Do what LMModel.forward does, the targets delayed in place of logits brought back in line."""
    initial = lm._get_initial_token().expand(len(codes), -1, -1)
    delayed = _delay_sequence(lm.delays, codes, initial)
    states = _run_temporal(lm, torch.cat([initial, delayed], dim=2)[:, :, :-1]).flatten(0, 1)
    targets = _by_frame(_delay_sequence(lm.delays, codes, torch.full_like(initial, NO_TARGET)))
    text_targets = targets[:, 0]
    audio_targets = targets[:, lm.audio_offset : lm.audio_offset + lm.dep_q]

    def cross_depth(part: Tensor, tokens: Tensor, target: Tensor) -> Tensor:
        logits = lm.forward_depformer_training(tokens.T[None], part[None])
        return _cross(logits[0], target.T).T

    sizes = _sizes(len(states), chunk_frames)
    audio = _in_chunks(cross_depth, sizes, states, _by_frame(delayed), audio_targets)
    text = cross_in_chunks(states, lm.text_linear, text_targets, chunk_frames)
    return _Crossed(text, text_targets, audio, audio_targets)


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
    lm: LMModel, codes: Tensor, weights: LossWeights | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what text, padding and audio of codes [B, K, T] weigh in their means, [] each.

    It needs no forward pass, so that a batch in parts, or on several processes, can be weighed as one.
    """
    initial = lm._get_initial_token().expand(len(codes), -1, -1)
    targets = _by_frame(_delay_sequence(lm.delays, codes, torch.full_like(initial, NO_TARGET)))
    audio = targets[:, lm.audio_offset : lm.audio_offset + lm.dep_q]
    chosen = weights or LossWeights()
    text, padding = _text_weights(lm, targets[:, 0], chosen)
    return text.sum(), padding.sum(), _audio_weights(lm, audio, chosen).sum()


def _weigh(lm: LMModel, crossed: _Crossed, weights: LossWeights) -> Loss:
    known = crossed.text_targets != NO_TARGET
    text_weights, padding_weights = _text_weights(lm, crossed.text_targets, weights)
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
    # The padding's own mean counts `text_padding` times: its total does, its weight does not.
    padding = Mean(weights.text_padding * padding.total, padding.weight)
    return Loss(_mean(crossed.text, text_weights), padding, _mean(audio, audio_weights), streams)


def _text_weights(lm: LMModel, targets: Tensor, weights: LossWeights) -> tuple[Tensor, Tensor]:
    """Return what each of the targets [N] weighs in the mean of text and in that of padding, [N] float32.

    Both are 0 at NO_TARGET; padding weighs nothing in the second where it counts with the text.
    """
    is_padding = (targets == lm.text_padding_token_id) | (targets == lm.end_of_text_padding_id)
    known = targets != NO_TARGET
    if weights.text_mean == "separate":
        return (known & ~is_padding).float(), (known & is_padding).float()
    return torch.where(is_padding, weights.text_padding, 1.0) * known, torch.zeros_like(targets).float()


def _audio_weights(lm: LMModel, targets: Tensor, weights: LossWeights) -> Tensor:
    """Return what each of the targets [N, dep_q] weighs, [N, dep_q] float32; 0 at NO_TARGET."""
    codebooks = torch.arange(lm.dep_q, device=targets.device) % (lm.n_q // 2)
    return torch.where(codebooks == 0, weights.semantic, weights.acoustic) * (targets != NO_TARGET)


def _mean(values: Tensor, weights: Tensor) -> Mean:
    return Mean((values * weights).sum(), weights.sum(dtype=values.dtype))
