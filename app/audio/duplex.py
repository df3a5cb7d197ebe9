"""The sound card as a FramePort: frames out of the microphone's ring, frames into the speaker's.

Keeps the lag bounded and the speaker fed: drops the oldest of a backlog, holds a cushion that follows
the lateness of the engine, and counts what it had to do, and the time in which no sound came. Knows nothing
about PortAudio, which runs in the audio process, and nothing about the model.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.audio.clock import WINDOW_FRAMES, FrameClock, Sleep, wall_s
from app.audio.cushion import MOST, START, Cushion, alter, is_quiet
from app.audio.echo import DELAY_SAMPLES
from app.audio.memory import ECHO_WISHES, UNKNOWN, SharedSound, Side
from app.audio.process import AudioProcess, Report
from app.audio.realtime import Haste
from app.frames import (
    DEVICE,
    FRAME_MS,
    FRAME_SAMPLES,
    LATE,
    MICROPHONE,
    SAMPLE_RATE,
    SILENCE_DB,
    STALLED,
    SUSPENDED,
    Heard,
    Lost,
    Samples,
)

BLOCK_S = 0.005
"""How often the audio process brings something new, at best."""

POLL_S = 0.001
IDLE_POLL_S = 0.020
WAKING_S = 2.0
"""So long may a device take to bring its first sound, and the talk begins with that."""

SILENT_S = 0.2
"""A device that brought nothing for so long shows no level and is not polled closely."""

BACKLOG_FRAMES = 3
"""What may wait in the microphone's ring while the model is able to catch up."""

SLOW_SHARE = 0.97
"""A model that takes more of a frame's time than this can not catch up, so nothing may wait for it."""

STEPS = 9
"""The usual time of a step is the median of so many."""

SPEAKER_MOST = 2 * FRAME_SAMPLES + MOST
"""A speaker's ring with more than this is not being played: what is said goes nowhere."""

FADE_IN = 48
"""2 ms: how sound begins again after a silence that was not meant."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How the sound is doing. Peaks are of the last frame's length of sound, in dB of full scale."""

    lag_ms: float | None
    heard_peak_db: float
    said_peak_db: float
    skipped_frames: int
    starved_frames: int
    mic_fill_ms: float
    speaker_fill_ms: float
    cushion_ms: float
    drift_samples: int
    """Samples put in (or, negative, taken out) a few at a time, as for two devices whose clocks differ."""
    trimmed_samples: int
    """Samples taken out at once, in quiet moments or after a stall."""
    xruns: int
    restarts: int
    microphone: str
    speaker: str
    cancels_echo: bool = False
    echo_removed_db: float | None = None
    """By how much the echo is lessened; None where none is cancelled, or nothing was said yet."""


class Duplex:
    """A microphone and a speaker as one FramePort.

    One thread calls `take` and `give`. `close`, `volume` and `counters` may be used from any other: they
    share plain numbers with it, each written by one thread, and a reader does no harm by being late.
    """

    def __init__(
        self,
        microphone: str = "",
        speaker: str = "",
        *,
        echo: str = ECHO_WISHES[0],
        suppress_noise: bool = False,
        keeps_time: bool = False,
        report: Report | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Open two devices by the names of `list_devices`, '' for the default ones.

        `echo` is one of ECHO_WISHES; noise is suppressed only where echo is cancelled. One that `keeps_time`
        gives what an outage takes as Lost while it lasts, as a talk needs it; else `take` waits until it is
        over, and the time stands with the frame that comes next. `report` is told, on another thread, of
        trouble that does not end the talk. `env` is the environment of the audio process.
        Raises UserError where no devices can be opened.
        """
        self.volume = 1.0
        self._sound = SharedSound()
        self.cancel_echo(echo, suppress_noise=suppress_noise)
        self._process = AudioProcess(self._sound, microphone, speaker, report or _ignore, env)
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._ear = _Ear(self._sound)
        self._mouth = _Mouth(self._sound)
        self._keeps_time = keeps_time
        self._clock: FrameClock | None = None  # from the first `take` on
        self._began_s = 0.0
        self._sleep = Sleep()
        self._opened = 0
        self._restarts = 0  # of the audio process, when sound of a stream that it opened was last taken
        self._outage = ""  # why there was no sound of late
        self._settling = 0
        self._heard_any = False
        self._lag_ms: float | None = None
        self._haste: Haste | None = None
        self._oldest_s = 0.0
        self._taken_s = 0.0
        self._steps_s: deque[float] = deque(maxlen=STEPS)
        self._process.wait()

    def take(self) -> Heard | Lost | None:
        """Wait for the next frame of the user, or for time without one; None after `close`."""
        if self._haste is None:
            # The thread of the talk has a deadline every frame, unlike all others of this process.
            self._haste = Haste(threading.get_native_id())
        if self._clock is None:
            self._began_s = wall_s()
            self._clock = FrameClock(self._began_s)
        clock = self._clock
        waited = False
        while not self._closed.is_set():
            if self._keeps_time and (lost := self._lost(clock)) is not None:
                return lost
            if (wait_s := self._ear.wait_s()) <= 0:
                return self._take(clock, STALLED if waited else LATE)
            self._closed.wait(wait_s)
            waited = True
        self._haste.end()
        return None

    def give(self, said: Samples) -> None:
        """Play one frame, [FRAME_SAMPLES] float32, at the volume, after the one before."""
        now = time.monotonic()
        self._steps_s.append(now - self._taken_s)
        waits_s = self._mouth.say(said, self.volume, catching_up=self._ear.backlog > 0)
        # Mouth to ear: from the oldest sample of the frame into the microphone to its way out of the speaker.
        self._lag_ms = 1000 * (now - self._oldest_s + waits_s)

    def cancel_echo(self, wish: str, *, suppress_noise: bool) -> None:
        """Cancel echo as wished, one of ECHO_WISHES, within a tenth of a second."""
        self._sound.echo.wish.value = ECHO_WISHES.index(wish)
        self._sound.echo.noise.value = int(suppress_noise)

    def switch(self, microphone: str, speaker: str) -> None:
        """Go on with other devices, by their names; there is silence for a moment."""
        self._process.switch(microphone, speaker)

    def close(self) -> None:
        """Let go of the devices; a waiting `take` returns None at once. Calling it again does nothing."""
        self._closed.set()
        if self._haste is not None:
            # Whoever took frames may never ask for another one.
            self._haste.end()
        with self._closing:
            self._process.close()
            self._sound.close()

    def counters(self) -> Counters:
        """Return how the sound is doing now; cheap, for a meter that asks 30 times a second."""
        ear, mouth, process = self._ear, self._mouth, self._process
        mic, speaker, echo = self._sound.mic, self._sound.speaker, self._sound.echo
        removed = echo.removed.value
        return Counters(
            lag_ms=self._lag_ms,
            heard_peak_db=_peak_db(mic, mic.ring.written),
            said_peak_db=_peak_db(speaker, speaker.ring.taken),
            skipped_frames=ear.skipped_frames,
            starved_frames=mouth.starved_frames,
            mic_fill_ms=_ms(mic.ring.fill),
            speaker_fill_ms=_ms(speaker.ring.fill),
            cushion_ms=_ms(mouth.cushion.level),
            drift_samples=mouth.drift_samples,
            trimmed_samples=mouth.trimmed_samples,
            xruns=mic.xruns.value + speaker.xruns.value,
            restarts=process.restarts,
            microphone=process.names[0],
            speaker=process.names[1],
            cancels_echo=bool(echo.active.value),
            echo_removed_db=removed / 10 if echo.active.value and removed != UNKNOWN else None,
        )

    @property
    def _late_samples(self) -> int:
        echo = self._sound.echo
        return DELAY_SAMPLES[bool(echo.noise.value)] if echo.active.value else 0

    def _lost(self, clock: FrameClock) -> Lost | None:
        """Return the time that has passed without sound since it was last asked, None if it is no outage."""
        if slept := self._sleep.frames():
            clock.count(slept)
            return self._count_lost(slept, SUSPENDED)
        now_s = wall_s()
        if not self._heard_any and now_s - self._began_s < WAKING_S:
            return None
        if self._ear.ready < 1 and (frames := clock.outage(now_s, self._ear.ready)):
            return self._count_lost(frames, self._find_outage())
        return None

    def _count_lost(self, frames: int, reason: str) -> Lost:
        self._ear.skipped_frames += frames
        return Lost(frames, reason)

    def _find_outage(self) -> str:
        """Return why there is no sound: what was seen first, until sound has come for a while again."""
        self._outage = self._outage or self._cause()
        self._settling = WINDOW_FRAMES
        return self._outage

    def _cause(self) -> str:
        """Return why there is no sound, as far as it can be seen from here."""
        if self._process.lacks_microphone:
            return MICROPHONE
        if not self._process.runs or self._process.restarts != self._restarts:
            return DEVICE
        mic, speaker = self._sound.mic, self._sound.speaker
        if not self._heard_any or _since_block_s(speaker) < SILENT_S <= _since_block_s(mic):
            return MICROPHONE
        return DEVICE if mic.opened.value != self._opened else STALLED

    def _take(self, clock: FrameClock, late: str) -> Heard:
        """Return the frame that is there; `late` is why some before it are dropped, if any are."""
        reason, ear = late, self._ear
        slow = len(self._steps_s) == STEPS and statistics.median(self._steps_s) > SLOW_SHARE * FRAME_MS / 1000
        if not self._heard_any:
            ear.drop(0)
            clock.align(wall_s(), ear.ready)
            self._heard_any = True
        look = clock.look(wall_s(), ear.ready)
        ear.drop_oldest(look.twice)
        skipped = ear.drop(0 if slow else BACKLOG_FRAMES)
        clock.count(1 + skipped)
        if look.lost:
            reason = self._find_outage()
        self._settling -= 1
        if self._settling < 0:
            self._outage = ""
        if self._opened != (opened := self._sound.mic.opened.value):
            # Not before: after an audio process ended, what it left in the ring is still taken.
            self._opened, self._restarts = opened, self._process.restarts
        skipped += look.lost
        ear.skipped_frames += skipped
        samples, raw, age_s = ear.hear()
        self._taken_s = time.monotonic()
        self._oldest_s = self._taken_s - age_s
        starved = self._mouth.starved_since()
        return Heard(samples, skipped, starved, self._lag_ms, raw, self._late_samples, reason)


class _Ear:
    """The reading end of the microphone's ring."""

    def __init__(self, sound: SharedSound) -> None:
        self._side = sound.mic
        self._raw = sound.raw
        self._echo = sound.echo
        self._lost = 0
        self.backlog = 0
        self.skipped_frames = 0

    def wait_s(self) -> float:
        """Return for how long it is no use to look again, 0 when a frame is there."""
        missing = FRAME_SAMPLES - self._side.ring.fill
        if missing <= 0:
            return 0.0
        since_s = _since_block_s(self._side)
        if since_s > SILENT_S:
            return IDLE_POLL_S
        blocks = -(-missing // round(BLOCK_S * SAMPLE_RATE))
        return max(POLL_S, blocks * BLOCK_S - since_s - POLL_S)

    @property
    def ready(self) -> float:
        """Return how many frames are there."""
        return self._side.ring.fill / FRAME_SAMPLES

    def drop_oldest(self, frames: int) -> None:
        """Leave out so many frames that are there."""
        self._side.ring.skip(frames * FRAME_SAMPLES)

    def drop(self, backlog_frames: int) -> int:
        """Leave out the oldest of more than one frame and a backlog; return how many, and found no room."""
        surplus = max(0, self._side.ring.fill // FRAME_SAMPLES - 1 - backlog_frames)
        self.drop_oldest(surplus)
        lost = self._side.lost.value - self._lost
        self._lost += lost
        return surplus + -(-lost // FRAME_SAMPLES)

    def hear(self) -> tuple[Samples, Samples | None, float]:
        """Return a frame, the same raw, and its age in s; nothing raw where no echo is cancelled."""
        ring = self._side.ring
        age_s = ring.fill / SAMPLE_RATE + _since_block_s(self._side) + self._side.latency_us.value / 1e6
        samples = np.empty(FRAME_SAMPLES, dtype=np.float32)
        raw = self._raw.get(ring.taken, FRAME_SAMPLES) if self._echo.active.value else None
        ring.read(samples)
        self.backlog = ring.fill // FRAME_SAMPLES
        return samples, raw, age_s


class _Mouth:
    """The writing end of the speaker's ring, and its cushion."""

    def __init__(self, sound: SharedSound) -> None:
        self._side = sound.speaker
        self._spare = sound.spare
        self._seen = 0
        self._silence = 0
        self._volume = 1.0
        self._opened = 0
        self._told_frames = 0
        self.cushion = Cushion()
        self.starved_frames = 0
        self.drift_samples = 0
        self.trimmed_samples = 0

    def say(self, said: Samples, volume: float, *, catching_up: bool) -> float:
        """Write a frame to be played at a volume of 0..1; return in how many s its first sample is heard."""
        same = self._opened == self._side.opened.value
        starved = self._observe(catching_up) if same else self._begin()
        waits_s = self._side.ring.fill / SAMPLE_RATE + self._side.latency_us.value / 1e6
        change = self.cushion.correct(is_quiet(said))
        played = alter(said, change) * self._ramp(volume, FRAME_SAMPLES + change)
        if starved:
            played[:FADE_IN] *= np.linspace(0, 1, FADE_IN, dtype=np.float32)
        if self._side.ring.fill <= SPEAKER_MOST:
            self._side.ring.write(played)
        if abs(change) <= 4:
            self.drift_samples += change
        else:
            self.trimmed_samples -= change
        return waits_s

    def starved_since(self) -> int:
        """Return the starved frames since the last call."""
        frames = self.starved_frames - self._told_frames
        self._told_frames += frames
        return frames

    def _begin(self) -> bool:
        """Lay the first cushion of a stream; what was silent before is nobody's fault."""
        self.cushion = Cushion()
        self._opened = self._side.opened.value
        self._side.ring.write(np.zeros(max(0, START - self._side.ring.fill), dtype=np.float32))
        self._seen = self._spare.count
        self._silence = self._side.lost.value
        return True

    def _observe(self, catching_up: bool) -> bool:
        """Look at the blocks since the last frame, and say whether silence had to be played."""
        silence = self._side.lost.value - self._silence
        blocks = self._spare.since(self._seen)
        self._seen = self._spare.count
        self._silence += silence
        if silence:
            self.starved_frames += -(-silence // FRAME_SAMPLES)
        if blocks:
            self.cushion.observe(min(blocks), silence, catching_up=catching_up)
        return silence > 0

    def _ramp(self, volume: float, size: int) -> Samples:
        """Return the gain of each sample, [size] float32, from the last frame's volume to this one."""
        gain = np.linspace(self._volume, volume, size, dtype=np.float32)
        self._volume = volume
        return gain


def _since_block_s(side: Side) -> float:
    """Return how long ago a device brought or took its last block."""
    return (time.monotonic_ns() - side.block_ns.value) / 1e9


def _peak_db(side: Side, position: int) -> float:
    """Return the peak of the frame's length of sound before a position of the ring."""
    samples = side.ring.look_back(position, FRAME_SAMPLES)
    if not samples.size or _since_block_s(side) > SILENT_S:
        return SILENCE_DB
    return max(SILENCE_DB, 20 * float(np.log10(np.abs(samples).max() + 1e-9)))


def _ms(samples: int) -> float:
    return 1000 * samples / SAMPLE_RATE


def _ignore(_sentence: str, _advice: str) -> None:
    """Take a report that nobody wants."""
