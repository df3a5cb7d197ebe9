"""Whether questions can be told from their codes at all: a linear reader of what the codec keeps.

Ridge regression (Hoerl, Kennard, 1970) on the dequantised codes of ten moments spread evenly over what is
said, whose ends are given: seconds of work, and an early sign of what a language model can learn to hear.
Knows nothing about who speaks.
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
_RIDGE = 0.1
"""Against a mean square of 1 of the features."""
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
    weights: npt.NDArray[np.float32]
    """[MOMENTS * D, answers]"""

    def read(self, asked: Features) -> list[str]:
        """Return the answer to each question."""
        scores = _flat(asked, self.middle, self.axes) @ self.weights
        return [self.answers[at] for at in scores.argmax(axis=1)]


def train_reader(asked: Features, answers: Sequence[str]) -> Reader:
    """Return a reader that has seen questions with their right answers."""
    known = tuple(sorted(set(answers)))
    latents = asked.reshape(-1, asked.shape[-1]).astype(np.float64)
    middle = latents.mean(axis=0)
    power, directions = np.linalg.eigh(np.atleast_2d(np.cov(latents.T)))
    axes = directions / np.maximum(power, 1e-9 * power.max()) ** 0.25
    axes /= np.sqrt(np.mean(np.square((latents - middle) @ axes)))
    inputs = _flat(asked, middle, axes)
    targets = np.array([[each == one for one in known] for each in answers], dtype=np.float64) - 1 / len(
        known
    )
    # The kernel is the mean product of features, so that the ridge depends neither on D nor on the moments.
    matrix = inputs.T @ inputs / inputs.shape[1] + _RIDGE * np.eye(inputs.shape[1])
    weights = np.linalg.solve(matrix, inputs.T @ targets) / inputs.shape[1]
    return Reader(known, middle.astype(np.float32), axes.astype(np.float32), weights.astype(np.float32))


def _moments(coded: Coded) -> npt.NDArray[np.intp]:
    """Return the frames in the middle of equal parts of what is said, [MOMENTS]."""
    parts = (np.arange(MOMENTS) + 0.5) / MOMENTS
    frames = np.round(coded.begin + parts * (coded.end - coded.begin)).astype(np.intp)
    return np.clip(frames, 0, coded.codes.shape[1] - 1)


def _flat(
    asked: Features, middle: npt.NDArray[np.floating], axes: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    moved = (asked.astype(np.float64) - middle) @ axes
    return np.asarray(moved.reshape(len(asked), -1))
