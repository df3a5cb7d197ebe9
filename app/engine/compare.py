"""How much a model loses in fewer bits: the same tokens forced on both, and what each expected compared.

Left to themselves two models part ways within a few frames, whatever small difference there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from moshi.models import LMModel, MimiModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.engine.events import Sampling
from app.engine.stepper import make_stepper
from app.errors import UserError
from app.frames import Samples

LEAST_FRAMES = 12
"""A second: less says nothing."""


class Agreement(NamedTuple):
    """How near the expectations of one stream are to those of another model."""

    top1: float
    """In so many of the frames the likeliest token is the same."""
    kl: float
    """Kullback-Leibler divergence from the whole model to this, in nats, the mean over the frames."""


def talk_tokens(lm: LMModel, mimi: MimiModel, user: Iterable[Samples], seed: int = 0) -> Tensor:
    """Return the tokens [1, K, T] of a talk that a model holds with a recorded user, delays taken out.

    Raises UserError for a recording that is too short.
    """
    stepper = make_stepper(lm)
    stepper.set_sampling(Sampling())
    torch.manual_seed(seed)
    heard, said = [], []
    with torch.no_grad(), no_compile(), mimi.streaming(1):
        for frame in user:
            codes = mimi.encode(torch.tensor(frame, device=lm.device)[None, None])
            heard.append(codes)
            if (tokens := stepper.step(codes)) is not None:
                said.append(tokens.clone())
    stepper.close()
    if len(said) < LEAST_FRAMES:
        raise UserError("The recording is shorter than a second.", "Choose one of half a minute or so.")
    return torch.cat((torch.cat(said, dim=2), torch.cat(heard, dim=2)[..., : len(said)]), dim=1)


def expectations(lm: LMModel, tokens: Tensor) -> list[Tensor]:
    """Return the logits [T, cardinality] in float32 on the processor of text and of each codebook said."""
    with torch.no_grad(), no_compile():
        out = lm(tokens)
    streams = [(out.text_logits[0, 0], out.text_mask[0, 0])]
    streams += list(zip(out.logits[0], out.mask[0], strict=True))
    return [logits[mask].float().cpu() for logits, mask in streams]


def agreement(whole: Tensor, packed: Tensor) -> Agreement:
    """Compare logits [T, cardinality] of a stream."""
    same = (whole.argmax(dim=-1) == packed.argmax(dim=-1)).float().mean()
    expected, found = F.log_softmax(whole, dim=-1), F.log_softmax(packed, dim=-1)
    kl = F.kl_div(found, expected, reduction="batchmean", log_target=True)
    return Agreement(round(float(same), 4), round(float(kl), 6))
