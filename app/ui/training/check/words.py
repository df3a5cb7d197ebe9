"""A check in two lines of words: what was checked, and what came of it.

Knows nothing about how they are shown.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.ui.shell.wording import language_words, length_words
from app.ui.training.check.data import Check

translate = QCoreApplication.translate


def facts(check: Check) -> str:
    """Return how much there is, and in which language."""
    count = (
        translate("CheckWords", "1 dialogue")
        if check.dialogues == 1
        else translate("CheckWords", "{0} dialogues").format(check.dialogues)
    )
    parts = count, length_words(3600 * check.hours), language_words(check.language)
    return " · ".join(part for part in parts if part)


def verdict(check: Check) -> str:
    """Return in one sentence whether there is anything to look at."""
    count = len(check.findings)
    if check.refused:
        return translate("CheckWords", "Training refuses this dataset; what has to be mended is below.")
    if count == 0:
        return translate("CheckWords", "Nothing odd was found.")
    if count == 1:
        return translate("CheckWords", "One thing is odd; look at it before you train.")
    return translate("CheckWords", "{0} things are odd; look at them before you train.").format(count)
