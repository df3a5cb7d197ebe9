"""Asks what training shall do when the window is closed: go on without it, or be saved and stopped.

Knows nothing about how training works.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMessageBox, QWidget

from app.ui.training.page import TrainPage

LOOK_MS = 200


class Farewell(QObject):
    """The question, asked once; the window closes as was chosen."""

    def __init__(self, window: QWidget, train: TrainPage, tell: Callable[[str, str], None]) -> None:
        super().__init__(window)
        self._window = window
        self._train = train
        self._tell = tell
        self._question: QMessageBox | None = None
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.decided = False
        """Whether the window may close whatever goes on."""

    def may_close(self) -> bool:
        """Say whether the window may close now; if training goes on, ask, and close later as chosen."""
        if self.decided or not self._train.going:
            self._timer.stop()
            return True
        if self._question is None and not self._timer.isActive():
            self._ask()
        return False

    def _ask(self) -> None:
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Training goes on without the window"))
        box.setText(self.tr("Training goes on without the window."))
        box.setInformativeText(
            self.tr("Open Aizuchi again to see how far it is. Stopping saves a checkpoint to go on from.")
        )
        stay = box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        stop = box.addButton(self.tr("Stop it and save"), QMessageBox.ButtonRole.DestructiveRole)
        leave = box.addButton(self.tr("Let it go on"), QMessageBox.ButtonRole.AcceptRole)
        stop.clicked.connect(self._stop)
        leave.clicked.connect(self._leave)
        box.setDefaultButton(leave)
        box.setEscapeButton(stay)
        box.finished.connect(self._forget)
        self._question = box
        box.open()

    def _forget(self, _result: int) -> None:
        self._question = None

    def _leave(self) -> None:
        self.decided = True
        QTimer.singleShot(0, self._window.close)

    def _stop(self) -> None:
        self._train.stop()
        self._tell(self.tr("Stopping; the window closes when the checkpoint is written."), "")
        self._timer.start()

    def _look(self) -> None:
        if not self._train.going:
            self._timer.stop()
            self._window.close()
