"""What a run would take, before it begins: hours, memory, and whether the card has it.

Reads no weights and trains nothing.
"""

from __future__ import annotations

from typing import Any

import torch

from app.engine.device import choose_device
from app.paths import Paths
from training.base import find_base
from training.config import Config
from training.memory import expected_peak_bytes
from training.setup import is_in_bf16, open_examples


def make_plan(config: Config, where: Paths) -> dict[str, Any]:
    """Return memory_gb, hours, held_out_hours, steps, minutes (None if not known), fits and device.

    Raises UserError.
    """
    found = find_base(config, where.models)
    train, held_out = open_examples(config, found, where)
    device = choose_device()
    longest = max(window.frames for window in train.windows)
    peak = expected_peak_bytes(
        found.config,
        method=config.method,
        rank=config.lora.rank,
        bits=config.base_bits,
        both=config.streams == "both",
        frames=config.batch.size * longest,
        checkpointing=config.memory.checkpointing,
        chunk_frames=config.memory.chunk_frames,
        optimizer=config.optimizer.name,
        element_bytes=(torch.bfloat16 if is_in_bf16(config) else torch.float32).itemsize,
    )
    return {
        "memory_gb": peak / 1e9,
        "hours": train.hours,
        "held_out_hours": held_out.hours,
        "steps": config.steps,
        "minutes": None,
        "fits": peak <= device.total_bytes,
        "device": device.label,
    }
