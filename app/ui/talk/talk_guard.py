"""Asks before something ends a talk that is being recorded, and does it once the talk has ended.

Knows nothing about what would end it. A talk that is not recorded is ended without a question, as Stop does.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMessageBox, QWidget

from app.ui.talk.page import TalkPage

Action = Callable[[], object]


class TalkGuard(QObject):
    """One question at a time."""

    def __init__(self, window: QWidget, talk: TalkPage) -> None:
        super().__init__(window)
        self._window = window
        self._talk = talk
        self._question: QMessageBox | None = None
        self._then: Action | None = None
        talk.live_changed.connect(self._look)

    def ask(self, consequence: str, do: Action, leave: Action = lambda: None) -> None:
        """Do something now, or after a question if it ends a recorded talk; `leave` where the talk goes on.

        `consequence` says in a sentence what comes after the talk.
        """
        if self._talk.recorded_s is None:
            do()
        elif self._question is None:
            self._ask(consequence, do, leave)

    @property
    def asking(self) -> bool:
        """Return whether the question is open."""
        return self._question is not None

    def _ask(self, consequence: str, do: Action, leave: Action) -> None:
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("A talk is being recorded"))
        box.setText(self.tr("End the talk that is being recorded?"))
        kept = self.tr("What was said until now is kept.")
        box.setInformativeText(f"{consequence}\n{kept}")
        end = box.addButton(self.tr("End the talk"), QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton(self.tr("Go on talking"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)

        def answer(_result: int) -> None:
            self._question = None
            if box.clickedButton() is end:
                self._end(do)
            else:
                leave()

        box.finished.connect(answer)
        self._question = box
        box.open()

    def _end(self, do: Action) -> None:
        if not self._talk.talking:
            do()  # it ended by itself meanwhile
            return
        self._then = do
        self._talk.end()

    def _look(self, live: bool, _recorded: bool) -> None:
        """Do what waits for the end of the talk."""
        if not live and not self._talk.talking and self._then is not None:
            do, self._then = self._then, None
            # The pages have still to hear of the end.
            QTimer.singleShot(0, self, do)
