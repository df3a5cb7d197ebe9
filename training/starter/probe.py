"""The verb `aizuchi starter probe`: in a minute, how far codes and a model tell what judges ask.

Cheap, before each long stage, and while a model learns: no talk is held. Knows nothing about how the starter
is made.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sentencepiece
import torch
from moshi.models import MimiModel

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.engine.device import CPU, choose_device
from app.errors import UserError
from app.files import named, read_json_lines
from app.frames import FRAME_RATE, FRAME_SAMPLES
from app.paths import Paths
from training.data.align import PADDING, Word, text_stream
from training.source import find_source, read_source
from training.starter.bank import INDEX, Entry, shards
from training.starter.bank_codes import Coded, Mixed, encode, read_codes
from training.starter.figures import Figure, share
from training.starter.forcing import Asking, Sounding, force
from training.starter.judged import PLACES, Asked, Question, encode_judges, read_judged
from training.starter.own_voice import ESPEAK, KOKORO, OwnVoice
from training.starter.ridge import features, train_reader
from training.starter.scripts import LANGUAGES, phrases
from training.starter.speech import Sound, Speech

Figures = dict[str, Figure]
"""By measure, place and group, as "path noisy flite"."""

CODES, FIRST, PATH = "codes", "first", "path"
OWN = "own"
"""Where in the folder of the judges' questions the model's own lines are kept."""

LEARNT, NEW, OTHERS = "learnt", "new", "others"
"""Phrasings that are learnt from, those that are not, and the learnt ones by other engines than Kokoro."""

_SETTLED_FRAMES = 60
"""After so much silence the codec always gives the same codes."""
_LATE_FRAMES = 25
"""The last tokens of a line may come so long after its sound."""


def main(argv: list[str], where: Paths) -> int:
    """Probe codes and a model, and return the exit status. Raises UserError."""
    options = _parse(argv)
    codec = build.load_mimi(checkpoint.find(str(options.codec)), torch.device("cpu"))
    judged: Path = named(options.judged)
    for fault in encode_judges(judged, codec):
        print(fault, file=sys.stderr)
    asked = read_judged(judged)
    figures = probe_codes(codec, learnt(named(options.bank), named(options.codes)), asked)
    if options.model:
        with closing(OwnVoice(judged / OWN, options.own)) as own:
            figures |= probe_model(options.model, where, asked, own, step=options.step)
    if options.json:
        print(json.dumps({name: each.as_json() for name, each in figures.items()}))
    else:
        print("\n".join(f"{name:26}{figure}" for name, figure in figures.items()))
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi starter probe",
        description="Measure how far codes, and a model, tell what voices ask that nothing is trained on.",
    )
    parser.add_argument("bank", type=Path, metavar="BANK", help="what `starter bank` made")
    parser.add_argument("codes", type=Path, metavar="CODES", help="what `starter codes` made of it")
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="a model, or a run of training as it is now"
    )
    parser.add_argument(
        "--judged",
        type=Path,
        required=True,
        metavar="DIR",
        help="where the voices' questions are, or are put",
    )
    parser.add_argument("--step", type=int, metavar="N", help="which checkpoint of a run; left out, the best")
    parser.add_argument(
        "--codec",
        type=Path,
        default=BUNDLED / STARTER.name,
        metavar="DIR",
        help="the model whose codec it is",
    )
    parser.add_argument(
        "--own", default=KOKORO, choices=(KOKORO, ESPEAK), help="the engine of the model's own voice"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    return parser.parse_args(argv)


def learnt(bank: Path, codes: Path) -> Iterator[tuple[Entry, Coded]]:
    """Yield the questions of a bank in codes, as far as they are encoded."""
    for shard in shards(bank):
        path = codes / f"{shard.name}.npz"
        if path.exists():
            entries = {entry.number: entry for entry in _entries(shard) if entry.kind == "question"}
            yield from ((entries[each.clip], each) for each in read_codes(path) if each.clip in entries)


def probe_codes(codec: MimiModel, known: Iterable[tuple[Entry, Coded]], asked: Sequence[Asked]) -> Figures:
    """Return how often a reader of codes tells what is asked, when it has seen those of a bank.

    Raises UserError where none of them asks anything.
    """
    seen = list(known)
    right: dict[int, bool] = {}
    for language in LANGUAGES:
        these = [(entry.answer, coded) for entry, coded in seen if entry.language == language]
        at = [at for at, each in enumerate(asked) if each.question.language == language]
        if not these or not at:
            continue
        reader = train_reader(features(codec, [coded for _, coded in these]), [answer for answer, _ in these])
        told = reader.read(features(codec, [asked[each].coded for each in at]))
        right |= {each: asked[each].question.answer == answer for each, answer in zip(at, told, strict=True)}
    if not right:
        raise UserError("No question of the bank is in codes yet.", "Wait for `starter codes`.")
    return _figures(CODES, [(asked[at], each) for at, each in right.items()])


def probe_model(
    spec: str, where: Paths, asked: Sequence[Asked], own: OwnVoice, *, step: int | None = None
) -> Figures:
    """Return how often a model would choose right: the first token of its answer, and every branch.

    Raises UserError for what is no model of this codec's codes.
    """
    source = find_source(spec, where, step=step)
    lm, mimi = read_source(source, choose_device(CPU))
    tokenizer = sentencepiece.SentencePieceProcessor(str(source.found.tokenizer))
    silence, answers = _answers(own, mimi, tokenizer, {each.question.language for each in asked})
    asking = []
    for each in asked:
        lines = [key for key in answers if key[0] == each.question.language]
        right = lines.index((each.question.language, each.question.answer))
        asking.append(Asking(each.coded, [answers[key] for key in lines], right))
    forced = list(zip(asked, force(lm, silence, asking), strict=True))
    return {
        **_figures(FIRST, [(each, found.first) for each, found in forced]),
        **_figures(PATH, [(each, found.path) for each, found in forced]),
    }


def _answers(
    own: OwnVoice, mimi: MimiModel, tokenizer: sentencepiece.SentencePieceProcessor, languages: Iterable[str]
) -> tuple[npt.NDArray[np.int32], dict[tuple[str, str], Sounding]]:
    """Return the codes of the model's silence, [K, 1], and all its answers, by language and line."""
    lines = [
        (language, line)
        for language in sorted(languages)
        for line in dict.fromkeys(question.answer for question in phrases(language).questions)
    ]
    speech = {key: own.say(*key) for key in lines}
    lead = np.zeros(_SETTLED_FRAMES * FRAME_SAMPLES, dtype=np.float32)
    sounds = [lead, *(np.concatenate([lead, _whole_frames(speech[key].sound)]) for key in lines)]
    coded = encode(mimi, (Mixed(at, 0, sound, 0.0, 0.0) for at, sound in enumerate(sounds)))
    codes = [each.codes.astype(np.int32) for each in coded]
    return codes[0][:, -1:], {
        key: Sounding(_text(key[0], speech[key], tokenizer), each[:, _SETTLED_FRAMES:])
        for key, each in zip(lines, codes[1:], strict=True)
    }


def _whole_frames(sound: Sound) -> Sound:
    return np.pad(sound, (0, -len(sound) % FRAME_SAMPLES))


def _text(
    language: str, speech: Speech, tokenizer: sentencepiece.SentencePieceProcessor
) -> npt.NDArray[np.int32]:
    words = [Word(each.text, each.start_s, each.end_s) for each in speech.words]
    frames = int(speech.seconds * FRAME_RATE) + _LATE_FRAMES
    text = text_stream(words, frames, tokenizer, no_whitespace_before_word=language == "ja")
    return text[: int(np.flatnonzero(text != PADDING)[-1]) + 1]


def _entries(shard: Path) -> Iterator[Entry]:
    return (Entry(**raw) for raw in read_json_lines(shard / INDEX))


def _figures(measure: str, observed: Sequence[tuple[Asked, bool]]) -> Figures:
    """Return a measure in each place: in all, and of each engine."""
    figures: Figures = {}
    for place in PLACES:
        here = [(each.question, happened) for each, happened in observed if each.place == place]
        engines = dict.fromkeys(question.engine for question, _ in here)
        groups: dict[str, Callable[[Question], bool]] = {
            LEARNT: lambda question: not question.new,
            NEW: lambda question: question.new,
            OTHERS: lambda question: not question.new and question.engine != KOKORO,
            **{engine: partial(_is_by, engine) for engine in engines},
        }
        for group, counts in groups.items():
            figures[f"{measure} {place} {group}"] = share(
                (question[:4], happened) for question, happened in here if counts(question)
            )
    return figures


def _is_by(engine: str, question: Question) -> bool:
    return question.engine == engine and not question.new
