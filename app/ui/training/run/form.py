"""What a new run shall do: the goal in plain words, on what, from which model, and what that will need.

Knows nothing about processes beyond the one question that it asks: `aizuchi train --plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.files import parse_json
from app.paths import Paths
from app.store.datasets import Dataset
from app.ui.models.gpu_memory import CardMemory
from app.ui.shell import wording
from app.ui.shell.background_worker import Aside
from app.ui.shell.theme import GRID, make_primary
from app.ui.shell.verb_process import Errand
from app.ui.training.data.facts import is_prepared_outdated, prepared_for
from app.ui.training.models import ModelChoice, ModelChooser
from app.ui.training.parts import FORM_WIDTH, ActionBar, Cards
from app.ui.training.run.config import (
    NAME,
    Choices,
    default_rates,
    for_goal,
    free_name,
    with_default_rates,
    write_document,
)
from app.ui.training.run.expert import Expert
from app.ui.training.run.words import about_words
from app.ui.widgets.controls import Chooser
from app.ui.widgets.memory_bar import MemoryBar
from app.ui.widgets.panel import Column, Panel, heading

PAUSE_MS = 500
"""How long a change waits for the next before the need is worked out anew."""
FIELD_WIDTH = 264


class RunForm(QWidget):
    """The form; `train_wanted` tells the Choices of the user."""

    train_wanted = Signal(object)
    prepare_wanted = Signal(object, str)
    """A Dataset is to be prepared again, for this model."""

    def __init__(
        self,
        paths: Paths,
        choice: ModelChoice,
        look_at_card: Callable[[], CardMemory | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._paths = paths
        self._choice = choice
        self._look_at_card = look_at_card
        self._choices = for_goal(Choices(), "voice")
        self._card_bytes = 0
        self._errand: Errand | None = None
        self._aside = Aside(self)
        self._pause = QTimer(self, interval=PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._ask)
        self.goals = self._goal_cards()
        self.goals.chosen.connect(self._choose_goal)
        self._data = Chooser("recordings", self.tr("Dataset"), self.tr("What the model learns from"))
        self._base = ModelChooser(choice, self.tr("Base model"), self.tr("The model that learns"))
        self._name = QLineEdit()
        self._make_fields()
        self.expert = Expert(self._choices)
        self.expert.changed.connect(self._take)
        self._bar = ActionBar()
        self._memory = MemoryBar()
        self._train = QPushButton(self.tr("Train"))
        self._train.setToolTip(self.tr("Unload the model that is in memory, and begin to train"))
        self._train.setAutoDefault(True)
        self._train.setMinimumWidth(12 * GRID)
        make_primary(self._train)
        self._train.clicked.connect(lambda: self.train_wanted.emit(self.choices))
        self._prepare = QPushButton(self.tr("Prepare again"))
        self._prepare.setToolTip(
            self.tr("Turn the sound and the words into what this model reads, as they are now")
        )
        self._prepare.setAutoDefault(True)
        self._prepare.clicked.connect(self._ask_to_prepare)
        self._lay_out()
        self.show_datasets([], None)

    @property
    def choices(self) -> Choices:
        """Return what is chosen."""
        return self._choices

    @property
    def need(self) -> str:
        """Return what is said about what the run needs."""
        return self._bar.text

    def show_datasets(self, datasets: Sequence[Dataset], current: Dataset | None) -> None:
        """Offer the datasets that are prepared, the current one first in mind."""
        wanted = current.name if current is not None else (self._choices.data or ("",))[0]
        self._data.clear()
        for dataset in datasets:
            if dataset.prepared:
                self._data.addItem(dataset.name, dataset)
        found = self._data.findText(wanted)
        self._data.setCurrentIndex(max(0, found))
        self._data.setEnabled(self._data.count() > 0)
        self._base.show_choice()
        self._choose_data()

    def ask_again(self) -> None:
        """Work out the need anew, and see how large the graphics card is."""
        self._aside.ask(self._look_at_card, self._weigh)
        self._plan_soon()

    def hold(self, holding: bool, sentence: str = "") -> None:
        """Allow no other run while one begins."""
        self._train.setEnabled(not holding and self._is_whole())
        if sentence:
            self._bar.say(sentence)

    def shut(self) -> None:
        """End what is under way."""
        self._pause.stop()
        self._cancel()
        self._aside.close()

    def _choose_goal(self, goal: str) -> None:
        self._choices = for_goal(self._choices, goal)
        self.expert.set_choices(self._choices)
        self._plan_soon()

    def _choose_data(self) -> None:
        dataset = self._data.currentData()
        data = (dataset.name,) if dataset is not None else ()
        self._choices = replace(self._choices, data=data)
        if dataset is not None:
            taken = [folder.name for folder in self._paths.runs.glob("*")]
            self._name.setText(free_name(dataset.name, taken))
            if prepared_for(dataset):
                self._choice.choose(prepared_for(dataset))
        self._change()

    def _ask_to_prepare(self) -> None:
        self.prepare_wanted.emit(self._data.currentData(), self._choice.spec)

    def _take(self, choices: Choices) -> None:
        """Take over the expert settings; what the model learns from is chosen here."""
        kept = self._choices
        self._fit_rates(replace(choices, data=kept.data, model=kept.model, name=kept.name))

    def _change(self) -> None:
        """Take over what the fields say."""
        self._fit_rates(
            replace(self._choices, model=self._choice.spec, name=self._name.text().strip()),
        )

    def _fit_rates(self, choices: Choices) -> None:
        """Take over choices, and let the learning rates follow the model unless they were chosen."""
        self._choices = with_default_rates(self._choices, choices, self._paths.models)
        self.expert.show_rates(self._choices, default_rates(self._choices, self._paths.models))
        self._plan_soon()

    def _is_whole(self) -> bool:
        named = NAME.fullmatch(self._choices.name) and not self._is_taken()
        return bool(self._choices.data and named and not self._stale())

    def _stale(self) -> str:
        """Return why the dataset is to be prepared again, '' where it need not be."""
        dataset = self._data.currentData()
        made_for = prepared_for(dataset) if dataset is not None else ""
        if made_for and made_for != self._choice.spec:
            words = wording.model_words(made_for), wording.model_words(self._choice.spec)
            return self.tr("{0} is prepared for {1}, not for {2}.").format(dataset.name, *words)
        if dataset is not None and is_prepared_outdated(dataset):
            return self.tr("{0} has changed since it was prepared.").format(dataset.name)
        return ""

    def _is_taken(self) -> bool:
        return (self._paths.runs / self._choices.name).exists()

    def _plan_soon(self) -> None:
        self._cancel()
        self._memory.set_memory(0, 0)
        self._train.setEnabled(self._is_whole())
        stale = self._stale()
        self._prepare.setVisible(bool(stale))
        if not self._choices.data:
            self._bar.say(
                self.tr("There is no prepared dataset yet."), self.tr("The first step, Data, makes one.")
            )
        elif not NAME.fullmatch(self._choices.name):
            self._bar.say(self.tr("Give the run a name of letters and digits."), trouble=True)
        elif self._is_taken():
            sentence = self.tr("There is a run {0} already; choose another name.").format(self._choices.name)
            self._bar.say(sentence, trouble=True)
        elif stale:
            self._bar.say(stale, self.tr("Training reads what was prepared: prepare it again."), trouble=True)
        elif self.isVisible():
            self._bar.say(self.tr("Working out what it needs…"))
            self._pause.start()

    def _ask(self) -> None:
        config = self._paths.cache / "train" / "plan.toml"
        try:
            write_document(self._choices.document(), config)
        except OSError as fault:
            self._bar.say(str(fault), trouble=True)
            return
        self._errand = Errand(["train", "--plan", str(config), "--json"], self._paths, self)
        self._errand.done.connect(self._planned)

    def _planned(self, status: int, out: str, complaint: str) -> None:
        self._cancel()
        plan: Any = None
        with suppress(ValueError, IndexError):
            plan = parse_json(out.strip().splitlines()[-1])
        if status != 0 or not isinstance(plan, dict):
            sentence, _, advice = complaint.strip().rpartition("\n")
            self._bar.say(sentence.strip().splitlines()[-1] if sentence else advice, advice, trouble=True)
            return
        self._show_plan(plan)

    def _show_plan(self, plan: dict[str, Any]) -> None:
        needed = float(plan.get("memory_gb") or 0.0) * wording.GB
        size = wording.size_words(needed)
        fits = bool(plan.get("fits"))
        if self._card_bytes:
            text = self.tr("Needs about {0} of {1} graphics memory")
            title = text.format(size, wording.size_words(self._card_bytes))
        else:
            title = self.tr("Needs about {0} of memory; there is no graphics card, so it takes long").format(
                size
            )
        hours, aside = float(plan.get("hours") or 0.0), float(plan.get("held_out_hours") or 0.0)
        parts = [
            self._length(plan.get("minutes")),
            self.tr("learns from {0}").format(wording.length_words(3_600 * hours)),
            self.tr("{0} kept aside to judge it").format(wording.length_words(3_600 * aside))
            if aside
            else "",
            "" if fits else self.tr("Try 8 or 4 bits, or shorter examples, in the expert settings"),
        ]
        self._bar.say(title, " · ".join(part for part in parts if part), trouble=not fits)
        self._memory.set_memory(needed, self._card_bytes)

    def _length(self, minutes: object) -> str:
        if isinstance(minutes, (int, float)):
            return about_words(60 * float(minutes))
        return self.tr("{0} steps").format(f"{self._choices.steps:,}")

    def _weigh(self, card: CardMemory | None) -> None:
        self._card_bytes = card.total_bytes if card else 0

    def _cancel(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.cancel()
            errand.deleteLater()

    def _goal_cards(self) -> Cards:
        return Cards(
            self.tr("Goal"),
            (
                (
                    "voice",
                    self.tr("Voice"),
                    self.tr("How it sounds. From about ten minutes of one speaker."),
                ),
                (
                    "manner",
                    self.tr("Manner"),
                    self.tr("When it speaks: turns, nods, overlaps. Learns both voices; an hour or more."),
                ),
                (
                    "topic",
                    self.tr("Topic"),
                    self.tr("What it says. Needs hours of talk, and words that are right."),
                ),
            ),
        )

    def _make_fields(self) -> None:
        self._data.fix_width(FIELD_WIDTH)
        self._name.setFixedWidth(FIELD_WIDTH)
        self._name.setAccessibleName(self.tr("Name of the run"))
        self._name.setToolTip(self.tr("The run, and the model that is made of it, are called so"))
        self._name.textEdited.connect(self._change)
        self._data.activated.connect(self._choose_data)
        self._choice.changed.connect(self._change)

    def _lay_out(self) -> None:
        column = Column(FORM_WIDTH, margin=GRID)
        items = column.items
        items.addWidget(heading(self.tr("What shall it learn?")))
        items.addWidget(self.goals)
        panel = Panel()
        explanation = self.tr("Datasets that are prepared.")
        panel.add_row(self.tr("From"), explanation, self._data)
        panel.add_row(self.tr("Base model"), self.tr("It stays as it is; a copy learns."), self._base)
        panel.add_row(self.tr("Name"), "", self._name)
        items.addSpacing(GRID)
        items.addWidget(panel)
        items.addSpacing(GRID)
        items.addWidget(self.expert)
        self._prepare.hide()
        self._bar.add(self._prepare, self._train)
        self._bar.add_below(self._memory)
        below = QVBoxLayout()
        below.setContentsMargins(GRID, 0, GRID, GRID)
        below.addWidget(self._bar)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(column, 1)
        whole.addLayout(below)
