"""What becomes of the two streams on the sound server during a talk: it may move them to other devices.

The server is asked on a thread of its own, since it may hang, at once when it says that something changed.
Knows nothing about PortAudio.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from app.audio.devices import ALSA, SERVER, Kind
from app.audio.server import ENGLISH, ServerDevice, SoundServer

ASK_S = 3.0
"""How often the server is asked when it says nothing."""

REST_S = 0.1
"""How long it is left alone after each time: one unplugged headset is a dozen changes."""

NEWS = re.compile(rb"'change' on (server|source-output) |'(new|remove)' on (source|sink) ")
"""What pactl says when a stream may have been moved, or a device has come or gone."""

DEFAULTS = b"'change' on server "
"""What it says when another device has become a default one."""

REMOVED = re.compile(rb"'remove' on source #(\d+)")

READ_BYTES = 1 << 16


class ServerWatch:
    """Watches over the devices of these names until `close`; where no server answers, it sees nothing.

    `absent` and `gone` are written by one thread at a time, and read by any: `absent` tells, as a key of
    app.audio.process.ABSENT, that the microphone's stream brings what a speaker plays; `gone`, which of
    the devices the server does not have any more.
    """

    def __init__(self, chosen: Mapping[Kind, str], deafen: Callable[[bool], None]) -> None:
        """`deafen` stops, or lets go on, what the microphone's stream brings; called on the thread."""
        self.absent = ""
        self.gone: frozenset[Kind] = frozenset()
        self._chosen = dict(chosen)
        self._deafen = deafen
        self._source = -1
        self._closed = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="server-watch", daemon=True)

    def start(self) -> None:
        """Begin to listen to the server."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; does not wait for an answer that is under way."""
        self._closed.set()
        if (child := self._child) is not None:
            with suppress(ProcessLookupError):
                child.kill()

    def ask(self) -> None:
        """Ask the server where the streams are."""
        server = SoundServer()
        sources = server.sources()
        if sources is None:
            return
        gone = {kind for kind in self._chosen if self._is_gone(kind, server, sources)}
        self.gone = frozenset(gone)
        if not self._chosen["in"].startswith(ALSA):
            self.absent = self._judge(server, sources)

    def _is_gone(self, kind: Kind, server: SoundServer, sources: list[ServerDevice]) -> bool:
        if not self._chosen[kind].startswith(SERVER):
            return False
        known = sources if kind == "in" else server.sinks()
        return known is not None and self._chosen[kind] not in [SERVER + each.name for each in known]

    def _judge(self, server: SoundServer, sources: list[ServerDevice]) -> str:
        """Return what is amiss with the source that the microphone's stream has, '' for nothing."""
        default = next((each for each in sources if each.name == server.defaults()[0]), None)
        index = server.source_of(os.getpid())
        used = next((each for each in sources if each.index == index), default)
        self._source = -1 if used is None else used.index
        if used is None or not used.monitor or SERVER + used.name == self._chosen["in"]:
            return ""
        if all(each.monitor for each in sources):
            return "microphone"
        return "default microphone" if default is not None and default.monitor else "moved microphone"

    # Everything below runs on the thread.

    def _run(self) -> None:
        program = shutil.which("pactl")
        while program is not None and not self._closed.is_set():
            with subprocess.Popen(
                [program, "subscribe"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **ENGLISH},
            ) as self._child:
                self._listen(self._child)
                self._child.kill()
            # The server is gone; it may come back.
            self._closed.wait(ASK_S)

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        """Follow what the server says until it ends."""
        assert child.stdout is not None
        asked_s = time.monotonic()
        while not self._closed.is_set():
            said = b""
            if select.select([child.stdout], [], [], max(0.0, asked_s + ASK_S - time.monotonic()))[0]:
                said = os.read(child.stdout.fileno(), READ_BYTES)
                if not said:
                    return
            if said and not NEWS.search(said):
                continue
            if suspect := self._is_suspect(said):
                # What comes until the answer is there may not be from the microphone.
                self._deafen(True)
            self.ask()
            if suspect and not self.absent:
                self._deafen(False)
            self._closed.wait(REST_S)
            asked_s = time.monotonic()

    def _is_suspect(self, said: bytes) -> bool:
        """Say whether the microphone's stream has been moved, if news of the server mean what they may."""
        removed = any(int(number) == self._source for number in REMOVED.findall(said))
        return removed or (not self._chosen["in"] and DEFAULTS in said)
