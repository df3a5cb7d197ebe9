"""What the settings of sampling are called and what they do, for the Settings page and the drawer alike.

Knows nothing about widgets.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate

SAMPLING = ("text_temperature", "text_top_k", "audio_temperature", "audio_top_k", "repetition_penalty")
"""The numbers that a running talk goes by at once, in the order in which they are shown."""

LARGEST_SEED = 2**31 - 1
"""The largest whole number that a box of Qt holds."""


def sampling_words(name: str) -> tuple[str, str]:
    """Return the name of a setting for people, and a sentence on what it does."""
    return {
        "text_temperature": (
            translate("Sampling", "Text temperature"),
            translate("Sampling", "Lower is more predictable, 0 always takes the likeliest word."),
        ),
        "text_top_k": (
            translate("Sampling", "Text top-k"),
            translate("Sampling", "How many likely words it draws from; 0 draws from all."),
        ),
        "audio_temperature": (
            translate("Sampling", "Audio temperature"),
            translate("Sampling", "Lower is calmer; very low can turn into silence."),
        ),
        "audio_top_k": (
            translate("Sampling", "Audio top-k"),
            translate("Sampling", "How many likely sounds it draws from; 0 draws from all."),
        ),
        "repetition_penalty": (
            translate("Sampling", "Repetition penalty"),
            translate("Sampling", "Against repeating the words of the last 5 s; 1 is off."),
        ),
        "seed": (
            translate("Sampling", "Seed"),
            translate("Sampling", "The same seed and the same sound give the same answers."),
        ),
        "context": (
            translate("Sampling", "Context"),
            translate("Sampling", "How far back the model remembers. Less needs less graphics memory."),
        ),
    }[name]


def seed_at_will() -> str:
    """Return what stands in the field of the seed where none is fixed."""
    return translate("Sampling", "new each time")
