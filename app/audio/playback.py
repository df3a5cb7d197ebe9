"""Plays a recording through the speaker, as a process of its own: `python -m app.audio.playback [SPEAKER]`.

The speaker is a name as in app.audio.devices; without one, and where it is gone, the default is used.

One JSON object a line on stdin says what to do:
    {"do": "play", "file": PATH, "at": SAMPLE, "until": SAMPLE or null, "take": NUMBER}
    {"do": "pause"}
    {"do": "loop", "span": [FIRST, LAST] or null}
    {"do": "balance", "model": GAIN, "user": GAIN}
    {"do": "speed", "speed": FACTOR}
and one a line on stdout tells {"take": NUMBER, "at": SAMPLE, "playing": BOOL} while it plays and when that
changes, or {"sentence": TEXT, "advice": TEXT} when it can not. The number is that of the last "play", so that
the reader can tell news from what was under way. The process ends with its stdin.

Sound is written with PortAudio's blocking calls: nothing here is in a hurry but the sound card, which
waits in C. Knows nothing about the window, and nothing about what is in a recording beside its sound.
"""

from __future__ import annotations

import json
import queue
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sounddevice
import soundfile
import soxr

from app.audio.devices import SERVER, portaudio_index, targeting
from app.audio.stretch import Stereo, Stretch
from app.files import parse_line

BLOCK_S = 0.04
LATENCY_S = 0.1
OTHER_RATES = (48_000, 44_100)
"""What to try, resampled, where the device refuses the rate of the file."""
PLACES = np.array([[0.87, 0.5], [0.5, 0.87]], dtype=np.float32)
"""Model half left, user half right: told apart by ear, and never in one ear alone."""

Command = dict[str, Any]


class Tape:
    """A sound file that is read block by block and may go round in a span of it."""

    def __init__(self, file: Path) -> None:
        self._file = soundfile.SoundFile(file)
        self.rate = int(self._file.samplerate)
        self.length_samples = int(self._file.frames)
        self.at = self.began = 0
        self.until: int | None = None
        self.span: tuple[int, int] | None = None

    def seek(self, at: int) -> None:
        """Go to a sample, held inside the file."""
        self.at = self.began = max(0, min(at, self.length_samples))
        self._file.seek(self.at)

    def read(self, samples: int) -> Stereo:
        """Return up to this many samples, [N, 2]; none at the end, or where it is to end."""
        end = self.length_samples if self.until is None else min(self.until, self.length_samples)
        if self.span and self.until is None:
            end = self.span[1]
            if self.at >= end:
                self.seek(self.span[0])
        block = self._file.read(max(0, min(samples, end - self.at)), dtype="float32", always_2d=True)
        self.at += len(block)
        return np.ascontiguousarray(block[:, [0, -1]])

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Speaker:
    """The output device, open while something is played; resamples where it has to."""

    def __init__(self, name: str, rate: int) -> None:
        self._rate = rate
        with targeting(name, "out"):
            self._stream, device_rate = _open_stream(portaudio_index(name, "out"), rate)
        self._resample = soxr.ResampleStream(rate, device_rate, 2) if device_rate != rate else None
        self._stream.start()

    @property
    def latency_samples(self) -> int:
        """Return how many samples of the file's rate were written and not heard yet."""
        return round(float(self._stream.latency) * self._rate)

    def write(self, samples: Stereo) -> None:
        """Play [N, 2]; returns when the device has room for more."""
        if self._resample is not None:
            samples = self._resample.resample_chunk(samples)
        self._stream.write(np.ascontiguousarray(samples).tobytes())

    def close(self, *, at_once: bool) -> None:
        """Close the device, after what was written has been heard or `at_once`."""
        if at_once:
            self._stream.abort()
        else:
            self._stream.stop()
        self._stream.close()


def _open_stream(device: int | None, rate: int) -> tuple[sounddevice.RawOutputStream, int]:
    options = {"device": device, "channels": 2, "dtype": "float32"}
    for candidate in (rate, *OTHER_RATES):
        with suppress(sounddevice.PortAudioError):
            sounddevice.check_output_settings(samplerate=candidate, **options)
            stream = sounddevice.RawOutputStream(samplerate=candidate, latency=LATENCY_S, **options)
            return stream, candidate
    # Nothing will do; let PortAudio say why.
    return sounddevice.RawOutputStream(samplerate=rate, **options), rate


@dataclass
class Playback:
    """What is being played, and how. `obey` takes commands, `step` plays one block."""

    speaker_name: str = ""
    tape: Tape | None = None
    file: Path | None = None
    speaker: Speaker | None = None
    gains: Stereo = field(default_factory=lambda: np.ones((1, 2), dtype=np.float32))
    stretch: Stretch | None = None
    speed: float = 1.0
    span: tuple[int, int] | None = None
    take: int = 0

    def obey(self, command: Command) -> None:
        """Do what a line on stdin says."""
        match command["do"]:
            case "step":
                self.step()
            case "play":
                self.take = int(command["take"])
                self._play(Path(command["file"]), int(command["at"]), command.get("until"))
            case "pause":
                self.stop(at_once=True)
            case "loop":
                self.span = (int(command["span"][0]), int(command["span"][1])) if command["span"] else None
                self._use_span()
            case "balance":
                self.gains = np.array([[command["model"], command["user"]]], dtype=np.float32)
            case "speed":
                self.speed = float(command["speed"])
                self._use_speed()

    def _play(self, file: Path, at: int, until: int | None) -> None:
        if self.tape is None or self.file != file:
            self._eject()
            self.tape, self.file = Tape(file), file
        self.tape.until = until
        self.tape.seek(at)
        self._use_speed()
        self._use_span()
        if self.speaker is None:
            self.speaker = self._open_speaker(self.tape.rate)

    def _open_speaker(self, rate: int) -> Speaker:
        try:
            return Speaker(self.speaker_name, rate)
        except sounddevice.PortAudioError:
            if not self.speaker_name.startswith(SERVER):
                raise
            self.speaker_name = ""
            return Speaker("", rate)

    def _use_speed(self) -> None:
        if self.tape is not None:
            self.stretch = Stretch(self.speed, self.tape.rate)

    def _use_span(self) -> None:
        if self.tape is not None:
            self.tape.span = self.span

    def step(self) -> None:
        """Play one block; at the end of the file let it sound out and stop."""
        assert self.tape is not None and self.stretch is not None and self.speaker is not None
        samples = self.tape.read(round(BLOCK_S * self.tape.rate))
        if len(samples):
            mixed = (self.stretch.push(samples) * self.gains) @ PLACES
            self.speaker.write(np.clip(mixed, -1.0, 1.0))
        else:
            self.stop(at_once=False)

    def stop(self, *, at_once: bool) -> None:
        """Close the speaker; the tape stays where it is heard to be."""
        if self.speaker is None or self.tape is None or self.stretch is None:
            return
        if at_once:
            self.tape.seek(self.heard_at())
        self.stretch.clear()
        self.speaker.close(at_once=at_once)
        self.speaker = None

    def _eject(self) -> None:
        self.stop(at_once=True)
        if self.tape is not None:
            self.tape.close()
            self.tape = None

    def heard_at(self) -> int:
        """Return the sample that leaves the speaker now, as well as PortAudio can tell."""
        if self.tape is None:
            return 0
        behind = self.stretch.pending_samples if self.stretch and self.speed != 1.0 else 0
        if self.speaker is not None:
            behind += round(self.speaker.latency_samples * self.speed)
        return max(self.tape.began, self.tape.at - behind)


def main() -> int:
    """Obey stdin until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    playback = Playback(name)
    while _serve(playback, commands):
        pass
    return 0


def _serve(playback: Playback, commands: queue.SimpleQueue[Command | None]) -> bool:
    """Obey what waits, or play a block; wait for a command when silent. False when stdin ended."""
    command: Command | None = {"do": "step"}
    if playback.speaker is None or not commands.empty():
        command = commands.get()
    if command is None:
        return False
    try:
        playback.obey(command)
    except (sounddevice.PortAudioError, soundfile.SoundFileError, OSError) as error:
        playback.speaker = playback.tape = None
        _tell(sentence=f"The recording could not be played: {str(error).rstrip('.')}.", advice=_advice(error))
    _tell(take=playback.take, at=playback.heard_at(), playing=playback.speaker is not None)
    return True


def _listen(commands: queue.SimpleQueue[Command | None]) -> None:
    for line in sys.stdin:
        if (command := parse_line(line)) is not None:
            commands.put(command)
    commands.put(None)
    # A sound server that died can leave the main thread waiting in C for ever; nobody is left to ask.
    signal.alarm(2)


def _advice(error: Exception) -> str:
    if isinstance(error, sounddevice.PortAudioError):
        return "Check that a speaker is connected and chosen in the sound settings of the system."
    return "The file may be damaged or may have been moved; the transcript can still be exported."


def _tell(**message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
