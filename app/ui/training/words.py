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
from app.ui.told import told

translate = QCoreApplication.translate


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
    text, total = told(str(event.get("text", ""))), float(event.get("total") or 0.0)
    if not total:
        return text
    done = wording.size_words(float(event.get("done") or 0.0))
    return translate("Training", "{0} · {1} of {2}").format(text, done, wording.size_words(total))


def state_words(run: Run, figures: Figures, *, starting: bool, stopping: bool) -> str:
    """Return what the run is doing, or how it ended."""
    if starting:
        return translate("Training", "Starting…")
    if stopping and run.state == "running":
        return translate("Training", "Saving a checkpoint…")
    if (holder := run.holder) is not None:
        training = figures.stage or translate("Training", "Training")
        elsewhere = not holder.is_here and holder.host
        return translate("Training", "{0} · on {1}").format(training, holder.host) if elsewhere else training
    if run.state == "stopped":
        return translate("Training", "Stopped at step {0}; it can go on from there").format(f"{run.step:,}")
    if run.state == "finished":
        sentence = told(str(run.values.get("sentence") or ""))
        return sentence or translate("Training", "Finished")
    return translate("Training", "It failed at step {0}; it can go on from its last checkpoint").format(
        f"{run.step:,}"
    )


def short_state(run: Run) -> str:
    """Return state and best loss in a few words, for a list."""
    state = {
        "running": translate("Training", "training, {0} %").format(round(100 * run.progress)),
        "stopped": translate("Training", "stopped"),
        "finished": translate("Training", "finished"),
        "failed": translate("Training", "failed"),
    }.get(run.state, run.state)
    best = run.values.get("best_loss")
    if not isinstance(best, (int, float)):
        return state
    return f"{state} · " + translate("Training", "best {0}").format(f"{best:.2f}")


def facts_line(step: int, steps: int, figures: Figures, left: str) -> str:
    """Return how far a run is and what it takes."""
    parts = [translate("Training", "Step {0} of {1}").format(f"{step:,}", f"{steps:,}"), left]
    if figures.audio_s_per_s:
        parts.append(translate("Training", "{0} s of audio a second").format(f"{figures.audio_s_per_s:,.0f}"))
    if figures.memory_gb:
        parts.append(
            translate("Training", "{0} of graphics memory").format(
                wording.size_words(figures.memory_gb * wording.GB)
            )
        )
    if figures.hours:
        parts.append(
            translate("Training", "{0} of dialogue").format(wording.length_words(3_600 * figures.hours))
        )
    return " · ".join(part for part in parts if part)


def left_words(left_s: float) -> str:
    """Return the time that is left, '' where it is not known."""
    if left_s <= 0:
        return ""
    if left_s < 90:
        return translate("Training", "{0} s left").format(max(1, round(left_s)))
    if left_s < 5_400:
        return translate("Training", "{0} min left").format(round(left_s / 60))
    return translate("Training", "{0} left").format(wording.length_words(60 * round(left_s / 60)))


def about_words(length_s: float) -> str:
    """Return how long something will take, roughly."""
    if length_s < 90:
        return translate("Training", "About a minute")
    if length_s < 5_400:
        return translate("Training", "About {0} min").format(round(length_s / 60))
    return translate("Training", "About {0}").format(wording.length_words(60 * round(length_s / 60)))


def score_names() -> dict[str, tuple[str, bool]]:
    """Return the scores in the order in which they are shown, and whether less is better."""
    return {
        "text": (translate("Training", "Words"), True),
        "semantic": (translate("Training", "Speech sounds"), True),
        "acoustic": (translate("Training", "Voice"), True),
        "user": (translate("Training", "Your voice"), True),
        "distinct_codes": (translate("Training", "Different sounds in the sample"), False),
        "entropy_bits": (translate("Training", "Variety of its sounds"), False),
        "padding_share": (translate("Training", "Silence in its words"), True),
    }


def score_words(name: str, value: float) -> str:
    """Return a score with its unit."""
    if name == "distinct_codes":
        return f"{value:.0f}"
    if name == "entropy_bits":
        return translate("Training", "{0} bits").format(f"{value:.1f}")
    if name == "padding_share":
        return f"{100 * value:.0f} %"
    return f"{value:.2f}"
