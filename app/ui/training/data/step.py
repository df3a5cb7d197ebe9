"""The step Data: the datasets that there are, a new one, and the way from talks to what can be learnt from.

Knows nothing about how a dataset is made: commands do that, one after another, in processes of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.errors import UserError
from app.paths import Paths
from app.store.datasets import Dataset, list_datasets, open_dataset
from app.store.recordings import Recording, list_recordings
from app.ui.shell import wording
from app.ui.shell.background_worker import Aside
from app.ui.shell.theme import GRID, make_primary
from app.ui.shell.translation import told
from app.ui.training.data.dataset import DatasetView
from app.ui.training.data.facts import Facts, finding_words, is_prepared_outdated, prepared_for, read_facts
from app.ui.training.data.new import NewDataset, Wish
from app.ui.training.data.prepare import Preparation
from app.ui.training.models import ModelChoice
from app.ui.training.parts import ActionBar, Entry, SideList
from app.ui.training.run.words import left_words
from app.ui.widgets.empty_state import Action
from app.ui.widgets.notice import Notice


class DataStep(QWidget):
    """Datasets at the left; at the right a new one, or one that is there."""

    dataset_changed = Signal(object)
    """The Dataset that is open, None for none."""
    prepared = Signal(object)
    """The Dataset that is ready to be looked at."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._choice = choice
        self._dataset: Dataset | None = None
        self._facts: Facts | None = None
        self._model = ""
        """For what the dataset is being made or prepared, '' while it is not."""
        self._wanted: Path | None = None
        """The talk of which a dataset is to be made, until it is in the list."""
        self._then: Callable[[], None] = self._over
        self._aside = Aside(self)
        self.preparation = Preparation(paths, self)
        self.new = NewDataset(paths, choice)
        self.view = DatasetView(choice)
        self.datasets = SideList(
            self.tr("Datasets"), self.tr("New dataset"), self.tr("Choose talks or folders to learn from")
        )
        self.notice = Notice()
        self.bar = ActionBar()
        self._stop = QPushButton(self.tr("Stop"))
        self._go = QPushButton(self.tr("Prepare"))
        self._check = QPushButton(self.tr("Check"))
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show_state()

    @property
    def dataset(self) -> Dataset | None:
        """Return the dataset that is open."""
        return self._dataset

    def show_dataset(self, folder: Path | None) -> None:
        """Open a dataset, or with None the form of a new one."""
        if self.preparation.busy:
            self.datasets.show_current(self._dataset.folder if self._dataset else None)
            return
        self.notice.clear()
        self._facts = None
        self._dataset = self._opened(folder) if folder is not None else None
        if self._dataset is not None:
            self.view.show_dataset(self._dataset)
            self._aside.ask(
                partial(read_facts, self._dataset), partial(self._show_facts, self._dataset.folder)
            )
        else:
            self._choice.choose("")
            self.new.begin_anew()
        self._show_model()
        self._stack.setCurrentWidget(self.view if self._dataset is not None else self.new)
        self.datasets.show_current(folder)
        self.dataset_changed.emit(self._dataset)
        self._show_state()

    def use_talk(self, folder: Path) -> None:
        """Begin a new dataset of one talk, as soon as it is in the list."""
        self._wanted = folder
        self.show_dataset(None)
        self.refresh()

    def refresh(self) -> None:
        """Look anew which datasets and talks there are."""
        self._aside.ask(partial(list_datasets, self._paths.datasets), self._list)
        self._aside.ask(partial(list_recordings, self._paths.recordings), self._offer)

    def prepare(self) -> None:
        """Begin with what is open: make the dataset, or prepare the one that is there."""
        self.notice.clear()
        if self._dataset is not None:
            self._model = self._choice.spec
            self._prepare()
            return
        wish = self.new.wish
        if not wish.complaint:
            self._make(wish)

    def prepare_again(self, folder: Path, model: str) -> None:
        """Prepare a dataset for a model, whichever it was prepared for."""
        if self.preparation.busy:
            return
        self.show_dataset(folder)
        self._choice.choose(model)
        if self._dataset is not None:
            self.prepare()

    def transcribe(self, recogniser: Path) -> None:
        """Find the words that are lacking with a model in a folder; then prepare, if that was under way."""
        if self._dataset is None:
            return
        self.notice.clear()
        then = self._prepare if self._model else self._reread
        self._run(then, ["data", "transcribe", str(self._dataset.folder), "--model", str(recogniser)])

    def shut(self) -> None:
        """End what is under way; it goes on from there when it is asked for again."""
        self.preparation.cancel()
        self._aside.close()

    def showEvent(self, event: QShowEvent) -> None:
        """See what there is whenever the step is opened."""
        super().showEvent(event)
        self.refresh()
        self._show_model()
        self._choice.look()
        if self._dataset is not None:
            self.view.show_dataset(self._dataset)
            if self._facts is not None:
                self.view.show_facts(self._facts)
        self._show_state()
        if self._dataset is None and not self.preparation.busy:
            self.new.begin_anew()

    def _show_model(self) -> None:
        """Let the choice be the model for which the dataset is being prepared, or else is prepared."""
        model = self._model or (prepared_for(self._dataset) if self._dataset is not None else "")
        if model:
            self._choice.choose(model)

    def hideEvent(self, event: QHideEvent) -> None:
        """Say no more what went wrong: it was seen."""
        super().hideEvent(event)
        if self.notice.topic == "trouble" and not self.preparation.busy:
            self.notice.clear()

    def _opened(self, folder: Path) -> Dataset | None:
        try:
            return open_dataset(folder)
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return None

    def _list(self, datasets: list[Dataset]) -> None:
        entries = [Entry(each.folder, each.name, self._describe(each)) for each in datasets]
        self.datasets.show_entries(entries, self._dataset.folder if self._dataset else None)

    def _describe(self, dataset: Dataset) -> str:
        model = prepared_for(dataset)
        ready = self.tr("not prepared")
        if model:
            ready = self.tr("for {0}").format(wording.model_words(model))
        return " · ".join(part for part in (wording.language_words(dataset.language), ready) if part)

    def _offer(self, recordings: list[Recording]) -> None:
        self.new.show_recordings(recordings)
        if any(recording.folder == self._wanted for recording in recordings):
            self.new.sources.mark_only(self._wanted)
            self._wanted = None

    def _show_facts(self, folder: Path, facts: Facts) -> None:
        if self._dataset is not None and self._dataset.folder == folder:
            self._facts = facts
            self.view.show_facts(facts)
            self._show_state()

    def _make(self, wish: Wish) -> None:
        self._model = wish.model
        folder = self._paths.datasets / wish.name
        language = ["--language", wish.language] if wish.language else []
        sources = [str(source) for source in wish.sources]
        self._run(
            partial(self._imported, folder), ["data", "import", *sources, "--name", wish.name, *language]
        )

    def _imported(self, folder: Path) -> None:
        """Open the new dataset; go on to prepare it, unless the words that it needs are lacking."""
        self._dataset = self._opened(folder)
        if self._dataset is None:
            self._show_state()
            return
        self.new.clear_folders()
        self.view.show_dataset(self._dataset)
        self._stack.setCurrentWidget(self.view)
        self.dataset_changed.emit(self._dataset)
        self.refresh()
        facts = read_facts(self._dataset)
        self._show_facts(folder, facts)
        if facts.lacking_a:
            self._ask_for_words(facts)
        else:
            self._prepare()

    def _ask_for_words(self, facts: Facts) -> None:
        self._show_state()
        self.notice.tell(
            "words",
            self.tr("{0} of {1} dialogues have no words of the model's voice.").format(
                facts.lacking_a, facts.dialogues
            ),
            self.tr("Without them it learns to be silent in words. A faster-whisper model can find them."),
            Action(
                self.tr("Transcribe…"), self.tr("Choose the folder of the model"), self._choose_recogniser
            ),
            Action(self.tr("Go on without"), self.tr("Prepare it as it is"), self._prepare),
            grave=False,
        )

    def _prepare(self) -> None:
        if self._dataset is not None:
            self.notice.clear()
            self._model = self._model or self._choice.spec
            self._run(self._ready, ["data", "prepare", str(self._dataset.folder), "--model", self._model])

    def _ready(self) -> None:
        self._over()
        if self._dataset is not None:
            self._dataset = self._opened(self._dataset.folder)
            self.prepared.emit(self._dataset)

    def _reread(self) -> None:
        self._over()
        self.show_dataset(self._dataset.folder if self._dataset else None)

    def _over(self) -> None:
        self._model = ""
        self.refresh()
        self._show_state()

    def _run(self, then: Callable[[], None], command: list[str]) -> None:
        self._then = then
        self._show_progress(self.tr("Starting"), -1.0, 0.0)
        self.preparation.begin(command)
        self._show_buttons()

    def _ended(self, well: bool, sentence: str, advice: str) -> None:
        if well:
            self._then()
            return
        self._model = ""
        self.refresh()
        self._show_state()
        if sentence:
            self.notice.tell("trouble", sentence, advice)
            self.trouble.emit(sentence, advice)
        elif self._dataset is None:
            self.bar.say(self.tr("Stopped."), self.tr("What was done is kept; Prepare goes on from there."))

    def _found(self, finding: dict[str, object]) -> None:
        if text := finding_words(finding):
            self.notice.tell("finding", text, "", grave=False)

    def _show_progress(self, stage: str, share: float, left_s: float) -> None:
        stage = told(stage)
        title = f"{stage}…" if share < 0 else self.tr("{0}, {1} %").format(stage, round(100 * share))
        self.bar.say(title, left_words(left_s))
        self.bar.show_progress(max(0.0, share))

    def _show_state(self) -> None:
        """Say what there is and what can be done, unless something is being done."""
        if self.preparation.busy:
            return
        self.bar.show_progress(None)
        if self._dataset is None:
            self._show_wish(self.new.wish)
        elif self._facts is not None:
            length = wording.length_words(self._facts.seconds)
            made_for = wording.model_words(prepared_for(self._dataset))
            if self._is_ready():
                title = self.tr("{0}, ready for {1}").format(length, made_for)
                self.bar.say(title, self.tr("Look at what will be learnt before you train."))
            elif is_prepared_outdated(self._dataset):
                changed = self.tr("Words or sound have changed since it was prepared.")
                self.bar.say(changed, self.tr("Training reads what was prepared: prepare it again."))
            else:
                self.bar.say(length, self.tr("Preparing turns sound and words into what training reads."))
        else:
            self.bar.say(self._dataset.name)
        self._show_buttons()

    def _show_wish(self, wish: Wish) -> None:
        length = wording.length_words(wish.seconds) if wish.seconds else ""
        folders = len(wish.sources) - len(self.new.sources.marked)
        more = self.tr("1 folder") if folders == 1 else self.tr("{0} folders").format(folders)
        parts = [part for part in (length, more if folders else "") if part]
        if wish.complaint == "sources":
            self.bar.say(self.tr("Mark talks, or import a folder."))
        elif wish.complaint == "name":
            self.bar.say(self.tr("Give the dataset a name of letters and digits."), trouble=True)
        else:
            self.bar.say(self.tr("{0} to learn from").format(self.tr(" and ").join(parts)), self._hint(wish))

    def _hint(self, wish: Wish) -> str:
        if (self._paths.datasets / wish.name).exists():
            return self.tr("There is a dataset of this name; they are added to it.")
        if wish.seconds and wish.seconds < 600 and len(wish.sources) == len(self.new.sources.marked):
            return self.tr("Ten minutes are little, an hour is good.")
        return self.tr("Preparing turns sound and words into what training reads.")

    def _show_buttons(self) -> None:
        busy = self.preparation.busy
        there = self._dataset is not None
        again = self._dataset is not None and bool(self._dataset.prepared)
        ready = self._is_ready()
        self._stop.setVisible(busy)
        self._go.setVisible(not busy)
        self._go.setText(self.tr("Prepare again") if again else self.tr("Prepare"))
        self._go.setEnabled(there or not self.new.wish.complaint)
        self._check.setVisible(there and ready and not busy)
        for widget in (self.new, self.view):
            widget.setEnabled(not busy)
        for button in (self._go, self._check):
            button.setProperty("primary", button is (self._check if ready else self._go))
            button.style().unpolish(button)
            button.style().polish(button)

    def _is_ready(self) -> bool:
        """Say whether what is prepared is what the dataset holds, for the model that is chosen."""
        return (
            self._dataset is not None
            and prepared_for(self._dataset) == self._choice.spec
            and not is_prepared_outdated(self._dataset)
        )

    def _choose_recogniser(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose the folder of a faster-whisper model"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.transcribe(Path(name)))
        dialog.open()

    def _connect(self) -> None:
        self.datasets.new_wanted.connect(lambda: self.show_dataset(None))
        self.datasets.chosen.connect(self.show_dataset)
        self.new.changed.connect(self._show_state)
        self._choice.changed.connect(self._show_state)
        self.view.transcribe_wanted.connect(self._choose_recogniser)
        self.preparation.progressed.connect(self._show_progress)
        self.preparation.found.connect(self._found)
        self.preparation.ended.connect(self._ended)
        self._go.clicked.connect(self.prepare)
        self._stop.clicked.connect(self.preparation.stop)
        self._check.clicked.connect(lambda: self.prepared.emit(self._dataset))

    def _lay_out(self) -> None:
        self._stop.setToolTip(self.tr("Stop here; what was done is kept"))
        self._go.setToolTip(
            self.tr("Gather the dialogues, and turn sound and words into what training reads")
        )
        self._check.setToolTip(self.tr("See what will be learnt (Alt+2)"))
        for button in (self._stop, self._go, self._check):
            button.setAutoDefault(True)
        make_primary(self._go)
        self.bar.add(self._stop, self._go, self._check)
        self._stack.addWidget(self.new)
        self._stack.addWidget(self.view)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        below = QVBoxLayout()
        below.setContentsMargins(GRID, 0, GRID, GRID)
        below.addWidget(self.notice)
        below.setSpacing(GRID)
        below.addWidget(self.bar)
        right.addLayout(below)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(2 * GRID)
        across.addWidget(self.datasets)
        across.addLayout(right, 1)
