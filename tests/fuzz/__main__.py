"""`python -m tests.fuzz --seconds 600`: damaged files through every door; a table, then a line of JSON.

Each door is worked at in a process of its own, so that a crash or an endless loop is a fault like others.
`--door NAME --case SEED` shows one case again, and leaves its files.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.paths import paths
from tests.fuzz.doors import DOORS, HOME, INPUT, Door
from tests.fuzz.guard import Verdict, Watch, judge, limit_memory
from tests.fuzz.mutation import mutate

HANG_S = 20.0
"""A case that is not through after so long is ended."""

START_S = 180.0
"""How long the first case may take, which imports torch and makes models."""


@dataclass
class Tally:
    """What came of one door."""

    cases: int = 0
    worked_s: float = 0.0
    """How long all of them took together."""
    refused: int = 0
    slowest_s: float = 0.0
    largest_mb: float = 0.0
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, seed: int, verdict: Verdict) -> None:
        """Count one case."""
        self.cases += 1
        self.refused += verdict.refused
        self.slowest_s = max(self.slowest_s, verdict.seconds)
        self.largest_mb = max(self.largest_mb, verdict.megabytes)
        if verdict.fault:
            kind = verdict.fault.partition(":")[0][:60], verdict.place
            self.faults[kind] += 1
            self.examples.setdefault(kind, (seed, verdict.fault))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the doors and return 1 where one has a fault."""
    options = _parse(argv)
    doors = [DOORS[name] for name in options.door] if options.door else list(DOORS.values())
    if options.case is not None:
        return _show(doors[0], options.case)
    if options.worker:
        return _work(doors[0], options.seed, options.first)
    tallies = {door.name: _supervise(door, options.seconds / len(doors), options.seed) for door in doors}
    _tell(tallies)
    return int(any(tally.faults for tally in tallies.values()))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--door", action="append", choices=list(DOORS))
    parser.add_argument("--seed", type=int, default=0, help="of the whole run")
    parser.add_argument("--case", type=int, metavar="SEED", help="show one case of --door again")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if (options.case is not None or options.worker) and len(options.door or ()) != 1:
        parser.error("--case needs one --door")
    return options


# --- The process of one door ----------------------------------------------------------------------


def _work(door: Door, seed: int, first: int) -> int:
    """Try case after case, and print a line before and after each, until killed."""
    lines = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        template, case = Path(scratch, "template"), Path(scratch, "case")
        watch = _prepare(door, template)
        whole = _try(door, template, case, None, watch)
        print(json.dumps({"whole": whole}), file=lines, flush=True)
        limit_memory()
        numbers = random.Random(seed)
        for number in range(2**31):
            each = numbers.randrange(2**31)
            if number >= first:
                print(json.dumps({"begins": each}), file=lines, flush=True)
                verdict = _try(door, template, case, each, watch)
                print(json.dumps({"ended": verdict, "seed": each}), file=lines, flush=True)
    return 0


def _prepare(door: Door, template: Path) -> Watch:
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.dont_write_bytecode = True
    import torch

    torch.set_num_threads(1)
    (template / HOME).mkdir(parents=True)
    with _silent():
        door.fill(template)
    return Watch()


def _try(door: Door, template: Path, case: Path, seed: int | None, watch: Watch) -> Verdict:
    """Run one case in a copy of the whole files; without a seed they stay whole."""
    _remove(case)
    shutil.copytree(template, case, symlinks=True)
    home, inputs = case / HOME, case / INPUT
    scratch = home / "tmp"
    scratch.mkdir()
    tempfile.tempdir = str(scratch)
    if seed is not None:
        mutate(case / door.damaged, seed)
    where = paths(home)
    with _silent():
        return judge(watch, home, inputs, lambda: door.enter(case, where))


def _remove(case: Path) -> None:
    if case.exists():
        shutil.rmtree(case)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


# --- The process that watches ---------------------------------------------------------------------


def _supervise(door: Door, seconds: float, seed: int) -> Tally:
    """Work at a door for so long; a process that dies or hangs is a fault, and another one goes on."""
    tally = Tally()
    while tally.worked_s < seconds:
        stopped = _follow(door, seed, tally, seconds)
        if stopped is None:
            break
        number, why = stopped
        tally.add(number, Verdict(why, "process", 0.0, 0.0, refused=False))
        if number < 0:
            break  # It did not even come to the first case.
    return tally


def _follow(door: Door, seed: int, tally: Tally, seconds: float) -> tuple[int, str] | None:
    """Read what one process tells; return the case in which it stopped and why, None when time is up."""
    command = [sys.executable, "-m", "tests.fuzz", "--worker", "--door", door.name, "--seed", str(seed)]
    command += ["--first", str(tally.cases)]
    case, patience, began = -1, START_S, time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        try:
            while True:
                if not select.select([process.stdout], [], [], patience)[0]:
                    tally.worked_s += patience
                    return case, f"it was not through after {patience:.0f} s"
                line = process.stdout.readline()
                if not line:
                    return case, f"the process died with {process.wait()}"
                told = json.loads(line)
                if "whole" in told:
                    verdict = Verdict(*told["whole"])
                    # The first case imports torch, which takes as long as it takes.
                    if (verdict.fault and not verdict.fault.startswith("it took")) or verdict.refused:
                        return case, f"whole files: {verdict.fault or 'refused'} {verdict.place}"
                elif "begins" in told:
                    case, began = told["begins"], time.monotonic()
                else:
                    tally.worked_s += time.monotonic() - began
                    tally.add(told["seed"], Verdict(*told["ended"]))
                    if tally.worked_s > seconds:
                        return None
                patience = HANG_S
        finally:
            process.kill()


def _tell(tallies: dict[str, Tally]) -> None:
    print(f"{'door':<22} {'cases':>6} {'refused':>8} {'slowest':>9} {'memory':>9} {'faults':>7}")
    for name, tally in tallies.items():
        print(
            f"{name:<22} {tally.cases:>6} {tally.refused:>8} {tally.slowest_s:>7.2f} s"
            f" {tally.largest_mb:>6.0f} MB {sum(tally.faults.values()):>7}"
        )
    for name, tally in tallies.items():
        for kind, times in tally.faults.most_common():
            seed, fault = tally.examples[kind]
            print(f"\n{name}, {times} times at {kind[1]}: {fault}")
            print(f"  python -m tests.fuzz --door '{name}' --case {seed}")
    print(
        json.dumps(
            {
                name: {
                    "cases": tally.cases,
                    "refused": tally.refused,
                    "slowest_s": round(tally.slowest_s, 2),
                    "largest_mb": round(tally.largest_mb),
                    "faults": sum(tally.faults.values()),
                }
                for name, tally in tallies.items()
            }
        )
    )


def _show(door: Door, seed: int) -> int:
    """Run one case for a person, with its traceback, and leave its files."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    template, case = folder / "template", folder / "case"
    _prepare(door, template)
    shutil.copytree(template, case, symlinks=True)
    print(*mutate(case / door.damaged, seed), sep="\n")
    print(f"The files are in {case}.")
    door.enter(case, paths(case / HOME))
    print("It went through.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
