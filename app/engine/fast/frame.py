"""A frame of the language model: the tokens heard in, the tokens to say out, as moshi's LMGen gives them.

All state is in tensors that keep their place, so that a frame can be captured as one CUDA graph; what depends
on time alone is worked out once a frame, and attention looks at filled slots alone. Knows nothing about
sound.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from moshi.models import LMModel
from moshi.modules.transformer import StreamingTransformer
from moshi.utils.compile import CUDAGraphed
from torch import Tensor

from app.engine.events import KVS, Sampling
from app.engine.fast import layers, streams, tables
from app.engine.fast.layers import Ops, Place, Ring, Stack
from app.engine.fast.plain import Plain
from app.engine.fast.sampling import Sampler
from app.engine.fast.tables import Row
from app.engine.penalty import Penalty


def uncovered(lm: LMModel) -> str:
    """Return what a model has that FrameStep does not cover, '' for nothing."""
    if lm.depformer is None:
        return "no depth transformer"
    if lm.fuser is not None:
        return "conditions"
    if not all(map(tables.is_table, (*lm.emb, lm.text_emb, lm.depformer_text_emb, *lm.depformer_emb))):
        return "embeddings of another kind"
    if lm.depformer.rope is not None:
        return "rotary embeddings in depth"
    if not all(layers.is_linear(each) for each in (lm.text_linear, *lm.linears, *lm.depformer_in)):
        return "linear layers of another kind"
    return layers.uncovered(lm.transformer) or layers.uncovered(lm.depformer)


class FrameStep:
    """A Stepper of a model that `uncovered` has nothing against.

    On a processor the same seed draws the tokens of LMGen. On a graphics card a frame is one CUDA graph, in
    which sampling changes; only for another number of frames that the penalty looks back, the next frame runs
    as it is and the one after it is captured anew.
    """

    engine = "fast"

    def __init__(
        self, lm: LMModel, ops: Ops | None = None, kv: str = KVS[0], *, captured: bool | None = None
    ) -> None:
        """Begin a talk; `kv`, one of KVS, is how keys and values of the temporal transformer are kept.

        `captured` tells whether a frame is one CUDA graph; left to itself it is on a graphics card.
        """
        self.lm = lm
        self._packed_kv = kv == "int8"
        self._ops = ops or Plain()
        # A captured graph can not look at more slots from frame to frame: there the mask tells.
        self._captured = lm.device.type == "cuda" if captured is None else captured
        exempt = lm.text_padding_token_id, lm.end_of_text_padding_id
        self._penalty = Penalty(exempt, lm.device, captured=self._captured)
        self._graph = CUDAGraphed(self._frame, disable=not self._captured)
        self._text_sampler, self._code_sampler = (
            Sampler(card, lm.device) for card in (lm.text_card, lm.card)
        )
        self._texts = int(lm.text_linear.out_features)
        # Drawn all at once: a frame has a number for every token that it could draw.
        self._noise = torch.ones(self._texts + lm.dep_q * lm.card, device=lm.device)
        self.set_sampling(Sampling())
        self._norm = layers.take_norm(lm.out_norm)
        self._depth_norms = [layers.take_norm(norm) for norm in lm.depformer_norms]
        schedule = lm.depformer_weights_per_step_schedule or range(lm.dep_q)
        self._depth_in = [lm.depformer_in[at if lm.depformer_multi_linear else 0] for at in schedule]
        self._code_embeddings = tables.join([*lm.emb])
        self._text_embedding = tables.take(lm.text_emb)
        self._depth_embeddings = [tables.take(each) for each in (lm.depformer_text_emb, *lm.depformer_emb)]
        self._interleaved = lm.transformer.positional_embedding == "rope"
        self._begin()

    def _begin(self) -> None:
        """Make the state of a talk."""
        lm, device = self.lm, self.lm.device
        attention = lm.transformer.layers[0].self_attn
        assert attention.context is not None, "a talk has a ring"
        self.context = int(attention.context)
        like = torch.empty(0, device=device, dtype=lm.dtype)
        depth = cast(StreamingTransformer, lm.depformer)
        self._temporal = Stack(lm.transformer, self.context, like, self._ops, packed_kv=self._packed_kv)
        self._depth = Stack(depth, lm.dep_q, like, self._ops)
        self._depth_slots = torch.arange(lm.dep_q, device=device)[:, None]
        self._turns = layers.frequencies(lm.transformer.rope, lm.dim // attention.num_heads, device)
        self._slots = torch.arange(self.context, device=device)
        initial = lm._get_initial_token()[0, :, 0]
        self._streams = streams.begin(initial, lm.delays, lm.ungenerated_token_id)
        self._hears = lm.num_codebooks - lm.dep_q - 1
        self._steps = 0

    @property
    def rings(self) -> tuple[Ring, ...]:
        """Return the keys and values of the temporal transformer, of each layer."""
        return self._temporal.rings

    @property
    def ring_bytes(self) -> int:
        """Return what the keys and values of the temporal transformer take."""
        return self._temporal.ring_bytes

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""
        self._text_sampler.set(
            greedy=sampling.greedy, temperature=sampling.text_temperature, top_k=sampling.text_top_k
        )
        self._code_sampler.set(
            greedy=sampling.greedy, temperature=sampling.audio_temperature, top_k=sampling.audio_top_k
        )
        if self._penalty.set(sampling.repetition_penalty, sampling.repetition_frames):
            # Kernels may be compiled in the first call, which a capture does not allow.
            self._graph.reset(warmup_steps=1)

    def close(self) -> None:
        """Do nothing: the rings go with the step."""

    def reset(self) -> None:
        """Forget the talk."""
        self._streams.position.zero_()
        self._penalty.reset()
        self._streams.tokens.fill_(self.lm.ungenerated_token_id)
        self._steps = 0

    def age(self, frames: int) -> None:
        """Let the talk be so many frames old; what was heard and said last stays, and the rest is blank."""
        # What is fed in next has to be found at the new place in the ring, and a token that was never made
        # is no row of any table.
        tokens, initial, _, position = self._streams
        fed = torch.where(tokens == self.lm.ungenerated_token_id, initial[:, None], tokens)
        tokens.copy_(fed.roll(frames - self._steps, dims=1))
        self._steps = frames
        position.fill_(frames)

    @torch.no_grad()
    def step(self, heard: Tensor) -> Tensor | None:
        """Return what to say, [1, 1 + dep_q, 1] int64: text and codes; None while the delays fill.

        `heard` are the codes [1, K, 1] of the user, in 0..card-1.
        """
        self._steps += 1
        filled = self.context if self._captured else min(self._steps, self.context)
        said: Tensor = self._graph(heard[0, : self._hears], filled)
        return said[None] if self._steps > self._streams.max_delay else None

    @torch.no_grad()
    def feed(self, heard: Tensor, x: Tensor) -> None:
        """Go through a frame whose temporal input [1, dim] is given; nothing is drawn, `force` says what was.

        `heard` are the codes [1, K, 1] of the user at that time.
        """
        self._steps += 1
        filled = self.context if self._captured else min(self._steps, self.context)
        self._ops.hear(self._streams, heard[0, : self._hears])
        self._temporal_step(x.to(self.lm.dtype), filled)
        self._streams.position.add_(1)

    @torch.no_grad()
    def force(self, text: int | None, codes: Tensor) -> None:
        """Put what was to be said in the place of what was drawn last, at the frame that it is fed in.

        None, and a negative number among the codes [dep_q], leave what was drawn.
        """
        said = self._streams.tokens[: 1 + self.lm.dep_q]
        place = (self._streams.position % said.shape[1]).expand(len(said), 1)
        drawn = said.gather(1, place)[:, 0]
        forced = F.pad(codes, (1, 0), value=-1 if text is None else text)
        said.scatter_(1, place, torch.where(forced < 0, drawn, forced)[:, None])
        if text is not None:
            # The word that was drawn was never said.
            self._penalty.reset()

    def _frame(self, heard: Tensor, filled: int) -> Tensor:
        """Return text and codes to say [1 + dep_q, 1], looking at so many slots of the rings."""
        now = self._ops.hear(self._streams, heard)
        if self._captured:
            self._noise.exponential_()
        x = self._ops.embed(now, self._text_embedding, self._code_embeddings)
        x = self._temporal_step(x, filled)
        text = self._draw_text(x)
        return self._ops.say(self._streams, torch.cat([text, *self._draw_codes(x, text)]))

    def _temporal_step(self, x: Tensor, filled: int) -> Tensor:
        """Return the normalised state [1, dim] of this frame."""
        position = self._streams.position
        turn = layers.rotation(self._turns, position)
        mask = self._slots <= position if self._captured else None
        place = Place(position, position % self.context, filled, mask, turn, self._interleaved)
        x = self._temporal.step(x, 0, place)
        return self._ops.normalize(x, self._norm)

    def _draw_text(self, x: Tensor) -> Tensor:
        """Return a text token, [1]."""
        logits = self._ops.project(x, self.lm.text_linear)
        if self._penalty.acts:
            self._ops.penalize(logits, self._penalty.recent)
        token = self._draw(logits[None, None], self._text_sampler, 0)
        self._penalty.note(token)
        return token

    def _draw_codes(self, x: Tensor, token: Tensor) -> list[Tensor]:
        """Return a code [1] for each codebook, one after the other."""
        codes: list[Tensor] = []
        for at, (into, slot, norm) in enumerate(
            zip(self._depth_in, self._depth_slots, self._depth_norms, strict=True)
        ):
            state = self._ops.add(Row(self._depth_embeddings[at], token), x, into)
            place = Place(slot, slot, at + 1, None, None)
            state = self._depth.step(state, at, place)
            logits = self._ops.project(state, self.lm.linears[at], norm)[None, None]
            token = self._draw(logits, self._code_sampler, 1 + at)
            codes.append(token)
        return codes

    def _draw(self, logits: Tensor, sampler: Sampler, stream: int) -> Tensor:
        """Return a token [1] for logits [1, 1, 1, N] of the text, which is stream 0, or of a codebook."""
        if not self._captured:
            return sampler.draw(logits)[0, 0]
        begin = self._texts + (stream - 1) * self.lm.card if stream else 0
        noise = self._noise[begin : begin + logits.shape[-1]]
        return self._ops.draw(logits[0, 0], noise, sampler.temperature, sampler.top_k)
