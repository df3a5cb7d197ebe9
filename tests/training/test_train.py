"""A training run: what it keeps, how it ends, and that it goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from app.cli import run_verb
from app.errors import UserError
from app.paths import Paths, paths
from app.store import locks
from app.store.datasets import SHARDS, create_dataset
from app.store.runs import open_run, read_metrics
from training.checkpoint import OPTIMIZER, TRAINED, checkpoint_folder, list_checkpoints
from training.config import parse_config, write_config
from training.provenance import PROVENANCE

SMALL: dict[str, Any] = {
    "name": "run",
    "steps": 6,
    "lora": {"rank": 4},
    "optimizer": {"lr_temporal": 1e-3, "lr_depth": 1e-3, "warmup_steps": 2},
    "batch": {"seconds": 4.0, "min_seconds": 1.0, "accumulation": 4},
    "evaluation": {"every_steps": 2, "prompt_s": 1.0, "sample_s": 1.0},
}


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Return a Parquet file of four short dialogues of sounds that last."""
    return write_shard(tmp_path / "dialogues.parquet", (60, 75, 90, 100))


def write_shard(path: Path, lengths: Sequence[int]) -> Path:
    rng = np.random.default_rng(0)

    def voice(frames: int) -> list[list[int]]:
        text = np.full(frames, 3)
        text[rng.choice(frames, frames // 4, replace=False)] = rng.integers(10, 200, frames // 4)
        codes = np.repeat(rng.integers(0, 256, (8, frames // 5 + 1)), 5, axis=1)[:, :frames]
        return np.concatenate([text[None], codes]).tolist()  # type: ignore[no-any-return]

    columns = {side: [voice(frames) for frames in lengths] for side in ("A", "B")}
    names = [f"dialogue-{number}" for number in range(len(lengths))]
    pq.write_table(pa.table({"dialogue_id": names, **columns}), path)
    return path


def configure(tmp_path: Path, tiny: Path, shard: Path, **changes: Any) -> Path:
    """Write a configuration of a few steps."""
    raw = {**SMALL, "model": str(tiny), "data": [str(shard)]}
    for name, value in changes.items():
        raw[name] = {**raw.get(name, {}), **value} if isinstance(value, dict) else value
    file = tmp_path / f"{raw['name']}.toml"
    write_config(parse_config(raw, "test"), file)
    return file


def train(where: Paths, *arguments: str | Path) -> list[dict[str, Any]]:
    """Train in this process, and return the steps that the run told."""
    assert run_verb("train", [*map(str, arguments), "--json"], where) == 0
    return events(where)


def events(where: Paths, name: str = "run") -> list[dict[str, Any]]:
    return read_metrics(where.runs / name)[0]


def curve(told: list[dict[str, Any]]) -> list[tuple[int, float, float]]:
    return [(each["step"], each["loss"], each["gradient_norm"]) for each in told if each["kind"] == "step"]


def kept(where: Paths, step: int, name: str = "run") -> dict[str, torch.Tensor]:
    folder = checkpoint_folder(where.runs / name, step)
    return load_file(folder / TRAINED) | load_file(folder / OPTIMIZER)


def process(where: Paths, *arguments: str | Path) -> subprocess.Popen[str]:
    home = where.config.parent
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--home", str(home), "train", *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(child: subprocess.Popen[str], kind: str, step: int) -> None:
    """Read what a run prints until an event comes."""
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if event["kind"] == kind and event["step"] >= step:
            return
    raise AssertionError(f"the run ended without {kind} {step}")


def assert_same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("method", ["lora", "full", "depth"])
def test_a_run_leaves_what_it_promises(
    method: str, where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    told = train(where, configure(tmp_path, tiny, shard, method=method))
    folder = where.runs / "run"
    assert [step for step, _, _ in curve(told)] == [1, 2, 3, 4, 5, 6]
    run = open_run(folder)
    assert (run.state, run.step, run.steps, run.values["pid"]) == ("finished", 6, 6, None)
    assert list_checkpoints(folder)[-1] == 6
    assert (folder / "samples" / "step-000000.flac").is_file()
    assert list((folder / "tensorboard").iterdir())
    judged = {each["step"]: each["loss"] for each in told if each["kind"] == "evaluation"}
    assert list(judged) == [0, 2, 4, 6]
    # The best is that beyond noise: another may be lower by next to nothing.
    assert run.values["best_loss"] == judged[run.values["best_step"]]
    assert run.values["best_loss"] <= 1.01 * min(judged.values())
    assert not list((folder / "checkpoints").glob("*.part"))


def test_killed_at_any_step_and_resumed_it_goes_on_bit_for_bit(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """The kill comes at a random moment after the first checkpoint."""
    whole = train(where, configure(tmp_path, tiny, shard, name="run"))
    broken = configure(tmp_path, tiny, shard, name="broken")
    child = process(where, broken)
    try:
        wait_for(child, "checkpoint", 2)
        time.sleep(float(np.random.default_rng().uniform(0, 0.2)))
    finally:
        child.kill()
        child.communicate(timeout=20)
    first = max(list_checkpoints(where.runs / "broken"))
    assert open_run(where.runs / "broken").state == ("stopped" if first < 6 else "finished")
    if first < 6:
        assert run_verb("train", ["--resume", "broken", "--json"], where) == 0
    assert curve(events(where, "broken")) == curve(whole)
    assert_same(kept(where, 6, "broken"), kept(where, 6))
    judged = [(each["step"], each["loss"]) for each in whole if each["kind"] == "evaluation"]
    again = [(each["step"], each["loss"]) for each in events(where, "broken") if each["kind"] == "evaluation"]
    assert again == judged


def test_two_never_write_one_run(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    """The second is refused before it touches anything, also where the number in run.json says nothing."""
    long = configure(tmp_path, tiny, shard, steps=10_000)
    child = process(where, long)
    folder = where.runs / "run"
    try:
        wait_for(child, "checkpoint", 2)
        values = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**values, "pid": None}))
        before = (folder / "config.toml").stat().st_mtime_ns
        for arguments in (["--resume", "run"], ["--resume", "run", "--step", "2", "--steps", "9"]):
            with pytest.raises(UserError, match=f"is at work on it \\(process {child.pid}\\)"):
                run_verb("train", arguments, where)
        with pytest.raises(UserError, match="There is a run run already"):
            run_verb("train", [str(long)], where)
        assert (folder / "config.toml").stat().st_mtime_ns == before
        assert child.poll() is None
    finally:
        child.kill()
        child.communicate(timeout=20)


def test_killed_in_a_container_and_started_with_the_same_number_it_goes_on(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    train(where, configure(tmp_path, tiny, shard, steps=2))
    folder = where.runs / "run"
    with locks.take(folder, "run", "aizuchi train"):
        left = (folder / locks.LOCK).read_bytes()
    (folder / locks.LOCK).write_bytes(left)
    values = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**values, "state": "running", "pid": os.getpid()}))
    train(where, "--resume", "run", "--steps", "3")
    assert open_run(folder).step == 3
    assert not (folder / locks.LOCK).exists()


def test_a_run_that_was_killed_before_it_was_one_is_begun_anew(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    config = configure(tmp_path, tiny, shard, steps=1)
    (where.runs / "run" / "checkpoints").mkdir(parents=True)
    (where.runs / "run" / "config.toml").write_bytes(config.read_bytes())
    (where.runs / "run" / locks.LOCK).write_bytes(b"")
    train(where, config)
    (where.runs / "mine").mkdir()
    (where.runs / "mine" / "notes.txt").write_text("not a run")
    with pytest.raises(UserError, match="There is a run mine already"):
        train(where, configure(tmp_path, tiny, shard, name="mine", steps=1))
    assert (where.runs / "mine" / "notes.txt").exists()


def test_a_run_that_is_asked_to_stop_writes_a_checkpoint_and_goes_on(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    whole = train(where, configure(tmp_path, tiny, shard, name="run"))
    child = process(where, configure(tmp_path, tiny, shard, name="asked"))
    try:
        wait_for(child, "step", 3)
        open_run(where.runs / "asked").stop()
        child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 0
    run = open_run(where.runs / "asked")
    assert run.state == "stopped"
    assert run.step == max(list_checkpoints(where.runs / "asked"))
    assert run_verb("train", ["--resume", str(where.runs / "asked"), "--json"], where) == 0
    assert curve(events(where, "asked")) == curve(whole)
    assert_same(kept(where, 6, "asked"), kept(where, 6))


def test_people_read_lines_that_they_understand(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, tiny, shard, steps=2)
    assert run_verb("train", [str(tmp_path / "run.toml")], where) == 0
    said = capsys.readouterr().out.splitlines()
    assert any(
        re.fullmatch(r"[\d,]+ parameters learn from \d+ s of dialogue on .*aside.*", line) for line in said
    )
    assert [line.split(":")[0] for line in said if line.startswith("step")] == [
        "step 0",
        "step 1",
        "step 2",
        "step 2",
    ]
    assert said[-3:] == [
        "Finished after step 2.",
        "To talk: `aizuchi export run`.",
        str(where.runs / "run"),
    ]


def test_without_anything_to_judge_by_the_sample_is_told(
    where: Paths, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lone = write_shard(tmp_path / "lone.parquet", (45,))
    assert run_verb("train", [str(configure(tmp_path, tiny, lone, steps=2))], where) == 0
    said = capsys.readouterr().out
    assert "nothing is kept aside to judge by." in said
    assert re.search(r"step 2: a sample has \d+ different sounds, \d+ % of its text is padding", said)
    assert run_verb("export", ["run"], where) == 0


def test_a_run_that_failed_before_it_learnt_anything_is_begun_anew(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="no dataset 'nowhere'"):
        run_verb("train", [str(configure(tmp_path, tiny, Path("nowhere")))], where)
    assert capsys.readouterr().out.splitlines()[-1] == "Failed before the first step."
    assert train(where, configure(tmp_path, tiny, shard, steps=1))[-1]["state"] == "finished"
    with pytest.raises(UserError, match="There is a run run already"):
        train(where, tmp_path / "run.toml")


def test_a_run_without_a_name_is_called_after_its_data_and_a_number(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match="no dataset 'nowhere'"):
            run_verb("train", [str(configure(tmp_path, tiny, Path("nowhere"), name=""))], where)
    every = configure(tmp_path, tiny, shard.with_name(f"{shard.stem}-*.parquet"), name="", steps=1)
    shard.rename(shard.with_name(f"{shard.stem}-001.parquet"))
    for _ in range(2):
        assert run_verb("train", [str(every)], where) == 0
    assert set(os.listdir(where.runs)) == {"nowhere-1", f"{shard.stem}-1", f"{shard.stem}-2"}
    with pytest.raises(UserError, match="steps is 0"):
        run_verb("train", [str(every), "--steps", "0"], where)


def test_both_streams_are_learnt_and_taken_up_again(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    told = train(where, configure(tmp_path, tiny, shard, streams="both", steps=2))
    assert all("user" in each for each in told if each["kind"] in ("step", "evaluation"))
    assert any(name.startswith("linears.15.") for name in kept(where, 2))
    train(where, "--resume", "run", "--steps", "3")
    assert open_run(where.runs / "run").step == 3


def test_a_loss_that_is_no_number_ends_the_run_and_loses_nothing(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    calm = {"warmup_steps": 0, "decay": "none", "lr_temporal": 0.0, "lr_depth": 0.0, "clip": 1e30}
    train(where, configure(tmp_path, tiny, shard, steps=2, optimizer=calm))
    before = kept(where, 2)
    config = where.runs / "run" / "config.toml"
    config.write_text(config.read_text().replace("lr_temporal = 0.0", "lr_temporal = 1e30"))
    # As a run of an older version, which goes on with other settings unseen.
    (where.runs / "run" / PROVENANCE).unlink()
    with pytest.raises(UserError, match=r"The loss of step \d is not a number; it learnt from .*dialogue-\d"):
        train(where, "--resume", "run", "--steps", "6")
    run = open_run(where.runs / "run")
    assert run.state == "failed"
    assert "not a number" in run.values["sentence"]
    assert_same(kept(where, 2), before)


def test_a_full_disk_is_one_sentence_and_keeps_the_checkpoints(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    """The system refuses to let any file grow beyond a limit that a checkpoint of all weights passes."""
    train(where, configure(tmp_path, tiny, shard, steps=2))
    before = kept(where, 2)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
        with pytest.raises(UserError, match="The disk is full: The checkpoint step-000004"):
            train(where, "--resume", "run", "--steps", "6")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list_checkpoints(where.runs / "run") == [2]
    assert_same(kept(where, 2), before)
    assert open_run(where.runs / "run").state == "failed"
    train(where, "--resume", "run", "--steps", "6")
    assert open_run(where.runs / "run").state == "finished"


def test_a_corrupt_shard_is_one_sentence(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    with pytest.raises(UserError, match=r"dialogues\.parquet"):
        train(where, configure(tmp_path, tiny, shard))


def test_a_damaged_checkpoint_is_named_and_an_earlier_one_can_be_used(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    train(where, configure(tmp_path, tiny, shard))
    file = checkpoint_folder(where.runs / "run", 6) / TRAINED
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match=TRAINED):
        train(where, "--resume", "run", "--steps", "8")
    train(where, "--resume", "run", "--step", "4", "--steps", "8")
    assert open_run(where.runs / "run").step == 8


def test_a_configuration_that_was_changed_since_is_one_sentence(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    train(where, configure(tmp_path, tiny, shard, steps=1))
    config = where.runs / "run" / "config.toml"
    config.write_text(config.read_text().replace("rank = 4", "rank = 8"))
    (where.runs / "run" / PROVENANCE).unlink()
    with pytest.raises(UserError, match=r"is of another configuration: \S+ has another shape\.") as caught:
        run_verb("train", ["--resume", "run", "--steps", "2"], where)
    assert "config.toml" in caught.value.advice


def test_a_run_that_does_not_get_better_ends_early_and_its_best_checkpoint_stays(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path
) -> None:
    worse = {"lr_temporal": 0.3, "lr_depth": 0.3, "warmup_steps": 0, "decay": "none"}
    impatient = {"every_steps": 1, "patience": 2, "keep": 1, "sample_s": 0.0}
    told = train(where, configure(tmp_path, tiny, shard, optimizer=worse, evaluation=impatient, steps=40))
    run = open_run(where.runs / "run")
    assert run.state == "finished"
    assert "has not fallen for 2 evaluations" in run.values["sentence"]
    assert run.step < 40
    judged = {each["step"]: each["loss"] for each in told if each["kind"] == "evaluation"}
    assert min(judged, key=lambda step: judged[step]) == run.values["best_step"] == run.step - 2
    expected = {run.step, run.values["best_step"]} - {0}
    assert set(list_checkpoints(where.runs / "run")) == expected


def test_what_can_not_be_trained_is_refused(where: Paths, tiny: Path, shard: Path, tmp_path: Path) -> None:
    def refuse(match: str, *arguments: str | Path) -> None:
        with pytest.raises(UserError, match=match):
            run_verb("train", [*map(str, arguments)], where)

    train(where, configure(tmp_path, tiny, shard, steps=1))
    refuse("There is a run run already", tmp_path / "run.toml")
    refuse("no checkpoint after step 5", "--resume", "run", "--step", "5")
    refuse("no training run 'other'", "--resume", "other")
    refuse("no dataset", configure(tmp_path, tiny, Path("nowhere"), name="other"))
    lost = create_dataset(where.datasets / "lost").folder / SHARDS
    lost.mkdir(exist_ok=True)
    (lost / "train-001-of-001.parquet").write_bytes(shard.read_bytes())
    refuse("lost is not prepared", configure(tmp_path, tiny, Path("lost"), name="lost"))
    long = {"min_seconds": 60.0, "seconds": 100.0}
    small = {"name": "adamw8bit"}
    refuse("needs a graphics card", configure(tmp_path, tiny, shard, name="card", optimizer=small))
    refuse("No dialogue is long enough", configure(tmp_path, tiny, shard, name="long", batch=long))


def test_the_plan_says_what_a_run_takes(
    where: Paths, tiny: Path, shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configure(tmp_path, tiny, shard)
    assert run_verb("train", [str(config), "--plan"], where) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["fits"] is True
    assert plan["minutes"] is None
    assert plan["steps"] == 6
    assert plan["hours"] + plan["held_out_hours"] == pytest.approx(325 * 0.08 / 3600)
    assert not where.runs.exists()
    train(where, config)
    capsys.readouterr()
    run_verb("train", [str(config), "--plan"], where)
    assert json.loads(capsys.readouterr().out)["minutes"] > 0
