"""The card of the starter model: what it is, what it was made from, and its scores.

Knows nothing about how scores are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.files import replace_file

CARD = "README.md"

_SCORES = {
    "answer_match_rate": ("questions that get the right answer, in a quiet place", "at least 0.80"),
    "answer_match_rate_15db": ("the same with 15 dB of noise", "at least 0.65"),
    "new_phrasing_match_rate": ("the same in phrasings that it did not learn, in a quiet place", "–"),
    "answer_rate": ("turns that are answered within 1.5 s", "at least 0.95"),
    "wrong_language_rate": ("answers in another language than the question", "at most 0.01"),
    "yield_rate": ("times it stops within 1 s when somebody cuts in", "at least 0.85"),
    "yield_rate_control": ("the same where nobody does", "0"),
    "pause_silence_rate": ("pauses under 0.6 s in which it keeps silent, murmurs aside", "at least 0.90"),
    "backchannel_rate": ("long turns of the user in which it murmurs", "at least 0.60"),
    "talked_over_rate": ("turns of the user over which it talks", "at most 0.03"),
    "speech_word_error": (
        "words of its speech that Whisper (tiny.en) reads otherwise than they are written",
        "at most 0.10",
    ),
    "speech_phrase_match": (
        "answers of which a recogniser of its lines reads what the text says",
        "at least 0.75",
    ),
    "own_voice_mos": ("how natural its voice sounds, 1 to 5, by DistillMOS", "at least 3.5"),
    "codec_mos": ("the same of its lines as an engine says them, through the codec", "at least 3.5"),
    "codec_word_error": ("words of these lines that Whisper reads otherwise", "at most 0.10"),
    "codec_word_error_ratio": ("the same against the lines before the codec", "at most 1.3"),
    "codec_phrase_ratio": (
        "lines that a recogniser reads off the codec, against the original",
        "at least 0.90",
    ),
    "codec_estoi": ("extended STOI of the model's voice through the codec", "at least 0.80"),
    "text_lag_s": ("seconds between a word as text and as sound, for nine of ten", "at most 0.4"),
    "step_ms_p95": ("milliseconds for 19 of 20 frames, on two CPU cores", "at most 40"),
}
"""What each score means, and what it should be."""

_TEXT = """# Aizuchi starter

A small full-duplex spoken dialogue model that comes with Aizuchi, to talk with at once on any computer. It is
a demonstration: it knows turn taking, not the world. It greets, answers a few dozen questions in English and
Japanese, murmurs while you go on, stops when you cut in, and asks when you are silent for long.

**It barely understands human voices.** It learnt from espeak-ng's voices and hears little else: other voices,
a person's among them, got the right answer {right} times in {asked}. To anything else it answers promptly
with a line of its own choice, sometimes in the other language.

## What it was made from

Everything is synthetic, and made by `aizuchi starter build`. Phrases and stories come from a grammar
(`training/starter/phrases.toml`); espeak-ng speaks them, in one voice for the model in each language and in
hundreds for users, with noise, rooms and microphones between. The codec is Mimi's architecture with 2.6
million parameters, the language model Moshi's with about 11 million, both trained from nothing. No recording
of a person and no weight of another model is in it.

## What it can be asked

{asks}

## Scores

By `aizuchi starter score`: voices that it never heard ask {asked} questions, with {seeds} seeds. They are
{voices}.
In brackets the 95 % interval: it goes by what differs in voice or words ({questions} of the questions), not
by how often it was asked.

| score | | measured | n | wanted |
|---|---|---|---|---|
{scores}

Right answers by voice: {by_voice}.
{notes}
## Licence

MIT, as the program.
"""


def write_card(folder: Path, scores: Mapping[str, Any]) -> None:
    """Write the card of a model with its scores, as scores.json has them."""
    from training.starter.scripts import LANGUAGES, display, phrases

    rows = [
        f"| `{name}` | {meaning} | {measured(scores[name])} | {scores[name]['n']} | {wanted} |"
        for name, (meaning, wanted) in _SCORES.items()
        if name in scores
    ]
    asks = [
        f"- {display(question.asks[0], each)}: *{display(question.answer, each)}*"
        for each in LANGUAGES
        for question in phrases(each).questions
    ]
    text = _TEXT.format(asks="\n".join(asks), scores="\n".join(rows), **_who(scores))
    replace_file(folder / CARD, text)


def measured(figure: Mapping[str, Any]) -> str:
    """Return a figure as the card has it."""
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    return "not measured" if value is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def _who(scores: Mapping[str, Any]) -> dict[str, object]:
    by_voice = scores["by_voice"]["answer_match_rate"]
    return {
        "questions": scores["answer_match_rate"]["of"],
        "asked": scores["answer_match_rate"]["n"],
        "right": round(scores["answer_match_rate"]["value"] * scores["answer_match_rate"]["n"]),
        "seeds": scores["seeds"],
        "notes": "".join(f"\n{each}\n" for each in scores["notes"]),
        "voices": ", ".join(by_voice),
        "by_voice": ", ".join(
            f"{who} {each['value']:.2f} of {each['n']}" for who, each in by_voice.items() if each["n"]
        ),
    }
