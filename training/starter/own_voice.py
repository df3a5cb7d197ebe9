"""The model's own voice: its lines as an engine says them, kept on disk so that each costs once.

Knows nothing about dialogues or codes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from app.files import make_folder, read_json, replacing, write_json
from app.frames import SAMPLE_RATE
from training.starter.acoustics import CLEAN, scale
from training.starter.bank_voices import OWN_VOICES
from training.starter.engines import Engines, Who
from training.starter.scripts import display, phrases
from training.starter.speech import Sound, Speech, Timed
from training.starter.user_texts import UserText
from training.starter.voices import model_voice

KOKORO, ESPEAK = "kokoro", "espeak-ng"


class OwnVoice:
    """Says lines, each in the one voice that the model has in its language.

    `engine` is Kokoro, or espeak-ng to try out what comes after, where nothing else is installed.
    """

    def __init__(self, folder: Path, engine: str = KOKORO) -> None:
        self._folder, self._engine = folder, engine
        self._engines = Engines()
        self.close = self._engines.close
        """Ends the process of espeak-ng."""

    def say(self, language: str, line: str, speed: float = 1.0) -> Speech:
        """Return a line, words between spaces, as loud as every other and without silence at its ends.

        Its words carry their punctuation; phonemes are not told. Raises UserError where the engine is not
        installed.
        """
        who = self._who(language, speed)
        # Engines do not care of what kind a text is, and its own lines are none of users'.
        text = UserText("clause", language, _written(language, line), line)
        key = "\n".join((who.engine, who.name, f"{speed:.3f}", text.written, line))
        told = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"
        if not told.exists():
            self._make(text, who, told)
        sound, _ = soundfile.read(told.with_suffix(".flac"), dtype="float32")
        return Speech(sound, tuple(Timed(*word) for word in read_json(told)["words"]), ())

    def _make(self, text: UserText, who: Who, told: Path) -> None:
        """Write a line: its sound first, so that whatever has words has sound."""
        spoken = self._engines.say(text, who)
        make_folder(self._folder)
        with replacing(told.with_suffix(".flac")) as part:
            soundfile.write(part, _steady(spoken.sound), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        write_json(told, {"line": text.spoken, "language": text.language, "words": spoken.words})

    def _who(self, language: str, speed: float) -> Who:
        voices: Mapping[str, str] = OWN_VOICES
        name = voices[language] if self._engine == KOKORO else model_voice(language).name
        return Who(self._engine, name, speed)


def _written(language: str, line: str) -> str:
    """Return a line as an engine has to read it."""
    said = phrases(language)
    if language == "ja":
        return said.read.get(line, display(line, language))
    return " ".join(said.aloud.get(word, word) for word in line.split())


def _steady(sound: Sound) -> Sound:
    return np.clip(scale(sound, CLEAN), -1.0, 1.0).astype(np.float32)
