"""Exporting: what other finetuners read, and that an import brings back what was exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.errors import UserError
from app.files import write_json
from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import Dataset, create_dataset, open_dataset, read_words, write_words
from tests.training.dialogues import make_dialogue, write_dialogue
from tests.training.imports import full_disk, prepared, rows
from training.data import exporting, importing, packing, prepare


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


@pytest.fixture
def dataset(where: Paths) -> Dataset:
    made = create_dataset(where.datasets / "talks", language="en")
    for number, name in enumerate(("one", "two words", "三")):
        stereo, words = make_dialogue(8.0, seed=number)
        wav = write_dialogue(made.folder / "source", name, stereo)
        soundfile.write(made.audio(name), soundfile.read(wav, dtype="int16")[0], SAMPLE_RATE, "PCM_16")
        wav.unlink()
        if number < 2:
            write_words(made.text(name), words)
    (made.folder / "source").rmdir()
    write_json(made.spoken("one"), {"frames": 100, "tokens": [[3, 12], [8, 30]]})
    return made


def export(where: Paths, dataset: Dataset, form: str, *more: str) -> Path:
    out = where.cache / form
    assert exporting.main([dataset.folder.name, str(out), "--format", form, *more], where) == 0
    return out


def back(where: Paths, folder: Path, name: str = "back") -> Dataset:
    assert importing.main([str(folder), "--name", name], where) == 0
    return open_dataset(where.datasets / name)


def sound(path: Path) -> Any:
    return soundfile.read(path, dtype="int16")[0]


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_what_was_exported_comes_back(where: Paths, dataset: Dataset, form: str) -> None:
    returned = back(where, export(where, dataset, form))
    assert returned.dialogues() == dataset.dialogues()
    for name in dataset.dialogues():
        assert np.array_equal(sound(returned.audio(name)), sound(dataset.audio(name)))
        assert returned.text(name).exists() == dataset.text(name).exists()
        if dataset.text(name).exists():
            assert read_words(returned.text(name)) == read_words(dataset.text(name))
    if form == "nu-dialogue":
        assert json.loads(returned.spoken("one").read_text()) == json.loads(dataset.spoken("one").read_text())


def test_kyutais_list_and_alignments(where: Paths, dataset: Dataset) -> None:
    out = export(where, dataset, "kyutai")
    entries = [json.loads(line) for line in (out / "data.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["path"] for entry in entries] == [
        f"data_stereo/{name}.wav" for name in ("one", "two words", "三")
    ]
    for entry in entries:
        about = soundfile.info(out / entry["path"])
        assert entry["duration"] == about.duration == 8.0
        assert (about.format, about.subtype, about.samplerate, about.channels) == ("WAV", "PCM_16", 24_000, 2)
    alignments = json.loads((out / "data_stereo" / "one.json").read_text())["alignments"]
    words = read_words(dataset.text("one"))
    assert [(text, start, end) for text, (start, end), _ in alignments] == [word[1:] for word in words]
    assert {label for *_, label in alignments} == {"SPEAKER_MAIN", "SPEAKER_OTHER"}
    starts = [start for _, (start, _), _ in alignments]
    assert starts == sorted(starts)
    # Their loader opens the file of each wav.
    assert json.loads((out / "data_stereo" / "三.json").read_text()) == {"alignments": []}


def test_tokens_of_a_prepared_dataset_are_those_of_nu_dialogues_tools(
    where: Paths, dataset: Dataset, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.main([dataset.folder.name, "--model", str(tiny), "--device", "cpu"], where)
    out = export(where, dataset, "nu-dialogue")
    assert (out / "processed" / "train-001-of-001.parquet").read_bytes() == dataset.shards[0].read_bytes()
    for name, both in prepared(dataset).items():
        with (
            np.load(out / "tokenized_audio" / f"{name}.npz") as codes,
            np.load(out / "tokenized_text" / f"{name}.npz") as text,
        ):
            for voice, speaker in enumerate("AB"):
                assert codes[speaker].shape == (8, 100)
                assert text[speaker].shape == (100,)
                merged = np.concatenate([text[speaker][None], codes[speaker]])
                assert np.array_equal(merged, both[:, voice].T)
    assert "changed" not in capsys.readouterr().out
    for part in ("audio", "text", "spoken", "processed"):
        (out / part).rename(out.with_name(f"old {part}"))
    returned = back(where, out, "tokens")
    assert all(np.array_equal(both, prepared(dataset)[name]) for name, both in prepared(returned).items())
    write_words(dataset.text("one"), read_words(dataset.text("one"))[:3])
    exporting.main([dataset.folder.name, str(where.cache / "again"), "--format", "nu-dialogue"], where)
    assert "changed since the dataset was prepared" in capsys.readouterr().out


def test_tokens_alone_are_exported_as_tokens(where: Paths, tmp_path: Path) -> None:
    made = rows("processed/train/one", "other/one")
    packing.write_files(tmp_path, iter(made))
    dataset = back(where, tmp_path / "train-001-of-001.parquet")
    out = export(where, dataset, "nu-dialogue")
    assert sorted(path.name for path in (out / "tokenized_text").iterdir()) == ["one-2.npz", "one.npz"]
    assert not (out / "audio").exists()
    returned = back(where, out, "again")
    assert prepared(returned).keys() == {row.dialogue for row in made}
    with pytest.raises(UserError, match="tokens alone"):
        export(where, dataset, "kyutai")


def test_bad_dialogues_are_left_out_and_told(
    where: Paths, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset.text("one").write_text("{")
    dataset.audio("三").write_bytes(b"no sound")
    out = export(where, dataset, "kyutai", "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {line["dialogue"]: line["done"] for line in lines if line["kind"] == "finding"}
    assert told == {"one": "It was left out.", "三": "It was left out."}
    assert (lines[-1]["dialogues"], lines[-1]["left_out"]) == (1, 2)
    assert lines[-1]["folder"] == str(out)
    assert back(where, out).dialogues() == ["two words"]
    dataset.text("two words").write_text("{")
    with pytest.raises(UserError, match="None of the dialogues"):
        exporting.main(["talks", str(where.cache / "none"), "--format", "kyutai"], where)
    assert not (where.cache / "none").exists()


def test_a_folder_that_is_there_is_not_touched(where: Paths, dataset: Dataset) -> None:
    out = where.cache / "kyutai"
    out.mkdir(parents=True)
    export(where, dataset, "kyutai")
    before = sorted(out.rglob("*"))
    with pytest.raises(UserError, match="is there already"):
        export(where, dataset, "kyutai")
    assert sorted(out.rglob("*")) == before


def test_bad_names_are_a_sentence(where: Paths, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no dataset 'other'") as caught:
        exporting.main(["other", str(tmp_path / "out"), "--format", "kyutai"], where)
    assert "talks" in caught.value.advice
    create_dataset(where.datasets / "empty")
    with pytest.raises(UserError, match="holds no dialogues"):
        exporting.main(["empty", str(tmp_path / "out"), "--format", "kyutai"], where)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can not be written"):
        exporting.main(["talks", str(tmp_path / "file" / "out"), "--format", "kyutai"], where)


@pytest.mark.usefixtures("capsys")
def test_a_full_disk_is_a_sentence_and_leaves_nothing(where: Paths, dataset: Dataset) -> None:
    with full_disk(100_000), pytest.raises(UserError, match="can not be written"):
        export(where, dataset, "kyutai")
    assert not list(where.cache.iterdir())
