"""What stands in the files and folders that are to be imported, by what is in them rather than by names.

Finds dialogues with sound (recordings of ours, kyutai/moshi-finetune's lists, nu-dialogue/moshi-finetune's
folders, plain stereo files) and dialogues that are tokens alone. Knows nothing about where they go.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from app.errors import UserError
from app.files import Malformed, named, open_regular, read_json
from app.paths import Paths
from app.store.datasets import DATASET
from app.store.recordings import Recording, open_recording
from training.data import wording
from training.data.audio import is_sound
from training.data.lists import Entry, beside, find, list_entries
from training.data.wording import Wording

AUDIO, TEXT, SPOKEN = "audio", "text", "spoken"
TOKENIZED = "tokenized_audio", "tokenized_text"
"""nu-dialogue's folders."""

HUB_BLOBS, HUB_SNAPSHOTS = "blobs", "snapshots"
"""Folders of a repository in the cache of the Hugging Face hub."""

_PARQUET = b"PAR1"
_MOST_LETTERS = 80

_WHAT_A_FOLDER_MAY_HOLD = "It may hold recordings, stereo sound files, Kyutai's or nu-dialogue's data."
_WHAT_A_FILE_MAY_BE = 'It may be stereo sound, Parquet, or a list with {"path": …} on each line.'
_WHAT_A_LIST_IS = 'Each line has to be {"path": …, "duration": …}, in UTF-8.'


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
    advice: str = ""


@dataclass
class Found:
    """All that stands in the sources."""

    dialogues: list[Incoming] = field(default_factory=list)
    tokens: list[Path] = field(default_factory=list)
    """Parquet files, and folders that hold TOKENIZED."""
    troubles: list[Trouble] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    repeated: int = 0
    """Sources that were named more than once; they stand here once."""

    def add(self, other: Found) -> None:
        """Add what another source holds, but for what is here already."""
        here = {incoming.audio for incoming in self.dialogues} | set(self.tokens)
        for incoming in other.dialogues:
            self._add(self.dialogues, incoming, incoming.audio, here)
        for path in other.tokens:
            self._add(self.tokens, path, path, here)
        self.troubles += (trouble for trouble in other.troubles if trouble not in self.troubles)
        self.languages |= other.languages
        self.repeated += other.repeated

    def _add(self, to: list[Any], each: Any, path: Path, here: set[Path]) -> None:
        self.repeated += path in here
        if path not in here:
            here.add(path)
            to.append(each)

    def __bool__(self) -> bool:
        return bool(self.dialogues or self.tokens or self.troubles)


def find_sources(specs: list[str], speaker: str | None, where: Paths, *, but: Path) -> Found:
    """Return what stands in files and folders, or in recordings by their names below `where.recordings`.

    Nothing in the folder `but` is taken, and nothing twice. `speaker` is whom the sources call the voice that
    is to be A, None for what each kind of source calls it by itself. Raises UserError for a name that is
    nowhere and for a source with nothing in it; what is wrong with a part of one is a trouble.
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
        found.add(one)
    return found


def _locate(spec: str, where: Paths) -> Path:
    for path in (named(spec), where.recordings / spec):
        if spec and os.path.exists(path):
            # Links stay: words and lists lie beside what the name says, not beside what it leads to.
            return Path(os.path.abspath(path))
    raise UserError(
        f"There is no '{spec}' to import.", "Name a file, a folder, or a recording as `aizuchi` lists it."
    )


class _Search:
    """Goes through one source and gathers what is in it."""

    def __init__(self, found: Found, speaker: str | None, but: Path) -> None:
        self._found = found
        self._speaker = speaker
        self._seen = {os.path.realpath(but)}

    def look(self, path: Path) -> None:
        """Take what a file is, or all that a folder holds; one that can not be read is a trouble."""
        try:
            if path.is_dir():
                self._look_into(path)
            elif is_parquet(path):
                self._found.tokens.append(path)
            elif is_sound(path):
                self._take_sound(path)
            else:
                self._take_list(path, list_entries(path))
        except OSError as fault:
            sentence = f"{path} can not be read: {fault.strerror}."
            self._found.troubles.append(Trouble(path.name, path, sentence, "See who may read it."))
        except Malformed as fault:
            self._found.troubles.append(Trouble(path.name, path, f"{path} {fault}.", _WHAT_A_LIST_IS))
        except RecursionError:
            sentence = f"{path} lies in too many folders."
            self._found.troubles.append(Trouble(path.name, path, sentence))

    def _look_into(self, folder: Path) -> None:
        """Take the one kind of data that a folder is, or else what the folders in it are."""
        real = os.path.realpath(folder)
        if real in self._seen:
            return
        self._seen.add(real)
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        if (recording := _recording(folder)) is not None:
            self._take_recording(recording)
        elif self._take_lists(files):
            pass
        elif sounds := _sounds(folder / AUDIO):
            self._take_layout(folder, sounds)
        elif all((folder / part).is_dir() for part in TOKENIZED):
            # The Parquet files hold the same once more, as one.
            self._found.tokens += sorted(folder.rglob("*.parquet")) or [folder]
        elif all((folder / part).is_dir() for part in (HUB_BLOBS, HUB_SNAPSHOTS)):
            # Files without names, and links to them that have some.
            self.look(folder / HUB_SNAPSHOTS)
        else:
            for path in files:
                self.look(path)

    def _take_lists(self, files: list[Path]) -> bool:
        """Take the lists among some files, and say whether there are any: what they do not name stays out."""
        has_lists = False
        for path in files:
            try:
                entries = list_entries(path)
            except (OSError, Malformed):
                # What can not be read and is meant to be a list is one: `look` says what is wrong with it.
                has_lists = True
                self.look(path)
                continue
            has_lists |= bool(entries)
            self._take_list(path, entries)
        return has_lists

    def _take_recording(self, recording: Recording) -> None:
        if recording.live:
            # What is there now would count as all of it for ever.
            sentence = f"{recording.folder.name} is being recorded at this moment."
            self._found.troubles.append(Trouble(recording.folder.name, recording.audio, sentence))
            return
        self._found.languages.add(recording.language)
        read = partial(wording.read_recording, recording, self._speaker)
        self._found.dialogues.append(Incoming(recording.folder.name, recording.audio, read))

    def _take_list(self, path: Path, entries: list[Entry]) -> None:
        for entry in entries:
            if not entry.path:
                sentence = f"Line {entry.line} of {path} names no sound file."
                self._found.troubles.append(Trouble("", path, sentence, _WHAT_A_LIST_IS))
                continue
            audio = find(path.parent, entry.path)
            if audio is None:
                name = PurePath(entry.path.replace("\\", "/")).stem
                sentence = f"{path.name} names {_shortened(entry.path)}, which is not there."
                self._found.troubles.append(Trouble(_shortened(name), path.parent / entry.path, sentence))
                continue
            read = partial(
                wording.read_beside,
                beside(audio, ".json"),
                self._speaker,
                said_s=entry.said_s,
                list_name=path.name,
            )
            self._found.dialogues.append(Incoming(audio.stem, Path(os.path.abspath(audio)), read))

    def _take_layout(self, folder: Path, sounds: list[Path]) -> None:
        """Take nu-dialogue's folders, which are also those of a dataset of ours."""
        with suppress(OSError, ValueError, AttributeError):
            self._found.languages.add(str(read_json(folder / DATASET).get("language") or ""))
        for audio in sounds:
            texts, spoken = (beside(folder / part / audio.name, ".json") for part in (TEXT, SPOKEN))
            read = partial(wording.read_beside, texts, self._speaker, spoken=spoken)
            self._found.dialogues.append(Incoming(audio.stem, audio, read))

    def _take_sound(self, path: Path) -> None:
        read = partial(wording.read_beside, beside(path, ".json"), self._speaker)
        self._found.dialogues.append(Incoming(path.stem, path, read))


def _shortened(text: str) -> str:
    """Return a name as a sentence can hold it: the longest that a file can have are 255 bytes long."""
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def is_parquet(path: Path) -> bool:
    """Say whether a file is, or is meant to be, a Parquet file."""
    if not os.path.isfile(path):
        return False
    if path.suffix.lower() == ".parquet":
        return True
    with suppress(OSError, Malformed), open_regular(path) as file:
        return file.read(len(_PARQUET)) == _PARQUET
    return False


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
        if not path.is_dir() and not path.name.startswith(".") and is_sound(path)
    )
