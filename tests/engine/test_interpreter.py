"""Kernels are interpreted whichever test imports Triton first, and afterwards Triton compiles again."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import torch
import triton
import triton.language as tl
from torch import nn
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime import interpreter  # noqa: F401  # itself a trace in the language
from triton.runtime.jit import JITFunction

from tests.engine.conftest import INTERPRETED
from tests.engine.interpreter import interpreted


@triton.jit
def _double(x_ptr, y_ptr, SIZE: tl.constexpr):  # noqa: ANN001, ANN202
    at = tl.arange(0, SIZE)
    tl.store(y_ptr + at, tl.load(x_ptr + at) + tl.sum(tl.zeros((SIZE,), tl.float32), axis=0))


@INTERPRETED
@torch.no_grad()
def test_kernels_that_were_imported_to_be_compiled_are_interpreted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.fast.fused import Fused

    linear, x = nn.Linear(192, 20, bias=False), torch.randn(1, 192)
    assert isinstance(tl.sum, JITFunction), "it was imported to compile"
    before = {id(place): dict(vars(place)) for place in (tl, tl.core, tl.standard, tl.tensor)}
    for _ in range(2):
        with interpreted():
            torch.testing.assert_close(Fused().project(x, linear), linear(x))
    for place in (tl, tl.core, tl.standard, tl.tensor):
        assert dict(vars(place)) == before[id(place)], "the interpreter leaves nothing behind"
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    source = ASTSource(_double, {"x_ptr": "*fp32", "y_ptr": "*fp32", "SIZE": "constexpr"}, {(2,): 128})
    assert triton.compile(source, GPUTarget("cuda", 89, 32)).asm["cubin"]


def test_a_module_that_is_imported_meanwhile_stays_in_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "triton.language.extra.libdevice"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr(tl.extra, "libdevice", raising=False)
    with interpreted():
        module = importlib.import_module(name)
    # What PyTorch's compiler asks for; the import statement alone would find it all the same.
    assert tl.extra.libdevice is module
