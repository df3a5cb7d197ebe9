"""A model that does not fit is refused before it takes memory, with what would fit.

There is no graphics card where the tests run: cards are described by value, and what asks one is not tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel, loaders
from sentencepiece import SentencePieceProcessor

from app import catalog
from app.engine.build import Outline, prove
from app.engine.checkpoint import Checkpoint, find
from app.engine.device import (
    Device,
    Fit,
    card_trouble,
    check_memory,
    choose_device,
    choose_fit,
    compile_trouble,
    grow_segments,
    needed_bytes,
    taken_bytes,
)
from app.engine.events import Loadout
from app.errors import UserError
from app.memory_plan import CUDA_BYTES
from tests.engine.conftest import Load

GB = 1_000_000_000


def card(free_gb: float, dtype: torch.dtype = torch.bfloat16) -> Device:
    return Device(torch.device("cuda"), "Some Card", dtype, int(free_gb * GB), 24 * GB)


@pytest.fixture(scope="module")
def outlines() -> dict[str, LMModel]:
    """Return the 7B models without memory, in full precision and in 8 bits."""
    with torch.device("meta"):
        return {
            mode: loaders.get_moshi_lm(None, catalog.moshi_7b(quantize=mode == "q8"), device="meta")
            for mode in ("bf16", "q8")
        }


def outline(name: str, outlines: dict[str, LMModel], tmp_path: Path) -> Outline:
    """Return a known model as if its files were here; Mimi is a hole in a sparse file."""
    known = catalog.find(name)
    assert known is not None
    mimi = tmp_path / "mimi"
    with mimi.open("wb") as file:
        file.truncate(catalog.MIMI_BYTES)
    checkpoint = Checkpoint(name, "catalogue", known.repo, tmp_path, mimi, tmp_path, known.config)
    return Outline(checkpoint, outlines[known.mode], SentencePieceProcessor(), "bf16", "")


def test_older_cards_take_the_same_and_the_cpu_twice_as_much(
    outlines: dict[str, LMModel], tmp_path: Path
) -> None:
    model = outline("moshiko", outlines, tmp_path)
    cpu = Device(torch.device("cpu"), "CPU", torch.float32, 64 * GB, 64 * GB)
    assert needed_bytes(model, card(24, torch.float16), 3000) == needed_bytes(model, card(24), 3000)
    assert needed_bytes(model, cpu, 3000) / GB == pytest.approx(2 * 15.4 + 0.4 + 2 * 1.57 + 0.2, abs=0.1)


@pytest.mark.parametrize(
    ("free_gb", "advice"),
    [
        (17.5, "With --mode int8 it needs 10.6 GB."),
        (10.2, "With --mode int8 and --kv int8 it needs 9.8 GB."),
        (7.9, "With --mode int4 it needs 7.7 GB."),
        (7.2, "With --mode int4 and --kv int8 it needs 7.0 GB."),
        (6.0, "Close other programs"),
    ],
)
def test_a_card_too_small_is_told_with_what_fits(
    free_gb: float, advice: str, outlines: dict[str, LMModel], tmp_path: Path
) -> None:
    model = outline("moshiko", outlines, tmp_path)
    with pytest.raises(UserError) as refused:
        check_memory(model, card(free_gb))
    assert refused.value.sentence == (
        f"moshiko needs 18.3 GB of graphics memory, and {free_gb:.1f} of 24.0 GB are free on Some Card."
    )
    assert refused.value.advice.startswith(advice)


@pytest.mark.parametrize(
    ("name", "free_gb", "advice"),
    [
        ("moshiko-q8", 11.5, "With a context of 1500 frames (120 s) it needs 11.1 GB."),
        ("moshiko-q8", 10.5, "With a context of 375 frames (30 s) it needs 10.5 GB."),
    ],
)
def test_a_shorter_context_is_offered_with_its_figure(
    name: str, free_gb: float, advice: str, outlines: dict[str, LMModel], tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refused:
        check_memory(outline(name, outlines, tmp_path), card(free_gb))
    assert refused.value.advice == advice


@pytest.mark.parametrize(
    ("free_gb", "fit"),
    [
        (23.0, Fit("bf16")),
        (17.5, Fit("int8")),
        (10.5, Fit("int8", "int8")),
        (9.5, Fit("int4")),
        (7.5, Fit("int4", "int8")),
        (7.0, Fit("int4", "int8", mimi_apart=True)),
        (3.0, Fit("int4", "int8", mimi_apart=True)),
    ],
)
def test_a_model_goes_in_the_first_way_that_fits_beside_a_desktop(
    free_gb: float, fit: Fit, outlines: dict[str, LMModel], tmp_path: Path
) -> None:
    model, there = outline("moshiko", outlines, tmp_path), card(free_gb)
    assert choose_fit(model, there, Loadout()) == fit
    if free_gb > 6:
        assert needed_bytes(model, there, 3000, fit) <= (free_gb - 0.4) * GB
    assert choose_fit(model, there, Loadout(mode="int8")).mode == "int8", "a wish is granted"
    assert choose_fit(model, there, Loadout(kv="bf16")).kv == "bf16", "a wish is granted"
    plain = choose_fit(model, there, Loadout(engine="moshi"))
    assert (plain.mode, plain.kv) == ("bf16", "bf16"), "moshi's own engine packs nothing"


def test_packed_weights_stay_as_they_are(outlines: dict[str, LMModel], tmp_path: Path) -> None:
    model = outline("moshiko-q8", outlines, tmp_path)
    assert choose_fit(model, card(5), Loadout()) == Fit("bf16", "bf16", mimi_apart=True)
    for packed, name in ((model, "q8"), (replace(model, packed="int8"), "int8")):
        with pytest.raises(UserError, match=f"kept in {name}, not in int4"):
            choose_fit(packed, card(5), Loadout(mode="int4"))
    with pytest.raises(UserError, match="that does not go with weights in q8"):
        choose_fit(model, card(24), Loadout(kv="int8"))


def test_what_fits_is_let_through_with_its_need(tiny: Path) -> None:
    model = prove(find(str(tiny)))
    device = choose_device()
    need = check_memory(model, device)
    weights = sum(path.stat().st_size for path in tiny.glob("*.safetensors"))
    assert weights < need < weights + 0.3 * GB
    with pytest.raises(UserError, match=r"needs 0.2 GB of"):
        check_memory(model, replace(device, free_bytes=need - 1))


def test_the_card_is_chosen_if_there_is_one_and_the_cpu_otherwise() -> None:
    device = choose_device()
    assert device.on_card == torch.cuda.is_available()
    assert 0 < device.free_bytes <= device.total_bytes
    if not device.on_card:
        assert (device.label, device.dtype) == ("CPU", torch.float32)
        assert compile_trouble(device) is None


def test_a_compiler_that_does_not_work_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the card does not exist, which is one way in which compiling for it fails."""
    monkeypatch.setenv("PATH", "")
    trouble = compile_trouble(replace(card(24), device=torch.device("cuda", 63)))
    assert trouble is not None
    assert "torch.compile does not work" in trouble[0]
    assert "apt-get install gcc" in trouble[1]


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Describe the graphics cards of this computer; each may have a `fault` that its first kernel raises."""
    there: list[dict[str, Any]] = []
    make = torch.ones

    def ones(*size: Any, device: Any = None, **how: Any) -> torch.Tensor:
        if not str(device).startswith("cuda:"):
            return make(*size, device=device, **how)
        if (fault := there[int(device.removeprefix("cuda:"))].get("fault")) is not None:
            raise fault
        return make(*size)

    def free(device: int | torch.device) -> tuple[int, int]:
        index = device if isinstance(device, int) else device.index
        return int(there[index]["free_gb"] * GB), 24 * GB

    monkeypatch.setattr(torch, "ones", ones)
    for name, told in {
        "device_count": lambda: len(there),
        "empty_cache": lambda: None,
        "mem_get_info": free,
        "get_device_capability": lambda index: there[index].get("capability", (8, 9)),
        "get_device_name": lambda index: f"Card {index}",
    }.items():
        monkeypatch.setattr(torch.cuda, name, told)
    for asked in (card_trouble, grow_segments):
        asked.cache_clear()
    yield there
    for asked in (card_trouble, grow_segments):
        asked.cache_clear()


@pytest.mark.parametrize(("capability", "dtype"), [((8, 9), torch.bfloat16), ((7, 5), torch.float16)])
def test_cards_older_than_ampere_compute_in_float16(
    capability: tuple[int, int], dtype: torch.dtype, cards: list[dict[str, Any]]
) -> None:
    cards.append({"free_gb": 3, "capability": capability})
    device = choose_device()
    assert device == Device(torch.device("cuda", 0), "Card 0", dtype, 3 * GB + CUDA_BYTES, 24 * GB)
    cards[0]["free_gb"] = 1
    assert taken_bytes(device, 7) == 2 * GB + CUDA_BYTES
    cards[0]["free_gb"] = 24
    assert choose_device().free_bytes == 24 * GB, "no more than there is"


def test_the_card_with_the_most_free_memory_is_chosen_or_the_one_that_is_wished_for(
    cards: list[dict[str, Any]],
) -> None:
    cards += [{"free_gb": 3}, {"free_gb": 20}, {"free_gb": 11}]
    assert choose_device().label == choose_device("cuda").label == "Card 1"
    assert choose_device("cuda:2").label == "Card 2"
    assert choose_device("cpu").label == "CPU"
    for wish in ("cuda:3", "gpu", "CPU"):
        with pytest.raises(UserError, match=f"'{wish}'") as caught:
            choose_device(wish)
        assert "cuda:1" in caught.value.advice


NO_CODE = RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore")


def test_a_card_that_torch_has_no_code_for_is_passed_over(cards: list[dict[str, Any]]) -> None:
    cards += [{"free_gb": 20, "capability": (6, 1), "fault": NO_CODE}]
    assert choose_device().label == "CPU"
    assert "6.1" in card_trouble(0)
    with pytest.raises(UserError, match="can use"):
        choose_device("cuda")
    cards.append({"free_gb": 3})
    assert choose_device().label == "Card 1"


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", ""])
def test_segments_of_graphics_memory_grow_unless_the_user_says_how_to_ask(
    name: str, cards: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(torch.cuda.memory, "_set_allocator_settings", asked.append)
    if name:
        monkeypatch.setenv(name, "max_split_size_mb:128")
    choose_device()
    assert asked == [], "without a card"
    cards.append({"free_gb": 3})
    choose_device()
    assert asked == ([] if name else ["expandable_segments:True"])


def test_a_card_that_can_not_let_segments_grow_is_used_as_it_is(
    cards: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a part of a card in a virtual machine, where memory can not be mapped."""
    asked: list[str] = []

    def settings(text: str) -> None:
        asked.append(text)
        cards[0]["fault"] = None if "False" in text else RuntimeError("CUDA driver error: not supported")

    monkeypatch.setattr(torch.cuda.memory, "_set_allocator_settings", settings)
    cards.append({"free_gb": 3})
    for _ in range(2):
        assert choose_device().label == "Card 0"
    assert asked == ["expandable_segments:True", "expandable_segments:False"], "asked once"


def test_torch_has_the_setting() -> None:
    torch.cuda.memory._set_allocator_settings("expandable_segments:True")


def test_a_card_that_is_full_is_a_card(cards: list[dict[str, Any]]) -> None:
    cards += [{"free_gb": 0.1, "fault": torch.OutOfMemoryError("CUDA out of memory")}]
    assert choose_device().label == "Card 0"


def test_the_bundled_model_runs_on_the_processor_unless_asked(
    cards: list[dict[str, Any]], load: Load
) -> None:
    cards.append({"free_gb": 20})
    assert load("starter").device.label == "CPU"
