"""In which order `aizuchi bench engine` measures two engines, and whether there is memory for it.

Whole weights are shared by both; beside packed ones moshi's engine needs whole weights of its own. Makes
nothing but outlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from moshi.models import loaders
from sentencepiece import SentencePieceProcessor

from app.engine import build
from app.engine.checkpoint import Checkpoint
from app.engine.device import Device, needed_bytes
from app.engine.events import MODES
from app.engine.fast.frame import uncovered
from app.errors import UserError
from app.memory_plan import CUDA_BYTES, WHOLE, Fit

OURS, MOSHI = "fast", "moshi"

ALONE = "alone"
SHARED = "frame by frame, on the same weights"
BESIDE = "frame by frame, each with weights of its own"
BLOCKS = "in blocks, with the weights of one engine at a time"
"""In which order engines are measured."""

ROUNDS: dict[str, list[tuple[str, ...]]] = {
    ALONE: [(OURS,)],
    SHARED: [(OURS, MOSHI)],
    BESIDE: [(OURS, MOSHI)],
    BLOCKS: [(OURS,), (MOSHI,), (OURS,), (MOSHI,)],
}
"""Which engines are in memory at the same time, round after round."""

COPY_BYTES = 2**30
"""What is copied to find the bandwidth; a graphics card's caches are far smaller."""


@dataclass(frozen=True)
class Plan:
    """In which order engines are measured, and what that takes of the device's memory."""

    order: str
    needed_bytes: int


def make_plan(outline: build.Outline, device: Device, mode: str, kv: str, *, beside: bool) -> Plan:
    """Return how to measure a model kept so: together with moshi's engine as far as memory allows."""
    context = outline.checkpoint.context
    ours = max(needed_bytes(outline, device, context, Fit(mode, kv)), 2 * copied_bytes(device))
    if not beside:
        return Plan(ALONE, ours)
    theirs = needed_bytes(outline, device, context)
    # CUDA takes its part for the process, once.
    both = ours + theirs - (CUDA_BYTES if device.on_card else 0)
    if mode == WHOLE:
        return Plan(SHARED, both - outline.lm_bytes(device.dtype))
    if both <= device.free_bytes:
        return Plan(BESIDE, both)
    return Plan(BLOCKS, max(ours, theirs))


def check_plan(plan: Plan, outline: build.Outline, device: Device, mode: str, kv: str) -> None:
    """Raise UserError with what would fit, where there is no room for a plan."""
    if plan.needed_bytes <= device.free_bytes:
        return
    memory = "graphics memory" if device.on_card else "memory"
    raise UserError(
        f"To measure {outline.checkpoint.name} takes {plan.needed_bytes / 1e9:.1f} GB of {memory}, and "
        f"{device.free_bytes / 1e9:.1f} of {device.total_bytes / 1e9:.1f} GB are free on {device.label}.",
        _what_fits(plan, outline, device, mode, kv),
    )


def _what_fits(plan: Plan, outline: build.Outline, device: Device, mode: str, kv: str) -> str:
    alone = make_plan(outline, device, mode, kv, beside=False).needed_bytes
    if plan.order != ALONE and alone <= device.free_bytes:
        return f"Without --against it takes {alone / 1e9:.1f} GB."
    for other in MODES[MODES.index(mode) + 1 :] if outline.packed == WHOLE else ():
        need = make_plan(outline, device, other, kv, beside=False).needed_bytes
        if need <= device.free_bytes:
            return f"With --mode {other}, and without --against, it takes {need / 1e9:.1f} GB."
    return "Close other programs that use the memory, or choose --config tiny."


def copied_bytes(device: Device) -> int:
    """Return the size of what is copied to find the bandwidth of a device."""
    return COPY_BYTES if device.on_card else COPY_BYTES // 8


class _Unwritten(build.Outline):
    """The outline of a model of random weights, of which there is no file."""

    @property
    def mimi_bytes(self) -> int:
        """Return what Mimi takes in memory."""
        with torch.device("meta"):
            mimi = loaders.get_mimi(None, self.checkpoint.mimi_config, device="meta", num_codebooks=8)
        return sum(tensor.nbytes for tensor in mimi.state_dict().values())


def outline_random(name: str, shape: dict[str, Any], mimi_shape: dict[str, Any] | None) -> build.Outline:
    """Return the outline of a model of random weights, `mimi_shape` None for the released Mimi."""
    nowhere = Path()
    checkpoint = Checkpoint(name, "random", name, nowhere, nowhere, nowhere, shape, mimi_shape)
    with torch.device("meta"):
        lm = loaders.get_moshi_lm(None, dict(shape), device="meta", dtype=torch.bfloat16)
    return _Unwritten(checkpoint, lm, SentencePieceProcessor(), WHOLE, uncovered(lm))
