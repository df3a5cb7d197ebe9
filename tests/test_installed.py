"""The package as a stranger meets it: installed, double-clicked, talked with, removed."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import APP_ID
from app.audio.rig import Rig
from app.audio.wav import read_wav
from app.recordings import list_recordings
from tests.audio.conftest import rig
from tests.soak import screen
from tests.test_real_window import press, until

__all__ = ["rig"]  # the fixture

ROOT = Path(__file__).parent.parent
FETCHING_S = 900.0
"""How long 3 GB may take."""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.sound,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("apt-get") is None, reason="needs root and apt-get"),
]


@pytest.fixture(scope="module")
def built() -> Path:
    """Build what is given to people, and return the folder."""
    subprocess.run([ROOT / "packaging" / "build"], check=True)
    return ROOT / "dist"


@pytest.fixture
def installed(built: Path) -> Iterator[None]:
    """Install the .deb as a desktop's own installer does, and remove it in the end."""
    (package,) = built.glob("aizuchi_*_amd64.deb")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-q", "-y", "install", package], env=env, check=True)
    yield
    ended = subprocess.run(
        ["apt-get", "-q", "-y", "remove", "aizuchi"], capture_output=True, text=True, check=True
    )
    assert "Recordings, models and settings stay" in ended.stdout


def hold_talk(command: list[str], home: Path, rig: Rig) -> None:
    """Start the program with an empty home, wait, talk by keys and a microphone, and end it."""
    kept = {
        name: value for name, value in rig.env.items() if not name.startswith(("PYTHON", "VIRTUAL", "XDG_D"))
    }
    env = {**kept, "HOME": str(home), "DISPLAY": os.environ["DISPLAY"], "QT_QPA_PLATFORM": "xcb"}
    env["PYTHONPATH"] = "/nowhere"
    env["LD_LIBRARY_PATH"] = "/nowhere"
    data, logs = home / ".local/share/aizuchi", home / ".local/state/aizuchi/log/aizuchi.log"
    process = subprocess.Popen(command, env=env, cwd=home)
    try:
        deadline = time.monotonic() + FETCHING_S
        while not logs.exists():
            assert process.poll() is None, "it ended before the window came"
            assert time.monotonic() < deadline, "the packages did not come"
            time.sleep(1)
        until(lambda: "ready: the window is shown" in logs.read_text(), "the window")
        until(lambda: "model ready: starter" in logs.read_text(), "the model")
        press("ctrl+Return")
        settings = home / ".config/aizuchi/settings.toml"
        until(lambda: settings.exists() and "welcomed = true" in settings.read_text(), "the first answers")
        press("ctrl+Return")
        press("r")
        recordings = data / "recordings"
        until(lambda: list(recordings.glob("*/audio.wav")), "the recording to begin")
        assert rig.play(read_wav(ROOT / "app/data/user.flac")[: 24_000 * 8]).wait(30) == 0
        press("ctrl+Return")
        until(lambda: list(recordings.glob("*/audio.flac")), "the recording to be finished")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        (recording,) = list_recordings(recordings)
        assert recording.whole
        assert recording.words(), "the model spoke"
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("installed")
def test_the_package_is_installed_started_talked_with_and_removed(rig: Rig, tmp_path: Path) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(f"/usr/share/applications/{APP_ID}.desktop")
    command = shlex.split(entry["Desktop Entry"]["Exec"].replace("%f", ""))
    assert shutil.which(entry["Desktop Entry"]["TryExec"])
    assert Path(f"/usr/share/icons/hicolor/256x256/apps/{entry['Desktop Entry']['Icon']}.png").exists()
    with screen():
        hold_talk(command, tmp_path, rig)


def test_the_folder_of_the_appimage_starts_from_a_place_that_can_not_be_written(
    built: Path, rig: Rig, tmp_path: Path
) -> None:
    mount, home = tmp_path / "mount", tmp_path / "person"
    home.mkdir()
    shutil.copytree(built / "Aizuchi.AppDir", mount, symlinks=True)
    with screen():
        hold_talk([str(mount / "AppRun"), "talk"], home, rig)
    program = next((home / ".local/share/aizuchi/program").glob("*/portaudio")).parent
    for file in program.rglob("*"):
        assert not (file.is_symlink() and str(mount) in os.readlink(file)), "nothing points into the mount"
