"""The shell scripts find what is missing and say so, and the README tells what there is.

What only root may do, or another distribution has, is played by small scripts on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app import APP_ID

ROOT = Path(__file__).parent.parent
SCRIPTS = ("packaging/talk", "packaging/test", "packaging/prepare.sh", "packaging/starter", ".ci/run")
TOOLS = ("sh", "tr", "awk", "getent", "cut", "id", "cat", "env", "df", "dirname", "fc-list")
"""What the scripts use of the system, beside package managers and Python."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder for PATH, with nothing in it but TOOLS."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


def program(folder: Path, name: str, body: str) -> None:
    """Put a shell script on PATH that also notes how it was called."""
    file = folder / name
    file.unlink(missing_ok=True)
    file.write_text(f'#!/bin/sh\necho "{name} $*" >>"{folder}/calls"\n{body}\n')
    file.chmod(0o755)


def calls(folder: Path, name: str) -> list[str]:
    file = folder / "calls"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line for line in lines if line.split()[0] == name]


def debian(folder: Path, *, installed: str, known: str = "", root: bool = True) -> None:
    """Play a Debian on which some packages are installed and apt knows some others."""
    program(folder, "dpkg-query", f"for p in {installed}; do printf 'installed:%s ' $p; done")
    program(folder, "apt-cache", f'for k in {known}; do [ "$3" = $k ] && exit 0; done; exit 1')
    program(folder, "apt-get", "exit 0")
    program(folder, "id", f"echo {0 if root else 1000}")


def prepare(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-uc", f". {ROOT}/packaging/prepare.sh; {code}"],
        env={"PATH": str(folder), "HOME": os.environ["HOME"]} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )


def test_the_shell_scripts_have_no_known_flaw() -> None:
    ended = subprocess.run(
        ["shellcheck", "-x", *SCRIPTS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_what_is_installed_is_left_alone(programs: Path) -> None:
    debian(programs, installed="one libtwo-0t64")
    ended = prepare(programs, "install_packages one libtwo-0")
    assert ended.returncode == 0
    assert not ended.stderr
    assert not calls(programs, "apt-get")


def test_only_what_is_missing_is_installed_under_the_name_that_apt_knows(programs: Path) -> None:
    debian(programs, installed="one", known="libtwo-0t64 three")
    prepare(programs, "install_packages one libtwo-0 three")
    assert calls(programs, "apt-get") == ["apt-get -q -y install --no-install-recommends libtwo-0t64 three"]


def test_the_lists_of_apt_are_fetched_when_they_do_not_know_a_package(programs: Path) -> None:
    debian(programs, installed="one")
    ended = prepare(programs, "install_packages two; echo went on")
    assert calls(programs, "apt-get") == ["apt-get -q -y update"]
    assert "does not offer" in ended.stderr
    assert ended.stdout == "went on\n"


def test_a_package_that_does_not_exist_does_not_hold_up_the_others(programs: Path) -> None:
    debian(programs, installed="one", known="three")
    prepare(programs, "install_packages two three")
    assert calls(programs, "apt-get")[-1] == "apt-get -q -y install --no-install-recommends three"


def test_without_root_the_missing_packages_are_named_in_one_sentence(programs: Path) -> None:
    debian(programs, installed="one", root=False)
    ended = prepare(programs, "install_packages one two three; echo went on")
    assert ended.stderr.strip().splitlines() == [
        "These system packages are missing and only root may install them: two three"
    ]
    assert ended.stdout == "went on\n"


def test_with_sudo_the_missing_packages_are_installed(programs: Path) -> None:
    debian(programs, installed="one", known="two", root=False)
    program(programs, "sudo", '[ "$1" = -n ] || "$@"')
    prepare(programs, "install_packages two")
    assert calls(programs, "apt-get") == ["apt-get -q -y install --no-install-recommends two"]


def test_another_distribution_is_told_what_is_needed(programs: Path) -> None:
    ended = prepare(programs, "install_packages one; echo went on")
    assert "PortAudio" in ended.stderr
    assert ended.stdout == "went on\n"


def test_an_uv_that_does_not_run_is_passed_over(programs: Path, home: Path) -> None:
    program(programs, "uv", "exit 127")
    own = home / ".local" / "bin"
    own.mkdir(parents=True)
    program(own, "uv", "echo uv 1.0")
    assert prepare(programs, "find_uv").stdout == f"{own}/uv\n"


def test_an_uv_on_the_path_is_used(programs: Path) -> None:
    program(programs, "uv", "echo uv 1.0")
    assert prepare(programs, "find_uv").stdout == "uv\n"


def test_a_home_that_is_not_named_is_found(programs: Path) -> None:
    assert prepare(programs, 'printf %s "$HOME"', HOME="").stdout.startswith("/")


def test_a_disk_without_room_is_told_before_anything_is_fetched(programs: Path) -> None:
    program(programs, "uv", "exit 0")
    program(programs, "df", "echo head; echo /dev/sda1 9000000 4000000 5000000 44% /")
    ended = prepare(programs, "sync_environment")
    assert ended.returncode == 1
    assert "12 GB" in ended.stderr
    assert "only 5 GB" in ended.stderr
    assert calls(programs, "uv") == ["uv --version"]


def test_the_two_scripts_do_not_undo_each_other() -> None:
    assert "--inexact" in (ROOT / "packaging" / "talk").read_text()


def test_the_readme_tree_has_every_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = readme.partition("<!-- tree -->")[2].partition("<!-- /tree -->")[0]
    named: list[str] = []
    for line in tree.splitlines():
        if (found := re.match(r"( *)([\w/]+)/ ", line)) is not None:
            depth = len(found[1]) // 2
            named = [*named[:depth], found[2]] if depth else [found[2]]
            tree = tree.replace(line, "/".join(named), 1)
    told = set(tree.split())
    packages = (file for top in ("app", "training") for file in (ROOT / top).rglob("__init__.py"))
    there = {str(file.parent.relative_to(ROOT)) for file in packages}
    assert not there - told
    ours = [name for name in told if name.partition("/")[0] in ("app", "training")]
    assert not [name for name in ours if not (ROOT / name).is_dir()]


@pytest.mark.slow
def test_talk_from_nothing(tmp_path: Path) -> None:
    """A clean clone, an empty home, a PATH without uv; needs a network, fetches 3 GB."""
    clone, home = tmp_path / "clone", tmp_path / "empty"
    home.mkdir()
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, timeout=60)
    ended = subprocess.run(
        [str(clone / "packaging" / "talk"), "--headless", "--seconds", "2"],
        env={"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    paths = [Path(line.split(maxsplit=1)[1]) for line in ended.stdout.splitlines()[-3:]]
    assert [path.name for path in paths] == ["audio.flac", "transcript.txt", "timeline.png"]
    assert all(path.is_file() for path in paths)


DESKTOP = ROOT / "packaging" / "desktop"


def test_desktops_accept_what_describes_the_program(tmp_path: Path) -> None:
    subprocess.run(["desktop-file-validate", DESKTOP / f"{APP_ID}.desktop"], check=True)
    described = (DESKTOP / f"{APP_ID}.metainfo.xml").read_text()
    told = described.replace("@VERSION@", "0.1.0").replace("@DATE@", "2026-11-25")
    metainfo = tmp_path / f"{APP_ID}.metainfo.xml"
    metainfo.write_text(told)
    subprocess.run(["appstreamcli", "validate", "--no-net", metainfo], check=True)
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"{APP_ID}.xml").write_bytes((DESKTOP / f"{APP_ID}.xml").read_bytes())
    subprocess.run(["update-mime-database", tmp_path], check=True)
    assert "vnd.aizuchi.recording+zip" in (tmp_path / "globs").read_text()


def test_the_same_id_is_used_everywhere() -> None:
    assert APP_ID.lower() == APP_ID
    for name in (f"{APP_ID}.desktop", f"{APP_ID}.metainfo.xml", f"{APP_ID}.xml", f"{APP_ID}.svg"):
        assert (DESKTOP / name).is_file()
    entry = (DESKTOP / f"{APP_ID}.desktop").read_text()
    assert f"Icon={APP_ID}\n" in entry
    assert f"StartupWMClass={APP_ID}\n" in entry
    for file in ("build", "installer_window.py"):
        assert APP_ID in (ROOT / "packaging" / file).read_text()
