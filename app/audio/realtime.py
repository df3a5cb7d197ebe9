"""Real-time scheduling for the few threads that feed a device, asked for as sound programs do.

From the kernel directly where the user's limits allow it, and else from RealtimeKit, the service of
desktop systems for this purpose. Without either the threads run as all others do. Knows nothing about
sound.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from contextlib import suppress

PRIORITY = 5
"""Below the sound server's own threads on most systems, above everything else."""

BURST_US = 200_000
"""The kernel ends a process that computes for so long at real-time priority without a pause: nothing can
freeze the computer. RealtimeKit insists on such a limit."""

KIT = "org.freedesktop.RealtimeKit1"


def prefer(thread_id: int) -> bool:
    """Give one thread of this process real-time priority and say whether that was granted."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_RTTIME, (BURST_US, BURST_US))
    try:
        # Not inherited by what this thread may start.
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(thread_id, policy, os.sched_param(PRIORITY))
    except OSError:
        return _ask_kit(thread_id)
    return True


def _ask_kit(thread_id: int) -> bool:
    """Ask RealtimeKit over the system bus, by the tool that every systemd computer has."""
    if (busctl := shutil.which("busctl")) is None:
        return False
    call = [busctl, "--system", "call", KIT, f"/{KIT.replace('.', '/')}", KIT, "MakeThreadRealtimeWithPID"]
    arguments = ["ttu", str(os.getpid()), str(thread_id), str(PRIORITY)]
    try:
        run = subprocess.run([*call, *arguments], capture_output=True, timeout=2, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return run.returncode == 0
