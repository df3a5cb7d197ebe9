"""A live talk, training and downloads are seen from every page, and nothing ends a recorded talk unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.events import RecordingEnded, RecordingStarted, Unloaded
from app.ui.shell.sidebar import Place, Sign
from app.ui.shell.window import WORTH_A_QUESTION_S
from app.ui.training.run.config import Choices
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage

Act = Callable[[Stage], None]


def question(stage: Stage) -> QMessageBox | None:
    open_ones = [box for box in stage.window.findChildren(QMessageBox) if box.isVisible()]
    return open_ones[0] if open_ones else None


def answer(stage: Stage, text: str) -> None:
    box = question(stage)
    assert box is not None
    next(button for button in box.findChildren(QPushButton) if button.text() == text).click()


def load_another(stage: Stage) -> None:
    stage.window.models._load("j-moshi")


def unload(stage: Stage) -> None:
    stage.window.models.unload_model.emit()


def train(stage: Stage) -> None:
    stage.window.train.run._begin(Choices(name="run", data=("talks",)))


def talk_to_a_new_model(stage: Stage) -> None:
    stage.window.train.talk_wanted.emit("talks-1")


def close(stage: Stage) -> None:
    stage.window.close()


def delete_its_recording(stage: Stage) -> None:
    folder = record_dialogue(stage.where.recordings)
    stage.beat(RecordingStarted(folder))
    stage.window.recordings.open_recording(folder)
    stage.window.recordings.replay.delete()


def delete_all_recordings(stage: Stage) -> None:
    (stage.where.recordings / "talk").mkdir(parents=True)
    stage.window.setup.kept.guard(
        stage.where.recordings, lambda: stage.window.setup.kept.throw_away(stage.where.recordings)
    )


def delete_the_models(stage: Stage) -> None:
    (stage.where.models / stage.window.settings.model).mkdir(parents=True)
    stage.window.setup.kept.guard(
        stage.where.models, lambda: stage.window.setup.kept.throw_away(stage.where.models)
    )


ACTS: tuple[Act, ...] = (
    load_another, unload, train, talk_to_a_new_model, close, delete_its_recording, delete_all_recordings,
    delete_the_models,
)  # fmt: skip


@pytest.fixture(autouse=True)
def trash(home: Path) -> None:
    (home / ".local/share").mkdir(parents=True)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_ends_a_recorded_talk_unless_that_is_wanted(act: Act, stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, WORTH_A_QUESTION_S + 1 if act is close else 8)
    before = list(stage.session.asked)
    act(stage)
    box = question(stage)
    assert box is not None
    assert box.defaultButton().text() == "Go on talking", "Return ends nothing"
    assert box.escapeButton().text() == "Go on talking"
    assert stage.session.asked == before, "the talk goes on while it is asked"
    answer(stage, "Go on talking")
    qtbot.wait(20)
    assert stage.session.asked == before
    assert stage.page.talking and stage.window.isVisible()
    assert stage.where.recordings.exists() == (act in (delete_its_recording, delete_all_recordings))
    act_again = question(stage)
    assert act_again is None


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (load_another, ("load", "j-moshi")),
        (unload, "unload"),
        (train, "unload"),
        (talk_to_a_new_model, ("load", "talks-1")),
    ],
)
def test_it_is_done_once_the_talk_has_ended(act: Act, asked: object, stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 8)
    act(stage)
    answer(stage, "End the talk")
    assert asked not in stage.session.asked
    stage.beat()
    qtbot.waitUntil(lambda: asked in stage.session.asked)
    assert stage.session.asked.index("stop") < stage.session.asked.index(asked)


def test_the_window_closes_once_the_talk_has_ended(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, WORTH_A_QUESTION_S + 1)
    stage.window.close()
    answer(stage, "End the talk")
    stage.beat()
    qtbot.waitUntil(lambda: not stage.window.isVisible())


def test_a_talk_that_has_just_begun_is_no_reason_to_ask_when_the_window_closes(stage: Stage) -> None:
    stage.talk(0, 3)
    stage.window.close()
    assert question(stage) is None
    assert not stage.window.isVisible()
    assert "stop" in stage.session.asked


def test_its_recording_is_deleted_once_the_talk_has_ended(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 8)
    delete_its_recording(stage)
    answer(stage, "End the talk")
    assert list(stage.where.recordings.iterdir())
    stage.beat()
    qtbot.waitUntil(lambda: not list(stage.where.recordings.iterdir()))


@pytest.mark.parametrize("act", [load_another, unload, train, talk_to_a_new_model])
def test_a_talk_that_is_not_recorded_is_ended_without_a_question(act: Act, stage: Stage) -> None:
    stage.talk(0, 2)
    stage.beat(RecordingEnded(Path("talk"), "", ""))
    act(stage)
    assert question(stage) is None
    assert stage.session.asked[-1] in (("load", "j-moshi"), "unload", ("load", "talks-1"))


def test_another_recording_is_deleted_without_a_question_during_a_talk(stage: Stage) -> None:
    folder = record_dialogue(stage.where.recordings)
    stage.talk(0, 8)
    stage.window.recordings.open_recording(folder)
    stage.window.recordings.replay.delete()
    assert question(stage) is None
    assert not folder.exists()


def test_a_signal_of_the_system_closes_without_a_question(stage: Stage) -> None:
    stage.talk(0, 8)
    stage.window.leave()
    assert not stage.window.isVisible()


def test_training_that_was_not_to_end_the_talk_can_be_asked_for_again(stage: Stage) -> None:
    stage.talk(0, 8)
    train(stage)
    answer(stage, "Go on talking")
    stage.stop()
    stage.beat(Unloaded())
    assert not stage.window.train.run.starting, "what was given up does not start later"
    stage.load()
    train(stage)
    assert stage.session.asked[-1] == "unload"


# The side bar


def sign(stage: Stage, index: int) -> Sign | None:
    return stage.window._side.place(index).sign


def test_a_live_talk_is_seen_from_every_page(stage: Stage) -> None:
    assert sign(stage, 0) is None
    stage.talk(0, 1)
    for page in range(5):
        stage.window.show_page(page)
        assert sign(stage, 0) == Sign("Live, and recorded", recorded=True)
        assert stage.window._side.place(0).isVisible()
    stage.beat(RecordingEnded(Path("talk"), "", ""))
    assert sign(stage, 0) == Sign("Live, not recorded")
    stage.beat(RecordingStarted(Path("talk")))
    assert sign(stage, 0) == Sign("Live, and recorded", recorded=True)
    assert "Live, and recorded" in stage.window._side.place(0).toolTip()
    assert stage.window._side.place(0).accessibleDescription() == "Live, and recorded"
    stage.stop()
    assert sign(stage, 0) is None
    assert "Live" not in stage.window._side.place(0).toolTip()


def test_training_and_downloads_fill_a_ring(stage: Stage) -> None:
    stage.window.train.progress_changed.emit(0.25)
    stage.window.models.downloading.emit(0.5)
    stage.window.show_page(0)
    assert sign(stage, 3) == Sign("Training, 25 %", 0.25)
    assert sign(stage, 2) == Sign("Downloading, 50 %", 0.5)
    stage.window.train.progress_changed.emit(None)
    stage.window.models.downloading.emit(None)
    assert sign(stage, 3) is None and sign(stage, 2) is None


def red(place: Place) -> int:
    """Return how many pixels of a place are red."""
    image = place.grab().toImage()
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(colour.red() > 180 and colour.green() < 90 and colour.blue() < 90 for colour in colours)


def test_the_signs_are_painted(stage: Stage) -> None:
    place = stage.window._side.place(0)
    assert red(place) == 0
    place.show_sign(Sign("Live", recorded=False))
    dot = red(place)
    place.show_sign(Sign("Live", recorded=True))
    ringed = red(place)
    assert dot > 20 and ringed > 20 and dot != ringed
    pictures = []
    for share in (0.0, 0.5, 1.0):
        place.show_sign(Sign("Training", share))
        pictures.append(place.grab().toImage())
        assert red(place) == 0, "red is for a live talk"
    assert pictures[0] != pictures[1] != pictures[2]
