"""Whoever is asked what fits a card gives the same answer: loader, doctor, lists, window and README."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel, loaders
from pytestqt.qtbot import QtBot
from sentencepiece import SentencePieceProcessor

from app import catalog
from app.catalog import HUB, KnownModel
from app.commands import models
from app.commands.doctor import NOTHING_FITS, judge_card
from app.engine import build
from app.engine.build import Outline
from app.engine.checkpoint import Checkpoint
from app.engine.device import Device, check_memory, choose_fit, needed_bytes
from app.engine.events import Loadout
from app.engine.fake import tiny_config
from app.errors import UserError
from app.memory_plan import FITS, MODES, Q8, WHOLE, Fit, Sizes, lm_bytes, plan, words
from app.ui.models.model_card import ModeRow
from app.ui.models.model_list import Shelf

GIB = 2**30
ROOT = Path(__file__).parent.parent

USABLE = 0.96
"""What the driver lets programs have of the memory that a card is sold with, GiB for GB."""

DESKTOP = 500_000_000
"""What a screen, its windows and a browser take."""

SIZES_GB = (6, 7, 8, 10, 11, 12, 16, 24, 48)


def card_bytes(sold_gb: int, desktop: int = 0) -> int:
    return int(USABLE * sold_gb * GIB) - desktop


@pytest.fixture(scope="module")
def outlines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outline]:
    """Return the known models of the hub as if their files were here, without memory."""
    mimi = tmp_path_factory.mktemp("files") / "mimi"
    with mimi.open("wb") as file:
        file.truncate(catalog.MIMI_BYTES)
    found, made = {}, dict[str, LMModel]()
    for known in HUB:
        checkpoint = Checkpoint(known.name, "catalogue", known.repo, mimi, mimi, mimi, known.config)
        shape = repr(known.config)
        made[shape] = made[shape] if shape in made else build._outline_lm(checkpoint)
        found[known.name] = Outline(checkpoint, made[shape], SentencePieceProcessor(), WHOLE, "")
    return found


def card(free_bytes: int, dtype: torch.dtype) -> Device:
    return Device(torch.device("cuda"), "Some Card", dtype, free_bytes, 2 * free_bytes)


def loaded(outline: Outline, device: Device, loadout: Loadout) -> str:
    """Return how the loader would keep a model, '' where it refuses it."""
    fit = choose_fit(outline, device, loadout)
    try:
        check_memory(outline, device, fit)
    except UserError:
        return ""
    return words(fit, "q8" if outline.checkpoint.quantized else WHOLE)


def told_by_doctor(name: str, free_bytes: int, capability: list[int], loadout: Loadout) -> str:
    described: dict[str, Any] = {"name": "Some Card", "capability": capability, "trouble": ""}
    _, room = judge_card({**described, "free": free_bytes, "total": 2 * free_bytes}, loadout)
    assert room.ok == (NOTHING_FITS not in room.found)
    for names, way in re.findall(r"(?:for|;) ([^(;]*) \(([^)]*)\)", room.found):
        if name in names.split(", "):
            return str(way)
    return ""


def told_by_window(known: KnownModel, free_bytes: int, loadout: Loadout) -> str:
    """Return the way that a row of the Models page tells, in the words of the others."""
    row = ModeRow(known)
    row.set_shelf(Shelf(card_bytes=2 * free_bytes, free_bytes=free_bytes, loadout=loadout))
    text = row._memory.text()
    row.deleteLater()
    if text.startswith("Needs"):
        return ""
    bits = re.search(r"kept in (\d) bits", text)
    parts = [f"int{bits.group(1)}" if bits else known.mode]
    parts += ["keys and values in int8"] * ("what it remembers in 8" in text)
    parts += ["Mimi on the processor"] * ("Mimi on the processor" in text)
    need = re.match(r"([\d.]+) GB of ([\d.]+) GB free", text)
    assert need is not None
    assert float(need.group(1)) <= float(need.group(2))
    return ", ".join(parts)


@pytest.mark.parametrize(
    "loadout", [Loadout(), Loadout(mode="int8"), Loadout(context=375), Loadout(kv="int8")]
)
@pytest.mark.parametrize("desktop", [0, DESKTOP])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_all_doors_give_one_answer(
    dtype: torch.dtype, desktop: int, loadout: Loadout, outlines: dict[str, Outline], qtbot: QtBot
) -> None:
    for sold_gb in SIZES_GB:
        free = card_bytes(sold_gb, desktop)
        device = card(free, dtype)
        listed = {row["name"]: row for row in models.rows(device, loadout)}
        answers: dict[str, str] = {}
        for known in HUB:
            wish = loadout if not known.quantized else replace(loadout, mode="auto", kv="auto")
            outline = outlines[known.name]
            if loadout.context:
                config = {**known.config, "context": loadout.context}
                outline = replace(outline, checkpoint=replace(outline.checkpoint, config=config))
            shape = repr(known.config)
            if shape not in answers:
                answers[shape] = loaded(outline, device, wish)
            expected = answers[shape]
            capability = [8, 9] if dtype == torch.bfloat16 else [7, 5]
            asked = f"{known.name} on {sold_gb} GB"
            assert told_by_doctor(known.name, free, capability, loadout) == expected, asked
            assert told_by_window(known, free, loadout) == expected, asked
            assert listed[known.name]["way"] == expected, asked
            assert listed[known.name]["fits"] == bool(expected), asked


def test_an_8_gb_card_with_a_desktop_holds_a_large_model(outlines: dict[str, Outline]) -> None:
    free = card_bytes(8, DESKTOP)
    assert told_by_doctor("moshiko", free, [8, 6], Loadout()) == "int4, keys and values in int8"
    _, room = judge_card({"name": "", "capability": [8, 6], "trouble": "", "free": 5e9, "total": 8e9})
    assert room.advice.endswith("needs 6.6 GB.")


@pytest.mark.parametrize("fit", FITS)
def test_the_catalogue_counts_what_the_loader_counts(fit: Fit, outlines: dict[str, Outline]) -> None:
    for known in HUB:
        if known.quantized and fit.mode != WHOLE:
            continue
        for context in (3000, 375):
            need = needed_bytes(outlines[known.name], card(24 * GIB, torch.bfloat16), context, fit)
            # The file of Mimi has a header.
            assert need == pytest.approx(1e9 * known.memory_gb(context, fit), abs=1e6)


@pytest.mark.parametrize("mode", [*MODES, Q8])
@pytest.mark.parametrize(
    "changes", [{}, {"dim": 2048, "num_heads": 16, "hidden_scale": 4}, {"num_layers": 3, "dep_q": 4}]
)
def test_weights_are_counted_by_the_configuration_as_the_modules_have_them(
    mode: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    config = {**catalog.moshi_7b(quantize=mode == Q8), **changes}
    with torch.device("meta"):
        lm = loaders.get_moshi_lm(None, dict(config), device="meta", dtype=torch.bfloat16)
    checkpoint = Checkpoint("", "folder", "", tmp_path, tmp_path, tmp_path, config)
    outline = Outline(checkpoint, lm, SentencePieceProcessor(), WHOLE, "")
    assert outline.lm_bytes(torch.bfloat16, WHOLE if mode == Q8 else mode) == lm_bytes(config, mode)


def test_the_steps_of_the_users_voice_take_nothing() -> None:
    assert lm_bytes({**catalog.moshi_7b(), "dep_q": 16}) == lm_bytes(catalog.moshi_7b())
    assert lm_bytes({**tiny_config(100), "hidden_scale": 4.125}) > 0


def test_a_short_ring_leaves_what_loading_takes() -> None:
    sizes = Sizes({WHOLE: 1000}, 100, {"num_layers": 2, "num_heads": 2, "dim": 8}, 3000, cuda=10, workspace=5)
    assert sizes.needed_bytes(context=1) == 1110 + sizes.loading
    assert plan(replace(sizes, loading=0), 2000).context is None


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_table_of_the_readme_is_the_plan(name: str) -> None:
    """The rows are of cards with a desktop; other rows of the file are about training."""
    known = catalog.find("moshiko")
    assert known is not None
    rows = [
        line for line in (ROOT / name).read_text().splitlines() if line.startswith("| ") and "RTX" in line
    ]
    assert len(rows) == 4
    expected = [FITS[0], FITS[1], FITS[3], FITS[4]]
    for row, fit in zip(rows, expected, strict=True):
        sold, _, what, taken = (cell.strip() for cell in row.strip("|").split("|"))
        for sold_gb in map(int, re.findall(r"\d+", sold)):
            assert known.plan(card_bytes(sold_gb, DESKTOP)).fit == fit, row
        assert ("--mode int8" in what or "8 ビット" in what) == (fit.mode == "int8") or fit.kv == "int8"
        figures = re.findall(r"(\d+\.\d)", taken)
        others = {"int8": [FITS[2]], "int4": [FITS[5]] if fit.kv == "int8" else [], WHOLE: []}[fit.mode]
        assert figures == [f"{known.memory_gb(fit=each):.1f}" for each in (fit, *others)], row


def test_the_catalogue_tells_for_which_cards_a_q8_file_is() -> None:
    """The cards have a desktop; the whole model in 8 bits of our own takes less."""
    for name in ("moshiko-q8", "moshika-q8"):
        known, whole = catalog.find(name), catalog.find(name.removesuffix("-q8"))
        assert known is not None and whole is not None
        fits = {gb: known.plan(card_bytes(gb, DESKTOP)) for gb in SIZES_GB}
        alone = min(gb for gb, found in fits.items() if found.fits and not found.fit.mimi_apart)
        apart = min(gb for gb, found in fits.items() if found.fits and found.fit.mimi_apart)
        assert f"cards with {alone} GB; with {apart} GB Mimi runs on the processor" in known.summary
        assert whole.memory_gb(fit=FITS[1]) < known.memory_gb()


def test_the_readme_tells_what_a_q8_file_takes() -> None:
    known = catalog.find("moshiko-q8")
    assert known is not None
    assert f"`-q8` files of Kyutai take {known.memory_gb():.1f} GB" in (ROOT / "README.md").read_text()
