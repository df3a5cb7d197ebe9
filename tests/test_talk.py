"""The verb `talk` opens a window where it can, holds a talk where it can not, and leaves it behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.rig import Rig
from app.audio.wav import WavPort, read_wav
from app.commands import headless, talk
from app.commands.headless import BUNDLED_USER, Page, Progress
from app.commands.screen import screen_trouble
from app.commands.talk import parse
from app.engine import card_fault
from app.engine.events import Loading, Sampling, Skipped, Spoke, Started, Starved, Stepped
from app.errors import UserError
from app.frames import DEVICE, MICROPHONE, Samples
from app.options import Options, chosen
from app.paths import paths
from app.settings import Settings, save
from app.store.recordings import open_recording

SILENT = {"PULSE_SERVER": "unix:/nowhere", "ALSA_CONFIG_PATH": "/dev/null"}
"""An environment without sound devices, wherever the tests run."""


Ended = subprocess.CompletedProcess[str]
Talking = subprocess.Popen[str]


def run(
    home: Path,
    *argv: str,
    during: Callable[[Talking], object] | None = None,
    sound: Mapping[str, str] = SILENT,
) -> Ended:
    """Hold a talk without a display, and do something once it has begun."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: text for name, text in os.environ.items() if name not in screens}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "talk", "--home", str(home), *argv],
        env=environment | dict(sound),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = ""
    if during is not None:
        assert process.stderr is not None
        while "Talking" not in told and (line := process.stderr.readline()):
            told += line
        during(process)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, told + err)


def speak(text: str, file: Path) -> Samples:
    """Return text as eSpeak NG says it, 24 kHz."""
    subprocess.run(["espeak-ng", "-w", str(file), text], check=True, timeout=20)
    return read_wav(file)


def likeness(recorded: Samples, played: Samples) -> float:
    """Return the correlation of what was played with the stretch of a recording that is most like it."""
    size = recorded.size + played.size
    spectrum = np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(played, size))
    at = int(np.argmax(np.fft.irfft(spectrum, size)[: recorded.size]))
    stretch = np.pad(recorded, (0, played.size))[at : at + played.size]
    return float(np.dot(stretch, played) / (np.linalg.norm(stretch) * np.linalg.norm(played) + 1e-9))


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def left_behind(out: str) -> dict[str, Path]:
    """Return what the last lines of a talk say is where."""
    return {line.split()[0]: Path(line.split(maxsplit=1)[1]) for line in out.splitlines()[-3:]}


def test_the_bundled_user_is_a_few_seconds_of_speech() -> None:
    assert 5 < WavPort(BUNDLED_USER).frames / 12.5 < 60


def test_a_talk_without_devices_leaves_recording_transcript_and_picture(tmp_path: Path) -> None:
    ended = run(tmp_path, "--headless", "--seconds", "3", "--seed", "1")
    assert ended.returncode == 0, ended.stderr
    assert "starter is ready" in ended.stderr
    assert "no sound devices" in ended.stderr
    left = left_behind(ended.stdout)
    assert list(left) == ["recording", "transcript", "picture"]
    assert all(path.stat().st_size > 0 for path in left.values())
    recording = open_recording(left["recording"].parent)
    assert recording.whole
    assert recording.seconds == pytest.approx(3.04, abs=0.01)


def test_a_card_that_fails_ends_the_talk_with_a_sentence_and_a_status(tmp_path: Path) -> None:
    """The real program without a window, on a card that fails after two seconds."""
    line = ["--home", str(tmp_path), "talk", "--headless", "--model", "tiny", "--seconds", "20"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.failing_card", *line],
        env=os.environ | SILENT | {"FRAMES": "25"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count(card_fault.SENTENCE) == 1
    assert "Traceback" not in ended.stderr
    recording = open_recording(left_behind(ended.stdout)["recording"].parent)
    assert recording.whole
    assert recording.seconds == pytest.approx(2.0, abs=0.01)


def test_a_talk_that_breaks_off_before_its_first_frame_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("The microphone is gone.", "Plug it in.")

    monkeypatch.setattr("app.session.converse", refuse)
    options = Options(headless=True, model="echo", input=BUNDLED_USER, record=False)
    assert headless.run(paths(tmp_path), Settings(), options) == 1
    assert capsys.readouterr().err.count("The microphone is gone. Plug it in.") == 1


def test_without_a_display_it_says_so_and_talks(tmp_path: Path) -> None:
    environment = os.environ.pop("QT_QPA_PLATFORM")
    try:
        ended = run(tmp_path, "--model", "echo", "--seconds", "1")
    finally:
        os.environ["QT_QPA_PLATFORM"] = environment
    assert ended.returncode == 0, ended.stderr
    assert "There is no display." in ended.stderr
    assert left_behind(ended.stdout)["recording"].exists()


def test_a_talk_ends_with_the_recorded_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "user.wav"
    soundfile.write(source, np.zeros(12_000, dtype=np.float32), 24_000)
    monkeypatch.setattr(headless, "TAIL_S", 0.5)
    options = Options(headless=True, model="echo", input=source)
    assert headless.run(paths(tmp_path / "home"), Settings(), options) == 0
    (folder,) = (tmp_path / "home" / "recordings").iterdir()
    assert open_recording(folder).seconds == pytest.approx(14 * 0.08)


def test_a_microphone_that_brings_nothing_does_not_hold_a_talk(tmp_path: Path, rig: Rig) -> None:
    # A pipe into which nobody writes.
    pipe = f"file={tmp_path / 'pipe'}"
    rig.control("load-module", "module-pipe-source", "source_name=dead", pipe, "rate=48000", "channels=1")
    rig.control("set-default-source", "dead")
    times: list[float] = []
    options = ("--headless", "--model", "echo", "--seconds", "4")
    ended = run(tmp_path, *options, during=lambda _: times.append(time.monotonic()), sound=rig.env)
    assert ended.returncode == 0, ended.stderr
    # Beside the 4 s, the picture is drawn.
    assert time.monotonic() - times[0] < 30
    recording = open_recording(left_behind(ended.stdout)["recording"].parent)
    assert recording.seconds == pytest.approx(4.0, abs=0.6)
    (gap,) = recording.gaps()
    assert (gap.frame, gap.reason) == (0, MICROPHONE)
    assert gap.frames == round(recording.seconds * 12.5)
    assert "no sound for 4" in recording.transcript()


def test_a_recording_with_outages_is_as_long_as_its_talk(tmp_path: Path, rig: Rig) -> None:
    def lose_the_sound(process: Talking) -> None:
        for _ in range(2):
            time.sleep(2)
            for child in audio_processes(process.pid):
                os.kill(child, signal.SIGKILL)

    options = ("--headless", "--model", "echo", "--seconds", "8")
    ended = run(tmp_path, *options, during=lose_the_sound, sound=rig.env)
    assert ended.returncode == 0, ended.stderr
    recording = open_recording(left_behind(ended.stdout)["recording"].parent)
    # The first sound may come a little after the talk began, and the talk ends by the clock.
    assert recording.seconds == pytest.approx(8.0, abs=1.5)
    assert sum(gap.frames for gap in recording.gaps()) > 6
    assert DEVICE in {gap.reason for gap in recording.gaps()}


def audio_processes(parent: int) -> list[int]:
    """Return the audio processes that a process has started."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"app.audio.soundcard" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_spoken_turn_through_real_devices_is_recorded_as_it_went_in(tmp_path: Path, rig: Rig) -> None:
    speech = speak("Hello there, how are you today?", tmp_path / "speech.wav")

    def play(_process: Talking) -> None:
        assert rig.play(speech).wait(timeout=20) == 0

    ended = run(tmp_path, "--headless", "--model", "tiny", "--seconds", "5", during=play, sound=rig.env)
    assert ended.returncode == 0, ended.stderr
    recording = open_recording(left_behind(ended.stdout)["recording"].parent)
    stereo, rate = soundfile.read(recording.audio, dtype="float32")
    assert (stereo.shape[1], rate) == (2, 24_000)
    assert likeness(stereo[:, 1], speech) > 0.99, ended.stderr
    assert likeness(stereo[:, 0], speech) < 0.3
    frames = [word.frame for word in recording.words()]
    assert frames
    assert frames == sorted(frames)
    assert frames[-1] < recording.seconds * 12.5


def test_without_a_microphone_the_loudspeaker_is_not_the_user(tmp_path: Path, rig: Rig) -> None:
    rig.unplug("mic")
    rig.unplug("other_mic")
    ended = run(tmp_path, "--headless", "--model", "echo", "--seconds", "2", sound=rig.env)
    assert ended.returncode == 0, ended.stderr
    assert "There is no microphone: a recorded user speaks in your place" in ended.stderr


def test_a_monitor_is_heard_where_it_is_named_and_that_is_told(tmp_path: Path, rig: Rig) -> None:
    rig.control("set-default-source", "speaker.monitor")
    line = ["--headless", "--model", "echo", "--seconds", "2"]
    ended = run(tmp_path, *line, sound=rig.env)
    assert ended.returncode == 1
    assert "The system's default microphone is only the monitor of a speaker." in ended.stderr
    ended = run(tmp_path, *line, "--microphone", "Monitor of Virtual-speaker", sound=rig.env)
    assert ended.returncode == 0, ended.stderr
    assert "“Monitor of Virtual-speaker” is no microphone" in ended.stderr


def test_a_device_is_named_by_its_label_and_a_wrong_name_is_told_before_the_talk(
    tmp_path: Path, rig: Rig
) -> None:
    line = ["--headless", "--model", "echo", "--seconds", "1"]
    ended = run(
        tmp_path, *line, "--microphone", "other-microphone", "--speaker", "pulse/other", sound=rig.env
    )
    assert ended.returncode == 0, ended.stderr
    assert "Talking (microphone: Other-microphone)" in ended.stderr
    ended = run(tmp_path, *line, "--speaker", "Other-speeker", sound=rig.env)
    assert ended.returncode == 1
    assert "There is no speaker called “Other-speeker”.\nDid you mean “Other-speaker”?" in ended.stderr
    assert "is ready" not in ended.stderr


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the sound devices away."""
    for name, text in SILENT.items():
        monkeypatch.setenv(name, text)


@pytest.mark.usefixtures("silent")
def test_no_record_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "--headless --model echo --seconds 0.5 --no-record"
    assert talk.main(line.split(), paths(tmp_path)) == 0
    assert not capsys.readouterr().out
    assert not (tmp_path / "recordings").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_talk_and_keeps_the_recording(tmp_path: Path, number: int) -> None:
    def send(process: Talking) -> None:
        time.sleep(0.6)
        process.send_signal(number)

    ended = run(tmp_path, "--headless", "--model", "echo", during=send)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert open_recording(left_behind(ended.stdout)["recording"].parent).seconds > 0.3


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("line", ["--model {}", "--model echo --input {}"])
def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path, line: str) -> None:
    nothing = tmp_path / "nothing"
    argv = ["--headless", *line.format(nothing).split()]
    with pytest.raises(UserError, match="nothing"):
        talk.main(argv, paths(tmp_path))


def test_the_command_line_wins_over_the_settings() -> None:
    settings = Settings(model="moshika", record=True, seed=3, microphone="a", speaker="b")
    options = parse(["--model", "tiny", "--no-record", "--microphone", "c", "--seed", "0"])
    assert chosen(settings, options) == Settings(
        model="tiny", record=False, seed=0, microphone="c", speaker="b"
    )
    assert chosen(settings, parse([])) == settings


def test_a_seed_out_of_its_limits_is_refused() -> None:
    with pytest.raises(UserError, match="seed"):
        chosen(Settings(), parse(["--seed", "-5"]))


def test_the_default_device_wins_over_the_settings_where_it_is_asked_for() -> None:
    settings = Settings(microphone="pulse/a", speaker="pulse/b")
    assert chosen(settings, Options()) == settings
    assert chosen(settings, Options(microphone="")) == Settings(microphone="", speaker="pulse/b")


@pytest.mark.parametrize("line", ["--seconds 0", "--seconds soon", "--dance"])
def test_a_command_line_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(line.split())


@pytest.mark.usefixtures("silent")
def test_a_damaged_settings_file_does_not_stop_the_talk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = paths(tmp_path)
    save(where.settings, Settings())
    where.settings.write_text("{")
    assert talk.main(["--headless", "--model", "echo", "--seconds", "0.3", "--no-record"], where) == 0
    assert "settings.toml.broken" in capsys.readouterr().err


def test_a_screen_that_qt_can_use_is_no_trouble() -> None:
    assert screen_trouble() == ""


def test_a_display_that_is_not_there_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    assert "can not be used" in screen_trouble()
    monkeypatch.delenv("DISPLAY")
    assert screen_trouble() == "There is no display."


def test_a_display_that_hangs_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.screen.SCREEN_S", 0.001)
    assert "does not answer" in screen_trouble()


def show(page: Page, words: list[tuple[int, str]]) -> None:
    page.show(Started("tiny", 0, Sampling(), "", "", None))
    for frame, text in words:
        page.show(Stepped(frame, -40.0, -40.0, 5.0, None))
        page.show(Spoke(frame, 7, text))
    page.close()


def test_words_become_a_line_until_the_model_pauses() -> None:
    out = io.StringIO()
    show(Page(out), [(0, " hello"), (2, " there"), (40, " mm")])
    assert out.getvalue() == "00:00  hello there\n00:03  mm\n"


def test_a_long_line_is_broken_between_words() -> None:
    out = io.StringIO()
    show(Page(out), [(frame, " seven77") for frame in range(20)])
    lines = out.getvalue().splitlines()
    assert len(lines) > 1
    assert all(len(line) < 80 and line.endswith("seven77") for line in lines)


def test_a_long_line_of_japanese_is_broken_anywhere() -> None:
    out = io.StringIO()
    show(Page(out), [(frame, "はい") for frame in range(60)])
    assert all(len(line) < 80 for line in out.getvalue().splitlines())


def test_skipped_and_starved_frames_are_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page(io.StringIO())
    page.show(Skipped(3, 2))
    page.show(Starved(4, 5))
    show(page, [])
    assert "2 frames skipped, 5 starved" in capsys.readouterr().err


def test_each_stage_of_a_load_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for stage, done in (("Downloading", 1), ("Downloading", 2), ("Warming up", 0)):
        progress.show(Loading(stage, done, 2))
    progress.end()
    assert capsys.readouterr().err == "Downloading\nWarming up\n"
