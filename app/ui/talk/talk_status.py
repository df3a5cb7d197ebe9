"""Says in words what state the Talk page is in and what can be done next; the buttons tell what is wanted.

Knows nothing about how it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.catalog import KNOWN, STARTER, find
from app.engine.events import Failed, Loading, Prompting, Ready, Stopped
from app.errors import UserError
from app.frames import FRAME_MS, seconds
from app.ui.shell.translation import told
from app.ui.shell.trash import trash_recording
from app.ui.shell.wording import clock, prompt_words
from app.ui.talk.loading import LoadingText
from app.ui.widgets.empty_state import Action, Pane
from app.ui.widgets.notice import Notice

BITS = {"int8": 8, "int4": 4}
"""Of a weight, in the modes that are lighter than whole ones."""


class State(Enum):
    """What the page is about; each has its own look."""

    NO_MODEL = auto()
    LOADING = auto()
    READY = auto()
    STARTING = auto()
    TALKING = auto()
    STOPPED = auto()
    FAILED = auto()


def find_lighter(ready: Ready) -> str | None:
    """Return the mode in which a model is lighter, '' where other models are smaller, None for neither."""
    if ready.lighter in BITS:
        return ready.lighter
    known = find(ready.model)
    smallest = min(KNOWN, key=lambda model: model.weights_bytes)
    # Of a model that is not known its memory tells: beside the weights there is at least Mimi.
    size = ready.memory_bytes / 2 if known is None else known.weights_bytes
    return "" if size > smallest.weights_bytes + smallest.mimi_bytes else None


class Signpost(QObject):
    """The pane in the middle while nobody talks, and the notice above while somebody does."""

    load_wanted = Signal(str)
    """Load this model again."""
    mode_wanted = Signal(str)
    """Load the model in memory again, in this mode."""
    models_wanted = Signal()
    prompt_wanted = Signal()
    """Choose another voice or role."""
    play_wanted = Signal(Path)
    train_wanted = Signal(Path)
    deleted = Signal(Path)
    restart_wanted = Signal()

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self._loading = LoadingText(self)
        self._recorded: Path | None = None
        """The recording that the notice about the end of a talk is about."""
        self._failure: Failed | None = None
        self.pane = Pane()
        self.notice = Notice()

    def describe(self, state: State, model: str, ready: Ready | None, part: Mapping[str, str]) -> None:
        """Say in words what the state is, where the talk does not speak for itself.

        `part` is the voice and the role that a model is to have, for one that can choose.
        """
        if state is State.NO_MODEL:
            self._show_no_model(model)
        elif state is State.STARTING:
            self._show_starting()
        elif state is State.READY and ready is not None:
            self._show_ready(ready, part)

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

    def _show_ready(self, ready: Ready, part: Mapping[str, str]) -> None:
        """Invite to press Start."""
        if ready.model == STARTER.name:
            sentence = self.tr(
                "Aizuchi lets you talk with a model that listens while it speaks. Put on headphones, press "
                "Start, and say hello, in English or Japanese. This one is small and knows a few dozen "
                "phrases; the others are on the page of models. Everything stays on this computer."
            )
            self.pane.show_state(self.tr("Hello."), sentence)
            return
        checked = told(ready.checked)
        sentence = self.tr("Put on headphones, press Start, and say something. It may also begin by itself.")
        title = self.tr("{0} is ready").format(ready.model)
        if not part:
            self.pane.show_state(title, sentence)
            self.pane.show_progress(None, checked)
            return
        tip = self.tr("Choose its voice and its role (Ctrl+,)")
        choose = Action(self.tr("Voice and role…"), tip, self.prompt_wanted.emit)
        self.pane.show_state(title, sentence, choose, likely=False)
        lines = prompt_words(part, "\n"), checked
        self.pane.show_progress(None, "\n".join(line for line in lines if line))

    def _show_starting(self) -> None:
        """Ask for patience while devices are opened."""
        self.pane.show_state(self.tr("One moment"), self.tr("The sound devices are being opened."))

    def show_prompting(self, event: Prompting, *, talking: bool) -> None:
        """Show how far the model has come with its prompt, in the middle or above a talk."""
        share = event.done_frames / max(1, event.total_frames)
        if talking:
            sentence = self.tr("The model is reading its voice and role and can not hear you: {0} %.")
            sentence = sentence.format(round(100 * share))
            if self.notice.topic == "prompt":
                self.notice.update_sentence(sentence)
            else:
                self.notice.tell("prompt", sentence, "", grave=False)
            return
        title = self.tr("The model is reading its voice and role")
        if self.pane.title != title:
            sentence = self.tr("It can not hear you yet. The talk starts when it is done.")
            self.pane.show_state(title, sentence)
        if share < 1:
            self.pane.show_progress(share, self.tr("{0} %").format(round(100 * share)))
        else:
            self._show_starting()

    def tell_prompted(self) -> None:
        """Take back that the model reads its prompt."""
        if self.notice.topic == "prompt":
            self.notice.clear()

    def tell_no_prompt(self, fault: UserError) -> None:
        """Say why a talk can not begin with the voice or the role that is chosen."""
        tip = self.tr("Choose its voice and its role (Ctrl+,)")
        choose = Action(self.tr("Voice and role…"), tip, self.prompt_wanted.emit)
        self.notice.tell("prompt", fault.sentence, fault.advice, choose)

    def show_failed(self, model: str, failure: Failed) -> None:
        """Say why a load failed."""
        again = self._restart() if failure.restart else self._load(self.tr("Try again"), model)
        self.pane.show_state(failure.sentence, failure.advice, self._other_model(), again)

    def tell_waiting(self) -> None:
        """Say that Start was heard."""
        sentence = self.tr("The talk begins as soon as the model is in memory.")
        self.notice.tell("waiting", sentence, "", grave=False)

    def tell_late(self, ready: Ready, step_ms: float) -> None:
        """Say that the model can not keep up, and offer what is lighter, if anything is."""
        sentence = self._late(step_ms)
        lighter = find_lighter(ready)
        if lighter is None:
            self.notice.tell("late", sentence, self.tr("Close other programs that use this computer."))
        elif lighter:
            bits = BITS[lighter]
            tip = self.tr("End the talk and load the same model with its weights in {0} bits").format(bits)
            text = self.tr("Load in {0} bits").format(bits)
            load = Action(text, tip, lambda: self.mode_wanted.emit(lighter))
            advice = self.tr("The same model is lighter in {0} bits.").format(bits)
            self.notice.tell("late", sentence, advice, load)
        else:
            advice = self.tr("Close other programs that use this computer, or try a smaller model.")
            self.notice.tell("late", sentence, advice, self._other_model())

    def update_late(self, step_ms: float) -> None:
        """Say how late the model is now, if that is still told."""
        if self.notice.topic == "late":
            self.notice.update_sentence(self._late(step_ms))

    def _late(self, step_ms: float) -> str:
        if step_ms <= FRAME_MS:
            return self.tr("This computer can not keep up just now: sound is skipped.")
        sentence = self.tr("This model needs {0} ms for each {1} ms here: sound is skipped.")
        return sentence.format(round(step_ms), round(FRAME_MS))

    def tell_on_time(self) -> None:
        """Take back that the model can not keep up."""
        if self.notice.topic == "late":
            self.notice.clear()

    def tell_stopped(self, event: Stopped, failure: Failed | None) -> None:
        """Say how the talk ended, and what can be done with its recording."""
        self._recorded = event.folder
        self._failure = failure
        actions = () if event.folder is None else self._afterwards(event.folder)
        if failure is not None:
            if failure.restart:
                # Beside it there is room for one: the others stand with the recording on its page.
                actions = (self._restart(), *actions[:1])
            self.notice.tell("failed", failure.sentence, failure.advice, *actions)
            return
        text = self.tr("The talk took {0} and is recorded.")
        if event.folder is None:
            text = self.tr("The talk took {0} and was not recorded.")
        length = clock(seconds(event.frames))
        self.notice.tell("stopped", text.format(length), "", *actions, grave=False)

    def forget_missing(self) -> None:
        """Offer nothing any more for a recording that is not there any more."""
        folder, self._recorded = self._recorded, None
        if folder is None or folder.exists():
            self._recorded = folder
        elif self.notice.topic == "failed" and self._failure is not None:
            actions = (self._restart(),) if self._failure.restart else ()
            self.notice.tell("failed", self._failure.sentence, self._failure.advice, *actions)
        elif self.notice.topic in ("stopped", "delete"):
            self.notice.clear()

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
        trouble = trash_recording(folder)
        if trouble is None:
            self.notice.clear()
        else:
            self.notice.tell("delete", *trouble)
        if not folder.exists():
            self._recorded = None
            self.deleted.emit(folder)

    def _models(self, text: str) -> Action:
        return Action(text, self.tr("Open the page of models (Ctrl+3)"), self.models_wanted.emit)

    def _other_model(self) -> Action:
        return self._models(self.tr("Choose another model"))

    def _load(self, text: str, model: str) -> Action:
        return Action(text, self.tr("Load the model into memory"), lambda: self.load_wanted.emit(model))

    def _restart(self) -> Action:
        tip = self.tr("Close Aizuchi and open it again as it is now")
        return Action(self.tr("Restart Aizuchi"), tip, self.restart_wanted.emit)

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
