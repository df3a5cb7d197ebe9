"""The verb `aizuchi export`: from a training run to a model to talk with, in one step.

The folder is what the program, `python -m moshi.server` and (in its own format) nu-dialogue's finetuner load.
Depth steps for the user's voice are removed, an adapter is kept or merged. Knows nothing about training.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from app import catalog
from app.engine import build, download, user_half
from app.engine.checkpoint import (
    ADAPTER_NAME,
    MIMI_CONFIG_NAME,
    NU_DIALOGUE_NAME,
    PEDIGREE,
    Checkpoint,
    copy_voices,
)
from app.engine.configuration import CONFIG_NAME
from app.errors import UserError
from app.faults import refused
from app.files import make_folder, named, read_json, replacing_folder, write_json
from app.paths import Paths
from app.store.runs import find_run, open_run, read_metrics
from training import streams
from training.base import find_base, prepare_learner, without_word_head
from training.checkpoint import checkpoint_folder, disk_full, read_trained, refuse_unfinite
from training.config import Config
from training.naming import nu_dialogue, released
from training.source import FOREIGN, Trained, choose_step

CARD = PEDIGREE
CARD_FORMAT = 1

SCORES = ("loss", "text", "semantic", "acoustic", "user", "distinct_codes", "entropy_bits", "padding_share")

State = dict[str, Tensor]

_RELATIVE = "file://"
"""How moshi marks a name that is not of the hub; without a leading / it is looked for in the folder."""


def main(argv: list[str], where: Paths) -> int:
    """Export a run, and return the exit status. Raises UserError."""
    options = _parse(argv)
    trained = choose_step(find_run(options.run, where.runs), options.step)
    found = find_base(trained.config, where.models)
    out = named(options.out or where.models / trained.run.name)
    whole = options.merge or options.format == "nu-dialogue" or trained.config.method != "lora"
    _refuse_used(out, trained.run.name)
    try:
        make_folder(out.parent)
        with replacing_folder(out) as part:
            if whole:
                _write_whole(found, trained, part, options.format)
            else:
                _write_adapter(found, trained, part, out)
            write_json(part / CARD, _card(found, trained, out.name))
    except Exception as fault:
        if (refusal := refused(fault)) is None:
            raise
        room, otherwise = (
            "Free some space, or name another disk with --out.",
            "Name another folder with --out.",
        )
        raise disk_full(refusal, f"The model {out}", room, otherwise) from fault
    _tell(out, whole, options.format)
    print(out)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi export", description="Make a model to talk with from a training run."
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="the name of a run, or its folder")
    add("--out", type=Path, metavar="DIR", help="where the model goes; default: among the program's models")
    add(
        "--merge",
        action="store_true",
        help="put an adapter into the weights: a whole model, as large as its base",
    )
    add("--format", choices=("moshi", "nu-dialogue"), default="moshi", help="whose names and files")
    add("--step", type=int, metavar="N", help="from the checkpoint after this step; default: the best")
    return parser.parse_args(argv)


def merged(base: Mapping[str, Tensor], trained: Mapping[str, Tensor], scaling: float) -> State:
    """Return the weights of a base with what learnt in their place, each in the precision of the base.

    Of an adapter W becomes W + scaling x B A, computed in float32.
    """
    state = dict(base)
    for name, tensor in trained.items():
        if name.endswith(".lora_B.weight"):
            continue
        plain = name.replace(".lora_A.weight", ".weight")
        weight = base[plain]
        if plain == name:
            learnt = tensor
        else:
            up = trained[name.replace("lora_A", "lora_B")]
            learnt = weight.float() + scaling * (up.float() @ tensor.float())
        state[plain] = learnt.to(weight.dtype)
    return state


def _read_learnt(found: Checkpoint, trained: Trained) -> State:
    """Return what learnt. Raises UserError unless it is just what learns by the run's configuration."""
    folder = checkpoint_folder(trained.run, trained.step)
    learnt = read_trained(folder)
    outline = prepare_learner(trained.config, found, torch.device("cpu"), torch.bfloat16, empty=True)
    expected = {name: each.shape for name, each in outline.trained()}
    given = {name: each.shape for name, each in learnt.items()}
    if odd := sorted(name for name in {**expected, **given} if expected.get(name) != given.get(name)):
        problem = "has another shape" if odd[0] in expected and odd[0] in given else "is on one side only"
        raise UserError(f"{folder} does not fit its run: {odd[0]} {problem}.", FOREIGN)
    return without_word_head(learnt)


def _write_adapter(found: Checkpoint, trained: Trained, folder: Path, out: Path) -> None:
    """Write the adapter alone, and a configuration that says where the rest is."""
    if found.adapter is not None:
        raise UserError(
            f"{trained.run.name} is an adapter on {found.name}, which is one itself.",
            "Export it with --merge, as a whole model.",
        )
    if user_half.is_for_both(found.config) or build.leaves_out(found):
        raise UserError(
            f"{trained.run.name} is an adapter on {found.name}, which predicts the user's voice too.",
            "Export it with --merge, as a whole model that talks.",
        )
    adapter, config = _read_learnt(found, trained), dict(found.config)
    if trained.config.streams == "both":
        _, extended = streams.extend({}, found.config)
        adapter, config = streams.restore(adapter, extended)
    # As the base is kept; in float32 it would be twice as large, to no use.
    dtype = build.precision(found)
    kept = {name: each.to(dtype).contiguous() for name, each in adapter.items()}
    refuse_unfinite(kept, trained.run.name, trained.step)
    save_file(kept, folder / ADAPTER_NAME)
    lora = trained.config.lora
    settings = {
        **config,
        "moshi_name": _reference(found.weights, out),
        "mimi_name": _reference(found.mimi, out),
        "tokenizer_name": _reference(found.tokenizer, out),
        "lora": True,
        "lora_rank": lora.rank,
        "lora_scaling": lora.scaling,
    }
    _write_config(folder, settings, found)


def _write_whole(found: Checkpoint, trained: Trained, folder: Path, form: str) -> None:
    """Write all weights, and copies of Mimi and the tokenizer, so that the folder needs nothing else."""
    learnt = _read_learnt(found, trained)
    base = build.load_lm(build.prove(found), torch.device("cpu"), build.precision(found), lambda *_: None)
    state: Mapping[str, Tensor] = base.state_dict()
    config: Mapping[str, Any] = found.config
    both = trained.config.streams == "both"
    if both and config["dep_q"] != config["n_q"]:
        state, config = streams.extend(state, config)
    whole = merged(state, learnt, trained.config.lora.scaling)
    settings = dict(config)
    if form == "moshi" and both:
        whole, settings = streams.restore(whole, config)
    renamed = nu_dialogue(whole) if form == "nu-dialogue" else released(whole)
    kept = {name: each.contiguous() for name, each in renamed.items()}
    refuse_unfinite(kept, trained.run.name, trained.step)
    save_file(kept, folder / catalog.MOSHI_NAME)
    shutil.copyfile(found.mimi, folder / catalog.MIMI_NAME)
    shutil.copyfile(found.tokenizer, folder / catalog.TOKENIZER_NAME)
    copy_voices(found, folder)
    if form == "nu-dialogue":
        write_json(folder / NU_DIALOGUE_NAME, settings)
        if found.mimi_config is not None:
            write_json(folder / MIMI_CONFIG_NAME, found.mimi_config)
        return
    names = {
        "moshi_name": catalog.MOSHI_NAME,
        "mimi_name": catalog.MIMI_NAME,
        "tokenizer_name": catalog.TOKENIZER_NAME,
    }
    _write_config(folder, {**settings, **names}, found)


def _write_config(folder: Path, settings: dict[str, Any], found: Checkpoint) -> None:
    if found.mimi_config is not None:
        write_json(folder / MIMI_CONFIG_NAME, found.mimi_config)
        # moshi would look for a name alone on the hub; this one it finds from within the folder.
        settings["mimi_config_name"] = f"{_RELATIVE}{MIMI_CONFIG_NAME}"
    if found.generation:
        settings["lm_gen_config"] = found.generation
    write_json(folder / CONFIG_NAME, {**settings, "model_type": "moshi"})


def _reference(path: Path, out: Path) -> str:
    """Return where moshi and the program find a file of a base: on the hub if it came from there.

    Any other by its way from the folder of the model, so that both may be moved together.
    """
    if (origin := download.origin(path)) is not None:
        return f"{download.SCHEME}{origin.repo}/{origin.file}"
    return f"{_RELATIVE}{os.path.relpath(path, out)}"


def _card(found: Checkpoint, trained: Trained, name: str) -> dict[str, Any]:
    """Return what the program says of a finetune: where it comes from, and how it scored."""
    run = open_run(trained.run)
    config: Config = trained.config
    judged = {event["step"]: event for event in read_metrics(trained.run)[0] if event["kind"] == "evaluation"}
    known, commit = catalog.find(found.name), download.commit(found.weights)
    return {
        "format": CARD_FORMAT,
        "name": name,
        "run": trained.run.name,
        # A way from where the run was begun leads nowhere from elsewhere.
        "parent": found.source if os.path.isdir(config.model) else config.model,
        **({"commit": commit} if commit else {}),
        "language": known.language if known else "",
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "data": list(config.data),
        "hours": run.values.get("hours"),
        "method": config.method,
        "streams": config.streams,
        "steps": config.steps,
        "step": trained.step,
        "scores": _scores(judged.get(trained.step)),
        "before": _scores(judged.get(0)),
    }


def _scores(event: dict[str, Any] | None) -> dict[str, Any]:
    return {name: event[name] for name in SCORES if event and event.get(name) is not None}


def _refuse_used(out: Path, run: str) -> None:
    """Raise UserError where something else lies; an earlier export of the same run is to be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        if read_json(out / CARD)["run"] == run:
            return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{out} holds something else.", "Name a new folder with --out.")


def _tell(out: Path, whole: bool, form: str) -> None:
    """Say how the model is loaded elsewhere."""
    if form == "nu-dialogue":
        print(f"nu-dialogue's finetuner goes on from it: finetune.py --model_dir {out}")
        return
    print(f"Talk with it: aizuchi talk --model {out}")
    # Names in its configuration are looked for from where the server is started.
    parts = f"--config-path {out / CONFIG_NAME}"
    if whole:
        named = (("moshi", catalog.MOSHI_NAME), ("mimi", catalog.MIMI_NAME))
        parts += "".join(f" --{part}-weight {out / name}" for part, name in named)
        parts += f" --tokenizer {out / catalog.TOKENIZER_NAME}"
    else:
        parts += f" --lora-weight {out / ADAPTER_NAME}"
    print(f"Or in moshi's own server: cd {shlex.quote(str(out))} && python -m moshi.server {parts}")
