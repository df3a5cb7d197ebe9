"""Roles to begin from, in the manner in which models were taught theirs, and what is left open in one.

They are in English whatever the window speaks: a model reads them.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication

TEACHER = (
    "You are a wise and friendly teacher. Answer questions or provide advice in a clear and engaging way."
)
SERVICE = (
    "You work for [company] which is a [kind of business] and your name is [name]. "
    "Information: [what callers ask about]."
)
CASUAL = "You enjoy having a good conversation. Have a casual discussion about [topic]."

_BLANK = re.compile(r"\[[^\[\]\n]{1,60}\]")


def presets() -> tuple[tuple[str, str], ...]:
    """Return the name of each in the user's language, and its text."""
    translate = QCoreApplication.translate
    return (
        (translate("RolePresets", "Assistant or teacher"), TEACHER),
        (translate("RolePresets", "Customer service"), SERVICE),
        (translate("RolePresets", "Casual talk"), CASUAL),
    )


def blanks(role: str) -> list[tuple[int, str]]:
    """Return where in a role something is still to be filled in, and what: [name]."""
    return [(found.start(), found.group()) for found in _BLANK.finditer(role)]
