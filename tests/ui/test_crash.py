"""An error shows a report without a word of the talk or a name; a crash is told at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.ui.shell import crash
from app.ui.shell.crash import CrashDialog, format_error, report, traced
from app.ui.shell.single_instance import Single, call_first

SECRET = "what I told the model about my neighbour"


def fail() -> None:
    raise ValueError(SECRET)


def test_the_report_tells_the_place_and_not_the_words(tmp_path: Path) -> None:
    home = os.path.expanduser("~").rstrip("/")
    (tmp_path / crash.LOG_NAME).write_text(f"line one\nread {home}/recordings\n")
    try:
        fail()
    except ValueError as fault:
        text = report(format_error(type(fault), fault, fault.__traceback__), tmp_path)
    assert "in fail" in text
    assert "ValueError" in text
    assert SECRET not in text
    assert "line one" in text
    assert f"{home}/" not in text
    assert len(text.splitlines()) < 100


def test_the_report_is_copied(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = CrashDialog("It broke.", "the report", tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    (copy,) = (each for each in dialog.findChildren(QPushButton) if each.text() == "Copy the report")
    copy.click()
    assert QGuiApplication.clipboard().text() == "the report"


def test_a_process_that_died_is_told_at_the_next_start(tmp_path: Path) -> None:
    script = f"""
import faulthandler
from pathlib import Path
from app.ui.shell.crash import traced
with traced(Path({str(tmp_path)!r})):
    faulthandler._sigsegv()
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode < 0
    with traced(tmp_path) as last:
        assert "Segmentation fault" in last
    with traced(tmp_path) as last:
        assert last == ""
    assert not (tmp_path / crash.TRACE_NAME).exists()


def test_a_second_copy_calls_the_first(qtbot: QtBot, tmp_path: Path) -> None:
    assert not call_first(tmp_path)
    called: list[float] = []
    single = Single(tmp_path, lambda: called.append(time.monotonic()))
    script = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.shell.single_instance import call_first
app = QCoreApplication([])
sys.exit(int(not call_first(Path({str(tmp_path)!r}))))
"""
    with subprocess.Popen([sys.executable, "-c", script]) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=20_000)
    assert second.returncode == 0
    assert len(called) == 1
    assert not call_first(tmp_path / "another home")
    single.close()


@pytest.mark.sound
def test_the_program_itself_starts_once_for_a_home(qtbot: QtBot, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--home", str(tmp_path), "talk", "--model", "echo"]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":99"}
    log = tmp_path / "logs" / "aizuchi.log"
    with subprocess.Popen(command, env=env) as first:
        qtbot.waitUntil(lambda: log.exists() and "the window is shown" in log.read_text(), timeout=60_000)
        second = subprocess.run(command, env=env, timeout=60, check=False)
        assert second.returncode == 0
        assert "another copy is running" in log.read_text()
        first.terminate()
        assert first.wait(30) == 0
