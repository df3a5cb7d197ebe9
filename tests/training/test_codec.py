from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile

from app.engine import build, checkpoint
from app.errors import UserError
from app.frames import FRAME_SAMPLES
from training import codec


@pytest.fixture(scope="module")
def mimi(tiny: Path) -> MimiModel:
    return build.load_mimi(checkpoint.find(str(tiny)), torch.device("cpu"))


def noise(seconds: float, seed: int = 0) -> codec.Stereo:
    """Return two voices of noise that swells and fades, each in its own way."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * 24_000)
    loudness = 0.2 * (1 + np.sin(np.arange(samples)[None] / np.array([[5_000.0], [7_000.0]])))
    return np.asarray(rng.standard_normal((2, samples)) * loudness, dtype=np.float32)


def whole(mimi: MimiModel, audio: npt.NDArray[Any]) -> torch.Tensor:
    """Return what moshi itself makes of both channels in one piece, [2, K, T]."""
    with torch.no_grad(), no_compile():
        codes: torch.Tensor = mimi.encode(torch.from_numpy(audio)[:, None])
    return codes


def test_codes_are_moshis_own(mimi: MimiModel) -> None:
    audio = noise(3.0)[:, :-700]
    a, b = codec.encode_stereo(mimi, audio)
    assert a.dtype == torch.int64
    assert a.shape == (8, 38)
    assert torch.equal(torch.stack([a, b]), whole(mimi, audio))
    assert not torch.equal(a, b)


def test_long_sound_is_encoded_piecewise_as_in_one_piece(
    mimi: MimiModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sums over other lengths are added in another order: with less precision two codes may be equally near.
    exact = copy.deepcopy(mimi).double()
    audio = noise(70.0).astype(np.float64)
    monkeypatch.setattr(codec, "PIECE_FRAMES", 200)
    assert torch.equal(torch.stack(codec.encode_stereo(exact, audio)), whole(exact, audio))


def test_codes_are_what_the_model_hears_in_a_talk(mimi: MimiModel) -> None:
    exact = copy.deepcopy(mimi).double()
    audio = noise(20.0, seed=1).astype(np.float64)
    codes = torch.stack(codec.encode_stereo(exact, audio))
    with torch.no_grad(), no_compile(), exact.streaming(2):
        frames = torch.from_numpy(audio)[:, None].split(FRAME_SAMPLES, dim=-1)
        live = torch.cat([exact.encode(frame) for frame in frames], dim=-1)
    same = codes == live
    assert torch.equal(codes[..., :125], live[..., :125])
    assert same.float().mean() > 0.98


def test_dialogues_side_by_side_do_not_touch_each_other(mimi: MimiModel) -> None:
    exact = copy.deepcopy(mimi).double()
    short, long = (each.astype(np.float64) for each in (noise(2.0, seed=2), noise(9.5, seed=3)))
    told: list[int] = []

    def in_pieces(audio: codec.Stereo) -> Iterator[torch.Tensor]:
        for at in range(0, audio.shape[-1], 10_007):
            yield torch.from_numpy(audio[:, at : at + 10_007])

    together = codec.encode_dialogues(
        exact, [in_pieces(short), in_pieces(long)], [short.shape[-1], long.shape[-1]], told.append
    )
    for audio, (a, b) in zip((short, long), together, strict=True):
        assert torch.equal(torch.stack([a, b]), torch.stack(codec.encode_stereo(exact, audio)))
    assert sum(told) == together[1][0].shape[-1] == 119


def test_sound_of_codes_is_moshis_own(mimi: MimiModel, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = torch.randint(256, (17, 700), generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), no_compile():
        expected = torch.cat([mimi.decode(codes[None, 1:9]), mimi.decode(codes[None, 9:])])[:, 0].numpy()
    monkeypatch.setattr(codec, "PIECE_FRAMES", 150)
    sound = codec.decode_stereo(mimi, codes)
    assert sound.shape == (2, 700 * FRAME_SAMPLES)
    assert np.abs(sound - expected).max() < 1e-5
    assert codec.decode_stereo(mimi, codes[:, :0]).shape == (2, 0)


def test_flac_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "samples" / "one.flac"
    codec.write_flac(path, noise(0.5))
    read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 24_000
    assert np.abs(read.T - np.clip(noise(0.5), -1, 1)).max() < 1e-4
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="can not be written"):
        codec.write_flac(blocked / "one.flac", noise(0.1))
    assert [each.name for each in path.parent.iterdir()] == ["one.flac"]
