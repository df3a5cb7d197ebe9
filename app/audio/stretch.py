"""Changes how fast speech is played without changing its pitch.

Waveform-similarity overlap-add (Verhelst and Roelands, ICASSP 1993): half-overlapping windows are
taken from the input at another pace than they are laid down, each shifted by a few milliseconds to
where it continues best what was laid down before. Knows nothing about files or devices.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Stereo = npt.NDArray[np.float32]
"""[N, 2] float32."""

HOP_S = 0.02
"""Half a window: long enough for two periods of a low voice, short enough to keep a plosive single."""
SEARCH_S = 0.008
"""How far a window may be shifted: one period of a voice of 125 Hz to either side of its place."""


class Stretch:
    """A stream of stereo samples, played `speed` times as fast. Both channels are shifted alike."""

    def __init__(self, speed: float, rate: int) -> None:
        self.speed = speed
        self._hop = round(HOP_S * rate)
        self._search = round(SEARCH_S * rate)
        ramp = np.arange(2 * self._hop, dtype=np.float32) / (2 * self._hop)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * ramp)).astype(np.float32)[:, None]
        self.clear()

    def clear(self) -> None:
        """Forget what is still inside, as before a jump."""
        self._input: Stereo = np.zeros((self._search, 2), dtype=np.float32)
        self._place = float(self._search)
        self._follow: Stereo | None = None
        self._tail: Stereo = np.zeros((self._hop, 2), dtype=np.float32)

    @property
    def pending_samples(self) -> int:
        """Return how many samples went in that have not come out yet."""
        return max(0, len(self._input) - round(self._place))

    def push(self, samples: Stereo) -> Stereo:
        """Take [N, 2] in and return what is ready, [M, 2], M about N / speed over time."""
        if self.speed == 1.0:
            return samples
        self._input = np.concatenate([self._input, samples])
        ready: list[Stereo] = [np.zeros((0, 2), dtype=np.float32)]
        while round(self._place) + self._search + 3 * self._hop <= len(self._input):
            ready.append(self._lay_window())
        self._drop_used()
        return np.concatenate(ready)

    def _lay_window(self) -> Stereo:
        first = self._best_place(round(self._place))
        windowed = self._input[first : first + 2 * self._hop] * self._window
        out = self._tail + windowed[: self._hop]
        self._tail = windowed[self._hop :]
        self._follow = self._input[first + self._hop : first + 3 * self._hop].copy()
        self._place += self._hop * self.speed
        return out

    def _best_place(self, place: int) -> int:
        """Return where near `place` the input is most like what followed the window before."""
        if self._follow is None:
            return place
        around = self._input[place - self._search : place + self._search + 2 * self._hop].sum(axis=1)
        follow = self._follow.sum(axis=1)
        likeness = np.correlate(around, follow, mode="valid")
        energy = np.cumsum(np.concatenate([[0.0], around.astype(np.float64) ** 2]))
        norm = np.sqrt(energy[len(follow) :] - energy[: -len(follow)] + 1e-9)
        return place - self._search + int(np.argmax(likeness / norm))

    def _drop_used(self) -> None:
        used = min(round(self._place) - self._search, len(self._input))
        self._input = self._input[used:].copy()
        self._place -= used
