"""Stands in for the `aizuchi` command where a test of the window needs it quick: same files, same lines.

`python -m tests.ui.train_command HOME VERB …`. What it does is told by the files `slow` and `fail` in HOME.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from app.files import write_json
from app.paths import Paths, paths
from app.store.datasets import PREPARED, create_dataset, open_dataset
from app.store.runs import METRICS, RUN, open_run
from tests.ui.trained import events, make_dataset, make_run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def main(argv: list[str]) -> int:
    """Do what a verb does."""
    where = paths(Path(argv[0]))
    verb, rest = argv[1], argv[2:]
    note(where, argv[1:])
    if (fail := where.config.parent / "fail").exists():
        print(fail.read_text(encoding="utf-8"), file=sys.stderr)
        return 1
    if verb == "data":
        return data(rest[0], rest[1:], where)
    if verb == "export":
        return export(Path(rest[0]), where)
    if "--plan" in rest:
        tell(memory_gb=20.4, hours=0.83, held_out_hours=0.09, steps=500, minutes=38.0, fits=True, device="X")
        return 0
    return train(rest, where)


def note(where: Paths, argv: list[str]) -> None:
    """Write down what was asked, a line each."""
    where.config.parent.mkdir(parents=True, exist_ok=True)
    with (where.config.parent / "asked").open("a", encoding="utf-8") as file:
        file.write(" ".join(argv) + "\n")


def tell(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def data(verb: str, rest: list[str], where: Paths) -> int:
    if verb == "import":
        folder = where.datasets / rest[rest.index("--name") + 1]
        if not folder.exists():
            make_dataset(where.datasets, folder.name, prepared="")
        if (where.config.parent / "wordless").exists():
            for path in (folder / "text").glob("*.json"):
                path.unlink()
    folder = (
        create_dataset(where.datasets / rest[rest.index("--name") + 1]).folder
        if verb == "import"
        else Path(rest[0])
    )
    total = 4
    for done in range(total + 1):
        tell(kind="progress", stage=verb.capitalize(), done=done, total=total, unit="dialogues", left_s=None)
        while (where.config.parent / "slow").exists() and done == 2:
            time.sleep(0.02)
    if verb == "prepare":
        tell(kind="finding", dialogue="talk-3", finding="overlong", sentence="talk-3 was cut.", done="")
        model = rest[rest.index("--model") + 1]
        write_json(open_dataset(folder).folder / PREPARED, {"format": 1, "model": model, "dialogues": 3})
    if verb == "transcribe":
        for path in sorted((folder / "audio").glob("*.flac")):
            words = [{"speaker": voice, "word": "yes", "start": 1, "end": 2} for voice in "AB"]
            write_json(folder / "text" / f"{path.stem}.json", words)
    tell(kind="result")
    return 0


def export(run: Path, where: Paths) -> int:
    folder = where.models / run.name
    write_json(folder / "config.json", {})
    scores = {"loss": 9.0, "text": 1.8, "semantic": 3.4, "acoustic": 4.8}
    card = {"format": 1, "name": run.name, "parent": "moshiko", "language": "en",
            "created": "2026-11-24T18:30:00+00:00",
            "data": ["my-talks"], "hours": 0.83, "method": "lora", "steps": 500, "step": 450,
            "scores": scores, "before": {**scores, "text": 2.9}}  # fmt: skip
    write_json(folder / "aizuchi.json", card)
    print(f"{run.name} is a model now.")
    print(folder)
    return 0


def train(rest: list[str], where: Paths) -> int:
    """Train until it is told to stop, 20 steps at a time."""
    if "--resume" in rest:
        folder = Path(rest[rest.index("--resume") + 1])
        values = {**open_run(folder).values, "state": "running", "pid": os.getpid()}
    else:
        config = tomllib.loads(Path(rest[0]).read_text(encoding="utf-8"))
        folder = make_run(
            where.runs, config["name"], state="running", steps=config["steps"], done=50, pid=os.getpid()
        )
        values = open_run(folder).values
    write_json(folder / RUN, values)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    while not asked and values["step"] < values["steps"]:
        time.sleep(0.05)
        step = values["step"] + 20
        told = [event for event in events(values["steps"], step) if event["step"] > values["step"]]
        with (folder / METRICS).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in told)
        values["step"] = min(step, values["steps"] - 1)
        write_json(folder / RUN, values)
    saving = {"kind": "stage", "step": values["step"], "text": "Saving a checkpoint", "done": 0, "total": 0}
    with (folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(saving) + "\n")
    while (where.config.parent / "saving").exists() and len(asked) < 2:
        time.sleep(0.05)
    write_json(folder / RUN, {**values, "state": "stopped", "pid": None})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
