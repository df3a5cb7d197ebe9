"""What a run would take, before it begins: hours, memory, time, and whether the card has it.

Reads no weights and trains nothing.
"""

from __future__ import annotations

import statistics
from typing import Any

from accelerate import Accelerator

from app.engine.checkpoint import Checkpoint
from app.engine.device import choose_device
from app.errors import UserError
from app.frames import seconds
from app.paths import Paths
from app.store.runs import list_runs, read_metrics
from training.base import compute_dtype, find_base
from training.config import Config
from training.examples import Examples
from training.material import open_examples
from training.memory import CONTEXT_BYTES, expected_peak_bytes
from training.pace import Pace


def make_plan(config: Config, where: Paths) -> dict[str, Any]:
    """Return memory_gb, hours, held_out_hours, steps, minutes (None if not known), fits and device.

    The time is that of the last run with the same model on this computer. Raises UserError.
    """
    found = find_base(config, where.models)
    train, held_out = open_examples(config, found, where)
    device = choose_device()
    peak = peak_bytes(config, found, train)
    return {
        "memory_gb": peak / 1e9,
        "hours": train.hours,
        "held_out_hours": held_out.hours,
        "steps": config.steps,
        "minutes": _minutes(config, train, where),
        "fits": peak <= device.total_bytes,
        "device": device.label,
    }


def peak_bytes(config: Config, found: Checkpoint, train: Examples) -> int:
    """Return the most memory that a run takes on one device, all that a card loses to it included."""
    return CONTEXT_BYTES + expected_peak_bytes(
        found.config,
        method=config.method,
        rank=config.lora.rank,
        bits=config.base_bits,
        both=config.streams == "both",
        frames=config.batch.size * max(window.frames for window in train.windows),
        checkpointing=config.memory.checkpointing,
        kept_layers=config.memory.kept_layers,
        accumulated=config.batch.accumulation > 1,
        chunk_frames=config.memory.chunk_frames,
        optimizer=config.optimizer.name,
        element_bytes=compute_dtype(config).itemsize,
        user_words=config.loss.user_words > 0,
        ema=config.optimizer.ema > 0,
        depth_share=config.batch.depth_share,
    )


def check_memory(config: Config, found: Checkpoint, train: Examples, accelerator: Accelerator) -> None:
    """Raise UserError where one device is too small; shares of a model (FSDP2, ZeRO-3) are not counted."""
    if accelerator.distributed_type.value in ("FSDP", "DEEPSPEED"):
        return
    device, need = choose_device(), peak_bytes(config, found, train)
    if need <= device.free_bytes:
        return
    memory = "graphics memory" if device.on_card else "memory"
    raise UserError(
        f"Training {found.name} this way needs about {need / 1e9:.1f} GB of {memory}, and "
        f"{device.free_bytes / 1e9:.1f} of {device.total_bytes / 1e9:.1f} GB are free on {device.label}.",
        _what_helps(config),
    )


def _what_helps(config: Config) -> str:
    if config.method != "lora":
        return 'Train an adapter, method = "lora", or share the model out to several cards, memory.sharded.'
    if config.base_bits > 4:
        return f"Set base_bits = {config.base_bits // 2}, or lower lora.rank or batch.seconds."
    return "Lower lora.rank or batch.seconds, or close what else uses the card."


def _minutes(config: Config, train: Examples, where: Paths) -> float | None:
    """Return how long a run takes at the pace of the last one with this model; None without one.

    Steps by the audio that they learn from, evaluations and checkpoints as they were there.
    """
    mean_s = seconds(sum(window.frames for window in train.windows)) / len(train.windows)
    for run in list_runs(where.runs):
        if run.values.get("model") == config.model:
            events, _ = read_metrics(run.folder)
            speeds = [event["audio_s_per_s"] for event in events if event["kind"] == "step"]
            if speeds:
                pace = Pace(config.steps, config.evaluation.every_steps)
                pace.add(events)
                steps_s: float = config.steps * config.batch.examples * mean_s / statistics.median(speeds)
                return (steps_s + pace.judging_s(0)) / 60
    return None
