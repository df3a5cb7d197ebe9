"""Which devices there are, what they are called, and how ALSA's plugins are led to one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.audio.devices import (
    Device,
    Kind,
    all_devices,
    default_order,
    lack,
    list_devices,
    or_default,
    targeting,
)
from app.audio.naming import name_of
from app.audio.rig import Rig
from tests.audio.conftest import RIGS, open_rig

VARIABLES = ("PULSE_SOURCE", "PULSE_SINK", "PIPEWIRE_NODE")


def targets() -> list[str | None]:
    return [os.environ.get(variable) for variable in VARIABLES]


@pytest.fixture(autouse=True)
def own_choice(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return what the user has set: a microphone, and nothing else."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PULSE_SOURCE", "own")
    return targets()


@pytest.mark.parametrize(
    ("kind", "targeted"), [("in", ["chosen", None, "chosen"]), ("out", ["own", "chosen", "chosen"])]
)
def test_a_server_s_device_is_the_target_for_as_long_as_it_opens(
    kind: Kind, targeted: list[str | None], own_choice: list[str | None]
) -> None:
    with pytest.raises(OSError, match="busy"), targeting("pulse/chosen", kind):
        assert targets() == targeted
        raise OSError("busy")
    assert targets() == own_choice


@pytest.mark.parametrize("name", ["", "alsa/USB microphone"])
def test_other_devices_leave_the_user_s_own_target(name: str, own_choice: list[str | None]) -> None:
    with targeting(name, "in"):
        assert targets() == own_choice


def microphone(name: str, default: bool = False, monitor: bool = False) -> Device:
    return Device(f"pulse/{name}", name.capitalize(), "in", default, 48_000, monitor=monitor)


SPEAKER = Device("pulse/tv", "TV", "out", True, 48_000)
MONITOR = microphone("tv.monitor", default=True, monitor=True)


@pytest.mark.parametrize(
    ("chosen", "devices", "lacking"),
    [
        ("", [microphone("usb", default=True), SPEAKER], ""),
        ("", [microphone("usb"), SPEAKER], ""),
        ("", [MONITOR, SPEAKER], "microphone"),
        ("", [MONITOR, microphone("usb"), SPEAKER], "default microphone"),
        ("pulse/usb", [MONITOR, microphone("usb"), SPEAKER], ""),
        ("pulse/tv.monitor", [MONITOR, SPEAKER], ""),
        ("pulse/gone", [MONITOR, SPEAKER], "microphone"),
        ("", [SPEAKER], "microphone"),
        ("", [microphone("usb", default=True)], "speaker"),
        ("", [MONITOR], "devices"),
        ("", [], "devices"),
        ("pulse/gone", [Device("alsa/default", "Default (ALSA)", "in", True, 48_000), SPEAKER], ""),
    ],
)
def test_a_monitor_is_a_microphone_for_who_chose_it_by_name_alone(
    chosen: str, devices: list[Device], lacking: str
) -> None:
    assert lack(or_default({"in": chosen, "out": ""}, devices), devices) == lacking


CARDS = {4: "HDA NVidia: HDMI 0 (hw:0,3)", 5: "HDA NVidia: HDMI 1 (hw:0,7)", 6: "HDA Intel: ALC257 (hw:1,0)"}


@pytest.mark.parametrize(
    ("screens", "order"),
    [((), [4, 5, 6]), (("0", "0"), [6, 4, 5]), (("0", "1"), [4, 5, 6])],
    ids=["nothing is known", "no screen", "a screen"],
)
def test_without_a_server_a_card_comes_before_screens_that_are_not_there(
    screens: tuple[str, ...], order: list[int], tmp_path: Path
) -> None:
    (tmp_path / "card0").mkdir()
    for number, present in enumerate(screens):
        (tmp_path / "card0" / f"eld#0.{number}").write_text(f"monitor_present\t\t{present}\neld_valid\t\t0\n")
    assert default_order(CARDS, 4, tmp_path) == order


def test_the_default_plugin_is_the_default_device(tmp_path: Path) -> None:
    assert default_order({**CARDS, 7: "pulse", 8: "default"}, 8, tmp_path) == [8]
    assert default_order({**CARDS, 7: "pulse", 8: "default"}, 4, tmp_path) == [8]
    assert default_order(CARDS, 6, tmp_path) == [6, 4, 5]
    assert default_order({}, -1, tmp_path) == []


def test_a_device_of_a_server_that_hangs_stays_the_choice() -> None:
    plugins = [Device("alsa/default", "Default (ALSA)", kind, True, 48_000) for kind in ("in", "out")]
    wished: dict[Kind, str] = {"in": "pulse/mic", "out": "pulse/speaker"}
    assert or_default(wished, plugins) == wished
    assert lack(wished, plugins) == ""
    card = Device("alsa/USB", "USB", "in", True, 48_000)
    assert or_default(wished, [card, plugins[1]]) == {**wished, "in": ""}, "there is no way to a server"


@pytest.mark.sound
@pytest.mark.parametrize("server", RIGS)
def test_a_computer_without_a_microphone_has_none(server: str) -> None:
    with open_rig(server) as rig:
        rig.unplug("mic")
        rig.unplug("other_mic")
        devices = all_devices(rig.env)
        assert {device.kind for device in list_devices(rig.env)} == {"out"}
        assert {device.monitor for device in devices if device.kind == "in"} == {True}
        assert lack({"in": "", "out": ""}, devices) == "microphone"
        rig.plug("mic")
        assert lack({"in": "", "out": ""}, all_devices(rig.env)) == ""


@pytest.mark.sound
def test_a_server_without_devices_leaves_none_of_alsa_s_ways_to_it() -> None:
    with open_rig("PulseAudio") as rig:
        for device in ("mic", "other_mic", "speaker", "other", "air", "wire"):
            rig.unplug(device)
        devices = all_devices(rig.env)
        assert [device for device in devices if device.name.startswith("alsa/")] == []
        assert lack({"in": "", "out": ""}, devices) == "devices"


@pytest.mark.sound
@pytest.mark.parametrize("server", RIGS)
def test_devices_are_called_by_their_names_in_any_script_and_twins_told_apart(server: str) -> None:
    with open_rig(server) as rig:
        for name, label in (("ja", "会議用マイク"), ("de", "Gerät"), ("a", "Zwilling"), ("b", "Zwilling")):
            rig.add_microphone(name, label)
        devices = list_devices(rig.env)
        labels = {device.name: device.label for device in devices if device.kind == "in"}
        assert (labels["pulse/ja"], labels["pulse/de"]) == ("会議用マイク", "Gerät")
        assert (labels["pulse/a"], labels["pulse/b"]) == ("Zwilling (1)", "Zwilling (2)")
        assert len(set(labels.values())) == len(labels)
        for name, label in labels.items():
            assert name_of(label, "in", devices) == name


@pytest.mark.sound
def test_without_an_answer_of_the_server_alsa_s_own_devices_are_left(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "pactl").write_text("#!/bin/sh\necho '[{'\n")
    (tmp_path / "pactl").chmod(0o755)
    devices = all_devices({**rig.env, "PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert "alsa/default" in {device.name for device in devices}
    assert not any(device.name.startswith("pulse/") for device in devices)
    assert {device.kind for device in devices} == {"in", "out"}
