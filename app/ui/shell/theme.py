"""How everything looks: two colours that carry meaning, a neutral rest, an 8 px grid, three sizes of type.

Knows nothing about pages or talks. The model is orange and the user blue wherever they are drawn, red
is for trouble alone, and the scheme of the system is followed while the program runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QStyleFactory

from app.ui.shell.typeface import choose_letters

MODEL_COLOUR = "#E69F00"
USER_COLOUR = "#0072B2"
TROUBLE_COLOUR = "#C62828"

GRID = 8
"""Every distance is a multiple of this many pixels, or half of it."""
RADIUS = 6
SMALL = 0.87
WORDS = 1.4
TEXT_CONTRAST = 4.5
"""The least contrast of text, WCAG 2.2 success criterion 1.4.3."""

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one scheme. `model` and `user` fill areas, `model_text` and `user_text` are for text."""

    dark: bool
    window: QColor
    base: QColor
    line: QColor
    text: QColor
    quiet: QColor
    model: QColor
    user: QColor
    model_text: QColor
    user_text: QColor
    trouble: QColor
    trouble_text: QColor


def luminance(colour: QColor) -> float:
    """Return the relative luminance, 0..1, as WCAG 2.2 defines it."""
    parts = zip((0.2126, 0.7152, 0.0722), _rgb(colour), strict=True)
    return sum(weight * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for weight, c in parts)


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast ratio of two opaque colours, 1..21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """Return `one` with a share (0..1) of `other` in it."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in pairs))


def _rgb(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def readable(colour: QColor, *grounds: QColor) -> QColor:
    """Return the nearest shade of a colour that can be read as text on every one of the grounds."""
    pole = QColor("white") if luminance(grounds[0]) < 0.2 else QColor("black")
    for percent in range(100):
        shade = mixed(colour, pole, percent / 100)
        if min(contrast(shade, ground) for ground in grounds) >= TEXT_CONTRAST:
            return shade
    return pole


@lru_cache(maxsize=2)
def scheme_colours(dark: bool) -> Colours:
    """Return the colours of the dark or of the light scheme."""
    if dark:
        window, base, line, text, quiet = "#18181A", "#212124", "#3A3A3F", "#EDEDEB", "#A9A9A6"
    else:
        window, base, line, text, quiet = "#F5F5F3", "#FFFFFF", "#D9D9D4", "#1B1B1A", "#5C5C58"
    grounds = QColor(base), QColor(window)
    model, user, trouble = QColor(MODEL_COLOUR), QColor(USER_COLOUR), QColor(TROUBLE_COLOUR)
    return Colours(
        dark=dark,
        window=grounds[1],
        base=grounds[0],
        line=QColor(line),
        text=QColor(text),
        quiet=QColor(quiet),
        model=model,
        user=user,
        model_text=readable(model, *grounds),
        user_text=readable(user, *grounds),
        trouble=trouble,
        trouble_text=readable(trouble, *grounds),
    )


def colours(palette: QPalette | None = None) -> Colours:
    """Return the colours that belong to a palette; without one, to that of the program."""
    palette = QGuiApplication.palette() if palette is None else palette
    return scheme_colours(luminance(palette.color(QPalette.ColorRole.Window)) < 0.2)


def scaled(font: QFont, factor: float) -> QFont:
    """Return a font that many times as large."""
    copy = QFont(font)
    if font.pointSizeF() > 0:
        copy.setPointSizeF(font.pointSizeF() * factor)
    else:
        copy.setPixelSize(max(1, round(font.pixelSize() * factor)))
    return copy


def make_primary(button: QPushButton) -> None:
    """Let a button stand out as the one that the page is for."""
    button.setProperty("primary", True)


def apply(app: QApplication, scheme: str = "system") -> None:
    """Dress the program, and follow the system's colour scheme from now on."""
    if app.findChild(_Dresser) is None:
        app.setStyle(QStyleFactory.create("Fusion"))
        choose_letters()
        app.styleHints().colorSchemeChanged.connect(_Dresser(app).follow)
    set_scheme(scheme)


def set_scheme(scheme: str) -> None:
    """Take the 'light' or the 'dark' scheme, or follow the 'system'."""
    hints = QGuiApplication.styleHints()
    app = QApplication.instance()
    dresser = app.findChild(_Dresser) if app is not None else None
    if dresser is None:
        raise RuntimeError("apply the theme before choosing its scheme")
    dresser.wish = SCHEMES.get(scheme, Qt.ColorScheme.Unknown)
    hints.setColorScheme(dresser.wish)
    dresser.dress()


class _Dresser(QObject):
    """Lives as long as the program and changes its clothes when the system's scheme changes."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._system = app.styleHints().colorScheme()
        self._worn: Colours | None = None
        self.wish = Qt.ColorScheme.Unknown

    def follow(self, scheme: Qt.ColorScheme) -> None:
        """Take note of the system's scheme, and wear it unless another one is wished for."""
        self._system = scheme
        self.dress()

    def dress(self) -> None:
        """Set palette and style sheet of the scheme that is wished for."""
        scheme = self._system if self.wish == Qt.ColorScheme.Unknown else self.wish
        tones = scheme_colours(scheme == Qt.ColorScheme.Dark)
        if tones is self._worn:
            return
        self._worn = tones
        self._app.setPalette(_palette(tones))
        self._app.setStyleSheet(_sheet(tones))


def _palette(tones: Colours) -> QPalette:
    role = QPalette.ColorRole
    selection = mixed(tones.text, tones.base, 0.35)
    palette = QPalette(tones.base, tones.window)
    faded = mixed(tones.quiet, tones.window, 0.45)
    for roles, colour in (
        ((role.Window,), tones.window),
        ((role.Base, role.Button, role.ToolTipBase), tones.base),
        ((role.AlternateBase,), mixed(tones.base, tones.window, 0.5)),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), tones.text),
        ((role.PlaceholderText,), tones.quiet),
        ((role.Highlight, role.Accent), selection),
        ((role.HighlightedText,), tones.base),
        ((role.Link, role.LinkVisited), tones.user_text),
        ((role.Mid, role.Dark), tones.line),
        ((role.Light, role.Midlight), mixed(tones.base, tones.line, 0.3)),
        ((role.BrightText,), tones.trouble_text),
    ):
        for each in roles:
            palette.setColor(each, colour)
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, faded)
    return palette


def _sheet(tones: Colours) -> str:
    """Return the little that a palette can not say: buttons with a visible focus ring, quiet scroll bars."""
    names = {
        "window": tones.window,
        "base": tones.base,
        "line": tones.line,
        "text": tones.text,
        "quiet": tones.quiet,
        "hover": mixed(tones.base, tones.text, 0.06),
        "pressed": mixed(tones.base, tones.text, 0.13),
        "faded": mixed(tones.quiet, tones.window, 0.45),
        "strong": mixed(tones.text, tones.base, 0.15),
        "handle": mixed(tones.line, tones.text, 0.06),
    }
    sheet = _SHEET
    for name, colour in names.items():
        sheet = sheet.replace(f"@{name}", colour.name())
    return sheet


_SHEET = """
QPushButton {
    background: @base; color: @text; border: 1px solid @line; border-radius: 6px; padding: 6px 14px;
}
QPushButton:hover { background: @hover; }
QPushButton:pressed, QPushButton:checked { background: @pressed; }
QPushButton:focus { border: 2px solid @text; padding: 5px 13px; }
QPushButton:disabled { color: @faded; }
QPushButton[primary="true"] { background: @text; color: @base; border-color: @text; }
QPushButton[primary="true"]:hover { background: @strong; }
QPushButton[primary="true"]:focus { border: 2px solid @quiet; }
QPushButton[primary="true"]:disabled { background: @line; color: @quiet; border-color: @line; }
QPushButton[flat="true"] { background: transparent; border-color: transparent; }
QPushButton[flat="true"]:hover { background: @hover; }
QPushButton[flat="true"]:focus { border: 2px solid @text; }
QLineEdit {
    background: @base; border: 1px solid @line; border-radius: 6px; padding: 6px 8px;
    selection-background-color: @text; selection-color: @base;
}
QLineEdit:focus { border: 2px solid @text; padding: 5px 7px; }
QTableView { background: @base; selection-background-color: @pressed; selection-color: @text; }
QTableView::item { padding: 0 8px; border: none; }
QTableView::item:focus { border: 2px solid @text; padding: 0 6px; }
QHeaderView, QHeaderView::section { background: @base; }
QHeaderView::section { color: @quiet; border: none; border-bottom: 1px solid @line; padding: 6px 11px; }
QHeaderView::down-arrow, QHeaderView::up-arrow { width: 0; height: 0; }
QToolTip { background: @base; color: @text; border: 1px solid @line; padding: 4px; }
QScrollArea, QAbstractScrollArea { border: none; }
QPlainTextEdit { background: @base; border: 1px solid @line; border-radius: 6px; padding: 3px 4px; }
QPlainTextEdit:focus { border: 2px solid @text; padding: 2px 3px; }
QSplitter::handle { background: transparent; image: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @handle; border-radius: 3px; margin: 2px; min-height: 32px; }
QScrollBar::handle:hover { background: @quiet; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
"""
