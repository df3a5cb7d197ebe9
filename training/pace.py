"""How long what is left of a run will take: its steps, its evaluations with their samples, its checkpoints.

Learns from the events of a run, those of an earlier part of it too. Knows nothing about what is being done.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from typing import Any

SPEED_STEPS = 21
"""How many steps tell how long the rest will take: their median, since the first ones also compile."""

SPEED_EVALUATIONS = 5
"""The same for evaluations and checkpoints."""


class Pace:
    """How long each part took lately."""

    def __init__(self, steps: int, every_steps: int) -> None:
        self._steps = steps
        self._every = every_steps
        self._lately = {
            "step": deque[float](maxlen=SPEED_STEPS),
            "evaluation": deque[float](maxlen=SPEED_EVALUATIONS),
            "checkpoint": deque[float](maxlen=SPEED_EVALUATIONS),
        }

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in what happened."""
        for event in events:
            took_s = event.get("took_s")
            if event.get("kind") in self._lately and isinstance(took_s, (int, float)):
                self._lately[event["kind"]].append(float(took_s))

    def left_s(self, step: int) -> float:
        """Return how long the rest takes once `step` is done and before it is judged, where it is to be."""
        return (self._steps - step) * self._each_s("step") + self.judging_s(step)

    def judging_s(self, step: int) -> float:
        """Return how long evaluations and checkpoints take from the end of `step` on."""
        each_s = self._each_s("evaluation") + self._each_s("checkpoint")
        return each_s * evaluations_from(step, self._steps, self._every)

    def _each_s(self, kind: str) -> float:
        return statistics.median(self._lately[kind]) if self._lately[kind] else 0.0


def is_due(step: int, steps: int, every_steps: int) -> bool:
    """Say whether a run of `steps` is judged after a step: before the first, now and then, and at the end."""
    return step == steps or step % every_steps == 0


def evaluations_from(step: int, steps: int, every_steps: int) -> int:
    """Return how many evaluations there are after `step` and later ones."""
    return steps // every_steps - (step - 1) // every_steps + (steps % every_steps != 0)
