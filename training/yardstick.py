"""One step of training done two ways, to be measured side by side: ours, and kyutai-labs/moshi-finetune's.

Theirs is written from what it is defined to do: moshi's own forward pass with gradient checkpointing, logits
of all frames at once, a masked mean, an adapter in bfloat16 whose float32 copy takes the place of it while
AdamW steps. Knows nothing about time, memory or where codes come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import torch
from moshi.models import LMModel, loaders
from moshi.modules.lora import LoRALinear, replace_all_linear_with_lora
from torch import Tensor, nn
from torch.nn import functional

from app.errors import UserError
from training.loss import LossWeights, compute_loss
from training.quantized import quantize_linear
from training.speed import prepare_for_training

LEARNING_RATE = 2e-6
SCALING = 2.0
CLIP = 1.0
ADAMW: dict[str, Any] = {"lr": LEARNING_RATE, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
"""Settings of kyutai-labs/moshi-finetune's example, on both sides."""

Frozen = dict[str, Tensor]
"""Weights of a base by name, as random as they are; both sides may share them."""


class Side(Protocol):
    """One way to train."""

    def step(self, codes: Tensor) -> float:
        """Learn from codes [B, K, T] on the device and return the loss that was, in nats."""
        ...

    def resident(self) -> Iterator[Tensor]:
        """Yield what is held between steps: weights, copies of them, gradients, the optimiser's state."""
        ...


class Ours:
    """What `aizuchi train` does with one batch."""

    def __init__(
        self,
        lm: LMModel,
        *,
        checkpointing: bool = True,
        kept_layers: int = 0,
        compile: bool = True,
        chunk_frames: int = 512,
        optimizer: str = "adamw",
    ) -> None:
        prepare_for_training(lm, checkpointing=checkpointing, compile=compile, kept_layers=kept_layers)
        self._lm = lm
        self._chunk_frames = chunk_frames
        self._trained = [weight for weight in lm.parameters() if weight.requires_grad]
        self._optimizer = _make_optimizer(optimizer, self._trained, lm.device)
        # As Accelerate does in mixed precision; with a base in float32 there is none.
        self._mixed = torch.autocast(lm.device.type, torch.bfloat16, enabled=lm.dtype == torch.bfloat16)

    def step(self, codes: Tensor) -> float:
        """Learn from codes [B, K, T] and return the loss that was."""
        with self._mixed:
            loss = compute_loss(self._lm, codes, LossWeights(), chunk_frames=self._chunk_frames).value
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._trained, CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def resident(self) -> Iterator[Tensor]:
        """Yield what is held between steps."""
        return _resident(self._lm, self._optimizer)


class Kyutai:
    """What kyutai-labs/moshi-finetune does with one batch that is encoded already."""

    def __init__(self, lm: LMModel) -> None:
        lm.transformer.checkpointing = lm.depformer.checkpointing = True
        self._lm = lm
        self._dtype = lm.dtype
        self._trained = [weight for weight in lm.parameters() if weight.requires_grad]
        self._exact = [weight.detach().float() for weight in self._trained]
        for weight in self._trained:
            weight.data = weight.data.to(self._dtype)
        self._optimizer = torch.optim.AdamW(lm.parameters(), **ADAMW)

    def step(self, codes: Tensor) -> float:
        """Learn from codes [B, K, T] and return the loss that was."""
        self._optimizer.zero_grad()
        loss = self._loss(codes)
        torch.autograd.backward(loss)
        rounded = [weight.data for weight in self._trained]
        for weight, exact in zip(self._trained, self._exact, strict=True):
            grad = weight.grad
            assert grad is not None
            weight.grad = None
            weight.data, weight.grad = exact, grad.float()
        nn.utils.clip_grad_norm_(self._lm.parameters(), CLIP)
        self._optimizer.step()
        for weight, kept in zip(self._trained, rounded, strict=True):
            kept.copy_(weight.data)
            grad = weight.grad
            weight.grad = None
            weight.data = kept
            weight.grad = grad.to(self._dtype) if grad is not None else None
        return float(loss.detach())

    def resident(self) -> Iterator[Tensor]:
        """Yield what is held between steps."""
        yield from _resident(self._lm, self._optimizer)
        yield from self._exact

    def _loss(self, codes: Tensor) -> Tensor:
        lm, weights = self._lm, LossWeights()
        output = lm(codes)
        first = lm.audio_offset
        text, audio = codes[:, :first], codes[:, first : first + lm.dep_q]
        padding = (text == lm.text_padding_token_id) | (text == lm.end_of_text_padding_id)
        text_weights = torch.where(padding, weights.text_padding, 1.0)
        audio_weights = torch.ones(audio.shape, device=audio.device)
        audio_weights[:, :: lm.n_q // 2] = weights.semantic
        return _masked_mean(output.text_logits, text, output.text_mask, text_weights) + _masked_mean(
            output.logits, audio, output.mask, audio_weights
        )


def _resident(lm: LMModel, optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    yield from lm.buffers()
    for weight in lm.parameters():
        yield weight
        if weight.grad is not None:
            yield weight.grad
    for state in optimizer.state.values():
        yield from (each for each in state.values() if isinstance(each, Tensor))


def _masked_mean(logits: Tensor, targets: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    """Return the mean by weight of the cross-entropy where `mask` holds, []."""
    known, weights = targets.where(mask, 0), weights * mask
    crossed = functional.cross_entropy(logits.flatten(0, -2).float(), known.flatten(), reduction="none")
    crossed = torch.where(mask.flatten(), crossed * weights.flatten(), 0.0)
    return crossed.sum() / weights.sum()


def _make_optimizer(name: str, trained: list[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    if name == "adamw":
        return torch.optim.AdamW(trained, fused=device.type == "cuda", **ADAMW)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as fault:
        raise UserError("bitsandbytes is not installed.", "Measure with --optimizer adamw.") from fault
    made: torch.optim.Optimizer = AdamW8bit(trained, **ADAMW)
    return made


class Place(NamedTuple):
    """Which model, where and as what."""

    config: dict[str, Any]
    """LMModel's arguments."""
    device: torch.device
    dtype: torch.dtype
    """Of the base and of activations."""

    def outline(self) -> LMModel:
        """Return the model without memory."""
        with torch.device("meta"):
            lm: LMModel = loaders.get_moshi_lm(None, self.config, device="meta", dtype=self.dtype)
        return lm


def draw_base(place: Place) -> Frozen:
    """Return random weights of a base, made on the device; the same each time."""
    return dict(_draw_each(place))


def build(place: Place, base: Frozen | None, rank: int, bits: int) -> LMModel:
    """Return a model with a base, in 8 or 4 bits where asked, and a new adapter in float32.

    Without a base its weights are drawn one by one, so that all of it never exists in 16 bits.
    """
    lm = place.outline()
    with torch.device("meta"):
        replace_all_linear_with_lora(lm, rank, SCALING)
    for name, weight in _draw_each(place) if base is None else base.items():
        path, _, leaf = name.rpartition(".")
        module = lm.get_submodule(path)
        if isinstance(module, LoRALinear):
            module.frozen_W = quantize_linear(weight, bits)
        else:
            setattr(module, leaf, nn.Parameter(weight, requires_grad=False))
    generator = torch.Generator(place.device).manual_seed(1)
    for module in lm.modules():
        if isinstance(module, LoRALinear):
            _draw_adapter(module, generator)
    return lm.train()


def _draw_adapter(lora: LoRALinear, generator: torch.Generator) -> None:
    """Draw A and B, both of them so that what the adapter adds is small and not nothing."""
    for part in (lora.lora_A, lora.lora_B):
        drawn = torch.randn(part.weight.shape, generator=generator, device=generator.device)
        # Rounded as the other side keeps it, so that both begin with the same.
        part.weight = nn.Parameter((drawn * 0.1 * part.in_features**-0.5).bfloat16().float())


def _draw_each(place: Place) -> Iterator[tuple[str, Tensor]]:
    generator = torch.Generator(place.device).manual_seed(0)
    for name, like in place.outline().named_parameters():
        if "norm" in name:
            yield name, torch.ones(like.shape, device=place.device, dtype=place.dtype)
            continue
        drawn = torch.empty(like.shape, device=place.device, dtype=place.dtype)
        yield name, drawn.normal_(generator=generator).mul_(like.shape[-1] ** -0.5)
