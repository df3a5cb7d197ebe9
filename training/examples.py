"""Which stretches of which dialogues a step learns from, in an order that can be taken up anywhere.

Knows nothing about models or processes: the order is a function of the seed and the step alone, so that a
resumed run, and one on any number of processes, sees the same examples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.errors import UserError
from app.frames import seconds
from training.config import Batch
from training.data.shards import Shards
from training.loss import NO_TARGET

OTHER = {"A": "B", "B": "A"}


class Window(NamedTuple):
    """A stretch of one dialogue, learnt from the side of one speaker."""

    dialogue: int
    speaker: str
    first: int
    frames: int


class Examples:
    """The windows of some dialogues, and their codes."""

    def __init__(
        self, shards: Shards, dialogues: Sequence[int], speakers: Sequence[str], batch: Batch
    ) -> None:
        self._shards = shards
        self.windows = [
            Window(dialogue, speaker, first, frames)
            for dialogue in dialogues
            for first, frames in cut(shards.dialogues[dialogue][1], batch.frames)
            for speaker in speakers
            if frames >= batch.min_frames
        ]

    @property
    def hours(self) -> float:
        """Return how much dialogue the windows hold, each side of it counted."""
        return sum(seconds(window.frames) for window in self.windows) / 3600

    @property
    def dialogues(self) -> list[tuple[str, str]]:
        """Return what each dialogue is called and the hash of what it holds, in the order of the windows."""
        numbers = dict.fromkeys(window.dialogue for window in self.windows)
        return [(self._shards.dialogues[number][0], self._shards.digests[number]) for number in numbers]

    def digest(self) -> str:
        """Return what tells these windows, their content and their order from any others."""
        whole = hashlib.sha256()
        for dialogue, *window in self.windows:
            whole.update(json.dumps([self._shards.digests[dialogue], *window]).encode())
        return whole.hexdigest()

    def name(self, window: Window) -> str:
        """Return what to call a window in a sentence."""
        return f"{self._shards.dialogues[window.dialogue][0]} from {seconds(window.first):.0f} s on"

    def codes(self, window: Window) -> npt.NDArray[np.int64]:
        """Return the tokens of a window, [1 + 2K, frames]: text, voice of the speaker, voice of the other."""
        voices = dict(zip(("A", "B"), self._shards.streams(window.dialogue), strict=True))
        stretch = slice(window.first, window.first + window.frames)
        own, other = voices[window.speaker], voices[OTHER[window.speaker]]
        return np.concatenate([own[:, stretch], other[1:, stretch]]).astype(np.int64)

    def stack(self, windows: Sequence[Window], frames: int | None = None) -> Tensor:
        """Return the tokens of some windows, [B, 1 + 2K, T] int64, NO_TARGET behind the end of each.

        T is the longest of them, or `frames`, which spares a compiled model new shapes.
        """
        return _stack([self.codes(window) for window in windows], frames)

    def stack_words(self, windows: Sequence[Window], frames: int | None = None) -> Tensor:
        """Return the text streams of those who talk to the speakers, [B, T] int64, like `stack`."""
        return _stack([self._words(window) for window in windows], frames)[:, 0]

    def _words(self, window: Window) -> npt.NDArray[np.int64]:
        """Return the text of the other side of a window, [1, frames]."""
        voices = dict(zip(("A", "B"), self._shards.streams(window.dialogue), strict=True))
        stretch = slice(window.first, window.first + window.frames)
        return voices[OTHER[window.speaker]][:1, stretch].astype(np.int64)


def _stack(rows: Sequence[npt.NDArray[np.int64]], frames: int | None) -> Tensor:
    """Return rows [K, t] as [B, K, T], NO_TARGET behind the end of each; T is `frames` or the longest."""
    length = frames or max(row.shape[1] for row in rows)
    stacked = np.full((len(rows), len(rows[0]), length), NO_TARGET, dtype=np.int64)
    for at, row in zip(stacked, rows, strict=True):
        at[:, : row.shape[1]] = row
    return torch.from_numpy(stacked)


def cut(frames: int, longest: int) -> list[tuple[int, int]]:
    """Return (first, frames) of the parts, as even as can be, into which a dialogue is cut."""
    parts = -(-frames // longest)
    edges = [round(part * frames / parts) for part in range(parts + 1)] if parts else [0]
    return [(first, last - first) for first, last in pairwise(edges)]


def choose(count: int, examples: int, seed: int, step: int) -> list[int]:
    """Return which of `count` windows step `step` (from 0) learns from, [examples].

    All windows are seen once, in an order of their own, before any is seen again.
    """
    first = step * examples
    return [_order(count, seed, at // count)[at % count] for at in range(first, first + examples)]


@lru_cache(maxsize=2)
def _order(count: int, seed: int, epoch: int) -> list[int]:
    order: list[int] = np.random.default_rng((seed, epoch)).permutation(count).tolist()
    return order


def split(
    shards: Shards,
    speakers: Sequence[str],
    batch: Batch,
    share: float,
    seed: int,
    *,
    dialogues: Sequence[int] | None = None,
) -> tuple[Examples, Examples]:
    """Return what is learnt from and what is kept aside to judge by: whole dialogues, `share` of them.

    Only these `dialogues` count, if they are given, and none without a window; of one alone the end is kept
    aside. Raises UserError where nothing is left to learn from.
    """
    # What is too short to learn from is no use to judge by either.
    chosen = range(len(shards.dialogues)) if dialogues is None else dialogues
    everything = Examples(shards, chosen, speakers, batch)
    usable = sorted({window.dialogue for window in everything.windows})
    count = len(usable)
    order = [usable[at] for at in np.random.default_rng(seed).permutation(count)]
    kept = min(max(1, round(share * count)), count - 1) if share > 0 and count else 0
    train = Examples(shards, sorted(order[kept:]), speakers, batch)
    held_out = Examples(shards, sorted(order[:kept]), speakers, batch)
    stretches = len(train.windows) // len(speakers)
    if share > 0 and count == 1 and stretches > 1:
        # All sides of a stretch, as they hold the same voices.
        tail = len(speakers) * min(max(1, round(share * stretches)), stretches - 1)
        held_out.windows, train.windows = train.windows[-tail:], train.windows[:-tail]
    if not train.windows:
        raise _too_short([frames for _, frames in shards.dialogues], batch)
    return train, held_out


def _too_short(lengths: Sequence[int], batch: Batch) -> UserError:
    """Return what is said where no stretch of any dialogue is long enough; lengths in frames."""
    longest = max(lengths, default=0)
    stretch = max((frames for length in lengths for _, frames in cut(length, batch.frames)), default=0)
    cut_into = f", and is cut into stretches of {seconds(stretch):.1f} s" if stretch < longest else ""
    advice = f"Lower batch.min_seconds, which is {batch.min_seconds}"
    return UserError(
        f"No dialogue is long enough to learn from: the longest has {seconds(longest):.1f} s{cut_into}.",
        f"{advice}, or raise batch.seconds, which is {batch.seconds}." if cut_into else f"{advice}.",
    )
