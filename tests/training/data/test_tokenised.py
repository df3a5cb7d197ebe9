"""Dialogues that come as tokens alone, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.errors import UserError
from app.paths import Paths, paths
from app.store.datasets import TimedWord
from tests.training.dialogues import Stereo, make_dialogue, write_dialogue
from tests.training.imports import (
    Talk,
    findings,
    full_disk,
    notes,
    prepared,
    rows,
    run,
    write_parquet,
)
from training.data.packing import Packed


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def talk() -> tuple[Stereo, list[TimedWord]]:
    return make_dialogue(20.0, seed=1)


def write_npz(folder: Path, row: Packed, *, text_frames: int | None = None) -> None:
    for part, rows_of in (("tokenized_audio", slice(1, None)), ("tokenized_text", 0)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        a, b = row.a[rows_of], row.b[rows_of]
        if part == "tokenized_text":
            a, b = a[:text_frames], b[:text_frames]
        np.savez_compressed(folder / part / f"{row.dialogue}.npz", A=a, B=b)


def test_parquet_files_come_in_as_they_are(
    where: Paths, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rows("processed/train/one", "processed/train/two")
    write_parquet(source / "processed", *made)
    dataset = run(where, source, "--language", "ja")
    found = prepared(dataset)
    assert found.keys() == {row.dialogue for row in made}
    for row in made:
        assert np.array_equal(found[row.dialogue][:, 0].T, row.a)
        assert np.array_equal(found[row.dialogue][:, 1].T, row.b)
    says = dataset.prepared
    assert (says["model"], says["dialogues"], says["frames"], says["codebooks"]) == ("", 2, 60, 8)
    shards = {path: path.stat().st_mtime_ns for path in dataset.shards}
    capsys.readouterr()
    run(where, source)
    assert "2 dialogues had been imported before." in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in dataset.shards} == shards
    other = rows("processed/train/one", frames=31)
    write_parquet(source / "more", *other)
    run(where, source)
    assert prepared(dataset).keys() == {*found, "processed/train/one-2"}
    assert np.array_equal(prepared(dataset)["processed/train/one"], found["processed/train/one"])


def test_npz_files_become_prepared_ones(where: Paths, source: Path) -> None:
    one, two = rows("one", "two")
    write_npz(source, one)
    write_npz(source, two, text_frames=20)
    dataset = run(where, source)
    found = prepared(dataset)
    assert np.array_equal(found["one"][:, 0].T, one.a)
    assert np.array_equal(found["two"][:20, 1].T, two.b[:, :20])
    assert (found["two"][20:, :, 0] == 3).all()


def test_damaged_tokens_are_left_out(where: Paths, source: Path) -> None:
    names = ("good", "torn", "texts", "shapes", "wide", "lone", "keys", "empty")
    for row in rows(*names):
        write_npz(source, row)
    sounds, texts = source / "tokenized_audio", source / "tokenized_text"
    (sounds / "torn.npz").write_bytes((sounds / "torn.npz").read_bytes()[:300])
    np.savez(texts / "texts.npz", A=np.array(["a"]), B=np.array(["b"]))
    np.savez(sounds / "shapes.npz", A=np.zeros((7, 30), int), B=np.zeros((7, 30), int))
    np.savez(sounds / "wide.npz", A=np.full((8, 30), 2048), B=np.zeros((8, 30), int))
    (texts / "lone.npz").unlink()
    np.savez(sounds / "keys.npz", A=np.zeros((8, 30), int))
    np.savez(sounds / "empty.npz", A=np.zeros((8, 0), int), B=np.zeros((8, 0), int))
    dataset = run(where, source)
    assert prepared(dataset).keys() == {"good"}
    assert findings(dataset) == {name: ["unreadable"] for name in names[1:]}
    sentences = {line["dialogue"]: line["sentence"] for line in notes(dataset)}
    assert "damaged" in sentences["torn"]
    assert "has the code 2048, not 0 to 2047" in sentences["wide"]
    assert "is missing" in sentences["lone"]


def test_a_damaged_parquet_file_is_left_out_whole(where: Paths, source: Path) -> None:
    good = write_parquet(source / "good", *rows("one", "two"))
    torn = write_parquet(source / "torn", *rows("three", frames=500))
    torn.write_bytes(torn.read_bytes()[:-200])
    wide = rows("four")[0]
    wide.a[3, 5] = 9000
    write_parquet(source / "wide", wide, *rows("five"))
    dataset = run(where, good)
    before = dataset.shards[0].read_bytes()
    run(where, source)
    assert dataset.shards[0].read_bytes() == before
    left_out = [line for line in notes(dataset) if line["finding"] == "unreadable"]
    assert len(left_out) == 2
    assert all(line["done"] == "The file was left out." and "\n" not in line["sentence"] for line in left_out)
    with pytest.raises(UserError, match="could not be imported"):
        run(where, torn, name="other")
    assert not (where.datasets / "other").exists()


@pytest.mark.usefixtures("capsys")
def test_a_full_disk_leaves_the_tokens_that_are_there(where: Paths, source: Path) -> None:
    dataset = run(where, write_parquet(source / "one", *rows("one")))
    before = prepared(dataset)
    write_parquet(source / "two", *rows("two", frames=5000))
    with full_disk(5_000), pytest.raises(UserError, match="can not be written"):
        run(where, source)
    assert prepared(dataset).keys() == before.keys()


def test_sound_and_tokens_do_not_mix(where: Paths, source: Path, talk: Talk) -> None:
    wav = write_dialogue(source, "one", *talk)
    parquet = write_parquet(source / "tokens", *rows("one"))
    with pytest.raises(UserError, match="some are tokens alone"):
        run(where, source)
    assert not (where.datasets / "talks").exists()
    run(where, parquet, name="tokens")
    with pytest.raises(UserError, match="holds tokens alone"):
        run(where, wav, name="tokens")
    run(where, wav, name="sound")
    with pytest.raises(UserError, match="holds sound"):
        run(where, parquet, name="sound")
