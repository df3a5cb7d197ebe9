"""Runs as the loop leaves them, with random weights, and the weights of what is exported, read by moshi.

Knows nothing about what is tested.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from moshi.models import LMModel
from moshi.models.loaders import CheckpointInfo
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.engine.build import load_lm, prove
from app.engine.checkpoint import find
from app.errors import UserError
from app.paths import Paths
from training.base import find_base, prepare_learner
from training.checkpoint import STATE, TRAINED, checkpoint_folder
from training.config import Config, Lora, write_config
from training.export import main

State = dict[str, Tensor]

CPU = torch.device("cpu")
STEP = 3
EVALUATION = {"text": 2.0, "semantic": 3.0, "acoustic": 4.0, "distinct_codes": 90, "entropy_bits": 5.5}


def make_run(where: Paths, model: Path | str, name: str = "run-1", **settings: Any) -> Path:
    """Write a run as the loop does, whose weights are random, and return its folder."""
    values: dict[str, Any] = {"data": ("talks", "others"), "lora": Lora(rank=4, scaling=1.5), **settings}
    config = Config(**values, model=str(model))
    run = where.runs / name
    run.mkdir(parents=True)
    write_config(config, run / "config.toml")
    told = {"format": 1, "name": name, "state": "finished", "best_step": STEP, "hours": 0.5}
    (run / "run.json").write_text(json.dumps(told))
    write_metrics(run)
    write_checkpoints(where, run, config)
    return run


def write_metrics(run: Path) -> None:
    events = [
        {"kind": "evaluation", "step": step, "loss": 9.0 - step, **EVALUATION, "best": True, "sample": None}
        for step in (0, STEP, STEP + 1)
    ]
    events.insert(1, {"kind": "step", "step": STEP, "loss": 1.0})
    (run / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def write_checkpoints(where: Paths, run: Path, config: Config) -> None:
    learner = prepare_learner(config, find_base(config, where.models), CPU, torch.float32)
    generator = torch.Generator().manual_seed(0)
    for step in STEP, STEP + 1:
        for _, each in learner.trained():
            each.data.add_(torch.empty_like(each).normal_(0, 0.05, generator=generator))
        folder = checkpoint_folder(run, step)
        folder.mkdir(parents=True)
        save_file(dict(learner.trained()), folder / TRAINED)
        (folder / STATE).write_text(json.dumps({"step": step}))


def export(where: Paths, *arguments: object) -> None:
    assert main([str(each) for each in arguments], where) == 0


def refuse(where: Paths, *arguments: object, said: str) -> UserError:
    with pytest.raises(UserError, match=said) as caught:
        main([str(each) for each in arguments], where)
    assert caught.value.advice
    return caught.value


def base(folder: Path) -> State:
    """Return the weights of a model by moshi's present names."""
    return weights(load_lm(prove(find(str(folder), both_voices=True)), CPU, torch.float32, lambda *_: None))


def weights(lm: LMModel) -> State:
    return {name: each.detach() for name, each in lm.state_dict().items()}


def learnt(run: Path, step: int = STEP) -> State:
    return load_file(checkpoint_folder(run, step) / TRAINED)


def by_hand(before: State, adapter: State, scaling: float) -> State:
    """Return the weights with an adapter in them, in double precision."""
    after = {name: each.double() for name, each in before.items()}
    for name, up in adapter.items():
        if name.endswith(".lora_B.weight"):
            down = adapter[name.replace("lora_B", "lora_A")]
            after[name.replace(".lora_B", "")] += scaling * up.double() @ down.double()
    return after


def same(left: State, right: State, tolerance: float = 0.0) -> None:
    assert left.keys() == right.keys()
    for name in right:
        gap = (left[name].double() - right[name].double()).abs().max()
        assert left[name].shape == right[name].shape
        assert gap <= tolerance, name


def moshi(folder: Path, **files: Path) -> LMModel:
    """Load an exported folder as `python -m moshi.server` does from within it, and all that belongs to it."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        info = CheckpointInfo.from_hf_repo(
            "no/repository",
            config_path=folder / "config.json",
            **{name: str(path) for name, path in files.items()},
        )
    finally:
        os.chdir(before)
    info.moshi_weights, info.mimi_weights = folder / info.moshi_weights, folder / info.mimi_weights
    info.tokenizer = folder / info.tokenizer
    assert info.get_mimi().num_codebooks == 8
    assert info.get_text_tokenizer().get_piece_size() == 600
    return info.get_moshi(dtype=torch.float32, fuse_lora=True)


def moshi_adapter(folder: Path) -> State:
    return weights(moshi(folder, lora_weights=folder / "lora.safetensors"))


def moshi_whole(folder: Path) -> State:
    names = {"moshi_weights": "model", "mimi_weights": "tokenizer-e351c8d8-checkpoint125"}
    files = {name: folder / f"{stem}.safetensors" for name, stem in names.items()}
    return weights(moshi(folder, **files, tokenizer=folder / "tokenizer_spm_32k_3.model"))
