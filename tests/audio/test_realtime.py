"""A priority that was taken is given back as it was, however the talk ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.audio.realtime import NICENESS, Haste


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Return a thread of its own: whatever happens to its priority ends with it."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def niceness(thread: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread)


@pytest.mark.parametrize("before", [0, 5])
def test_a_thread_runs_as_before_in_the_end(before: int, other: ThreadPoolExecutor) -> None:
    def take_and_give_back() -> tuple[int, int]:
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, before)
        haste = Haste(own)
        meanwhile = niceness(own)
        haste.end()
        haste.end()
        return meanwhile, niceness(own)

    meanwhile, after = other.submit(take_and_give_back).result()
    # Where neither the limits nor RealtimeKit allow it, nothing was taken.
    assert meanwhile in (NICENESS, before)
    assert after == before


def test_another_thread_may_give_it_back(other: ThreadPoolExecutor) -> None:
    thread = other.submit(threading.get_native_id).result()
    haste = Haste(thread)
    haste.end()
    assert niceness(thread) == 0


def test_a_thread_that_has_ended_is_no_one_elses_trouble() -> None:
    with ThreadPoolExecutor(1) as pool:
        haste = Haste(pool.submit(threading.get_native_id).result())
    haste.end()
