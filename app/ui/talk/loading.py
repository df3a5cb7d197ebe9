"""Says how far a load is: what, how much of how many GB, how many seconds are left.

Knows nothing about widgets.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject

from app.engine.events import Loading
from app.ui.shell.translation import told

GB = 1e9
PATIENCE_S = 1.5
"""A speed measured for less than this says nothing about the rest."""


class LoadingText(QObject):
    """Turns Loading events into a share and a line for people."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stage = ""
        self._began_s = 0.0
        self._began_bytes = 0

    def begin(self) -> None:
        """Forget the load before."""
        self._stage = ""

    def progress(self, event: Loading) -> tuple[float | None, str]:
        """Return the share that is done, None while it is not known, and a line about it."""
        now = time.monotonic()
        if event.stage != self._stage:
            self._stage, self._began_s, self._began_bytes = event.stage, now, event.done_bytes
        if not event.total_bytes:
            return None, told(event.stage)
        amount = self.tr("{stage} · {done} of {total} GB").format(
            stage=told(event.stage),
            done=f"{event.done_bytes / GB:.1f}",
            total=f"{event.total_bytes / GB:.1f}",
        )
        passed_s, done = now - self._began_s, event.done_bytes - self._began_bytes
        if passed_s > PATIENCE_S and done > 0:
            left_s = passed_s * (event.total_bytes - event.done_bytes) / done
            amount = f"{amount} · {self._left(left_s)}"
        return event.done_bytes / event.total_bytes, amount

    def _left(self, left_s: float) -> str:
        if left_s < 90:
            return self.tr("{0} s left").format(max(1, round(left_s)))
        return self.tr("{0} min left").format(round(left_s / 60))
