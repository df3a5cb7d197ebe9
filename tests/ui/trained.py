"""Datasets and training runs as the commands leave them, made up, for tests and screenshots of the window."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app.files import write_json
from app.frames import SAMPLE_RATE
from app.store.datasets import IMPORTED, PREPARED, TimedWord, create_dataset, write_words
from app.store.runs import CONFIG, METRICS, RUN, SAMPLES
from tests.ui import dialogue
from tests.ui.recorded import MODEL_HZ, USER_HZ, _at, _hum

SAMPLE_S = 20.0
PROMPT_S = 10.0


def make_dataset(
    root: Path, name: str = "my-talks", *, dialogues: int = 3, prepared: str = "moshiko", language: str = "en"
) -> Path:
    """Make a dataset with a few dialogues, the first without words of the user, and return its folder."""
    dataset = create_dataset(root / name, language=language)
    for number in range(dialogues):
        title = f"talk-{number + 1}"
        write_sound(dataset.audio(title), seed=number)
        said = [word for word in dialogue.spoken() if word.text.strip() and word.frame < SAMPLE_S / 0.08]
        words = [
            TimedWord("A", word.text.strip(), 0.08 * word.frame, 0.08 * word.frame + 0.3) for word in said
        ]
        if number:
            words += [TimedWord("B", "yes", 3.0, 3.4)]
        write_words(dataset.text(title), words)
    finding = {
        "dialogue": "talk-2",
        "sentence": "It is clipped: 0.02 % of the left channel.",
        "done": "It was kept as it is.",
    }
    (dataset.folder / IMPORTED).write_text(json.dumps(finding) + "\n", encoding="utf-8")
    if prepared:
        write_json(dataset.folder / PREPARED, {"format": 1, "model": prepared, "dialogues": dialogues})
    return dataset.folder


def write_sound(path: Path, *, seconds: float = SAMPLE_S, seed: int = 0) -> None:
    """Write two voices that take turns as those of the made-up talk do."""
    levels = dialogue.levels()
    shift = 37 * seed
    frames = [(shift + at) % levels.shape[1] for at in range(round(seconds / 0.08))]
    model, user = _hum(MODEL_HZ), _hum(USER_HZ)
    left = np.concatenate([_at(model, levels[0, at]) for at in frames])
    right = np.concatenate([_at(user, levels[1, at]) for at in frames])
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([left, right], axis=1), SAMPLE_RATE, subtype="PCM_16", format="FLAC")


def events(
    steps: int, done: int, *, both: bool = False, every: int = 50, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """Yield what a run tells until `done` steps of `steps` are done."""
    draw = random.Random(seed)
    streams = {"text": (2.9, 1.7), "semantic": (4.6, 3.3), "acoustic": (5.4, 4.7)}
    if both:
        streams["user"] = (5.1, 4.1)
    best = math.inf

    def loss(name: str, step: int, noise: float, gap: float = 0.0) -> float:
        high, low = streams[name]
        rise = gap * max(0.0, step / steps - 0.55) * 1.6
        return low + (high - low) * math.exp(-4.2 * step / steps) + rise + draw.gauss(0, noise)

    yield {"kind": "stage", "step": 0, "text": "Reading the model", "done": 15.4e9, "total": 15.4e9}
    yield {
        "kind": "started", "step": 0, "steps": steps, "parameters": 96_000_000, "hours": 0.83,
        "held_out_hours": 0.09, "memory_gb": 20.4, "device": "NVIDIA GeForce RTX 4090",
    }  # fmt: skip
    for step in range(done + 1):
        if step and step % 5 == 0:
            values = {name: loss(name, step, 0.09) for name in streams}
            yield {
                "kind": "step", "step": step, "loss": sum(values.values()), **values, "lr_temporal": 2e-6,
                "lr_depth": 4e-6, "gradient_norm": 0.8, "audio_s_per_s": 41.3, "data_share": 0.01,
                "memory_gb": 20.1, "left_s": 1.4 * (steps - step),
            }  # fmt: skip
        if step % every == 0:
            values = {name: loss(name, step, 0.012, 0.35) for name in streams}
            total = sum(values.values())
            yield {
                "kind": "evaluation", "step": step, "loss": total, **values, "best": total < best,
                "distinct_codes": 412 - step // 20, "entropy_bits": 7.1 - 0.0004 * step,
                "padding_share": 0.71 + 0.00005 * step, "sample": f"{SAMPLES}/step-{step:06}.flac",
            }  # fmt: skip
            best = min(best, total)


def make_run(
    root: Path,
    name: str = "my-talks-1",
    *,
    state: str = "finished",
    steps: int = 1_000,
    done: int | None = None,
    both: bool = False,
    pid: int | None = None,
    warning: bool = False,
    **values: Any,
) -> Path:
    """Make the folder of a run and return it."""
    done = steps if done is None else done
    folder = root / name
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(f'model = "moshiko"\nname = "{name}"\n', encoding="utf-8")
    told = list(events(steps, done, both=both))
    if warning:
        told.append(WARNING | {"step": done})
    with (folder / METRICS).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in told)
    judged = [event for event in told if event["kind"] == "evaluation"]
    best = min(judged, key=lambda event: event["loss"])
    for event in (judged[0], best):
        write_sound(folder / event["sample"], seed=event["step"] // 50)
    run = {
        "format": 1, "name": name, "created": "2026-11-24T18:30:00+00:00", "model": "moshiko", "base": {},
        "data": ["my-talks"], "hours": 0.83, "state": state, "pid": pid, "step": done, "steps": steps,
        "best_step": best["step"], "best_loss": best["loss"], "first_loss": judged[0]["loss"],
        "sentence": "", "advice": "", **values,
    }  # fmt: skip
    write_json(folder / RUN, run)
    return folder


WARNING = {
    "kind": "warning",
    "sentence": "The voice collapses: the sample has 61 different sounds, before training it had 412.",
    "advice": "Lower the learning rates, and use an earlier checkpoint.",
}


@contextmanager
def trainer() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that looks as if it trained."""
    code = "import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code, "train"], stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()
