"""The window of the first start: how far the packages are, and what to do if they do not come."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from installer import Job, word
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

APP_ID = "io.github.aizuchi.aizuchi"
CANCELLED = 130
POLL_MS = 1000
SPEED_S = 20.0
"""Over so long the speed is averaged."""
SPEED_LEAST = 1e5
"""Bytes a second below which no time left is told."""


class SetupWindow(QWidget):
    """A sentence, a bar, and buttons that show when they are of use."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._seen: list[tuple[float, int]] = []
        self._state = QLabel(wordWrap=True)
        self._state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar(maximum=1000, textVisible=False)
        self._bar.setAccessibleName(word("title"))
        self._retry, self._folder, cancel = (
            QPushButton(word(name)) for name in ("retry", "folder", "cancel")
        )
        self._retry.clicked.connect(partial(self.begin, ""))
        self._folder.clicked.connect(self._choose)
        cancel.clicked.connect(self.close)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(24, 24, 24, 24)
        rows.setSpacing(16)
        rows.addWidget(QLabel(word("what"), wordWrap=True))
        if not Path("/proc/driver/nvidia/version").exists():
            rows.addWidget(QLabel(word("no card"), wordWrap=True))
        rows.addWidget(self._bar)
        rows.addWidget(self._state)
        rows.addStretch(1)
        across = QHBoxLayout()
        across.addStretch(1)
        for button in (self._folder, self._retry, cancel):
            across.addWidget(button)
        rows.addLayout(across)
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        self.setWindowTitle(word("title"))
        self.resize(560, 280)

    def begin(self, wheels: str = "") -> None:
        """Fetch the packages, from a folder of wheels if one is named."""
        self._retry.hide()
        self._folder.hide()
        self._job.begin(wheels)
        self._timer.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop; the next start goes on."""
        self._timer.stop()
        self._job.cancel()
        super().closeEvent(event)
        QApplication.exit(CANCELLED)

    def _choose(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, word("folder")):
            self.begin(chosen)

    def _look(self) -> None:
        if self._job.look():
            self._timer.stop()
            self._job.finish()
            QApplication.exit(0)
        elif self._job.failed:
            self._timer.stop()
            self._state.setText(f"{word('failed')}\n\n{self._job.complaint()}")
            self._retry.show()
            self._folder.show()
            self.adjustSize()
        else:
            self._show(self._job.done())

    def _show(self, done: int) -> None:
        now, total = time.monotonic(), self._job.total
        self._seen.append((now, done))
        while now - self._seen[0][0] > SPEED_S:
            del self._seen[0]
        self._bar.setValue(round(1000 * done / total))
        text = word("far").format(done=done / 1e9, total=total / 1e9)
        speed = (done - self._seen[0][1]) / max(1e-9, now - self._seen[0][0])
        if done >= total:
            text = word("last")
        elif speed > SPEED_LEAST:
            minutes = max(1, round((total - done) / speed / 60))
            text += word("left").format(speed=speed / 1e6, minutes=minutes)
        self._state.setText(text)


def in_window(job: Job) -> int:
    """Show the window until all is there, and return the exit status."""
    app = QApplication(sys.argv[:1])
    app.setApplicationDisplayName("Aizuchi")
    app.setDesktopFileName(APP_ID)
    window = SetupWindow(job)
    window.show()
    window.begin()
    return app.exec()
