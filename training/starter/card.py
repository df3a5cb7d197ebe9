"""The card of the starter model: what it is, what it was made from, and its scores.

Knows nothing about how scores are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.files import replace_file

CARD = "README.md"

_SCORES = {
    "codec_phrase_ratio": (
        "lines that a recogniser reads off the codec, against the original",
        "at least 0.90",
    ),
    "codec_estoi": ("extended STOI of the model's voice through the codec", "at least 0.80"),
    "answer_rate": ("turns that are answered within 1.5 s", "at least 0.90"),
    "pause_silence_rate": ("pauses under 0.6 s in which it keeps silent, murmurs aside", "at least 0.85"),
    "yield_rate": ("times it stops within 1 s when somebody cuts in", "at least 0.85"),
    "backchannel_rate": ("long turns of the user in which it murmurs", "at least 0.50"),
    "answer_match_rate": ("questions that get the right answer", "at least 0.80"),
    "speech_phrase_match": ("answers of which a recogniser reads what the text says", "at least 0.75"),
    "text_lag_s": ("seconds between a word as text and as sound, for nine of ten", "at most 0.4"),
    "step_ms_p95": ("milliseconds for 19 of 20 frames, on two CPU cores", "at most 40"),
}
"""What each score means, and what it should be."""

_TEXT = """# Aizuchi starter

A small full-duplex spoken dialogue model that comes with Aizuchi, to talk with at once on any computer. It is
a demonstration: it knows turn taking, not the world. It greets, answers a few dozen questions in English and
Japanese, murmurs while you go on, stops when you cut in, and asks when you are silent for long.

**It barely understands human voices.** It learnt from espeak-ng's voices and hears little else: other voices,
a person's among them, got the right answer 5 times in 98. To anything else it answers promptly with a line of
its own choice, sometimes in the other language.

## What it was made from

Everything is synthetic, and made by `aizuchi starter build`. Phrases and stories come from a grammar
(`training/starter/phrases.toml`); espeak-ng speaks them, in one voice for the model in each language and in
hundreds for users, with noise, rooms and microphones between. The codec is Mimi's architecture with 2.6
million parameters, the language model Moshi's with about 11 million, both trained from nothing. No recording
of a person and no weight of another model is in it.

## What it can be asked

{asks}

## Scores

On dialogues, and on voices of espeak-ng, that it did not learn from, by `aizuchi starter score`:

| score | | measured | wanted |
|---|---|---|---|
{scores}

## Licence

MIT, as the program.
"""


def write_card(folder: Path, scores: Mapping[str, float | bool]) -> None:
    """Write the card of a model with its scores."""
    from training.starter.scripts import LANGUAGES, display, phrases

    rows = [
        f"| `{name}` | {meaning} | {scores[name]:.2f} | {wanted} |"
        for name, (meaning, wanted) in _SCORES.items()
    ]
    asks = [
        f"- {display(question.asks[0], each)}: *{display(question.answer, each)}*"
        for each in LANGUAGES
        for question in phrases(each).questions
    ]
    text = _TEXT.format(asks="\n".join(asks), scores="\n".join(rows))
    replace_file(folder / CARD, text)
