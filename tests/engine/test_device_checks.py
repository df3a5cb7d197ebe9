"""Each check of a device passes what is right and finds what is wrong: injected faults of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from moshi.utils.compile import no_compile
from torch import Tensor, nn

from app.engine import build, device_checks
from app.engine.checkpoint import find
from app.engine.compared import Compared, relative_error
from app.engine.device_checks import (
    Subject,
    check_graph,
    check_kernels,
    check_logits,
    check_mimi,
    check_moshi,
    check_speed,
    cut_model,
    lengthen,
)
from app.engine.fake import tiny_config
from app.engine.fast import frame, sampling
from app.engine.fast.layers import Norm, Ops, Place, Ring
from app.engine.fast.plain import Plain
from app.engine.fast.quantized import QuantizedLinear
from app.engine.fast.streams import Streams
from app.engine.fast.tables import Joined, Row, Table, look_up
from app.engine.penalty import Penalty, Recent
from tests.engine.conftest import INTERPRETED
from tests.engine.graphs import Captures, Graph, emulated

if TYPE_CHECKING:
    from app.engine.fast.fused import Fused

CPU = torch.device("cpu")
CONFIG = {**tiny_config(100), "num_layers": 4, "depformer_num_layers": 2, "context": 20}


@pytest.fixture(autouse=True)
def uncompiled() -> Iterator[None]:
    with no_compile():
        yield


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captures]:
    with emulated(monkeypatch) as counted:
        yield counted


def subject(mode: str = "bf16", dtype: torch.dtype = torch.float32, **config: Any) -> Subject:
    return cut_model({**CONFIG, **config}, mode, CPU, dtype)


# --- The model that stands for a large one --------------------------------------------------------


@pytest.mark.parametrize("mode", ["bf16", "int8", "int4"])
def test_a_cut_model_has_the_widths_of_the_whole_one_and_its_twin_the_same_numbers(mode: str) -> None:
    ours, whole = subject(mode)
    assert (len(ours.transformer.layers), ours.dim, ours.text_card) == (2, CONFIG["dim"], CONFIG["text_card"])
    packed = [module for module in ours.modules() if isinstance(module, QuantizedLinear)]
    assert bool(packed) == (mode != "bf16")
    linear, twin = ours.transformer.layers[1].gating.linear_in, whole.transformer.layers[1].gating.linear_in
    weight = linear.dequantize() if isinstance(linear, QuantizedLinear) else linear.weight
    torch.testing.assert_close(twin.weight, weight)
    norm = ours.transformer.layers[0].norm1.alpha
    assert norm.std() > 0.1, "a norm that is left out would be seen"
    assert torch.equal(norm, whole.transformer.layers[0].norm1.alpha)


@pytest.mark.parametrize("mode", ["bf16", "int4"])
def test_a_lengthened_model_has_all_layers_and_no_memory_of_its_own(mode: str) -> None:
    cut = subject(mode).ours
    long = lengthen(cut, CONFIG, mode)
    assert (len(long.transformer.layers), len(long.depformer.layers)) == (4, 2)
    have = {each.untyped_storage().data_ptr() for each in cut.state_dict().values()}
    assert {each.untyped_storage().data_ptr() for each in long.state_dict().values()} <= have
    timed = check_speed(long, Plain(), "bf16")
    assert timed.right and timed.figures["ms"] > 0 and timed.figures["frames"] == 50


def test_moshis_own_step_is_timed_too() -> None:
    timed = check_moshi(lengthen(subject().ours, CONFIG, "bf16"))
    assert timed.right and timed.figures["ms"] > 0


def test_a_slow_model_is_timed_by_fewer_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_checks, "TIMED_MS", 0)
    assert check_speed(subject().ours, Plain(), "bf16").figures["frames"] == device_checks.LEAST_FRAMES


# --- Kernels --------------------------------------------------------------------------------------

WAYS = [("bf16", "bf16"), ("int8", "bf16"), ("int4", "int8")]


@INTERPRETED
@pytest.mark.parametrize(("mode", "kv"), [WAYS[0], WAYS[2]])
def test_the_kernels_are_right_in_the_interpreter(fused: Fused, mode: str, kv: str) -> None:
    small = subject(mode, num_layers=1, depformer_num_layers=1, dep_q=2, n_q=4, delays=[0, 0, 1, 0, 1])
    found = check_kernels(small.ours, fused, kv)
    assert found.right, found
    kinds = {name.split()[0] for name in found.figures}
    assert kinds == {
        "hear",
        "embed",
        "project",
        "gate",
        "add",
        "attend",
        "normalize",
        "penalize",
        "draw",
        "say",
    }
    bits = {"bf16": "32 bits", "int8": "8 bits", "int4": "4 bits"}[mode]
    assert any(bits in name for name in found.figures)
    assert all(each["calls"] > 0 for each in found.figures.values())


@pytest.mark.parametrize(("mode", "kv"), WAYS)
def test_plain_torch_is_right(mode: str, kv: str) -> None:
    assert check_kernels(subject(mode).ours, Plain(), kv).right


class Off(Plain):
    """Plain torch with one fault."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault

    def project(self, x: Tensor, linear: nn.Module, norm: Norm | None = None) -> Tensor:
        y = super().project(x, linear, None if self.fault == "no norm" else norm)
        if self.fault == "one row":
            y[0, -1] = 0.0
        if self.fault == "not a number":
            y[0, 0] = torch.nan
        return y * 1.01 if self.fault == "1 %" else y

    def hear(self, streams: Streams, heard: Tensor) -> Tensor:
        if self.fault == "heard without delay":
            streams = streams._replace(delays=torch.zeros_like(streams.delays))
        return super().hear(streams, heard)

    def say(self, streams: Streams, said: Tensor) -> Tensor:
        due = super().say(streams, said)
        if self.fault == "a frame twice":
            streams.position.sub_(1)
        return said[:, None] if self.fault == "said without delay" else due

    def embed(self, tokens: Tensor, first: Table, others: Joined) -> Tensor:
        if self.fault == "row of another codebook":
            others = others._replace(starts=others.starts.roll(1))
        return super().embed(tokens, first, others)

    def add(self, to: Tensor | Row, x: Tensor, linear: nn.Module, scale: Tensor | None = None) -> Tensor:
        if self.fault == "row of another token" and isinstance(to, Row):
            to = to._replace(token=(to.token + 1) % len(to.table.rows))
        to = look_up(*to) if isinstance(to, Row) else to
        y = super().add(to, x, linear, scale)
        return y - to if self.fault == "no residual" else y

    def gate(self, x: Tensor, linear: nn.Module, norm: Norm | None, activation: Any) -> Tensor:
        if self.fault == "gelu":
            activation = torch.nn.functional.gelu
        return super().gate(x, linear, norm, activation)

    def attend(self, qkv: Tensor, ring: Ring, place: Place) -> Tensor:
        if self.fault == "one slot too few" and place.mask is not None:
            place = place._replace(mask=place.mask & (torch.arange(len(place.mask)) != 0))
        if self.fault == "mask of the ring gone round" and place.mask is not None:
            place = place._replace(mask=torch.arange(len(place.mask)) <= place.slot)
        if self.fault == "not turned":
            place = place._replace(rotation=None)
        if self.fault == "next slot":
            place = place._replace(slot=(place.slot + 1) % ring.numbers.shape[2])
        return super().attend(qkv, ring, place)

    def penalize(self, logits: Tensor, recent: Recent) -> None:
        if self.fault == "none spared":
            recent = recent._replace(exempt=torch.tensor([-1]))
        super().penalize(logits, recent)

    def draw(self, logits: Tensor, noise: Tensor, temperature: Tensor, top_k: Tensor) -> Tensor:
        if self.fault == "noise of another token":
            noise = noise.roll(1)
        return super().draw(logits, noise, temperature, top_k)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("1 %", "project"), ("one row", "project"), ("no norm", "project"), ("not a number", "project"),
        ("no residual", "add"), ("gelu", "gate"), ("one slot too few", "attend"),
        ("mask of the ring gone round", "attend"), ("not turned", "attend"), ("next slot", "attend"),
        ("noise of another token", "draw"), ("row of another codebook", "embed"),
        ("row of another token", "add"), ("heard without delay", "hear"), ("said without delay", "say"),
        ("a frame twice", "say"), ("none spared", "penalize"),
    ],
)  # fmt: skip
def test_a_wrong_kernel_is_found_and_named(fault: str, named: str) -> None:
    found = check_kernels(subject().ours, Off(fault), "bf16")
    assert found.right is False
    assert f"the kernel “{named} " in found.seen
    wrong = [each for each in found.figures.values() if not float(each["error"]) <= each["bound"]]
    assert wrong


@pytest.mark.parametrize("fault", ["one row", "no norm", "one slot too few", "next slot"])
def test_a_wrong_kernel_is_found_in_bf16_and_packed_too(fault: str) -> None:
    for mode, kv in WAYS:
        assert check_kernels(subject(mode).ours, Off(fault), kv).right is False


def test_every_operation_of_a_layer_is_compared() -> None:
    """What a new kernel does has to be held against float32 as well."""
    operations = {name for name in vars(Ops) if not name.startswith("_")}
    assert operations <= {name for name in vars(Compared) if not name.startswith("_")}


def test_an_error_is_that_of_the_vector_or_of_its_worst_element() -> None:
    exact = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    assert relative_error(exact, exact) == 0
    assert relative_error(1.01 * exact, exact) == pytest.approx(0.01, rel=0.05)
    one = exact.clone()
    one[17] = -one[17] - 2
    assert relative_error(one, exact) > 0.3
    assert not relative_error(torch.full_like(exact, torch.nan), exact) <= 1


# --- Logits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "kv"), [*WAYS, ("bf16", "int8")])
def test_the_logits_are_moshis(mode: str, kv: str) -> None:
    found = check_logits(subject(mode), Plain(), kv)
    assert found.right, found
    if kv == "bf16":
        assert found.figures["tokens_equal"] == "20 of 20 frames"
        assert max(found.figures["text"], found.figures["codes"]) < 1e-5


def test_the_logits_are_moshis_in_half_precision_within_its_rounding() -> None:
    found = check_logits(subject(dtype=torch.bfloat16), Plain(), "bf16")
    assert found.right, found
    assert found.figures["text"] > 1e-4, "it does round"


def test_a_deep_model_may_round_more() -> None:
    shape = {**CONFIG, "num_layers": 16}
    cut = device_checks.cut_lm(shape, "bf16", CPU, torch.bfloat16)
    long = lengthen(cut, shape, "bf16")
    found = check_logits(Subject(long, long), Plain(), "bf16")
    assert found.right, found
    assert found.figures["bound"] == pytest.approx(8**0.5 * 0.0625, rel=0.05)


def other_place(step: Any, x: Tensor, filled: int) -> Tensor:
    """Turn queries and keys as if each frame were as long as two."""
    place = Place(
        step._streams.position,
        step._streams.position % step.context,
        filled,
        step._slots <= step._streams.position,
        frame.layers.rotation(step._turns, 2 * step._streams.position),
        True,
    )
    return step._ops.normalize(step._temporal.step(x, 0, place), step._norm)


def test_a_step_that_puts_right_kernels_together_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame.FrameStep, "_temporal_step", other_place)
    assert check_kernels(subject().ours, Plain(), "bf16").right
    for kv in ("bf16", "int8"):
        found = check_logits(subject(), Plain(), kv)
        assert found.right is False
        assert "differ from those of moshi's own step by" in found.seen


# --- Graphs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kv", ["bf16", "int8"])
def test_a_captured_frame_is_right(captures: Captures, kv: str) -> None:
    found = check_graph(subject().ours, Plain(), kv)
    assert found.right, found
    assert captures.count >= 3
    assert found.figures["frames"] == 36


def rebind(self: sampling.Sampler, **values: Any) -> None:
    """Put a new tensor in the place of the one that the graph reads, and keep that from being given back."""
    STALE.append(self.temperature)
    self.temperature = torch.full((1,), values["temperature"])
    SET(self, **values)


SET = sampling.Sampler.set
STALE: list[Tensor] = []


def forget(self: Any) -> None:
    """Begin anew with a position in another place."""
    STALE.append(self._streams.position)
    self._streams = self._streams._replace(position=torch.zeros(1, dtype=torch.long))
    self._penalty.reset()
    self._streams.tokens.copy_(self._streams.initial[:, None].expand_as(self._streams.tokens))
    self._steps = 0


def own_mask(step: Any, x: Tensor, filled: int) -> Tensor:
    """Work the mask out of a number of Python, which a graph never sees change."""
    mask = step._slots <= step._steps - 1
    position = step._streams.position
    turn = frame.layers.rotation(step._turns, position)
    place = Place(position, position % step.context, filled, mask, turn, True)
    return step._ops.normalize(step._temporal.step(x, 0, place), step._norm)


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (sampling.Sampler, "set", rebind),
        (frame.FrameStep, "reset", forget),
        (frame.FrameStep, "_temporal_step", own_mask),
    ],
    ids=["sampling", "reset", "mask"],
)
def test_a_graph_that_reads_what_is_dead_is_found(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    found = check_graph(subject().ours, Plain(), "bf16")
    assert found.right is False
    assert "replayed as a CUDA graph says something else in" in found.seen


@pytest.mark.parametrize("model", ["tiny", "starter"])
def test_mimi_is_right_in_graphs_and_found_where_its_state_is_bound_anew(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, tiny: Path, model: str
) -> None:
    mimi = build.load_mimi(find(str(tiny) if model == "tiny" else model), CPU)
    found = check_mimi(mimi)
    assert found.right, found
    assert found.figures["codes_equal"] == 1
    assert captures.count == 2
    monkeypatch.setattr(device_checks, "keep_in_place", lambda _: None)
    monkeypatch.setattr(Graph, "let_go", lambda _: None)
    found = check_mimi(build.load_mimi(find(str(tiny) if model == "tiny" else model), CPU))
    assert found.right is False
    assert "of the codes" in found.seen


def test_penalties_are_taken_in_half_precision() -> None:
    penalty = Penalty((3, 0), CPU, captured=True)
    penalty.set(2.0, 3)
    penalty.note(torch.tensor([1]))
    logits = torch.full((1, 1, 1, 4), 4.0, dtype=torch.bfloat16)
    penalty.apply(logits)
    assert logits.flatten().tolist() == [4, 2, 4, 4]
