"""Lets the keyboard's focus follow the page that is turned to.

Knows nothing about what the pages hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget


def focus_page(page: QWidget, likely: QWidget | None = None) -> None:
    """Give the focus to where it was on a page the last time, else to the likely control, or to the first.

    A page without a control that takes it takes it itself, so that Tab goes on from there.
    """
    if page.isAncestorOf(page.window().focusWidget() or page.window()):
        return
    for wanted in (page.focusWidget(), likely):
        if wanted is not None and _takes_focus(wanted, page):
            break
    else:
        wanted = next(_controls(page), page)
    wanted.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _controls(page: QWidget) -> Iterator[QWidget]:
    """Yield what Tab leads to on a page, in its order."""
    widget = page.nextInFocusChain()
    while widget is not None and widget is not page:
        if page.isAncestorOf(widget) and _takes_focus(widget, page):
            yield widget
        widget = widget.nextInFocusChain()


def _takes_focus(widget: QWidget, page: QWidget) -> bool:
    tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    inside = page.isAncestorOf(widget) and widget.isVisibleTo(page)
    # A frame that only scrolls would show no focus.
    return tabbed and inside and widget.isEnabled() and type(widget) is not QScrollArea
