"""Dialogues encoded whole, as a microphone hears them: one place, one microphone, one run of the codec.

In some, the microphone hears the model from a loudspeaker as well. They take hundreds of times as long as
those that are pasted together of codes. Knows nothing about who says what, and when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import soundfile
import soxr
from moshi.models import MimiModel

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from training.codec import encode_stereo
from training.data.packing import Packed
from training.starter.acoustics import carry, draw_calm_place, draw_place, scale
from training.starter.bank import SOUND, shard_folder
from training.starter.bank_codes import LEAD_FRAMES
from training.starter.clips import Clip, Clips, draw_voices
from training.starter.dialogues import Dialogue, make_dialogue
from training.starter.microphones import draw_microphone, through
from training.starter.pasting import Codes, Paster, own_codes, own_text, user_text
from training.starter.speech import Sound, Timed
from training.starter.user_texts import Kind

_CALM_SHARE = 0.5
_LEAK_SHARE, _LEAK_DB, _LEAK_S = 0.3, (-45.0, -25.0), (0.03, 0.15)
"""How often the microphone hears the model from a loudspeaker, how much softer, and how much later."""
_TEMPO = 0.1
"""A user speaks up to so much faster and higher, or slower and deeper, in a whole dialogue."""
_LEVEL_DB = 3.0
"""Each time a user speaks up to so much louder or softer."""
_WHOLE = 1
"""Draws other dialogues than those that are pasted."""
_SIDE_BY_SIDE = 2
"""So many dialogues go through the codec at once."""


@dataclass(frozen=True)
class Sounding:
    """A clip as it is said this time, in sound: an `Utterance`."""

    language: str
    text: str
    answer: str
    begin: float
    end: float
    words: tuple[Timed, ...]
    sound: Sound


class SoundUser:
    """A user who speaks by the sound of clips."""

    def __init__(self, clips: Clips, chance: np.random.Generator) -> None:
        self._clips, self._chance = clips, chance
        self._voices = draw_voices(clips, chance)
        self._tempo = float(np.exp(chance.uniform(-1, 1) * np.log1p(_TEMPO)))

    def say(self, kind: Kind, language: str, answer: str = "", after: str = "") -> Sounding | None:
        """Return something of a kind, to which an answer is right; None where there is nothing."""
        clip = self._clips.draw((language, kind, answer, after), self._voices[language], self._chance)
        if clip is None:
            return None
        sound = soxr.resample(_sound(clip), SAMPLE_RATE, SAMPLE_RATE * self._tempo).astype(np.float32)
        stretch = len(sound) / max(1, clip.entry.samples)
        # Anywhere in a frame, as in a clip in codes.
        begin = LEAD_FRAMES + round(self._chance.random() * FRAME_SAMPLES) / FRAME_SAMPLES
        at_s = begin / FRAME_RATE
        words = tuple(
            Timed(word, at_s + stretch * start, at_s + stretch * end) for word, start, end in clip.entry.words
        )
        entry = clip.entry
        return Sounding(
            entry.language, entry.text, entry.answer, begin, begin + len(sound) / FRAME_SAMPLES, words, sound
        )


class WholeMaker:
    """Makes dialogues up and encodes each whole."""

    def __init__(self, paster: Paster, mimi: MimiModel) -> None:
        self._parts, self._mimi = paster, mimi

    def rows(self, numbers: Sequence[int], seed: int, seconds: float) -> Iterator[Packed]:
        """Yield dialogues as training reads them, each of which follows from the seed and its number."""
        for first in range(0, len(numbers), _SIDE_BY_SIDE):
            some = numbers[first : first + _SIDE_BY_SIDE]
            made = [self.make(number, seed, seconds) for number in some]
            heard = _encoded(self._mimi, [sound for _, sound in made])
            for number, (dialogue, _), codes in zip(some, made, heard, strict=True):
                lines, tokenizer = self._parts.lines, self._parts.tokenizer
                own = np.concatenate([own_text(dialogue, lines)[None], own_codes(dialogue, lines)])
                user = np.concatenate([user_text(dialogue, tokenizer)[None], codes])
                yield Packed(f"{dialogue.language}-whole-{number:05}", own, user)

    def make(self, number: int, seed: int, seconds: float) -> tuple[Dialogue, Sound]:
        """Return what happens in a dialogue, and what the microphone hears, [N]."""
        chance = np.random.default_rng([seed, number, _WHOLE])
        user = SoundUser(self._parts.clips, chance)
        made = make_dialogue(user, self._parts.lines, chance, seconds)
        return made, self._heard(made, chance)

    def _heard(self, made: Dialogue, chance: np.random.Generator) -> Sound:
        place = draw_calm_place(chance) if chance.random() < _CALM_SHARE else draw_place(chance)
        microphone = draw_microphone(chance)
        sound = np.zeros(made.frames * FRAME_SAMPLES, dtype=np.float32)
        for turn in made.turns:
            assert isinstance(turn.utterance, Sounding), "users speak by sounds"
            gain = np.float32(10 ** (chance.uniform(-_LEVEL_DB, _LEVEL_DB) / 20))
            said = gain * scale(through(turn.utterance.sound, microphone), place)
            _add(sound, said, round((turn.first + turn.utterance.begin) * FRAME_SAMPLES))
        if chance.random() < _LEAK_SHARE:
            gain = np.float32(10 ** (chance.uniform(*_LEAK_DB) / 20))
            sound += gain * np.roll(self._loudspeaker(made), round(chance.uniform(*_LEAK_S) * SAMPLE_RATE))
        return carry(sound, place, chance)

    def _loudspeaker(self, made: Dialogue) -> Sound:
        """Return what the loudspeaker plays."""
        played = np.zeros(made.frames * FRAME_SAMPLES, dtype=np.float32)
        for line in made.lines:
            said = self._parts.lines.speech[line.language, line.text, line.tempo].sound
            end = len(said) if line.end is None else (line.end - line.first) * FRAME_SAMPLES
            _add(played, said[:end], line.first * FRAME_SAMPLES)
        return played


def _sound(clip: Clip) -> Sound:
    """Return a clip as it is in its bank, [N]."""
    path = shard_folder(clip.bank, clip.entry.number) / SOUND
    first = clip.entry.first
    sound, _ = soundfile.read(path, start=first, stop=first + clip.entry.samples, dtype="float32")
    return cast(Sound, sound)


def _add(sound: Sound, other: Sound, first: int) -> None:
    """Add a sound from a sample on, which may lie before the first; what does not fit in is left out."""
    other, first = other[max(0, -first) :], max(0, first)
    room = sound[first : first + len(other)]
    room += other[: len(room)]


def _encoded(mimi: MimiModel, sounds: Sequence[Sound]) -> list[Codes]:
    """Return the codes of two sounds side by side, or of one beside silence."""
    beside = [*sounds, np.zeros_like(sounds[0])][:_SIDE_BY_SIDE]
    codes = encode_stereo(mimi, np.stack(beside))
    return [each.numpy().astype(np.int32) for each in codes[: len(sounds)]]
