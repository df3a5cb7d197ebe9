"""Which device a model runs on, in which precision, and whether there is room for it.

Knows nothing about files: it is told sizes. How much a way of keeping a model takes is app.memory_plan's.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from app.engine import card_fault
from app.engine.build import Outline
from app.engine.events import AUTO, KVS, MODES, PROCESSOR, Loadout
from app.errors import UserError
from app.frames import seconds
from app.memory_plan import (
    CUDA_BYTES,
    FITS,
    LOADING_BYTES,
    QUANTIZED_WORKSPACE_BYTES,
    WHOLE,
    WORKSPACE_BYTES,
    Fit,
    MemoryPlan,
    Sizes,
    on_processor,
    plan,
    weigh,
)

log = logging.getLogger(__name__)

CPU, CUDA = "cpu", "cuda"

_SMALL_BYTES = 100_000_000

_ALLOCATOR_SETTINGS = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
"""Environment variables by which a user tells torch how to ask for graphics memory."""


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
    """What other programs leave; on a graphics card with what CUDA itself takes for this one."""
    total_bytes: int

    @property
    def on_card(self) -> bool:
        """Return whether this is a graphics card."""
        return self.device.type == "cuda"


def choose_device(wish: str = AUTO) -> Device:
    """Return where to run, with its memory as it is now.

    `wish` is 'cpu', 'cuda', 'cuda:1' or the like; 'auto' and 'cuda' take the graphics card with the most free
    memory of those that PyTorch has code for, 'auto' the processor where there is none. Raises UserError for
    a card that is not there or can not be used, CardLost where this process can use none any more.
    """
    if wish == CPU:
        return _processor()
    if card_fault.is_lost():
        raise card_fault.CardLost
    if torch.cuda.device_count():
        grow_segments()
    cards = [_card(index) for index in range(torch.cuda.device_count()) if not card_trouble(index)]
    chosen = [card for card in cards if wish in (AUTO, CUDA, str(card.device))]
    if not chosen and wish != AUTO:
        raise _no_such_card(wish, cards)
    return max(chosen, key=lambda card: card.free_bytes, default=None) or _processor()


@cache
def grow_segments() -> None:
    """Let torch's segments of graphics memory grow, so that no gaps stay; a user's own settings go first."""
    if not any(os.environ.get(name) for name in _ALLOCATOR_SETTINGS):
        _set_allocator("expandable_segments:True")


def _set_allocator(settings: str) -> None:
    torch.cuda.memory._set_allocator_settings(settings)


@cache
def card_trouble(index: int) -> str:
    """Return why PyTorch can not use a graphics card, '' where it can: one tiny kernel decides."""
    try:
        _try_card(index)
    except torch.OutOfMemoryError:
        return ""  # It is full, and works.
    except RuntimeError as fault:
        log.warning("card %d can not be used", index, exc_info=fault)
        if "no kernel image" not in str(fault):
            return str(fault).splitlines()[0]
        major, minor = torch.cuda.get_device_capability(index)
        return f"this PyTorch has no code for compute capability {major}.{minor}"
    return ""


def _try_card(index: int) -> None:
    """Run one tiny kernel. Raises RuntimeError where that can not be."""
    try:
        torch.ones(2, device=f"{CUDA}:{index}").add_(1).sum().item()
    except RuntimeError as fault:
        # Part of a card that a virtual machine has got may not let memory be mapped, as growing takes.
        if "not supported" not in str(fault):
            raise
        _set_allocator("expandable_segments:False")
        torch.ones(2, device=f"{CUDA}:{index}").add_(1).sum().item()


def _processor() -> Device:
    free, total = _memory()
    return Device(torch.device(CPU), PROCESSOR, torch.float32, free, total)


def _card(index: int) -> Device:
    # What a model that was closed left in torch's cache is free as well.
    gc.collect()
    torch.cuda.empty_cache()
    free, total = card_memory(index)
    major, _ = torch.cuda.get_device_capability(index)
    dtype = torch.bfloat16 if major >= 8 else torch.float16
    return Device(torch.device(CUDA, index), torch.cuda.get_device_name(index), dtype, free, total)


def _no_such_card(wish: str, cards: list[Device]) -> UserError:
    known = [CPU, *(str(card.device) for card in cards)]
    return UserError(
        f"There is no device '{wish}' that PyTorch can use.", f"Choose {AUTO} or one of {', '.join(known)}."
    )


def card_memory(index: int) -> tuple[int, int]:
    """Return what other programs leave of a graphics card, and what there is.

    To ask, CUDA takes memory for this process, which the need of a model counts: it is free as well.
    """
    free, total = torch.cuda.mem_get_info(index)
    return min(total, free + CUDA_BYTES), total


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
    reason = _unpackable(outline) or ("moshi's own engine" if loadout.engine == "moshi" else "")
    _check_wishes(outline.checkpoint.name, packed, reason, loadout)
    if not device.on_card:
        return Fit(_wish(loadout.mode, WHOLE), _wish(loadout.kv, KVS[0]))
    sizes = sizes_of(outline, device)
    mode = WHOLE if packed or reason else loadout.mode
    return plan(sizes, device.free_bytes, mode, KVS[0] if reason else loadout.kv).fit


def sizes_of(outline: Outline, device: Device) -> Sizes:
    """Return what the parts of a model take of a device, in each way in which it can be kept there."""
    checkpoint, whole = outline.checkpoint, outline.packed != WHOLE or _unpackable(outline)
    # moshi computes with 8-bit weights in float16, whatever the rest is kept in.
    element_bytes = 2 if checkpoint.quantized else device.dtype.itemsize
    sizes = Sizes(
        {mode: outline.lm_bytes(device.dtype, mode) for mode in (MODES[:1] if whole else MODES)},
        outline.mimi_bytes,
        checkpoint.config,
        checkpoint.context,
        element_bytes=element_bytes,
        packable_kv=not _unpackable(outline),
        workspace=QUANTIZED_WORKSPACE_BYTES if checkpoint.quantized else WORKSPACE_BYTES,
        loading=LOADING_BYTES + outline.adapter_bytes(device.dtype),
    )
    return sizes if device.on_card else on_processor(sizes)


def _unpackable(outline: Outline) -> str:
    """Return why neither weights nor keys and values can be packed, '' where they can."""
    return outline.uncovered or ("weights in q8" if outline.checkpoint.quantized else "")


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


def needed_bytes(outline: Outline, device: Device, context: int, fit: Fit = FITS[0]) -> int:
    """Return what a talk takes of a device: weights, Mimi, the ring of keys and values, and room to work."""
    return sizes_of(outline, device).needed_bytes(fit, context)


def packing_bytes(outline: Outline, dtype: torch.dtype, mode: str) -> int:
    """Return what reading and packing a model takes of a graphics card, without a talk."""
    return outline.lm_bytes(dtype, mode) + LOADING_BYTES + CUDA_BYTES


def check_memory(outline: Outline, device: Device, fit: Fit = FITS[0]) -> int:
    """Return what a talk takes, in bytes; raise UserError with what would fit if there is no room."""
    sizes = sizes_of(outline, device)
    found = weigh(sizes, fit, device.free_bytes)
    if found.fits:
        return found.needed_bytes
    memory = "graphics memory" if device.on_card else "memory"
    raise UserError(
        f"{outline.checkpoint.name} needs {found.needed_bytes / 1e9:.1f} GB of {memory}, and "
        f"{device.free_bytes / 1e9:.1f} of {device.total_bytes / 1e9:.1f} GB are free on {device.label}.",
        _what_fits(sizes, device, found),
    )


def _what_fits(sizes: Sizes, device: Device, found: MemoryPlan) -> str:
    smaller = FITS[FITS.index(found.fit) + 1 :] if found.fit in FITS and device.on_card else ()
    for way in smaller if len(sizes.weights) > 1 else ():
        need = sizes.needed_bytes(way)
        if need <= device.free_bytes:
            if way.kv == KVS[0]:
                return f"With --mode {way.mode} it needs {need / 1e9:.1f} GB."
            return f"With --mode {way.mode} and --kv {way.kv} it needs {need / 1e9:.1f} GB."
    if found.context is not None:
        need = sizes.needed_bytes(found.fit, found.context)
        return (
            f"With a context of {found.context} frames ({seconds(found.context):.0f} s) "
            f"it needs {need / 1e9:.1f} GB."
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
