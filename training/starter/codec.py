"""The codec of the starter model: Mimi, scaled down, trained with moshi's own modules.

What it learns besides Mimi's own goals: the voice without the room around it, since nobody talks to the model
from a studio; and in the place of WavLM's features, by which Mimi's first codebook was taught, the phonemes
that espeak-ng says it spoke. Knows nothing about dialogues.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from moshi.models import MimiModel, loaders
from moshi.quantization.core_vq import EuclideanCodebook
from moshi.utils.compile import no_compile
from safetensors.torch import save_file
from torch import Tensor, nn

from app.engine.fake import tiny_mimi_config
from app.files import make_folder, read_json, replacing, write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from training.starter.speech import Speaker
from training.starter.trainer import Trainer
from training.starter.utterances import draw_utterance, mark_phonemes, phoneme_names

WEIGHTS, CONFIG = "mimi.safetensors", "mimi.json"

WIDTH = 128
CODEBOOKS, CARD = 8, 512

STEPS = 14_000
BATCH, CLIP_FRAMES = 4, 19
"""Clips of 1.5 s: as long as the transformers look back, so that they learn what they do in a long talk."""

LEARNING_RATE = 8e-4
COMMITMENT, WAVEFORM, PHONEMES = 0.25, 2.0, 0.15
_SCALES = ((256, 20), (512, 40), (1024, 80), (2048, 80))
"""Window in samples and mel bands of each resolution of the spectral loss."""

_CONTINUOUS, _HALF_QUANTIZED = 0.05, 0.6
"""Until these shares of all steps no latents are quantized, and half of them."""

_FLOOR = 1e-2
"""What lies below, noise at -60 dB, counts as silence: no decoder gives zeros, and nobody hears it."""


class Settings(NamedTuple):
    """What a smaller codec changes, for tests."""

    steps: int = STEPS
    filters: int = 16
    seed: int = 0


def codec_config(filters: int = 16) -> dict[str, Any]:
    """Return the configuration of Mimi with 2.6 million parameters, in the form of `mimi_config_name`."""
    config = tiny_mimi_config()
    config["seanet"].update(n_filters=filters, dimension=WIDTH)
    config["quantizer"].update(
        dimension=64, n_q=CODEBOOKS, bins=CARD, input_dimension=WIDTH, output_dimension=WIDTH
    )
    config["transformer"].update(
        d_model=WIDTH,
        num_heads=4,
        num_layers=2,
        context=2 * CLIP_FRAMES,
        dim_feedforward=4 * WIDTH,
        input_dimension=WIDTH,
        output_dimensions=[WIDTH],
    )
    return config


def build_codec(folder: Path, settings: Settings) -> None:
    """Train the codec into a folder, or go on where it was stopped."""
    make_folder(folder)
    if (folder / WEIGHTS).exists():
        return
    training = _Training(folder, settings)
    with no_compile(), _detached_replacements():
        training.run("Codec")
    training.finish()


class _Training(Trainer):
    def __init__(self, folder: Path, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self._settings = settings
        self._speaker = Speaker()
        self._names = phoneme_names(self._speaker)
        config = codec_config(settings.filters)
        write_json(folder / CONFIG, config)
        self._mimi = loaders.get_mimi(None, device="cpu", num_codebooks=CODEBOOKS, mimi_config=config)
        self._ear = nn.Linear(WIDTH, len(self._names))
        model = nn.ModuleList([self._mimi, self._ear]).requires_grad_(True).train()
        super().__init__(folder, model, model.parameters(), steps=settings.steps, peak=LEARNING_RATE)
        self._spectra = MelSpectra()
        _even_out(self._mimi, self._draw()[1])

    def losses(self) -> dict[str, Tensor]:
        said, heard, phonemes = self._draw()
        for quantizer in (self._mimi.quantizer.rvq_first, self._mimi.quantizer.rvq_rest):
            quantizer.no_quantization_rate = _unquantized(self.step, self._settings.steps)
        decoded, penalty, told = self._run(heard)
        settled = self.step >= _CONTINUOUS * self._settings.steps
        return {
            "spectral": self._spectra.distance(decoded, said),
            "waveform": WAVEFORM * (decoded - said).abs().mean(),
            "commitment": COMMITMENT * settled * penalty,
            "phonemes": PHONEMES * F.binary_cross_entropy_with_logits(told, phonemes) * phonemes.shape[-1],
        }

    def finish(self) -> None:
        """Write the weights alone."""
        save_codec(self._mimi, self._folder)
        self.forget()

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return a batch that follows from the step: said and heard [B, 1, N], phonemes [B, T, P]."""
        chance = np.random.default_rng([self._settings.seed, self.step])
        seconds = CLIP_FRAMES * FRAME_SAMPLES / SAMPLE_RATE
        batch = [draw_utterance(self._speaker, chance, seconds) for _ in range(BATCH)]
        marks = [mark_phonemes(each.phonemes, self._names, CLIP_FRAMES) for each in batch]
        said, heard = (np.stack([each[at] for each in batch])[:, None] for at in (0, 1))
        return torch.from_numpy(said), torch.from_numpy(heard), torch.from_numpy(np.stack(marks))

    def _run(self, heard: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return decoded sound [B, 1, N], the penalty of the codebooks, phoneme logits [B, T, P]."""
        first: list[Tensor] = []
        semantic = self._mimi.quantizer.rvq_first
        hook = semantic.register_forward_hook(lambda _, __, result: first.append(result.x))
        try:
            result = self._mimi(heard)
        finally:
            hook.remove()
        penalty = result.penalty if result.penalty is not None else torch.zeros(())
        return result.x, penalty, self._ear(first[0].transpose(1, 2))


class MelSpectra:
    """Distances between mel spectra at several resolutions, linear and logarithmic."""

    def __init__(self) -> None:
        self._banks = [(size, torch.hann_window(size), _mel_bank(size, bands)) for size, bands in _SCALES]

    def distance(self, decoded: Tensor, said: Tensor) -> Tensor:
        """Return how far apart two batches [B, 1, N] are, a scalar."""
        total = torch.zeros(())
        for size, window, bank in self._banks:
            ours, theirs = (self._mels(each, size, window, bank) for each in (decoded, said))
            total = total + (ours - theirs).abs().mean() / (theirs.mean() + 1e-3)
            total = total + (torch.log(ours + _FLOOR) - torch.log(theirs + _FLOOR)).abs().mean()
        return total / len(self._banks)

    @staticmethod
    def _mels(sound: Tensor, size: int, window: Tensor, bank: Tensor) -> Tensor:
        spectrum = torch.stft(sound[:, 0], size, size // 4, window=window, return_complex=True)
        return bank @ spectrum.abs()


def _mel_bank(size: int, bands: int) -> Tensor:
    """Return triangles on the mel scale (O'Shaughnessy, 1987), [bands, size / 2 + 1]."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


def _even_out(mimi: MimiModel, heard: Tensor) -> None:
    """Scale each convolution so that what comes out of it is as loud as what went in (Mishkin, Matas, 2016).

    As torch draws them, each makes sound half as loud, and thirty of them leave nothing but their biases.
    """

    def even(module: nn.Module, _: Any, out: Tensor) -> Tensor:
        loudness = out.std()
        assert isinstance(module.weight, Tensor)
        module.weight.div_(loudness)
        return out / loudness

    convolutions = [each for each in mimi.modules() if isinstance(each, nn.Conv1d | nn.ConvTranspose1d)]
    for each in convolutions:
        if each.bias is not None:
            nn.init.zeros_(each.bias)
    hooks = [each.register_forward_hook(even) for each in convolutions]
    mimi.eval()
    with torch.no_grad(), no_compile():
        latents = mimi.encoder_transformer(mimi.encoder(heard))[0]
        quantizer = mimi.quantizer
        frames = mimi.downsample(latents)
        frames = sum(
            each.output_proj(each.input_proj(frames)) for each in (quantizer.rvq_first, quantizer.rvq_rest)
        )
        mimi.decoder(mimi.decoder_transformer(mimi.upsample(frames))[0])
        mimi.decoder.model[-1].conv.conv.weight.mul_(heard.std())
    for hook in hooks:
        hook.remove()
    mimi.train()


def _unquantized(step: int, steps: int) -> float:
    """Return which share of a batch keeps its latents, as half of Mimi's do; at last every one is quantized.

    From random codebooks alone the encoder learns to say nothing at all.
    """
    if step < _CONTINUOUS * steps:
        return 1.0
    return 0.5 if step < _HALF_QUANTIZED * steps else 0.0


@contextmanager
def _detached_replacements() -> Iterator[None]:
    """Let codebooks replace unused codes by values alone.

    moshi 0.2 writes vectors with their gradient history into a buffer, which then holds every step's graph.
    """
    replace = EuclideanCodebook._replace_expired_codes

    def detached(self: EuclideanCodebook, samples: Tensor, mask: Tensor) -> None:
        replace(self, samples.detach(), mask)

    EuclideanCodebook._replace_expired_codes = detached
    try:
        yield
    finally:
        EuclideanCodebook._replace_expired_codes = replace


def save_codec(mimi: MimiModel, folder: Path) -> None:
    """Write the weights of a codec into a folder, whole or not at all."""
    with replacing(folder / WEIGHTS) as part:
        save_file({name: each.contiguous() for name, each in mimi.state_dict().items()}, part)


def load_codec(folder: Path) -> MimiModel:
    """Return the finished codec of a folder, for inference."""
    config = read_json(folder / CONFIG)
    return loaders.get_mimi(
        folder / WEIGHTS, device="cpu", num_codebooks=CODEBOOKS, mimi_config=config
    ).eval()
