"""One damaged run, dataset or model hides no other in its list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.commands.models import own_rows
from app.store.datasets import create_dataset, list_datasets
from app.store.runs import list_runs
from tests import damaged

KINDS = pytest.mark.parametrize("how", [*damaged.IN_PLACE, *damaged.WEIRD])


def begin(path: Path, values: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


@KINDS
def test_a_damaged_run_hides_no_other(how: str, tmp_path: Path) -> None:
    begin(tmp_path / "whole" / "run.json", {"format": 1, "name": "whole", "state": "finished", "steps": 3})
    damaged.damage(begin(tmp_path / "broken" / "run.json", {}), how)
    begin(tmp_path / ".half.1-1.part" / "run.json", {"format": 1})
    (tmp_path / "notes").mkdir()
    assert [run.name for run in list_runs(tmp_path)] == ["whole"]


@pytest.mark.parametrize(
    "values", [{"step": "3"}, {"steps": [3]}, {"state": {}}, {"name": 3}, {"created": 7}]
)
def test_a_run_whose_values_are_of_other_types_is_damaged(values: dict[str, object], tmp_path: Path) -> None:
    begin(tmp_path / "whole" / "run.json", {"format": 1, "name": "whole", "state": "finished"})
    begin(tmp_path / "broken" / "run.json", {"format": 1, "name": "broken", "state": "finished", **values})
    assert [run.name for run in list_runs(tmp_path)] == ["whole"]


@KINDS
def test_a_damaged_dataset_hides_no_other(how: str, tmp_path: Path) -> None:
    create_dataset(tmp_path / "whole")
    broken = create_dataset(tmp_path / "broken")
    damaged.damage(broken.folder / "dataset.json", how)
    (tmp_path / "notes").mkdir()
    assert [dataset.name for dataset in list_datasets(tmp_path)] == ["whole"]


@KINDS
def test_a_damaged_model_of_ones_own_hides_no_other(how: str, tmp_path: Path) -> None:
    about = {"parent": "moshika", "language": "en", "data": ["talks"], "hours": 1.5, "steps": 3}
    begin(tmp_path / "whole" / "aizuchi.json", about)
    damaged.damage(begin(tmp_path / "broken" / "aizuchi.json", about), how)
    assert [row["name"] for row in own_rows(tmp_path)] == ["whole"]
