"""The tiny model is the same each time, in the official format, and never overwrites what is not its own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from moshi.models import loaders

from app.engine.fake import TINY_FORMAT, Echo, Slowed, ensure_tiny, make_tiny
from app.errors import UserError
from tests.engine.conftest import Load, speech


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_others(tiny: Path, tmp_path: Path) -> None:
    again = make_tiny(tmp_path / "deeper" / "again")
    assert contents(again) == contents(tiny)
    other = contents(make_tiny(again, seed=1))
    assert other["model.safetensors"] != contents(tiny)["model.safetensors"]
    assert [path.name for path in again.parent.iterdir()] == ["again"], "no scratch is left"


def test_moshis_own_loader_takes_it_with_nothing_but_paths(tiny: Path) -> None:
    checkpoint = loaders.CheckpointInfo.from_hf_repo(
        "",
        moshi_weights=tiny / "model.safetensors",
        mimi_weights=tiny / "mimi.safetensors",
        tokenizer=tiny / "tokenizer.model",
        config_path=tiny / "config.json",
        mimi_config_path=tiny / "mimi.json",
    )
    lm, mimi, pieces = checkpoint.get_moshi(), checkpoint.get_mimi(), checkpoint.get_text_tokenizer()
    assert (lm.num_codebooks, lm.dep_q, lm.n_q) == (17, 8, 16)
    assert lm.delays == loaders._lm_kwargs["delays"]
    assert (mimi.frame_size, mimi.num_codebooks) == (1920, 8)
    assert pieces.get_piece_size() == lm.text_card
    assert set(json.loads((tiny / "config.json").read_text())) >= set(loaders._lm_kwargs)


def test_other_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "config.json").write_text('{"dim": 4096}')
    for target in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(UserError, match="holds other files"):
            make_tiny(target)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_kept_tiny_model_is_made_anew_when_its_format_is_old_or_it_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_id": {"tiny_format": 0}}')
    for text in ('{"model_id": {"tiny_format": 0}}', "{", "[]"):
        (folder / "config.json").write_text(text)
        config = json.loads((ensure_tiny(folder) / "config.json").read_text())
        assert config["model_id"]["tiny_format"] == TINY_FORMAT


def test_it_speaks_whole_words_now_and_then_and_hears_the_difference(tiny: Path, load: Load) -> None:
    model = load(tiny)
    said = [model.step(frame) for frame in speech(100)]
    words = [each.text for each in said if each.token is not None]
    assert 10 < len(words) < 80
    assert any(len(word) > 2 for word in words)
    model.restart(0)
    other = [model.step(frame) for frame in speech(100, seed=1)]
    assert not all(np.array_equal(a.samples, b.samples) for a, b in zip(said, other, strict=True))


def test_it_is_far_faster_than_speech(tiny: Path, load: Load) -> None:
    model = load(tiny)
    frames = speech(20)
    began = time.thread_time()
    for frame in frames:
        model.step(frame)
    assert (time.thread_time() - began) / 20 < 0.04, "half of the 80 ms on one core, even on a slow machine"


def test_any_model_can_be_made_to_take_its_time() -> None:
    frame = speech(1)[0]
    slowed = Slowed(Echo(), 30)
    began = time.perf_counter()
    assert np.array_equal(slowed.step(frame).samples, frame)
    assert time.perf_counter() - began >= 0.03
    assert slowed.name == "echo"
    assert slowed.details["slowed_ms"] == 30
