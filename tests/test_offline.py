"""The verb `offline`: files in and out through the same session as a live talk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.wav import read_wav
from app.cli import main
from app.commands import offline
from app.engine import card_fault
from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples, level_db
from app.paths import Paths, paths
from app.store.recordings import open_recording
from app.store.turn_taking import find_activity, mark_turns, user_turns
from tests.engine.by_hand import by_hand
from tests.engine.conftest import speech


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder where the tiny model is made once."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def where(home: Path, models: Path) -> Paths:
    return replace(paths(home), models=models)


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """Return a file with 1.2 s of a tone at 16 bit, which ends within a frame."""
    path = tmp_path / "user.wav"
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(round(1.2 * SAMPLE_RATE) - 700) / SAMPLE_RATE)
    soundfile.write(path, tone, SAMPLE_RATE)
    return path


def channels(folder: Path) -> tuple[Samples, Samples]:
    """Return the model's and the user's side of a recording."""
    audio, rate = soundfile.read(open_recording(folder).audio, dtype="float32")
    assert rate == SAMPLE_RATE
    return audio[:, 0], audio[:, 1]


def test_the_echo_leaves_a_session_folder_with_what_went_in(
    user: Path, tmp_path: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert offline.main([str(user), str(out), "--model", "echo", "--tail", "0.4", "--seed", "5"], where) == 0
    assert {path.name for path in out.iterdir()} >= {
        "audio.flac", "events.jsonl", "session.json", "transcript.txt",
    }  # fmt: skip
    recording = open_recording(out)
    assert recording.whole
    said, heard = channels(out)
    sent, _ = soundfile.read(user, dtype="float32")
    assert heard.size == (15 + 5) * FRAME_SAMPLES
    np.testing.assert_array_equal(heard[: sent.size], sent)
    assert not heard[sent.size :].any()
    np.testing.assert_array_equal(said, heard)
    session = json.loads((out / "session.json").read_text())
    assert (session["model"], session["details"]["seed"]) == ("echo", 5)
    assert session["details"]["devices"]["microphone"] == "user.wav"
    printed = capsys.readouterr()
    assert str(out / "audio.flac") in printed.out
    assert "Seed 5" in printed.err
    assert "real-time factor" in printed.err


def test_the_result_is_one_line_of_json_when_asked(
    user: Path, tmp_path: Path, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    offline.main([str(user), str(tmp_path / "out"), "--model", "echo", "--json"], where)
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["frames"]) == ("echo", 15)
    assert Path(told["recording"]).is_file()
    assert Path(told["transcript"]).is_file()
    assert told["real_time_factor"] > 0


def test_the_same_seed_gives_the_same_talk_bit_for_bit_and_another_seed_another(
    user: Path, tmp_path: Path, where: Paths
) -> None:
    for name, seed in (("one", "7"), ("two", "7"), ("three", "8")):
        offline.main([str(user), str(tmp_path / name), "--model", "tiny", "--seed", seed], where)
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    assert (one / "audio.flac").read_bytes() == (two / "audio.flac").read_bytes()
    assert (one / "events.jsonl").read_bytes() == (two / "events.jsonl").read_bytes()
    assert not np.array_equal(channels(one)[0], channels(three)[0])
    assert channels(one)[0].any()


def test_greedy_needs_no_seed_to_give_the_same_talk(user: Path, tmp_path: Path, where: Paths) -> None:
    for name in ("one", "two"):
        offline.main([str(user), str(tmp_path / name), "--model", "tiny", "--greedy"], where)
    one, two = (tmp_path / name / "audio.flac" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_greedy_is_token_for_token_what_moshi_says_driven_by_hand(tmp_path: Path, where: Paths) -> None:
    user, out = tmp_path / "user.wav", tmp_path / "out"
    soundfile.write(user, np.concatenate(speech(40)), SAMPLE_RATE)
    offline.main([str(user), str(out), "--model", "tiny", "--greedy"], where)
    heard = list(read_wav(user).reshape(-1, FRAME_SAMPLES))
    by_moshi = list(by_hand(where.models / "tiny", heard, seed=0, use_sampling=False))
    spoken = [(frame, token) for frame, (token, _) in enumerate(by_moshi) if token not in (0, 3)]
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert [(event["frame"], event["token"]) for event in events if event["kind"] == "spoke"] == spoken
    assert len(spoken) > 2
    sound = np.concatenate([samples for _, samples in by_moshi])
    np.testing.assert_allclose(channels(out)[0], sound, atol=1 / 32768)


@pytest.mark.parametrize("fault", ["missing", "no audio", "folder used", "folder a file", "seed", "model"])
def test_what_can_not_be_done_is_a_sentence_and_leaves_nothing_behind(
    user: Path, tmp_path: Path, where: Paths, fault: str
) -> None:
    out = tmp_path / "out"
    arguments = ["--model", "echo"]
    match fault:
        case "missing":
            user.unlink()
        case "no audio":
            user.write_text("no audio")
        case "folder used":
            out.mkdir()
            (out / "precious").touch()
        case "folder a file":
            out.touch()
        case "seed":
            arguments += ["--seed", "-1"]
        case "model":
            arguments = ["--model", str(tmp_path / "no-model")]
    with pytest.raises(UserError) as caught:
        offline.main([str(user), str(out), *arguments], where)
    assert caught.value.sentence
    assert not (out / "session.json").exists()


def test_a_folder_that_a_killed_run_left_is_told_with_what_to_do(
    tmp_path: Path, where: Paths, home: Path
) -> None:
    user, out = tmp_path / "user.wav", tmp_path / "o'ut"
    soundfile.write(user, np.concatenate(speech(2_000)), SAMPLE_RATE)
    command = [sys.executable, "-m", "app", "--home", str(home), "offline", str(user), str(out)]
    process = subprocess.Popen([*command, "--model", "starter"])
    try:
        deadline = time.monotonic() + 120
        while not ((out / "audio.wav").exists() and (out / "audio.wav").stat().st_size > 100_000):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(UserError, match="holds a recording that is still being written"):
            offline.main([str(user), str(out), "--model", "echo"], where)
    finally:
        process.kill()
        process.wait()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UserError, match=r"holds a recording that was broken off after \d+\.\d s") as caught:
        offline.main([str(user), str(out), "--model", "echo"], where)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (removal,) = re.findall(r"\((rm -r .*)\)", caught.value.advice)
    subprocess.run(removal, shell=True, check=True)
    assert offline.main([str(user), str(out), "--model", "echo"], where) == 0
    with pytest.raises(UserError, match=r"holds a recording already, of 160\.0 s with echo"):
        offline.main([str(user), str(out), "--model", "echo"], where)


def test_what_a_killed_run_left_before_it_recorded_is_in_nobodys_way(
    user: Path, tmp_path: Path, where: Paths
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").touch()
    (out / ".session.json.999999999.part").write_text("{")
    assert offline.main([str(user), str(out), "--model", "echo"], where) == 0
    assert open_recording(out).whole


def test_the_command_says_what_is_wrong_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(tmp_path), "offline", str(tmp_path / "no.wav"), str(tmp_path / "out")]) == 1
    assert "no audio file" in capsys.readouterr().err


def test_the_recorded_user_that_comes_with_the_program_is_small_and_speaks_five_times() -> None:
    with as_file(files("app") / "data" / "user.flac") as path:
        samples = read_wav(path)
        assert path.stat().st_size < 300_000
    assert 15 <= samples.size / SAMPLE_RATE <= 20
    frames = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    activity = find_activity(np.array([level_db(frame) for frame in frames], dtype=np.float32))
    assert len(user_turns(mark_turns(activity, np.zeros_like(activity)))) == 5


def test_a_card_that_fails_leaves_a_whole_recording_and_a_sentence(user: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = ["--home", str(tmp_path / "home"), "offline", str(user), str(out), "--model", "tiny"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.failing_card", *line],
        env=os.environ | {"FRAMES": "6"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert card_fault.SENTENCE in ended.stderr
    assert "Traceback" not in ended.stderr
    recording = open_recording(out)
    assert recording.whole
    assert recording.seconds == pytest.approx(6 * 0.08)
