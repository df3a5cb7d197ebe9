"""No process of the window uses the network, but for a download that the user asked for."""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.engine.events import Loading, Trouble
from app.paths import Paths, paths
from app.ui.models.model_download import Fetching
from app.ui.shell import launch
from app.ui.shell.verb_process import Errand
from app.ui.training.run.process import start_detached
from tests.ui.staging import Stage

UI = Path(launch.__file__).parent
TELL = "import os; print(os.environ.get('HF_HUB_OFFLINE'), flush=True)"

SLOW = """
import json, pathlib, sys, time
print(json.dumps({"done": 1, "total": 4}), flush=True)
while pathlib.Path(sys.argv[1], "slow").exists():
    time.sleep(0.02)
print(json.dumps({"done": 4, "total": 4}), flush=True)
"""


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user not have switched downloads off."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the verbs be a few lines of Python, which get the home as their first argument."""

    def command(where: Paths) -> list[str]:
        return [sys.executable, "-c", code, str(where.config.parent)]

    monkeypatch.setattr("app.ui.shell.verb_process.child_command", command)
    monkeypatch.setattr("app.ui.training.run.process.child_command", command)


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "prepare", "talks", "--model", "moshika"], "1"),
        (["data", "transcribe", "talks"], "1"),
        (["train", "--plan", "a.toml"], "1"),
        (["export", "talks-1"], "1"),
        (["models", "list", "--json"], "1"),
        (["models", "verify", "moshika"], "1"),
        (["doctor"], "1"),
        (["models", "download", "moshika", "--json"], "None"),
    ],
)
def test_a_verb_is_offline_unless_it_is_a_download(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    stand_in(monkeypatch, TELL)
    parent = QObject()
    errand = Errand(arguments, paths(tmp_path), parent)
    with qtbot.waitSignal(errand.done, timeout=20_000) as told:
        pass
    assert told.args == [0, f"{said}\n", ""]


def test_a_download_is_offline_too_where_the_user_wants_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    stand_in(monkeypatch, TELL)
    parent = QObject()
    errand = Errand(["models", "download", "moshika"], paths(tmp_path), parent)
    with qtbot.waitSignal(errand.done, timeout=20_000) as told:
        pass
    assert told.args[1] == "1\n"


@pytest.mark.usefixtures("online")
def test_training_that_outlives_the_window_is_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, TELL)
    log = tmp_path / "train.log"
    assert start_detached(["train", "a.toml"], log, paths(tmp_path)) > 0
    deadline = time.monotonic() + 20
    while not log.read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert log.read_text() == "1\n"


@pytest.mark.usefixtures("online")
def test_any_other_process_is_offline() -> None:
    parent = QObject()
    names = launch.new_process(parent).processEnvironment()
    assert names.value(launch.OFFLINE) == "1"
    assert names.contains("PATH")


def test_processes_are_made_in_one_place() -> None:
    """What makes a process elsewhere would not be asked whether it may use the network."""
    made = []
    for file in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("QProcess", "subprocess.Popen", "os.system") or "startDetached" in called:
                    made.append(file.name)
    assert set(made) == {"launch.py"}


@pytest.mark.usefixtures("online")
def test_the_status_line_follows_a_download(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    stand_in(monkeypatch, SLOW)
    home = stage.where.config.parent
    home.mkdir(parents=True, exist_ok=True)
    (home / "slow").touch()
    status = stage.window.status
    assert "network off" in status.text
    shares: list[float | None] = []
    stage.window.models.downloading.connect(shares.append)
    stage.window.models._begin_fetching("moshiko")
    assert "network on" in status.text, "from before the first answer of the hub"
    qtbot.waitUntil(lambda: 0.25 in shares, timeout=20_000)
    # What a load or a talk tells meanwhile does not make it untrue.
    stage.beat(Loading("Reading the weights", 1, 2))
    stage.load()
    stage.beat(Trouble("The sound was lost and is being set up again.", ""))
    assert "network on" in status.text
    (home / "slow").unlink()
    qtbot.waitUntil(lambda: shares[-1] is None, timeout=20_000)
    assert "network off" in status.text


def test_trouble_beside_a_download_of_a_load_leaves_the_line_true(stage: Stage) -> None:
    stage.beat(Loading("Downloading model.safetensors", 1, 2))
    stage.beat(Trouble("The sound was lost and is being set up again.", ""))
    assert "network on" in stage.window.status.text
    assert "no model" not in stage.window.status.text
    stage.load()
    assert "network off" in stage.window.status.text


def test_closing_the_page_ends_what_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    stand_in(monkeypatch, SLOW)
    home = stage.where.config.parent
    home.mkdir(parents=True, exist_ok=True)
    (home / "slow").touch()
    stage.window.models._begin_fetching("moshiko")
    (fetching,) = stage.window.models.findChildren(Fetching)
    stage.window.models.shut()
    assert "network off" in stage.window.status.text
    assert fetching.parent() is stage.window.models
