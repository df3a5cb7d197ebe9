"""Colours can be read, keep their meaning, and follow the system; the window needs no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from app.ui.shell import theme


def test_contrast_is_that_of_the_standard() -> None:
    assert theme.contrast(QColor("black"), QColor("white")) == pytest.approx(21.0)
    assert theme.contrast(QColor("#767676"), QColor("white")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_can_be_read(dark: bool) -> None:
    tones = theme.scheme_colours(dark)
    for ground in (tones.window, tones.base):
        for colour in (tones.text, tones.quiet, tones.model_text, tones.user_text, tones.trouble_text):
            assert theme.contrast(colour, ground) >= theme.TEXT_CONTRAST, (colour.name(), ground.name())


@pytest.mark.parametrize("dark", [False, True])
def test_areas_keep_the_two_colours_exactly(dark: bool) -> None:
    tones = theme.scheme_colours(dark)
    assert (tones.model.name(), tones.user.name()) == ("#e69f00", "#0072b2")


@pytest.mark.parametrize("dark", [False, True])
def test_text_in_a_colour_keeps_its_hue(dark: bool) -> None:
    tones = theme.scheme_colours(dark)
    for text, area in ((tones.model_text, tones.model), (tones.user_text, tones.user)):
        assert abs(text.hslHue() - area.hslHue()) <= 3


def test_a_scheme_is_taken_by_widgets_that_are_open(qapp: QApplication) -> None:
    label = QLabel("words")
    label.show()
    for scheme, dark in (("dark", True), ("light", False)):
        theme.set_scheme(scheme)
        qapp.processEvents()
        assert theme.colours(label.palette()).dark is dark
        assert label.palette().color(QPalette.ColorRole.WindowText) == theme.scheme_colours(dark).text


def test_the_scheme_of_the_system_is_followed_live(qapp: QApplication) -> None:
    theme.set_scheme("system")
    for scheme, dark in ((Qt.ColorScheme.Dark, True), (Qt.ColorScheme.Light, False)):
        # What a platform does when the user changes the scheme of the desktop; this one has no schemes.
        qapp.styleHints().colorSchemeChanged.emit(scheme)
        assert theme.colours().dark is dark


def test_a_wish_outlasts_the_system(qapp: QApplication) -> None:
    theme.set_scheme("light")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert not theme.colours().dark


def test_the_window_is_imported_without_torch() -> None:
    code = "import sys, app.ui.shell.app; sys.exit('torch' in sys.modules or 'sounddevice' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_calls_into_qt_leave_none_alone() -> None:
    """PySide6 6.12.0 takes a reference from None with each call: Python 3.11 dies of it in seconds."""
    label = QLabel()
    before = sys.getrefcount(None)
    for _ in range(500):
        label.update()
    assert sys.getrefcount(None) > before - 100
