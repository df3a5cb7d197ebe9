"""The one place where the window's processes are made, which decides whether they may use the network.

None may but a download that the user asked for: without this, a verb that lacks a file would ask the hub for
it, with nobody having been asked. Knows nothing else about what the processes do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment

OFFLINE = "HF_HUB_OFFLINE"
"""What the hub's library, and `app.engine.download`, go by."""

DOWNLOADS = (["models", "download"],)
"""The verbs with which the window asks for something from the hub."""

_INTO_LOG = f'export {OFFLINE}=1; exec "$@" </dev/null >"$0" 2>&1'


def may_use_network(arguments: Sequence[str]) -> bool:
    """Return whether a verb of the command line is one that the user starts to download something."""
    return any(list(arguments[: len(verb)]) == verb for verb in DOWNLOADS)


def environment(arguments: Sequence[str] = ()) -> QProcessEnvironment:
    """Return the environment for a verb with its arguments, or for any other process."""
    names = QProcessEnvironment.systemEnvironment()
    if not may_use_network(arguments):
        names.insert(OFFLINE, "1")
    return names


def new_process(
    parent: QObject, arguments: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> QProcess:
    """Return a process that is still to be started.

    `arguments` are those of a verb, if it is one; `variables` are added to its environment.
    """
    names = environment(arguments)
    for name, value in (variables or {}).items():
        names.insert(name, value)
    process = QProcess(parent)
    process.setProcessEnvironment(names)
    return process


def start_detached(command: Sequence[str], log: Path) -> int | None:
    """Start a command that outlives the window, and return its process id; None where it can not be started.

    What it prints goes to `log`. It never uses the network.
    """
    # Qt tells the process id only where it is given nothing but a command; the shell sets the environment,
    # opens the log, and then is that command.
    started, pid = QProcess.startDetached("/bin/sh", ["-c", _INTO_LOG, str(log), *command])
    return pid if started else None
