"""Every operation of a frame held against float32: what it returned, and how far it is off at worst.

Knows nothing about where a frame comes from or what follows from an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.engine.fast.layers import Activation, Norm, Ops, Place, Ring
from app.engine.fast.plain import Plain, race
from app.engine.fast.quantized import Packed, QuantizedLinear, unpack
from app.engine.fast.streams import Streams
from app.engine.fast.tables import Joined, Row, Table
from app.engine.penalty import Recent

ROWS_AT_ONCE = 1024
"""So many rows of a weight are unpacked in float32 at a time."""

FLOAT32_BOUND = 1e-4
"""What products in float32 may differ by relatively, whatever order they are summed in."""


@dataclass(slots=True)
class Worst:
    """The largest relative error of one kind of call, and what is allowed."""

    bound: float
    error: float = 0.0
    calls: int = 0

    @property
    def right(self) -> bool:
        """Return whether it stayed within its bound; what is no number did not."""
        return self.error <= self.bound


@dataclass
class Compared:
    """An Ops that lets another one do the work, and holds each result against float32.

    A product may be off by what its sum in float32 costs (n u, Higham, Accuracy and Stability, section 3.1)
    and one unit in the last place of what it returns: twice what rounding alone can cost.
    """

    ops: Ops
    roundings: int = 1
    """So many results in the type of activations are within a call: plain torch rounds between steps."""
    worst: dict[str, Worst] = field(default_factory=dict)
    _plain: Plain = field(default_factory=Plain)

    def normalize(self, x: Tensor, norm: Norm | None) -> Tensor:
        """Return x normalised, or as it is."""
        y = self.ops.normalize(x, norm)
        self._note(f"normalize {x.shape[-1]}, {_kind(norm)}", y, self._normal(x, norm), x.shape[-1])
        return y

    def hear(self, streams: Streams, heard: Tensor) -> Tensor:
        """Take in what the last streams hear, [k, 1]; return what is fed in at this frame, [K]."""
        beside = _beside(streams)
        now, exact = self.ops.hear(streams, heard), self._plain.hear(beside, heard)
        self._note_equal(f"hear {len(heard)} of {len(now)}", (now, *streams), (exact, *beside))
        return now

    def say(self, streams: Streams, said: Tensor) -> Tensor:
        """Take in what the first streams say, [n], and go on a frame; return what is to be said, [n, 1]."""
        beside = _beside(streams)
        due, exact = self.ops.say(streams, said), self._plain.say(beside, said)
        self._note_equal(f"say {len(due)}", (due, *streams), (exact, *beside))
        return due

    def embed(self, tokens: Tensor, first: Table, others: Joined) -> Tensor:
        """Return the sum [1, C] of the rows of tokens [1 + n], the first one's in a table of its own."""
        y = self.ops.embed(tokens, first, others)
        rest = _look_up(others.table, tokens[1:] + others.starts)
        exact = _look_up(first, tokens[:1]) + rest.sum(0, keepdim=True)
        packed = "whole" if others.table.scale is None else "8 bits"
        self._note(f"embed {len(tokens)} of {y.shape[-1]}, {packed}", y, exact, len(tokens))
        return y

    def project(self, x: Tensor, linear: nn.Module, norm: Norm | None = None) -> Tensor:
        """Return the linear map of x."""
        y = self.ops.project(x, linear, norm)
        exact = _multiply(self._normal(x, norm), linear)
        self._note(f"project {_size(linear)}, {_kind(norm)}", y, exact, x.shape[-1])
        return y

    def gate(self, x: Tensor, linear: nn.Module, norm: Norm | None, activation: Activation) -> Tensor:
        """Return activation(a) * b for the halves a and b of the map of x."""
        y = self.ops.gate(x, linear, norm, activation)
        a, b = _multiply(self._normal(x, norm), linear).chunk(2, dim=-1)
        name = getattr(activation, "__name__", "activation")
        self._note(f"gate {_size(linear)}, {_kind(norm)}, {name}", y, activation(a) * b, x.shape[-1])
        return y

    def add(self, to: Tensor | Row, x: Tensor, linear: nn.Module, scale: Tensor | None = None) -> Tensor:
        """Return `to`, which may be a row of a table, + scale * the linear map of x."""
        y = self.ops.add(to, x, linear, scale)
        mapped = _multiply(x.float(), linear)
        to, kind = (_look_up(*to), f" to a row of {len(to.table.rows)}") if isinstance(to, Row) else (to, "")
        exact = to.float() + (mapped if scale is None else scale.float() * mapped)
        scaled = "" if scale is None else ", scaled"
        self._note(f"add{kind} {_size(linear)}{scaled}", y, exact, x.shape[-1])
        return y

    def attend(self, qkv: Tensor, ring: Ring, place: Place) -> Tensor:
        """Return what is heard of a ring, which takes in this position first."""
        _, heads, slots, dim = ring.numbers.shape
        packed = ring.scale is not None
        # Copies: both sides write into what they are given.
        beside = Ring(
            ring.numbers.clone() if packed else ring.numbers.to(torch.float32, copy=True),
            None if ring.scale is None else ring.scale.clone(),
        )
        exact = self._plain.attend(qkv.to(torch.float32, copy=True), beside, place)
        y = self.ops.attend(qkv, ring, place)
        name = f"attend {heads}x{dim} over {slots}, {'8 bits' if packed else 'whole'}"
        # Queries, keys and values are rounded on the way, whoever does it.
        # A number between two codes may go either way.
        self._note(name, y, exact, slots, roundings=3, least=1 / 127 if packed else 0.0)
        taken, expected = (_held(each, place) for each in (ring, beside))
        taken, least = taken.to(qkv.dtype), 2 / 127 if packed else 0.0
        self._note(f"{name}, written", taken, expected, dim, least=least)
        return y

    def penalize(self, logits: Tensor, recent: Recent) -> None:
        """Lower the logits [1, N] of recent tokens in place."""
        exact = logits.to(torch.float32, copy=True)
        self._plain.penalize(exact, recent)
        self.ops.penalize(logits, recent)
        self._note(f"penalize {len(recent.tokens)} of {logits.shape[-1]}", logits, exact, 1)

    def draw(self, logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
        """Return a token [1] of the likeliest `top_k` [1] for logits [1, N] and exponential noise [N]."""
        token = self.ops.draw(logits, noise, temperature, top_k)
        # Another token may be drawn only where two are as good as equal.
        scores = race(logits.float(), noise, temperature, top_k)
        self._note(f"draw from {len(scores)}", scores[token], scores.max()[None], len(scores))
        return token

    def _normal(self, x: Tensor, norm: Norm | None) -> Tensor:
        if norm is None:
            return x.float()
        bias = None if norm.bias is None else norm.bias.float()
        return self._plain.normalize(x.float(), norm._replace(weight=norm.weight.float(), bias=bias))

    def _note_equal(self, name: str, found: Sequence[Tensor], exact: Sequence[Tensor]) -> None:
        """Note which part of some tokens is wrong; none may be."""
        worst = self.worst.setdefault(name, Worst(0.0))
        worst.calls += 1
        wrong = torch.cat([(one != other).flatten() for one, other in zip(found, exact, strict=True)])
        worst.error = max(worst.error, float(wrong.float().mean()))

    def _note(
        self, name: str, y: Tensor, exact: Tensor, terms: int, *, least: float = 0.0, roundings: int = 1
    ) -> None:
        eps = max(roundings, self.roundings) * torch.finfo(y.dtype).eps
        bound = max(eps, FLOAT32_BOUND, least) + terms * 2.0**-24
        worst = self.worst.setdefault(name, Worst(bound))
        worst.calls += 1
        error = relative_error(y, exact)
        worst.error = error if not error <= worst.error else worst.error


def relative_error(found: Tensor, exact: Tensor) -> float:
    """Return the larger of two relative errors: of the whole vector, and of its worst element.

    An element is measured by its own size and the root mean square of all: a wrong row among thousands
    hardly changes the norm, and one that should be nothing can not be measured by itself.
    """
    found, exact = found.float().flatten(), exact.float().flatten()
    level = exact.square().mean().sqrt().clamp(min=torch.finfo(torch.float32).tiny)
    off = (found - exact).abs()
    return float(torch.maximum(off.square().mean().sqrt() / level, (off / (exact.abs() + level)).amax()))


def _multiply(x: Tensor, linear: nn.Module) -> Tensor:
    """Return the linear map [1, out] of x [1, in] in float32, a few rows of the weight at a time."""
    weight, bias = cast(Tensor, linear.weight), cast("Tensor | None", linear.bias)
    y = torch.cat([F.linear(x, rows) for rows in _rows(linear, weight)], dim=-1)
    return y if bias is None else y + bias.float()


def _rows(linear: nn.Module, weight: Tensor) -> Iterator[Tensor]:
    for first in range(0, weight.shape[0], ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        if isinstance(linear, QuantizedLinear):
            least = None if linear.weight_least is None else linear.weight_least[part]
            yield unpack(Packed(weight[part], linear.weight_scale[part], least))
        else:
            yield weight[part].float()


def _beside(streams: Streams) -> Streams:
    """Return copies: both sides write into what they are given."""
    return Streams(*(each.clone() for each in streams))


def _look_up(table: Table, tokens: Tensor) -> Tensor:
    """Return the rows [n, C] of tokens [n] in float32."""
    rows = table.rows[tokens].float()
    return rows if table.scale is None else rows * table.scale[tokens].float()[:, None]


def _held(ring: Ring, place: Place) -> Tensor:
    """Return the keys and values [2, H, D] in float32 that a ring has just taken in."""
    numbers = ring.numbers.index_select(2, place.slot)[:, :, 0].float()
    return numbers if ring.scale is None else numbers * ring.scale.index_select(2, place.slot)


def _size(linear: nn.Module) -> str:
    bits = linear.bits if isinstance(linear, QuantizedLinear) else 8 * cast(Tensor, linear.weight).itemsize
    biased = " with bias" if linear.bias is not None else ""
    return f"{linear.in_features} to {linear.out_features} in {bits} bits{biased}"


def _kind(norm: Norm | None) -> str:
    return "bare" if norm is None else "layer norm" if norm.mean_free else "rms norm"
