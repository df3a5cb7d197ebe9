"""Which device a model runs on, in which precision, and whether there is room for it.

Knows nothing about files: it is told sizes.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from app import catalog
from app.engine.build import Outline
from app.engine.events import AUTO, KVS, MODES, Loadout
from app.engine.modes import WHOLE
from app.errors import UserError
from app.frames import seconds

log = logging.getLogger(__name__)

DESKTOP_BYTES = 400_000_000
"""What a mode that is chosen by itself leaves of a graphics card to the windows of other programs."""

CPU, CUDA = "cpu", "cuda"

_CPU_WORKSPACE_BYTES = 200_000_000
_SMALL_BYTES = 100_000_000
_SHORTER_CONTEXTS = (1_500, 750, 375)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model runs."""

    device: torch.device
    label: str
    """Its name for people."""
    dtype: torch.dtype
    """How weights and activations are kept: bfloat16 on graphics cards since Ampere, float16 on older
    ones, float32 on the CPU."""
    free_bytes: int
    total_bytes: int

    @property
    def on_card(self) -> bool:
        """Return whether this is a graphics card."""
        return self.device.type == "cuda"


def choose_device(wish: str = AUTO) -> Device:
    """Return where to run, with its memory as it is now.

    `wish` is 'cpu', 'cuda', 'cuda:1' or the like; 'auto' and 'cuda' take the graphics card with the most free
    memory of those that PyTorch has code for, 'auto' the processor where there is none. Raises UserError for
    a card that is not there or can not be used.
    """
    if wish == CPU:
        return _processor()
    cards = [_card(index) for index in range(torch.cuda.device_count()) if not card_trouble(index)]
    chosen = [card for card in cards if wish in (AUTO, CUDA, str(card.device))]
    if not chosen and wish != AUTO:
        raise _no_such_card(wish, cards)
    return max(chosen, key=lambda card: card.free_bytes, default=None) or _processor()


@cache
def card_trouble(index: int) -> str:
    """Return why PyTorch can not use a graphics card, '' where it can: one tiny kernel decides."""
    try:
        torch.ones(2, device=f"{CUDA}:{index}").add_(1).sum().item()
    except torch.OutOfMemoryError:
        return ""  # It is full, and works.
    except RuntimeError as fault:
        log.warning("card %d can not be used", index, exc_info=fault)
        if "no kernel image" not in str(fault):
            return str(fault).splitlines()[0]
        major, minor = torch.cuda.get_device_capability(index)
        return f"this PyTorch has no code for compute capability {major}.{minor}"
    return ""


def _processor() -> Device:
    free, total = _memory()
    return Device(torch.device(CPU), "CPU", torch.float32, free, total)


def _card(index: int) -> Device:
    # What a model that was closed left in torch's cache is free as well.
    gc.collect()
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(index)
    major, _ = torch.cuda.get_device_capability(index)
    dtype = torch.bfloat16 if major >= 8 else torch.float16
    return Device(torch.device(CUDA, index), torch.cuda.get_device_name(index), dtype, free, total)


def _no_such_card(wish: str, cards: list[Device]) -> UserError:
    known = [CPU, *(str(card.device) for card in cards)]
    return UserError(
        f"There is no device '{wish}' that PyTorch can use.", f"Choose {AUTO} or one of {', '.join(known)}."
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a model is put into memory."""

    mode: str = WHOLE
    """What whole weights are packed in while they are read."""
    kv: str = KVS[0]
    """How keys and values are kept."""
    mimi_apart: bool = False
    """Whether Mimi runs on the processor while the language model runs on a graphics card."""


_FITS = (
    Fit("bf16"),
    Fit("int8"),
    Fit("int8", "int8"),
    Fit("int4"),
    Fit("int4", "int8"),
    Fit("int4", "int8", mimi_apart=True),
)
"""From the most memory to the least."""


def taken_bytes(device: Device, estimate: int) -> int:
    """Return what was taken since the device was chosen; on the CPU, which tells nothing, the estimate."""
    return (
        max(0, device.free_bytes - torch.cuda.mem_get_info(device.device)[0]) if device.on_card else estimate
    )


def share_cores(outline: Outline, device: Device) -> None:
    """Leave cores to the sound card and the window, where the model runs on the CPU.

    A small model gets one: its steps are too short to be split, and waiting for a second core that is
    busy elsewhere costs up to ten times the step.
    """
    if not device.on_card:
        small = outline.lm_bytes(device.dtype) < _SMALL_BYTES
        torch.set_num_threads(1 if small else max(1, (os.cpu_count() or 1) // 2))


def choose_fit(outline: Outline, device: Device, loadout: Loadout) -> Fit:
    """Return how a model goes into memory: as wished for, or the first way that leaves room for a desktop.

    What is packed in its file stays as it is. Raises UserError for a wish that can not be fulfilled.
    """
    packed = outline.packed if outline.packed != WHOLE else "q8" if outline.checkpoint.quantized else ""
    reason = outline.uncovered or ("moshi's own engine" if loadout.engine == "moshi" else "")
    if outline.checkpoint.quantized:
        reason = reason or "weights in q8"
    _check_wishes(outline.checkpoint.name, packed, reason, loadout)
    if not device.on_card:
        return Fit(_wish(loadout.mode, WHOLE), _wish(loadout.kv, KVS[0]))
    fits = dict.fromkeys(
        Fit(
            WHOLE if packed or reason else _wish(loadout.mode, fit.mode),
            KVS[0] if reason else _wish(loadout.kv, fit.kv),
            fit.mimi_apart,
        )
        for fit in _FITS
    )
    context, room = outline.checkpoint.context, device.free_bytes - DESKTOP_BYTES
    return next((fit for fit in fits if needed_bytes(outline, device, context, fit) <= room), [*fits][-1])


def _check_wishes(name: str, packed: str, reason: str, loadout: Loadout) -> None:
    """Raise UserError for a wish that does not go with a model packed so, or for a reason of another kind."""
    if packed and loadout.mode not in (AUTO, packed):
        advice = "Leave out --mode, or choose the whole model."
        raise UserError(f"The weights of {name} are kept in {packed}, not in {loadout.mode}.", advice)
    if reason and not packed and loadout.mode not in (AUTO, WHOLE):
        advice = "Leave out --mode or --engine, or choose --mode bf16."
        sentence = f"{name} can not be kept in {loadout.mode}: packed weights do not go with {reason}."
        raise UserError(sentence, advice)
    if reason and loadout.kv not in (AUTO, KVS[0]):
        sentence = (
            f"Keys and values of {name} can not be kept in {loadout.kv}: that does not go with {reason}."
        )
        raise UserError(sentence, "Leave out --kv or --engine.")


def _wish(wish: str, otherwise: str) -> str:
    return otherwise if wish == AUTO else wish


def needed_bytes(outline: Outline, device: Device, context: int, fit: Fit = _FITS[0]) -> int:
    """Return what a talk takes of a device: weights, Mimi, the ring of keys and values, and room to work."""
    checkpoint = outline.checkpoint
    if not device.on_card:
        workspace = _CPU_WORKSPACE_BYTES
    elif checkpoint.quantized:
        workspace = catalog.QUANTIZED_WORKSPACE_BYTES
    else:
        workspace = catalog.WORKSPACE_BYTES
    # moshi computes with 8-bit weights in float16, whatever the rest is kept in.
    element_bytes = 2 if checkpoint.quantized else device.dtype.itemsize
    ring = catalog.kv_bytes(checkpoint.config, context, element_bytes)
    if fit.kv == "int8":
        config = checkpoint.config
        scales = 2 * int(config["num_layers"]) * int(config["num_heads"]) * context * 4
        ring = catalog.kv_bytes(config, context, 1) + scales
    mimi = 0 if fit.mimi_apart else outline.mimi_bytes
    return outline.lm_bytes(device.dtype, fit.mode) + mimi + ring + workspace


def check_memory(outline: Outline, device: Device, fit: Fit = _FITS[0]) -> int:
    """Return what a talk takes, in bytes; raise UserError with what would fit if there is no room."""
    name, context = outline.checkpoint.name, outline.checkpoint.context
    need = needed_bytes(outline, device, context, fit)
    if need <= device.free_bytes:
        return need
    memory = "graphics memory" if device.on_card else "memory"
    raise UserError(
        f"{name} needs {need / 1e9:.1f} GB of {memory}, and {device.free_bytes / 1e9:.1f} of "
        f"{device.total_bytes / 1e9:.1f} GB are free on {device.label}.",
        _what_fits(outline, device, fit),
    )


def _what_fits(outline: Outline, device: Device, fit: Fit) -> str:
    context = outline.checkpoint.context
    fixed = not device.on_card or outline.checkpoint.quantized or outline.uncovered or outline.packed != WHOLE
    for mode in () if fixed else MODES[MODES.index(fit.mode) + 1 :]:
        need = needed_bytes(outline, device, context, replace(fit, mode=mode))
        if need <= device.free_bytes:
            return f"With --mode {mode} it needs {need / 1e9:.1f} GB."
    for context in _SHORTER_CONTEXTS:
        need = needed_bytes(outline, device, context, fit)
        if context < outline.checkpoint.context and need <= device.free_bytes:
            return (
                f"With a context of {context} frames ({seconds(context):.0f} s) it needs {need / 1e9:.1f} GB."
            )
    return "Close other programs that use the memory, or choose a smaller model."


def compile_trouble(device: Device) -> tuple[str, str] | None:
    """Try torch.compile on the device, and return a sentence and an advice if it does not work.

    On the CPU moshi does not compile, so that nothing is tried.
    """
    if not device.on_card:
        return None
    try:
        torch.compile(_probe)(torch.zeros(16, device=device.device))
    except Exception as fault:
        # torch raises errors of many private kinds here; each means the same to the user.
        log.warning("torch.compile does not work", exc_info=fault)
        sentence = "torch.compile does not work here, so that each frame takes a little longer."
        return sentence, _compile_advice()
    return None


def _probe(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x) + 1


def _compile_advice() -> str:
    if any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return "The log holds the reason; Python's header files may be missing."
    return "Install a C compiler, for example with `sudo apt-get install gcc`."


def _memory() -> tuple[int, int]:
    """Return the bytes of memory that programs may still take, and that there are."""
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free, total = (int(fields[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
    return free, total
