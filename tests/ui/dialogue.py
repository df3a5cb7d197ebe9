"""A made-up talk of 42 s for tests and screenshots: turns, overlap, backchannels, two languages.

The same every time. What is said was written for this file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.engine.events import Event, Ready, Sampling, Skipped, Spoke, Started, Stepped
from app.frames import FRAME_RATE

LENGTH_S = 42.0
FRAMES = int(LENGTH_S * FRAME_RATE)


class Utterance(NamedTuple):
    """Who says what, from when to when in seconds; what the user says stays unwritten."""

    model: bool
    first_s: float
    last_s: float
    text: str = ""


UTTERANCES = (
    Utterance(True, 0.6, 2.0, "Hi, what's going on?"),
    Utterance(False, 2.5, 5.6),
    Utterance(True, 3.9, 4.3, "Mm."),
    Utterance(True, 6.0, 9.3, "Oh nice, how long have you been there? I imagine it must be"),
    Utterance(False, 8.5, 12.6),
    Utterance(True, 10.7, 11.2, "Right."),
    Utterance(True, 13.0, 17.0, "Ha, I have always wanted to see the lanterns over the river at night."),
    Utterance(False, 15.1, 15.5),
    Utterance(False, 17.5, 21.0),
    Utterance(True, 19.2, 19.7, "Mm-hm."),
    Utterance(True, 21.4, 25.8, "Then let me try: こんばんは、今夜は少し寒いですね。"),
    Utterance(False, 26.4, 29.2),
    Utterance(True, 27.6, 28.0, "うん。"),
    Utterance(True, 29.6, 33.4, "そうなんですね。京都には、もう長く住んでいるんですか？"),
    Utterance(False, 33.2, 37.4),
    Utterance(True, 35.0, 35.4, "へえ。"),
    Utterance(True, 37.7, 41.6, "That sounds wonderful. What do you like most about the place?"),
)

READY = Ready(
    model="moshika",
    device="NVIDIA GeForce RTX 4090",
    mode="bf16",
    memory_bytes=17_300_000_000,
    load_s=11,
    lighter="int8",
)


def pieces(text: str) -> list[str]:
    """Return a sentence as a model speaks it: words with their space, Japanese in small pieces."""
    return re.findall(r"\s*[A-Za-z'’\-]+[,.?!:]*|\s*[^\x00-\x7F、。？]{1,3}[、。？]?", f" {text}")


def levels() -> npt.NDArray[np.float32]:
    """Return the levels of the talk in dB, [2, FRAMES], row 0 the model."""
    rng = np.random.default_rng(1)
    db = np.stack([rng.normal(-78, 1.5, FRAMES), rng.normal(-63, 1.5, FRAMES)])
    for spoken in UTTERANCES:
        first, last = int(spoken.first_s * FRAME_RATE), int(spoken.last_s * FRAME_RATE)
        t = np.arange(last - first)
        syllables = -25 + 7 * np.sin(1.9 * t + spoken.first_s) - 4 * (t / max(1, last - first))
        db[0 if spoken.model else 1, first:last] = syllables + rng.normal(0, 3.5, last - first)
    return db.astype(np.float32)


def spoken() -> list[Spoke]:
    """Return the text tokens of the talk at their frames."""
    found = []
    for said in UTTERANCES:
        parts = pieces(said.text) if said.text else []
        first, last = said.first_s * FRAME_RATE, said.last_s * FRAME_RATE - 2
        frames = np.linspace(first, max(first, last), len(parts), endpoint=False)
        found += [Spoke(int(f), 1000 + i, p) for i, (f, p) in enumerate(zip(frames, parts, strict=True))]
    return sorted(found, key=lambda event: event.frame)


def started(folder: Path | None = None) -> Started:
    """Return how the talk begins."""
    return Started("moshika", 7, Sampling(), "USB headset", "USB headset", folder)


def events(first_s: float = 0.0, last_s: float = LENGTH_S, step_ms: float = 31.0) -> list[Event]:
    """Return what happens between two times of the talk, one Stepped for each frame."""
    words = spoken()
    told: list[Event] = []
    rng = np.random.default_rng(2)
    costs = rng.normal(step_ms, 1.8, FRAMES)
    lags = 176 + 8 * np.sin(np.arange(FRAMES) / 40) + rng.normal(0, 2, FRAMES)
    db = levels()
    for frame in range(int(first_s * FRAME_RATE), int(last_s * FRAME_RATE)):
        if frame == 298:
            told.append(Skipped(frame, 2))
        cost, lag = float(costs[frame]), float(lags[frame])
        told.append(Stepped(frame, float(db[1, frame]), float(db[0, frame]), cost, lag))
        told += [word for word in words if word.frame == frame]
    return told
