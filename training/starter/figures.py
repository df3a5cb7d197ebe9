"""A score with its number of observations and a 95 % interval.

The same question asked with another seed is no new question: intervals count questions, not askings. Knows
nothing about what is scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import isnan, nan, sqrt

import numpy as np
import numpy.typing as npt

_Z = 1.959964
"""The normal deviate that 97.5 % are below."""
_DRAWS = 1000


@dataclass(frozen=True)
class Figure:
    """A score. All are NaN, and n is 0, of nothing."""

    value: float
    low: float
    high: float
    """The ends of the 95 % interval."""
    n: int
    """Observations."""
    of: int
    """Different questions, lines or voices among them, by which the interval goes."""

    def as_json(self) -> dict[str, float | int | None]:
        """Return it for a file, numbers that there are not as null."""
        return {name: None if isnan(value) else value for name, value in asdict(self).items()}

    def __str__(self) -> str:
        """Return it as a line of a table has it."""
        return (
            f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}; n = {self.n})"
            if self.n
            else "not measured"
        )


def share(observed: Iterable[tuple[Hashable, bool]]) -> Figure:
    """Return how many of some things happened, each with the name of what it is one observation of.

    The interval is Wilson's (1927) for as many independent observations as there are names.
    """
    all_of_them = list(observed)
    if not all_of_them:
        return Figure(nan, nan, nan, 0, 0)
    p, n = (
        sum(happened for _, happened in all_of_them) / len(all_of_them),
        len({name for name, _ in all_of_them}),
    )
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    return Figure(p, max(0.0, middle - half), min(1.0, middle + half), len(all_of_them), n)


def over(
    observed: Iterable[tuple[Hashable, float]],
    measure: Callable[[npt.NDArray[np.float64]], float] = lambda values: float(np.mean(values)),
) -> Figure:
    """Return a measure of numbers, each with the name of what it is one observation of.

    The interval is that of a bootstrap (Efron, 1979) in which names are drawn with all their numbers.
    """
    groups: dict[Hashable, list[float]] = defaultdict(list)
    for name, value in observed:
        groups[name].append(value)
    return _bootstrapped([np.array(each) for each in groups.values()], measure)


def ratio(observed: Iterable[tuple[Hashable, float, float]]) -> Figure:
    """Return the sum of first numbers against that of second ones, as errors against words."""
    groups: dict[Hashable, list[tuple[float, float]]] = defaultdict(list)
    for name, above, below in observed:
        groups[name].append((above, below))
    return _bootstrapped(
        [np.array(each) for each in groups.values()],
        lambda pairs: float(pairs[:, 0].sum() / max(1e-9, pairs[:, 1].sum())),
    )


def _bootstrapped(
    groups: Sequence[npt.NDArray[np.float64]], measure: Callable[[npt.NDArray[np.float64]], float]
) -> Figure:
    if not groups:
        return Figure(nan, nan, nan, 0, 0)
    chance = np.random.default_rng(0)
    drawn = [
        measure(np.concatenate([groups[at] for at in chance.integers(len(groups), size=len(groups))]))
        for _ in range(_DRAWS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    everything = np.concatenate(groups)
    return Figure(measure(everything), float(low), float(high), len(everything), len(groups))
