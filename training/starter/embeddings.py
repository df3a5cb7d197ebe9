"""Embeddings of codes to begin with: what a code sounds like, in place of random numbers.

A language model that begins with random vectors learns its recordings by heart and hears little else. These
begin with the vectors that the codec itself adds up, turned onto the axes along which speech differs, so that
codes that sound alike are alike from the first step on. Knows nothing about training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from moshi.models import LMModel, MimiModel
from torch import Tensor

from training.starter.bank_codes import Codes, read_codes

_MOST_FRAMES = 200_000
"""So many frames of speech tell the axes well enough."""

_LEAST_VARIANCE = 1e-6
"""Axes along which nothing differs are not blown up."""


def codebook_vectors(mimi: MimiModel) -> Tensor:
    """Return what each code adds to the latents of a codec, [K, card, width]: the mean of a book is zero."""
    vectors = [
        layer._codebook.embedding.float() @ part.output_proj.weight[:, :, 0].float().T
        for part in (mimi.quantizer.rvq_first, mimi.quantizer.rvq_rest)
        for layer in part.vq.layers
    ]
    stacked = torch.stack(vectors).detach()
    return stacked - stacked.mean(1, keepdim=True)


def heard_codes(folder: Path) -> Tensor:
    """Return codes of users in a folder of `starter codes`, [N, K] int64; N is 0 where there are none."""
    found: list[Codes] = []
    frames = 0
    for path in sorted(folder.glob("[0-9]*.npz")):
        found += [each.codes.T for each in read_codes(path)]
        frames = sum(map(len, found))
        if frames >= _MOST_FRAMES:
            break
    if not frames:
        return torch.zeros(0, 1, dtype=torch.int64)
    return torch.from_numpy(np.concatenate(found).astype(np.int64))[:_MOST_FRAMES]


def code_embeddings(vectors: Tensor, heard: Tensor, width: int, generator: torch.Generator) -> Tensor:
    """Return embeddings [K, card, width] float32 of codes with `vectors` [K, card, latent width].

    The first book and the sum of the others, which come a frame later, each have half the width of their own,
    on the principal axes of what is `heard` ([N, K]; each code as often as any other where N is 0), half
    whitened; then all is turned at random. What a frame sums up to is as large as with random embeddings.
    """
    books, card, _ = vectors.shape
    if not len(heard):
        heard = torch.stack([torch.randperm(card, generator=generator) for _ in range(books)], dim=1)
    half = width // 2
    laid = torch.zeros(books, card, width)
    for part, room in ((slice(0, 1), slice(0, half)), (slice(1, books), slice(half, width))):
        projected = _half_whitened(vectors[part], heard[:, part], half)
        laid[part, :, room.start : room.start + projected.shape[-1]] = projected
        rms = _sums(laid[part, :, room], heard[:, part]).square().mean().sqrt()
        # Random embeddings have the variance 1 / width each, and a frame adds up one of each book.
        laid[part, :, room] *= (books / width) ** 0.5 / rms
    rotation = torch.linalg.qr(torch.randn(width, width, generator=generator))[0]
    turned: Tensor = laid @ rotation
    return turned


def begin_from_codebook(lm: LMModel, mimi: MimiModel, heard: Tensor, generator: torch.Generator) -> None:
    """Let the code embeddings of a model, of both voices, begin with the vectors of a codec, in place."""
    vectors = codebook_vectors(mimi)
    begun = code_embeddings(vectors, heard, lm.dim, generator)
    books, card, _ = begun.shape
    with torch.no_grad():
        for number, embedding in enumerate(lm.emb):
            embedding.weight[:card] = begun[number % books]


def _sums(vectors: Tensor, codes: Tensor) -> Tensor:
    """Return what frames of codes [N, K] add up to, [N, width]."""
    return torch.stack([vectors[book][codes[:, book]] for book in range(len(vectors))]).sum(0)


def _half_whitened(vectors: Tensor, codes: Tensor, most: int) -> Tensor:
    """Return vectors [K, card, width] on the `most` strongest axes of their sums, [K, card, at most `most`].

    An axis with the standard deviation s is divided by its root: whitened half way, so that what differs most
    still counts most.
    """
    sums = _sums(vectors, codes)
    centred = sums - sums.mean(0)
    axes, variances, _ = torch.linalg.svd(centred.T @ centred / len(centred))
    kept = variances[:most].clamp(min=_LEAST_VARIANCE)
    projected: Tensor = (vectors @ axes[:, :most]) / kept**0.25
    return projected
