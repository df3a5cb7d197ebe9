"""Plays a recording: the window's side of the playback process.

The process is started with the first sound and ends with the player, so that no trouble of the sound
system can reach the window. Knows nothing about widgets; its signals come from the thread of the window.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from app.files import parse_line
from app.frames import FRAME_SAMPLES
from app.ui.shell.launch import new_process

GOODBYE_MS = 1_000
"""How long a playback process may take to let go of the sound card before it is ended."""


class Player(QObject):
    """One recording under a play head. Places are frames of 80 ms, and need not be whole."""

    moved = Signal(float)
    """The frame that is heard now."""
    playing_changed = Signal(bool)
    trouble = Signal(str, str)
    """A sentence and an advice."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._audio: Path | None = None
        self._looped: tuple[float, float] | None = None
        self._balance = (1.0, 1.0)
        self._speed = 1.0
        self._take = 0
        self._speaker = ""
        self.playing = False
        self.frame = 0.0

    def load(self, audio: Path) -> None:
        """Put another recording under the head, at its start, silent and without a loop."""
        self.pause()
        self._audio = audio
        self.frame = 0.0
        self.loop(None)

    def play(self, until: float | None = None) -> None:
        """Play on from where the head is, and no further than `until` where one is given."""
        if self._audio is None:
            return
        if self._process is None:
            self._start()
        self._take += 1
        at = round(self.frame * FRAME_SAMPLES)
        end = None if until is None else round(until * FRAME_SAMPLES)
        self._tell(do="play", file=str(self._audio), at=at, until=end, take=self._take)
        self._set_playing(True)

    def pause(self) -> None:
        """Fall silent; the head stays."""
        self._tell(do="pause")
        self._set_playing(False)

    def seek(self, frame: float) -> None:
        """Put the head elsewhere, and go on playing if it does."""
        self.frame = max(0.0, frame)
        self.moved.emit(self.frame)
        if self.playing:
            self.play()

    def loop(self, span: tuple[float, float] | None) -> None:
        """Go round from the first to the second frame, or no more."""
        self._looped = span
        self._tell(do="loop", span=[round(edge * FRAME_SAMPLES) for edge in span] if span else None)

    def set_balance(self, model: float, user: float) -> None:
        """Play each voice with a gain of 0 to 1."""
        self._balance = (model, user)
        self._tell(do="balance", model=model, user=user)

    def set_speed(self, speed: float) -> None:
        """Play that many times as fast, at the same pitch."""
        self._speed = speed
        self._tell(do="speed", speed=speed)

    def set_speaker(self, name: str) -> None:
        """Play through another device, '' for the default, from the next time on."""
        if name != self._speaker:
            self.close()
            self._speaker = name

    def close(self) -> None:
        """End the process; the player may be used again."""
        process, self._process = self._process, None
        self._set_playing(False)
        if process is None:
            return
        process.readyReadStandardOutput.disconnect(self._hear)
        process.finished.disconnect(self._mourn)
        process.closeWriteChannel()
        if not process.waitForFinished(GOODBYE_MS):
            process.kill()
            process.waitForFinished(GOODBYE_MS)
        process.deleteLater()

    def _start(self) -> None:
        process = new_process(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.setStandardErrorFile(QProcess.nullDevice())
        process.readyReadStandardOutput.connect(self._hear)
        process.finished.connect(self._mourn)
        process.start(sys.executable, ["-m", "app.audio.playback", self._speaker])
        self._process = process
        self.set_balance(*self._balance)
        self.set_speed(self._speed)
        self.loop(self._looped)

    def _tell(self, **command: object) -> None:
        if self._process is not None:
            self._process.write((json.dumps(command) + "\n").encode())

    def _hear(self) -> None:
        if self._process is None:
            return
        while self._process.canReadLine():
            message = parse_line(bytes(self._process.readLine().data())) or {}
            if "sentence" in message:
                self.trouble.emit(message["sentence"], message["advice"])
            elif message.get("take") == self._take:
                self._follow(message["at"] / FRAME_SAMPLES, message["playing"])

    def _follow(self, frame: float, playing: bool) -> None:
        # What was under way when the user pressed pause must not move the head any more.
        if self.playing:
            self.frame = frame
            self.moved.emit(frame)
            self._set_playing(playing)

    def _mourn(self) -> None:
        self._process = None
        self._set_playing(False)
        self.trouble.emit(
            self.tr("The sound stopped: its process ended by itself."),
            self.tr("Press play to try again; `aizuchi doctor` tells more about the sound devices."),
        )

    def _set_playing(self, playing: bool) -> None:
        if playing != self.playing:
            self.playing = playing
            self.playing_changed.emit(playing)
