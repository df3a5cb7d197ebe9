"""What a model may be told before a talk, checked: its voice and its role, and the role as tokens.

Knows nothing about torch, nor about how a model hears and reads it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from app.engine.events import Prompt, PromptSupport
from app.engine.limits import shorten
from app.errors import UserError
from app.frames import FRAME_RATE

TAG = "<system>"
"""Stands before and after a role, as the model was trained; there is no slash in the second."""

LETTERS_A_FRAME = 8
"""A role with more letters for each frame of the context is not even made tokens of."""


class Tokenizer(Protocol):
    """What is asked of a SentencePiece model."""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text."""

    def unk_id(self) -> int:
        """Return the token of what is not known."""


def own_voice(prompt: Prompt, support: PromptSupport) -> Path | None:
    """Return the sound file that a prompt names as its voice, None for a voice of the model or for none."""
    if not prompt.voice or prompt.voice in support.voices:
        return None
    path = Path(os.path.expanduser(prompt.voice))
    named_so = path.suffix or path.name != prompt.voice or os.path.exists(path)
    return path if named_so else None


def refuse_prompt(prompt: Prompt, support: PromptSupport, model: str) -> None:
    """Raise UserError for a prompt that a model of this name does not take."""
    if prompt.role and not support.role:
        raise UserError(f"{model} takes no role.", "Leave the role out, or choose a model that takes one.")
    if not prompt.voice or prompt.voice in support.voices:
        return
    if not support.voices and not support.own_voice:
        advice = "Leave the voice out, or choose a model that takes one."
        raise UserError(f"{model} has one voice, and takes no other.", advice)
    path = own_voice(prompt, support)
    if path is None or not support.own_voice:
        advice = f"Choose one of {', '.join(support.voices)}."
        raise UserError(f"{model} has no voice called '{shorten(prompt.voice, 200)}'.", advice)
    if not prompt.consented:
        sentence = f"{path} may be used only with the consent of the person whose voice it is."
        raise UserError(sentence, "Ask that person, and confirm it where the voice is chosen.")
    if not os.path.isfile(path):
        raise UserError(f"There is no sound file {path}.", "Check the name and where it lies.")


def role_tokens(role: str, tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of a role between its tags, [] without one.

    A role that has both tags already is taken as it is. Raises UserError for what can not be read as it is.
    """
    text = role.strip()
    if not text:
        return []
    tagged = text.startswith(TAG) and text.endswith(TAG) and len(text) >= 2 * len(TAG)
    inner = text[len(TAG) : -len(TAG)] if tagged else text
    if TAG in inner:
        advice = f"Leave {TAG} out: it is put before and after the role."
        raise UserError(f"The role holds {TAG} in its midst, where it would end.", advice)
    tokens = list(tokenizer.encode(text if tagged else f"{TAG} {text} {TAG}"))
    if tokenizer.unk_id() in tokens:
        odd = "".join(each for each in dict.fromkeys(text) if tokenizer.unk_id() in tokenizer.encode(each))
        sentence = f"The role holds characters that the model can not read: {shorten(odd or text, 40)}."
        raise UserError(sentence, "Write it in the language of the model.")
    return tokens


def refuse_length(role: str, context: int) -> None:
    """Raise UserError for a role that could not fit a context [frames] in any language."""
    if len(role) > LETTERS_A_FRAME * context:
        raise too_long(context)


def too_long(context: int) -> UserError:
    """Return what is said of a prompt that takes more than half of what a model remembers."""
    seconds = context / FRAME_RATE
    return UserError(
        f"The prompt is too long: it may take half of the {seconds:.0f} s that the model remembers.",
        "Make the role or the voice shorter, or choose a longer context.",
    )
