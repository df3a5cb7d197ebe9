"""The language model as a step a frame: ours where it covers the model and was measured, else moshi's LMGen.

Knows nothing about sound or about text as letters.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

import torch
from moshi.models import LMGen, LMModel
from torch import Tensor

from app.engine.events import Sampling
from app.engine.fast.frame import FrameStep, uncovered

Hook = Callable[[Tensor], None]


class Stepper(Protocol):
    """Hears and says the codes of one frame at a time, for one talk."""

    lm: LMModel

    def step(self, heard: Tensor) -> Tensor | None:
        """Return what to say, [1, 1 + dep_q, 1], for codes [1, K, 1]; None while the delays fill."""

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""

    def reset(self) -> None:
        """Forget the talk."""

    def close(self) -> None:
        """Give back what the step holds beside the weights."""


def make_stepper(lm: LMModel, on_text_logits: Hook, on_text: Hook) -> Stepper:
    """Return the step of a model; the hooks are those of LMGen.

    On a graphics card it is moshi's own: ours was never timed on one.
    """
    if lm.device.type == "cpu" and not uncovered(lm):
        return FrameStep(lm, on_text_logits, on_text)
    return MoshiStepper(lm, on_text_logits, on_text)


class MoshiStepper:
    """A Stepper over LMGen, which stays in streaming mode until `close`."""

    def __init__(self, lm: LMModel, on_text_logits: Hook, on_text: Hook) -> None:
        self.lm = lm
        self._life = ExitStack()
        # A model without conditions still has to be given none: LMGen asserts it.
        self._lm_gen = LMGen(
            lm, condition_tensors={}, on_text_logits_hook=on_text_logits, on_text_hook=on_text
        )
        with torch.no_grad():
            self._life.enter_context(self._lm_gen.streaming(1))

    def step(self, heard: Tensor) -> Tensor | None:
        """Return what to say, [1, 1 + dep_q, 1]."""
        said: Tensor | None = self._lm_gen.step(heard)
        return said

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""
        lm_gen, state = self._lm_gen, self._lm_gen._streaming_state
        baked = (lm_gen.use_sampling, lm_gen.temp, lm_gen.top_k)
        lm_gen.use_sampling = not sampling.greedy
        lm_gen.temp_text, lm_gen.top_k_text = sampling.text_temperature, sampling.text_top_k
        lm_gen.temp, lm_gen.top_k = sampling.audio_temperature, sampling.audio_top_k
        if baked != (lm_gen.use_sampling, lm_gen.temp, lm_gen.top_k):
            # The depth transformer's CUDA graph holds these as constants; it is captured anew.
            assert state is not None, "streaming"
            state.graphed_depth.reset()

    def reset(self) -> None:
        """Forget the talk."""
        self._lm_gen.reset_streaming()

    def close(self) -> None:
        """Leave streaming mode."""
        self._life.close()
