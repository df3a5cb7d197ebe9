"""Who a model is to be in a talk: what people, command lines and networks write, checked and made a Prompt.

Also whose voice a sound file holds, and that they agreed. Knows nothing about how a model hears and reads a
prompt, where settings lie, or what a window looks like.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app import catalog
from app.engine.events import NO_PROMPTS, Prompt, PromptSupport
from app.engine.limits import shorten
from app.engine.prompt import refuse_prompt
from app.errors import UserError
from app.files import read_bytes

ROLE_LETTERS = 2_000
"""The longest role. Some 500 tokens, each of which takes a frame: 40 s of what the model remembers."""

LETTERS_A_TOKEN = 4
"""How many letters of English a token has, about."""

WHOSE_LETTERS = 120
"""No name of a person is longer."""

VOICE_BYTES = 64 * 2**20
"""A sound file of a voice is no larger: five minutes of stereo at 48 kHz."""

VOICE_S = (1.0, 30.0)
"""How long a voice may be; each second is 12.5 frames of what a model remembers."""

VOICE_SUFFIXES = (".wav", ".flac")
"""How the name of a sound file of a voice ends."""

MOST_ROLES = 8
"""How many roles are kept."""

LINE_LETTERS = 80
"""How much of a role is shown in one line."""

SHOWN_LETTERS = 200
"""How much of a name that nobody knows is shown."""

MADE_HERE = ("tiny", "echo")
"""Models to try things out with, which take no prompt."""

_PUBLISHED_SUFFIX = ".pt"
"""Clients of the models' own servers name a voice as its file is named."""


@dataclass(frozen=True)
class OwnVoice:
    """A sound file whose speaker agreed that a model may speak with this voice."""

    file: str
    """Where it lay when that was asked."""
    sha256: str
    """What it holds: of another file of the same name nothing is known."""
    whose: str
    """The name of the speaker."""
    agreed: str
    """The day on which it was said that they agree, as 2026-11-30."""


def make_prompt(
    model: str, support: PromptSupport, voice: str, role: str, own: Sequence[OwnVoice] | None = None
) -> Prompt:
    """Return the prompt that two texts ask a model for. Raises UserError for what it does not take.

    Without `own`, as for texts that come over a network, a voice is a name of the model's and never a path:
    the disk is not even looked at. With it, a sound file may be one, if its speaker agreed.
    """
    role = tidy_role(role)
    name = voice.removesuffix(_PUBLISHED_SUFFIX)
    if name in support.voices:
        voice = name
    elif voice and own is None and support.voices:
        raise _unknown(model, voice, support)
    agreed = own is not None and is_file(voice) and find_voice(Path(voice), own) is not None
    prompt = Prompt(voice, role, consented=agreed)
    refuse_prompt(prompt, support, model)
    return prompt


def known_prompts(spec: str) -> PromptSupport | None:
    """Return which prompts a model takes that is known by name, None where only loading it tells."""
    if (known := catalog.find(spec)) is not None:
        return PromptSupport(known.voices, own_voice=bool(known.voices), role=known.takes_role)
    return NO_PROMPTS if spec in MADE_HERE else None


def fitting_prompt(
    model: str, support: PromptSupport, voice: str, role: str, own: Sequence[OwnVoice]
) -> Prompt:
    """Return the prompt for what was chosen once, for whatever model, but for what this one does not take.

    Where it has voices, it has one: without a voice they were not trained to speak.
    Raises UserError for a sound file that is gone, or is not the one that was agreed to.
    """
    return make_prompt(model, support, fitting_voice(support, voice), role if support.role else "", own)


def fitting_voice(support: PromptSupport, voice: str) -> str:
    """Return the voice that was chosen once, or the first of a model that does not have it; '' for none."""
    takes_it = support.own_voice if is_file(voice) else voice in support.voices
    usual = support.voices[0] if support.voices else ""
    return voice if takes_it else usual


def recorded_prompt(prompt: Prompt) -> dict[str, str]:
    """Return what a recording keeps of a prompt: of a sound file its name, but not where it lies."""
    voice = Path(prompt.voice).name if is_file(prompt.voice) else prompt.voice
    return {name: text for name, text in (("voice", voice), ("role", prompt.role)) if text}


def tidy_role(role: str) -> str:
    """Return a role without what can not be read, and without space at the ends. Raises UserError."""
    readable = (
        "".join(letter if letter.isprintable() else " " for letter in line).rstrip()
        for line in role.splitlines()
    )
    tidy = "\n".join(readable).strip()
    if len(tidy) > ROLE_LETTERS:
        sentence = f"The role has {len(tidy)} characters, and {ROLE_LETTERS} are the most."
        raise UserError(sentence, "Make it shorter: a model remembers only so much.")
    return tidy


def in_one_line(text: str, letters: int = LINE_LETTERS) -> str:
    """Return a role as a line of a list shows it."""
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[:letters].rstrip()}…"


def keep_role(role: str, roles: Sequence[str]) -> tuple[str, ...]:
    """Return the last roles, newest first, with this one among them."""
    return tuple(dict.fromkeys((role, *roles)))[:MOST_ROLES] if role else tuple(roles)


def is_file(voice: str) -> bool:
    """Say whether a voice is written as a sound file is, and not as a name."""
    return "/" in voice or voice.lower().endswith(VOICE_SUFFIXES)


def find_voice(path: Path, own: Sequence[OwnVoice]) -> OwnVoice | None:
    """Return what is known of the voice in a sound file, None where nobody agreed. Raises UserError."""
    if not own:
        return None
    digest = hash_voice(path)
    return next((voice for voice in own if voice.sha256 == digest), None)


def own_voice(path: Path, whose: str) -> OwnVoice:
    """Return what is kept once a person has said whose voice a file holds, and that they agree today.

    Raises UserError where the file can not be read, or holds too little or too much.
    """
    length_s, (least_s, most_s) = voice_length_s(path), VOICE_S
    if not least_s <= length_s <= most_s:
        sentence = f"{path} is {length_s:.1f} s long, and a voice has to be {least_s:.0f} to {most_s:.0f} s."
        raise UserError(sentence, "Choose a few seconds in which one person speaks.")
    who = " ".join(whose.split())[:WHOSE_LETTERS]
    return OwnVoice(str(path), hash_voice(path), who, date.today().isoformat())


def voice_length_s(path: Path) -> float:
    """Return how long a sound file is, in seconds. Raises UserError."""
    import soundfile

    hash_voice(path)
    try:
        return float(soundfile.info(path).duration)
    except (OSError, ValueError, soundfile.SoundFileError) as fault:
        raise UserError(f"{path} is no WAV or FLAC file.", "Save the voice as one of the two.") from fault


def hash_voice(path: Path) -> str:
    """Return the SHA-256 of a sound file. Raises UserError for what is none, or can not be read."""
    if not path.name.lower().endswith(VOICE_SUFFIXES):
        raise UserError(f"{path} is no WAV or FLAC file.", "Save the voice as one of the two.")
    try:
        return hashlib.sha256(read_bytes(path, VOICE_BYTES)).hexdigest()
    except FileNotFoundError as fault:
        raise UserError(f"There is no sound file {path}.", "Check the name and where it lies.") from fault
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise UserError(f"The sound file {path} can not be read: {reason}.", "Choose another one.") from fault


def _unknown(model: str, voice: str, support: PromptSupport) -> UserError:
    advice = f"Choose one of {', '.join(support.voices)}."
    return UserError(f"{model} has no voice called '{shorten(voice, SHOWN_LETTERS)}'.", advice)
