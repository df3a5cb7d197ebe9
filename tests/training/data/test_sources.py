"""Each source of dialogues with sound: recordings of ours, Kyutai's and nu-dialogue's data."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import soundfile

from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.paths import Paths, paths
from app.store import locks
from app.store.datasets import TimedWord, read_words
from tests.training.dialogues import Stereo, make_dialogue, write_dialogue
from tests.training.imports import (
    PIECES,
    Talk,
    findings,
    notes,
    record,
    run,
    sound,
)
from training.data.align import spoken_stream
from training.data.texts import Text, text_streams


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


def kyutai(folder: Path, talk: Talk, label: str = "SPEAKER_MAIN") -> Path:
    stereo, words = talk
    wav = write_dialogue(folder / "data_stereo", "one", stereo)
    alignments = [[word.text, [word.start_s, word.end_s], label] for word in words if word.speaker == "A"]
    wav.with_suffix(".json").write_text(json.dumps({"alignments": alignments}))
    shutil.copy(wav, wav.with_name("two.wav"))
    entries = [("one", 20.0), ("two", 25.0), ("gone", 3.0)]
    lines = [json.dumps({"path": f"data_stereo/{name}.wav", "duration": long_s}) for name, long_s in entries]
    (folder / "list.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "list.jsonl"


@pytest.mark.parametrize("whole", [True, False])
def test_kyutais_data(where: Paths, source: Path, talk: Talk, whole: bool) -> None:
    path = kyutai(source, talk)
    dataset = run(where, source if whole else path)
    assert dataset.dialogues() == ["one", "two"]
    assert read_words(dataset.text("one")) == [word for word in talk[1] if word.speaker == "A"]
    assert findings(dataset) == {
        "gone": ["unreadable"],
        "one": ["no words"],
        "two": ["drifted", "no words"],
    }


def test_kyutais_speakers_may_have_other_names(where: Paths, source: Path, talk: Talk) -> None:
    path = kyutai(source, talk, "SPEAKER_07")
    dataset = run(where, path, "--speaker", "SPEAKER_07")
    assert read_words(dataset.text("one")) == [word for word in talk[1] if word.speaker == "A"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"{", "names no sound file"),
        (b'{"path": 5}', "names no sound file"),
        (b"[" * 100_000, "names no sound file"),
        ('{"path": "é.wav"}'.encode("latin-1"), "names \\\\xe9.wav, which is not there"),
        (b'{"path": "\\ud800.wav"}', "which is not there"),
        (b'{"path": "' + b"d" * 5000 + b'.wav"}', "which is not there"),
        (b'{"path": "a\\u0000b.wav"}', "which is not there"),
        (b'{"path": "data_stereo"}', "which is not there"),
    ],
    ids=["syntax", "number", "depth", "latin-1", "surrogate", "overlong", "nul", "folder"],
)
def test_a_bad_line_of_kyutais_list_is_its_own_fault(
    where: Paths, source: Path, talk: Talk, bad: bytes, said: str
) -> None:
    path = kyutai(source, talk)
    first, *rest = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, bad, *rest]))
    dataset = run(where, path)
    assert dataset.dialogues() == ["one", "two"]
    told = [line for line in notes(dataset) if line["finding"] == "unreadable"]
    assert len(told) == 2
    assert any(re.search(said, line["sentence"]) for line in told)
    if said == "names no sound file":
        assert any("Line 2 of" in line["sentence"] for line in told)


def test_what_names_no_sound_file_is_no_list(where: Paths, source: Path, talk: Talk) -> None:
    path = kyutai(source, talk)
    path.write_text('{"duration": 3.0}\n')
    with pytest.raises(UserError, match="nothing to import") as caught:
        run(where, path)
    assert "a list with" in caught.value.advice


@pytest.mark.parametrize("language", ["en", "ja"])
def test_nu_dialogues_data(where: Paths, source: Path, language: str) -> None:
    stereo, words = make_dialogue(20.0, seed=5, language=language)
    for part in ("audio", "text", "tokenized_audio", "tokenized_text"):
        (source / part).mkdir()
    write_dialogue(source, "one", stereo, words)
    write_dialogue(source, "two", stereo)
    dataset = run(where, source, "--language", language)
    assert read_words(dataset.text("one")) == words
    assert findings(dataset) == {"two": ["no words"]}
    again = run(where, dataset.folder, name="again")
    assert again.language == language
    assert again.dialogues() == ["one", "two"]
    assert read_words(again.text("one")) == words
    assert np.array_equal(sound(again, "one"), sound(dataset, "one"))


def test_a_recording_of_ours(where: Paths) -> None:
    folder = record(where, "monday", PIECES)
    dataset = run(where, "monday")
    assert dataset.dialogues() == ["monday"]
    assert dataset.language == "en"
    assert np.array_equal(sound(dataset, "monday"), soundfile.read(folder / "audio.flac", dtype="int16")[0])
    assert read_words(dataset.text("monday")) == [
        TimedWord("A", "Hello,", 0.401, 0.72),
        TimedWord("A", "how", 0.721, 0.8),
        TimedWord("A", "are", 0.801, 1.2),
        TimedWord("A", "you", 2.401, 2.8),
    ]
    spoken = json.loads(dataset.spoken("monday").read_text())
    assert spoken == {"frames": 100, "tokens": [[frame, token] for frame, token, _ in PIECES]}
    assert findings(dataset) == {"monday": ["no words"]}
    assert notes(dataset)[-1]["sentence"] == "There are no words of B."


def test_a_recording_that_is_still_written_is_left_out(where: Paths) -> None:
    live = record(where, "live", PIECES)
    record(where, "monday", PIECES)
    with locks.take(live, "live", "aizuchi"):
        dataset = run(where, str(where.recordings), "--name", "talks")
    assert dataset.dialogues() == ["monday"]
    left_out = [line["sentence"] for line in notes(dataset) if line["finding"] == "unreadable"]
    assert left_out == ["live is being recorded at this moment."]
    assert run(where, str(where.recordings), "--name", "talks").dialogues() == ["live", "monday"]


def test_a_folder_of_recordings_and_their_restarts_and_skips(where: Paths) -> None:
    record(where, "a", PIECES)
    record(
        where,
        "b",
        PIECES,
        notes=[("restarted", {"frame": 20, "seed": 1}), ("skipped", {"frame": 3, "frames": 5})],
    )
    record(where, "c", [])
    dataset = run(where, where.recordings)
    assert dataset.dialogues() == ["a", "b-1", "b-2", "c"]
    assert findings(dataset)["b-1"] == ["skipped", "no words", "restarted"]
    assert findings(dataset)["c"] == ["no words"]
    assert "model forgot the talk once" in next(
        line["sentence"] for line in notes(dataset) if line["finding"] == "restarted"
    )
    first, second = (json.loads(dataset.spoken(name).read_text()) for name in ("b-1", "b-2"))
    assert first == {"frames": 20, "tokens": [list(piece[:2]) for piece in PIECES[:5]]}
    assert second == {"frames": 80, "tokens": [[10, 105]]}
    assert read_words(dataset.text("b-2")) == [TimedWord("A", "you", 0.801, 1.2)]
    assert len(sound(dataset, "b-1")) == 20 * FRAME_SAMPLES
    assert not dataset.spoken("c").exists()
    assert not dataset.text("c").exists()


def test_the_gaps_of_a_recording_are_in_no_dialogue_and_none_goes_over_one(where: Paths) -> None:
    gaps = [(62, 30, "device"), (92, 8, "device"), (170, 10, "late"), (190, 10, "late")]
    record(
        where,
        "outages",
        [(10, 7, " before"), (120, 8, " between"), (185, 9, " shorn")],
        frames=280,
        notes=[("gap", {"frame": frame, "frames": frames, "reason": why}) for frame, frames, why in gaps],
    )
    dataset = run(where, str(where.recordings / "outages"))
    assert dataset.dialogues() == ["outages-1", "outages-2", "outages-3"]
    whole = soundfile.read(where.recordings / "outages" / "audio.flac", dtype="int16")[0]
    for name, first, end in (("outages-1", 0, 62), ("outages-2", 100, 170), ("outages-3", 200, 280)):
        assert np.array_equal(sound(dataset, name), whole[first * FRAME_SAMPLES : end * FRAME_SAMPLES])
    spoken = {name: json.loads(dataset.spoken(name).read_text()) for name in ("outages-1", "outages-2")}
    assert spoken == {
        "outages-1": {"frames": 62, "tokens": [[10, 7]]},
        "outages-2": {"frames": 70, "tokens": [[20, 8]]},
    }
    # What is between two gaps and too short for anything is not learnt at all.
    assert not dataset.spoken("outages-3").exists()
    assert findings(dataset)["outages-1"] == ["no words", "gap"]


def test_a_recording_of_nothing_but_gaps_is_left_out(where: Paths) -> None:
    late = [("gap", {"frame": frame, "frames": 1, "reason": "late"}) for frame in range(1, 100, 2)]
    record(where, "late", PIECES, notes=late)
    record(where, "well", PIECES)
    dataset = run(where, where.recordings)
    assert dataset.dialogues() == ["well"]
    assert findings(dataset)["late"] == ["no words", "gap"]


def test_pieces_of_japanese_are_words(where: Paths) -> None:
    pieces = [
        (3, 50, "今日"),
        (4, 51, "は"),
        (6, 52, ""),
        (7, 53, ""),
        (8, 54, "鬱"),
        (9, 55, "OK"),
        (10, 56, " Google"),
    ]
    record(where, "a", pieces, language="ja")
    dataset = run(where, "a")
    assert [(word.text, word.start_s) for word in read_words(dataset.text("a"))] == [
        ("今日", 0.241),
        ("は", 0.321),
        ("鬱", 0.481),
        ("OK", 0.721),
        (" Google", 0.801),
    ]


def test_the_stream_of_a_recording_is_what_the_model_spoke(where: Paths, tiny: Path) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tiny / "tokenizer.model"))
    from app.engine.text import Detokenizer

    reader, pieces = Detokenizer(tokenizer), []
    for at, token in enumerate(tokenizer.encode("hello, good morning. how are you?")):
        pieces.append((4 + 3 * at, token, reader.push(token)))
    record(where, "a", pieces)
    dataset = run(where, "a")
    streams = text_streams(dataset, "a", 100, Text(tokenizer, "nu-dialogue", no_whitespace_before_word=False))
    assert streams.spoken
    expected = spoken_stream([(frame, token) for frame, token, _ in pieces], 100)
    assert np.array_equal(streams.a, expected)


def test_the_users_voice_of_a_recording_may_be_learnt(where: Paths) -> None:
    folder = record(where, "a", PIECES)
    dataset = run(where, "a", "--speaker", "B")
    heard = soundfile.read(folder / "audio.flac", dtype="int16")[0]
    assert np.array_equal(sound(dataset, "a"), heard[:, ::-1])
    assert {word.speaker for word in read_words(dataset.text("a"))} == {"B"}
    assert not dataset.spoken("a").exists()


def test_an_unfinished_recording_and_an_echo(where: Paths, talk: Talk) -> None:
    folder = record(where, "cut", PIECES)
    samples, _ = soundfile.read(folder / "audio.flac", dtype="int16")
    soundfile.write(folder / "audio.wav", samples[: 8 * FRAME_SAMPLES], SAMPLE_RATE, "PCM_16")
    (folder / "audio.flac").unlink()
    (folder / "session.json").unlink()
    echo = where.recordings / "echo"
    shutil.copytree(folder, echo)
    soundfile.write(echo / "audio.wav", np.stack([samples[:, 0]] * 2, axis=1), SAMPLE_RATE, "PCM_16")
    dataset = run(where, "cut", "echo")
    assert json.loads(dataset.spoken("cut").read_text()) == {
        "frames": 8,
        "tokens": [[5, 100], [6, 101], [7, 102]],
    }
    assert findings(dataset)["echo"] == ["mono", "no words"]
