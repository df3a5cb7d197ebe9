"""The engines that speak for users, each behind one method: who says it, and how fast, is a `Who`.

An engine that is not installed says so with what to install. Knows nothing about what is said, or why.
"""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from app.errors import UserError
from app.frames import SAMPLE_RATE
from training.starter.speech import Sound, Speaker, Timed, Voice
from training.starter.user_texts import UserText

EXTRA = "Install the extra: `uv sync --extra starter`."
_QUIET = 0.01
"""What lies below this share of the loudest sample at both ends is cut off, …"""
_EDGE_S = 0.01
"""… but for so much, in which consonants begin and end."""

_ESPEAK_WORDS_A_MINUTE = 160
_FESTIVAL_VOICES = "/usr/share/festival/voices"
_HALF_TONES_MEI = 4.0


class Who(NamedTuple):
    """Somebody who speaks. What an engine does not know it leaves as it is."""

    engine: str
    name: str
    """As the engine names the voice; for Kokoro also a mixture: "af_bella:0.6+am_adam:0.4"."""
    speed: float = 1.0
    """1.2 is faster by a fifth."""
    pitch: float = 0.0
    """-1..1: lower or higher, by as much as the engine can do without harm."""


class Spoken(NamedTuple):
    """What was said, without silence at its ends, and its words."""

    sound: Sound
    words: tuple[Timed, ...]
    timed: bool
    """Whether the engine told when words begin; else they share the time by their letters."""


class Engine(Protocol):
    """Something that speaks."""

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what somebody says. Raises UserError for a voice that is not there."""


class Engines:
    """All engines, each opened when it is first asked for. Raises UserError where one is not installed."""

    def __init__(self) -> None:
        self._open: dict[str, Engine] = {}

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what somebody says."""
        if who.engine not in self._open:
            self._open[who.engine] = ENGINES[who.engine]()
        return self._open[who.engine].say(text, who)

    def close(self) -> None:
        """End the processes that some engines run in."""
        for engine in self._open.values():
            if isinstance(engine, Espeak):
                engine.close()


def missing(engine: str) -> UserError | None:
    """Return why an engine can not speak here, None where it can."""
    try:
        ENGINES[engine]()
    except UserError as fault:
        return fault
    return None


class Espeak:
    """espeak-ng's voices, "en-us+m3" and the like: formants, robust and robotic. Knows its words' times."""

    def __init__(self) -> None:
        self._speaker = Speaker()
        self.close = self._speaker.close

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what a voice says."""
        voice = Voice(
            who.name,
            round(_ESPEAK_WORDS_A_MINUTE * who.speed),
            round(50 + 25 * who.pitch),
            round(50 + 20 * who.pitch),
        )
        # It reads Japanese in kana alone; English as it is written, of which it tells each word.
        read = text.spoken if text.language == "ja" else text.written
        particles = {"は": "わ", "へ": "え", "を": "お"} if text.language == "ja" else {}
        speech = self._speaker.say(read, voice, particles)
        words = tuple(word._replace(text=name) for word, name in zip(speech.words, text.words, strict=False))
        if len(speech.words) != len(text.words):
            return shared(text, speech.sound)
        return Spoken(speech.sound, words, True)


class Flite:
    """CMU's small engine: unit selection by the voices slt, awb, rms."""

    def __init__(self) -> None:
        _need("flite", "flite")

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what a voice says."""
        stretch = f"duration_stretch={1 / who.speed:.3f}"
        return shared(
            text, _spoken_by(["flite", "-voice", who.name, "--setf", stretch, "-t", text.written, "-o"])
        )


class Festival:
    """The University of Edinburgh's engine with its free diphone voices: two American men."""

    def __init__(self) -> None:
        _need("text2wave", "festival")

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what a voice says."""
        if not (Path(_FESTIVAL_VOICES) / "english" / who.name).is_dir():
            raise UserError(
                f"festival has no voice {who.name}.",
                "Install the packages festvox-kallpc16k and festvox-kdlpc16k.",
            )
        set_up = f"(begin (voice_{who.name}) (Parameter.set 'Duration_Stretch {1 / who.speed:.3f}))"
        return shared(text, _spoken_by(["text2wave", "-eval", set_up, "-o"], text.written))


class OpenJTalk:
    """Japanese by Open JTalk and its HTS voice mei (CC-BY-3.0, Nagoya Institute of Technology)."""

    def __init__(self) -> None:
        self._talk = package("pyopenjtalk")

    def say(self, text: UserText, who: Who) -> Spoken:
        """Return what mei says."""
        samples, rate = self._talk.tts(text.written, speed=who.speed, half_tone=_HALF_TONES_MEI * who.pitch)
        return shared(text, as_sound(np.float32(2**-15) * np.asarray(samples, dtype=np.float32), rate))


def _kokoro() -> Engine:
    from training.starter.kokoro import Kokoro

    return Kokoro()


def _piper() -> Engine:
    from training.starter.piper import Piper

    return Piper()


ENGINES: Mapping[str, Callable[[], Engine]] = {
    "espeak-ng": Espeak,
    "flite": Flite,
    "festival": Festival,
    "open-jtalk": OpenJTalk,
    "kokoro": _kokoro,
    "piper": _piper,
}
"""By the name that the index of the bank and the scores give them."""


def shared(text: UserText, sound: Sound) -> Spoken:
    """Return speech of which nobody knows the words' times: they share it by their letters."""
    letters = np.cumsum([0, *(len(word) for word in text.words)])
    times = letters / max(1, letters[-1]) * (len(sound) / SAMPLE_RATE)
    words = (
        Timed(word, float(start), float(end))
        for word, start, end in zip(text.words, times[:-1], times[1:], strict=True)
    )
    return Spoken(sound, tuple(words), False)


def as_sound(samples: npt.NDArray[np.float32], rate: int) -> Sound:
    """Return samples of any rate as [N] float32 at 24 kHz, without silence at the ends."""
    sound = samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE)
    first, end = speech_span(sound)
    return np.asarray(sound[first:end], dtype=np.float32)


def speech_span(sound: Sound) -> tuple[int, int]:
    """Return the first sample that is no silence before speech, and the first of the silence after it."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * max(1e-6, float(np.max(np.abs(sound), initial=0.0))))
    if not len(loud):
        return 0, 0
    edge = round(_EDGE_S * SAMPLE_RATE)
    return max(0, int(loud[0]) - edge), min(len(sound), int(loud[-1]) + 1 + edge)


def package(name: str) -> Any:
    """Import a package of the extra. Raises UserError where it is missing."""
    try:
        with warnings.catch_warnings():
            # Others' deprecations are none of ours.
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError as fault:
        raise UserError(f"{name} is missing.", EXTRA) from fault


def _need(command: str, debian: str) -> None:
    if which(command) is None:
        raise UserError(f"{debian} is not installed.", f"Install the package {debian}.")


def _spoken_by(command: list[str], text: str = "") -> Sound:
    """Return what a command writes into the file that is named last. Raises UserError with what it says."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "speech.wav"
        done = subprocess.run([*command, str(out)], input=text, capture_output=True, text=True, check=False)
        try:
            samples, rate = soundfile.read(out, dtype="float32")
        except (soundfile.SoundFileError, OSError) as fault:
            said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
            raise UserError(
                f"{command[0]} wrote no sound: {said[0]}.", "Install its package again."
            ) from fault
        return as_sound(samples, rate)
