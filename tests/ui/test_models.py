"""The Models page says what each model costs and allows, and its one button does the next thing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import paths
from app.catalog import KNOWN
from app.engine.events import Failed, Loading, Unloaded
from app.paths import Paths
from app.settings import Settings
from app.ui.models.gpu_memory import CardMemory
from app.ui.models.model_card import ModelCard, ModeRow
from app.ui.models.model_download import Fetching
from app.ui.models.model_list import OwnModelFacts, Shelf, families, read_downloaded, read_own
from app.ui.models.own_card import OwnCard
from app.ui.models.page import ModelsPage, OwnModel
from app.ui.widgets.memory_bar import MemoryBar
from tests.ui import dialogue

CARD_16_GB = Shelf(frozenset({"moshika", "moshika-q8"}), int(16e9), int(15e9))


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths.paths(tmp_path / "aizuchi")


@pytest.fixture
def page(where: Paths, qtbot: QtBot) -> Iterator[ModelsPage]:
    page = ModelsPage(where, Settings())
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show_shelf(CARD_16_GB)
    yield page
    page.shut()


def row(page: ModelsPage, name: str) -> ModeRow:
    return next(card.modes[name] for card in page.findChildren(ModelCard) if name in card.modes)


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def button(widget: QWidget, text: str) -> QPushButton:
    return next(found for found in widget.findChildren(QPushButton) if found.text() == text)


def visible(widget: QWidget) -> list[str]:
    return [found.text() for found in widget.findChildren(QPushButton) if not found.isHidden()]


def test_each_known_model_has_one_row_and_its_modes_share_a_card(page: ModelsPage) -> None:
    rows = [name for card in page.findChildren(ModelCard) for name in card.modes]
    assert sorted(rows) == sorted(model.name for model in KNOWN)
    assert ["moshika", "moshika-q8"] in [list(card.modes) for card in page.findChildren(ModelCard)]


def test_a_card_says_what_the_licence_allows(page: ModelsPage) -> None:
    for card in page.findChildren(ModelCard):
        research_only = next(model.research_only for model in KNOWN if model.name in card.modes)
        assert ("For research" in texts(card)) == research_only
        assert ("also commercial" in texts(card)) != research_only


def weigh(page: ModelsPage, name: str, free_gb: float) -> None:
    row(page, name).set_shelf(replace(CARD_16_GB, free_bytes=int(1e9 * free_gb)))


def test_memory_is_weighed_against_the_card(page: ModelsPage) -> None:
    assert "of 15.0 GB free graphics memory" in texts(row(page, "moshika-q8"))
    packed = "10.6 GB of 15.0 GB free graphics memory, kept in 8 bits (18.3 GB as it is)"
    assert packed in texts(row(page, "moshika"))
    weigh(page, "moshika", 7.4)
    ways = "kept in 4 bits (18.3 GB as it is), what it remembers in 8"
    assert f"7.0 GB of 7.4 GB free graphics memory, {ways}" in texts(row(page, "moshika"))
    weigh(page, "moshika", 7.0)
    assert f"{ways}, Mimi on the processor" in texts(row(page, "moshika"))
    weigh(page, "moshika", 5)
    assert "Needs at least 6.6 GB; 5.0 GB of 16.0 GB graphics memory are free" in texts(row(page, "moshika"))
    assert not row(page, "moshika").findChildren(MemoryBar)[0].isHidden()


def test_a_card_that_fits_with_a_short_memory_is_told(page: ModelsPage) -> None:
    weigh(page, "moshika-q8", 11)
    assert "10.7 GB with a context of 120 s" in texts(row(page, "moshika-q8"))
    weigh(page, "moshika-q8", 10.15)
    assert "10.1 GB with a context of 30 s" in texts(row(page, "moshika-q8"))


def test_what_a_model_in_memory_takes_is_free_for_another(page: ModelsPage) -> None:
    page._weighed(CardMemory(int(10e9), int(16e9), int(5.5e9)))
    assert "Needs at least" in texts(row(page, "moshiko"))
    page.on_event(replace(dialogue.READY, device="Some Card", memory_bytes=int(9.5e9)))
    page._weighed(CardMemory(int(10e9), int(16e9), int(5.5e9)))
    assert "10.6 GB of 15.0 GB free" in texts(row(page, "moshiko"))
    page.on_event(Unloaded())
    page._weighed(CardMemory(int(1e9), int(16e9), int(14e9)))
    assert "of 14.3 GB free" in texts(row(page, "moshiko")), "CUDA keeps its own part"
    page.set_settings(Settings(mode="int4"))
    assert "kept in 4 bits" in texts(row(page, "moshiko"))


def test_without_a_graphics_card_the_need_is_told_alone(page: ModelsPage) -> None:
    row(page, "moshika").set_shelf(Shelf())
    assert texts(row(page, "moshika")).count("Needs 18.3 GB of graphics memory") == 1
    assert row(page, "moshika").findChildren(MemoryBar)[0].isHidden()


def test_a_licence_that_forbids_something_is_accepted_before_the_download(
    page: ModelsPage, qtbot: QtBot
) -> None:
    absent = row(page, "j-moshi")
    assert visible(absent) == ["Download"]
    button(absent, "Download").click()
    (box,) = page.findChildren(QMessageBox)
    assert "CC-BY-NC" in box.text()
    assert "not commercially" in box.informativeText()
    assert box.defaultButton().text() == "Cancel"
    box.defaultButton().click()
    assert not page._fetching
    assert visible(absent) == ["Download"]


def test_a_download_tells_why_it_can_not_be_and_goes_on_when_asked(page: ModelsPage, qtbot: QtBot) -> None:
    """Tests have no network: that is what is told."""
    absent = row(page, "moshiko")
    button(absent, "Download").click()
    assert visible(absent) == ["Pause"]
    qtbot.waitUntil(lambda: not page._fetching, timeout=60_000)
    assert visible(absent) == ["Go on"]
    assert "kyutai/moshiko-pytorch-bf16 is not on this computer" in texts(absent)
    button(absent, "Go on").click()
    assert visible(absent) == ["Pause"]
    button(absent, "Pause").click()
    qtbot.waitUntil(lambda: not page._fetching, timeout=60_000)
    assert "is not on this computer" not in texts(absent)


def test_a_download_tells_how_far_and_how_fast(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    fetching = Fetching("tiny", paths.paths(tmp_path))
    told: list[tuple[float, str]] = []
    fetching.progress.connect(lambda share, text: told.append((share, text)))
    for done in (0, 1_000_000_000, 2_000_000_000, 3_000_000_000):
        fetching._hear(json.dumps({"done": done, "total": 15_000_000_000}))
        qtbot.wait(60)
    assert told[-1][0] == 0.2
    assert told[-1][1].startswith("3.0 of 15.0 GB") or told[-1][1].startswith("3.0 GB of 15.0 GB")
    assert "a second" in told[-1][1]
    assert told[-1][1].endswith("1 min left")
    with qtbot.waitSignal(fetching.done, timeout=60_000) as ended:
        pass
    assert ended.args == [True, ""], "tiny is made in place"


def test_the_button_loads_and_then_unloads(page: ModelsPage, qtbot: QtBot) -> None:
    there = row(page, "moshika")
    with qtbot.waitSignal(page.load_model) as asked:
        button(there, "Load").click()
    assert asked.args == ["moshika"]
    page.on_event(Loading("Reading the weights", 4_000_000_000, 15_400_000_000))
    assert "Reading the weights: 4.0 GB of 15.4 GB" in texts(there)
    assert not button(there, "Loading…").isEnabled()
    page.on_event(dialogue.READY)
    with qtbot.waitSignal(page.unload_model):
        button(there, "Unload").click()
    page.on_event(Unloaded())
    assert button(there, "Load").isEnabled()


def test_a_load_that_fails_can_be_tried_again(page: ModelsPage) -> None:
    there = row(page, "moshika-q8")
    button(there, "Load").click()
    page.on_event(Loading("Reading the weights"))
    page.on_event(Failed("It does not fit.", "Choose another."))
    assert button(there, "Load").isEnabled()


def test_what_another_page_loads_is_shown_on_its_card_alone(page: ModelsPage) -> None:
    page.on_event(Loading("Reading the weights"))
    page.on_event(replace(dialogue.READY, model="moshika-q8"))
    assert "Unload" in visible(row(page, "moshika-q8"))
    assert "Load" in visible(row(page, "moshika"))


def test_a_folder_of_the_users_own_is_loaded_and_unloaded(
    page: ModelsPage, tmp_path: Path, qtbot: QtBot
) -> None:
    (own,) = page.findChildren(OwnModel)
    with qtbot.waitSignal(page.load_model) as asked:
        own.open_folder(tmp_path)
    assert asked.args == [str(tmp_path)]
    page.on_event(replace(dialogue.READY, model=str(tmp_path)))
    assert str(tmp_path) in texts(own).replace("\u200b", "")
    with qtbot.waitSignal(page.unload_model):
        button(own, "Unload").click()
    page.on_event(Unloaded())
    assert str(tmp_path) not in texts(own).replace("\u200b", "")


OWN = OwnModelFacts(
    name="my-talks-3",
    parent="moshika",
    language="en",
    created="2026-11-24T18:30:00+00:00",
    data=("my-talks",),
    hours=0.5,
    steps=550,
    scores={"text": 1.82, "user": 4.2},
    before={"text": 2.92},
)


def test_models_of_ones_own_stand_under_their_parent(page: ModelsPage, qtbot: QtBot) -> None:
    page.show_shelf(replace(CARD_16_GB, own=(OWN, replace(OWN, name="far-off", parent="/somewhere"))))
    page.show()
    mine, far = page.findChildren(OwnCard)
    assert "from my-talks (30 min 0 s) · 550 steps · English" in texts(mine)
    assert "Words 2.92 → 1.82 · Your voice 4.20" in texts(mine)
    parent = next(card for card in page.findChildren(ModelCard) if "moshika" in card.modes)
    following = next(card for card in page.findChildren(ModelCard) if card.y() > parent.y())
    qtbot.waitUntil(lambda: parent.y() < mine.y() < following.y() < far.y())
    with qtbot.waitSignal(page.load_model) as asked:
        button(mine, "Load").click()
    assert asked.args == ["my-talks-3"]
    page.on_event(Loading("Reading the weights", 4_000_000_000, 15_400_000_000))
    assert "Reading the weights: 4.0 GB of 15.4 GB" in texts(mine)
    page.on_event(replace(dialogue.READY, model="my-talks-3"))
    assert visible(mine) == ["Unload"]
    assert visible(far) == ["Load"]
    page.show_shelf(CARD_16_GB)
    assert not any(card.isVisible() for card in page.findChildren(OwnCard))


def test_every_button_has_a_tooltip(page: ModelsPage) -> None:
    assert all(found.toolTip() for found in page.findChildren(QPushButton))


def test_the_starter_is_there_and_needs_no_card(page: ModelsPage) -> None:
    page.show_shelf(Shelf())
    assert visible(row(page, "starter")) == ["Verify", "Load"]
    assert "Runs on the processor" in texts(row(page, "starter"))
    row(page, "starter").set_shelf(CARD_16_GB)
    assert "graphics memory" not in texts(row(page, "starter"))


def test_modes_of_a_model_stand_together() -> None:
    assert [model.name for model in families()[1]] == ["moshiko", "moshiko-q8"]


def test_an_answer_that_is_none_is_refused() -> None:
    for text in ("", "{}", "Traceback", "[1]", '[{"name": "moshika"}]'):
        with pytest.raises(ValueError):
            read_downloaded(text)
    for text in ("", "{}", "[1]", '[{"own": true}]'):
        with pytest.raises(ValueError):
            read_own(text)


def test_the_page_asks_the_command_what_is_here(page: ModelsPage, qtbot: QtBot) -> None:
    page.show()
    qtbot.waitUntil(lambda: visible(row(page, "moshika")) == ["Download"], timeout=60_000)


def test_a_model_is_verified_by_the_command(page: ModelsPage, qtbot: QtBot) -> None:
    there = row(page, "moshika")
    button(there, "Verify").click()
    assert not button(there, "Verify").isEnabled()
    qtbot.waitUntil(lambda: "is not on this computer" in texts(there), timeout=60_000)
    assert button(there, "Verify").isEnabled()


def test_a_list_that_can_not_be_had_is_told(
    page: ModelsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with qtbot.waitSignal(page.trouble) as told:
        page.refresh()
    assert "could not be listed" in told.args[0]
