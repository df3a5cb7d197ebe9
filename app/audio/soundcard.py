"""The audio process: two PortAudio streams between the devices and the shared rings.

Started by Duplex as `python -m app.audio.soundcard FD MICROPHONE SPEAKER`: a process of its own because
one C call that holds the GIL in the window's process for longer than a device's buffer would break the
stream. It tells what it does in JSON lines on stdout, and ends when its stdin does, so it never outlives
its parent. PortAudio looks for devices only once, so after a loss it exits and is started anew.

Input and output are two streams: one duplex stream dies without an exception on ALSA's pulse plugin.
Knows nothing about frames, cushions or the model.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sounddevice

from app.audio.devices import SERVER, Kind, find_devices, portaudio_index
from app.audio.memory import SharedSound, Side
from app.audio.resample import Puller, Resampler
from app.frames import SAMPLE_RATE, Samples

RATES = (SAMPLE_RATE, 48_000)
"""Tried in this order, and then whatever the device itself likes."""

BLOCKS_PER_S = 100
"""Blocks of 10 ms: the smallest that ALSA's pulse plugin delivers evenly."""

LOOK_S = 0.25
"""How often the watchdog looks."""

STALLED_S = 0.6
"""A stream without a block for so long is dead, whatever it says of itself."""

STORM_BLOCKS_PER_S = 5 * BLOCKS_PER_S
"""A stream that calls more often than this has lost its clock (seen: callbacks every 0.7 ms)."""

STORM_XRUNS = 10
"""So many late blocks in one look, twice running, and the stream is built anew."""

FADE_SAMPLES = 48
"""2 ms: how the last sample sounds off when the ring runs dry, so that it does not click."""

HUNG_S = 8
"""If PortAudio does not come back for so long, the process ends itself, so that its parent starts another."""

EXIT_ABSENT = 3
"""No microphone or no speaker could be opened."""

EXIT_LOST = 4
"""A stream died and could not be opened again."""

Callback = Callable[[Any, int, Any, Any], None]


class MicCallback:
    """Copies what a device hears into the ring, at 24 kHz, the first channel of it.

    Resampling is done here and not on a thread of its own: it costs 10 us of the 10 ms, needs no lock,
    and a thread between two rings would need a second cushion against its own lateness.
    """

    def __init__(self, side: Side, rate: int, channels: int) -> None:
        self._side = side
        self._channels = channels
        self._resampler = None if rate == SAMPLE_RATE else Resampler(rate, SAMPLE_RATE)

    @property
    def delay_s(self) -> float:
        """Return how long sound stays in the resampler."""
        return self._resampler.delay_s if self._resampler is not None else 0.0

    def __call__(self, indata: Any, _frames: int, _info: Any, status: Any) -> None:
        """Take one block from PortAudio's thread."""
        samples = np.frombuffer(indata, dtype=np.float32)[:: self._channels]
        if self._resampler is not None:
            samples = self._resampler.push(np.ascontiguousarray(samples))
        side = self._side
        side.lost.value += samples.size - side.ring.write(samples)
        if status.input_overflow:
            side.xruns.value += 1
        side.block_ns.value = time.monotonic_ns()
        side.blocks.value += 1


class SpeakerCallback:
    """Copies what the ring holds to a device, and silence when it holds nothing."""

    def __init__(self, sound: SharedSound, rate: int, channels: int) -> None:
        self._side = sound.speaker
        self._spare = sound.spare
        self._channels = channels
        self._mono = np.zeros(rate // BLOCKS_PER_S, dtype=np.float32)
        self._puller = None if rate == SAMPLE_RATE else Puller(self._read, SAMPLE_RATE, rate)
        self._fade = np.linspace(1, 0, FADE_SAMPLES, dtype=np.float32)
        self._last = 0.0

    @property
    def delay_s(self) -> float:
        """Return how long sound stays in the resampler."""
        return self._puller.delay_s if self._puller is not None else 0.0

    def __call__(self, outdata: Any, frames: int, _info: Any, status: Any) -> None:
        """Give one block to PortAudio's thread."""
        if self._mono.size != frames:
            self._mono = np.zeros(frames, dtype=np.float32)
        mono = self._mono
        missing = self._puller.fill(mono) if self._puller is not None else frames - self._read(mono)
        out = np.frombuffer(outdata, dtype=np.float32).reshape(frames, self._channels)
        out[:] = mono[:, np.newaxis]
        side = self._side
        side.lost.value += missing
        self._spare.put(side.ring.fill - missing)
        if status.output_underflow:
            side.xruns.value += 1
        side.block_ns.value = time.monotonic_ns()
        side.blocks.value += 1

    def _read(self, into: Samples) -> int:
        """Read from the ring, and end in a short fade and silence where it runs dry."""
        count = self._side.ring.read(into)
        if count < into.size:
            last = into[count - 1] if count else self._last
            fade = self._fade[: into.size - count]
            into[count : count + fade.size] = fade * last
            into[count + fade.size :] = 0
        self._last = float(into[-1])
        return count


class Stream:
    """One open stream, and what its watchdog remembers. Raises PortAudioError where nothing opens."""

    def __init__(self, kind: Kind, device: int, sound: SharedSound) -> None:
        self._sound = sound
        self._side = sound.mic if kind == "in" else sound.speaker
        self._kind = kind
        self._device = device
        self._bad_looks = 0
        self._open()

    def close(self) -> None:
        """Drop the stream, and what it still holds."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def reopen(self) -> None:
        """Build the stream anew."""
        self.close()
        self._open()

    def ails(self, looked_s: float) -> bool:
        """Say whether the stream is dead or has lost its clock, `looked_s` after the last look."""
        blocks, xruns = self._side.blocks.value - self._blocks, self._side.xruns.value - self._xruns
        self._blocks += blocks
        self._xruns += xruns
        self._bad_looks = self._bad_looks + 1 if xruns > STORM_XRUNS else 0
        silent_s = (time.monotonic_ns() - max(self._opened_ns, self._side.block_ns.value)) / 1e9
        storm = blocks > STORM_BLOCKS_PER_S * looked_s
        return not self._stream.active or silent_s > STALLED_S or storm or self._bad_looks > 1

    def _open(self) -> None:
        error: Exception = sounddevice.PortAudioError("no channels")
        for rate, channels in _formats(self._kind, self._device):
            callback: MicCallback | SpeakerCallback
            if self._kind == "in":
                callback = MicCallback(self._side, rate, channels)
            else:
                callback = SpeakerCallback(self._sound, rate, channels)
            try:
                self._stream = self._start(rate, channels, callback)
            except sounddevice.PortAudioError as fault:
                error = fault
                continue
            self._side.latency_us.value = round(1e6 * (self._stream.latency + callback.delay_s))
            self._opened_ns = time.monotonic_ns()
            self._blocks, self._xruns = self._side.blocks.value, self._side.xruns.value
            self._bad_looks = 0
            return
        raise error

    def _start(self, rate: int, channels: int, callback: Callback) -> Any:
        shape = sounddevice.RawInputStream if self._kind == "in" else sounddevice.RawOutputStream
        stream = shape(
            samplerate=rate,
            blocksize=rate // BLOCKS_PER_S,
            device=self._device,
            channels=channels,
            dtype="float32",
            latency="low",
            callback=callback,
        )
        try:
            stream.start()
        except sounddevice.PortAudioError:
            stream.close(ignore_errors=True)
            raise
        return stream


def _formats(kind: Kind, device: int) -> Iterator[tuple[int, int]]:
    """Yield the (rate, channels) to try, the cheapest first."""
    entry = sounddevice.query_devices(device)
    most = int(entry["max_input_channels" if kind == "in" else "max_output_channels"])
    for rate in dict.fromkeys((*RATES, round(entry["default_samplerate"]))):
        for channels in (1, 2):
            if channels <= most:
                yield rate, channels


def tell(**fields: object) -> None:
    """Tell the parent, in one line of JSON."""
    print(json.dumps(fields), flush=True)


def choose(wished: dict[Kind, str]) -> dict[Kind, str]:
    """Return the devices to use: those wished for, or the default ones ('') in place of what is not there."""
    present = {(device.kind, device.name): device.label for device in find_devices()}
    chosen: dict[Kind, str] = {}
    for kind, name in wished.items():
        there = not name or (kind, name) in present
        chosen[kind] = name if there else ""
        if not there:
            what = "microphone" if kind == "in" else "speaker"
            bare = name.partition("/")[2]
            tell(
                trouble=f"The {what} “{bare}” is not there; the default {what} is used.",
                advice="Plug it in again and start a new talk to use it, or choose another one.",
            )
    return chosen


def route(chosen: dict[Kind, str]) -> None:
    """Lead the pulse plugin, which has one PortAudio device for all of a server's, to the chosen ones."""
    for kind, variable in (("in", "PULSE_SOURCE"), ("out", "PULSE_SINK")):
        if (name := chosen[kind]).startswith(SERVER):  # type: ignore[index]
            os.environ[variable] = name.removeprefix(SERVER)


def open_streams(sound: SharedSound, chosen: dict[Kind, str]) -> list[Stream]:
    """Open the speaker and the microphone. Raises PortAudioError where one of them can not be."""
    streams: list[Stream] = []
    kinds: tuple[Kind, Kind] = ("out", "in")
    try:
        for kind in kinds:
            device = portaudio_index(chosen[kind], kind)
            if device is None:
                raise sounddevice.PortAudioError(f"no {'microphone' if kind == 'in' else 'speaker'}")
            streams.append(Stream(kind, device, sound))
    except sounddevice.PortAudioError:
        for stream in streams:
            stream.close()
        raise
    return streams


def watch(streams: list[Stream]) -> int:
    """Look after the streams until stdin ends; return the exit status."""
    looked = time.monotonic()
    while not select.select([sys.stdin], [], [], LOOK_S)[0]:
        now = time.monotonic()
        for stream in streams:
            if not stream.ails(now - looked):
                continue
            try:
                stream.reopen()
            except sounddevice.PortAudioError as fault:
                tell(lost=str(fault))
                return EXIT_LOST
            tell(reopened=True)
        looked = now
        faulthandler.dump_traceback_later(HUNG_S, exit=True)
    return 0


def main(argv: list[str]) -> int:
    """Run the streams on the shared memory of file FD, with the two devices of these names."""
    # The parent's Ctrl+C reaches the whole group; the parent ends this process by closing its stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.dump_traceback_later(HUNG_S, exit=True)
    sound = SharedSound(int(argv[0]))
    chosen = choose({"in": argv[1], "out": argv[2]})
    route(chosen)
    try:
        streams = open_streams(sound, chosen)
    except sounddevice.PortAudioError as fault:
        tell(absent=str(fault))
        return EXIT_ABSENT
    gc.collect()
    gc.freeze()
    # The callbacks make no cycles; a collection would only be a pause at a bad moment.
    gc.disable()
    tell(microphone=chosen["in"], speaker=chosen["out"])
    return watch(streams)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # A dead device can keep PortAudio's own exit handler waiting for ever.
    os._exit(status)
