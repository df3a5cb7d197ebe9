"""The font of what was said: in any language, with Japanese shapes for the characters that Chinese shares.

Knows nothing about sizes or colours.
"""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontInfo

JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic")
"""Asked in this order for what the font of the program has no letters for; left alone, fontconfig may take
Chinese shapes."""


def spoken(font: QFont) -> QFont:
    """Return a font for words in any language."""
    copy = QFont(font)
    copy.setFamilies([QFontInfo(font).family(), *JAPANESE])
    return copy
