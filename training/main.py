"""The verb `aizuchi train`: finetune a model on datasets, or go on with a run.

Sets up what the loop needs and says how it ended. The same command runs on one card, under `accelerate
launch` and under `torchrun`: how many processes there are is for the launcher to say.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from moshi.utils.compile import no_compile

from app.errors import UserError
from app.paths import Paths
from app.store.runs import CONFIG, find_run, open_run
from training import checkpoint
from training.base import find_base
from training.claim import Claim, claimed
from training.config import (
    Config,
    parse_config,
    read_config,
    read_settings,
    replaced,
    write_config,
)
from training.loop import train
from training.material import open_examples
from training.plan import make_plan
from training.provenance import compare
from training.record import Record, Silence, new_values, show_json, show_words, take_up
from training.setup import begin, make_accelerator
from training.stopping import Ended, listening


def main(argv: list[str], where: Paths) -> int:
    """Train, and return the exit status. Raises UserError."""
    options = _parse(argv)
    folder = find_run(options.resume, where.runs) if options.resume else None
    config = _taken_up(folder, options.steps) if folder else _asked(options, where)
    if options.plan:
        print(json.dumps(make_plan(config, where)))
        return 0
    # moshi compiles small functions when they are first called, which pays on a graphics card alone.
    calm = nullcontext if torch.cuda.is_available() else no_compile
    with (
        _processes(config) as accelerator,
        calm(),
        claimed(config, folder, options.step, accelerator, where) as claim,
    ):
        return _run(config, claim, accelerator, where, as_json=options.json)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi train", description="Finetune a model, or go on with a run."
    )
    add = parser.add_argument
    add("config", nargs="?", type=Path, metavar="CONFIG.toml", help="what to train, and how")
    add("--resume", metavar="RUN", help="go on with a run: its name or its folder")
    add(
        "--step",
        type=int,
        metavar="N",
        help="with --resume: from the checkpoint after this step, not the last",
    )
    add("--steps", type=int, metavar="N", help="train for so many steps in all")
    add("--plan", action="store_true", help="say what it would take, as JSON, and do not train")
    add("--json", action="store_true", help="print what happens as JSON lines, for programs")
    options = parser.parse_args(argv)
    if bool(options.config) == bool(options.resume):
        parser.error("name either a CONFIG.toml or a run to --resume")
    if options.step is not None and not options.resume:
        parser.error("--step is one of the run to --resume; for how many steps to train there is --steps")
    return options


def _asked(options: argparse.Namespace, where: Paths) -> Config:
    """Return the configuration of a new run. Raises UserError."""
    settings = read_settings(options.config)
    if options.steps is not None:
        settings["steps"] = options.steps
    return parse_config(settings, str(options.config), where.models)


def _taken_up(folder: Path, steps: int | None) -> Config:
    """Return the configuration of a run that is to go on, to other `steps` if asked to. Raises UserError."""
    config = read_config(folder / CONFIG)
    return config if steps is None else replaced(config, steps=steps)


@contextmanager
def _processes(config: Config) -> Iterator[Accelerator]:
    """Join the other processes, and leave no trace of it in this one."""
    accelerator = make_accelerator(config)
    try:
        yield accelerator
    finally:
        accelerator.free_memory()
        if accelerator.num_processes > 1:
            PartialState().destroy_process_group()
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()


def _run(
    config: Config,
    claim: Claim,
    accelerator: Accelerator,
    where: Paths,
    *,
    as_json: bool,
) -> int:
    """Train on this process, and let the record say how it ended."""
    folder, step, state = claim.folder, claim.first or 0, "stopped"
    # Before anything is written: what is refused stays as it was.
    notes = _compare(config, folder, where) if step else []
    record = _open_record(config, claim, accelerator, show_json if as_json else show_words)
    try:
        with listening(accelerator) as stop:
            for sentence, advice in notes:
                record.emit({"kind": "warning", "step": step, "sentence": sentence, "advice": advice})
            work = begin(config, record, accelerator, where, step)
            state, sentence = train(work, step, stop)
        record.end(state, _step(record, step), sentence)
    except (Ended, KeyboardInterrupt):
        record.end("stopped", _step(record, step))
    except UserError as fault:
        record.end("failed", _step(record, step), fault.sentence, fault.advice)
        raise
    except torch.OutOfMemoryError as fault:
        sentence, advice = "The graphics memory ran out.", "Lower batch.seconds, or set base_bits to 8 or 4."
        record.end("failed", _step(record, step), sentence, advice)
        raise UserError(sentence, advice) from fault
    except OSError as fault:
        refused = checkpoint.disk_full(fault, "The record of the run")
        record.end("failed", _step(record, step), refused.sentence, refused.advice)
        raise refused from fault
    except BaseException as fault:
        record.end(
            "failed", _step(record, step), f"{type(fault).__name__}: {fault}", "The log holds the details."
        )
        raise
    finally:
        record.close()
    if accelerator.is_main_process and not as_json:
        named = folder.name if folder.parent == where.runs else folder
        advice = (
            "Go on with it: `aizuchi train --resume" if state == "stopped" else "To talk: `aizuchi export"
        )
        print(f"{advice} {named}`.")
        print(folder)
    return 0


def _compare(config: Config, folder: Path, where: Paths) -> list[tuple[str, str]]:
    """Return what is to be told of a run that learnt something and goes on. Raises UserError."""
    found = find_base(config, where.models)
    return compare(open_run(folder), config, found, *open_examples(config, found, where))


def _step(record: Record | Silence, first: int) -> int:
    """Return the last step that is kept."""
    return int(record.values.get("step", first)) if isinstance(record, Record) else first


def _open_record(config: Config, claim: Claim, accelerator: Accelerator, show: Any) -> Record | Silence:
    folder, first = claim
    if not accelerator.is_main_process:
        return Silence(folder)
    try:
        if first is None:
            values = new_values(folder.name, model=config.model, data=list(config.data), steps=config.steps)
        else:
            values = {**take_up(folder, first).values, "step": first, "steps": config.steps}
            write_config(config, folder / CONFIG)
        return Record(folder, values, show)
    except OSError as fault:
        raise checkpoint.disk_full(fault, f"The run {folder}") from fault
