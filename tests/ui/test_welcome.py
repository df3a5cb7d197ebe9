"""The first page asks what has to be known, tries the devices, and lets nothing be recorded before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app import settings as store
from app.audio.devices import Device
from app.audio.duplex import Duplex
from app.audio.rig import RATE, Rig, read_recording
from app.audio.trial import Trial, chime
from app.frames import SAMPLE_RATE
from app.settings import Settings
from app.ui.shell.welcome import WelcomePage
from tests.audio.conftest import rig
from tests.ui.staging import DEVICES, Sound, Stage

__all__ = ["rig"]  # the fixture


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[WelcomePage]:
    page = WelcomePage(Settings(), open_port=lambda _: Sound())
    qtbot.addWidget(page)
    page.set_devices(DEVICES)
    page.show()
    yield page
    page.shut()


def press(page: WelcomePage, text: str, qtbot: QtBot) -> None:
    (button,) = (each for each in page.findChildren(QPushButton) if each.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_nothing_is_recorded_unless_it_is_wished(page: WelcomePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.answered) as told:
        press(page, "Begin", qtbot)
    assert (told.args[0].record, told.args[0].welcomed) == (False, True)
    page._record.click()
    with qtbot.waitSignal(page.answered) as told:
        qtbot.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told.args[0].record


def test_chosen_devices_are_kept(page: WelcomePage, qtbot: QtBot) -> None:
    page._microphone.setCurrentIndex(page._microphone.findData("pulse/webcam"))
    page._microphone.activated.emit(page._microphone.currentIndex())
    with qtbot.waitSignal(page.answered) as told:
        press(page, "Begin", qtbot)
    assert (told.args[0].microphone, told.args[0].speaker) == ("pulse/webcam", "")


def test_the_window_shows_nothing_else_before(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window.show_welcome()
    assert window.welcome is not None
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.welcome.isVisible()
    assert not window.recordings.isVisible()
    press(window.welcome, "Begin", qtbot)
    assert window.welcome is None
    assert window.talk.isVisible()
    assert window.settings.welcomed
    assert not window.settings.record


def test_the_other_models_are_a_click_away(stage: Stage, qtbot: QtBot) -> None:
    stage.window.show_welcome()
    assert stage.window.welcome is not None
    press(stage.window.welcome, "See the others", qtbot)
    assert stage.window.models.isVisible()
    assert stage.window.settings.welcomed


def test_a_computer_without_a_microphone_is_told_so(qtbot: QtBot) -> None:
    page = WelcomePage(Settings(), open_port=lambda _: pytest.fail("there is nothing to open"))
    qtbot.addWidget(page)
    monitor = Device("pulse/tv.monitor", "Monitor of TV", "in", True, 48_000, monitor=True)
    with qtbot.waitSignal(page.trouble) as told:
        page.set_devices([monitor, Device("pulse/tv", "TV", "out", True, 48_000)])
    assert told.args[0] == "There is no microphone."
    with qtbot.assertNotEmitted(page.trouble):
        page.set_devices([monitor, Device("pulse/tv", "TV", "out", True, 48_000)])
    page.shut()


@pytest.mark.sound
def test_levels_move_and_the_test_sound_is_played(rig: Rig, tmp_path: Path) -> None:
    trial = Trial(lambda: Duplex(env=rig.env, echo="off"), lambda fault: pytest.fail(fault.sentence))
    try:
        deadline = 200
        while trial.counters() is None and deadline:
            deadline -= 1
            trial._closing.wait(0.05)
        recorder = rig.record(tmp_path / "both.raw")
        trial._closing.wait(0.5)
        trial.play()
        assert rig.play(chime()).wait(20) == 0
        counters = trial.counters()
        trial._closing.wait(1.5)
        recorder.terminate()
        recorder.wait()
    finally:
        trial.close()
    assert counters is not None
    assert counters.heard_peak_db > -40
    said = abs(read_recording(tmp_path / "both.raw")[:, 1]) > 0.05
    assert said.sum() / RATE == pytest.approx((abs(chime()) > 0.05).sum() / SAMPLE_RATE, rel=0.2)


def test_the_answer_is_in_the_settings_file(tmp_path: Path) -> None:
    store.save(tmp_path / "settings.toml", Settings(welcomed=True, record=False))
    assert store.load(tmp_path / "settings.toml").welcomed
