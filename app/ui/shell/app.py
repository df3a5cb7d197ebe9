"""Opens the window, and runs the one timer that drains the session and moves the window along.

In order: threads may take turns more often than usual, crashes leave a trace, the language, the theme, the
window, then the sound devices and the model. Knows nothing about pages.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from app import APP_ID, relaunch
from app.cli import child_command
from app.errors import UserError
from app.options import PAGES, chosen
from app.session import Session
from app.store.archive import unpack
from app.ui.shell import language, theme
from app.ui.shell.crash import CrashDialog, format_error, report, traced
from app.ui.shell.single_instance import Single, call_first
from app.ui.shell.translation import told
from app.ui.shell.typeface import even_strokes
from app.ui.shell.window import MainWindow
from app.ui.talk.conversation import Conversation, Wishes

if TYPE_CHECKING:
    from app.options import Options
    from app.paths import Paths
    from app.settings import Settings

log = logging.getLogger(__name__)

TICK_MS = 33
SWITCH_INTERVAL_S = 0.0005
"""The engine thread may not wait long for the window: at the usual 5 ms it was late by 12 ms at times."""


class Pulse(QObject):
    """The one timer: session out, window in. Also where a signal of the system ends the program."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self.asked_to_end = False
        self._session = session
        self._window = window
        self._last_s = time.perf_counter()
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def stop(self) -> None:
        """Let the window be still."""
        self._timer.stop()

    def _beat(self) -> None:
        if self.asked_to_end:
            self.asked_to_end = False
            self._window.leave()
            return
        now = time.perf_counter()
        elapsed_ms, self._last_s = 1000 * (now - self._last_s), now
        self._window.tick(self._session.drain(), elapsed_ms)


def run(where: Paths, settings: Settings, options: Options) -> int:
    """Show the window until it is closed, and return the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    even_strokes()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("aizuchi")
    app.setApplicationDisplayName("Aizuchi")
    app.setDesktopFileName(APP_ID)
    language.install(app, settings.language)
    theme.apply(app, settings.scheme)
    # Also where another copy runs, which shows it among the others.
    refusal = _bring_in(options, where)[1]
    if call_first(where.config):
        log.info("another copy is running and was called")
        if refusal is not None:
            _refused(refusal).exec()
        return int(refusal is not None)
    with traced(where.logs) as last:
        session = Session()
        try:
            window = open_window(session, where, settings, options)
            single = Single(where.config, partial(_come_forward, window), window)
            pulse = Pulse(session, window)
            window.closed.connect(pulse.stop)
            window.closed.connect(single.close)
            _catch(pulse, session, window, where.logs)
            if last:
                sentence = QCoreApplication.translate("App", "Aizuchi ended unexpectedly the last time.")
                CrashDialog(sentence, report(last, where.logs), where.logs, window).open()
            log.info("ready: the window is shown, with its page %s", window.page)
            status = app.exec()
            if window.restarts:
                again = relaunch.arguments(window.settings, window.saved, options, window.page)
                relaunch.plan([*child_command(where), *again])
            return status
        finally:
            session.close()


def open_window(session: Session, where: Paths, settings: Settings, options: Options) -> MainWindow:
    """Return the window, shown, with devices and model on their way. Raises UserError for wrong options."""
    wishes = Wishes(options.seconds, options.compute_ms)
    window = MainWindow(session, settings, where, Conversation(session, where.recordings, wishes))
    window.use(chosen(settings, options))
    window.talk.asked = options
    window.talk.start_when_ready = options.seconds is not None
    explicit = options.model or options.seconds is not None or options.recording is not None
    if not (settings.welcomed or explicit):
        window.show_welcome()
    window.show()
    window.look_around()
    window.follow_devices()
    folder, refusal = _bring_in(options, where)
    if folder is not None:
        window.play(folder)
    elif refusal is not None:
        _refused(refusal, window).open()
    if options.model or not window.gives_way():
        window.load(window.settings.model, options.base, may_download=bool(options.model))
    if options.page and window.welcome is None:
        window.show_page(PAGES.index(options.page))
    return window


def _bring_in(options: Options, where: Paths) -> tuple[Path | None, UserError | None]:
    """Return the folder of the recording that was opened with the program, or why it can not be opened."""
    try:
        return options.recording and unpack(options.recording, where.recordings), None
    except UserError as fault:
        log.warning("%s", fault)
        return None, fault


def _refused(fault: UserError, parent: QWidget | None = None) -> QMessageBox:
    """Return a box that says why a recording can not be opened: after a double click there is no terminal."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(QCoreApplication.translate("App", "Open a recording"))
    box.setText(told(fault.sentence))
    box.setInformativeText(told(fault.advice))
    box.addButton(QMessageBox.StandardButton.Close)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


def _come_forward(window: MainWindow) -> None:
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.raise_()
    window.activateWindow()


def _catch(pulse: Pulse, session: Session, window: MainWindow, logs: Path) -> None:
    """Let signals of the system close the window, and errors in it be seen."""

    def end(_number: int, _frame: FrameType | None) -> None:
        pulse.asked_to_end = True

    def tell(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        log.critical("an error in the window", exc_info=(kind, fault, trace))
        sentence = QCoreApplication.translate("App", "Something went wrong in the window: {0}").format(fault)
        if window.findChild(CrashDialog) is None:
            sentence = QCoreApplication.translate("App", "An error in the window: {0}").format(kind.__name__)
            CrashDialog(sentence, report(format_error(kind, fault, trace), logs), logs, window).open()
        session.report(sentence, QCoreApplication.translate("App", "The log holds the details."))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    sys.excepthook = tell
