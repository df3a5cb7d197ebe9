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

from app import APP_ID, __version__
from app.audio.rig import Rig
from app.audio.wav import read_wav
from app.store.recordings import list_recordings
from tests.audio.conftest import rig
from tests.soak import screen
from tests.test_real_window import press, until

__all__ = ["rig"]  # the fixture

ROOT = Path(__file__).parent.parent
FETCHING_S = 900.0
"""How long 3 GB may take."""
MOUNTS = all(map(shutil.which, ("appimagetool", "fusermount3"))) and os.access("/dev/fuse", os.W_OK)
"""Whether an AppImage is made here, and can be mounted."""
STRIPPED = {"APPDIR", "APPIMAGE", "ARGV0", "OWD", "LD_LIBRARY_PATH", "PYTHONPATH"}
"""What an AppImage or another Python sets, and the program must not hand on."""

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
        handed = Path(f"/proc/{process.pid}/environ").read_text().split("\0")
        assert not STRIPPED & {each.partition("=")[0] for each in handed}
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


@pytest.fixture(
    params=[
        pytest.param("file", marks=pytest.mark.skipif(not MOUNTS, reason="needs appimagetool and FUSE")),
        pytest.param("folder", marks=pytest.mark.skipif(MOUNTS, reason="the AppImage itself is started")),
    ]
)
def appimage(request: pytest.FixtureRequest, built: Path, tmp_path: Path) -> Path:
    """Return what a double click starts: a copy of the AppImage, or of its folder as it would be mounted."""
    if request.param == "folder":
        return shutil.copytree(built / "Aizuchi.AppDir", tmp_path / ".mount_", symlinks=True) / "AppRun"
    (made,) = built.glob("Aizuchi-*-x86_64.AppImage")
    # Under this name it is found among the mounts.
    return Path(shutil.copy(made, tmp_path / f"{tmp_path.name}.AppImage"))


def test_the_appimage_starts_and_leaves_nothing_behind_that_needs_its_mount(
    appimage: Path, rig: Rig, tmp_path: Path
) -> None:
    home = tmp_path / "person"
    home.mkdir()
    with screen():
        hold_talk([str(appimage)], home, rig)
    until(lambda: appimage.name not in Path("/proc/mounts").read_text(), "the mount to go")
    program = next((home / ".local/share/aizuchi/program").glob("*/portaudio")).parent
    for file in program.rglob("*"):
        assert not (file.is_symlink() and ".mount_" in os.readlink(file)), "nothing points into the mount"
    # Without FUSE it unpacks itself; what the first start made is used again.
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "APPIMAGE_EXTRACT_AND_RUN": "1"}
    ended = subprocess.run([appimage, "--version"], env=env, capture_output=True, text=True, check=True)
    assert ended.stdout == f"aizuchi {__version__}\n"
