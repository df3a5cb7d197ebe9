"""The verb `aizuchi data prepare`: sound and words of a dataset become what the finetuner reads.

First each dialogue's sound becomes codes, kept one by one, so that an interrupted run goes on where it was;
then text and codes become Parquet files. Knows nothing about training.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import get_args

import numpy as np
import torch

from app import catalog
from app.engine import build
from app.engine.checkpoint import DEFAULT_BASE, Checkpoint, find
from app.engine.weights import fingerprint
from app.errors import UserError
from app.files import replacing_folder, write_json
from app.frames import seconds
from app.paths import Paths
from app.store.datasets import FORMAT, PREPARED, SHARDS, Dataset, hold
from training.data import packing
from training.data.align import Placement, TextStream, text_statistics
from training.data.encoding import Codes, Encoder, encode, no_room, read_codes, sound_seconds
from training.data.identity import inputs
from training.data.places import dialogues_of, find_dataset
from training.data.texts import Streams, Text, is_spaceless, is_tagged_spaceless, text_streams
from training.progress import Progress, duration


def main(argv: list[str], where: Paths) -> int:
    """Run `aizuchi data prepare` and return the exit status."""
    arguments = _parser().parse_args(argv)
    dataset = find_dataset(arguments.dataset, where)
    names = dialogues_of(dataset)
    spec = arguments.model or default_model(dataset)
    device = _device(arguments.device)
    with hold(dataset, "aizuchi data prepare"):
        found = _find(spec, where, arguments.json)
        outline = build.prove(found)
        spaceless = arguments.no_whitespace_before_word
        text = Text(
            outline.tokenizer,
            arguments.placement,
            is_spaceless(dataset) if spaceless is None else spaceless,
            # What is said to be Japanese is taken as it is, as nu-dialogue does it.
            by_script=spaceless is None and not is_tagged_spaceless(dataset),
        )
        _Preparation(dataset, spec, found, text, arguments.json).run(names, device)
    return 0


def default_model(dataset: Dataset) -> str:
    """Return what a dataset was prepared for before, or the first known model that speaks its language."""
    language = dataset.language.split("-")[0]
    speaking = (known.name for known in catalog.KNOWN if known.language == language)
    return str(dataset.prepared.get("model") or next(speaking, DEFAULT_BASE))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aizuchi data prepare", description="Turn sound and words into what training reads."
    )
    parser.add_argument("dataset", metavar="DATASET", help="a dataset's name or folder")
    parser.add_argument(
        "--model", metavar="NAME", help="the model to train (as before, or one that speaks the language)"
    )
    parser.add_argument(
        "--placement",
        choices=get_args(Placement),
        default="nu-dialogue",
        help="whose way to place words into frames (nu-dialogue)",
    )
    spaces = parser.add_mutually_exclusive_group()
    spaces.add_argument(
        "--no-whitespace-before-word",
        action="store_true",
        default=None,
        help="take words as they are, as in languages without spaces (so it is by itself for ja and zh)",
    )
    spaces.add_argument(
        "--whitespace-before-word",
        dest="no_whitespace_before_word",
        action="store_false",
        default=None,
        help="put a space between all words (by itself only where their script has one)",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where to encode (a card if there is one)")
    parser.add_argument("--json", action="store_true", help="print JSON lines, for programs")
    return parser


def _device(name: str | None) -> torch.device:
    has_card = torch.cuda.is_available()
    if name == "cuda" and not has_card:
        raise UserError("There is no graphics card that torch can use.", "Encode with --device cpu.")
    return torch.device(name or ("cuda" if has_card else "cpu"))


def _find(spec: str, where: Paths, as_json: bool) -> Checkpoint:
    """Return a model's files, and show how far they are where they have to be downloaded."""
    with ExitStack() as life:
        bars: dict[str, tuple[Progress, list[int]]] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                life.close()
                bars[stage] = life.enter_context(Progress(stage, total / 1e6, "MB", as_json)), [0]
            bar, told = bars[stage]
            bar.advance((done - told[0]) / 1e6)
            told[0] = done

        return find(spec, models=where.models, progress=tell, both_voices=True)


class _Preparation:
    """One dataset on its way into Parquet files, and what is found on the way."""

    def __init__(self, dataset: Dataset, spec: str, found: Checkpoint, text: Text, as_json: bool) -> None:
        self._dataset = dataset
        self._spec = spec
        self._found = found
        self._text = text
        self._as_json = as_json
        self._mimi = fingerprint(found.mimi)
        self._left_out: set[str] = set()
        self._frames = 0
        self._tokens: dict[str, list[int]] = {}
        self._counts = {speaker: dict.fromkeys(("frames", "tokens", "bare_spaces"), 0) for speaker in "AB"}

    def run(self, names: Sequence[str], device: torch.device) -> None:
        """Encode of these dialogues what is not encoded yet, and write all files anew. Raises UserError."""
        self._encode(names, device)
        made_of = inputs(self._dataset)
        with Progress("Writing", len(names), "dialogues", self._as_json) as progress:
            try:
                with replacing_folder(self._dataset.folder / SHARDS) as folder:
                    files = packing.write_files(folder, self._rows(names, progress))
                    if not files:
                        raise UserError(
                            f"No dialogue of {self._dataset.name} could be prepared.",
                            "Mend what was found, or import them again.",
                        )
                    (self._dataset.folder / PREPARED).unlink(missing_ok=True)
                write_json(self._dataset.folder / PREPARED, self._summary(len(names), made_of))
            except OSError as fault:
                raise no_room(self._dataset.folder / SHARDS, fault) from fault
        progress.result(self._result(len(names), len(files)))

    def _encode(self, names: Sequence[str], device: torch.device) -> None:
        lengths_s: dict[str, float] = {}
        with Progress("Looking at the sound", len(names), "dialogues", self._as_json) as progress:
            for name in names:
                if read_codes(self._dataset, name, self._mimi) is None:
                    try:
                        lengths_s[name] = sound_seconds(self._dataset, name)
                    except UserError as fault:
                        self._leave_out(progress, name, fault)
                progress.advance(1)
        if not lengths_s:
            return
        encoder = Encoder(build.load_mimi(self._found, device), self._mimi)
        with Progress("Encoding", sum(lengths_s.values()), "s", self._as_json) as progress:
            encode(self._dataset, lengths_s, encoder, partial(self._leave_out, progress), progress.advance)

    def _rows(self, names: Sequence[str], progress: Progress) -> Iterator[packing.Packed]:
        """Yield the rows of all dialogues that can be prepared, and tell what is odd about them."""
        for name in names:
            codes = read_codes(self._dataset, name, self._mimi)
            if codes is not None and name not in self._left_out:
                a, b = codes
                try:
                    streams = text_streams(self._dataset, name, a.shape[1], self._text)
                except UserError as fault:
                    self._leave_out(progress, name, fault)
                else:
                    self._tokens[name] = self._count(streams)
                    self._tell_silent(progress, name, streams)
                    yield packing.Packed(name, _merged(streams.a, a), _merged(streams.b, b))
            progress.advance(1)

    def _count(self, streams: Streams) -> list[int]:
        """Add up what the texts consist of; return the number of tokens of A and of B."""
        self._frames += len(streams.a)
        voices = [text_statistics(stream, self._text.tokenizer) for stream in (streams.a, streams.b)]
        for counts, voice in zip(self._counts.values(), voices, strict=True):
            counts["frames"] += voice.frames
            counts["tokens"] += voice.tokens
            counts["bare_spaces"] += voice.bare_spaces
        return [voice.tokens for voice in voices]

    def _leave_out(self, progress: Progress, name: str, fault: UserError) -> None:
        self._left_out.add(name)
        values = {"finding": "unreadable", "sentence": fault.sentence, "done": "It was left out."}
        progress.finding({**self._about(name), **values, "advice": fault.advice})

    def _tell_silent(self, progress: Progress, name: str, streams: Streams) -> None:
        if streams.silent:
            whose = " and ".join(streams.silent)
            values = {"sentence": f"There are no words of {whose}.", "done": "The text stays empty."}
            progress.finding({**self._about(name), "finding": "no words", **values})

    def _about(self, name: str) -> dict[str, str]:
        return {"dialogue": name, "source": str(self._dataset.audio(name))}

    def _summary(self, dialogues: int, made_of: str) -> dict[str, object]:
        return {
            "format": FORMAT,
            "model": self._spec,
            "tokenizer": hashlib.sha256(self._found.tokenizer.read_bytes()).hexdigest(),
            "mimi": self._mimi,
            "placement": self._text.placement,
            "no_whitespace_before_word": self._text.no_whitespace_before_word,
            "codebooks": int(self._found.config["n_q"]) // 2,
            "card": int(self._found.config["card"]),
            "text_card": int(self._found.config["text_card"]),
            "dialogues": dialogues - len(self._left_out),
            "frames": self._frames,
            "made": datetime.now().astimezone().isoformat(timespec="seconds"),
            "left_out": sorted(self._left_out),
            "text": self._counts,
            "tokens": self._tokens,
            "inputs": made_of,
        }

    def _result(self, dialogues: int, files: int) -> dict[str, object]:
        left_out, hours = len(self._left_out), seconds(self._frames) / 3600
        ready = dialogues - left_out
        sentence = f"{_some(ready)} of {duration(3600 * hours)} in all, ready for training."
        if left_out:
            sentence += f" {_some(left_out)} left out."
        return {
            "dialogues": ready,
            "left_out": left_out,
            "hours": hours,
            "files": files,
            "folder": str(self._dataset.folder),
            "sentence": sentence,
        }


def _some(dialogues: int) -> str:
    return "One dialogue" if dialogues == 1 else f"{dialogues} dialogues"


def _merged(text: TextStream, codes: Codes) -> packing.Rows:
    """Return the rows [1+K, T] of one voice: text above codes."""
    return np.concatenate([text[None], codes.astype(np.int32)])
