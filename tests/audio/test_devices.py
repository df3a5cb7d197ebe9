"""ALSA's plugins are led to a chosen device while its stream opens, and the user's own choice comes back."""

from __future__ import annotations

import os

import pytest

from app.audio.devices import Kind, targeting

VARIABLES = ("PULSE_SOURCE", "PULSE_SINK", "PIPEWIRE_NODE")


def targets() -> list[str | None]:
    return [os.environ.get(variable) for variable in VARIABLES]


@pytest.fixture(autouse=True)
def own_choice(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return what the user has set: a microphone, and nothing else."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PULSE_SOURCE", "own")
    return targets()


@pytest.mark.parametrize(
    ("kind", "targeted"), [("in", ["chosen", None, "chosen"]), ("out", ["own", "chosen", "chosen"])]
)
def test_a_server_s_device_is_the_target_for_as_long_as_it_opens(
    kind: Kind, targeted: list[str | None], own_choice: list[str | None]
) -> None:
    with pytest.raises(OSError, match="busy"), targeting("pulse/chosen", kind):
        assert targets() == targeted
        raise OSError("busy")
    assert targets() == own_choice


@pytest.mark.parametrize("name", ["", "alsa/USB microphone"])
def test_other_devices_leave_the_user_s_own_target(name: str, own_choice: list[str | None]) -> None:
    with targeting(name, "in"):
        assert targets() == own_choice
