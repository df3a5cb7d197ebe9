"""The Models page: what each model is for, what it costs, and the one thing to do with it next.

Knows nothing about how a model is loaded: it asks with signals, and learns the rest from events. What is
on this computer is asked of `aizuchi models list`, a process of its own, so that the window needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from app.catalog import KnownModel, find
from app.engine.events import PROCESSOR, Event, Failed, Loading, Ready, Unloaded
from app.memory_plan import CUDA_BYTES
from app.paths import Paths
from app.settings import Settings
from app.ui.models.gpu_memory import CardMemory, roomiest_card
from app.ui.models.model_card import ModelCard, ModeRow
from app.ui.models.model_download import Fetching
from app.ui.models.model_list import OwnModelFacts, Shelf, families, family_name, read_downloaded, read_own
from app.ui.models.own_card import OwnCard
from app.ui.shell import theme
from app.ui.shell.background_worker import Aside
from app.ui.shell.translation import told
from app.ui.shell.verb_process import Errand
from app.ui.widgets.panel import Column, Panel, heading, quiet

INDENT = 4 * theme.GRID
"""How far a finetune stands to the right of its parent."""


class ModelsPage(QWidget):
    """One card for each known model, below it those of the user's own, and one for any folder."""

    load_model = Signal(str)
    """The spec of the model that the user wants in memory."""
    unload_model = Signal()
    downloading = Signal(object)
    """Which share of what is being downloaded is there, 0..1; None when nothing is."""
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._wanted = settings.model
        self._loaded = ""
        self._errands: set[Errand] = set()
        self._fetching: dict[str, Fetching] = {}
        self._shares: dict[str, float] = {}
        """Which share of each download is there."""
        self._rows: dict[str, ModeRow] = {}
        self._own_rows: dict[str, OwnCard] = {}
        self._places: dict[str, QVBoxLayout] = {}
        """Where the finetunes of a known model stand; '' is for those of any other."""
        self._shelf = Shelf(loadout=settings.loadout())
        self._taken_bytes = 0
        """What this program takes of the graphics card, and would give back for another model."""
        self._aside = Aside(self)
        self._column = Column()
        self._own = OwnModel()
        self._lay_out()

    def on_event(self, event: Event) -> None:
        """Follow what the session does with its model."""
        if isinstance(event, Loading):
            self._show_loading(event)
        elif isinstance(event, Ready):
            self._taken_bytes = 0 if event.device == PROCESSOR else event.memory_bytes
            self._show_loaded(event.model)
        elif isinstance(event, Unloaded):
            # CUDA keeps its own part until the program ends.
            self._taken_bytes = min(self._taken_bytes, CUDA_BYTES)
            self._show_loaded("")
        elif isinstance(event, Failed):
            self._show_loaded(self._loaded)

    def set_settings(self, settings: Settings) -> None:
        """Weigh the models by how they are to be loaded from now on."""
        self.show_shelf(replace(self._shelf, loadout=settings.loadout()))

    def keep_loaded(self) -> None:
        """Take note that the model that was asked for is not loaded after all."""
        self._wanted = ""

    def show_shelf(self, shelf: Shelf) -> None:
        """Show which models are here, weighed against this computer's card."""
        if shelf.own != self._shelf.own:
            self._show_own(shelf.own)
        self._shelf = shelf
        for row in self._rows.values():
            row.set_shelf(shelf)

    def refresh(self) -> None:
        """Ask anew which models are on this computer, and how large its graphics card is."""
        self._run(["models", "list", "--json"], self._listed)
        self._aside.ask(roomiest_card, self._weighed)

    def shut(self) -> None:
        """End what is under way."""
        for errand in self._errands:
            errand.cancel()
        self._errands.clear()
        for fetching in self._fetching.values():
            fetching.cancel()
        self._fetching.clear()
        self._shares.clear()
        self._tell_downloading()
        self._aside.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Look what is there whenever the page is opened."""
        super().showEvent(event)
        if not self._errands:
            self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Say no more what was seen: how a check or a download ended."""
        super().hideEvent(event)
        for row in self._rows.values():
            row.end_note()

    def _run(self, arguments: list[str], then: Callable[[int, str, str], None]) -> None:
        errand = Errand(arguments, self._paths, self)
        self._errands.add(errand)

        def finish(status: int, out: str, complaint: str) -> None:
            self._errands.discard(errand)
            errand.deleteLater()
            then(status, out, complaint)

        errand.done.connect(finish)

    def _listed(self, status: int, out: str, complaint: str) -> None:
        try:
            there, own = read_downloaded(out), read_own(out)
        except ValueError:
            advice = complaint.strip() or self.tr("`aizuchi models list` in a terminal tells more.")
            self.trouble.emit(self.tr("The models on this computer could not be listed."), advice)
            return
        self.show_shelf(replace(self._shelf, there=there, own=own))

    def _weighed(self, card: CardMemory | None) -> None:
        there, free = (card.total_bytes, card.free_bytes + self._taken_bytes) if card else (0, 0)
        self.show_shelf(replace(self._shelf, card_bytes=there, free_bytes=min(there, free)))

    def _load(self, spec: str) -> None:
        self._wanted = spec
        self.load_model.emit(spec)

    def _verify(self, name: str) -> None:
        row = self._rows[name]
        row.wait(True)
        row.say(self.tr("Reading its files…"))

        def verified(status: int, out: str, complaint: str) -> None:
            row.wait(False)
            row.say(self.tr("All of its files are whole.") if status == 0 else (complaint or out).strip())

        self._run(["models", "verify", name], verified)

    def _fetch(self, name: str) -> None:
        """Begin a download, after its licence was accepted if it forbids something; or hold it."""
        if name in self._fetching:
            self._fetching[name].hold()
            return
        known = find(name)
        if known is not None and known.research_only:
            self._ask_licence(known)
        else:
            self._begin_fetching(name)

    def _ask_licence(self, known: KnownModel) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(self.tr("{0} is licensed {1}.").format(known.name, known.licence))
        box.setInformativeText(
            self.tr(
                "It may be used for research and privately, not commercially, and its makers have to be "
                "named. The whole licence is at https://huggingface.co/{0}."
            ).format(known.repo)
        )
        accept = box.addButton(self.tr("Accept and download"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole))
        accept.clicked.connect(partial(self._begin_fetching, known.name))
        box.open()

    def _begin_fetching(self, name: str) -> None:
        row = self._rows[name]
        fetching = self._fetching[name] = Fetching(name, self._paths, self)

        def follow(share: float, line: str) -> None:
            row.show_fetching(share, line)
            self._shares[name] = share
            self._tell_downloading()

        def end(whole: bool, why: str) -> None:
            del self._fetching[name]
            del self._shares[name]
            self._tell_downloading()
            row.show_held(why)
            if whole:
                self.refresh()

        follow(0.0, self.tr("Asking the hub…"))
        fetching.progress.connect(follow)
        fetching.done.connect(end)

    def _tell_downloading(self) -> None:
        self.downloading.emit(min(self._shares.values()) if self._shares else None)

    def _show_loading(self, event: Loading) -> None:
        row = self._row(self._wanted)
        if row is not None:
            row.show_loading(event)
        elif self._wanted:
            self._own.show_model(self._wanted, loaded=False, note=told(event.stage))

    def _show_loaded(self, spec: str) -> None:
        self._loaded = spec
        self._wanted = ""
        known = self._row(spec)
        rows: list[ModeRow | OwnCard] = [*self._rows.values(), *self._own_rows.values()]
        for row in rows:
            row.set_loaded(row is known)
        self._own.show_model("" if known is not None else spec, loaded=known is None and bool(spec))

    def _row(self, spec: str) -> ModeRow | OwnCard | None:
        if spec in self._own_rows:
            return self._own_rows[spec]
        known = find(spec)
        return self._rows.get(known.name) if known is not None else None

    def _show_own(self, own: tuple[OwnModelFacts, ...]) -> None:
        """Put each of the user's own models under the one that it came from."""
        for card in self._own_rows.values():
            card.hide()
            card.deleteLater()
        self._own_rows = {}
        for facts in own:
            card = OwnCard(facts)
            card.load_pressed.connect(partial(self._load, facts.name))
            card.unload_pressed.connect(self.unload_model)
            self._own_rows[facts.name] = card
            parent = find(facts.parent)
            place = family_name(parent) if parent is not None else ""
            self._places[place].addWidget(card)
        if self._loaded:
            self._show_loaded(self._loaded)

    def _add_place(self, name: str, indent: int) -> None:
        place = QVBoxLayout()
        place.setContentsMargins(indent, 0, 0, 0)
        place.setSpacing(theme.GRID)
        self._places[name] = place
        self._column.items.addLayout(place)

    def _lay_out(self) -> None:
        items = self._column.items
        items.addWidget(heading(self.tr("Models")))
        items.addWidget(quiet(self.tr("Everything runs on this computer; nothing you say leaves it.")))
        items.addSpacing(theme.GRID)
        for family in families():
            card = ModelCard(family)
            card.load_pressed.connect(self._load)
            card.unload_pressed.connect(self.unload_model)
            card.verify_pressed.connect(self._verify)
            card.fetch_pressed.connect(self._fetch)
            self._rows.update(card.modes)
            items.addWidget(card)
            self._add_place(family_name(family[0]), INDENT)
        items.addSpacing(2 * theme.GRID)
        items.addWidget(heading(self.tr("Your own")))
        self._own.load_pressed.connect(self._load)
        self._own.unload_pressed.connect(self.unload_model)
        self._add_place("", 0)
        items.addWidget(self._own)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._column)


class OwnModel(Panel):
    """A model in a folder of the user's: choose one, and see which one is in memory."""

    load_pressed = Signal(str)
    unload_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        open_button = QPushButton(self.tr("Open a folder…"))
        open_button.setToolTip(self.tr("Load a finetuned model from a folder"))
        open_button.clicked.connect(self._choose)
        explanation = self.tr("A whole checkpoint, or a LoRA beside its config.json; safetensors only.")
        self.add_row(self.tr("A finetune in a folder"), explanation, open_button)
        self._name = quiet("")
        self._unload = QPushButton(self.tr("Unload"))
        self._unload.setToolTip(self.tr("Give the memory back"))
        self._unload.clicked.connect(self.unload_pressed)
        self._row = QWidget()
        across = QHBoxLayout(self._row)
        across.setContentsMargins(0, theme.GRID, 0, theme.GRID)
        across.addWidget(self._name, 1)
        across.addWidget(self._unload)
        self.add(self._row)
        self._row.hide()

    def show_model(self, spec: str, *, loaded: bool, note: str = "") -> None:
        """Show which folder is in memory or on the way there; '' for none."""
        self._row.setVisible(bool(spec))
        self._unload.setVisible(loaded)
        self._name.setText("\n".join(part for part in (spec.replace("/", "/\u200b"), note) if part))

    def open_folder(self, folder: Path) -> None:
        """Ask for the model in a folder."""
        self.load_pressed.emit(str(folder))

    def _choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose the folder of a model"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.open_folder(Path(name)))
        dialog.open()
