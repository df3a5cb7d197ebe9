"""What is read of a recording to show it; slow enough to be done beside the window.

Knows nothing about widgets.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.store.recordings import Line, Recording
from app.store.turn_taking import Statistics, statistics
from app.ui.timeview.timeline_data import TimelineData


@dataclass(frozen=True)
class Talk:
    """What is read of a recording to show it."""

    recording: Recording
    timeline: TimelineData
    lines: list[Line]
    figures: Statistics | None
    """None until it is read."""


def read_talk(recording: Recording) -> Talk:
    """Read a recording; whatever is damaged is left out."""
    return Talk(recording, read_timeline(recording), recording.lines(), statistics(recording.turns()))


def read_timeline(recording: Recording) -> TimelineData:
    """Read what the timeline of a recording shows."""
    gaps, starved = recording.gaps(), recording.starved()
    data = TimelineData.from_levels(recording.levels(), recording.words(), gaps, starved)
    for skip in recording.skips():
        data.skip(skip.frame, skip.frames)
    return data
