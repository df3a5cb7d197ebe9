"""The dialogues that a run or a continuation is given: names of datasets and files in, examples out.

Refuses what was prepared for another model. Knows nothing about models in memory or about steps.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from glob import glob
from pathlib import Path

from app.engine.checkpoint import Checkpoint
from app.engine.weights import fingerprint
from app.errors import UserError
from app.paths import Paths
from app.store.datasets import Dataset
from training.config import Config
from training.data.check import refuse_bad
from training.data.duplicates import Content, Heard, contents_of, repeats
from training.data.places import find_dataset
from training.data.shards import Shards
from training.examples import Examples, split

CACHE = "prepared"
"""Below the cache folder: prepared dialogues as arrays."""

Told = Callable[[str, str], None]
"""Hears a sentence and an advice."""


def open_examples(
    config: Config, found: Checkpoint, where: Paths, told: Told = lambda sentence, advice: None
) -> tuple[Examples, Examples]:
    """Return what is learnt from and what is kept aside; `told` hears of dialogues that stand there twice.

    Each is used once, whatever it is called. Raises UserError for another model's data, and for dialogues
    that are to be learnt from and held out.
    """
    read = partial(open_shards, found=found, where=where)
    shards = read(config.data)
    contents = contents_of(shards)
    once = _once(shards, contents, "data", told)
    if not config.held_out:
        return split(
            shards, config.speakers, config.batch, config.held_out_share, config.seed, dialogues=once
        )
    aside = read(config.held_out)
    contents_aside = contents_of(aside)
    _refuse_overlap(aside, contents_aside, Heard(contents))
    once_aside = _once(aside, contents_aside, "held_out", told)
    train, _ = split(shards, config.speakers, config.batch, 0.0, config.seed, dialogues=once)
    judged, _ = split(aside, config.speakers, config.batch, 0.0, config.seed, dialogues=once_aside)
    return train, judged


def _once(shards: Shards, contents: Sequence[Content], setting: str, told: Told) -> list[int]:
    """Return the dialogues without those that are the same as one before them."""
    repeated = set(repeats(contents))
    if repeated:
        first = shards.dialogues[min(repeated)][0]
        told(
            f"{len(repeated)} of {len(contents)} dialogues in {setting} repeat others, such as {first}.",
            "Each is used once.",
        )
    return [index for index in range(len(contents)) if index not in repeated]


def _refuse_overlap(aside: Shards, contents: Sequence[Content], heard: Heard) -> None:
    """Raise UserError where a model would be judged by what it has learnt."""
    both = [name for (name, _), content in zip(aside.dialogues, contents, strict=True) if content in heard]
    if both:
        raise UserError(
            f"{len(both)} of {len(contents)} dialogues in held_out are in data as well, such as {both[0]}.",
            "Take them out of one of both; without held_out a share of data is held out by itself.",
        )


def open_shards(specs: Sequence[str], found: Checkpoint, where: Paths) -> Shards:
    """Return the dialogues that names of datasets and Parquet files stand for. Raises UserError."""
    files = [path for spec in specs for path in _files(spec, found, where)]
    lm = found.config
    return Shards(
        files,
        where.cache / CACHE,
        codebooks=lm["n_q"] // 2,
        card=lm["card"],
        text_card=lm["text_card"],
    )


def _files(spec: str, found: Checkpoint, where: Paths) -> list[Path]:
    """Return the Parquet files that a name stands for: a dataset, a file, or a pattern of files."""
    matches = sorted(Path(name) for name in glob(os.path.expanduser(spec), recursive=True))
    if matches and all(path.is_file() for path in matches):
        return matches
    dataset = find_dataset(spec, where)
    files = dataset.shards
    # Without what describes them nobody knows which model the files are for: preparing broke off.
    if not files or not dataset.prepared:
        raise UserError(f"{dataset.name} is not prepared.", f"Run `aizuchi data prepare {spec}` first.")
    _refuse_foreign(dataset, found, spec)
    refuse_bad(dataset)
    return files


def _refuse_foreign(dataset: Dataset, found: Checkpoint, spec: str) -> None:
    """Raise UserError for a dataset that was prepared with another Mimi or tokenizer than the model's."""
    made = dataset.prepared
    for what, recorded, here in (
        ("tokenizer", made.get("tokenizer"), hashlib.sha256(found.tokenizer.read_bytes()).hexdigest()),
        ("Mimi", made.get("mimi"), fingerprint(found.mimi)),
    ):
        if recorded and recorded != here:
            raise UserError(
                f"{dataset.name} was prepared for another model: its {what} is not that of {found.name}.",
                f"Run `aizuchi data prepare {spec} --model {found.name}`.",
            )
