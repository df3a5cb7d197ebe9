"""The two shapes that the conversation loop asks for: where sound comes and goes, and what answers.

Anything of these shapes will do: a sound card, a wav file, a test; Moshi, an echo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from app.engine.events import Prompt, PromptSupport, Sampling
from app.frames import Heard, Lost, Samples


class FramePort(Protocol):
    """A source and sink of 80 ms frames. One thread calls `take` and `give`, another may call `close`."""

    def take(self) -> Heard | Lost | None:
        """Wait for the next frame of the user; None when no more will come.

        A device that brings nothing is no reason to wait: the time that passes comes as Lost, bit by bit.
        Raises UserError when the device behind it is gone for good.
        """

    def give(self, said: Samples) -> None:
        """Hand over one frame of the model, [FRAME_SAMPLES] float32, to be played after the one before."""

    def close(self) -> None:
        """Let go of the device or file; a waiting `take` returns None soon. Calling it again does nothing."""


class Said(NamedTuple):
    """One frame from the model."""

    samples: Samples
    """[FRAME_SAMPLES] float32."""
    token: int | None = None
    """The text token of this frame, None where the frame carries no text (padding)."""
    text: str = ""
    """What became readable with this token; '' inside a multi-byte character."""


Progress = Callable[[int, int], None]
"""Told (done_frames, total_frames) while a model hears and reads its prompt."""


class Model(Protocol):
    """Something that listens and speaks at once, one frame at a time."""

    name: str

    @property
    def details(self) -> dict[str, object]:
        """What a recording keeps about this model, as JSON values: repo or folder, hash, device, dtype."""

    def step(self, heard: Samples) -> Said:
        """Hear one frame, [FRAME_SAMPLES] float32, and say one."""

    def set_sampling(self, sampling: Sampling) -> None:
        """Draw the tokens of the following frames this way."""

    @property
    def prompt_support(self) -> PromptSupport:
        """Which prompts it takes."""

    def set_prompt(self, prompt: Prompt) -> None:
        """Hear and read this at each `restart` from the next one on.

        Raises UserError, and keeps the prompt of before, for one that the model does not take.
        """

    def restart(self, seed: int, progress: Progress | None = None) -> None:
        """Forget the conversation and go through the prompt, which may take seconds.

        The next frame is the first of a new conversation, drawn with this seed.
        """

    def close(self) -> None:
        """Give back the memory. The model can not be used afterwards."""
