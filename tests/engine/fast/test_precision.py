"""Teacher-forced, our step expects what the whole model expects, in half precision and in few bits."""

from __future__ import annotations

import copy

import pytest
import torch
from moshi.models import LMModel
from torch import Tensor

from app.engine import modes
from app.engine.compare import agreement, expectations
from app.engine.fast.frame import FrameStep
from app.engine.fast.sampling import Sampler
from tests.engine.fast.test_frame import build

FRAMES = 40
CONFIG = {"context": FRAMES + 4, "norm": "rms_norm_f32"}


class Forced(FrameStep):
    """Says given tokens, and keeps what it would have drawn them from."""

    def expect(self, tokens: Tensor) -> list[Tensor]:
        """Return the logits [T - max delay, cardinality] for tokens [1, K, T], as `expectations` does."""
        self.at, self.found = 0, [[] for _ in range(1 + self.lm.dep_q)]
        first = self.lm._get_initial_token()[0, :, 0].tolist()
        self.said = [
            [first[stream]] * delay + tokens[0, stream].tolist()
            for stream, delay in enumerate(self.lm.delays[: 1 + self.lm.dep_q])
        ]
        heard = tokens[:, 1 + self.lm.dep_q :]
        for frame in range(tokens.shape[2]):
            self.step(heard[..., max(0, frame - 1), None])
        last = tokens.shape[2] - max(self.lm.delays)
        return [
            torch.cat(found[delay : delay + last]).float()
            for found, delay in zip(self.found, self.lm.delays, strict=False)
        ]

    def _draw(self, logits: Tensor, sampler: Sampler, stream: int) -> Tensor:
        frame = self.at // len(self.found)
        self.at += 1
        self.found[stream].append(logits.view(1, -1).clone())
        return torch.tensor([self.said[stream][frame]])


def tokens_of(lm: LMModel) -> Tensor:
    chance = torch.Generator().manual_seed(3)
    return torch.randint(min(lm.card, lm.text_card), (1, lm.num_codebooks, FRAMES), generator=chance)


def error(found: list[Tensor], exact: list[Tensor]) -> float:
    """Return the root mean square difference over all streams, of the frames that all have."""
    return float(
        torch.cat([(one - whole[: len(one)]).flatten() for one, whole in zip(found, exact, strict=True)])
        .square()
        .mean()
        .sqrt()
    )


def test_forced_in_full_precision_it_expects_what_the_whole_model_expects() -> None:
    lm = build(**CONFIG)
    tokens = tokens_of(lm)
    assert error(Forced(lm).expect(tokens), expectations(lm, tokens)) < 1e-5


def test_half_precision_is_no_further_from_the_truth_than_moshis() -> None:
    lm = build(**CONFIG)
    tokens = tokens_of(lm)
    exact = expectations(lm, tokens)
    lm.to(torch.bfloat16)
    moshi = error(expectations(lm, tokens), exact)
    assert 0 < error(Forced(lm).expect(tokens), exact) <= 1.5 * moshi


@pytest.mark.parametrize(
    ("mode", "kv", "kl"), [("bf16", "int8", 1e-3), ("int8", "bf16", 1e-2), ("int8", "int8", 1e-2)]
)
def test_few_bits_lose_little(mode: str, kv: str, kl: float) -> None:
    lm = build(**CONFIG)
    tokens = tokens_of(lm)
    exact = expectations(lm, tokens)
    packed = copy.deepcopy(lm)
    modes.keep_in(packed, mode)
    state: dict[str, Tensor] = {}
    for name, tensor in lm.state_dict().items():
        state.update(modes.pack(packed, name, tensor))
    packed.load_state_dict(state, assign=True)
    for whole, found in zip(exact, Forced(packed, kv=kv).expect(tokens), strict=True):
        assert 0 < agreement(whole[: len(found)], found).kl < kl


def test_the_ring_in_8_bits_is_half_as_large() -> None:
    lm = build(**CONFIG).to(torch.bfloat16)
    whole, packed = (FrameStep(lm, kv=kv).ring_bytes for kv in ("bf16", "int8"))
    head = lm.dim // lm.transformer.layers[0].self_attn.num_heads
    assert packed / whole == pytest.approx((head + 4) / (2 * head))
