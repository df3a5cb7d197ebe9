"""The life of the audio process: started, listened to, and started anew when a device or PortAudio fails.

Knows nothing about frames or the model, and loads no PortAudio itself.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import IO

from app.audio.memory import SharedSound
from app.errors import UserError
from app.files import parse_line

log = logging.getLogger(__name__)

Report = Callable[[str, str], None]
"""Takes a sentence and an advice about trouble that does not end the talk; called on another thread."""

START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 2
RETRY_S = 1.0

QUANTUM = "256/48000"
"""What PipeWire is asked for unless the user does: its ALSA plugin may else choose a buffer of seconds."""

ABSENT = {
    "devices": (
        "No microphone or no speaker could be opened.",
        "Plug one in, or check the system's sound settings, and start again.",
    ),
    "microphone": (
        "There is no microphone.",
        "Plug one in, or choose one in the system's sound settings.",
    ),
    "default microphone": (
        "The system's default microphone is only the monitor of a speaker.",
        "Choose a microphone here, or in the system's sound settings.",
    ),
    "closed microphone": (
        "The microphone could not be opened.",
        "Close other programs that use it, or choose another one.",
    ),
    "speaker": (
        "There is no speaker.",
        "Plug one in, or choose one in the system's sound settings.",
    ),
    "closed speaker": (
        "The speaker could not be opened.",
        "Close other programs that use it, or choose another one.",
    ),
}
"""Why a talk can not begin, a sentence and an advice for each."""

WAITS = {
    "devices": "There is no microphone or no speaker that works; the talk waits.",
    "microphone": "There is no microphone; the talk waits.",
    "default microphone": "The system's default microphone is only the monitor of a speaker; the talk waits.",
    "closed microphone": "The microphone can not be opened; the talk waits.",
    "speaker": "There is no speaker; the talk waits.",
    "closed speaker": "The speaker can not be opened; the talk waits.",
}
"""The same where it has begun."""

WAITS_ADVICE = (
    "Plug one in, or choose another one in the system's sound settings: the talk goes on by itself."
)
LOST = (
    "The sound was lost and is being set up again.",
    "If this comes again, check the cable of the device.",
)


class AudioProcess:
    """Keeps one audio process running on shared memory until it is closed.

    `restarts` and `names` are written by the supervising thread alone and may be read by any.
    """

    def __init__(
        self,
        sound: SharedSound,
        microphone: str,
        speaker: str,
        report: Report,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._fd = sound.fd
        self._wished = (microphone, speaker)
        self._switching = False
        self._report = report
        self._env = {"PIPEWIRE_LATENCY": QUANTUM, **(os.environ if env is None else env)}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._decided = threading.Event()
        self._runs = False
        self._has_run = False  # before that, `wait` raises what would be told
        self._told: set[str] = set()
        self._absent = ""
        self._child: subprocess.Popen[str] | None = None
        self.restarts = 0
        self.names = (microphone, speaker)
        self._thread = threading.Thread(target=self._supervise, name="audio-process", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Say whether both devices were opened, and nothing ended since; may be asked from any thread."""
        return self._runs

    def wait(self) -> None:
        """Wait until both devices run. Raises UserError where they do not, after ending the process."""
        self._decided.wait(START_TIMEOUT_S)
        if not self._runs:
            self.close()
            raise UserError(*ABSENT[self._absent or "devices"])

    def close(self) -> None:
        """End the audio process. Calling it again does nothing."""
        with self._lock:
            self._closed.set()
            child = self._child
        if child is not None and child.stdin is not None:
            child.stdin.close()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join()

    def switch(self, microphone: str, speaker: str) -> None:
        """Go on with other devices; for as long as they take to open there is silence."""
        with self._lock:
            self._wished = (microphone, speaker)
            self._switching = True
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()

    # Everything below runs on the supervising thread.

    def _supervise(self) -> None:
        while not self._closed.is_set():
            with tempfile.TemporaryFile("w+", errors="replace") as errors:
                self._live(errors)
                self._log_end(errors)
            if self._switching:
                self._switching = False
                continue
            self._decided.set()
            self._runs = False
            self.restarts += 1
            # At once after the first loss, but not faster than devices come.
            self._closed.wait(RETRY_S if self._told else 0)
            if self._has_run and not self._absent:
                self._tell(*LOST)

    def _live(self, errors: IO[str]) -> None:
        """Start a child and listen to it until it ends."""
        with self._lock:
            if self._closed.is_set():
                return
            self._child = subprocess.Popen(
                [sys.executable, "-m", "app.audio.soundcard", str(self._fd), *self._wished],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self._env,
                pass_fds=(self._fd,),
            )
        with self._child as child:
            assert child.stdout is not None
            for line in child.stdout:
                if (told := parse_line(line)) is not None:
                    self._hear(told)

    def _hear(self, told: dict[str, str]) -> None:
        log.info("audio process: %s", told)
        if "microphone" in told:
            self.names = (told["microphone"], told["speaker"])
            self._told.clear()
            self._absent = ""
            self._runs = self._has_run = True
            self._decided.set()
        elif "trouble" in told:
            self._tell(told["trouble"], told["advice"])
        elif "absent" in told:
            self._absent = told["absent"]
            self._decided.set()
            if self._has_run:
                self._tell(WAITS[self._absent], WAITS_ADVICE)

    def _tell(self, sentence: str, advice: str) -> None:
        """Report a sentence once until the devices run again."""
        if sentence not in self._told and not self._closed.is_set():
            self._told.add(sentence)
            self._report(sentence, advice)

    def _log_end(self, errors: IO[str]) -> None:
        if self._child is not None and not self._closed.is_set():
            errors.seek(0)
            log.warning("the audio process ended (%s): %s", self._child.returncode, errors.read()[-2000:])
