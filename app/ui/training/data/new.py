"""The form of a new dataset: which talks, which folder besides, what it is called and in which language.

Knows nothing about commands: it tells what is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.paths import Paths
from app.store.recordings import Recording
from app.ui.shell import wording
from app.ui.shell.theme import GRID
from app.ui.training.data.sources import Sources
from app.ui.training.models import ModelChoice, ModelChooser
from app.ui.training.parts import FORM_WIDTH
from app.ui.training.run.config import NAME, free_name
from app.ui.widgets.controls import Chooser, IconButton
from app.ui.widgets.panel import Column, Panel, heading, quiet

LANGUAGES = ("en", "ja", "fr", "de", "es", "it", "pt", "nl", "zh", "ko")
FIELD_WIDTH = 264
STEM = "my-talks"


@dataclass(frozen=True, slots=True)
class Wish:
    """A dataset that is to be made. `language` is '' where the sources shall tell."""

    name: str
    language: str
    model: str
    sources: tuple[Path, ...]
    seconds: float
    """The length of the talks among them; that of folders is not known yet."""

    @property
    def complaint(self) -> str:
        """Return which part is missing: 'name', 'sources' or ''."""
        if not self.sources:
            return "sources"
        return "" if NAME.fullmatch(self.name) else "name"


class NewDataset(QWidget):
    """Talks, folders, name, language, and the model whose tokens the words become."""

    changed = Signal()

    def __init__(self, paths: Paths, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._choice = choice
        self._folders: list[Path] = []
        self.sources = Sources()
        self._folder_rows = QVBoxLayout()
        self._import = QPushButton(self.tr("Import a folder…"))
        self._name = QLineEdit()
        self._language = Chooser("talk", self.tr("Language"), self.tr("What is spoken"))
        self._model = ModelChooser(
            choice, self.tr("For the model"), self.tr("The model that will learn from it")
        )
        self._fill()
        self._lay_out()
        self._connect()

    @property
    def wish(self) -> Wish:
        """Return what is chosen."""
        marked = self.sources.marked
        return Wish(
            name=self._name.text().strip(),
            language=self._language.currentData() or "",
            model=self._choice.spec,
            sources=(*(recording.folder for recording in marked), *self._folders),
            seconds=sum(recording.seconds for recording in marked),
        )

    def show_recordings(self, recordings: list[Recording]) -> None:
        """Offer these talks."""
        self.sources.show_recordings(recordings)

    def begin_anew(self) -> None:
        """Suggest a name that is free, and see which models are there."""
        taken = [folder.name for folder in self._paths.datasets.glob("*")]
        if not self._name.text().strip() or self._name.text().strip() in taken:
            self._name.setText(free_name(STEM, taken) if STEM in taken else STEM)
        self._model.show_choice()
        self.changed.emit()

    def choose_model(self, spec: str) -> None:
        """Choose a model by its name."""
        self._choice.choose(spec)

    def add_folder(self, folder: Path) -> None:
        """Take a folder of stereo files, or of another finetuner's data, as well."""
        if folder not in self._folders:
            self._folders.append(folder)
            self._show_folders()

    def clear_folders(self) -> None:
        """Take no folder any more."""
        self._folders.clear()
        self._show_folders()

    def _suggest_model(self) -> None:
        """Suggest the model that the newest of the marked talks was held with."""
        self._choice.set_talks(next((recording.model for recording in self.sources.marked), ""))
        self.changed.emit()

    def _drop(self, folder: Path) -> None:
        self._folders.remove(folder)
        self._show_folders()
        self._import.setFocus()

    def _show_folders(self) -> None:
        while (item := self._folder_rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for folder in self._folders:
            row = QWidget()
            across = QHBoxLayout(row)
            across.setContentsMargins(0, 0, 0, 0)
            across.addWidget(quiet(str(folder).replace("/", "/\u200b")), 1)
            drop = IconButton("close")
            drop.setToolTip(self.tr("Do not take this folder"))
            drop.setAccessibleName(self.tr("Do not take {0}").format(folder))
            drop.clicked.connect(lambda _=False, folder=folder: self._drop(folder))
            across.addWidget(drop)
            self._folder_rows.addWidget(row)
        self.changed.emit()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder of dialogues"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.add_folder(Path(name)))
        dialog.open()

    def _fill(self) -> None:
        self._language.addItem(self.tr("As the talks are"), "")
        for code in LANGUAGES:
            self._language.addItem(wording.language_words(code), code)
        self._language.fix_width(FIELD_WIDTH)
        self._name.setFixedWidth(FIELD_WIDTH)
        self._name.setAccessibleName(self.tr("Name of the dataset"))
        self._name.setToolTip(self.tr("Letters, digits, spaces, dots and dashes"))
        self._import.setToolTip(self.tr("Stereo wavs, or data of Kyutai's or nu-dialogue's finetuner"))
        self.begin_anew()

    def _connect(self) -> None:
        self.sources.changed.connect(self._suggest_model)
        self._import.clicked.connect(self._choose_folder)
        self._name.textEdited.connect(self.changed)
        self._language.activated.connect(self.changed)
        self._choice.changed.connect(self.changed)

    def _lay_out(self) -> None:
        column = Column(FORM_WIDTH, margin=GRID)
        items = column.items
        items.addWidget(heading(self.tr("What shall the model learn from?")))
        talks = Panel(down=GRID)
        talks.add(self.sources)
        explanation = self.tr(
            "Stereo sound files, the left channel the model's voice; or the data of another finetuner."
        )
        talks.add_row(self.tr("Other dialogues"), explanation, self._import)
        talks.add(self._folder_rows)
        items.addWidget(talks)
        items.addSpacing(GRID)
        names = Panel()
        names.add_row(self.tr("Name"), "", self._name)
        names.add_row(self.tr("Language"), "", self._language)
        names.add_row(self.tr("For the model"), self.tr("Words become tokens of this model."), self._model)
        items.addWidget(names)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column)
