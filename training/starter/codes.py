"""The verb `aizuchi starter dialogues`: made-up dialogues as training reads them, in Parquet files.

Each dialogue follows from the seed and its number. Most are pasted together of clips in codes, some are
encoded whole. Knows nothing about who speaks when.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import sentencepiece
import torch

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.files import make_folder, named, replacing_folder
from app.paths import Paths
from training.data.packing import Packed, write_files
from training.progress import Progress
from training.starter.clips import Clips, Source
from training.starter.language import EXAMPLE_S, train_tokenizer
from training.starter.own_lines import OwnLines, own_speech
from training.starter.own_voice import OwnVoice
from training.starter.pasting import Paster
from training.starter.whole import WholeMaker

TRAIN, HELD_OUT, WHOLE = "train", "held-out", "whole"
"""Folders of dialogues: to learn from, of clips that nothing is trained on, and encoded whole."""
_SHARD, _WHOLE_SHARD = 1000, 20
"""So many dialogues are lost at most when it is stopped."""


class Corpus(NamedTuple):
    """How many dialogues there are."""

    dialogues: int
    held_out: int
    """Those of clips that nothing is trained on."""
    seed: int
    whole: int = 0
    """Those that are encoded whole, to learn from at the end."""


class Maker(Protocol):
    """Something that makes dialogues up."""

    def rows(self, numbers: Sequence[int], seed: int, seconds: float) -> Iterator[Packed]:
        """Yield dialogues as training reads them."""


def main(argv: list[str], where: Paths) -> int:
    """Write dialogues, or go on, and return the exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi starter dialogues", description="Make up the dialogues that the starter learns from."
    )
    parser.add_argument(
        "--source", type=Path, nargs=2, action="append", required=True, metavar=("BANK", "CODES"),
        help="a bank of user speech and its codes; more than once for more",
    )  # fmt: skip
    parser.add_argument(
        "--voice", type=Path, required=True, metavar="DIR", help="the folder of the model's own voice"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="its folder; the same goes on")
    parser.add_argument(
        "--model", type=Path, default=BUNDLED / STARTER.name, metavar="DIR", help="whose codec"
    )
    parser.add_argument("--dialogues", type=int, default=20_000, metavar="N", help="how many, of 40 s each")
    parser.add_argument(
        "--held-out", type=int, default=80, metavar="N", help="how many of clips that nothing is trained on"
    )
    parser.add_argument(
        "--whole", type=int, default=0, metavar="N", help="how many are encoded whole, a second each"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn by chance")
    options = parser.parse_args(argv)
    sources = [Source(named(bank), named(codes)) for bank, codes in options.source]
    size = Corpus(options.dialogues, options.held_out, options.seed, options.whole)
    with closing(OwnVoice(named(options.voice))) as voice:
        write_dialogues(named(options.out), sources, voice, options.model, size)
    return 0


def write_dialogues(
    folder: Path, sources: Sequence[Source], voice: OwnVoice, model: Path, size: Corpus
) -> None:
    """Write dialogues into Parquet files below TRAIN, HELD_OUT and WHOLE of a folder, or go on.

    Codes are those of the codec of `model`. Raises UserError.
    """
    counts = {HELD_OUT: size.held_out, TRAIN: size.dialogues, WHOLE: size.whole}
    missing = {name: _missing(folder / name, count) for name, count in counts.items()}
    if not any(missing.values()):
        return
    clips = {name: Clips(sources, held_out=name == HELD_OUT) for name, shards in missing.items() if shards}
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=train_tokenizer())
    mimi = build.load_mimi(checkpoint.find(str(model)), torch.device("cpu"))
    lines = OwnLines(own_speech(voice), mimi, tokenizer)
    for name, those in clips.items():
        paster = Paster(those, lines, tokenizer)
        maker: Maker = WholeMaker(paster, mimi) if name == WHOLE else paster
        write_shards(folder / name, maker, missing[name], size.seed)


def write_shards(folder: Path, maker: Maker, shards: Sequence[range], seed: int) -> None:
    """Write the dialogues of some numbers into a folder a shard."""
    make_folder(folder)
    with Progress("Dialogues", sum(map(len, shards)), "dialogues", False) as progress:
        for shard in shards:
            with replacing_folder(folder / f"{shard.start:05}") as part:
                write_files(part, _told(maker.rows(shard, seed, EXAMPLE_S), progress))


def _missing(folder: Path, count: int) -> list[range]:
    """Return the numbers of the dialogues of each shard that is not written."""
    most = _WHOLE_SHARD if folder.name == WHOLE else _SHARD
    shards = (range(first, min(first + most, count)) for first in range(0, count, most))
    return [shard for shard in shards if not list((folder / f"{shard.start:05}").glob("train-*.parquet"))]


def _told(rows: Iterator[Packed], progress: Progress) -> Iterator[Packed]:
    for row in rows:
        yield row
        progress.advance(1)
