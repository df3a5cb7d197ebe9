"""What a model goes through before a talk that it was given a prompt for, frame by frame.

A voice is heard as if the model had said it, then half a second of its silence, a role one token a frame, and
silence again, while the user's side holds a tone: the procedure that PersonaPlex was trained with (NVIDIA,
arXiv 2602.06053, and its released code). Knows nothing about files, sound or text as letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from app.engine.ports import Progress
from app.engine.stepper import Stepper

SILENCE = (948, 243, 1178, 546, 1736, 1030, 1978, 2008)
"""Codes of Mimi for a frame of the model's silence, as the model was trained with them."""

TONE = (430, 1268, 381, 1611, 1095, 1495, 56, 472)
"""Codes of Mimi for a frame of the user's side: a sine of 440 Hz at half of full scale."""

SILENT_FRAMES = 6
"""Half a second, after the voice and after the role."""

LIKE_DELAYS = (0, 1)
"""Delays of codebooks, in frames, that a prompt ends with before the user is heard."""

ANY = -1
"""In the place of a code: what the model draws."""


class Voice(NamedTuple):
    """A voice as a model is given it: as codes, or as what its makers worked out of codes."""

    codes: Tensor
    """[N, 8] int64; ANY where only the temporal inputs are known."""
    inputs: Tensor | None = None
    """[N - 1, dim], the temporal inputs of its frames up to the last."""
    text: int | None = None
    """The text token of the last frame, where that is told; padding otherwise."""


NO_VOICE = Voice(torch.empty(0, len(SILENCE), dtype=torch.long))


class Script(NamedTuple):
    """What the model is to have said, frame by frame."""

    text: list[int]
    codes: Tensor
    """[P, 8] int64."""
    inputs: Tensor | None

    @property
    def frames(self) -> int:
        """Return how many frames it takes."""
        return len(self.text)


def write_script(voice: Voice, role: Sequence[int], padding: int) -> Script:
    """Return what the model is to have said, for a voice and the tokens of a role ([] for none)."""
    silence = torch.tensor([SILENCE])
    after = 2 * SILENT_FRAMES + len(role)
    text = [padding] * len(voice.codes) + [padding] * SILENT_FRAMES + [*role] + [padding] * SILENT_FRAMES
    if voice.text is not None:
        text[len(voice.codes) - 1] = voice.text
    return Script(text, torch.cat((voice.codes.cpu(), silence.expand(after, -1))), voice.inputs)


def length(voice_frames: int, role_tokens: int) -> int:
    """Return how many frames a prompt takes."""
    return voice_frames + 2 * SILENT_FRAMES + role_tokens


def follow_script(stepper: Stepper, script: Script, seed: int, progress: Progress) -> None:
    """Let a model that has just begun a talk go through a script.

    The tokens of the last frame are the first that are free, and the first that are drawn with the seed; they
    are said in the next step. Nothing that is drawn before makes a difference.
    """
    device = stepper.lm.device
    said = _at_their_places(script.codes, stepper.lm.delays[1 : 1 + script.codes.shape[1]]).to(device)
    user = torch.tensor(TONE, device=device)[None, :, None]
    inputs = None if script.inputs is None else script.inputs.to(device)
    last = script.frames - 1
    for frame in range(script.frames):
        if frame == last:
            torch.manual_seed(seed)
        if inputs is not None and frame < len(inputs):
            stepper.feed(user, inputs[frame, None])
        else:
            stepper.step(user)
        # A step draws what is fed in at the next frame.
        text = script.text[frame + 1] if frame < last else None
        stepper.force(text, said[frame + 1])
        progress(frame + 1, script.frames)


def _at_their_places(codes: Tensor, delays: Sequence[int]) -> Tensor:
    """Return codes [P + 1, 8] at the frames that they are fed in, for those [P, 8] of the frames they are of.

    The earliest of delayed codebooks, and the latest of those that are not, are ANY.
    """
    placed = [F.pad(codes[:, book], (delay, 1 - delay), value=ANY) for book, delay in enumerate(delays)]
    return torch.stack(placed, dim=1)
