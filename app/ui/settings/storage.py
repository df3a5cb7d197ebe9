"""What the program keeps on this computer: where, how much, and a button that throws it away.

Knows nothing about what is in the folders.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton

from app.errors import UserError
from app.ui.shell import theme
from app.ui.shell.background_worker import Aside
from app.ui.shell.trash import move_to_trash
from app.ui.widgets.panel import Panel, quiet

if TYPE_CHECKING:
    from app.paths import Paths


class Kept(Panel):
    """A row for each kind of thing; sizes are counted beside the window."""

    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""
    deleted = Signal()

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._aside = Aside(self)
        self._sizes: dict[Path, QLabel] = {}
        self._buttons: dict[Path, QPushButton] = {}
        self.guard: Callable[[Path, Callable[[], None]], None] = lambda _folder, do: do()
        """Called with a folder and what deletes it, which may be put off or left out."""
        self.add(
            quiet(
                self.tr(
                    "Nothing is sent anywhere: no statistics, no crash reports. The network is used to "
                    "download a model when you ask for it, and for nothing else."
                )
            )
        )
        self.add_space(theme.GRID)
        for folder, name in (
            (paths.recordings, self.tr("Recordings")),
            (paths.datasets, self.tr("Datasets made of them")),
            (paths.runs, self.tr("Runs of training")),
            (paths.models, self.tr("Models of your own")),
            (paths.logs, self.tr("Logs, without a word that was said")),
            (paths.cache, self.tr("What can be made again")),
        ):
            self._add(folder, name)

    def count(self) -> None:
        """Count anew how much there is."""
        for folder in self._sizes:
            self._aside.ask(partial(size_bytes, folder), partial(self._show, folder))

    def shut(self) -> None:
        """End the counting."""
        self._aside.close()

    def throw_away(self, folder: Path) -> None:
        """Move a folder to the trash."""
        try:
            if not move_to_trash(folder):
                advice = self.tr("Delete it by hand: {0}").format(folder)
                self.trouble.emit(self.tr("There is no trash for this disk."), advice)
        except UserError as fault:
            self.trouble.emit(fault.sentence, fault.advice)
        self.count()
        self.deleted.emit()

    def _add(self, folder: Path, name: str) -> None:
        size = quiet("")
        self._sizes[folder] = size
        show, delete = QPushButton(self.tr("Open folder")), QPushButton(self.tr("Delete…"))
        for button, accessible in (
            (show, self.tr("Open the folder: {0}")),
            (delete, self.tr("Delete: {0}")),
        ):
            button.setAccessibleName(accessible.format(name))
            button.setToolTip(str(folder))
        self._buttons[folder] = delete
        show.clicked.connect(partial(self._open, folder))
        delete.clicked.connect(partial(self._ask, folder, name))
        self.add_row(name, size, show, delete)

    def _show(self, folder: Path, found: int) -> None:
        text = QLocale().formattedDataSize(found, 1, QLocale.DataSizeFormat.DataSizeSIFormat)
        self._sizes[folder].setText(text if found else self.tr("nothing"))
        self._buttons[folder].setEnabled(found > 0)

    def _open(self, folder: Path) -> None:
        shown = folder.exists() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        if not shown:
            self.trouble.emit(
                self.tr("No file manager could be opened."), self.tr("The folder is {0}.").format(folder)
            )

    def _ask(self, folder: Path, name: str) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(self.tr("Move all of this to the trash?"))
        box.setInformativeText(f"{name}: {self._sizes[folder].text()}\n{folder}")
        delete = box.addButton(self.tr("Move to trash"), QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        delete.clicked.connect(partial(self.guard, folder, partial(self.throw_away, folder)))
        box.open()


def size_bytes(folder: Path) -> int:
    """Return what the files below a folder take."""
    return sum(
        os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names
    )
