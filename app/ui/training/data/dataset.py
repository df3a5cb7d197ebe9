"""A dataset that is there: what it holds, what it lacks, what was found, and what can be done about it.

Knows nothing about commands: it tells what is wanted.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.store.datasets import Dataset
from app.ui.shell import theme, wording
from app.ui.shell.theme import GRID
from app.ui.training.data.facts import Facts, is_prepared_outdated, prepared_for
from app.ui.training.models import ModelChoice, ModelChooser
from app.ui.training.parts import FORM_WIDTH
from app.ui.widgets.panel import Column, Panel, heading, quiet

SHOWN_FINDINGS = 40


class DatasetView(QWidget):
    """The page of one dataset."""

    transcribe_wanted = Signal()

    def __init__(self, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._title = heading("")
        self._title.setFont(theme.scaled(self._title.font(), 1.15))
        self._summary = quiet("")
        self._words = quiet("")
        self._prepared = quiet("")
        self._model = ModelChooser(
            choice, self.tr("For the model"), self.tr("The model that will learn from it")
        )
        self._transcribe = QPushButton(self.tr("Transcribe…"))
        self._transcribe.setToolTip(
            self.tr("Find the words that are lacking, with a faster-whisper model from a folder")
        )
        self._transcribe.clicked.connect(self.transcribe_wanted)
        self._findings = QVBoxLayout()
        self._findings_title = heading(self.tr("What was found"))
        self._lay_out()

    @property
    def text(self) -> str:
        """Return all that is said."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden())

    def show_dataset(self, dataset: Dataset) -> None:
        """Show another dataset, whose facts are not known yet."""
        self._dataset = dataset
        self._title.setText(dataset.name)
        self._summary.setText(wording.language_words(dataset.language))
        self._words.setText(self.tr("Reading…"))
        self._transcribe.hide()
        self._show_findings(())
        made_for = prepared_for(dataset)
        text = self.tr("Not prepared yet.")
        if made_for:
            text = self.tr("Prepared for {0}.").format(wording.model_words(made_for))
            if is_prepared_outdated(dataset):
                text = self.tr("Prepared for {0}; words or sound have changed since.").format(
                    wording.model_words(made_for)
                )
        self._prepared.setText(text)

    def show_facts(self, facts: Facts) -> None:
        """Show what it holds."""
        if self._dataset is None:
            return
        count = self.tr("1 dialogue") if facts.dialogues == 1 else self.tr("{0} dialogues")
        parts = (
            wording.language_words(self._dataset.language),
            count.format(facts.dialogues),
            wording.length_words(facts.seconds),
        )
        self._summary.setText(" · ".join(part for part in parts if part))
        self._words.setText(self._describe_words(facts))
        self._transcribe.setVisible(facts.lacking_a + facts.lacking_b > 0)
        self._show_findings(facts.findings)

    def _describe_words(self, facts: Facts) -> str:
        if not facts.lacking_a and not facts.lacking_b:
            return self.tr("Both voices have words in every dialogue.")
        if not facts.lacking_a:
            text = self.tr("You have no words in {0} of {1} dialogues. That does no harm: it learns its own.")
            return text.format(facts.lacking_b, facts.dialogues)
        text = self.tr("The model's voice has no words in {0} of {1} dialogues, yours in {2}.")
        return text.format(facts.lacking_a, facts.dialogues, facts.lacking_b)

    def _show_findings(self, findings: tuple[str, ...]) -> None:
        while (item := self._findings.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for sentence in findings[:SHOWN_FINDINGS]:
            label = quiet(sentence)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._findings.addWidget(label)
        if len(findings) > SHOWN_FINDINGS:
            more = self.tr("… and {0} more in import.jsonl").format(len(findings) - SHOWN_FINDINGS)
            self._findings.addWidget(quiet(more))
        for widget in (self._findings_title, self._found):
            widget.setVisible(bool(findings))

    def _lay_out(self) -> None:
        column = Column(FORM_WIDTH, margin=GRID)
        items = column.items
        items.addWidget(self._title)
        items.addWidget(self._summary)
        items.addSpacing(GRID)
        panel = Panel()
        panel.add_row(self.tr("Words"), self._words, self._transcribe)
        panel.add_row(self.tr("For the model"), self._prepared, self._model)
        items.addWidget(panel)
        items.addSpacing(GRID)
        items.addWidget(self._findings_title)
        self._found = Panel()
        self._findings.setSpacing(GRID // 2)
        self._findings.setContentsMargins(0, GRID, 0, GRID)
        self._found.add(self._findings)
        items.addWidget(self._found)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)
        self._show_findings(())
