"""The verb `aizuchi starter build`: the starter model from nothing, stage by stage.

Each stage leaves a folder beside the model and is not done again; one that was stopped goes on. The same
seed gives the same scripts, speech and dialogues, and on the same machine the same model.
"""

from __future__ import annotations

import argparse
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file

from app.errors import UserError
from app.files import make_folder, named, replacing_folder, write_json
from app.paths import Paths, paths
from training.base import without_word_head
from training.checkpoint import checkpoint_folder, read_trained
from training.source import find_source
from training.starter import bank, bank_codes, codec, codes, language, voice
from training.starter.card import write_card
from training.starter.clips import Source
from training.starter.own_voice import ESPEAK, KOKORO, OwnVoice
from training.starter.score import score

MOST_BYTES = 60_000_000
"""The model lies in the repository."""


class Size(NamedTuple):
    """How much work goes into a model."""

    codec_steps: int
    voice_steps: int
    filters: int
    engine: str
    """What the model's own voice is spoken by."""
    bank: bank.Settings
    dialogues: int
    steps: int
    width: int
    layers: int


FULL = Size(
    codec.STEPS, voice.STEPS, 16, KOKORO, bank.Settings(), 24_000, 2200, language.WIDTH, language.LAYERS
)
_SMALL_BANK = bank.Settings(engines=("espeak-ng",), revoiced=False, share=0.001)
SMALL = Size(30, 10, 4, ESPEAK, _SMALL_BANK, 8, 10, 64, 2)
"""Not to talk with: every stage runs within seconds, for tests."""

_HELD_OUT = 60


def main(argv: list[str], where: Paths) -> int:
    """Build the model, and return the exit status. Raises UserError."""
    options = _parse(argv)
    out: Path = named(options.out)
    stages = out.with_name(f"{out.name}.stages")
    if out.exists():
        raise UserError(f"{out} exists already.", "Name a new folder, or remove it; the stages are kept.")
    size = SMALL if options.small else FULL
    made = build(stages, size, options.seed)
    if not options.small:
        print("Scores")
        scores = score(made).as_json()
        write_json(made / "scores.json", scores)
        write_card(made, scores)
    with replacing_folder(out) as part:
        shutil.copytree(made, part, dirs_exist_ok=True)
    print(out)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi starter build", description="Make the starter model from nothing: hours of work."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the model goes")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn by chance")
    parser.add_argument("--small", action="store_true", help="a minute of work in place of hours, for tests")
    return parser.parse_args(argv)


def build(stages: Path, size: Size, seed: int) -> Path:
    """Go through the stages that are not done, and return the folder of the model. Raises UserError."""
    make_folder(stages)
    codec.build_codec(stages / "codec", codec.Settings(size.codec_steps, size.filters, seed))
    mimi = stages / "voice"
    settings = codec.Settings(size.voice_steps, size.filters, seed)
    speech = Source(stages / "bank", stages / "codes")
    beginning, data = stages / "beginning", stages / "dialogues"
    with closing(OwnVoice(stages / "own-voice", size.engine)) as own:
        bank.make_bank(speech.bank, size.bank, len(os.sched_getaffinity(0)))
        voice.refine_voice(mimi, stages / "codec", own, settings, speech.bank)
        bank_codes.encode_bank(speech.bank, speech.codes, mimi, bank_codes.Settings(seed))
        language.make_beginning(beginning, mimi, seed, size.width, size.layers, codes=speech.codes)
        made = codes.Corpus(size.dialogues, min(_HELD_OUT, size.dialogues), seed)
        codes.write_dialogues(data, [speech], own, beginning, made)
    home = stages / "home"
    language.train_language(
        home, beginning, data / codes.TRAIN, data / codes.HELD_OUT, steps=size.steps, seed=seed
    )
    return _finish(stages / "model", beginning, home)


def _finish(folder: Path, beginning: Path, home: Path) -> Path:
    """Write what was learnt as a model of its own, its language model in half precision."""
    trained = find_source(language.RUN, paths(home)).trained
    assert trained is not None, "a run, not a model"
    learnt = without_word_head(read_trained(checkpoint_folder(trained.run, trained.step)))
    halves = {name: each.to(torch.bfloat16) for name, each in learnt.items()}
    with replacing_folder(folder) as part:
        shutil.copytree(beginning, part, dirs_exist_ok=True)
        save_file(halves, part / language.WEIGHTS)
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if used > MOST_BYTES:
        raise UserError(f"The model takes {used / 1e6:.0f} MB.", "Make it smaller: it may take 60 MB.")
    return folder
