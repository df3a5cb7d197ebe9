"""The bank in codes is what the starter's codec makes of it, in places that follow from the seed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from safetensors.torch import load_file, save_file

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.errors import UserError
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from tests.training.starter import needs
from training.starter import bank_codes
from training.starter.acoustics import CLEAN
from training.starter.bank import Settings as BankSettings
from training.starter.bank import make_bank, read_shard, shards
from training.starter.bank_codes import (
    LEAD_FRAMES,
    ROOM,
    TAIL_FRAMES,
    Coded,
    Mixed,
    Settings,
    encode_bank,
    mix,
    read_codes,
)
from training.starter.codec import WEIGHTS
from training.starter.microphones import PLAIN

pytestmark = needs.engine("espeak-ng")
MODEL = BUNDLED / STARTER.name
TWICE = Settings(seed=5, renditions=2)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    make_bank(folder, BankSettings(engines=("espeak-ng",), revoiced=False, share=0.0001))
    # Two shards, of the same clips.
    shutil.copytree(folder / "0000", folder / "0001")
    return folder


@pytest.fixture(scope="module")
def mimi() -> MimiModel:
    torch.set_num_threads(1)
    return build.load_mimi(checkpoint.find(str(MODEL)), torch.device("cpu"))


@pytest.fixture(scope="module")
def codes(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("codes")
    encode_bank(bank, folder, MODEL, TWICE)
    return folder


def mixed(bank: Path) -> list[Mixed]:
    clips = list(read_shard(shards(bank)[0]))
    return [mix(entry, speech, rendition, TWICE.seed) for entry, speech in clips for rendition in range(2)]


def test_every_clip_is_encoded_as_if_alone(bank: Path, codes: Path, mimi: MimiModel) -> None:
    coded = [each for each in read_codes(codes / "0000.npz") if each.clip != ROOM]
    heard = mixed(bank)
    assert [(each.clip, each.rendition) for each in coded] == [(each.clip, each.rendition) for each in heard]
    for ours, sound in zip(coded, heard, strict=True):
        with torch.no_grad(), no_compile():
            alone = mimi.encode(torch.from_numpy(sound.sound)[None, None])[0].numpy()
        # A larger batch rounds otherwise, so that a code here and there is its neighbour.
        assert ours.codes.shape == alone.shape
        assert np.mean(ours.codes == alone) > 0.99
        moments = np.array([sound.begin, sound.end, sound.stretch], dtype=np.float32)
        np.testing.assert_array_equal([ours.begin, ours.end, ours.stretch], moments)


def test_speech_lies_between_rooms(bank: Path) -> None:
    for each in mixed(bank):
        frames = each.sound.reshape(-1, FRAME_SAMPLES)
        assert LEAD_FRAMES <= each.begin < LEAD_FRAMES + 1
        assert TAIL_FRAMES <= len(frames) - each.end < TAIL_FRAMES + 1
        loud = np.sqrt(np.mean(frames**2, axis=1))
        assert loud[int(each.begin) : int(each.end) + 1].max() > 2 * loud[:LEAD_FRAMES].max()


def test_words_are_where_the_stretch_tells(bank: Path) -> None:
    speech = list(read_shard(shards(bank)[0]))
    stretches = set()
    for each in mixed(bank):
        said = next(sound for entry, sound in speech if entry.number == each.clip)
        frames = FRAME_RATE * each.stretch * len(said) / SAMPLE_RATE
        assert each.end - each.begin == pytest.approx(frames, abs=1e-6)
        assert 1 / 1.13 < each.stretch < 1.13
        stretches.add(each.stretch)
    assert len(stretches) == len(mixed(bank))


def test_slower_is_deeper(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_codes, "_draw_place", lambda chance: CLEAN)
    monkeypatch.setattr(bank_codes, "draw_microphone", lambda chance: PLAIN)
    entry, _ = next(read_shard(shards(bank)[0]))
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    for rendition in range(4):
        heard = mix(entry, tone, rendition, 0)
        spectrum = np.abs(np.fft.rfft(heard.sound, 2**16))
        loudest = np.argmax(spectrum) * SAMPLE_RATE / 2**16
        assert loudest == pytest.approx(1000 / heard.stretch, abs=1)


def test_each_rendition_is_in_another_place_and_always_in_the_same(bank: Path) -> None:
    first, again = mixed(bank), mixed(bank)
    np.testing.assert_array_equal(first[0].sound, again[0].sound)
    assert first[0].clip == first[1].clip
    shorter = min(len(first[0].sound), len(first[1].sound))
    assert not np.allclose(first[0].sound[:shorter], first[1].sound[:shorter])


def test_there_are_rooms_without_anybody(codes: Path) -> None:
    rooms = [
        [each for each in read_codes(codes / name) if each.clip == ROOM] for name in ("0000.npz", "0001.npz")
    ]
    assert [each.codes.shape for each in rooms[0]] == [(8, bank_codes._ROOM_FRAMES)] * bank_codes._ROOMS
    alike = [np.array_equal(one.codes, other.codes) for one, other in zip(*rooms, strict=True)]
    assert not all(alike), "each shard has rooms of its own"


def test_codes_are_small(codes: Path) -> None:
    frames = sum(each.codes.shape[1] for each in read_codes(codes / "0000.npz"))
    # Nine bits for each of eight codes would be 9 bytes a frame; the index and headers come with it.
    assert (codes / "0000.npz").stat().st_size < 12 * frames + 3000


def test_one_that_was_stopped_goes_on(
    bank: Path, codes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = bank_codes.write_codes, []

    def stop(path: Path, coded: object) -> None:
        calls.append(path.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write(path, coded)  # type: ignore[arg-type]

    monkeypatch.setattr(bank_codes, "write_codes", stop)
    with pytest.raises(KeyboardInterrupt):
        encode_bank(bank, tmp_path, MODEL, TWICE)
    encode_bank(bank, tmp_path, MODEL, TWICE)
    assert calls == ["0000.npz", "0001.npz", "0001.npz"]
    for name in ("0000.npz", "0001.npz"):
        assert_same(list(read_codes(tmp_path / name)), list(read_codes(codes / name)))
    with pytest.raises(UserError, match="was begun with other settings"):
        encode_bank(bank, tmp_path, MODEL, Settings(seed=6))


def assert_same(ours: list[Coded], theirs: list[Coded]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert one._replace(codes=None) == other._replace(codes=None)  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.codes, other.codes)


def test_another_decoder_leaves_codes_as_they_are_and_another_codebook_does_not(tmp_path: Path) -> None:
    """The voice is learnt after the bank was encoded: nothing has to be encoded anew for it."""
    weights = load_file(MODEL / WEIGHTS)
    codec, decoder, codebook = tmp_path / "codec", tmp_path / "decoder", tmp_path / "codebook"
    for folder, name in ((codec, ""), (decoder, "decoder.model.0"), (codebook, "embedding_sum")):
        folder.mkdir()
        changed = {each: value + 1.0 if name and name in each else value for each, value in weights.items()}
        save_file(changed, folder / WEIGHTS)
    assert bank_codes._fingerprint(decoder) == bank_codes._fingerprint(codec)
    assert bank_codes._fingerprint(codebook) != bank_codes._fingerprint(codec)
