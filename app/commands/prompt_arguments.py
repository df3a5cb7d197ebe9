"""A voice and a role on the command line: their arguments, the question of consent, and the prompt of them.

Knows nothing about how a talk is held.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from app.engine.events import Prompt, PromptSupport
from app.errors import UserError
from app.files import named, read_bytes
from app.prompts import (
    find_voice,
    fitting_prompt,
    is_file,
    known_prompts,
    make_prompt,
    own_voice,
    tidy_role,
)
from app.settings import MOST_VOICES, Settings, save

ROLE_BYTES = 2**20
"""A file with a role is no larger, whatever its encoding."""

HELD = "It is used only with the consent of that person."


class Asked(Protocol):
    """What a command line asks for; None and '' leave the choice to the settings."""

    @property
    def model(self) -> str:
        """The model to talk with."""

    @property
    def voice(self) -> str:
        """A name of the model's, or the path of a sound file."""

    @property
    def role(self) -> str | None:
        """What the model is told about its part; '' is none."""

    @property
    def voice_consent(self) -> bool:
        """Whether it says that the speaker of the sound file agrees."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --voice, --role and --voice-consent."""
    add = parser.add_argument
    add("--voice", default="", type=_voice, metavar="NAME|FILE", help="the voice, where a model has a choice")
    add("--voice-consent", action="store_true", help="the voice in FILE is mine, or its speaker agrees")
    add("--role", type=_role, metavar="TEXT|@FILE", help="who the model is to be, where it takes a role")


def settle(settings: Settings, asked: Asked, path: Path) -> Settings:
    """Return the settings, kept at `path`, with the consent for the voice that is asked for.

    Raises UserError, before a model is loaded, for what a known one does not take, and where nobody agrees.
    """
    spec = asked.model or settings.model
    support = known_prompts(spec)
    if support is None or support.own_voice:
        settings = _agree(settings, asked, path)
    if support is not None:
        asked_prompt(spec, support, settings, asked)
    return settings


def asked_prompt(model: str, support: PromptSupport, settings: Settings, asked: Asked) -> Prompt:
    """Return the prompt of a talk: what was asked for, else what the settings hold and the model takes.

    Raises UserError for what was asked for and the model does not take.
    """
    own = settings.own_voices
    chosen_voice = "" if asked.voice else settings.voice
    kept = fitting_prompt(model, support, chosen_voice, settings.role, own)
    role = kept.role if asked.role is None else asked.role
    return make_prompt(model, support, asked.voice or kept.voice, role, own)


def _agree(settings: Settings, asked: Asked, path: Path) -> Settings:
    """Ask a person at a terminal once for each file, if there is no --voice-consent, and keep the answer."""
    if not is_file(asked.voice) or find_voice(Path(asked.voice), settings.own_voices) is not None:
        return settings
    file = Path(asked.voice)
    if not (asked.voice_consent or (sys.stdin.isatty() and sys.stderr.isatty())):
        sentence = f"{file} may be used only with the consent of the person whose voice it is."
        raise UserError(sentence, "Add --voice-consent if it is your own voice, or that person agrees.")
    voice = own_voice(file, "" if asked.voice_consent else _ask(file))
    agreed = replace(settings, own_voices=(voice, *settings.own_voices)[:MOST_VOICES])
    save(path, agreed)
    return agreed


def _ask(file: Path) -> str:
    """Return the name of the speaker, who agrees. Raises UserError where they do not, or nobody answers."""
    whose = _answer(f"Whose voice is in {file}? ").strip()
    question = f"Does {whose} agree that a model speaks with this voice? It may be your own. [y/N] "
    if not whose or _answer(question).strip().lower() not in ("y", "yes"):
        raise UserError(f"The voice in {file} is not used.", HELD)
    return whose


def _answer(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return input()
    except EOFError:
        return ""


def _voice(text: str) -> str:
    return str(named(text)) if is_file(text) else text


def _role(text: str) -> str:
    try:
        return tidy_role(_read_role(named(text[1:])) if text.startswith("@") else text)
    except UserError as fault:
        raise argparse.ArgumentTypeError(f"{fault.sentence} {fault.advice}") from fault


def _read_role(path: Path) -> str:
    try:
        return read_bytes(path, ROLE_BYTES).decode()
    except UnicodeDecodeError as fault:
        raise UserError(f"{path} is no text in UTF-8.", "Save the role as plain text.") from fault
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise UserError(f"The role {path} can not be read: {reason}.", "Check the name.") from fault
