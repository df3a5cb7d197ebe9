"""The two shapes that the conversation loop asks for: where sound comes and goes, and what answers.

Anything of these shapes will do: a sound card, a wav file, a test; Moshi, an echo.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from app.engine.events import Sampling
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

    def restart(self, seed: int) -> None:
        """Forget the conversation; the next frame is the first of a new one, drawn with this seed."""

    def close(self) -> None:
        """Give back the memory. The model can not be used afterwards."""
