"""When a run is to end: asked once it keeps what it has learnt, asked again it ends where it is.

By Ctrl+C, the window or the system (SIGINT, SIGTERM). Several processes agree on it at places that all of
them pass, so that none waits for one that has ended. Knows nothing about what is under way.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from accelerate import Accelerator

SIGNALS = signal.SIGINT, signal.SIGTERM


class Ended(BaseException):
    """The process was asked to end where it is."""


class Stop:
    """What was asked of this process, and what all of them have agreed on."""

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._alone = accelerator.num_processes == 1
        # Written by the handler alone, which runs on the main thread between two of its operations.
        self._heard: Counter[int] = Counter()
        self._patient = False
        self._agreed = 0

    @property
    def wanted(self) -> bool:
        """Return whether all processes know that the run is to end."""
        return self._agreed > 0

    @property
    def at_once(self) -> bool:
        """Return whether they know that nothing more is to be kept."""
        return self._agreed > 1

    def agree(self) -> bool:
        """Let all processes know what any of them was asked, and return whether the run is to end.

        Each of them has to call it, at the same places.
        """
        asked = self._asked()
        if not self._alone:
            flags = torch.tensor([float(asked > times) for times in (0, 1)], device=self._accelerator.device)
            asked = int((self._accelerator.reduce(flags, reduction="sum") > 0).sum().item())
        self._agreed = max(self._agreed, asked)
        return self.wanted

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Let the first wish be seen by `agree`; beyond this, one process alone ends at once."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False

    def hear(self, number: int, _frame: FrameType | None = None) -> None:
        """Take note of a signal. Raises Ended where a process alone is to end where it is."""
        self._heard[number] += 1
        if self._alone and (not self._patient or self._asked() > 1):
            raise Ended

    def _asked(self) -> int:
        """Return how often this process was asked.

        A launcher hands Ctrl+C on as SIGTERM to those that the terminal has told already: that is one wish.
        """
        return self._heard.total() if self._alone else max(self._heard.values(), default=0)


@contextmanager
def listening(accelerator: Accelerator) -> Iterator[Stop]:
    """Yield what hears the signals that ask a process to end, for as long as it lasts."""
    stop = Stop(accelerator)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.hear) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
