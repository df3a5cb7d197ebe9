"""The arithmetic of a frame in plain torch: what processors use, and what the kernels are held against."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.engine.fast.layers import Activation, Norm, Place, Ring
from app.engine.fast.quantized import QuantizedLinear
from app.engine.fast.streams import Streams, hear, say
from app.engine.fast.tables import Joined, Row, Table, look_up
from app.engine.penalty import Recent, lower


class Plain:
    """An Ops."""

    def hear(self, streams: Streams, heard: Tensor) -> Tensor:
        """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""
        return hear(streams, heard)

    def say(self, streams: Streams, said: Tensor) -> Tensor:
        """Take in what the first streams say, [n], and go on a frame; return what is to be said, [n, 1]."""
        return say(streams, said)

    def embed(self, tokens: Tensor, first: Table, others: Joined) -> Tensor:
        """Return the sum [1, C] of the rows of tokens [1 + n], the first one's in a table of its own."""
        rest = look_up(others.table, tokens[1:] + others.starts).sum(0, keepdim=True)
        return rest + look_up(first, tokens[:1])

    def normalize(self, x: Tensor, norm: Norm | None) -> Tensor:
        """Return x normalised, or as it is."""
        if norm is None:
            return x
        shape = norm.weight.shape
        if norm.mean_free:
            return F.layer_norm(x, shape, norm.weight, norm.bias, norm.eps)
        if norm.exact:
            return F.rms_norm(x.float(), shape, norm.weight.float(), norm.eps).to(x.dtype)
        return F.rms_norm(x, shape, norm.weight, norm.eps)

    def project(self, x: Tensor, linear: nn.Module, norm: Norm | None = None) -> Tensor:
        """Return the linear map of x."""
        return _multiply(self.normalize(x, norm), linear)

    def gate(self, x: Tensor, linear: nn.Module, norm: Norm | None, activation: Activation) -> Tensor:
        """Return activation(a) * b for the halves a and b of the map of x."""
        gate, up = _multiply(self.normalize(x, norm), linear).chunk(2, dim=-1)
        return activation(gate) * up

    def add(self, to: Tensor | Row, x: Tensor, linear: nn.Module, scale: Tensor | None = None) -> Tensor:
        """Return `to`, which may be a row of a table, + scale * the linear map of x."""
        to = look_up(*to) if isinstance(to, Row) else to
        if isinstance(linear, nn.Linear) and linear.bias is None and scale is None:
            return torch.addmm(to, x, linear.weight.t())
        mapped = _multiply(x, linear)
        return to + (mapped if scale is None else scale * mapped)

    def attend(self, qkv: Tensor, ring: Ring, place: Place) -> Tensor:
        """Return what is heard of a ring, which takes in this position first."""
        qkv = qkv.view(3, ring.numbers.shape[1], 1, -1)
        if place.rotation is not None:
            _rotate(qkv[:2], place.rotation, place.interleaved)
        keys, values = _remember(ring, qkv[1:], place)
        # [1, filled]: a mask has a row for each query.
        mask = None if place.mask is None else place.mask[None]
        return F.scaled_dot_product_attention(qkv[0][None], keys, values, mask).view(1, -1)

    def penalize(self, logits: Tensor, recent: Recent) -> None:
        """Lower the logits [1, N] of recent tokens in place."""
        lower(logits[0], recent)

    def draw(self, logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
        """Return a token [1] of the likeliest `top_k` [1] for logits [1, N] and exponential noise [N]."""
        return race(logits, noise, temperature, top_k).argmax(dim=-1, keepdim=True)


def race(logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
    """Return a score [N] for each token, of which the largest is drawn; -1 for those that are not.

    p / noise, with exponential noise, is the largest for a token as often as p says ("exponential races").
    """
    scores, tokens = logits[0].float().sort(descending=True, stable=True)
    # Not divided by their sum, which is the same for all.
    scores = torch.exp((scores - scores[0]) / temperature) / noise[tokens]
    ranks = torch.arange(len(scores), device=scores.device)
    return torch.empty_like(scores).scatter_(0, tokens, torch.where(ranks < top_k, scores, -1.0))


def _remember(ring: Ring, new: Tensor, place: Place) -> Tensor:
    """Put a key and a value [2, H, 1, D] into a ring; return what it holds [2, 1, H, filled, D]."""
    if ring.scale is None:
        ring.numbers.index_copy_(2, place.slot, new)
        return ring.numbers[:, None, :, : place.filled]
    scale = new.float().abs().amax(dim=-1) / 127
    codes = (new.float() / scale.clamp(min=torch.finfo(torch.float32).tiny)[..., None]).round()
    ring.numbers.index_copy_(2, place.slot, codes.to(torch.int8))
    ring.scale.index_copy_(2, place.slot, scale)
    held = ring.numbers[:, :, : place.filled].float() * ring.scale[:, :, : place.filled, None]
    return held.to(new.dtype)[:, None]


def _multiply(x: Tensor, linear: nn.Module) -> Tensor:
    if isinstance(linear, QuantizedLinear):
        return linear.forward(x)
    assert isinstance(linear, nn.Linear), "the only other kind"
    return F.linear(x, linear.weight, linear.bias)


def _rotate(pairs: Tensor, rotation: Tensor, interleaved: bool) -> None:
    """Turn queries and keys [2, H, 1, D] in place, in float32."""
    if interleaved:
        split = pairs.float().view(*pairs.shape[:-1], -1, 2)
    else:
        split = pairs.float().view(*pairs.shape[:-1], 2, -1).transpose(-1, -2).contiguous()
    turned = torch.view_as_real(torch.view_as_complex(split) * rotation)
    if not interleaved:
        turned = turned.transpose(-1, -2)
    pairs.copy_(turned.flatten(-2))
