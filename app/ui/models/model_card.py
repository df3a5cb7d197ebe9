"""The card of one model: what it is for, what its licence allows, a row for each way to keep it in memory.

Knows nothing about files or sessions: it is told the state and tells which button was pressed.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.catalog import KnownModel
from app.engine.events import KVS, Loading
from app.frames import seconds
from app.memory_plan import Fit, MemoryPlan
from app.ui.models.model_list import Shelf, family_name
from app.ui.shell import theme, wording
from app.ui.shell.translation import told
from app.ui.widgets.memory_bar import MemoryBar
from app.ui.widgets.panel import Panel, heading, quiet

MODE_WIDTH = 120
BUTTON_WIDTH = 96
ACTIONS_WIDTH = 200
GB = 1e9


class ModelCard(Panel):
    """One model, in each of its modes."""

    load_pressed = Signal(str)
    unload_pressed = Signal()
    verify_pressed = Signal(str)
    fetch_pressed = Signal(str)

    def __init__(self, family: list[KnownModel]) -> None:
        super().__init__(down=2 * theme.GRID)
        first = family[0]
        self.setAccessibleName(wording.model_words(family_name(first)))
        title = heading(wording.model_words(family_name(first)))
        title.setFont(theme.scaled(title.font(), 1.15))
        self.add(title)
        self.add(
            quiet(" · ".join((wording.language_words(first.language), self._voice(first), first.licence)))
        )
        self.add_space(theme.GRID)
        self.add(_wrapped(told(first.summary)))
        self.add(quiet(self._limits(first)))
        self.modes: dict[str, ModeRow] = {}
        for model in family:
            self.add_space(2 * theme.GRID)
            row = ModeRow(model)
            row.load_pressed.connect(partial(self.load_pressed.emit, model.name))
            row.unload_pressed.connect(self.unload_pressed)
            row.verify_pressed.connect(partial(self.verify_pressed.emit, model.name))
            row.fetch_pressed.connect(partial(self.fetch_pressed.emit, model.name))
            self.add(row)
            self.modes[model.name] = row

    def _voice(self, model: KnownModel) -> str:
        words = {"male": self.tr("male voice"), "female": self.tr("female voice")}
        return words.get(model.voice, self.tr("various voices"))

    def _limits(self, model: KnownModel) -> str:
        if model.research_only:
            return self.tr("For research and private use only: the licence forbids any commercial use.")
        if model.gated:
            return self.tr(
                "Free for any use, also commercial, once you have accepted its licence on the hub: that "
                "takes a free account, of which a token goes into Settings."
            )
        if model.licence.startswith("CC-BY"):
            return self.tr("Free for any use, also commercial, if its makers are named.")
        return self.tr("Free for any use, also commercial.")


class ModeRow(QWidget):
    """One way to keep a model in memory: what it takes, and the one thing to do next."""

    load_pressed = Signal()
    unload_pressed = Signal()
    verify_pressed = Signal()
    fetch_pressed = Signal()
    """The download shall begin, or be held if it is under way."""

    def __init__(self, model: KnownModel) -> None:
        super().__init__()
        self._model = model
        self._loaded = False
        self._bar = MemoryBar()
        self._memory = quiet("")
        self._note = quiet("")
        self._note.hide()
        self._button = self._main_button()
        self._verify = self._verify_button()
        self._fetch = self._fetch_button()
        self._share = QProgressBar(maximum=1000, textVisible=False)
        self._share.setFixedHeight(theme.GRID)
        self._share.hide()
        self._fetching = False
        self._lay_out()

    def set_shelf(self, shelf: Shelf) -> None:
        """Show whether the model is here and fits this computer's card."""
        there = self._model.bundled or self._model.name in shelf.there
        plan = self._model.plan(shelf.free_bytes, shelf.loadout)
        self._bar.setVisible(not self._model.bundled)
        self._bar.set_memory(plan.needed_bytes, shelf.free_bytes)
        self._memory.setText(self._describe(plan, shelf))
        self._button.setVisible(there)
        self._verify.setVisible(there)
        self._fetch.setVisible(not there)
        self._share.setVisible(self._fetching)

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

    def show_fetching(self, share: float, text: str) -> None:
        """Show how much of a download is there."""
        self._fetching = True
        self._fetch.setText(self.tr("Pause"))
        self._share.setValue(round(1000 * share))
        self._share.show()
        self.say(text)

    def show_held(self, text: str) -> None:
        """Show that a download is not under way any more, and why."""
        self._fetching = False
        self._fetch.setText(self.tr("Go on"))
        self._share.hide()
        self.say(text)

    def say(self, text: str) -> None:
        """Show a sentence below the row."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def end_note(self) -> None:
        """Show no sentence any more, unless it is about what is under way."""
        if self._button.isEnabled() and self._verify.isEnabled() and not self._fetching:
            self.say("")

    def wait(self, waiting: bool) -> None:
        """Hold the verify button while it is at work."""
        self._verify.setEnabled(not waiting)

    def _describe(self, plan: MemoryPlan, shelf: Shelf) -> str:
        whole, need = wording.size_words(self._model.memory_gb() * GB), wording.size_words(plan.needed_bytes)
        if self._model.bundled:
            return self.tr("Runs on the processor")
        if not shelf.card_bytes:
            return self.tr("Needs {0} of graphics memory").format(whole)
        free, there = wording.size_words(shelf.free_bytes), wording.size_words(shelf.card_bytes)
        if plan.fits:
            text = self.tr("{0} of {1} free graphics memory").format(need, free)
            return self.tr(", ").join((text, *self._ways(plan.fit, whole)))
        if plan.context is not None:
            short = wording.size_words(self._model.sizes.needed_bytes(plan.fit, plan.context))
            advice = self.tr("Needs {0} of {1} free graphics memory; {2} with a context of {3} s")
            return advice.format(need, free, short, round(seconds(plan.context)))
        return self.tr("Needs at least {0}; {1} of {2} graphics memory are free").format(need, free, there)

    def _ways(self, fit: Fit, whole: str) -> list[str]:
        """Return what is done to a model so that it fits."""
        bits = {"int8": 8, "int4": 4}.get(fit.mode)
        packed = self.tr("kept in {0} bits ({1} as it is)").format(bits, whole)
        ways = [packed] if bits else []
        if fit.kv != KVS[0]:
            ways.append(self.tr("what it remembers in 8"))
        if fit.mimi_apart:
            ways.append(self.tr("Mimi on the processor"))
        return ways

    def _press(self) -> None:
        if self._loaded:
            self.unload_pressed.emit()
        else:
            self.load_pressed.emit()

    def _main_button(self) -> QPushButton:
        button = QPushButton()
        button.setMinimumWidth(BUTTON_WIDTH)
        button.clicked.connect(self._press)
        return button

    def _verify_button(self) -> QPushButton:
        button = QPushButton(self.tr("Verify"))
        button.setFlat(True)
        button.setToolTip(self.tr("Read all of its files and check that they are whole"))
        button.clicked.connect(self.verify_pressed)
        return button

    def _fetch_button(self) -> QPushButton:
        button = QPushButton(self.tr("Download"))
        size = wording.size_words(self._model.size_gb * GB)
        button.setToolTip(self.tr("Fetch {0} from the Hugging Face hub").format(size))
        button.setAccessibleName(self.tr("Download: {0}").format(self._model.name))
        button.clicked.connect(self.fetch_pressed)
        return button

    def _lay_out(self) -> None:
        mode = QVBoxLayout()
        mode.setSpacing(2)
        mode.addWidget(QLabel(self.tr("8 bit") if self._model.quantized else self.tr("Full precision")))
        disk = quiet(self.tr("{0} on disk").format(wording.size_words(self._model.size_gb * GB)))
        disk.setMinimumWidth(MODE_WIDTH)
        mode.addWidget(disk)
        mode.addStretch(1)
        for button, words in ((self._button, self.tr("Load or unload")), (self._verify, self.tr("Verify"))):
            button.setAccessibleName(f"{words}: {self._model.name}")
        middle = QVBoxLayout()
        middle.setSpacing(theme.GRID // 2)
        middle.addSpacing(theme.GRID // 2)
        middle.addWidget(self._bar)
        middle.addWidget(self._memory)
        middle.addWidget(self._share)
        middle.addWidget(self._note)
        middle.addStretch(1)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.GRID)
        across.addLayout(mode)
        across.addLayout(middle, 1)
        actions = QWidget()
        actions.setMinimumWidth(ACTIONS_WIDTH)
        buttons = QHBoxLayout(actions)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(theme.GRID)
        buttons.addStretch(1)
        for button in (self._verify, self._button, self._fetch):
            buttons.addWidget(button)
        across.addWidget(actions, 0, Qt.AlignmentFlag.AlignTop)
        self.set_loaded(False)
        self.set_shelf(Shelf())


def _wrapped(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label
