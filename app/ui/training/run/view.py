"""One run as it goes on: how far it is, its curves, what went amiss, its samples, and what can be done.

Knows nothing about files or processes: it is given the run and its events, and tells what is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.store.runs import Run
from app.ui.shell import theme, wording
from app.ui.shell.theme import GRID, make_primary
from app.ui.shell.translation import told
from app.ui.training.listen.samples import Samples
from app.ui.training.parts import FORM_WIDTH, TROUBLE
from app.ui.training.run.curves import Curves
from app.ui.training.run.words import Figures, facts_line, fall_words, left_words, state_words
from app.ui.widgets.empty_state import Progress
from app.ui.widgets.panel import Column, heading, quiet

MAX_WARNINGS = 4


class Warnings(QWidget):
    """What went amiss, in red, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[tuple[int, str, str]] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GRID // 2)
        self.hide()

    @property
    def text(self) -> str:
        """Return all that is shown."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden())

    def clear(self) -> None:
        """Begin with another run."""
        self._told = []
        self._show()

    def add(self, events: Sequence[dict[str, Any]]) -> None:
        """Take in what was told; what is told again is shown once, at its newest step."""
        for event in events:
            warned = int(event.get("step", 0)), str(event.get("sentence", "")), str(event.get("advice", ""))
            self._told = [warned, *(each for each in self._told if each[1] != warned[1])]
        self._show()

    def _show(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for step, sentence, advice in self._told[:MAX_WARNINGS]:
            label = QLabel(self.tr("Step {0}: {1}").format(f"{step:,}", told(sentence)))
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setForegroundRole(TROUBLE)
            self._rows.addWidget(label)
            if advice:
                self._rows.addWidget(quiet(told(advice)))
        self.setVisible(bool(self._told))


class RunView(QWidget):
    """The page of one run."""

    pause_wanted = Signal()
    end_wanted = Signal()
    now_wanted = Signal()
    """End at the last checkpoint, without keeping what came since."""
    resume_wanted = Signal()
    listen_wanted = Signal()
    play_wanted = Signal(str)
    """A sample's path within the run; '' to fall silent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figures = Figures()
        self._title = heading("")
        self._title.setFont(theme.scaled(self._title.font(), 1.15))
        self._state = quiet("")
        self._progress = Progress()
        self._progress.setAccessibleName(self.tr("Steps that are done"))
        self._facts = quiet("")
        self._fall = quiet("")
        self.warnings = Warnings()
        self.curves = Curves()
        self.samples = Samples()
        self.samples.play_wanted.connect(self.play_wanted)
        self._make_buttons()
        self._lay_out()

    @property
    def text(self) -> str:
        """Return what is said about the run."""
        said = (self._title, self._state, self._facts, self._fall)
        return "\n".join((*(label.text() for label in said), self.warnings.text))

    def clear(self, name: str) -> None:
        """Begin with another run, of which nothing is known yet."""
        self._figures = Figures()
        self._title.setText(name)
        self._state.setText("")
        self._facts.setText("")
        self._fall.setText("")
        self._progress.set_share(0.0)
        self.curves.clear()
        self.warnings.clear()
        self.samples.clear()

    def add(self, events: Sequence[dict[str, Any]]) -> None:
        """Show what happened."""
        self._figures.add(events)
        self.curves.add(events)
        self.samples.add(events)
        if warned := [event for event in events if event["kind"] == "warning"]:
            self.warnings.add(warned)

    def show_run(self, run: Run, *, starting: bool, stopping: bool) -> None:
        """Show how far the run is and what can be done."""
        going = run.state == "running"
        self._title.setText(run.name)
        self._state.setText(state_words(run, self._figures, starting=starting, stopping=stopping))
        step = run.newest_step
        self._progress.set_share(run.progress)
        self._fall.setText(self._fall_words())
        self._fall.setVisible(bool(self._fall.text()))
        left = left_words(self._figures.left_s) if going and not stopping else ""
        model = wording.model_words(str(run.values.get("model") or ""))
        facts = facts_line(step, run.steps, self._figures, left)
        self._facts.setText(" · ".join(part for part in (model, facts) if part))
        self.curves.set_steps(run.steps)
        self._pause.setVisible(going and not stopping)
        self._end.setVisible(going and not stopping)
        self._now.setVisible(going and stopping)
        self._now.setToolTip(self._now_words(run))
        self._resume.setVisible(not going and run.state != "finished")
        self._resume.setEnabled(not starting)
        self._listen.setVisible(not going and self.samples.count > 0)
        paragraph = [run.values.get("sentence", ""), run.values.get("advice", "")]
        self._ending.setText("\n".join(told(str(part)) for part in paragraph if part))
        self._ending.setVisible(run.state == "failed" and bool(self._ending.text()))

    def _fall_words(self) -> str:
        first, best = self._figures.first_loss, self._figures.best_loss
        if first is None or best is None or first <= 0:
            return ""
        return self.tr("Loss on dialogues kept aside, all together: {0} at first, {1} at best ({2}).").format(
            f"{first:.2f}", f"{best:.2f}", fall_words(first, best)
        )

    def _now_words(self, run: Run) -> str:
        if not run.step:
            return self.tr("End at once; there is no checkpoint yet, so nothing is kept")
        return self.tr("End at once at the checkpoint of step {0}; what came since is lost").format(
            f"{run.step:,}"
        )

    def show_starting(self, name: str) -> None:
        """Show a run whose process has just been started."""
        self._title.setText(name)
        self._state.setText(self.tr("Starting…"))
        for button in self._buttons:
            button.hide()
        self._ending.hide()

    def show_trouble(self, sentence: str, advice: str) -> None:
        """Show why the process ended before it trained."""
        self._state.setText(self.tr("It did not start"))
        self._ending.setText("\n".join(told(part) for part in (sentence, advice) if part))
        self._ending.show()

    def _make_buttons(self) -> None:
        self._pause = self._button(
            self.tr("Pause"), self.tr("Save a checkpoint and stop; it goes on from there when you resume")
        )
        self._pause.clicked.connect(self.pause_wanted)
        self._end = self._button(
            self.tr("Stop"), self.tr("Save a checkpoint, end here, and listen to the best step")
        )
        self._end.clicked.connect(self.end_wanted)
        self._now = self._button(self.tr("Stop now"), self.tr("End at once at the last checkpoint"))
        self._now.clicked.connect(self.now_wanted)
        self._resume = self._button(self.tr("Resume"), self.tr("Go on from the last checkpoint"))
        self._resume.clicked.connect(self.resume_wanted)
        self._listen = self._button(self.tr("Listen"), self.tr("Hear before and after (Alt+4)"))
        self._listen.clicked.connect(self.listen_wanted)
        make_primary(self._listen)
        self._buttons = (self._pause, self._end, self._now, self._resume, self._listen)
        self._ending = QLabel()
        self._ending.setWordWrap(True)
        self._ending.setForegroundRole(TROUBLE)
        self._ending.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._ending.hide()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(True)
        button.hide()
        return button

    def _lay_out(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(self._title)
        names.addWidget(self._state)
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addLayout(names, 1)
        for button in self._buttons:
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = Column(FORM_WIDTH, margin=GRID)
        column.setAccessibleName(self.tr("The run"))
        items = column.items
        items.addLayout(top)
        items.addWidget(self._ending)
        items.addWidget(self._progress)
        items.addWidget(self._facts)
        items.addWidget(self.warnings)
        items.addSpacing(GRID)
        items.addWidget(self.curves)
        legend = self.tr(
            "Losses; lower is better. Thin: while training. Thick: dialogues kept aside; ringed: the best."
        )
        items.addWidget(quiet(legend))
        items.addWidget(self._fall)
        items.addSpacing(GRID)
        items.addWidget(self.samples)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)
