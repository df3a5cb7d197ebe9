"""`python -m app.engine.device_test REQUEST`: checks our engine on a device, in a process of its own.

Prints a JSON line for what it is about, for each check as it begins and for each finding, and one last that
says that it came to its end. Run by the first load of a model on a card and by `aizuchi doctor --check`.
Knows nothing about which engine follows from it.
"""

from __future__ import annotations

import gc
import hashlib
import json
import platform
import re
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from moshi.models import LMModel, loaders
from moshi.utils.compile import no_compile

import app
from app.engine import build, card_fault, device_checks, modes
from app.engine import device_record as records
from app.engine.build import Outline
from app.engine.checkpoint import Checkpoint, find
from app.engine.choice import choose_engine, situation
from app.engine.compared import ROWS_AT_ONCE
from app.engine.device import (
    CPU,
    Device,
    choose_device,
    choose_fit,
    compile_trouble,
    needed_bytes,
    share_cores,
    sizes_of,
)
from app.engine.device_checks import cut_config, with_twin
from app.engine.device_record import GRAPH, KERNELS, LOGITS, MIMI, MOSHI, SPEED, Finding, Record
from app.engine.events import AUTO, KVS, Event, Loading, Loadout
from app.engine.fast.layers import Ops
from app.engine.fast.plain import Plain
from app.engine.stepper import make_ops
from app.errors import UserError
from app.memory_plan import CUDA_BYTES, WHOLE, WORKSPACE_BYTES, Fit, kv_bytes

STAGE = "Checking the graphics card"
"""What a load tells while a test runs."""

PROGRAM = ("fast/*.py", "penalty.py", "in_place.py", "stepper.py", "device_checks.py", "compared.py")
"""The files below `app/engine` on which it depends whether a card is used rightly."""

MARGIN_BYTES = 200_000_000
"""What a test leaves of a card's memory."""

GRACE_S = 10
"""So much later than its limit a test ends itself, should nobody be left who ends it."""

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be tested, as JSON values."""

    spec: str
    base: str | None = None
    models: str | None = None
    context: int | None = None
    mode: str = AUTO
    kv: str = AUTO
    device: str = AUTO
    mimi_apart: bool = False
    whole: bool = False
    """Whether to read the model's own weights where there is room, and to time moshi's engine at any rate."""
    limit_s: float = records.LIMIT_S


def main(argv: list[str]) -> int:
    """Do what a request says; the status is 0 where the test came to its end, whatever it found."""
    request = Request(**json.loads(argv[0]))
    # Should the one that asked be gone, nobody else ends a test that hangs.
    signal.alarm(int(request.limit_s) + GRACE_S)
    try:
        run_checks(request, _print)
    except UserError as fault:
        _print({"done": f"{fault.sentence} {fault.advice}".strip()})
    return 0


def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line, default=str), flush=True)


def check_once(
    outline: Outline,
    device: Device,
    fit: Fit,
    *,
    compiled: bool,
    request: Request,
    cache: Path,
    emit: Callable[[Event], None],
) -> Record | None:
    """Return what is known about a model on a card; where nothing is, let a child find out and keep it.

    None for a processor, and where our own engine is not used.
    """
    if not device.on_card or outline.uncovered or outline.checkpoint.quantized:
        return None
    key, _ = identify(outline, device, fit, compiled=compiled)
    if (known := records.read(cache, key)) is not None:
        return known
    with records.alone(cache):
        # Another program may have been at it meanwhile.
        if (known := records.read(cache, key)) is not None:
            return known
        emit(Loading(STAGE))
        asked = replace(
            request,
            mode=outline.packed if fit.mode == WHOLE else fit.mode,
            kv=fit.kv,
            device=str(device.device),
            mimi_apart=fit.mimi_apart,
        )
        torch.cuda.empty_cache()
        found = replace(records.run_child(records.child_command(asdict(asked))), key=key)
        if found.lasting:
            records.write(cache, found)
        return found


def foresee(spec: str, models: Path, cache: Path, loadout: Loadout) -> dict[str, str]:
    """Return which engine a load would take, and why: 'engine', 'device', 'reason', 'checked'.

    Tests nothing: what was never tested is as a load finds it before its test. Raises UserError for a model
    that can not be loaded so.
    """
    found = find(spec, models=models, reach="never")
    outline = build.prove(_shorten(found, loadout.context))
    device = choose_device(CPU if found.bundled and loadout.device == AUTO else loadout.device)
    fit = choose_fit(outline, device, loadout)
    compiled = device.on_card and compile_trouble(device) is None
    key, _ = identify(outline, device, fit, compiled=compiled)
    record = records.read(cache, key) if device.on_card else None
    choice = choose_engine(loadout.engine, situation(outline, device, fit, record))
    reason = outline.uncovered or (choice.trouble[0] if choice.trouble else "")
    checked = records.describe(record)
    return {"engine": choice.engine, "device": device.label, "reason": reason, "checked": checked}


# --- What a record holds good for ---------------------------------------------------------------------


def identify(outline: Outline, device: Device, fit: Fit, *, compiled: bool) -> tuple[str, dict[str, Any]]:
    """Return the key of a record, and what it is about in readable form, which names no single card."""
    found, here = outline.checkpoint, situation(outline, device, fit, None)
    about = {
        "model": found.name,
        "mode": outline.packed if fit.mode == WHOLE else fit.mode,
        "kv": fit.kv,
        "packed": here.packed,
        "uncovered": here.uncovered,
        "dtype": str(device.dtype).removeprefix("torch."),
        "context": found.context,
        "device": device.label,
        "graphs": device.on_card,
        "checks": _checks(device, fit),
        "compiled": compiled,
        "mimi_apart": fit.mimi_apart,
        "capability": list(torch.cuda.get_device_capability(device.device)) if device.on_card else None,
        "driver": driver_version(),
        "versions": {
            **{name: _version(name) for name in ("aizuchi", "torch", "triton", "moshi")},
            "cuda": torch.version.cuda,
            "python": platform.python_version(),
        },
        "program": program_hash(),
        "shape": records.make_key({"config": found.config, "mimi": found.mimi_config}),
    }
    single = {**about, "model": "", "card": _single_card(device)}
    return records.make_key(single), about


def _checks(device: Device, fit: Fit) -> list[str]:
    """Return what our engine has to be right in: a processor captures no graphs."""
    if not device.on_card:
        return [KERNELS, LOGITS]
    return [KERNELS, LOGITS, GRAPH, *([] if fit.mimi_apart else [MIMI])]


def program_hash() -> str:
    """Return a name for the code that a test is about: another version of it is tested anew."""
    engine = Path(app.__file__).parent / "engine"
    digest = hashlib.sha256()
    for path in sorted(path for pattern in PROGRAM for path in engine.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def driver_version() -> str:
    """Return the version of NVIDIA's driver, '' where there is none."""
    with suppress(OSError):
        found = re.search(r"\d+\.\d[\d.]*", Path("/proc/driver/nvidia/version").read_text())
        return found.group() if found else ""
    return ""


def _single_card(device: Device) -> str:
    """Return what tells this card from others of its kind."""
    if not device.on_card:
        return platform.machine()
    return str(getattr(torch.cuda.get_device_properties(device.device), "uuid", device.device))


def _version(package: str) -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return ""


# --- The test -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bench:
    """What the checks of one test share."""

    outline: Outline
    device: Device
    fit: Fit
    mode: str
    """How our step takes the weights, packed in their file or while they are read."""
    ops: Ops
    say: Say

    def attempt(self, name: str, check: Callable[[], Finding]) -> bool:
        """Do a check and tell what it found; return whether there is any use in going on."""
        self.say({"begins": name})
        useful = True
        try:
            finding = check()
        except torch.OutOfMemoryError:
            finding = Finding(name, None, "the memory ran out", {})
        except Exception as fault:
            # Compilers, drivers and kernels fail in ways of their own; each says that this can not be used.
            first = (str(fault).strip() or "no reason given").splitlines()[0]
            finding = Finding(name, False, f"{type(fault).__name__}: {first[:200]}", {})
            useful = not card_fault.loses_card(fault)
        self.say({"finding": asdict(finding)})
        gc.collect()
        if self.device.on_card and useful:
            torch.cuda.empty_cache()
        return useful


def run_checks(request: Request, say: Say) -> None:
    """Do all checks of a request. Raises UserError where there is nothing to test."""
    outline = build.prove(_found(request))
    wish = CPU if outline.checkpoint.bundled and request.device == AUTO else request.device
    device = choose_device(wish)
    if device.on_card:
        torch.cuda.set_device(device.device)
    loadout = Loadout(mode=request.mode, kv=request.kv, device=request.device)
    fit = replace(choose_fit(outline, device, loadout), mimi_apart=request.mimi_apart)
    share_cores(outline, device)
    compiled = device.on_card and compile_trouble(device) is None
    key, about = identify(outline, device, fit, compiled=compiled)
    say({"key": key, "about": about})
    if outline.uncovered or outline.checkpoint.quantized:
        reason = outline.uncovered or "weights in q8"
        raise UserError(f"moshi's own engine steps {outline.checkpoint.name}, which has {reason}.")
    _refuse_short(outline, device, fit)
    mode = outline.packed if fit.mode == WHOLE else fit.mode
    bench = _Bench(outline, device, fit, mode, make_ops() if compiled else Plain(), say)
    with nullcontext() if compiled else no_compile():
        useful = _check_ours(bench, whole=request.whole)
    say({"done": "" if useful else "the card did nothing more after a fault"})


def _found(request: Request) -> Checkpoint:
    """Return the model of a request, as a load takes it; nothing is downloaded."""
    models = Path(request.models) if request.models else None
    return _shorten(find(request.spec, base=request.base, models=models, reach="never"), request.context)


def _shorten(found: Checkpoint, context: int | None) -> Checkpoint:
    if context is None or context >= found.context:
        return found
    return replace(found, config={**found.config, "context": context})


def _check_ours(bench: _Bench, *, whole: bool) -> bool:
    """Do the checks one after the other; return whether the device was of use to the end."""
    outline, device, fit, ops = bench.outline, bench.device, bench.fit, bench.ops
    config = outline.checkpoint.config
    is_real = whole and _is_room_for_all(bench)
    where = bench.mode, device.device, device.dtype
    lm = _real(bench) if is_real else device_checks.cut_lm(config, *where)
    long = lm if is_real else device_checks.lengthen(lm, config, bench.mode)
    checks: dict[str, Callable[[], Finding]] = {
        KERNELS: lambda: device_checks.check_kernels(lm, ops, fit.kv),
        # The twin is gone before rings of all layers are made: there may be no room for both at once.
        LOGITS: lambda: device_checks.check_logits(with_twin(lm, config, bench.mode), ops, fit.kv),
        GRAPH: lambda: device_checks.check_graph(lm, ops, fit.kv),
        MIMI: lambda: device_checks.check_mimi(build.load_mimi(outline.checkpoint, device.device)),
        SPEED: lambda: device_checks.check_speed(long, ops, fit.kv),
        MOSHI: lambda: device_checks.check_moshi(long),
    }
    is_whole = bench.mode == WHOLE and fit.kv == KVS[0]
    wanted = [*_checks(device, fit), SPEED, *([MOSHI] if is_whole else [])]
    return all(bench.attempt(name, checks[name]) for name in wanted)


def _real(bench: _Bench) -> LMModel:
    """Read a model's own weights."""
    outline, device = bench.outline, bench.device
    return build.load_lm(outline, device.device, device.dtype, lambda *_: None)


def _is_room_for_all(bench: _Bench) -> bool:
    """Say whether a model's own weights can be read whole, with rings for both engines beside them."""
    outline, device = bench.outline, bench.device
    context = outline.checkpoint.context
    ring = kv_bytes(outline.checkpoint.config, context, device.dtype.itemsize)
    need = needed_bytes(outline, device, context, Fit()) + ring + _scratch_bytes(outline)
    return bench.mode == WHOLE and need <= device.free_bytes


def _refuse_short(outline: Outline, device: Device, fit: Fit) -> None:
    """Raise UserError where a device has no room for a test."""
    need = check_bytes(outline, device, fit) + MARGIN_BYTES
    if need > device.free_bytes:
        sentence = (
            f"The check needs {need / 1e9:.1f} GB of memory, and {device.free_bytes / 1e9:.1f} GB are free."
        )
        raise UserError(sentence)


def check_bytes(outline: Outline, device: Device, fit: Fit) -> int:
    """Return the most that a test takes: a model of few layers, and its twin, Mimi or rings of all layers."""
    config, element_bytes = outline.checkpoint.config, device.dtype.itemsize
    with torch.device("meta"):
        lm = loaders.get_moshi_lm(None, cut_config(config), device="meta", dtype=torch.bfloat16)
    whole = sum(each.numel() for each in lm.state_dict().values()) * element_bytes
    mode = outline.packed if fit.mode == WHOLE else fit.mode
    ours = whole - modes.saved_bytes(lm, mode, element_bytes)
    twin = 0 if mode == WHOLE else whole
    # FrameStep joins the tables of codes, which are held twice for a moment.
    tables = sum(each.weight.numel() for each in lm.emb) * element_bytes
    ring = sizes_of(outline, device).ring(fit.kv, outline.checkpoint.context)
    mimi = 0 if fit.mimi_apart else outline.mimi_bytes
    workspace = CUDA_BYTES + WORKSPACE_BYTES if device.on_card else 0
    return int(ours + tables + max(twin, ring, mimi) + workspace + _scratch_bytes(outline))


def _scratch_bytes(outline: Outline) -> int:
    """Return what a comparison with float32 holds: rows of a weight, thrice, and rings of a few layers."""
    config = outline.checkpoint.config
    widest = int(config["dim"] * config.get("hidden_scale", 4))
    ring = kv_bytes({**config, "num_layers": 1}, outline.checkpoint.context, 4)
    return 3 * ROWS_AT_ONCE * widest * 4 + 4 * ring


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
