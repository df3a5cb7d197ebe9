"""Whether a run learns: the lowest held-out loss so far, and a run that hardly gets anywhere.

What counts is beyond noise. The same stretches are judged each time, so how unevenly their losses change from
one evaluation to another tells by how much their mean may have changed by chance. Knows nothing about models.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SURE = 2.0
"""A change of so many standard errors is no accident: 19 of 20 accidents are smaller."""

LEAST_FALL = 0.001
"""A fall of a smaller share of the loss says nothing either, however even it is."""

STALL = 0.005
"""A run gets no further that takes less than this share off its loss while its patience lasts."""

HARDLY = 0.01
"""A run that by its half took less than this share off its loss hardly learns."""

FIRST_STEPS = 10
"""Fewer say nothing. Where nothing is kept aside, so many at each end of a run tell how far its loss fell."""


def noise(before: Sequence[float], after: Sequence[float], loss: float) -> float:
    """Return by how much the mean of some stretches' losses may change by chance, in nats.

    `before` and `after` are the losses of the same stretches in two evaluations; where they are not the same,
    or a single one, all that is known is that less than a share of the `loss` says nothing.
    """
    least = LEAST_FALL * abs(loss)
    if len(before) != len(after) or len(before) < 2:
        return least
    changes = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return max(least, SURE * statistics.stdev(changes) / math.sqrt(len(changes)))


@dataclass
class Best:
    """The lowest held-out loss so far; one that is lower by no more than noise is no better."""

    step: int = 0
    loss: float = math.inf
    waited: int = 0
    """Evaluations since the loss was `mark`, below which it has not got by more than STALL and noise."""
    mark: float = math.inf
    since: int = 0
    """Evaluations since the best."""
    parts: list[float] = field(default_factory=list)
    """The losses of the stretches at that step."""

    @property
    def known(self) -> bool:
        """Return whether there was any evaluation."""
        return math.isfinite(self.loss)

    def take(self, step: int, loss: float, parts: Sequence[float] = ()) -> bool:
        """Take note of a loss and of its parts, and return whether it is the best."""
        is_best = not self.known or loss < self.loss - noise(self.parts, parts, self.loss)
        if is_best:
            self.step, self.loss, self.since, self.parts = step, loss, 0, list(parts)
        else:
            self.since += 1
        if is_best and (self.mark == math.inf or loss < self.mark * (1 - STALL)):
            self.mark, self.waited = loss, 0
        else:
            self.waited += 1
        return is_best

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, as JSON values."""
        return {name: None if value == math.inf else value for name, value in asdict(self).items()}

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Best:
        """Return what a checkpoint kept."""
        known: dict[str, Any] = {name: math.inf if each is None else each for name, each in state.items()}
        return cls(**{"mark": known["loss"], "since": known["waited"], **known})


class Learning:
    """How far the loss of a run fell, by its events: held out, or while training where nothing is."""

    def __init__(self, steps: int, warmup_steps: int) -> None:
        self._steps = steps
        self._sure_from = max(steps / 2, min(warmup_steps, steps))
        self._judged: list[float] = []
        """The first held-out loss, and the newest."""
        self._early: list[float] = []
        self._late: deque[float] = deque(maxlen=FIRST_STEPS)
        self._count = 0
        self._told = False

    @property
    def first_loss(self) -> float | None:
        """Return the held-out loss before the first step, None where it is not known."""
        return self._judged[0] if self._judged else None

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in what happened."""
        for event in events:
            loss = event.get("loss")
            if event.get("kind") == "warning" and event.get("about") == "hardly":
                self._told = True
            elif event.get("kind") == "evaluation" and isinstance(loss, (int, float)):
                self._judged = [*self._judged[:1], float(loss)]
            elif event.get("kind") == "step" and isinstance(loss, (int, float)):
                self._count += 1
                if len(self._early) < FIRST_STEPS:
                    self._early.append(float(loss))
                self._late.append(float(loss))

    def is_hard(self, step: int, *, ending: bool) -> bool:
        """Say, once, that the run hardly learns: from its half on, or where it ends."""
        if self._told or step < FIRST_STEPS or (step < self._sure_from and not ending):
            return False
        return abs(self._fall()) < HARDLY

    def _fall(self) -> float:
        """Return the share that the loss fell by; 1 where it is not known."""
        if len(self._judged) > 1:
            first, last = self._judged
        elif not self._judged and self._count >= 2 * FIRST_STEPS:
            first, last = statistics.mean(self._early), statistics.mean(self._late)
        else:
            return 1.0
        return (first - last) / first if first > 0 else 1.0
