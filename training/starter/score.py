"""What the starter model can do, in numbers: somebody whom it never heard talks to it, and all is measured.

The numbers are those on its card. Knows nothing about how the model was made.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile

from app.engine.events import Event, Stepped
from app.engine.loop import converse
from app.engine.model import load_model
from app.engine.ports import Said
from app.errors import UserError
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Heard, level_db
from app.paths import Paths
from training.starter.acoustics import CLEAN, scale
from training.starter.caller import AUDIBLE_DB, Act, Caller
from training.starter.recogniser import PhraseRecogniser
from training.starter.scripts import LANGUAGES, display, phrases
from training.starter.speech import Speaker
from training.starter.voices import model_voice

ANSWER_S, STOP_S = 1.5, 1.0
_EARLY_S = 0.3
"""An answer may begin so much before the last sound of the user."""
_GAP_FRAMES = 5
"""A pause of the model shorter than this is inside of what it says."""
_STORIES = 30
"""So many sentences that are no lines of the model go through the codec, for each language."""
_LEAD_FRAMES = 50
_SEED = 4711


def main(argv: list[str], where: Paths) -> int:
    """Score a model, and return the exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi starter score", description="Measure what the starter model can do: half an hour."
    )
    parser.add_argument("model", type=Path, metavar="DIR", help="its folder")
    parser.add_argument("--json", action="store_true", help="print the scores as one line of JSON")
    options = parser.parse_args(argv)
    scores = score(options.model)
    if options.json:
        print(json.dumps(scores))
    else:
        print("\n".join(f"{name:22}{value:8.3f}" for name, value in scores.items()))
    return 0


class Run(NamedTuple):
    """A stretch in which the model spoke, in frames, and what it wrote meanwhile."""

    start: int
    end: int
    text: str


@dataclass
class Talk:
    """All that happened while somebody talked to the model."""

    acts: list[Act]
    samples: npt.NDArray[np.float32]
    """[frames x 1920] float32, what the model said."""
    texts: list[str]
    """What became readable with each frame."""
    step_ms: list[float]

    def runs(self) -> list[Run]:
        """Return when the model spoke."""
        frames = self.samples.reshape(-1, FRAME_SAMPLES)
        audible = np.flatnonzero([level_db(frame) > AUDIBLE_DB for frame in frames])
        if not len(audible):
            return []
        breaks = np.flatnonzero(np.diff(audible) > _GAP_FRAMES)
        starts = [int(audible[0]), *(int(audible[at + 1]) for at in breaks)]
        ends = [*(int(audible[at]) + 1 for at in breaks), int(audible[-1]) + 1]
        return [Run(start, end, self.text(start - 3, end)) for start, end in zip(starts, ends, strict=True)]

    def text(self, start: float, end: float) -> str:
        """Return what the model wrote from a frame to another."""
        return "".join(self.texts[max(0, int(start)) : max(0, int(end))]).strip()

    def sound(self, run: Run) -> npt.NDArray[np.float32]:
        """Return what the model said in a run."""
        return self.samples[run.start * FRAME_SAMPLES : run.end * FRAME_SAMPLES]


def score(folder: Path) -> dict[str, float | bool]:
    """Return the scores of a model. Raises UserError for a folder without one, and without the recogniser."""
    speaker = Speaker()
    recogniser = PhraseRecogniser(recognised_lines())
    scores: dict[str, float | bool] = dict(_score_codec(_mimi(folder), speaker, recogniser))
    talk = hold_talk(folder, speaker)
    scores.update(score_talk(talk, recogniser))
    return scores


def recognised_lines() -> list[str]:
    """Return the English lines that a recogniser can tell apart: all but the murmurs."""
    said = phrases("en")
    return [line for line in said.lines if line not in said.backchannels]


def hold_talk(folder: Path, speaker: Speaker, seed: int = _SEED) -> Talk:
    """Let somebody talk to a model for more than ten minutes, through the loop of every talk."""
    model = load_model(str(folder), lambda event: None, seed=seed)
    caller = Caller(speaker, seed)
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


def score_talk(talk: Talk, recogniser: PhraseRecogniser) -> dict[str, float | bool]:
    """Return what can be told of a talk."""
    runs = talk.runs()
    answers = [(act, _answer(act, runs)) for act in talk.acts if act.kind in ("question", "story")]
    asked = [(act, run) for act, run in answers if act.kind == "question"]
    matched = [_closest(talk.text(act.end, act.until)) == act.expected for act, _ in asked]
    half = len(matched) // 2
    heard = _heard(talk, [run for act, run in asked if act.language == "en" and run], recogniser)
    return {
        "answer_rate": _share(run is not None for _, run in answers),
        "pause_silence_rate": _share(_kept_silent(act, runs) for act in talk.acts if act.kind == "pause"),
        "yield_rate": _share(_stopped(act, talk) for act in talk.acts if act.kind == "cut_in"),
        "backchannel_rate": _share(_murmured(act, runs) for act in talk.acts if act.kind == "story"),
        "answer_match_rate": _share(matched),
        "speech_phrase_match": heard[0],
        "text_lag_s": heard[1],
        "step_ms_p95": float(np.percentile(talk.step_ms, 95)),
        "talk_s": len(talk.texts) / FRAME_RATE,
        "collapsed": _share(matched[half:]) < 0.5 * _share(matched[:half]),
    }


def _answer(act: Act, runs: Sequence[Run]) -> Run | None:
    """Return what the model says after a turn of the user, None where that is late or too early."""
    first, last = act.end - _EARLY_S * FRAME_RATE, act.end + ANSWER_S * FRAME_RATE
    return next((run for run in runs if first <= run.start <= last and not _is_murmur(run)), None)


def _kept_silent(act: Act, runs: Sequence[Run]) -> bool:
    """Tell whether the model took no turn in a pause and until the user was heard again."""
    return not any(act.start <= run.start <= act.end + 2 and not _is_murmur(run) for run in runs)


def _stopped(act: Act, talk: Talk) -> bool:
    """Tell whether the model fell silent within STOP_S of a cut-in."""
    first, last = int(act.start), int(act.start + STOP_S * FRAME_RATE)
    frames = talk.samples.reshape(-1, FRAME_SAMPLES)[first : last + _GAP_FRAMES]
    audible = [level_db(frame) > AUDIBLE_DB for frame in frames]
    return any(not any(audible[at : at + _GAP_FRAMES]) for at in range(last - first + 1))


def _murmured(act: Act, runs: Sequence[Run]) -> bool:
    return any(act.start < run.start < act.end and _is_murmur(run) for run in runs)


def _is_murmur(run: Run) -> bool:
    return any(_closest(run.text) == line for each in LANGUAGES for line in phrases(each).backchannels)


def _closest(text: str) -> str:
    """Return the line that is most like a text, '' where none is."""
    lines = {display(line, each): line for each in LANGUAGES for line in phrases(each).lines}
    return next((lines[each] for each in difflib.get_close_matches(text, lines, 1, 0.7)), "")


def _heard(talk: Talk, runs: Iterable[Run], recogniser: PhraseRecogniser) -> tuple[float, float]:
    """Return how often speech and text are the same line, and how far apart words are in them, in s.

    The latter is what nine of ten words are within.
    """
    same, lags = [], []
    for run in runs:
        line = _closest(run.text)
        if line:
            same.append(recogniser.recognise(talk.sound(run)) == line)
            lags += _lags(talk, run, line, recogniser)
    return _share(same), float(np.percentile(lags, 90)) if lags else float("inf")


def _lags(talk: Talk, run: Run, line: str, recogniser: PhraseRecogniser) -> list[float]:
    first = max(0, run.start - 3)
    written = [at for at in range(first, run.end) if talk.texts[at][:1] == " "]
    if talk.text(first, run.end) and not talk.texts[first].startswith(" "):
        opening = next(at for at in range(first, run.end) if talk.texts[at].strip())
        written = sorted({opening, *written})
    spoken = recogniser.word_starts(line, talk.sound(run))
    if len(spoken) != len(written):
        return []
    return [
        abs(run.start / FRAME_RATE + start_s - at / FRAME_RATE)
        for start_s, at in zip(spoken, written, strict=True)
    ]


def _score_codec(mimi: MimiModel, speaker: Speaker, recogniser: PhraseRecogniser) -> dict[str, float]:
    """Return how well the model's voice comes through the codec: lines heard, and extended STOI."""
    try:
        from pystoi import stoi
    except ImportError as fault:
        raise UserError("pystoi is missing.", "Install the extra `starter`.") from fault
    chance = np.random.default_rng(_SEED)
    before, after, clearness = 0, 0, []
    for language in LANGUAGES:
        said = phrases(language)
        stories = [", ".join(said.story(chance, 3)) for _ in range(_STORIES)]
        for line in (*said.lines, *stories):
            sound = scale(speaker.say(line, model_voice(language), said.aloud).sound, CLEAN)
            coded = _through(mimi, sound, int(chance.integers(FRAME_SAMPLES)))
            if line in recognised_lines():
                before += recogniser.recognise(sound) == line
                after += recogniser.recognise(coded) == line
            if len(sound) > SAMPLE_RATE:
                clearness.append(stoi(sound, coded, SAMPLE_RATE, extended=True))
    return {
        "codec_phrase_ratio": after / max(1, before),
        "codec_estoi": float(np.mean(clearness)),
    }


def _through(mimi: MimiModel, sound: npt.NDArray[np.float32], lead: int) -> npt.NDArray[np.float32]:
    """Return a sound as it comes out of the codec, after some silence that does not end with a frame."""
    first = _LEAD_FRAMES * FRAME_SAMPLES + lead
    frames = -(-(first + len(sound)) // FRAME_SAMPLES)
    room = np.zeros(frames * FRAME_SAMPLES, dtype=np.float32)
    room[first : first + len(sound)] = sound
    with torch.no_grad(), no_compile():
        decoded = mimi.decode(mimi.encode(torch.from_numpy(room)[None, None]))[0, 0].numpy()
    heard: npt.NDArray[np.float32] = decoded[first : first + len(sound)]
    return heard


def _mimi(folder: Path) -> MimiModel:
    from app.engine import build, checkpoint

    return build.load_mimi(checkpoint.find(str(folder)), torch.device("cpu"))


def _share(happened: Iterable[bool]) -> float:
    """Return how many of some things happened, NaN of none."""
    all_of_them = list(happened)
    return sum(all_of_them) / len(all_of_them) if all_of_them else float("nan")
