"""Whether questions can be told from their codes at all: a reader of what the codec keeps.

Kernel ridge regression (Saunders et al., 1998) on the dequantised codes of ten moments spread evenly over
what is said, whose ends are given: seconds of work, and an early sign of what a language model can learn to
hear. The kernel is Gaussian, since an answer has several questions. Knows nothing about who speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel

from training.starter.bank_codes import Coded

MOMENTS = 10
_RIDGE = 0.02
"""Against a kernel of 1 of a question with itself."""
_SHARPNESS = 1.5
"""Of the kernel: exp(sharpness * (cosine - 1))."""
MOST = 6000
"""So many questions are learnt from at most: the work grows with their cube."""
_AT_ONCE = 500
"""Clips whose codes are dequantised together."""

Features = npt.NDArray[np.float32]
"""[N, MOMENTS, D]"""


def features(mimi: MimiModel, coded: Sequence[Coded]) -> Features:
    """Return what the codec keeps of clips at moments of what is said, with latents of D dimensions."""
    found = []
    rest = iter(coded)
    while some := list(islice(rest, _AT_ONCE)):
        codes = np.concatenate([each.codes[:, _moments(each)] for each in some], axis=1).astype(np.int64)
        with torch.no_grad():
            latents = mimi.decode_latent(torch.from_numpy(codes)[None])[0].T.numpy()
        found.append(latents.reshape(len(some), MOMENTS, -1))
    return np.concatenate(found)


@dataclass(frozen=True)
class Reader:
    """Tells which of some answers is right to a question."""

    answers: tuple[str, ...]
    middle: npt.NDArray[np.float32]
    """[D]"""
    axes: npt.NDArray[np.float32]
    """[D, D]: half-whitened principal axes, so that no loud direction drowns the others."""
    seen: npt.NDArray[np.float32]
    """[N, MOMENTS * D]: questions, each of length 1."""
    weights: npt.NDArray[np.float32]
    """[N, answers]"""

    def read(self, asked: Features) -> list[str]:
        """Return the answer to each question."""
        scores = _kernel(_flat(asked, self.middle, self.axes), self.seen) @ self.weights
        return [self.answers[at] for at in scores.argmax(axis=1)]


def train_reader(asked: Features, answers: Sequence[str]) -> Reader:
    """Return a reader that has seen questions with their right answers; of many, some drawn by chance."""
    drawn = np.random.default_rng(0).permutation(len(asked))[:MOST]
    asked, answers = asked[drawn], [answers[at] for at in drawn]
    known = tuple(sorted(set(answers)))
    latents = asked.reshape(-1, asked.shape[-1])
    middle = latents.mean(axis=0)
    power, directions = np.linalg.eigh(np.atleast_2d(np.cov(latents.T)))
    axes = (directions / np.maximum(power, 1e-9 * power.max()) ** 0.25).astype(np.float32)
    seen = _flat(asked, middle, axes)
    targets = np.array([[each == one for one in known] for each in answers], dtype=np.float32)
    matrix = _kernel(seen, seen) + np.float32(_RIDGE) * np.eye(len(seen), dtype=np.float32)
    return Reader(known, middle, axes, seen, np.linalg.solve(matrix, targets - targets.mean(axis=0)))


def _moments(coded: Coded) -> npt.NDArray[np.intp]:
    """Return the frames in the middle of equal parts of what is said, [MOMENTS]."""
    parts = (np.arange(MOMENTS) + 0.5) / MOMENTS
    frames = np.round(coded.begin + parts * (coded.end - coded.begin)).astype(np.intp)
    return np.clip(frames, 0, coded.codes.shape[1] - 1)


def _flat(
    asked: Features, middle: npt.NDArray[np.float32], axes: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return questions as vectors of length 1, [N, MOMENTS * D]."""
    moved = ((asked - middle) @ axes).reshape(len(asked), -1)
    return np.asarray(moved / np.maximum(1e-9, np.linalg.norm(moved, axis=1, keepdims=True)))


def _kernel(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.exp(np.float32(_SHARPNESS) * (one @ other.T - 1)))
