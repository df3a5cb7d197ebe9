"""The voice of the model: the decoder of a finished codec learns it better; codes stay what they were.

What hears the user, and what all codes mean, is left as it is: dialogues that are encoded already stay true.
Knows nothing about dialogues.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.files import make_folder
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from training.starter.clearness import Clearness
from training.starter.codec import (
    CLIP_FRAMES,
    CONFIG,
    WAVEFORM,
    WEIGHTS,
    MelSpectra,
    Settings,
    load_codec,
    save_codec,
)
from training.starter.speech import Speaker
from training.starter.trainer import Trainer
from training.starter.utterances import draw_utterance

STEPS = 4000
BATCH = 4
LEARNING_RATE = 4e-4
CLEARNESS = 3.0

_OWN_SHARE = 0.9
"""How often it is the model that speaks. Nobody listens to the decoded voice of the user but to compare."""
_ODD = 1
"""Draws other batches than those of the codec."""


def refine_voice(folder: Path, codec: Path, settings: Settings) -> None:
    """Write a codec whose decoder has learnt more than that of `codec`, or go on where it was stopped."""
    make_folder(folder)
    if (folder / WEIGHTS).exists():
        return
    training = _Training(folder, codec, settings)
    with no_compile():
        training.run("Voice")
    training.finish(codec)


class _Training(Trainer):
    def __init__(self, folder: Path, codec: Path, settings: Settings) -> None:
        self._mimi = load_codec(codec)
        learning = list(_decoding(self._mimi))
        for weight in learning:
            weight.requires_grad_(True)
        super().__init__(folder, self._mimi, learning, steps=settings.steps, peak=LEARNING_RATE)
        self._seed = settings.seed
        self._speaker = Speaker()
        self._spectra, self._clearness = MelSpectra(), Clearness()

    def losses(self) -> dict[str, Tensor]:
        said, heard = self._draw()
        with torch.no_grad():
            codes = self._mimi.encode(heard)
        decoded = self._mimi.decode(codes)[..., : said.shape[-1]]
        return {
            "spectral": self._spectra.distance(decoded, said),
            "waveform": WAVEFORM * (decoded - said).abs().mean(),
            "clearness": CLEARNESS * self._clearness.loss(decoded[:, 0], said[:, 0]),
        }

    def finish(self, codec: Path) -> None:
        """Write the weights alone."""
        shutil.copyfile(codec / CONFIG, self._folder / CONFIG)
        save_codec(self._mimi, self._folder)
        self.forget()

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Return a batch that follows from the step: said and heard, [B, 1, N]."""
        chance = np.random.default_rng([self._seed, self.step, _ODD])
        seconds = CLIP_FRAMES * FRAME_SAMPLES / SAMPLE_RATE
        batch = [draw_utterance(self._speaker, chance, seconds, own_share=_OWN_SHARE) for _ in range(BATCH)]
        said, heard = (np.stack([each[at] for each in batch])[:, None] for at in (0, 1))
        return torch.from_numpy(said), torch.from_numpy(heard)


def _decoding(mimi: MimiModel) -> list[torch.nn.Parameter]:
    """Return what decoding alone depends on."""
    quantizer = mimi.quantizer
    parts = (
        quantizer.rvq_first.output_proj,
        quantizer.rvq_rest.output_proj,
        mimi.upsample,
        mimi.decoder_transformer,
        mimi.decoder,
    )
    return [weight for part in parts for weight in part.parameters()]
