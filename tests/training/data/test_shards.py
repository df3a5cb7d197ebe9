from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import UserError
from training.data.shards import Shards

Voice = npt.NDArray[np.int64]


def voice(frames: int, seed: int, text: int = 400, card: int = 256) -> Voice:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.integers(text, size=(1, frames)), rng.integers(card, size=(8, frames))])


def write(path: Path, dialogues: dict[str, tuple[Voice, Voice]], **columns: Any) -> Path:
    """Write a file as nu-dialogue's tools do: pandas turns lists of Python's integers into int64."""
    table = {
        "dialogue_id": list(dialogues),
        "A": [a.tolist() for a, _ in dialogues.values()],
        "B": [b.tolist() for _, b in dialogues.values()],
    }
    table.update(columns)
    pq.write_table(pa.table(table), path, write_page_checksum=True)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    first = {f"dialogue {n}": (voice(10 + n, n), voice(10 + n, 100 + n)) for n in range(40)}
    second = {"other": (voice(25, 7), voice(25, 8)), "empty": (voice(0, 0), voice(0, 0))}
    paths = [write(tmp_path / "b.parquet", first), write(tmp_path / "a.parquet", second)]
    told: list[tuple[int, int]] = []
    shards = Shards(paths, tmp_path / "cache", told=lambda done, total: told.append((done, total)))
    expected = {**first, **second}
    assert shards.dialogues == [(name, a.shape[1]) for name, (a, _) in expected.items()]
    assert shards.frames == sum(a.shape[1] for a, _ in expected.values())
    assert told[-3:] == [(40, 40), (1, 2), (2, 2)]
    for index, (a, b) in enumerate(expected.values()):
        read_a, read_b = shards.streams(index)
        assert read_a.dtype == np.int16
        assert np.array_equal(read_a, a)
        assert np.array_equal(read_b, b)


def test_files_are_unpacked_once_and_anew_after_a_change(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.parquet", tmp_path / "cache"
    write(path, {"one": (voice(10, 1), voice(10, 2))})
    told: list[int] = []

    def read() -> Shards:
        told.clear()
        return Shards([path], cache, told=lambda done, _: told.append(done))

    read()
    assert told == [1]
    read()
    assert told == []
    changed = voice(12, 3), voice(12, 4)
    write(path, {"one": changed})
    os.utime(path, ns=(1, 1))
    assert np.array_equal(read().streams(0)[1], changed[1])
    assert told == [1]
    assert len(list(cache.glob("*.npy"))) == 1
    next(cache.glob("*.npy")).write_bytes(b"damaged")
    assert np.array_equal(read().streams(0)[0], changed[0])
    assert not list(cache.glob("*.part"))


def test_large_vocabularies_need_more_room(tmp_path: Path) -> None:
    a = voice(10, 1)
    a[0, 3] = 40_000
    path = write(tmp_path / "a.parquet", {"one": (a, voice(10, 2))})
    shards = Shards([path], tmp_path / "cache", text_card=50_000)
    assert shards.streams(0)[0].dtype == np.int32
    assert np.array_equal(shards.streams(0)[0], a)


def test_tokens_beyond_the_model_are_refused_though_unpacked_before(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"one": (voice(50, 1), voice(50, 2))})
    Shards([path], tmp_path / "cache")
    with pytest.raises(UserError, match=r"dialogue one in .*a\.parquet has the code \d+, and .* 0 to 99"):
        Shards([path], tmp_path / "cache", card=100)
    with pytest.raises(UserError, match=r"has the text token \d+, and the model knows 0 to 99"):
        Shards([path], tmp_path / "cache", text_card=100)


def bad_files(folder: Path) -> dict[str, Path]:
    good = voice(10, 1)
    whole = write(folder / "whole.parquet", {"one": (good, good)}).read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    middle = bytearray(whole)
    middle[200:400] = np.random.default_rng(0).bytes(200)
    (folder / "rotten.parquet").write_bytes(bytes(middle))
    (folder / "text.parquet").write_text("no parquet")
    negative = good.copy()
    negative[4, 4] = -1
    ragged = [row[: 10 - (n == 3)] for n, row in enumerate(good.tolist())]
    return {
        "can not be read": folder / "missing.parquet",
        "is damaged": folder / "cut.parquet",
        "rotten.parquet is no Parquet file, or it is damaged": folder / "rotten.parquet",
        "text.parquet is no Parquet file": folder / "text.parquet",
        "has 7 streams instead of 9": write(folder / "few.parquet", {"one": (good[:7], good)}),
        "10 frames of A and 9 of B": write(folder / "uneven.parquet", {"one": (good, good[:, :9])}),
        "has the token -1": write(folder / "negative.parquet", {"one": (negative, good)}),
        "different lengths": write(folder / "ragged.parquet", {"one": (good, good)}, A=[ragged]),
        "holds string": write(folder / "words.parquet", {"one": (good, good)}, A=["hello"]),
        "holds list<": write(folder / "floats.parquet", {"one": (good, good)}, A=[(good / 2).tolist()]),
        "The column B of": write(folder / "none.parquet", {"one": (good, good)}, B=[None]),
        "no column dialogue_id": _without_ids(folder / "nameless.parquet"),
    }  # fmt: skip


def _without_ids(path: Path) -> Path:
    pq.write_table(pa.table({"A": [[[1]]], "B": [[[1]]]}), path)
    return path


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    for sentence, path in bad_files(tmp_path).items():
        with pytest.raises(UserError, match=sentence) as caught:
            Shards([path], tmp_path / "cache")
        assert path.name in caught.value.sentence
        assert caught.value.advice
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_cache_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"one": (voice(10, 1), voice(10, 2))})
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can not be unpacked into"):
        Shards([path], tmp_path / "file" / "cache")


def test_processes_share_one_cache(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {f"{n}": (voice(500, n), voice(500, -n % 99)) for n in range(20)})
    code = (
        "import sys; from pathlib import Path; from training.data.shards import Shards;"
        "told = []; s = Shards([Path(sys.argv[1])], Path(sys.argv[2]), told=lambda *a: told.append(a));"
        "print(len(told), s.streams(19)[1].sum())"
    )
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "cache")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [child.communicate(timeout=60)[0].split() for child in children]
    assert sorted(int(told) for told, _ in said) == [0, 0, 20]
    assert len({total for _, total in said}) == 1
