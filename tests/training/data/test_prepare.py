from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import sentencepiece
import soundfile
import torch

from app.engine import build, checkpoint
from app.engine.weights import fingerprint
from app.errors import UserError
from app.files import write_json
from app.frames import FRAME_RATE, FRAME_SAMPLES
from app.paths import Paths, paths
from app.store.datasets import Dataset, TimedWord, create_dataset, hold, read_words, write_words
from training.codec import encode_stereo
from training.data import encoding, packing, prepare
from training.data.align import PADDING, Word, spoken_stream, text_stream
from training.data.encoding import read_codes
from training.data.identity import inputs
from training.data.shards import Shards

WORDS = (
    TimedWord("A", "hello", 0.5, 0.9),
    TimedWord("B", "good", 1.3, 1.6),
    TimedWord("B", "morning", 1.6, 2.0),
    TimedWord("A", "right", 2.4, 2.8),
)


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "home")


def sound(seconds: float, seed: int, words: Sequence[TimedWord] = WORDS) -> Any:
    """Return [N, 2] with noise where there are words."""
    rng = np.random.default_rng(seed)
    audio = 1e-4 * rng.standard_normal((int(seconds * 24_000), 2))
    for word in words:
        first, last = int(word.start_s * 24_000), int(word.end_s * 24_000)
        audio[first:last, "AB".index(word.speaker)] += 0.1 * rng.standard_normal(last - first)
    return audio


def add(dataset: Dataset, name: str, seconds: float = 3.5, words: Sequence[TimedWord] = WORDS) -> None:
    soundfile.write(dataset.audio(name), sound(seconds, len(name), words), 24_000, "PCM_16")
    write_words(dataset.text(name), words)


@pytest.fixture
def dataset(where: Paths) -> Dataset:
    made = create_dataset(where.datasets / "talks", language="en")
    for name, seconds in (("one", 3.5), ("three", 4.0), ("seven", 5.3)):
        add(made, name, seconds)
    return made


def run(dataset: Dataset, where: Paths, tiny: Path, *options: str) -> int:
    return prepare.main(["talks", "--model", str(tiny), "--device", "cpu", *options], where)


def rows(dataset: Dataset) -> dict[str, tuple[Any, Any]]:
    """Return what the Parquet files hold, read as anyone would."""
    found = [row for path in dataset.shards for row in pq.read_table(path).to_pylist()]
    return {row["dialogue_id"]: (np.array(row["A"]), np.array(row["B"])) for row in found}


def expected_text(tokenizer: Path, words: Sequence[TimedWord], speaker: str, frames: int, **how: Any) -> Any:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    own = [Word(word.text, word.start_s, word.end_s) for word in words if word.speaker == speaker]
    return text_stream(own, frames, pieces, **how)


def test_a_dataset_becomes_what_nu_dialogue_defines(
    dataset: Dataset, where: Paths, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(dataset, where, tiny) == 0
    assert "3 dialogues" in capsys.readouterr().out
    mimi = build.load_mimi(checkpoint.find(str(tiny)), torch.device("cpu"))
    found = rows(dataset)
    assert list(found) == ["one", "seven", "three"]
    for name, voices in found.items():
        audio, _ = soundfile.read(dataset.audio(name), dtype="float32")
        codes = encode_stereo(mimi, audio.T)
        for speaker, voice, coded in zip("AB", voices, codes, strict=True):
            frames = -(-len(audio) // FRAME_SAMPLES)
            assert voice.shape == (9, frames)
            assert np.array_equal(voice[1:], coded.numpy())
            text = expected_text(tiny / "tokenizer.model", WORDS, speaker, frames)
            assert np.array_equal(voice[0], text)
            assert (text > PADDING).any()
    [path] = dataset.shards
    assert path.name == "train-001-of-001.parquet"
    kinds = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert kinds["A"].replace("element", "item") == "list<item: list<item: int32>>"
    assert kinds["dialogue_id"] == "string"
    about = dataset.prepared
    assert about["dialogues"] == 3
    assert about["frames"] == sum(a.shape[1] for a, _ in found.values())
    assert about["mimi"] == fingerprint(tiny / "mimi.safetensors")
    assert about["no_whitespace_before_word"] is False
    shards = Shards(dataset.shards, where.cache / "shards", card=256, text_card=about["text_card"])
    assert np.array_equal(shards.streams(1)[1], found["seven"][1])


def test_corrected_words_redo_only_text(dataset: Dataset, where: Paths, tiny: Path) -> None:
    run(dataset, where, tiny)
    before = {name: dataset.codes(name).stat().st_mtime_ns for name in dataset.dialogues()}
    corrected = [word._replace(text="thank") if word.text == "hello" else word for word in WORDS]
    write_words(dataset.text("three"), corrected)
    assert inputs(dataset) != dataset.prepared["inputs"]
    run(dataset, where, tiny)
    assert inputs(dataset) == dataset.prepared["inputs"]
    assert {name: dataset.codes(name).stat().st_mtime_ns for name in dataset.dialogues()} == before
    a, _ = rows(dataset)["three"]
    assert np.array_equal(a[0], expected_text(tiny / "tokenizer.model", corrected, "A", a.shape[1]))


def test_changed_sound_and_another_mimi_are_encoded_anew(
    dataset: Dataset, where: Paths, tiny: Path, folder: Path
) -> None:
    run(dataset, where, tiny)
    one = dataset.codes("one").stat().st_mtime_ns
    add(dataset, "three", 4.5)
    run(dataset, where, tiny)
    assert rows(dataset)["three"][0].shape[1] == 57
    assert dataset.codes("one").stat().st_mtime_ns == one
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "mimi.safetensors")
    weights["encoder.model.0.conv.conv.weight"] *= 1.5
    save_file(weights, folder / "mimi.safetensors")
    run(dataset, where, folder)
    assert dataset.codes("one").stat().st_mtime_ns != one
    assert read_codes(dataset, "one", fingerprint(folder / "mimi.safetensors")) is not None


def test_a_killed_run_goes_on(dataset: Dataset, where: Paths, tiny: Path) -> None:
    for n in range(4, 12):
        add(dataset, f"dialogue {n}", 20.0)
    command = [sys.executable, "-m", "app", "--home", str(where.config.parent), "data", "prepare", "talks"]
    command += ["--model", str(tiny), "--device", "cpu", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    deadline = time.monotonic() + 60
    while not list(dataset.codes("x").parent.glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in dataset.codes("x").parent.glob("*.npz")}
    assert 1 <= len(kept) < 11
    assert not dataset.prepared
    run(dataset, where, tiny)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(rows(dataset)) == 11
    assert not list(dataset.folder.rglob("*.part"))


def test_only_one_prepares_at_a_time(dataset: Dataset, where: Paths, tiny: Path) -> None:
    for other in ("aizuchi data prepare", "aizuchi data import", "aizuchi data transcribe"):
        with hold(dataset, other), pytest.raises(UserError, match=f"talks is in use: `{other}` is at work"):
            run(dataset, where, tiny)
    assert not dataset.prepared
    run(dataset, where, tiny)


def test_bad_dialogues_are_left_out_and_told(
    dataset: Dataset, where: Paths, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cut", "noise", "mono", "empty", "late", "torn", "wordless", "quiet"):
        add(dataset, name)
    whole = dataset.audio("cut").read_bytes()
    dataset.audio("cut").write_bytes(whole[: len(whole) // 2])
    dataset.audio("noise").write_bytes(b"no sound at all")
    soundfile.write(dataset.audio("mono"), np.zeros(24_000), 24_000)
    soundfile.write(dataset.audio("empty"), np.zeros((0, 2)), 24_000)
    write_words(dataset.text("late"), [*WORDS, TimedWord("A", "late", 99.0, 99.5)])
    dataset.text("torn").write_text('[{"speaker": "A", ')
    dataset.text("wordless").unlink()
    write_words(dataset.text("quiet"), [word for word in WORDS if word.speaker == "A"])
    assert run(dataset, where, tiny, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    findings = {line["dialogue"]: line for line in lines if line["kind"] == "finding"}
    assert findings.keys() == {"cut", "noise", "mono", "empty", "late", "torn", "wordless", "quiet"}
    for name, words in {
        "cut": "cut.flac",
        "noise": "noise.flac can not be read as sound",
        "mono": "has 1 channels",
        "empty": "empty.flac can not be read as sound",
        "late": "late.json: The word 'late' begins at 99.00 s, after the audio",
        "torn": "torn.json can not be read",
        "wordless": "There are no words of A and B.",
        "quiet": "There are no words of B.",
    }.items():
        assert words in findings[name]["sentence"]
        assert "\n" not in findings[name]["sentence"]
    result = lines[-1]
    assert (result["kind"], result["dialogues"], result["left_out"]) == ("result", 5, 6)
    assert rows(dataset).keys() == {"one", "three", "seven", "wordless", "quiet"}
    assert (rows(dataset)["wordless"][0][0] == PADDING).all()
    assert dataset.prepared["left_out"] == ["cut", "empty", "late", "mono", "noise", "torn"]
    stages = [line["stage"] for line in lines if line["kind"] == "progress"]
    assert {"Encoding", "Writing"} < set(stages)


def test_a_card_takes_dialogues_of_like_length_together_and_goes_on_when_one_breaks_off(
    dataset: Dataset, where: Paths, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mimi = build.load_mimi(checkpoint.find(str(tiny)), torch.device("cpu"))
    add(dataset, "cut", 3.9)
    whole = dataset.audio("cut").read_bytes()
    dataset.audio("cut").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(encoding.Encoder, "on_card", True)
    names = ["one", "three", "seven"]
    lengths_s = {name: encoding.sound_seconds(dataset, name) for name in names}
    lengths_s["cut"] = 3.9
    assert list(encoding._groups(lengths_s, True)) == [["seven"], ["three", "cut", "one"]]
    broken: list[str] = []
    told: list[float] = []
    encoder = encoding.Encoder(mimi, "this")
    encoding.encode(dataset, lengths_s, encoder, lambda name, _: broken.append(name), told.append)
    assert broken == ["cut"]
    assert sum(told) == pytest.approx(sum(lengths_s.values()), abs=0.5)
    for name in names:
        audio, _ = soundfile.read(dataset.audio(name), dtype="float32")
        kept = read_codes(dataset, name, "this")
        assert kept is not None
        assert np.array_equal(kept, [codes.numpy() for codes in encode_stereo(mimi, audio.T)])


def test_nothing_to_prepare_is_a_sentence(where: Paths, tiny: Path) -> None:
    made = create_dataset(where.datasets / "talks")
    with pytest.raises(UserError, match="holds no dialogues"):
        run(made, where, tiny)
    made.audio("one").write_bytes(b"")
    with pytest.raises(UserError, match="No dialogue of talks could be prepared"):
        run(made, where, tiny)
    assert not made.shards


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Limit the size of files: that is met as a full disk is, by an OSError in the middle of a write."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("capsys")  # What is told must not go into a file.
def test_a_full_disk_is_a_sentence_and_loses_nothing(dataset: Dataset, where: Paths, tiny: Path) -> None:
    run(dataset, where, tiny)
    before = rows(dataset)
    with full_disk(1_000), pytest.raises(UserError, match=r"prepared can not be written") as caught:
        run(dataset, where, tiny)
    assert "kept" in caught.value.advice
    add(dataset, "long", 20.0)
    with full_disk(1_000), pytest.raises(UserError, match=r"long\.npz can not be written") as caught:
        run(dataset, where, tiny)
    assert "kept" in caught.value.advice
    assert not list(dataset.folder.rglob("*.part"))
    assert dataset.prepared
    after = rows(dataset)
    assert all(np.array_equal(after[name][0], a) for name, (a, _) in before.items())


def test_what_the_model_said_counts_until_its_words_are_corrected(
    dataset: Dataset, where: Paths, tiny: Path
) -> None:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tiny / "tokenizer.model"))
    said = pieces.encode("hello, good morning.")
    tokens = [(5 + 2 * at, token) for at, token in enumerate(said)]
    write_json(dataset.spoken("one"), {"frames": 44, "tokens": [list(pair) for pair in tokens]})
    words, at = [], 0
    for word in ("hello,", "good", "morning."):
        start_s = tokens[at][0] / FRAME_RATE
        words.append(TimedWord("A", word, start_s, start_s + 0.2))
        at += len(pieces.encode(word))
    write_words(dataset.text("one"), [*words, *WORDS[1:3]])
    run(dataset, where, tiny)
    assert np.array_equal(rows(dataset)["one"][0][0], spoken_stream(tokens, 44))
    for corrected in (
        [words[0]._replace(text="hello."), *words[1:]],
        [words[0]._replace(start_s=0.05), *words[1:]],
    ):
        write_words(dataset.text("one"), [*corrected, *WORDS[1:3]])
        run(dataset, where, tiny)
        expected = expected_text(tiny / "tokenizer.model", read_words(dataset.text("one")), "A", 44)
        assert np.array_equal(rows(dataset)["one"][0][0], expected)


def test_japanese_words_are_taken_as_they_are(where: Paths, tiny: Path) -> None:
    words = [
        TimedWord("A", "今日は", 0.2, 0.8),
        TimedWord("A", "いい", 0.8, 1.2),
        TimedWord("B", "はい", 1.5, 2.0),
    ]
    for name, language in (("talks", "ja"), ("others", "")):
        made = create_dataset(where.datasets / name, language=language)
        add(made, "one", 3.0, words)
        prepare.main([name, "--model", str(tiny), "--device", "cpu", "--placement", "nu-dialogue"], where)
        assert made.prepared["no_whitespace_before_word"] is True
        a, _ = rows(made)["one"]
        how = {"no_whitespace_before_word": True}
        assert np.array_equal(a[0], expected_text(tiny / "tokenizer.model", words, "A", a.shape[1], **how))
    prepare.main(["talks", "--whitespace-before-word", "--placement", "kyutai"], where)
    made = create_dataset(where.datasets / "talks")
    assert made.prepared["model"] == str(tiny)
    assert (made.prepared["placement"], made.prepared["no_whitespace_before_word"]) == ("kyutai", False)


def test_files_hold_no_more_than_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_DIALOGUES", 3)
    monkeypatch.setattr(packing, "MOST_FRAMES", 100)
    lengths = [10, 10, 10, 10, 95, 200, 50, 50, 1]
    made = [packing.Packed(f"{n}", *np.full((2, 9, length), n, np.int32)) for n, length in enumerate(lengths)]
    files = packing.write_files(tmp_path, iter(made))
    held = [pq.read_table(path).column("dialogue_id").to_pylist() for path in files]
    assert held == [["0", "1", "2"], ["3"], ["4"], ["5"], ["6", "7"], ["8"]]
    assert [path.name for path in files][-1] == "train-006-of-006.parquet"
    shards = Shards(files, tmp_path / "cache")
    assert [frames for _, frames in shards.dialogues] == lengths
    assert (shards.streams(5)[1] == 5).all()
    assert packing.write_files(tmp_path, iter([])) == []
