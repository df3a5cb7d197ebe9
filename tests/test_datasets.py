"""A dataset folder is read as it was written, and what is wrong with it is one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import UserError
from app.files import write_json
from app.store.datasets import (
    DATASET,
    PREPARED,
    TimedWord,
    create_dataset,
    list_datasets,
    open_dataset,
    read_words,
    write_words,
)

WORDS = [TimedWord("A", "hi", 0.4, 0.6), TimedWord("B", "はい", 0.5, 0.75), TimedWord("A", "you", 0.7, 1.0)]


def test_a_new_dataset_is_found_as_it_was_made(tmp_path: Path) -> None:
    made = create_dataset(tmp_path / "data" / "会話", language="ja")
    assert (made.name, made.language) == ("会話", "ja")
    assert made.created
    assert open_dataset(made.folder) == made
    assert sorted(path.name for path in made.folder.iterdir()) == ["audio", DATASET, "text"]


def test_making_a_dataset_again_opens_it(tmp_path: Path) -> None:
    made = create_dataset(tmp_path / "talks", language="en")
    made.audio("one").write_bytes(b"sound")
    assert create_dataset(tmp_path / "talks", language="ja") == made
    assert made.audio("one").read_bytes() == b"sound"


def test_an_empty_folder_becomes_a_dataset_and_another_does_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert create_dataset(tmp_path / "empty").language == ""
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    for folder in other, other / "letter.txt":
        with pytest.raises(UserError, match="holds other files") as caught:
            create_dataset(folder)
        assert caught.value.advice
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_a_dataset_where_none_can_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can not be made: Not a directory"):
        create_dataset(tmp_path / "file" / "talks")


def test_dialogues_are_what_has_sound_in_order(tmp_path: Path) -> None:
    made = create_dataset(tmp_path / "talks")
    for name in "b", "a", "c.1":
        made.audio(name).write_bytes(b"")
    (made.folder / "audio" / "notes.txt").write_text("")
    made.text("d").write_text("[]")
    assert made.dialogues() == ["a", "b", "c.1"]
    places = made.audio("c.1"), made.text("c.1"), made.spoken("c.1"), made.codes("c.1")
    assert [str(path.relative_to(made.folder)) for path in places] == [
        "audio/c.1.flac",
        "text/c.1.json",
        "spoken/c.1.json",
        "codes/c.1.npz",
    ]


def test_what_is_prepared_is_listed_in_order(tmp_path: Path) -> None:
    made = create_dataset(tmp_path / "talks")
    assert (made.shards, made.prepared) == ([], {})
    (made.folder / "prepared").mkdir()
    for name in "train-002-of-002.parquet", "train-001-of-002.parquet", "train-003.parquet.part":
        (made.folder / "prepared" / name).write_bytes(b"")
    assert [path.name for path in made.shards] == ["train-001-of-002.parquet", "train-002-of-002.parquet"]
    write_json(made.folder / PREPARED, {"format": 1, "dialogues": 2})
    assert made.prepared == {"format": 1, "dialogues": 2}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_preparation_counts_as_none(content: bytes, tmp_path: Path) -> None:
    made = create_dataset(tmp_path / "talks")
    (made.folder / PREPARED).write_bytes(content)
    assert made.prepared == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no dataset in"),
        (b"", "dataset.json is damaged"),
        (b'{"format": 1', "dataset.json is damaged"),
        (b"\xff", "dataset.json is damaged"),
        (b"[]", "dataset.json is damaged"),
        (b"{}", "dataset.json is damaged"),
        (b'{"format": null}', "dataset.json is damaged"),
        (b'{"format": 2}', "was made by a newer Aizuchi"),
    ],
)
def test_what_is_no_dataset_is_refused_and_left_out_of_the_list(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    root = tmp_path / "datasets"
    create_dataset(root / "good")
    (root / "odd").mkdir()
    (root / "file").write_text("")
    if content is not None:
        (root / "odd" / DATASET).write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        open_dataset(root / "odd")
    assert str(root / "odd") in caught.value.sentence
    assert caught.value.advice
    assert [dataset.name for dataset in list_datasets(root)] == ["good"]


def test_datasets_are_listed_newest_first(tmp_path: Path) -> None:
    for name, created in ("a", "2026-01-02"), ("b", "2026-03-01"), ("c", ""):
        write_json(tmp_path / "data" / name / DATASET, {"format": 1, "created": created})
    assert [dataset.name for dataset in list_datasets(tmp_path / "data")] == ["b", "a", "c"]
    assert list_datasets(tmp_path / "none") == []


def test_words_come_back_in_the_order_of_time(tmp_path: Path) -> None:
    write_words(tmp_path / "text" / "one.json", reversed(WORDS))
    assert read_words(tmp_path / "text" / "one.json") == WORDS
    raw = json.loads((tmp_path / "text" / "one.json").read_text(encoding="utf-8"))
    assert raw[1] == {"speaker": "B", "word": "はい", "start": 0.5, "end": 0.75}


def test_times_are_kept_to_the_millisecond(tmp_path: Path) -> None:
    write_words(tmp_path / "one.json", [TimedWord("A", "hi", 1 / 3, 2 / 3)])
    assert read_words(tmp_path / "one.json") == [TimedWord("A", "hi", 0.333, 0.667)]


def test_words_that_are_missing_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="are missing") as caught:
        read_words(tmp_path / "none.json")
    assert "Transcribe" in caught.value.advice


def word(**changes: object) -> str:
    return json.dumps([{"speaker": "A", "word": "hi", "start": 0.1, "end": 0.2, **changes}])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "can not be read"),
        ("[{", "can not be read"),
        ("{}", "does not hold words"),
        ("5", "does not hold words"),
        ('{"speaker": "A"}', "does not hold words"),
        ('["hi"]', "does not hold words"),
        ('[{"speaker": "A", "word": "hi", "start": 0.1}]', "does not hold words"),
        (word(start="soon"), "does not hold words"),
        (word(start=None), "does not hold words"),
        (word(end=10**400), "does not hold words"),
        (word(speaker="C"), "the word 'hi' without a speaker"),
        (word(speaker=None), "the word 'hi' without a speaker"),
        (word(speaker=["A"]), "the word 'hi' without a speaker"),
        (word(start=float("nan")), "the word 'hi' without a speaker or times"),
        (word(end=float("inf")), "the word 'hi' without a speaker or times"),
    ],
)
def test_words_that_are_none_are_refused_by_file(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        read_words(path)
    assert str(path) in caught.value.sentence
    assert caught.value.advice.startswith("It has to hold [")


def test_words_in_another_encoding_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(word().replace("hi", "はい").encode("shift_jis"))
    with pytest.raises(UserError, match="can not be read"):
        read_words(tmp_path / "one.json")


def test_no_words_are_none(tmp_path: Path) -> None:
    write_words(tmp_path / "one.json", [])
    assert read_words(tmp_path / "one.json") == []


CHILD = """
import resource, sys
from pathlib import Path
from app.files import write_json
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_json(Path(sys.argv[1]), {"text": 2000 * "x"})
except OSError as fault:
    print(fault.errno)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "data" / "one.json"
    write_json(path, {"text": "old"})
    child = subprocess.run([sys.executable, "-c", CHILD, path], capture_output=True, text=True, check=True)
    assert child.stdout == "27\n"
    assert json.loads(path.read_text()) == {"text": "old"}
    assert os.listdir(path.parent) == ["one.json"]
