"""Questions by judges in codes: what the starter is probed with, and never learns from.

Each is heard in the two places of the scores, quiet and in noise. A file for each judge, made once. Knows
nothing about what is found out with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from moshi.models import MimiModel

from app.errors import UserError
from app.files import clear_parts, make_folder, read_json_lines, replace_file
from training.progress import Progress
from training.starter.acoustics import Place, scale
from training.starter.bank_codes import Coded, Mixed, encode, place_in_room, read_codes, write_codes
from training.starter.engines import Who
from training.starter.judges import Judges, knows
from training.starter.score import NOISY, QUIET
from training.starter.speech import Sound
from training.starter.user_texts import UserText, chosen

PlaceName = Literal["quiet", "noisy"]
PLACES: dict[PlaceName, Place] = {"quiet": QUIET, "noisy": NOISY}
"""The rendition of a clip is the place's number here."""
LEARNT, NEW = 24, 12
"""So many questions a judge asks in phrasings that are learnt from, and in others."""
_SEED = 4711


class Question(NamedTuple):
    """What a judge asks."""

    language: str
    engine: str
    voice: str
    text: str
    answer: str
    new: bool
    """Whether nothing is trained on its phrasing."""


class Asked(NamedTuple):
    """A question as a microphone hears it."""

    question: Question
    place: PlaceName
    coded: Coded


def encode_judges(folder: Path, mimi: MimiModel) -> list[UserError]:
    """Write what judges ask who are not in a folder yet; return why some of them can not speak here."""
    make_folder(folder)
    clear_parts(folder)
    with closing(Judges()) as judges, Progress("Judges", len(judges.voices), "voices", False) as progress:
        for number, (language, who) in enumerate(judges.voices):
            path = folder / f"{language}-{who.engine}-{who.name}.npz"
            if not path.exists():
                chance = np.random.default_rng([_SEED, number])
                texts = draw_questions(language, who, chance)
                said = [judges.say(text, who) for text in texts]
                _write(path, who, texts, encode(mimi, _heard(said, chance)))
            progress.advance(1)
        return judges.left_out


def draw_questions(language: str, who: Who, chance: np.random.Generator) -> list[UserText]:
    """Return what a judge asks: different answers first, as far as there are."""
    return [*_drawn(language, who, LEARNT, chance), *_drawn(language, who, NEW, chance, new=True)]


def read_judged(folder: Path) -> list[Asked]:
    """Return all questions of a folder. Raises UserError where there are none."""
    asked = [each for path in sorted(folder.glob("*.npz")) for each in _read(path)]
    if not asked:
        raise UserError(
            f"No judge asks anything in {folder}.", "Install who is missing, or name another folder."
        )
    return asked


def _drawn(
    language: str, who: Who, count: int, chance: np.random.Generator, *, new: bool = False
) -> list[UserText]:
    texts = [text for text in chosen("question", language, new=new) if knows(who, text)]
    drawn: dict[str, list[UserText]] = {}
    for at in chance.permutation(len(texts)):
        drawn.setdefault(texts[at].answer, []).append(texts[at])
    rounds = max(map(len, drawn.values()), default=0)
    ordered = [each[at] for at in range(rounds) for each in drawn.values() if at < len(each)]
    return ordered[:count]


def _heard(said: Sequence[Sound], chance: np.random.Generator) -> list[Mixed]:
    return [
        place_in_room(clip, rendition, scale(sound, place), place, chance)
        for clip, sound in enumerate(said)
        for rendition, place in enumerate(PLACES.values())
    ]


def _write(path: Path, who: Who, texts: Sequence[UserText], coded: Sequence[Coded]) -> None:
    asked = [
        Question(text.language, who.engine, who.name, text.written, text.answer, text.new) for text in texts
    ]
    lines = [json.dumps(each._asdict(), ensure_ascii=False) for each in asked]
    replace_file(path.with_suffix(".jsonl"), "\n".join(lines) + "\n")
    # Last, since it tells that a judge is done.
    write_codes(path, coded)


def _read(path: Path) -> Iterator[Asked]:
    questions = [Question(**raw) for raw in read_json_lines(path.with_suffix(".jsonl"))]
    places = list(PLACES)
    for coded in read_codes(path):
        yield Asked(questions[coded.clip], places[coded.rendition], coded)
