"""Devices that bring nothing are tried again step by step, and only as long as they bring nothing."""

from __future__ import annotations

from app.audio.devices import Kind
from app.audio.silence import AGAIN_S, LADDER, Silence, Step

LOOK_S = 0.25


class Devices:
    """A microphone and a speaker that bring blocks as long as they are said to."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._blocks: dict[Kind, int] = {"in": 0, "out": 0}
        self._silence = Silence()

    def run(self, seconds: float, *dead: Kind, expected: bool = True) -> list[tuple[float, Step, list[Kind]]]:
        """Return the steps that are taken meanwhile: after how many s, which, and for which devices."""
        steps = []
        for look in range(1, round(seconds / LOOK_S) + 1):
            self.now_s += LOOK_S
            for kind in self._blocks:
                self._blocks[kind] += kind not in dead
            step, silent = self._silence.look(self.now_s, self._blocks, expected=expected)
            if step:
                steps.append((look * LOOK_S, step, silent))
        return steps


def test_nothing_is_done_about_sound() -> None:
    assert Devices().run(60) == []


def test_a_dead_microphone_is_told_and_then_replaced_step_by_step() -> None:
    devices = Devices()
    devices.run(1)
    steps = devices.run(30, "in")
    assert [step for _, step, _ in steps[:4]] == [step for _, step in LADDER]
    assert [at for at, _, _ in steps[:4]] == [after_s for after_s, _ in LADDER]
    assert [step for _, step, _ in steps[4:]] == ["reopen"]
    assert steps[4][0] == steps[3][0] + AGAIN_S
    assert all(silent == ["in"] for _, _, silent in steps)


def test_a_microphone_that_never_began_is_dead_too() -> None:
    assert [step for _, step, _ in Devices().run(3, "in")] == ["tell"]


def test_both_are_told_as_one() -> None:
    assert [(step, silent) for _, step, silent in Devices().run(3, "in", "out")] == [("tell", ["in", "out"])]


def test_a_speaker_may_wake_up_slowly() -> None:
    assert Devices().run(4.75, "out") == []
    assert [step for _, step, _ in Devices().run(6, "out")] == ["tell", "reopen"]


def test_it_begins_at_the_first_step_after_sound() -> None:
    devices = Devices()
    devices.run(6, "in")
    assert devices.run(1) == []
    assert [step for _, step, _ in devices.run(3, "in")] == ["tell"]


def test_devices_that_are_not_open_are_not_silent() -> None:
    devices = Devices()
    assert devices.run(60, "in", "out", expected=False) == []
    assert devices.run(1.5, "in", "out") == [], "and the time does not count"
