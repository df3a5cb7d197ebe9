"""What a run needs before its first step: processes, examples, the model, the optimiser.

Knows nothing about steps or the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from sentencepiece import SentencePieceProcessor
from torch.distributed.fsdp import MixedPrecisionPolicy

from app.engine.checkpoint import Checkpoint
from app.errors import UserError
from app.paths import Paths
from app.store.runs import read_metrics
from training import checkpoint, provenance, zero
from training.base import Learner, compute_dtype, find_base, learning_rate_groups, prepare_learner
from training.best import Best, Learning
from training.config import Config
from training.ema import Ema
from training.examples import Examples
from training.judge import Judge
from training.loop import Trainee, Work
from training.loss import NO_TARGET
from training.material import open_examples
from training.pace import Pace
from training.plan import check_memory
from training.record import Emit, Record, Silence
from training.speed import TemporalLayer, prepare_for_training

BROKEN_OFF = "\N{EM DASH}"
"""Stands in the text where an utterance was broken off, for models whose tokenizer has it as a piece."""

SHARED_OUT = (DistributedType.FSDP, DistributedType.DEEPSPEED)
"""Ways for each process to keep but a share of the model and the optimiser."""


def make_accelerator(config: Config) -> Accelerator:
    """Return the door to the other processes, of which there may be none. Raises UserError."""
    plugin, dtype = None, compute_dtype(config)
    sharded = config.memory.sharded or os.environ.get("ACCELERATE_USE_FSDP") == "true"
    if sharded and not zero.is_wanted():
        plugin = FullyShardedDataParallelPlugin(
            fsdp_version=2,
            auto_wrap_policy="transformer_based_wrap",
            transformer_cls_names_to_wrap=[TemporalLayer.__name__],
            reshard_after_forward=True,
            cpu_ram_efficient_loading=True,
            state_dict_type="FULL_STATE_DICT",
            # What travels to be computed with is rounded, neither gradients nor what the model is given.
            mixed_precision_policy=MixedPrecisionPolicy(
                param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False
            ),
        )
    accelerator = Accelerator(
        mixed_precision="no",
        cpu=not torch.cuda.is_available(),
        fsdp_plugin=plugin,
        deepspeed_plugin=zero.make_plugin(config) if zero.is_wanted() else None,
    )
    _refuse(config, accelerator)
    return accelerator


def _refuse(config: Config, accelerator: Accelerator) -> None:
    """Raise UserError for what several processes can not do."""
    if accelerator.distributed_type in SHARED_OUT:
        if config.base_bits < 16:
            sentence = f"A model with base_bits = {config.base_bits} can not be shared out."
            raise UserError(sentence, "Set base_bits = 16, or let each process keep the whole model.")
        if config.optimizer.name != "adamw":
            sentence = f"The optimizer {config.optimizer.name} can not be shared out."
            raise UserError(sentence, 'Set optimizer.name = "adamw": its state is shared out instead.')
        if config.optimizer.ema:
            sentence = "An average of the weights can not be shared out."
            raise UserError(sentence, "Set optimizer.ema = 0, or let each process keep the whole model.")
    examples, together = config.batch.examples, accelerator.num_processes * config.batch.size
    if examples % together:
        raise UserError(
            f"A step learns from {examples} examples, which {accelerator.num_processes} processes with "
            f"{config.batch.size} each can not share evenly.",
            f"Set batch.accumulation so that size x accumulation is a multiple of {together}.",
        )


def begin(
    config: Config, record: Record | Silence, accelerator: Accelerator, where: Paths, first: int
) -> Work:
    """Read data and model, and the checkpoint after step `first` if that is not 0. Raises UserError."""
    found = find_base(config, where.models, _stages(record.emit, first))
    warn = partial(_warn, record.emit, first)
    train, held_out = open_examples(config, found, where, warn)
    check_memory(config, found, train, accelerator)
    if isinstance(record, Record) and not (first and provenance.is_kept(record.folder)):
        provenance.keep(record.folder, provenance.describe(config, found, train, held_out))
    told = _stages(record.emit, first)
    learner = _prepare_model(config, found, accelerator, partial(told, "Reading the model"))
    trainee = Trainee(
        learner.lm, config.loss, config.memory.chunk_frames, compute_dtype(config), _stop_token(config, found)
    )
    parameters = sum(each.numel() for _, each in learner.trained())
    model, optimizer = accelerator.prepare(trainee, _make_optimizer(config, learner, accelerator.device))
    ema = Ema(learner.trained(), config.optimizer.ema) if config.optimizer.ema else None
    state: dict[str, Any] = {"best": Best().state(), "judge": None, "judged": -1}
    if first:
        told("Reading the checkpoint", 0, 0)
        folder = checkpoint.checkpoint_folder(record.folder, first)
        state = checkpoint.load(folder, accelerator, model, optimizer, ema.values if ema else None)
    pace = Pace(config.steps, config.evaluation.every_steps)
    learning = Learning(config.steps, config.optimizer.warmup_steps)
    for follows in (pace, learning):
        follows.add(read_metrics(record.folder)[0])
    record.update(base=found.details, hours=train.hours)
    record.emit(_started(config, accelerator, train, held_out, first) | {"parameters": parameters})
    return Work(
        config=config,
        accelerator=accelerator,
        learner=learner,
        model=model,
        trainee=trainee,
        optimizer=optimizer,
        train=train,
        held_out=held_out,
        judge=Judge(config, learner, held_out if held_out.windows else train, state["judge"]),
        best=Best.restored(state["best"]),
        record=record,
        judged=state.get("judged", first),
        pace=pace,
        learning=learning,
        ema=ema,
        fixed_frames=config.batch.frames if _is_compiled(config, accelerator.device) else None,
    )


def _prepare_model(
    config: Config, found: Checkpoint, accelerator: Accelerator, told: Callable[[int, int], None]
) -> Learner:
    """Read the model and make it ready to learn, on its device or where it is shared out from."""
    learner = prepare_learner(
        config,
        found,
        torch.device("cpu") if accelerator.distributed_type in SHARED_OUT else _plain(accelerator.device),
        compute_dtype(config),
        told,
        empty=accelerator.distributed_type is DistributedType.FSDP and not accelerator.is_main_process,
    )
    if zero.is_used(accelerator):
        zero.prepare_for_shares(learner.lm, checkpointing=config.memory.checkpointing)
    else:
        prepare_for_training(
            learner.lm,
            checkpointing=config.memory.checkpointing,
            compile=_is_compiled(config, accelerator.device),
            kept_layers=config.memory.kept_layers,
        )
    return learner


def _stop_token(config: Config, found: Checkpoint) -> int:
    """Return the token that marks where an utterance was broken off, NO_TARGET where none does."""
    if config.loss.onset == 1.0:
        return NO_TARGET
    tokenizer = SentencePieceProcessor(str(found.tokenizer))
    token: int = tokenizer.piece_to_id(BROKEN_OFF)
    return NO_TARGET if token == tokenizer.unk_id() else token


def _started(
    config: Config, accelerator: Accelerator, train: Examples, held_out: Examples, first: int
) -> dict[str, Any]:
    """Return what is told when training begins."""
    return {
        "kind": "started",
        "step": first,
        "steps": config.steps,
        "hours": train.hours,
        "held_out_hours": held_out.hours,
        "device": device_label(accelerator),
        "on_card": accelerator.device.type == "cuda",
    }


def device_label(accelerator: Accelerator) -> str:
    """Return what people call the device, and how many of them work."""
    device = accelerator.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return name if accelerator.num_processes == 1 else f"{accelerator.num_processes} x {name}"


def _plain(device: torch.device) -> torch.device:
    """Return a device as safetensors names it: there is one CPU, however many processes share it."""
    return torch.device("cpu") if device.type == "cpu" else device


def _is_compiled(config: Config, device: torch.device) -> bool:
    return device.type == "cuda" and config.memory.compile != "off"


def _make_optimizer(config: Config, learner: Learner, device: torch.device) -> torch.optim.Optimizer:
    chosen = config.optimizer
    groups = learning_rate_groups(learner, config)
    options: dict[str, Any] = {
        "betas": chosen.betas,
        "eps": chosen.epsilon,
        "weight_decay": chosen.weight_decay,
    }
    if chosen.name == "adamw8bit":
        if device.type != "cuda":
            raise UserError("The optimiser adamw8bit needs a graphics card.", 'Set optimizer.name = "adamw".')
        from bitsandbytes.optim import AdamW8bit

        adamw: torch.optim.Optimizer = AdamW8bit(groups, **options)
        return adamw
    # On a processor too the fused one reads each weight once, but rounds otherwise than that of float32 runs.
    fused = device.type == "cuda" or compute_dtype(config) == torch.bfloat16
    return torch.optim.AdamW(groups, fused=fused, **options)


def _warn(emit: Emit, step: int, sentence: str, advice: str) -> None:
    emit({"kind": "warning", "step": step, "sentence": sentence, "advice": advice})


def _stages(emit: Emit, step: int) -> Callable[[str, int, int], None]:
    """Return a callback that tells each tenth of each stage."""
    told: set[tuple[str, int]] = set()

    def tell(text: str, done: int, total: int) -> None:
        key = (text, 10 * done // total if total else 0)
        if key not in told:
            told.add(key)
            emit({"kind": "stage", "step": step, "text": text, "done": done, "total": total})

    return tell
