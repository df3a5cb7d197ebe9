"""Stereo dialogues with words whose times are exact: espeak-ng says each, and it is pasted where it goes.

Seeded, and fast after the first: a word is spoken once for each voice. Knows nothing about what is tested.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from app.frames import SAMPLE_RATE
from app.store.datasets import Speaker, TimedWord

Stereo = npt.NDArray[np.float32]
"""[2, N] float32 at 24 kHz: row 0 voice A, row 1 voice B."""

_ENGLISH = (
    "well I think that we could go there tomorrow morning or maybe on Sunday because the weather "
    "looks rather nice and my sister has a boat near the old harbour"
)
# Kana alone, since espeak-ng reads no kanji; particles are words, as recognisers give them.
_JAPANESE = (
    "きょう は とても いい てんき です ね あした わたし の ともだち と うみ に "
    "いく つもり でも すこし さむい かな"
)
WORDS = {"en": _ENGLISH.split(), "ja": _JAPANESE.split()}
BACKCHANNELS = {"en": ["yeah", "right", "okay"], "ja": ["はい", "うん", "ええ"]}
VOICES: dict[Speaker, dict[str, str]] = {
    "A": {"en": "en-us", "ja": "ja"},
    "B": {"en": "en-us+f3", "ja": "ja+f3"},
}

_WORDS_A_TURN = 3, 9
_PAUSE_S = 0.02, 0.12
_GAP_S = -0.3, 0.5
"""Between two turns; below 0 the next speaker begins while the last word still sounds."""

_BACKCHANNEL_SHARE = 0.3
_QUIET = 0.003


@lru_cache(maxsize=512)
def say(text: str, voice: str = "en-us") -> npt.NDArray[np.float32]:
    """Return what espeak-ng says, [N] float32 at 24 kHz, without the silence around it."""
    command = ["espeak-ng", "-v", voice, "-s", "180", "--stdout", text]
    spoken = subprocess.run(command, check=True, capture_output=True, timeout=20).stdout
    samples, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
    sound = soxr.resample(samples, rate, SAMPLE_RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    trimmed: npt.NDArray[np.float32] = 0.6 * sound[loud[0] : loud[-1] + 1]
    trimmed.setflags(write=False)
    return trimmed


def make_dialogue(
    seconds: float, seed: int, language: Literal["en", "ja"] | str = "en"
) -> tuple[Stereo, list[TimedWord]]:
    """Return exactly so many seconds of two voices that take turns, overlap and backchannel, and their words.

    The words are ordered by time, their times whole milliseconds; no two of one voice overlap.
    """
    chance = np.random.default_rng(seed)
    audio: Stereo = np.zeros((2, round(seconds * SAMPLE_RATE)), dtype=np.float32)
    words: list[TimedWord] = []
    free_s: dict[Speaker, float] = {"A": 0.0, "B": 0.0}
    speaker: Speaker = "A" if chance.random() < 0.5 else "B"
    at_s = 0.2
    while at_s < seconds:
        other: Speaker = "B" if speaker == "A" else "A"
        at_s = max(at_s, free_s[speaker])
        for number in range(int(chance.integers(*_WORDS_A_TURN))):
            word = _paste(audio, at_s, speaker, str(chance.choice(WORDS[language])), language)
            if word is None:
                break
            words.append(word)
            free_s[speaker] = at_s = word.end_s + round(chance.uniform(*_PAUSE_S), 3)
            if number == 1 and chance.random() < _BACKCHANNEL_SHARE and free_s[other] <= at_s:
                answer = _paste(audio, at_s, other, str(chance.choice(BACKCHANNELS[language])), language)
                if answer is not None:
                    words.append(answer)
                    free_s[other] = answer.end_s + 0.1
        else:
            at_s = round(max(0.0, at_s + chance.uniform(*_GAP_S)), 3)
            speaker = other
            continue
        break
    return audio, sorted(words, key=lambda word: (word.start_s, word.speaker))


def write_dialogue(
    folder: Path, name: str, audio: Stereo, words: Iterable[TimedWord] | None = None, rate: int = SAMPLE_RATE
) -> Path:
    """Write NAME.wav (16 bit, resampled if asked to) and, with words, NAME.json; return the wav's path.

    The folder has nu-dialogue's layout where it holds `audio` and `text`; else both files go side by side.
    """
    sounds, texts = (folder / part if (folder / part).is_dir() else folder for part in ("audio", "text"))
    folder.mkdir(parents=True, exist_ok=True)
    stereo = audio.T if rate == SAMPLE_RATE else soxr.resample(audio.T, SAMPLE_RATE, rate)
    soundfile.write(sounds / f"{name}.wav", np.clip(stereo, -1.0, 1.0), rate, "PCM_16")
    if words is not None:
        said = [{"speaker": w.speaker, "word": w.text, "start": w.start_s, "end": w.end_s} for w in words]
        (texts / f"{name}.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return sounds / f"{name}.wav"


def _paste(audio: Stereo, at_s: float, speaker: Speaker, text: str, language: str) -> TimedWord | None:
    """Add a word to its voice's channel, None where it does not fit any more."""
    sound = say(text, VOICES[speaker][language])
    start_s = round(at_s, 3)
    end_s = round(start_s + len(sound) / SAMPLE_RATE + 0.0005, 3)
    if end_s * SAMPLE_RATE > audio.shape[1]:
        return None
    first = round(start_s * SAMPLE_RATE)
    audio["AB".index(speaker), first : first + len(sound)] += sound
    return TimedWord(speaker, text, start_s, end_s)
