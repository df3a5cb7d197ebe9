"""How a part of the codec learns: step by step, saved often, taken up again bit for bit.

Knows nothing about what is learnt from, or what is lost.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from moshi.quantization.core_vq import EuclideanCodebook
from torch import Tensor, nn

from app.files import replacing
from training.progress import Progress

STATE = "state.pt"

_WARMUP_STEPS = 200
_SAVE_EVERY = 250


class Kept(Protocol):
    """What is saved beside the model."""

    def state_dict(self) -> Any:
        """Return what it depends on."""

    def load_state_dict(self, state: Any, /) -> Any:
        """Take it up again."""


class Average:
    """The exponential moving average of some weights."""

    def __init__(self, weights: Iterable[nn.Parameter], decay: float) -> None:
        self._decay = decay
        self._weights = [weight.detach().clone() for weight in weights]

    def update(self, weights: Sequence[nn.Parameter]) -> None:
        """Take in what the weights are now."""
        for average, weight in zip(self._weights, weights, strict=True):
            average.lerp_(weight.detach(), 1 - self._decay)

    def write(self, weights: Sequence[nn.Parameter]) -> None:
        """Let the weights be their average."""
        for average, weight in zip(self._weights, weights, strict=True):
            weight.data.copy_(average)

    def state_dict(self) -> list[Tensor]:
        """Return the averages."""
        return self._weights

    def load_state_dict(self, weights: Sequence[Tensor]) -> None:
        """Go on with the averages of before."""
        self._weights = [weight.clone() for weight in weights]


class Trainer(ABC):
    """Trains some parameters of a model. Whatever a batch is made of follows from `step`."""

    def __init__(
        self, folder: Path, model: nn.Module, learning: Iterable[nn.Parameter], *, steps: int, peak: float
    ) -> None:
        self._folder, self._model = folder, model
        self._learning = list(learning)
        self._steps, self._peak = steps, peak
        self._optimizer = torch.optim.AdamW(self._learning, lr=0.0, betas=(0.8, 0.99), weight_decay=0.0)
        self._averages: dict[str, float] = {}
        self._beside: Mapping[str, Kept] = {}
        self.step = 0

    @abstractmethod
    def losses(self) -> dict[str, Tensor]:
        """Return what is to become small in this step, each a scalar."""

    def run(self, name: str) -> None:
        """Take all steps that are left."""
        self._resume()
        with Progress(name, self._steps, "steps", as_json=False) as progress:
            progress.advance(self.step)
            while self.step < self._steps:
                self.learn()
                progress.advance(1)

    def learn(self) -> None:
        """Take one step."""
        self.set_rate(self._optimizer)
        losses = self.losses()
        self._optimizer.zero_grad()
        self.descend(losses)
        nn.utils.clip_grad_norm_(self._learning, 1.0)
        self._optimizer.step()
        self.stepped()
        self.step += 1
        self._note({name: float(loss.detach()) for name, loss in losses.items()})

    def descend(self, losses: dict[str, Tensor]) -> None:
        """Give every parameter its gradient: that of the sum."""
        torch.autograd.backward(torch.stack(list(losses.values())).sum())

    def stepped(self) -> None:
        """Do what follows a step of the weights, before anything is saved."""
        return

    def set_rate(self, optimizer: torch.optim.Optimizer) -> None:
        """Let an optimizer go as fast as it should in this step."""
        for group in optimizer.param_groups:
            group["lr"] = self._peak * rate(self.step, self._steps)

    def forget(self) -> None:
        """Remove what is only needed to go on."""
        (self._folder / STATE).unlink(missing_ok=True)

    def _note(self, losses: dict[str, float]) -> None:
        for name, loss in losses.items():
            self._averages[name] = 0.98 * self._averages.get(name, loss) + 0.02 * loss
        if self.step % _SAVE_EVERY == 0:
            self.save()
            with (self._folder / "losses.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.step, **self._averages}) + "\n")

    def save(self) -> None:
        """Write all that the next step depends on."""
        state = {
            "step": self.step,
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "averages": self._averages,
            "beside": {name: each.state_dict() for name, each in self._beside.items()},
            # moshi counts in no buffer how many steps are left until unused codes are replaced.
            "unused": [codebook._next_unused_check for codebook in self._codebooks()],
        }
        with replacing(self._folder / STATE) as part:
            torch.save(state, part)

    def _resume(self) -> None:
        if not (self._folder / STATE).exists():
            return
        state = torch.load(self._folder / STATE, weights_only=True)
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.step, self._averages = state["step"], state["averages"]
        for name, each in self._beside.items():
            each.load_state_dict(state["beside"][name])
        for codebook, left in zip(self._codebooks(), state["unused"], strict=True):
            codebook._next_unused_check = left

    def _codebooks(self) -> list[EuclideanCodebook]:
        return [module for module in self._model.modules() if isinstance(module, EuclideanCodebook)]


def rate(step: int, steps: int) -> float:
    """Return the learning rate of a step against its peak: up at first, then a cosine down to 2 %."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / _WARMUP_STEPS) * (0.02 + 0.98 * cosine)
