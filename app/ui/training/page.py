"""The Train page: four steps across the top, Data, Check, Train and Listen, and what they tell each other.

Knows nothing about how a step does its work. The graphics card is freed by the window: the page asks for it
and is told by the session's events when no model is in memory any more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.engine.events import Event, Failed, Loading, Ready, Unloaded
from app.errors import UserError
from app.paths import Paths
from app.store.datasets import Dataset
from app.store.runs import Run, open_run
from app.ui.models.gpu_memory import CardMemory, card_memory
from app.ui.shell import wording
from app.ui.shell.theme import GRID, make_primary
from app.ui.training.check.step import CheckStep
from app.ui.training.data.facts import is_prepared_outdated, prepared_for
from app.ui.training.data.step import DataStep
from app.ui.training.listen.step import ListenStep
from app.ui.training.models import ModelChoice
from app.ui.training.parts import ActionBar
from app.ui.training.run.step import TrainStep
from app.ui.training.steps import StepBar

DATA, CHECK, TRAIN, LISTEN = range(4)


class TrainPage(QWidget):
    """From talks to a model of one's own."""

    memory_wanted = Signal()
    """Training is about to start: end the talk, and give the model's memory back."""
    talk_wanted = Signal(str)
    """Load this model and go to Talk."""
    models_changed = Signal()
    """There is a new model."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""
    progress_changed = Signal(object)
    """The share that is done of the run that goes on, 0..1; None when none does."""

    def __init__(
        self,
        paths: Paths,
        look_at_card: Callable[[], CardMemory | None] = card_memory,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._loading = False
        self._loaded = False
        self._wanting = False
        self.steps = StepBar()
        self.choice = ModelChoice(paths.models, self)
        self.data = DataStep(paths, self.choice)
        self.check = CheckStep(paths)
        self.run = TrainStep(paths, self.choice, look_at_card)
        self.listen = ListenStep(paths)
        self._onward = ActionBar()
        self._outdated = ActionBar()
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self.show_step(DATA)

    @property
    def going(self) -> bool:
        """Return whether any run is going on or about to."""
        return self.run.starting or bool(self.run.going)

    @property
    def progress(self) -> float | None:
        """Return the share that is done of the run that goes on, 0..1; None when none does."""
        return self.run.progress

    def show_step(self, index: int) -> None:
        """Turn to a step: 0 Data, 1 Check, 2 Train, 3 Listen."""
        self._stack.setCurrentIndex(index)
        self.steps.show_current(index)

    def use_talk(self, folder: Path) -> None:
        """Begin a dataset of the recording in a folder."""
        self.show_step(DATA)
        self.data.use_talk(folder)

    def on_event(self, event: Event) -> None:
        """Follow whether a model is in memory."""
        if isinstance(event, Loading):
            self._loading = True
        elif isinstance(event, Ready):
            self._loading, self._loaded = False, True
            self.choice.set_loaded(event.model)
        elif isinstance(event, Unloaded):
            self._loaded = False
        elif isinstance(event, Failed):
            self._loading = False
        if self._wanting and not self._loading and not self._loaded:
            self._go()

    def cancel_start(self) -> None:
        """Take note that the graphics card is not given back; the run that was to start waits for nothing."""
        self._wanting = False
        self.run.cancel_start()

    def expect_model(self) -> None:
        """Take note that a model was asked for, which tells nothing yet."""
        self._loading = True

    def stop(self) -> None:
        """Ask every run to save a checkpoint and end."""
        self.run.stop()

    def set_speaker(self, name: str) -> None:
        """Play through this device, '' for the default."""
        self.check.set_speaker(name)
        self.run.set_speaker(name)
        self.listen.set_speaker(name)

    def shut(self) -> None:
        """End what is under way beside the window; training goes on."""
        for step in (self.data, self.check, self.run, self.listen):
            step.shut()
        self.choice.shut()

    def _free_memory(self) -> None:
        self._wanting = True
        if self._loading or self._loaded:
            self.memory_wanted.emit()
        else:
            self._go()

    def _go(self) -> None:
        self._wanting = False
        self.run.start_now()

    def _show_dataset(self, dataset: Dataset | None) -> None:
        self.check.show_dataset(dataset.folder if dataset is not None else None)
        self.run.show_dataset(dataset)
        self._show_onward(dataset)

    def _show_onward(self, dataset: Dataset | None) -> None:
        """Show below the check what comes next: a run, or preparing again what has changed since."""
        outdated = dataset is not None and is_prepared_outdated(dataset)
        ready = dataset is not None and bool(dataset.prepared) and not outdated
        self.steps.set_done(DATA, ready)
        self._onward.setVisible(ready)
        self._outdated.setVisible(outdated)
        if dataset is not None:
            model = wording.model_words(prepared_for(dataset))
            ready_words = self.tr("{0} is ready to be learnt from.").format(dataset.name)
            if model:
                ready_words = self.tr("{0} is ready for {1}.").format(dataset.name, model)
            self._onward.say(ready_words)
            self._outdated.say(
                self.tr("{0} has changed since it was prepared.").format(dataset.name),
                self.tr("Training reads what was prepared: prepare it again."),
            )

    def _train(self) -> None:
        """Go on from what was checked to a new run."""
        self.show_step(TRAIN)
        self.run.show_form()

    def _prepared(self, dataset: Dataset | None) -> None:
        self._show_dataset(dataset)
        if dataset is not None:
            self.show_step(CHECK)

    def _corrected(self) -> None:
        """Words have changed: what training would read is no longer what is there."""
        self._show_onward(self.data.dataset)
        self.steps.set_done(DATA, False)
        self._onward.hide()

    def _prepare_again(self) -> None:
        """Prepare the dataset that is open for the model that it was prepared for, or that is chosen."""
        dataset = self.data.dataset
        if dataset is not None:
            self._prepare_for(dataset, prepared_for(dataset) or self.choice.spec)

    def _prepare_for(self, dataset: Dataset, model: str) -> None:
        self.show_step(DATA)
        self.data.prepare_again(dataset.folder, model)

    def _show_run(self, run: Run | None) -> None:
        self.listen.show_run(run)
        for behind in (DATA, CHECK) if run is not None else ():
            self.steps.set_done(behind, True)
        self.steps.set_done(TRAIN, run is not None and run.state == "finished")

    def _listen(self, folder: Path) -> None:
        try:
            self.listen.show_run(open_run(folder))
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return
        self.show_step(LISTEN)

    def _connect(self) -> None:
        self.steps.chosen.connect(self.show_step)
        self.data.dataset_changed.connect(self._show_dataset)
        self.data.prepared.connect(self._prepared)
        self.check.prepare_wanted.connect(self._prepare_again)
        self.check.changed.connect(self._corrected)
        self.run.memory_wanted.connect(self._free_memory)
        self.run.listen_wanted.connect(self._listen)
        self.run.form.prepare_wanted.connect(self._prepare_for)
        self.run.run_changed.connect(self._show_run)
        self.run.progress_changed.connect(self.progress_changed)
        self.listen.talk_wanted.connect(self.talk_wanted)
        self.listen.models_changed.connect(self.models_changed)
        for step in (self.data, self.check, self.run, self.listen):
            step.trouble.connect(self.trouble)
        for index in range(self._stack.count()):
            shortcut = QShortcut(QKeySequence(f"Alt+{index + 1}"), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda index=index: self.show_step(index))

    def _lay_out(self) -> None:
        for step in (self.data, self._checking(), self.run, self.listen):
            self._stack.addWidget(step)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(3 * GRID, GRID, 2 * GRID, 0)
        whole.setSpacing(2 * GRID)
        whole.addWidget(self.steps)
        whole.addWidget(self._stack, 1)

    def _checking(self) -> QWidget:
        """Return the step Check above what leads on from it."""
        onward = QPushButton(self.tr("Train…"))
        onward.setToolTip(self.tr("Choose what a run shall learn from it (Alt+3)"))
        onward.setAutoDefault(True)
        make_primary(onward)
        onward.clicked.connect(self._train)
        again = QPushButton(self.tr("Prepare again"))
        again.setToolTip(self.tr("Turn the sound and the words into what training reads, as they are now"))
        again.setAutoDefault(True)
        make_primary(again)
        again.clicked.connect(self._prepare_again)
        self._onward.add(onward)
        self._outdated.add(again)
        below = QVBoxLayout()
        below.setContentsMargins(GRID, 0, GRID, GRID)
        for bar in (self._onward, self._outdated):
            bar.hide()
            below.addWidget(bar)
        both = QWidget()
        rows = QVBoxLayout(both)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.check, 1)
        rows.addLayout(below)
        return both
