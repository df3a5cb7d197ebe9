"""What stands in the files and folders that are to be imported, by what is in them rather than by names.

Finds dialogues with sound (recordings of ours, kyutai/moshi-finetune's lists, nu-dialogue/moshi-finetune's
folders, plain stereo files) and dialogues that are tokens alone. Knows nothing about where they go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from app.datasets import DATASET
from app.errors import UserError
from app.paths import Paths
from app.recordings import Recording, open_recording
from training.data import wording
from training.data.audio import is_sound
from training.data.wording import Wording

AUDIO, TEXT, SPOKEN = "audio", "text", "spoken"
TOKENIZED = "tokenized_audio", "tokenized_text"
"""nu-dialogue's folders."""

_PARQUET = b"PAR1"
_LONGEST_LINE_BYTES = 1 << 20

_WHAT_A_FOLDER_MAY_HOLD = "It may hold recordings, stereo sound files, Kyutai's or nu-dialogue's data."
_WHAT_A_FILE_MAY_BE = 'It may be stereo sound, Parquet, or a list with {"path": …} on each line.'


@dataclass(frozen=True)
class Incoming:
    """One dialogue with sound. `read` gives its words and raises UserError where they are damaged."""

    name: str
    audio: Path
    read: Callable[[], Wording]


@dataclass(frozen=True)
class Trouble:
    """A dialogue that can not even be looked at."""

    name: str
    source: Path
    sentence: str


@dataclass
class Found:
    """All that stands in the sources."""

    dialogues: list[Incoming] = field(default_factory=list)
    tokens: list[Path] = field(default_factory=list)
    """Parquet files, and folders that hold TOKENIZED."""
    troubles: list[Trouble] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.dialogues or self.tokens or self.troubles)


def find_sources(specs: list[str], speaker: str | None, where: Paths, *, but: Path) -> Found:
    """Return what stands in files and folders, or in recordings by their names below `where.recordings`.

    Nothing in the folder `but` is taken. `speaker` is whom the sources call the voice that is to be A, None
    for what each kind of source calls it by itself. Raises UserError for a name that is nowhere and for a
    source with nothing in it.
    """
    found = Found()
    for spec in specs:
        path = _locate(spec, where)
        one = Found()
        _Search(one, speaker, but).look(path)
        if not one:
            raise UserError(
                f"There is nothing to import in {path}.",
                _WHAT_A_FOLDER_MAY_HOLD if path.is_dir() else _WHAT_A_FILE_MAY_BE,
            )
        found.dialogues += one.dialogues
        found.tokens += one.tokens
        found.troubles += one.troubles
        found.languages |= one.languages
    return found


def _locate(spec: str, where: Paths) -> Path:
    for path in (Path(spec).expanduser(), where.recordings / spec):
        if spec and path.exists():
            return path.resolve()
    raise UserError(
        f"There is no '{spec}' to import.", "Name a file, a folder, or a recording as `aizuchi` lists it."
    )


class _Search:
    """Goes through one source and gathers what is in it."""

    def __init__(self, found: Found, speaker: str | None, but: Path) -> None:
        self._found = found
        self._speaker = speaker
        self._seen = {but.resolve()}

    def look(self, path: Path) -> None:
        """Take what a file is, or all that a folder holds. Raises UserError."""
        try:
            if path.is_dir():
                self._look_into(path)
            elif is_parquet(path):
                self._found.tokens.append(path)
            elif is_sound(path):
                self._take_sound(path)
            elif entries := list_entries(path):
                self._take_list(path, entries)
        except OSError as fault:
            raise UserError(f"{path} can not be read: {fault.strerror}.", "See who may read it.") from fault

    def _look_into(self, folder: Path) -> None:
        """Take the one kind of data that a folder is, or else what the folders in it are."""
        if folder.resolve() in self._seen:
            return
        self._seen.add(folder.resolve())
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if (recording := _recording(folder)) is not None:
            self._take_recording(recording)
        elif lists := [(path, entries) for path in files if (entries := list_entries(path))]:
            for path, entries in lists:
                self._take_list(path, entries)
        elif sounds := _sounds(folder / AUDIO):
            self._take_layout(folder, sounds)
        elif all((folder / part).is_dir() for part in TOKENIZED):
            # The Parquet files hold the same once more, as one.
            self._found.tokens += sorted(folder.rglob("*.parquet")) or [folder]
        else:
            for path in files:
                self.look(path)

    def _take_recording(self, recording: Recording) -> None:
        if recording.live:
            # What is there now would count as all of it for ever.
            sentence = f"{recording.folder.name} is being recorded at this moment."
            self._found.troubles.append(Trouble(recording.folder.name, recording.audio, sentence))
            return
        self._found.languages.add(recording.language)
        read = partial(wording.read_recording, recording, self._speaker)
        self._found.dialogues.append(Incoming(recording.folder.name, recording.audio, read))

    def _take_list(self, path: Path, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            audio = path.parent / str(entry["path"])
            name = audio.stem
            if not audio.is_file():
                sentence = f"{path.name} names {entry['path']}, which is not there."
                self._found.troubles.append(Trouble(name, audio, sentence))
                continue
            said_s = entry.get("duration")
            read = partial(
                wording.read_beside,
                audio.with_suffix(".json"),
                self._speaker,
                said_s=float(said_s) if isinstance(said_s, int | float) else None,
                list_name=path.name,
            )
            self._found.dialogues.append(Incoming(name, audio.resolve(), read))

    def _take_layout(self, folder: Path, sounds: list[Path]) -> None:
        """Take nu-dialogue's folders, which are also those of a dataset of ours."""
        with suppress(OSError, ValueError, AttributeError):
            about = json.loads((folder / DATASET).read_text(encoding="utf-8"))
            self._found.languages.add(str(about.get("language", "")))
        for audio in sounds:
            texts = folder / TEXT / f"{audio.stem}.json"
            read = partial(
                wording.read_beside, texts, self._speaker, spoken=folder / SPOKEN / f"{audio.stem}.json"
            )
            self._found.dialogues.append(Incoming(audio.stem, audio.resolve(), read))

    def _take_sound(self, path: Path) -> None:
        read = partial(wording.read_beside, path.with_suffix(".json"), self._speaker)
        self._found.dialogues.append(Incoming(path.stem, path.resolve(), read))


def list_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a list of sound files as Kyutai's finetuner reads it, [] where it is none.

    Such a file has a JSON object with `path` on each line. Raises UserError where only some lines have.
    """
    if not path.is_file() or path.suffix.lower() not in (".jsonl", ".json", ".txt", ""):
        return []
    entries: list[dict[str, Any]] = []
    for number, line in _lines(path):
        entry: Any = None
        with suppress(ValueError):
            entry = json.loads(line)
        if isinstance(entry, dict) and isinstance(entry.get("path"), str) and entry["path"]:
            entries.append(entry)
        elif not entries:
            return []
        else:
            advice = 'Each line has to be {"path": …, "duration": …}, in UTF-8.'
            raise UserError(f"Line {number} of {path} names no sound file.", advice)
    return entries


def is_parquet(path: Path) -> bool:
    """Say whether a file is, or is meant to be, a Parquet file."""
    if not path.is_file():
        return False
    if path.suffix.lower() == ".parquet":
        return True
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET
    return False


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers; they need not be text."""
    with path.open("rb") as file:
        # What is no text may go on for gigabytes without an end of a line.
        for number, line in enumerate(iter(partial(file.readline, _LONGEST_LINE_BYTES), b""), 1):
            if line.strip():
                yield number, line


def _recording(folder: Path) -> Recording | None:
    """Return the recording of ours that a folder is; sound alone makes none."""
    with suppress(UserError):
        recording = open_recording(folder)
        if recording.session() or recording.events():
            return recording
    return None


def _sounds(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and is_sound(path)
    )
