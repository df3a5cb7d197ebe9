"""How much memory of the graphics card is in use, as its driver tells.

Knows nothing about models; asks `nvidia-smi`, so that the window needs no torch.
"""

from __future__ import annotations

import subprocess
from typing import NamedTuple

ASK = ("nvidia-smi", "--query-gpu=memory.used,memory.total,memory.free", "--format=csv,noheader,nounits")
TIMEOUT_S = 10
MIB = 2**20


class CardMemory(NamedTuple):
    """Bytes in use, by all programs, bytes that there are, and bytes that are free.

    The driver keeps some for itself, which are neither in use nor free.
    """

    used_bytes: int
    total_bytes: int
    free_bytes: int


def card_memory() -> CardMemory | None:
    """Return the memory of the first card, None where there is none or its driver does not answer."""
    return next(iter(parse_memory(_ask())), None)


def roomiest_card() -> CardMemory | None:
    """Return the memory of the card with the most that is free, where a model is loaded; None for none."""
    return max(parse_memory(_ask()), key=lambda card: card.free_bytes, default=None)


def parse_memory(text: str) -> list[CardMemory]:
    """Return the figures of each line that has some."""
    lines = ([part.strip() for part in line.split(",")] for line in text.splitlines())
    figures = ([int(part) * MIB for part in line] for line in lines if all(part.isdigit() for part in line))
    return [CardMemory(*line) for line in figures if len(line) == len(CardMemory._fields)]


def _ask() -> str:
    try:
        return subprocess.run(ASK, capture_output=True, text=True, timeout=TIMEOUT_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
