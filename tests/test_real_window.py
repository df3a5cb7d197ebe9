"""The program as a person meets it: its window on a screen, keys, a microphone and a speaker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.rig import Rig
from app.paths import paths
from app.settings import Settings, load, save
from app.store.recordings import list_recordings
from tests.audio.conftest import rig
from tests.soak import screen
from tests.test_talk import likeness, speak

__all__ = ["rig"]  # the fixture

PATIENCE_S = 60.0

RESTART = "Restart Aizuchi|Aizuchi を再起動"


@pytest.fixture
def program(tmp_path: Path, rig: Rig) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program on a screen of its own, with the virtual devices."""
    with screen():
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--home", str(tmp_path), "talk", "--model", "tiny"],
            env={**rig.env, "DISPLAY": os.environ["DISPLAY"], "QT_QPA_PLATFORM": "xcb"},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def written(recordings: Path) -> int:
    """Return the size of the sound that is being recorded."""
    return sum(file.stat().st_size for file in recordings.glob("*/audio.wav"))


def press(key: str) -> None:
    """Press a key in the program's window, as an X client does."""
    window = ["search", "--sync", "--onlyvisible", "--name", "^Aizuchi$", "windowfocus", "--sync"]
    subprocess.run(["xdotool", *window, "key", key], check=True, timeout=20)


@pytest.mark.sound
def test_a_person_starts_talks_mutes_and_stops_by_keys_and_leaves_a_recording(
    program: subprocess.Popen[bytes], rig: Rig, tmp_path: Path
) -> None:
    speech = speak("Good evening. What shall we talk about tonight?", tmp_path / "speech.wav")
    log, recordings = tmp_path / "logs" / "aizuchi.log", tmp_path / "recordings"
    until(lambda: log.exists() and "model ready: tiny" in log.read_text(), "the model")
    press("ctrl+Return")
    until(lambda: list(recordings.glob("*/audio.wav")), "the recording to begin")
    (wav,) = recordings.glob("*/audio.wav")
    until(lambda: wav.stat().st_size > 100_000, "a second of talk")
    assert rig.play(speech).wait(timeout=20) == 0
    press("space")
    events = wav.with_name("events.jsonl")
    until(lambda: '"muted": true' in events.read_text(), "the microphone to be muted")
    rig.play(speech).wait(timeout=20)
    press("space")
    until(lambda: '"muted": false' in events.read_text(), "the microphone to be heard again")
    press("ctrl+Return")
    until(lambda: list(recordings.glob("*/audio.flac")), "the recording to be finished")
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == 0
    (recording,) = list_recordings(recordings)
    assert recording.whole
    assert recording.words()
    heard = soundfile.read(recording.audio, dtype="float32")[0][:, 1]
    muted, unmuted = (event["frame"] * 1920 for event in recording.events() if event["kind"] == "muted")
    assert likeness(heard[:muted], speech) > 0.98, "what went in at the microphone is what was heard"
    assert not np.any(heard[muted:unmuted]), "a muted user is silent"
    assert unmuted - muted > speech.size // 2


@pytest.mark.sound
def test_a_card_that_fails_lets_a_person_restart_the_program_by_its_button(tmp_path: Path, rig: Rig) -> None:
    home, spot = tmp_path / "home", tmp_path / "spot"
    log, recordings = home / "logs" / "aizuchi.log", home / "recordings"
    save(paths(home).settings, Settings(model="echo", language="ja", volume=0.5))
    command = [sys.executable, "-m", "tests.failing_card", "--home", str(home), "talk", "--model", "tiny"]
    with screen():
        env = {**rig.env, "DISPLAY": os.environ["DISPLAY"], "QT_QPA_PLATFORM": "xcb"}
        words = {"FRAMES": "30", "SPOT": str(spot), "BUTTON": RESTART}
        with subprocess.Popen([*command, "--seed", "5"], env=env | words) as program:
            try:
                until(lambda: log.exists() and "model ready: tiny" in log.read_text(), "the model")
                press("ctrl+Return")
                until(spot.exists, "the button")
                (recording,) = list_recordings(recordings)
                assert recording.whole
                assert recording.seconds == pytest.approx(30 * 0.08)
                subprocess.run(
                    ["xdotool", "mousemove", *spot.read_text().split(), "click", "1"], check=True, timeout=20
                )
                until(lambda: log.read_text().count("model ready: tiny") == 2, "the model once more")
                assert log.read_text().count("ready: the window is shown, with its page talk") == 2
                assert program.poll() is None
                line = Path(f"/proc/{program.pid}/cmdline").read_text().split("\0")[1:-1]
                wishes = ["--page", "talk", "--model", "tiny", "--seed", "5"]
                assert line == ["-m", "app", "--home", str(home), "talk", *wishes]
                assert load(paths(home).settings, lambda *_: None) == Settings(
                    model="echo", language="ja", volume=0.5
                )
                # It talks again, on a card that works.
                press("ctrl+Return")
                until(lambda: written(recordings) > 100_000, "a second of another talk")
                program.send_signal(signal.SIGTERM)
                assert program.wait(20) == 0
            finally:
                program.kill()
    assert all(each.whole for each in list_recordings(recordings))


def test_a_damaged_recording_that_is_opened_is_told_in_a_window(tmp_path: Path) -> None:
    damaged = tmp_path / "talk.aizuchi"
    damaged.write_bytes(b"PK no archive")
    command = [sys.executable, "-m", "app", "--home", str(tmp_path), "talk", str(damaged)]
    box = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^Open a recording"]
    with screen():
        env = os.environ | {"QT_QPA_PLATFORM": "xcb"}
        with subprocess.Popen(command, env=env) as first:
            try:
                shown = subprocess.run(box, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
                firsts = set(shown.stdout.split())
                until(lambda: not escape(found(box)), "the box to be closed")
                # Another copy is running now: the second one tells it by itself, in a window of its own. That
                # of the first is left out by its number: a search that fails tells of no window either.
                with subprocess.Popen(command, env=env) as second:
                    until(lambda: set(found(box)) - firsts, "the box of the second copy")
                    assert second.poll() is None, "it shows the box until it is closed"
                    second.kill()
            finally:
                first.terminate()


def escape(windows: list[str]) -> list[str]:
    """Press Escape in each of some windows, which may be too new to hear it, or gone; return them."""
    for window in windows:
        subprocess.run(
            ["xdotool", "key", "--window", window, "Escape"], check=False, stderr=subprocess.DEVNULL
        )
        # A window that goes between press and release ends the command there, and a key that stays down
        # repeats itself in every window to come.
        subprocess.run(["xdotool", "keyup", "Escape"], check=True)
    return windows


def found(command: list[str]) -> list[str]:
    """Return the windows that a search finds now."""
    asked = [each for each in command if each != "--sync"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
