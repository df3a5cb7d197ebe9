"""What a model may be told before a talk, checked: its voice and its role.

Knows nothing about torch, nor about how a model hears and reads it.
"""

from __future__ import annotations

import os
from pathlib import Path

from app.engine.events import Prompt, PromptSupport
from app.engine.limits import shorten
from app.errors import UserError


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
        sentence = f"{path} may be spoken with only if the person whose voice it is agrees."
        raise UserError(sentence, "Ask that person, and confirm it where the voice is chosen.")
    if not os.path.isfile(path):
        raise UserError(f"There is no sound file {path}.", "Check the name and where it lies.")
