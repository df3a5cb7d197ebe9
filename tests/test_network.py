"""A talk uses no network: it opens no socket of it, and is held on a computer that has none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.audio.rig import Rig
from tests.audio.conftest import rig

__all__ = ["rig"]  # the fixture

USER = Path(__file__).parent.parent / "app" / "data" / "user.flac"

WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        if event == "socket.bind" and arguments[1] == ("::1", 0):
            return  # a library looks whether there is IPv6
        family = getattr(arguments[0], "family", None)
        if event == "socket.getaddrinfo" or (family is not None and family.name.startswith("AF_INET")):
            print("NETWORK", event, arguments, file=sys.stderr)
sys.addaudithook(watch)
from app.cli import main
sys.exit(main(sys.argv[1:]))
"""


def offline(tmp_path: Path) -> list[str]:
    return [
        "--home",
        str(tmp_path / "home"),
        "offline",
        str(USER),
        str(tmp_path / "talk"),
        "--model",
        "starter",
    ]


def test_a_talk_opens_no_socket_of_the_network(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, *offline(tmp_path)],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "NETWORK" not in ended.stderr


def test_the_watch_sees_a_download(tmp_path: Path) -> None:
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    env.pop("HF_HUB_OFFLINE", None)
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, "--home", str(tmp_path), "models", "download", "moshika"],
        capture_output=True, text=True, timeout=100, check=False, env=env,
    )  # fmt: skip
    assert "NETWORK socket." in ended.stderr


@pytest.mark.sound
@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode != 0,
    reason="needs a network namespace of its own",
)
def test_a_live_talk_is_held_without_any_network(rig: Rig, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--home", str(tmp_path), "talk", "--headless", "--seconds", "3"]
    ended = subprocess.run(
        ["unshare", "-n", *command], env=rig.env, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert list(tmp_path.glob("recordings/*/audio.flac"))
