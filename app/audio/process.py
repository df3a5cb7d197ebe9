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
import time
from collections.abc import Callable, Mapping
from typing import IO

from app.audio.devices import Kind
from app.audio.memory import SharedSound
from app.audio.silence import Silence, Step
from app.errors import UserError
from app.files import parse_line

log = logging.getLogger(__name__)

Report = Callable[[str, str], None]
"""Takes a sentence and an advice about trouble that does not end the talk; called on another thread."""

START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 2
HANG_S = 0.5
RETRY_S = 1.0
SILENCE_LOOK_S = 0.25

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
    "moved microphone": (
        "The sound system brings what a speaker plays in place of a microphone.",
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
    "moved microphone": "The sound system brings what a speaker plays, and no microphone; the talk waits.",
    "closed microphone": "The microphone can not be opened; the talk waits.",
    "speaker": "There is no speaker; the talk waits.",
    "closed speaker": "The speaker can not be opened; the talk waits.",
}
"""The same where it has begun."""

WAITS_ADVICE = (
    "Plug one in, or choose another one in the system's sound settings: the talk goes on by itself."
)
SILENT: dict[tuple[Kind, ...], tuple[str, str]] = {
    ("in",): (
        "The microphone brings no sound.",
        "Check its cable and its switch, or choose another one.",
    ),
    ("out",): (
        "The speaker plays nothing; what the model says can not be heard.",
        "Check its cable and its switch, or choose another one.",
    ),
    ("in", "out"): (
        "The sound system does not answer.",
        "Wait a moment, or restart it: the talk goes on by itself.",
    ),
}
"""What is told of devices that are open and bring or take nothing."""

GIVEN_UP: dict[Kind, str] = {
    "in": "The chosen microphone brings no sound; the default microphone is used.",
    "out": "The chosen speaker plays nothing; the default speaker is used.",
}

SILENT_WAITS = {
    ("in",): "The microphone brings no sound; the talk waits.",
    ("in", "out"): "The sound system does not answer; the talk waits.",
}
"""What is told of them when nothing has helped; without a speaker alone, a talk does not wait."""

HANGS = ("The sound system does not answer.", "Restart it, or log out and in again.")

BACK = "The sound is back."

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
        self._sound = sound
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
        self._interrupted = False  # whether the sound was away, and that was told
        self._threads = [
            threading.Thread(target=self._supervise, name="audio-process", daemon=True),
            threading.Thread(target=self._watch_silence, name="audio-silence", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def runs(self) -> bool:
        """Say whether both devices were opened, and nothing ended since; may be asked from any thread."""
        return self._runs

    @property
    def lacks_microphone(self) -> bool:
        """Say whether nothing runs since there is no microphone; may be asked from any thread."""
        return not self._runs and "microphone" in self._absent

    def wait(self) -> None:
        """Wait until both devices run. Raises UserError where they do not, after ending the process."""
        decided = self._decided.wait(START_TIMEOUT_S)
        if not self._runs:
            self.close()
            raise UserError(*(ABSENT[self._absent or "devices"] if decided else HANGS))

    def close(self) -> None:
        """End the audio process. Calling it again does nothing."""
        with self._lock:
            self._closed.set()
            child = self._child
        if child is not None and child.stdin is not None:
            child.stdin.close()
            _end(child, STOP_TIMEOUT_S)
        for thread in self._threads:
            thread.join()

    def switch(self, microphone: str, speaker: str) -> None:
        """Go on with other devices; for as long as they take to open there is silence."""
        with self._lock:
            self._wished = (microphone, speaker)
            self._switching = True
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()

    # What follows runs on the thread that looks for silence.

    def _watch_silence(self) -> None:
        silence = Silence()
        mic, speaker = self._sound.mic, self._sound.speaker
        before: dict[Kind, int] | None = None
        while not self._closed.wait(SILENCE_LOOK_S):
            blocks: dict[Kind, int] = {"in": mic.blocks.value, "out": speaker.blocks.value}
            # Other devices may take their time to open; not so those that have been silent before.
            expected = self._has_run and not self._absent and (self._runs or silence.lasts)
            step, silent = silence.look(time.monotonic(), blocks, expected=expected)
            if step:
                log.warning("no sound of %s: %s", silent, step)
                self._take_step(step, tuple(silent))
            if before is not None and self._runs and all(blocks[kind] > before[kind] for kind in blocks):
                self._interrupted = False
                self._report(BACK, "")
            # What came before the interruption was told is no sign that it is over.
            before = blocks if self._interrupted else None

    def _take_step(self, step: Step, silent: tuple[Kind, ...]) -> None:
        """Do what the silence of some devices asks for."""
        if step == "tell":
            self._interrupted = True
            self._tell(*SILENT[silent])
        elif step == "reopen":
            self._begin_anew(self._wished)
        elif step == "default" and len(silent) == 1:
            self._give_up(silent[0])
        elif step == "wait" and silent in SILENT_WAITS:
            self._tell(SILENT_WAITS[silent], WAITS_ADVICE)

    def _give_up(self, kind: Kind) -> None:
        """Use the default device in place of the chosen one."""
        microphone, speaker = self._wished
        if microphone if kind == "in" else speaker:
            self._begin_anew(("", speaker) if kind == "in" else (microphone, ""))
            self._tell(GIVEN_UP[kind], SILENT[kind,][1])

    def _begin_anew(self, wished: tuple[str, str]) -> None:
        """Open the devices in a new audio process; the old one may hang."""
        with self._lock:
            self._wished = wished
            self._switching = True
            child = self._child
            if child is not None and child.stdin is not None:
                child.stdin.close()
        if child is not None:
            _end(child, HANG_S)

    # Everything below runs on the supervising thread.

    def _supervise(self) -> None:
        while not self._closed.is_set():
            with tempfile.TemporaryFile("w+", errors="replace") as errors:
                self._live(errors)
                self._log_end(errors)
            self._runs = False
            if self._switching:
                self._switching = False
                continue
            self._decided.set()
            self.restarts += 1
            self._interrupted = self._interrupted or self._has_run
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
            self._absent = ""
            self._told.clear()
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


def _end(child: subprocess.Popen[str], patience_s: float) -> None:
    """Wait for a process whose stdin was closed, and kill it where it hangs."""
    try:
        child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
