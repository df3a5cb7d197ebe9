"""The dialogues that a run or a continuation is given: names of datasets and files in, examples out.

Refuses what was prepared for another model. Knows nothing about models in memory or about steps.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import partial
from glob import glob
from pathlib import Path

from app.datasets import Dataset
from app.engine.checkpoint import Checkpoint
from app.engine.weights import fingerprint
from app.errors import UserError
from app.paths import Paths
from training.config import Config
from training.data.check import refuse_bad
from training.data.places import find_dataset
from training.data.shards import Shards
from training.examples import Examples, split

CACHE = "prepared"
"""Below the cache folder: prepared dialogues as arrays."""


def open_examples(config: Config, found: Checkpoint, where: Paths) -> tuple[Examples, Examples]:
    """Return what is learnt from and what is kept aside. Raises UserError, also for another model's data."""
    read = partial(open_shards, found=found, where=where)
    shards = read(config.data)
    if not config.held_out:
        return split(shards, config.speakers, config.batch, config.held_out_share, config.seed)
    train, _ = split(shards, config.speakers, config.batch, 0.0, config.seed)
    judged, _ = split(read(config.held_out), config.speakers, config.batch, 0.0, config.seed)
    return train, judged


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
