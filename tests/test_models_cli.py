"""`aizuchi models` lists, verifies and makes models, and says what is wrong with one."""

from __future__ import annotations

import json
import os
import shutil
from argparse import Namespace
from pathlib import Path

import pytest
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from app.catalog import HUB, KNOWN
from app.commands import models, quantize
from app.commands.models import main
from app.engine.checkpoint import find
from app.engine.model import load_model
from app.errors import UserError
from app.paths import Paths, paths


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "house")


def test_list_names_every_known_model_with_what_it_needs(
    where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"], where) == 0
    table = capsys.readouterr().out
    for known in KNOWN:
        line = next(line for line in table.splitlines() if line.startswith(f"{known.name} "))
        assert known.licence in line
        assert f"{known.memory_gb():.1f} GB" in line
        assert ("research only" in line) == known.research_only


def test_list_as_json_is_for_programs(
    where: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    known = HUB[0]
    snapshot = tmp_path / f"models--{known.repo.replace('/', '--')}" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    for reference in known.files:
        (snapshot / reference.rpartition("/")[2]).touch()
    assert main(["list", "--json"], where) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [known.name for known in KNOWN]
    assert [row["name"] for row in rows if row["downloaded"]] == ["starter", known.name]
    assert rows[1]["memory_gb"] == pytest.approx(18.3)
    assert rows[0]["fits"], "the starter needs no card"


def test_a_tiny_model_is_made_and_verified(
    where: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    assert main(["make-tiny", str(folder), "--seed", "3"], where) == 0
    assert str(folder) in capsys.readouterr().out
    assert main(["verify", str(folder)], where) == 0
    told = capsys.readouterr().out
    assert "mine is whole, and its files fit together." in told
    for name in ("model.safetensors", "mimi.safetensors", "tokenizer.model"):
        assert f"{folder / name}: fits" in told
    os.truncate(folder / "mimi.safetensors", 1000)
    with pytest.raises(UserError, match=r"mimi.safetensors"):
        main(["verify", str(folder)], where)


@pytest.mark.parametrize("file", ["model.safetensors", "mimi.safetensors"])
def test_numbers_that_are_not_finite_are_not_whole(file: str, where: Paths, tmp_path: Path) -> None:
    from app.engine.fake import make_tiny

    folder = make_tiny(tmp_path / "mine")
    state = load_file(folder / file)
    name = next(name for name, each in state.items() if each.is_floating_point())
    state[name].view(-1)[-1] = float("nan")
    save_file(state, folder / file)
    said = rf"{file} holds numbers that are not finite \(NaN or infinity\), in {name}"
    with pytest.raises(UserError, match=said):
        main(["verify", str(folder)], where)
    with pytest.raises(UserError, match=said):
        load_model(str(folder), lambda _: None)
    if file == "model.safetensors":
        with pytest.raises(UserError, match=said):
            quantize.main([str(folder), "--out", str(tmp_path / "small")], where)
        assert not (tmp_path / "small").exists()


def test_a_hash_that_is_not_the_hubs_is_told(
    where: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub's cache keeps each file under its SHA-256, with a link from its name."""
    from app.engine.fake import make_tiny

    folder = make_tiny(tmp_path / "mine")
    weights = folder / "model.safetensors"
    (tmp_path / "blobs").mkdir()
    import hashlib

    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    blob = weights.rename(tmp_path / "blobs" / digest)
    weights.symlink_to(blob)
    assert main(["verify", str(folder)], where) == 0
    assert "its SHA-256 is the hub's" in capsys.readouterr().out
    with blob.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x7f")
    with pytest.raises(UserError, match=r"model.safetensors is damaged: its SHA-256.*download it again"):
        main(["verify", str(folder)], where)


def test_a_known_model_that_is_not_here_is_not_fetched_by_verifying_it(where: Paths) -> None:
    with pytest.raises(UserError, match=r"j-moshi is not on this computer.*aizuchi models download j-moshi"):
        main(["verify", "j-moshi"], where)


def test_downloading_says_what_a_licence_forbids(where: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="not on this computer"):
        main(["download", "j-moshi"], where)
    assert "for research, not for commercial use" in capsys.readouterr().out


def own_model(where: Paths, name: str, **told: object) -> Path:
    """Leave a model as `aizuchi export` does, on the weights of a tiny one."""
    from app.engine.fake import make_tiny

    folder = make_tiny(where.models / name)
    card = {"format": 1, "name": name, "parent": "moshika", "created": "2026-11-24T18:30:00+00:00", **told}
    (folder / "aizuchi.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_models_of_ones_own_are_listed_and_found_by_name(
    where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"loss": 9.71, "text": 1.82}
    folder = own_model(
        where, "my-talks-1", data=["my-talks"], hours=0.5, step=550, scores=scores, before={"loss": 12.0}
    )
    own_model(where, "my-talks-2", created="2026-11-25T18:30:00+00:00")
    (where.models / "broken").mkdir()
    (where.models / "broken" / "aizuchi.json").write_text("{", encoding="utf-8")
    assert main(["list", "--json"], where) == 0
    rows = [row for row in json.loads(capsys.readouterr().out) if row.get("own")]
    assert [row["name"] for row in rows] == ["my-talks-2", "my-talks-1"]
    assert rows[1]["folder"] == str(folder)
    assert rows[1]["parent"] == "moshika"
    assert (rows[1]["data"], rows[1]["steps"], rows[1]["scores"]) == (["my-talks"], 550, scores)
    assert main(["list"], where) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("my-talks-1 "))
    assert "moshika" in line
    assert "12.00 → 9.71" in line
    assert find("my-talks-1", models=where.models).source == str(folder)
    assert main(["verify", "my-talks-1"], where) == 0
    with pytest.raises(UserError, match="no model called 'my-talks-3'"):
        find("my-talks-3", models=where.models)


def test_a_disk_without_room_is_told_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(models, "find", lambda *_, **__: asked.append("the hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "not yet" / "hub"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Namespace(free=10**10))
    with pytest.raises(UserError, match=r"moshiko needs 15\.8 GB more, and 10\.0 GB are free"):
        models.main(["download", "moshiko"], paths(tmp_path))
    begun = tmp_path / "not yet" / "hub" / "models--kyutai--moshiko-pytorch-bf16" / "blobs"
    begun.mkdir(parents=True)
    with (begun / "a.incomplete").open("wb") as file:
        file.truncate(6 * 10**9)
    with pytest.raises(AttributeError):  # what `find` gives here is no model
        models.main(["download", "moshiko"], paths(tmp_path))
    assert asked == ["the hub"], "what is here already is not counted again"
