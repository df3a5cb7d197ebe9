"""What can be said about dialogues that came as tokens alone: their lengths, and how much of them is text.

Knows nothing about speech, which only sound tells, or about words; which token is a space a tokenizer tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from app.frames import seconds
from app.store.datasets import Dataset
from training.data.align import PADDING
from training.data.shards import read_parquet
from training.data.statistics import SHORTEST_S, Finding

CODEBOOKS = 8
"""Of a voice, where the dataset does not say."""


class Known(NamedTuple):
    """What a model knows: a name, so many text tokens and codes, and which text token is a bare space."""

    model: str
    text_card: int
    card: int
    space: int


class Streams(NamedTuple):
    """One dialogue: how many tokens of A and of B are text, and how many of these, if known, bare spaces."""

    dialogue: str
    frames: int
    text: tuple[int, int]
    bare_spaces: tuple[int, int]
    text_max: int = 0
    code_max: int = 0
    """The largest of its text tokens and of its codes."""

    def findings(self) -> Iterator[Finding]:
        """Yield what is odd about it."""
        if seconds(self.frames) < SHORTEST_S:
            sentence = f"It lasts only {seconds(self.frames):.1f} s."
            yield Finding(sentence, "Training leaves out what is so short.")
        for speaker, count in zip("AB", self.text, strict=True):
            if not count:
                yield Finding(f"{speaker} has no text.", "Who learns this voice learns to say no words.")

    def beyond(self, known: Known) -> Iterator[Finding]:
        """Yield what of it a model does not know, so that training would refuse it."""
        advice = "Import what was made for this model, or choose the model that it was made for."
        if self.text_max >= known.text_card:
            last = known.text_card - 1
            sentence = f"It has the text token {self.text_max}, and {known.model} knows 0 to {last}."
            yield Finding(sentence, advice)
        if self.code_max >= known.card:
            sentence = f"It has the code {self.code_max}, and {known.model} knows 0 to {known.card - 1}."
            yield Finding(sentence, advice)


def read_streams(dataset: Dataset, space: int | None = None) -> list[Streams]:
    """Return the dialogues of the prepared files, by name; `space` is the token of a bare space.

    Raises UserError for a damaged file.
    """
    codebooks = dataset.prepared.get("codebooks") or CODEBOOKS
    found = []
    for shard in dataset.shards:
        for _, _, name, tokens in read_parquet(shard, codebooks):
            text = tokens[:, :, 0]
            a, b = np.count_nonzero(text > PADDING, axis=0).tolist()
            bare_a, bare_b = np.count_nonzero(text == space, axis=0).tolist() if space else (0, 0)
            most = int(text.max(initial=0)), int(tokens[:, :, 1:].max(initial=0))
            found.append(Streams(name, len(tokens), (a, b), (bare_a, bare_b), *most))
    return sorted(found)
