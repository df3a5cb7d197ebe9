"""The keys go to the page that is open, and F1 and ? show what they do."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.shell.shortcuts import KeysDialog, Shortcuts
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage

CONTROL = Qt.KeyboardModifier.ControlModifier
PAGES = [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5]


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def inside(page: QWidget) -> bool:
    return focused() is page or page.isAncestorOf(focused())


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("first", [0, 2, 4])
def test_the_focus_follows_the_page(stage: Stage, recorded: bool, first: int, qtbot: QtBot) -> None:
    if recorded:
        record_dialogue(stage.where.recordings)
    window = stage.window
    pages = (window.talk, window.recordings, window.models, window.train, window.setup)
    window._side.place(first).setFocus()
    for key, page in (*zip(PAGES, pages, strict=True), *zip(PAGES[::-1], pages[::-1], strict=True)):
        qtbot.keyClick(focused(), key, CONTROL)
        assert page.isVisible()
        assert inside(page), page


def test_return_after_turning_to_recordings_does_not_turn_to_models(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window._side.place(0).setFocus()
    qtbot.keyClick(focused(), Qt.Key.Key_2, CONTROL)
    assert inside(window.recordings)
    qtbot.keyClick(focused(), Qt.Key.Key_Return)
    assert window.recordings.isVisible()


def test_a_page_keeps_the_place_of_the_focus(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    slider = window.talk.desk.volume
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_5, CONTROL)
    assert inside(window.setup)
    qtbot.keyClick(focused(), Qt.Key.Key_1, CONTROL)
    assert focused() is slider


def test_tab_goes_on_within_the_page(stage: Stage, qtbot: QtBot) -> None:
    desk = stage.page.desk
    stage.talk(0, 1)
    desk.start.setFocus()
    for expected in (desk.mute, desk.restart, desk.volume, desk.record):
        qtbot.keyClick(focused(), Qt.Key.Key_Tab)
        assert focused() is expected


def test_a_page_that_is_chosen_in_the_side_bar_gets_the_focus(stage: Stage, qtbot: QtBot) -> None:
    place = stage.window._side.place(3)
    place.setFocus()
    qtbot.keyClick(place, Qt.Key.Key_Space)
    assert inside(stage.window.train)


def test_the_talk_page_begins_with_start(stage: Stage) -> None:
    assert focused() is stage.page.desk.start


@pytest.mark.parametrize("key", [Qt.Key.Key_F1, Qt.Key.Key_Question])
@pytest.mark.parametrize("page", range(5))
def test_a_key_shows_the_keys_on_every_page(stage: Stage, key: Qt.Key, page: int, qtbot: QtBot) -> None:
    stage.window.show_page(page)
    qtbot.keyClick(stage.window, key)
    (dialog,) = stage.window.findChildren(KeysDialog)
    assert dialog.isVisible()
    (listed,) = dialog.findChildren(Shortcuts)
    assert {"F1", "?", "Ctrl+Return"} <= listed.keys()
    qtbot.keyClick(dialog, key)
    qtbot.waitUntil(lambda: not stage.window.findChildren(KeysDialog))


def test_escape_closes_the_keys(stage: Stage, qtbot: QtBot) -> None:
    qtbot.keyClick(stage.window, Qt.Key.Key_F1)
    (dialog,) = stage.window.findChildren(KeysDialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not stage.window.findChildren(KeysDialog))


def test_a_question_mark_is_written_where_something_is_written(stage: Stage, qtbot: QtBot) -> None:
    record_dialogue(stage.where.recordings)
    stage.window.show_page(1)
    page = stage.window.recordings
    qtbot.waitUntil(lambda: bool(page.recordings) and page._search.isVisible())
    page._search.setFocus()
    qtbot.keyClicks(page._search, "why?")
    assert page._search.text() == "why?"
    assert not stage.window.findChildren(KeysDialog)
    qtbot.keyClick(page._search, Qt.Key.Key_F1)
    assert stage.window.findChildren(KeysDialog)
