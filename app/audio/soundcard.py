"""The audio process: the two streams between the devices and the shared rings, and their watchdog.

Started by its parent as `python -m app.audio.soundcard FD MICROPHONE SPEAKER`: a process of its own,
because one C call that holds the GIL in the window's process for longer than a device's buffer would
break the streams. It tells what it does in JSON lines on stdout, and ends when its stdin does, so it
never outlives its parent. PortAudio looks for devices only once, so after a loss it exits and is
started anew.

Input and output are two streams: one duplex stream dies without an exception on ALSA's pulse plugin.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Collection
from functools import partial

import sounddevice

from app.audio.devices import (
    Device,
    Kind,
    find,
    find_devices,
    lack,
    needs_cancelling,
    or_default,
    prefer_cancelled,
)
from app.audio.echo import Echo
from app.audio.memory import ECHO_WISHES, SharedSound
from app.audio.realtime import Priority
from app.audio.server_watch import ServerWatch
from app.audio.streams import Stream

LOOK_S = 0.1
"""How often the watchdog looks."""

HUNG_S = 8
"""If PortAudio does not come back for so long, SIGALRM ends the process and its parent starts another."""

EXIT_ABSENT = 3
"""No microphone or no speaker could be opened."""

EXIT_LOST = 4
"""A stream died and could not be opened again."""


def tell(**fields: object) -> None:
    """Tell the parent, in one line of JSON."""
    print(json.dumps(fields), flush=True)


def choose(wished: dict[Kind, str], devices: list[Device]) -> dict[Kind, str]:
    """Return the devices to use, and tell where they are not the ones that were wished for."""
    chosen = or_default(wished, devices)
    if not lack(chosen, devices):
        for kind in chosen:
            if chosen[kind] != wished[kind]:
                tell_missing(kind, wished[kind])
    heard = find(chosen["in"], "in", devices)
    if chosen["in"] and heard is not None and heard.monitor:
        tell(
            trouble=f"“{heard.label}” is no microphone: the model hears what that speaker plays.",
            advice="Choose a microphone to speak with the model yourself.",
        )
    return prefer_cancelled(chosen, devices)


def tell_missing(kind: Kind, name: str) -> None:
    """Tell that a device is gone and another one is used."""
    what = "microphone" if kind == "in" else "speaker"
    tell(
        trouble=f"The {what} “{name.partition('/')[2]}” is not there; the default {what} is used.",
        advice="Plug it in again and start a new talk to use it, or choose another one.",
    )


def forget_unplugged(chosen: dict[Kind, str], gone: Collection[Kind]) -> None:
    """Tell of chosen devices that the sound server has lost: it moves their streams to others by itself."""
    for kind in gone:
        if chosen[kind]:
            tell_missing(kind, chosen[kind])
            chosen[kind] = ""
            tell(microphone=chosen["in"], speaker=chosen["out"])


def open_streams(sound: SharedSound, echo: Echo | None, chosen: dict[Kind, str]) -> list[Stream]:
    """Open the speaker and the microphone; none, and tell it, where one of them can not be."""
    streams: list[Stream] = []
    opening: Kind = "out"
    try:
        streams.append(Stream(opening, chosen[opening], sound, echo))
        opening = "in"
        streams.append(Stream(opening, chosen[opening], sound, echo))
    except sounddevice.PortAudioError as fault:
        for stream in streams:
            stream.close()
        tell(absent="closed microphone" if opening == "in" else "closed speaker", fault=str(fault))
        return []
    return streams


def make_echo() -> Echo | None:
    """Return the echo canceller; without it a talk goes on all the same."""
    try:
        return Echo()
    except ImportError as fault:
        tell(
            trouble=f"Echo can not be cancelled here: {fault}.",
            advice="Use headphones, or set up the Python environment anew.",
        )
        return None


def follow_wish(sound: SharedSound, *, able: bool, needed: bool) -> None:
    """Switch the echo canceller as wished, if there is one; left to itself it runs where it is needed."""
    wish = ECHO_WISHES[sound.echo.wish.value]
    sound.echo.active.value = int(able and (wish == "on" or (wish == "auto" and needed)))


def watch(
    streams: list[Stream], chosen: dict[Kind, str], server: ServerWatch, follow: Callable[[], None]
) -> int:
    """Look after the streams until stdin ends, calling `follow` with each look; return the exit status."""
    priority = Priority()
    # A warning about a spinning thread must end the wait at once.
    warned, warning = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(warning)
    looked = time.monotonic()
    while sys.stdin not in select.select([sys.stdin, warned], [], [], LOOK_S)[0]:
        if (looked_s := time.monotonic() - looked) < LOOK_S / 2:
            os.read(warned, 64)
            continue
        if server.absent:
            tell(absent=server.absent)
            return EXIT_ABSENT
        try:
            well = [stream.look(looked_s) for stream in streams]
        except sounddevice.PortAudioError as fault:
            tell(lost=str(fault))
            return EXIT_LOST
        if not all(well):
            tell(reopened=[stream.kind for stream, is_well in zip(streams, well, strict=True) if not is_well])
        follow()
        priority.follow(all(stream.flows for stream in streams))
        forget_unplugged(chosen, server.gone)
        signal.alarm(HUNG_S)
        looked += looked_s
    return 0


def main(argv: list[str]) -> int:
    """Run the streams on the shared memory of file FD, with the two devices of these names."""
    # The parent's Ctrl+C reaches the whole group; the parent ends this process by closing its stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(HUNG_S)
    sound = SharedSound(int(argv[0]))
    devices = find_devices()
    chosen = choose({"in": argv[1], "out": argv[2]}, devices)
    if lacking := lack(chosen, devices):
        tell(absent=lacking)
        return EXIT_ABSENT
    echo = make_echo()
    needed = needs_cancelling(chosen, devices)
    follow = partial(follow_wish, sound, able=echo is not None, needed=needed)
    follow()
    streams = open_streams(sound, echo, chosen)
    if not streams:
        return EXIT_ABSENT
    server = ServerWatch(chosen, streams[-1].deafen)
    # A server may remember that it has connected this program to something else.
    server.ask()
    if server.absent:
        tell(absent=server.absent)
        return EXIT_ABSENT
    server.start()
    gc.collect()
    gc.freeze()
    # The callbacks make no cycles; a collection would only be a pause at a bad moment.
    gc.disable()
    tell(microphone=chosen["in"], speaker=chosen["out"])
    try:
        return watch(streams, chosen, server, follow)
    finally:
        server.close()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # A dead device can keep PortAudio's own exit handler waiting for ever.
    os._exit(status)
