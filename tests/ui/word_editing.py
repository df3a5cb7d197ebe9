"""What the tests of the word editor share: a dataset, the editor on it, and a hand and keys to edit with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.store.datasets import Dataset, TimedWord, read_words
from app.ui.training.edit.page import WordEditor
from tests.ui.checked import make_dataset, words

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
LEFT = Qt.MouseButton.LeftButton
FIRST = words()[0]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "kyoto", 2, spoken=True)


@pytest.fixture
def editor(dataset: Dataset, qtbot: QtBot) -> Iterator[WordEditor]:
    editor = WordEditor()
    qtbot.addWidget(editor)
    editor.resize(1180, 640)
    editor.open(dataset, "talk-01")
    editor.show()
    editor.activateWindow()
    qtbot.waitUntil(lambda: editor.is_read and editor.isActiveWindow())
    editor.take_focus()
    yield editor
    editor.shut()


def place(editor: WordEditor, time_s: float, speaker: str = "A") -> QPoint:
    """Return where a time of a voice is in the sound."""
    sound = editor.sound
    lane = sound.lanes[0 if speaker == "A" else 1]
    return QPoint(round(sound.view.x(time_s)), round(lane.sound.middle))


def click(editor: WordEditor, time_s: float, speaker: str = "A") -> None:
    QTest.mouseClick(editor.sound, LEFT, pos=place(editor, time_s, speaker))


def drag(editor: WordEditor, start: QPoint, end: QPoint) -> None:
    sound = editor.sound
    QTest.mousePress(sound, LEFT, pos=start)
    for share in (0.3, 0.6, 1.0):
        step = start + (end - start) * share
        QTest.mouseMove(sound, step)
        QApplication.processEvents()
    QTest.mouseRelease(sound, LEFT, pos=end)


def press(editor: WordEditor, key: Qt.Key, modifiers: Qt.KeyboardModifier | None = None) -> None:
    QTest.keyClick(editor.sound, key, modifiers or Qt.KeyboardModifier.NoModifier)


def chosen(editor: WordEditor) -> TimedWord:
    key = editor.sound.chosen_key
    assert key is not None
    return editor.words.word(key)


def on_disk(dataset: Dataset, dialogue: str = "talk-01") -> list[TimedWord]:
    return read_words(dataset.text(dialogue))


def button(editor: WordEditor, text: str) -> QPushButton:
    return next(found for found in editor.findChildren(QPushButton) if found.text().startswith(text))
