"""The list of keys on the Settings page is what the pages do."""

from __future__ import annotations

from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QLabel

from app.ui.shell.shortcuts import Shortcuts
from tests.ui.staging import Stage

SAID_WITH_ANOTHER = {
    "Ctrl+Enter",
    "Ctrl+2",
    "Ctrl+3",
    "Ctrl+4",
    "Ctrl+5",
    "Ctrl+Down",
    "Alt+2",
    "Alt+3",
    "Alt+4",
}


def test_every_key_of_the_window_is_listed(stage: Stage) -> None:
    bound = {each.key().toString() for each in stage.window.findChildren(QShortcut)}
    (listed,) = stage.window.setup.findChildren(Shortcuts)
    assert len(bound) > 15
    assert bound - SAID_WITH_ANOTHER <= listed.keys()
    words = " ".join(label.text() for label in listed.findChildren(QLabel))
    for key in SAID_WITH_ANOTHER & {"Ctrl+5", "Ctrl+Down", "Alt+4"}:
        assert key in words
