"""What holds voices or words is for its owner alone, also what earlier versions left open."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audio.recorder import Recorder
from app.paths import Paths, paths
from app.store.datasets import create_dataset
from app.store.privacy import tighten
from app.store.recordings import list_recordings
from tests.ui.recorded import record_dialogue


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


@pytest.fixture(autouse=True)
def open_by_default() -> Iterator[None]:
    """Let files be open to others, as they are on most systems."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(root: Path) -> list[str]:
    """Return what others may do anything with."""
    found = [path for path in (root, *root.rglob("*")) if not path.is_symlink()]
    return [str(path) for path in found if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


def test_a_talk_on_the_command_line_leaves_nothing_open(where: Paths, tmp_path: Path) -> None:
    home = where.config.parent
    user = Path(record_dialogue(tmp_path / "user", span_s=(0, 2)) / "audio.flac")
    talk = ["talk", "--headless", "--model", "echo", "--input", str(user), "--seconds", "1"]
    command = [sys.executable, "-m", "app", "--home", str(home), *talk]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o022, timeout=120)
    assert ended.returncode == 0, ended.stderr
    (recording,) = list_recordings(where.recordings)
    names = {path.name for path in recording.folder.iterdir()}
    assert {"audio.flac", "session.json", "events.jsonl", "transcript.txt", "timeline.png"} <= names
    assert (where.logs / "aizuchi.log").exists()
    assert open_to_others(home) == []
    exported = recording.export(where.recordings / "exported")
    assert exported[0].exists() and open_to_others(where.recordings) == []


def test_a_recording_and_a_dataset_are_private_while_they_are_made(where: Paths) -> None:
    recorder = Recorder(where.recordings, model="echo", details={}, on_failure=lambda *_: None)
    assert open_to_others(where.recordings) == []
    recorder.close()
    dataset = create_dataset(where.datasets / "talks")
    assert open_to_others(where.recordings) == open_to_others(dataset.folder) == []


def test_what_earlier_versions_left_open_is_closed(where: Paths, tmp_path: Path) -> None:
    folder = record_dialogue(where.recordings, span_s=(0, 1))
    (where.datasets / "talks" / "audio").mkdir(parents=True)
    (where.datasets / "talks" / "audio" / "one.flac").touch()
    (where.runs / "mine" / "checkpoints" / "step-000001").mkdir(parents=True)
    (where.runs / "mine" / "metrics.jsonl").touch()
    where.logs.mkdir()
    (where.logs / "aizuchi.log").touch()
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    (folder / "link").symlink_to(outside)
    assert open_to_others(where.recordings)
    tighten(where)
    assert open_to_others(where.config.parent) == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert stat.S_IMODE((where.runs / "mine").stat().st_mode) == 0o700
    assert stat.S_IMODE((where.logs / "aizuchi.log").stat().st_mode) == 0o600


def test_what_nobody_may_read_stays_so(where: Paths) -> None:
    folder = record_dialogue(where.recordings, span_s=(0, 1))
    folder.chmod(0o005)
    tighten(where)
    assert stat.S_IMODE(folder.stat().st_mode) == 0
