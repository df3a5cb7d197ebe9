"""Virtual sound devices for the tests marked `sound`; import `rig` from here in other folders' conftest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from app.audio.rig import PipeWireRig, Rig
from app.errors import UserError

RIGS: dict[str, Callable[..., Rig]] = {
    "PulseAudio": Rig,
    "PipeWire": PipeWireRig,
    "PipeWire's plugin": partial(PipeWireRig, "pipewire"),
}
"""The sound systems of desktops, by name."""

on_each_server = pytest.mark.parametrize("rig", RIGS, indirect=True)
"""Runs a test that uses the fixture `rig` on all of them, and not on PulseAudio alone."""


def open_rig(name: str, **options: int) -> Rig:
    """Return a sound server of one's own; skips the test where PipeWire is not installed."""
    try:
        return RIGS[name](**options)
    except UserError as fault:
        if name == "PulseAudio" or "not installed" not in fault.sentence:
            raise
        pytest.skip(f"{fault.sentence} {fault.advice}")


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Lend a private sound server to tests that leave its devices as they are."""
    with open_rig(getattr(request, "param", "PulseAudio")) as server:
        yield server
