"""Each version has an environment of its own, which nothing takes away while it is used or installed.

The real `launch` and the real installer, with an uv and a Python that fetch nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parent.parent / "packaging"

UV = """#!/bin/sh
echo "uv $*" >>"$HOME/fetched"
[ "$1" = venv ] || exit 0
for folder; do :; done
mkdir -p "$folder/bin"
cat >"$folder/bin/python" <<'END'
#!/bin/sh
if [ "$1" = -m ]; then
    echo "started $0"
    [ -z "${HOLD:-}" ] || exec sleep 100
    exit 0
fi
exec {python} "$@"
END
chmod +x "$folder/bin/python"
"""
"""Makes an environment whose Python runs the installer, and in the place of the program says where it is."""


def package(folder: Path, version: str) -> Path:
    """Install a version, in place of another one in the same folder, and return what starts it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in "launch", "installer.py":
        shutil.copy(PACKAGING / name, folder)
    (folder / "version").write_text(f"{version}\n")
    (folder / "bytes").write_text("1000000000")
    for name in "requirements.txt", "window.txt", "aizuchi-1-py3-none-any.whl":
        (folder / name).touch()
    (folder / "uv").write_text(UV.replace("{python}", sys.executable))
    (folder / "uv").chmod(0o755)
    return folder / "launch"


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


@pytest.fixture
def programs(home: Path) -> Path:
    return home / ".local/share/aizuchi/program"


def start(
    launch: Path, env: dict[str, str], *options: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [launch, *options], env=env, capture_output=True, text=True, timeout=100, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode == status, ended.stderr
    return ended


@pytest.fixture
def running(env: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return version 1, set up and running, as an AppImage that is a folder."""
    launch = package(tmp_path / "one", "1")
    start(launch, env)
    process = subprocess.Popen([launch], env={**env, "HOLD": "1"}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "started" in process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def there(programs: Path) -> list[str]:
    return sorted(each.name for each in programs.iterdir())


def fetched(home: Path) -> int:
    return len((home / "fetched").read_text().splitlines())


def test_versions_stand_side_by_side_and_going_back_fetches_nothing(
    env: dict[str, str], home: Path, programs: Path, tmp_path: Path
) -> None:
    one, two = package(tmp_path / "one", "1"), package(tmp_path / "two", "2")
    for launch, version in (one, "1"), (two, "2"):
        assert start(launch, env).stdout.endswith(f"started {programs}/{version}/env/bin/python\n")
    asked = fetched(home)
    for launch in one, two, one:
        start(launch, env)
    assert fetched(home) == asked
    assert there(programs) == ["1", "2"]


def test_what_other_versions_take_is_told(env: dict[str, str], programs: Path, tmp_path: Path) -> None:
    start(package(tmp_path / "one", "1"), env)
    with (programs / "1" / "large").open("wb") as file:
        file.truncate(2_340_000_000)
    told = start(package(tmp_path / "two", "2"), env).stderr
    assert "Packages of other versions are kept" in told
    assert "1 (2.3 GB)" in told
    assert str(programs) in told


def test_an_upgrade_leaves_the_last_version_to_go_back_to_and_removes_older_ones(
    env: dict[str, str], programs: Path, tmp_path: Path
) -> None:
    for version in "1", "2", "3":
        start(package(tmp_path / "installed", version), env)
        time.sleep(0.02)
    assert there(programs) == ["2", "3"]
    start(package(tmp_path / "installed", "2"), env)
    start(package(tmp_path / "installed", "4"), env)
    assert there(programs) == ["2", "4"], "the one used last before is kept"


def test_a_version_that_runs_is_never_removed(
    running: subprocess.Popen[str], env: dict[str, str], programs: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "one")
    for version in "2", "3":
        start(package(tmp_path / "installed", version), env)
    assert there(programs) == ["1", "2", "3"]
    assert running.poll() is None
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    start(package(tmp_path / "installed", "4"), env)
    assert there(programs) == ["3", "4"]


def test_training_that_goes_on_by_itself_keeps_its_environment(
    env: dict[str, str], programs: Path, tmp_path: Path
) -> None:
    start(package(tmp_path / "installed", "1"), env)
    trainer = programs / "1" / "env" / "bin" / "trainer"
    trainer.symlink_to(shutil.which("sleep") or "")
    with subprocess.Popen([trainer, "100"]) as process:
        for version in "2", "3":
            start(package(tmp_path / "installed", version), env)
        assert there(programs) == ["1", "2", "3"]
        process.kill()


def test_what_runs_is_not_repaired_under_its_feet(
    running: subprocess.Popen[str], env: dict[str, str], programs: Path, tmp_path: Path
) -> None:
    told = start(tmp_path / "one" / "launch", env, "--repair", status=1).stderr
    assert "Aizuchi 1 is running: end it, then repair it." in told
    assert running.poll() is None
    running.kill()
    running.wait()
    (programs / "1" / "broken").touch()
    start(tmp_path / "one" / "launch", env, "--repair")
    assert not (programs / "1" / "broken").exists()


def test_a_version_is_set_up_by_one_at_a_time(env: dict[str, str], programs: Path, tmp_path: Path) -> None:
    launch = package(tmp_path / "one", "1")
    (programs / "1.part").mkdir(parents=True)
    with (programs / "1.part" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "is being set up already" in start(launch, env, status=1).stderr
        other = package(tmp_path / "two", "2")
        (programs / "cache").mkdir()
        start(other, env)
        assert there(programs) == ["1.part", "2", "cache"], "what another is unpacking stays"
    start(launch, env)
    assert there(programs) == ["1", "2"]


def test_an_environment_that_says_nothing_of_its_package_is_left_alone(
    env: dict[str, str], programs: Path, tmp_path: Path
) -> None:
    (programs / "0.9" / "env").mkdir(parents=True)
    for version in "1", "2":
        start(package(tmp_path / "installed", version), env)
    assert there(programs) == ["0.9", "1", "2"]
