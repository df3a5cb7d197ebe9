"""Opens the staged window in a process of its own and prints what a person sees of it, as a JSON line.

`python -m tests.ui.place_command HOME PAGE [X Y WIDTH HEIGHT | maximized]`. With a place, it is left there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QRect
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.paths import paths
from app.settings import Settings
from app.ui.shell import theme
from app.ui.shell.crash import CrashDialog
from app.ui.shell.shortcuts import KeysDialog
from tests.ui.staging import Stage


def main(argv: list[str]) -> int:
    """Show a page, or what is asked for by its name, and tell where everything is."""
    home, page, rest = Path(argv[0]), argv[1], argv[2:]
    app = QApplication([])
    theme.apply(app, "light")
    stage = Stage(Settings(model="moshika"), paths(home))
    window = stage.window
    window.show()
    stage.load()
    shown = open_page(stage, page)
    QTest.qWait(200)
    if rest == ["maximized"]:
        window.showMaximized()
    elif rest:
        window.setGeometry(*map(int, rest))
    QTest.qWait(100)
    screen = window.screen().availableGeometry()
    facts = {
        "available": shape(screen),
        "frame": shape(window.frameGeometry()),
        "window": shape(window.geometry()),
        "maximized": window.isMaximized(),
        "start": seen(stage.page.desk.start),
        "status": seen(window.status),
        "shown": shape(shown.frameGeometry()),
        "button": seen(primary(shown)) if page in ("crash", "welcome") else None,
    }
    print(json.dumps(facts), flush=True)
    if shown is not window:
        shown.close()
    window.leave()
    return 0


def open_page(stage: Stage, name: str) -> QWidget:
    """Return the window, turned to a page, or the dialog of that name."""
    if name == "keys":
        stage.window.show_keys()
        dialog = stage.window.findChild(KeysDialog)
        assert dialog is not None
        return dialog
    if name == "crash":
        crash = CrashDialog("It broke.", "report\n" * 80, Path(), stage.window)
        crash.show()
        return crash
    if name == "welcome":
        stage.window.show_welcome()
    elif name == "late":
        stage.talk(0, 12, step_ms=97.0)
        stage.page.toggle_drawer()
    else:
        stage.window.show_page(int(name))
    return stage.window


def primary(shown: QWidget) -> QPushButton:
    """Return the button that Return presses, scrolled to as Tab does."""
    button = next(each for each in shown.findChildren(QPushButton) if each.isDefault() and each.isVisible())
    button.setFocus()
    QTest.qWait(50)
    return button


def seen(widget: QWidget) -> bool:
    """Return whether all of a widget can be seen."""
    whole = widget.visibleRegion().boundingRect() == widget.rect()
    screen = widget.screen().availableGeometry()
    return whole and screen.contains(QRect(widget.mapToGlobal(QPoint()), widget.size()))


def shape(area: QRect) -> list[int]:
    return [area.x(), area.y(), area.width(), area.height()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
