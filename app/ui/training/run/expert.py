"""The settings of a run for those who know them, folded away until they are asked for.

Knows nothing about what the settings do to a run; that is told in `training.config`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.shell.theme import GRID
from app.ui.training.run.config import Choices
from app.ui.widgets.controls import CONTROL_HEIGHT, Chooser
from app.ui.widgets.number import NoWheel, Number
from app.ui.widgets.panel import Panel, Switch

BITS = (16, 8, 4)
RATES = ("lr_temporal", "lr_depth")


class _Row(NamedTuple):
    name: str
    title: str
    explanation: str
    low: float
    high: float
    suffix: str = ""


class Expert(QWidget):
    """A button, and below it the settings."""

    changed = Signal(object)
    """The new Choices, after each change that the user makes."""

    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._numbers: dict[str, Number] = {}
        self._fold = QPushButton()
        self._fold.setFlat(True)
        self._fold.setCheckable(True)
        self._fold.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._fold.setToolTip(self.tr("What learns, steps, learning rates, memory"))
        self._fold.toggled.connect(self._unfold)
        self._panel = Panel()
        self._panel.setAccessibleName(self.tr("Expert settings"))
        self._add_rows()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GRID)
        rows.addWidget(self._fold)
        rows.addWidget(self._panel)
        no_wheel = NoWheel(self)
        for box in self.findChildren(QWidget):
            if isinstance(box, (QAbstractSpinBox, QComboBox)):
                box.setMinimumHeight(CONTROL_HEIGHT)
                box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                box.installEventFilter(no_wheel)
        self._unfold(False)
        self.set_choices(choices)

    def set_choices(self, choices: Choices) -> None:
        """Show settings without telling them, and let their numbers be the defaults."""
        self._choices = choices
        for name, number in self._numbers.items():
            number.set_default(getattr(choices, name))
        with QSignalBlocker(self._both):
            self._both.setChecked(choices.both_streams)
        # A Chooser tells only what the user chooses.
        self._bits.setCurrentIndex(BITS.index(choices.base_bits))
        self._method.setCurrentIndex(self._method.findData(choices.method))
        self._fit_to_method()

    def show_rates(self, choices: Choices, defaults: tuple[float, float]) -> None:
        """Show learning rates, and let others be their defaults, without telling them."""
        self._choices = replace(self._choices, lr_temporal=choices.lr_temporal, lr_depth=choices.lr_depth)
        for name, default in zip(RATES, defaults, strict=True):
            number, rate = self._numbers[name], getattr(choices, name)
            number.move_default(default)
            # Not while it is being typed.
            if number.value() != rate:
                number.set_value(rate)

    def unfold(self) -> None:
        """Show the settings."""
        self._fold.setChecked(True)

    def _unfold(self, open_now: bool) -> None:
        self._panel.setVisible(open_now)
        self._fold.setText(self.tr("Expert settings  ▾") if open_now else self.tr("Expert settings  ▸"))

    def _fit_to_method(self) -> None:
        """Let be chosen what has a meaning: without an adapter there is no rank and no frozen base."""
        adapter = self._choices.method == "lora"
        self._numbers["rank"].setEnabled(adapter)
        self._bits.setEnabled(adapter)

    def _change(self, **values: Any) -> None:
        self._choices = replace(self._choices, **values)
        self._fit_to_method()
        self.changed.emit(self._choices)

    def _add_rows(self) -> None:
        self._add_method()
        default = Choices()
        for row in self._rows():
            start = getattr(default, row.name)
            number = Number(row.title, row.explanation, row.low, row.high, default=start, suffix=row.suffix)
            number.changed.connect(lambda value, name=row.name: self._change(**{name: value}))
            self._numbers[row.name] = number
            self._panel.add_row(row.title, row.explanation, number)
        title = self.tr("Learn both voices")
        explanation = self.tr(
            "The model also learns to foresee what you say, as nu-dialogue's finetuner does."
        )
        self._both = Switch(title)
        self._both.setToolTip(explanation)
        self._both.toggled.connect(lambda on: self._change(both_streams=on))
        self._panel.add_row(title, explanation, self._both)
        title = self.tr("Precision of the base")
        explanation = self.tr("Fewer bits need less memory and are a little slower.")
        self._bits = Chooser("models", title, explanation)
        self._bits.fix_width(17 * GRID)
        for bits in BITS:
            self._bits.addItem(self.tr("{0} bits").format(bits), bits)
        self._bits.activated.connect(lambda _: self._change(base_bits=self._bits.currentData()))
        self._panel.add_row(title, explanation, self._bits)

    def _add_method(self) -> None:
        title = self.tr("What learns")
        explanation = self.tr("An adapter fits on one card; the whole model needs several of 80 GB.")
        self._method = Chooser("models", title, explanation)
        self._method.fix_width(24 * GRID)
        for method, name in (
            ("lora", self.tr("An adapter (LoRA)")),
            ("full", self.tr("The whole model")),
            ("temporal", self.tr("Words and turns")),
            ("depth", self.tr("Sound")),
            ("text_embedding", self.tr("Text embedding")),
        ):
            self._method.addItem(name, method)
        self._method.activated.connect(lambda _: self._change(method=self._method.currentData()))
        self._panel.add_row(title, explanation, self._method)

    def _rows(self) -> tuple[_Row, ...]:
        micro = " ×10⁻⁶"
        return (
            _Row(
                "steps", self.tr("Steps"), self.tr("How often the model is changed a little."), 1, 1_000_000
            ),
            _Row(
                "rank",
                self.tr("Rank of the LoRA"),
                self.tr("More can learn more, and needs more memory."),
                1,
                1_024,
            ),
            _Row(
                "lr_temporal",
                self.tr("Learning rate, words and turns"),
                self.tr("Of the temporal transformer. It follows the model; a 7B collapses above 10 ×10⁻⁶."),
                0.0,
                10_000.0,
                micro,
            ),
            _Row(
                "lr_depth",
                self.tr("Learning rate, sound"),
                self.tr("Of the depth transformer, which makes the voice."),
                0.0,
                10_000.0,
                micro,
            ),
            _Row(
                "seconds",
                self.tr("Length of an example"),
                self.tr("Longer dialogues are cut."),
                1,
                3_600,
                self.tr(" s"),
            ),
            _Row(
                "accumulation",
                self.tr("Examples in a step"),
                self.tr("Gathered one after another."),
                1,
                4_096,
            ),
            _Row(
                "held_out_percent",
                self.tr("Kept aside"),
                self.tr("The share of the dialogues that the model never learns from, to judge it by."),
                0,
                90,
                self.tr(" %"),
            ),
            _Row(
                "patience",
                self.tr("Patience"),
                self.tr("Evaluations without a better loss after which it stops early; 0 is never."),
                0,
                1_000,
            ),
        )
