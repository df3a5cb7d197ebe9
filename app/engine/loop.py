"""The conversation: the one loop behind the live talk, the offline run and the benchmarks.

Knows nothing about sound cards, files, windows or torch; `time` measures cost and never decides. A frame's
number is the time since the talk began: what the port lost counts as well, so that it stays so.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence

from app.engine.events import (
    Changed,
    Command,
    Event,
    Mute,
    Muted,
    Prompt,
    Prompted,
    Prompting,
    Restart,
    Restarted,
    Sampling,
    Skipped,
    Spoke,
    Starved,
    Stepped,
    Trouble,
)
from app.engine.ports import FramePort, Model, Said
from app.errors import UserError
from app.frames import RESTARTED, Heard, Lost, level_db, silence

Tap = Callable[[int, Heard, Said], None]
"""Called after each frame with (frame, what the model heard, what it said); must not block."""

Emit = Callable[[Event], None]
"""Takes an event; called on the engine thread, must not block."""


def converse(
    port: FramePort,
    model: Model,
    taps: Sequence[Tap],
    emit: Emit,
    commands: queue.SimpleQueue[Command] | None = None,
) -> int:
    """Let the model hear and speak until the port ends, and return the number of frames, lost ones included.

    Sound is handed on before anything is told, so that taps and events never delay the speaker.
    What the port or the model raises passes through; the taps have seen every frame until then.
    """
    commands = commands or queue.SimpleQueue()
    nothing = silence()
    muted = restarted = False
    frame = 0
    while (heard := port.take()) is not None:
        if restarted and isinstance(heard, Heard):
            # What passed while the model heard and read its prompt is no fault of the computer.
            heard, restarted = heard._replace(reason=RESTARTED, starved=0), False
        while not commands.empty():
            command = commands.get()
            muted = _obey(command, frame, model, muted, emit)
            restarted = restarted or isinstance(command, Restart)
        if isinstance(heard, Lost):
            emit(Skipped(frame, heard.frames, heard.reason))
            frame += heard.frames
            continue
        if muted:
            heard = heard._replace(samples=nothing, raw=None)
        began = time.perf_counter()
        said = model.step(heard.samples)
        step_ms = 1000 * (time.perf_counter() - began)
        port.give(said.samples)
        if heard.skipped:
            emit(Skipped(frame, heard.skipped, heard.reason))
            frame += heard.skipped
        for tap in taps:
            tap(frame, heard, said)
        if heard.starved:
            emit(Starved(frame, heard.starved))
        emit(Stepped(frame, level_db(heard.samples), level_db(said.samples), step_ms, heard.lag_ms))
        if said.token is not None:
            emit(Spoke(frame, said.token, said.text))
        frame += 1
    return frame


def _obey(command: Command, frame: int, model: Model, muted: bool, emit: Emit) -> bool:
    """Carry out one command before `frame` and return whether the microphone is muted."""
    match command:
        case Sampling():
            model.set_sampling(command)
            emit(Changed(frame, command))
        case Prompt():
            try:
                model.set_prompt(command)
                emit(Prompted(frame, command))
            except UserError as fault:
                emit(Trouble(fault.sentence, fault.advice))
        case Restart(seed):
            model.restart(seed, lambda done, total: emit(Prompting(done, total)))
            emit(Restarted(frame, seed))
        case Mute(muted):
            emit(Muted(frame, muted))
    return muted
