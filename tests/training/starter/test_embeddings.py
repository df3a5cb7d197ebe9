"""The embeddings that a language model begins with: as large as random ones, and alike where codes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from app.catalog import STARTER
from app.engine.checkpoint import BUNDLED
from training.starter.bank_codes import Coded, write_codes
from training.starter.codec import CARD, CODEBOOKS, load_codec
from training.starter.embeddings import code_embeddings, codebook_vectors, heard_codes

WIDTH = 96


@pytest.fixture(scope="module")
def vectors() -> Tensor:
    return codebook_vectors(load_codec(BUNDLED / STARTER.name))


def drawn(frames: int = 3000) -> Tensor:
    return torch.randint(0, CARD, (frames, CODEBOOKS), generator=torch.Generator().manual_seed(1))


def embed(vectors: Tensor, heard: Tensor) -> Tensor:
    return code_embeddings(vectors, heard, WIDTH, torch.Generator().manual_seed(0))


def test_the_vectors_add_up_to_what_the_codec_decodes_from(vectors: Tensor) -> None:
    mimi = load_codec(BUNDLED / STARTER.name)
    codes = drawn(50)
    with torch.no_grad():
        latents = mimi.quantizer.decode(codes.T[None])[0].T
    summed = torch.stack([vectors[book][codes[:, book]] for book in range(CODEBOOKS)]).sum(0)
    # The mean of each book is taken off, which is the same for all frames.
    torch.testing.assert_close(summed - summed.mean(0), latents - latents.mean(0), atol=1e-4, rtol=1e-3)


def test_a_frame_sums_up_to_what_random_embeddings_would(vectors: Tensor) -> None:
    heard = drawn()
    begun = embed(vectors, heard)
    summed = torch.stack([begun[book][heard[:, book]] for book in range(CODEBOOKS)]).sum(0)
    assert summed.square().mean().sqrt() == pytest.approx((CODEBOOKS / WIDTH) ** 0.5, rel=1e-3)


def test_the_semantic_book_has_a_half_of_its_own(vectors: Tensor) -> None:
    begun = embed(vectors, drawn())
    across = begun[0] @ begun[1:].flatten(0, 1).T
    assert across.abs().max() < 1e-5


def test_codes_that_sound_alike_begin_alike(vectors: Tensor) -> None:
    begun = embed(vectors, drawn())
    near = torch.cdist(vectors[0], vectors[0]).fill_diagonal_(torch.inf).argmin(1)
    distance = (begun[0] - begun[0][near]).norm(dim=1).median()
    by_chance = (begun[0] - begun[0][torch.arange(CARD).roll(1)]).norm(dim=1).median()
    assert distance < 0.8 * by_chance


def test_without_speech_they_are_made_all_the_same(vectors: Tensor, tmp_path: Path) -> None:
    assert len(heard_codes(tmp_path)) == 0
    assert embed(vectors, heard_codes(tmp_path)).isfinite().all()


def test_speech_is_read_from_a_folder_of_codes(tmp_path: Path) -> None:
    codes = np.arange(CODEBOOKS * 30, dtype=np.uint16).reshape(CODEBOOKS, 30)
    write_codes(
        tmp_path / "0000.npz",
        [Coded(1, 0, codes[:, :10], 0, 9, 1.0), Coded(2, 0, codes[:, 10:], 0, 19, 1.0)],
    )
    assert torch.equal(heard_codes(tmp_path), torch.from_numpy(codes.T.astype(np.int64)))
