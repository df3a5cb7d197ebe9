"""A talk without a window: words as they come, one line of figures, and what it leaves behind.

With sound devices through them; without, in real time with the recorded user that comes with the
program. Knows nothing about models beyond their names.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from app.cli import FAULT, child_command
from app.commands.prompt_arguments import asked_prompt
from app.engine.events import (
    Event,
    Failed,
    Loading,
    Prompt,
    Prompting,
    Ready,
    RecordingEnded,
    Skipped,
    Spoke,
    Started,
    Starved,
    Stepped,
    Stopped,
    Trouble,
)
from app.errors import UserError
from app.frames import FRAME_MS, FRAME_RATE, LATE, seconds
from app.options import chosen
from app.prompts import in_one_line
from app.session import Session, Talk
from app.store.recordings import open_recording

if TYPE_CHECKING:
    from app.audio.wav import WavPort
    from app.engine.ports import FramePort
    from app.options import Options
    from app.paths import Paths
    from app.settings import Settings

BUNDLED_USER = Path(__file__).parents[1] / "data" / "user.flac"

TAIL_S = 4.0
"""How long the model may go on after a recorded user has ended."""

READING = "The model is reading its voice and role, and can not hear you yet."

LOOK_S = 0.1
PAUSE_FRAMES = 12
"""A second without a word begins a new line."""

LINE_CHARACTERS = 60
PICTURE_S = 120.0

NO_DEVICES = "There are no sound devices: a recorded user speaks in your place, and nothing is played."

REPLACED = {
    "devices": NO_DEVICES,
    "microphone": "There is no microphone: a recorded user speaks in your place, and nothing is played.",
    "speaker": "There is no speaker: a recorded user speaks in your place, and nothing is played.",
}
"""What is said where a talk goes on without devices, by what they lack."""

TINY = """The model is “tiny”: random weights of no use but to try things out; what it says is babble.
`aizuchi models list` shows the real ones, and `aizuchi talk --model moshika` talks with one of them."""


def run(where: Paths, settings: Settings, options: Options) -> int:
    """Hold a talk, print it and where its recording is, and return the exit status."""
    held, settings = settings, chosen(settings, options)
    if settings.model == "tiny":
        _say(TINY)
    session = Session()
    with Interrupt() as interrupt:
        session.load(
            settings.model,
            base=options.base,
            models=where.models,
            loadout=settings.loadout(),
            cache=where.cache,
        )
        ready = _await_model(session, interrupt)
        try:
            prompt = asked_prompt(ready.model, ready.prompts, held, options)
            session.start(_talk(session, where, settings, options, prompt))
            page = Page(sys.stdout)
            folder = _follow(session, page, interrupt)
        finally:
            session.close()
    if folder is not None:
        _leave_behind(folder, where)
    return 0 if page.failed is None else FAULT


def _await_model(session: Session, interrupt: Interrupt) -> Ready:
    """Return the model once it is ready. Raises UserError when it can not be loaded."""
    progress = Progress()
    while not interrupt.asked:
        for event in session.drain():
            if isinstance(event, Failed):
                progress.end()
                session.close()
                raise UserError(event.sentence, event.advice)
            if isinstance(event, Ready):
                progress.end()
                _say(ready_words(event))
                return event
            if isinstance(event, Loading):
                progress.show(event)
            elif isinstance(event, Trouble):
                progress.end()
                _say(f"{event.sentence} {event.advice}".strip())
        time.sleep(LOOK_S)
    # A load can not be broken off; its thread ends with the program.
    raise KeyboardInterrupt


def ready_words(ready: Ready) -> str:
    """Return a line about a model that is in memory, and what is known about the card with it."""
    checked = f" {ready.checked[0].upper()}{ready.checked[1:]}." if ready.checked else ""
    return f"{ready.model} is ready on {ready.device} ({ready.mode}), {ready.load_s:.1f} s.{checked}"


class Progress:
    """Tells the stages of a load and, where a line can be written anew, how far each has come."""

    def __init__(self) -> None:
        self._stage = ""
        self._live = sys.stderr.isatty()

    def show(self, event: Loading) -> None:
        """Show how far a load has come."""
        begins = event.stage != self._stage
        if begins:
            self.end()
        self._stage = event.stage
        if self._live:
            done_gb, total_gb = event.done_bytes / 1e9, event.total_bytes / 1e9
            share = f"  {done_gb:.1f} of {total_gb:.1f} GB" if total_gb >= 0.1 else ""
            print(f"\r\x1b[K{event.stage}{share}", end="", file=sys.stderr, flush=True)
        elif begins:
            _say(event.stage)

    def show_prompt(self, event: Prompting) -> None:
        """Show how far the model has come with its prompt, in which time it hears nobody."""
        begins = self._stage != READING
        self._stage = READING
        if self._live:
            share = event.done_frames / max(1, event.total_frames)
            print(f"\r\x1b[K{READING}  {share:.0%}", end="", file=sys.stderr, flush=True)
        elif begins:
            _say(READING)

    def end(self) -> None:
        """End the line that is written anew."""
        if self._live and self._stage:
            _say("")
        self._stage = ""


def _talk(session: Session, where: Paths, settings: Settings, options: Options, prompt: Prompt) -> Talk:
    open_port, microphone, speaker = _choose_port(session, settings, options)
    return Talk(
        open_port=open_port,
        sampling=settings.sampling(),
        prompt=prompt,
        seed=secrets.randbelow(2**32) if settings.seed is None else settings.seed,
        recordings=where.recordings,
        record=settings.record,
        microphone=microphone,
        speaker=speaker,
        max_s=options.seconds,
        compute_ms=options.compute_ms,
    )


def _choose_port(
    session: Session, settings: Settings, options: Options
) -> tuple[Callable[[], FramePort], str, str]:
    """Return what opens the port, and names for the two ends of it."""
    source = options.input
    if source is None:
        lacking, microphone, speaker = _look_at_devices(settings)
        if lacking not in REPLACED:
            return lambda: _open_devices(session, settings), microphone, speaker
        _say(REPLACED[lacking])
        source = BUNDLED_USER
    # Read before the talk begins, so that a file that is no audio is told at once.
    port = recorded_user(source)
    return lambda: port, source.name, ""


def recorded_user(source: Path = BUNDLED_USER) -> WavPort:
    """Open a user that speaks from a file in real time, and lets the model finish. Raises UserError."""
    from app.audio.wav import WavPort

    return WavPort(source, realtime=True, tail_s=TAIL_S)


def _look_at_devices(settings: Settings) -> tuple[str, str, str]:
    """Return what the devices lack for a talk, '' for nothing, and the labels of those that will be used."""
    from app.audio.devices import all_devices, find, lack, or_default

    try:
        devices = all_devices()
    except UserError as fault:
        _say(f"{fault.sentence} {fault.advice}")
        return "devices", "", ""
    chosen = or_default({"in": settings.microphone, "out": settings.speaker}, devices)
    used = (find(name, kind, devices) for kind, name in chosen.items())
    microphone, speaker = ("" if device is None else device.label for device in used)
    return lack(chosen, devices), microphone, speaker


def _open_devices(session: Session, settings: Settings) -> FramePort:
    from app.audio.duplex import Duplex

    port = Duplex(
        settings.microphone,
        settings.speaker,
        echo=settings.echo,
        suppress_noise=settings.suppress_noise,
        keeps_time=True,
        report=session.report,
    )
    port.volume = settings.volume
    return port


def _follow(session: Session, page: Page, interrupt: Interrupt) -> Path | None:
    """Show the talk until it is over, and return its recording."""
    progress = Progress()
    while True:
        for event in session.drain():
            if isinstance(event, Prompting):
                progress.show_prompt(event)
                continue
            progress.end()
            page.show(event)
            if isinstance(event, Stopped):
                page.close()
                return event.folder
        if interrupt.asked:
            session.stop()
        session.wait(LOOK_S)


@dataclass
class Page:
    """Prints a talk: a line for each utterance of the model, figures behind the line that is growing."""

    out: TextIO
    failed: Failed | None = None
    frames: int = 0
    skipped: int = 0
    lost: int = 0
    """Frames without sound for any reason but that the model was late."""
    starved: int = 0
    slowest_ms: float = 0.0
    _first_frame: int = 0
    _last_frame: int = 0
    _words: str = ""
    _figures: str = ""
    _steps_ms: list[float] = field(default_factory=list)
    _lags_ms: list[float] = field(default_factory=list)

    def show(self, event: Event) -> None:
        """Show what an event changes."""
        match event:
            case Started(microphone=microphone):
                self._note(f"Talking (microphone: {microphone or 'default'}). Ctrl+C ends the talk.")
            case Stepped():
                self._step(event)
            case Spoke(frame=frame, text=text):
                self._speak(frame, text)
            case Skipped(frame=frame, frames=frames, reason=reason):
                self.frames = frame + frames
                if reason == LATE:
                    self.skipped += frames
                else:
                    self.lost += frames
            case Starved(frames=frames):
                self.starved += frames
            case Failed():
                self.failed = event
                self._note(f"{event.sentence} {event.advice}")
            case RecordingEnded(sentence=sentence, advice=advice) if sentence:
                self._note(f"{sentence} {advice}")
            case Trouble():
                self._note(f"{event.sentence} {event.advice}")

    def close(self) -> None:
        """End the line that is growing, and tell the figures of the whole talk."""
        self._end_line()
        _say(
            f"{_clock(self.frames)} talked; slowest step {self.slowest_ms:.0f} of {FRAME_MS:.0f} ms; "
            f"{self.skipped} frames skipped, {self.starved} starved."
            + (f" {seconds(self.lost):.1f} s had no sound." if self.lost else "")
        )

    def _step(self, event: Stepped) -> None:
        self.frames = event.frame + 1
        self.slowest_ms = max(self.slowest_ms, event.step_ms)
        self._steps_ms.append(event.step_ms)
        if event.lag_ms is not None:
            self._lags_ms.append(event.lag_ms)
        if len(self._steps_ms) >= round(FRAME_RATE):
            self._figures = self._figure()
            self._draw()

    def _figure(self) -> str:
        """Return the figures of the last second, which begins anew."""
        lag = f"lag {median(self._lags_ms):.0f} ms, " if self._lags_ms else ""
        step = f"step {median(self._steps_ms):.0f}/{FRAME_MS:.0f} ms"
        self._steps_ms.clear()
        self._lags_ms.clear()
        return f"{lag}{step}"

    def _speak(self, frame: int, text: str) -> None:
        full = len(self._words) >= LINE_CHARACTERS and (text.startswith(" ") or not text.isascii())
        if self._words and (full or frame - self._last_frame > PAUSE_FRAMES):
            self._end_line()
        if not self._words:
            self._first_frame = frame
            text = text.lstrip()
        self._words += text
        self._last_frame = frame
        self._draw()

    def _draw(self) -> None:
        """Write the last line anew, where that is possible."""
        if self.out.isatty():
            line = f"{_clock(self._first_frame if self._words else self.frames)}  {self._words}"
            self.out.write(f"\r\x1b[K{line}  \x1b[2m{self._figures}\x1b[0m")
            self.out.flush()

    def _end_line(self) -> None:
        clear = "\r\x1b[K" if self.out.isatty() else ""
        line = f"{_clock(self._first_frame)}  {self._words}\n" if self._words else ""
        self.out.write(clear + line)
        self.out.flush()
        self._words = ""

    def _note(self, text: str) -> None:
        self._end_line()
        _say(text)


def _leave_behind(folder: Path, where: Paths) -> None:
    """Write the transcript and the picture beside the recording, and print where all three are."""
    recording = open_recording(folder)
    for name, text in recording.prompt.items():
        print(f"{name:<11} {in_one_line(text)}")
    print(f"recording   {recording.audio}")
    try:
        print(f"transcript  {recording.write_transcript()}")
    except UserError as fault:
        _say(f"{fault.sentence} {fault.advice}")
    picture = folder / "timeline.png"
    if _draw_picture(folder, picture, where):
        print(f"picture     {picture}")


def _draw_picture(folder: Path, picture: Path, where: Paths) -> bool:
    """Draw the timeline with the verb of that name, in a process of its own and without a screen."""
    command = [*child_command(where), "picture", str(folder), "--out", str(picture)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PICTURE_S, check=False
        )
    except subprocess.TimeoutExpired:
        _say("The picture of the timeline took too long to draw.")
        return False
    if ended.returncode:
        _say(f"The picture of the timeline could not be drawn: {ended.stderr.strip()}")
    return ended.returncode == 0


class Interrupt:
    """Ctrl+C and SIGTERM (of `timeout`, of a logout) as a wish; a second one ends the program at once."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _clock(frames: int) -> str:
    minutes, rest = divmod(int(seconds(frames)), 60)
    return f"{minutes:02}:{rest:02}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
