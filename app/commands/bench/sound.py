"""`aizuchi bench`: how long sound takes from mouth to ear, and whether it keeps flowing for a long time.

Drives the one conversation loop over real streams and virtual devices, with a model that says what it
hears. Knows nothing about torch or the window.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.audio.duplex import Counters, Duplex
from app.audio.rig import RATE, Rig, read_recording
from app.engine.events import Event, Stepped
from app.engine.fake import Echo, Slowed
from app.engine.loop import converse
from app.errors import UserError
from app.frames import FRAME_RATE, SAMPLE_RATE, Samples
from app.paths import Paths

SETTLING_S = 8.0
"""What is left out at the start: sound servers wake up, and the first cushion, a guess, is held for 5 s."""

LEARNING_S = 60.0
"""The same for a soak, with everything going on: the cushion learns how late this computer gets."""

CLICK_EVERY_S = 0.733
"""Not a multiple of the frame, so that clicks fall on all of its phases."""

CLICK_HZ = 1500
CLICK_SAMPLES = 48
CLICK_LEVEL = 0.5
CLICK_FLOOR = 0.15
"""A click begins where this level is first passed, which is within its first quarter wave."""

LOST_S = 0.6
"""A click that did not come out after so long was lost: what comes later is the next one."""

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the GIL while another waits: as the program itself sets it."""

Meanwhile = Callable[[float], None]
"""What the main thread does while the talk goes on, for this many seconds."""


@dataclass(frozen=True)
class Latency:
    """Click to click in ms, and what the program itself counted and believed meanwhile."""

    p50_ms: float
    p95_ms: float
    max_ms: float
    clicks: int
    lost_clicks: int
    starved_frames: int
    skipped_frames: int
    lag_ms: float
    cushion_ms: float
    xruns: int
    restarts: int


@dataclass(frozen=True)
class Soak:
    """A long talk: the program's own lag in ms, at its beginning, over all, and at its end."""

    p50_ms: float
    p95_ms: float
    max_ms: float
    first_p50_ms: float
    last_p50_ms: float
    frames: int
    starved_frames: int
    skipped_frames: int
    settling_starved_frames: int
    settling_skipped_frames: int
    holds: int
    longest_hold_ms: float
    xruns: int
    restarts: int


class Conversation:
    """A talk with an echo on a thread of its own, and its steps. Use it in a `with` statement."""

    def __init__(self, rig: Rig, compute_ms: float) -> None:
        self.port = Duplex(env=rig.env)
        self.steps: list[Stepped] = []
        self._model = Slowed(Echo(), compute_ms)
        self._thread = threading.Thread(target=self._run, name="engine")

    def __enter__(self) -> Conversation:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.port.close()
        self._thread.join()

    @property
    def counters(self) -> Counters:
        """Return the port's counters."""
        return self.port.counters()

    def _run(self) -> None:
        converse(self.port, self._model, (), self._keep)

    def _keep(self, event: Event) -> None:
        if isinstance(event, Stepped):
            self.steps.append(event)


def measure_latency(
    rig: Rig, seconds: float, compute_ms: float = 0.0, busy: bool = False, settling_s: float = SETTLING_S
) -> Latency:
    """Play clicks into the virtual microphone and time them from there out of the virtual speaker."""
    file = rig.folder / "clicks.raw"
    with ExitStack() as stack:
        if busy:
            stack.enter_context(both_cores_busy())
        talk = stack.enter_context(Conversation(rig, compute_ms))
        time.sleep(settling_s)
        before, first = talk.counters, len(talk.steps)
        with _recording(rig, file):
            rig.play(clicks(seconds)).wait()
            time.sleep(1)
        after, lags = talk.counters, _lags(talk.steps[first:])
    delays, lost = time_clicks(read_recording(file))
    return Latency(
        *_spread(delays),
        clicks=len(delays) + lost,
        lost_clicks=lost,
        starved_frames=after.starved_frames - before.starved_frames,
        skipped_frames=after.skipped_frames - before.skipped_frames,
        lag_ms=round(float(np.median(lags)), 1),
        cushion_ms=round(after.cushion_ms, 1),
        xruns=after.xruns - before.xruns,
        restarts=after.restarts - before.restarts,
    )


def soak(
    rig: Rig,
    seconds: float,
    *,
    compute_ms: float = 60.0,
    hold_ms: float = 30.0,
    hold_every_s: float = 5.0,
    settling_s: float = LEARNING_S,
    meanwhile: Meanwhile = time.sleep,
) -> Soak:
    """Talk for a long time while something holds the GIL now and then, after `settling_s` of the same."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    holder = Holder(hold_ms, hold_every_s)
    try:
        with Conversation(rig, compute_ms) as talk, holder:
            meanwhile(settling_s)
            before, first = talk.counters, len(talk.steps)
            meanwhile(seconds)
            after, lags = talk.counters, _lags(talk.steps[first:])
    finally:
        sys.setswitchinterval(interval_s)
    minute = round(60 * FRAME_RATE)
    return Soak(
        *_spread(lags),
        first_p50_ms=round(float(np.median(lags[:minute])), 1),
        last_p50_ms=round(float(np.median(lags[-minute:])), 1),
        frames=len(lags),
        starved_frames=after.starved_frames - before.starved_frames,
        skipped_frames=after.skipped_frames - before.skipped_frames,
        settling_starved_frames=before.starved_frames,
        settling_skipped_frames=before.skipped_frames,
        holds=holder.holds,
        longest_hold_ms=round(holder.longest_ms, 1),
        xruns=after.xruns - before.xruns,
        restarts=after.restarts - before.restarts,
    )


class Holder:
    """Holds the GIL now and then with one C call, as pickling or a large sort would. Use it with `with`."""

    def __init__(self, hold_ms: float, every_s: float) -> None:
        self.holds = 0
        self.longest_ms = 0.0
        self._every_s = every_s
        self._data = _slow_to_sort(hold_ms)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holder")

    def __enter__(self) -> Holder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def hold(self) -> None:
        """Hold the GIL once."""
        began = time.perf_counter()
        sorted(self._data)
        self.longest_ms = max(self.longest_ms, 1000 * (time.perf_counter() - began))
        self.holds += 1

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self.hold()


def _slow_to_sort(target_ms: float) -> list[float]:
    """Return numbers that take about so long to sort."""
    data = [random.random() for _ in range(20_000)]
    for _ in range(3):
        # More numbers take more time each, so the size is approached.
        took_ms = min(_time_ms(data) for _ in range(5))
        data = [random.random() for _ in range(round(len(data) * target_ms / took_ms))]
    return data


def _time_ms(data: list[float]) -> float:
    began = time.perf_counter()
    sorted(data)
    return 1000 * (time.perf_counter() - began)


def clicks(seconds: float) -> Samples:
    """Return short clicks at 24 kHz, [N] float32, one every CLICK_EVERY_S."""
    click = CLICK_LEVEL * np.sin(2 * np.pi * CLICK_HZ * np.arange(CLICK_SAMPLES) / SAMPLE_RATE)
    samples = np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)
    step = round(CLICK_EVERY_S * SAMPLE_RATE)
    for start in range(step // 2, samples.size - CLICK_SAMPLES, step):
        samples[start : start + CLICK_SAMPLES] = click
    return samples


def time_clicks(recording: Samples) -> tuple[list[float], int]:
    """Return the ms of each click from column 0 to column 1 of [N, 2] at RATE, and how many were lost."""
    heard, said = _onsets(recording[:, 0]), _onsets(recording[:, 1])
    delays, lost = [], 0
    for at in heard:
        after = said[np.searchsorted(said, at) :]
        if after.size and after[0] - at < LOST_S * RATE:
            delays.append(1000 * float(after[0] - at) / RATE)
        else:
            lost += 1
    return delays, lost


def _onsets(samples: Samples) -> npt.NDArray[np.int64]:
    loud = np.flatnonzero(np.abs(samples) > CLICK_FLOOR)
    apart = np.diff(loud, prepend=-RATE) > RATE * CLICK_EVERY_S / 2
    return loud[apart].astype(np.int64)


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return median, 95th percentile and maximum; UserError where there is nothing to measure."""
    if not len(values):
        raise UserError("No sound came through the virtual devices.", "Look at the log for what was wrong.")
    p50, p95, most = (round(float(value), 1) for value in np.percentile(values, (50, 95, 100)))
    return p50, p95, most


def _lags(steps: Sequence[Stepped]) -> list[float]:
    return [step.lag_ms for step in steps if step.lag_ms is not None]


@contextmanager
def _recording(rig: Rig, file: Path) -> Iterator[None]:
    recorder = rig.record(file)
    time.sleep(0.5)
    try:
        yield
    finally:
        recorder.terminate()
        recorder.wait()


@contextmanager
def both_cores_busy(processes: int = 2) -> Iterator[None]:
    """Keep cores busy with ordinary processes at normal priority."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main(argv: list[str], paths: Paths) -> int:
    """Run `aizuchi bench latency` or `aizuchi bench soak` and return the exit status."""
    del paths
    options = _parse(argv)
    with Rig() as rig:
        measured: Latency | Soak
        if options.what == "latency":
            print(f"{options.seconds:.0f} s of clicks, after {SETTLING_S:.0f} s to settle that do not count…")
            measured = measure_latency(rig, options.seconds, options.compute_ms, options.busy)
        else:
            print(f"{options.seconds:.0f} s of talk, after {LEARNING_S:.0f} s to settle that do not count…")
            measured = soak(
                rig,
                options.seconds,
                compute_ms=options.compute_ms,
                hold_ms=options.hold_ms,
                hold_every_s=options.hold_every,
            )
    for name, value in asdict(measured).items():
        print(f"{name.replace('_', ' '):>24}  {value}")
    if options.json:
        print(json.dumps(asdict(measured)))
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="aizuchi bench", description="Measure the way of the sound.")
    verbs = parser.add_subparsers(dest="what", required=True)
    latency = verbs.add_parser(
        "latency", help="from a click into the microphone to a click out of the speaker"
    )
    latency.add_argument("--busy", action="store_true", help="keep two cores busy meanwhile")
    lasting = verbs.add_parser("soak", help="a long talk while something holds Python's lock now and then")
    lasting.add_argument("--hold-ms", type=float, default=30.0, help="for how long (default %(default)s)")
    lasting.add_argument("--hold-every", type=float, default=5.0, help="every so many seconds (%(default)s)")
    for verb, seconds, compute_ms in ((latency, 60.0, 0.0), (lasting, 600.0, 60.0)):
        verb.add_argument("--seconds", type=float, default=seconds, help="how long (default %(default)s)")
        verb.add_argument(
            "--compute-ms", type=float, default=compute_ms, help="what a step costs (default %(default)s)"
        )
        verb.add_argument("--json", action="store_true", help="print one JSON object last")
    return parser.parse_args(argv)
