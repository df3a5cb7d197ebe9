"""The step Train: the runs that there are, a new one, and the one that is open, followed as it goes on.

Starts and stops processes; knows nothing about how training works. The graphics card is asked to be freed
with a signal before a process is started, and the process is started when it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.errors import UserError
from app.paths import Paths
from app.store.datasets import Dataset, list_datasets
from app.store.runs import Run, list_runs
from app.ui.models.gpu_memory import CardMemory
from app.ui.shell.background_worker import Aside
from app.ui.shell.theme import GRID
from app.ui.training.models import ModelChoice
from app.ui.training.parts import Entry, SideList
from app.ui.training.run.config import Choices, write_document
from app.ui.training.run.form import RunForm
from app.ui.training.run.process import Follower, log_file, start_detached
from app.ui.training.run.view import RunView
from app.ui.training.run.words import short_state
from app.ui.widgets.player import Player

WATCH_MS = 1_000
"""How often it is seen how far training is, for what shows it beside the page."""


def _progress_of(runs: Path) -> float | None:
    """Return the share that is done of the newest run that goes on, None when none does."""
    return next((run.progress for run in list_runs(runs) if run.alive), None)


class TrainStep(QWidget):
    """Runs at the left; at the right the form of a new one, or one that is there."""

    memory_wanted = Signal()
    """The graphics card should be free; `start_now` is to be called when it is."""
    listen_wanted = Signal(object)
    """The folder of a run that is to be heard."""
    run_changed = Signal(object)
    """The Run that is open, when anything about it changed; None for none."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""
    progress_changed = Signal(object)
    """The share that is done of the run that goes on, 0..1; None when none does."""

    def __init__(
        self,
        paths: Paths,
        choice: ModelChoice,
        look_at_card: Callable[[], CardMemory | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._paths = paths
        self._waiting: Callable[[], None] | None = None
        self._stopping = False
        self._ending = False
        self._dataset: Dataset | None = None
        self._progress: float | None = None
        self._follower = Follower(paths, self)
        self._aside = Aside(self)
        self._watch = QTimer(self, interval=WATCH_MS)
        self.player = Player(self)
        self.form = RunForm(paths, choice, look_at_card)
        self.view = RunView()
        self.runs = SideList(self.tr("Runs"), self.tr("New run"), self.tr("Choose what another run shall do"))
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()

    @property
    def run(self) -> Run | None:
        """Return the run that is open."""
        return self._follower.run

    @property
    def going(self) -> list[Run]:
        """Return the runs whose processes are on this computer, whoever started them."""
        return [run for run in list_runs(self._paths.runs) if run.is_here]

    @property
    def starting(self) -> bool:
        """Return whether a process was started that has not yet said that it trains."""
        return self._follower.starting

    @property
    def progress(self) -> float | None:
        """Return the share that is done of the run that goes on, 0..1; None when none does."""
        return self._progress

    def show_dataset(self, dataset: Dataset | None) -> None:
        """Let this dataset be what a new run learns from."""
        self._dataset = dataset
        self.form.show_datasets(list_datasets(self._paths.datasets), dataset)

    def show_form(self) -> None:
        """Open the form of a new run."""
        self._follow(None)
        self.runs.show_current(None)
        self.form.show_datasets(list_datasets(self._paths.datasets), self._dataset)
        self._stack.setCurrentWidget(self.form)
        self.form.ask_again()

    def show_run(self, folder: Path, pid: int | None = None) -> None:
        """Open a run, and follow it."""
        if folder == self._follower.folder and pid is None:
            return
        self._stack.setCurrentWidget(self.view)
        self.view.clear(folder.name)
        if pid is not None:
            self.view.show_starting(folder.name)
        self._follow(folder, pid)
        self.runs.show_current(folder)

    def refresh(self) -> None:
        """Look anew which runs there are; open one that goes on."""
        runs = list_runs(self._paths.runs)
        if self._follower.folder is None and self._waiting is None:
            going = next((run for run in runs if run.alive), None)
            if going is not None:
                self.show_run(going.folder)
        entries = [Entry(run.folder, run.name, short_state(run), run.alive) for run in runs]
        self.runs.show_entries(entries, self._follower.folder)

    def start_now(self) -> None:
        """Start the process that was waiting for the graphics card."""
        waiting, self._waiting = self._waiting, None
        self.form.hold(False)
        if waiting is None:
            return
        try:
            waiting()
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)

    def cancel_start(self) -> None:
        """Let what waits for the graphics card wait no more, as if it had not been asked for."""
        self._waiting = None
        self.form.hold(False)
        self.form.ask_again()

    def stop(self) -> None:
        """Ask every run to save a checkpoint and end, and one that only begins to end."""
        self._follower.end_start()
        for run in self.going:
            self._ask_to_stop(run)

    def set_speaker(self, name: str) -> None:
        """Play samples through this device, '' for the default."""
        self.player.set_speaker(name)

    def shut(self) -> None:
        """End the sound and what is under way beside the window; runs go on."""
        self._watch.stop()
        self._aside.close()
        self._follower.stop()
        self.form.shut()
        self.player.close()

    def showEvent(self, event: QShowEvent) -> None:
        """See which runs there are whenever the step is opened."""
        super().showEvent(event)
        self.refresh()
        if self._stack.currentWidget() is self.form:
            self.show_form()

    def hideEvent(self, event: QHideEvent) -> None:
        """Fall silent."""
        super().hideEvent(event)
        self._play("")

    def _look_for_progress(self) -> None:
        """Ask beside the window how far the run is that goes on, whichever page is in front."""
        if not self._aside.busy:
            self._aside.ask(partial(_progress_of, self._paths.runs), self._show_progress)

    def _show_progress(self, progress: float | None) -> None:
        if progress != self._progress:
            self._progress = progress
            self.progress_changed.emit(progress)

    def _follow(self, folder: Path | None, pid: int | None = None) -> None:
        self._stopping = self._ending = False
        self._play("")
        self._follower.follow(folder, pid)
        if folder is None:
            self.run_changed.emit(None)

    def _begin(self, choices: Choices) -> None:
        self._waiting = partial(self._start, choices)
        self.form.hold(True, self.tr("Unloading the model…"))
        self.memory_wanted.emit()

    def _start(self, choices: Choices) -> None:
        config = self._paths.cache / "train" / f"{choices.name}.toml"
        try:
            write_document(choices.document(), config)
        except OSError as fault:
            sentence = self.tr("{0} can not be written: {1}.").format(config, fault.strerror)
            raise UserError(sentence, self.tr("Make room on the disk.")) from fault
        pid = start_detached(["train", str(config)], log_file(choices.name, self._paths), self._paths)
        self.show_run(self._paths.runs / choices.name, pid)

    def _resume(self) -> None:
        if self.run is not None:
            self._waiting = partial(self._go_on, self.run.folder)
            self.memory_wanted.emit()

    def _go_on(self, folder: Path) -> None:
        pid = start_detached(
            ["train", "--resume", str(folder)], log_file(folder.name, self._paths), self._paths
        )
        self._stopping = self._ending = False
        self._follower.expect(pid)

    def _pause(self, *, end: bool) -> None:
        if self.run is not None and self._ask_to_stop(self.run):
            self._stopping, self._ending = True, end
            self._show_run(self.run)

    def _ask_to_stop(self, run: Run) -> bool:
        try:
            run.stop()
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return False
        return True

    def _end_now(self) -> None:
        """Ask again, which ends it at its last checkpoint."""
        if self.run is not None:
            self._ask_to_stop(self.run)

    def _came(self, events: list[dict[str, Any]]) -> None:
        self.view.add(events)
        if self.run is not None:
            self._show_run(self.run)
            self.runs.show_detail(self.run.folder, short_state(self.run))

    def _changed(self, run: Run) -> None:
        self._show_run(run)
        self.refresh()
        self.run_changed.emit(run)
        if self._ending and run.state != "running":
            self._ending = False
            self.listen_wanted.emit(run.folder)

    def _show_run(self, run: Run) -> None:
        self._stopping = self._stopping and run.state == "running"
        self.view.show_run(run, starting=self._follower.starting, stopping=self._stopping)

    def _died(self, sentence: str, advice: str) -> None:
        self.view.show_trouble(sentence, advice)
        self.trouble.emit(sentence, advice)

    def _play(self, path: str) -> None:
        if path and self._follower.folder is not None:
            self.player.load(self._follower.folder / path)
            self.player.play()
        elif self.player.playing:
            self.player.pause()
        self.view.samples.set_playing(path)

    def _heard(self, playing: bool) -> None:
        if not playing:
            self.view.samples.set_playing("")

    def _connect(self) -> None:
        self.runs.new_wanted.connect(self.show_form)
        self.runs.chosen.connect(self.show_run)
        self.form.train_wanted.connect(self._begin)
        self.view.pause_wanted.connect(lambda: self._pause(end=False))
        self.view.end_wanted.connect(lambda: self._pause(end=True))
        self.view.now_wanted.connect(self._end_now)
        self.view.resume_wanted.connect(self._resume)
        self.view.listen_wanted.connect(lambda: self.listen_wanted.emit(self._follower.folder))
        self.view.play_wanted.connect(self._play)
        self.player.playing_changed.connect(self._heard)
        self.player.trouble.connect(self.trouble)
        self._follower.came.connect(self._came)
        self._follower.changed.connect(self._changed)
        self._follower.died.connect(self._died)
        self._watch.timeout.connect(self._look_for_progress)
        self._watch.start()

    def _lay_out(self) -> None:
        self._stack.addWidget(self.form)
        self._stack.addWidget(self.view)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(2 * GRID)
        across.addWidget(self.runs)
        across.addWidget(self._stack, 1)
