"""A microphone and a speaker tried out before the first talk: levels, and a test sound.

Knows nothing about models; nothing that is heard is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from app.audio.duplex import Counters
from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, Heard, Lost, Samples, silence

NOTES_HZ = (523.25, 659.26, 783.99)
"""C, E and G: no alarm."""

NOTE_S = 0.24
LOUDNESS = 0.2


class TrialPort(Protocol):
    """What is tried out, as Duplex has it."""

    def take(self) -> Heard | Lost | None:
        """Return the next frame, or time without one; None after `close`."""

    def give(self, said: Samples) -> None:
        """Play one frame."""

    def close(self) -> None:
        """Let go of the devices."""

    def counters(self) -> Counters:
        """Return how the sound is doing."""


class Trial:
    """Devices that are open until `close`, on a thread of their own; opening them may take a second."""

    def __init__(
        self,
        open_port: Callable[[], TrialPort],
        report: Callable[[UserError], None],
        after: Trial | None = None,
    ) -> None:
        """Begin, once `after` has let go of its devices.

        `report` is told, on that thread, why the devices can not be opened.
        """
        self._after = after
        self._open = open_port
        self._report = report
        self._port: TrialPort | None = None
        self._closing = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound-trial", daemon=True)
        self._thread.start()

    def play(self) -> None:
        """Play the test sound."""
        self._wanted.set()

    def counters(self) -> Counters | None:
        """Return how the sound is doing, None while nothing is open."""
        return self._port.counters() if self._port is not None else None

    def close(self) -> None:
        """Let go of the devices."""
        self._closing.set()
        if self._port is not None:
            self._port.close()
        self._thread.join()

    def _run(self) -> None:
        if self._after is not None:
            self._after.close()
            self._after = None
        try:
            port = self._open()
        except UserError as fault:
            self._report(fault)
            return
        self._port = port
        sound: Samples = np.zeros(0, dtype=np.float32)
        while not self._closing.is_set() and port.take() is not None:
            if self._wanted.is_set():
                self._wanted.clear()
                sound = chime()
            frame = silence()
            frame[: sound.size] = sound[:FRAME_SAMPLES]
            sound = sound[FRAME_SAMPLES:]
            port.give(frame)
        self._port = None
        port.close()


def chime() -> Samples:
    """Return the test sound, [N] float32."""
    time_s = np.arange(round(NOTE_S * SAMPLE_RATE)) / SAMPLE_RATE
    fade = np.sin(np.pi * time_s / NOTE_S) ** 0.5
    notes = [LOUDNESS * fade * np.sin(2 * np.pi * note * time_s) for note in NOTES_HZ]
    sound: Samples = np.concatenate(notes).astype(np.float32)
    return sound
