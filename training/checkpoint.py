"""The state of a run on disk, to go on from bit for bit: what learnt, the optimiser, the random generators.

Written beside and renamed; safetensors and JSON alone. Knows nothing about data: the order of examples
follows from the seed and the step. Gathered by torch's own state-dict functions, so that one process, several
(DDP) and shares (FSDP2, and DeepSpeed by `training.zero`) write and read the same files.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from app.engine.reader import unfinite
from app.errors import UserError
from app.faults import FULL, refused
from app.files import clear_parts, make_folder, open_regular, read_json, replacing_folder, write_json
from app.store.runs import CHECKPOINTS
from training import zero

TRAINED, OPTIMIZER, STATE = "trained.safetensors", "optimizer.safetensors", "state.json"
NEWEST = "newest.safetensors"
"""The weights of the last step, where what is to be used is their average."""
_NAME = re.compile(r"step-(\d{6,})")


def list_checkpoints(run: Path) -> list[int]:
    """Return the steps after which a run has a whole checkpoint, in order."""
    found = (_NAME.fullmatch(path.name) for path in (run / CHECKPOINTS).glob("step-*"))
    return sorted(int(match[1]) for match in found if match)


def checkpoint_folder(run: Path, step: int) -> Path:
    """Return where the checkpoint after a step is."""
    return run / CHECKPOINTS / f"step-{step:06}"


def save(
    folder: Path,
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: Any,
    state: dict[str, Any],
    *,
    average: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint into `folder`, called by all processes. Raises UserError where the disk refuses.

    An `average` of the weights, by LMModel's names, is what it is read by; the weights stand beside it.
    """
    if zero.is_used(accelerator):
        trained, moments = zero.gather(model)
    else:
        trained = cast(dict[str, Tensor], get_model_state_dict(model, options=_gather(trained_only=True)))
        moments = dict(get_optimizer_state_dict(model, optimizer, options=_gather()))
    files = {TRAINED: _plain_names(trained), OPTIMIZER: _flat(moments.get("state", {}))}
    if average is not None:
        files |= {NEWEST: files[TRAINED], TRAINED: {name: each.cpu() for name, each in average.items()}}
    whole = {**state, "param_groups": moments.get("param_groups", [])}
    refusal = _write(folder, files, whole) if accelerator.is_main_process else None
    accelerator.wait_for_everyone()
    if refusal is not None:
        raise refusal


def load(
    folder: Path,
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: Any,
    average: dict[str, Tensor] | None = None,
) -> dict[str, Any]:
    """Read a checkpoint into a model, its optimiser and an `average`, and return its state.

    Raises UserError.
    """
    state = read_state(folder)
    shapes = {
        # ZeRO-3 keeps a parameter empty, and its shape beside.
        _plain(name): tuple(getattr(each, "ds_shape", each.shape))
        for name, each in model.named_parameters()
        if each.requires_grad
    }
    trained = read_trained(folder)
    advice = "Its config.toml or the model that it is trained from has changed: put the old one back."
    if odd := sorted(set(trained) ^ set(shapes)):
        sentence = f"{folder / TRAINED} is of another configuration: {odd[0]} is on one side only."
        raise UserError(sentence, advice)
    if odd := sorted(name for name, each in trained.items() if tuple(each.shape) != shapes[name]):
        sentence = f"{folder / TRAINED} is of another configuration: {odd[0]} has another shape."
        raise UserError(sentence, advice)
    if average is not None:
        for name, each in average.items():
            each.copy_(trained[name])
        trained = _read_tensors(folder / NEWEST)
    if zero.is_used(accelerator):
        whole_names = {f"lm.{name}": each for name, each in trained.items()}
        zero.scatter(model, whole_names, _nested(_read_tensors(folder / OPTIMIZER)))
        return state
    several = accelerator.num_processes > 1
    whole = StateDictOptions(full_state_dict=True, broadcast_from_rank0=several, strict=False)
    set_model_state_dict(model, {f"lm.{name}": each for name, each in trained.items()}, options=whole)
    moments: Any = {
        "state": _nested(_read_tensors(folder / OPTIMIZER)),
        "param_groups": state["param_groups"],
    }
    set_optimizer_state_dict(model, optimizer, moments, options=whole)
    return state


def read_trained(folder: Path) -> dict[str, Tensor]:
    """Return what learnt, by the names of moshi's LMModel, float32 on the CPU. Raises UserError."""
    return _read_tensors(folder / TRAINED)


def read_state(folder: Path) -> dict[str, Any]:
    """Return the numbers of a checkpoint. Raises UserError where it is damaged."""
    try:
        state = read_json(folder / STATE)
    except (OSError, ValueError) as fault:
        raise _damaged(folder / STATE, fault) from fault
    return dict(state)


def forget(run: Path, keep: set[int]) -> None:
    """Remove the checkpoints that are not to be kept, and what an interrupted one left."""
    for step in set(list_checkpoints(run)) - keep:
        shutil.rmtree(checkpoint_folder(run, step), ignore_errors=True)
    clear_parts(run / CHECKPOINTS)


def disk_full(
    fault: OSError,
    what: str,
    room: str = "Free some space and go on with `aizuchi train --resume`; earlier checkpoints are kept.",
    else_: str = "Check the disk; earlier checkpoints are kept.",
) -> UserError:
    """Return the sentence for a disk that refused, with the advice for a full one or another reason."""
    if fault.errno in FULL:
        return UserError(f"The disk is full: {what} could not be written.", room)
    return UserError(f"{what} could not be written: {fault.strerror or fault}.", else_)


def _gather(*, trained_only: bool = False) -> StateDictOptions:
    return StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=trained_only)


def _flat(moments: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the optimiser's tensors under one name each: that of the parameter, '/', that of the moment."""
    return {
        f"{name}/{moment}": each.contiguous()
        for name, of_parameter in moments.items()
        for moment, each in of_parameter.items()
    }


def _nested(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    nested: dict[str, dict[str, Tensor]] = {}
    for name, each in tensors.items():
        parameter, _, moment = name.partition("/")
        nested.setdefault(parameter, {})[moment] = each
    return nested


def _write(folder: Path, files: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> UserError | None:
    """Write the files of a checkpoint beside and rename them; return what hindered it."""
    try:
        make_folder(folder.parent)
        with replacing_folder(folder) as part:
            for name, tensors in files.items():
                save_file({key: each.contiguous() for key, each in tensors.items()}, part / name)
            write_json(part / STATE, state)
    except Exception as fault:
        refusal = refused(fault)
        if refusal is None:
            raise
        return disk_full(refusal, f"The checkpoint {folder.name}")
    return None


def refuse_unfinite(tensors: dict[str, Tensor], run: str, step: int) -> None:
    """Raise UserError for weights with which a model would talk on, say nothing and learn nothing."""
    if (name := unfinite(tensors)) is not None:
        sentence = f"{name} of {run} holds numbers that are not finite after step {step}."
        raise UserError(sentence, "Name an earlier checkpoint with --step, or train with lower rates.")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        # The library would wait for a pipe for ever.
        with open_regular(path):
            tensors = dict(load_file(path))
    except Exception as fault:
        raise _damaged(path, fault) from fault
    refuse_unfinite(tensors, path.parents[2].name, int(path.parent.name.rpartition("-")[2]))
    return tensors


def _damaged(path: Path, fault: Exception) -> UserError:
    return UserError(
        f"{path} can not be read: {fault}.", "Go on from an earlier checkpoint with --step, or begin anew."
    )


def _plain(name: str) -> str:
    """Return the name that a parameter has in moshi's LMModel."""
    return name.removeprefix("module.").removeprefix("lm.")


def _plain_names(state: dict[str, Any]) -> dict[str, Tensor]:
    return {_plain(name): each for name, each in state.items()}
