"""Things said by chance in all voices, to train a codec on: no dialogue, only speech in places.

Knows nothing about codes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from training.starter.acoustics import CLEAN, carry, draw_place, scale
from training.starter.scripts import LANGUAGES, Phrases, phrases
from training.starter.speech import Sound, Speaker, Timed
from training.starter.voices import draw_voice, model_voice

MODEL_SHARE = 0.55
"""How often the model's own voice speaks: it alone has to sound well when it comes out of the codec."""

_LINE_SHARE = 0.7
"""How often the model says what it can say in a dialogue, and not a story of the user."""

_ENGLISH_SHARE = 0.6
_SHORTEST_PHONEME_S = 0.015


class Utterance(NamedTuple):
    """Speech as it was, [N], as a microphone hears it, [N], and its phonemes."""

    said: Sound
    heard: Sound
    phonemes: tuple[Timed, ...]


def draw_utterance(
    speaker: Speaker, chance: np.random.Generator, seconds: float, *, own_share: float = MODEL_SHARE
) -> Utterance:
    """Return so many seconds with somebody speaking in them, so often in the model's own voice."""
    said = phrases(LANGUAGES[int(chance.random() > _ENGLISH_SHARE)])
    own = chance.random() < own_share
    voice = model_voice(said.language) if own else draw_voice(said.language, chance)
    speech = speaker.say(_text(said, own, chance), voice, said.aloud)
    place = CLEAN if own else draw_place(chance)
    samples = round(seconds * SAMPLE_RATE)
    # Somewhere in the middle of silence, or cut off at either end.
    length = len(speech.sound)
    first = int(chance.integers(min(-length // 4, samples * 3 // 4 - length), samples // 2))
    clean = _put(scale(speech.sound, place), first, samples)
    return Utterance(clean, carry(clean, place, chance), _moved(speech.phonemes, first / SAMPLE_RATE))


def phoneme_names(speaker: Speaker) -> list[str]:
    """Return the phonemes of both languages, as espeak-ng names them."""
    chance = np.random.default_rng(0)
    found: set[str] = set()
    for language in LANGUAGES:
        said = phrases(language)
        stories = [" ".join(said.story(chance, 6)) for _ in range(100)]
        voices = [model_voice(language), *(draw_voice(language, chance) for _ in range(20))]
        for at, text in enumerate([*said.lines, *stories]):
            speech = speaker.say(text, voices[at % len(voices)], said.aloud)
            found |= {phoneme.text for phoneme in speech.phonemes}
    return sorted(name for name in found if not name.startswith("_"))


def mark_phonemes(phonemes: tuple[Timed, ...], names: list[str], frames: int) -> npt.NDArray[np.float32]:
    """Return which phonemes sound in which frame, float32 [frames, len(names)], 0 or 1."""
    marks = np.zeros((frames, len(names)), dtype=np.float32)
    places = {name: at for at, name in enumerate(names)}
    frame_s = FRAME_SAMPLES / SAMPLE_RATE
    for phoneme in phonemes:
        if phoneme.text in places and phoneme.end_s > 0:
            first = max(0, int((phoneme.start_s + _SHORTEST_PHONEME_S) / frame_s))
            last = int((phoneme.end_s - _SHORTEST_PHONEME_S) / frame_s)
            marks[first : max(first, last) + 1, places[phoneme.text]] = 1.0
    return marks


def _text(said: Phrases, own: bool, chance: np.random.Generator) -> str:
    if own and chance.random() < _LINE_SHARE:
        return str(chance.choice(said.lines))
    if chance.random() < 0.5:
        return ", ".join(said.story(chance, int(chance.integers(1, 4))))
    asks = [ask for question in said.questions for ask in question.asks]
    short = [*said.cut_ins, *said.hesitations, *said.user_backchannels]
    return str(chance.choice(asks if chance.random() < 0.75 else short))


def _put(sound: Sound, first: int, samples: int) -> Sound:
    out = np.zeros(samples, dtype=np.float32)
    begin, end = max(0, first), min(samples, first + len(sound))
    out[begin:end] = sound[begin - first : max(begin, end) - first]
    return out


def _moved(phonemes: tuple[Timed, ...], by_s: float) -> tuple[Timed, ...]:
    return tuple(Timed(each.text, each.start_s + by_s, each.end_s + by_s) for each in phonemes)
