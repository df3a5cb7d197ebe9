"""The recorder keeps its promises with real files, real kills and a disk that really refuses."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from app.audio import recorder as recorder_module
from app.audio.recorder import Recorder
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from app.store import locks


class Said(NamedTuple):
    samples: Samples


Failures = list[tuple[Path, str, str]]


def make(root: Path, failures: Failures | None = None, folder: Path | None = None) -> Recorder:
    def fail(folder: Path, sentence: str, advice: str) -> None:
        assert failures is not None, sentence
        failures.append((folder, sentence, advice))

    return Recorder(root, model="kyutai/moshika", details={"seed": 3}, on_failure=fail, folder=folder)


def pcm_frames(seed: int, frames: int) -> Samples:
    """Return [frames, FRAME_SAMPLES] of 16-bit noise as float32."""
    pcm = np.random.default_rng(seed).integers(-32768, 32768, (frames, FRAME_SAMPLES))
    return (pcm / 32768).astype(np.float32)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_left_is_the_model_and_right_the_user_bit_for_bit(tmp_path: Path) -> None:
    heard, said = pcm_frames(1, 30), pcm_frames(2, 30)
    recorder = make(tmp_path)
    for frame in range(30):
        recorder.tap(frame, heard[frame], Said(said[frame]))
    recorder.close()
    recorder.close()
    audio, rate = soundfile.read(recorder.folder / "audio.flac", dtype="float32")
    assert rate == SAMPLE_RATE
    np.testing.assert_array_equal(audio[:, 0], said.reshape(-1))
    np.testing.assert_array_equal(audio[:, 1], heard.reshape(-1))
    assert sorted(path.name for path in recorder.folder.iterdir()) == [
        "audio.flac", "events.jsonl", "session.json",
    ]  # fmt: skip


def test_a_recording_is_held_as_long_as_it_is_written(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    recorder.tap(0, pcm_frames(1, 1)[0], Said(pcm_frames(2, 1)[0]))
    assert locks.holder(recorder.folder) is not None
    with pytest.raises(locks.InUse, match=f"{recorder.folder.name} is in use"):
        make(tmp_path, folder=recorder.folder)
    recorder.close()
    assert locks.holder(recorder.folder) is None
    assert (recorder.folder / "audio.flac").exists()


def test_the_raw_microphone_is_kept_beside_what_was_heard(tmp_path: Path) -> None:
    heard, said, raw = pcm_frames(1, 30), pcm_frames(2, 30), pcm_frames(3, 30)
    recorder = make(tmp_path)
    for frame in range(30):
        # Cancelling was switched on in the tenth frame, and off again later.
        recorder.tap(frame, heard[frame], Said(said[frame]), raw[frame] if 10 <= frame < 20 else None)
    recorder.close()
    microphone, rate = soundfile.read(recorder.folder / "microphone.flac", dtype="float32")
    assert rate == SAMPLE_RATE
    expected = np.concatenate((heard[:10], raw[10:20], heard[20:])).reshape(-1)
    np.testing.assert_array_equal(microphone, expected)
    assert not (recorder.folder / "microphone.wav").exists()


def test_both_sides_are_as_they_were_in_the_room(tmp_path: Path) -> None:
    heard, said = pcm_frames(1, 30), pcm_frames(2, 30)
    recorder = make(tmp_path)
    for frame in range(30):
        recorder.tap(frame, heard[frame], Said(said[frame]), heard[frame], 223 if frame < 20 else 0)
    recorder.close()
    audio, _ = soundfile.read(recorder.folder / "audio.flac", dtype="float32")
    whole, switched = said.reshape(-1), 20 * FRAME_SAMPLES
    assert not audio[:223, 0].any()
    np.testing.assert_array_equal(audio[223:switched, 0], whole[: switched - 223])
    np.testing.assert_array_equal(audio[switched:, 0], whole[switched:])
    np.testing.assert_array_equal(audio[:, 1], heard.reshape(-1))


def test_the_session_file_says_what_was_recorded(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    session = json.loads((recorder.folder / "session.json").read_text())
    assert session["ended"] is None
    recorder.tap(0, pcm_frames(1, 1)[0], Said(pcm_frames(2, 1)[0]))
    recorder.close()
    session = json.loads((recorder.folder / "session.json").read_text())
    assert (session["format"], session["model"], session["frames"]) == (1, "kyutai/moshika", 1)
    assert session["details"] == {"seed": 3}
    for moment in ("started", "ended"):
        assert datetime.fromisoformat(session[moment]).tzinfo is not None


def test_events_are_lines_in_any_language(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    recorder.note("spoke", {"frame": 0, "token": 412, "text": "こんにちは"})
    recorder.note("skipped", {"frame": 1, "frames": 2})
    recorder.close()
    lines = (recorder.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"kind": "spoke", "frame": 0, "token": 412, "text": "こんにちは"},
        {"kind": "skipped", "frame": 1, "frames": 2},
    ]


def test_a_frame_may_be_overwritten_once_the_tap_returned(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    frame = np.full(FRAME_SAMPLES, 0.5, dtype=np.float32)
    recorder.tap(0, frame, Said(frame))
    frame[:] = 0
    recorder.close()
    np.testing.assert_array_equal(soundfile.read(recorder.folder / "audio.flac")[0], 0.5)


def test_beyond_full_scale_is_clipped_and_what_is_no_number_is_silence(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    heard = np.resize(np.array([1.5, -1.5, np.inf, np.nan], dtype=np.float32), FRAME_SAMPLES)
    recorder.tap(0, heard, Said(-heard))
    recorder.close()
    audio, _ = soundfile.read(recorder.folder / "audio.flac", dtype="int16")
    np.testing.assert_array_equal(audio[:4], [[-32768, 32767], [32767, -32768], [-32768, 32767], [0, 0]])


def test_while_the_talk_goes_on_the_wav_opens_and_is_half_a_second_behind_at_most(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    silent = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    wav = recorder.folder / "audio.wav"
    assert soundfile.info(wav).frames == 0
    for frame in range(20):
        recorder.tap(frame, silent, Said(silent))
    wait_until(lambda: soundfile.info(wav).frames == 20 * FRAME_SAMPLES, seconds=0.5)
    recorder.close()


def test_each_talk_has_a_folder_of_its_own_with_a_name_that_any_disk_takes(tmp_path: Path) -> None:
    folders = []
    for model in ("kyutai/moshika", "kyutai/moshika", "../..", "会話 モデル", "x" * 300):
        recorder = Recorder(tmp_path, model=model, details={}, on_failure=lambda *_: None)
        recorder.close()
        folders.append(recorder.folder)
    assert len(set(folders)) == len(folders)
    assert all(folder.parent == tmp_path for folder in folders)
    assert folders[0].name.endswith("-kyutai-moshika")
    datetime.strptime(folders[0].name[:19], "%Y-%m-%d_%H-%M-%S")
    assert folders[3].name.endswith("-会話-モデル")


def test_a_run_on_files_names_its_folder_and_may_outrun_the_disk(tmp_path: Path) -> None:
    recorder = make(tmp_path, folder=tmp_path / "out")
    silent = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    for frame in range(4_000):
        recorder.tap(frame, silent, Said(silent))
    recorder.close()
    assert recorder.folder == tmp_path / "out"
    assert soundfile.info(tmp_path / "out" / "audio.flac").frames == 4_000 * FRAME_SAMPLES


def test_a_folder_that_can_not_be_made_is_an_os_error_and_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    before = threading.active_count()
    with pytest.raises(OSError):
        make(tmp_path / "file")
    assert threading.active_count() == before


def test_the_wav_stays_where_it_can_not_be_compressed(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    (recorder.folder / "audio.flac").mkdir()
    recorder.tap(0, pcm_frames(1, 1)[0], Said(pcm_frames(2, 1)[0]))
    recorder.close()
    assert soundfile.info(recorder.folder / "audio.wav").frames == FRAME_SAMPLES
    assert (recorder.folder / "audio.flac").is_dir()


def test_a_disk_that_stands_still_ends_the_recording_and_never_the_talk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    moves = threading.Event()
    add = recorder_module._SessionFiles.add
    monkeypatch.setattr(
        recorder_module._SessionFiles, "add", lambda files, item: moves.wait(30) and add(files, item)
    )
    monkeypatch.setattr(recorder_module, "MAX_WAITING_S", 1)
    failures: Failures = []
    recorder = make(tmp_path, failures)
    silent = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    longest_s = 0.0
    for frame in range(200):
        began = time.monotonic()
        recorder.tap(frame, silent, Said(silent))
        longest_s = max(longest_s, time.monotonic() - began)
    assert longest_s < 0.05
    recorder.close()
    ((folder, sentence, advice),) = failures
    assert folder == recorder.folder
    assert "disk" in sentence
    assert advice
    moves.set()
    wait_until((recorder.folder / "audio.flac").exists)
    wait_until(lambda: set(threading.enumerate()) <= before)


def test_a_run_on_files_that_waits_for_the_disk_goes_on_when_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = threading.Event()

    def add(files: object, item: bytes | str) -> None:
        refuses.wait(30)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(recorder_module._SessionFiles, "add", add)
    failures: Failures = []
    recorder = make(tmp_path, failures, folder=tmp_path / "out")
    timer = threading.Timer(0.3, refuses.set)
    timer.start()
    silent = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    began = time.monotonic()
    for frame in range(2_000):
        recorder.tap(frame, silent, Said(silent))
    assert 0.2 < time.monotonic() - began < 5
    recorder.close()
    timer.join()
    ((_, sentence, _),) = failures
    assert sentence == "The disk is full; the recording ended after 0:00."


def test_a_recording_ends_before_a_wav_file_is_full_and_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MAX_LENGTH_S", 1.6)
    failures: Failures = []
    recorder = make(tmp_path, failures)
    silent = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    for frame in range(50):
        recorder.tap(frame, silent, Said(silent))
    recorder.close()
    ((_, sentence, _),) = failures
    assert "hours" in sentence
    assert soundfile.info(recorder.folder / "audio.flac").duration == pytest.approx(1.6)


CHILD = """
import resource, sys, time
from pathlib import Path
from typing import NamedTuple
import numpy as np
from app.audio.recorder import Recorder

class Said(NamedTuple):
    samples: np.ndarray

root, mode = Path(sys.argv[1]), sys.argv[2]
recorder = Recorder(root, model="child", details={}, on_failure=lambda *told: print("failed", *told, sep="|"))
if mode == "full disk":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
noise = np.random.default_rng(0).uniform(-1, 1, (1920,)).astype(np.float32)
for frame in range(300):
    recorder.tap(frame, noise, Said(np.full(1920, frame / 1000, np.float32)))
    recorder.note("spoke", {"frame": frame, "token": frame, "text": f" {frame}"})
    if mode == "kill":
        print(frame, flush=True)
        time.sleep(0.02)
if mode == "no room to compress":
    while recorder._files.frames < 300:
        time.sleep(0.01)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
recorder.close()
print("the talk went on", flush=True)
"""


def child(root: Path, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, root, mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("after_frames", [1, 37, 111])
def test_a_kill_loses_a_second_at_most_and_leaves_files_that_open(tmp_path: Path, after_frames: int) -> None:
    process = child(tmp_path / "talks", "kill")
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == after_frames:
            break
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    last = int(rest.split()[-1]) if rest.split() else after_frames
    (folder,) = (tmp_path / "talks").iterdir()
    audio, _ = soundfile.read(folder / "audio.wav")
    frames = len(audio) // FRAME_SAMPLES
    assert len(audio) % FRAME_SAMPLES == 0
    assert last + 1 - frames <= 12.5
    np.testing.assert_allclose(audio[::FRAME_SAMPLES, 0], np.arange(frames) / 1000, atol=1e-4)
    lines = (folder / "events.jsonl").read_text().splitlines()
    assert last + 1 - len(lines) <= 12.5
    assert json.loads(lines[-1])["kind"] == "spoke"
    assert json.loads((folder / "session.json").read_text())["ended"] is None


def test_a_full_disk_ends_the_recording_with_one_sentence_and_leaves_files_that_open(tmp_path: Path) -> None:
    process = child(tmp_path / "talks", "full disk")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    told, went_on = out.splitlines()
    assert went_on == "the talk went on"
    (folder,) = (tmp_path / "talks").iterdir()
    kind, where, sentence, advice = told.split("|")
    assert (kind, where) == ("failed", str(folder))
    assert "The recording ended after 0:10" in sentence
    assert advice
    audio, _ = soundfile.read(folder / "audio.wav")
    assert (1_000_000 - 44) // 4 - FRAME_SAMPLES <= len(audio) <= (1_000_000 - 44) // 4
    assert json.loads((folder / "session.json").read_text())["ended"] is None


def test_a_disk_without_room_for_the_compressed_file_keeps_the_wav(tmp_path: Path) -> None:
    process = child(tmp_path / "talks", "no room to compress")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert out == "the talk went on\n"
    (folder,) = (tmp_path / "talks").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["audio.wav", "events.jsonl", "session.json"]
    assert soundfile.info(folder / "audio.wav").frames == 300 * FRAME_SAMPLES
    assert json.loads((folder / "session.json").read_text())["frames"] == 300
