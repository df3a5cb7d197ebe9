"""Which device a model runs on, in which precision, and whether there is room for it.

Knows nothing about files: it is told sizes.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from app import catalog
from app.engine.build import Outline
from app.engine.events import AUTO, MODES, Loadout
from app.engine.modes import WHOLE
from app.errors import UserError
from app.frames import seconds

log = logging.getLogger(__name__)

DESKTOP_BYTES = 400_000_000
"""What a mode that is chosen by itself leaves of a graphics card to the windows of other programs."""

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


def choose_device() -> Device:
    """Return the graphics card if PyTorch can use one, the CPU otherwise, with its memory as it is now."""
    if not torch.cuda.is_available():
        free, total = _memory()
        return Device(torch.device("cpu"), "CPU", torch.float32, free, total)
    # What a model that was closed left in torch's cache is free as well.
    gc.collect()
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    major, _ = torch.cuda.get_device_capability()
    dtype = torch.bfloat16 if major >= 8 else torch.float16
    return Device(torch.device("cuda"), torch.cuda.get_device_name(), dtype, free, total)


def taken_bytes(device: Device, estimate: int) -> int:
    """Return what was taken since the device was chosen; on the CPU, which tells nothing, the estimate."""
    return max(0, device.free_bytes - torch.cuda.mem_get_info()[0]) if device.on_card else estimate


def share_cores(outline: Outline, device: Device) -> None:
    """Leave cores to the sound card and the window, where the model runs on the CPU.

    A small model gets one: its steps are too short to be split, and waiting for a second core that is
    busy elsewhere costs up to ten times the step.
    """
    if not device.on_card:
        small = outline.lm_bytes(device.dtype) < _SMALL_BYTES
        torch.set_num_threads(1 if small else max(1, (os.cpu_count() or 1) // 2))


def choose_mode(outline: Outline, device: Device, loadout: Loadout) -> str:
    """Return the mode to pack whole weights in while they are read: as wished for, or the first that fits.

    Raises UserError for a wish that can not be fulfilled.
    """
    name, wish = outline.checkpoint.name, loadout.mode
    packed = outline.packed if outline.packed != WHOLE else "q8" if outline.checkpoint.quantized else ""
    if packed:
        if wish not in (AUTO, packed):
            advice = "Leave out --mode, or choose the whole model."
            raise UserError(f"The weights of {name} are kept in {packed}, not in {wish}.", advice)
        return WHOLE
    reason = outline.uncovered or ("moshi's own engine" if loadout.engine == "moshi" else "")
    if wish != AUTO:
        if wish != WHOLE and reason:
            advice = "Leave out --mode or --engine, or choose --mode bf16."
            sentence = f"{name} can not be kept in {wish}: packed weights do not go with {reason}."
            raise UserError(sentence, advice)
        return wish
    if not device.on_card or reason:
        return WHOLE
    context, room = outline.checkpoint.context, device.free_bytes - DESKTOP_BYTES
    return next((mode for mode in MODES if needed_bytes(outline, device, context, mode) <= room), MODES[-1])


def needed_bytes(outline: Outline, device: Device, context: int, mode: str = WHOLE) -> int:
    """Return what a talk takes: weights, Mimi, the ring of keys and values, and room to work.

    `mode` is what whole weights are packed in.
    """
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
    return outline.lm_bytes(device.dtype, mode) + outline.mimi_bytes + ring + workspace


def check_memory(outline: Outline, device: Device, mode: str = WHOLE) -> int:
    """Return what a talk takes, in bytes; raise UserError with what would fit if there is no room."""
    name, context = outline.checkpoint.name, outline.checkpoint.context
    need = needed_bytes(outline, device, context, mode)
    if need <= device.free_bytes:
        return need
    memory = "graphics memory" if device.on_card else "memory"
    raise UserError(
        f"{name} needs {need / 1e9:.1f} GB of {memory}, and {device.free_bytes / 1e9:.1f} of "
        f"{device.total_bytes / 1e9:.1f} GB are free on {device.label}.",
        _what_fits(outline, device, mode),
    )


def _what_fits(outline: Outline, device: Device, mode: str) -> str:
    context = outline.checkpoint.context
    smaller = MODES[MODES.index(mode) + 1 :] if device.on_card and not outline.checkpoint.quantized else ()
    for other in smaller:
        if (need := needed_bytes(outline, device, context, other)) <= device.free_bytes:
            return f"With --mode {other} it needs {need / 1e9:.1f} GB."
    for context in _SHORTER_CONTEXTS:
        need = needed_bytes(outline, device, context, mode)
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
