"""Importing: each source, each finding, going on after anything, and that nothing is ever lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import soundfile

from app.audio.recorder import Recorder
from app.datasets import Dataset, TimedWord, create_dataset, open_dataset, read_words, write_words
from app.engine.ports import Said
from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.paths import Paths, paths
from tests.training.dialogues import Stereo, make_dialogue, say, write_dialogue
from training import audio, importing, packing
from training.align import spoken_stream
from training.packing import Packed
from training.shards import read_parquet
from training.texts import Text, text_streams


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


Talk = tuple[Stereo, list[TimedWord]]


def run(where: Paths, *arguments: str | Path, name: str = "talks") -> Dataset:
    place = [] if "--name" in arguments or "--out" in arguments else ["--name", name]
    assert importing.main([*map(str, arguments), *place], where) == 0
    return open_dataset(where.datasets / name)


def notes(dataset: Dataset) -> list[dict[str, Any]]:
    lines = (dataset.folder / "import.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def findings(dataset: Dataset) -> dict[str, list[str]]:
    """Return the kinds of findings of each dialogue, but for 'imported'."""
    found: dict[str, list[str]] = {}
    for line in notes(dataset):
        if line["finding"] != "imported":
            found.setdefault(line["dialogue"], []).append(line["finding"])
    return found


def sound(dataset: Dataset, name: str) -> Any:
    samples, rate = soundfile.read(dataset.audio(name), dtype="int16")
    about = soundfile.info(dataset.audio(name))
    assert (rate, about.format, about.subtype) == (SAMPLE_RATE, "FLAC", "PCM_16")
    return samples


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


@pytest.mark.parametrize("form", ["flac", "ogg", "aiff", "w64", "mp3"])
def test_other_formats_and_rates_are_read(where: Paths, source: Path, talk: Talk, form: str) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words, rate=44_100)
    samples, rate = soundfile.read(wav)
    soundfile.write(source / f"one.{form}", samples, rate, format=form.upper())
    wav.unlink()
    dataset = run(where, source)
    assert findings(dataset) == {"one": ["rate"]}
    heard = sound(dataset, "one").T / 32768
    assert abs(heard.shape[1] - stereo.shape[1]) < (0.1 * SAMPLE_RATE if form == "mp3" else 2)
    shared = min(heard.shape[1], stereo.shape[1])
    for channel, meant in zip(heard[:, :shared], stereo[:, :shared], strict=True):
        assert np.corrcoef(channel, meant)[0, 1] > (0.9 if form in ("ogg", "mp3") else 0.9999)


def test_resampling_by_blocks_is_resampling_at_once(source: Path, talk: Talk) -> None:
    import soxr

    wav = write_dialogue(source, "one", talk[0], rate=16_000)
    told: list[float] = []
    seen = audio.convert(wav, source / "one.flac", told.append)
    samples, _ = soundfile.read(wav, dtype="float32")
    once = soxr.resample(samples, 16_000, SAMPLE_RATE, quality="HQ")
    heard, _ = soundfile.read(source / "one.flac", dtype="float32")
    assert len(told) > 1
    assert sum(told) == pytest.approx(20.0)
    assert seen.samples == len(heard) == len(once)
    assert np.abs(heard - once).max() <= 1.01 / 32768


def test_what_can_not_be_learnt_from_is_left_out(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    whole = write_dialogue(source, "good", stereo, words)
    soundfile.write(source / "mono.wav", stereo[0], SAMPLE_RATE)
    soundfile.write(source / "both.wav", np.stack([stereo.sum(axis=0)] * 2, axis=1), SAMPLE_RATE)
    soundfile.write(source / "six.wav", np.zeros((SAMPLE_RATE, 6)), SAMPLE_RATE)
    soundfile.write(source / "silent.wav", np.zeros((SAMPLE_RATE, 2)), SAMPLE_RATE)
    soundfile.write(source / "empty.wav", np.zeros((0, 2)), SAMPLE_RATE)
    soundfile.write(source / "cut.flac", stereo.T, SAMPLE_RATE)
    (source / "cut.flac").write_bytes((source / "cut.flac").read_bytes()[:100_000])
    (source / "noise.wav").write_bytes(b"no sound at all" * 100)
    (source / "film.m4a").write_bytes(b"no sound that is read" * 100)
    (source / "notes.txt").write_text("no sound, and nobody says it is")
    dataset = run(where, source)
    assert dataset.dialogues() == ["good"]
    assert findings(dataset) == {
        "mono": ["mono"],
        "both": ["mono"],
        "six": ["channels"],
        "silent": ["silent"],
        "empty": ["empty"],
        "cut": ["unreadable"],
        "noise": ["unreadable"],
        "film": ["unreadable"],
    }
    for line in notes(dataset):
        assert "\n" not in line["sentence"]
        assert line["done"] == ("It was imported." if line["dialogue"] == "good" else "It was left out.")
    assert whole.exists()


def test_what_is_odd_about_sound_is_told_and_kept(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    stereo, words = talk
    write_dialogue(source, "loud", 5 * stereo, words)
    quiet = stereo * np.array([[0.0], [1.0]], dtype=np.float32)
    write_dialogue(source, "onesided", quiet, [word for word in words if word.speaker == "B"])
    holes = stereo.T.copy()
    holes[100:110] = np.nan
    soundfile.write(source / "holes.wav", holes, SAMPLE_RATE, "FLOAT")
    write_words(source / "holes.json", words)
    dataset = run(where, source)
    assert dataset.dialogues() == ["holes", "loud", "onesided"]
    assert findings(dataset) == {
        "loud": ["clipped"],
        "onesided": ["silent", "no words"],
        "holes": ["damaged"],
    }
    assert (sound(dataset, "holes")[100:110] == 0).all()
    out = capsys.readouterr().out.splitlines()
    assert (
        "onesided: The left channel (voice A) is silent. It was kept: the other voice can be learnt." in out
    )
    assert out[-1].startswith("3 dialogues of 60 s in all came into talks.")


def test_swapped_channels_are_put_right(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    of_a = [word for word in words if word.speaker == "A"]
    write_dialogue(source, "right", stereo, words)
    write_dialogue(source, "wrong", stereo[::-1], words)
    write_dialogue(source, "main", stereo[::-1], of_a)
    write_dialogue(source, "unsure", stereo[::-1], of_a[:2])
    dataset = run(where, source)
    assert findings(dataset) == {
        "wrong": ["swapped"],
        "main": ["swapped", "no words"],
        "unsure": ["no words"],
    }
    right = sound(dataset, "right")
    assert np.array_equal(sound(dataset, "wrong"), right)
    assert np.array_equal(sound(dataset, "main"), right)
    assert np.array_equal(sound(dataset, "unsure"), right[:, ::-1])
    assert read_words(dataset.text("wrong")) == words


def test_channels_and_voices_are_exchanged_on_request(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    wav = write_dialogue(source, "one", stereo, words)
    meant = soundfile.read(wav, dtype="int16")[0]
    exchanged = run(where, wav, "--speaker", "B", name="exchanged")
    assert findings(exchanged) == {}
    assert np.array_equal(sound(exchanged, "one"), meant[:, ::-1])
    others = {"A": "B", "B": "A"}
    assert {(word.speaker, word.start_s) for word in read_words(exchanged.text("one"))} == {
        (others[word.speaker], word.start_s) for word in words
    }
    swapped = run(where, wav, "--swap", name="swapped")
    assert np.array_equal(sound(swapped, "one"), meant[:, ::-1])
    assert read_words(swapped.text("one")) == words
    assert findings(swapped) == {"one": ["swapped"]}
    assert "--swap asked for it" in notes(swapped)[-1]["done"]


def test_unknown_speakers_have_to_be_named(where: Paths, source: Path, talk: Talk) -> None:
    stereo, words = talk
    said = [{"speaker": f"S{w.speaker}", "word": w.text, "start": w.start_s, "end": w.end_s} for w in words]
    wav = write_dialogue(source, "one", stereo)
    wav.with_suffix(".json").write_text(json.dumps(said))
    with pytest.raises(UserError, match="could not be imported"):
        run(where, wav)
    assert not (where.datasets / "talks").exists()
    assert read_words(run(where, wav, "--speaker", "SA").text("one")) == words


def test_words_outside_of_the_sound_and_drifting_ones_are_told(
    where: Paths, source: Path, talk: Talk
) -> None:
    stereo, words = talk
    odd = [TimedWord("A", "late", 20.5, 21.0), TimedWord("B", "early", -0.5, 0.1)]
    write_dialogue(source, "late", stereo, [*words, *odd])
    fast = [word._replace(start_s=0.91875 * word.start_s, end_s=0.91875 * word.end_s) for word in words]
    write_dialogue(source, "fast", stereo, fast)
    dataset = run(where, source)
    assert findings(dataset) == {"late": ["drifted", "times"], "fast": ["drifted"]}
    kept = read_words(dataset.text("late"))
    assert {word.text for word in kept} >= {"early"}
    assert "late" not in {word.text for word in kept}
    assert len(kept) == len(words) + 1
    assert "multiplied by 1.088" in next(
        line["sentence"] for line in notes(dataset) if "fit" in line["sentence"]
    )


@pytest.mark.parametrize(
    "text",
    ["[{", '{"words": []}', '[{"speaker": "A", "word": "x", "start": "soon", "end": 1}]', "12", "\0\1"],
)
def test_damaged_words_leave_the_dialogue(where: Paths, source: Path, talk: Talk, text: str) -> None:
    wav = write_dialogue(source, "one", talk[0])
    wav.with_suffix(".json").write_text(text)
    dataset = run(where, wav)
    assert findings(dataset) == {"one": ["unreadable words", "no words"]}
    assert not dataset.text("one").exists()


def test_long_dialogues_are_cut_in_silence(where: Paths, source: Path) -> None:
    stereo, words = make_dialogue(70.0, seed=3)
    wav = write_dialogue(source, "long", stereo, words)
    dataset = run(where, wav, "--longest", "0.5")
    names = dataset.dialogues()
    assert names == ["long-1", "long-2", "long-3"]
    assert findings(dataset) == {"long-1": ["overlong"]}
    parts = [sound(dataset, name) for name in names]
    assert np.array_equal(np.concatenate(parts), soundfile.read(wav, dtype="int16")[0])
    assert all(len(part) <= 30 * SAMPLE_RATE for part in parts)
    shift_s = 0.0
    joined: list[TimedWord] = []
    for name, part in zip(names, parts, strict=True):
        for word in read_words(dataset.text(name)):
            assert word.end_s <= len(part) / SAMPLE_RATE
            joined.append(word._replace(start_s=word.start_s + shift_s, end_s=word.end_s + shift_s))
        shift_s += len(part) / SAMPLE_RATE
    assert [word.text for word in joined] == [word.text for word in words]
    assert np.allclose([word[2:] for word in joined], [word[2:] for word in words], atol=0.002)


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
    with importing._alone(dataset), pytest.raises(UserError, match="Another command"):
        run(where, wav)


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


def test_a_bad_line_of_kyutais_list_is_a_sentence(where: Paths, source: Path, talk: Talk) -> None:
    path = kyutai(source, talk)
    path.write_text(path.read_text() + "{\n")
    with pytest.raises(UserError, match=r"Line 4 of .*list\.jsonl names no sound file"):
        run(where, path)


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


def record(
    where: Paths,
    name: str,
    pieces: Sequence[tuple[int, int, str]],
    *,
    language: str = "en",
    frames: int = 100,
    notes: Sequence[tuple[str, dict[str, object]]] = (),
) -> Path:
    """Record a talk in which the model says a word every second, and the user another."""
    details = {"model": {"language": language}}
    folder = where.recordings / name
    recorder = Recorder(
        where.recordings, model="tiny", details=details, on_failure=lambda *_: None, folder=folder
    )
    said, heard = (np.resize(say(text), FRAME_SAMPLES * frames).astype(np.float32) for text in ("yes", "no"))
    for frame in range(frames):
        at = slice(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)
        recorder.tap(frame, heard[at], Said(said[at]))
    for frame, token, text in pieces:
        recorder.note("spoke", {"frame": frame, "token": token, "text": text})
    for kind, fields in notes:
        recorder.note(kind, fields)
    recorder.close()
    return folder


PIECES = [
    (5, 100, "Hel"),
    (6, 101, "lo"),
    (7, 102, ","),
    (9, 103, " how"),
    (10, 104, " are"),
    (30, 105, " you"),
]


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


def rows(*names: str, frames: int = 30, text: int = 400) -> list[Packed]:
    chance = np.random.default_rng(7)
    made = []
    for name in names:
        voices = [chance.integers(0, 2048, (9, frames), dtype=np.int32) for _ in "AB"]
        for voice in voices:
            voice[0] = chance.choice([3, 0, text], frames)
        made.append(Packed(name, *voices))
    return made


def write_parquet(folder: Path, *made: Packed) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (path,) = packing.write_files(folder, iter(made))
    return path


def prepared(dataset: Dataset) -> dict[str, Any]:
    return {name: both for shard in dataset.shards for _, _, name, both in read_parquet(shard, 8)}


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


def write_npz(folder: Path, row: Packed, *, text_frames: int | None = None) -> None:
    for part, rows_of in (("tokenized_audio", slice(1, None)), ("tokenized_text", 0)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        a, b = row.a[rows_of], row.b[rows_of]
        if part == "tokenized_text":
            a, b = a[:text_frames], b[:text_frames]
        np.savez_compressed(folder / part / f"{row.dialogue}.npz", A=a, B=b)


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
