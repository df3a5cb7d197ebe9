"""Between stereo sound and Mimi's codes, for dialogues of any length in bounded memory.

Knows nothing about datasets, words or language models.

What is encoded here is what moshi's `MimiModel.encode` gives for the whole dialogue in one piece, as both
public finetuners use it (nu-dialogue begins anew each 20 minutes, Kyutai's at each example of 100 s; here
nothing begins anew). It is also what the model hears when it talks, but for one detail of streaming: there
the first of the two steps of each frame looks back on 249 steps instead of 250, so from 10 s on a code here
and there differs. moshi's streaming is no way to more speed: given long pieces, its attention forgets what
lies before them. So only the convolutions stream, which is exact, and the transformer is given, before each
piece, all that it can look back on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.errors import UserError
from app.files import make_folder, replacing
from app.frames import FRAME_SAMPLES, SAMPLE_RATE

Stereo = npt.NDArray[np.float32]
"""[2, N] float32 in -1..1 at 24 kHz: row 0 the model's voice A (left), row 1 the user's B (right)."""

PIECE_FRAMES = 1500
"""The transformers of Mimi are given this many new frames at once (two minutes)."""

_CONVOLUTION_FRAMES = 16
"""More than the convolutions before and after the transformers look back on."""

_CHANNEL_SECONDS = 16.0, 120.0
"""So much sound of all channels goes through the convolutions at once, on the CPU and on a card. They take
about 30 MB for each second."""


def encode_stereo(mimi: MimiModel, audio: npt.NDArray[np.floating[Any]] | Tensor) -> tuple[Tensor, Tensor]:
    """Return the codes of both voices, (A, B) int64 [K, T] on the CPU, for [2, N] samples.

    K is the number of codebooks that `mimi` is set to; T = ceil(N / 1920), the last frame filled up with
    silence.
    """
    sound = torch.as_tensor(audio)
    [(a, b)] = encode_dialogues(mimi, [iter([sound])], [sound.shape[-1]])
    return a, b


def encode_dialogues(
    mimi: MimiModel,
    sounds: Sequence[Iterator[Tensor]],
    samples: Sequence[int],
    told: Callable[[int], None] = lambda frames: None,
) -> list[tuple[Tensor, Tensor]]:
    """Return the codes of several dialogues that go through Mimi side by side, as `encode_stereo` does.

    Each of `sounds` yields pieces [2, n] of any length, in all as long as `samples` says; a shorter one is
    filled up with silence. Of use where the lengths are alike. `told` hears how many frames were encoded.
    """
    weight = next(mimi.parameters())
    seconds = _CHANNEL_SECONDS[weight.device.type != "cpu"] / (2 * len(sounds))
    block = max(1, round(seconds * mimi.frame_rate)) * FRAME_SAMPLES
    longest = max(samples, default=0)
    readers = [_Reader(sound) for sound in sounds]
    blocks = (
        torch.cat([reader.take(min(block, _whole(longest - at))) for reader in readers]).to(weight)
        for at in range(0, longest, block)
    )
    nothing = torch.zeros(2 * len(sounds), mimi.num_codebooks, 0, dtype=torch.int64)
    codes = torch.cat([nothing, *_encode(mimi, 2 * len(sounds), blocks, told)], dim=-1)
    lengths = [math.ceil(count / FRAME_SAMPLES) for count in samples]
    return [
        (codes[2 * at, :, :frames].clone(), codes[2 * at + 1, :, :frames].clone())
        for at, frames in enumerate(lengths)
    ]


def decode_stereo(mimi: MimiModel, codes: Tensor) -> Stereo:
    """Return the sound of a dialogue, [2, 1920 T] float32 at 24 kHz, from its codes [1+2K, T] without delays.

    Row 0, the text, is not looked at; rows 1 to K are A's (left), the others B's (right), all 0..card-1.
    """
    device = next(mimi.parameters()).device
    voices = codes[1:].to(device).reshape(2, (len(codes) - 1) // 2, codes.shape[-1])
    if not voices.shape[-1]:
        return np.zeros((2, 0), dtype=np.float32)
    step = max(1, round(_CHANNEL_SECONDS[device.type != "cpu"] / 2 * mimi.frame_rate))
    with _still(mimi), mimi.decoder.streaming(2):
        latent = mimi._to_encoder_framerate(mimi.decode_latent(voices))
        rate = latent.shape[-1] // voices.shape[-1]
        sound = [
            mimi.decoder(piece).cpu()
            for latent_piece in _transform(mimi.decoder_transformer, latent, rate)
            for piece in torch.split(latent_piece, step * rate, dim=-1)
        ]
    both: Stereo = torch.cat(sound, dim=-1)[:, 0].float().numpy()
    return both


def write_flac(path: Path, audio: Stereo) -> None:
    """Write [2, N] samples at 24 kHz as FLAC of 16 bits, in one step. Raises UserError where that fails."""
    try:
        import soundfile

        make_folder(path.parent)
        with replacing(path) as part:
            soundfile.write(part, np.clip(audio.T, -1.0, 1.0), SAMPLE_RATE, "PCM_16", format="FLAC")
    except ImportError as fault:
        raise UserError("Sound can not be written without soundfile.", "Install soundfile.") from fault
    except (OSError, RuntimeError) as fault:
        raise UserError(f"{path} can not be written: {fault}.", "See whether the disk has room.") from fault


class _Reader:
    """Takes pieces of even length from sound that comes in pieces of any length, silence after its end."""

    def __init__(self, sound: Iterator[Tensor]) -> None:
        self._sound = sound
        self._rest = torch.zeros(2, 0)

    def take(self, samples: int) -> Tensor:
        """Return the next samples, [2, samples] float32."""
        parts, have = [self._rest], self._rest.shape[-1]
        while have < samples and (part := next(self._sound, None)) is not None:
            parts.append(part)
            have += part.shape[-1]
        joined = torch.cat(parts, dim=-1)
        self._rest = joined[:, samples:]
        return torch.nn.functional.pad(joined[:, :samples], (0, max(0, samples - have)))


def _encode(
    mimi: MimiModel, channels: int, blocks: Iterable[Tensor], told: Callable[[int], None]
) -> Iterator[Tensor]:
    """Yield the codes [channels, K, t] of consecutive blocks [channels, n], n whole frames."""
    rate = round(mimi.encoder_frame_rate / mimi.frame_rate)
    back = _look_back(mimi.encoder_transformer, rate)
    fresh = 0
    with _still(mimi), mimi.encoder.streaming(channels):
        latent = next(mimi.parameters()).new_zeros(channels, mimi.dimension, 0)
        for block in blocks:
            latent = torch.cat([latent, mimi.encoder(block[:, None])], dim=-1)
            frames = block.shape[-1] // FRAME_SAMPLES
            fresh += frames
            if fresh >= PIECE_FRAMES:
                yield _quantise(mimi, latent, fresh)
                latent, fresh = latent[..., -back * rate :], 0
            told(frames)
        if fresh:
            yield _quantise(mimi, latent, fresh)


def _quantise(mimi: MimiModel, latent: Tensor, fresh: int) -> Tensor:
    """Return the codes of the last `fresh` frames on the CPU; what lies before is only looked back on."""
    if mimi.encoder_transformer is not None:
        (latent,) = mimi.encoder_transformer(latent)
    codes: Tensor = mimi.quantizer.encode(mimi._to_framerate(latent)[..., -fresh:])
    return codes.cpu()


def _transform(transformer: torch.nn.Module | None, latent: Tensor, rate: int) -> Iterator[Tensor]:
    """Yield what the decoder's transformer makes of [B, C, T], a piece of it at a time."""
    back, step = _look_back(transformer, rate) * rate, PIECE_FRAMES * rate
    for at in range(0, latent.shape[-1], step):
        piece = latent[..., max(0, at - back) : at + step]
        if transformer is not None:
            (piece,) = transformer(piece)
        yield piece[..., min(at, back) :]


def _look_back(transformer: torch.nn.Module | None, rate: int) -> int:
    """Return how many frames a transformer at `rate` steps a frame can know of, through all its layers."""
    layers: list[Any] = list(cast(Any, transformer).transformer.layers) if transformer is not None else []
    return sum(math.ceil(int(layer.self_attn.context) / rate) for layer in layers) + _CONVOLUTION_FRAMES


@contextmanager
def _still(mimi: MimiModel) -> Iterator[None]:
    """Let Mimi run without gradients and without compiling for each new length."""
    assert not mimi.is_streaming, "this Mimi is in the middle of a talk"
    with torch.no_grad(), no_compile():
        yield


def _whole(samples: int) -> int:
    """Return the number of samples of all frames that are begun."""
    return math.ceil(samples / FRAME_SAMPLES) * FRAME_SAMPLES
