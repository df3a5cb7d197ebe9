"""One PortAudio stream in each direction, between a device and its shared ring, and how it is doing.

Runs in the audio process. Knows nothing about frames, cushions, the model or the parent process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import sounddevice

from app.audio.devices import Kind, portaudio_indices, targeting
from app.audio.echo import Echo
from app.audio.memory import UNKNOWN, SharedSound
from app.audio.resample import Puller, Resampler
from app.frames import SAMPLE_RATE, Samples

RATES = (SAMPLE_RATE, 48_000)
"""Tried in this order, and then whatever the device itself likes."""

BLOCKS_PER_S = (200, 100, 50)
"""Blocks of 5 ms, the smallest that ALSA's pulse plugin delivers evenly; larger ones where the computer
can not keep up with those, or the blocks of PipeWire are larger, as in a virtual machine."""

STALLED_S = 0.6
"""A stream without a block for so long is dead, whatever it says of itself."""

WAKING_S = 4.0
"""How long a stream may take to flow: a sound server that wakes a device up needs up to 2 s."""

STORM_XRUNS = 10
"""So many late blocks at once, and the stream is built anew with larger blocks."""

XRUNS_KEPT = 0.9
"""How much of the late blocks still counts at the next look: some in each are as bad as many at once."""

STORMS_PER_SIZE = 2
"""One storm may come from the waking of a device."""

FLOWING_LOOKS = 5
"""A speaker that stalls before blocks came between so many looks never ran: PipeWire waits for a block of its
own that is larger than ALSA's buffer. All that came is what fills that buffer at the start."""

FLOW_S = 2.0
FLOW_SHARE = 0.85
"""A microphone that brings less than this share while it flows loses the rest, for the same reason; neither
ALSA nor PortAudio tells."""

STORM_RATE = 4
"""A stream that calls so many times too often has lost its clock (seen: callbacks every 0.7 ms)."""

STORM_CALLS = 32
"""So many calls are looked at; fewer may come at once where the device's own blocks are larger."""

FADE_SAMPLES = 48
"""2 ms: how the last sample sounds off when the ring runs dry, so that it does not click."""

PLAUSIBLE_S = 0.3
"""Some drivers tell nonsense about when a block will be heard; beyond this they are not believed."""

SOUNDS_OFF = np.linspace(1, 0, FADE_SAMPLES, dtype=np.float32)


class Format(NamedTuple):
    """How a stream is opened."""

    rate: int
    channels: int
    block_samples: int


class MicCallback:
    """Copies what a device hears into the ring, at 24 kHz, the first channel of it.

    Resampling is done here and not on a thread of its own: it costs 10 us of the 5 ms, needs no lock,
    and a thread between two rings would need a second cushion against its own lateness.
    """

    def __init__(self, sound: SharedSound, echo: Echo | None, form: Format) -> None:
        self._side = sound.mic
        self._raw = sound.raw
        self._panel = sound.echo
        self._echo = echo
        self._channels = form.channels
        self.deaf = False
        """Set and read as one whole by two threads: what comes meanwhile is not from the microphone."""
        self._resampler = None if form.rate == SAMPLE_RATE else Resampler(form.rate, SAMPLE_RATE)

    @property
    def delay_s(self) -> float:
        """Return how long sound stays in the resampler and in the echo canceller."""
        delay_s = self._resampler.delay_s if self._resampler is not None else 0.0
        if self._echo is None or not self._panel.active.value:
            return delay_s
        return delay_s + self._echo.delay_s

    def __call__(self, indata: Any, _frames: int, _info: Any, status: Any) -> None:
        """Take one block from PortAudio's thread."""
        if self.deaf:
            return
        samples = np.frombuffer(indata, dtype=np.float32)[:: self._channels]
        if self._resampler is not None:
            samples = self._resampler.push(np.ascontiguousarray(samples))
        raw = samples
        if self._echo is not None:
            samples, raw = self._cancel(self._echo, samples)
        side = self._side
        self._raw.put(side.ring.written, raw[: side.ring.room])
        side.lost.value += samples.size - side.ring.write(samples)
        if status.input_overflow:
            side.xruns.value += 1
        side.block_ns.value = time.monotonic_ns()
        side.blocks.value += 1

    def _cancel(self, echo: Echo, samples: Samples) -> tuple[Samples, Samples]:
        """Return what is left without the echo, and what it was before; both the same while it is off."""
        panel = self._panel
        if not panel.active.value:
            echo.idle()
            panel.removed.value = UNKNOWN
            return samples, samples
        left, raw = echo.clean(samples, suppress_noise=panel.noise.value != 0)
        panel.removed.value = UNKNOWN if echo.removed_db is None else round(10 * echo.removed_db)
        return left, raw


class SpeakerCallback:
    """Copies what the ring holds to a device, and silence when it holds nothing."""

    def __init__(self, sound: SharedSound, echo: Echo | None, form: Format) -> None:
        self._side = sound.speaker
        self._echo = echo
        self._spare = sound.spare
        self._channels = form.channels
        self._mono = np.zeros(form.block_samples, dtype=np.float32)
        self._puller = None if form.rate == SAMPLE_RATE else Puller(self._read, SAMPLE_RATE, form.rate)
        self._last = 0.0
        self._calls_ns = [0] * STORM_CALLS
        self._storm_ns = round(1e9 * STORM_CALLS * form.block_samples / form.rate / STORM_RATE)
        self._calls = 0
        self.ahead_s = 0.0
        """How long before it is heard the last block was asked for, by the driver's own account."""

    @property
    def delay_s(self) -> float:
        """Return how long sound stays in the resampler."""
        return self._puller.delay_s if self._puller is not None else 0.0

    def __call__(self, outdata: Any, frames: int, info: Any, status: Any) -> None:
        """Give one block to PortAudio's thread."""
        if self._storms():
            # What the ring holds is kept for when the watchdog has built the stream anew.
            np.frombuffer(outdata, dtype=np.float32)[:] = 0
            self._side.xruns.value += 1
            return
        mono = self._mono if self._mono.size == frames else np.zeros(frames, dtype=np.float32)
        missing = self._puller.fill(mono) if self._puller is not None else frames - self._read(mono)
        out = np.frombuffer(outdata, dtype=np.float32).reshape(frames, self._channels)
        out[:] = mono[:, np.newaxis]
        side = self._side
        side.lost.value += missing
        self._spare.put(side.ring.fill - missing)
        if status.output_underflow:
            side.xruns.value += 1
        self.ahead_s = info.outputBufferDacTime - info.currentTime
        side.block_ns.value = time.monotonic_ns()
        side.blocks.value += 1

    def _storms(self) -> bool:
        """Say whether the last STORM_CALLS calls came STORM_RATE times too fast."""
        now_ns, at = time.monotonic_ns(), self._calls % STORM_CALLS
        before_ns, self._calls_ns[at] = self._calls_ns[at], now_ns
        self._calls += 1
        return now_ns - before_ns < self._storm_ns

    def _read(self, into: Samples) -> int:
        """Read from the ring, and end in a short fade and silence where it runs dry."""
        count = self._side.ring.read(into)
        if count < into.size:
            last = into[count - 1] if count else self._last
            fade = SOUNDS_OFF[: into.size - count] * last
            into[count : count + fade.size] = fade
            into[count + fade.size :] = 0
        self._last = float(into[-1])
        # Before it goes to the device: a reference that comes after its echo is of no use.
        if self._echo is not None:
            self._echo.play(into)
        return count


class Stream:
    """One open stream. Raises PortAudioError where there is no device, or it can be opened in no format.

    `name` is one of app.audio.devices. The callback runs on a thread of PortAudio; the two share only
    plain numbers.
    """

    def __init__(self, kind: Kind, name: str, sound: SharedSound, echo: Echo | None) -> None:
        devices = portaudio_indices(name, kind)
        if not devices:
            raise sounddevice.PortAudioError(f"no {'microphone' if kind == 'in' else 'speaker'}")
        self._sound = sound
        self._echo = echo
        self._side = sound.mic if kind == "in" else sound.speaker
        self.kind = kind
        self._name = name
        self._devices = devices
        self._storms = 0
        self._late = self._flow_s = 0.0
        self._flowing_looks = self._flow_blocks = 0
        self.flows = False
        """Whether blocks came between the last two looks."""
        self._open()

    def close(self) -> None:
        """Drop the stream, and what it still holds."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def deafen(self, deaf: bool) -> None:
        """Let nothing of the microphone through from now on, or everything again; from any thread."""
        if isinstance(self._callback, MicCallback):
            self._callback.deaf = deaf

    def look(self, looked_s: float) -> bool:
        """Say whether the stream is well, `looked_s` after the last look; build it anew if it is not.

        Raises PortAudioError where that fails.
        """
        side = self._side
        blocks, xruns = side.blocks.value - self._blocks, side.xruns.value - self._xruns
        self._blocks += blocks
        self.flows = blocks > 0
        self._xruns += xruns
        self._late = XRUNS_KEPT * self._late + xruns
        storm = self._late > STORM_XRUNS or blocks > STORM_RATE * looked_s * self._blocks_per_s
        stalled, too_small = self._is_stalled(), self._is_too_small(blocks, looked_s)
        if self._stream.active and not (storm or stalled or too_small):
            self._tell_latency()
            return True
        self.close()
        # To go through the sizes one by one would take as long each time.
        self._storms = STORMS_PER_SIZE * len(BLOCKS_PER_S) if too_small else self._storms + storm
        self._late = 0.0
        self._open()
        return False

    @property
    def _blocks_per_s(self) -> int:
        return BLOCKS_PER_S[min(self._storms // STORMS_PER_SIZE, len(BLOCKS_PER_S) - 1)]

    def _is_too_small(self, blocks: int, looked_s: float) -> bool:
        """Say whether larger blocks are what the stream lacks, after `blocks` more within `looked_s`."""
        self._flowing_looks += self.flows
        self._flow_s += looked_s
        self._flow_blocks += blocks
        if not self.flows:
            self._flow_s = self._flow_blocks = 0
        if self._blocks_per_s == BLOCKS_PER_S[-1]:
            return False
        if self._flow_s < FLOW_S:
            return self._is_stalled() and self._flowing_looks < FLOWING_LOOKS
        expected = self._flow_s * self._blocks_per_s
        lacking = self._flow_blocks < FLOW_SHARE * expected
        self._flow_s = self._flow_blocks = 0
        return lacking

    def _is_stalled(self) -> bool:
        last_ns = self._side.block_ns.value
        now_ns = time.monotonic_ns()
        patience_s = STALLED_S if now_ns - self._opened_ns > 1e9 * WAKING_S else WAKING_S
        return now_ns - max(self._opened_ns, last_ns) > 1e9 * patience_s

    def _open(self) -> None:
        fault: Exception = sounddevice.PortAudioError("the device has no channels")
        with targeting(self._name, self.kind):
            for device in self._devices:
                for form in self._formats(device):
                    if (refusal := self._try(device, form)) is None:
                        return
                    fault = refusal
        raise fault

    def _try(self, device: int, form: Format) -> Exception | None:
        """Return why the device refuses a format, None if the stream runs."""
        try:
            self._start(device, form)
        except sounddevice.PortAudioError as fault:
            refusal: Exception = fault
            return refusal
        return None

    def _start(self, device: int, form: Format) -> None:
        """Open and start the stream in one format. Raises PortAudioError where the device refuses it."""
        shape: Callable[..., Any] = sounddevice.RawOutputStream
        self._callback: MicCallback | SpeakerCallback
        if self.kind == "in":
            shape = sounddevice.RawInputStream
            self._callback = MicCallback(self._sound, self._echo, form)
        else:
            self._callback = SpeakerCallback(self._sound, self._echo, form)
        self._block_s = form.block_samples / form.rate
        self._blocks, self._xruns = self._side.blocks.value, self._side.xruns.value
        self._flowing_looks = self._flow_blocks = 0
        self._flow_s = 0.0
        self._opened_ns = time.monotonic_ns()
        self._stream = shape(
            samplerate=form.rate,
            blocksize=form.block_samples,
            device=device,
            channels=form.channels,
            dtype="float32",
            latency="low",
            callback=self._callback,
        )
        try:
            self._stream.start()
        except sounddevice.PortAudioError:
            self._stream.close(ignore_errors=True)
            raise
        self._side.opened.value += 1
        self._tell_latency()

    def _formats(self, device: int) -> Iterator[Format]:
        """Yield the formats to try, the cheapest first."""
        entry = sounddevice.query_devices(device)
        most = int(entry["max_input_channels" if self.kind == "in" else "max_output_channels"])
        for rate in dict.fromkeys((*RATES, round(entry["default_samplerate"]))):
            for channels in (1, 2):
                if channels <= most:
                    yield Format(rate, channels, rate // self._blocks_per_s)

    def _tell_latency(self) -> None:
        """Tell how long sound takes between the air and the ring, besides what waits in the ring.

        The driver's buffer is at least two blocks; of the microphone's, one is being filled, which is
        not waiting. The speaker's driver tells when a block will be heard.
        """
        latency_s = self._stream.latency
        if isinstance(self._callback, MicCallback):
            latency_s = max(0.0, latency_s - self._block_s)
        elif 0 < self._callback.ahead_s < PLAUSIBLE_S:
            latency_s = self._callback.ahead_s
        self._side.latency_us.value = round(1e6 * (latency_s + self._callback.delay_s))
