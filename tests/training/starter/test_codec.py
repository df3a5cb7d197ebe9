"""The codec learns, goes on bit for bit, and its decoder learns more without any code changing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from pystoi import stoi
from safetensors.torch import load_file

from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from training.starter import codec, trainer
from training.starter.clearness import Clearness
from training.starter.codec import Settings, build_codec, load_codec
from training.starter.speech import Speaker
from training.starter.voices import model_voice

SMALL = Settings(steps=12, filters=4)


@pytest.fixture(scope="module", autouse=True)
def names(speaker: Speaker) -> Iterator[None]:
    """Look for phonemes once: it takes ten seconds."""
    found = codec.phoneme_names(speaker)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "phoneme_names", lambda _: found)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codec")
    build_codec(folder, SMALL)
    return folder


def spoken(speaker: Speaker) -> np.ndarray:
    sound = speaker.say("Where did you go this morning, and what did you see?", model_voice("en")).sound
    return np.pad(sound, (0, -len(sound) % FRAME_SAMPLES))


def encode(mimi: MimiModel, sound: np.ndarray) -> torch.Tensor:
    with torch.no_grad(), no_compile():
        return mimi.encode(torch.from_numpy(sound)[None, None])


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / codec.WEIGHTS)


def test_a_codec_of_the_official_format_is_left(built: Path, speaker: Speaker) -> None:
    assert {path.name for path in built.iterdir()} == {codec.WEIGHTS, codec.CONFIG}
    mimi = load_codec(built)
    assert (mimi.sample_rate, mimi.frame_rate) == (24_000, 12.5)
    sound = spoken(speaker)
    assert encode(mimi, sound).shape == (1, codec.CODEBOOKS, len(sound) // FRAME_SAMPLES)


def test_it_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_SAVE_EVERY", 5)
    monkeypatch.setattr(trainer, "_WARMUP_STEPS", 5)
    build_codec(tmp_path, Settings(steps=40, filters=4))
    told = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [each["step"] for each in told] == list(range(5, 41, 5))
    assert told[-1]["spectral"] < 0.9 * told[0]["spectral"]


def test_one_that_was_stopped_goes_on_bit_for_bit(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_SAVE_EVERY", 5)
    learn = trainer.Trainer.learn

    def stop(self: trainer.Trainer) -> None:
        learn(self)
        if self.step == 7:
            raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(trainer.Trainer, "learn", stop)
        with pytest.raises(KeyboardInterrupt):
            build_codec(tmp_path, SMALL)
    assert (tmp_path / trainer.STATE).exists()
    assert not (tmp_path / codec.WEIGHTS).exists()
    build_codec(tmp_path, SMALL)
    ours, theirs = weights(tmp_path), weights(built)
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []


def test_unused_codes_are_replaced_by_values_alone(built: Path) -> None:
    mimi = load_codec(built).requires_grad_(True).train()
    with no_compile(), codec._detached_replacements():
        result = mimi(torch.randn(1, 1, 4 * FRAME_SAMPLES))
        result.x.sum().backward()
    assert all(not buffer.requires_grad for buffer in mimi.buffers())


def test_the_clearness_that_is_learnt_is_that_of_pystoi(speaker: Speaker) -> None:
    sound = spoken(speaker)
    chance = np.random.default_rng(0)
    clearness = Clearness()
    found = []
    for noise_db in (-60, -30, -20, -10):
        noisy = sound + chance.standard_normal(len(sound)).astype(np.float32) * np.float32(
            10 ** (noise_db / 20)
        )
        ours = 1 - float(clearness.loss(*(torch.from_numpy(each)[None] for each in (noisy, sound))))
        found.append((ours, float(stoi(sound, noisy, SAMPLE_RATE, extended=True))))
    for ours, theirs in found:
        assert ours == pytest.approx(theirs, abs=0.06)
    assert found == sorted(found, reverse=True)


def test_silence_is_not_compared() -> None:
    silence = torch.zeros(2, SAMPLE_RATE)
    assert float(Clearness().loss(silence, silence)) == pytest.approx(1.0)
