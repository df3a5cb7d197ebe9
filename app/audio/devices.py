"""The microphones and speakers of this computer, by names that stay the same when others come and go.

A sound server's devices are asked of the server, everything else of PortAudio, which looks only once
per process: so the list is made by a process of its own, and the caller never loads PortAudio. A monitor,
which brings what a speaker plays, is no microphone unless it is chosen by name. Knows nothing about streams.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from app.audio.server import ServerDevice, SoundServer
from app.errors import UserError
from app.files import parse_json

Kind = Literal["in", "out"]

_KINDS: tuple[Kind, Kind] = ("in", "out")

SERVER = "pulse/"
"""What the name of a sound server's device begins with; PipeWire answers as PulseAudio does."""

ALSA = "alsa/"
"""What the name of any other device begins with."""

PLUGINS = ("default", "pipewire", "pulse")
"""The ALSA plugins that lead to a device. The others are converters, and only confuse."""

PLUGIN_TARGETS: dict[Kind, tuple[str, str]] = {
    "in": ("PULSE_SOURCE", "PIPEWIRE_NODE"),
    "out": ("PULSE_SINK", "PIPEWIRE_NODE"),
}
"""The variables that lead the plugins, each one PortAudio device for all of a server's, to one of these."""

CARD = re.compile(r"\s*\(hw:\d+,\d+\)$")
"""What ALSA adds to a card's name and numbers anew at each start of the computer."""

WORN_FORMS = ("headset", "headphone", "hands-free", "handset")
"""What a sound server calls the shape of such a device."""

ASOUND = Path("/proc/asound")
"""Where ALSA tells what is connected to its cards."""

_SCREEN = re.compile(r"HDMI|DisplayPort", re.IGNORECASE)
_WORN = re.compile(r"head(phone|set)|earpiece|handset", re.IGNORECASE)
_CANCELLED = re.compile(r"echo.?cancel", re.IGNORECASE)
_PART = re.compile(r"^(alsa|bluez)_(in|out)put\.")

LIST_TIMEOUT_S = 20

LABEL_LETTERS = 120
"""What is shown of a label: a device may call itself anything."""

Lack = Literal["", "devices", "microphone", "speaker", "default microphone"]
"""What a talk lacks: nothing, both devices, one of them, or a default microphone that is not a monitor."""


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone ('in') or a speaker ('out').

    `name` is for settings and Duplex, `label` for people, `rate` what it runs at in Hz; `default` is the
    one that the empty name stands for. `card` is the same for the two halves of one piece of hardware, `bus`
    how that is connected. `worn` tells that it sits on the ears, `cancelled` that the sound server takes the
    echo out of it, or plays to it what it takes out, `monitor` that it brings what a speaker plays.
    """

    name: str
    label: str
    kind: Kind
    default: bool
    rate: int
    card: str = ""
    bus: str = ""
    worn: bool = False
    cancelled: bool = False
    monitor: bool = False


def list_devices(env: Mapping[str, str] | None = None) -> list[Device]:
    """Return the microphones and speakers as `all_devices` does, without the monitors."""
    return [device for device in all_devices(env) if not device.monitor]


def all_devices(env: Mapping[str, str] | None = None) -> list[Device]:
    """Return the devices as they are now, none if there are none; takes some tenths of a second.

    Each label stands for one device of its kind; the monitors are among the microphones. Raises UserError
    where PortAudio is not installed. `env` is the environment to look in, this process's if None.
    """
    command = [sys.executable, "-m", "app.audio.devices"]
    try:
        run = subprocess.run(command, env=env, capture_output=True, timeout=LIST_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise UserError("The sound system does not answer.", "Restart it, or log out and in again.") from None
    # ALSA itself prints on both outputs; the list is the last line.
    found: Any = []
    with suppress(ValueError, IndexError):
        found = parse_json(run.stdout.strip().splitlines()[-1])
    if isinstance(found, dict):
        raise UserError(found["sentence"], found["advice"])
    return [Device(**fields) for fields in found]


def or_default(wished: Mapping[Kind, str], devices: Sequence[Device]) -> dict[Kind, str]:
    """Return the names of the devices to use: those wished for, '' in place of what is not there."""
    return {
        kind: name if find(name, kind, devices) or _may_be_there(name, kind, devices) else ""
        for kind, name in wished.items()
    }


def lack(chosen: Mapping[Kind, str], devices: Sequence[Device]) -> Lack:
    """Return what these of `all_devices`, '' for the default ones, lack for a talk.

    A default microphone that is a monitor is none: the model would hear itself in the user's place.
    """
    microphone, speaker = (_is_usable(chosen[kind], kind, devices) for kind in ("in", "out"))
    if microphone and speaker:
        return ""
    if not (microphone or speaker):
        return "devices"
    if not speaker:
        return "speaker"
    others = any(device.kind == "in" and not device.monitor for device in devices)
    return "default microphone" if others else "microphone"


def _may_be_there(name: str, kind: Kind, devices: Sequence[Device]) -> bool:
    """Say whether this is a device of a server that does not tell its devices, but can be reached."""
    answers = any(device.name.startswith(SERVER) for device in devices)
    reached = any(device.kind == kind and _is_plugin(device) for device in devices)
    return name.startswith(SERVER) and reached and not answers


def _is_usable(name: str, kind: Kind, devices: Sequence[Device]) -> bool:
    if (entry := find(name, kind, devices)) is not None:
        return bool(name) or not entry.monitor
    if _may_be_there(name, kind, devices):
        return True
    # A server that does not tell its default device may have one all the same.
    return not name and any(device.kind == kind and not device.monitor for device in devices)


def needs_cancelling(chosen: Mapping[Kind, str], devices: list[Device]) -> bool:
    """Say whether a speaker can be heard by a microphone that nobody has taken the echo out of yet.

    Not where the speaker is worn, or both are one headset or one speakerphone, which does it itself.
    """
    microphone, speaker = (find(chosen[kind], kind, devices) for kind in ("in", "out"))
    if microphone is None or speaker is None:
        return True
    one = microphone.card == speaker.card != "" and speaker.bus in ("usb", "bluetooth")
    return not (speaker.worn or one or microphone.cancelled)


def prefer_cancelled(chosen: dict[Kind, str], devices: list[Device]) -> dict[Kind, str]:
    """Return, where the default devices are wished for, those whose echo the sound server cancels if any."""
    ready: dict[Kind, str] = {device.kind: device.name for device in devices if device.cancelled}
    whole = len(ready) == 2 and not any(chosen.values()) and needs_cancelling(chosen, devices)
    return {**chosen, **ready} if whole else chosen


def find(name: str, kind: Kind, devices: Sequence[Device]) -> Device | None:
    """Return the device with this name, the default one for ''; None where it is not there."""
    return next((d for d in devices if d.kind == kind and (d.name == name or (not name and d.default))), None)


def describe(name: str, devices: list[Device]) -> str:
    """Return the label of the device with this name, and the name itself where it is not there."""
    return next((device.label for device in devices if device.name == name), name)


def on_a_line(text: str) -> str:
    """Return a text that can be printed in a line, of a length that can be read."""
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return shown if len(shown) <= LABEL_LETTERS else f"{shown[: LABEL_LETTERS - 1]}…"


# Everything below runs in a process that may load PortAudio.


def find_devices() -> list[Device]:
    """Return the devices that this process sees, with monitors. Raises OSError where PortAudio is missing."""
    server = SoundServer()
    default = dict(zip(_KINDS, server.defaults(), strict=True))
    found: list[Device] = []
    answers = False
    for kind, told in zip(_KINDS, (server.sources(), server.sinks()), strict=True):
        answers |= told is not None
        found += [_server_device(each, kind, each.name == default[kind]) for each in told or ()]
    # Where a server answers, ALSA's plugins are only another way to it, and its default is the default.
    alsa = (replace(each, default=each.default and not answers) for each in _alsa_devices())
    return _told_apart(found + [each for each in alsa if not (answers and _is_plugin(each))])


def portaudio_index(name: str, kind: Kind) -> int | None:
    """Return PortAudio's number in this process for a device, None if there is no such device."""
    return next(iter(portaudio_indices(name, kind)), None)


def portaudio_indices(name: str, kind: Kind) -> list[int]:
    """Return PortAudio's numbers in this process for a device, several where any of them will do.

    The empty name, and every device of a sound server, is reached through the default plugin.
    """
    import sounddevice

    entries = dict(_entries(kind))
    if name.startswith(ALSA):
        return [index for index, known in _alsa_names(entries).items() if known == name]
    names = {index: str(entry["name"]) for index, entry in entries.items()}
    if name.startswith(SERVER):
        by_name = {known: index for index, known in names.items()}
        return [by_name[plugin] for plugin in ("pulse", *PLUGINS) if plugin in by_name][:1]
    return default_order(names, int(sounddevice.default.device[0 if kind == "in" else 1]))


def default_order(names: Mapping[int, str], default: int, asound: Path = ASOUND) -> list[int]:
    """Return PortAudio's numbers of what may be the default device, the best first.

    One of ALSA's plugins is the only one. Without them PortAudio takes the first card, which often is an
    output for a screen that is not there: any other card comes before those.
    """
    plugins = [index for plugin in PLUGINS for index, name in names.items() if name == plugin]
    if plugins:
        return [default if default in plugins else plugins[0]]
    cards = [index for index, name in names.items() if index == default or CARD.search(name)] or [*names][:1]
    return sorted(cards, key=lambda index: (_has_no_screen(names[index], asound), index != default))


def _has_no_screen(name: str, asound: Path) -> bool:
    """Say whether a device is an output for screens of a card that no screen is connected to."""
    card = re.search(r"\(hw:(\d+),", name)
    if card is None or not _SCREEN.search(name):
        return False
    told = [each.read_text(errors="replace") for each in asound.glob(f"card{card.group(1)}/eld#*")]
    return bool(told) and not any(re.search(r"monitor_present\s+1", each) for each in told)


@contextmanager
def targeting(name: str, kind: Kind) -> Iterator[None]:
    """Make the streams that are opened meanwhile use a sound server's device; other names change nothing.

    Not for longer than that: PipeWire has one variable for both directions.
    """
    usual = {variable: os.environ.get(variable) for variable in PLUGIN_TARGETS[kind]}
    if name.startswith(SERVER):
        os.environ.update(dict.fromkeys(PLUGIN_TARGETS[kind], name.removeprefix(SERVER)))
    try:
        yield
    finally:
        for variable, value in usual.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def _entries(kind: Kind) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield PortAudio's devices that have channels in this direction, with their numbers."""
    import sounddevice

    channels = "max_input_channels" if kind == "in" else "max_output_channels"
    for index, entry in enumerate(sounddevice.query_devices()):
        if entry[channels] > 0:
            yield index, entry


def _alsa_devices() -> Iterator[Device]:
    for kind in _KINDS:
        default = portaudio_index("", kind)
        entries = dict(_entries(kind))
        for index, name in _alsa_names(entries).items():
            bare = name.removeprefix(ALSA)
            label = f"{bare.capitalize()} (ALSA)" if bare in PLUGINS else on_a_line(bare)
            rate = round(entries[index]["default_samplerate"])
            yield Device(name, label, kind, index == default, rate, worn=bool(_WORN.search(label)))


def _alsa_names(entries: Mapping[int, dict[str, Any]]) -> dict[int, str]:
    """Return the names of plugins and cards by PortAudio's numbers; equal cards are counted."""
    names: dict[int, str] = {}
    count = Counter[str]()
    for index, entry in entries.items():
        bare = CARD.sub("", str(entry["name"]))
        if bare in PLUGINS or CARD.search(str(entry["name"])):
            count[bare] += 1
            names[index] = f"{ALSA}{bare}" if count[bare] == 1 else f"{ALSA}{bare} ({count[bare]})"
    return names


def _is_plugin(device: Device) -> bool:
    return device.name.removeprefix(ALSA) in PLUGINS


def _told_apart(devices: list[Device]) -> list[Device]:
    """Return the devices with a label each of its kind: equal ones are counted, in the order of their names.

    By name, so that the two halves of the first of two equal headsets have the same number.
    """
    of_a_label = Counter((device.kind, device.label) for device in devices)
    taken = {key for key, count in of_a_label.items() if count == 1}
    labels: dict[tuple[Kind, str], str] = {}
    for device in sorted(devices, key=lambda each: each.name):
        label, number = device.label, 0
        while of_a_label[device.kind, device.label] > 1 and (number == 0 or (device.kind, label) in taken):
            number += 1
            label = f"{device.label} ({number})"
        taken.add((device.kind, label))
        labels[device.kind, device.name] = label
    return [replace(device, label=labels[device.kind, device.name]) for device in devices]


def _server_device(told: ServerDevice, kind: Kind, default: bool) -> Device:
    label = on_a_line(told.description) or on_a_line(told.name)
    if told.bus == "bluetooth":
        # It is slower than a cable by a tenth of a second or two.
        label += " (Bluetooth)"
    return Device(
        SERVER + told.name,
        label,
        kind,
        default,
        told.rate,
        card=_PART.sub("", told.name).partition(".")[0],
        bus=told.bus,
        # The device itself, or the jack of it that is in use.
        worn=told.form in WORN_FORMS or bool(_WORN.search(told.port)),
        cancelled=not told.monitor and bool(_CANCELLED.search(f"{told.name} {label}")),
        monitor=told.monitor,
    )


def main() -> None:
    """Print the devices as one line of JSON, or a sentence and an advice why there is none to tell."""
    try:
        answer: object = [asdict(device) for device in find_devices()]
    except OSError:
        answer = {
            "sentence": "PortAudio is not installed.",
            "advice": "Install it: sudo apt install libportaudio2.",
        }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
