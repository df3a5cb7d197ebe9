"""Dialogues as training reads them: the user's sound as codes, the model's lines as codes, words as tokens.

Each line of the model is encoded once, from silence; what a user says is encoded with all that surrounds it,
as it is when somebody talks to the model. Knows nothing about who speaks when.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sentencepiece
import torch
from moshi.models import MimiModel

from app.files import make_folder, replacing_folder
from app.frames import FRAME_RATE, FRAME_SAMPLES
from training.codec import encode_stereo
from training.data.align import PADDING, Word, text_stream
from training.data.packing import Packed, write_files
from training.progress import Progress
from training.starter.acoustics import CLEAN, scale
from training.starter.codec import load_codec
from training.starter.dialogues import Dialogue, Lines, make_dialogue
from training.starter.language import EXAMPLE_S, TOKENIZER
from training.starter.speech import Speaker, Timed

Codes = npt.NDArray[np.int32]
"""[K, T]"""

_SETTLED_FRAMES = 60
"""After so much silence the codec always gives the same codes."""
_TAIL_FRAMES = 3
"""A line rings on so long in the codec."""


_SHARD = 1000
"""So many dialogues are lost at most when it is stopped."""

_worker: list[Maker] = []
"""What a worker process makes dialogues with."""


class Corpus(NamedTuple):
    """A set of dialogues."""

    dialogues: int
    """An even number."""
    seed: int
    held_out: bool = False
    """Whether the voices are those that nothing is trained on."""


def write_dialogues(folder: Path, codec: Path, model: Path, corpus: Corpus) -> None:
    """Write the dialogues of a corpus into Parquet files below a folder, or go on where it was stopped."""
    with Progress("Dialogues", corpus.dialogues, "dialogues", False) as progress:
        for first in range(0, corpus.dialogues, _SHARD):
            numbers = range(first, min(first + _SHARD, corpus.dialogues))
            shard = folder / f"{first:05}"
            if list(shard.glob("train-*.parquet")):
                progress.advance(len(numbers))
                continue
            make_folder(folder)
            with replacing_folder(shard) as part:
                write_files(part, _told(_rows(codec, model, corpus, numbers), progress))


def _told(rows: Iterator[Packed], progress: Progress) -> Iterator[Packed]:
    for row in rows:
        yield row
        progress.advance(1)


def _rows(codec: Path, model: Path, corpus: Corpus, numbers: range) -> Iterator[Packed]:
    """Yield dialogues in order, made on all cores: each follows from the seed and its number."""
    workers = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    pairs = [(number, number + 1) for number in numbers[::2]]
    with context.Pool(workers, _begin_worker, (codec, model, corpus)) as pool:
        for rows in pool.imap(_make_rows, pairs):
            yield from rows


def _begin_worker(codec: Path, model: Path, corpus: Corpus) -> None:
    torch.set_num_threads(1)
    _worker.append(Maker(load_codec(codec), model / TOKENIZER, corpus))


def _make_rows(numbers: tuple[int, int]) -> list[Packed]:
    return _worker[0].rows(numbers)


class Maker:
    """Makes dialogues and turns them into tokens."""

    def __init__(self, mimi: MimiModel, tokenizer: Path, corpus: Corpus) -> None:
        self._mimi, self._corpus = mimi, corpus
        self._speaker = Speaker()
        self._lines = Lines(self._speaker)
        self._tokenizer = sentencepiece.SentencePieceProcessor(str(tokenizer))
        self._codes = {key: self._encode_line(speech.sound) for key, speech in self._lines.speech.items()}
        self._silence = self._encode(np.zeros(_SETTLED_FRAMES * FRAME_SAMPLES, dtype=np.float32))[:, -1:]

    def rows(self, numbers: Sequence[int]) -> list[Packed]:
        """Return two dialogues as training reads them: both users go through the codec side by side."""
        made = [self._make(number) for number in numbers]
        heard = encode_stereo(self._mimi, np.stack([each.heard for each in made]))
        return [
            self._pack(number, dialogue, codes.numpy().astype(np.int32))
            for number, dialogue, codes in zip(numbers, made, heard, strict=True)
        ]

    def _make(self, number: int) -> Dialogue:
        chance = np.random.default_rng([self._corpus.seed, number])
        return make_dialogue(self._speaker, self._lines, chance, EXAMPLE_S, held_out=self._corpus.held_out)

    def _pack(self, number: int, dialogue: Dialogue, heard: Codes) -> Packed:
        own = [(line.language, self._lines.words(line)) for line in dialogue.lines]
        return Packed(
            f"{dialogue.language}-{number:05}",
            np.concatenate([self._text(own, dialogue.frames), self._spoken(dialogue)]),
            np.concatenate([self._text(dialogue.user, dialogue.frames), heard]),
        )

    def _spoken(self, dialogue: Dialogue) -> Codes:
        """Return the codes of the model's voice: silence, and its lines."""
        codes = np.repeat(self._silence, dialogue.frames, axis=1)
        for line in dialogue.lines:
            said = self._codes[line.language, line.text]
            end = min(dialogue.frames, line.first + said.shape[1], line.end or dialogue.frames)
            codes[:, line.first : end] = said[:, : end - line.first]
        return codes

    def _text(self, said: list[tuple[str, list[Timed]]], frames: int) -> Codes:
        """Return the text stream of one voice, [1, T], of what it says one after the other."""
        stream = np.full(frames, PADDING, dtype=np.int32)
        last_s = frames / FRAME_RATE
        for language, words in said:
            timed = [Word(each.text, each.start_s, min(each.end_s, last_s)) for each in words]
            one = text_stream(
                [word for word in timed if word.end_s > word.start_s],
                frames,
                self._tokenizer,
                no_whitespace_before_word=language == "ja",
            )
            np.copyto(stream, one, where=one != PADDING)
        return stream[None]

    def _encode_line(self, sound: npt.NDArray[np.float32]) -> Codes:
        lead = np.zeros(_SETTLED_FRAMES * FRAME_SAMPLES, dtype=np.float32)
        tail = np.zeros(-len(sound) % FRAME_SAMPLES + _TAIL_FRAMES * FRAME_SAMPLES, dtype=np.float32)
        return self._encode(np.concatenate([lead, scale(sound, CLEAN), tail]))[:, _SETTLED_FRAMES:]

    def _encode(self, sound: npt.NDArray[np.float32]) -> Codes:
        codes, _ = encode_stereo(self._mimi, np.stack([sound, sound]))
        return codes.numpy().astype(np.int32)
