"""The Settings page changes what it shows, tells it once, and shows what others change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import paths
from app.audio.devices import all_devices
from app.audio.rig import Rig
from app.paths import Paths
from app.settings import Settings
from app.ui.settings.page import SettingsPage
from app.ui.shell import theme
from app.ui.widgets.number import Number
from app.ui.widgets.panel import Switch


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths.paths(tmp_path / "aizuchi")


@pytest.fixture
def page(where: Paths, qtbot: QtBot, qapp: QApplication) -> Iterator[SettingsPage]:
    theme.apply(qapp, "light")
    page = SettingsPage(Settings(), where)
    qtbot.addWidget(page)
    page.resize(900, 600)
    yield page
    page.shut()


def named(page: QWidget, name: str) -> QWidget:
    return next(found for found in page.findChildren(QWidget) if found.accessibleName() == name)


def button(page: QWidget, text: str) -> QPushButton:
    return next(found for found in page.findChildren(QPushButton) if found.text() == text)


def test_recording_is_switched_off(page: SettingsPage, qtbot: QtBot) -> None:
    switch = named(page, "Record every talk")
    assert isinstance(switch, Switch) and switch.isChecked()
    with qtbot.waitSignal(page.changed) as told:
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert told.args == [replace(Settings(), record=False)]


def test_a_number_is_changed_and_brought_back(page: SettingsPage, qtbot: QtBot) -> None:
    box = named(page, "Text temperature")
    assert isinstance(box, QDoubleSpinBox)
    number = box.parentWidget()
    assert isinstance(number, Number)
    reset = named(number, "Bring back the default of: Text temperature")
    assert reset.isHidden()
    with qtbot.waitSignal(page.changed) as told:
        box.setValue(0.9)
    assert told.args[0].text_temperature == 0.9
    assert not reset.isHidden()
    with qtbot.waitSignal(page.changed) as told:
        reset.click()
    assert told.args[0] == Settings()
    assert reset.isHidden()


def test_the_seed_is_new_each_time_unless_it_is_fixed(page: SettingsPage, qtbot: QtBot) -> None:
    box = named(page, "Seed")
    assert isinstance(box, QSpinBox)
    assert box.text() == "new each time"
    with qtbot.waitSignal(page.changed) as told:
        box.setValue(7)
    assert told.args[0].seed == 7
    with qtbot.waitSignal(page.changed) as told:
        box.setValue(-1)
    assert told.args[0].seed is None


def test_a_shorter_memory_is_told_in_frames(page: SettingsPage, qtbot: QtBot) -> None:
    box = named(page, "Context")
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(1)
    with qtbot.waitSignal(page.changed) as told:
        box.activated.emit(1)
    assert told.args[0].context == 375


def test_what_is_changed_elsewhere_is_shown_and_not_told_again(page: SettingsPage, qtbot: QtBot) -> None:
    news = Settings(record=False, audio_top_k=12, seed=5, context=750, scheme="dark", speaker="alsa/Gone")
    with qtbot.assertNotEmitted(page.changed):
        page.set_settings(news)
    assert named(page, "Audio top-k").property("value") == 12
    assert named(page, "Seed").property("value") == 5
    assert named(page, "Context").property("currentText") == "60 seconds"
    assert named(page, "Speaker").property("currentText") == "Gone"
    assert button(page, "Dark").isChecked()


def test_the_colours_change_at_once(page: SettingsPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.changed) as told:
        button(page, "Dark").click()
    assert told.args[0].scheme == "dark"
    assert theme.colours().dark
    button(page, "Light").click()
    assert not theme.colours().dark


def test_the_devices_of_this_computer_are_offered(
    page: SettingsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Rig() as rig:
        for name, value in rig.env.items():
            monkeypatch.setenv(name, value)
        with qtbot.waitSignal(page.devices_wanted):
            page.show()
        page.set_devices(all_devices())
        rig.unplug("mic")
        rig.unplug("other_mic")
        without = all_devices()
    speaker = named(page, "Speaker")
    assert isinstance(speaker, QComboBox)
    assert speaker.itemText(0) == "System default: Virtual-speaker"
    microphone = named(page, "Microphone")
    assert isinstance(microphone, QComboBox)
    assert microphone.findData("pulse/mic") > 0
    assert microphone.findData("pulse/speaker.monitor") < 0, "it is no microphone"
    speaker.setCurrentIndex(speaker.findData("pulse/other"))
    with qtbot.waitSignal(page.changed) as told:
        speaker.activated.emit(speaker.currentIndex())
    assert told.args[0].speaker == "pulse/other"
    page.set_devices(without)
    assert [microphone.itemText(row) for row in range(microphone.count())] == [
        "System default: no microphone"
    ]


def test_the_wheel_scrolls_and_changes_no_number(page: SettingsPage, qtbot: QtBot) -> None:
    box = named(page, "Text top-k")
    assert isinstance(box, QSpinBox)
    before = box.value()
    none = Qt.KeyboardModifier.NoModifier
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, turn)
    assert box.value() == before
    assert not turn.isAccepted()


def test_the_folder_is_made_and_opened(
    page: SettingsPage, where: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    # There is no file manager where tests run.
    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    button(page, "Open folder").click()
    assert opened == [str(where.recordings)]
    assert where.recordings.is_dir()


def test_the_report_of_the_doctor_is_copied(page: SettingsPage, qtbot: QtBot) -> None:
    copy = button(page, "Look over this computer")
    copy.click()
    assert not copy.isEnabled()
    qtbot.waitUntil(copy.isEnabled, timeout=90_000)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("Aizuchi ")
    assert "Python" in text and "Disk" in text


def test_every_control_has_a_name_and_a_tooltip(page: SettingsPage) -> None:
    kinds = (QAbstractSpinBox, QComboBox, Switch, QPushButton)
    controls = [found for found in page.findChildren(QWidget) if isinstance(found, kinds)]
    assert len(controls) > 15
    for control in controls:
        name = control.accessibleName() or control.property("text")
        assert name, control
        assert control.toolTip(), name
