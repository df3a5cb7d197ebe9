"""The command `aizuchi`: a table of verbs, each imported when it is asked for.

Knows nothing about what the verbs do; turns what they raise into a sentence and an exit status.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from app import __version__, relaunch
from app.errors import UserError
from app.faults import explain
from app.files import make_folder
from app.paths import Paths, paths
from app.store.privacy import private

log = logging.getLogger(__name__)

DEBUG = "AIZUCHI_DEBUG"
"""The environment variable that shows tracebacks and logs every detail."""

FAULT = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit statuses. The last two are what a shell gives for SIGINT and SIGPIPE."""

LOG_BYTES = 1_000_000
LOG_FILES = 3


class Verb(NamedTuple):
    """One line of help, and `module:function`, called with (arguments, paths) for an exit status."""

    help: str
    target: str


VERBS = {
    "talk": Verb(
        "talk with a model, in a window or headless (what `aizuchi` alone does)", "app.commands.talk:main"
    ),
    "offline": Verb(
        "let a model answer a recording, as fast as the machine allows", "app.commands.offline:main"
    ),
    "doctor": Verb("look over this computer and say what is missing", "app.commands.doctor:main"),
    "models": Verb("list, download and verify models", "app.commands.models:main"),
    "quantize": Verb("make a smaller model of one: weights in 8 or 4 bits", "app.commands.quantize:main"),
    "bench": Verb("measure latency and endurance on virtual sound devices", "app.commands.bench.sound:main"),
    "picture": Verb("draw a recording or a dataset into a PNG file", "app.ui.recordings.picture:main"),
    "data import": Verb(
        "make a dataset of recordings, stereo files or others' data", "training.data.importing:main"
    ),
    "data export": Verb("write a dataset as other finetuners read it", "training.data.exporting:main"),
    "data transcribe": Verb("find the words of both voices and their times", "training.data.transcribe:main"),
    "data prepare": Verb("turn sound and words into what training reads", "training.data.prepare:main"),
    "data check": Verb("show what would be learnt, and what is odd about it", "training.data.check:main"),
    "train": Verb("finetune a model on datasets, or go on with a run", "training.main:main"),
    "export": Verb("make a model to talk with from a training run", "training.export:main"),
    "continue": Verb("let a model go on with dialogues that were begun", "training.continuation:main"),
    "starter bank": Verb(
        "make the bank of speech that the starter model learns from", "training.starter.bank:main"
    ),
    "starter codes": Verb(
        "encode that bank by the codec of the starter model", "training.starter.bank_codes:main"
    ),
    "starter dialogues": Verb(
        "make up the dialogues that the starter model learns from", "training.starter.codes:main"
    ),
    "starter probe": Verb(
        "measure in a minute how well codes and a model hear", "training.starter.probe:main"
    ),
    "starter build": Verb("make the starter model from nothing, in hours", "training.starter.build:main"),
    "starter score": Verb("measure what the starter model can do", "training.starter.score:main"),
    "bench engine": Verb("measure how long a frame of the model takes", "app.commands.bench.engine:main"),
    "bench loading": Verb("measure how long weights take from the disk", "app.commands.bench.loading:main"),
    "bench train": Verb("measure the speed and memory of training", "training.bench:main"),
}
"""A verb of two words is what it is even where its first word alone is a verb too."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit status of the process."""
    # Where stderr is no file (a program without a console), a crash can not be shown there.
    with suppress(ValueError, RuntimeError):
        faulthandler.enable()
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has left; without this, Python complains while it closes stdout at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    try:
        relaunch.begin()
    except UserError as fault:
        _complain(fault.sentence, fault.advice)
        return FAULT
    return status


def run_verb(name: str, argv: list[str], where: Paths) -> int:
    """Run one verb of the table and return its exit status. What it raises passes through."""
    module, function = VERBS[name].target.split(":")
    verb: Callable[[list[str], Paths], int] = getattr(import_module(module), function)
    return verb(argv, where)


def child_command(where: Paths) -> list[str]:
    """Return how a child of this process begins a command line of ours, with the same folders."""
    home = where.config.parent
    return [sys.executable, "-m", "app", *(["--home", str(home)] if where == paths(home) else [])]


def _run(argv: list[str]) -> int:
    home, rest = _take_home(argv)
    if rest and rest[0] in ("-h", "--help"):
        print(_help())
        return 0
    if rest and rest[0] == "--version":
        print(f"aizuchi {__version__}")
        return 0
    name, arguments = _take_verb(rest)
    if name.split()[1:] in ([], ["--help"], ["-h"]) and _begun(name):
        print(_help(_begun(name)))
        return 0
    if name not in VERBS:
        like = [verb for verb in VERBS if verb.split()[0] == name.split()[0]] or list(VERBS)
        _complain(f"There is no verb “{name}”.", f"The verbs are {', '.join(like)}; see `aizuchi --help`.")
        return USAGE
    where = paths(home)
    with private(where):
        _open_log(where.logs)
        return _guard(name, arguments, where)


def _take_verb(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the verb that a command line names, of two words or one, and what follows it."""
    if not arguments or arguments[0].startswith("-"):
        return "talk", arguments
    two, words = " ".join(arguments[:2]), 2
    if two not in VERBS and arguments[0] in VERBS:
        words = 1
    return " ".join(arguments[:words]), arguments[words:]


def _guard(name: str, arguments: list[str], where: Paths) -> int:
    """Run a verb; a fault becomes a sentence and an advice, and its traceback goes to the log."""
    log.info("aizuchi %s %s", __version__, name)
    try:
        return run_verb(name, arguments, where)
    except BrokenPipeError:
        raise
    except UserError as fault:
        log.info("%s", fault, exc_info=True)
        if os.environ.get(DEBUG):
            raise
        _complain(fault.sentence, fault.advice)
    except OSError as fault:
        log.exception("the system refused the verb %s", name)
        if os.environ.get(DEBUG):
            raise
        what = "A file" if fault.filename is None else os.fsdecode(fault.filename)
        advice = "Check the name, the disk, and who may read and write there."
        _complain(f"{what} can not be used: {fault.strerror or fault}.", advice)
    except Exception as fault:
        log.exception("a fault in the verb %s", name)
        if os.environ.get(DEBUG):
            raise
        if (told := explain(fault)) is not None:
            _complain(*told)
            return FAULT
        _complain(
            f"Aizuchi met a fault of its own: {type(fault).__name__}: {fault}",
            f"The details are in {where.logs / 'aizuchi.log'}; a report with them helps to mend it.",
        )
    return FAULT


def _take_home(argv: list[str]) -> tuple[Path | None, list[str]]:
    """Take `--home DIR` out of the arguments, wherever it stands."""
    parser = argparse.ArgumentParser(prog="aizuchi", add_help=False, allow_abbrev=False)
    parser.add_argument("--home", type=Path, metavar="DIR")
    known, rest = parser.parse_known_args(argv)
    return known.home, rest


def _begun(name: str) -> list[str]:
    """Return the verbs that begin with a word that is no verb itself, such as that of `data --help`."""
    first = name.split(maxsplit=1)[0]
    return [verb for verb in VERBS if verb.startswith(f"{first} ")] if first not in VERBS else []


def _help(names: Iterable[str] = VERBS) -> str:
    verbs = "\n".join(f"  {name:<16} {VERBS[name].help}" for name in names)
    return f"""usage: aizuchi [--home DIR] [VERB] [ARGUMENTS]

Full-duplex spoken dialogue with the Moshi family of models, on your own computer.

verbs (`aizuchi VERB --help` tells more):
{verbs}

options:
  --home DIR  keep settings, models, recordings and logs in DIR
  --version   print the version
  --help      print this

{DEBUG}=1 in the environment shows the whole traceback of a fault."""


def _complain(sentence: str, advice: str) -> None:
    print(sentence, *([advice] if advice else []), sep="\n", file=sys.stderr)


def _open_log(folder: Path) -> None:
    """Send what the modules log to a file that never grows beyond LOG_FILES times LOG_BYTES."""
    try:
        make_folder(folder)
        handler = logging.handlers.RotatingFileHandler(
            folder / "aizuchi.log",
            maxBytes=LOG_BYTES,
            backupCount=LOG_FILES - 1,
            delay=True,
            encoding="utf-8",
            # A file name may hold bytes that are no text.
            errors="backslashreplace",
        )
    except OSError as fault:
        print(f"There is no log this time: {fault}", file=sys.stderr)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    level = logging.DEBUG if os.environ.get(DEBUG) else logging.INFO
    logging.basicConfig(handlers=[handler], level=level, force=True)
