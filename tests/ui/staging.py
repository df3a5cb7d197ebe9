"""A session and a sound card for the window where there is neither model nor sound."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from app.audio.devices import Device
from app.audio.duplex import Counters
from app.engine.events import (
    AUTO,
    Command,
    Event,
    Loadout,
    Mute,
    Muted,
    Ready,
    Restart,
    Restarted,
    Started,
    Stopped,
    Trouble,
)
from app.engine.ports import FramePort
from app.frames import Heard, Samples
from app.paths import Paths, paths
from app.session import Talk
from app.settings import Settings
from app.ui.models.gpu_memory import CardMemory
from app.ui.shell.window import MainWindow
from app.ui.talk.conversation import Conversation
from tests.ui import dialogue

DEVICES = [
    Device("pulse/headset", "USB headset", "in", True, 48_000),
    Device("pulse/webcam", "HD Pro Webcam C920 Analog Stereo", "in", False, 32_000),
    Device("pulse/headset", "USB headset", "out", True, 48_000),
    Device("pulse/hdmi", "HDMI / DisplayPort 2", "out", False, 44_100),
]


class Sound:
    """A sound card that plays nothing; its counters are what they are set to."""

    def __init__(self) -> None:
        self.volume = 1.0
        self.echo = ("", False)
        self.devices = ("", "")
        self.figures = Counters(
            180, -14, -19, 0, 0, 20, 110, 60, 0, 0, 0, 0, "pulse/headset", "pulse/headset"
        )

    def take(self) -> Heard | None:
        return None

    def give(self, said: Samples) -> None:
        pass

    def close(self) -> None:
        pass

    def switch(self, microphone: str, speaker: str) -> None:
        self.devices = (microphone, speaker)

    def cancel_echo(self, wish: str, *, suppress_noise: bool) -> None:
        self.echo = (wish, suppress_noise)

    def counters(self) -> Counters:
        return self.figures


class StagedSession:
    """A session without a thread: keeps what it is asked, and answers at once."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.cache: Path | None = None
        """Where the last load was to keep tests of the card."""
        self.base: str | None = None
        self.mode = AUTO
        """What the last load named beside the model."""
        self.port: FramePort | None = None
        self._events: list[Event] = []
        self._talk: Talk | None = None

    def tell(self, events: Iterable[Event]) -> None:
        """Let these be the next events."""
        self._events += events

    def drain(self) -> list[Event]:
        drained, self._events = self._events, []
        return drained

    def load(
        self,
        spec: str,
        base: str | None = None,
        cache: Path | None = None,
        loadout: Loadout | None = None,
        **_: object,
    ) -> None:
        self.cache, self.base, self.mode = cache, base, (loadout or Loadout()).mode
        self.asked.append(("load", spec))
        self.tell([replace(dialogue.READY, model=spec)])

    def unload(self) -> None:
        self.asked.append("unload")

    def start(self, talk: Talk) -> None:
        self.asked.append(talk)
        self._talk = talk
        self.port = talk.open_port()
        folder = talk.recordings / "talk" if talk.recordings else None
        self.tell([Started("moshika", talk.seed, talk.sampling, talk.microphone, talk.speaker, folder)])

    def send(self, command: Command) -> None:
        self.asked.append(command)
        match command:
            case Mute(muted):
                self.tell([Muted(0, muted)])
            case Restart(seed):
                self.tell([Restarted(0, seed)])

    def record(self, on: bool) -> None:
        self.asked.append(("record", on))

    def stop(self) -> None:
        self.asked.append("stop")
        if self.port is not None:
            self.port = None
            folder = self._talk.recordings / "talk" if self._talk and self._talk.recordings else None
            self.tell([Stopped(dialogue.FRAMES, folder)])

    def report(self, sentence: str, advice: str) -> None:
        self.tell([Trouble(sentence, advice)])

    def close(self) -> None:
        self.asked.append("close")


class Stage:
    """A window on a staged session, with a clock that is moved by hand."""

    def __init__(self, settings: Settings | None = None, where: Paths | None = None) -> None:
        self.where = where or paths(Path(tempfile.mkdtemp()))
        self.session = StagedSession()
        self.sound = Sound()
        conversation = Conversation(self.session, self.where.recordings, open_sound=lambda _: self.sound)
        self.window = MainWindow(
            self.session,
            settings or Settings(),
            self.where,
            conversation,
            find_devices=lambda: DEVICES,
            look_at_card=lambda: CardMemory(18_100_000_000, 25_757_220_864, 7_200_000_000),
        )
        self.page = self.window.talk

    def beat(self, *events: Event, elapsed_ms: float = 33.0) -> None:
        """Let one tick of the window pass, with these events beside what the session has to tell."""
        self.session.tell(events)
        self.window.tick(self.session.drain(), elapsed_ms)

    def load(self, ready: Ready = dialogue.READY) -> None:
        """Let a model be in memory."""
        self.beat(ready)

    def talk(self, first_s: float = 0.0, last_s: float = dialogue.LENGTH_S, **how: float) -> None:
        """Start a talk if none runs, and let the dialogue happen between two times, a tick for each frame."""
        if not self.page.talking:
            self.page.start()
            self.beat()
        for event in dialogue.events(first_s, last_s, **how):
            self.beat(event, elapsed_ms=80.0 if type(event).__name__ == "Stepped" else 0.0)

    def stop(self) -> None:
        """End the talk."""
        self.session.stop()
        self.beat()
