"""What is said ends: by what answers it, by a click, or when it is old; and its link shows what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.events import Failed, Loading, Stopped, Trouble
from app.errors import UserError
from app.ui.shell.status import TROUBLE_MS
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage


@pytest.fixture(autouse=True)
def trash(home: Path) -> None:
    (home / ".local/share").mkdir(parents=True)


def offered(stage: Stage) -> set[str]:
    """Return what the notice of the Talk page offers."""
    notice = stage.page.signpost.notice
    return {each.text() for each in notice.findChildren(QPushButton) if each.isVisible()} - {""}


def end_talk(stage: Stage) -> Path:
    """Hold a talk that leaves a recording."""
    folder = record_dialogue(stage.where.recordings)
    stage.talk(0, 2)
    stage.session.port = None
    stage.beat(Stopped(25, folder))
    assert {"Play it back", "Delete"} <= offered(stage)
    return folder


# The Talk page


def test_a_recording_deleted_on_its_page_is_offered_no_more(stage: Stage) -> None:
    folder = end_talk(stage)
    stage.window.play(folder)
    stage.window.recordings.replay.delete()
    stage.window.show_page(0)
    assert not offered(stage)
    assert not stage.page.signpost.notice.isVisible()


def test_a_recording_deleted_with_all_others_is_offered_no_more(stage: Stage) -> None:
    end_talk(stage)
    stage.window.setup.kept.throw_away(stage.where.recordings)
    assert not offered(stage)


def test_another_recording_that_is_deleted_leaves_the_offer(stage: Stage) -> None:
    folder = end_talk(stage)
    other = record_dialogue(stage.where.recordings)
    stage.window.play(other)
    stage.window.recordings.replay.delete()
    stage.window.show_page(0)
    assert {"Play it back", "Delete"} <= offered(stage)
    assert folder.exists()


def test_why_a_talk_broke_off_is_still_said_when_its_recording_is_gone(stage: Stage) -> None:
    folder = record_dialogue(stage.where.recordings)
    stage.talk(0, 2)
    stage.session.port = None
    stage.beat(Failed("The talk broke off.", "The log holds the details."), Stopped(25, folder))
    assert "Delete" in offered(stage)
    stage.window.play(folder)
    stage.window.recordings.replay.delete()
    stage.window.show_page(0)
    assert "The talk broke off." in stage.page.signpost.notice.text
    assert not offered(stage)


def test_deleting_what_is_gone_already_says_that(stage: Stage) -> None:
    folder = end_talk(stage)
    folder.rename(folder.with_name("elsewhere"))
    stage.page.signpost.delete(folder)
    assert "is gone already" in stage.page.signpost.notice.text
    assert not offered(stage)
    stage.page.start()
    assert not stage.page.signpost.notice.isVisible(), "and that ends with the next talk"


def test_a_recording_deleted_on_the_talk_page_is_not_left_open(stage: Stage, qtbot: QtBot) -> None:
    folder = end_talk(stage)
    stage.window.play(folder)
    assert stage.window.recordings.replay.recording is not None
    stage.window.show_page(0)
    stage.page.signpost.delete(folder)
    qtbot.waitUntil(lambda: stage.window.recordings.replay.recording is None)


def test_what_is_told_while_the_devices_are_opened_stays(stage: Stage) -> None:
    stage.page.start()
    stage.beat(Trouble("There is no microphone.", "A recorded user speaks."))
    stage.beat()
    assert stage.page.talking
    assert "There is no microphone." in stage.page.signpost.notice.text
    assert "There is no microphone." in stage.window.status.trouble


# The status line


def told(stage: Stage) -> str:
    return stage.window.status.trouble


def test_trouble_of_a_load_ends_with_the_next_load(stage: Stage) -> None:
    stage.beat(Failed("The hub does not answer.", "Look at the network."))
    assert told(stage)
    stage.beat(Loading("Looking for the files"))
    assert told(stage) == ""
    stage.beat(Trouble("It does not say its base.", "Name it."), Loading("Reading the weights", 1, 2))
    assert told(stage), "what the load itself tells is not wiped away by its own progress"


def test_trouble_of_a_talk_ends_with_the_next_talk(stage: Stage) -> None:
    stage.beat(Trouble("The headset is gone.", "Plug it in."))
    assert told(stage)
    stage.page.start()
    assert told(stage) == ""


def test_trouble_of_the_disk_ends_when_it_is_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UserError("The settings could not be saved: no space.", "Check the disk.")

    with monkeypatch.context() as patch:
        patch.setattr("app.settings.save", refuse)
        stage.window._save()
    assert "could not be saved" in told(stage)
    stage.window._save()
    assert told(stage) == ""


def test_trouble_of_the_devices_ends_when_they_are_listed(stage: Stage) -> None:
    stage.window._show_devices(UserError("PortAudio is not installed.", "Install it."))
    assert told(stage)
    stage.window._show_devices([])
    assert told(stage) == ""


def test_trouble_of_a_page_ends_with_the_next_action_there_and_no_other(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window.show_page(2)
    window.models.trouble.emit("The models could not be listed.", "Try again.")
    qtbot.mouseClick(window._side.place(4), Qt.MouseButton.LeftButton)
    qtbot.keyClick(window.setup, Qt.Key.Key_Return)
    assert told(stage), "other pages have nothing to do with it"
    window.show_page(2)
    qtbot.keyClick(window.models, Qt.Key.Key_Down)
    assert told(stage), "looking around is no answer"
    button = next(each for each in window.models.findChildren(QPushButton) if each.isVisible())
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    assert told(stage) == ""


def test_what_an_action_tells_itself_is_not_taken_away_by_it(stage: Stage, qtbot: QtBot) -> None:
    replay = stage.window.recordings.replay
    folder = record_dialogue(stage.where.recordings)
    stage.window.play(folder)
    folder.rename(folder.with_name("elsewhere"))
    for _ in range(2):
        replay.trouble.emit("Something before.", "")
        button = next(each for each in replay.findChildren(QPushButton) if each.text() == "Export…")
        button.clicked.disconnect()
        button.clicked.connect(lambda: replay.trouble.emit("It could not be exported.", ""))
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert told(stage) == "It could not be exported."


def test_trouble_grows_old_while_somebody_looks(stage: Stage) -> None:
    stage.window.status.tell("Something is amiss.", "Do this.")
    stage.beat(elapsed_ms=TROUBLE_MS - 1)
    assert told(stage)
    stage.beat(elapsed_ms=2)
    assert told(stage) == ""


def link(stage: Stage, name: str) -> None:
    label = next(
        each for each in stage.window.status.findChildren(QLabel) if each.accessibleName() == "Last trouble"
    )
    assert f'href="{name}"' in label.text()
    label.linkActivated.emit(name)


def test_what_to_do_is_shown_when_the_link_is_clicked(stage: Stage) -> None:
    status = stage.window.status
    stage.beat(Failed("The hub does not answer.", "Look at the network."))
    assert status.advice == ""
    link(stage, "advice")
    assert status.advice == "The hub does not answer. Look at the network."
    assert any(
        each.text() == "Look at the network." and each.isVisible() for each in status.findChildren(QLabel)
    )
    stage.beat(elapsed_ms=10 * TROUBLE_MS)
    assert status.advice, "who reads it is not interrupted"
    link(stage, "advice")
    assert status.advice == ""
    link(stage, "advice")
    link(stage, "close")
    assert (status.advice, status.trouble) == ("", "")


def test_trouble_without_advice_has_no_link_to_it_but_can_be_closed(stage: Stage) -> None:
    stage.window.status.tell("Something is amiss.", "")
    label = next(
        each for each in stage.window.status.findChildren(QLabel) if each.accessibleName() == "Last trouble"
    )
    assert "What to do" not in label.text()
    link(stage, "close")
    assert told(stage) == ""


# Results on the pages


def test_a_result_ends_when_its_page_is_left(stage: Stage) -> None:
    window = stage.window
    row = window.models._rows["moshika"]
    window.show_page(2)
    row.say("All of its files are whole.")
    window.show_page(0)
    assert row._note.text() == ""
    window.show_page(4)
    window.setup._token.setPlaceholderText("It is kept.")
    window.setup._about._say("Copied, for a bug report.")
    window.show_page(0)
    assert window.setup._token.placeholderText() == "hf_…"
    assert window.setup._about._note.isHidden()


def test_what_is_under_way_is_still_said_when_the_page_is_left(stage: Stage) -> None:
    row = stage.window.models._rows["moshiko"]
    stage.window.show_page(2)
    row.show_fetching(0.5, "1 of 2 GB")
    stage.window.show_page(0)
    assert row._note.text() == "1 of 2 GB"
