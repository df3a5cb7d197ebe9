"""What went wrong, in a window: a sentence, and a report to copy that holds nothing that was said.

Two ways lead here: an error of the window itself, and the trace that a process leaves when it dies, which the
next start finds. Knows nothing about what the errors mean.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType

import PySide6
from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app import __version__
from app.commands.doctor import anonymous
from app.files import make_folder, private, read_bytes
from app.ui.shell import theme
from app.ui.shell.geometry import fit_dialog

log = logging.getLogger(__name__)

TRACE_NAME = "crash.txt"
TRACE_BYTES = 2**20
LOG_NAME = "aizuchi.log"
LOG_LINES = 60
SIZE = QSize(720, 440)


class CrashDialog(QDialog):
    """One sentence, what to do, and the report."""

    def __init__(self, sentence: str, report: str, logs: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self._report = QPlainTextEdit(report)
        self._report.setReadOnly(True)
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._report.setAccessibleName(self.tr("Report"))
        advice = QLabel(
            self.tr(
                "Recordings are whole until the moment it happened. If it comes again, copy the report and "
                "send it to the developers: it tells versions and the log, not what was said or who you are."
            )
        )
        copy, folder, close = (
            QPushButton(self.tr("Copy the report")),
            QPushButton(self.tr("Open the logs")),
            QPushButton(self.tr("Close")),
        )
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(logs))))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        rows = QVBoxLayout(self)
        rows.setSpacing(2 * theme.GRID)
        title = QLabel(sentence)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        for label in (title, advice):
            label.setWordWrap(True)
            rows.addWidget(label)
        rows.addWidget(self._report, 1)
        across = QHBoxLayout()
        across.addWidget(folder)
        across.addStretch(1)
        across.addWidget(copy)
        across.addWidget(close)
        rows.addLayout(across)
        fit_dialog(self, SIZE, parent)


def report(trace: str, logs: Path, card: str = "") -> str:
    """Return versions, the card, a trace and the end of the log, without home folder and user name."""
    log = logs / LOG_NAME
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    parts = (
        f"Aizuchi {__version__}, Python {sys.version.split()[0]}, PySide6 {PySide6.__version__}",
        f"{_system()}; {card or 'no graphics card known'}",
        trace.strip(),
        *lines[-LOG_LINES:],
    )
    return anonymous("\n".join(part for part in parts if part)) + "\n"


def format_error(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> str:
    """Return a traceback as text, without what the error says: that may hold words of a talk."""
    places = "".join(traceback.format_tb(trace))
    return f"{places}{kind.__module__}.{kind.__qualname__}"


@contextmanager
def traced(logs: Path) -> Iterator[str]:
    """Let a process that dies leave a trace, and yield the one that the last left, '' if it ended well."""
    file = logs / TRACE_NAME
    last, trace = _trace(file)
    with trace:
        try:
            yield last
        finally:
            faulthandler.enable()
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _trace(file: Path) -> tuple[str, AbstractContextManager[object]]:
    """Return what the last process left, and the file for this one; no file where none can be written."""
    last = ""
    try:
        make_folder(file.parent)
        with suppress(FileNotFoundError, ValueError):
            last = read_bytes(file, TRACE_BYTES).decode(errors="replace")
        trace = os.fdopen(private(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8")
    except OSError as fault:
        log.warning("a crash will leave no trace: %s", fault)
        return last, nullcontext()
    faulthandler.enable(trace)
    return last, trace


def _system() -> str:
    release = Path("/etc/os-release")
    named = (
        re.search(r'^PRETTY_NAME="?([^"\n]*)', release.read_text(), re.MULTILINE)
        if release.exists()
        else None
    )
    driver = Path("/proc/driver/nvidia/version")
    version = re.search(r"\d+\.\d[\d.]*", driver.read_text()) if driver.exists() else None
    return f"{named.group(1) if named else 'unknown system'}, driver {version.group() if version else 'none'}"
