"""`aizuchi quantize`: a model in 8 or 4 bits, in a folder that needs nothing else, and what it lost.

Knows nothing about how weights are packed.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from app import catalog
from app.audio.wav import WavPort
from app.engine import build, modes
from app.engine.checkpoint import MIMI_CONFIG_NAME, Checkpoint, copy_voices, find
from app.engine.compare import agreement, expectations, talk_tokens
from app.engine.configuration import CONFIG_NAME
from app.engine.device import Device, choose_device, choose_fit, needed_bytes, packing_bytes
from app.engine.events import MODES, Loadout
from app.engine.reader import unfinite
from app.engine.weights import fingerprint
from app.errors import UserError
from app.faults import refused
from app.files import make_folder, named, replacing_folder, write_json
from app.frames import Samples
from app.memory_plan import DESKTOP_BYTES, WHOLE
from app.paths import Paths

REPORT = "report.json"

REPORT_FRAMES = 375
"""Half a minute: the figures settle long before."""

_COMPARED_BYTES = 500_000_000
"""What the states and logits of so many frames take at a time."""


def main(argv: list[str], where: Paths) -> int:
    """Write the model, compare it if asked to, and return the exit status. Raises UserError."""
    options = _parse(argv)
    found = find(options.model, base=options.base, models=where.models)
    out: Path = options.out or where.models / f"{found.name}-{options.mode}"
    out = named(out)
    if out.exists():
        raise UserError(f"{out} exists already.", "Name a new folder with --out, or remove it.")
    user = WavPort(options.report) if options.report else None
    outline = build.prove(found)
    if found.quantized or outline.packed != WHOLE:
        raise UserError(f"The weights of {found.name} are packed already.", "Choose the whole model.")
    choose_fit(outline, choose_device(), Loadout(mode=options.mode))
    device = choose_device()
    print(f"Packing {found.name} in {options.mode} on {device.label}…", flush=True)
    write_packed(outline, _packing_device(outline, device, options.mode), options.mode, out)
    report: dict[str, Any] = {"folder": str(out), "mode": options.mode, "bytes": _weights(out).stat().st_size}
    report["whole_bytes"] = found.weights_bytes
    if user is not None:
        report |= compare(found, find(str(out)), user, device)
        write_json(out / REPORT, report)
    _tell(report)
    if options.json:
        print(json.dumps(report))
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi quantize", description="Make a smaller and faster model: weights in 8 or 4 bits."
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="a known model, a folder, or a hub repository owner/name")
    add("--mode", choices=MODES[1:], default=MODES[1], help="int8, or 4 bits for most (default %(default)s)")
    add("--base", metavar="NAME|DIR", help="what an adapter was trained on")
    add("--out", type=Path, metavar="DIR", help="where it goes; default: among the program's models")
    add("--report", type=Path, metavar="FILE", help="compare it with its source on this recorded user")
    add("--json", action="store_true", help="print the result as one line of JSON last")
    return parser.parse_args(argv)


def write_packed(outline: build.Outline, device: torch.device, mode: str, out: Path) -> None:
    """Write a proven whole model, packed, and copies of Mimi and the tokenizer. Raises UserError."""
    found = outline.checkpoint
    try:
        make_folder(out.parent)
        with replacing_folder(out) as part:
            lm = build.load_lm(outline, device, build.precision(found), _percent(), mode)
            said = {"format": modes.FORMAT, "version": modes.VERSION, "mode": mode}
            said["source"] = fingerprint(found.weights)
            state = {name: each.contiguous() for name, each in lm.state_dict().items()}
            if (name := unfinite(state)) is not None:
                sentence = f"{found.name} can not be packed: {name} would hold numbers that are not finite."
                raise UserError(sentence, "Choose another --mode.")
            save_file(state, _weights(part), said)
            shutil.copyfile(found.mimi, part / catalog.MIMI_NAME)
            shutil.copyfile(found.tokenizer, part / catalog.TOKENIZER_NAME)
            copy_voices(found, part)
            _write_config(part, found)
    except Exception as fault:
        if (refusal := refused(fault)) is None:
            raise
        advice = "Free some space, or name another disk with --out."
        raise UserError(f"{out} can not be written: {refusal.strerror or refusal}.", advice) from fault


def _write_config(folder: Path, found: Checkpoint) -> None:
    config = {
        **found.config,
        "moshi_name": catalog.MOSHI_NAME,
        "mimi_name": catalog.MIMI_NAME,
        "tokenizer_name": catalog.TOKENIZER_NAME,
        "lm_gen_config": found.generation,
        "model_type": "moshi",
    }
    if found.mimi_config is not None:
        write_json(folder / MIMI_CONFIG_NAME, found.mimi_config)
        config["mimi_config_name"] = MIMI_CONFIG_NAME
    write_json(folder / CONFIG_NAME, config)


def compare(found: Checkpoint, packed: Checkpoint, user: WavPort, device: Device) -> dict[str, Any]:
    """Return how near the expectations of a packed model are to its source's, by the names of the streams.

    One model is in memory at a time.
    """
    frames: list[Samples] = []
    while (heard := user.take()) is not None and len(frames) < REPORT_FRAMES:
        frames.append(heard.samples)
    whole_outline = build.prove(found)
    # What does not fit the card is compared on the processor, in hours.
    need = needed_bytes(whole_outline, device, REPORT_FRAMES) + _COMPARED_BYTES
    fits = need + DESKTOP_BYTES <= device.free_bytes
    on = (device.device, device.dtype) if fits else (torch.device("cpu"), torch.float32)
    lm = build.load_lm(whole_outline, *on, _percent())
    tokens = talk_tokens(lm, build.load_mimi(found, on[0]), frames)
    whole = expectations(lm, tokens)
    del lm, whole_outline
    gc.collect()
    lm = build.load_lm(build.prove(packed), *on, _percent())
    names = ("text", "semantic", *(f"acoustic {at}" for at in range(1, len(whole) - 1)))
    streams = {
        name: agreement(*pair)
        for name, pair in zip(names, zip(whole, expectations(lm, tokens), strict=True), strict=True)
    }
    return {
        "frames": tokens.shape[2],
        "top1": _mean([each.top1 for each in streams.values()]),
        "kl": _mean([each.kl for each in streams.values()]),
        "streams": {name: each._asdict() for name, each in streams.items()},
    }


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 6)


def _packing_device(outline: build.Outline, device: Device, mode: str) -> torch.device:
    """Return the graphics card if it has room for the packed weights, the processor otherwise."""
    need = packing_bytes(outline, build.precision(outline.checkpoint), mode)
    room = need + DESKTOP_BYTES <= device.free_bytes
    return device.device if room else torch.device("cpu")


def _weights(folder: Path) -> Path:
    return folder / catalog.MOSHI_NAME


def _percent() -> Callable[[int, int], None]:
    """Return what tells how far the reading is, ten times in all."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if (tenth := 10 * done // max(1, total)) > told:
            told = tenth
            print(f"  {10 * tenth} %", flush=True)

    return tell


def _tell(report: dict[str, Any]) -> None:
    print(f"{report['bytes'] / 1e6:,.0f} MB in place of {report['whole_bytes'] / 1e6:,.0f} MB.")
    for name, each in report.get("streams", {}).items():
        print(f"{name:>12}  the likeliest token is the same in {each['top1']:.1%}, KL {each['kl']:.4f}")
    print(f"Talk with it: aizuchi talk --model {report['folder']}")
