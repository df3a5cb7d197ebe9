"""The arithmetic of a frame by the kernels: what graphics cards use."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from app.engine.fast import attention, drawing, embedding, norms, passing, products
from app.engine.fast.layers import Activation, Norm, Place, Ring
from app.engine.fast.plain import Plain
from app.engine.fast.streams import Streams
from app.engine.fast.tables import Joined, Row, Table
from app.engine.penalty import Recent


class Fused:
    """An Ops. What no kernel covers, such as a LayerNorm, is left to plain torch."""

    def __init__(self) -> None:
        self._plain = Plain()

    def hear(self, streams: Streams, heard: Tensor) -> Tensor:
        """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""
        return passing.hear(streams, heard)

    def say(self, streams: Streams, said: Tensor) -> Tensor:
        """Take in what the first streams say, [n], and go on a frame; return what is to be said, [n, 1]."""
        return passing.say(streams, said)

    def embed(self, tokens: Tensor, first: Table, others: Joined) -> Tensor:
        """Return the sum [1, C] of the rows of tokens [1 + n], the first one's in a table of its own."""
        return embedding.embed(tokens, first, others)

    def normalize(self, x: Tensor, norm: Norm | None) -> Tensor:
        """Return x normalised, or as it is."""
        if norm is None or norm.mean_free:
            return self._plain.normalize(x, norm)
        return norms.normalize(x, norm)

    def project(self, x: Tensor, linear: nn.Module, norm: Norm | None = None) -> Tensor:
        """Return the linear map of x."""
        x, norm = self._before(x, norm)
        return products.multiply(x, linear, norm=norm)

    def gate(self, x: Tensor, linear: nn.Module, norm: Norm | None, activation: Activation) -> Tensor:
        """Return activation(a) * b for the halves a and b of the map of x."""
        x, norm = self._before(x, norm)
        if activation is F.silu:
            return products.multiply(x, linear, norm=norm, gated=True)
        gate, up = products.multiply(x, linear, norm=norm).chunk(2, dim=-1)
        return activation(gate) * up

    def add(self, to: Tensor | Row, x: Tensor, linear: nn.Module, scale: Tensor | None = None) -> Tensor:
        """Return `to`, which may be a row of a table, + scale * the linear map of x."""
        return products.multiply(x, linear, add=to, scale=scale)

    def attend(self, qkv: Tensor, ring: Ring, place: Place) -> Tensor:
        """Return what is heard of a ring, which takes in this position first."""
        return attention.attend(qkv, ring, place)

    def penalize(self, logits: Tensor, recent: Recent) -> None:
        """Lower the logits [1, N] of recent tokens in place."""
        drawing.penalize(logits, recent)

    def draw(self, logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
        """Return a token [1] of the likeliest `top_k` [1] for logits [1, N] and exponential noise [N]."""
        return drawing.draw(logits, noise, temperature, top_k)

    def _before(self, x: Tensor, norm: Norm | None) -> tuple[Tensor, Norm | None]:
        """Do a norm that the product can not do on its way."""
        if norm is None or not norm.mean_free:
            return x, norm
        return self._plain.normalize(x, norm), None
