"""Where a dataset is that a command names.

Knows nothing about what is in it.
"""

from __future__ import annotations

import os

from app.errors import UserError
from app.files import named
from app.paths import Paths
from app.store.datasets import DATASET, Dataset, list_datasets, open_dataset


def find_dataset(spec: str, where: Paths) -> Dataset:
    """Return the dataset with this name below `where.datasets`, or in this folder. Raises UserError.

    A folder counts where it holds a dataset, or where the name is of none below `where.datasets`.
    """
    folder, below = named(spec), where.datasets / spec
    if spec and not os.path.isfile(folder / DATASET) and os.path.isdir(below):
        return open_dataset(below)
    if spec and os.path.isdir(folder):
        return open_dataset(folder)
    names = [dataset.folder.name for dataset in list_datasets(where.datasets)]
    known = f"There are {', '.join(names)}." if names else "Make one with `aizuchi data import`."
    raise UserError(f"There is no dataset '{spec}'.", known)


def dialogues_of(dataset: Dataset) -> list[str]:
    """Return the names of the dialogues that have sound. Raises UserError where there are none."""
    if names := dataset.dialogues():
        return names
    if dataset.shards:
        raise UserError(
            f"{dataset.name} holds tokens alone, without sound.",
            "They are prepared already: name the dataset in the data of a training run.",
        )
    raise UserError(f"{dataset.name} holds no dialogues.", "Import some with `aizuchi data import`.")
