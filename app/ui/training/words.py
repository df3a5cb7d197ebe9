"""What is said about a run: its state, its figures, the time that is left.

Knows nothing about widgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.runs import Run
from app.ui import wording


def _tr(text: str) -> str:
    return QCoreApplication.translate("Training", text)


@dataclass
class Figures:
    """The newest figures of a run; 0 and '' where they are not known."""

    step: int = 0
    stage: str = ""
    left_s: float = 0.0
    audio_s_per_s: float = 0.0
    memory_gb: float = 0.0
    hours: float = 0.0
    held_out_hours: float = 0.0
    device: str = ""

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in what happened."""
        for event in events:
            kind = event["kind"]
            if kind == "stage":
                self.stage = _stage_words(event)
            elif kind == "started":
                self.stage = ""
            elif kind == "step":
                self.stage = ""
                self.step = int(event.get("step", 0))
            for name in ("left_s", "audio_s_per_s", "memory_gb", "hours", "held_out_hours"):
                if isinstance(value := event.get(name), (int, float)):
                    setattr(self, name, float(value))
            self.device = str(event.get("device", self.device))


def _stage_words(event: dict[str, Any]) -> str:
    text, total = str(event.get("text", "")), float(event.get("total") or 0.0)
    if not total:
        return text
    done = wording.size_words(float(event.get("done") or 0.0))
    return _tr("{0} · {1} of {2}").format(text, done, wording.size_words(total))


def state_words(run: Run, figures: Figures, *, starting: bool, stopping: bool) -> str:
    """Return what the run is doing, or how it ended."""
    if starting:
        return _tr("Starting…")
    if stopping and run.state == "running":
        return _tr("Saving a checkpoint…")
    if run.state == "running":
        return figures.stage or _tr("Training")
    if run.state == "stopped":
        return _tr("Stopped at step {0}; it can go on from there").format(f"{run.step:,}")
    if run.state == "finished":
        sentence = str(run.values.get("sentence") or "")
        return sentence or _tr("Finished")
    return _tr("It failed at step {0}; it can go on from its last checkpoint").format(f"{run.step:,}")


def short_state(run: Run) -> str:
    """Return state and best loss in a few words, for a list."""
    state = {
        "running": _tr("training, {0} %").format(round(100 * run.step / run.steps) if run.steps else 0),
        "stopped": _tr("stopped"),
        "finished": _tr("finished"),
        "failed": _tr("failed"),
    }.get(run.state, run.state)
    best = run.values.get("best_loss")
    return f"{state} · {_tr('best {0}').format(f'{best:.2f}')}" if isinstance(best, (int, float)) else state


def facts_line(step: int, steps: int, figures: Figures, left: str) -> str:
    """Return how far a run is and what it takes."""
    parts = [_tr("Step {0} of {1}").format(f"{step:,}", f"{steps:,}"), left]
    if figures.audio_s_per_s:
        parts.append(_tr("{0} s of audio a second").format(f"{figures.audio_s_per_s:,.0f}"))
    if figures.memory_gb:
        parts.append(_tr("{0} of graphics memory").format(wording.size_words(figures.memory_gb * wording.GB)))
    if figures.hours:
        parts.append(_tr("{0} of dialogue").format(wording.length_words(3_600 * figures.hours)))
    return " · ".join(part for part in parts if part)


def left_words(left_s: float) -> str:
    """Return the time that is left, '' where it is not known."""
    if left_s <= 0:
        return ""
    if left_s < 90:
        return _tr("{0} s left").format(max(1, round(left_s)))
    if left_s < 5_400:
        return _tr("{0} min left").format(round(left_s / 60))
    return _tr("{0} left").format(wording.length_words(60 * round(left_s / 60)))


def about_words(length_s: float) -> str:
    """Return how long something will take, roughly."""
    if length_s < 90:
        return _tr("About a minute")
    if length_s < 5_400:
        return _tr("About {0} min").format(round(length_s / 60))
    return _tr("About {0}").format(wording.length_words(60 * round(length_s / 60)))


def score_names() -> dict[str, tuple[str, bool]]:
    """Return the scores in the order in which they are shown, and whether less is better."""
    return {
        "text": (_tr("Words"), True),
        "semantic": (_tr("Speech sounds"), True),
        "acoustic": (_tr("Voice"), True),
        "user": (_tr("Your voice"), True),
        "distinct_codes": (_tr("Different sounds in the sample"), False),
        "entropy_bits": (_tr("Variety of its sounds"), False),
        "padding_share": (_tr("Silence in its words"), True),
    }


def score_words(name: str, value: float) -> str:
    """Return a score with its unit."""
    if name == "distinct_codes":
        return f"{value:.0f}"
    if name == "entropy_bits":
        return _tr("{0} bits").format(f"{value:.1f}")
    if name == "padding_share":
        return f"{100 * value:.0f} %"
    return f"{value:.2f}"
