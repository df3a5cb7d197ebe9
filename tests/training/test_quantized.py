"""A base in fewer bits is near the whole one, lets gradients through, and takes the memory that it should."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from moshi.models import LMModel
from moshi.utils.compile import no_compile
from torch import Tensor, nn
from torch.nn import functional

from app.errors import UserError
from tests.training.test_speed import adapt, build, draw_codes, learn, speak
from training.quantized import QuantizedLinear, _bitsandbytes, quantize_base, quantize_linear
from training.speed import prepare_for_training

ROOT = Path(__file__).parent.parent.parent

MOST = {8: 0.5 / 127, 4: 0.152}
"""Half the widest distance of two neighbouring values, of the largest magnitude."""

TYPICAL = {8: 0.01, 4: 0.1}
"""How far products of normally distributed numbers are off, at most."""


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    torch.set_num_threads(1)
    with no_compile():
        yield


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def relative(off: Tensor, exact: Tensor) -> float:
    return float((off - exact).norm() / exact.norm())


@pytest.mark.parametrize("bits", [8, 4])
def test_each_number_is_as_near_as_the_bits_allow(bits: int) -> None:
    weight = draw(48, 128)
    weight[3] = 0
    layer = quantize_linear(weight, bits)
    assert isinstance(layer, QuantizedLinear)
    blocks = weight if bits == 8 else weight.view(-1, 64)
    off = (layer.dequantize() - weight).view_as(blocks).abs()
    assert (off <= MOST[bits] * 1.01 * blocks.abs().amax(dim=1, keepdim=True)).all()
    assert not layer.dequantize()[3].any()


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_and_gradients_are_near(bits: int, dtype: torch.dtype) -> None:
    weight, x, back = draw(96, 128, dtype=dtype), draw(2, 5, 128, seed=1, dtype=dtype), draw(2, 5, 96, seed=2)
    layer = quantize_linear(weight, bits)
    x.requires_grad_()
    product = layer(x)
    product.backward(back.to(dtype))
    assert product.dtype == dtype and x.grad is not None and x.grad.dtype == dtype
    exact = x.detach().float().requires_grad_()
    whole = functional.linear(exact, weight.float())
    whole.backward(back)
    assert exact.grad is not None
    assert relative(product.detach().float(), whole.detach()) < TYPICAL[bits]
    assert relative(x.grad.float(), exact.grad) < TYPICAL[bits]


@pytest.mark.parametrize("bits", [8, 4])
def test_it_takes_a_fraction_of_the_memory_and_nothing_of_a_file(bits: int) -> None:
    weight = draw(256, 512, dtype=torch.bfloat16)
    layer = quantize_linear(weight, bits)
    taken = sum(buffer.nbytes for buffer in layer.buffers())
    assert taken == weight.numel() * bits // 8 + (4 * 256 if bits == 8 else 4 * weight.numel() // 64)
    assert not layer.state_dict() and not list(layer.parameters())


def test_sixteen_bits_are_the_weight_itself() -> None:
    weight = draw(4, 8)
    layer = quantize_linear(weight, 16)
    assert type(layer) is nn.Linear
    assert layer.weight.data_ptr() == weight.data_ptr() and not layer.weight.requires_grad


def test_four_bits_are_packed_as_bitsandbytes_does() -> None:
    found = _bitsandbytes()
    assert found is not None
    weight = draw(64, 256)
    packed, state = found.functional.quantize_4bit(weight, blocksize=64, quant_type="nf4")
    layer = quantize_linear(weight, 4)
    assert isinstance(layer, QuantizedLinear)
    # Where a number is as near to one value as to the next, either may be chosen.
    assert (layer.codes.flatten() == packed.flatten()).float().mean() > 0.999
    torch.testing.assert_close(layer.scales, state.absmax)
    unpack = torch.ops.bitsandbytes.dequantize_4bit.default
    theirs = unpack(layer.codes.view(-1, 1), layer.scales, 64, "nf4", [64, 256], torch.float32)
    torch.testing.assert_close(layer.dequantize(), theirs)


def test_eight_bits_are_those_of_bitsandbytes() -> None:
    found = _bitsandbytes()
    assert found is not None
    weight = draw(64, 256)
    codes, stats, _ = found.functional.int8_vectorwise_quant(weight.half())
    layer = quantize_linear(weight.half(), 8)
    assert isinstance(layer, QuantizedLinear)
    assert (layer.codes - codes).abs().max() <= 1 and (layer.codes == codes).float().mean() > 0.99
    torch.testing.assert_close(layer.scales.flatten() * 127, stats.float())


def test_importing_bitsandbytes_says_nothing() -> None:
    code = "import training.quantized as q; print(q._bitsandbytes() is not None)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True, cwd=ROOT
    )
    assert (done.stdout.strip(), done.stderr.strip()) == ("True", "")


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("voices", [1, 2])
def test_a_model_learns_nearly_the_same(bits: int, prepared: bool, voices: int) -> None:
    lm = adapt(build(voices, depformer_dim=64))
    codes = draw_codes(lm, 20)
    loss, grads = learn(lm, codes, 7)
    names = lm.state_dict().keys()
    quantize_base(lm, bits)
    if prepared:
        prepare_for_training(lm, checkpointing=True, compile=False)
    assert {name for name in lm.state_dict() if "lora_" in name} == {
        name for name in names if "lora_" in name
    }
    assert not any("frozen_W" in name for name in lm.state_dict())
    near, near_grads = learn(lm, codes, 7)
    torch.testing.assert_close(near, loss, rtol={8: 0.002, 4: 0.05}[bits], atol=0)
    assert near_grads.keys() == grads.keys()
    ours, theirs = (torch.cat([each[name].flatten() for name in grads]) for each in (near_grads, grads))
    assert torch.cosine_similarity(ours, theirs, dim=0) > {8: 0.999, 4: 0.9}[bits]
    assert speak(lm, 12).shape == (1, 1 + 8 * voices, 11)


def test_prepared_or_not_the_numbers_are_the_same() -> None:
    losses = []
    for prepared in (True, False):
        lm: LMModel = adapt(build(depformer_dim=64))
        quantize_base(lm, 4)
        if prepared:
            prepare_for_training(lm, checkpointing=True, compile=False)
        losses.append(learn(lm, draw_codes(lm, 20), 7)[0])
    torch.testing.assert_close(losses[0], losses[1])


def test_what_can_not_be_done_is_said() -> None:
    lm = build()
    with pytest.raises(UserError, match="base of 3 bits"):
        quantize_base(lm, 3)
    with pytest.raises(UserError, match="Only the frozen base of an adapter"):
        quantize_base(lm, 8)
    quantize_base(lm, 16)
    with pytest.raises(UserError, match="3 x 5 can not be kept in 4 bits"):
        quantize_linear(draw(3, 5), 4)
