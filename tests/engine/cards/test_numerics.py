"""Each kernel at the widths of a 7B model against float64, in Triton's interpreter: all columns, a few rows.

The interpreter cuts off where it makes bfloat16 of a number, which a card rounds. What is compared is in
float32 therefore, with weights in the type that they have on a card: they become float32 exactly on both.
What comes out in half precision is held against the bound of that cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.engine.fast import layers
from app.engine.fast.layers import Norm, Place, Ring
from app.engine.fast.quantized import QuantizedLinear, pack, pack_table
from app.engine.fast.tables import Joined, Row, Table
from tests.engine.conftest import INTERPRETED

if TYPE_CHECKING:
    from app.engine.fast.fused import Fused

pytestmark = INTERPRETED

EPS = 2.0**-24
"""What one operation in float32 is off at most, relative to its result."""

FAULTS = {16: 3, 8: 16, 4: 64}
"""So many such faults of its terms a product may be off, by the bits of its weight.

Sums of thousands of terms in many parts, with faults of either sign, stay below one. Codes in 4 and in 8 bits
are multiplied with 256 or 384 on them, which is taken off again and costs a few bits: far from what half
precision shows, which is a fault of 2^15.
"""

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def chance(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# --- Products -------------------------------------------------------------------------------------


class Product(NamedTuple):
    """One product, as a layer asks an Ops for it."""

    name: str
    columns: int
    rows: int
    norm: bool = False
    gated: bool = False
    add: bool = False
    scale: bool = False
    bias: bool = False
    all_rows: int = 0
    """How many rows it has in a 7B model, by which a card shares it out; without a gate's second half."""


PRODUCTS = (
    Product("qkv", 4096, 24, norm=True, all_rows=12288),
    Product("out", 4096, 13, add=True, all_rows=4096),
    Product("gate in", 4096, 26, norm=True, gated=True, all_rows=11264),
    Product("gate out", 11264, 9, add=True, all_rows=4096),
    Product("into depth", 4096, 16, add=True, all_rows=1024),
    Product("depth qkv", 1024, 24, norm=True, all_rows=3072),
    Product("depth gate in", 1024, 22, norm=True, gated=True, all_rows=2816),
    Product("depth gate out", 2816, 9, add=True, all_rows=1024),
    Product("text head", 4096, 17, all_rows=32000),
    Product("code head", 1024, 18, norm=True, all_rows=2048),
    Product("a bias", 4096, 11, norm=True, bias=True),
    Product("a scale and a bias", 1024, 11, add=True, scale=True, bias=True),
    Product("a gate with a bias", 1024, 14, norm=True, gated=True, bias=True),
    Product("one row", 1024, 1, norm=True),
    Product("few columns", 192, 5, norm=True),
    Product("a few columns more", 4096 + 64, 7, norm=True),
)

TAILS = (
    Product("odd columns", 4099, 6, norm=True),
    Product("odd columns and a gate", 1030, 10, gated=True),
)
"""Their columns are no groups of 64."""

CASES = [
    *((product, bits, "bf16") for product in PRODUCTS for bits in (16, 8, 4)),
    *((product, bits, "fp16") for product in PRODUCTS[:4] for bits in (16, 8, 4)),
    *((product, bits, "bf16") for product in TAILS for bits in (16, 8)),
]


class Asked(NamedTuple):
    """A product with its numbers."""

    product: Product
    layer: nn.Module
    weight: Tensor
    """Of the layer, in float64."""
    norm: Norm | None
    to: Tensor
    scale: Tensor | None

    def run(self, fused: Fused, x: Tensor) -> Tensor:
        """Return what the kernels make of it, in the type of x."""
        if self.product.gated:
            return fused.gate(x, self.layer, self.norm, F.silu)
        if self.product.add:
            return fused.add(self.to.to(x.dtype), x, self.layer, self.scale)
        return fused.project(x, self.layer, self.norm)

    def exact(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return it in float64, and what a relative fault of each of its terms would change at most."""
        x = x.double()
        if self.norm is not None:
            x = x * torch.rsqrt(x.square().mean() + self.norm.eps) * self.norm.weight.double()
        y, size = x @ self.weight.T, x.abs() @ self.weight.abs().T
        if isinstance(self.layer.bias, Tensor):
            bias = self.layer.bias.detach().double()
            y, size = y + bias, size + bias.abs()
        if self.product.gated:
            (gate, up), (gate_size, up_size) = y.chunk(2, -1), size.chunk(2, -1)
            # silu nowhere rises by more than 1.1.
            y, size = F.silu(gate) * up, 1.1 * gate_size * up.abs() + F.silu(gate).abs() * up_size
        if self.scale is not None:
            y, size = y * self.scale.double(), size * self.scale.double().abs()
        if self.product.add:
            y, size = y + self.to.double(), size + self.to.double().abs()
        return y, size


def ask(product: Product, bits: int, kind: torch.dtype) -> Asked:
    """Return a product with random numbers, everything that a model keeps being of a type as on a card."""
    rows, columns = product.rows, product.columns
    whole = chance(rows, columns) * columns**-0.5
    bias = chance(rows, seed=8).to(kind) if product.bias else None
    layer: nn.Module
    if bits == 16:
        layer = nn.Linear(columns, rows, bias=product.bias, dtype=kind)
        layer.weight.data = whole.to(kind)
        if bias is not None:
            layer.bias.data = bias
        weight = layer.weight.detach().double()
    else:
        layer = QuantizedLinear(pack(whole, bits), bias)
        weight = layer.dequantize().double()
    alpha = (1 + 0.1 * chance(columns, seed=6)).to(kind)
    norm = Norm(alpha, None, 1e-8, mean_free=False, exact=True) if product.norm else None
    scale = chance(rows, seed=4).to(kind) if product.scale else None
    return Asked(product, layer, weight, norm, chance(1, rows, seed=3).to(kind).float(), scale)


@pytest.mark.parametrize(
    ("product", "bits", "kind"), CASES, ids=lambda each: str(getattr(each, "name", each))
)
@torch.no_grad()
def test_a_product_is_as_near_as_float32_allows(fused: Fused, product: Product, bits: int, kind: str) -> None:
    asked = ask(product, bits, HALVES[kind])
    x = 3 * chance(1, product.columns, seed=2)
    exact, size = asked.exact(x)
    off = (asked.run(fused, x).double() - exact).abs() / (EPS * size)
    assert off.max() < FAULTS[bits], f"{product.name}: {off.max():.1f} faults of float32"


@pytest.mark.parametrize("bits", [16, 8, 4])
@pytest.mark.parametrize("gated", [False, True], ids=["qkv", "gate in"])
@torch.no_grad()
def test_half_precision_is_float32_and_one_cut(fused: Fused, gated: bool, bits: int) -> None:
    asked = ask(Product("", 4096, 24, norm=True, gated=gated), bits, torch.bfloat16)
    x = (3 * chance(1, 4096, seed=2)).bfloat16()
    exact, size = asked.exact(x)
    found = asked.run(fused, x)
    assert found.dtype == torch.bfloat16
    # bfloat16 has 8 bits: cut off, a number loses less than 2^-7 of itself. A card loses half of it at most.
    assert ((found.double() - exact).abs() <= 2**-7 * exact.abs() + FAULTS[bits] * EPS * size).all()


@torch.no_grad()
def test_sums_and_squares_do_not_overflow_in_float16(fused: Fused) -> None:
    asked = ask(Product("", 1024, 16, norm=True), 16, torch.float16)
    x = (300 * chance(1, 1024, seed=2)).half()
    assert x.float().square().sum() > 1000 * torch.finfo(torch.float16).max
    exact, size = asked.exact(x)
    found = asked.run(fused, x).double()
    assert ((found - exact).abs() <= 2**-11 * exact.abs() + FAULTS[16] * EPS * size + 2**-24).all()


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")
@torch.no_grad()
def test_a_gate_of_large_numbers(fused: Fused) -> None:
    asked = ask(Product("", 1024, 16, gated=True), 16, torch.bfloat16)
    x = 100 * chance(1, 1024, seed=2)
    exact, size = asked.exact(x)
    found = asked.run(fused, x).double()
    assert found.isfinite().all()
    assert ((found - exact).abs() <= FAULTS[16] * EPS * size).all()


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("columns", [4096, 1024, 4099])
def test_a_norm_is_float32_and_one_cut(fused: Fused, columns: int, kind: str) -> None:
    alpha = (1 + 0.1 * chance(columns, seed=6)).to(HALVES[kind])
    for size in (1e-3, 3.0, 1000.0):
        x = (size * chance(1, columns)).to(HALVES[kind])
        found = fused.normalize(x, Norm(alpha, None, 1e-8, mean_free=False, exact=True))
        assert found.dtype == x.dtype
        exact = x.double() * torch.rsqrt(x.double().square().mean() + 1e-8) * alpha.double()
        smallest = torch.finfo(x.dtype).smallest_normal
        assert (
            (found.double() - exact).abs() <= 1.01 * torch.finfo(x.dtype).eps * exact.abs() + smallest
        ).all()


# --- Embeddings -----------------------------------------------------------------------------------

CODEBOOKS, CODES = 16, 2049


def table_of(rows: int, columns: int, kind: torch.dtype, *, packed: bool, seed: int = 0) -> Table:
    """Return a table as a card keeps it."""
    whole = chance(rows, columns, seed=seed).to(kind)
    return Table(*pack_table(whole)) if packed else Table(whole, None)


def exact_rows(table: Table, tokens: Tensor) -> Tensor:
    """Return rows in float64."""
    rows = table.rows[tokens].double()
    return rows if table.scale is None else rows * table.scale[tokens].double()[:, None]


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
def test_the_input_of_a_frame_is_float32_and_one_cut(fused: Fused, packed: bool, kind: str) -> None:
    first = table_of(500, 4096, HALVES[kind], packed=packed)
    others = table_of(CODEBOOKS * CODES, 4096, HALVES[kind], packed=packed, seed=1)
    starts = torch.arange(0, CODEBOOKS * CODES, CODES)
    ends = torch.tensor([499, *[CODES - 1] * CODEBOOKS])
    for tokens in (ends, torch.zeros_like(ends), ends // torch.arange(1, 2 + CODEBOOKS)):
        found = fused.embed(tokens, first, Joined(others, starts))
        assert found.dtype == HALVES[kind]
        rows = torch.cat((exact_rows(first, tokens[:1]), exact_rows(others, tokens[1:] + starts)))
        bound = 2 * torch.finfo(found.dtype).eps * rows.sum(0).abs() + 3 * EPS * rows.abs().sum(0)
        assert ((found[0].double() - rows.sum(0)).abs() <= bound).all()


@pytest.mark.parametrize("bits", [16, 8, 4])
@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@torch.no_grad()
def test_a_product_on_a_row_is_as_near_as_float32_allows(fused: Fused, packed: bool, bits: int) -> None:
    asked = ask(Product("into depth", 4096, 16), bits, torch.bfloat16)
    table = table_of(CODES, 16, torch.bfloat16, packed=packed)
    x = 3 * chance(1, 4096, seed=2)
    for token in torch.tensor([[0], [1000], [CODES - 1]]):
        row = exact_rows(table, token)
        exact, size = asked.exact(x)
        found = fused.add(Row(table, token), x, asked.layer).double()
        assert ((found - exact - row).abs() <= FAULTS[bits] * EPS * (size + row.abs())).all()


# --- Attention ------------------------------------------------------------------------------------

HEADS, SLOTS, DIM = 2, 3000, 128
"""Of a 7B model, but for its 32 heads: each is a program of its own."""

GARBAGE = 30.0
"""What earlier talks left in slots that are not filled: it would outweigh everything else."""


def ring_of(slots: int, heads: int, dim: int, filled: int, *, packed: bool) -> Ring:
    """Return a ring of which so many slots hold something, the others what they held before."""
    numbers = chance(2, heads, slots, dim)
    numbers[:, :, filled:] = GARBAGE
    if not packed:
        return Ring(numbers)
    scale = numbers.abs().amax(dim=-1) / 127
    return Ring((numbers / scale[..., None]).round().to(torch.int8), scale)


def held(ring: Ring) -> Tensor:
    """Return what a ring holds in float64."""
    numbers = ring.numbers.double()
    return numbers if ring.scale is None else numbers * ring.scale.double()[..., None]


def rotated(pairs: Tensor, turns: Tensor | None, position: int, *, interleaved: bool) -> Tensor:
    """Return vectors [..., D] turned by a position, in float64."""
    if turns is None:
        return pairs
    # As app.engine.fast.layers.rotation: the angle itself is a float32.
    angle = (turns * float(position)).double()
    split = pairs.unflatten(-1, (-1, 2)) if interleaved else pairs.unflatten(-1, (2, -1)).transpose(-1, -2)
    one, two = split.unbind(-1)
    turned = (one * angle.cos() - two * angle.sin(), one * angle.sin() + two * angle.cos())
    return torch.stack(turned, -1).flatten(-2) if interleaved else torch.cat(turned, -1)


def attention(query: Tensor, ring: Ring, filled: int) -> Tensor:
    """Return what queries [H, D] hear of the filled slots of a ring, in float64."""
    keys, values = held(ring)[:, :, :filled]
    scores = (keys @ query[..., None])[..., 0] * query.shape[-1] ** -0.5
    return (scores.softmax(-1)[:, None] @ values).view(1, -1)


@pytest.mark.parametrize("packed", [False, True], ids=["whole", "packed"])
@pytest.mark.parametrize("position", [0, 5, 191, 192, 2999, 3000, 7777])
@torch.no_grad()
def test_attention_over_a_ring_of_3000_slots(fused: Fused, position: int, packed: bool) -> None:
    slot, filled = position % SLOTS, min(position + 1, SLOTS)
    turns = turns_of(DIM)
    for interleaved in (True, False):
        ring = ring_of(SLOTS, HEADS, DIM, filled, packed=packed)
        before = held(ring)
        qkv = chance(1, 3 * HEADS * DIM, seed=position)
        query, key, value = qkv.double().view(3, HEADS, DIM)
        query, key = (rotated(each, turns, position, interleaved=interleaved) for each in (query, key))
        now = torch.tensor([position])
        place = Place(now, torch.tensor([slot]), filled, None, layers.rotation(turns, now), interleaved)
        heard = fused.attend(qkv.clone(), ring, place)
        check_ring(ring, before, slot, torch.stack((key, value)))
        exact = attention(query, ring, filled)
        assert (heard.double() - exact).norm() < 4e-6 * exact.norm()


def turns_of(dim: int) -> Tensor:
    """Return how fast the pairs of a head turn, for the longest period of 10 000."""
    return torch.exp(torch.arange(dim // 2) * (-torch.tensor(10_000.0).log() * 2 / dim))


def check_ring(ring: Ring, before: Tensor, slot: int, new: Tensor) -> None:
    """Check that a key and a value [2, H, D] went into one slot, and that all others are as they were."""
    after = held(ring)
    others = torch.arange(after.shape[2]) != slot
    assert torch.equal(after[:, :, others], before[:, :, others])
    found = after[:, :, slot]
    if ring.scale is None:
        assert ((found - new).abs() <= 4 * EPS * new.abs().amax(-1, keepdim=True)).all()
        return
    scale = new.abs().amax(-1, keepdim=True) / 127
    assert ((ring.scale[:, :, slot, None] - scale).abs() <= 4 * EPS * scale).all()
    # Half a step, and a little where float32 is undecided.
    assert ((found - new).abs() <= scale * (0.5 + 1e-4)).all()


@pytest.mark.parametrize("slots", [8, 16])
@torch.no_grad()
def test_attention_of_the_depth_transformer_at_each_step(fused: Fused, slots: int) -> None:
    heads, dim = 16, 64
    ring = ring_of(slots, heads, dim, 0, packed=False)
    for step in range(slots):
        before = held(ring)
        qkv, slot = chance(1, 3 * heads * dim, seed=step), torch.tensor([step])
        heard = fused.attend(qkv.clone(), ring, Place(slot, slot, step + 1, None, None))
        query, key, value = qkv.double().view(3, heads, dim)
        check_ring(ring, before, step, torch.stack((key, value)))
        exact = attention(query, ring, step + 1)
        assert (heard.double() - exact).norm() < 4e-6 * exact.norm()


# --- Tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [32_000, 2048], ids=["text", "codes"])
@pytest.mark.parametrize("top_k", [1, 25, 250, 0], ids=lambda top_k: f"top {top_k or 'all'}")
@pytest.mark.parametrize("temperature", [0.05, 0.7, 3.0])
def test_a_token_of_a_7b_model(fused: Fused, count: int, top_k: int, temperature: float) -> None:
    kept = top_k or count
    for seed in range(3):
        # As a card has them: many of so few bits are equal.
        logits = (4 * chance(1, count, seed=seed)).bfloat16()
        noise = torch.empty(count).exponential_(1, generator=torch.Generator().manual_seed(seed))
        token = fused.draw(logits, noise, torch.tensor([temperature]), torch.tensor([kept]))
        exact, order = logits[0].double().sort(descending=True, stable=True)
        scores = ((exact - exact[0]) / torch.tensor(temperature).double()).exp() / noise.double()[order]
        scores = scores[:kept]
        rank = (order == token).nonzero().item()
        assert rank < kept, "it is one of the likeliest"
        # The best, or one that float32 can not tell from it.
        assert scores[rank] >= scores.max() * (1 - 200 * EPS)
