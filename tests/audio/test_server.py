"""Whatever pactl prints, the devices are those that can be told from it, and none are made up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.audio import server
from app.audio.server import SoundServer

JSON_SOURCES = [
    {
        "index": 3,
        "name": "alsa_input.usb-1",
        "description": "Headset",
        "sample_specification": "s16le 1ch 44100Hz",
        "monitor_source": "",
        "active_port": "headset-mic",
        "properties": {"device.bus": "usb", "device.form_factor": "headset"},
    },
    {"index": 4, "name": "hdmi", "description": "Monitor of TV", "monitor_source": "tv", "properties": {}},
]

TEXT_SOURCES = """\
Source #3
	State: SUSPENDED
	Name: alsa_input.usb-1
	Description: Gerät für Öl
	Sample Specification: s16le 1ch 44100Hz
	Monitor of Sink: n/a
	Properties:
		device.bus = "usb"
		device.form_factor = "headset"
	Ports:
		headset-mic: Mikrofon (type: Mic, priority: 8500)
	Active Port: headset-mic

Source #4
	Name: tv.monitor
	Description: Monitor of TV
	Monitor of Sink: tv
"""

Pactl = Callable[[str], None]


@pytest.fixture
def pactl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pactl:
    """Put a program of this name, with this body in sh, in the place of pactl; JSON is $JSON."""

    def put(body: str) -> None:
        program = tmp_path / "pactl"
        program.write_text(f'#!/bin/sh\ncase "$*" in *json*) JSON=1;; esac\n{body}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def printed(text: str, tmp_path: Path, name: str) -> str:
    """Return the shell command that prints a text."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return f"cat {tmp_path / name}"


def both(as_json: str, as_text: str) -> str:
    return f'if [ "$JSON" ]; then {as_json}; else {as_text}; fi'


def test_json_is_read(pactl: Pactl, tmp_path: Path) -> None:
    pactl(both(printed(json.dumps(JSON_SOURCES), tmp_path, "json"), "exit 1"))
    headset, monitor = SoundServer().sources() or []
    assert (headset.index, headset.name, headset.description) == (3, "alsa_input.usb-1", "Headset")
    assert (headset.rate, headset.bus, headset.form, headset.port) == (44100, "usb", "headset", "headset-mic")
    assert (headset.monitor, monitor.monitor) == (False, True), "by what it is, not by its name"


def test_a_pactl_without_json_is_read_as_text(pactl: Pactl, tmp_path: Path) -> None:
    pactl(both("exit 1", printed(TEXT_SOURCES, tmp_path, "text")))
    headset, monitor = SoundServer().sources() or []
    assert (headset.index, headset.name, headset.description) == (3, "alsa_input.usb-1", "Gerät für Öl")
    assert (headset.rate, headset.bus, headset.form, headset.port) == (44100, "usb", "headset", "headset-mic")
    assert (headset.monitor, monitor.monitor) == (False, True)


def test_what_json_can_not_say_is_taken_from_the_text(pactl: Pactl, tmp_path: Path) -> None:
    lost = [{**JSON_SOURCES[0], "description": "(null)"}, {**JSON_SOURCES[1], "name": "(null)"}]
    pactl(both(printed(json.dumps(lost), tmp_path, "json"), printed(TEXT_SOURCES, tmp_path, "text")))
    found = SoundServer().sources() or []
    assert [each.description for each in found] == ["Gerät für Öl", "Monitor of TV"]
    assert [each.name for each in found] == ["alsa_input.usb-1", "tv.monitor"]


@pytest.mark.parametrize(
    "told",
    ["", "{}", "null", "17", '"text"', '[{"name": "x"', "[1, 2]", '[{"index": 1}]', "[" * 10_000],
    ids=str.__len__,
)
def test_json_that_is_no_list_of_devices_is_no_answer(pactl: Pactl, tmp_path: Path, told: str) -> None:
    pactl(both(printed(told, tmp_path, "json"), "echo what is this"))
    assert SoundServer().sources() is None
    assert SoundServer().defaults() == ("", "")
    pactl(both(printed(told, tmp_path, "json"), printed(TEXT_SOURCES, tmp_path, "text")))
    assert [each.index for each in SoundServer().sources() or []] == [3, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"description": None},
        {"description": 7},
        {"properties": [1]},
        {"properties": {"device.bus": 7, "device.form_factor": None}},
        {"index": "three"},
        {"index": True},
        {"sample_specification": {"rate": 1}},
        {"active_port": ["a"]},
    ],
)
def test_a_value_of_the_wrong_type_is_a_value_that_is_missing(
    pactl: Pactl, tmp_path: Path, change: dict[str, object]
) -> None:
    pactl(both(printed(json.dumps([{**JSON_SOURCES[0], **change}]), tmp_path, "json"), "exit 1"))
    (device,) = SoundServer().sources() or []
    assert device.name == "alsa_input.usb-1"
    assert {type(device.index), type(device.rate)} == {int}
    assert {type(text) for text in (device.description, device.bus, device.form, device.port)} == {str}


def test_bytes_that_are_no_text_are_no_answer(pactl: Pactl) -> None:
    pactl(r"printf '[{\"name\": \"\377\"}]'")
    assert SoundServer().sources() is None


def test_a_server_without_devices_answers(pactl: Pactl) -> None:
    pactl(both("echo '[]'", "exit 1"))
    assert SoundServer().sources() == []
    pactl(both("exit 1", "true"))
    assert SoundServer().sources() == []


def test_a_made_up_speaker_is_none(pactl: Pactl) -> None:
    pactl(both("""echo '[{"index": 0, "name": "auto_null", "description": "Dummy Output"}]'""", "exit 1"))
    assert SoundServer().sinks() == []


def test_an_endless_answer_is_cut_off(pactl: Pactl) -> None:
    pactl("yes")
    assert SoundServer().sources() is None


def test_a_server_that_hangs_is_asked_once(pactl: Pactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "QUESTION_S", 0.5)
    pactl("sleep 600")
    asked, began = SoundServer(), time.monotonic()
    assert asked.sources() is None
    assert asked.sinks() is None
    assert asked.defaults() == ("", "")
    assert time.monotonic() - began < 60


def test_pactl_is_asked_in_english_and_utf_8(pactl: Pactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.eucJP")
    monkeypatch.setenv("LANGUAGE", "ja")
    pactl("""echo "[{\\"index\\": 0, \\"name\\": \\"$LC_ALL\\", \\"description\\": \\"$LANGUAGE\\"}]" """)
    (device,) = SoundServer().sources() or []
    assert (device.name, device.description) == ("C.UTF-8", "C")


def test_the_defaults_are_told_in_either_form(pactl: Pactl) -> None:
    pactl(both("""echo '{"default_source_name": "mic", "default_sink_name": "out"}'""", "exit 1"))
    assert SoundServer().defaults() == ("mic", "out")
    pactl(both("echo '[]'", "printf 'Server Name: x\\nDefault Sink: out\\nDefault Source: mic\\n'"))
    assert SoundServer().defaults() == ("mic", "out")


def test_no_pactl_is_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert SoundServer().sources() is None
