"""Faults after which a process can not use its graphics card any more, and whether this one has met one.

CUDA keeps an error of a kernel: whatever the process asks of the card from then on fails with it, and only
another process can use the card again. Faults are known by what they say; where that does not tell, the card
is asked. Does not load torch, and knows nothing about models.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

from app.errors import UserError

log = logging.getLogger(__name__)

SENTENCE = "The graphics card failed, and Aizuchi has to be restarted to use it again."
ADVICE = "If it fails again and again, update the driver of the card or restart the computer."

SPOKEN_OF = (
    *("cuda error", "cuda driver error", "triton error", "cublas_status", "cudnn_status", "cusparse_status"),
    *("cufft error", "hip error", "nvml", "xid ("),
)
"""What a fault says, in small letters, that comes from a graphics card or its libraries."""

KEPT = (
    "device-side assert",
    "illegal memory access",
    "illegal address",
    "illegal instruction",
    "misaligned address",
    "invalid program counter",
    "invalid pc",
    "global/shared address space",
    "hardware stack error",
    "launch fail",
    "launch timed out",
    "launch_failed",
    "uncorrectable",
    "hardware error",
    "tensor memory",
    "unknown error",
    "context is destroyed",
    "driver shutting down",
    "gpu is lost",
    "fallen off the bus",
    "xid (",
)
"""What CUDA says of errors that it keeps (CUDA Runtime API, cudaError: "the process must be terminated")."""

PASSING = (
    *("out of memory", "alloc_failed", "no kernel image", "invalid device", "invalid argument", "captur"),
    *("invalid configuration", "out of resources", "too many resources", "not_supported"),
    *("busy or unavailable", "insufficient", "no cuda-capable device", "not_initialized"),
)
"""What it says of errors that concern one call alone."""

_lost = threading.Event()


class CardLost(UserError):
    """The graphics card can not be used any more by this process."""

    def __init__(self) -> None:
        super().__init__(SENTENCE, ADVICE)


def note(fault: BaseException) -> bool:
    """Return whether a fault takes the graphics card away from this process, and remember it."""
    if isinstance(fault, CardLost) or loses_card(fault):
        _lost.set()
        return True
    return False


def is_lost() -> bool:
    """Return whether a fault that was noted took the graphics card away from this process."""
    return _lost.is_set()


def loses_card(fault: BaseException) -> bool:
    """Return whether nothing can be done on the graphics card after a fault, or one that it came from."""
    return any(_is_kept(each) for each in _causes(fault))


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Yield a fault and those that it came from."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [fault]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += (each.__cause__, None if each.__suppress_context__ else each.__context__)
            yield each


def _is_kept(fault: BaseException) -> bool:
    """Return whether CUDA keeps an error; torch raises AcceleratorError, Triton and libraries others."""
    if not isinstance(fault, RuntimeError):
        return False
    text = str(fault).lower()
    if type(fault).__name__ != "AcceleratorError" and not any(word in text for word in SPOKEN_OF):
        return False
    if any(words in text for words in KEPT):
        return True
    return not any(words in text for words in PASSING) and not _answers()


def _answers() -> bool:
    """Ask the graphics card whether it can still be used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize()
    except RuntimeError as fault:
        log.warning("the graphics card does not answer", exc_info=fault)
        return False
    return True
