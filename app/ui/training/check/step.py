"""The Check step of training: what will be learnt from a dataset, as pictures, and its words to correct.

Asks `aizuchi data check` whenever the dataset changed since it was asked last. Knows nothing about what is
odd in a dataset, or about the other steps.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.errors import UserError
from app.files import parse_json
from app.paths import Paths
from app.store.datasets import open_dataset
from app.ui.shell.verb_process import Errand
from app.ui.training.check.data import Check, Finding, is_outdated, parse_check, read_check
from app.ui.training.check.sheet import CheckSheet
from app.ui.training.edit.page import WordEditor
from app.ui.widgets.empty_state import Action, Pane


class CheckStep(QWidget):
    """One dataset: a state in words, its sheet, or the words of one dialogue."""

    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""
    changed = Signal()
    """Words of the dataset were corrected."""
    prepare_wanted = Signal()

    def __init__(self, where: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._where = where
        self._folder: Path | None = None
        self._errand: Errand | None = None
        self._known = False
        self._pane = Pane()
        self.sheet = CheckSheet()
        self.editor = WordEditor()
        self._stack = QStackedWidget()
        for page in (self._pane, self.sheet, self.editor):
            self._stack.addWidget(page)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self._stack)
        self.sheet.mend_wanted.connect(self.open_words)
        self.sheet.refresh_wanted.connect(self.refresh)
        self.sheet.prepare_wanted.connect(self.prepare_wanted)
        self.editor.closed.connect(self._show_sheet)
        self.editor.saved.connect(self.changed)
        self.editor.prepare_wanted.connect(self._prepare)
        self.editor.trouble.connect(self.trouble)
        self._show_nothing()

    def show_dataset(self, folder: Path | None) -> None:
        """Show what will be learnt from the dataset in a folder, None for no dataset."""
        if folder is not None and folder == self._folder:
            self._look_if_seen()
            return
        self._drop_errand()
        self.editor.put_away()
        self._folder, self._known = folder, False
        if folder is None:
            self._show_nothing()
            return
        self._stack.setCurrentWidget(self._pane)
        self._read()
        self._look_if_seen()

    def refresh(self) -> None:
        """Look at the dataset anew, whether it changed or not."""
        if self._folder is None:
            return
        self._drop_errand()
        self._errand = Errand(["data", "check", str(self._folder), "--json"], self._where, self)
        self._errand.done.connect(self._checked)
        self.sheet.set_busy(True)
        if not self._known:
            self._show_looking()

    def open_words(self, dialogue: str, finding: Finding | None = None) -> None:
        """Show the words of one dialogue of the dataset beside its sound, at a finding."""
        if self._folder is None:
            return
        try:
            self.editor.open(open_dataset(self._folder), dialogue)
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
            return
        self._stack.setCurrentWidget(self.editor)
        if finding is not None and finding.at_s is not None:
            self.editor.go_to(finding.at_s, finding.speaker)
        self.editor.take_focus()

    def set_speaker(self, name: str) -> None:
        """Play through this device (a name as in app.audio.devices), '' for the default."""
        self.editor.set_speaker(name)

    def shut(self) -> None:
        """Save what is not saved, and end what is under way."""
        self._drop_errand()
        self.editor.shut()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the dataset again if it changed meanwhile."""
        super().showEvent(event)
        self._look_if_seen()

    def hideEvent(self, event: QHideEvent) -> None:
        """See to it that the words are saved before another step reads them."""
        self.editor.save()
        super().hideEvent(event)

    def _prepare(self) -> None:
        """Leave the words, which are saved, to prepare the dataset again."""
        self._show_sheet()
        self.prepare_wanted.emit()

    def _look_if_seen(self) -> None:
        """Ask for a check if the step can be seen and the one that is there is no longer true."""
        busy = self._errand is not None or self._stack.currentWidget() is self.editor
        if self._folder is None or busy or not self.isVisible():
            return
        if not self._known or is_outdated(self._folder):
            self.refresh()

    def _read(self) -> None:
        """Show the check that is there, true or not; one that is not is replaced as soon as may be."""
        assert self._folder is not None
        try:
            self._show(read_check(self._folder))
        except UserError:
            self._show_looking()

    def _show(self, check: Check) -> None:
        assert self._folder is not None
        self._known = True
        self.sheet.set_check(self._folder.name, check)
        if self._stack.currentWidget() is not self.editor:
            self._stack.setCurrentWidget(self.sheet)

    def _show_nothing(self) -> None:
        self._stack.setCurrentWidget(self._pane)
        self._pane.show_state(
            self.tr("Nothing to check yet"),
            self.tr("Choose what the model learns from first; then you see here what that is."),
        )

    def _show_looking(self) -> None:
        assert self._folder is not None
        self._stack.setCurrentWidget(self._pane)
        self._pane.show_state(
            self.tr("Looking at {0}").format(self._folder.name),
            self.tr("The sound and the words of every dialogue are read; an hour takes some seconds."),
        )

    def _show_sheet(self) -> None:
        """Return from the words to the pictures, which may not be true any more."""
        self._stack.setCurrentWidget(self.sheet if self._known else self._pane)
        self.sheet.setFocus(Qt.FocusReason.OtherFocusReason)
        self._look_if_seen()

    def _checked(self, status: int, out: str, fault: str) -> None:
        self._drop_errand()
        try:
            check = parse_check(parse_json(out))
        except ValueError:
            self._show_failure(status, fault)
            return
        self._show(check)

    def _show_failure(self, status: int, fault: str) -> None:
        """Say why there is no check; pictures that were there stay."""
        lines = [line for line in fault.splitlines() if line.strip()]
        sentence = lines[0] if lines else self.tr("The check ended with status {0}.").format(status)
        advice = lines[1] if len(lines) > 1 else self.tr("Try again; the log of the program tells more.")
        if self._known:
            self.trouble.emit(sentence, advice)
            return
        again = Action(self.tr("Try again"), self.tr("Look at the dataset again"), self.refresh)
        self._pane.show_state(sentence, advice, again)
        self._stack.setCurrentWidget(self._pane)

    def _drop_errand(self) -> None:
        errand, self._errand = self._errand, None
        self.sheet.set_busy(False)
        if errand is not None:
            errand.cancel()
            errand.deleteLater()
