"""What the sound server says of its devices: PulseAudio, or PipeWire, which answers as PulseAudio does.

It is asked through pactl, and nothing of the answer is taken for granted: names come from drivers and from
other people's devices, pactl 16 gives "(null)" for any text that is not ASCII in JSON, older ones know no
JSON, and a server may hang. Knows nothing about ALSA, PortAudio or streams.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.files import Malformed, decode, parse_json

Fields = dict[str, Any]
"""One thing of the server's, by pactl's names in JSON."""

ENGLISH = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
"""What makes pactl's words the ones that are looked for, and its text UTF-8."""

QUESTION_S = 3.0
"""A server that does not answer for so long hangs."""

ANSWER_BYTES = 4 * 2**20
"""A hundred times what a studio's server says."""

MONITOR = ".monitor"
"""How the name of a source ends that is what a speaker plays."""

DUMMY = "auto_null"
"""The speaker that a server makes up where there is none; its monitor is the default microphone then."""

TEXTS = ("name", "description", "sample_specification", "monitor_source", "active_port")
"""What is read of a device besides its properties."""

DEFAULTS = ("default_source_name", "default_sink_name")

_IN_TEXT = {
    "monitor_of_sink": "monitor_source",
    "default_source": "default_source_name",
    "default_sink": "default_sink_name",
}
"""What pactl calls otherwise in text than in JSON."""

_NOTHING = ("", "(null)", "n/a")

_HEADING = re.compile(r"(?:Sink|Source|Source Output|Client) #(\d{1,10})")
_FIELD = re.compile(r"\t?([A-Z][A-Za-z ]*): (.*)")
_PROPERTY = re.compile(r"\t\t([\w.-]+) = \"(.*)\"")
_RATE = re.compile(r"(\d{4,6})\s*Hz")


@dataclass(frozen=True, slots=True)
class ServerDevice:
    """A device of the server: what it calls it, and what it says of it ('' or 0 where it says nothing).

    `monitor` tells that it is no microphone but what a speaker plays.
    """

    index: int
    name: str
    description: str
    rate: int
    bus: str
    form: str
    port: str
    monitor: bool


class SoundServer:
    """One look at the sound server. A question takes 10 ms, a server that hangs QUESTION_S, but only once."""

    def __init__(self) -> None:
        self._hangs = False

    def sources(self) -> list[ServerDevice] | None:
        """Return the microphones and the monitors; None where no server answers."""
        return self._devices("sources")

    def sinks(self) -> list[ServerDevice] | None:
        """Return the speakers; None where no server answers."""
        return self._devices("sinks")

    def defaults(self) -> tuple[str, str]:
        """Return the names of the default source and the default sink, '' where one is not told."""
        info = self._ask_json("info")
        if not isinstance(info, dict) or not all(_text(info, key) for key in DEFAULTS):
            info = _fields((self._ask("info") or "").split("\n"))
        return _text(info, DEFAULTS[0]), _text(info, DEFAULTS[1])

    def source_of(self, pid: int) -> int | None:
        """Return the index of the source that a process records from, None where that is not known."""
        outputs = [fields for _, fields in self._list("source-outputs") or ()]
        own = [fields for fields in outputs if _is_of(fields, pid)]
        if outputs and not own:
            # PipeWire's own clients tell it of themselves alone.
            clients = {index for index, fields in self._list("clients") or () if _is_of(fields, pid)}
            own = [fields for fields in outputs if _index(fields.get("client")) in clients - {-1}]
        return _index(own[0].get("source")) if own else None

    def _devices(self, what: str) -> list[ServerDevice] | None:
        found = self._list(what, needed=TEXTS[:2])
        named = [(index, fields) for index, fields in found or () if _text(fields, "name")]
        if found is None or (found and not named):
            return None
        devices = (_device(index, fields, heard=what == "sources") for index, fields in named)
        return [device for device in devices if device.name != DUMMY]

    def _list(self, what: str, needed: tuple[str, ...] = ()) -> list[tuple[int, Fields]] | None:
        """Return the things of one kind with their indices, -1 where one has none; None for no answer.

        Where JSON lacks some of them, or what is `needed` of one, pactl's text has the rest.
        """
        told = self._ask_json("list", what)
        entries = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
        whole = isinstance(told, list) and len(entries) == len(told)
        if whole and all(_text(entry, key) for entry in entries for key in needed):
            return [(_index(entry.get("index")), entry) for entry in entries]
        text = self._ask("list", what)
        plain = dict(_sections(text or ""))
        indexed = [(_index(entry.get("index")), entry) for entry in entries]
        if plain and not (whole and plain.keys() >= dict(indexed).keys()):
            return list(plain.items())
        if not whole and not entries:
            return [] if text == "" else None
        return [(index, _filled(entry, plain.get(index, {}))) for index, entry in indexed]

    def _ask_json(self, *question: str) -> Any:
        """Return pactl's answer in JSON, None where there is none."""
        text = self._ask("--format=json", *question)
        try:
            return None if text is None else parse_json(text)
        except Malformed:
            return None

    def _ask(self, *question: str) -> str | None:
        """Return what pactl prints, None where it fails, hangs, or prints what can not be read."""
        program = shutil.which("pactl")
        if program is None or self._hangs:
            return None
        with subprocess.Popen(
            [program, *question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ENGLISH},
            start_new_session=True,
        ) as child:
            limit = threading.Timer(QUESTION_S, self._give_up, (child.pid,))
            limit.start()
            assert child.stdout is not None
            answer = child.stdout.read(ANSWER_BYTES + 1)
            if len(answer) > ANSWER_BYTES:
                _kill(child.pid)
            status = child.wait()
            limit.cancel()
            limit.join()
        try:
            return decode(answer) if status == 0 else None
        except Malformed:
            return None

    def _give_up(self, pid: int) -> None:
        self._hangs = True
        _kill(pid)


def _kill(pid: int) -> None:
    """End a program with what it has started, which may hold its output open."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _device(index: int, fields: Fields, *, heard: bool) -> ServerDevice:
    """Return a device of the server; a sink has a monitor, and a source that has is one."""
    name = _text(fields, "name")
    properties = _properties(fields)
    rate = _RATE.search(_text(fields, "sample_specification"))
    told = _text(properties, "device.class") == "monitor" or bool(_text(fields, "monitor_source"))
    return ServerDevice(
        index,
        name,
        _text(fields, "description") or _text(properties, "device.description"),
        int(rate.group(1)) if rate else 0,
        _text(properties, "device.bus"),
        _text(properties, "device.form_factor"),
        _text(fields, "active_port"),
        monitor=heard and (told or name.endswith(MONITOR)),
    )


def _is_of(fields: Fields, pid: int) -> bool:
    return _text(_properties(fields), "application.process.id") == str(pid)


def _properties(fields: Fields) -> Fields:
    properties = fields.get("properties")
    return properties if isinstance(properties, dict) else {}


def _text(fields: Mapping[str, Any], key: str) -> str:
    """Return a text that the server has told, '' where it has told none."""
    value = fields.get(key)
    return value if isinstance(value, str) and value not in _NOTHING else ""


def _index(value: object) -> int:
    """Return a number that may have been told as text, -1 where it is none."""
    return int(str(value)) if re.fullmatch(r"\d{1,10}", str(value), re.ASCII) else -1


def _filled(entry: Fields, plain: Fields) -> Fields:
    """Return what was told in JSON, with the text in place of what that lacks."""
    texts = {key: _text(entry, key) or _text(plain, key) for key in TEXTS}
    told = {key: value for key, value in _properties(entry).items() if _text({key: value}, key)}
    return {**entry, **texts, "properties": {**_properties(plain), **told}}


def _sections(text: str) -> Iterator[tuple[int, Fields]]:
    """Yield the things that pactl lists as text, each with the index in its heading."""
    index, lines = -1, list[str]()
    for line in text.split("\n"):
        if (found := _HEADING.fullmatch(line)) is None:
            lines.append(line)
            continue
        if index >= 0:
            yield index, _fields(lines)
        index, lines = int(found.group(1)), []
    if index >= 0:
        yield index, _fields(lines)


def _fields(lines: list[str]) -> Fields:
    """Return what lines of text say of one thing, by the names that JSON has for it; the first one counts."""
    fields: Fields = {}
    properties: Fields = {}
    for line in lines:
        if (found := _PROPERTY.fullmatch(line)) is not None:
            properties.setdefault(found.group(1), found.group(2))
        elif (found := _FIELD.fullmatch(line)) is not None:
            key = found.group(1).lower().replace(" ", "_")
            fields.setdefault(_IN_TEXT.get(key, key), found.group(2))
    return {**fields, "properties": properties}
