"""A run goes on with what it began with: other data and other settings are named, and touch nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.cli import run_verb
from app.errors import UserError
from app.paths import Paths, paths
from app.store.runs import METRICS, RUN, open_run
from tests.training.test_train import assert_same, configure, curve, events, kept, train, write_shard
from training.provenance import PROVENANCE

QUICK: dict[str, Any] = {"steps": 2, "evaluation": {"every_steps": 2, "sample_s": 0.0}}


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write_shard(tmp_path / "dialogues.parquet", (60, 75, 90, 100, 80, 70))


@pytest.fixture
def begun(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> Path:
    """Return the folder of a run after two steps."""
    train(where, configure(tmp_path, tiny, shard, **QUICK))
    return where.runs / "run"


def change(run: Path, before: str, after: str) -> None:
    config = run / "config.toml"
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after))


def resume(where: Paths, steps: int = 3) -> None:
    run_verb("train", ["--resume", "run", "--steps", str(steps), "--json"], where)


def refused(where: Paths, run: Path) -> UserError:
    """Return what is said of a run that can not go on, of which nothing has changed."""
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(UserError) as caught:
        resume(where)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert open_run(run).state == "finished"
    assert "aizuchi export run" in caught.value.advice
    return caught.value


def rewrite(shard: Path, *, names: list[int], lengths: tuple[int, ...] = (60, 75, 90, 100, 80, 70)) -> None:
    """Write a shard of these dialogues, by their numbers; the same number holds the same."""
    whole = pq.read_table(write_shard(shard.with_name("all.parquet"), lengths))
    pq.write_table(pa.concat_tables([whole.slice(number, 1) for number in names]), shard)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("rank = 4", "rank = 8", "lora.rank = 4 (now 8)"),
        ("seed = 0", "seed = 1", "seed = 0 (now 1)"),
        ("lr_temporal = 0.001", "lr_temporal = 0.002", "optimizer.lr_temporal = 0.001 (now 0.002)"),
        ('decay = "cosine"', 'decay = "none"', 'optimizer.decay = "cosine" (now "none")'),
        ("seconds = 4.0\n", "seconds = 3.0\n", "batch.seconds = 4.0 (now 3.0)"),
        ("accumulation = 4", "accumulation = 2", "batch.size x batch.accumulation = 4 (now 2)"),
        ("held_out_share = 0.1", "held_out_share = 0.5", "held_out_share = 0.1 (now 0.5)"),
        ('method = "lora"', 'method = "full"', 'method = "lora" (now "full")'),
        ('speakers = [\n    "A",\n]', 'speakers = ["B"]', "speakers = ['A'] (now ['B'])"),
        ("semantic = 100.0", "semantic = 10.0", "loss.semantic = 100.0 (now 10.0)"),
    ],
)
def test_a_setting_that_changes_the_mathematics_is_named(
    before: str, after: str, said: str, where: Paths, begun: Path
) -> None:
    change(begun, before, after)
    fault = refused(where, begun)
    assert fault.sentence == f"The run run began with other settings: {said}."
    assert str(begun / "config.toml") in fault.advice


def test_settings_that_do_not_may_change_and_it_goes_on_bit_for_bit(
    where: Paths, tiny: Path, shard: Path, begun: Path, tmp_path: Path
) -> None:
    steps = {**QUICK, "steps": 4, "optimizer": {"decay": "none"}}
    run_verb("train", [str(configure(tmp_path, tiny, shard, **{**steps, "name": "whole"}))], where)
    whole = events(where, "whole")
    broken = configure(tmp_path, tiny, shard, **{**steps, "name": "changed"})
    run_verb("train", [str(broken), "--steps", "2"], where)
    changed = where.runs / "changed"
    for before, after in (
        ("size = 1", "size = 2"),
        ("accumulation = 4", "accumulation = 2"),
        ("kept_layers = 0", "kept_layers = 1"),
        ("every_steps = 2", "every_steps = 1"),
        ("patience = 5", "patience = 9"),
        ('name = "changed"', 'name = "other"'),
    ):
        change(changed, before, after)
    run_verb("train", ["--resume", "changed", "--steps", "4", "--json"], where)
    told = events(where, "changed")
    assert [step for step, _, _ in curve(told)] == [1, 2, 3, 4]
    for (_, loss, _), (_, expected, _) in zip(curve(told), curve(whole), strict=True):
        assert loss == pytest.approx(expected, rel=1e-4)
    assert not [each for each in told if each["kind"] == "warning"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "Added since it began: dialogue-6, dialogue-7."),
        ([0, 1, 2, 4, 5], "Removed since it began: dialogue-3."),
        ([5, 4, 3, 2, 1, 0], ""),
    ],
)
def test_dialogues_that_came_went_or_moved_are_named(
    names: list[int], said: str, where: Paths, tiny: Path, tmp_path: Path
) -> None:
    lengths = (60, 75, 90, 100, 80, 70, 65, 85)
    shard = tmp_path / "some.parquet"
    rewrite(shard, names=[0, 1, 2, 3, 4, 5], lengths=lengths)
    train(where, configure(tmp_path, tiny, shard, **QUICK))
    rewrite(shard, names=names, lengths=lengths)
    fault = refused(where, where.runs / "run")
    assert fault.sentence.startswith("The dialogues are not those that the run run began with. ")
    assert said in fault.sentence
    rewrite(shard, names=[0, 1, 2, 3, 4, 5], lengths=lengths)
    resume(where)
    assert open_run(where.runs / "run").step == 3


def test_a_dialogue_whose_content_changed_is_named(where: Paths, begun: Path, shard: Path) -> None:
    table = pq.read_table(shard).to_pylist()
    table[2]["A"][0][7] += 1
    pq.write_table(pa.Table.from_pylist(table, pq.read_schema(shard)), shard)
    assert "Changed since it began: dialogue-2." in refused(where, begun).sentence


def test_dialogues_that_change_sides_are_named(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    """The file of what is held out gets what was learnt from: the same dialogues in all."""
    aside = tmp_path / "aside.parquet"
    rewrite(shard, names=[0, 1, 2, 3])
    rewrite(aside, names=[4, 5])
    train(where, configure(tmp_path, tiny, shard, held_out=[str(aside)], **QUICK))
    rewrite(shard, names=[0, 1, 2, 5])
    rewrite(aside, names=[4, 3])
    sentence = refused(where, where.runs / "run").sentence
    assert "Held out now, and learnt from before: dialogue-3." in sentence
    assert "Learnt from now, and held out before: dialogue-5." in sentence


def test_many_names_are_counted(where: Paths, tiny: Path, tmp_path: Path) -> None:
    lengths = tuple(range(50, 62))
    shard = tmp_path / "some.parquet"
    rewrite(shard, names=[0, 1, 2], lengths=lengths)
    train(where, configure(tmp_path, tiny, shard, **QUICK))
    rewrite(shard, names=list(range(12)), lengths=lengths)
    assert "… (9)." in refused(where, where.runs / "run").sentence


def test_data_may_lie_elsewhere_in_other_files(
    where: Paths, begun: Path, shard: Path, tmp_path: Path
) -> None:
    """The same dialogues in the same order are the same data, whatever holds them."""
    table = pq.read_table(shard)
    (tmp_path / "moved").mkdir()
    for number in range(2):
        pq.write_table(table.slice(3 * number, 3), tmp_path / "moved" / f"part-{number}.parquet")
    shard.unlink()
    change(begun, str(shard), str(tmp_path / "moved" / "*.parquet"))
    resume(where)
    assert open_run(begun).step == 3


def test_a_file_that_was_replaced_and_dated_back_is_noticed(where: Paths, begun: Path, shard: Path) -> None:
    """The unpacked copy of a file is known by more than its size and its date."""
    state = shard.stat()
    content = bytearray(shard.read_bytes())
    table = pq.read_table(shard).to_pylist()
    table[0]["A"][1][0] ^= 1
    for _ in range(2):
        pq.write_table(pa.Table.from_pylist(table, pq.read_schema(shard)), shard)
    if shard.stat().st_size < len(content):
        with shard.open("r+b") as file:
            file.truncate(len(content))
    os.utime(shard, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert shard.stat().st_mtime_ns == state.st_mtime_ns
    assert "Changed since it began: dialogue-0." in refused(where, begun).sentence


def test_another_model_of_the_same_name_is_refused(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(tiny, own)
    train(where, configure(tmp_path, own, shard, **QUICK))
    weights = own / "model.safetensors"
    save_file({name: 2 * each for name, each in load_file(weights).items()}, weights)
    sentence = refused(where, where.runs / "run").sentence
    assert sentence == "The model own is not the one that the run run began with."


def test_another_version_is_told_and_goes_on(where: Paths, begun: Path) -> None:
    record = json.loads((begun / PROVENANCE).read_text())
    record["versions"]["torch"] = "1.0"
    (begun / PROVENANCE).write_text(json.dumps(record))
    resume(where)
    said = [each["sentence"] for each in events(where) if each["kind"] == "warning"]
    assert said == [
        "The learning rates fall over 3 steps now, and fell over 2 before.",
        f"The run began with torch 1.0, and goes on with {torch.__version__}.",
    ]
    assert open_run(begun).step == 3


def test_a_setting_of_a_later_version_had_its_default_before(where: Paths, begun: Path) -> None:
    record = json.loads((begun / PROVENANCE).read_text())
    del record["settings"]["optimizer.clip"]
    record["settings"]["optimizer.gone"] = 3
    (begun / PROVENANCE).write_text(json.dumps(record))
    resume(where)
    change(begun, "clip = 1.0", "clip = 2.0")
    with pytest.raises(UserError, match=r"optimizer\.clip = 1\.0 \(now 2\.0\)"):
        resume(where, 4)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 9}', '{"format": 1, "train": 3}'])
def test_a_damaged_record_is_a_sentence(content: str, where: Paths, begun: Path) -> None:
    (begun / PROVENANCE).write_text(content)
    assert "is damaged, so that nobody knows what run learnt from" in refused(where, begun).sentence


def test_an_old_run_is_told_of_and_compared_as_far_as_can_be(where: Paths, begun: Path, shard: Path) -> None:
    (begun / PROVENANCE).unlink()
    before = kept(where, 2)
    resume(where)
    said = [each["sentence"] for each in events(where) if each["kind"] == "warning"]
    assert said == ["The run run was begun by an Aizuchi that did not keep what it began with."]
    assert (begun / PROVENANCE).is_file()
    (begun / PROVENANCE).unlink()
    write_shard(shard, (60, 75, 90, 100, 80, 70, 95))
    refused(where, begun)
    assert_same(kept(where, 2), before)


def test_a_run_that_has_learnt_nothing_yet_begins_with_what_is_there(
    where: Paths, begun: Path, shard: Path
) -> None:
    shutil.rmtree(begun / "checkpoints")
    (begun / METRICS).unlink()
    values = json.loads((begun / RUN).read_text())
    (begun / RUN).write_text(json.dumps({**values, "state": "stopped", "step": 0}))
    write_shard(shard, (60, 75, 90, 100))
    resume(where)
    resume(where, 4)
    assert open_run(begun).step == 4
