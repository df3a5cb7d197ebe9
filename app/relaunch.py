"""How the program begins anew in the place of the process that runs: the same folders, settings and page.

Knows nothing about the window; what was begun in other processes goes on there. The command line does it when
everything has ended that a verb began, so that nothing is lost.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from app.errors import UserError

if TYPE_CHECKING:
    from app.options import Options
    from app.settings import Settings

log = logging.getLogger(__name__)

DEVICES = ("microphone", "speaker")

_command: list[str] = []


def plan(command: Sequence[str]) -> None:
    """Let a command take the place of this process once its verb has ended."""
    _command[:] = command


def begin() -> None:
    """Begin anew, if that was planned; then this does not return. Raises UserError."""
    if _command:
        log.info("begins anew: %s", _command)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            os.execv(_command[0], _command)
        except OSError as fault:
            sentence = f"Aizuchi could not be restarted: {fault.strerror or fault}."
            raise UserError(sentence, "Start it again yourself.") from fault


def arguments(settings: Settings, saved: Settings, options: Options, page: str) -> list[str]:
    """Return the arguments of `talk` with which it begins as it is now.

    What holds now and is not `saved` is asked for again; not so how long to talk, or a recording to open.
    """
    again = ["talk", "--page", page]
    for option in fields(options):
        value = getattr(settings, option.name, None)
        if value is not None and value != getattr(saved, option.name):
            again += _spell(option.name, value)
    if options.base is not None and settings.model == options.model:
        again += ["--base", options.base]
    if options.compute_ms:
        again += ["--compute-ms", str(options.compute_ms)]
    return again


def _spell(name: str, value: object) -> list[str]:
    """Return a setting as an option of the command line."""
    if value is False:
        return [f"--no-{name}"]
    if value is True:
        return [f"--{name}"]
    return [f"--{name}", "default" if name in DEVICES and not value else str(value)]
