"""How much memory of the graphics card is in use, as its driver tells.

Knows nothing about models; asks `nvidia-smi`, so that the window needs no torch.
"""

from __future__ import annotations

import subprocess
from typing import NamedTuple

ASK = ("nvidia-smi", "--query-gpu=memory.used,memory.total", "--format=csv,noheader,nounits")
TIMEOUT_S = 10
MIB = 2**20


class CardMemory(NamedTuple):
    """Bytes in use, by all programs, and bytes that there are."""

    used_bytes: int
    total_bytes: int


def card_memory() -> CardMemory | None:
    """Return the memory of the first card, None where there is none or its driver does not answer."""
    try:
        run = subprocess.run(ASK, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_memory(run.stdout)


def parse_memory(text: str) -> CardMemory | None:
    """Return the figures of the first line, None where they are no numbers."""
    parts = text.strip().splitlines()[0].split(",") if text.strip() else []
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        return None
    used, total = (int(part) * MIB for part in parts)
    return CardMemory(used, total)
