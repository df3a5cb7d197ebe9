"""What graphics cards, disks and compilers throw, as a sentence for a person.

Knows nothing about where it was thrown, and does not load torch: faults are told by their names.
"""

from __future__ import annotations

import errno
import os
import re

from app.engine import card_fault

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How a disk says that it is full."""

_WRAPPED = re.compile(r"os error (\d+)")


def explain(fault: Exception) -> tuple[str, str] | None:
    """Return a sentence and an advice for what graphics cards and disks do, None for anything else."""
    kind, text = type(fault).__name__, str(fault)
    if kind == "OutOfMemoryError" or ("CUDA" in text and "out of memory" in text):
        advice = "Close other programs that use the card, or load the model in fewer bits."
        return "The graphics memory ran out.", advice
    if card_fault.loses_card(fault):
        return card_fault.SENTENCE, card_fault.ADVICE
    if (told := explain_disk(fault)) is not None:
        return told
    if isinstance(fault, FileNotFoundError):
        return f"The file {fault.filename} is gone.", "Download the model again, or choose another one."
    if "C compiler" in text or kind in ("InductorError", "BackendCompilerFailed"):
        advice = (
            "Install a C compiler (`sudo apt-get install gcc python3-dev`), or start with --engine moshi."
        )
        return "Code for the graphics card could not be compiled.", advice
    return None


def explain_disk(fault: Exception) -> tuple[str, str] | None:
    """Return a sentence and an advice for a disk that is full or read-only, None for anything else."""
    refusal = refused(fault)
    if refusal is None or refusal.errno not in (*FULL, errno.EROFS):
        return None
    what = refusal.filename or "A file"
    if refusal.errno == errno.EROFS:
        return f"{what} can not be written: the disk is read-only.", "Name a folder on another disk."
    return f"The disk is full: {what} could not be written.", "Free some space, and try again."


def refused(fault: Exception) -> OSError | None:
    """Return what the system said where it refused a file, None for other faults."""
    if isinstance(fault, OSError):
        return fault
    # safetensors wraps what the system said into its own words.
    said = _WRAPPED.search(str(fault)) if type(fault).__name__ == "SafetensorError" else None
    return OSError(int(said[1]), os.strerror(int(said[1]))) if said else None
