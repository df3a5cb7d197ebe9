"""Voices are read with limits, whatever their files hold; how loud a sound is agrees with others' figures."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from app.engine import voices
from app.engine.loudness import measure_lufs, to_loudness
from app.engine.voices import Shape, names, read_published, read_sound
from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from tests.engine.personaplex import pack_voices

SHAPE = Shape(16, 100, 2048, (0, 0, *[1] * 7, 0, *[1] * 7))


def held(frames: int = 5, dim: int = 16, width: int = 4, **other: Any) -> bytes:
    """Return a voice as it is published."""
    kept = {
        "embeddings": torch.randn(frames - 1, 1, 1, dim, dtype=torch.bfloat16),
        "cache": torch.arange(17 * width).reshape(1, 17, width),
        **other,
    }
    torch.save(kept, file := io.BytesIO())
    return file.getvalue()


def test_the_tokens_that_are_to_be_fed_in_next_are_taken_from_the_ring(tmp_path: Path) -> None:
    path = pack_voices({"NATF0": held(5)}, tmp_path / "voices.tgz")
    voice = read_published(path, "NATF0", SHAPE)
    # Of five frames the last is fed in at 4, and what is delayed at 5: places 0 and 1 of a ring of four.
    assert voice.text == 0
    assert voice.codes[4].tolist() == [4 * 1 + 0, *(4 * row + 1 for row in range(2, 9))]
    assert voice.codes[3].tolist() == [-1, *(4 * row + 0 for row in range(2, 9))]
    assert (voice.codes[:3] == -1).all()
    assert voice.inputs is not None and voice.inputs.shape == (4, 16)


def test_an_archive_and_a_folder_are_the_same(tmp_path: Path) -> None:
    files = {"NATM0": held(), "VARF4": held(7)}
    path = pack_voices(files, tmp_path / "voices.tgz")
    folder = tmp_path / "voices"
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.pt").write_bytes(content)
    (folder / "._NATM0.pt").write_bytes(b"")
    (folder / "readme.txt").write_bytes(b"")
    assert names(path) == names(folder) == ("NATM0", "VARF4")
    for name in files:
        one, other = (read_published(place, name, SHAPE) for place in (path, folder))
        assert torch.equal(one.codes, other.codes)
    for place in (path, folder):
        with pytest.raises(UserError, match="NATF9"):
            read_published(place, "NATF9", SHAPE)


class Evil:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (print, ("never said",))


def deflated() -> bytes:
    """Return a PyTorch file of which a part is far larger unpacked."""
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("archive/data.pkl", b"\0" * (voices._VOICE_BYTES + 1))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense" * 100,
        held()[:-200],
        deflated(),
        held(embeddings=Evil()),
        held(embeddings=torch.zeros(4, 1, 1, 16).fill_(torch.nan)),
        held(embeddings=torch.zeros(1).expand(10**7, 1, 1, 16)),
        held(dim=32),
        held(frames=1),
        held(cache=torch.zeros(1, 17, 1, dtype=torch.long)),
        held(cache=torch.zeros(1, 9, 4, dtype=torch.long)),
        held(cache=torch.full((1, 17, 4), -2)),
        held(cache=torch.full((1, 17, 4), 2048)),
        held(cache=torch.zeros(1, 17, 4)),
        held(cache=[1, 2]),
    ],
    ids=str,
)
def test_a_voice_that_is_damaged_or_of_another_model_is_refused(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack_voices({"NATF0": content}, tmp_path / "voices.tgz")
    with pytest.raises(UserError, match=r"The voice NATF0 of .* is damaged, or belongs to another model"):
        read_published(path, "NATF0", SHAPE)
    assert capsys.readouterr().out == ""


def test_an_archive_that_is_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack_voices({"NATF0": held()}, tmp_path / "voices.tgz")
    whole = path.read_bytes()
    for content in (
        b"",
        b"nonsense" * 100,
        whole[:300],
        whole[: len(whole) // 2],
        gzip.compress(b"\1" * 2000),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is no archive of voices, or it is damaged"):
            names(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UserError, match="Git LFS pointer"):
        names(path)
    path.write_bytes(whole)
    monkeypatch.setattr(voices, "_ARCHIVE_BYTES", 1000)
    with pytest.raises(UserError, match="is no archive of voices"):
        names(path)
    with pytest.raises(UserError, match=r"gone.tgz"):
        names(tmp_path / "gone.tgz")


def test_what_is_no_voice_in_an_archive_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "voices.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (
            "../../NATF1.pt",
            "/etc/NATF2.pt",
            "voices/sub/NATF3.pt",
            "voices/a b.pt",
            "voices/x.wav",
        ):
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("voices/NATF4.pt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        good = tarfile.TarInfo("./voices/NATF0.pt")
        content = held()
        good.size = len(content)
        archive.addfile(good, io.BytesIO(content))
    assert names(path) == ("NATF0",)
    assert read_published(path, "NATF0", SHAPE).inputs is not None


def hum(length_s: float, rate: int = SAMPLE_RATE) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a sound that swells, pauses, and has low and high parts."""
    t = np.arange(round(length_s * rate)) / rate
    tones = (
        0.3 * np.sin(2 * np.pi * 220 * t)
        + 0.1 * np.sin(2 * np.pi * 3000 * t)
        + 0.2 * np.sin(2 * np.pi * 30 * t)
    )
    swell = np.where((t > 1.2) & (t < 2.1), 1e-5, 0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * t))
    return (tones * swell).astype(np.float32)


MEASURED = [
    (1.0, 24000, -15.264827),
    (4.03, 24000, -16.931148),
    (9.77, 24000, -16.673193),
    (5.5, 48000, -16.833782),
]


MEASURED = [
    (1.0, 24000, -15.264827),
    (4.03, 24000, -16.931148),
    (9.77, 24000, -16.673193),
    (5.5, 48000, -16.833782),
]


@pytest.mark.parametrize(("length_s", "rate", "lufs"), MEASURED)
def test_loudness_is_what_pyloudnorm_measures(length_s: float, rate: int, lufs: float) -> None:
    """Version 0.2.0 of pyloudnorm, on the same samples."""
    assert measure_lufs(hum(length_s, rate), rate) == pytest.approx(lufs, abs=1e-5)
    assert measure_lufs(to_loudness(hum(length_s, rate), rate, -24.0), rate) == pytest.approx(-24, abs=1e-4)


def test_loudness_of_a_full_sine_is_that_of_the_recommendation() -> None:
    """ITU-R BS.1770-4: 997 Hz at full scale in one channel is -3.01 LKFS."""
    t = np.arange(5 * 48_000) / 48_000
    assert measure_lufs(np.sin(2 * np.pi * 997 * t).astype(np.float32), 48_000) == pytest.approx(
        -3.01, abs=0.05
    )
    assert measure_lufs(np.zeros(48_000, dtype=np.float32), 48_000) == -np.inf


@pytest.mark.parametrize(("suffix", "kind"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_24")])
@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_sound_of_any_kind_becomes_frames(tmp_path: Path, suffix: str, kind: str, rate: int) -> None:
    path = tmp_path / f"anna.{suffix}"
    sound = np.stack([0.2 * hum(3, rate), np.zeros(3 * rate)], axis=1)
    soundfile.write(path, sound, rate, subtype=kind)
    frames = read_sound(path)
    assert {len(frame) for frame in frames} == {FRAME_SAMPLES}
    assert abs(len(frames) - 38) <= 1
    assert measure_lufs(np.concatenate(frames)[: 3 * SAMPLE_RATE], SAMPLE_RATE) == pytest.approx(-24, abs=0.1)


@pytest.mark.parametrize(
    ("sound", "sentence"),
    [
        (hum(0.5), "is shorter than 1 s"),
        (hum(31), "is longer than 30 s"),
        (np.zeros(48_000, dtype=np.float32), "it is silent"),
        (np.full(48_000, np.nan, dtype=np.float32), "it is silent"),
    ],
)
def test_a_sound_that_is_no_voice_is_refused(tmp_path: Path, sound: Any, sentence: str) -> None:
    soundfile.write(path := tmp_path / "anna.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=sentence):
        read_sound(path)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000, b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_a_file_that_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "anna.wav").write_bytes(content)
    with pytest.raises(UserError, match="is no sound that can be read"):
        read_sound(path)
