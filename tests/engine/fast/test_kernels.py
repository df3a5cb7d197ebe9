"""Every kernel against plain torch, in Triton's interpreter: there is no graphics card where tests run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.engine.events import Sampling
from app.engine.fast import layers
from app.engine.fast.frame import FrameStep
from app.engine.fast.layers import Norm, Ops, Place, Ring
from app.engine.fast.plain import Plain
from app.engine.fast.quantized import GROUP, QuantizedLinear, pack
from app.engine.fast.streams import Streams, begin
from app.engine.fast.tables import Joined, Row, Table
from app.engine.fast.tiling import Tiling, choose
from app.engine.penalty import Penalty
from tests.engine.conftest import INTERPRETED
from tests.engine.fast.test_frame import build, drive

if TYPE_CHECKING:
    from app.engine.fast.fused import Fused


pytestmark = INTERPRETED


def chance(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear(columns: int, rows: int, bits: int, *, bias: bool = False) -> nn.Module:
    weight = chance(rows, columns) * columns**-0.5
    if bits != 16:
        return QuantizedLinear(pack(weight, bits), chance(rows) if bias else None)
    layer = nn.Linear(columns, rows, bias=bias)
    layer.weight.data = weight
    return layer


RMS = Norm(1 + 0.1 * chance(3 * GROUP), None, 1e-5, mean_free=False, exact=True)
LAYER = Norm(1 + 0.1 * chance(3 * GROUP), chance(3 * GROUP, seed=1), 1e-5, mean_free=True, exact=False)


@pytest.mark.parametrize("bits", [16, 8, 4])
@pytest.mark.parametrize("norm", [None, RMS, LAYER], ids=["bare", "rms", "layer"])
@torch.no_grad()
def test_a_product_and_what_stands_around_it(fused: Fused, bits: int, norm: Norm | None) -> None:
    x, plain = chance(1, 3 * GROUP, seed=2), Plain()
    for rows, bias in ((20, False), (13, True)):
        layer = linear(3 * GROUP, rows, bits, bias=bias)
        to, scale = chance(1, rows, seed=3), chance(rows, seed=4)
        for ours, theirs in (
            (fused.normalize(x, norm), plain.normalize(x, norm)),
            (fused.project(x, layer, norm), plain.project(x, layer, norm)),
            (fused.add(to, x, layer), plain.add(to, x, layer)),
            (fused.add(to, x, layer, scale), plain.add(to, x, layer, scale)),
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    layer = linear(3 * GROUP, 26, bits)
    for activation in (F.silu, F.gelu):
        ours, theirs = (ops.gate(x, layer, norm, activation) for ops in (fused, plain))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("multiprocessors", [1, 4])
@pytest.mark.parametrize("bits", [16, 8, 4])
@torch.no_grad()
def test_a_product_shared_out_as_on_a_card(
    fused: Fused, monkeypatch: pytest.MonkeyPatch, bits: int, multiprocessors: int
) -> None:
    from app.engine.fast import products

    def as_on_a_card(*shape: int, gated: bool, device: torch.device) -> Tiling:
        return choose(*shape, gated=gated, multiprocessors=multiprocessors)

    monkeypatch.setattr(products, "choose_for", as_on_a_card)
    for columns, rows in ((19 * GROUP, 9), (70 * GROUP, 6), (16 * GROUP, 18)):
        x, layer, norm = chance(1, columns), linear(columns, rows, bits), norm_of(columns)
        for ours, theirs in (
            (fused.project(x, layer, norm), Plain().project(x, layer, norm)),
            *([(ops_gate(fused, x, layer), ops_gate(Plain(), x, layer))] if rows % 2 == 0 else []),
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def norm_of(columns: int) -> Norm:
    return Norm(1 + 0.1 * chance(columns), None, 1e-5, mean_free=False, exact=True)


def ops_gate(ops: Ops, x: Tensor, layer: nn.Module) -> Tensor:
    return ops.gate(x, layer, None, F.silu)


@torch.no_grad()
def test_codes_of_8_bits_that_are_no_whole_words(fused: Fused) -> None:
    x, layer = chance(1, 87), linear(87, 9, 8)
    torch.testing.assert_close(fused.project(x, layer), Plain().project(x, layer), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("delays", "says"),
    [([0, 0, 1, 0, 1], 3), ([0] * 5, 2), ([2, 0, 1, 3, 0, 2, 1], 4), ([0, *[0, *[1] * 7] * 2], 9)],
    ids=str,
)
def test_streams_are_passed_on_with_their_delays(fused: Fused, delays: list[int], says: int) -> None:
    initial = torch.arange(100, 100 + len(delays))
    ours, theirs = (begin(initial, delays, -2) for _ in range(2))
    for frame in range(3 * ours.tokens.shape[1] + 1):
        # A part of more, every second of which is another's.
        heard = (10 * frame + torch.arange(2 * (len(delays) - says)))[::2, None]
        said = 1000 * frame + torch.arange(says)
        for one, other in (
            (fused.hear(ours, heard), Plain().hear(theirs, heard)),
            (fused.say(ours, said), Plain().say(theirs, said)),
        ):
            assert torch.equal(one, other)
        assert_same(ours, theirs)


def assert_same(ours: Streams, theirs: Streams) -> None:
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_what_was_said_comes_out_when_the_most_delayed_stream_has_it(fused: Fused) -> None:
    for ops in (fused, Plain()):
        streams = begin(torch.tensor([7, 8, 9]), [0, 2, 1], -2)
        fed, due = [], []
        for frame in range(5):
            fed.append(ops.hear(streams, torch.tensor([[20 + frame]])).tolist())
            due.append(ops.say(streams, torch.tensor([frame, 10 + frame]))[:, 0].tolist())
        # What is said at a frame is fed in at the next, what is heard a frame later than it was heard.
        assert fed == [[7, 8, 9], [0, 8, 9], [1, 8, 21], [2, 12, 22], [3, 13, 23]]
        assert due[2:] == [[0, 12], [1, 13], [2, 14]]


def table(rows: int, width: int, *, packed: bool, seed: int = 0) -> Table:
    whole = chance(rows, width, seed=seed)
    return Table((10 * whole).char(), chance(rows, seed=seed)) if packed else Table(whole, None)


@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize(("count", "width"), [(1, 7), (3, 16), (16, 300)])
def test_rows_of_tables_are_added_up(fused: Fused, count: int, width: int, packed: bool) -> None:
    first, starts = table(9, width, packed=packed), torch.arange(0, 5 * count, 5)
    others = Joined(table(5 * count, width, packed=packed, seed=1), starts)
    for tokens in (
        torch.arange(1 + count) % 5,
        torch.tensor([8, *[4] * count]),
        torch.tensor([0] * (1 + count)),
    ):
        ours, theirs = (ops.embed(tokens, first, others) for ops in (fused, Plain()))
        torch.testing.assert_close(ours, theirs)
        each = [held_row(others.table, 5 * at + int(token)) for at, token in enumerate(tokens[1:])]
        torch.testing.assert_close(ours[0], held_row(first, int(tokens[0])) + sum(each))


def held_row(of: Table, row: int) -> Tensor:
    return of.rows[row].float() * (1.0 if of.scale is None else of.scale[row])


@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize("bits", [16, 8, 4])
@torch.no_grad()
def test_a_product_is_added_to_the_row_of_a_token(fused: Fused, bits: int, packed: bool) -> None:
    x, layer, scale = chance(1, 3 * GROUP), linear(3 * GROUP, 70, bits), chance(70, seed=4)
    of = table(6, 70, packed=packed, seed=5)
    for token in (0, 3, 5):
        row = Row(of, torch.tensor([token]))
        for ours, theirs in (
            (fused.add(row, x, layer), Plain().add(row, x, layer)),
            (fused.add(row, x, layer, scale), Plain().add(held_row(of, token)[None], x, layer, scale)),
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def ring(heads: int, slots: int, dim: int, *, packed: bool) -> Ring:
    shape = (2, heads, slots, dim)
    return (
        Ring(torch.zeros(shape, dtype=torch.int8), torch.zeros(shape[:3]))
        if packed
        else Ring(torch.zeros(shape))
    )


def fill(into: Ring) -> None:
    numbers = chance(*into.numbers.shape)
    if into.scale is not None:
        into.scale.copy_(numbers.abs().amax(dim=-1) / 127)
        numbers = (numbers / into.scale[..., None]).round()
    into.numbers.copy_(numbers)


def held(of: Ring) -> Tensor:
    return of.numbers if of.scale is None else of.numbers * of.scale[..., None]


@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize(("slots", "dim"), [(7, 16), (40, 20), (300, 16)])
@pytest.mark.parametrize("turned", ["no", "interleaved", "halves"])
def test_attention_over_the_ring(fused: Fused, slots: int, dim: int, turned: str, packed: bool) -> None:
    heads, plain = 3, Plain()
    turns = None if turned == "no" else torch.exp(-torch.arange(dim // 2) / 3)
    rings = [ring(heads, slots, dim, packed=packed) for _ in range(2)]
    steps = [*range(6), slots - 1, slots, slots + 5] if slots > 40 else range(2 * slots + 3)
    for step in steps:
        qkv, position = chance(1, 3 * heads * dim, seed=step), torch.tensor([step])
        if slots > 40 and step == slots - 1:
            for each in rings:
                fill(each)
        place = Place(
            position,
            position % slots,
            min(step + 1, slots),
            None,
            layers.rotation(turns, position),
            turned == "interleaved",
        )
        ours = fused.attend(qkv.clone(), rings[0], place)
        theirs = plain.attend(qkv.clone(), rings[1], place)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0.02 if packed else 1e-5)
        one, two = (held(each) for each in rings)
        # A number between two codes may go either way.
        torch.testing.assert_close(one, two, rtol=1e-4, atol=0.04 if packed else 1e-5)


@pytest.mark.parametrize("frames", [1, 5, 64, 100])
@pytest.mark.parametrize("strength", [1.0, 1.3, 2.0])
def test_recent_tokens_are_penalised_once(fused: Fused, strength: float, frames: int) -> None:
    penalty = Penalty((3, 0), torch.device("cpu"), captured=True)
    penalty.set(strength, frames)
    for token in torch.randint(0, 40, (frames + 3,), generator=torch.Generator().manual_seed(frames)):
        penalty.note(token[None])
    before = 3 * chance(1, 50)
    ours, theirs = before.clone(), before.clone()
    fused.penalize(ours, penalty.recent)
    Plain().penalize(theirs, penalty.recent)
    torch.testing.assert_close(ours, theirs)
    assert torch.equal(ours[0, [0, 3]], before[0, [0, 3]])
    assert torch.equal(ours, before) == (strength == 1.0)


def test_a_penalty_in_half_precision(fused: Fused) -> None:
    penalty = Penalty((3, 0), torch.device("cpu"), captured=True)
    penalty.set(2.0, 6)
    for token in (1, 5, 1, 3, 4, 1):
        penalty.note(torch.tensor([token]))
    for dtype in (torch.bfloat16, torch.float16):
        logits = torch.tensor([[4.0, 4, 4, 4, -3, 0]], dtype=dtype)
        fused.penalize(logits, penalty.recent)
        assert logits.tolist() == [[4, 2, 4, 4, -6, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("count", "top_k"), [(7, 1), (100, 25), (2048, 250), (5000, 40), (5000, 5000)])
def test_a_token_is_drawn_as_by_plain_torch(fused: Fused, count: int, top_k: int, dtype: torch.dtype) -> None:
    plain, card = Plain(), torch.Generator().manual_seed(top_k)
    for seed in range(4):
        # In halves many are equal, and some below zero.
        logits = (3 * chance(1, count, seed=seed)).to(dtype)
        noise = torch.empty(count).exponential_(1, generator=card)
        given = noise, torch.tensor([0.8]), torch.tensor([top_k])
        assert torch.equal(fused.draw(logits, *given), plain.draw(logits, *given))


def test_the_first_of_equal_logits_count_as_likelier(fused: Fused) -> None:
    logits, noise = torch.tensor([[0.0, 1.0, 1.0, 1.0, -2.0]]), torch.tensor([1e-9, 1.0, 0.5, 1e-9, 1e-9])
    for ops in (fused, Plain()):
        drawn = ops.draw(logits, noise, torch.ones(1), torch.tensor([2]))
        assert drawn.tolist() == [2]


def test_tokens_are_drawn_as_often_as_the_model_expects_them() -> None:
    logits, temperature, top_k, draws = chance(1, 12), 0.7, 5, 20_000
    expected = torch.softmax(logits[0] / temperature, dim=-1)
    expected[logits[0].argsort(descending=True)[top_k:]] = 0
    expected /= expected.sum()
    noise = torch.empty(draws, 12).exponential_(1, generator=torch.Generator().manual_seed(0))
    given = torch.tensor([temperature]), torch.tensor([top_k])
    drawn = torch.cat([Plain().draw(logits, each, *given) for each in noise])
    found = torch.bincount(drawn, minlength=12) / draws
    assert (found[expected == 0] == 0).all()
    # Four standard deviations of a share.
    assert ((found - expected).abs() <= 4 * (expected * (1 - expected) / draws).sqrt() + 1e-9).all()


def test_a_talk_is_the_same_token_for_token(fused: Fused) -> None:
    lm = build(num_layers=1, context=4, depformer_num_layers=1, layer_scale=0.3)
    said = []
    for ops in (fused, Plain()):
        step = FrameStep(lm, ops)
        step.set_sampling(replace(Sampling(), greedy=True))
        said.append(drive(step.step, lm, 9))
    assert said[0] == said[1]
