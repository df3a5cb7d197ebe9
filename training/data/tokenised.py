"""Dialogues that come as tokens alone: nu-dialogue's Parquet files and its folders of npz files.

They become the prepared files of a dataset without sound, as they are. Knows nothing about sound or words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count as count_from
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from app.files import Malformed, open_regular, replacing_folder, write_json
from app.store.datasets import FORMAT, PREPARED, SHARDS, Dataset
from training.data import packing
from training.data.align import PADDING
from training.data.oddities import Finding
from training.data.packing import Packed
from training.data.shards import read_parquet
from training.data.sources import TOKENIZED

CODEBOOKS, CARD, TEXT_CARD = 8, 2048, 32_000
"""Of the Moshi family."""

Told = Callable[[float], None]


@dataclass
class Taken:
    """What came of all sources."""

    dialogues: int = 0
    frames: int = 0
    there: int = 0
    """Dialogues that were in the dataset already."""
    left_out: int = 0
    findings: list[tuple[str, Path, Finding]] = field(default_factory=list)
    """Dialogue, source, and what was found."""


@dataclass
class _Plan:
    """What is already prepared, and which dialogues of which source are new."""

    names: set[str] = field(default_factory=set)
    digests: set[bytes] = field(default_factory=set)
    new: dict[Path, dict[int, str]] = field(default_factory=dict)
    """For each source, the names of the new dialogues by their numbers in it."""


def count(sources: Sequence[Path]) -> int:
    """Return how many dialogues there seem to be in the sources."""
    return sum(_count(source) for source in sources)


def take(dataset: Dataset, sources: Sequence[Path], told: Told) -> Taken:
    """Add the dialogues of Parquet files and folders to what is prepared; `told` hears of each, twice.

    A Parquet file that is damaged anywhere is left out whole. Raises OSError where the dataset can not be
    written, UserError where its own files are damaged; it is then as before.
    """
    plan, taken = _Plan(), Taken()
    for shard in dataset.shards:
        for row in _rows_of(shard):
            plan.names.add(row.dialogue)
            plan.digests.add(_digest(row))
    for source in sources:
        _look_over(source, plan, taken, told)
    if not taken.dialogues:
        return taken
    with replacing_folder(dataset.folder / SHARDS) as folder:
        packing.write_files(folder, _chosen(dataset, plan, told))
    _describe(dataset)
    return taken


def _look_over(source: Path, plan: _Plan, taken: Taken, told: Told) -> None:
    """Decide what of one source comes in."""
    seen, names, digests, frames, there = {}, set(plan.names), set(plan.digests), 0, 0
    renamed: list[tuple[str, Path, Finding]] = []
    try:
        for number, row in enumerate(_read(source, taken, told)):
            if row is None:
                continue
            if (digest := _digest(row)) in digests:
                there += 1
                continue
            name = next(name for name in _numbered(row.dialogue) if name not in names)
            if name != row.dialogue:
                finding = Finding("renamed", f"There is another dialogue {row.dialogue}.", f"This is {name}.")
                renamed.append((name, source, finding))
            seen[number] = name
            names.add(name)
            digests.add(digest)
            frames += row.a.shape[1]
    except UserError as fault:
        taken.left_out += _count(source)
        taken.findings.append(("", source, Finding("unreadable", fault.sentence, "The file was left out.")))
        return
    plan.names, plan.digests, plan.new[source] = names, digests, seen
    taken.dialogues += len(seen)
    taken.frames += frames
    taken.there += there
    taken.findings += renamed


def _chosen(dataset: Dataset, plan: _Plan, told: Told) -> Iterator[Packed]:
    """Yield what is prepared already, then what is new."""
    for shard in dataset.shards:
        yield from _rows_of(shard)
    for source, names in ((source, names) for source, names in plan.new.items() if names):
        for number, row in enumerate(_read(source, Taken(), told)):
            if row is not None and number in names:
                yield row._replace(dialogue=names[number])


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count_from(2))


def _describe(dataset: Dataset) -> None:
    """Write prepared.json. Which model it is for is not known: it has to be one with the same tokenizers."""
    dialogues = frames = 0
    tokens: dict[str, list[int]] = {}
    for shard in dataset.shards:
        for row in _rows_of(shard):
            dialogues, frames = dialogues + 1, frames + row.a.shape[1]
            tokens[row.dialogue] = [int((voice[0] > PADDING).sum()) for voice in (row.a, row.b)]
    write_json(
        dataset.folder / PREPARED,
        {
            "format": FORMAT,
            "model": "",
            "tokenizer": "",
            "mimi": "",
            "placement": "nu-dialogue",
            "no_whitespace_before_word": None,
            "codebooks": CODEBOOKS,
            "card": CARD,
            "text_card": TEXT_CARD,
            "dialogues": dialogues,
            "frames": frames,
            "made": datetime.now().astimezone().isoformat(timespec="seconds"),
            "tokens": tokens,
        },
    )


def _read(source: Path, taken: Taken, told: Told) -> Iterator[Packed | None]:
    """Yield the dialogues of a source, None for one that is left out. Raises UserError."""
    rows = _rows_of(source) if source.is_file() else _npz_rows(source, taken)
    for row in rows:
        told(1)
        yield row


def _count(source: Path) -> int:
    if source.is_dir():
        return len(_npz_names(source))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Opened here: the library knows no name that is not text.
        with open_regular(source) as file:
            return int(pq.read_metadata(file).num_rows)
    except (OSError, Malformed, pa.ArrowException):
        return 1


def _rows_of(path: Path) -> Iterator[Packed]:
    """Yield the dialogues of a Parquet file. Raises UserError for one that can not be."""
    for _, _, name, both in read_parquet(path, CODEBOOKS):
        a, b = (np.ascontiguousarray(both[:, voice].T) for voice in (0, 1))
        _check(f"Voice A of the dialogue {name} in {path}", a)
        _check(f"Voice B of the dialogue {name} in {path}", b)
        yield Packed(name, a.astype(np.int32), b.astype(np.int32))


def _npz_names(folder: Path) -> list[str]:
    return sorted({path.stem for part in TOKENIZED for path in (folder / part).glob("*.npz")})


def _npz_rows(folder: Path, taken: Taken) -> Iterator[Packed | None]:
    """Yield the dialogues of a folder of npz files; one that is damaged is told and left out."""

    def row(name: str) -> Packed | None:
        try:
            return _npz_row(folder, name)
        except UserError as fault:
            taken.left_out += 1
            finding = Finding("unreadable", fault.sentence, "The dialogue was left out.")
            taken.findings.append((name, folder / TOKENIZED[0] / f"{name}.npz", finding))
        return None

    return (row(name) for name in _npz_names(folder))


def _npz_row(folder: Path, name: str) -> Packed:
    sound, text = (_arrays(folder / part / f"{name}.npz") for part in TOKENIZED)
    voices: list[npt.NDArray[np.int64]] = []
    for speaker, codes, stream in zip("AB", sound, text, strict=True):
        what = f"Voice {speaker} of {name}.npz in {folder}"
        if codes.ndim != 2 or codes.shape[0] != CODEBOOKS or stream.ndim != 1:
            shapes = f"{list(codes.shape)} and a text {list(stream.shape)}"
            raise UserError(f"{what} has codes {shapes}, not [{CODEBOOKS}, T] and [T].")
        # As nu-dialogue does it: the sound decides about the length.
        fitted = np.full(codes.shape[1], PADDING, dtype=np.int64)
        fitted[: len(stream)] = stream[: codes.shape[1]]
        voices.append(np.concatenate([fitted[None], codes]))
        _check(what, voices[-1])
    if voices[0].shape != voices[1].shape:
        lengths = " and ".join(str(voice.shape[1]) for voice in voices)
        raise UserError(f"The voices of {name}.npz in {folder} have {lengths} frames.")
    return Packed(name, voices[0].astype(np.int32), voices[1].astype(np.int32))


def _arrays(path: Path) -> list[npt.NDArray[np.int64]]:
    """Return A and B of an npz file. Raises UserError."""
    try:
        # Opened here, since numpy leaves a damaged file open.
        with open_regular(path) as raw, np.load(raw, allow_pickle=False) as file:
            found = [file[speaker] for speaker in "AB"]
    except FileNotFoundError as fault:
        raise UserError(f"{path} is missing.") from fault
    except KeyError as fault:
        raise UserError(f"{path} does not hold A and B.") from fault
    except Exception as fault:
        # numpy reads a header as Python: what is damaged there fails in its tokenizer, or anywhere.
        raise UserError(f"{path} is damaged, or holds something else than arrays of numbers.") from fault
    if not all(isinstance(voice, np.ndarray) and np.issubdtype(voice.dtype, np.integer) for voice in found):
        raise UserError(f"{path} holds no integers.")
    return [voice.astype(np.int64) for voice in found]


def _check(what: str, voice: npt.NDArray[np.int64]) -> None:
    """Raise UserError for tokens [1+K, T] that no model of the family knows."""
    if not voice.shape[1]:
        raise UserError(f"{what} has no frames.")
    for name, rows, card in (("text token", voice[:1], TEXT_CARD), ("code", voice[1:], CARD)):
        low, high = int(rows.min()), int(rows.max())
        if low < 0 or high >= card:
            raise UserError(f"{what} has the {name} {low if low < 0 else high}, not 0 to {card - 1}.")


def _digest(row: Packed) -> bytes:
    digest = hashlib.sha256()
    for voice in (row.a, row.b):
        digest.update(str(voice.shape).encode() + np.ascontiguousarray(voice).tobytes())
    return digest.digest()
