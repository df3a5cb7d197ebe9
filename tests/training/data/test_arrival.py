"""What is odd about a dialogue that comes in: each finding, and what is done about it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.errors import UserError
from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store.datasets import TimedWord, read_words, write_words
from tests.training.dialogues import Stereo, make_dialogue, write_dialogue
from tests.training.imports import (
    Talk,
    findings,
    notes,
    run,
    sound,
)
from training.data import audio


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


def test_a_speaker_that_the_words_do_not_name_makes_nobody_the_other(
    where: Paths, source: Path, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = write_dialogue(source, "one", *talk)
    with pytest.raises(UserError, match="could not be imported"):
        run(where, wav, "--speaker", "alice")
    assert "names the speakers A, B. Say with --speaker" in capsys.readouterr().out
    wav.with_suffix(".json").write_text("[]")
    assert findings(run(where, wav, "--speaker", "alice")) == {"one": ["no words"]}


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
