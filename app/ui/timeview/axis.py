"""Where the time axis under a timeline is labelled, and with what.

Knows nothing about talks or painting: x counts pixels from the end that is given, `scale` is pixels a frame.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.frames import FRAME_RATE, seconds
from app.ui.shell.wording import clock

LABEL_PX = 120
"""The least distance of two labels."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200)


def times_of_talk(first: float, last: float, scale: float) -> list[tuple[float, str]]:
    """Return x, from the frame `first` at the left, and the time of the talk, up to the frame `last`."""
    step_s, step = _step(scale)
    numbers = range(max(0, -int(-first // step)), int(last // step) + 1)
    return [((n * step - first) * scale, clock(n * step_s)) for n in numbers]


def times_before_now(width: float, scale: float) -> list[tuple[float, str]]:
    """Return x, negative from now at the right, and how long ago that is, as far as `width` reaches."""
    step_s, step = _step(scale)
    ago = QCoreApplication.translate("Axis", "-{seconds} s")
    count = int((width - LABEL_PX / 4) / (step * scale))
    back = [(-n * step * scale, ago.format(seconds=n * step_s)) for n in range(1, count + 1)]
    return [(0.0, QCoreApplication.translate("Axis", "now")), *back]


def _step(scale: float) -> tuple[int, float]:
    """Return the distance of two labels in seconds and in frames."""
    wanted_s = seconds(1) * LABEL_PX / scale
    step_s = next((step for step in STEPS_S if step >= wanted_s), STEPS_S[-1])
    return step_s, step_s * FRAME_RATE
