"""The emulated CUDA graphs refuse what a card refuses, and do what a card does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import triton
import triton.language as tl
from moshi.utils.compile import CUDAGraphed
from torch import Tensor

from tests.engine.conftest import INTERPRETED
from tests.engine.graphs import Captures, emulated
from tests.engine.interpreter import interpreted

pytestmark = INTERPRETED


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captures]:
    with emulated(monkeypatch) as counted:
        yield counted


def captured(function: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
    """Return a function that was captured, called with ones [3]."""
    graphed = CUDAGraphed(function, warmup_steps=0)
    return lambda: graphed(torch.ones(3))


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x * x[0].item(),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x[x > 0],
        lambda x: x + int(x.argmax()),
        lambda x: x * x.tolist()[0],
        lambda x: x * float(x.numpy()[0]),
        lambda x: x.cpu(),
        lambda x: x.nonzero(),
        lambda x: x.unique(),
        lambda x: x if torch.equal(x, x) else -x,
    ],
    ids=["item", "bool", "mask", "int", "tolist", "numpy", "cpu", "nonzero", "unique", "equal"],
)
def test_to_wait_for_a_result_is_refused(captures: Captures, wait: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        captured(wait)()


def test_to_bring_numbers_to_the_device_is_refused(captures: Captures) -> None:
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        captured(lambda x: x + torch.tensor([1.0, 2.0, 3.0]))()


class Running:
    """A sum that goes on from call to call."""

    def __init__(self, *, in_place: bool) -> None:
        self.sum = torch.zeros(3)
        self.calls = 0
        self._in_place = in_place

    def add(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self._in_place:
            self.sum.add_(x)
        else:
            self.sum = self.sum + x
        return self.sum * 1


def test_state_in_its_place_goes_on_and_no_python_runs(captures: Captures) -> None:
    running = Running(in_place=True)
    add = captured(running.add)
    assert [add()[0].item() for _ in range(3)] == [1, 2, 3]
    assert (running.calls, captures.count) == (1, 1)
    running.sum.zero_()
    assert add()[0].item() == 1, "a reset in its place is seen"


def test_state_that_takes_another_place_is_refused(captures: Captures) -> None:
    add = captured(Running(in_place=False).add)
    with pytest.raises(RuntimeError, match=r"memory that was given back: a tensor \[3\]"):
        add()


def test_state_that_takes_another_place_later_is_refused(captures: Captures) -> None:
    running = Running(in_place=True)
    add = captured(running.add)
    add()
    running.sum = torch.zeros(3)
    with pytest.raises(RuntimeError, match="memory that was given back"):
        add()


def test_a_capture_changes_nothing_by_itself(captures: Captures) -> None:
    running = Running(in_place=True)
    chance = torch.get_rng_state()
    graph = torch.cuda.CUDAGraph()
    x = torch.ones(3)
    with torch.cuda.graph(graph):
        drawn = torch.empty(3).exponential_()
        running.add(x)
    assert torch.equal(running.sum, torch.zeros(3))
    assert torch.equal(torch.get_rng_state(), chance)
    graph.replay()
    first = drawn.clone()
    graph.replay()
    assert torch.equal(running.sum, 2 * x)
    assert not torch.equal(drawn, first), "random numbers go on"


@triton.jit
def _add_up(x_ptr, y_ptr, SIZE: tl.constexpr):  # noqa: ANN001, ANN202
    at = tl.arange(0, SIZE)
    tl.store(y_ptr + at, tl.load(x_ptr + at) + tl.load(y_ptr + at))


def test_kernels_are_part_of_a_graph(captures: Captures) -> None:
    x, y = torch.ones(4), torch.zeros(4)
    with interpreted():
        add_up = interpreted_function(_add_up)

        def add(given: Tensor) -> Tensor:
            add_up[(1,)](x, y, SIZE=4)
            return y * 2

        with pytest.raises(RuntimeError, match="compiled while a stream is capturing: _add_up"):
            captured(add)()
        add(x)
        again = captured(add)
        assert [again()[0].item() for _ in range(3)] == [4, 6, 8]
        x.fill_(10.0)
        assert again()[0].item() == 28, "it reads what is there now"
        assert captures.count == 2


def interpreted_function(function: object) -> object:
    from triton.runtime.interpreter import InterpretedFunction

    return InterpretedFunction(function.fn)  # type: ignore[attr-defined]
