"""What the tests of the window share: the theme, and a staged window that is closed at the end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths
from app.settings import Settings
from app.store.runs import list_runs
from app.ui.shell import theme
from app.ui.training.page import TrainPage
from tests.ui.staging import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass what the offscreen platform says about the smallest size of each window."""
    for item in items:
        if "/ui/" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", extend=True))


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    """Begin each test in the light scheme."""
    if qapp.findChild(theme._Dresser) is None:
        theme.apply(qapp, "light")
    theme.set_scheme("light")


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    """A window with a model in memory and nobody talking."""
    staged = Stage(Settings(model="moshika"), paths(tmp_path / "stage"))
    staged.window.show()
    staged.window.activateWindow()
    qtbot.waitUntil(staged.window.isActiveWindow)
    staged.load()
    yield staged
    staged.window.leave()


@pytest.fixture(autouse=True)
def widgets_gone(qapp: QApplication) -> Iterator[None]:
    """Delete what a test leaves, so that later ones do not dress it again and again."""
    yield
    for widget in qapp.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> Iterator[Path]:
    """Let children be the quick stand-in for the command; return its home. Ends what trains."""
    home = stage.where.config.parent
    home.mkdir(parents=True, exist_ok=True)

    def stand_in(where: Paths) -> list[str]:
        return [sys.executable, "-m", "tests.ui.train_command", str(where.config.parent)]

    monkeypatch.setattr("app.ui.shell.verb_process.child_command", stand_in)
    monkeypatch.setattr("app.ui.training.run.process.child_command", stand_in)
    yield home
    (home / "slow").unlink(missing_ok=True)
    for run in list_runs(stage.where.runs):
        if run.alive:
            os.kill(run.values["pid"], signal.SIGKILL)


@pytest.fixture
def page(stage: Stage) -> TrainPage:
    stage.window.show_page(3)
    return stage.window.train
