"""The language model as a step a frame: ours or moshi's LMGen.

Knows nothing about sound or about text as letters.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Protocol

import torch
import torch.nn.functional as F
from moshi.models import LMGen, LMModel
from torch import Tensor

from app.engine.choice import MOSHIS, Situation, choose_engine
from app.engine.events import AUTO, KVS, Sampling
from app.engine.fast.frame import FrameStep, uncovered
from app.engine.fast.layers import Ops
from app.engine.penalty import Penalty


class Stepper(Protocol):
    """Hears and says the codes of one frame at a time, for one talk."""

    lm: LMModel
    engine: str
    """One of app.engine.events.ENGINES."""

    def step(self, heard: Tensor) -> Tensor | None:
        """Return what to say, [1, 1 + dep_q, 1], for codes [1, K, 1]; None while the delays fill."""

    def feed(self, heard: Tensor, x: Tensor) -> None:
        """Go through a frame whose temporal input [1, dim] is given; nothing is drawn, `force` says what was.

        `heard` are the codes [1, K, 1] of the user at that time.
        """

    def force(self, text: int | None, codes: Tensor) -> None:
        """Put what was to be said in the place of what was drawn last, at the frame that it is fed in.

        None, and a negative number among the codes [dep_q], leave what was drawn. With delays a frame's codes
        are fed in at different frames: those of one call are.
        """

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""

    def reset(self) -> None:
        """Forget the talk."""

    def close(self) -> None:
        """Give back what the step holds beside the weights."""


def make_stepper(
    lm: LMModel,
    engine: str = AUTO,
    *,
    packed: bool = False,
    kv: str = KVS[0],
    compiled: bool = False,
    graph: bool = True,
) -> Stepper:
    """Return the step of a model, of the engine wished for; `packed` tells that its weights are in few bits.

    `kv` is one of KVS. `compiled` tells that Triton can compile for the device, without which ours is in
    plain torch; without `graph` no frame of ours is captured.

    Left to itself it is the one of `app.engine.choice` for a device that was not tested. Raises UserError
    where the wish, or what is packed, and the model do not go together.
    """
    on_card = lm.device.type == "cuda"
    is_packed = "few bits" if packed or kv != KVS[0] else ""
    here = Situation("The model", uncovered=uncovered(lm), packed=is_packed, on_card=on_card)
    if choose_engine(engine, here).engine == MOSHIS:
        return MoshiStepper(lm)
    return FrameStep(lm, make_ops() if on_card and compiled else None, kv, captured=on_card and graph)


def make_ops() -> Ops:
    """Return the kernels. Imported late: processors have no use for Triton."""
    from app.engine.fast.fused import Fused

    return Fused()


class MoshiStepper:
    """A Stepper over LMGen, which stays in streaming mode until `close`."""

    engine = "moshi"

    def __init__(self, lm: LMModel) -> None:
        self.lm = lm
        self._penalty = Penalty((lm.text_padding_token_id, lm.end_of_text_padding_id), lm.device)
        self._life = ExitStack()
        # A model without conditions still has to be given none: LMGen asserts it.
        self._lm_gen = LMGen(
            lm,
            condition_tensors={},
            on_text_logits_hook=self._penalty.apply,
            on_text_hook=self._penalty.note,
        )
        with torch.no_grad():
            self._life.enter_context(self._lm_gen.streaming(1))

    def step(self, heard: Tensor) -> Tensor | None:
        """Return what to say, [1, 1 + dep_q, 1]."""
        said: Tensor | None = self._lm_gen.step(heard)
        return said

    @torch.no_grad()
    def feed(self, heard: Tensor, x: Tensor) -> None:
        """Go through a frame with a temporal input [1, dim], as LMGen does with that of its tokens."""
        state, hears = self._lm_gen._streaming_state, self.lm.num_codebooks - self.lm.dep_q - 1
        assert state is not None, "streaming"
        delays = self._lm_gen.delays_cuda[-hears:, None]
        writes = (state.offsets[:, None, None] + delays) % state.cache.shape[2]
        state.cache[:, -hears:].scatter_(2, writes, heard[:, :hears])
        self.lm.transformer(x.to(self.lm.dtype)[None])
        state.offsets = state.offsets + 1
        state.offset_cpu += 1

    @torch.no_grad()
    def force(self, text: int | None, codes: Tensor) -> None:
        """Put what was to be said in the place of what was drawn last, where LMGen reads it."""
        state = self._lm_gen._streaming_state
        assert state is not None, "streaming"
        said = state.cache[0, : 1 + self.lm.dep_q]
        place = (state.offsets % said.shape[1]).expand(len(said), 1)
        drawn = said.gather(1, place)[:, 0]
        forced = F.pad(codes, (1, 0), value=-1 if text is None else text)
        said.scatter_(1, place, torch.where(forced < 0, drawn, forced)[:, None])
        if text is not None:
            # The word that was drawn was never said.
            self._penalty.reset()

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""
        self._penalty.set(sampling.repetition_penalty, sampling.repetition_frames)
        lm_gen, state = self._lm_gen, self._lm_gen._streaming_state
        baked = (lm_gen.use_sampling, lm_gen.temp, lm_gen.top_k)
        lm_gen.use_sampling = not sampling.greedy
        lm_gen.temp_text, lm_gen.top_k_text = sampling.text_temperature, sampling.text_top_k
        lm_gen.temp, lm_gen.top_k = sampling.audio_temperature, sampling.audio_top_k
        if baked != (lm_gen.use_sampling, lm_gen.temp, lm_gen.top_k):
            # The depth transformer's CUDA graph holds these as constants; it is captured anew.
            assert state is not None, "streaming"
            # Before the first frame, or after it, it may have to compile, which a capture does not allow.
            state.graphed_depth.reset(warmup_steps=1)

    def reset(self) -> None:
        """Forget the talk."""
        self._lm_gen.reset_streaming()
        self._penalty.reset()

    def close(self) -> None:
        """Leave streaming mode."""
        self._life.close()
