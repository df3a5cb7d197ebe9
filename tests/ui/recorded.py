"""Session folders of the made-up talk, written by the real recorder, for tests and screenshots."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np

from app.audio.recorder import SESSION, Recorder
from app.engine.ports import Said
from app.frames import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE, Samples
from tests.ui import dialogue

MODEL_HZ, USER_HZ = 212.5, 125.0
"""Whole periods in a frame, so that one frame of each voice will do for all."""


def record_dialogue(
    root: Path,
    *,
    model: str = "moshika",
    language: str = "en",
    started: datetime | None = None,
    span_s: tuple[float, float] = (0.0, dialogue.LENGTH_S),
    times: int = 1,
) -> Path:
    """Record a stretch of the made-up talk, `times` times in a row, and return its folder."""
    details = {"model": {"language": language}, "seed": 7}
    recorder = Recorder(root, model=model, details=details, on_failure=lambda *_: None)
    first, last = (int(edge * FRAME_RATE) for edge in span_s)
    db = dialogue.levels()[:, first:last]
    words = [word for word in dialogue.spoken() if first <= word.frame < last]
    model_voice, user = _hum(MODEL_HZ), _hum(USER_HZ)
    for turn in range(times):
        offset = turn * (last - first)
        for at in range(last - first):
            recorder.tap(offset + at, _at(user, db[1, at]), Said(_at(model_voice, db[0, at])))
        for word in words:
            fields = {"frame": word.frame - first + offset, "token": word.token, "text": word.text}
            recorder.note("spoke", fields)
    recorder.close()
    if started is not None:
        _date(recorder.folder, started)
    return recorder.folder


def cut_off(folder: Path) -> None:
    """Leave a recording as a crash leaves it: its session never ended."""
    session = json.loads((folder / SESSION).read_text(encoding="utf-8"))
    session["ended"] = None
    (folder / SESSION).write_text(json.dumps(session), encoding="utf-8")


def _hum(pitch_hz: float) -> Samples:
    """Return one frame of a buzzing voice, [FRAME_SAMPLES], at an RMS level of 0 dB."""
    time_s = np.arange(FRAME_SAMPLES) / SAMPLE_RATE
    wave = np.sum([np.sin(2 * np.pi * pitch_hz * n * time_s) / n for n in (1, 2, 3, 4, 5)], axis=0)
    return np.float32(wave / np.sqrt(np.mean(wave**2)))


def _at(voice: Samples, level_db: float) -> Samples:
    return voice * np.float32(10 ** (level_db / 20))


def _date(folder: Path, started: datetime) -> None:
    """Let a recording have begun at another time."""
    session = json.loads((folder / SESSION).read_text(encoding="utf-8"))
    session["started"] = started.astimezone().isoformat(timespec="seconds")
    (folder / SESSION).write_text(json.dumps(session), encoding="utf-8")
