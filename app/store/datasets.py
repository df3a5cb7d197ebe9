"""What training learns from: a dataset is a folder of stereo dialogues with the words of both voices.

Reads and writes what is small; knows nothing about codes, models or windows. A dataset holds

- `dataset.json`: `format`, `name`, `language` (ISO 639-1, '' if unknown), `created` (ISO 8601);
- `audio/NAME.flac`: 24 kHz stereo, left = voice A (the model's in training), right = voice B (the user's);
- `text/NAME.json`: `[{"speaker": "A", "word": "hi", "start": 0.4, "end": 0.6}]`, seconds, both voices;
- `spoken/NAME.json`: for our own recordings, `{"frames": 500, "tokens": [[12, 412], …]}`: what the model's
  text stream was, exactly; it counts in place of the words of A until these are corrected;
- `.lock`: held by whatever writes the dataset;
- `import.jsonl`: what was found and done when the dialogues came in, one finding a line;
- `codes/NAME.npz`: Mimi's codes `A`, `B` [K, T], once prepared;
- `prepared/train-001-of-002.parquet` and `prepared.json`: what the finetuner reads.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from app.errors import UserError
from app.files import make_folder, read_json, write_json
from app.store import locks
from app.store.locks import Lock

FORMAT = 1
DATASET, IMPORTED, PREPARED = "dataset.json", "import.jsonl", "prepared.json"
AUDIO, TEXT, SPOKEN, CODES, SHARDS = "audio", "text", "spoken", "codes", "prepared"

Speaker = Literal["A", "B"]

_WORDS_ARE = 'It has to hold [{"speaker": "A" or "B", "word", "start", "end"}, …], times in seconds.'


class TimedWord(NamedTuple):
    """A word of one voice; times in seconds from the beginning of the audio."""

    speaker: Speaker
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset folder."""

    folder: Path
    name: str
    language: str
    created: str

    def dialogues(self) -> list[str]:
        """Return the names of the dialogues, sorted."""
        return sorted(path.stem for path in (self.folder / AUDIO).glob("*.flac") if os.path.isfile(path))

    def audio(self, dialogue: str) -> Path:
        """Return where the sound of a dialogue is."""
        return self.folder / AUDIO / f"{dialogue}.flac"

    def text(self, dialogue: str) -> Path:
        """Return where the words of a dialogue are; there may be none yet."""
        return self.folder / TEXT / f"{dialogue}.json"

    def spoken(self, dialogue: str) -> Path:
        """Return where the model's own text stream is; only recordings of ours have one."""
        return self.folder / SPOKEN / f"{dialogue}.json"

    def codes(self, dialogue: str) -> Path:
        """Return where Mimi's codes are, once prepared."""
        return self.folder / CODES / f"{dialogue}.npz"

    @property
    def shards(self) -> list[Path]:
        """Return the prepared files, sorted."""
        return sorted(path for path in (self.folder / SHARDS).glob("*.parquet") if os.path.isfile(path))

    @property
    def prepared(self) -> dict[str, Any]:
        """Return what prepared.json says, {} before the first preparation."""
        with suppress(OSError, ValueError):
            found = read_json(self.folder / PREPARED)
            if isinstance(found, dict):
                return found
        return {}


def create_dataset(folder: Path, *, language: str = "") -> Dataset:
    """Make a dataset folder, or open the one that is there. Raises UserError where it can not be made."""
    if (folder / DATASET).exists():
        return open_dataset(folder)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} holds other files.", "Name a new or an empty folder for the dataset.")
    created = datetime.now().astimezone().isoformat(timespec="seconds")
    try:
        for part in (AUDIO, TEXT):
            make_folder(folder / part)
        write_json(
            folder / DATASET,
            {"format": FORMAT, "name": folder.name, "language": language, "created": created},
        )
    except OSError as fault:
        raise UserError(
            f"The dataset {folder} can not be made: {fault.strerror}.", "Choose another folder."
        ) from fault
    return open_dataset(folder)


def hold(dataset: Dataset, command: str) -> Lock:
    """Hold a dataset that is about to be written. Raises InUse where something else is at work on it."""
    try:
        return locks.take(dataset.folder, dataset.name, command)
    except OSError as fault:
        raise UserError(
            f"{dataset.folder} can not be written: {fault.strerror}.",
            "See who may write there, and whether the disk has room.",
        ) from fault


def open_dataset(folder: Path) -> Dataset:
    """Return the dataset in a folder. Raises UserError when there is none."""
    try:
        raw = read_json(folder / DATASET)
        if raw["format"] > FORMAT:
            raise UserError(f"{folder} was made by a newer Aizuchi.", "Update the program.")
        return Dataset(
            folder,
            str(raw.get("name") or folder.name),
            str(raw.get("language", "")),
            str(raw.get("created", "")),
        )
    except OSError as fault:
        raise UserError(
            f"There is no dataset in {folder}.", "Make one with `aizuchi data import`."
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise UserError(f"{folder / DATASET} is damaged.", "Import the dialogues again.") from fault


def list_datasets(root: Path) -> list[Dataset]:
    """Return the datasets below `root`, newest first; one that is damaged hides no other, and is left out."""
    found = []
    with suppress(OSError):
        for folder in root.iterdir():
            with suppress(UserError):
                # One with a dot is only being made.
                found += [] if folder.name.startswith(".") else [open_dataset(folder)]
    return sorted(found, key=lambda dataset: (dataset.created, dataset.name), reverse=True)


def read_words(path: Path) -> list[TimedWord]:
    """Return the words of a dialogue in the order of the file. Raises UserError with what is wrong."""
    try:
        raw = read_json(path, foreign=True)
    except FileNotFoundError as fault:
        raise UserError(
            f"The words {path} are missing.", "Transcribe the dialogue, or import it again."
        ) from fault
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", _WORDS_ARE) from fault
    except ValueError as fault:
        raise UserError(f"{path} can not be read: it {fault}.", _WORDS_ARE) from fault
    if not isinstance(raw, list):
        raise UserError(f"{path} does not hold words with times.", _WORDS_ARE)
    return [_word(path, number, each) for number, each in enumerate(raw, 1)]


def _word(path: Path, number: int, raw: Any) -> TimedWord:
    """Return the word that an entry of the file is. Raises UserError."""
    text = raw.get("word") if isinstance(raw, dict) else raw
    if not isinstance(raw, dict) or not isinstance(text, str):
        kind = kind_of(text)
        raise UserError(f"{path} does not hold words with times: word {number} is {kind}.", _WORDS_ARE)
    speaker, start_s, end_s = raw.get("speaker"), time_in_s(raw.get("start")), time_in_s(raw.get("end"))
    if speaker not in ("A", "B") or start_s is None or end_s is None:
        raise UserError(
            f"{path} does not hold words with times: word {number} is the word '{text}' without a speaker "
            "or times.",
            _WORDS_ARE,
        )
    return TimedWord(speaker, text, start_s, end_s)


def time_in_s(raw: object) -> float | None:
    """Return a time as a file of others has it, None for what is no finite number: text, true, NaN."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    with suppress(OverflowError):
        if math.isfinite(time_s := float(raw)):
            return time_s
    return None


def kind_of(raw: object) -> str:
    """Return what a value of a JSON file is, in a few words: for what is not what was expected."""
    if raw is None or isinstance(raw, bool):
        return json.dumps(raw)
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(raw), type(raw).__name__)


def write_words(path: Path, words: Iterable[TimedWord]) -> None:
    """Replace the words of a dialogue in one step, ordered by time. Raises OSError."""
    ordered = sorted(words, key=lambda word: (word.start_s, word.speaker))
    write_json(
        path,
        [
            {
                "speaker": word.speaker,
                "word": word.text,
                "start": round(word.start_s, 3),
                "end": round(word.end_s, 3),
            }
            for word in ordered
        ],
    )
