"""One conversation partner for the window and the command line: a thread that loads, talks and records.

Wires port, model and recorder together. Knows nothing about widgets; imports torch only through the
engine, on its own thread, so that the window is up before torch is.
"""

from __future__ import annotations

import logging
import math
import queue
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Union

from app.audio.recorder import Recorder
from app.engine import card_fault
from app.engine.events import (
    Changed,
    Command,
    Event,
    Failed,
    Loadout,
    Muted,
    Prompt,
    Prompted,
    Prompting,
    Ready,
    RecordingEnded,
    RecordingStarted,
    Restarted,
    Sampling,
    Skipped,
    Spoke,
    Started,
    Starved,
    Stepped,
    Stopped,
    Trouble,
    Unloaded,
)
from app.engine.fake import Slowed
from app.engine.loop import Emit, converse
from app.engine.ports import FramePort, Model, Said
from app.errors import UserError
from app.faults import explain
from app.frames import FRAME_RATE, SUSPENDED, Heard
from app.prompts import recorded_prompt

log = logging.getLogger(__name__)

EVENT_BACKLOG = 20_000
"""Events kept for a window that does not drain: half an hour of talk. The oldest go first."""

JOIN_S = 0.05

RECORDED = (Spoke, Starved, Changed, Prompted, Restarted, Muted)
"""The events that belong to a recording as they are; each has a frame."""

LONGEST_GAP_S = 60.0
"""A longer gap ends a recording, and the sound after it begins another one. Of a night in which the computer
slept eight hours of silence would be no use: they fill the disk, and nothing before them is heard by what
comes after. Up to here silence of its true length keeps all of a talk at its time."""

SLEPT = "The computer was asleep, so the recording ended."
NO_SOUND = "There was no sound for more than a minute, so the recording ended."
GOES_ON = "A new recording starts as soon as the talk goes on."

GRACE_S = 1.0
"""How much later than its last frame is due a talk ends by the clock, whatever its port does. The first sound
of a device that has to wake up is the first frame."""


@dataclass(frozen=True)
class Talk:
    """What one talk needs. New session folders go below `recordings`; without it nothing is kept."""

    open_port: Callable[[], FramePort]
    sampling: Sampling = field(default_factory=Sampling)
    prompt: Prompt = field(default_factory=Prompt)
    """What the model hears and reads first, without hearing the user; it has to take it."""
    seed: int = 0
    recordings: Path | None = None
    folder: Path | None = None
    """The exact folder to record into, in place of a new one below `recordings`."""
    record: bool = True
    """Whether to record from the start; later `Session.record` switches it."""
    microphone: str = ""
    speaker: str = ""
    max_frames: int | None = None
    """How many frames the talk may take, those that were lost included."""
    max_s: float | None = None
    """How long the talk may take by the clock, whatever the sound does; for ports that keep time."""
    compute_ms: float = 0.0
    """What each step takes longer, for trying out a slower computer."""


@dataclass(frozen=True)
class Load:
    """What `Session.load` was asked for."""

    spec: str
    base: str | None
    models: Path | None
    loadout: Loadout
    may_download: bool
    cache: Path | None


class _StoppedReading(Exception):
    """The talk was ended while the model heard and read its prompt."""


class _Unload:
    """The wish to give the model's memory back."""


class _Run:
    """One talk from start to stop, shared between the engine thread and the one that stops it.

    `stopping` and `record` are set by the other thread and only read by the engine thread; `port` is
    set by the engine thread before it looks at `stopping`, so that a stop is never missed.
    """

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self.over = threading.Event()
        self.may_record = talk.recordings is not None or talk.folder is not None
        self.record = talk.record and self.may_record
        self.port: FramePort | None = None

    def stop(self) -> None:
        """End the talk soon, from any thread."""
        self.stopping.set()
        if (port := self.port) is not None:
            port.close()


_Job = Union[Load, _Unload, _Run, None]


class Session:
    """One engine thread with at most one model and one talk.

    Every method returns at once; what comes of it is told by the events of `drain`.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=EVENT_BACKLOG)
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._model: Model | None = None
        self._run: _Run | None = None
        # Set by the engine thread while it loads, looked at by `close` alone.
        self._loading = threading.Event()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def port(self) -> FramePort | None:
        """Return the port of the running talk, for its counters and volume."""
        return self._run.port if self._run is not None and not self._run.over.is_set() else None

    def load(
        self,
        spec: str,
        *,
        base: str | None = None,
        models: Path | None = None,
        loadout: Loadout | None = None,
        may_download: bool = True,
        cache: Path | None = None,
    ) -> None:
        """End the talk and load a model in place of the present one: Loading…, then Ready or Failed.

        Files that are not on this computer are fetched, unless nobody asked for that. `cache` is where tests
        of a graphics card are kept; without it none is done.
        """
        self.stop()
        self._jobs.put(Load(spec, base, models, loadout or Loadout(), may_download, cache))

    def unload(self) -> None:
        """End the talk and give the model's memory back: Unloaded."""
        self.stop()
        self._jobs.put(_Unload())

    def start(self, talk: Talk) -> None:
        """End the talk, if there is one, and begin another: Started, then its events, then Stopped."""
        self.stop()
        self._run = _Run(talk)
        self._jobs.put(self._run)

    def send(self, command: Command) -> None:
        """Pass a command to the running talk; it takes effect between two frames."""
        if self._run is not None:
            self._run.commands.put(command)

    def record(self, on: bool) -> None:
        """Switch the recording of the running talk on (into a new folder) or off."""
        if self._run is not None:
            self._run.record = on and self._run.may_record

    def stop(self) -> None:
        """End the running talk and keep the model."""
        if self._run is not None:
            self._run.stop()

    def report(self, sentence: str, advice: str) -> None:
        """Tell trouble that a port met and that does not end the talk; may be called from any thread."""
        self._events.append(Trouble(sentence, advice))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the talk is over and say whether it is."""
        return self._run is None or self._run.over.wait(timeout)

    def close(self) -> None:
        """End the talk, finish its recording, give back the model, and join the thread.

        A load can not be broken off: its thread is left to end with the program, since nothing is lost.
        """
        self.stop()
        self._jobs.put(None)
        while self._thread.is_alive() and not self._loading.is_set():
            self._thread.join(JOIN_S)

    def drain(self) -> list[Event]:
        """Return the events since the last call, oldest first."""
        drained = []
        while self._events:
            drained.append(self._events.popleft())
        return drained

    # Everything below runs on the engine thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Load):
                self._load(job)
            elif isinstance(job, _Unload):
                self._unload()
            else:
                self._talk(job)
        self._unload()

    def _load(self, job: Load) -> None:
        self._unload()
        self._loading.set()
        try:
            from app.engine.download import cache_only
            from app.engine.model import load_model

            with nullcontext() if job.may_download else cache_only():
                self._model = load_model(
                    job.spec,
                    self._tell_load,
                    base=job.base,
                    models=job.models,
                    loadout=job.loadout,
                    # Each talk begins with a restart, and with a prompt of its own.
                    seed=None,
                    cache=job.cache,
                )
            log.info("model ready: %s", job.spec)
        except Exception as fault:
            self._fail(fault, "The model could not be loaded.")
        finally:
            self._loading.clear()

    def _tell_load(self, event: Event) -> None:
        if isinstance(event, Ready):
            # Whoever closes the session at this word has only moments to wait for.
            self._loading.clear()
        self._events.append(event)

    def _unload(self) -> None:
        model, self._model = self._model, None
        if model is None:
            return
        try:
            model.close()
        except Exception as fault:
            # A card that failed refuses this too, and there is no more to give back.
            log.warning("a model could not be closed", exc_info=fault)
            card_fault.note(fault)
        self._events.append(Unloaded())

    def _talk(self, run: _Run) -> None:
        recording = _Recording(run, self._model, self._events.append)
        try:
            if self._model is None:
                raise UserError("No model is loaded.", "Choose a model first.")
            with suppress(_StoppedReading):
                self._converse(run, self._model, recording)
        except UserError as fault:
            self._fail(fault, "")
        except Exception as fault:
            self._fail(fault, "The talk broke off.")
            # What is left of a model after a fault of its own can not be trusted.
            self._unload()
        finally:
            if run.port is not None:
                run.port.close()
            recording.close()
            run.over.set()
            self._events.append(Stopped(recording.talk_frames, recording.folder))

    def _converse(self, run: _Run, model: Model, recording: _Recording) -> None:
        talk = run.talk
        model.set_sampling(talk.sampling)
        model.set_prompt(talk.prompt)
        emit = _unless_stopped(run, self._events.append)
        model.restart(talk.seed, lambda done, total: emit(Prompting(done, total)))
        port = run.port = talk.open_port()
        if run.stopping.is_set():
            return
        # Only now: a talk that never begins leaves no empty recording behind.
        recording.follow(0)
        self._events.append(
            Started(model.name, talk.seed, talk.sampling, talk.microphone, talk.speaker, recording.folder)
        )
        if talk.compute_ms:
            model = Slowed(model, talk.compute_ms)
        with _ended_in_time(run):
            emit = _unless_stopped(run, _limited(run, recording.emit))
            converse(port, model, [recording.tap], emit, run.commands)

    def _fail(self, fault: Exception, sentence: str) -> None:
        lost = card_fault.note(fault)
        if isinstance(fault, UserError) and not lost:
            self._events.append(Failed(fault.sentence, fault.advice))
            return
        log.exception(sentence, exc_info=fault)
        known = explain(fault)
        details = "".join(traceback.format_exception(fault))
        if lost:
            self._events.append(Failed(card_fault.SENTENCE, card_fault.ADVICE, details, restart=True))
        elif known is not None:
            self._events.append(Failed(f"{sentence} {known[0]}", known[1], details))
        else:
            sentence = f"{sentence} {type(fault).__name__}: {fault}"
            self._events.append(Failed(sentence, "The log holds the details.", details))


def _unless_stopped(run: _Run, emit: Emit) -> Emit:
    """Return what passes events on, and breaks off the reading of a prompt once the talk is to end."""

    def tell(event: Event) -> None:
        if isinstance(event, Prompting) and run.stopping.is_set():
            raise _StoppedReading
        emit(event)

    return tell


def _limited(run: _Run, emit: Emit) -> Emit:
    """Return what passes events on, and stops the talk once it has taken all the frames it may."""
    talk = run.talk
    limit = talk.max_frames
    if talk.max_s is not None:
        limit = min(math.ceil(talk.max_s * FRAME_RATE), limit or sys.maxsize)
    if limit is None:
        return emit

    def tell(event: Event) -> None:
        emit(event)
        match event:
            case Stepped(frame=frame) if frame + 1 >= limit:
                run.stop()
            case Skipped(frame=frame, frames=frames) if frame + frames >= limit:
                run.stop()

    return tell


@contextmanager
def _ended_in_time(run: _Run) -> Iterator[None]:
    """Stop the talk by the clock, if it is limited so and its frames did not end it before."""
    if run.talk.max_s is None:
        yield
        return
    timer = threading.Timer(run.talk.max_s + GRACE_S, run.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Recording:
    """The recording of one talk: follows the wish of the user, and never lets a disk stop the talk."""

    def __init__(self, run: _Run, model: Model | None, emit: Callable[[Event], None]) -> None:
        self.folder: Path | None = None
        self.talk_frames = 0
        """How many frames the talk has come to, recorded or not, also when it breaks off."""
        self._run = run
        self._model = model
        self._tell = emit
        self._recorder: Recorder | None = None
        self._closing: list[threading.Thread] = []
        self._first_frame = 0
        self._gap_frames = 0
        self._lost = False

    def tap(self, frame: int, heard: Heard, said: Said) -> None:
        """Pass a frame on to the recorder, whose own frames count from the start of the recording."""
        self.talk_frames = frame + 1
        self._gap_frames = 0
        self.follow(frame)
        if self._recorder is not None:
            self._recorder.tap(frame - self._first_frame, heard.samples, said, heard.raw, heard.late_samples)

    def emit(self, event: Event) -> None:
        """Tell an event, and note it in the recording if it belongs there."""
        self._tell(event)
        if isinstance(event, Skipped):
            self._skip(event)
        elif self._recorder is not None and isinstance(event, RECORDED):
            fields = asdict(event)
            if isinstance(event, Prompted):
                fields["prompt"] = recorded_prompt(event.prompt)
            fields["frame"] -= self._first_frame
            self._recorder.note(_snake(type(event).__name__), fields)

    def _skip(self, event: Skipped) -> None:
        """Record time that neither side has as silence; one that lasts ends the recording."""
        self.talk_frames = event.frame + event.frames
        self._gap_frames += event.frames
        if self._recorder is None:
            return
        frame = event.frame - self._first_frame
        if self._gap_frames <= LONGEST_GAP_S * FRAME_RATE:
            self._recorder.gap(frame, event.frames, event.reason)
            return
        self._recorder.note("gap", {"frame": frame, "frames": event.frames, "reason": event.reason})
        folder = self.folder
        self._finish_aside()
        if self._run.record and folder is not None:
            self._tell(RecordingEnded(folder, SLEPT if event.reason == SUSPENDED else NO_SOUND, GOES_ON))

    def follow(self, frame: int) -> None:
        """Open or close the recorder if the user changed their mind; `frame` is the first one recorded."""
        if self._run.record == (self._recorder is not None):
            return
        if self._run.record:
            self._open(frame)
        else:
            self._finish_aside()

    def close(self) -> None:
        """Finish what is being written, and wait for it."""
        if self._recorder is not None:
            self._finish_aside()
        for thread in self._closing:
            thread.join()

    def _open(self, frame: int) -> None:
        talk = self._run.talk
        assert self._model is not None
        try:
            self._recorder = Recorder(
                talk.recordings or Path(),
                model=self._model.name,
                details=_details(self._model, talk),
                on_failure=self._lose,
                folder=talk.folder,
            )
        except OSError as fault:
            self._run.record = False
            advice = "Check the folder for recordings and its disk."
            self._tell(Trouble(f"The talk is not recorded: {fault}.", advice))
            return
        self._lost = False
        self._first_frame = frame
        self.folder = self._recorder.folder
        self._tell(RecordingStarted(self.folder))

    def _finish_aside(self) -> None:
        """Close the recorder on a thread of its own: compressing takes longer than a frame."""
        recorder, self._recorder = self._recorder, None
        assert recorder is not None
        thread = threading.Thread(target=recorder.close, name="recording-end")
        thread.start()
        self._closing.append(thread)
        if not self._run.record and not self._lost:
            self._tell(RecordingEnded(recorder.folder, "", ""))

    def _lose(self, folder: Path, sentence: str, advice: str) -> None:
        """Tell that the disk refused; called once, on the recorder's thread."""
        self._lost = True
        self._run.record = False
        self._tell(RecordingEnded(folder, sentence, advice))


def _details(model: Model, talk: Talk) -> dict[str, object]:
    """Return what session.json keeps about a talk."""
    return {
        "model": model.details,
        "sampling": asdict(talk.sampling),
        "seed": talk.seed,
        "devices": {"microphone": talk.microphone, "speaker": talk.speaker},
        "versions": {name: version(name) for name in ("aizuchi", "moshi", "torch")},
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
