"""Datasets of the made-up talk on disk, with words and a check, for tests and screenshots."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app.files import write_json
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from app.store.datasets import Dataset, TimedWord, create_dataset, write_words
from tests.ui import dialogue

USER_LINES = (
    "Well I went up to the old town this morning and it was lovely",
    "About three weeks now and I still get lost all the time in those narrow little streets",
    "yes",
    "Then you should come in August when they light every one of them for three nights",
    "今日は少し寒いですね でも空がとてもきれいです",
    "もう三年になります 毎朝川のそばを歩くのが好きなんです",
)


def words() -> list[TimedWord]:
    """Return the words of both voices in the made-up talk; times in seconds."""
    found, lines = [], iter(USER_LINES)
    for said in dialogue.UTTERANCES:
        text = said.text or next(lines)
        parts = [part.strip() for part in dialogue.pieces(text)]
        weights = np.array([1.5 + len(part) for part in parts])
        edges = said.first_s + (said.last_s - said.first_s) * np.cumsum([0.0, *weights]) / weights.sum()
        speaker = "A" if said.model else "B"
        for part, start_s, end_s in zip(parts, edges, edges[1:], strict=False):
            found.append(TimedWord(speaker, part, round(float(start_s), 3), round(float(end_s) - 0.02, 3)))
    return sorted(found, key=lambda word: (word.start_s, word.speaker))


@cache
def sound(seed: int = 3) -> np.ndarray:
    """Return the talk as noise that goes up and down with each syllable, [N, 2] float32."""
    rng = np.random.default_rng(seed)
    db = np.repeat(dialogue.levels(), FRAME_SAMPLES, axis=1)
    smooth = np.hanning(FRAME_SAMPLES) / np.hanning(FRAME_SAMPLES).sum()
    gain = np.stack([np.convolve(10 ** (row / 20), smooth, mode="same") for row in db])
    return (rng.normal(0, 1, gain.shape) * gain).clip(-1, 1).T.astype(np.float32)


def make_dataset(folder: Path, dialogues: int = 3, *, language: str = "en", spoken: bool = False) -> Dataset:
    """Make a dataset of the talk, each dialogue a little shorter than the one before."""
    dataset = create_dataset(folder, language=language)
    talk = sound()
    for number in range(dialogues):
        name, length_s = f"talk-{number + 1:02}", dialogue.LENGTH_S - 4 * (number % 8)
        soundfile.write(dataset.audio(name), talk[: int(length_s * SAMPLE_RATE)], SAMPLE_RATE)
        write_words(dataset.text(name), [word for word in words() if word.end_s < length_s])
        if spoken:
            write_json(dataset.spoken(name), {"frames": int(length_s * FRAME_RATE), "tokens": [[12, 412]]})
    return dataset


def check_values(dialogues: int = 14, *, state: str = "odd") -> dict[str, Any]:
    """Return a check.json: 'fine', 'odd', 'refused', or 'unprepared'."""
    rng = np.random.default_rng(5)
    lengths = [round(float(length), 2) for length in rng.gamma(4.0, 70.0, dialogues)]
    total_s = sum(lengths)
    items = [
        {
            "dialogue": f"talk-{number + 1:02}",
            "seconds": length,
            "A_speech_s": 0.41 * length,
            "B_speech_s": 0.35 * length,
            "A_words": round(1.3 * length),
            "B_words": round(1.1 * length),
            "findings": [],
        }
        for number, length in enumerate(lengths)
    ]
    findings: list[dict[str, str]] = []
    if state in ("odd", "refused"):
        for number, sentence, advice in (
            (1, "12 of 96 words of B lie where it is silent, such as “narrow” at 41.2 s.",
             "The times do not fit the sound, or the channels are swapped."),
            (1, "One word of A is too long: “wonderful” lasts 4.2 s.", "Correct their times."),
            (6, "B speaks for 38.4 s and has no words.", "Transcribe it, or its text stays empty."),
        ):  # fmt: skip
            items[number]["findings"].append(sentence)
            findings.append(
                {
                    "dialogue": items[number]["dialogue"],
                    "severity": "odd",
                    "sentence": sentence,
                    "advice": advice,
                }
            )
        items[6]["B_words"] = 0
    bare = (0.004, 0.002)
    if state == "refused":
        bare = (0.46, 0.43)
        sentence = "46 % of the text tokens of A in kyoto are bare spaces."
        advice = "Run `aizuchi data prepare kyoto --no-whitespace-before-word`."
        findings.insert(0, {"dialogue": "", "severity": "refused", "sentence": sentence, "advice": advice})
    if state == "unprepared":
        sentence, advice = "kyoto is not prepared yet.", "Run `aizuchi data prepare kyoto`."
        findings.insert(0, {"dialogue": "", "severity": "odd", "sentence": sentence, "advice": advice})
    edges = [60 * n for n in range(int(max(lengths) // 60) + 2)]
    known = state != "unprepared"

    def voice(
        share: float, words_a_s: float, rate: float, padding: float, bare_share: float
    ) -> dict[str, Any]:
        return {
            "speech_s": share * total_s,
            "speech_share": share,
            "words": round(words_a_s * total_s),
            "tokens": round(rate * total_s) if known else None,
            "tokens_per_s": rate if known else None,
            "padding_share": padding if known else None,
            "bare_space_share": bare_share if known else None,
            "with_text": dialogues,
        }

    return {
        "dialogues": dialogues,
        "hours": total_s / 3600,
        "language": "ja" if state == "refused" else "en",
        "A": voice(0.41, 1.3, 1.9, 0.848, bare[0]),
        "B": voice(0.35, 1.1, 1.6, 0.872, bare[1]),
        "overlap_share": 0.056,
        "turns_per_minute": 8.4,
        "pauses_per_minute": 11.2,
        "gaps_per_minute": 6.1,
        "overlaps_per_minute": 4.7,
        "backchannels_per_minute": 2.3,
        "lengths_s": {
            "edges": edges,
            "counts": [sum(low <= s < high for s in lengths) for low, high in pairwise(edges)],
        },
        "items": items,
        "findings": findings,
        "refused": state == "refused",
    }


def write_check(dataset: Dataset, values: dict[str, Any]) -> None:
    """Put a check into a dataset, newer than all that it was made of."""
    (dataset.folder / "check.json").write_text(json.dumps(values), encoding="utf-8")
