"""What the user chose, kept in one TOML file; a file that does not fit never stops the program.

Knows nothing about widgets or devices: names of models and devices are strings here.

Keys that this version does not know are dropped with a sentence when the file is read, so a
misspelt key is noticed. TOML has no null: a setting that is None is left out of the file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tomli_w

from app.audio.memory import ECHO_WISHES
from app.catalog import STARTER
from app.engine.events import AUTO, ENGINES, KVS, MODES, Loadout, Sampling
from app.errors import UserError
from app.files import read_toml, replace_file
from app.prompts import MOST_ROLES, ROLE_LETTERS, OwnVoice

log = logging.getLogger(__name__)

Document = dict[str, Any]
"""A settings file as TOML gives it."""

Upgrade = Callable[[Document], Document]
"""Turns a document of one version into one of the next."""

Report = Callable[[str, str], None]
"""Takes a sentence and an advice."""

UPGRADES: Sequence[Upgrade] = ()
"""The first entry turns version 1 into version 2, and so on; each has a test of its own."""

VERSION = 1 + len(UPGRADES)

SCHEMES = ("system", "light", "dark")
LANGUAGES = ("system", "en", "ja")

CHOICES = {
    "scheme": SCHEMES,
    "language": LANGUAGES,
    "mode": (AUTO, *MODES),
    "engine": (AUTO, *ENGINES),
    "kv": (AUTO, *KVS),
    "echo": ECHO_WISHES,
}
"""The values of a setting that has only a few."""

LIMITS: dict[str, tuple[float, float]] = {
    "volume": (0.0, 1.0),
    "text_temperature": (0.0, 2.0),
    "text_top_k": (0, 32_000),
    "audio_temperature": (0.0, 2.0),
    "audio_top_k": (0, 2_048),
    "repetition_penalty": (1.0, 2.0),
    "seed": (0, 2**32 - 1),
    "context": (125, 3_000),
}
"""Smallest and largest value. A top-k of 0 draws from all tokens; the context is in frames of 80 ms."""

MOST_LETTERS = 4_096
"""No path is longer, and no name of a device."""

MOST_TOLD, MOST_SHOWN = 5, 80
"""Of how many unknown settings is told, and how much of a value that does not fit is shown."""

MOST_VOICES = 64
"""Sound files of voices whose speakers agreed."""

PARAGRAPHS = ("role", "roles")
"""Settings whose text may have several lines."""

_SAMPLING = Sampling()


@dataclass(frozen=True)
class Settings:
    """The choices of one user. Raises UserError for a value of the wrong kind or out of its limits."""

    model: str = STARTER.name
    """A name of the catalogue, a folder, or a hub repo."""
    microphone: str = ""
    speaker: str = ""
    """Stable device names as in app.audio.devices; '' is the default device."""
    echo: str = ECHO_WISHES[0]
    """Whether the speaker's sound is taken out of the microphone's; `auto` goes by the devices."""
    suppress_noise: bool = False
    """Whether noise is taken out as well, where echo is."""
    record: bool = True
    volume: float = 1.0
    text_temperature: float = _SAMPLING.text_temperature
    text_top_k: int = _SAMPLING.text_top_k
    audio_temperature: float = _SAMPLING.audio_temperature
    audio_top_k: int = _SAMPLING.audio_top_k
    repetition_penalty: float = _SAMPLING.repetition_penalty
    seed: int | None = None
    """None draws a new seed for each talk."""
    context: int | None = None
    """How many frames the model remembers; None is the model's own figure."""
    mode: str = AUTO
    """How weights are kept; `auto` takes what fits the graphics card."""
    engine: str = AUTO
    """What steps the language model."""
    kv: str = AUTO
    """How keys and values are kept; `auto` takes what fits the graphics card."""
    device: str = AUTO
    """What the model runs on: `auto`, `cpu`, `cuda` or `cuda:1`."""
    voice: str = ""
    """What a model that can choose speaks with: a name of its own, or a sound file."""
    role: str = ""
    """What a model that takes a role is told about it."""
    roles: tuple[str, ...] = ()
    """The last roles, newest first."""
    own_voices: tuple[OwnVoice, ...] = ()
    """Sound files of voices whose speakers agreed that a model speaks with them."""
    welcomed: bool = False
    """Whether the questions of the first start were answered."""
    scheme: str = "system"
    language: str = "system"
    """What the window is written in."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, str(field.type), getattr(self, field.name))

    def sampling(self) -> Sampling:
        """Return how tokens are drawn."""
        return Sampling(
            text_temperature=self.text_temperature,
            text_top_k=self.text_top_k,
            audio_temperature=self.audio_temperature,
            audio_top_k=self.audio_top_k,
            repetition_penalty=self.repetition_penalty,
        )

    def loadout(self) -> Loadout:
        """Return how models are loaded."""
        return Loadout(self.context, self.mode, self.engine, self.kv, self.device)


def load(path: Path, report: Report | None = None) -> Settings:
    """Return the settings of a file, and the defaults for what is missing or does not fit.

    Each thing that does not fit is told to `report` (or the log). A file that can not be used at
    all is kept aside as `settings.toml.broken`.
    """
    report = _log if report is None else report
    try:
        document = upgrade(read_toml(path))
    except FileNotFoundError:
        return Settings()
    except (ValueError, UserError, IsADirectoryError) as fault:
        reason = fault.sentence if isinstance(fault, UserError) else f"The settings file is damaged: {fault}."
        report(reason, f"Defaults are used; the file {_keep_aside(path)}.")
    except OSError as fault:
        reason = fault.strerror or str(fault)
        report(f"The settings could not be read: {reason}.", "Defaults are used this time.")
    else:
        return _settings(document, report)
    return Settings()


def save(path: Path, settings: Settings) -> None:
    """Write the settings so that the file is the old or the new one, never half of it.

    Raises UserError when the disk refuses.
    """
    chosen = {key: value for key, value in asdict(settings).items() if value is not None}
    try:
        replace_file(path, tomli_w.dumps({"version": VERSION, **chosen}))
    except OSError as fault:
        advice = "Check the folder and its disk; the settings hold until the program ends."
        reason = fault.strerror or str(fault)
        raise UserError(f"The settings could not be saved: {reason}.", advice) from fault


def upgrade(document: Document, upgrades: Sequence[Upgrade] = UPGRADES) -> Document:
    """Return a document of the present version, without its number.

    Raises UserError for a document of a later version.
    """
    body = dict(document)
    version = body.pop("version", 1)
    if not isinstance(version, int) or not 1 <= version <= len(upgrades) + 1:
        known = f"The settings file is of version {_shown(version)}, which this Aizuchi does not know."
        raise UserError(known)
    for step in upgrades[version - 1 :]:
        body = step(body)
    return body


def _settings(document: Document, report: Report) -> Settings:
    """Build settings from what fits, and tell what does not."""
    types = {field.name: str(field.type) for field in fields(Settings)}
    for key in [key for key in document if key not in types][:MOST_TOLD]:
        report(f"There is no setting “{_shown(key)[1:-1]}”.", "It is left out.")
    fitting: dict[str, Any] = {}
    for key, value in document.items():
        if key in types:
            try:
                fitting[key] = _parsed(key, value)
                _check(key, types[key], fitting[key])
            except UserError as fault:
                fitting.pop(key, None)
                report(fault.sentence, "Its default is used.")
    return Settings(**fitting)


def _parsed(name: str, value: object) -> object:
    """Return a value as the settings hold it: lists are tuples there, and own voices have a type."""
    if not isinstance(value, list):
        return value
    return tuple(_voices(value)) if name == "own_voices" else tuple(value)


def _voices(entries: list[object]) -> Iterator[object]:
    """Yield the entries of a list of own voices; what is none stays as it is, to be refused."""
    names = {field.name for field in fields(OwnVoice)}
    for entry in entries:
        yield OwnVoice(**entry) if isinstance(entry, dict) and set(entry) == names else entry


def _check(name: str, kind: str, value: object) -> None:
    """Raise UserError unless a value is of its kind, as in the annotation, and within its limits."""
    if value is None and kind.endswith("| None"):
        return
    wanted = kind.removesuffix(" | None")
    if wanted.startswith("tuple"):
        _check_list(name, value)
        return
    if name in CHOICES and value not in CHOICES[name]:
        names = ", ".join(CHOICES[name])
        raise UserError(f"The setting “{name}” must be one of {names}, not {_shown(value)}.")
    allowed = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}[wanted]
    if not isinstance(value, allowed) or (isinstance(value, bool) and wanted != "bool"):
        raise UserError(f"The setting “{name}” must be {_KINDS[wanted]}, not {_shown(value)}.")
    if isinstance(value, str):
        _check_text(name, value)
    if name in LIMITS and isinstance(value, (int, float)):
        low, high = LIMITS[name]
        # What is no number is not between any two either.
        if not low <= value <= high:
            raise UserError(f"The setting “{name}” must be between {low} and {high}, not {_shown(value)}.")


def _check_text(name: str, value: str) -> None:
    lines = value.split("\n") if name in PARAGRAPHS else [value]
    if len(value) > (ROLE_LETTERS if name in PARAGRAPHS else MOST_LETTERS):
        raise UserError(f"The setting “{name}” is too long: {_shown(value)}.")
    if any(letter < " " for line in lines for letter in line):
        raise UserError(f"The setting “{name}” must be text in one line, not {_shown(value)}.")


def _check_list(name: str, value: object) -> None:
    """Raise UserError unless a value is the last roles, or own voices, and not too many."""
    kind, most = (str, MOST_ROLES) if name == "roles" else (OwnVoice, MOST_VOICES)
    fits = isinstance(value, tuple) and len(value) <= most and all(isinstance(item, kind) for item in value)
    if not fits:
        kind_of = f"a list of at most {most} entries as Aizuchi writes them"
        raise UserError(f"The setting “{name}” must be {kind_of}, not {_shown(value)}.")
    for item in value if isinstance(value, tuple) else ():
        for text in (item,) if isinstance(item, str) else vars(item).values():
            _check(name, "str", text)


def _shown(value: object) -> str:
    """Return a value as a sentence shows it: in one line, and no longer than one."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python writes no number of thousands of digits.
        return "a number of thousands of digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


_KINDS = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}


def _keep_aside(path: Path) -> str:
    broken = path.with_name(f"{path.name}.broken")
    try:
        path.replace(broken)
    except OSError as fault:
        return f"stays where it is, since it could not be moved ({fault})"
    return f"is kept as {broken}"


def _log(sentence: str, advice: str) -> None:
    log.warning("%s %s", sentence, advice)
