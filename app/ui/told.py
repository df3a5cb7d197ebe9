"""What the parts below the window say, in the user's language: what models are, what a load is doing.

Those parts know nothing about Qt and say it in English; a sentence that is not listed here stays as it is.
"""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

DOWNLOADING = "Downloading "
"""How the stage of a load begins that uses the network; a file follows."""

SENTENCES = (
    QT_TRANSLATE_NOOP(
        "Told", "Comes with Aizuchi: a small demonstration that knows turn taking and a few dozen phrases."
    ),
    QT_TRANSLATE_NOOP("Told", "Kyutai's English model with a male voice, in full precision."),
    QT_TRANSLATE_NOOP("Told", "Kyutai's English model with a female voice, in full precision."),
    QT_TRANSLATE_NOOP("Told", "Moshiko with 8-bit weights, for graphics cards with 12 GB."),
    QT_TRANSLATE_NOOP("Told", "Moshika with 8-bit weights, for graphics cards with 12 GB."),
    QT_TRANSLATE_NOOP("Told", "Nagoya University's Japanese model, finetuned on recorded dialogue."),
    QT_TRANSLATE_NOOP("Told", "J-Moshi finetuned on 602 hours of synthetic dialogue more."),
    QT_TRANSLATE_NOOP("Told", "LLM-jp's Japanese model, rated more natural than J-Moshi by listeners."),
    QT_TRANSLATE_NOOP(
        "Told",
        "There are no sound devices: a recorded user speaks in your place, and nothing is played.",
    ),
    QT_TRANSLATE_NOOP("Told", "Looking for the files"),
    QT_TRANSLATE_NOOP("Told", "Checking the files"),
    QT_TRANSLATE_NOOP("Told", "Reading Mimi"),
    QT_TRANSLATE_NOOP("Told", "Reading the language model"),
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
    return QCoreApplication.translate("Told", text) if text else ""
