"""What the command line asks of a talk, beyond what the settings say.

Knows nothing about how it is parsed or held.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings

PAGES = ("talk", "recordings", "models", "train", "settings")
"""The pages of the window, in their order."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for. None or '' leaves the choice to the settings."""

    headless: bool = False
    recording: Path | None = None
    """A parcel to open in the window."""
    page: str = ""
    """One of PAGES, which the window opens on."""
    model: str = ""
    base: str | None = None
    seconds: float | None = None
    compute_ms: float = 0.0
    record: bool | None = None
    seed: int | None = None
    voice: str = ""
    """A name of the model's, or the path of a sound file."""
    role: str | None = None
    voice_consent: bool = False
    """The speaker of the sound file agrees that a model speaks with it."""
    mode: str = ""
    engine: str = ""
    kv: str = ""
    device: str = ""
    echo: str = ""
    microphone: str | None = None
    """A device by its stable name, '' for the default one."""
    speaker: str | None = None
    input: Path | None = None


def chosen(settings: Settings, options: Options) -> Settings:
    """Return the settings with what the command line asks for in their place. Raises UserError."""
    wishes = {
        "model": options.model,
        "mode": options.mode,
        "engine": options.engine,
        "kv": options.kv,
        "device": options.device,
        "echo": options.echo,
        "record": options.record,
        "seed": options.seed,
        "voice": options.voice,
    }
    given = {name: wish for name, wish in wishes.items() if wish not in ("", None)}
    devices = {"microphone": options.microphone, "speaker": options.speaker}
    given |= {name: wish for name, wish in devices.items() if wish is not None}
    if options.role is not None:
        given["role"] = options.role
    return Settings(**(vars(settings) | given))
