"""What is kept is told with its size, and goes to the trash when the user says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths
from app.store import locks
from app.ui.settings.storage import Kept


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    where = paths(tmp_path / "home")
    (where.recordings / "talk").mkdir(parents=True)
    (where.recordings / "talk" / "audio.flac").write_bytes(bytes(1_500_000))
    return where


def row(kept: Kept, text: str, name: str) -> QPushButton:
    return next(
        each
        for each in kept.findChildren(QPushButton)
        if each.text() == text and name in each.accessibleName()
    )


def test_sizes_are_told_and_recordings_go_to_the_trash(
    where: Paths, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    kept = Kept(where)
    qtbot.addWidget(kept)
    kept.show()
    kept.count()
    qtbot.waitUntil(lambda: kept._sizes[where.recordings].text() == "1.5 MB")
    qtbot.waitUntil(lambda: kept._sizes[where.cache].text() == "nothing")
    assert not row(kept, "Delete…", "can be made again").isEnabled()
    qtbot.mouseClick(row(kept, "Delete…", "Recordings"), Qt.MouseButton.LeftButton)
    (box,) = kept.findChildren(QMessageBox)
    assert "1.5 MB" in box.informativeText()
    keep, move = sorted(box.buttons(), key=lambda button: button.text())
    assert box.defaultButton() is keep, "Return keeps it"
    with qtbot.waitSignal(kept.deleted):
        qtbot.mouseClick(move, Qt.MouseButton.LeftButton)
    assert not where.recordings.exists()
    qtbot.waitUntil(lambda: kept._sizes[where.recordings].text() == "nothing")
    kept.shut()


def test_what_is_in_use_stays(
    where: Paths, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    kept = Kept(where)
    qtbot.addWidget(kept)
    talk = where.recordings / "talk"
    with locks.take(talk, "talk", "aizuchi"), qtbot.waitSignal(kept.trouble) as told:
        kept.throw_away(where.recordings)
    assert told.args[0].startswith("talk is in use: `aizuchi` is at work on it")
    assert talk.exists()
    kept.throw_away(where.recordings)
    assert not talk.exists()
    kept.shut()
