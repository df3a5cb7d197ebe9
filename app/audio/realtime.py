"""Scheduling for threads that have to be in time, asked for as sound programs do.

From the kernel directly where the user's limits allow it, and else from RealtimeKit, the service of
desktop systems for this purpose. Without either the threads run as all others do. Knows nothing about
sound.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from contextlib import suppress

LEVEL = 5
"""That of the sound server's own threads; anything above 0 goes before all that is not real-time."""

NICENESS = -10
"""For a thread that computes: before ordinary ones, after all that is real-time."""

WARNING_US, LIMIT_US = 100_000, 200_000
"""A thread that computes for so long without a pause is warned by SIGXCPU, and then ends the process, so
that nothing can freeze the computer. RealtimeKit insists on such a limit."""

WARNINGS = 3
"""After so many the process stays without priority."""

KIT = "org.freedesktop.RealtimeKit1"


class Priority:
    """Real-time priority for all threads of this process, held while sound flows.

    All of them, since each would keep the others waiting: the sound server's library has a thread of its
    own between a device and its callback, and Python's threads share one lock. Only while sound flows,
    since a PortAudio thread without a working device spins. Made and used on the main thread.
    """

    def __init__(self) -> None:
        self._held: dict[int, int] = {}
        """The threads, each with the scheduling that it had before."""
        self._warnings = 0
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_RTTIME, (WARNING_US, LIMIT_US))
        signal.signal(signal.SIGXCPU, self._warned)

    def follow(self, flows: bool) -> None:
        """Hold the priority if sound flows, else give it back."""
        if not flows:
            self._give_back()
        elif self._warnings < WARNINGS:
            threads = {int(name) for name in os.listdir("/proc/self/task")}
            self._held = {thread: before for thread, before in self._held.items() if thread in threads}
            for thread in threads - self._held.keys():
                with suppress(OSError):
                    self._held[thread] = os.sched_getscheduler(thread)
                    _prefer(thread)

    def _warned(self, _signal: int, _frame: object) -> None:
        self._warnings += 1
        self._give_back()

    def _give_back(self) -> None:
        for thread, before in self._held.items():
            with suppress(OSError):
                os.sched_setscheduler(thread, before, os.sched_param(0))
        self._held = {}


class Haste:
    """One thread of this process before ordinary ones, where the system allows it, until `end`."""

    def __init__(self, thread: int) -> None:
        self._thread: int | None = None
        with suppress(OSError):
            self._before = os.getpriority(os.PRIO_PROCESS, thread)
            if self._before > NICENESS:
                self._thread = thread
                _hasten(thread)

    def end(self) -> None:
        """Let the thread run as it did before; calling it again does nothing."""
        thread, self._thread = self._thread, None
        # Of a thread that has ended the number may be another process's.
        if thread is not None and os.path.exists(f"/proc/self/task/{thread}"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, thread, self._before)


def _hasten(thread: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
    except OSError:
        _ask_kit("MakeThreadHighPriorityWithPID", "tti", thread, NICENESS)


def _prefer(thread: int) -> None:
    """Ask for real-time priority for one thread, not to be inherited by what it starts."""
    try:
        os.sched_setscheduler(thread, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(LEVEL))
    except OSError:
        _ask_kit("MakeThreadRealtimeWithPID", "ttu", thread, LEVEL)


def _ask_kit(method: str, types: str, thread: int, value: int) -> None:
    """Ask RealtimeKit over the system bus, by the tool that every systemd computer has."""
    if (busctl := shutil.which("busctl")) is None:
        return
    call = [busctl, "--system", "call", KIT, f"/{KIT.replace('.', '/')}", KIT, method]
    # What looks like an option of busctl's own, as a negative number does, must come after "--".
    arguments = ["--", types, str(os.getpid()), str(thread), str(value)]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run([*call, *arguments], capture_output=True, timeout=1, check=False)
