"""One PortAudio stream in each direction, between a device and its shared ring, and how it is doing.

Runs in the audio process. Knows nothing about frames, cushions, the model or the parent process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import sounddevice

from app.audio.devices import Kind
from app.audio.echo import Echo
from app.audio.memory import UNKNOWN, SharedSound
from app.audio.resample import Puller, Resampler
from app.frames import SAMPLE_RATE, Samples

RATES = (SAMPLE_RATE, 48_000)
"""Tried in this order, and then whatever the device itself likes."""

BLOCKS_PER_S = (200, 100, 50)
"""Blocks of 5 ms, the smallest that ALSA's pulse plugin delivers evenly; larger ones where the computer
can not keep up with those."""

STALLED_S = 0.6
"""A stream without a block for so long is dead, whatever it says of itself."""

WAKING_S = 4.0
"""How long a stream may take to flow: a sound server that wakes a device up needs up to 2 s."""

STORM_XRUNS = 10
"""So many late blocks between two looks, and the stream is built anew with larger blocks."""

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
    """One open stream. Raises PortAudioError where the device can not be opened in any format.

    Its callback runs on a thread of PortAudio; the two share only plain numbers.
    """

    def __init__(self, kind: Kind, device: int, sound: SharedSound, echo: Echo | None) -> None:
        self._sound = sound
        self._echo = echo
        self._side = sound.mic if kind == "in" else sound.speaker
        self.kind = kind
        self._device = device
        self._storms = 0
        self.flows = False
        """Whether blocks came between the last two looks."""
        self._open()

    def close(self) -> None:
        """Drop the stream, and what it still holds."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def look(self, looked_s: float) -> bool:
        """Say whether the stream is well, `looked_s` after the last look; build it anew if it is not.

        Raises PortAudioError where that fails.
        """
        side = self._side
        blocks, xruns = side.blocks.value - self._blocks, side.xruns.value - self._xruns
        self._blocks += blocks
        self.flows = blocks > 0
        self._xruns += xruns
        storm = xruns > STORM_XRUNS or blocks > STORM_RATE * looked_s * self._blocks_per_s
        if self._stream.active and not storm and not self._is_stalled():
            self._tell_latency()
            return True
        self.close()
        self._storms += storm
        self._open()
        return False

    @property
    def _blocks_per_s(self) -> int:
        # One storm may come from the waking of a device.
        return BLOCKS_PER_S[min(self._storms // 2, len(BLOCKS_PER_S) - 1)]

    def _is_stalled(self) -> bool:
        last_ns = self._side.block_ns.value
        now_ns = time.monotonic_ns()
        patience_s = STALLED_S if now_ns - self._opened_ns > 1e9 * WAKING_S else WAKING_S
        return now_ns - max(self._opened_ns, last_ns) > 1e9 * patience_s

    def _open(self) -> None:
        fault: Exception = sounddevice.PortAudioError("the device has no channels")
        for form in self._formats():
            if (refusal := self._try(form)) is None:
                return
            fault = refusal
        raise fault

    def _try(self, form: Format) -> Exception | None:
        """Return why the device refuses a format, None if the stream runs."""
        try:
            self._start(form)
        except sounddevice.PortAudioError as fault:
            refusal: Exception = fault
            return refusal
        return None

    def _start(self, form: Format) -> None:
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
        self._opened_ns = time.monotonic_ns()
        self._stream = shape(
            samplerate=form.rate,
            blocksize=form.block_samples,
            device=self._device,
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

    def _formats(self) -> Iterator[Format]:
        """Yield the formats to try, the cheapest first."""
        entry = sounddevice.query_devices(self._device)
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
