"""From files to talk: dialogues are imported, prepared and learnt, and what learnt them is talked with."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from moshi.models.loaders import CheckpointInfo
from moshi.utils.compile import no_compile

from app.cli import run_verb
from app.engine.device import choose_device
from app.paths import Paths, paths
from app.store.runs import read_metrics
from tests.engine.conftest import GREEDY, Load, speech, talk
from tests.training.dialogues import make_dialogue, write_dialogue
from training.generation import continue_dialogues
from training.material import open_examples
from training.source import find_source, read_source

LEARNING = """
model = "{model}"
data = ["{data}"]
name = "{name}"
method = "{method}"
steps = {steps}
held_out_share = {share}
[lora]
rank = 16
[loss]
text_padding = 1.0
semantic = {semantic}
[optimizer]
lr_temporal = {rate}
lr_depth = {rate}
warmup_steps = 20
weight_decay = 0.0
[batch]
seconds = 8.0
min_seconds = 2.0
size = 2
accumulation = 1
[memory]
checkpointing = false
[evaluation]
every_steps = 100
prompt_s = 1.0
sample_s = {sample_s}
"""


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    torch.set_num_threads(1)
    return paths(tmp_path / "home")


def dataset(where: Paths, folder: Path, name: str, *, count: int, seconds: float, model: Path) -> None:
    """Import and prepare some dialogues that espeak-ng has spoken."""
    for number in range(count):
        audio, words = make_dialogue(seconds, seed=number)
        write_dialogue(folder, f"{name}-{number}", audio, words)
    assert run_verb("data import", [str(folder), "--name", name, "--language", "en", "--json"], where) == 0
    assert run_verb("data prepare", [name, "--model", str(model), "--json"], where) == 0


def learn(where: Paths, folder: Path, **settings: Any) -> list[dict[str, Any]]:
    """Train, and return what the run told."""
    config = folder / f"{settings['name']}.toml"
    given: dict[str, Any] = {"share": 0.25, "semantic": 100.0, "sample_s": 2.0} | settings
    config.write_text(LEARNING.format(**given))
    assert run_verb("train", [str(config), "--json"], where) == 0
    events, _ = read_metrics(where.runs / settings["name"])
    assert events[-1]["state"] == "finished"
    return events


@pytest.mark.parametrize(("method", "rate"), [("lora", 5e-3), ("full", 3e-3)])
def test_from_files_to_talk(
    *,
    method: str,
    rate: float,
    where: Paths,
    tiny: Path,
    tmp_path: Path,
    load: Load,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset(where, tmp_path / "spoken", "talks", count=4, seconds=24.0, model=tiny)
    events = learn(where, tmp_path, name="run", model=tiny, data="talks", method=method, steps=200, rate=rate)
    judged = [event for event in events if event["kind"] == "evaluation"]
    assert [event["step"] for event in judged] == [0, 100, 200]
    assert min(event["loss"] for event in judged[1:]) <= judged[0]["loss"] / 2
    assert all((where.runs / "run" / event["sample"]).is_file() for event in judged)

    merge = ["--merge"] if method == "lora" else []
    capsys.readouterr()
    assert run_verb("export", ["run", *merge], where) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert folder == where.models / "run"
    config = json.loads((folder / "config.json").read_text())
    with warnings.catch_warnings(), no_compile():
        warnings.simplefilter("ignore")  # moshi's own, about the hub
        info = CheckpointInfo.from_hf_repo(
            "none/none",
            moshi_weights=folder / config["moshi_name"],
            mimi_weights=folder / config["mimi_name"],
            tokenizer=folder / config["tokenizer_name"],
            config_path=folder / "config.json",
            # Its name is that of a file beside the configuration.
            mimi_config_path=folder / config["mimi_config_name"].removeprefix("file://"),
        )
        lm = info.get_moshi(device="cpu", dtype=torch.float32)
        assert lm.dep_q == 8
        assert info.get_mimi().sample_rate == 24_000

    model = load("run", models=where.models, sampling=GREEDY)
    said = talk(model, speech(30))
    assert len({samples for _, samples in said}) > 5
    before = talk(load(tiny, sampling=GREEDY), speech(30))
    assert said != before


def test_two_dialogues_that_were_learnt_by_heart_are_said_again(
    where: Paths, tiny: Path, tmp_path: Path
) -> None:
    dataset(where, tmp_path / "spoken", "two", count=2, seconds=8.0, model=tiny)
    learn(
        where, tmp_path, name="run", model=tiny, data="two", method="full", steps=150, rate=4e-3,
        share=0.0, semantic=1.0, sample_s=0.0,
    )  # fmt: skip
    source = find_source("run", where)
    assert source.trained is not None
    with no_compile():
        lm, _ = read_source(source, choose_device())
        examples, _ = open_examples(source.trained.config, source.found, where)
        codes = examples.stack(examples.windows)
        said = continue_dialogues(lm, codes, 0, codes.shape[-1], greedy=True)
    text = codes[:, 0].numpy()
    assert (text > 3).sum() > 20
    assert not np.array_equal(text[0], text[1])
    np.testing.assert_array_equal(said[:, 0].numpy(), text)
