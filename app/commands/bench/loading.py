"""`aizuchi bench loading`: how long weights take from a cold disk to the device, against moshi's own loader.

A file of random weights is made for it and removed afterwards, or a model's own is read. Before each reading
the file is dropped from the memory that the system keeps of files. Prints a table and one JSON line last.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sentencepiece
import torch
from moshi.models import LMModel, loaders
from safetensors.torch import save_file

from app import catalog
from app.commands.bench.engine import random_lm
from app.engine import build
from app.engine.checkpoint import Checkpoint, find
from app.engine.device import choose_device
from app.engine.fast.frame import uncovered
from app.engine.reader import CHUNK_BYTES, THREADS
from app.engine.weights import is_index
from app.errors import UserError
from app.memory_plan import WHOLE

if TYPE_CHECKING:
    from app.paths import Paths


@dataclass(frozen=True)
class Measured:
    """The median of some readings; GB are 1e9 bytes."""

    file_gb: float
    device: str
    disk_gb_s: float
    """What as many threads get from the disk that only read."""
    load_s: float
    against_load_s: float
    load_ratio: float
    """How many times as long moshi's loader takes."""
    disk_share: float
    """How much of the disk's rate our loader gets."""


def main(argv: list[str], where: Paths | None = None) -> int:
    """Run the command and return its exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi bench loading", description="Measure how long weights take from a cold disk."
    )
    add = parser.add_argument
    add("--model", metavar="NAME|DIR", help="whose weights are read; default: random ones, made in place")
    add(
        "--layers", type=int, default=1, help="of the 7B model's 32, for random weights (default %(default)s)"
    )
    add("--folder", type=Path, help="where those are written, on the disk to be measured")
    add("--times", type=int, default=3, help="how often each is read (default %(default)s)")
    add("--json", action="store_true", help="print no table")
    options = parser.parse_args(argv)
    if options.layers < 1 or options.times < 1:
        parser.error("at least 1 layer is read, and at least once")
    if options.folder is not None and not options.folder.is_dir():
        raise UserError(f"There is no folder {options.folder}.", "Name one on the disk to be measured.")
    if options.model:
        measured = measure(find(options.model, models=where.models if where else None), options.times)
    else:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            measured = measure(_random(Path(folder), options.layers), options.times)
    if not options.json:
        for name, value in vars(measured).items():
            print(f"{name.replace('_', ' '):>16}  {value}")
    print(json.dumps(asdict(measured)), flush=True)
    return 0


def measure(found: Checkpoint, times: int) -> Measured:
    """Read the weights of a checkpoint so many times in each way, one after the other."""
    device, path = choose_device(), found.weights
    if is_index(path):
        raise UserError("moshi's own loader takes no shards.", "Choose a model whose weights are one file.")
    size = path.stat().st_size
    with torch.device("meta"):
        shape = loaders.get_moshi_lm(None, dict(found.config), device="meta", dtype=torch.bfloat16)
    covered = uncovered(shape)

    def ours() -> LMModel:
        with torch.device("meta"):
            lm = loaders.get_moshi_lm(None, dict(found.config), device="meta", dtype=torch.bfloat16)
        outline = build.Outline(found, lm, sentencepiece.SentencePieceProcessor(), WHOLE, covered)
        return build.load_lm(outline, device.device, device.dtype, lambda *_: None)

    def moshis() -> LMModel:
        lm: LMModel = loaders.get_moshi_lm(path, dict(found.config), device.device, device.dtype)
        return lm

    ways: list[Callable[[], Any]] = [lambda: _read_raw(path), ours, moshis]
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(times):
        for way, each in zip(ways, taken, strict=True):
            _forget(path)
            began = time.perf_counter()
            result = way()
            if isinstance(result, LMModel):
                _touch(result)
            each.append(time.perf_counter() - began)
            del result
            gc.collect()
    disk_s, load_s, against_s = (float(np.median(each)) for each in taken)
    return Measured(
        file_gb=round(size / 1e9, 2),
        device=device.label,
        disk_gb_s=round(size / disk_s / 1e9, 2),
        load_s=round(load_s, 3),
        against_load_s=round(against_s, 3),
        load_ratio=round(against_s / load_s, 2),
        disk_share=round(disk_s / load_s, 2),
    )


def _random(folder: Path, layers: int) -> Checkpoint:
    """Write random weights in the shape of a known model with so many layers."""
    config = {**catalog.moshi_7b(), "num_layers": layers}
    lm = random_lm(config, WHOLE, torch.device("cpu"), torch.bfloat16)
    path = folder / catalog.MOSHI_NAME
    save_file(lm.state_dict(), path)
    return Checkpoint("random", "folder", str(folder), path, path, path, config)


def _read_raw(path: Path) -> None:
    """Read a file with as many threads as the loader, and do nothing with it."""
    file = os.open(path, os.O_RDONLY)
    try:
        with ThreadPoolExecutor(THREADS) as threads:
            buffers = [bytearray(CHUNK_BYTES) for _ in range(THREADS)]
            starts = range(0, os.fstat(file).st_size, CHUNK_BYTES)

            def read(first: int) -> None:
                for start in starts[first::THREADS]:
                    os.preadv(file, [buffers[first]], start)

            list(threads.map(read, range(THREADS)))
    finally:
        os.close(file)


def _forget(path: Path) -> None:
    """Drop a file from the memory that the system keeps of files."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def _touch(lm: LMModel) -> None:
    """Wait until the weights are there: what is only mapped into memory is read when it is looked at."""
    for tensor in lm.state_dict().values():
        tensor.view(-1)[::1024].sum()
    if lm.device.type == "cuda":
        torch.cuda.synchronize()
