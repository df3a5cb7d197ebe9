"""A headset that is plugged in during a talk is offered, and can be chosen at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.audio.devices import Device, list_devices
from app.audio.rig import Rig
from app.ui.shell.hotplug import Hotplug
from tests.ui.staging import DEVICES, Stage


@pytest.mark.sound
def test_the_sound_server_tells_what_comes_and_goes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    with Rig() as rig:
        for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(name, rig.env[name])
        # As pactl speaks it to most people.
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        monkeypatch.setenv("LANGUAGE", "de")
        hotplug = Hotplug()
        try:
            qtbot.wait(1000)
            with qtbot.waitSignal(hotplug.changed, timeout=10_000):
                rig.unplug("other_mic")
            assert "pulse/other_mic" not in {device.name for device in list_devices(rig.env)}
            with qtbot.waitSignal(hotplug.changed, timeout=10_000):
                rig.plug("other_mic")
            assert "pulse/other_mic" in {device.name for device in list_devices(rig.env)}
            with qtbot.waitSignal(hotplug.changed, timeout=10_000):
                rig.control("set-default-sink", "other")
        finally:
            hotplug.close()


def test_a_new_headset_is_chosen_in_mid_talk(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    window = stage.window
    new = Device("pulse/new", "New headset", "in", False, 48_000)
    window._show_devices([*DEVICES, new])
    chooser = window.talk.bar._microphone
    assert chooser.isEnabled()
    chooser.setCurrentIndex(chooser.findData("pulse/new"))
    chooser.activated.emit(chooser.currentIndex())
    assert stage.sound.devices == ("pulse/new", window.settings.speaker)
    assert stage.page.talking
    window._change(replace(window.settings, echo="on", suppress_noise=True))
    assert stage.sound.echo == ("on", True)
