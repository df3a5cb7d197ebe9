"""A source that was imported before: what has changed in it comes in, what was corrected here stays."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import soundfile

from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import Dataset, TimedWord, read_words, write_words
from tests.training.dialogues import make_dialogue, write_dialogue
from tests.training.imports import Talk, findings, notes, run, sound


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def talk() -> Talk:
    return make_dialogue(20.0, seed=1)


def corrected(words: list[TimedWord], text: str, speaker: str = "A") -> list[TimedWord]:
    """Return the words with the first one of a voice replaced."""
    at = next(number for number, word in enumerate(words) if word.speaker == speaker)
    return [*words[:at], words[at]._replace(text=text), *words[at + 1 :]]


def of(dataset: Dataset, speaker: str, name: str = "one") -> list[TimedWord]:
    return [word for word in read_words(dataset.text(name)) if word.speaker == speaker]


def test_words_that_were_corrected_in_the_source_come_in(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    before = dataset.audio("one").stat().st_mtime_ns
    capsys.readouterr()
    run(where, source)
    assert "Nothing new came into talks. 1 source had been imported before." in capsys.readouterr().out
    for text in ("better", "best", "better"):
        new = corrected(words, text)
        write_dialogue(source, "one", stereo, new)
        run(where, source)
        assert read_words(dataset.text("one")) == new
        out = capsys.readouterr().out
        assert "one: Its words have changed since it was imported. They were replaced." in out
        assert "New words came into 1 dialogue of talks." in out
        assert "Nothing new" not in out
    assert dataset.audio("one").stat().st_mtime_ns == before


@pytest.mark.parametrize("first", [None, [], "[{"])
def test_words_that_are_added_later_come_in(
    where: Paths, source: Path, talk: Talk, first: list[TimedWord] | str | None
) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, first if isinstance(first, list) else None)
    if isinstance(first, str):
        wav.with_suffix(".json").write_text(first)
    dataset = run(where, source)
    assert not dataset.text("one").exists()
    write_dialogue(source, "one", stereo, words)
    run(where, source)
    assert read_words(dataset.text("one")) == words


def test_what_was_corrected_in_the_dataset_stays(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    own = corrected(words, "mine")
    write_words(dataset.text("one"), own)
    run(where, source)
    assert read_words(dataset.text("one")) == own
    assert findings(dataset) == {}
    theirs = corrected(corrected(words, "theirs"), "hers", "B")
    write_dialogue(source, "one", stereo, theirs)
    for _ in range(2):
        run(where, source)
        assert of(dataset, "A") == [word for word in own if word.speaker == "A"]
        assert of(dataset, "B") == [word for word in theirs if word.speaker == "B"]
        assert "Those of the dataset stay." in capsys.readouterr().out
    (told,) = [line for line in notes(dataset) if line["done"] == "Those of the dataset stay."]
    assert str(dataset.text("one")) in told["advice"]
    dataset.text("one").unlink()
    run(where, source)
    assert read_words(dataset.text("one")) == theirs


def test_what_was_transcribed_stays_beside_new_words(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    of_a, of_b = ([word for word in words if word.speaker == speaker] for speaker in "AB")
    write_dialogue(source, "one", stereo, of_a)
    dataset = run(where, source)
    write_words(dataset.text("one"), [*of_a, *of_b])
    write_dialogue(source, "one", stereo, corrected(of_a, "better"))
    run(where, source)
    assert of(dataset, "A") == corrected(of_a, "better")
    assert of(dataset, "B") == of_b


def test_new_words_of_what_was_cut_come_into_each_part(where: Paths, source: Path) -> None:
    stereo, words = make_dialogue(70.0, seed=3)
    write_dialogue(source, "long", stereo, words)
    dataset = run(where, source, "--longest", "0.5")
    parts = {name: len(read_words(dataset.text(name))) for name in dataset.dialogues()}
    assert len(parts) == 3
    new = [word._replace(text=word.text.upper()) for word in words]
    write_dialogue(source, "long", stereo, new)
    run(where, source, "--longest", "0.5")
    assert {name: len(read_words(dataset.text(name))) for name in dataset.dialogues()} == parts
    said = [word.text for name in dataset.dialogues() for word in read_words(dataset.text(name))]
    assert said == [word.text for word in new]


def test_words_that_show_the_channels_to_be_wrong_put_them_right(
    where: Paths, source: Path, talk: Talk
) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo[::-1])
    dataset = run(where, source)
    wrong = sound(dataset, "one")
    write_dialogue(source, "one", stereo[::-1], words)
    run(where, wav)
    assert read_words(dataset.text("one")) == words
    assert (sound(dataset, "one") == wrong[:, ::-1]).all()


def test_damaged_words_later_leave_those_of_the_dataset(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    wav.with_suffix(".json").write_text("[{")
    run(where, source)
    assert read_words(dataset.text("one")) == words
    assert findings(dataset) == {"one": ["unreadable words"]}


def test_other_sound_under_the_same_name_is_told(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    os.utime(wav)
    run(where, source)
    assert findings(dataset) == {}
    write_dialogue(source, "one", 0.5 * stereo, corrected(words, "better"))
    run(where, source)
    assert findings(dataset) == {"one": ["changed"]}
    assert read_words(dataset.text("one")) == words


@pytest.mark.parametrize("how", ["folder", "name", "copy", "format"])
def test_a_source_that_was_moved_is_known(
    where: Paths, source: Path, talk: Talk, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    moved = source.with_name("moved")
    if how == "folder":
        source.rename(moved)
    elif how == "copy":
        # The times of the files are others now.
        shutil.copytree(source, moved, copy_function=shutil.copy)
        os.utime(moved / "one.wav", ns=(1, 1))
        shutil.rmtree(source)
    else:
        moved.mkdir()
        wav.with_suffix(".json").rename(moved / "another.json")
        samples, rate = soundfile.read(wav, dtype="int16")
        soundfile.write(moved / f"another.{'flac' if how == 'format' else 'wav'}", samples, rate)
        wav.unlink()
    capsys.readouterr()
    for _ in range(2):
        run(where, moved)
        assert dataset.dialogues() == ["one"]
        assert "Nothing new came into talks. 1 source had been imported before." in capsys.readouterr().out
    new = corrected(words, "better")
    write_dialogue(moved, "one" if how in ("folder", "copy") else "another", stereo, new)
    run(where, moved)
    assert read_words(dataset.text("one")) == new


def test_a_source_is_known_whichever_link_leads_to_it(where: Paths, source: Path, talk: Talk) -> None:
    write_dialogue(source, "one", *talk)
    link = source.with_name("link")
    link.symlink_to(source)
    for first, second in ((source, link), (link, source)):
        dataset = run(where, first, name=first.name)
        run(where, second, name=first.name)
        assert dataset.dialogues() == ["one"]
        assert findings(dataset).keys() <= {"one.wav"}


def test_the_same_dialogue_in_two_formats_is_one(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo)
    samples, rate = soundfile.read(wav, dtype="int16")
    soundfile.write(source / "one.flac", samples, rate)
    soundfile.write(source / "one.aiff", samples, rate, format="AIFF")
    dataset = run(where, source)
    assert dataset.dialogues() == ["one"]
    assert findings(dataset)["one.flac"] == findings(dataset)["one.wav"] == ["duplicate"]
    assert "one.flac: It has the same sound as one.aiff. It was left out." in capsys.readouterr().out
    for _ in range(2):
        write_dialogue(source, "one", stereo, words)
        run(where, source)
        assert dataset.dialogues() == ["one"]
        assert read_words(dataset.text("one")) == words


def test_the_same_sound_under_another_name_is_told(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        write_dialogue(source, name, *talk)
    dataset = run(where, source)
    assert dataset.dialogues() == ["one", "two"]
    assert "Repeated sound in 1 dialogue: training uses it once." in capsys.readouterr().out


def test_a_dataset_of_before_is_brought_up_to_date(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    lines = notes(dataset)
    old = [{name: line[name] for name in ("dialogue", "source", "finding", "identity")} for line in lines]
    (dataset.folder / "import.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    run(where, source)
    assert [line["sound"] for line in notes(dataset)[1:]] == [lines[0]["sound"]]
    (dataset.folder / "import.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    wav.rename(source / "moved.wav")
    wav.with_suffix(".json").rename(source / "moved.json")
    run(where, source)
    assert dataset.dialogues() == ["one"]
    assert soundfile.info(dataset.audio("one")).frames == 20 * SAMPLE_RATE
