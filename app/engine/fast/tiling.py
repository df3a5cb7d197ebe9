"""How a product is shared out among the programs of a graphics card: rows, columns and warps of each.

Worked out from the shape and the card, never tried out: the same product is the same kernel in every run.
Knows nothing about what is computed.

What has to be met, for a kernel that reads a weight once at the speed of the memory:

- Enough is on its way. Memory answers after some 700 ns, so that with 4.3 TB/s and 132 multiprocessors 23 KB
  have to be asked for in each of them at any time (Little's law). A thread asks for 16 bytes of each of its
  rows at once; 4 rows and 128 threads are 8 KB, and 4 to 12 such programs are on a multiprocessor together.
- Each multiprocessor has its part. Matrices of the depth transformer have 1024 rows, 256 programs of 4: there
  all of a program's rows are asked for in one step, by more warps, instead of one piece after the other. A
  program adds up its warps' sums itself, so that nothing is added to memory in an order of chance.
- x costs little: turned into float32 by each thread once for all its rows, 4 or 8 with a gate.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch

ROWS = 4
"""Rows of a program: with 8 and a gate, a thread's numbers no longer fit its registers."""

FEW_WARPS, MANY_WARPS = 4, 8
"""Warps of a program, at most, where programs are many and where they are few."""

MOST_STEPS_AT_ONCE = 2
"""So many pieces of a row a thread asks for at a time where programs are few."""

MANY_PROGRAMS = 4
"""So many programs for each multiprocessor have enough on its way by themselves."""

PIECE_BYTES = 32 * 16
"""What one warp takes of a row at a time: 16 bytes a thread."""


INTERPRETED_ROWS = 64
"""Rows of a program in Triton's interpreter, where it is the number of programs that takes time."""


class Tiling(NamedTuple):
    """The part of a program."""

    rows: int
    columns: int
    """So many are taken at a time."""
    warps: int


def choose(rows: int, columns: int, bits: int, *, gated: bool, multiprocessors: int) -> Tiling:
    """Return how to share out a weight [rows, columns] in so many bits; gated, it has twice the rows.

    All are powers of two. `columns` of a program may be more than there are.
    """
    at_once = ROWS
    while at_once > 1 and rows < at_once * multiprocessors:
        at_once //= 2
    pieces = _power_of_two(columns * bits / 8 / PIECE_BYTES)
    many = rows * (2 if gated else 1) >= at_once * MANY_PROGRAMS * multiprocessors
    warps = min(pieces, FEW_WARPS if many else MANY_WARPS)
    steps = 1 if many else min(pieces // warps, MOST_STEPS_AT_ONCE)
    return Tiling(at_once, steps * warps * PIECE_BYTES * 8 // bits, warps)


def choose_for(rows: int, columns: int, bits: int, *, gated: bool, device: torch.device) -> Tiling:
    """Return how to share out a weight on a device; a processor interprets one program after the other."""
    if device.type == "cpu":
        return Tiling(INTERPRETED_ROWS, PIECE_BYTES * 8 // bits, 1)
    return choose(rows, columns, bits, gated=gated, multiprocessors=multiprocessors(device))


@cache
def multiprocessors(device: torch.device) -> int:
    """Return how many multiprocessors a device has, 1 where it is no graphics card."""
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1


def _power_of_two(least: float) -> int:
    """Return the smallest power of two that is not below."""
    power = 1
    while power < least:
        power *= 2
    return power
