"""What is said about a run: its state, its figures, the time that is left.

Knows nothing about widgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.store.runs import Run
from app.ui.shell import wording
from app.ui.shell.translation import told

translate = QCoreApplication.translate

SAVING = "Saving a checkpoint"
"""The stage in which a run writes what it keeps, as training tells it."""


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
    on_card: bool | None = None
    """Whether the memory is that of a graphics card; None for a run that does not tell."""
    first_loss: float | None = None
    best_loss: float | None = None
    """Held out, before training and at the best step."""

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
            if isinstance(event.get("on_card"), bool):
                self.on_card = event["on_card"]
            if kind == "evaluation" and isinstance(event.get("loss"), (int, float)):
                self._judge(float(event["loss"]), best=bool(event.get("best")))

    def _judge(self, loss: float, *, best: bool) -> None:
        self.first_loss = loss if self.first_loss is None else self.first_loss
        self.best_loss = loss if best or self.best_loss is None else self.best_loss

    @property
    def has_card(self) -> bool:
        """Return whether the run takes the memory of a graphics card; older ones tell it by the device."""
        return not self.device.endswith("CPU") if self.on_card is None else self.on_card


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
    if stopping and run.state == "running" and figures.stage != told(SAVING):
        return translate("Training", "Stopping…")
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
    first, best = run.values.get("first_loss"), run.values.get("best_loss")
    if not isinstance(best, (int, float)):
        return state
    if not isinstance(first, (int, float)) or first <= 0:
        return f"{state} · {best_words(best, None)}"
    # There is no room for both beside how far it is.
    told_best = fall_words(first, best) if run.state == "running" else best_words(best, first)
    return f"{state} · {told_best}"


def best_words(best: float, first: float | None) -> str:
    """Return the best loss and by which share it is below the first, where that is known."""
    if first is None:
        return translate("Training", "best {0}").format(f"{best:.2f}")
    return translate("Training", "best {0} ({1})").format(f"{best:.2f}", fall_words(first, best))


def fall_words(first: float, last: float) -> str:
    """Return by which share a loss has fallen or risen: the one figure that all lists and curves show."""
    percent = round(100 * (last - first) / first)
    sign = "−" if percent < 0 else "+" if percent > 0 else "±"
    return translate("Training", "{0} %").format(f"{sign}{abs(percent)}")


def facts_line(step: int, steps: int, figures: Figures, left: str) -> str:
    """Return how far a run is and what it takes."""
    parts = [translate("Training", "Step {0} of {1}").format(f"{step:,}", f"{steps:,}"), left]
    if figures.audio_s_per_s:
        parts.append(translate("Training", "{0} s of audio a second").format(f"{figures.audio_s_per_s:,.0f}"))
    if figures.memory_gb:
        size = wording.size_words(figures.memory_gb * wording.GB)
        on_card = translate("Training", "{0} of graphics memory").format(size)
        parts.append(on_card if figures.has_card else translate("Training", "{0} of memory").format(size))
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
