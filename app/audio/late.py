"""Sound given on a little later. Knows nothing about why."""

from __future__ import annotations

import numpy as np

from app.frames import Samples


class Late:
    """Holds samples back; by how many may change from block to block."""

    def __init__(self) -> None:
        self._held: Samples = np.zeros(0, dtype=np.float32)

    def push(self, block: Samples, samples: int) -> Samples:
        """Return as much as `block` [N] float32, so many samples later than it came.

        More than before begins with silence, less leaves out the oldest.
        """
        more = max(0, samples - self._held.size)
        held = self._held[max(0, self._held.size - samples) :]
        joined: Samples = np.concatenate((np.zeros(more, dtype=np.float32), held, block))
        self._held = joined[block.size :]
        return joined[: block.size]
