"""The command around importing: going on after anything, and that nothing is ever lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.errors import UserError
from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import TimedWord, create_dataset, hold, open_dataset, read_words, write_words
from tests.training.dialogues import Stereo, make_dialogue, write_dialogue
from tests.training.imports import (
    Talk,
    findings,
    full_disk,
    run,
    sound,
)
from training.data import importing


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


def test_a_stereo_file_comes_in_as_it_is(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    dataset = run(where, wav, "--language", "en")
    assert dataset.dialogues() == ["one"]
    assert dataset.language == "en"
    assert np.array_equal(sound(dataset, "one"), soundfile.read(wav, dtype="int16")[0])
    assert read_words(dataset.text("one")) == words
    assert findings(dataset) == {}
    assert not list(dataset.folder.rglob("*.part"))


def test_names_that_are_taken_are_numbered(where: Paths, source: Path, talk: Talk) -> None:
    for folder in ("a", "b", "c"):
        write_dialogue(source / folder, "one", *talk)
    dataset = run(where, source)
    assert dataset.dialogues() == ["one", "one-2", "one-3"]
    assert findings(dataset) == {"one-2": ["renamed"], "one-3": ["renamed"]}


def test_importing_again_adds_what_is_new(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    write_dialogue(source, "one", stereo, words)
    dataset = run(where, source)
    before = dataset.audio("one").stat().st_mtime_ns
    corrected = [words[0]._replace(text="corrected"), *words[1:]]
    write_words(dataset.text("one"), corrected)
    write_dialogue(source, "two", stereo, words)
    soundfile.write(source / "mono.wav", stereo[0], SAMPLE_RATE)
    capsys.readouterr()
    for _ in range(2):
        run(where, source)
    out = capsys.readouterr().out
    assert "1 source had been imported before." in out
    assert "Nothing new came into talks. 2 sources had been imported before." in out
    assert dataset.dialogues() == ["one", "two"]
    assert dataset.audio("one").stat().st_mtime_ns == before
    assert read_words(dataset.text("one")) == corrected
    assert findings(dataset) == {"mono": ["mono"]}
    write_dialogue(source, "one", stereo[::-1], words)
    run(where, source)
    assert findings(dataset)["one"] == ["changed"]
    assert dataset.audio("one").stat().st_mtime_ns == before


def test_a_killed_import_goes_on(where: Paths, source: Path) -> None:
    stereo, words = make_dialogue(60.0, seed=4)
    for number in range(12):
        write_dialogue(source, f"talk {number}", stereo, words, rate=16_000)
    home = str(where.config.parent)
    command = [sys.executable, "-m", "app", "--home", home, "data", "import", str(source), "--name", "talks"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sounds = where.datasets / "talks" / "audio"
    deadline = time.monotonic() + 60
    while len(list(sounds.glob("*.flac"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in sounds.glob("*.flac")}
    assert 2 <= len(kept) < 12
    with (where.datasets / "talks" / "import.jsonl").open("a") as file:
        file.write('{"dialogue": "cut o')
    dataset = run(where, source)
    assert len(dataset.dialogues()) == 12
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not list(dataset.folder.rglob("*.part"))
    assert all(read_words(dataset.text(name)) == words for name in dataset.dialogues())
    run(where, source)
    assert len(dataset.dialogues()) == 12


@pytest.mark.usefixtures("capsys")  # What is told must not go into a file.
def test_a_full_disk_is_a_sentence_and_loses_nothing(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    write_dialogue(source, "a", stereo[:, : 3 * SAMPLE_RATE], words[:5])
    write_dialogue(source, "b", stereo, words)
    with (
        full_disk(200_000),
        pytest.raises(UserError, match="talks can not be written: File too large") as caught,
    ):
        run(where, source)
    assert "kept" in caught.value.advice
    dataset = open_dataset(where.datasets / "talks")
    assert dataset.dialogues() == ["a"]
    assert not list(dataset.folder.rglob("*.part"))
    run(where, source)
    assert dataset.dialogues() == ["a", "b"]
    assert "b" not in findings(dataset)


def test_only_one_imports_at_a_time(where: Paths, source: Path, talk: Talk) -> None:
    wav = write_dialogue(source, "one", *talk)
    dataset = run(where, wav)
    with (
        hold(dataset, "aizuchi data prepare"),
        pytest.raises(UserError, match="`aizuchi data prepare` is"),
    ):
        run(where, wav)
    assert run(where, wav).dialogues() == ["one"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no 'nowhere'"),
        ([""], "There is no ''"),
        (["{source}"], "nothing to import"),
        (["{source}", "--name", "a/b"], "can not be a name"),
        (["{source}", "--language", "English"], "no code of a language"),
        (["{source}", "--longest", "0"], "half a minute"),
        (["{source}", "--longest", "nan"], "half a minute"),
        (["{source}", "--out", "{source}"], "own folder"),
    ],
)
def test_bad_wishes_are_a_sentence(where: Paths, source: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(where, *(argument.format(source=source) for argument in arguments))
    assert not where.datasets.exists()


def test_a_dataset_has_one_language(where: Paths, source: Path, talk: Talk) -> None:
    wav = write_dialogue(source, "one", *talk)
    assert run(where, wav).language == ""
    assert run(where, wav, "--language", "en").language == "en"
    with pytest.raises(UserError, match="of the language en, the sources of ja"):
        run(where, wav, "--language", "ja")


def test_a_dataset_within_its_source_is_not_imported_into_itself(
    where: Paths, source: Path, talk: Talk
) -> None:
    write_dialogue(source, "one", *talk)
    for _ in range(2):
        importing.main([str(source), "--out", str(source / "own")], where)
    assert open_dataset(source / "own").dialogues() == ["one"]


def test_other_files_are_not_taken_for_a_dataset(where: Paths, source: Path, talk: Talk) -> None:
    wav = write_dialogue(source, "one", *talk)
    where.datasets.mkdir(parents=True)
    (where.datasets / "talks").mkdir()
    (where.datasets / "talks" / "thesis.txt").write_text("dear")
    with pytest.raises(UserError, match="holds other files"):
        run(where, wav)
    assert (where.datasets / "talks" / "thesis.txt").read_text() == "dear"


def test_programs_are_told_in_json(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dialogue(source, "one", talk[0])
    run(where, source, "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] | {"left_s": 0} == {
        "kind": "progress", "stage": "Importing", "done": 0.0, "total": 20.0, "unit": "s", "left_s": 0,
    }  # fmt: skip
    assert lines[1]["kind"] == "finding"
    assert lines[1].keys() == {"kind", "dialogue", "source", "finding", "sentence", "done"}
    result = lines[-1]
    assert (result["kind"], result["dialogues"], result["wordless"]) == ("result", 1, 1)
    assert result["hours"] == pytest.approx(20 / 3600)


def test_nothing_is_written_but_the_dataset(where: Paths, source: Path, talk: Talk) -> None:
    write_dialogue(source, "one", *talk)
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    os.chmod(source, 0o555)
    try:
        run(where, source)
    finally:
        os.chmod(source, 0o755)
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*")} == before
    assert create_dataset(where.datasets / "talks").dialogues() == ["one"]
