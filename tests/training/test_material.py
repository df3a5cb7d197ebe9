"""What a run learns from and is judged by: each dialogue once, and never on both sides."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from app.errors import UserError
from app.frames import SAMPLE_RATE, seconds
from app.paths import Paths, paths
from app.store.datasets import PREPARED, SHARDS, Dataset, create_dataset, write_json
from tests.training.imports import rows
from training import material
from training.config import Batch, Config, parse_config
from training.data import packing
from training.data.packing import Packed

FRAMES = 40
MADE = rows("one", "two", "three", "four", frames=FRAMES)


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "files")


def dataset_of(where: Paths, name: str, *made: Packed, seed: int | None = None) -> Dataset:
    """Make a prepared dataset, with a sound for each dialogue that follows from its first code and `seed`."""
    dataset = create_dataset(where.datasets / name)
    (dataset.folder / SHARDS).mkdir()
    packing.write_files(dataset.folder / SHARDS, iter(made))
    write_json(dataset.folder / PREPARED, {"model": "tiny", "codebooks": 8})
    for row in made if seed is not None else ():
        noise = np.random.default_rng((seed, int(row.a[1, 0]))).integers(-900, 900, (SAMPLE_RATE, 2))
        soundfile.write(dataset.audio(row.dialogue), noise.astype(np.int16), SAMPLE_RATE)
    return dataset


def opened(where: Paths, **settings: Any) -> tuple[float, float, list[str]]:
    """Return how many dialogues are learnt from and held out, and what was told."""
    config = Config(batch=Batch(min_seconds=1.0), **settings)
    found: Any = SimpleNamespace(config={"n_q": 16, "card": 2048, "text_card": 32_000})
    # Data that says nothing of a model is for any.
    found.tokenizer = found.mimi = where.datasets / "talks" / PREPARED
    told: list[str] = []
    train, aside = material.open_examples(config, found, where, lambda *said: told.append(" ".join(said)))
    one = seconds(FRAMES) / 3600
    return round(train.hours / one, 3), round(aside.hours / one, 3), told


def test_what_is_no_repetition_is_learnt_from(where: Paths) -> None:
    dataset_of(where, "talks", *MADE, seed=0)
    assert opened(where, data=("talks",), held_out_share=0.25) == (3, 1, [])


def renamed(row: Packed) -> Packed:
    return row._replace(dialogue=f"{row.dialogue}-again")


def exchanged(row: Packed) -> Packed:
    return Packed(f"{row.dialogue}-again", row.b, row.a)


def reworded(row: Packed) -> Packed:
    a = row.a.copy()
    a[0] = 3
    return row._replace(a=a)


@pytest.mark.parametrize("change", [lambda row: row, renamed, exchanged, reworded])
def test_the_same_dialogues_in_two_datasets_are_used_once(where: Paths, change: Any) -> None:
    dataset_of(where, "talks", *MADE)
    dataset_of(where, "others", *map(change, MADE[:3]))
    train, aside, told = opened(where, data=("talks", "others"), held_out_share=0.25)
    assert (train, aside) == (3, 1)
    assert told[0].startswith("3 of 7 dialogues in data repeat others, such as one")
    with pytest.raises(UserError, match="3 of 3 dialogues in held_out are in data as well, such as one"):
        opened(where, data=("talks",), held_out=("others",))


def test_what_is_named_twice_is_used_once(where: Paths) -> None:
    dataset = dataset_of(where, "talks", *MADE)
    for again in ("talks", str(dataset.folder), str(dataset.folder / SHARDS / "*.parquet")):
        assert opened(where, data=("talks", again), held_out_share=0.25)[:2] == (3, 1)
        if again != "talks":
            with pytest.raises(UserError, match="4 of 4 dialogues in held_out are in data"):
                opened(where, data=("talks",), held_out=(again,))


def test_the_same_sound_is_the_same_dialogue_however_it_was_encoded(where: Paths) -> None:
    dataset_of(where, "talks", *MADE, seed=0)
    # Another graphics card gives other codes.
    others = []
    for row in MADE[:2]:
        a = row.a.copy()
        a[5, 7] ^= 1
        others.append(row._replace(a=a))
    dataset_of(where, "others", *others, seed=0)
    assert opened(where, data=("talks", "others"), held_out_share=0.25)[:2] == (3, 1)
    shutil.rmtree(where.datasets / "others")
    dataset_of(where, "others", *others, seed=1)
    assert opened(where, data=("talks",), held_out=("others",)) == (4, 2, [])


def test_what_repeats_within_held_out_is_used_once(where: Paths) -> None:
    dataset_of(where, "talks", *MADE[:2])
    dataset_of(where, "others", MADE[2], renamed(MADE[2]), MADE[3])
    train, aside, told = opened(where, data=("talks",), held_out=("others",))
    assert (train, aside) == (2, 2)
    assert told[0].startswith("1 of 3 dialogues in held_out repeat others, such as three-again")


@pytest.mark.parametrize(
    ("data", "held_out"),
    [("talks", "talks"), ("a/b", "a//b"), ("./talks", "talks"), ("~/x/../talks", "~/talks")],
)
def test_a_name_in_both_is_refused_at_once(data: str, held_out: str) -> None:
    with pytest.raises(UserError, match="stands in data and in held_out") as caught:
        parse_config({"data": ["others", data], "held_out": [held_out]}, "a.toml")
    assert caught.value.advice
