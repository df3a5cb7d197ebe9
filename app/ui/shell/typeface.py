"""The letters of the program: any language, Japanese shapes where Chinese shares them, strokes of one weight.

Knows nothing about sizes, colours or widgets.
"""

from __future__ import annotations

import os

from PySide6.QtGui import QFontInfo, QGuiApplication

JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic")
"""Asked in this order for what the font of the program has no letters for; left alone, fontconfig may take
Chinese shapes."""

STROKES = "FREETYPE_PROPERTIES", "cff:darkening-parameters=500,100,1000,69,1667,69,2333,0"
"""How much wider strokes are drawn at which width, both in thousandths of an em: a quarter of the default
that FreeType's reference gives with this property."""


def even_strokes() -> None:
    """Let strokes of all fonts look alike; to be called before the first application object is made.

    Qt widens the strokes of CFF fonts at small sizes, and of those alone: Japanese looked bold beside
    Latin letters, above all where letters are light. Wishes of the user's own are left as they are.
    """
    os.environ.setdefault(*STROKES)


def choose_letters() -> None:
    """Let everything that is drawn from now on take Japanese shapes for what its own font lacks."""
    font = QGuiApplication.font()
    # The family by its real name: behind a generic one such as "Sans Serif" no other would be asked.
    font.setFamilies([QFontInfo(font).family(), *JAPANESE])
    QGuiApplication.setFont(font)
