"""Tokens as they must not be: Parquet and npz files in which anything may stand."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.paths import Paths, paths
from tests.training.imports import findings, notes, prepared, rows, run, write_parquet

GOOD = rows("good")[0]
VOICE = GOOD.a.tolist()
OTHER = GOOD.b.tolist()


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a folder with one good file, and a place for bad ones."""
    write_parquet(tmp_path / "source" / "good", GOOD)
    return tmp_path / "source"


def changed(at: int, value: object) -> list[Any]:
    return [*VOICE[:at], value, *VOICE[at + 1 :]]


WRONG: dict[str, dict[str, Any]] = {
    "no columns": {},
    "no names": {"A": [VOICE], "B": [OTHER]},
    "null name": {"dialogue_id": pa.array([None], pa.string()), "A": [VOICE], "B": [OTHER]},
    "float name": {"dialogue_id": [0.5], "A": [VOICE], "B": [OTHER]},
    "object name": {"dialogue_id": [{"a": 1}], "A": [VOICE], "B": [OTHER]},
    "binary name": {"dialogue_id": [b"\xff"], "A": [VOICE], "B": [OTHER]},
    "no text name": {
        "dialogue_id": pa.StringArray.from_buffers(
            1, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")
        ),
        "A": [VOICE],
        "B": [OTHER],
    },
    "null voice": {"dialogue_id": ["a"], "A": pa.array([None], pa.list_(pa.list_(pa.int32()))), "B": [OTHER]},
    "null stream": {"dialogue_id": ["a"], "A": [changed(3, None)], "B": [OTHER]},
    "null token": {"dialogue_id": ["a"], "A": [changed(3, [None] * 30)], "B": [OTHER]},
    "negative": {"dialogue_id": ["a"], "A": [changed(3, [-1] * 30)], "B": [OTHER]},
    "huge": {
        "dialogue_id": ["a"],
        "A": pa.array([[[2**64 - 1]] * 9], pa.list_(pa.list_(pa.uint64()))),
        "B": [OTHER],
    },
    "floats": {"dialogue_id": ["a"], "A": [[[0.5] * 30] * 9], "B": [OTHER]},
    "texts": {"dialogue_id": ["a"], "A": [[["5"] * 30] * 9], "B": [OTHER]},
    "flat": {"dialogue_id": ["a"], "A": [[1, 2]], "B": [OTHER]},
    "uneven": {"dialogue_id": ["a"], "A": [changed(3, [1] * 29)], "B": [OTHER]},
    "shorter": {"dialogue_id": ["a"], "A": [[[1] * 29] * 9], "B": [OTHER]},
    "few": {"dialogue_id": ["a"], "A": [VOICE[:5]], "B": [OTHER]},
    "empty": {"dialogue_id": ["a"], "A": [[[]] * 9], "B": [[[]] * 9]},
}


@pytest.mark.parametrize("columns", WRONG.values(), ids=WRONG)
def test_a_parquet_file_that_is_none_is_told(where: Paths, source: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), source / "bad.parquet")
    dataset = run(where, source)
    assert prepared(dataset).keys() == {"good"}
    (told,) = [line for line in notes(dataset) if line["finding"] == "unreadable"]
    assert told["sentence"].endswith(".")
    assert str(source / "bad.parquet") in told["sentence"]


def test_a_column_that_is_there_twice_is_refused(where: Paths, source: Path) -> None:
    columns = [pa.array(["a"]), pa.array([VOICE]), pa.array([VOICE]), pa.array([OTHER])]
    pq.write_table(
        pa.Table.from_arrays(columns, names=["dialogue_id", "A", "A", "B"]), source / "bad.parquet"
    )
    dataset = run(where, source)
    assert prepared(dataset).keys() == {"good"}
    assert "more than one column A" in notes(dataset)[-1]["sentence"]


def test_a_file_that_is_named_twice_is_used_once(
    where: Paths, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepared(run(where, source, source / "good")).keys() == {"good"}
    assert "Named more than once: 1 source. Each is used once." in capsys.readouterr().out


def objects(path: Path) -> None:
    np.savez(path, A=np.array([{"a": 1}], dtype=object), B=np.array([None], dtype=object))


def gigantic(path: Path) -> None:
    """Write a head that claims more than any memory has."""
    content = b"{'descr': '<i8', 'fortran_order': False, 'shape': (8, 1000000000000000), }"
    content += b" " * (117 - len(content)) + b"\n"
    with zipfile.ZipFile(path, "w") as file:
        for name in "AB":
            file.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + content)


def garbled(path: Path) -> None:
    np.savez_compressed(path, A=GOOD.a[1:], B=GOOD.b[1:])
    content = bytearray(path.read_bytes())
    content[60:120] = bytes(60)
    path.write_bytes(content)


NO_ARRAYS: dict[str, Callable[[Path], object]] = {
    "objects": objects,
    "gigantic": gigantic,
    "garbled": garbled,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no arrays"),
    "zip": lambda path: zipfile.ZipFile(path, "w").close(),
    "one array": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
    "numbers": lambda path: np.savez(path, A=np.array(5), B=np.array(5)),
    "cube": lambda path: np.savez(path, A=np.zeros((8, 3, 3), int), B=np.zeros((8, 3, 3), int)),
    "yes and no": lambda path: np.savez(path, A=np.zeros((8, 30), bool), B=np.zeros((8, 30), bool)),
    "unsigned": lambda path: np.savez(path, A=np.full((8, 30), 2**64 - 1, "u8"), B=GOOD.b[1:]),
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
    "nowhere": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["tokenized_audio", "tokenized_text"])
@pytest.mark.parametrize("make", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_an_npz_file_that_is_none_is_told(
    where: Paths, tmp_path: Path, make: Callable[[Path], object], part: str
) -> None:
    for name in ("good", "bad"):
        for folder, rows_of in (("tokenized_audio", slice(1, None)), ("tokenized_text", 0)):
            (tmp_path / "npz" / folder).mkdir(parents=True, exist_ok=True)
            np.savez(tmp_path / "npz" / folder / f"{name}.npz", A=GOOD.a[rows_of], B=GOOD.b[rows_of])
    bad = tmp_path / "npz" / part / "bad.npz"
    bad.unlink()
    make(bad)
    dataset = run(where, tmp_path / "npz")
    assert prepared(dataset).keys() == {"good"}
    assert findings(dataset) == {"bad": ["unreadable"]}
