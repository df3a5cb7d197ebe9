"""What tests of imports share: to run one, and to look at what it left; recordings and tokens to import."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app.audio.recorder import Recorder
from app.engine.ports import Said
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.paths import Paths
from app.store.datasets import Dataset, TimedWord, open_dataset
from tests.training.dialogues import Stereo, say
from training.data import importing, packing
from training.data.packing import Packed
from training.data.shards import read_parquet

Talk = tuple[Stereo, list[TimedWord]]

PIECES = [
    (5, 100, "Hel"),
    (6, 101, "lo"),
    (7, 102, ","),
    (9, 103, " how"),
    (10, 104, " are"),
    (30, 105, " you"),
]


def run(where: Paths, *arguments: str | Path, name: str = "talks") -> Dataset:
    place = [] if "--name" in arguments or "--out" in arguments else ["--name", name]
    assert importing.main([*map(str, arguments), *place], where) == 0
    return open_dataset(where.datasets / name)


def notes(dataset: Dataset) -> list[dict[str, Any]]:
    lines = (dataset.folder / "import.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def findings(dataset: Dataset) -> dict[str, list[str]]:
    """Return the kinds of findings of each dialogue, but for 'imported'."""
    found: dict[str, list[str]] = {}
    for line in notes(dataset):
        if line["finding"] != "imported":
            found.setdefault(line["dialogue"], []).append(line["finding"])
    return found


def sound(dataset: Dataset, name: str) -> Any:
    samples, rate = soundfile.read(dataset.audio(name), dtype="int16")
    about = soundfile.info(dataset.audio(name))
    assert (rate, about.format, about.subtype) == (SAMPLE_RATE, "FLAC", "PCM_16")
    return samples


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Limit the size of files: that is met as a full disk is, by an OSError in the middle of a write."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)


def record(
    where: Paths,
    name: str,
    pieces: Sequence[tuple[int, int, str]],
    *,
    language: str = "en",
    frames: int = 100,
    notes: Sequence[tuple[str, dict[str, object]]] = (),
) -> Path:
    """Record a talk in which the model says a word every second, and the user another."""
    details = {"model": {"language": language}}
    folder = where.recordings / name
    recorder = Recorder(
        where.recordings, model="tiny", details=details, on_failure=lambda *_: None, folder=folder
    )
    said, heard = (np.resize(say(text), FRAME_SAMPLES * frames).astype(np.float32) for text in ("yes", "no"))
    for frame in range(frames):
        at = slice(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)
        recorder.tap(frame, heard[at], Said(said[at]))
    for frame, token, text in pieces:
        recorder.note("spoke", {"frame": frame, "token": token, "text": text})
    for kind, fields in notes:
        recorder.note(kind, fields)
    recorder.close()
    return folder


def rows(*names: str, frames: int = 30, text: int = 400) -> list[Packed]:
    chance = np.random.default_rng(7)
    made = []
    for name in names:
        voices = [chance.integers(0, 2048, (9, frames), dtype=np.int32) for _ in "AB"]
        for voice in voices:
            voice[0] = chance.choice([3, 0, text], frames)
        made.append(Packed(name, *voices))
    return made


def write_parquet(folder: Path, *made: Packed) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (path,) = packing.write_files(folder, iter(made))
    return path


def prepared(dataset: Dataset) -> dict[str, Any]:
    return {name: both for shard in dataset.shards for _, _, name, both in read_parquet(shard, 8)}
