"""Dialogues begun are gone on with: a prompt of both voices in, what the model makes of it out.

Frame by frame through moshi's streaming state, many dialogues side by side. Knows nothing about files.

Everything that is given stays given, to the token. Acoustic codes are predicted one frame late, so at the
seam one step predicts the text and the semantic codes of the first new frame together with the acoustic codes
of the last given one: these are told to the depth transformer in place of being drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from moshi.models import LMModel
from moshi.models.lm_utils import _delay_sequence
from moshi.modules.transformer import StreamingMultiheadAttention, StreamingTransformer
from moshi.utils.compile import CUDAGraphed, no_compile
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from app.errors import UserError
from training.data.align import END_OF_PADDING, PADDING

UNKNOWN = -1
"""The id of LMModel that is no input."""

TO_DRAW = -2
"""The id that LMModel keeps for what is to be generated."""

CHECK_FRAMES = 50
"""How often a model that gives no numbers is looked for: each look waits for the graphics card."""


HALT_FRAMES = 12
"""How often it is asked whether to end: that too may wait for the card, and for other processes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What tells a model that collapsed: few codes, little entropy, or nothing but padding."""

    distinct_codes: int
    """How many codes occur, those of each codebook counted for themselves."""
    entropy_bits: float
    """Of the codes of the first codebook; at most log2 of the number of frames."""
    padding_share: float
    """Share of the text stream, 0..1, that says nothing."""


def collapse_figures(codes: Tensor, text: Tensor) -> Figures:
    """Return the figures of one voice's codes [K, T] and its text [T]; UNKNOWN does not count."""
    counts = [codebook[codebook != UNKNOWN].bincount() for codebook in codes]
    shares = counts[0][counts[0] > 0].double() / counts[0].sum()
    said = text[text != UNKNOWN]
    padding = (said == PADDING) | (said == END_OF_PADDING)
    return Figures(
        distinct_codes=sum(int((count > 0).sum()) for count in counts),
        entropy_bits=abs(float((shares * shares.log2()).sum())),
        padding_share=float(padding.double().mean()) if len(said) else 0.0,
    )


@torch.no_grad()
def continue_dialogues(
    lm: LMModel,
    codes: Tensor,
    prompt_frames: int,
    frames: int,
    *,
    temperature: float = 0.8,
    text_temperature: float = 0.7,
    top_k: int = 0,
    text_top_k: int = 0,
    seed: int | Sequence[int] = 0,
    greedy: bool = False,
    halt: Callable[[], bool] | None = None,
) -> Tensor:
    """Return dialogues [B, 1 + n_q, prompt_frames + frames] int64 that begin as `codes` [B, 1 + n_q, T] do.

    Both are without delays; text, the model's voice, the user's voice. A model with dep_q == n_q speaks for
    both; with another, the codebooks that it does not predict are those of `codes` to the end, and where they
    end early or are UNKNOWN, the last known frame is held. A temperature of 0 is greedy, a top_k of 0 takes
    all tokens.

    Each dialogue draws from a generator of its own, on the model's device: with one `seed` they all draw the
    same numbers (so two equal prompts go on equally), with a list each has its own. So a dialogue goes on in
    the same way alone or beside others, wherever the rounding of the matrix products is the same; the same
    call gives the same tokens.

    The model may have adapters in higher precision and be in training mode; its modes, its context and the
    random state of the caller are afterwards as before. On a card CUDA graphs are captured, during which no
    other thread may allocate memory on it (within moshi's `no_cuda_graph` none are). Raises UserError for
    codes that the model does not know, and when it gives no numbers.

    `halt` is asked each second of dialogue; once it says True, what was not generated yet stays TO_DRAW.
    """
    assert 0 <= prompt_frames <= codes.shape[2], "the prompt is longer than the dialogues"
    _check_codes(lm, codes, prompt_frames)
    seeds = [seed] * len(codes) if isinstance(seed, int) else list(seed)
    assert len(seeds) == len(codes), "as many seeds as dialogues"
    draw = _Draw(
        [torch.Generator(lm.device).manual_seed(each) for each in seeds],
        0.0 if greedy else temperature,
        0.0 if greedy else text_temperature,
        top_k,
        text_top_k,
    )
    positions = _lay_out(lm, codes.to(lm.device), prompt_frames, prompt_frames + frames)
    with _generating(lm, *positions.shape[::2]):
        _fill(lm, positions, draw, halt or _never)
    return _undelay(lm, positions, prompt_frames + frames)


@dataclass(frozen=True, slots=True)
class _Draw:
    """How tokens are drawn: the likeliest after noise, as many independent numbers as there are tokens."""

    generators: Sequence[torch.Generator]
    temperature: float
    text_temperature: float
    top_k: int
    text_top_k: int

    def noise(self, *shape: int) -> Tensor:
        """Return Gumbel noise [B, *shape] float32, each row from its generator."""
        rows = [
            torch.empty(shape, device=generator.device).exponential_(generator=generator)
            for generator in self.generators
        ]
        return -torch.stack(rows).log()

    def text(self, logits: Tensor, noise: Tensor) -> Tensor:
        """Return text tokens [B] for logits [B, text_card]."""
        return _choose(logits, noise, self.text_temperature, self.text_top_k)

    def audio(self, logits: Tensor, noise: Tensor) -> Tensor:
        """Return codes [B] for logits [B, card]."""
        return _choose(logits, noise, self.temperature, self.top_k)


def _choose(logits: Tensor, noise: Tensor, temperature: float, top_k: int) -> Tensor:
    """Return a token [B] for each row of logits [B, card]: Gumbel's maximum is a draw from their softmax."""
    if temperature <= 0:
        return logits.argmax(-1)
    scores = logits.float() / temperature
    if 0 < top_k < logits.shape[-1]:
        least = scores.topk(top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, -math.inf)
    return (scores + noise).argmax(-1)


def _check_codes(lm: LMModel, codes: Tensor, prompt_frames: int) -> None:
    """Raise UserError for an id without an embedding, which would end a process on a graphics card."""
    assert codes.shape[1] == lm.num_codebooks, f"{codes.shape[1]} streams, the model has {lm.num_codebooks}"
    rows = (
        ("text", codes[:, 0, :prompt_frames], lm.text_card),
        ("voices", codes[:, 1 : 1 + lm.dep_q, :prompt_frames], lm.card),
        ("voices", codes[:, 1 + lm.dep_q :], lm.card),
    )
    for what, given, card in rows:
        if given.numel() and not UNKNOWN <= int(given.min()) <= int(given.max()) <= card:
            found = int(given.max()) if given.max() > card else int(given.min())
            raise UserError(
                f"The {what} to go on with hold a token {found}, and the model knows 0 to {card - 1}.",
                "Prepare the dialogues for this model.",
            )


def _lay_out(lm: LMModel, codes: Tensor, prompt_frames: int, frames: int) -> Tensor:
    """Return [B, K, 1 + frames + delay] as the model reads it, delayed and TO_DRAW where nothing is given.

    Position 0 is the beginning; position 1 is what the model predicts from it.
    """
    batch, streams, _ = codes.shape
    wanted = codes.new_full((batch, streams, frames + max(lm.delays)), TO_DRAW)
    others = slice(1 + lm.dep_q, None)
    wanted[:, others] = _hold(codes[:, others], wanted.shape[2])
    wanted[:, :, :prompt_frames] = codes[:, :, :prompt_frames]
    initial = lm._get_initial_token().expand(batch, -1, -1)
    return torch.cat([initial, _delay_sequence(lm.delays, wanted, initial)], dim=2)


def _hold(codes: Tensor, frames: int) -> Tensor:
    """Return [B, K, frames] of [B, K, T], each frame that is UNKNOWN or beyond T like the one before it."""
    if not codes.shape[2]:
        return codes.new_full((*codes.shape[:2], frames), UNKNOWN)
    known = (codes != UNKNOWN).all(1)
    last = torch.arange(codes.shape[2], device=codes.device).where(known, 0).cummax(1).values
    last = torch.cat([last, last[:, -1:].expand(-1, max(0, frames - last.shape[1]))], dim=1)[:, :frames]
    return codes.gather(2, last[:, None].expand(-1, codes.shape[1], -1))


def _undelay(lm: LMModel, positions: Tensor, frames: int) -> Tensor:
    rows = [positions[:, k, 1 + delay : 1 + delay + frames] for k, delay in enumerate(lm.delays)]
    return torch.stack(rows, dim=1)


def _never() -> bool:
    return False


def _fill(lm: LMModel, positions: Tensor, draw: _Draw, halt: Callable[[], bool]) -> None:
    """Predict what is TO_DRAW in positions [B, K, S], in place and in order, until it is to end."""
    eager = positions.device.type != "cuda" or _is_shared_out(lm)
    temporal = CUDAGraphed(lm.forward_text, disable=eager)
    depth = CUDAGraphed(_Depth(lm, draw), disable=eager)
    # What is to be drawn is the same for all dialogues, so the device is asked once.
    to_draw = (positions[0] == TO_DRAW).cpu()
    finite = torch.ones((), dtype=torch.bool, device=positions.device)
    said = slice(1, 1 + lm.dep_q)
    for position in range(1, positions.shape[2]):
        if position % HALT_FRAMES == 0 and halt():
            return
        states, text_logits = temporal(positions[:, :, position - 1 : position])
        text = positions[:, 0, position]
        if to_draw[0, position]:
            logits = text_logits[:, 0, 0]
            finite &= logits.isfinite().all()
            text = draw.text(logits, draw.noise(logits.shape[-1]))
            positions[:, 0, position] = text
        if to_draw[said, position].any():
            noise = draw.noise(lm.dep_q, lm.card)
            tokens, numbers = depth(states, text, positions[:, said, position], noise)
            finite &= numbers
            positions[:, said, position] = tokens
        if position % CHECK_FRAMES == 0 or position == positions.shape[2] - 1:
            _check_finite(finite)


def _is_shared_out(lm: LMModel) -> bool:
    """Return whether several cards hold a part of the model each, so that a step waits for the others."""
    return any(isinstance(parameter, DTensor) for parameter in lm.parameters())


def _check_finite(finite: Tensor) -> None:
    if not finite:
        advice = "Go back to an earlier checkpoint; if there is none, train with lower learning rates."
        raise UserError("The model gives no numbers: its weights are damaged or have diverged.", advice)


class _Depth:
    """One frame through the depth transformer; a function with constants, so that it can be captured."""

    def __init__(self, lm: LMModel, draw: _Draw) -> None:
        self._lm = lm
        self._depformer: StreamingTransformer = lm.depformer
        self._draw = draw

    def __call__(self, states: Tensor, text: Tensor, given: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes [B, dep_q] of a frame, and whether all logits were numbers, [] bool.

        `states` are [B, 1, dim], `text` [B]; `given` [B, dep_q] are codes, or TO_DRAW with noise
        [B, dep_q, card].
        """
        lm, token, tokens = self._lm, text, []
        finite = torch.ones((), dtype=torch.bool, device=text.device)
        with _streaming(self._depformer, len(text)):
            for step in range(lm.dep_q):
                logits = lm.forward_depformer(step, token[:, None, None], states)[:, 0, 0]
                finite = finite & logits.isfinite().all()
                drawn = self._draw.audio(logits, noise[:, step])
                token = torch.where(given[:, step] == TO_DRAW, drawn, given[:, step])
                tokens.append(token)
        return torch.stack(tokens, dim=1), finite


@contextmanager
def _generating(lm: LMModel, batch: int, positions: int) -> Iterator[None]:
    """Let a model generate, and leave it as it was."""
    assert not lm.is_streaming, "this model is in the middle of a talk"
    training = [module for module in lm.modules() if module.training]
    attentions = [
        module for module in lm.transformer.modules() if isinstance(module, StreamingMultiheadAttention)
    ]
    contexts = [attention.context for attention in attentions]
    with ExitStack() as life:
        life.enter_context(_fitting_precision(lm))
        if lm.device.type == "cpu":
            life.enter_context(no_compile())
        try:
            lm.eval()
            for attention, context in zip(attentions, contexts, strict=True):
                # The ring of keys and values takes memory and time for all of the context, used or not.
                attention.context = min(context or positions, positions)
            life.enter_context(_streaming(lm, batch))
            yield
        finally:
            for attention, context in zip(attentions, contexts, strict=True):
                attention.context = context
            for module in training:
                module.training = True


@contextmanager
def _streaming(module: LMModel | StreamingTransformer, batch: int) -> Iterator[None]:
    """Let a module stream, its keys and values kept in the precision in which they come."""
    with module.streaming(batch):
        device = next(module.parameters()).device.type
        if torch.is_autocast_enabled(device):
            for part in module.modules():
                state = getattr(part, "_streaming_state", None)
                if isinstance(part, StreamingMultiheadAttention) and state is not None:
                    state.kv_cache.cache = state.kv_cache.cache.to(torch.get_autocast_dtype(device))
        yield


@contextmanager
def _fitting_precision(lm: LMModel) -> Iterator[None]:
    """Compute in the lower precision where what learns is kept in a higher one than what is frozen."""
    layers = (module for module in lm.modules() if isinstance(module, nn.Linear | nn.Embedding))
    found = {layer.weight.dtype for layer in layers if layer.weight.is_floating_point()}
    device = lm.device.type
    if len(found) < 2 and not torch.is_autocast_enabled(device):
        yield
        return
    if len(found) < 2:
        dtype = torch.get_autocast_dtype(device)
    else:
        dtype = min(found - {torch.float32, torch.float64}, key=str)
    # What is cast inside a CUDA graph must not be found again outside of it.
    with torch.autocast(device, dtype, cache_enabled=False):
        yield
