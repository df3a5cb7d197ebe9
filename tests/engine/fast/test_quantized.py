"""Weights in few bits: what they come to, that they multiply as they say, and that they survive a file."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from app.engine.fast.quantized import GROUP, QuantizedLinear, fits, outline, pack, unpack

BITS = (8, 4)


def weight(rows: int = 48, columns: int = 3 * GROUP, seed: int = 0) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=chance) * 0.02


def error(exact: Tensor, bits: int) -> float:
    return float((unpack(pack(exact, bits)) - exact).norm() / exact.norm())


def test_eight_bits_are_half_a_step_off_at_most() -> None:
    exact = weight()
    step = exact.abs().amax(dim=1, keepdim=True) / 127
    assert ((unpack(pack(exact, 8)) - exact).abs() <= step / 2 * 1.0001).all()
    assert error(exact, 8) < 0.01


def test_four_bits_are_nearer_than_the_range_alone_gives() -> None:
    exact = weight()
    groups = exact.view(-1, GROUP)
    low, high = groups.amin(1, keepdim=True), groups.amax(1, keepdim=True)
    plain = ((groups - low) / (high - low) * 15).round() / 15 * (high - low) + low
    by_range = float((plain - groups).norm() / groups.norm())
    assert error(exact, 4) < 0.95 * by_range


def test_an_outlier_spoils_its_group_alone() -> None:
    exact = weight()
    exact[3, 70] = 5.0
    off = (unpack(pack(exact, 4)) - exact).abs()
    assert off[3, :GROUP].max() < 0.01
    assert off[3, 2 * GROUP :].max() < 0.01


@pytest.mark.parametrize("bits", BITS)
def test_rows_of_one_value_are_kept(bits: int) -> None:
    exact = torch.zeros(4, GROUP)
    exact[1], exact[2] = 0.5, -0.25
    assert torch.equal(unpack(pack(exact, bits)), exact)


def test_the_earlier_of_two_codes_is_in_the_low_half() -> None:
    exact = torch.arange(GROUP).remainder(16).float()[None]
    assert pack(exact, 4).weight[0, :4].tolist() == [0x10, 0x32, 0x54, 0x76]


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_layer_multiplies_as_its_whole_weight_does(bits: int, bias: bool, dtype: torch.dtype) -> None:
    exact = weight()
    layer = QuantizedLinear(pack(exact, bits), torch.randn(48).to(dtype) if bias else None)
    x = torch.randn(2, 3, exact.shape[1]).to(dtype)
    added = 0 if layer.bias is None else layer.bias.float()
    expected = nn.functional.linear(x.float(), layer.dequantize()) + added
    tolerance = 0.01 if dtype == torch.bfloat16 else 1e-4
    torch.testing.assert_close(layer(x).float(), expected, rtol=0.02, atol=tolerance)
    assert (layer.bits, layer.in_features, layer.out_features) == (bits, exact.shape[1], 48)
    assert layer(x).dtype == dtype


@pytest.mark.parametrize("bits", BITS)
def test_an_outline_has_the_shapes_of_what_is_packed(bits: int) -> None:
    linear = nn.Linear(GROUP * 2, 10, bias=False)
    packed = QuantizedLinear(pack(linear.weight.detach(), bits))
    described = outline(linear, bits).state_dict()
    assert {name: (each.shape, each.dtype) for name, each in described.items()} == {
        name: (each.shape, each.dtype) for name, each in packed.state_dict().items()
    }
    assert all(each.is_meta for each in described.values())


def test_four_bits_need_whole_groups() -> None:
    assert fits(nn.Linear(GROUP, 2), 4)
    assert not fits(nn.Linear(GROUP + 8, 2), 4)
    assert fits(nn.Linear(GROUP + 8, 2), 8)
