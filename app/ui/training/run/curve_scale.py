"""Where a loss and a step stand in a plot, which of them are labelled, and how few points a long line needs.

Knows nothing about painting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

SETTLED = 0.02
"""The share of the highest losses, those of the first steps, that need not be seen."""

Point = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps steps 0..`steps` and losses `low`..`high` to an area."""

    area: QRectF
    steps: int
    low: float
    high: float

    def x(self, step: float) -> float:
        """Return where a step is."""
        return self.area.left() + self.area.width() * step / self.steps

    def y(self, value: float) -> float:
        """Return where a loss is, within the area."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.area.bottom() - self.area.height() * share

    def point(self, at: Point) -> QPointF:
        """Return where a loss at a step is."""
        return QPointF(self.x(at[0]), self.y(at[1]))

    def step(self, x: float) -> int:
        """Return the step that is nearest to an x."""
        share = (x - self.area.left()) / max(1.0, self.area.width())
        return round(self.steps * min(1.0, max(0.0, share)))


def value_range(*lines: Sequence[Point]) -> tuple[float, float]:
    """Return the lowest and the highest loss to be seen, with some room, rare outliers left out."""
    values = sorted(value for line in lines for _, value in line if math.isfinite(value))
    if not values:
        return 0.0, 1.0
    low, high = values[0], values[min(len(values) - 1, int(len(values) * (1 - SETTLED)))]
    room = max(0.12 * (high - low), 0.02 * abs(high), 1e-3)
    return max(0.0, low - room), high + room


def nice_steps(low: float, high: float, count: int) -> list[tuple[float, str]]:
    """Return about `count` round values from `low` to `high` with their labels."""
    rough = (high - low) / max(1, count)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    numbers = range(first, math.floor(high / step + 1e-9) + 1)
    return [(number * step, f"{number * step:,.{digits}f}") for number in numbers]


def thinned(line: Sequence[Point], scale: Scale) -> list[Point]:
    """Return the line with the mean of each pixel column in place of its points."""
    columns: dict[int, list[Point]] = {}
    for at in line:
        columns.setdefault(int(scale.x(at[0])), []).append(at)
    return [
        (
            round(sum(step for step, _ in points) / len(points)),
            sum(value for _, value in points) / len(points),
        )
        for points in columns.values()
    ]
