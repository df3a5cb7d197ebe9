"""`--voice`, `--role`, `--voice-consent`: asked about once, refused before a model is loaded, else used."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.commands import offline
from app.commands.prompt_arguments import asked_prompt, settle
from app.commands.talk import parse
from app.engine.events import Prompt, PromptSupport
from app.errors import UserError
from app.options import Options
from app.paths import paths
from app.prompts import ROLE_LETTERS, own_voice
from app.settings import Settings, load, save
from app.store.recordings import open_recording
from tests.engine.conftest import tiny
from tests.engine.published import make_published

__all__ = ["tiny"]  # the fixture

SUPPORT = PromptSupport(("NATF0", "NATM1"), own_voice=True, role=True)

ROOT = Path(__file__).parents[1]
QUESTION_S = 60


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "anna.flac"
    soundfile.write(path, np.zeros(24_000 * 3), 24_000)
    return path


def run(home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal, in the folder that the home is in."""
    return subprocess.run(
        [sys.executable, "-m", "app", "--home", str(home), *argv],
        cwd=home.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=QUESTION_S,
        check=False,
    )


def run_at_terminal(answers: str, home: Path, *argv: str) -> str:
    """Run the command at a terminal where these are the answers, and return what it printed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--home", str(home), *argv], stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    os.write(master, answers.encode())
    told = b""
    try:
        while block := os.read(master, 4_096):
            told += block
    except OSError:
        pass  # as a terminal ends
    process.wait(QUESTION_S)
    os.close(master)
    return told.decode()


@pytest.mark.parametrize("verb", ["talk", "offline"])
@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--model", "moshika", "--voice", "NATF0"), "moshika has one voice"),
        (("--model", "moshika", "--role", "You are Ann."), "moshika takes no role"),
        (("--model", "tiny", "--voice", "anna.flac"), "tiny has one voice"),
        (("--model", "echo", "--role", "@role.txt"), "echo takes no role"),
    ],
)
def test_a_model_that_takes_none_is_told_before_it_is_loaded(
    tmp_path: Path, sound: Path, verb: str, argv: tuple[str, ...], told: str
) -> None:
    (tmp_path / "role.txt").write_text("You are Ann.")
    files = ("--headless",) if verb == "talk" else (str(sound), str(tmp_path / "out"))
    ended = run(tmp_path / "home", verb, *files, *argv)
    assert ended.returncode == 1
    assert ended.stderr.startswith(told) and len(ended.stderr.splitlines()) == 2
    assert not (tmp_path / "home" / "models").exists()
    assert not (tmp_path / "out").exists()


def test_without_a_terminal_a_voice_of_a_person_needs_the_option(tmp_path: Path, sound: Path) -> None:
    home = tmp_path / "home"
    asked = ("talk", "--headless", "--model", str(tmp_path / "nowhere"), "--voice", str(sound))
    ended = run(home, *asked)
    assert ended.returncode == 1
    assert str(sound) in ended.stderr and "Add --voice-consent" in ended.stderr
    assert load(paths(home).settings).own_voices == ()
    ended = run(home, *asked, "--voice-consent")
    assert "nowhere" in ended.stderr and "consent" not in ended.stderr
    (voice,) = load(paths(home).settings).own_voices
    assert voice.file == str(sound)
    assert paths(home).settings.stat().st_mode & 0o777 == 0o600
    ended = run(home, *asked)
    assert "nowhere" in ended.stderr and "consent" not in ended.stderr, "once for each file"


@pytest.mark.parametrize(
    ("answers", "agreed"), [("Anna  Berg\ny\n", True), ("Anna\n\n", False), ("\n", False), ("\x04", False)]
)
def test_at_a_terminal_two_questions_are_asked(
    tmp_path: Path, sound: Path, answers: str, agreed: bool
) -> None:
    home = tmp_path / "home"
    asked = ("talk", "--headless", "--model", str(tmp_path / "nowhere"), "--voice", str(sound))
    told = run_at_terminal(answers, home, *asked)
    assert "Whose voice" in told
    assert ("is not used" in told) is not agreed
    assert [voice.whose for voice in load(paths(home).settings).own_voices] == ["Anna Berg"] * agreed
    if agreed:
        assert "Whose voice" not in run_at_terminal("", home, *asked)


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("a" * (ROLE_LETTERS + 1), f"{ROLE_LETTERS + 1} characters"),
        ("@/no/such/role.txt", "can not be read"),
        ("@/dev/zero", "can not be read"),
        ("@picture.png", "no text in UTF-8"),
    ],
)
def test_a_role_that_can_not_be_one_is_told(tmp_path: Path, role: str, told: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    ended = run(tmp_path / "home", "talk", "--headless", "--role", role)
    assert ended.returncode == 2
    assert told in ended.stderr and "Traceback" not in ended.stderr


def test_a_voice_is_a_name_or_a_whole_path_and_a_role_may_come_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("role.txt").write_text(" You are Ann.\r\nBe kind.\n", encoding="utf-8")
    options = parse(["--voice", "anna.wav", "--role", "@role.txt"])
    assert (options.voice, options.role) == (str(tmp_path / "anna.wav"), "You are Ann.\nBe kind.")
    assert parse(["--voice", "NATF0"]).voice == "NATF0"
    assert parse([]).role is None and parse(["--role", ""]).role == ""
    assert offline.parse(["in.wav", "out", "--voice", "NATF0"]).voice == "NATF0"


def test_what_is_asked_for_goes_before_what_was_chosen_once() -> None:
    chosen = Settings(voice="NATM1", role="You are Ann.")
    for options, expected in (
        (Options(), Prompt("NATM1", "You are Ann.")),
        (Options(voice="NATF0"), Prompt("NATF0", "You are Ann.")),
        (Options(role=""), Prompt("NATM1")),
        (Options(role="You are Bo."), Prompt("NATM1", "You are Bo.")),
    ):
        assert asked_prompt("m", SUPPORT, chosen, options) == expected
    assert asked_prompt("m", PromptSupport(), chosen, Options()) == Prompt()
    with pytest.raises(UserError, match="no voice called 'NATF9'") as refused:
        asked_prompt("m", SUPPORT, chosen, Options(voice="NATF9"))
    assert "NATF0, NATM1" in refused.value.advice


def test_a_chosen_file_that_is_gone_does_not_stop_another_voice(sound: Path) -> None:
    chosen = Settings(voice=str(sound), own_voices=(own_voice(sound, "Anna"),))
    sound.unlink()
    assert asked_prompt("m", SUPPORT, chosen, Options(voice="NATF0")) == Prompt("NATF0")
    with pytest.raises(UserError, match="no sound file"):
        asked_prompt("m", SUPPORT, chosen, Options())


@pytest.fixture(scope="module")
def model(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_published(tiny, tmp_path_factory.mktemp("published") / "personaplex")


def test_a_file_is_answered_in_a_voice_and_a_role(tmp_path: Path, model: Path) -> None:
    sound = tmp_path / "user.wav"
    soundfile.write(sound, 0.1 * np.sin(np.arange(24_000) / 9), 24_000)
    said = []
    for number, asked in enumerate((("NATM1", "You are Ann."), ("NATM1.pt", "You are Bo."), ("NATX", ""))):
        out = tmp_path / f"out{number}"
        words = ("--model", str(model), "--voice", asked[0], "--role", asked[1], "--seed", "3", "--json")
        ended = run(tmp_path / "home", "offline", str(sound), str(out), *words)
        if asked[0] == "NATX":
            assert ended.returncode == 1
            assert "has no voice called 'NATX'" in ended.stderr and "NATF0, NATF1" in ended.stderr
            continue
        told = json.loads(ended.stdout)
        assert (told["voice"], told["role"]) == ("NATM1", asked[1])
        assert open_recording(out).prompt == {"voice": "NATM1", "role": asked[1]}
        said.append(soundfile.read(out / "audio.flac")[0][:, 0])
    assert not np.array_equal(*said), "who it is makes a difference"


def test_a_talk_without_a_window_tells_that_it_reads_and_whose_voice_it_has(
    tmp_path: Path, model: Path
) -> None:
    sound = tmp_path / "anna.wav"
    soundfile.write(sound, 0.1 * np.sin(np.arange(24_000 * 2) / 20), 24_000)
    words = ("--model", str(model), "--voice", str(sound), "--voice-consent", "--role", "You are Ann.")
    ended = run(tmp_path / "home", "talk", "--headless", "--seconds", "1", "--input", str(sound), *words)
    assert ended.returncode == 0, ended.stderr
    told = ended.stderr
    assert told.index("is ready") < told.index("can not hear you yet") < told.index("Talking")
    assert "voice       anna.wav\nrole        You are Ann.\nrecording   " in ended.stdout


def test_a_consent_changes_nothing_else_in_the_settings(tmp_path: Path, sound: Path) -> None:
    path = tmp_path / "settings.toml"
    chosen = Settings(model="moshika", volume=0.5)
    save(path, chosen)
    agreed = settle(chosen, Options(model="/mine", voice=str(sound), voice_consent=True), path)
    assert load(path) == agreed
    assert (agreed.model, agreed.volume, agreed.voice) == ("moshika", 0.5, "")
