"""Japanese stands beside Latin letters in Japanese shapes and in strokes of the same weight."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PySide6.QtGui import QFont, QTextLayout
from PySide6.QtWidgets import QApplication, QLabel

from app.ui.shell import typeface

DRAW = """
import sys
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from app.ui.shell import theme; from app.ui.shell import typeface
if sys.argv[1] == "even":
    typeface.even_strokes()
app = QGuiApplication(["aizuchi", "-platform", "offscreen"])
typeface.choose_letters()
for text in sys.argv[2:]:
    image = QImage(300, 30, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setFont(theme.scaled(app.font(), theme.SMALL))
    painter.setPen("white")
    painter.drawText(5, 20, text)
    painter.end()
    print(sum(image.pixelColor(x, y).value() for x in range(300) for y in range(30)))
"""


def fonts_of(text: str, font: QFont) -> set[str]:
    """Return the families that a text is drawn in."""
    layout = QTextLayout(text, font)
    layout.beginLayout()
    layout.createLine().setLineWidth(10_000)
    layout.endLayout()
    return {run.rawFont().familyName() for run in layout.glyphRuns()}


def ink(strokes: str, *texts: str) -> list[int]:
    """Return how much light each text in light letters gives, drawn by a process of its own."""
    env = {name: value for name, value in os.environ.items() if name != typeface.STROKES[0]}
    command = [sys.executable, "-c", DRAW, strokes, *texts]
    drawn = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    return [int(line) for line in drawn.stdout.split()]


@pytest.mark.parametrize("bold", [False, True])
def test_every_widget_takes_japanese_shapes(qapp: QApplication, bold: bool) -> None:
    font = QLabel().font()
    font.setBold(bold)
    assert fonts_of("直骨", font) & set(typeface.JAPANESE)
    assert not fonts_of("plain words", font) & set(typeface.JAPANESE)


def test_japanese_is_not_drawn_bolder_than_latin_letters() -> None:
    texts = "plain words", "今夜は少し寒いですね"
    words, kana = ink("even", *texts)
    words_before, kana_before = ink("as they are", *texts)
    assert words == words_before
    assert kana < 0.97 * kana_before


def test_wishes_for_strokes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(typeface.STROKES[0], "truetype:interpreter-version=35")
    typeface.even_strokes()
    assert os.environ[typeface.STROKES[0]] == "truetype:interpreter-version=35"
