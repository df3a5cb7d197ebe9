"""What listens in the tests: an ear for tones, and a stand-in with the signatures of faster-whisper 1.2.1.

`run` transcribes with one of them, as the command does.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.store.datasets import Dataset
from training.data.recogniser import RECOGNISER_RATE, HeardWord
from training.data.transcribe import Listener, Outcome, plan, transcribe
from training.progress import Progress

TONES = {"red": 400.0, "green": 700.0, "blue": 1000.0, "black": 1300.0, "white": 1600.0}
WORD_S = 0.3

Placed = Sequence[tuple[str, float]]
"""Words of TONES, and where each begins."""

Mono = npt.NDArray[np.float32]


@dataclass
class ToneEar:
    """Hears each tone exactly, adds what it is told to, and holds what it is given to what was promised."""

    adds: Callable[[float], list[HeardWord]] = lambda length_s: []
    before: Callable[[], None] = lambda: None
    lengths_s: list[float] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)

    def hear(self, samples: Mono, language: str) -> list[HeardWord]:
        self.before()
        length_s = len(samples) / RECOGNISER_RATE
        assert samples.dtype == np.float32
        assert length_s < 26
        self.lengths_s.append(length_s)
        self.languages.add(language)
        return list(tones(samples)) + self.adds(length_s)


def tones(samples: Mono) -> Iterator[HeardWord]:
    step = RECOGNISER_RATE // 200
    loud = np.abs(samples[: len(samples) // step * step].reshape(-1, step)).max(axis=1) > 0.05
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(np.int8))).reshape(-1, 2)
    silences = np.diff(np.concatenate(([0], edges.ravel(), [len(loud)])))[::2] * step / RECOGNISER_RATE
    assert max(silences) < 1.5, "a recogniser is given no long silence"
    for first, end in edges:
        sound = samples[first * step : end * step]
        peak_hz = np.abs(np.fft.rfft(sound)).argmax() * RECOGNISER_RATE / len(sound)
        text = min(TONES, key=lambda name: abs(TONES[name] - peak_hz))
        yield HeardWord(f" {text}", first * step / RECOGNISER_RATE, end * step / RECOGNISER_RATE, 0.9)


@dataclass
class Word:
    start: float
    end: float
    word: str
    probability: float


@dataclass
class Segment:
    words: list[Word] | None


@dataclass
class WhisperModel:
    """What `faster_whisper.WhisperModel` takes, gives and raises, with an ear for tones."""

    model_size_or_path: str
    device: str = "auto"
    compute_type: str = "default"
    local_files_only: bool = False

    def __post_init__(self) -> None:
        if not Path(self.model_size_or_path).is_dir():
            if self.model_size_or_path not in available_models():
                raise ValueError(
                    f"Invalid model size '{self.model_size_or_path}', expected one of: tiny, base"
                )
            from huggingface_hub.errors import LocalEntryNotFoundError

            assert self.local_files_only
            raise LocalEntryNotFoundError("Cannot find an appropriate cached snapshot folder.")
        if self.device == "cuda":
            raise RuntimeError("CUDA failed with error no CUDA-capable device is detected")

    @property
    def supported_languages(self) -> list[str]:
        return ["en", "ja"]

    def transcribe(
        self,
        audio: Mono,
        language: str | None = None,
        *,
        condition_on_previous_text: bool = True,
        word_timestamps: bool = False,
        vad_filter: bool = False,
    ) -> tuple[Iterable[Segment], object]:
        assert language in ("en", "ja")
        assert word_timestamps
        assert not condition_on_previous_text
        assert not vad_filter
        return self._segments(audio), object()

    def _segments(self, audio: Mono) -> Iterator[Segment]:
        yield Segment(words=None)
        for word in tones(audio):
            times = np.float64(word.start_s), np.float64(word.end_s)
            yield Segment([Word(*times, word.text, np.float32(0.8))])  # type: ignore[arg-type]


def available_models() -> list[str]:
    return ["tiny", "medium", "distil-small.en"]


@pytest.fixture
def whisper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stand in for faster-whisper, and return a folder that looks like a model."""
    library = types.ModuleType("faster_whisper")
    library.WhisperModel = WhisperModel  # type: ignore[attr-defined]
    library.available_models = available_models  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", library)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = tmp_path / "whisper"
    folder.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).touch()
    return folder


def run(
    dataset: Dataset, ear: Any, *, language: str = "en", again: bool = False, voices: str = "AB"
) -> Outcome:
    outcome = Outcome()
    tasks = plan(dataset, tuple(voices), again=again).tasks  # type: ignore[arg-type]
    with Progress("Transcribing", 1, "s", as_json=True) as progress:
        transcribe(dataset, tasks, Listener(ear, "tones", language), progress, outcome, again=again)
    return outcome
