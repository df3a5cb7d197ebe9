"""Ports and models of the right shape for tests of the loop and the session, small enough to be read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np

from app.engine.events import Prompt, PromptSupport, Sampling
from app.engine.ports import Progress, Said
from app.engine.prompt import refuse_prompt
from app.frames import FRAME_SAMPLES, Heard, Lost, Samples
from app.prompts import recorded_prompt


def tone(level: float) -> Samples:
    """Return one frame whose every sample is `level`."""
    return np.full(FRAME_SAMPLES, level, dtype=np.float32)


class ListPort:
    """A port that lets the model hear a list of frames and keeps what it says."""

    def __init__(self, frames: Iterable[Heard | Lost]) -> None:
        self._frames = iter(frames)
        self._closed = threading.Event()
        self.given: list[Samples] = []

    def take(self) -> Heard | Lost | None:
        return None if self._closed.is_set() else next(self._frames, None)

    def give(self, said: Samples) -> None:
        self.given.append(said)

    def close(self) -> None:
        self._closed.set()


class HalfLoud:
    """A model that says what it hears at half the level and keeps what it is told.

    `words` maps a frame to the (token, text) that is spoken there; `fail_at` raises in that frame.
    """

    name = "half-loud"

    def __init__(
        self,
        words: dict[int, tuple[int, str]] | None = None,
        fail_at: int | None = None,
        at_step: Callable[[int], None] = lambda frame: None,
        support: PromptSupport | None = None,
    ) -> None:
        self.support = support or PromptSupport()
        self.told: list[Sampling | Prompt | int | str] = []
        self._prompt = Prompt()
        self._words = words or {}
        self._fail_at = fail_at
        self._at_step = at_step
        self._frame = 0

    @property
    def details(self) -> dict[str, object]:
        return {"kind": "half-loud", "persona": recorded_prompt(self._prompt)}

    def step(self, heard: Samples) -> Said:
        self._at_step(self._frame)
        if self._frame == self._fail_at:
            raise RuntimeError("the model tripped")
        token, text = self._words.get(self._frame, (None, ""))
        self._frame += 1
        return Said(heard * np.float32(0.5), token, text)

    def set_sampling(self, sampling: Sampling) -> None:
        self.told.append(sampling)

    @property
    def prompt_support(self) -> PromptSupport:
        return self.support

    def set_prompt(self, prompt: Prompt) -> None:
        refuse_prompt(prompt, self.support, self.name)
        self._prompt = prompt
        self.told.append(prompt)

    def restart(self, seed: int, progress: Progress | None = None) -> None:
        self.told.append(seed)
        if progress is not None and self._prompt != Prompt():
            progress(1, 1)

    def close(self) -> None:
        self.told.append("closed")
