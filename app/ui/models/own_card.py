"""The card of a model of the user's own, under the one that it came from: date, data, scores, and Load.

Knows nothing about files or sessions: it is told the state and tells which button was pressed.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from app.engine.events import Loading
from app.ui.models.model_card import BUTTON_WIDTH
from app.ui.models.model_list import OwnModelFacts
from app.ui.shell import theme, wording
from app.ui.shell.translation import told
from app.ui.training.run.words import fall_words, score_names, score_words
from app.ui.widgets.panel import Panel, heading, quiet

SHOWN_SCORES = ("text", "semantic", "acoustic", "user")


class OwnCard(Panel):
    """One model that was trained here."""

    load_pressed = Signal()
    unload_pressed = Signal()

    def __init__(self, facts: OwnModelFacts) -> None:
        super().__init__(down=int(1.5 * theme.GRID))
        self._loaded = False
        self.setAccessibleName(facts.name)
        self._note = quiet("")
        self._button = QPushButton()
        self._button.setMinimumWidth(BUTTON_WIDTH)
        self._button.setAccessibleName(self.tr("Load or unload: {0}").format(facts.name))
        self._button.clicked.connect(self._press)
        words = QVBoxLayout()
        words.setSpacing(theme.GRID // 2)
        words.addWidget(heading(facts.name))
        for line in (self._origin(facts), self._scores(facts)):
            if line:
                words.addWidget(quiet(line))
        words.addWidget(self._note)
        across = QHBoxLayout()
        across.setSpacing(theme.GRID)
        across.addLayout(words, 1)
        across.addWidget(self._button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.add(across)
        self.set_loaded(False)

    def set_loaded(self, loaded: bool) -> None:
        """Show whether the model is in memory."""
        self._loaded = loaded
        self._button.setEnabled(True)
        self._button.setText(self.tr("Unload") if loaded else self.tr("Load"))
        tip = self.tr("Give the memory back") if loaded else self.tr("Take the model into memory")
        self._button.setToolTip(tip)
        self.say("")

    def show_loading(self, event: Loading) -> None:
        """Show how far loading is."""
        self._button.setEnabled(False)
        self._button.setText(self.tr("Loading…"))
        progress = ""
        if event.total_bytes:
            done, total = wording.size_words(event.done_bytes), wording.size_words(event.total_bytes)
            progress = self.tr(": {0} of {1}").format(done, total)
        self.say(told(event.stage) + progress)

    def say(self, text: str) -> None:
        """Show a sentence below."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def _press(self) -> None:
        (self.unload_pressed if self._loaded else self.load_pressed).emit()

    def _origin(self, facts: OwnModelFacts) -> str:
        """Return when, from what and how it was made."""
        when = ""
        if facts.created:
            try:
                when = wording.date_words(datetime.fromisoformat(facts.created).astimezone())
            except ValueError:
                when = facts.created
        data = ", ".join(facts.data)
        if facts.hours:
            length = wording.length_words(3_600 * facts.hours)
            data = self.tr("{0} ({1})").format(data, length) if data else length
        steps = self.tr("{0} steps").format(f"{facts.steps:,}") if facts.steps else ""
        parts = (
            self.tr("Your own"),
            when,
            self.tr("from {0}").format(data) if data else "",
            steps,
            wording.language_words(facts.language),
        )
        return " · ".join(part for part in parts if part)

    def _scores(self, facts: OwnModelFacts) -> str:
        """Return what became of the held-out losses."""
        names = score_names()
        shown = []
        for name in SHOWN_SCORES:
            values = [scores[name] for scores in (facts.before, facts.scores) if name in scores]
            if name in facts.scores:
                arrow = " → ".join(score_words(name, value) for value in values)
                shown.append(f"{names[name][0]} {arrow}")
        first, last = facts.before.get("loss"), facts.scores.get("loss")
        if first is not None and last is not None and first > 0:
            shown.insert(0, self.tr("loss {0}").format(fall_words(first, last)))
        return " · ".join(shown)
