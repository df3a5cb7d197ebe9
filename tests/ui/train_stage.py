"""What the tests of the Train page share: waiting, buttons, what was asked of the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.engine.events import Unloaded
from app.store.runs import open_run
from app.ui.training.page import TRAIN, TrainPage
from tests.ui.staging import Stage
from tests.ui.trained import make_dataset

PATIENCE_MS = 20_000


def button(widget: QWidget, text: str) -> QPushButton:
    return next(
        found
        for found in widget.findChildren(QPushButton)
        if found.text() == text and found.isVisibleTo(widget)
    )


def wait(qtbot: QtBot, there: Callable[[], bool]) -> None:
    qtbot.waitUntil(there, timeout=PATIENCE_MS)


def asked(home: Path) -> list[str]:
    return (home / "asked").read_text(encoding="utf-8").splitlines() if (home / "asked").exists() else []


def step_of(page: TrainPage) -> int:
    return page._stack.currentIndex()


def show_run(page: TrainPage, folder: Path) -> None:
    page.show_step(TRAIN)
    page.run.show_run(folder)


def begin(page: TrainPage, stage: Stage, qtbot: QtBot) -> Path:
    """Start a run as a user does, the model in memory given back first."""
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: button(page.run, "Train").isEnabled())
    button(page.run, "Train").click()
    stage.beat(Unloaded())
    folder = stage.where.runs / "my-talks-1"
    wait(qtbot, lambda: (folder / "run.json").exists() and open_run(folder).alive)
    return folder


def question(stage: Stage, answer: str) -> QAbstractButton:
    stage.window.close()
    (box,) = stage.window.findChildren(QMessageBox)
    assert "Training goes on without the window" in box.text()
    return next(each for each in box.buttons() if each.text() == answer)
