"""What a graphics card says about Aizuchi, in ten minutes: each step in a process of its own, with a limit.

    python3 tests/gpu_check.py OUT.json                the card that has the most free memory
    python3 tests/gpu_check.py OUT.json --dry          tiny models on the processor, to try the script
    python3 tests/gpu_check.py OUT.json --only env,check_int8 --budget 120

Prints a line for each step, and last which bars were met. OUT.json is written anew after each step, so that
what was found is there whatever happens. The exit status is 0 where all that was begun came to its end, and
found nothing wrong.

Where only torch is installed, collect what else is needed with the project's own Python, take the folder
along with the project, and name it:

    .venv/bin/python tests/gpu_check.py --collect DIR
    python3 tests/gpu_check.py OUT.json --wheels DIR   wheels may lie in it as well

Pure packages of the folder go before installed ones, compiled ones after: those may be of another Python.
Nothing is downloaded, and models have random weights, but for the one that comes with the program.

This file knows nothing about the engine and does not import torch: what a step does is in `gpu_steps.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

BUDGET_S = 560.0
LEAST_S = 15.0
"""With less time left no step is begun: it would take as long to load torch."""

PURE, COMPILED = "pure", "compiled"
"""Folders of what is collected."""

STDERR_LETTERS = 3000

RATIO_BARS = {"bf16": 0.55, "int8": 0.45, "int4": 0.40}
"""The most that a step of ours may take, as a share of moshi's in bf16."""

JITTER_BAR = 1.15
"""The most that p99.9 of a step may be over its median."""

BANDWIDTH_BAR = 0.70
"""The least share of the bandwidth of a copy."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One thing to find out."""

    name: str
    limit_s: float
    command: tuple[str, ...] = field(default=(), repr=False)
    """What is started in place of a step of `gpu_steps`."""


STEPS = (
    Step("env", 60),
    Step("mimi", 70),
    Step("check_bf16", 100),
    Step("engine_bf16", 150),
    Step("check_int8", 90),
    Step("engine_int8", 120),
    Step("check_int4", 90),
    Step("engine_int4", 120),
    Step("kernels", 120),
    Step("tokens", 120),
    Step("sampling", 70),
    Step("logits", 90),
    Step("load", 120),
    Step("train", 90),
)
"""In the order of their value: time may not be left for all."""


def main() -> int:
    """Run the steps that the command line names, and return the exit status."""
    options = _parse()
    if options.collect is not None:
        return collect(options.collect)
    with _packages(options.wheels) as search:
        sys.path[:] = search
        if options.step:
            return _do_step(options.step, dry=options.dry)
        chosen = [step for step in STEPS if not options.only or step.name in options.only]
        results = run_steps(
            chosen, options.out, options.budget, search=search, dry=options.dry, nice=options.nice
        )
    print_bars(results["bars"], dry=options.dry)
    return int(any(is_failed(results.get(step.name)) for step in chosen))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gpu_check.py", description=(__doc__ or "").split("\n", 1)[0])
    add = parser.add_argument
    names = ",".join(step.name for step in STEPS)
    add("out", nargs="?", type=Path, metavar="OUT.json", help="where everything that is found goes")
    add("--dry", action="store_true", help="try all of it on the processor, with tiny models")
    add("--only", type=lambda text: text.split(","), metavar="STEP,…", help=f"of {names}")
    add("--budget", type=float, default=BUDGET_S, metavar="S", help="time for all (default %(default)s)")
    add("--wheels", type=Path, metavar="DIR", help="packages that are not installed")
    add("--collect", type=Path, metavar="DIR", help="copy those there from this Python, and end")
    add("--nice", type=int, default=0, metavar="N", help="give way to other programs so far")
    add("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.out is None and options.collect is None and options.step is None:
        parser.error("name the file for the results, or --collect DIR")
    if unknown := set(options.only or ()) - {step.name for step in STEPS}:
        parser.error(f"there is no step {', '.join(sorted(unknown))}; there are {names}")
    return options


# --- Running ------------------------------------------------------------------------------------------


def run_steps(
    steps: Sequence[Step],
    out: Path,
    budget_s: float = BUDGET_S,
    *,
    search: Sequence[str] = (),
    dry: bool = False,
    nice: int = 0,
) -> Result:
    """Run steps one after the other, and return what they found; one that hangs or dies leaves the others."""
    began = time.monotonic()
    results: Result = {"dry": dry, "python": sys.version.split()[0], "steps": [step.name for step in steps]}
    for step in steps:
        left_s = budget_s - (time.monotonic() - began)
        if left_s < min(LEAST_S, budget_s / 2):
            results[step.name] = {"left_out": "no time was left"}
        else:
            started = time.monotonic()
            found = run_step(step, min(step.limit_s, left_s), search=search, dry=dry, nice=nice)
            results[step.name] = {**found, "took_s": round(time.monotonic() - started, 1)}
        results["bars"] = find_bars(results)
        results["took_s"] = round(time.monotonic() - began, 1)
        _write(out, results)
        print(line_of(step.name, results[step.name]), flush=True)
    results.setdefault("bars", find_bars(results))
    _write(out, results)
    return results


def run_step(
    step: Step, limit_s: float, *, search: Sequence[str] = (), dry: bool = False, nice: int = 0
) -> Result:
    """Run a step in a process of its own, and return what it said, also where it did not come to its end."""
    own = [sys.executable, str(Path(__file__).resolve()), "--step", step.name, *(["--dry"] if dry else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)} if search else None
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            list(step.command) or own,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=errors,
            env=environment,
            cwd=ROOT,
            # With all that it starts it can be ended at once.
            start_new_session=True,
        )
        failed = ""
        try:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, nice)
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            status, failed = 0, f"it took longer than {limit_s:.0f} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        found = _read_lines(said)
        if status:
            failed = f"it ended with status {status}" if status > 0 else f"signal {-status} ended it"
        if failed:
            found |= {"failed": failed, "stderr": _tail(errors)}
        return found


def _read_lines(said: Any) -> Result:
    """Return the names and values that a step said, each on a line of JSON; other lines are not its own."""
    said.seek(0)
    found: Result = {}
    for line in said:
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                found |= value
    return found


def _tail(errors: Any) -> str:
    errors.seek(0)
    return str(errors.read()[-STDERR_LETTERS:])


def _write(out: Path, results: Result) -> None:
    """Put the results where they go, all or nothing."""
    part = out.with_name(f"{out.name}.part")
    part.write_text(json.dumps(results, indent=1), encoding="utf-8")
    part.replace(out)


def is_failed(found: Result | None) -> bool:
    """Return whether a step did not come to its end, or found something wrong."""
    return found is None or "failed" in found or bool(found.get("wrong"))


def line_of(name: str, found: Result) -> str:
    """Return the line that is printed about a step."""
    words = found.get("left_out") or found.get("summary", "")
    if "failed" in found:
        last = found.get("stderr", "").strip().splitlines()[-1:]
        words = f"FAILED: {'; '.join([found['failed'], *last])}"
    elif found.get("wrong"):
        words = f"WRONG: {'; '.join(found['wrong'])}"
    return f"{name:12} {found.get('took_s', 0.0):6.1f} s  {words[:300]}"


# --- Bars ---------------------------------------------------------------------------------------------


def find_bars(results: Result) -> dict[str, Result]:
    """Return each bar with what was measured, and whether it was met; None where nothing was."""
    bars: dict[str, Result] = {}
    for mode, most in RATIO_BARS.items():
        for kv, found in sorted(results.get(f"engine_{mode}", {}).items()):
            if isinstance(found, dict) and "step_ms" in found:
                name = mode if kv == "bf16" else f"{mode}, KV {kv}"
                _add_bars(bars, name, found, most)
        bars.setdefault(f"{mode}: step over moshi's", _bar(None, most=most))
    return bars


def _add_bars(bars: dict[str, Result], name: str, found: Result, most: float) -> None:
    spread, step_ms = found["step_ms"], found["step_ms"]["p50"]
    if found.get("step_ratio") is not None:
        bars[f"{name}: step over moshi's"] = _bar(found["step_ratio"], most=most)
    bars[f"{name}: p99.9 over p50"] = _bar(round(spread["p999"] / step_ms, 3), most=JITTER_BAR)
    bars[f"{name}: share of a copy's bandwidth"] = _bar(found["bandwidth_share"], least=BANDWIDTH_BAR)
    # Beside what torch takes there is what CUDA itself does, which was counted too.
    bars[f"{name}: peak GB, of those counted"] = _bar(found["whole_peak_gb"], most=found["needed_gb"])


def _bar(value: float | None, *, most: float | None = None, least: float | None = None) -> Result:
    met = None
    if value is not None:
        met = (most is None or value <= most) and (least is None or value >= least)
    return {"value": value, **({"most": most} if least is None else {"least": least}), "met": met}


def print_bars(bars: dict[str, Result], *, dry: bool) -> None:
    """Print which bars were met."""
    print("\nbars" + (" (of tiny models on a processor, where they mean nothing)" if dry else ""))
    for name, bar in bars.items():
        limit = f"at most {bar['most']}" if "most" in bar else f"at least {bar['least']}"
        word = {True: "met", False: "NOT MET", None: "not measured"}[bar["met"]]
        print(f"  {name:42} {'-' if bar['value'] is None else bar['value']!s:>8}  {limit:15} {word}")


# --- Packages -----------------------------------------------------------------------------------------


@contextmanager
def _packages(folder: Path | None) -> Iterator[list[str]]:
    """Yield where modules are looked for: the project, what was collected, what is installed."""
    here = [str(ROOT), *(path for path in sys.path if Path(path or ".").resolve() != ROOT / "tests")]
    if folder is None:
        yield here
        return
    if not folder.is_dir():
        raise SystemExit(f"There is no folder {folder}.")
    with tempfile.TemporaryDirectory() as unpacked:
        before, after = [str(folder.resolve() / PURE)], [str(folder.resolve() / COMPILED)]
        for wheel in sorted(folder.glob("*.whl")):
            into = Path(unpacked, wheel.stem)
            zipfile.ZipFile(wheel).extractall(into)
            (before if wheel.stem.endswith("-none-any") else after).append(str(into))
        yield [here[0], *before, *here[1:], *after]


def collect(folder: Path) -> int:
    """Copy the packages that the steps import, but for torch and what it needs itself; return a status."""
    sys.path[:] = [str(ROOT), *sys.path]
    from tests import gpu_packages

    gpu_packages.collect(folder / PURE, folder / COMPILED)
    return 0


def _do_step(name: str, *, dry: bool) -> int:
    """Do a step in this process: say each thing that is found, as a line of JSON, as soon as it is."""
    from tests import gpu_steps

    for found in gpu_steps.find(name, dry=dry):
        print(json.dumps(found, default=str), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
