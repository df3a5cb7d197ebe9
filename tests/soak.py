"""A long talk in the real window: `python -m tests.soak [--seconds 600]`, or `make soak`.

The window paints speech, overlap and meters on a real screen (Xvfb where there is none), real streams run
on virtual devices, each step takes 60 ms, and now and then one C call holds Python's lock for 30 ms. It
prints a table, and one JSON object last.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.audio.duplex import Counters
from app.audio.rig import Rig
from app.audio.wav import read_wav
from app.commands.bench.sound import LEARNING_S, Holder
from app.frames import FRAME_MS, SAMPLE_RATE
from app.paths import paths
from app.session import Session
from app.settings import Settings
from app.store.recordings import list_recordings
from app.ui.shell import theme
from app.ui.shell.app import SWITCH_INTERVAL_S, Pulse
from app.ui.shell.window import MainWindow
from app.ui.talk.conversation import Conversation, Wishes

USER = Path(__file__).parents[1] / "app" / "data" / "user.flac"
SCREEN = "1280x800x24"
START_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Endurance:
    """What a long talk in the window came to; lags over all, and in its first and last minute."""

    seconds: float
    p50_ms: float
    p95_ms: float
    max_ms: float
    first_p50_ms: float
    last_p50_ms: float
    starved_frames: int
    skipped_frames: int
    learning_starved_frames: int
    learning_skipped_frames: int
    recorded_s: float
    holds: int
    longest_hold_ms: float
    ticks_per_s: float
    """How often the window's timer fired; 30 is its pace."""


class Watch:
    """Notes the lag of each frame's length of time, and how often the window comes round."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._lags: list[float] = []
        self._ticks = 0
        self._began_s = time.monotonic()
        self._before: Counters | None = None
        self._each_frame = QTimer(interval=round(FRAME_MS))
        self._each_frame.timeout.connect(self._note)
        self._each_tick = QTimer(interval=33)
        self._each_tick.timeout.connect(self._count)
        self._each_frame.start()
        self._each_tick.start()

    def begin(self) -> None:
        """Let what comes from now on count."""
        self._lags, self._ticks, self._began_s = [], 0, time.monotonic()
        self._before = self._counters()

    def sum_up(self, holder: Holder) -> Endurance:
        """Return what was noted since `begin`."""
        after, before = self._counters(), self._before
        assert before is not None
        seconds = time.monotonic() - self._began_s
        p50, p95, most = (round(float(lag), 1) for lag in np.percentile(self._lags, (50, 95, 100)))
        minute = round(60_000 / FRAME_MS)
        return Endurance(
            seconds=round(seconds, 1),
            p50_ms=p50,
            p95_ms=p95,
            max_ms=most,
            first_p50_ms=round(float(np.median(self._lags[:minute])), 1),
            last_p50_ms=round(float(np.median(self._lags[-minute:])), 1),
            starved_frames=after.starved_frames - before.starved_frames,
            skipped_frames=after.skipped_frames - before.skipped_frames,
            learning_starved_frames=before.starved_frames,
            learning_skipped_frames=before.skipped_frames,
            recorded_s=0.0,
            holds=holder.holds,
            longest_hold_ms=round(holder.longest_ms, 1),
            ticks_per_s=round(self._ticks / seconds, 1),
        )

    def _counters(self) -> Counters:
        counters = self._conversation.counters()
        assert counters is not None, "the talk is over before its time"
        return counters

    def _note(self) -> None:
        if (counters := self._conversation.counters()) and counters.lag_ms is not None:
            self._lags.append(counters.lag_ms)

    def _count(self) -> None:
        self._ticks += 1


def hold_talk(seconds: float, learning_s: float, compute_ms: float) -> Endurance:
    """Talk in a window of this process, which becomes a Qt program with the virtual devices for its own."""
    with ExitStack() as stack:
        rig = stack.enter_context(Rig())
        os.environ.update(rig.env)
        home = paths(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aizuchi-soak-"))))
        stack.enter_context(speaking(rig, START_TIMEOUT_S + learning_s + seconds))
        app = QApplication([])
        theme.apply(app, "light")
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        session = Session()
        stack.callback(session.close)
        conversation = Conversation(session, home.recordings, Wishes(None, compute_ms))
        window = MainWindow(session, Settings(model="echo", record=True), home, conversation)
        window.talk.start_when_ready = True
        window.show()
        window.load("echo")
        pulse = Pulse(session, window)
        await_lag(app, conversation)
        with Holder(30.0, 5.0) as holder:
            watch = Watch(conversation)
            live(app, learning_s)
            watch.begin()
            live(app, seconds)
            noted = watch.sum_up(holder)
        pulse.stop()
        window.close()
        session.close()
        (recording,) = list_recordings(home.recordings)
        return replace(noted, recorded_s=round(recording.seconds, 1))


def live(app: QApplication, seconds: float) -> None:
    """Let the program run as it does, for this long."""
    QTimer.singleShot(round(1000 * seconds), app.quit)
    app.exec()


def await_lag(app: QApplication, conversation: Conversation) -> None:
    """Let the program run until sound has gone through it once."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while (counters := conversation.counters()) is None or counters.lag_ms is None:
        assert time.monotonic() < deadline_s, "no talk began"
        live(app, 0.1)


@contextmanager
def speaking(rig: Rig, seconds: float) -> Iterator[None]:
    """Let the bundled user speak into the virtual microphone again and again."""
    speech = read_wav(USER)
    player = rig.play(np.tile(speech, math.ceil(seconds * SAMPLE_RATE / speech.size)))
    try:
        yield
    finally:
        player.kill()
        player.wait()


@contextmanager
def screen() -> Iterator[None]:
    """Start a virtual screen where there is none."""
    if os.environ.get("DISPLAY"):
        yield
        return
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        os.environ["DISPLAY"] = f":{server.stdout.readline().strip()}"
        try:
            yield
        finally:
            server.terminate()
            del os.environ["DISPLAY"]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default %(default)s)")
    parser.add_argument("--learning", type=float, default=LEARNING_S, help="s before that (%(default)s)")
    parser.add_argument("--compute-ms", type=float, default=60.0, help="cost of a step (%(default)s)")
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    with screen():
        endurance = asdict(hold_talk(options.seconds, options.learning, options.compute_ms))
    for name, value in endurance.items():
        print(f"{name.replace('_', ' '):>24}  {value}")
    print(json.dumps(endurance))
    return 0


if __name__ == "__main__":
    sys.exit(main())
