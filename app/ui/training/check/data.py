"""What `aizuchi data check` found, read for the window, and whether that is still true.

Knows nothing about how it is found or drawn.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.errors import UserError
from app.files import read_json
from app.store.datasets import AUDIO, DATASET, IMPORTED, PREPARED, SPOKEN, TEXT
from app.ui.shell.translation import told

translate = QCoreApplication.translate

CHECK = "check.json"
BARE_SPACE_LIMIT = 0.1
"""More bare word-begin signs than this share of the tokens spoil Japanese; training refuses them."""


@dataclass(frozen=True, slots=True)
class Voice:
    """The figures of one voice over all dialogues; `with_text` dialogues have words of it.

    What is known of its text tokens, None before the dataset was prepared: how many there are in a second
    of the dialogues, in which share of the frames there is none, and which share is a bare space.
    """

    speech_s: float
    speech_share: float
    words: int
    with_text: int
    tokens_per_s: float | None
    padding_share: float | None
    bare_space_share: float | None


@dataclass(frozen=True, slots=True)
class PerMinute:
    """Turn-taking, counted as in app.store.turn_taking, per minute."""

    turns: float
    pauses: float
    gaps: float
    overlaps: float
    backchannels: float


@dataclass(frozen=True, slots=True)
class Item:
    """One dialogue; pairs are (voice A, voice B)."""

    dialogue: str
    seconds: float
    speech_s: tuple[float, float]
    words: tuple[int, int]
    findings: tuple[str, ...]
    """In the user's language, since the table asks for them with each paint."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd, in words; `dialogue` is '' for what concerns all of them."""

    dialogue: str
    refused: bool
    sentence: str
    advice: str
    at_s: float | None = None
    """Where it is in the dialogue, and in whose voice, if it is at one place."""
    speaker: str = ""

    @property
    def words(self) -> str:
        """Return where what is odd, in the user's language."""
        sentence = told(self.sentence)
        return f"{self.dialogue}: {sentence}" if self.dialogue else sentence


@dataclass(frozen=True, slots=True)
class Check:
    """All of check.json. The lengths are counts between edges in seconds."""

    dialogues: int
    hours: float
    language: str
    model: Voice
    user: Voice
    overlap_share: float
    per_minute: PerMinute
    edges_s: tuple[float, ...]
    counts: tuple[int, ...]
    items: tuple[Item, ...]
    findings: tuple[Finding, ...]
    refused: bool


def read_check(folder: Path) -> Check:
    """Return what check.json of a dataset holds. Raises UserError where there is none, or a damaged one."""
    try:
        return parse_check(read_json(folder / CHECK))
    except FileNotFoundError as fault:
        raise UserError(
            translate("CheckData", "The dataset {0} was not checked yet.").format(folder.name),
            translate("CheckData", "Run `aizuchi data check {0}` first.").format(folder.name),
        ) from fault
    except (OSError, ValueError) as fault:
        raise UserError(
            translate("CheckData", "{0} can not be read.").format(folder / CHECK),
            translate("CheckData", "Run `aizuchi data check {0}` again.").format(folder.name),
        ) from fault


def parse_check(raw: object) -> Check:
    """Return what a decoded check.json says. Raises ValueError for anything else."""
    if not isinstance(raw, dict):
        raise ValueError("not a check")
    try:
        lengths = raw["lengths_s"]
        return Check(
            dialogues=int(raw["dialogues"]),
            hours=float(raw["hours"]),
            language=str(raw.get("language") or ""),
            model=_voice(raw["A"]),
            user=_voice(raw["B"]),
            overlap_share=float(raw["overlap_share"]),
            per_minute=_per_minute(raw),
            edges_s=tuple(float(edge) for edge in lengths["edges"]),
            counts=tuple(int(count) for count in lengths["counts"]),
            items=tuple(_item(item) for item in raw["items"]),
            findings=tuple(_finding(finding) for finding in raw["findings"]),
            refused=bool(raw["refused"]),
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"not a check: {fault!r}") from fault


def is_outdated(folder: Path) -> bool:
    """Say whether anything of a dataset changed since it was checked, or it never was."""
    try:
        checked_ns = (folder / CHECK).stat().st_mtime_ns
    except OSError:
        return True
    parts = (DATASET, IMPORTED, PREPARED, AUDIO, TEXT, SPOKEN)
    return any(time_ns > checked_ns for part in parts for time_ns in times_ns(folder / part))


def times_ns(path: Path) -> Iterator[int]:
    """Yield when a file or a folder and each file in it changed; a folder tells what was taken away."""
    with suppress(OSError):
        yield path.stat().st_mtime_ns
        if path.is_dir():
            with os.scandir(path) as entries:
                yield from (entry.stat().st_mtime_ns for entry in entries)


def _voice(raw: Mapping[str, Any]) -> Voice:
    return Voice(
        speech_s=float(raw["speech_s"]),
        speech_share=float(raw["speech_share"]),
        words=int(raw["words"]),
        with_text=int(raw["with_text"]),
        tokens_per_s=_number(raw["tokens_per_s"]),
        padding_share=_number(raw["padding_share"]),
        bare_space_share=_number(raw["bare_space_share"]),
    )


def _number(raw: Any) -> float | None:
    return None if raw is None else float(raw)


def _per_minute(raw: Mapping[str, Any]) -> PerMinute:
    names = ("turns", "pauses", "gaps", "overlaps", "backchannels")
    return PerMinute(*(float(raw[f"{name}_per_minute"]) for name in names))


def _item(raw: Mapping[str, Any]) -> Item:
    return Item(
        dialogue=str(raw["dialogue"]),
        seconds=float(raw["seconds"]),
        speech_s=(float(raw["A_speech_s"]), float(raw["B_speech_s"])),
        words=(int(raw["A_words"]), int(raw["B_words"])),
        findings=tuple(told(str(finding)) for finding in raw["findings"]),
    )


def _finding(raw: Mapping[str, Any]) -> Finding:
    return Finding(
        dialogue=str(raw["dialogue"]),
        refused=raw["severity"] == "refused",
        sentence=str(raw["sentence"]),
        advice=str(raw.get("advice") or ""),
        at_s=_number(raw.get("at_s")),
        speaker=str(raw.get("speaker") or ""),
    )
