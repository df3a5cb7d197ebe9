"""Sources as they must not be: whatever is wrong with one dialogue is told of it, and the others come in."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.cli import main as aizuchi
from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import open_dataset, read_words
from tests.training.dialogues import make_dialogue, write_dialogue
from tests.training.imports import Talk, findings, notes, run, sound
from training.data import arrival, importing
from training.data.arrival import free_name

SECONDS = 4
SEEDS = 2, 5, 20
"""In these talks both voices speak."""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    return [make_dialogue(SECONDS, seed=seed) for seed in SEEDS]


@pytest.fixture
def source(tmp_path: Path, talks: list[Talk]) -> Path:
    """Give a folder with one good dialogue, and a place for bad ones."""
    write_dialogue(tmp_path / "source", "good", *talks[0])
    return tmp_path / "source"


NAMES = {
    "shift-jis": b"\x83e\x83X\x83g",
    "latin-1": b"caf\xe9",
    "newline": b"one\ntwo",
    "controls": b"\x01\x1b[31m\x7f",
    "c1": "a\x85b\u2028c".encode(),
    "direction": "a\u202egpj".encode(),
    "long": b"n" * 240,
    "long-kana": "あ".encode() * 80,
    "nfd": "cafe\u0301".encode(),
    "spaces": b"  . ",
    "quotes": b"'\"`$(x)\\",
    "dashes": b"--help",
    "surrogate": b"\xed\xa0\x80",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_comes_in(
    where: Paths, source: Path, talks: list[Talk], name: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = write_dialogue(source, "bad", *talks[1])
    for path in (wav, wav.with_suffix(".json")):
        os.rename(path, os.path.join(os.fsencode(source), name + os.fsencode(path.suffix)))
    dataset = run(where, source, "--json")
    (made,) = set(dataset.dialogues()) - {"good"}
    assert made.isprintable()
    assert len(f"{made}.flac".encode()) < 255
    assert read_words(dataset.text(made)) == talks[1][1]
    for line in capsys.readouterr().out.splitlines():
        json.loads(line)
    assert len({line["dialogue"] for line in notes(dataset)}) == 2
    run(where, source)
    assert "2 sources had been imported before." in capsys.readouterr().out


def test_names_that_are_nearly_the_same_are_two(where: Paths, source: Path, talks: list[Talk]) -> None:
    for name, talk in zip(("Good", "caf\u00e9", "cafe\u0301"), (talks[1], *talks[1:]), strict=True):
        write_dialogue(source, name, talk[0] * (0.9 if name == "Good" else 1.0), talk[1])
    assert run(where, source).dialogues() == ["Good", "caf\u00e9", "caf\u00e9-2", "good"]


@pytest.mark.parametrize("wished", ["", ".", "..", "/", "\0", "\ud800", "\udc83", " - ", "a/b", "\n"])
def test_a_free_name_can_be_that_of_a_file(wished: str, tmp_path: Path) -> None:
    name = free_name(wished, {"dialogue"})
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / f"{name}.flac").touch()
    assert [path.stem for path in folder.iterdir()] == [name]
    assert name.isprintable()


def wav(talk: Talk, **options: object) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, talk[0].T, SAMPLE_RATE, **{"subtype": "PCM_16", "format": "WAV", **options})
    return made.getvalue()


def with_length(content: bytes, data: int, riff: int | None = None) -> bytes:
    at = content.index(b"data") + 4
    mended = content[:at] + struct.pack("<I", data) + content[at + 4 :]
    return mended if riff is None else mended[:4] + struct.pack("<I", riff) + mended[8:]


@pytest.mark.parametrize("data", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x7FFF_F000, 0xFFFF_FFDB])
@pytest.mark.parametrize("riff", [None, 0, 36, 0xFFFF_FFFF])
def test_a_streamed_wav_is_read_to_its_end(
    where: Paths, source: Path, talks: list[Talk], data: int, riff: int | None
) -> None:
    whole = wav(talks[1])
    (source / "streamed.wav").write_bytes(with_length(whole, data, riff))
    dataset = run(where, source)
    assert np.array_equal(sound(dataset, "streamed"), soundfile.read(io.BytesIO(whole), dtype="int16")[0])


def test_an_empty_wav_with_more_behind_is_empty(where: Paths, source: Path, talks: list[Talk]) -> None:
    head = with_length(wav(talks[1])[:44], 0)
    (source / "empty.wav").write_bytes(head + b"LIST" + struct.pack("<I", 4) + b"INFO")
    dataset = run(where, source)
    assert findings(dataset)["empty"] == ["empty"]


@pytest.mark.parametrize("form", ["wav", "rf64", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_half_a_file_is_left_out_and_told(
    where: Paths, source: Path, talks: list[Talk], form: str, share: float
) -> None:
    path = source / f"half.{form}"
    soundfile.write(path, np.concatenate([talks[1][0].T] * 6), SAMPLE_RATE, format=form.upper())
    dataset = run(where, source)
    assert dataset.dialogues() == ["good", "half"]
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    dataset = run(where, source, name="cut")
    assert dataset.dialogues() == ["good"]
    assert findings(dataset)["half"] == ["unreadable"]
    (told,) = [line for line in notes(dataset) if line["dialogue"] == "half"]
    assert told["advice"]
    path.write_bytes(content)
    assert run(where, source, name="cut").dialogues() == ["good", "half"]


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


NO_SOUND: dict[str, Callable[[Path], object]] = {
    "fifo": make_fifo,
    "socket": make_socket,
    "loop": make_loop,
    "nowhere": lambda path: path.symlink_to("nowhere"),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no sound"),
    "head": lambda path: path.write_bytes(b"RIFF\xff\xff\xff\xffWAVE"),
    "magic": lambda path: path.write_bytes(b"OggS"),
    "channels": lambda path: soundfile.write(path, np.zeros((SAMPLE_RATE, 8)), SAMPLE_RATE),
    "no channels": lambda path: path.write_bytes(head(channels=0)),
    "no rate": lambda path: path.write_bytes(head(rate=0)),
    "rate": lambda path: path.write_bytes(head(rate=1)),
    "high rate": lambda path: path.write_bytes(head(rate=4_000_000_000)),
}


def head(channels: int = 2, rate: int = SAMPLE_RATE) -> bytes:
    """Return a second of noise in a WAV with this head."""
    noise = np.random.default_rng(0).integers(-9000, 9000, 2 * SAMPLE_RATE, dtype=np.int16).tobytes()
    about = struct.pack("<HHIIHH", 1, channels, rate, 4 * SAMPLE_RATE, 4, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + about + b"data" + struct.pack("<I", len(noise)) + noise
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", NO_SOUND.values(), ids=NO_SOUND)
def test_what_is_no_stereo_sound_is_told_and_left_out(
    where: Paths, source: Path, make: Callable[[Path], object]
) -> None:
    make(source / "bad.wav")
    dataset = run(where, source)
    assert dataset.dialogues() == ["good"]
    told = [line for line in notes(dataset) if line["dialogue"] == "bad"]
    assert len(told) == 1
    assert told[0]["sentence"].endswith(".")
    assert "\n" not in told[0]["sentence"]


@pytest.mark.parametrize("make", [make_fifo, make_loop, Path.mkdir], ids=["fifo", "loop", "folder"])
def test_words_that_are_no_file_are_told(
    where: Paths, source: Path, talks: list[Talk], make: Callable[[Path], object]
) -> None:
    make(write_dialogue(source, "bad", talks[1][0]).with_suffix(".json"))
    dataset = run(where, source)
    assert dataset.dialogues() == ["bad", "good"]
    assert findings(dataset) == {"bad": ["unreadable words", "no words"]}


def test_folders_may_be_called_as_files_and_lead_in_circles(
    where: Paths, source: Path, talks: list[Talk]
) -> None:
    write_dialogue(source / "folder.wav" / "list.jsonl", "inner", *talks[1])
    (source / "folder.wav" / "round").symlink_to(source)
    assert run(where, source).dialogues() == ["good", "inner"]


@pytest.mark.parametrize("subtype", ["DOUBLE", "FLOAT", "PCM_24", "PCM_U8"])
@pytest.mark.parametrize("rate", [8000, 96_000])
def test_other_kinds_of_samples_come_in(
    where: Paths, source: Path, talks: list[Talk], subtype: str, rate: int
) -> None:
    path = write_dialogue(source, "other", *talks[1], rate=rate)
    samples, _ = soundfile.read(path)
    soundfile.write(path, samples, rate, subtype)
    dataset = run(where, source)
    assert abs(len(sound(dataset, "other")) - SECONDS * SAMPLE_RATE) <= 2
    assert findings(dataset) == {"other": ["rate"]}


TIMES = [float("nan"), float("inf"), -5.0, -1e300, 1e300, 10**400, "1.5", True, None]


@pytest.mark.parametrize("start", TIMES, ids=repr)
@pytest.mark.parametrize("end", TIMES, ids=repr)
def test_no_time_of_a_word_harms(
    where: Paths, source: Path, talks: list[Talk], start: object, end: object
) -> None:
    stereo, words = talks[1]
    path = write_dialogue(source, "odd", stereo, words)
    said = json.loads(path.with_suffix(".json").read_text())
    said[1] |= {"start": start, "end": end}
    path.with_suffix(".json").write_text(json.dumps(said))
    dataset = run(where, path)
    kept = read_words(dataset.text("odd"))
    assert {word.text for word in kept} <= {word.text for word in words}
    assert len(words) - 1 <= len(kept) <= len(words)
    assert all(0 <= word.start_s <= word.end_s <= SECONDS + 1 for word in kept)
    assert findings(dataset)["odd"]


def test_a_fault_that_nobody_foresaw_is_that_of_its_dialogue(
    where: Paths, source: Path, talks: list[Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dialogue(source, "bad", *talks[1])
    bring_in = arrival.bring_in

    def fail(incoming: arrival.Incoming, *rest: Any) -> arrival.Arrived:
        if incoming.name == "bad":
            raise ZeroDivisionError("\udc83 of\nnothing")
        return bring_in(incoming, *rest)

    monkeypatch.setattr(importing.arrival, "bring_in", fail)
    dataset = run(where, source)
    assert dataset.dialogues() == ["good"]
    (told,) = [line for line in notes(dataset) if line["finding"] == "unreadable"]
    assert told["sentence"] == "It can not be imported: ZeroDivisionError: \\x83 of\\nnothing."


LISTS: dict[str, Callable[[list[dict[str, object]]], bytes]] = {
    "lines": lambda entries: "\n".join(map(json.dumps, entries)).encode(),
    "pretty": lambda entries: "\n".join(json.dumps(entry, indent=1) for entry in entries).encode(),
    "array": lambda entries: json.dumps(entries).encode(),
    "pretty array": lambda entries: json.dumps(entries, indent=2).encode(),
    "bom": lambda entries: "\r\n".join(map(json.dumps, entries)).encode("utf-8-sig"),
    "utf-16": lambda entries: "\n".join(map(json.dumps, entries)).encode("utf-16"),
    "utf-16 array": lambda entries: json.dumps(entries, indent=2).encode("utf-16"),
    "one line": lambda entries: " ".join(map(json.dumps, entries)).encode(),
}


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".txt"])
@pytest.mark.parametrize("write", LISTS.values(), ids=LISTS)
def test_a_list_in_any_form_says_what_comes_in(
    where: Paths,
    source: Path,
    talks: list[Talk],
    write: Callable[[list[dict[str, object]]], bytes],
    suffix: str,
) -> None:
    for name, talk in zip(("a", "b"), talks[1:], strict=True):
        write_dialogue(source, name, *talk)
    entries: list[dict[str, object]] = [{"path": f"{name}.wav", "duration": SECONDS} for name in "ab"]
    (source / f"list{suffix}").write_bytes(write(entries))
    assert run(where, source).dialogues() == ["a", "b"]
    (source / f"list{suffix}").write_bytes(write(entries[:1]))
    assert run(where, source / f"list{suffix}", name="one").dialogues() == ["a"]


@pytest.mark.parametrize("content", ["no list", "{", "[" * 100_000, "{" * 9, "\ud83d\ude00", "{\x00}"])
def test_a_list_that_is_none_lets_nothing_in_and_is_told(
    where: Paths, source: Path, talks: list[Talk], content: str
) -> None:
    write_dialogue(source / "other", "other", *talks[1])
    (source / "list.jsonl").write_text(content.encode("utf-16", "surrogatepass").decode("utf-16"))
    dataset = run(where, source, source / "other")
    assert dataset.dialogues() == ["other"]
    (told,) = [line for line in notes(dataset) if line["finding"] == "unreadable"]
    assert told["sentence"].startswith(f"{source / 'list.jsonl'} holds no lines of JSON")


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("folder\\one.wav", "folder/one.wav"),
        (".\\folder\\one.wav", "folder/one.wav"),
        ("caf\u00e9/o\u0301.wav", "cafe\u0301/\u00f3.wav"),
        ("ガ.wav", "ガ.wav"),
    ],
)
def test_names_in_lists_may_be_written_otherwise(
    where: Paths, source: Path, talks: list[Talk], named: str, there: str
) -> None:
    folder = (source / there).parent
    folder.mkdir(exist_ok=True)
    wav = write_dialogue(folder, Path(there).stem, *talks[1])
    assert wav == source / there
    (source / "list.jsonl").write_text(json.dumps({"path": named}))
    dataset = run(where, source)
    (name,) = dataset.dialogues()
    assert read_words(dataset.text(name)) == talks[1][1]


@pytest.mark.parametrize("what", ["repo", "snapshot", "list", "sound"])
def test_the_cache_of_the_hub(where: Paths, tmp_path: Path, talks: list[Talk], what: str) -> None:
    repo = tmp_path / "datasets--kyutai--DailyTalkContiguous"
    (repo / "blobs").mkdir(parents=True)
    snapshot = repo / "snapshots" / "0123abc"
    (snapshot / "data_stereo").mkdir(parents=True)
    wav = write_dialogue(tmp_path / "made", "0", *talks[1])
    (tmp_path / "made" / "dailytalk.jsonl").write_text('{"path": "data_stereo/0.wav", "duration": 4.0}\n')
    places = {
        "0.wav": "data_stereo/0.wav",
        "0.json": "data_stereo/0.json",
        "dailytalk.jsonl": "dailytalk.jsonl",
    }
    for number, (name, place) in enumerate(places.items()):
        shutil.move(wav.with_name(name), repo / "blobs" / f"{number:040x}")
        link = snapshot / place
        link.symlink_to(os.path.relpath(repo / "blobs" / f"{number:040x}", link.parent))
    named = {
        "repo": repo,
        "snapshot": snapshot,
        "list": snapshot / "dailytalk.jsonl",
        "sound": snapshot / "data_stereo" / "0.wav",
    }
    dataset = run(where, named[what])
    assert dataset.dialogues() == ["0"]
    assert read_words(dataset.text("0")) == talks[1][1]
    assert findings(dataset) == {}


@pytest.mark.parametrize("suffix", [".m4a", ".MP4", ".wma"])
def test_how_to_convert_is_told(
    where: Paths, source: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (source / f"film{suffix}").write_bytes(b"no sound that is read" * 100)
    home = where.config.parent
    assert aizuchi(["--home", str(home), "data", "import", str(source), "--name", "talks"]) == 0
    assert f"ffmpeg -i 'film{suffix}' 'film.wav'" in capfd.readouterr().out
    assert open_dataset(where.datasets / "talks").dialogues() == ["good"]


def test_what_is_named_twice_is_used_once(
    where: Paths, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = run(where, source, source / "good.wav", source)
    assert dataset.dialogues() == ["good"]
    assert "Named more than once: 2 sources. Each is used once." in capsys.readouterr().out
