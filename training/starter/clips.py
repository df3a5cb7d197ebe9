"""Clips of the bank in codes, and users who speak by them: each time another rendition, shaken.

A user keeps one voice as far as the bank has it. Knows nothing about who speaks when.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.errors import UserError
from app.files import read_json_lines
from app.frames import FRAME_RATE
from training.starter.bank import INDEX, Entry, shards
from training.starter.bank_codes import ROOM, Coded, Codes, read_codes
from training.starter.scripts import LANGUAGES
from training.starter.speech import Timed
from training.starter.user_texts import Kind, user_texts

HELD_OUT_EVERY = 40
"""Each clip whose number is a multiple of this is kept out of training."""

_STEADY = 0.7
"""How often a user says something in their own voice, where the bank has it: else in any."""
_SETTLED_FRAMES = 10
"""A room without anybody sounds from here on as if it had always been there."""
_STRETCH = 0.15
"""Up to this share of the frames is doubled or left out."""

Voice = tuple[str, str]
"""Engine and voice."""
_Wanted = tuple[str, str, str, str]
"""Language, kind, answer, and the line that it follows."""


class Source(NamedTuple):
    """A bank and its codes."""

    bank: Path
    codes: Path


class Clip(NamedTuple):
    """Something that was said, and its renditions."""

    bank: Path
    entry: Entry
    renditions: list[Coded]


@dataclass(frozen=True)
class Spoken:
    """A rendition of a clip, as it is said this time: an `Utterance`."""

    language: str
    text: str
    answer: str
    begin: float
    end: float
    words: tuple[Timed, ...]
    codes: Codes
    clip: Clip


class Clips:
    """The clips of banks that are in codes, those to learn from or those that are held out."""

    def __init__(self, sources: Sequence[Source], *, held_out: bool = False) -> None:
        self.rooms: list[Codes] = []
        """Rooms without anybody, [K, T]."""
        self._found: dict[tuple[Path, int], Clip] = {}
        for source in sources:
            for shard in shards(source.bank):
                self._read(source.bank, shard, source.codes / f"{shard.name}.npz", held_out)
        self._clips = list(self._found.values())
        if not self._clips:
            raise UserError("No clip of the bank is in codes.", "Make them with `aizuchi starter codes`.")
        self._after = {
            (language, text.written): text.after for language in LANGUAGES for text in user_texts(language)
        }
        self._all: dict[_Wanted, list[int]] = defaultdict(list)
        self._by_voice: dict[tuple[Voice, _Wanted], list[int]] = defaultdict(list)
        self._voices: dict[str, list[Voice]] = defaultdict(list)
        for number, clip in enumerate(self._clips):
            self._index(number, clip.entry)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._clips)

    def draw_voice(self, language: str, chance: np.random.Generator) -> Voice | None:
        """Return the voice of any clip of a language: each as often as it speaks. None without clips."""
        voices = self._voices[language]
        return voices[int(chance.integers(len(voices)))] if voices else None

    def draw(self, wanted: _Wanted, voice: Voice | None, chance: np.random.Generator) -> Clip | None:
        """Return a clip, mostly in a voice where there is one in it; None where there is none at all."""
        own = self._by_voice.get((voice, wanted), []) if voice else []
        found = own if own and chance.random() < _STEADY else self._all.get(wanted, [])
        return self._clips[found[int(chance.integers(len(found)))]] if found else None

    def _read(self, bank: Path, shard: Path, codes: Path, held_out: bool) -> None:
        """Take the clips of a shard; one bank may be in codes more than once, each time in other places."""
        if not codes.exists():
            return
        renditions: dict[int, list[Coded]] = defaultdict(list)
        for coded in read_codes(codes):
            renditions[coded.clip].append(coded)
        self.rooms += [coded.codes[:, _SETTLED_FRAMES:] for coded in renditions.pop(ROOM, [])]
        for raw in read_json_lines(shard / INDEX):
            entry = Entry(**raw)
            if renditions[entry.number] and (entry.number % HELD_OUT_EVERY == 0) == held_out:
                clip = self._found.setdefault((bank, entry.number), Clip(bank, entry, []))
                clip.renditions.extend(renditions[entry.number])

    def _index(self, number: int, entry: Entry) -> None:
        voice = entry.engine, entry.voice
        # An answer is drawn for a question alone: what is not known is all one.
        answer = entry.answer if entry.kind != "unknown" else ""
        wanted = entry.language, entry.kind, answer, self._after.get((entry.language, entry.text), "")
        self._all[wanted].append(number)
        self._by_voice[voice, wanted].append(number)
        self._voices[entry.language].append(voice)


class ClipUser:
    """A user who speaks by clips."""

    def __init__(self, clips: Clips, chance: np.random.Generator, *, shaken: bool) -> None:
        self._clips, self._chance, self._shaken = clips, chance, shaken
        self._voices = draw_voices(clips, chance)

    def say(self, kind: Kind, language: str, answer: str = "", after: str = "") -> Spoken | None:
        """Return something of a kind, to which an answer is right; None where there is nothing."""
        clip = self._clips.draw((language, kind, answer, after), self._voices[language], self._chance)
        if clip is None:
            return None
        coded = clip.renditions[int(self._chance.integers(len(clip.renditions)))]
        return spoken(clip, coded, _frames(coded, self._chance) if self._shaken else None)


def draw_voices(clips: Clips, chance: np.random.Generator) -> Mapping[str, Voice | None]:
    """Return who speaks each language in a dialogue, None where nobody does."""
    return {language: clips.draw_voice(language, chance) for language in LANGUAGES}


def spoken(clip: Clip, coded: Coded, frames: npt.NDArray[np.intp] | None = None) -> Spoken:
    """Return a rendition; `frames` are those of it that are heard, in order, some perhaps twice or never."""
    entry = clip.entry
    frames_a_s = FRAME_RATE * coded.stretch
    order = np.arange(coded.codes.shape[1]) if frames is None else frames

    def moved(at: float) -> float:
        """Return where a moment of the rendition is now, in frames."""
        whole = min(int(at), coded.codes.shape[1] - 1)
        first, last = np.searchsorted(order, whole), np.searchsorted(order, whole, side="right")
        return float(first + (at - whole) * (last - first))

    words = tuple(
        Timed(
            word,
            moved(coded.begin + start * frames_a_s) / FRAME_RATE,
            moved(coded.begin + end * frames_a_s) / FRAME_RATE,
        )
        for word, start, end in entry.words
    )
    return Spoken(
        entry.language,
        entry.text,
        entry.answer,
        moved(coded.begin),
        moved(coded.end),
        words,
        coded.codes[:, order],
        clip,
    )


def _frames(coded: Coded, chance: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return which frames are heard where some of the speech are doubled or left out, evenly spread."""
    first, last = int(coded.begin), math.ceil(coded.end)
    count = max(1, round((last - first) * chance.uniform(1 - _STRETCH, 1 + _STRETCH)))
    inside = first + np.floor(np.arange(count) / count * (last - first)).astype(np.intp)
    return np.concatenate([np.arange(first), inside, np.arange(last, coded.codes.shape[1])])
