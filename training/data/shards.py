"""Prepared dialogues in: Parquet files, ours and nu-dialogue's, read as arrays that stay on disk.

A file is looked over and unpacked once, into a cache that is mapped into memory: hundreds of hours take no
more of it than what is being learnt from. Knows nothing about models, datasets or torch.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from app.files import make_folder, open_regular, read_json, replacing

COLUMNS = ("dialogue_id", "A", "B")

Tokens = npt.NDArray[np.integer[Any]]
"""[1+K, T]: the text stream, then the codes of one voice. int16 where the values allow it, or int32."""

_FORMAT = 2
"""Raised whenever the cache holds something else, so that it is made anew."""

_DIGEST_LETTERS = 32
"""128 bits: no two dialogues have the same by chance."""

_ROWS_AT_ONCE = 16
_ADVICE = "Prepare the dataset again."


class _Dialogue(NamedTuple):
    id: str
    first: int
    frames: int
    text_max: int
    code_max: int
    digest: str
    """Of all its tokens: what tells it from any other, whatever it is called and whichever file holds it."""


class Shards:
    """The dialogues of some Parquet files, in the order of the files and of their rows.

    `cache` is a folder for the unpacked files, which several processes may share. Raises UserError, naming
    file and dialogue, for what is no file of dialogues with 1 + `codebooks` rows for each voice, codes in
    0..card-1 and text in 0..text_card-1. `told` hears (dialogues done, in all) while a file is unpacked.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        cache: Path,
        *,
        codebooks: int = 8,
        card: int = 2048,
        text_card: int = 32_000,
        told: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self.dialogues: list[tuple[str, int]] = []
        """Identity and number of frames of each dialogue."""
        self.digests: list[str] = []
        """What each dialogue is, by its tokens: hashed once, when its file is unpacked."""
        self.files: list[Path] = []
        """The file that each dialogue is in."""
        self._places: list[tuple[Tokens, int]] = []
        for path in paths:
            found, tokens = _open(path, cache, codebooks, told)
            for dialogue in found:
                _check_range(path, dialogue, card, text_card)
                self.dialogues.append((dialogue.id, dialogue.frames))
                self.digests.append(dialogue.digest)
                self.files.append(path)
                self._places.append((tokens, dialogue.first))

    @property
    def frames(self) -> int:
        """Return the length of all dialogues together."""
        return sum(frames for _, frames in self.dialogues)

    def streams(self, index: int) -> tuple[Tokens, Tokens]:
        """Return the voices (A, B) of a dialogue, each [1+K, T]; views of the file, not to be written to."""
        tokens, first = self._places[index]
        both = tokens[first : first + self.dialogues[index][1]]
        return both[:, 0].T, both[:, 1].T


def _check_range(path: Path, dialogue: _Dialogue, card: int, text_card: int) -> None:
    advice = "It was prepared for another model: prepare the dataset again with the model in training."
    if dialogue.code_max >= card:
        found = f"has the code {dialogue.code_max}, and the model's Mimi has the codes 0 to {card - 1}"
        raise UserError(f"The dialogue {dialogue.id} in {path} {found}.", advice)
    if dialogue.text_max >= text_card:
        found = f"has the text token {dialogue.text_max}, and the model knows 0 to {text_card - 1}"
        raise UserError(f"The dialogue {dialogue.id} in {path} {found}.", advice)


def _open(
    path: Path, cache: Path, codebooks: int, told: Callable[[int, int], None]
) -> tuple[list[_Dialogue], Tokens]:
    """Return the dialogues of a file and its tokens, [T, 2, 1+K] mapped; unpack it where that is due."""
    try:
        state = path.stat()
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", _ADVICE) from fault
    identity: list[object] = [_FORMAT, str(path.resolve()), *_stamp(state), codebooks]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    stem = cache / name
    try:
        if (found := _read_cache(stem)) is not None:
            return found
        make_folder(cache)
        # Of several processes that need it one unpacks, the others wait.
        with _locked(stem.with_suffix(".lock")):
            if _read_cache(stem) is None:
                _unpack(path, codebooks, stem, identity, told)
                _prune(cache)
    except OSError as fault:
        advice = "See whether the disk has room, and whether the folder can be written."
        raise UserError(f"{path} can not be unpacked into {cache}: {fault.strerror}.", advice) from fault
    if (found := _read_cache(stem)) is None:
        raise UserError(f"The cache {cache} is damaged.", "Delete the folder; it is made anew.")
    return found


def _stamp(state: os.stat_result) -> list[int]:
    """Return what tells a file from its successors; a copy may be dated back, but not its last change."""
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns]


def _read_cache(stem: Path) -> tuple[list[_Dialogue], Tokens] | None:
    """Return what was unpacked before, None where nothing or not all of it is there."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        values = read_json(stem.with_suffix(".json"))
        dialogues = [_Dialogue(*each) for each in values["dialogues"]]
        shape = sum(dialogue.frames for dialogue in dialogues), 2, 1 + values["codebooks"]
        if not shape[0]:
            return dialogues, np.zeros(shape, dtype=np.int16)
        mapped: Tokens = np.load(stem.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
        if mapped.shape == shape:
            return dialogues, mapped
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unpack(
    path: Path, codebooks: int, stem: Path, identity: list[object], told: Callable[[int, int], None]
) -> None:
    """Write the tokens, then the index, each beside and renamed. Raises OSError, UserError."""
    with _beside(stem.with_suffix(".npy")) as file:
        try:
            dialogues = _write_tokens(path, codebooks, file, np.int16, told)
        except _TooLargeError:
            dialogues = _write_tokens(path, codebooks, file, np.int32, told)
    with _beside(stem.with_suffix(".json")) as file:
        values = {"shard": identity, "codebooks": codebooks, "dialogues": dialogues}
        file.write(json.dumps(values, ensure_ascii=False).encode())


class _TooLargeError(Exception):
    """A token does not fit int16."""


def _write_tokens(
    path: Path,
    codebooks: int,
    file: IO[bytes],
    dtype: type[np.signedinteger[Any]],
    told: Callable[[int, int], None],
) -> list[_Dialogue]:
    """Write all tokens as one array [T, 2, 1+K] and return where each dialogue is."""
    dialogues: list[_Dialogue] = []
    first, largest = 0, np.iinfo(dtype).max
    file.seek(0)
    file.truncate()
    _write_header(file, 0, codebooks, dtype)
    for done, total, name, both in read_parquet(path, codebooks):
        if both.size and both.max() > largest:
            raise _TooLargeError
        frames = len(both)
        text_max, code_max = (int(part.max()) if frames else 0 for part in (both[:, :, 0], both[:, :, 1:]))
        file.write(np.ascontiguousarray(both, dtype=dtype).tobytes())
        dialogues.append(_Dialogue(name, first, frames, text_max, code_max, _digest(both)))
        first += frames
        told(done, total)
    file.seek(0)
    _write_header(file, first, codebooks, dtype)
    return dialogues


def _digest(both: npt.NDArray[np.int64]) -> str:
    """Return a hash of the tokens of a dialogue, however wide its file keeps them."""
    return hashlib.sha256(np.ascontiguousarray(both, dtype="<i4").tobytes()).hexdigest()[:_DIGEST_LETTERS]


def _write_header(file: IO[bytes], frames: int, codebooks: int, dtype: type[np.signedinteger[Any]]) -> None:
    """Write the header of an .npy file of [frames, 2, 1+K], always as long."""
    shape = f"({frames:>18}, 2, {1 + codebooks})"
    text = f"{{'descr': '{np.dtype(dtype).str}', 'fortran_order': False, 'shape': {shape}, }}"
    file.write(b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + f"{text:<117}\n".encode())


def read_parquet(path: Path, codebooks: int) -> Iterator[tuple[int, int, str, npt.NDArray[np.int64]]]:
    """Yield (row from 1, rows, identity, tokens [T, 2, 1+K]) for each dialogue. Raises UserError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Opened here: the library knows no name that is not text.
        with open_regular(path) as raw, pq.ParquetFile(raw, page_checksum_verification=True) as file:
            _check_schema(path, file.schema_arrow)
            done, total = 0, file.metadata.num_rows
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(COLUMNS)):
                for identity, a, b in zip(*(batch.column(column) for column in COLUMNS), strict=True):
                    done += 1
                    if not identity.is_valid:
                        raise UserError(f"Dialogue {done} of {path} has no dialogue_id.", _ADVICE)
                    name = str(identity.as_py())
                    yield done, total, name, _both(path, name, a, b, codebooks)
    # What is no UTF-8 is a ValueError, and a length that no memory has a MemoryError.
    except (pa.ArrowException, OSError, EOFError, ValueError, MemoryError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0].rstrip(".")
        raise UserError(f"{path} is no Parquet file, or it is damaged: {reason}.", _ADVICE) from fault


def _check_schema(path: Path, schema: Any) -> None:
    import pyarrow as pa

    advice = "It has to hold dialogue_id, and for A and B lists of 1 + 8 lists of integers."
    for column in COLUMNS:
        if column not in schema.names:
            raise UserError(f"{path} has no column {column}.", advice)
        if schema.names.count(column) > 1:
            raise UserError(f"{path} has more than one column {column}.", advice)
    identity = schema.field(COLUMNS[0]).type
    if not (
        pa.types.is_string(identity) or pa.types.is_large_string(identity) or pa.types.is_integer(identity)
    ):
        raise UserError(f"The column {COLUMNS[0]} of {path} holds {identity}, no names.", advice)

    def inner(kind: Any) -> Any:
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return kind.value_type if is_list else None

    for column in COLUMNS[1:]:
        kind = schema.field(column).type
        nested = inner(kind) and inner(inner(kind))
        if nested is None or not pa.types.is_integer(nested):
            raise UserError(f"The column {column} of {path} holds {kind}, no streams of tokens.", advice)


def _both(path: Path, name: str, a: Any, b: Any, codebooks: int) -> npt.NDArray[np.int64]:
    """Return the tokens of both voices, [T, 2, 1+K]. Raises UserError where they do not fit together."""
    voices = [
        _voice(f"Voice {speaker} of the dialogue {name} in {path}", rows, codebooks)
        for speaker, rows in zip("AB", (a, b), strict=True)
    ]
    lengths = [voice.shape[1] for voice in voices]
    if lengths[0] != lengths[1]:
        found = f"has {lengths[0]} frames of A and {lengths[1]} of B"
        raise UserError(f"The dialogue {name} in {path} {found}.", _ADVICE)
    return np.stack(voices).transpose(2, 0, 1)


def _voice(what: str, rows: Any, codebooks: int) -> npt.NDArray[np.int64]:
    """Return the tokens of one voice, [1+K, T], from a list of lists."""
    streams = rows.values
    if streams is None or len(streams) != 1 + codebooks:
        found = f"has {0 if streams is None else len(streams)} streams instead of {1 + codebooks}"
        raise UserError(f"{what} {found}.", _ADVICE)
    values = streams.flatten()
    lengths = {len(stream.values) if stream.is_valid else 0 for stream in streams}
    if len(lengths) != 1 or values.null_count:
        raise UserError(f"{what} has streams of different lengths, or with gaps.", _ADVICE)
    tokens: npt.NDArray[np.int64] = values.to_numpy(zero_copy_only=False).astype(np.int64)
    if tokens.size and tokens.min() < 0:
        raise UserError(f"{what} has the token {tokens.min()}.", _ADVICE)
    return tokens.reshape(1 + codebooks, -1)


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `path` once it is whole."""
    with replacing(path, sync=False) as part, part.open("w+b") as file:
        yield file


def _prune(cache: Path) -> None:
    """Delete what was unpacked of files that are gone or have changed."""
    for index in cache.glob("*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            made, path, *stamp = read_json(index)["shard"]
            with suppress(FileNotFoundError):
                if made == _FORMAT and stamp[:-1] == _stamp(Path(path).stat()):
                    continue
            for suffix in (".json", ".npy", ".lock"):
                index.with_suffix(suffix).unlink(missing_ok=True)
