"""The verb `offline`: a recording in, a conversation out, as fast as the machine allows.

The talk is the session's own, held through a file in place of devices; the same seed, settings and
machine give the same conversation, bit for bit. Knows nothing about models beyond their names.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.audio.wav import WavPort
from app.commands.headless import ready_words
from app.commands.prompt_arguments import add_arguments, asked_prompt, settle
from app.engine.events import (
    Event,
    Failed,
    Loading,
    Prompting,
    Ready,
    RecordingEnded,
    Stepped,
    Stopped,
    Trouble,
)
from app.errors import UserError
from app.files import clear_parts
from app.frames import FRAME_RATE, seconds
from app.paths import Paths
from app.prompts import in_one_line
from app.session import Session, Talk
from app.settings import CHOICES, Settings, load
from app.store.locks import LOCK
from app.store.recordings import TRANSCRIPT, Recording, open_recording

LOOK_S = 0.05
"""How often the session is asked what happened."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for. None or '' leaves the choice to the settings."""

    source: Path
    folder: Path
    model: str
    base: str | None
    seed: int | None
    voice: str
    role: str | None
    voice_consent: bool
    mode: str
    kv: str
    device: str
    engine: str
    greedy: bool
    tail: float
    json: bool


@dataclass(frozen=True)
class Outcome:
    """What an offline talk left behind, and what it cost."""

    folder: Path
    model: str
    seed: int
    frames: int
    talk_s: float

    @property
    def real_time_factor(self) -> float:
        """Return the time that the talk took over its length: below 1 is faster than speech."""
        return self.talk_s / max(seconds(self.frames), seconds(1))


def main(argv: list[str], where: Paths) -> int:
    """Let a model answer a recording and return the exit status. Raises UserError."""
    options = parse(argv)
    settings = settle(load(where.settings, _tell), options, where.settings)
    # Both are looked at before a model is loaded, which may take minutes.
    port = WavPort(options.source, tail_s=options.tail)
    _refuse_used(options.folder)
    outcome = _converse(port, options, settings, where)
    recording = open_recording(outcome.folder)
    recording.write_transcript()
    _report(outcome, recording, as_json=options.json)
    return 0


def parse(argv: list[str]) -> Options:
    """Return the options of a command line; ends the program when they are not well formed."""
    parser = argparse.ArgumentParser(
        prog="aizuchi offline",
        description="Let a model answer a recording, as fast as the machine allows.",
    )
    add = parser.add_argument
    add("source", type=Path, metavar="IN.wav", help="the user: an audio file of any rate and channel count")
    add("folder", type=Path, metavar="OUT_DIR", help="where the recording of the talk goes; new or empty")
    add("--model", default="", metavar="NAME", help="a known model, a folder, a hub repo, `tiny` or `echo`")
    add("--base", metavar="NAME", help="the model that a LoRA folder belongs on")
    add("--seed", type=int, metavar="N", help="draw the same tokens for the same sound")
    add_arguments(parser)
    add("--mode", default="", choices=CHOICES["mode"], help="how weights are kept: auto takes what fits")
    add("--kv", default="", choices=CHOICES["kv"], help="how keys and values are kept")
    add("--device", default="", metavar="NAME", help="what the model runs on: auto, cpu, cuda or cuda:1")
    add("--engine", default="", choices=CHOICES["engine"], help="what steps the language model")
    add("--greedy", action="store_true", help="take the likeliest token in place of drawing one")
    add("--tail", type=_length, default=0.0, metavar="SECONDS", help="let the model go on after the user")
    add("--json", action="store_true", help="print the result as one line of JSON")
    return Options(**vars(parser.parse_args(argv)))


def _refuse_used(folder: Path) -> None:
    """Raise UserError where a recording would mix with what is there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"The folder {folder} for the recording is a file.", "Name a new or an empty folder.")
    clear_parts(folder)
    if all(path.name == LOCK for path in folder.iterdir()):
        return
    try:
        there = open_recording(folder)
    except UserError as fault:
        sentence = f"The folder {folder} for the recording is not empty."
        raise UserError(sentence, "Name a new or an empty folder.") from fault
    if there.live:
        sentence = f"The folder {folder} holds a recording that is still being written."
        raise UserError(sentence, "Wait until it has ended, or name another folder.")
    if there.whole:
        sentence = (
            f"The folder {folder} holds a recording already, of {there.seconds:.1f} s with {there.model}."
        )
        raise UserError(sentence, "Name a new or an empty folder.")
    raise UserError(
        f"The folder {folder} holds a recording that was broken off after {there.seconds:.1f} s.",
        f"To begin again, remove it first (rm -r {shlex.quote(str(folder))}), or name another folder.",
    )


def _converse(port: WavPort, options: Options, settings: Settings, where: Paths) -> Outcome:
    """Hold the talk and return what came of it. Raises UserError when it can not be held or kept."""
    if options.seed is not None:
        settings = replace(settings, seed=options.seed)  # which refuses what is no seed
    given = {name: wish for name in ("mode", "engine", "kv", "device") if (wish := getattr(options, name))}
    settings = replace(settings, **given)
    talk = Talk(
        open_port=lambda: port,
        sampling=replace(settings.sampling(), greedy=options.greedy),
        seed=secrets.randbelow(2**32) if settings.seed is None else settings.seed,
        folder=options.folder,
        microphone=options.source.name,
    )
    session = Session()
    try:
        session.load(
            options.model or settings.model,
            base=options.base,
            models=where.models,
            loadout=settings.loadout(),
            cache=where.cache,
        )
        ready = _await_model(session)
        talk = replace(talk, prompt=asked_prompt(ready.model, ready.prompts, settings, options))
        # Another run may have been quicker.
        _refuse_used(options.folder)
        began_s = time.perf_counter()
        session.start(talk)
        frames = _follow(session, port.frames)
        return Outcome(options.folder, ready.model, talk.seed, frames, time.perf_counter() - began_s)
    finally:
        session.close()


def _await_model(session: Session) -> Ready:
    """Tell how the loading goes, and return the model when it is ready."""
    stage = ""
    for event in _events(session):
        if isinstance(event, Ready):
            _say(ready_words(event))
            return event
        if isinstance(event, Trouble):
            _say(f"{event.sentence} {event.advice}".strip())
        if isinstance(event, Loading) and event.stage != stage:
            stage = event.stage
            _say(stage)
    raise AssertionError("unreachable: the events do not end")


def _follow(session: Session, frames: int) -> int:
    """Show how far the talk is until it is over, and return its length in frames.

    A talk that is not kept is of no use here: that raises UserError too.
    """
    reading = False
    for event in _events(session):
        match event:
            case Prompting() if not reading:
                reading = True
                _say("The model is reading its voice and role.")
            case Stepped(frame=frame):
                _show_progress(frame + 1, frames)
            case RecordingEnded(sentence=sentence, advice=advice) | Trouble(sentence, advice):
                raise UserError(sentence, advice)
            case Stopped(frames=done):
                return done
    raise AssertionError("unreachable: the events do not end")


def _events(session: Session) -> Iterator[Event]:
    """Yield what the session tells, for as long as it is asked. Raises UserError for what failed."""
    while True:
        for event in session.drain():
            if isinstance(event, Failed):
                raise UserError(event.sentence, event.advice)
            yield event
        time.sleep(LOOK_S)


def _show_progress(done: int, frames: int) -> None:
    """Tell about once a second of talk how far it is, where somebody may be looking."""
    if sys.stderr.isatty() and (done % round(FRAME_RATE) == 0 or done == frames):
        end = "\n" if done == frames else ""
        print(f"\r{seconds(done):.0f} of {seconds(frames):.0f} s", end=end, file=sys.stderr, flush=True)


def _report(outcome: Outcome, recording: Recording, *, as_json: bool) -> None:
    """Print where the files are, the seed and the speed: for people, or as one line for programs."""
    files = {
        "recording": recording.audio,
        "events": outcome.folder / "events.jsonl",
        "transcript": outcome.folder / TRANSCRIPT,
    }
    factor = outcome.real_time_factor
    if as_json:
        figures = {"model": outcome.model, "seed": outcome.seed, "frames": outcome.frames}
        named = {name: str(path) for name, path in files.items()} | recording.prompt
        print(json.dumps({**named, **figures, "real_time_factor": round(factor, 4)}))
        return
    length_s = seconds(outcome.frames)
    _say(f"{length_s:.1f} s of talk in {outcome.talk_s:.1f} s (real-time factor {factor:.2f}).")
    _say(f"Seed {outcome.seed}.")
    for name, text in recording.prompt.items():
        print(f"{name:<11} {in_one_line(text)}")
    for name, path in files.items():
        print(f"{name:<11} {path}")


def _length(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError("must be between 0 and 3600 seconds")
    return value


def _tell(sentence: str, advice: str) -> None:
    _say(f"{sentence} {advice}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
