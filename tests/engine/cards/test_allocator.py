"""A 7B model is loaded into a simulated allocator on every card of the README, and takes what is said.

`python -m pytest tests/engine/cards/test_allocator.py -s` prints the figures.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from app import catalog
from app.engine.device import packing_bytes, sizes_of
from app.engine.fast import quantized
from app.engine.reader import SLICE_BYTES, THREADS
from app.memory_plan import CUDA_BYTES, DESKTOP_BYTES, FITS, LOADING_BYTES, Fit, plan, words
from tests.engine.cards import loading
from tests.engine.cards.allocator import (
    GIVE_BACK,
    LARGE_SEGMENT_BYTES,
    SMALL_SEGMENT_BYTES,
    Card,
    Event,
    OutOfMemory,
    Recorder,
)
from tests.test_memory_plan import DESKTOP, card_bytes

LIBRARY_BYTES = 150_000_000
"""What kernels, cuBLAS and cuDNN take of a card beside torch's allocator, as they are first used."""

MIB = 2**20
SOLD_GB = (8, 10, 11, 12, 16, 24, 48)
MOST = 10**12

Traced = Callable[..., list[Event]]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Return what tells what a way of keeping the 7B model asks of a card; the file is of an older format."""
    config, folder = catalog.moshi_7b(), tmp_path_factory.mktemp("7b")

    @cache
    def trace(mode: str, dtype: torch.dtype, file_dtype: torch.dtype, engine: str, kv: str) -> loading.Trace:
        kept = loading.checkpoint(folder / str(file_dtype), config, file_dtype, joined=True)
        return loading.trace(loading.outline(kept), mode, dtype, engine=engine, kv=kv)

    def of(
        fit: Fit,
        dtype: torch.dtype = torch.bfloat16,
        file_dtype: torch.dtype = torch.bfloat16,
        engine: str = "fast",
    ) -> list[Event]:
        found = trace(fit.mode, dtype, file_dtype, engine, fit.kv)
        return found.events(mimi_apart=fit.mimi_apart)

    return of


@cache
def needed(fit: Fit) -> int:
    known = catalog.find("moshiko")
    assert known is not None
    return known.sizes.needed_bytes(fit)


def taken(events: list[Event], *, growing: bool) -> int:
    """Return the most that a process takes of a card."""
    return CUDA_BYTES + LIBRARY_BYTES + Card(MOST, growing=growing).play(events).peak


def is_kept(events: list[Event], fit: Fit, label: str) -> None:
    """Hold a trace against the plan: in segments that grow, and in those of a user who will not have them."""
    grown, fixed = (taken(events, growing=growing) for growing in (True, False))
    need = needed(fit)
    figures = f"plan {need / 1e9:.2f} GB, growing {grown / 1e9:.2f}, fixed {fixed / 1e9:.2f}"
    print(f"\n{words(fit)}{label}: {figures}, plan / growing {need / grown:.3f}")
    assert grown <= need <= 1.1 * grown
    assert fixed <= need + DESKTOP_BYTES, "within what is left to a desktop"


@pytest.mark.parametrize("fit", FITS, ids=words)
def test_the_plan_is_what_the_allocator_takes_and_little_more(fit: Fit, traced: Traced) -> None:
    is_kept(traced(fit), fit, "")


@pytest.mark.parametrize(
    ("fit", "dtype", "file_dtype", "engine"),
    [
        (FITS[0], torch.float16, torch.bfloat16, "fast"),
        (FITS[0], torch.bfloat16, torch.bfloat16, "moshi"),
        (FITS[1], torch.float16, torch.bfloat16, "fast"),
        (FITS[0], torch.bfloat16, torch.float32, "fast"),
        pytest.param(FITS[1], torch.bfloat16, torch.float32, "fast", marks=pytest.mark.slow),
        pytest.param(FITS[4], torch.bfloat16, torch.float32, "fast", marks=pytest.mark.slow),
        pytest.param(FITS[5], torch.float16, torch.float16, "fast", marks=pytest.mark.slow),
    ],
)
def test_other_cards_files_and_engines_take_no_more(
    fit: Fit, dtype: torch.dtype, file_dtype: torch.dtype, engine: str, traced: Traced
) -> None:
    kinds = f" in {dtype} from {file_dtype} by {engine}"
    is_kept(traced(fit, dtype, file_dtype, engine), fit, kinds.replace("torch.", ""))


@pytest.mark.parametrize("desktop", [0, DESKTOP])
def test_every_card_of_the_table_holds_what_is_chosen_for_it(desktop: int, traced: Traced) -> None:
    known = catalog.find("moshiko")
    assert known is not None
    held: dict[tuple[Fit, bool], int] = {}
    for sold_gb in SOLD_GB:
        free = card_bytes(sold_gb, desktop)
        found = plan(known.sizes, free)
        assert found.fits, sold_gb
        # A smaller card that holds the same in the same way shows it for this one.
        for growing in (True, False):
            if held.setdefault((found.fit, growing), sold_gb) == sold_gb:
                room = Card(free - CUDA_BYTES - LIBRARY_BYTES, growing=growing).play(traced(found.fit))
                assert room.emptied == 0, "nothing had to be given back first"
                margin = (room.capacity - room.peak) / 1e9
                print(f"\n{sold_gb} GB, desktop {desktop / 1e9} GB: {words(found.fit)}, {margin:.2f} GB left")
                assert room.capacity - room.peak >= (DESKTOP_BYTES if growing else 0)
    assert {fit for fit, _ in held} >= {FITS[0], FITS[1]}


def test_an_allocator_that_is_full_says_so(traced: Traced) -> None:
    events = traced(FITS[1])
    live = Card(MOST, growing=True).play(events).live_peak
    with pytest.raises(OutOfMemory):
        Card(live - 1, growing=True).play(events)


def test_reading_whole_tensors_would_take_more_than_is_said(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise can be broken: packing tensor by tensor reserves more than talking."""
    monkeypatch.setattr("app.engine.reader.SLICE_BYTES", 2**40)
    monkeypatch.setattr(quantized, "_NUMBERS_AT_ONCE", 2**40)
    with tempfile.TemporaryDirectory() as folder:
        kept = loading.checkpoint(Path(folder), catalog.moshi_7b(), torch.bfloat16, joined=False)
        events = loading.trace(loading.outline(kept), "int8", torch.bfloat16).events()
    whole, sliced = (taken(each, growing=False) for each in (events, traced(FITS[1])))
    print(f"\nwhole tensors {whole / 1e9:.2f} GB, slices {sliced / 1e9:.2f}")
    assert whole > needed(FITS[1]) + DESKTOP_BYTES > sliced


@pytest.mark.parametrize("mode", ["bf16", "int8", "int4"])
def test_an_adapter_is_fused_within_what_is_said(mode: str, tmp_path: Path) -> None:
    """Small: what is fused on the processor is truly read there."""
    config = {**catalog.moshi_7b(), "dim": 512, "num_heads": 8, "num_layers": 2, "text_card": 4000}
    config |= {"depformer_dim": 256, "depformer_num_layers": 1, "depformer_dim_feedforward": 1024}
    kept = loading.checkpoint(tmp_path, config, torch.bfloat16, joined=False)
    adapter = loading.write_adapter(tmp_path / "lora.safetensors", config, rank=32)
    made = loading.outline(kept, adapter)
    sizes = sizes_of(made, loading.device(MOST))
    events = loading.trace(made, mode, torch.bfloat16).loading()
    most = Card(MOST, growing=True).play(events).peak
    assert most <= sizes.needed_bytes(Fit(mode), 0) - CUDA_BYTES
    assert most >= sizes.weights[mode] + sizes.mimi


def test_quantize_packs_within_what_it_asks_for(traced: Traced, tmp_path: Path) -> None:
    kept = loading.checkpoint(tmp_path, catalog.moshi_7b(), torch.float32, joined=True)
    made = loading.outline(kept)
    need = packing_bytes(made, torch.float32, "int8")
    events = loading.trace(made, "int8", torch.float32).weights
    most = CUDA_BYTES + Card(MOST, growing=True).play(events).peak
    assert most <= need <= 1.1 * most


def test_what_is_on_the_way_is_bounded() -> None:
    """Beside whole tensors: slices of THREADS and one at hand, and what packing holds of one."""
    assert (THREADS + 1) * SLICE_BYTES + 16 * 4 * quantized._NUMBERS_AT_ONCE < LOADING_BYTES


# --- The allocator itself -------------------------------------------------------------------------


def test_sizes_are_rounded_into_segments_as_torch_does() -> None:
    card = Card(MOST, growing=False)
    for number, (size, reserved) in enumerate(
        [
            (1, SMALL_SEGMENT_BYTES),
            (MIB, SMALL_SEGMENT_BYTES),
            (MIB + 1, SMALL_SEGMENT_BYTES + LARGE_SEGMENT_BYTES),
            (11 * MIB, SMALL_SEGMENT_BYTES + LARGE_SEGMENT_BYTES),
            (11 * MIB, SMALL_SEGMENT_BYTES + LARGE_SEGMENT_BYTES + 12 * MIB),
        ]
    ):
        card.ask(number, size)
        assert card.reserved == reserved, size
    assert card.live == 512 + MIB + (MIB + 512) + 11 * MIB + 12 * MIB, "no rest is worth a piece"
    for number in range(5):
        card.let_go(number)
    assert (card.live, card.reserved) == (0, 36 * MIB - 2 * MIB)
    card.play([GIVE_BACK])
    assert card.reserved == 0


def test_a_gap_between_segments_is_of_no_use_and_pages_leave_none() -> None:
    sizes = [Event(number, 30 * MIB) for number in range(4)]
    gaps = [Event(0, 0), Event(1, 0), Event(9, 60 * MIB)]
    assert Card(MOST, growing=False).play([*sizes, *gaps]).peak == 180 * MIB
    assert Card(MOST, growing=True).play([*sizes, *gaps]).peak == 120 * MIB


def test_cached_memory_is_given_back_where_the_card_is_full() -> None:
    card = Card(100 * MIB, growing=False)
    card.play([Event(0, 40 * MIB), Event(0, 0), Event(1, 70 * MIB)])
    assert (card.emptied, card.reserved) == (1, 70 * MIB)
    with pytest.raises(OutOfMemory):
        card.ask(2, 40 * MIB)


@pytest.mark.parametrize("growing", [True, False])
def test_no_byte_is_lent_twice_or_lost(growing: bool) -> None:
    chance, card, live = random.Random(1), Card(MOST, growing=growing), list[int]()
    for number in range(6_000):
        if live and chance.random() < 0.49:
            card.let_go(live.pop(chance.randrange(len(live))))
        else:
            card.ask(number, chance.choice([100, 5_000, 900_000, 3_000_000, 15_000_000, 40_000_000]))
            live.append(number)
        if number % 500 == 0:
            card.play([GIVE_BACK])
            card.check()


def test_a_graph_keeps_its_own_pool() -> None:
    card = Card(MOST, growing=False)
    card.play([Event(0, 30 * MIB, "frame"), Event(0, 0), GIVE_BACK, Event(1, 30 * MIB)])
    assert card.reserved == 60 * MIB


def test_operators_are_noted_with_their_memory_and_its_end() -> None:
    recorder = Recorder()
    with recorder:
        whole = torch.empty(1000, device="meta")
        part = whole[:10]
        part.add_(1)
        more = part + whole[10:20]
        with recorder.outlines():
            torch.empty(5, device="meta")
        torch.empty(5)
        del whole, part, more
    assert [event.size for event in recorder.events] == [4000, 40, 0, 0]


def test_what_is_noted_again_is_what_would_be_noted() -> None:
    weight = torch.empty(64, 128, device="meta")
    notes = []
    for again in (False, True):
        recorder = Recorder()
        pack = recorder.repeated(quantized._pack_4) if again else quantized._pack_4
        with recorder:
            for _ in range(3):
                results = pack(weight)
            del results
        notes.append(recorder.events)
    assert [event.size for event in notes[0]] == [event.size for event in notes[1]]
    peaks = [Card(MOST, growing=False).play(events).live_peak for events in notes]
    assert peaks[0] == peaks[1]
