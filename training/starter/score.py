"""What the starter model can do, in figures: many whom it never heard talk to it, and all is measured.

The figures are those on its card. Knows nothing about how the model was made.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile

from app.catalog import STARTER
from app.engine import build, checkpoint
from app.engine.checkpoint import BUNDLED
from app.engine.events import Event, Stepped
from app.engine.loop import converse
from app.engine.model import load_model
from app.engine.ports import Said
from app.errors import UserError
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Heard
from app.paths import Paths
from training.starter import listeners, measures
from training.starter.acoustics import Place
from training.starter.caller import Caller, Turn
from training.starter.crowd import Talk, hold_talks
from training.starter.engines import Who, package
from training.starter.figures import Figure, over, ratio
from training.starter.judges import PERSON, Judges, knows, recorded
from training.starter.own_voice import OwnVoice
from training.starter.recogniser import PhraseRecogniser
from training.starter.scripts import LANGUAGES, phrases
from training.starter.user_texts import UserText, chosen

QUIET = Place(-24.0, -62.0, 3.0, 0.2, 0.04, 0.0)
NOISY = QUIET._replace(noise_db=QUIET.level_db - 15.0)
"""15 dB of pink noise below the voice."""

SEEDS = 3
_SEED = 4711
_LEAD_FRAMES = 50
_EVERY_LINE = 1
"""Of so many lines of the model one goes through the codec."""
_JUDGED_ANSWERS = 150
"""So many of the model's answers are heard by recognisers and DistillMOS."""
_LONG_TALK_QUESTIONS = 150
"""A talk of more than ten minutes."""

_T = TypeVar("_T")


class Amount(NamedTuple):
    """How much a voice does in a talk, with each seed."""

    questions: int
    new: int
    """Questions in phrasings that nothing is trained on."""
    cut_ins: int
    controls: int
    stories: int


FULL = Amount(questions=16, new=8, cut_ins=10, controls=5, stories=3)
FEW = Amount(questions=2, new=1, cut_ins=1, controls=1, stories=1)
"""To see that all is installed: minutes, and no figure to tell anybody."""


@dataclass
class Scores:
    """What was measured, and what could not be."""

    figures: dict[str, Figure] = field(default_factory=dict)
    by_voice: dict[str, dict[str, Figure]] = field(default_factory=dict)
    seeds: int = SEEDS
    collapsed: bool = False
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return them for a file."""
        told = {name: {who: each.as_json() for who, each in by.items()} for name, by in self.by_voice.items()}
        return {
            **{name: each.as_json() for name, each in self.figures.items()},
            "seeds": self.seeds,
            "collapsed": self.collapsed,
            "by_voice": told,
            "notes": self.notes,
        }


def main(argv: list[str], where: Paths) -> int:
    """Score a model, and return the exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi starter score", description="Measure what the starter model can do: half an hour."
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="its folder; left out, the one that comes with the program",
    )
    parser.add_argument("--json", action="store_true", help="print the scores as one line of JSON")
    parser.add_argument("--few", action="store_true", help="few questions with one seed, to try it out")
    options = parser.parse_args(argv)
    folder = options.model or BUNDLED / STARTER.name
    scores = score(folder, FEW, seeds=1) if options.few else score(folder)
    for sentence in scores.notes:
        print(sentence, file=sys.stderr)
    if options.json:
        print(json.dumps(scores.as_json()))
    else:
        print("\n".join(f"{name:26}{figure}" for name, figure in scores.figures.items()))
    return 0


def score(folder: Path, amount: Amount = FULL, seeds: int = SEEDS) -> Scores:
    """Return the scores of a model. Raises UserError for a folder without one, and where nobody can ask."""
    checkpoint.find(str(folder))
    with closing(Judges()) as judges:
        scores = Scores(seeds=seeds, notes=[str(fault) for fault in judges.left_out])
        if not judges.voices:
            raise UserError("No voice is installed that could ask.", scores.notes[0])
        quiet, noisy = _hold_all(folder, judges, amount, seeds)
        _measure_talks(scores, quiet, noisy)
        _judge_speech(scores, [each for each in quiet if each.runs])
        _judge_codec(scores, folder)
        _hold_long_talk(scores, folder, judges, amount)
    return scores


def _measure_talks(scores: Scores, quiet: Sequence[measures.Heard], noisy: Sequence[measures.Heard]) -> None:
    """Add what can be told of the talks themselves."""
    scores.figures = {
        "answer_match_rate": measures.matches(quiet),
        "answer_match_rate_15db": measures.matches(noisy),
        "new_phrasing_match_rate": measures.matches(quiet, new=True),
        **measures.turn_taking(quiet),
    }
    scores.by_voice = {
        "answer_match_rate": _by_voice(quiet, measures.matches),
        "yield_rate": _by_voice(quiet, lambda heard: measures.turn_taking(heard)["yield_rate"]),
    }


def _hold_all(
    folder: Path, judges: Judges, amount: Amount, seeds: int
) -> tuple[list[measures.Heard], list[measures.Heard]]:
    """Return the talks of all voices in a quiet place, and in noise."""
    quiet: list[measures.Heard] = []
    noisy: list[measures.Heard] = []
    for seed in range(_SEED, _SEED + seeds):
        plans = [
            (who, place, plan)
            for number, (language, who) in enumerate(judges.voices)
            for place, plan in _plans(language, who, amount, np.random.default_rng([seed, number]))
        ]
        callers = [
            Caller(_saying(judges, who), plan, place, seed + 1000 * number)
            for number, (who, place, plan) in enumerate(plans)
        ]
        for (who, place, _), talk in zip(plans, hold_talks(folder, callers, seed), strict=True):
            (quiet if place == QUIET else noisy).append(measures.hear(talk, f"{who.engine} {who.name}"))
    return quiet, noisy


def _saying(judges: Judges, who: Who) -> Callable[[UserText], npt.NDArray[np.float32]]:
    return lambda text: judges.say(text, who)


def _plans(
    language: str, who: Who, amount: Amount, chance: np.random.Generator
) -> list[tuple[Place, list[Turn]]]:
    """Return what a voice does, in talks of about the same length, and where."""
    asks = _drawn(
        [text for text in chosen("question", language) if knows(who, text)], amount.questions, chance
    )
    new = [text for text in chosen("question", language, new=True) if knows(who, text)]
    questions = [Turn("question", (text,)) for text in asks]
    others = [Turn("question", (text,)) for text in _drawn(new, amount.new, chance)]
    others += _interruptions("cut_in", language, who, amount.cut_ins, chance)
    others += _interruptions("control", language, who, amount.controls, chance)
    others += [Turn("story", _story(language, who, chance)) for _ in range(amount.stories)]
    mixed = [others[at] for at in chance.permutation(len(others))]
    plans = [(QUIET, questions), (QUIET, mixed), (NOISY, _drawn(questions, len(questions), chance))]
    return [(place, plan) for place, plan in plans if plan]


def _interruptions(kind: Any, language: str, who: Who, count: int, chance: np.random.Generator) -> list[Turn]:
    """Return long questions, in the answers to which the voice cuts in."""
    long = {question.answer for question in phrases(language).questions if question.long}
    asks = [text for text in chosen("question", language) if text.answer in long]
    if who == PERSON:
        asks = [text for text in chosen("question", language) if knows(who, text)]
    cuts = (
        recorded("cut_in")
        if who == PERSON
        else [*chosen("cut_in", language), *chosen("cut_in", language, new=True)]
    )
    return [
        Turn(kind, (ask, cut)) if kind == "cut_in" else Turn(kind, (ask,))
        for ask, cut in zip(_drawn(asks, count, chance), _drawn(cuts, count, chance), strict=False)
    ]


def _story(language: str, who: Who, chance: np.random.Generator) -> tuple[UserText, ...]:
    openings = recorded("opening") if who == PERSON else chosen("opening", language)
    clauses = recorded("clause") if who == PERSON else chosen("clause", language)
    return (*_drawn(openings, 1, chance), *_drawn(clauses, int(chance.integers(2, 5)), chance))


def _drawn(choices: Sequence[_T], count: int, chance: np.random.Generator) -> list[_T]:
    """Return so many of some things, each once before one comes again."""
    rounds = -(-count // max(1, len(choices)))
    order = [int(at) for _ in range(rounds) for at in chance.permutation(len(choices))]
    return [choices[at] for at in order[:count]]


def _judge_speech(scores: Scores, quiet: Sequence[measures.Heard]) -> None:
    """Add what recognisers and DistillMOS make of some of the answers; who is not installed is left out."""
    every = measures.answers(quiet)
    said = every[:: max(1, len(every) // _JUDGED_ANSWERS)][:_JUDGED_ANSWERS]
    lines = recognised_lines()
    judged: Mapping[str, Callable[[], Figure]] = {
        "speech_word_error": lambda: listeners.word_errors(said, listeners.WordRecogniser()),
        "speech_phrase_match": lambda: listeners.phrase_match(said, PhraseRecogniser(lines)),
        "text_lag_s": lambda: listeners.text_lag(said, PhraseRecogniser(lines)),
        "own_voice_mos": lambda: listeners.naturalness(said, listeners.Naturalness()),
    }
    for name, judge in judged.items():
        _add(scores, name, judge)


def _add(scores: Scores, name: str, judge: Callable[[], Figure]) -> None:
    try:
        scores.figures[name] = judge()
    except UserError as fault:
        scores.notes.append(f"{name} is left out. {fault}")


def _judge_codec(scores: Scores, folder: Path) -> None:
    """Add how well the model's voice comes through the codec; who is not installed is left out."""
    lines = [(language, line) for language in LANGUAGES for line in dict.fromkeys(phrases(language).lines)]
    through = cache(lambda: _voice_through_codec(folder, lines[::_EVERY_LINE]))
    english = cache(lambda: [each for each in through() if each.line in recognised_lines()])
    words = cache(listeners.WordRecogniser)
    judged: Mapping[str, Callable[[], Figure]] = {
        "codec_mos": lambda: _codec_mos(through(), listeners.Naturalness()),
        "codec_word_error": lambda: _codec_word_error(english(), words()),
        "codec_word_error_ratio": lambda: _codec_word_error_ratio(english(), words()),
        "codec_phrase_ratio": lambda: _codec_phrase_ratio(english(), PhraseRecogniser(recognised_lines())),
        "codec_estoi": lambda: _codec_estoi(through()),
    }
    for name, judge in judged.items():
        _add(scores, name, judge)


class _Through(NamedTuple):
    """A line in the model's voice, [N] float32 at 24 kHz, and as it comes out of the codec."""

    line: str
    sound: npt.NDArray[np.float32]
    coded: npt.NDArray[np.float32]


def _voice_through_codec(folder: Path, lines: Iterable[tuple[str, str]]) -> list[_Through]:
    """Return lines of the model, by language. Raises UserError where its voice can not speak here."""
    mimi = _mimi(folder)
    with TemporaryDirectory() as said, closing(OwnVoice(Path(said))) as voice:
        return [_through(mimi, line, voice.say(language, line).sound) for language, line in lines]


def _codec_mos(through: Sequence[_Through], judge: listeners.Naturalness) -> Figure:
    return over((each.line, judge.score(each.coded)) for each in through)


def _codec_word_error(through: Sequence[_Through], recogniser: listeners.WordRecogniser) -> Figure:
    return ratio(
        (each.line, _errors(each.line, each.coded, recogniser), len(listeners.spelt(each.line)))
        for each in through
    )


def _codec_word_error_ratio(through: Sequence[_Through], recogniser: listeners.WordRecogniser) -> Figure:
    """Return the words that are wrong out of the codec against those of the original.

    In both one more is counted, by equal parts of it in each line: an original may have none.
    """
    part = 1 / max(1, len(through))
    return ratio(
        (
            each.line,
            part + _errors(each.line, each.coded, recogniser),
            part + _errors(each.line, each.sound, recogniser),
        )
        for each in through
    )


def _errors(line: str, sound: npt.NDArray[np.float32], recogniser: listeners.WordRecogniser) -> int:
    return listeners.edits(listeners.spelt(line), recogniser.words(sound))


def _codec_phrase_ratio(through: Sequence[_Through], recogniser: PhraseRecogniser) -> Figure:
    """Return how often a line is recognised out of the codec, against the original."""
    return ratio(
        (
            each.line,
            float(recogniser.recognise(each.coded) == each.line),
            float(recogniser.recognise(each.sound) == each.line),
        )
        for each in through
    )


def _codec_estoi(through: Sequence[_Through]) -> Figure:
    stoi = package("pystoi").stoi
    return over(
        (each.line, float(stoi(each.sound, each.coded, SAMPLE_RATE, extended=True)))
        for each in through
        if len(each.sound) > SAMPLE_RATE
    )


def recognised_lines() -> list[str]:
    """Return the English lines that a recogniser can tell apart: all but the murmurs."""
    said = phrases("en")
    return [line for line in said.lines if line not in said.backchannels]


def _hold_long_talk(scores: Scores, folder: Path, judges: Judges, amount: Amount) -> None:
    """Add what a frame costs, and whether a talk of more than ten minutes goes on as it began."""
    language, who = judges.voices[0]
    chance = np.random.default_rng(_SEED)
    asks = [text for text in chosen("question", language) if knows(who, text)]
    count = _LONG_TALK_QUESTIONS if amount == FULL else amount.questions
    plan = [Turn("question", (text,)) for text in _drawn(asks, count, chance)]
    talk = hold_talk(folder, Caller(_saying(judges, who), plan, QUIET, _SEED), _SEED)
    blocks = [(at // round(10 * FRAME_RATE), cost_ms) for at, cost_ms in enumerate(talk.step_ms)]
    scores.figures["step_ms_p95"] = over(blocks, lambda costs: float(np.percentile(costs, 95)))
    scores.figures["talk_s"] = over([(0, len(talk.texts) / FRAME_RATE)])
    scores.collapsed = measures.collapsed(measures.hear(talk))


def hold_talk(folder: Path, caller: Caller, seed: int) -> Talk:
    """Let one caller talk to a model through the loop of every talk."""
    model = load_model(str(folder), lambda event: None, seed=seed)
    texts: list[str] = []
    step_ms: list[float] = []

    def tap(frame: int, heard: Heard, said: Said) -> None:
        texts.append(said.text)

    def emit(event: Event) -> None:
        if isinstance(event, Stepped):
            step_ms.append(event.step_ms)

    try:
        converse(caller, model, [tap], emit)
    finally:
        model.close()
    return Talk(caller.acts, np.concatenate(caller.said), texts, step_ms)


def _by_voice(
    heard: Sequence[measures.Heard], measure: Callable[[Sequence[measures.Heard]], Figure]
) -> dict[str, Figure]:
    return {who: measure([each for each in heard if each.who == who]) for who in _names(heard)}


def _names(heard: Iterable[measures.Heard]) -> list[str]:
    return list(dict.fromkeys(each.who for each in heard))


def _through(mimi: MimiModel, line: str, sound: npt.NDArray[np.float32]) -> _Through:
    """Return a line through the codec as the model has learnt it: after silence, with a frame's beginning."""
    first = _LEAD_FRAMES * FRAME_SAMPLES
    room = np.pad(sound, (first, -len(sound) % FRAME_SAMPLES))
    with torch.no_grad(), no_compile():
        decoded = mimi.decode(mimi.encode(torch.from_numpy(room)[None, None]))[0, 0].numpy()
    return _Through(line, sound, decoded[first : first + len(sound)])


def _mimi(folder: Path) -> MimiModel:
    return build.load_mimi(checkpoint.find(str(folder)), torch.device("cpu"))
