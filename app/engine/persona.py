"""From a prompt to what a model hears and reads for it: a voice looked up, a role as tokens.

Knows nothing about the frames that it is fed in, nor about how a prompt was chosen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from moshi.models import LMModel

from app.engine import voices
from app.engine.build import Outline
from app.engine.events import NO_PROMPTS, Prompt, PromptSupport
from app.engine.prompt import own_voice, refuse_length, refuse_prompt, role_tokens, too_long
from app.engine.prompt_phase import LIKE_DELAYS, SILENCE, TONE, Voice, length
from app.errors import UserError
from app.frames import Samples


@dataclass
class Persona:
    """A prompt that a model takes, read."""

    details: dict[str, object]
    """What a recording keeps of it, as JSON values: of a sound file its name and SHA-256."""
    role: list[int]
    """Tokens, [] for none."""
    sound: list[Samples]
    """The frames of a voice in a sound file, [] for a voice of the model."""
    voice: Voice | None
    """None until Mimi has heard the sound."""

    @property
    def frames(self) -> int:
        """Return how many frames the model takes to go through it."""
        return length(len(self.sound) if self.voice is None else len(self.voice.codes), len(self.role))


class PromptReader:
    """Reads the prompts that one model takes."""

    def __init__(self, outline: Outline, lm: LMModel) -> None:
        """Look the model's voices up. Raises UserError where they are damaged."""
        self._checkpoint = outline.checkpoint
        self._tokenizer = outline.tokenizer
        self._context = outline.checkpoint.context
        self._shape = voices.Shape(lm.dim, lm.text_card, lm.card, tuple(lm.delays))
        self.support = self._find_support()

    def _find_support(self) -> PromptSupport:
        place, delays = self._checkpoint.voices, self._shape.delays
        # The codes of silence and of the tone are those of the released Mimi.
        fits = len(delays) == 1 + len(SILENCE) + len(TONE) and max(*SILENCE, *TONE) < self._shape.card
        if place is None or not fits or not set(delays) <= set(LIKE_DELAYS):
            return NO_PROMPTS
        found = voices.names(place)
        return PromptSupport(found, own_voice=True, role=True) if found else NO_PROMPTS

    def read(self, prompt: Prompt) -> Persona | None:
        """Return a prompt read, None where the model takes none; without a voice it has the model's first.

        Raises UserError for what the model does not take, can not read, or would not remember.
        """
        refuse_prompt(prompt, self.support, self._checkpoint.name)
        if not self.support.voices or self._checkpoint.voices is None:
            return None
        refuse_length(prompt.role, self._context)
        role = role_tokens(prompt.role, self._tokenizer)
        path = own_voice(prompt, self.support)
        if path is not None:
            persona = Persona({"voice": _identity(path)}, role, voices.read_sound(path), None)
        else:
            name = prompt.voice or self.support.voices[0]
            voice = voices.read_published(self._checkpoint.voices, name, self._shape)
            persona = Persona({"voice": name}, role, [], voice)
        persona.details["role"] = prompt.role.strip()
        if 2 * persona.frames > self._context:
            raise too_long(self._context)
        return persona


def _identity(path: Path) -> dict[str, str]:
    """Return what tells the sound of a voice from others. Raises UserError."""
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while block := file.read(2**20):
                digest.update(block)
    except OSError as fault:
        sentence = f"The sound file {path} can not be read: {fault.strerror}."
        raise UserError(sentence, "Choose another one.") from fault
    return {"file": path.name, "sha256": digest.hexdigest()}
