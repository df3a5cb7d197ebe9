"""The time that is left counts evaluations with their samples, and checkpoints."""

from __future__ import annotations

import pytest

from training.pace import Pace, evaluations_from, is_due


def told(kind: str, *took_s: float) -> list[dict[str, object]]:
    return [{"kind": kind, "step": 1, "took_s": each} for each in took_s]


def test_what_is_left_is_steps_evaluations_and_checkpoints() -> None:
    pace = Pace(100, 20)
    assert pace.left_s(0) == 0.0
    pace.add(told("step", 60.0, 2.0, 2.0))
    assert pace.left_s(50) == 50 * 2.0
    pace.add(told("evaluation", 30.0) + told("checkpoint", 5.0))
    assert pace.left_s(50) == 50 * 2.0 + 3 * 35.0
    assert pace.left_s(60) == 40 * 2.0 + 3 * 35.0, "step 60 itself is still to be judged"
    assert pace.left_s(100) == 35.0
    pace.add([{"kind": "step", "step": 3}, {"kind": "warning", "step": 3, "took_s": 900.0}])
    assert pace.left_s(100) == 35.0


@pytest.mark.parametrize("steps", [1, 7, 20, 21])
@pytest.mark.parametrize("every", [1, 4, 7, 50])
def test_evaluations_are_counted_as_they_are_made(steps: int, every: int) -> None:
    for step in range(steps + 1):
        later = [each for each in range(step, steps + 1) if is_due(each, steps, every)]
        assert evaluations_from(step, steps, every) == len(later)
