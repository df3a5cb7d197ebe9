"""A graphics card that failed: the window offers to restart the program, and loses nothing by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import relaunch, settings
from app.commands.talk import parse
from app.engine import card_fault
from app.engine.events import Failed, Stopped, Unloaded
from app.options import PAGES, Options, chosen
from app.settings import Settings
from tests.ui.staging import Stage

LOST = Failed(card_fault.SENTENCE, card_fault.ADVICE, restart=True)


def button(within: QWidget, text: str) -> QPushButton:
    return next(each for each in within.findChildren(QPushButton) if each.text() == text)


def offers(qtbot: QtBot, within: QWidget, *texts: str) -> None:
    """Wait until these are the buttons that are shown."""

    def look() -> None:
        shown = [each.text() for each in within.findChildren(QPushButton) if each.isVisibleTo(within)]
        assert shown == [*texts]

    qtbot.waitUntil(look)


def fail(stage: Stage, last_s: float = 2.0) -> None:
    """Let the card fail in the middle of a recorded talk."""
    stage.talk(0, last_s)
    stage.beat(LOST, Unloaded(), Stopped(25, stage.where.recordings / "talk"))


def test_a_card_that_fails_in_a_talk_is_told_with_a_button_that_restarts(stage: Stage, qtbot: QtBot) -> None:
    fail(stage)
    notice = stage.page.signpost.notice
    assert "The graphics card failed" in notice.text
    offers(qtbot, notice, "Restart Aizuchi", "Play it back")
    with qtbot.waitSignal(stage.window.closed):
        button(notice, "Restart Aizuchi").click()
    assert stage.window.restarts


def test_a_model_that_is_not_loaded_for_a_lost_card_offers_the_same(stage: Stage, qtbot: QtBot) -> None:
    stage.beat(LOST)
    pane = stage.page.signpost.pane
    offers(qtbot, pane, "Choose another model", "Restart Aizuchi")
    with qtbot.waitSignal(stage.window.closed):
        button(pane, "Restart Aizuchi").click()
    assert stage.window.restarts


def test_any_other_fault_offers_no_restart(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 2)
    stage.beat(Failed("The talk broke off."), Unloaded(), Stopped(25, stage.where.recordings / "talk"))
    offers(qtbot, stage.page.signpost.notice, "Play it back", "Use for training", "Delete")


def test_a_window_that_is_closed_does_not_restart(stage: Stage) -> None:
    fail(stage)
    stage.window.close()
    assert not stage.window.restarts


def test_the_offer_stays_when_the_recording_is_gone(stage: Stage, qtbot: QtBot) -> None:
    fail(stage)
    stage.page.forget_missing()
    offers(qtbot, stage.page.signpost.notice, "Restart Aizuchi")


def test_settings_that_were_just_changed_are_saved_first(stage: Stage) -> None:
    stage.page.changed.emit(replace(stage.window.settings, volume=0.25))
    stage.window.restart()
    assert settings.load(stage.where.settings, lambda *_: None).volume == 0.25


def test_settings_that_can_not_be_saved_hold_the_restart_back(stage: Stage) -> None:
    stage.page.changed.emit(replace(stage.window.settings, volume=0.25))
    stage.where.settings.mkdir(parents=True)
    stage.window.restart()
    assert not stage.window.restarts
    assert stage.window.isVisible()
    assert "could not be saved" in stage.window.status.trouble


@pytest.mark.parametrize("ends", [True, False])
def test_a_recorded_talk_is_ended_only_after_a_question(stage: Stage, qtbot: QtBot, ends: bool) -> None:
    stage.talk(0, 30)
    stage.window.restart()
    (box,) = stage.window.findChildren(QMessageBox)
    assert "Then Aizuchi restarts." in box.informativeText()
    assert not stage.window.restarts
    button(box, "End the talk" if ends else "Go on talking").click()
    if ends:
        stage.beat()
        qtbot.waitUntil(lambda: stage.window.restarts)
        assert not stage.window.isVisible()
    else:
        assert stage.window.isVisible()
        assert not stage.window.restarts


def test_training_goes_on_without_a_question(
    stage: Stage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(stage.window.train), "going", property(lambda _: True))
    with qtbot.waitSignal(stage.window.closed):
        stage.window.restart()
    assert not stage.window.findChildren(QMessageBox)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "line",
    [
        "",
        "--model moshiko --mode int8 --kv int8 --engine fast --device cuda:1 --seed 7 --echo off --no-record",
        "--model some/lora --base moshika --compute-ms 12.5",
    ],
)
def test_the_program_begins_as_it_was(line: str, page: str) -> None:
    saved = Settings(model="moshika", seed=3, volume=0.5)
    before = parse(line.split())
    now = replace(chosen(saved, before), volume=0.25)
    saved = replace(saved, volume=0.25)
    verb, *rest = relaunch.arguments(now, saved, before, page)
    again = parse(rest)
    assert verb == "talk"
    assert chosen(saved, again) == now
    assert (again.page, again.base, again.compute_ms) == (page, before.base, before.compute_ms)
    assert bool(again.model) == bool(before.model), "a model that was chosen is not asked for again"


def test_how_long_and_what_to_open_is_not_asked_for_again(tmp_path: Path) -> None:
    options = Options(recording=tmp_path / "x.aizuchi", seconds=5.0, microphone="pulse/a", speaker="")
    saved = Settings(speaker="pulse/b")
    again = relaunch.arguments(chosen(saved, options), saved, options, "models")
    assert again == ["talk", "--page", "models", "--microphone", "pulse/a", "--speaker", "default"]


def test_a_page_is_opened_when_it_is_asked_for(stage: Stage) -> None:
    for index, page in enumerate(PAGES):
        stage.window.show_page(index)
        assert stage.window.page == page
    stage.window.show_welcome()
    assert stage.window.page == "talk"
