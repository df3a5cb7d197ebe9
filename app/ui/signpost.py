"""Says in words what state the Talk page is in and what can be done next; the buttons tell what is wanted.

Knows nothing about how it is done.
"""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.catalog import STARTER, find
from app.engine.events import Failed, Loading, Ready, Stopped
from app.errors import UserError
from app.frames import FRAME_MS, seconds
from app.ui.loading import LoadingText
from app.ui.notice import Notice
from app.ui.pane import Action, Pane
from app.ui.trash import move_to_trash
from app.ui.wording import clock


class State(Enum):
    """What the page is about; each has its own look."""

    NO_MODEL = auto()
    LOADING = auto()
    READY = auto()
    STARTING = auto()
    TALKING = auto()
    STOPPED = auto()
    FAILED = auto()


class Signpost(QObject):
    """The pane in the middle while nobody talks, and the notice above while somebody does."""

    load_wanted = Signal(str)
    """Load this model again."""
    model_wanted = Signal(str)
    """Take this model from now on."""
    models_wanted = Signal()
    play_wanted = Signal(Path)
    train_wanted = Signal(Path)
    deleted = Signal(Path)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self._loading = LoadingText(self)
        self.pane = Pane()
        self.notice = Notice()

    def describe(self, state: State, model: str, ready: Ready | None) -> None:
        """Say in words what the state is, where the talk does not speak for itself."""
        if state is State.NO_MODEL:
            self._show_no_model(model)
        elif state is State.STARTING:
            self._show_starting()
        elif state is State.READY and ready is not None:
            self._show_ready(ready)

    def _show_no_model(self, model: str) -> None:
        """Offer to load the model that was chosen."""
        sentence = self.tr("A model has to be in memory before you can talk with it.")
        load = self._load(self.tr("Load {0}").format(model), model)
        self.pane.show_state(self.tr("No model is loaded"), sentence, load, self._other_model())

    def show_loading(self, model: str, event: Loading, *, first: bool) -> None:
        """Show how far the load is; `first` when it begins."""
        if first:
            self._loading.begin()
            self.pane.show_state(
                self.tr("Loading {0}").format(model), self.tr("You can look around meanwhile.")
            )
        self.pane.show_progress(*self._loading.progress(event))

    def _show_ready(self, ready: Ready) -> None:
        """Invite to press Start."""
        if ready.model == STARTER.name:
            sentence = self.tr(
                "Aizuchi lets you talk with a model that listens while it speaks. Put on headphones, press "
                "Start, and say hello, in English or Japanese. This one is small and knows a few dozen "
                "phrases; the others are on the page of models. Everything stays on this computer."
            )
            self.pane.show_state(self.tr("Hello."), sentence)
            return
        sentence = self.tr("Put on headphones, press Start, and say something. It may also begin by itself.")
        self.pane.show_state(self.tr("{0} is ready").format(ready.model), sentence)

    def _show_starting(self) -> None:
        """Ask for patience while devices are opened."""
        self.pane.show_state(self.tr("One moment"), self.tr("The sound devices are being opened."))

    def show_failed(self, model: str, failure: Failed) -> None:
        """Say why a load failed."""
        again = self._load(self.tr("Try again"), model)
        self.pane.show_state(failure.sentence, failure.advice, self._other_model(), again)

    def tell_waiting(self) -> None:
        """Say that Start was heard."""
        sentence = self.tr("The talk begins as soon as the model is in memory.")
        self.notice.tell("waiting", sentence, "", grave=False)

    def tell_late(self, model: str, step_ms: float) -> None:
        """Say that the model can not keep up, and offer the lighter one if there is one."""
        sentence = self.tr("This computer can not keep up just now: sound is skipped.")
        if step_ms > FRAME_MS:
            sentence = self.tr("This model needs {0} ms for each {1} ms here: sound is skipped.")
            sentence = sentence.format(round(step_ms), round(FRAME_MS))
        lighter = find(f"{model}-q8")
        if lighter is None:
            advice = self.tr("Close what else uses the computer, or try a smaller model.")
            self.notice.tell("late", sentence, advice, self._other_model())
            return
        name = lighter.name
        tip = self.tr("End the talk and load the lighter model")
        switch = Action(self.tr("Switch to {0}").format(name), tip, lambda: self.model_wanted.emit(name))
        self.notice.tell("late", sentence, self.tr("Its 8-bit form is lighter."), switch)

    def tell_on_time(self) -> None:
        """Take back that the model can not keep up."""
        if self.notice.topic == "late":
            self.notice.clear()

    def tell_stopped(self, event: Stopped, failure: Failed | None) -> None:
        """Say how the talk ended, and what can be done with its recording."""
        actions = () if event.folder is None else self._afterwards(event.folder)
        if failure is not None:
            self.notice.tell("failed", failure.sentence, failure.advice, *actions)
            return
        text = self.tr("The talk took {0} and is recorded.")
        if event.folder is None:
            text = self.tr("The talk took {0} and was not recorded.")
        length = clock(seconds(event.frames))
        self.notice.tell("stopped", text.format(length), "", *actions, grave=False)

    def ask_delete(self, folder: Path) -> None:
        """Ask once whether a recording shall go to the trash."""
        box = QMessageBox(self._page)
        box.setWindowTitle(self.tr("Delete the recording"))
        box.setText(self.tr("Move this talk to the trash?"))
        delete = box.addButton(self.tr("Move to trash"), QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        delete.clicked.connect(lambda: self.delete(folder))
        box.open()

    def delete(self, folder: Path) -> None:
        """Move a recording to the trash, or say that there is none."""
        try:
            moved = move_to_trash(folder)
        except UserError as fault:
            self.notice.tell("delete", fault.sentence, fault.advice)
            return
        if moved:
            self.notice.clear()
            self.deleted.emit(folder)
            return
        sentence = self.tr("The recording could not be moved to the trash.")
        advice = self.tr("There may be none on this disk; the folder to remove is {0}.").format(folder)
        self.notice.tell("delete", sentence, advice)

    def _models(self, text: str) -> Action:
        return Action(text, self.tr("Open the page of models (Ctrl+3)"), self.models_wanted.emit)

    def _other_model(self) -> Action:
        return self._models(self.tr("Choose another model"))

    def _load(self, text: str, model: str) -> Action:
        return Action(text, self.tr("Load the model into memory"), lambda: self.load_wanted.emit(model))

    def _afterwards(self, folder: Path) -> tuple[Action, ...]:
        tip = self.tr("Open the recording of this talk")
        return (
            Action(self.tr("Play it back"), tip, lambda: self.play_wanted.emit(folder)),
            Action(
                self.tr("Use for training"),
                self.tr("Make a dataset of this talk, for a model to learn from"),
                lambda: self.train_wanted.emit(folder),
            ),
            Action(
                self.tr("Delete"), self.tr("Move the recording to the trash"), lambda: self.ask_delete(folder)
            ),
        )
