"""What passes without sound is counted once, and what a clock or a server does besides is no loss."""

from __future__ import annotations

import random

import pytest

from app.audio.clock import FRAME_S, FrameClock, Sleep, wall_s

BLOCK = 0.0625
"""5 ms, in frames."""


class Microphone:
    """Blocks on a clock of their own before a reader that takes each frame when it is there."""

    def __init__(self, *, rate: float = 1.0, block: float = BLOCK, jitter_s: float = 0.002) -> None:
        self.now_s = 100.0
        self.ready = 0.0
        self.heard = self.lost = self.dropped = 0
        self.clock = FrameClock(self.now_s)
        self._rate, self._block = rate, block
        self._late = random.Random(1)
        self._jitter_s = jitter_s
        self._begun_s: float | None = None

    def run(self, frames: float) -> None:
        """Bring so many frames."""
        for _ in range(round(frames / self._block)):
            self.now_s += self._block * FRAME_S / self._rate
            self.bring(self._block)

    def bring(self, frames: float) -> None:
        """Bring a block, and let all whole frames be taken."""
        self.ready += frames
        now_s = self.now_s + self._late.uniform(0, self._jitter_s)
        while self.ready >= 1:
            if self._begun_s is None:
                self.clock.align(now_s, self.ready)
                self._begun_s = now_s - FRAME_S * (self.ready + self.lost)
            look = self.clock.look(now_s, self.ready)
            self.ready -= look.twice
            self.dropped += look.twice
            self.lost += look.lost
            self.ready -= 1
            self.clock.count(1)
            self.heard += 1

    def stand_still(self, seconds: float) -> None:
        """Bring nothing, looked at every 20 ms."""
        for _ in range(round(seconds / 0.02)):
            self.now_s += 0.02
            self.lost += self.clock.outage(self.now_s, self.ready)

    @property
    def ahead(self) -> float:
        """Return by how many frames the count is ahead of the time."""
        assert self._begun_s is not None
        return self.heard + self.lost + self.ready - (self.now_s - self._begun_s) / FRAME_S


@pytest.mark.parametrize("rate", [1.0, 1.0002, 0.9998])
@pytest.mark.parametrize("block", [BLOCK, 2.13], ids=["5 ms", "170 ms"])
def test_neither_blocks_nor_quartz_lose_anything_in_an_hour(rate: float, block: float) -> None:
    microphone = Microphone(rate=rate, block=block)
    microphone.run(45_000)
    assert (microphone.lost, microphone.dropped) == (0, 0)
    assert microphone.heard == pytest.approx(45_000, abs=3)


def test_an_outage_is_told_as_it_passes_and_in_all_as_long_as_it_was() -> None:
    microphone = Microphone()
    microphone.run(100)
    microphone.stand_still(2.0)
    assert microphone.lost == pytest.approx(25, abs=6)
    microphone.stand_still(28.0)
    microphone.run(100)
    assert microphone.ahead == pytest.approx(0, abs=1)
    assert microphone.lost == pytest.approx(375, abs=1)


def test_what_a_server_held_back_is_not_counted_twice() -> None:
    microphone = Microphone()
    microphone.run(100)
    microphone.stand_still(5.0)
    microphone.bring(40)
    microphone.run(200)
    assert microphone.ahead == pytest.approx(0, abs=1.5)
    assert microphone.heard + microphone.lost == pytest.approx(300 + 5 / FRAME_S, abs=1.5)


def test_a_short_stall_that_is_made_good_is_no_loss() -> None:
    microphone = Microphone()
    microphone.run(100)
    microphone.stand_still(0.4)
    microphone.bring(5)
    microphone.run(100)
    assert (microphone.lost, microphone.dropped) == (0, 0)


def test_many_short_losses_that_nobody_tells_add_up() -> None:
    microphone = Microphone()
    microphone.run(100)
    for _ in range(30):
        microphone.now_s += 0.3  # and nothing of it comes
        microphone.run(100)
    assert microphone.lost == pytest.approx(30 * 0.3 / FRAME_S, abs=4)
    assert microphone.ahead == pytest.approx(0, abs=4)


def test_sleep_is_what_one_clock_counts_and_the_other_does_not() -> None:
    offset_s = 5.0
    sleep = Sleep(lambda: offset_s)
    offset_s += 0.0001
    assert sleep.frames() == 0
    offset_s += 8 * 3600
    assert sleep.frames() == 8 * 3600 / FRAME_S
    assert sleep.frames() == 0


def test_the_computer_is_awake_while_this_runs() -> None:
    before_s, sleep = wall_s(), Sleep()
    assert sleep.frames() == 0
    assert wall_s() >= before_s
