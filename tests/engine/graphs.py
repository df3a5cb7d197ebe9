"""CUDA graphs on a processor: a capture notes operators with their memory, a replay runs them again.

As on a card, a capture leaves everything as it was, a replay runs no Python, and what waits for a result is
refused. Random numbers go on from replay to replay. Knows nothing about what is captured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from moshi.utils import compile as moshi_compile
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITING = ("_local_scalar_dense", "item", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2")
"""Operators of which the processor needs the result: a capture can not go on."""


class Graph:
    """In place of torch.cuda.CUDAGraph."""

    def __init__(self, *_: object, **__: object) -> None:
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def replay(self) -> None:
        for operator, arguments, named, out in self.calls:
            again = operator(*arguments, **named)
            for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Capture(TorchDispatchMode):
    """In place of torch.cuda.graph."""

    def __init__(self, graph: Graph, **_: object) -> None:
        super().__init__()
        self._graph = graph
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def __enter__(self) -> Any:
        self._chance = torch.get_rng_state()
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        for storage, before in self._before.values():
            storage.copy_(before)
        torch.set_rng_state(self._chance)

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        schema = operator._schema
        if schema.name.removeprefix("aten::") in WAITING:
            raise RuntimeError(f"operation not permitted when stream is capturing: {schema.name}")
        written = [
            value
            for at, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
            for value in tree_leaves(args[at] if at < len(args) else named.get(argument.name))
            if isinstance(value, Tensor)
        ]
        for tensor in written:
            self._keep(tensor.untyped_storage())
        out = operator(*args, **named)
        views = any(each.alias_info is not None and not each.alias_info.is_write for each in schema.returns)
        if written or not views:
            self._graph.calls.append((operator, args, named, out))
        return out

    def _keep(self, storage: torch.UntypedStorage) -> None:
        if storage.data_ptr() not in self._before:
            self._before[storage.data_ptr()] = storage, storage.clone()


class Captures:
    """How many graphs were captured so far."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captures]:
    """Let moshi's CUDAGraphed capture on the processor, also where it was told not to for want of a card."""
    captures = Captures()

    class Counted(Capture):
        def __init__(self, graph: Graph, **named: object) -> None:
            captures.count += 1
            super().__init__(graph, **named)

    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "CUDAGraph", Graph)
        patch.setattr(torch.cuda, "graph", Counted)
        begin = moshi_compile.CUDAGraphed.__init__

        def enabled(self: Any, func: Any, warmup_steps: int = 1, disable: bool = False) -> None:
            begin(self, func, warmup_steps)

        patch.setattr(moshi_compile.CUDAGraphed, "__init__", enabled)
        yield captures
