"""One copy of the program for each home: the second tells the first to come forward, and ends.

Knows nothing about the window but how to call it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

ANSWER_MS = 1000


class Single(QObject):
    """The first copy, which listens on a socket of this user alone."""

    def __init__(self, home: Path, come_forward: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._come_forward = come_forward
        name = _name(home)
        # Left behind by a copy that died; one that lives has answered before.
        QLocalServer.removeServer(name)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)
        self._server.listen(name)

    def close(self) -> None:
        """Let another copy be the first."""
        self._server.close()

    def _answer(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.write(b"here")
            socket.flush()
            socket.disconnectFromServer()
            self._come_forward()


def call_first(home: Path) -> bool:
    """Let the first copy come forward, and return whether there is one."""
    socket = QLocalSocket()
    socket.connectToServer(_name(home))
    if not socket.waitForConnected(ANSWER_MS):
        return False
    socket.waitForReadyRead(ANSWER_MS)
    return bytes(socket.readAll().data()) == b"here"


def _name(home: Path) -> str:
    return f"aizuchi-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"
