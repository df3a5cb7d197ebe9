"""CUDA graphs on a processor: a capture notes operators and kernels with their memory, a replay repeats them.

As on a card, a capture leaves everything as it was, a replay runs no Python, and refused are: waiting for a
result in a capture, bringing numbers of Python's to the device in it, compiling a kernel in it, and replaying
what uses memory that was given back since. Random numbers go on from replay to replay. Knows nothing about
what is captured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import torch
from moshi.utils import compile as moshi_compile
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map
from triton.runtime.interpreter import GridExecutor

WAITING = ("_local_scalar_dense", "item", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2")
"""Operators of which the processor needs the result: a capture can not go on."""

FROM_PYTHON = ("lift_fresh", "lift_fresh_copy")
"""What torch.tensor ends with: a card would copy from memory that is not pinned, which waits."""

TO_PYTHON = ("tolist", "numpy", "cpu", "__array__")
"""What reads a tensor of a processor where it lies, and waits for one of a card."""


class Call(NamedTuple):
    """What a replay runs again."""

    operator: Callable[..., Any]
    args: Any
    named: Any
    out: Any


class Borrowed:
    """A tensor whose memory is not the graph's own: it is there as long as something else holds it."""

    def __init__(self, tensor: Tensor) -> None:
        self._memory = StorageWeakRef(tensor.untyped_storage())
        self._like = tensor.new_empty(0)
        self._place = tensor.storage_offset(), tensor.size(), tensor.stride()

    def tensor(self) -> Tensor:
        """Return it. Raises RuntimeError if its memory was given back."""
        memory = torch.UntypedStorage._new_with_weak_ptr(self._memory.cdata)
        if memory is None:
            raise RuntimeError(
                f"a captured graph uses memory that was given back: a tensor {list(self._place[1])} was put "
                "in the place of another one"
            )
        return torch.empty_like(self._like).set_(memory, *self._place)


class Graph:
    """In place of torch.cuda.CUDAGraph."""

    def __init__(self, *_: object, **__: object) -> None:
        self.calls: list[Call] = []

    def let_go(self) -> None:
        """Hold nothing but what the calls made themselves."""
        own: set[int] = set()

        def borrow(value: Any) -> Any:
            foreign = isinstance(value, Tensor) and value.untyped_storage()._cdata not in own
            return Borrowed(value) if foreign else value

        for at, call in enumerate(self.calls):
            taken = {each.untyped_storage()._cdata for each in _tensors((call.args, call.named))}
            made = {each.untyped_storage()._cdata for each in _tensors(call.out)} - taken
            own |= made
            self.calls[at] = Call(call.operator, *(tree_map(borrow, part) for part in call[1:]))

    def replay(self) -> None:
        lent: dict[int, Tensor] = {}

        def lend(value: Any) -> Any:
            if not isinstance(value, Borrowed):
                return value
            return lent[id(value)] if id(value) in lent else lent.setdefault(id(value), value.tensor())

        for call in self.calls:
            operator, args, named, out = call.operator, *(tree_map(lend, part) for part in call[1:])
            again = operator(*args, **named)
            for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Capture(TorchDispatchMode):
    """In place of torch.cuda.graph."""

    now: Capture | None = None
    """The one that is going on."""

    def __init__(self, graph: Graph, **_: object) -> None:
        super().__init__()
        self.launching = False
        """Whether Triton's interpreter is at work, which may read what it likes."""
        self._graph = graph
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def __enter__(self) -> Any:
        self._chance = torch.get_rng_state()
        Capture.now = self
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        Capture.now = None
        for storage, before in self._before.values():
            storage.copy_(before)
        torch.set_rng_state(self._chance)
        self._before.clear()
        self._graph.let_go()

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        schema = operator._schema
        name = schema.name.removeprefix("aten::")
        if name in (*WAITING, *FROM_PYTHON) or (name == "index" and _has_mask(args)):
            raise _not_permitted(schema.name)
        written = [
            value
            for at, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
            for value in _tensors(args[at] if at < len(args) else named.get(argument.name))
        ]
        self._keep(written)
        out = operator(*args, **named)
        views = any(each.alias_info is not None and not each.alias_info.is_write for each in schema.returns)
        if written or not views:
            self._graph.calls.append(Call(operator, args, named, out))
        return out

    def launch(self, kernel: Callable[..., None], args: Any, named: Any) -> None:
        """Note a kernel. It may write to whatever it is given."""
        self.launching = True
        try:
            with _disable_current_modes():
                self._keep(_tensors((args, named)))
                kernel(*args, **named)
        finally:
            self.launching = False
        self._graph.calls.append(Call(kernel, args, named, None))

    def _keep(self, written: list[Tensor]) -> None:
        for storage in (tensor.untyped_storage() for tensor in written):
            if storage.data_ptr() not in self._before:
                self._before[storage.data_ptr()] = storage, storage.clone()


def _has_mask(args: Any) -> bool:
    """Return whether something is indexed by what is true: a card has to count that first."""
    return any(each.dtype in (torch.bool, torch.uint8) for each in _tensors(args[1]))


def _not_permitted(what: str) -> RuntimeError:
    return RuntimeError(f"operation not permitted when stream is capturing: {what}")


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


class Captures:
    """How many graphs were captured so far, and which kernels were launched outside of them."""

    def __init__(self) -> None:
        self.count = 0
        self.compiled: set[tuple[Any, ...]] = set()


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
        patch.setattr(GridExecutor, "__call__", _launching(captures))
        for name in TO_PYTHON:
            patch.setattr(Tensor, name, _refused_in_captures(name))
        begin = moshi_compile.CUDAGraphed.__init__

        def enabled(self: Any, func: Any, warmup_steps: int = 1, disable: bool = False) -> None:
            begin(self, func, warmup_steps)

        patch.setattr(moshi_compile.CUDAGraphed, "__init__", enabled)
        yield captures


def _refused_in_captures(name: str) -> Callable[..., Any]:
    method = getattr(Tensor, name)

    def read(self: Tensor, *args: Any, **named: Any) -> Any:
        if Capture.now is not None and not Capture.now.launching:
            raise _not_permitted(f"Tensor.{name}")
        return method(self, *args, **named)

    return read


def _launching(captures: Captures) -> Callable[..., None]:
    """Return what launches a kernel in Triton's interpreter, within captures and outside of them."""
    run: Any = GridExecutor.__call__

    def launch(self: Any, *args: Any, **named: Any) -> None:
        kernel = _specialized(self, args, named)
        if Capture.now is None:
            captures.compiled.add(kernel)
            run(self, *args, **named)
        elif kernel in captures.compiled:
            Capture.now.launch(run.__get__(self), args, named)
        else:
            raise RuntimeError(f"a kernel is compiled while a stream is capturing: {kernel[0]}")

    return launch


def _specialized(executor: Any, args: Any, named: Any) -> tuple[Any, ...]:
    """Return what makes Triton compile a kernel once more: types, constants, multiples of 16."""
    given = {**dict(zip(executor.arg_names, args, strict=False)), **named}
    return executor.fn.__qualname__, *(
        (name, _kind(value, name in executor.constexprs)) for name, value in sorted(given.items())
    )


def _kind(value: Any, constant: bool) -> object:
    if constant or value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Tensor):
        return value.dtype, value.data_ptr() % 16 == 0
    return (value == 1, value % 16 == 0) if isinstance(value, int) else type(value)
