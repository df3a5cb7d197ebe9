"""What the parts below the window say, in the user's language: what models are, what a load is doing.

Those parts know nothing about Qt and say it in English; a sentence that is not listed here stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.catalog import KNOWN
from app.ui.shell import sentences
from app.ui.training import sentences as training_sentences
from app.ui.training.data import sentences as data_sentences

TEMPLATES = sentences.TEMPLATES + training_sentences.TEMPLATES + data_sentences.TEMPLATES
PARTS = sentences.PARTS + data_sentences.PARTS

DOWNLOADING = "Downloading "
"""How the stage of a load begins that uses the network; a file follows."""

VAGUE_LENGTH = 20
"""Letters of a template below which it says little."""

SENTENCES = (
    *(model.summary for model in KNOWN),
    QT_TRANSLATE_NOOP(
        "Told",
        "There are no sound devices: a recorded user speaks in your place, and nothing is played.",
    ),
    QT_TRANSLATE_NOOP("Told", "Looking for the files"),
    QT_TRANSLATE_NOOP("Told", "Checking the files"),
    QT_TRANSLATE_NOOP("Told", "Reading Mimi"),
    QT_TRANSLATE_NOOP("Told", "Reading the language model"),
    QT_TRANSLATE_NOOP("Told", "Checking the graphics card"),
    QT_TRANSLATE_NOOP("Told", "Warming up"),
    QT_TRANSLATE_NOOP("Told", "Reading the model"),
    QT_TRANSLATE_NOOP("Told", "Reading the checkpoint"),
    QT_TRANSLATE_NOOP("Told", "Reading the recogniser"),
    QT_TRANSLATE_NOOP("Told", "Reading tokens"),
    QT_TRANSLATE_NOOP("Told", "Importing"),
    QT_TRANSLATE_NOOP("Told", "Transcribing"),
    QT_TRANSLATE_NOOP("Told", "Looking at the sound"),
    QT_TRANSLATE_NOOP("Told", "Encoding"),
    QT_TRANSLATE_NOOP("Told", "Writing"),
)


def told(text: str) -> str:
    """Return a sentence or a stage in the user's language."""
    if text.startswith(DOWNLOADING):
        return QCoreApplication.translate("Told", "Downloading {0}").format(text.removeprefix(DOWNLOADING))
    if not text:
        return ""
    whole = _translated(text)
    if whole is None and ". " in text:
        # Two sentences in one, such as what broke off and why.
        return " ".join(_translated(part) or part for part in re.split(r"(?<=\.) (?=[A-Z])", text))
    if whole is None and ": " in text:
        # Where it is, and then what is amiss there.
        where, _, sentence = text.partition(": ")
        return f"{where}: {_translated(sentence) or sentence}"
    return text if whole is None else whole


def _translated(text: str) -> str | None:
    """Return a sentence in the user's language, None if it is not known."""
    if (exact := QCoreApplication.translate("Told", text)) != text:
        return exact
    return _filled_in(text, TEMPLATES, lambda part: _filled_in(part, PARTS, str) or part)


def _filled_in(text: str, templates: tuple[str, ...], fill: Callable[[str], str]) -> str | None:
    """Return the translation of the first template that fits, None if there is none."""
    for template, pattern in _patterns(templates):
        if (found := pattern.fullmatch(text)) is not None:
            translation = QCoreApplication.translate("Told", template)
            return None if translation == template else translation.format(*map(fill, found.groups()))
    return None


@cache
def _patterns(templates: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the templates with what they match, those that say most first."""
    found = []
    for template in templates:
        parts = re.split(r"\{\d\}", template)
        length = sum(map(len, parts))
        # What says little would match what was never meant: there a word is filled in, not a sentence.
        filled = r"(\S+)" if length < VAGUE_LENGTH else "(.+?)"
        pattern = re.compile(filled.join(map(re.escape, parts)), re.DOTALL)
        found.append((length, template, pattern))
    return tuple((template, pattern) for _, template, pattern in sorted(found, key=lambda each: -each[0]))
