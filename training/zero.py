"""Shares of a model by DeepSpeed (ZeRO-3) in place of FSDP2, for those who launch with it.

Makes its configuration, steps with it, and gathers and scatters what a checkpoint keeps, so that checkpoints
are the same whoever wrote them. Knows nothing about the files of checkpoints or about the loop. DeepSpeed is
imported in here alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DeepSpeedPlugin, DistributedType
from moshi.models import LMModel
from moshi.modules.gating import ActivationGating, gating_forward_generic
from torch import Tensor
from torch.nn import functional

from app.errors import UserError
from training.config import Config

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW keeps of each parameter."""


def is_wanted() -> bool:
    """Return whether the launcher asks for DeepSpeed."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true"


def is_used(accelerator: Accelerator) -> bool:
    """Return whether DeepSpeed has the model."""
    return accelerator.distributed_type is DistributedType.DEEPSPEED


def make_plugin(config: Config) -> DeepSpeedPlugin:
    """Return DeepSpeed's configuration: the launcher's, with what is settled here. Raises UserError."""
    try:
        plugin = DeepSpeedPlugin(
            gradient_accumulation_steps=1,
            gradient_clipping=config.optimizer.clip,
            zero3_init_flag=False,
        )
    except ImportError as fault:
        sentence = "DeepSpeed is not installed."
        raise UserError(sentence, "Install it by `uv sync --extra deepspeed`, or use FSDP2.") from fault
    settings = plugin.deepspeed_config
    if settings["zero_optimization"]["stage"] != 3:
        stage = settings["zero_optimization"]["stage"]
        raise UserError(
            f"ZeRO-{stage} was asked for, and only ZeRO-3 is known here.",
            "Launch with --zero_stage 3, or without --use_deepspeed.",
        )
    for name in ("optimizer", "scheduler"):
        if name in settings:
            raise UserError(
                f"The DeepSpeed configuration has its own {name}.",
                f"Remove it there: the {name} is that of the run's own configuration.",
            )
    for name in ("bf16", "fp16"):
        if settings.get(name, {}).get("enabled", False) is True:
            raise UserError(
                f"The DeepSpeed configuration turns {name} on.",
                f"Remove {name} there, and set precision in the run's own configuration.",
            )
    # Accelerate would tell the Transformers library, of which nothing is used here.
    plugin.set_deepspeed_weakref = lambda: None
    settings["gradient_accumulation_steps"] = 1
    settings["gradient_clipping"] = config.optimizer.clip
    settings["train_micro_batch_size_per_gpu"] = config.batch.size
    return plugin


def prepare_for_shares(lm: LMModel, *, checkpointing: bool) -> None:
    """Let every weight be read by its own module alone, in place: there ZeRO-3 gathers it.

    The way of `training.speed` reads weights from outside, and so does moshi's gate.
    """
    lm.transformer.checkpointing = checkpointing
    for module in lm.modules():
        if isinstance(module, ActivationGating):
            gate = (module.linear_in, module.linear_out, module.activation)
            module.forward = partial(gating_forward_generic, *gate)


def backward(engine: Any, loss: Tensor, *, last: bool) -> None:
    """Add the gradients of a batch to those of the step; its mean over the processes is taken."""
    engine.set_gradient_accumulation_boundary(is_boundary=last)
    engine.backward(loss, scale_wrt_gas=False)


def step(engine: Any) -> float:
    """Clip, let the optimiser step and forget the gradients; return their norm before."""
    engine.step()
    return float(engine.get_global_grad_norm())


def gather(engine: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what learnt and the optimiser's state by name, on the CPU; called by all, whole on all."""
    from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

    names = {each: name for name, each in engine.module.named_parameters()}
    trained: dict[str, Tensor] = {}
    moments: dict[str, dict[str, Tensor]] = {}
    groups = [{**group, "params": []} for group in engine.optimizer.param_groups]
    for number, flat, parameter in _trained(engine):
        name = names[parameter]
        groups[number]["params"].append(name)
        trained[name] = safe_get_full_fp32_param(parameter).cpu()
        kept = {key: safe_get_full_optimizer_state(parameter, key).cpu() for key in MOMENTS}
        moments[name] = {**kept, "step": engine.optimizer.optimizer.state[flat]["step"].cpu().clone()}
    return trained, {"state": moments, "param_groups": groups}


def scatter(engine: Any, trained: dict[str, Tensor], moments: dict[str, dict[str, Tensor]]) -> None:
    """Give each process its shares of what was gathered; called by all with all of it."""
    from deepspeed.utils import safe_set_local_fp32_param, safe_set_local_optimizer_state

    names = {each: name for name, each in engine.module.named_parameters()}
    adamw = engine.optimizer.optimizer
    for number, flat, parameter in _trained(engine):
        name, fused = names[parameter], bool(engine.optimizer.param_groups[number].get("fused"))
        share = _share(trained[name], parameter)
        safe_set_local_fp32_param(parameter, share)
        parameter.ds_tensor.data.copy_(share)
        if flat not in adamw.state:
            device = flat.device if fused else torch.device("cpu")
            adamw.state[flat] = {"step": moments[name]["step"].to(device, copy=True)}
            adamw.state[flat] |= {key: torch.zeros_like(flat) for key in MOMENTS}
        for key in MOMENTS:
            safe_set_local_optimizer_state(parameter, _share(moments[name][key], parameter), key)


def _trained(engine: Any) -> Iterator[tuple[int, Tensor, Any]]:
    """Yield what learns: the number of its group, the flat share that it lies in, the parameter."""
    optimizer = engine.optimizer
    for at, parameters in enumerate(optimizer.fp16_groups):
        for parameter in parameters:
            yield optimizer.sub_group_to_group_id[at], optimizer.fp32_partitioned_groups_flat[at], parameter


def _share(whole: Tensor, parameter: Any) -> Tensor:
    """Return this process's part of a tensor, filled up where it does not divide."""
    size = parameter.ds_tensor.numel()
    rank, flat = torch.distributed.get_rank(), whole.flatten()
    part = flat[rank * size : (rank + 1) * size]
    return functional.pad(part, (0, size - part.numel())).to(parameter.ds_tensor.device)
