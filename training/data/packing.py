"""Prepared dialogues out: the Parquet files that the finetuner reads, as nu-dialogue's tools make them.

Each row is a dialogue: `dialogue_id`, and for `A` and `B` a list of 1+K lists of int32, the text stream and
the codes. Knows nothing about where streams come from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import FRAME_RATE

MOST_DIALOGUES = 1000
"""A file holds no more dialogues than this, …"""

MOST_FRAMES = int(20 * 3600 * FRAME_RATE)
"""… and no more than this, unless one dialogue is longer."""

_ROW_GROUP = 16

Rows = npt.NDArray[np.int32]
"""[1+K, T]: the text stream and the codes of one voice."""


class Packed(NamedTuple):
    """One row."""

    dialogue: str
    a: Rows
    b: Rows


def write_files(folder: Path, rows: Iterator[Packed]) -> list[Path]:
    """Write the rows into files `train-001-of-003.parquet`, a few at a time. Raises OSError."""
    parts: list[Path] = []
    coming = _Peekable(rows)
    while coming.peek() is not None:
        parts.append(folder / f"{len(parts) + 1}.part")
        _write_file(parts[-1], _enough(coming))
    names = [folder / f"train-{n + 1:03}-of-{len(parts):03}.parquet" for n in range(len(parts))]
    for part, name in zip(parts, names, strict=True):
        os.replace(part, name)
    return names


class _Peekable:
    """Rows of which the next can be looked at before it is taken."""

    def __init__(self, rows: Iterator[Packed]) -> None:
        self._rows = rows
        self._next: Packed | None = next(rows, None)

    def peek(self) -> Packed | None:
        """Return the next row, None after the last."""
        return self._next

    def take(self) -> Packed:
        """Return the next row and go on."""
        row = self._next
        assert row is not None, "looked at before"
        self._next = next(self._rows, None)
        return row


def _enough(coming: _Peekable) -> Iterator[Packed]:
    """Yield as many rows as one file may hold."""
    dialogues = frames = 0
    while (row := coming.peek()) is not None:
        length = row.a.shape[1]
        if dialogues and (dialogues == MOST_DIALOGUES or frames + length > MOST_FRAMES):
            return
        dialogues, frames = dialogues + 1, frames + length
        yield coming.take()


def _write_file(path: Path, rows: Iterator[Packed]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    streams = pa.list_(pa.list_(pa.int32()))
    schema = pa.schema([("dialogue_id", pa.string()), ("A", streams), ("B", streams)])
    with pq.ParquetWriter(path, schema, write_page_checksum=True) as file:
        while group := list(islice(rows, _ROW_GROUP)):
            columns = [
                pa.array([row.dialogue for row in group], pa.string()),
                _nested([row.a for row in group]),
                _nested([row.b for row in group]),
            ]
            file.write_table(pa.table(columns, schema=schema), row_group_size=_ROW_GROUP)


def _nested(voices: Sequence[Rows]) -> Any:
    """Return a column of lists of lists, without a Python number for each token."""
    import pyarrow as pa

    lengths = np.concatenate([np.full(len(voice), voice.shape[1]) for voice in voices])
    values = pa.array(np.concatenate([voice.reshape(-1) for voice in voices]), pa.int32())
    inner = pa.ListArray.from_arrays(_offsets(lengths), values)
    return pa.ListArray.from_arrays(_offsets(np.array([len(voice) for voice in voices])), inner)


def _offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
