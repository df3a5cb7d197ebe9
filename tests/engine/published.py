"""A tiny model in the files of PersonaPlex with a few published voices, for tests of the whole program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from moshi.utils.compile import no_compile

from app import catalog
from tests.engine import personaplex

VOICES = ("NATF0", "NATF1", "NATM1", "VARF0")


def make_published(tiny: Path, folder: Path) -> Path:
    """Write it and return its folder; each voice is of a second, more or less."""
    place = personaplex.make_model(tiny, folder)
    held, files = place / "voice.pt", {}
    with torch.no_grad(), no_compile():
        model = personaplex.Public(place)
        for name, frames in zip(VOICES, (11, 12, 14, 9), strict=True):
            codes = np.random.default_rng(frames).integers(0, 2048, (frames, 8))
            model.save_voice(codes.tolist(), held)
            files[name] = held.read_bytes()
    held.unlink()
    personaplex.pack_voices(files, place / catalog.VOICES_NAME)
    return place
