"""What can be told of talks with the starter, in figures. Knows nothing about how talks are held."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from app.frames import FRAME_RATE, FRAME_SAMPLES, level_db
from training.starter.caller import AUDIBLE_DB, Act
from training.starter.crowd import Talk
from training.starter.figures import Figure, share
from training.starter.scripts import LANGUAGES, display, phrases
from training.starter.speech import Sound

ANSWER_S, STOP_S = 1.5, 1.0
_EARLY_S = 0.3
"""An answer may begin so much before the last sound of the user."""
_GAP_FRAMES = 5
"""A pause of the model shorter than this is inside of what it says."""
_LATE_TEXT_FRAMES = 3
"""A word is written at most so long before it is heard."""
_OVER_FRAMES = 2
"""Both speak for a moment where turns change: shorter than this it is no talking over somebody."""
_ENDING = 5
"""So many characters tell the end of a line."""
_FIRST_KANA = 0x3040


class Run(NamedTuple):
    """A stretch in which the model spoke, in frames, and what it wrote meanwhile."""

    start: int
    end: int
    text: str

    @property
    def line(self) -> str:
        """Return the line that it is, '' where it is none."""
        return closest(self.text)

    @property
    def is_murmur(self) -> bool:
        """Tell whether it is a backchannel."""
        return any(self.line == line for each in LANGUAGES for line in phrases(each).backchannels)


class Heard(NamedTuple):
    """A talk, who it was with, and when the model spoke in it."""

    who: str
    """As engine and voice."""
    talk: Talk
    runs: list[Run]

    def acts(self, *kinds: str) -> Iterator[Act]:
        """Yield what the caller did."""
        return (act for act in self.talk.acts if act.kind in kinds)

    def text(self, start: float, end: float) -> str:
        """Return what the model wrote from a frame to another."""
        return _text(self.talk, start, end)

    def sound(self, run: Run) -> Sound:
        """Return what the model said in a run."""
        return self.talk.samples[run.start * FRAME_SAMPLES : run.end * FRAME_SAMPLES]


def hear(talk: Talk, who: str = "") -> Heard:
    """Return a talk with the stretches in which the model spoke."""
    audible = np.flatnonzero(
        [level_db(frame) > AUDIBLE_DB for frame in talk.samples.reshape(-1, FRAME_SAMPLES)]
    )
    if not len(audible):
        return Heard(who, talk, [])
    breaks = np.flatnonzero(np.diff(audible) > _GAP_FRAMES)
    starts = [int(audible[0]), *(int(audible[at + 1]) for at in breaks)]
    ends = [*(int(audible[at]) + 1 for at in breaks), int(audible[-1]) + 1]
    return Heard(
        who,
        talk,
        [
            Run(start, end, _text(talk, start - _LATE_TEXT_FRAMES, end))
            for start, end in zip(starts, ends, strict=True)
        ],
    )


def matches(heard: Sequence[Heard], *, new: bool = False) -> Figure:
    """Return how many questions get their right answer, asked as is learnt, or as never is."""
    return _share(
        heard,
        ("question",),
        lambda each, act: _reply_line(each, act) == act.text.answer,
        lambda act: act.text.new == new,
    )


def turn_taking(heard: Sequence[Heard]) -> dict[str, Figure]:
    """Return the figures of turn taking, of talks in a quiet place."""
    return {
        "answer_rate": _share(heard, ("question", "story"), lambda each, act: reply(each, act) is not None),
        "pause_silence_rate": _share(heard, ("pause",), _kept_silent),
        "yield_rate": _yields(heard, "cut_in"),
        "yield_rate_control": _yields(heard, "control"),
        "backchannel_rate": _share(heard, ("story",), _murmured),
        "talked_over_rate": _share(heard, ("question", "clause"), _talked_over),
        "wrong_language_rate": _share(
            heard,
            ("question",),
            lambda each, act: language_of(each.text(act.end, act.until)) != act.text.language,
            needs_text=True,
        ),
    }


def _yields(heard: Sequence[Heard], kind: str) -> Figure:
    """Return how often the model falls silent in the middle of a line that was not at its end."""
    return share(
        ((each.who, act.text.spoken), _stopped(each, act))
        for each in heard
        for act in each.acts(kind)
        if not _finished(each, act)
    )


def collapsed(heard: Heard) -> bool:
    """Tell whether the second half of a talk has less than half of the answers of the first."""
    answered = [reply(heard, act) is not None for act in heard.acts("question")]
    half = len(answered) // 2
    return sum(answered[half:]) < 0.5 * sum(answered[:half])


def answers(heard: Sequence[Heard]) -> list[tuple[Heard, Run]]:
    """Return the runs in which the model says a whole line after a question."""
    return [
        (each, run)
        for each in heard
        for act in each.acts("question")
        if (run := reply(each, act)) is not None and run.line
    ]


def reply(heard: Heard, act: Act) -> Run | None:
    """Return what the model says after a turn of the user, None where that is late or too early."""
    first, last = act.end - _EARLY_S * FRAME_RATE, act.end + ANSWER_S * FRAME_RATE
    return next((run for run in heard.runs if first <= run.start <= last and not run.is_murmur), None)


@cache
def closest(text: str) -> str:
    """Return the line that is most like a text, '' where none is."""
    lines = {display(line, each): line for each in LANGUAGES for line in phrases(each).lines}
    return next((lines[each] for each in difflib.get_close_matches(text, lines, 1, 0.7)), "")


def language_of(text: str) -> str:
    """Return in which language something was written: "ja" where most letters are Japanese ones."""
    letters = [letter for letter in text if letter.isalpha()]
    return "ja" if 2 * sum(ord(letter) >= _FIRST_KANA for letter in letters) > len(letters) else "en"


def _share(
    heard: Sequence[Heard],
    kinds: tuple[str, ...],
    happened: Callable[[Heard, Act], bool],
    counts: Callable[[Act], bool] = lambda act: True,
    *,
    needs_text: bool = False,
) -> Figure:
    """Return how often something happened: each voice and text is one thing that it can happen to."""
    return share(
        ((each.who, act.text.spoken), happened(each, act))
        for each in heard
        for act in each.acts(*kinds)
        if counts(act) and (not needs_text or each.text(act.end, act.until))
    )


def _reply_line(heard: Heard, act: Act) -> str:
    return closest(heard.text(act.end, act.until))


def _kept_silent(heard: Heard, act: Act) -> bool:
    """Tell whether the model took no turn in a pause and until the user was heard again."""
    return not any(act.start <= run.start <= act.end + 2 and not run.is_murmur for run in heard.runs)


def _stopped(heard: Heard, act: Act) -> bool:
    """Tell whether the model fell silent within STOP_S of a cut-in."""
    first, last = int(act.start), int(act.start + STOP_S * FRAME_RATE)
    frames = heard.talk.samples.reshape(-1, FRAME_SAMPLES)[first : last + _GAP_FRAMES]
    audible = [level_db(frame) > AUDIBLE_DB for frame in frames]
    return any(not any(audible[at : at + _GAP_FRAMES]) for at in range(last - first + 1))


def _finished(heard: Heard, act: Act) -> bool:
    """Tell whether the line that the model is in was written to its end before it could have stopped."""
    run = next((run for run in heard.runs if run.start <= act.start < run.end), None)
    if run is None:
        return True
    written = heard.text(run.start - _LATE_TEXT_FRAMES, min(run.end, act.start + STOP_S * FRAME_RATE))
    lines = (display(line, each) for each in LANGUAGES for line in phrases(each).lines)
    # Its end alone: a model that misspells the middle of a line has come to its end too.
    return any(written.endswith(line[-_ENDING:]) for line in lines)


def _murmured(heard: Heard, act: Act) -> bool:
    return any(act.start < run.start < act.end and run.is_murmur for run in heard.runs)


def _talked_over(heard: Heard, act: Act) -> bool:
    """Tell whether the model takes a turn while the user speaks, or goes on in one."""
    first, last = act.start + _OVER_FRAMES, act.end - _EARLY_S * FRAME_RATE
    return any(
        min(run.end, last) - max(run.start, first) >= _OVER_FRAMES and not run.is_murmur for run in heard.runs
    )


def _text(talk: Talk, start: float, end: float) -> str:
    return "".join(talk.texts[max(0, int(start)) : max(0, int(end))]).strip()
