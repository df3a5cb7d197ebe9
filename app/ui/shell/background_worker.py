"""Work that would hold up the window: done on one thread of its own, its results given back here.

No signal leaves the foreign thread; a timer that runs only while something is awaited looks for results.
Knows nothing about what the work is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer

Result = TypeVar("Result")

LOOK_MS = 20


class Aside(QObject):
    """A queue of work beside the window, done in order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool: ThreadPoolExecutor | None = None
        self._awaited: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def ask(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Call `work` on the other thread and then `then` on this one with what it returned.

        An error of `work` is raised here, where the window's own errors are.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")
        self._awaited.append((self._pool.submit(work), then))
        self._timer.start()

    @property
    def busy(self) -> bool:
        """Tell whether anything is awaited."""
        return bool(self._awaited)

    def forget(self) -> None:
        """Drop what was asked and has not begun, and the result of what has."""
        for future, _ in self._awaited:
            future.cancel()
        self._awaited.clear()
        self._timer.stop()

    def close(self) -> None:
        """Wait for the work under way, drop the rest, and end the thread."""
        self.forget()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _look(self) -> None:
        while self._awaited and self._awaited[0][0].done():
            future, then = self._awaited.popleft()
            then(future.result())
        if not self._awaited:
            self._timer.stop()
