"""What a talk takes of a graphics card, and in which way a model is kept so that it fits there.

One arithmetic for the loader, `doctor`, `models list`, the README and the window, so that they give the same
answer. GB are 1e9 bytes; a card that is sold with 8 GB has 8 GiB less what its driver keeps. Knows nothing
about files, nor about which cards there are; imports neither torch nor moshi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.engine.events import AUTO, KVS, MODES

WHOLE = MODES[0]
"""All weights as real numbers."""

Q8 = "q8"
"""Weights that moshi's own quantization packed in their file."""

DESKTOP_BYTES = 400_000_000
"""What a way that is chosen by itself leaves of a graphics card to the windows of other programs."""

CUDA_BYTES = 350_000_000
"""What CUDA takes of a card for a process before its first tensor: 0.25 to 0.35 GB on cards since Turing."""

WORKSPACE_BYTES = 600_000_000
"""What comes beside weights, Mimi and ring while talking: 0.15 GB of kernels and libraries as they are first
used, and, as the simulated allocator tells (tests/engine/cards), up to 0.42 GB of pools of captured graphs,
state of Mimi, scratch memory and rounding."""

QUANTIZED_WORKSPACE_BYTES = 1_550_000_000
"""The same for q8, whose products need scratch memory: fitted to the 12 GB (context 3000) and 10 GB
(context 375) that the maintainers report."""

PROCESSOR_WORKSPACE_BYTES = 200_000_000
"""The same on a processor."""

LOADING_BYTES = 300_000_000
"""What comes beside the weights while they are read, a few rows at a time: what is on the way to the card and
what packing holds, 0.2 GB, and kernels."""

GROUP = 64
"""So many numbers share a scale and a least in 4 bits, 2 bytes each."""

SHORTER_CONTEXTS = (1_500, 750, 375)
"""Frames that are offered where the ring of a model's own context is too large."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is put into memory."""

    mode: str = WHOLE
    """What whole weights are packed in while they are read."""
    kv: str = KVS[0]
    """How keys and values are kept."""
    mimi_apart: bool = False
    """Whether Mimi runs on the processor while the language model runs on a graphics card."""


FITS = (
    Fit("bf16"),
    Fit("int8"),
    Fit("int8", "int8"),
    Fit("int4"),
    Fit("int4", "int8"),
    Fit("int4", "int8", mimi_apart=True),
)
"""From the most memory to the least."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the parts of a model take, in bytes."""

    weights: Mapping[str, int]
    """By the modes that the model can be kept in; WHOLE is as in its file, and stands for all others."""
    mimi: int
    config: Mapping[str, Any]
    """The keyword arguments of moshi's LMModel."""
    context: int
    """Frames that it remembers."""
    element_bytes: int = 2
    """Of a key or value that is not packed."""
    packable_kv: bool = True
    cuda: int = CUDA_BYTES
    workspace: int = WORKSPACE_BYTES
    loading: int = LOADING_BYTES

    def ring(self, kv: str, context: int) -> int:
        """Return what keys and values of so many frames take; in 8 bits each head has a scale a frame."""
        if kv == KVS[0]:
            return kv_bytes(self.config, context, self.element_bytes)
        scales = 2 * int(self.config["num_layers"]) * int(self.config["num_heads"]) * context * 4
        return kv_bytes(self.config, context, 1) + scales

    def needed_bytes(self, fit: Fit = FITS[0], context: int | None = None) -> int:
        """Return the most that loading a model and talking with it takes."""
        frames = self.context if context is None else context
        mimi = 0 if fit.mimi_apart else self.mimi
        held = self.weights.get(fit.mode, self.weights[WHOLE]) + mimi + self.cuda
        return held + max(self.ring(fit.kv, frames) + self.workspace, self.loading)

    def fits(self, mode: str = AUTO, kv: str = AUTO) -> list[Fit]:
        """Return the ways in which a model can be kept, as far as there is no wish, the largest first."""
        modes = self.weights if mode == AUTO else (mode,)
        kvs = (KVS if self.packable_kv else KVS[:1]) if kv == AUTO else (kv,)
        ways = (
            Fit(
                fit.mode if fit.mode in modes else [*modes][-1],
                fit.kv if fit.kv in kvs else kvs[0],
                fit.mimi_apart,
            )
            for fit in FITS
        )
        return [*dict.fromkeys(ways)]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How a model goes into what is free of a card."""

    fit: Fit
    """The way that is taken, or the one that takes the least."""
    needed_bytes: int
    fits: bool
    context: int | None
    """Frames with which the same way would fit where it does not; None where none would, or it does."""


def plan(sizes: Sizes, free_bytes: float, mode: str = AUTO, kv: str = AUTO) -> MemoryPlan:
    """Return the first way that leaves room for a desktop, the last where none does.

    `free_bytes` is what other programs leave of the card, before this one takes anything.
    """
    ways, room = sizes.fits(mode, kv), free_bytes - DESKTOP_BYTES
    fit = next((way for way in ways if sizes.needed_bytes(way) <= room), ways[-1])
    return weigh(sizes, fit, free_bytes)


def on_processor(sizes: Sizes) -> Sizes:
    """Return what the parts take where no card is used."""
    return replace(sizes, cuda=0, workspace=PROCESSOR_WORKSPACE_BYTES, loading=PROCESSOR_WORKSPACE_BYTES)


def weigh(sizes: Sizes, fit: Fit, free_bytes: float) -> MemoryPlan:
    """Return whether a way fits, and which shorter context would."""
    needed = sizes.needed_bytes(fit)
    shorter = (frames for frames in SHORTER_CONTEXTS if frames < sizes.context)
    context = next((frames for frames in shorter if sizes.needed_bytes(fit, frames) <= free_bytes), None)
    fits = needed <= free_bytes
    return MemoryPlan(fit, needed, fits, None if fits else context)


def kv_bytes(config: Mapping[str, Any], context: int, element_bytes: int) -> int:
    """Return the size of the ring of keys and values of the temporal transformer."""
    return 2 * int(config["num_layers"]) * int(config["dim"]) * context * element_bytes


def words(fit: Fit, whole: str = WHOLE) -> str:
    """Return a way in a few English words; `whole` is what its file keeps weights in."""
    parts = [whole if fit.mode == WHOLE else fit.mode]
    parts += [f"keys and values in {fit.kv}"] * (fit.kv != KVS[0])
    parts += ["Mimi on the processor"] * fit.mimi_apart
    return ", ".join(parts)


def lm_bytes(config: Mapping[str, Any], mode: str = WHOLE) -> int:
    """Return what the weights of a model for dialogue take, in a mode or in Q8, by its configuration alone.

    Of a depth transformer only the steps count that say the model's own voice: those of the user's are not
    loaded. Numbers that are not packed take 2 bytes.
    """
    dim, depth = int(config["dim"]), int(config["depformer_dim"])
    layers, depth_layers = int(config["num_layers"]), int(config["depformer_num_layers"])
    codes, words = int(config["card"]) + 1, int(config["text_card"]) + 1
    steps = min(int(config["dep_q"]), int(config["n_q"]) // 2)
    wide = int(float(config["hidden_scale"]) * dim)
    temporal = layers * _layer(dim, wide, mode)
    depths = steps * depth_layers * _layer(depth, int(config["depformer_dim_feedforward"]), _others(mode))
    norms = 2 * (2 * dim * layers + 2 * depth * depth_layers + dim)
    heads = steps * (_linear(depth, dim, _others(mode)) + _linear(codes - 1, depth, _others(mode)))
    heads += _linear(words - 1, dim, _others(mode))
    tables = int(config["n_q"]) * _table(codes, dim, mode) + _table(words, dim, mode)
    tables += (steps - 1) * _table(codes, depth, mode) + _table(words, depth, mode)
    return temporal + depths + norms + heads + tables


def _others(mode: str) -> str:
    """Return what is packed in beside the temporal transformer: 4 bits are for that alone."""
    return "int8" if mode == "int4" else mode


def _layer(dim: int, wide: int, mode: str) -> int:
    """Return the linear layers of one layer: attention, and a gate as moshi's ActivationGating sizes it."""
    hidden = 21 * dim // 8 if wide == 4 * dim else 2 * wide // 3
    shapes = ((3 * dim, dim), (dim, dim), (2 * hidden, dim), (dim, hidden))
    return sum(_linear(rows, columns, mode) for rows, columns in shapes)


def _linear(rows: int, columns: int, mode: str) -> int:
    if mode == WHOLE:
        return 2 * rows * columns
    if mode == "int4" and columns % GROUP == 0:
        return rows * columns // 2 + 4 * rows * (columns // GROUP)
    # A scale in float32 for each row.
    return rows * columns + 4 * rows


def _table(rows: int, columns: int, mode: str) -> int:
    return 2 * rows * columns if mode in (WHOLE, Q8) else rows * columns + 2 * rows
