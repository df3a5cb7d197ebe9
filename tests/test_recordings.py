"""Recordings are read as they were written, and what a crash left behind is read as far as it goes."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.recorder import Recorder
from app.audio.wav import read_wav
from app.engine.ports import Said
from app.errors import UserError
from app.frames import DEVICE, FRAME_SAMPLES, SAMPLE_RATE, SILENCE_DB, SUSPENDED, Samples
from app.store.recordings import Gap, Recording, Skip, Word, list_recordings, open_recording
from app.store.turn_taking import statistics
from tests import damaged


def burst(frame: int, *spans: tuple[int, int]) -> Samples:
    """Return a loud frame within the spans (first, last), a silent one elsewhere."""
    loud = any(first <= frame <= last for first, last in spans)
    return np.full(FRAME_SAMPLES, 0.25 if loud else 0.0, dtype=np.float32)


def record(root: Path, model: str, details: Mapping[str, object] | None = None) -> Recorder:
    """Return the open recorder of a talk where the user spoke in frames 10 to 40, the model in 50 to 80."""
    recorder = Recorder(root, model=model, details=details or {}, on_failure=lambda *_: None)
    words = {50: " Oh", 52: " nice", 53: ",", 54: "", 75: " how long?", 95: " Bye"}
    for frame in range(100):
        recorder.tap(frame, burst(frame, (10, 40)), Said(burst(frame, (50, 80))))
        if frame in words:
            recorder.note("spoke", {"frame": frame, "token": 9, "text": words[frame]})
    recorder.note("skipped", {"frame": 60, "frames": 4})
    return recorder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def recording(root: Path) -> Recording:
    recorder = record(root, "kyutai/moshika")
    recorder.close()
    return open_recording(recorder.folder)


def test_a_recording_is_listed_as_it_was_made(root: Path) -> None:
    recorder = record(root, "moshiko", {"model": {"language": "en"}})
    recorder.close()
    (found,) = list_recordings(root)
    assert (found.folder, found.model, found.language) == (recorder.folder, "moshiko", "en")
    assert found.seconds == pytest.approx(8.0)
    assert found.whole
    assert found.audio == recorder.folder / "audio.flac"
    assert abs((datetime.now().astimezone() - found.started).total_seconds()) < 60


def test_the_newest_recording_comes_first(root: Path) -> None:
    for day, name in (("2025-03-01", "b"), ("2026-01-01", "a"), ("2024-12-31", "c")):
        recorder = Recorder(
            root, model="m", details={}, on_failure=lambda *_: None, folder=root / f"{day}_10-00-00-{name}"
        )
        recorder.close()
        (recorder.folder / "session.json").unlink()
    assert [found.model for found in list_recordings(root)] == ["a", "b", "c"]


def test_words_and_skips_stand_at_their_frames(recording: Recording) -> None:
    assert recording.words() == [
        Word(50, " Oh"), Word(52, " nice"), Word(53, ","), Word(75, " how long?"), Word(95, " Bye"),
    ]  # fmt: skip
    assert recording.skips() == [Skip(60, 4)]


def test_gaps_are_joined_kept_within_the_sound_and_told_in_the_transcript(root: Path) -> None:
    recorder = record(root, "moshika")
    for first, frames in ((100, 6), (106, 24)):
        recorder.gap(first, frames, DEVICE)
    for frame in range(130, 140):
        recorder.tap(frame, burst(frame, (130, 139)), Said(burst(frame)))
    recorder.note("gap", {"frame": 140, "frames": 360_000, "reason": SUSPENDED})
    for broken in ({"frame": 3}, {"frame": 3, "frames": "six"}, {"frame": 3, "frames": -2}):
        recorder.note("gap", broken)
    recorder.close()
    found = open_recording(recorder.folder)
    assert found.gaps() == [Gap(100, 30, DEVICE)]
    assert found.seconds == pytest.approx(140 * 0.08)
    assert "[00:08.0] (no sound for 2.4 s: the sound device was opened again)\n" in found.transcript()
    turns = found.turns()
    assert np.flatnonzero(turns.heard[100:]).tolist() == list(range(30, 40))
    assert statistics(turns).length_s == pytest.approx(110 * 0.08)


def test_an_older_recording_has_no_gaps_where_its_sound_was_joined(recording: Recording) -> None:
    assert recording.gaps() == []
    assert recording.skips() == [Skip(60, 4)]
    assert statistics(recording.turns()).length_s == pytest.approx(8.0)


def test_levels_are_those_of_the_model_and_the_user(recording: Recording) -> None:
    said_db, heard_db = recording.levels()
    assert said_db.shape == heard_db.shape == (100,)
    loud_db = 20 * np.log10(0.25)
    np.testing.assert_allclose(said_db[50:81], loud_db, atol=0.01)
    np.testing.assert_allclose(heard_db[10:41], loud_db, atol=0.01)
    np.testing.assert_array_equal(said_db[:50], SILENCE_DB)
    np.testing.assert_array_equal(heard_db[41:], SILENCE_DB)


def test_levels_are_kept_and_measured_anew_when_the_audio_changed(recording: Recording) -> None:
    first = recording.levels()
    cache = recording.folder / "levels.npy"
    np.save(cache, first + 1)
    np.testing.assert_array_equal(recording.levels(), first + 1)
    later = cache.stat().st_mtime + 10
    os.utime(recording.audio, (later, later))
    np.testing.assert_array_equal(recording.levels(), first)
    np.save(cache, first[:, :50])
    np.testing.assert_array_equal(recording.levels(), first)
    cache.write_bytes(b"not an array")
    np.testing.assert_array_equal(recording.levels(), first)


def test_a_folder_that_can_not_be_written_is_read_all_the_same(recording: Recording) -> None:
    (recording.folder / "levels.npy").mkdir()
    assert recording.levels().shape == (2, 100)
    assert (recording.folder / "levels.npy").is_dir()


def test_turns_are_those_of_the_levels(recording: Recording) -> None:
    turns = recording.turns()
    assert turns.heard[10:41].all()
    assert turns.said[50:81].all()
    assert not turns.overlap.any()


def test_the_transcript_groups_words_by_pauses_and_marks_the_users_turns(recording: Recording) -> None:
    assert recording.transcript() == (
        "[00:00.8] (you: 2.5 s)\n[00:04.0] Oh nice,\n[00:06.0] how long?\n[00:07.6] Bye\n"
    )


def test_a_long_monologue_is_broken_after_sentences(recording: Recording) -> None:
    pieces = (" This", " is", " a", " sentence", " that", " goes", " on", ".") * 8
    lines = [{"kind": "spoke", "frame": at, "token": 4, "text": text} for at, text in enumerate(pieces)]
    (recording.folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = [line for line in recording.lines() if line.text]
    assert [line.text.count(".") for line in said] == [3, 3, 2]
    assert [line.frame for line in said] == [0, 24, 48]
    assert [line.frames for line in said] == [24, 24, 16]


@pytest.mark.parametrize(
    ("model", "details", "language"),
    [("j-moshi", {}, "ja"), ("mine", {"model": {"language": "fr"}}, "fr"), ("mine", {}, "")],
)
def test_the_language_is_the_recorded_one_or_that_of_a_known_model(
    root: Path, model: str, details: dict[str, object], language: str
) -> None:
    recorder = record(root, model, details)
    recorder.close()
    assert open_recording(recorder.folder).language == language


def test_export_is_a_16_bit_stereo_wav_and_the_transcript(recording: Recording, tmp_path: Path) -> None:
    wav, text = recording.export(tmp_path / "out")
    assert (wav.stem, text.stem) == (recording.folder.name, recording.folder.name)
    info = soundfile.info(wav)
    assert (info.format, info.subtype, info.channels, info.samplerate) == ("WAV", "PCM_16", 2, SAMPLE_RATE)
    np.testing.assert_array_equal(
        soundfile.read(wav, dtype="int16")[0], soundfile.read(recording.audio, dtype="int16")[0]
    )
    assert text.read_text() == recording.transcript()
    assert set(wav.parent.iterdir()) == {wav, text}


def test_an_export_that_can_not_be_written_is_a_sentence(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be exported"):
        recording.export(tmp_path / "file")


def test_the_user_of_a_recording_can_be_heard_again(recording: Recording) -> None:
    user = read_wav(recording.audio).reshape(-1, FRAME_SAMPLES)
    np.testing.assert_array_equal(user[:, 0] > 0, [10 <= frame <= 40 for frame in range(100)])


def test_a_talk_that_was_not_closed_is_listed_as_not_whole_and_read(root: Path) -> None:
    recorder = record(root, "moshika")
    deadline = time.monotonic() + 5
    while (found := open_recording(recorder.folder)).seconds < 8.0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert list_recordings(root) == [found]
    assert not found.whole
    assert found.audio.name == "audio.wav"
    assert found.levels().shape == (2, 100)
    recorder.close()
    assert found.audio.name == "audio.flac"
    assert open_recording(found.folder).whole


@pytest.mark.parametrize(
    ("damage", "whole"),
    [
        ("no session", False),
        ("session cut", False),
        ("session of another kind", False),
        ("events cut", True),
        ("events not text", True),
        ("no events", True),
        ("audio empty", False),
        ("audio cut", True),
        ("audio not audio", False),
        ("no audio", False),
    ],
)
def test_damage_never_raises(recording: Recording, root: Path, damage: str, whole: bool) -> None:
    folder = recording.folder
    session, events, audio = folder / "session.json", folder / "events.jsonl", recording.audio
    match damage:
        case "no session":
            session.unlink()
        case "session cut":
            session.write_text(session.read_text()[:40])
        case "session of another kind":
            session.write_text("[1, 2]")
        case "events cut":
            events.write_text(events.read_text()[:-20])
        case "events not text":
            events.write_bytes(b'\xff\xfe{"kind"\n[]\n{"kind": "spoke"}\n{"frame": 3}\n')
        case "no events":
            events.unlink()
        case "audio empty":
            audio.write_bytes(b"")
        case "audio cut":
            audio.write_bytes(audio.read_bytes()[: audio.stat().st_size // 2])
        case "audio not audio":
            audio.write_text("no audio")
        case "no audio":
            audio.unlink()
    found = list_recordings(root)
    assert [one.whole for one in found] == [whole]
    for one in found:
        assert one.model in ("kyutai/moshika", "kyutai-moshika")
        assert one.started == recording.started
        levels = one.levels()
        assert levels.shape[0] == 2
        one.words(), one.skips(), one.transcript(), one.turns()


def test_a_root_that_is_not_there_holds_nothing_and_strangers_are_left_out(root: Path) -> None:
    assert list_recordings(root) == []
    (root / "notes").mkdir(parents=True)
    (root / "a file").touch()
    assert list_recordings(root) == []
    with pytest.raises(UserError, match="no recording in"):
        open_recording(root / "notes")


def test_times_beyond_an_hour_have_hours(recording: Recording) -> None:
    (recording.folder / "events.jsonl").write_text(
        json.dumps({"kind": "spoke", "frame": 60_000, "token": 4, "text": " late"}) + "\n"
    )
    assert recording.transcript().splitlines()[-1] == "[1:20:00.0] late"


def test_a_copied_folder_reads_the_same(recording: Recording, tmp_path: Path) -> None:
    levels = recording.levels()
    copied = Path(shutil.copytree(recording.folder, tmp_path / "copy"))
    np.testing.assert_array_equal(open_recording(copied).levels(), levels)


@pytest.mark.parametrize("how", [*damaged.IN_PLACE, *damaged.WEIRD])
@pytest.mark.parametrize("name", ["session.json", "audio.flac", "events.jsonl", "levels.npy"])
def test_one_damaged_recording_hides_no_other(recording: Recording, root: Path, name: str, how: str) -> None:
    other = record(root, "other")
    other.close()
    before = recording.levels()
    damaged.damage(recording.folder / name, how)
    found = {one.folder: one for one in list_recordings(root)}
    assert found.keys() == {recording.folder, other.folder}
    assert found[other.folder].whole
    one = found[recording.folder]
    assert one == open_recording(recording.folder)
    assert one.model and one.started == recording.started
    assert one.levels().shape[0] == 2
    one.words(), one.skips(), one.gaps(), one.transcript(), one.session()
    if name == "levels.npy":
        np.testing.assert_array_equal(one.levels(), before)
        assert one.whole
    elif name == "session.json" or (name == "events.jsonl" and how in damaged.IN_PLACE):
        assert one.damaged and not one.whole and one.seconds == recording.seconds
    elif name == "audio.flac":
        assert one.damaged and not one.whole and one.seconds == 0


@pytest.mark.parametrize(
    "values",
    [
        {"started": "9999-12-31T23:59:59-12:00"},
        {"started": "0001-01-01T00:00:00+14:00"},
        {"started": 10**30},
        {"started": {"a": 1}},
        {"ended": ["2026"]},
        {"model": {"name": 3}},
        {"model": None},
        {"frames": 10**40},
        {"frames": True},
        {"details": [1]},
        {"details": "text"},
    ],
)
def test_a_session_whose_values_are_of_other_types_is_damaged(
    recording: Recording, root: Path, values: dict[str, object]
) -> None:
    session = recording.folder / "session.json"
    session.write_text(json.dumps({**json.loads(session.read_text()), **values}))
    (found,) = list_recordings(root)
    assert found.damaged and not found.whole
    assert (found.started, found.seconds) == (recording.started, recording.seconds)
    assert found.model in ("kyutai/moshika", "kyutai-moshika")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ({"voice": "NATF0", "role": "You are\nAnn."}, {"voice": "NATF0", "role": "You are\nAnn."}),
        ({"voice": "", "role": 3}, {}),
        ({"voice": {"file": "anna.wav", "sha256": "1f"}, "role": ""}, {"voice": "anna.wav"}),
        ({"voice": {"file": 3}}, {}),
        ({"voice": ["NATF0"], "role": "\u001b[2Jx\x00"}, {"role": " [2Jx "}),
        ({"role": 5_000 * "x", "other": "y"}, {"role": 2_000 * "x"}),
        ([1], {}),
        ("text", {}),
        (None, {}),
    ],
)
def test_a_prompt_is_read_as_far_as_it_is_text(
    recording: Recording, prompt: object, expected: dict[str, str]
) -> None:
    session = recording.folder / "session.json"
    session.write_text(
        json.dumps({**json.loads(session.read_text()), "details": {"model": {"persona": prompt}}})
    )
    assert open_recording(recording.folder).prompt == expected


@pytest.mark.parametrize("language", [["en"], {"a": 1}, 7, None])
def test_details_of_other_types_are_passed_over(recording: Recording, language: object) -> None:
    session = recording.folder / "session.json"
    details = {"model": {"language": language}}
    session.write_text(json.dumps({**json.loads(session.read_text()), "details": details}))
    assert open_recording(recording.folder).language == ""


def test_events_whose_values_are_of_other_types_are_passed_over(recording: Recording) -> None:
    words, skips, text = recording.words(), recording.skips(), recording.transcript()
    with (recording.folder / "events.jsonl").open("a") as file:
        for frame in (-1, True, 1.5, 10**20, "3", None, [1]):
            file.write(json.dumps({"kind": "spoke", "frame": frame, "text": " no"}) + "\n")
        for value in ({"a": 1}, [1], 3, 10**400, None, ""):
            file.write(json.dumps({"kind": "spoke", "frame": 3, "text": value}) + "\n")
            if not isinstance(value, int) or value > 3:
                for kind in ("skipped", "gap"):
                    file.write(json.dumps({"kind": kind, "frame": 3, "frames": value}) + "\n")
        file.write('{"kind": ["spoke"], "frame": 3, "text": " no"}\n')
        file.write('{"kind": "spoke", "frame": 3, "text": ' + "[" * 100_000 + "\n")
        file.write('{"kind": "spoke", "frame": 3, "text": "' + 3_000_000 * "x" + '"}\n')
    assert (recording.words(), recording.skips(), recording.transcript()) == (words, skips, text)
    assert recording.gaps() == []


def test_a_flipped_bit_in_the_kept_levels_is_measured_anew_or_plausible(recording: Recording) -> None:
    levels = recording.levels()
    cache = recording.folder / "levels.npy"
    whole = cache.read_bytes()
    for bit in range(8 * len(whole)):
        # All of the header, and in the values the bits that count.
        if bit < 8 * 128 or bit % 32 in (24 + 6, 24 + 7, 16 + 7):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            cache.write_bytes(flipped)
            found = open_recording(recording.folder).levels()
            assert found.shape == levels.shape
            assert np.isfinite(found).all() and found.min() >= SILENCE_DB
            assert bit >= 8 * 128 or np.array_equal(found, levels)


def test_a_recording_that_may_not_be_read_is_seen(tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    for model in "locked", "locked-file", "open":
        record(root, model).close()
    locked, file, free = (next(root.glob(f"*-{name}")) for name in ("locked", "locked-file", "open"))
    locked.chmod(0o000)
    file.chmod(0o755)
    for path in free, *free.iterdir():
        path.chmod(0o755)
    (file / "audio.flac").chmod(0o000)
    script = (
        "for one in app.store.recordings.list_recordings(app.store.recordings.Path('.')):\n"
        "    print(one.model, one.damaged, one.whole, len(one.words()), one.started.year)\n"
    )
    year = datetime.now().year
    told = damaged.run_unprivileged(script, root, "app.store.recordings", "_strptime")
    assert sorted(told.splitlines()) == [
        f"locked True False 0 {year}",
        f"locked-file True False 0 {year}",
        f"open False True 5 {year}",
    ]


def test_what_is_only_being_made_is_no_recording(recording: Recording, root: Path) -> None:
    shutil.copytree(recording.folder, root / ".2026-01-01_00-00-00-new.1-1.part")
    assert [one.folder for one in list_recordings(root)] == [recording.folder]


def test_a_sound_that_says_it_is_weeks_long_is_damaged(recording: Recording) -> None:
    flac = bytearray(recording.audio.read_bytes())
    # The last 36 bits of the 8 bytes at 18 count the samples of a FLAC file.
    flac[21] |= 0x0F
    flac[22:26] = b"\xff\xff\xff\xff"
    recording.audio.write_bytes(flac)
    found = open_recording(recording.folder)
    assert found.damaged and found.seconds == 0
    assert found.levels().shape == (2, 0)
