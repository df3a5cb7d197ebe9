"""The verb `talk`: a window where there is a screen, a headless talk where there is none.

Knows nothing about how a talk is held; the window and the headless talk are imported when chosen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from app import upkeep
from app.audio.devices import all_devices
from app.audio.naming import name_of
from app.commands.prompt_arguments import add_arguments, settle
from app.commands.screen import screen_trouble
from app.errors import UserError
from app.options import PAGES, Options
from app.paths import Paths
from app.settings import CHOICES, load


def main(argv: list[str], where: Paths) -> int:
    """Hold a talk and return the exit status."""
    options = named_devices(parse(argv))
    settings = settle(load(where.settings, _tell), options, where.settings)
    upkeep.start(where)
    if not options.headless and (trouble := screen_trouble()):
        print(f"{trouble} The talk is held without a window.", file=sys.stderr)
    elif not options.headless:
        return int(import_module("app.ui.shell.app").run(where, settings, options))
    if options.recording is not None:
        raise UserError("A recording is opened in the window, and there is none.", "Start on a screen.")
    return int(import_module("app.commands.headless").run(where, settings, options))


def parse(argv: list[str]) -> Options:
    """Return the options of a command line; ends the program when they are not well formed."""
    parser = argparse.ArgumentParser(
        prog="aizuchi talk",
        description="Talk with a model, in a window or, where there is no screen, headless.",
    )
    add = parser.add_argument
    add("recording", nargs="?", type=Path, metavar="FILE.aizuchi", help="a recording to open in the window")
    add("--page", default="", choices=PAGES, help="which page the window opens on")
    add("--headless", action="store_true", help="open no window")
    add("--model", default="", metavar="NAME", help="a known model, a folder, a hub repo, `tiny` or `echo`")
    add("--base", metavar="NAME", help="the model that a LoRA folder belongs on")
    add("--seconds", type=_positive, metavar="N", help="end the talk after this time")
    add("--no-record", dest="record", action="store_false", default=None, help="leave no recording")
    add("--seed", type=int, metavar="N", help="draw the same tokens for the same sound")
    add_arguments(parser)
    add("--mode", default="", choices=CHOICES["mode"], help="how weights are kept: auto takes what fits")
    add("--echo", default="", choices=CHOICES["echo"], help="cancel the speaker's echo")
    add("--kv", default="", choices=CHOICES["kv"], help="how keys and values are kept")
    add("--device", default="", metavar="NAME", help="what the model runs on: auto, cpu, cuda or cuda:1")
    add("--engine", default="", choices=CHOICES["engine"], help="what steps the language model")
    add("--microphone", metavar="NAME", help="the device to hear with, as `doctor` names it, or `default`")
    add("--speaker", metavar="NAME", help="the device to speak with, in the same way")
    add("--input", type=Path, metavar="FILE", help="headless: a recorded user in place of the microphone")
    add("--compute-ms", type=float, default=0.0, metavar="N", help="let each frame take longer, for tests")
    return Options(**vars(parser.parse_args(argv)))


def named_devices(options: Options) -> Options:
    """Return the options with the stable names of the devices that they name. Raises UserError."""
    if options.microphone is None and options.speaker is None:
        return options
    devices = all_devices()
    return replace(
        options,
        microphone=None if options.microphone is None else name_of(options.microphone, "in", devices),
        speaker=None if options.speaker is None else name_of(options.speaker, "out", devices),
    )


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _tell(sentence: str, advice: str) -> None:
    print(sentence, advice, file=sys.stderr)
