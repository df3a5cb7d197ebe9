"""The verb `continue`: prepared dialogues in, and out what a model makes of them after their first seconds.

What is there already is kept, so that the same command goes on where it was interrupted. Knows nothing about
how tokens are generated, and nothing about the files of the results.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from moshi.models import LMModel, MimiModel
from moshi.utils.compile import no_compile
from torch import Tensor

from app.engine import build
from app.engine.device import Device, choose_device, compile_trouble, needed_bytes, share_cores
from app.errors import UserError
from app.files import named
from app.frames import FRAME_SAMPLES, seconds
from app.paths import Paths
from training.codec import encode_stereo
from training.continued import Continued, open_continued
from training.data.shards import Shards
from training.generation import UNKNOWN, continue_dialogues
from training.material import open_shards
from training.progress import Progress, counted
from training.source import Source, find_source, read_source

SILENCE_FRAMES = 25
"""After so much silence, Mimi's codes of it no longer change."""

STAGE = "Going on"


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    model: str
    data: list[str]
    out: Path | None
    base: str | None
    step: int | None
    prompt: int
    frames: int
    batch: int
    temperature: float
    text_temperature: float | None
    top_k: int
    seed: int
    greedy: bool
    limit: int | None
    json: bool

    @property
    def sampling(self) -> dict[str, Any]:
        """Return how tokens are drawn, as `continue_dialogues` takes it; text as sound if nothing is said."""
        text = self.temperature if self.text_temperature is None else self.text_temperature
        return {
            "temperature": self.temperature,
            "text_temperature": text,
            "top_k": self.top_k,
            "text_top_k": self.top_k,
            "greedy": self.greedy,
        }


class Dialogue(NamedTuple):
    """A dialogue to go on with."""

    number: int
    """Its place in the shards."""
    name: str
    """Of its files."""


@dataclass(frozen=True)
class Prompts:
    """The beginnings of dialogues."""

    shards: Shards
    dialogues: Sequence[Dialogue]
    options: Options

    @property
    def frames(self) -> int:
        """Return the length of a prompt and what is generated after it."""
        return self.options.prompt + self.options.frames

    def stack(self, dialogues: Sequence[Dialogue], silence: Tensor) -> Tensor:
        """Return the tokens of some dialogues, [B, 1 + 2K, frames] int64, UNKNOWN behind the end of each.

        There the user is silent, with codes [K].
        """
        codes = torch.full((len(dialogues), 1 + 2 * len(silence), self.frames), UNKNOWN)
        codes[:, 1 + len(silence) :] = silence[:, None]
        for row, dialogue in zip(codes, dialogues, strict=True):
            a, b = self.shards.streams(dialogue.number)
            both = np.concatenate([a[:, : self.frames], b[1:, : self.frames]]).astype(np.int64)
            row[:, : both.shape[1]] = torch.from_numpy(both)
        return codes


@dataclass(frozen=True)
class Speaker:
    """A model in memory, and what belongs to it."""

    lm: LMModel
    mimi: MimiModel
    compilation: Callable[[], AbstractContextManager[None]]


def main(argv: list[str], where: Paths) -> int:
    """Let a model go on with dialogues and return the exit status. Raises UserError."""
    options = parse(argv)
    source = find_source(options.model, where, base=options.base, step=options.step)
    shards = open_shards(options.data, source.found, where)
    told = Progress(STAGE, 0.0, "dialogues", options.json)
    dialogues = choose_dialogues(shards, options, told)
    folder = named(options.out or f"continued-{source.name}")
    continued = open_continued(folder, _settings(source, options))
    left = [dialogue for dialogue in dialogues if dialogue.name not in continued.names]
    if left:
        _tell_what_happens(source, len(dialogues) - len(left), told)
        prompts = Prompts(shards, left, options)
        _go_on(source, prompts, continued)
    _report(continued, told)
    return 0


def parse(argv: list[str]) -> Options:
    """Return the options of a command line; ends the program when they are not well formed."""
    parser = argparse.ArgumentParser(
        prog="aizuchi continue", description="Let a model go on with prepared dialogues that were begun."
    )
    add = parser.add_argument
    add("model", metavar="MODEL|RUN", help="a training run, a known model, a folder or a hub repository")
    add("--data", nargs="+", required=True, metavar="DATASET|PARQUET", help="what the prompts are taken from")
    add("--out", type=Path, metavar="DIR", help="where the results go (default: continued-MODEL, here)")
    add("--base", metavar="NAME", help="the model that a folder takes Mimi and the tokenizer from")
    add("--step", type=int, metavar="N", help="of a run: the checkpoint after this step, not the best")
    add(
        "--prompt",
        type=_count,
        default=125,
        metavar="FRAMES",
        help="how much of each dialogue is given (%(default)s)",
    )
    add(
        "--frames",
        type=_count,
        default=250,
        metavar="FRAMES",
        help="how much is generated (%(default)s; 12.5 are a second)",
    )
    add(
        "--batch",
        type=_count,
        default=8,
        metavar="N",
        help="how many dialogues go on at a time (%(default)s)",
    )
    add(
        "--temperature",
        type=_temperature,
        default=0.8,
        metavar="T",
        help="of the voices (%(default)s); 0 is greedy",
    )
    add("--text-temperature", type=_temperature, metavar="T", help="of the text (default: as the voices)")
    add(
        "--top-k",
        type=_whole,
        default=0,
        metavar="N",
        help="draw from the N likeliest tokens (0, the default: from all)",
    )
    add(
        "--seed",
        type=_whole,
        default=0,
        metavar="N",
        help="of the random draws (%(default)s): another draws other tokens",
    )
    add("--greedy", action="store_true", help="take the likeliest token in place of drawing one")
    add("--limit", type=_count, metavar="N", help="take the first N dialogues alone")
    add("--json", action="store_true", help="print what happens as JSON lines, for programs")
    return Options(**vars(parser.parse_args(argv)))


def choose_dialogues(shards: Shards, options: Options, told: Progress) -> list[Dialogue]:
    """Return the dialogues that are long enough, with names for their files, and tell which are not.

    Raises UserError where none is, and where two have one name.
    """
    prompt_s = seconds(options.prompt)
    chosen = [
        Dialogue(number, _file_name(name))
        for number, (name, frames) in enumerate(shards.dialogues)
        if frames >= options.prompt
    ][: options.limit]
    if not chosen:
        raise UserError(f"No dialogue is {prompt_s:.1f} s long or longer.", "Choose a shorter --prompt.")
    names = [dialogue.name for dialogue in chosen]
    if twice := [name for name in names if names.count(name) > 1]:
        advice = "Name one dataset at a time, each with an --out of its own."
        raise UserError(f"Two dialogues are called {twice[0]}.", advice)
    if short := [name for name, frames in shards.dialogues if frames < options.prompt]:
        count = f"{len(short)} of {len(shards.dialogues)} dialogues left out"
        named = ", ".join(short[:5]) + (", …" if len(short) > 5 else "")
        sentence = f"{count}, shorter than the prompt of {prompt_s:.1f} s: {named}."
        told.finding({"dialogue": "", "finding": "short", "sentence": sentence})
    return chosen


def _settings(source: Source, options: Options) -> dict[str, Any]:
    """Return everything that decides which tokens come out, as JSON values."""
    return {
        "model": source.details,
        "both_voices": source.both_voices,
        "data": options.data,
        "prompt_frames": options.prompt,
        "frames": options.frames,
        **options.sampling,
        "seed": options.seed,
    }


def _tell_what_happens(source: Source, done: int, told: Progress) -> None:
    if source.found.note:
        told.finding({"dialogue": "", "finding": "assumed", "sentence": source.found.note})
    if not source.both_voices:
        sentence = (
            f"{source.name} predicts its own voice alone, so it answers the user's voice of each dialogue."
        )
        told.finding({"dialogue": "", "finding": "one voice", "sentence": sentence})
    if done:
        told.finding({"dialogue": "", "finding": "kept", "sentence": f"Kept from before: {done}."})


def _go_on(source: Source, prompts: Prompts, continued: Continued) -> None:
    """Generate what is left, and keep each batch as soon as it is there. Raises UserError."""
    device, options = choose_device(), prompts.options
    batch = min(options.batch, len(prompts.dialogues))
    _check_room(source, device, prompts.frames * batch)
    lm, mimi = read_source(source, device)
    compiled = device.on_card and compile_trouble(device) is None
    speaker = Speaker(lm, mimi, nullcontext if compiled else no_compile)
    total = float(len(prompts.dialogues))
    with Progress(STAGE, total, "dialogues", options.json) as told, _out_of_memory():
        for first in range(0, len(prompts.dialogues), batch):
            part = prompts.dialogues[first : first + batch]
            for dialogue, tokens in zip(part, _generate(speaker, prompts, part), strict=True):
                continued.keep(dialogue.name, tokens, mimi)
            continued.save()
            told.advance(len(part))


def _generate(speaker: Speaker, prompts: Prompts, dialogues: Sequence[Dialogue]) -> list[Tensor]:
    """Return the tokens of some dialogues, [1 + n_q, prompt + frames] each, the prompt first."""
    options = prompts.options
    codes = prompts.stack(dialogues, _silence(speaker.mimi))
    seeds = [_seed(options.seed, dialogue.name) for dialogue in dialogues]
    with speaker.compilation():
        generated = continue_dialogues(
            speaker.lm, codes, options.prompt, options.frames, seed=seeds, **options.sampling
        )
    return list(generated.cpu())


def _silence(mimi: MimiModel) -> Tensor:
    """Return the codes of silence, [K]."""
    codes, _ = encode_stereo(mimi, torch.zeros(2, SILENCE_FRAMES * FRAME_SAMPLES))
    return codes[:, -1]


def _seed(seed: int, name: str) -> int:
    """Return a dialogue's own seed, so that it goes on in the same way whatever is beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:7], "big")


def _report(continued: Continued, told: Progress) -> None:
    """Tell where the results are, with the mean of their figures. Turn-taking is counted per minute."""
    mean, count = continued.mean_turns(), len(continued.names)
    sentence = (
        f"Went on with {counted(count, 'dialogue')} for {seconds(continued.frames):.1f} s each, by the minute"
        f" with {mean['ipus']:.1f} utterances, {mean['pauses']:.1f} pauses, {mean['gaps']:.1f} gaps and "
        f"{mean['overlaps']:.1f} overlaps: {continued.folder}"
    )
    values = {"folder": str(continued.folder), "dialogues": count, "turns": mean}
    told.result({"sentence": sentence, **values})


def _check_room(source: Source, device: Device, frames: int) -> None:
    """Raise UserError where the model does not fit, with keys and values of so many frames."""
    outline = build.prove(source.found)
    share_cores(outline, device)
    need = needed_bytes(outline, device, frames)
    if need > device.free_bytes:
        raise UserError(
            f"{source.name} needs {need / 1e9:.1f} GB, and {device.free_bytes / 1e9:.1f} GB are free on "
            f"{device.label}.",
            "Lower --batch, or close other programs that use the memory.",
        )


@contextmanager
def _out_of_memory() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise UserError("The graphics memory ran out; what was made is kept.", "Lower --batch.") from fault


def _file_name(name: str) -> str:
    """Return a dialogue's name as one of a file: without what paths are made of, and short in any script."""
    return re.sub(r"[^\w. ()+-]", "_", name)[:70].lstrip(".") or "_"


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _whole(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _temperature(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 10:
        raise argparse.ArgumentTypeError("must be between 0 and 10")
    return value
