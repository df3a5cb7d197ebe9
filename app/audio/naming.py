"""The device that a person means on the command line. Knows nothing about how devices are found."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Sequence

from app.audio.devices import Device, Kind, on_a_line
from app.errors import UserError

DEFAULT_MARK = " (default)"
"""What `doctor` writes behind the label of the default device."""


def name_of(wish: str, kind: Kind, devices: Sequence[Device]) -> str:
    """Return the name of the device that a person means: by name, or by label as `doctor` prints it.

    Raises UserError, which tells the devices there are, where that is none or not one.
    """
    own = sorted((device for device in devices if device.kind == kind), key=lambda device: device.monitor)
    ways: tuple[Callable[[Device], str], ...] = (
        lambda device: device.name,
        lambda device: device.label,
        lambda device: device.name.partition("/")[2],
        lambda device: _folded(device.label),
    )
    for way in ways:
        for meant in (wish, wish.removesuffix(DEFAULT_MARK)):
            found = [each.name for each in own if way(each) in (meant, _folded(meant))]
            if len(found) == 1:
                return found[0]
    if _folded(wish) in ("", "default", "system default"):
        return ""
    raise UserError(_unknown(wish, kind), _offer(wish, own))


def _unknown(wish: str, kind: Kind) -> str:
    shown = on_a_line(wish)
    return (
        f"There is no microphone called “{shown}”."
        if kind == "in"
        else f"There is no speaker called “{shown}”."
    )


def _offer(wish: str, devices: Sequence[Device]) -> str:
    """Return an advice to choose one of these devices, first the one that was meant if it can be told."""
    if not devices:
        return "None is connected: plug one in."
    labels = {_folded(device.label): device.label for device in devices}
    near = [label for folded, label in labels.items() if _folded(wish) and _folded(wish) in folded]
    near += [labels[folded] for folded in difflib.get_close_matches(_folded(wish), labels, n=1)]
    there = f"There are: {', '.join(f'“{device.label}”' for device in devices)}."
    return f"Did you mean “{near[0]}”? {there}" if near else there


def _folded(text: str) -> str:
    """Return a label as it is compared with what a person types."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
