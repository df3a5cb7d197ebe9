"""A person names a device as they see it; a wrong name is told with those that there are."""

from __future__ import annotations

import pytest

from app.audio.devices import Device, Kind
from app.audio.naming import name_of
from app.errors import UserError

DEVICES = [
    Device("pulse/tv.monitor", "Monitor of TV", "in", False, 48_000, monitor=True),
    Device("pulse/usb", "USB Headset", "in", True, 48_000),
    Device("pulse/twin.a", "会議用マイク (1)", "in", False, 48_000),
    Device("pulse/twin.b", "会議用マイク (2)", "in", False, 48_000),
    Device("alsa/HDA Intel: ALC", "HDA Intel: ALC", "in", False, 48_000),
    Device("pulse/usb.out", "USB Headset", "out", True, 48_000),
]


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        *((device.name, device.name) for device in DEVICES if device.kind == "in"),
        *((device.label, device.name) for device in DEVICES if device.kind == "in"),
        ("USB Headset (default)", "pulse/usb"),
        ("usb  headset", "pulse/usb"),
        ("会議用マイク （２）", "pulse/twin.b"),
        ("twin.a", "pulse/twin.a"),
        ("default", ""),
        ("", ""),
    ],
)
def test_a_microphone_is_named_as_doctor_prints_it_or_by_its_stable_name(wish: str, name: str) -> None:
    assert name_of(wish, "in", DEVICES) == name


@pytest.mark.parametrize(
    ("wish", "kind", "sentence"),
    [
        ("Nothing", "in", "There is no microphone called “Nothing”."),
        ("Nothing", "out", "There is no speaker called “Nothing”."),
        ("会議用マイク", "in", "There is no microphone called “会議用マイク”."),
        ("a\nb\x1b[31m", "in", "There is no microphone called “a b [31m”."),
    ],
)
def test_a_wrong_name_is_told_with_those_that_there_are(wish: str, kind: Kind, sentence: str) -> None:
    with pytest.raises(UserError) as told:
        name_of(wish, kind, DEVICES)
    assert told.value.sentence == sentence
    assert "“USB Headset”" in told.value.advice
    if kind == "in":
        assert all(f"“{device.label}”" in told.value.advice for device in DEVICES)
        assert told.value.advice.endswith("“Monitor of TV”."), "what is no microphone comes last"


@pytest.mark.parametrize(
    ("wish", "near"), [("USB Hedset", "USB Headset"), ("headset", "USB Headset"), ("Intel", "HDA Intel: ALC")]
)
def test_the_one_that_was_meant_is_offered(wish: str, near: str) -> None:
    with pytest.raises(UserError, match=f"Did you mean “{near}”"):
        name_of(wish, "in", DEVICES)


def test_a_computer_without_devices_says_that() -> None:
    with pytest.raises(UserError) as told:
        name_of("USB", "in", [])
    assert told.value.advice == "None is connected: plug one in."
