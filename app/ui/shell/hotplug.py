"""Tells when sound devices come and go, or another one becomes the default one.

The sound server is asked to say so; without one, it is looked now and then. Knows nothing about which devices
there are.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.audio.server import ENGLISH
from app.ui.shell.launch import new_process

SETTLE_MS = 700
"""A headset comes as several devices, one after the other."""

LOOK_MS = 2_000
AGAIN_MS = 5_000
"""How long after the sound server went it is asked again."""

CARDS = Path("/proc/asound/cards")
NEWS = (
    *(
        f"'{event}' on {what} #".encode()
        for event in ("new", "remove")
        for what in ("sink", "source", "card")
    ),
    b"'change' on server",
)
"""What pactl says then, in English; another default device is a change of the server."""


class Hotplug(QObject):
    """Emits `changed` a moment after the last device came or went."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.changed)
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._compare)
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._subscribe)
        self._cards = _cards()
        self._server = new_process(self, variables=ENGLISH)
        self._server.readyReadStandardOutput.connect(self._hear)
        self._server.finished.connect(lambda *_: self._again.start())
        if shutil.which("pactl"):
            self._subscribe()
        if CARDS.exists():
            self._look.start()

    def close(self) -> None:
        """Stop looking."""
        self._server.finished.disconnect()
        for timer in (self._settle, self._look, self._again):
            timer.stop()
        self._server.kill()
        self._server.waitForFinished(1000)

    def _subscribe(self) -> None:
        self._server.start("pactl", ["subscribe"])

    def _hear(self) -> None:
        for line in bytes(self._server.readAllStandardOutput().data()).splitlines():
            if any(each in line for each in NEWS):
                self._settle.start()

    def _compare(self) -> None:
        cards = _cards()
        if cards != self._cards:
            self._cards = cards
            self._settle.start()


def _cards() -> str:
    return CARDS.read_text() if CARDS.exists() else ""
