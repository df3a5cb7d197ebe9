"""Starts and steers one talk after the other for the Talk page: commands go in, figures come out.

Knows nothing about widgets; what happens in the talk comes as events from the session, not from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QCoreApplication

from app.audio.devices import list_devices
from app.audio.duplex import Counters, Duplex
from app.commands.headless import NO_DEVICES, recorded_user
from app.engine.events import Mute, Prompt, Restart
from app.engine.ports import FramePort
from app.errors import UserError
from app.session import Session, Talk
from app.settings import Settings
from app.ui.shell.translation import told


class SoundPort(FramePort, Protocol):
    """A frame port with a volume, an echo canceller and figures, as the sound card has them."""

    volume: float

    def cancel_echo(self, wish: str, *, suppress_noise: bool) -> None:
        """Cancel echo as wished, one of ECHO_WISHES; may be called from any thread."""

    def switch(self, microphone: str, speaker: str) -> None:
        """Go on with other devices, by their names; may be called from any thread."""

    def counters(self) -> Counters:
        """Return how the sound is doing; may be called from any thread."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for beyond the settings."""

    seconds: float | None = None
    compute_ms: float = 0.0


class Conversation:
    """One session's talks. Every method returns at once."""

    def __init__(
        self,
        session: Session,
        recordings: Path,
        wishes: Wishes | None = None,
        open_sound: Callable[[Settings], SoundPort] | None = None,
    ) -> None:
        self._session = session
        self._recordings = recordings
        self._wishes = wishes or Wishes()
        self._open_sound = open_sound or self._open_devices
        # Written by the engine thread when it opens a talk, only read here; an old one does no harm.
        self._sound: SoundPort | None = None
        self._prompt = Prompt()
        """That of the talk."""

    def start(self, settings: Settings, prompt: Prompt, microphone: str, speaker: str) -> None:
        """Begin a talk; `microphone` and `speaker` are the names for people."""
        wishes = self._wishes
        self._prompt = prompt
        self._sound = None
        self._session.start(
            Talk(
                open_port=lambda: self._open(settings),
                sampling=settings.sampling(),
                prompt=prompt,
                seed=new_seed(settings),
                recordings=self._recordings,
                record=settings.record,
                microphone=microphone,
                speaker=speaker,
                max_s=wishes.seconds,
                compute_ms=wishes.compute_ms,
            )
        )

    def stop(self) -> None:
        """End the talk and keep the model."""
        self._session.stop()

    def mute(self, muted: bool) -> None:
        """Let the model hear silence, or the microphone again."""
        self._session.send(Mute(muted))

    def restart(self, settings: Settings, prompt: Prompt) -> None:
        """Let the model forget what was said and begin anew, after this prompt."""
        if prompt != self._prompt:
            self._session.send(prompt)
            self._prompt = prompt
        self._session.send(Restart(new_seed(settings)))

    def record(self, on: bool) -> None:
        """Switch the recording of the running talk."""
        self._session.record(on)

    def sample(self, settings: Settings) -> None:
        """Draw the next tokens in another way."""
        self._session.send(settings.sampling())

    def set_volume(self, volume: float) -> None:
        """Play louder or softer, 0..1."""
        if self._sound is not None:
            self._sound.volume = volume

    def switch(self, settings: Settings) -> None:
        """Go on with the devices of the settings."""
        if self._sound is not None:
            self._sound.switch(settings.microphone, settings.speaker)

    def cancel_echo(self, settings: Settings) -> None:
        """Cancel echo as the settings say."""
        if self._sound is not None:
            self._sound.cancel_echo(settings.echo, suppress_noise=settings.suppress_noise)

    def counters(self) -> Counters | None:
        """Return how the sound is doing; None while no talk has opened it."""
        return self._sound.counters() if self._sound is not None and self._session.port is not None else None

    def _open(self, settings: Settings) -> FramePort:
        """Open the sound, or a recorded user where there is none; called on the engine thread."""
        try:
            sound = self._open_sound(settings)
        except UserError:
            if list_devices():
                raise
            advice = QCoreApplication.translate("Conversation", "Plug in a headset and start again.")
            self._session.report(told(NO_DEVICES), advice)
            return recorded_user()
        sound.volume = settings.volume
        self._sound = sound
        return sound

    def _open_devices(self, settings: Settings) -> SoundPort:
        return Duplex(
            settings.microphone,
            settings.speaker,
            echo=settings.echo,
            suppress_noise=settings.suppress_noise,
            keeps_time=True,
            report=self._session.report,
        )


def new_seed(settings: Settings) -> int:
    """Return the seed of the settings, or one drawn for this talk."""
    return secrets.randbelow(2**31) if settings.seed is None else settings.seed
