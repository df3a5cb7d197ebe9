"""The microphones and speakers of this computer, by names that stay the same when others come and go.

A sound server's devices are asked of the server, everything else of PortAudio, which looks only once
per process: so the list is made by a process of its own, and the caller never loads PortAudio. Knows
nothing about streams.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.errors import UserError

Kind = Literal["in", "out"]

SERVER = "pulse/"
"""What the name of a sound server's device begins with; PipeWire answers as PulseAudio does."""

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

_WORN = re.compile(r"head(phone|set)|earpiece|handset", re.IGNORECASE)
_CANCELLED = re.compile(r"echo.?cancel", re.IGNORECASE)
_PART = re.compile(r"^(alsa|bluez)_(in|out)put\.")

LIST_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone ('in') or a speaker ('out').

    `name` is for settings and Duplex, `label` for people, `rate` what it runs at in Hz; `default` is the
    one that the empty name stands for. `card` is the same for the two halves of one piece of hardware, `bus`
    how that is connected. `worn` tells that it sits on the ears, `cancelled` that the sound server takes the
    echo out of it, or plays to it what it takes out.
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


def list_devices(env: Mapping[str, str] | None = None) -> list[Device]:
    """Return the devices as they are now, none if there are none; takes some tenths of a second.

    Raises UserError where PortAudio is not installed. `env` is the environment to look in, this
    process's if None.
    """
    command = [sys.executable, "-m", "app.audio.devices"]
    try:
        run = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=LIST_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError("The sound system does not answer.", "Restart it, or log out and in again.") from None
    # ALSA itself prints on both outputs; the list is the last line.
    found = json.loads((run.stdout.strip().splitlines() or ["[]"])[-1]) if run.returncode == 0 else []
    if isinstance(found, dict):
        raise UserError(found["sentence"], found["advice"])
    return [Device(**fields) for fields in found]


def needs_cancelling(chosen: Mapping[Kind, str], devices: list[Device]) -> bool:
    """Say whether a speaker can be heard by a microphone that nobody has taken the echo out of yet.

    Not where the speaker is worn, or both are one headset or one speakerphone, which does it itself.
    """
    microphone, speaker = (_entry(chosen[kind], kind, devices) for kind in ("in", "out"))
    if microphone is None or speaker is None:
        return True
    one = microphone.card == speaker.card != "" and speaker.bus in ("usb", "bluetooth")
    return not (speaker.worn or one or microphone.cancelled)


def prefer_cancelled(chosen: dict[Kind, str], devices: list[Device]) -> dict[Kind, str]:
    """Return, where the default devices are wished for, those whose echo the sound server cancels if any."""
    ready: dict[Kind, str] = {device.kind: device.name for device in devices if device.cancelled}
    whole = len(ready) == 2 and not any(chosen.values()) and needs_cancelling(chosen, devices)
    return {**chosen, **ready} if whole else chosen


def _entry(name: str, kind: Kind, devices: list[Device]) -> Device | None:
    return next((d for d in devices if d.kind == kind and (d.name == name or (not name and d.default))), None)


def describe(name: str, devices: list[Device]) -> str:
    """Return the label of the device with this name, and the name itself where it is not there."""
    return next((device.label for device in devices if device.name == name), name)


# Everything below runs in a process that may load PortAudio.


def find_devices() -> list[Device]:
    """Return the devices that this process sees. Raises OSError where PortAudio is not installed."""
    server = [*_server_devices("in"), *_server_devices("out")]
    return server + [device for device in _alsa_devices() if not _doubled(device, server)]


def portaudio_index(name: str, kind: Kind) -> int | None:
    """Return PortAudio's number in this process for a device, None if there is no such device.

    The empty name, and every device of a sound server, is reached through the default plugin.
    """
    import sounddevice

    entries = dict(_entries(kind))
    if name.startswith("alsa/"):
        return next((i for i, entry in entries.items() if _alsa_name(entry) == name), None)
    wished = ("pulse", *PLUGINS) if name.startswith(SERVER) else PLUGINS
    by_name = {str(entry["name"]): index for index, entry in entries.items()}
    chosen = int(sounddevice.default.device[0 if kind == "in" else 1])
    if not name and chosen in entries:
        return chosen
    return next((by_name[plugin] for plugin in wished if plugin in by_name), next(iter(entries), None))


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


def is_on_server(name: str, kind: Kind) -> bool:
    """Say whether a sound server has the device with this name, or does not answer."""
    known = [device.name for device in _server_devices(kind)]
    return not known or name in known


def _entries(kind: Kind) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield PortAudio's devices that have channels in this direction, with their numbers."""
    import sounddevice

    channels = "max_input_channels" if kind == "in" else "max_output_channels"
    for index, entry in enumerate(sounddevice.query_devices()):
        if entry[channels] > 0:
            yield index, entry


def _alsa_devices() -> Iterator[Device]:
    kinds: tuple[Kind, Kind] = ("in", "out")
    for kind in kinds:
        default = portaudio_index("", kind)
        for index, entry in _entries(kind):
            bare = str(entry["name"])
            if bare in PLUGINS or CARD.search(bare):
                label = f"{bare.capitalize()} (ALSA)" if bare in PLUGINS else CARD.sub("", bare)
                rate = round(entry["default_samplerate"])
                worn = bool(_WORN.search(label))
                yield Device(_alsa_name(entry), label, kind, index == default, rate, worn=worn)


def _alsa_name(entry: dict[str, Any]) -> str:
    return f"alsa/{CARD.sub('', str(entry['name']))}"


def _doubled(device: Device, server: list[Device]) -> bool:
    """Say whether a device is only another way to the server's own list."""
    return device.name.removeprefix("alsa/") in PLUGINS and any(known.kind == device.kind for known in server)


def _server_devices(kind: Kind) -> Iterator[Device]:
    """Yield the devices of PulseAudio or PipeWire, none where neither answers."""
    default = _ask_server("info").get("default_source_name" if kind == "in" else "default_sink_name")
    for entry in _ask_server("list", "sources" if kind == "in" else "sinks").get("entries", ()):
        name = str(entry["name"])
        if kind == "in" and name.endswith(".monitor"):
            continue
        rate = re.search(r"(\d+)\s*Hz", str(entry.get("sample_specification", "")))
        label = str(entry.get("description") or name)
        bus = str(entry.get("properties", {}).get("device.bus", ""))
        if bus == "bluetooth":
            # It is slower than a cable by a tenth of a second or two.
            label += " (Bluetooth)"
        yield Device(
            SERVER + name,
            label,
            kind,
            name == default,
            int(rate.group(1)) if rate else 0,
            card=_PART.sub("", name).partition(".")[0],
            bus=bus,
            worn=_is_worn(entry),
            cancelled=bool(_CANCELLED.search(f"{name} {label}")),
        )


def _is_worn(entry: dict[str, Any]) -> bool:
    """Say whether the server tells that a device, or the jack in use of it, sits on the ears."""
    form = str(entry.get("properties", {}).get("device.form_factor", ""))
    return form in WORN_FORMS or bool(_WORN.search(str(entry.get("active_port") or "")))


def _ask_server(*question: str) -> dict[str, Any]:
    """Return pactl's answer, a list under the key 'entries'; empty where there is no server to ask."""
    if (pactl := shutil.which("pactl")) is None:
        return {}
    try:
        run = subprocess.run(
            [pactl, "--format=json", *question], capture_output=True, timeout=5, check=True, text=True
        )
        answer = json.loads(run.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return {}
    return {"entries": answer} if isinstance(answer, list) else dict(answer)


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
