"""The model's own lines in codes and in tokens: whole, in each tempo, and cut short wherever they may be.

Each is encoded once, from silence. Where a line is cut short its sound fades within the last frame, and the
piece STOP stands there in the text. Knows nothing about users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sentencepiece
from moshi.models import MimiModel

from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from training.data.align import END_OF_PADDING, PADDING, Word, text_stream
from training.starter.acoustics import CLEAN, scale
from training.starter.bank_codes import Mixed, encode
from training.starter.dialogues import CUT_FRAMES, NORMAL, TEMPI, Line, Lines
from training.starter.language import STOP
from training.starter.own_voice import OwnVoice
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Sound, Speech, Timed

Codes = npt.NDArray[np.int32]
"""[K, T]"""
TextStream = npt.NDArray[np.int32]
"""[T]"""

_SETTLED_FRAMES = 60
"""After so much silence the codec always gives the same codes."""
_TAIL_FRAMES = 3
"""A line rings on so long in the codec."""
_CONTEXT_FRAMES = 30
"""What lies farther back changes no code where a line is cut, or hardly one."""
_FADE_S = 0.045
_MOST_LATE_FRAMES = 25
"""The last tokens of a line may come so long after its sound."""

_Key = tuple[str, str, int]
"""Language, line and tempo."""
_Cut = tuple[_Key, int]


class _Sounding(NamedTuple):
    codes: Codes
    text: TextStream


class OwnLines(Lines):
    """What the model can say, in codes and in tokens."""

    def __init__(
        self,
        speech: Mapping[_Key, Speech],
        mimi: MimiModel,
        tokenizer: sentencepiece.SentencePieceProcessor,
    ) -> None:
        super().__init__(speech)
        self._stop = tokenizer.piece_to_id(STOP)
        keys = list(speech)
        lead = np.zeros(_SETTLED_FRAMES * FRAME_SAMPLES, dtype=np.float32)
        heard = _encode(mimi, [lead, *(np.concatenate([lead, _ending(speech[key].sound)]) for key in keys)])
        self.silence: Codes = heard[0][:, -1:]
        """[K, 1]"""
        self._whole = {
            key: _Sounding(codes[:, _SETTLED_FRAMES:], _text(key, speech[key].words, tokenizer))
            for key, codes in zip(keys, heard[1:], strict=True)
        }
        self._cuts = self._encode_cuts(mimi)

    def codes(self, line: Line) -> Codes:
        """Return the codes of a line from its first frame on, [K, T], what rings on included."""
        key = line.language, line.text, line.tempo
        whole = self._whole[key].codes
        cut = None if line.end is None else line.end - line.first
        if cut is None or (key, cut) not in self._cuts:
            return whole
        end = self._cuts[key, cut]
        return np.concatenate([whole[:, : cut - 1], end], axis=1)

    def text(self, line: Line) -> TextStream:
        """Return the tokens of a line from its first frame on, [T]: STOP where it is cut, if it is."""
        whole = self._whole[line.language, line.text, line.tempo].text
        if line.end is None:
            return whole
        last = line.end - line.first - 1
        text = np.append(whole[:last], np.int32(self._stop))
        if last and text[last - 1] == PADDING:
            text[last - 1] = END_OF_PADDING
        return text

    def _encode_cuts(self, mimi: MimiModel) -> dict[_Cut, Codes]:
        """Return the codes from the last frame that sounds on, for each line and cut."""
        cuts = [
            (key, cut)
            for key, speech in self.speech.items()
            if key[2] == NORMAL
            for cut in range(CUT_FRAMES, len(speech.sound) // FRAME_SAMPLES, CUT_FRAMES)
        ]
        sounds = [_cut(_whole_frames(self.speech[key].sound), cut) for key, cut in cuts]
        heard = _encode(mimi, sounds)
        return {each: codes[:, -1 - _TAIL_FRAMES :] for each, codes in zip(cuts, heard, strict=True)}


def _encode(mimi: MimiModel, sounds: Iterable[Sound]) -> list[Codes]:
    """Return the codes of sounds of whole frames, in their order."""
    mixed = [Mixed(number, 0, sound, 0.0, 0.0, 1.0) for number, sound in enumerate(sounds)]
    return [each.codes.astype(np.int32) for each in encode(mimi, mixed)]


def _whole_frames(sound: Sound) -> Sound:
    return np.pad(scale(sound, CLEAN), (0, -len(sound) % FRAME_SAMPLES))


def _ending(sound: Sound) -> Sound:
    return np.pad(_whole_frames(sound), (0, _TAIL_FRAMES * FRAME_SAMPLES))


def _cut(sound: Sound, cut: int) -> Sound:
    """Return what leads to a cut, the frame in which the sound fades, and the silence after it."""
    first = max(0, cut - _CONTEXT_FRAMES) * FRAME_SAMPLES
    heard = np.pad(sound[first : cut * FRAME_SAMPLES], (0, _TAIL_FRAMES * FRAME_SAMPLES))
    fade = round(_FADE_S * SAMPLE_RATE)
    at = len(heard) - (1 + _TAIL_FRAMES) * FRAME_SAMPLES
    heard[at : at + fade] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    heard[at + fade :] = 0.0
    return np.pad(heard, (max(0, _CONTEXT_FRAMES - cut) * FRAME_SAMPLES, 0))


def _text(key: _Key, words: Iterable[Timed], tokenizer: sentencepiece.SentencePieceProcessor) -> TextStream:
    timed = [Word(word.text, word.start_s, max(word.end_s, word.start_s)) for word in words]
    last_s = max(word.end_s for word in timed)
    frames = int(last_s * FRAME_RATE) + _MOST_LATE_FRAMES
    text = text_stream(timed, frames, tokenizer, no_whitespace_before_word=key[0] == "ja")
    return text[: int(np.flatnonzero(text != PADDING)[-1]) + 1]


def own_speech(voice: OwnVoice) -> dict[_Key, Speech]:
    """Return each line in each tempo, by language, line and tempo."""
    return {
        (language, line, tempo): voice.say(language, line, speed)
        for language in LANGUAGES
        for line in dict.fromkeys(phrases(language).lines)
        for tempo, speed in TEMPI.items()
    }
