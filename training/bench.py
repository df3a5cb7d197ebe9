"""`aizuchi bench train`: how fast training is and how much memory it takes, on random weights.

Nothing is downloaded. With `--against kyutai` the step of kyutai-labs/moshi-finetune is measured in the same
run, step by step in turn, on the same weights and batches. Prints a table for people and one JSON line last.
Knows nothing about how a step is done.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from moshi.models import loaders
from moshi.utils.compile import no_compile

from app.engine.fake import tiny_config
from app.errors import UserError
from app.frames import FRAME_RATE, FRAME_SAMPLES
from training import yardstick
from training.config import Batch
from training.data.shards import Shards
from training.examples import Examples, Window, choose
from training.memory import Watch, expected_peak, layers_that_fit, wait

if TYPE_CHECKING:
    from app.paths import Paths

TINY_TEXT_CARD = 640

WARM_UP_STEPS = 2
"""Steps that do not count: they compile, and the optimiser makes its states in the first."""

PADDING_SHARE = 0.65
"""Of the text of a talk, about."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to train, in figures."""

    config: str
    device: str
    torch: str
    bits: int
    seconds: float
    batch: int
    rank: int
    both: bool
    optimizer: str
    kept_layers: int
    """That were not checkpointed."""
    audio_s_per_s: float
    """Seconds of dialogue learnt from in a second, the median step."""
    data_share: float
    """Of a step's time, for reading examples and bringing them to the device."""
    peak_gb: float
    expected_gb: float
    """What `training.memory` expects in place of peak_gb."""
    loss: float
    """Of the first batch, in nats."""
    against_audio_s_per_s: float | None = None
    against_peak_gb: float | None = None
    ratio: float | None = None
    """How many times as fast as the other side."""
    loss_difference: float | None = None
    """Between both sides on the first batch, in nats."""
    against_encoding_s: float | None = None
    """What the other side takes besides for each batch: it runs Mimi while it trains."""
    ratio_with_encoding: float | None = None


def main(argv: list[str], where: Paths | None = None) -> int:
    """Run the command and return its exit status. Raises UserError."""
    options = _parse(argv)
    with tempfile.TemporaryDirectory(prefix="aizuchi-bench-") as folder:
        runs = [_measure(options, bits, Path(folder)) for bits in options.bits]
    if not options.json:
        _print_table(runs)
    print(json.dumps({**asdict(runs[0]), "runs": [asdict(run) for run in runs]}), flush=True)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi bench train",
        description="Measure how fast training is and how much memory it takes, on random weights.",
    )
    parser.add_argument("--config", choices=("7b", "small", "tiny"), default="7b")
    parser.add_argument("--seconds", type=float, default=100.0, help="length of an example (%(default)s)")
    parser.add_argument("--batch", type=int, default=1, help="examples in a step (%(default)s)")
    parser.add_argument("--rank", type=int, default=128, help="of the adapter (%(default)s)")
    parser.add_argument("--bits", type=_bits, default=[16], help="of the base: 16, 8, 4 or several (16)")
    parser.add_argument("--both", action="store_true", help="predict the user's voice too")
    parser.add_argument("--steps", type=int, default=10, help="that are measured (%(default)s)")
    parser.add_argument("--against", choices=("kyutai",), help="measure another finetuner in the same run")
    parser.add_argument("--optimizer", choices=("adamw", "adamw8bit"), default="adamw")
    parser.add_argument("--chunk-frames", type=int, default=512, help="of heads and depth (%(default)s)")
    parser.add_argument(
        "--keep-layers", type=_layers, default=0, help="that are not checkpointed, or: auto (%(default)s)"
    )
    parser.add_argument("--no-compile", action="store_true", help="leave the layers as they are")
    parser.add_argument("--json", action="store_true", help="print no table")
    options = parser.parse_args(argv)
    if min(options.batch, options.rank, options.steps, options.chunk_frames) < 1 or options.seconds < 1:
        parser.error("batch, rank, steps, chunk-frames and seconds are at least 1")
    return options


def _bits(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not set(found) <= {16, 8, 4}:
        raise argparse.ArgumentTypeError("name 16, 8, 4 or several of them, such as 16,8,4")
    return found


def _layers(text: str) -> int | None:
    """Return a number, None for as many as fit."""
    if text != "auto" and not text.isdigit():
        raise argparse.ArgumentTypeError("name a number, or auto")
    return None if text == "auto" else int(text)


def make_config(name: str, both: bool = False) -> dict[str, Any]:
    """Return LMModel's arguments: the 7B, one of 1/100 of it, or the tiny one of the tests."""
    config: dict[str, Any] = dict(loaders._lm_kwargs) if name == "7b" else tiny_config(TINY_TEXT_CARD)
    if name == "small":
        config.update(dim=512, num_heads=8, num_layers=8, card=1024, text_card=8000, context=3000)
        config.update(depformer_dim=192, depformer_dim_feedforward=792, depformer_num_layers=4)
    if both:
        config["dep_q"] = config["n_q"]
    return config


def _measure(options: argparse.Namespace, bits: int, folder: Path) -> Measured:
    config = make_config(options.config, options.both)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # The CPU computes in half precision more slowly, and only small models are measured there.
    place = yardstick.Place(config, device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    examples = _write_examples(config, options, folder)
    try:
        # What moshi compiles for itself is for graphics cards; elsewhere it would only be waited for.
        with nullcontext() if device.type == "cuda" else no_compile():
            return _compare(options, bits, examples, place)
    except torch.OutOfMemoryError as fault:
        free, total = torch.cuda.mem_get_info(device)
        raise UserError(
            f"The card's {total / 1e9:.0f} GB are too little for this (now {free / 1e9:.0f} GB are free).",
            "Measure fewer seconds, a smaller batch, or a base in fewer bits.",
        ) from fault


def _compare(options: argparse.Namespace, bits: int, examples: Examples, place: yardstick.Place) -> Measured:
    device, rival = place.device, options.against is not None
    kept_layers = _kept_layers(options, bits, place)
    # A base in fewer bits shares nothing with the other side's, and is drawn to be the same.
    base = yardstick.draw_base(place) if rival else None
    ours = yardstick.Ours(
        yardstick.build(place, base if bits == 16 else None, options.rank, bits),
        kept_layers=kept_layers,
        compile=not options.no_compile,
        chunk_frames=options.chunk_frames,
        optimizer=options.optimizer,
    )
    meters = [_Meter(ours, device)]
    if rival:
        meters.append(_Meter(yardstick.Kyutai(yardstick.build(place, base, options.rank, 16)), device))
    for step in range(WARM_UP_STEPS + options.steps):
        chosen = choose(len(examples.windows), options.batch, 0, step)
        for meter in meters:
            meter.step(examples, [examples.windows[index] for index in chosen], step >= WARM_UP_STEPS)
    audio_s = options.seconds * options.batch
    found = Measured(
        config=options.config,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        torch=torch.__version__,
        bits=bits,
        seconds=options.seconds,
        batch=options.batch,
        rank=options.rank,
        both=options.both,
        optimizer=options.optimizer,
        audio_s_per_s=audio_s / meters[0].step_s,
        data_share=meters[0].data_share,
        peak_gb=meters[0].peak_bytes / 1e9,
        expected_gb=expected_peak(**_figures(options, bits, place), kept_layers=kept_layers).total / 1e9,
        kept_layers=kept_layers,
        loss=meters[0].losses[0],
    )
    return _with_rival(found, options, meters[1], device) if rival else found


def _with_rival(
    found: Measured, options: argparse.Namespace, rival: _Meter, device: torch.device
) -> Measured:
    audio_s = options.seconds * options.batch
    encoding_s = _encoding_s(options, device)
    step_s = audio_s / found.audio_s_per_s
    return replace(
        found,
        against_audio_s_per_s=audio_s / rival.step_s,
        against_peak_gb=rival.peak_bytes / 1e9,
        ratio=rival.step_s / step_s,
        loss_difference=abs(rival.losses[0] - found.loss),
        against_encoding_s=encoding_s,
        ratio_with_encoding=None if encoding_s is None else (rival.step_s + encoding_s) / step_s,
    )


class _Meter:
    """Runs the steps of one side and remembers how long they took and what they held."""

    def __init__(self, side: yardstick.Side, device: torch.device) -> None:
        self._side = side
        self._device = device
        self._steps_s: list[float] = []
        self._data_s: list[float] = []
        self.losses: list[float] = []
        self.peak_bytes = 0

    @property
    def step_s(self) -> float:
        """Return the median."""
        return statistics.median(self._steps_s)

    @property
    def data_share(self) -> float:
        """Return the share of reading examples in all steps."""
        return sum(self._data_s) / sum(self._steps_s)

    def step(self, examples: Examples, windows: Sequence[Window], counts: bool) -> None:
        """Take one step. One that does not count is watched for memory, which takes time on the CPU."""
        with Watch(self._device, count=not counts) as memory:
            began = time.perf_counter()
            codes = examples.stack(windows).to(self._device)
            data_s = time.perf_counter() - began
            # The loss is read at the end, so that the device has done its work by then; not the optimiser's.
            self.losses.append(self._side.step(codes))
            wait(self._device)
            step_s = time.perf_counter() - began
        held = {
            each.untyped_storage().data_ptr(): each.untyped_storage().nbytes()
            for each in self._side.resident()
        }
        # What the other side holds meanwhile is left out.
        self.peak_bytes = max(self.peak_bytes, sum(held.values()) + memory.taken_bytes)
        if counts:
            self._steps_s.append(step_s)
            self._data_s.append(data_s)


def _write_examples(config: dict[str, Any], options: argparse.Namespace, folder: Path) -> Examples:
    """Return examples of the asked length, written to a Parquet file and read as a run would."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = round(options.seconds * FRAME_RATE)
    rng = np.random.default_rng(0)
    voices: dict[str, list[list[list[int]]]] = {"A": [], "B": []}
    count = 2 * options.batch
    for speaker in [*"AB"] * count:
        text = rng.integers(4, config["text_card"], (1, frames))
        text[rng.random(text.shape) < PADDING_SHARE] = config["existing_text_padding_id"]
        codes = rng.integers(config["card"], size=(config["n_q"] // 2, frames))
        voices[speaker].append(np.concatenate([text, codes]).tolist())
    names = [f"talk-{number}" for number in range(count)]
    path = folder / "train-001-of-001.parquet"
    pq.write_table(pa.table({"dialogue_id": names, **voices}), path, row_group_size=16)
    shards = Shards(
        [path],
        folder / "cache",
        codebooks=config["n_q"] // 2,
        card=config["card"],
        text_card=config["text_card"],
    )
    return Examples(shards, range(count), ("A",), Batch(seconds=options.seconds, min_seconds=0.0))


def _encoding_s(options: argparse.Namespace, device: torch.device) -> float | None:
    """Return how long a Mimi of random weights takes for the sound of a batch, one example after the other.

    None but for the 7B: there is no Mimi that belongs to the smaller models.
    """
    if options.config != "7b":
        return None
    mimi = loaders.get_mimi(None, device=device)
    samples = round(options.seconds * FRAME_RATE) * FRAME_SAMPLES
    sound = torch.randn(2, 1, samples, device=device) / 10
    times_s: list[float] = []
    with torch.no_grad():
        for _ in range(3):
            wait(device)
            began = time.perf_counter()
            mimi.encode(sound)
            wait(device)
            times_s.append(time.perf_counter() - began)
    return float(options.batch * min(times_s))


def _figures(options: argparse.Namespace, bits: int, place: yardstick.Place) -> dict[str, Any]:
    """Return what `training.memory` wants to know."""
    return {
        "config": place.config,
        "method": "lora",
        "rank": options.rank,
        "bits": bits,
        "both": options.both,
        "frames": round(options.seconds * FRAME_RATE) * options.batch,
        "checkpointing": True,
        "chunk_frames": options.chunk_frames,
        "optimizer": options.optimizer,
        "element_bytes": place.dtype.itemsize,
        "accumulated": False,
    }


def _kept_layers(options: argparse.Namespace, bits: int, place: yardstick.Place) -> int:
    if options.keep_layers is not None:
        return int(options.keep_layers)
    if place.device.type == "cpu":
        return 0
    _, room = torch.cuda.mem_get_info(place.device)
    figures = _figures(options, bits, place)
    if options.against is not None:
        # The other side holds about as much between its steps, and lets go of the rest.
        other = expected_peak(**{**figures, "bits": 16, "optimizer": "adamw"})
        room -= other.weights + other.states + other.gradients
    return layers_that_fit(room_bytes=room, **figures)


_HEAD = (
    "bits",
    "s of audio a s",
    "peak GB",
    "expected",
    "reading",
    "kyutai",
    "its GB",
    "ratio",
    "+ Mimi",
    "loss off",
)


def _row(run: Measured) -> tuple[str, ...]:
    figures = (
        (run.bits, "{}"),
        (run.audio_s_per_s, "{:.1f}"),
        (run.peak_gb, "{:.2f}"),
        (run.expected_gb, "{:.2f}"),
        (run.data_share, "{:.1%}"),
        (run.against_audio_s_per_s, "{:.1f}"),
        (run.against_peak_gb, "{:.2f}"),
        (run.ratio, "{:.2f}"),
        (run.ratio_with_encoding, "{:.2f}"),
        (run.loss_difference, "{:.1e}"),
    )
    return tuple("" if value is None else form.format(value) for value, form in figures)


def _print_table(runs: list[Measured]) -> None:
    first = runs[0]
    print(
        f"{first.config} on {first.device}, torch {first.torch}: {first.batch} x {first.seconds:.0f} s a step"
    )
    rows = [_HEAD, *(_row(run) for run in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
