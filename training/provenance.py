"""What a run began with, kept by content in `provenance.json`, and what must not change when it goes on.

Other data or settings would let it learn what it is judged by, or compare losses that are not comparable:
that is refused by name. Another version of the program, or fewer cards, is only told. Costs little: dialogues
are hashed once when they are unpacked, weights by samples. Knows nothing about steps or the loop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import app
from app import files
from app.engine.checkpoint import Checkpoint
from app.errors import UserError
from app.store.runs import CONFIG, Run, read_metrics
from training.base import compute_dtype
from training.config import Config
from training.examples import Examples

PROVENANCE = "provenance.json"
FORMAT = 1

FREE = ("name", "steps", "memory", "evaluation")
"""Settings that may change: names, lengths, intervals, and what spares memory at the same result."""

BY_CONTENT = ("model", "base", "data", "held_out")
"""Settings that are names: what they stand for counts."""

MOST_NAMES = 5
"""So many dialogues are named in a sentence."""

HOURS = 1e-6
"""By less than this the hours of dialogue differ that a run without a record was given."""

Told = tuple[str, str]
"""A sentence and an advice."""


def describe(config: Config, found: Checkpoint, train: Examples, held_out: Examples) -> dict[str, Any]:
    """Return what a run begins with, as JSON values."""
    return {
        "format": FORMAT,
        "settings": _settings(config),
        "steps": config.steps,
        "model": _model(found.details),
        "train": _examples(train),
        "held_out": _examples(held_out),
        "versions": {
            "Aizuchi": app.__version__,
            "torch": torch.__version__,
            "moshi": metadata.version("moshi"),
            "precision": str(compute_dtype(config)).removeprefix("torch."),
        },
    }


def keep(folder: Path, described: dict[str, Any]) -> None:
    """Write down what a run begins with. Raises OSError."""
    files.write_json(folder / PROVENANCE, described)


def is_kept(folder: Path) -> bool:
    """Return whether it is known what a run began with."""
    return (folder / PROVENANCE).is_file()


def compare(run: Run, config: Config, found: Checkpoint, train: Examples, held_out: Examples) -> list[Told]:
    """Return what has changed since a run began and may; raises UserError for what must not."""
    now = describe(config, found, train, held_out)
    try:
        before = files.read_json(run.folder / PROVENANCE)
        _check(before)
    except FileNotFoundError:
        return _compare_old(run, found, train, held_out)
    except (OSError, ValueError, TypeError, LookupError) as fault:
        raise UserError(
            f"{run.folder / PROVENANCE} is damaged, so that nobody knows what {run.name} learnt from.",
            f"Put back a copy of the file, or export the last checkpoint: `aizuchi export {run.name}`.",
        ) from fault
    _refuse_settings(run, before["settings"], now["settings"])
    if before["model"] != now["model"]:
        raise _refusal(run, f"The model {found.name} is not the one that the run {run.name} began with.")
    _refuse_data(run, before, now)
    return list(_notes(before, now, config))


def _settings(config: Config) -> dict[str, Any]:
    """Return the settings that count, each by its full name."""
    values = dict(_flat(dataclasses.asdict(config)))
    values = {name: each for name, each in values.items() if name.partition(".")[0] not in FREE + BY_CONTENT}
    # How many examples are in memory at a time is no matter; how many a step learns from is.
    del values["batch.size"], values["batch.accumulation"]
    if config.held_out:
        del values["held_out_share"]
    return {**values, "batch.size x batch.accumulation": config.batch.examples}


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, list(value) if isinstance(value, tuple) else value


def _model(details: dict[str, Any]) -> list[str | None]:
    """Return what tells the weights from others: those of the model, and those of an adapter."""
    weights, adapter = details.get("weights") or {}, details.get("adapter") or {}
    return [weights.get("fingerprint"), adapter.get("fingerprint")]


def _examples(examples: Examples) -> dict[str, Any]:
    return {"windows": examples.digest(), "dialogues": [list(each) for each in examples.dialogues]}


def _check(before: Any) -> None:
    """Raise an error for what is no record."""
    if before["format"] > FORMAT:
        raise ValueError("of a newer version")
    for part in ("train", "held_out"):
        str(before[part]["windows"])
        if not all(len(each) == 2 for each in before[part]["dialogues"]):
            raise ValueError("no dialogues")
    for part in ("settings", "versions"):
        if not isinstance(before[part], dict):
            raise TypeError(part)
    int(before["steps"])
    list(before["model"])


def _refuse_settings(run: Run, before: dict[str, Any], now: dict[str, Any]) -> None:
    # A setting that came with a later version has had its default until then.
    before = {**_settings(Config(data=("",))), **before}
    changed = [
        f"{name} = {_value(before[name])} (now {_value(value)})"
        for name, value in now.items()
        if before.get(name) != value
    ]
    if changed:
        raise UserError(
            f"The run {run.name} began with other settings: {', '.join(changed)}.",
            f"Put them back in {run.folder / CONFIG}, or begin a new run: `aizuchi export {run.name}`, and "
            "name the model that comes of it.",
        )


def _value(value: Any) -> str:
    """Return a value as a TOML file has it."""
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_data(run: Run, before: dict[str, Any], now: dict[str, Any]) -> None:
    if all(before[part]["windows"] == now[part]["windows"] for part in ("train", "held_out")):
        return
    told = list(_differences(before, now)) or ["They are in another order, or cut otherwise."]
    raise _refusal(run, " ".join([f"The dialogues are not those that the run {run.name} began with.", *told]))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Yield what became of the dialogues, by their names."""
    learnt, judged, learn, judge = (
        _named(each[part]["dialogues"]) for each in (before, now) for part in ("train", "held_out")
    )
    # Of a lone dialogue the end is held out: it is on both sides.
    old, new = _united(learnt, judged), _united(learn, judge)
    changed = {name for name in old.keys() & new.keys() if old[name] != new[name]}
    for sentence, names in (
        ("Added since it began: {0}.", new.keys() - old.keys()),
        ("Removed since it began: {0}.", old.keys() - new.keys()),
        ("Changed since it began: {0}.", changed),
        ("Held out now, and learnt from before: {0}.", (judge.keys() - judged.keys()) & learnt.keys()),
        ("Learnt from now, and held out before: {0}.", (learn.keys() - learnt.keys()) & judged.keys()),
    ):
        if names:
            yield sentence.format(_list(names))


def _named(dialogues: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the hashes of what bears each name: several datasets may use the same one."""
    named: dict[str, set[str]] = {}
    for name, digest in dialogues:
        named.setdefault(str(name), set()).add(str(digest))
    return named


def _united(one: dict[str, set[str]], other: dict[str, set[str]]) -> dict[str, set[str]]:
    return {name: one.get(name, set()) | other.get(name, set()) for name in one.keys() | other.keys()}


def _list(names: Iterable[str]) -> str:
    known = sorted(names)
    more = [f"… ({len(known)})"] if len(known) > MOST_NAMES else []
    return ", ".join(known[:MOST_NAMES] + more)


def _notes(before: dict[str, Any], now: dict[str, Any], config: Config) -> Iterator[Told]:
    """Yield what has changed and may, but is worth a word."""
    if before["steps"] != now["steps"] and config.optimizer.decay != "none":
        yield (
            f"The learning rates fall over {now['steps']} steps now, and fell over {before['steps']} before.",
            "",
        )
    for name, value in now["versions"].items():
        if name in before["versions"] and before["versions"][name] != value:
            yield (
                f"The run began with {name} {before['versions'][name]}, and goes on with {value}.",
                "Its numbers may differ in the last digits.",
            )


def _compare_old(run: Run, found: Checkpoint, train: Examples, held_out: Examples) -> list[Told]:
    """Compare with a run of an Aizuchi that kept no record: what it told shows at least a change of size."""
    base = run.values.get("base")
    if isinstance(base, dict) and _model(base) != _model(found.details):
        raise _refusal(run, f"The model {found.name} is not the one that the run {run.name} began with.")
    started = next((event for event in read_metrics(run.folder)[0] if event["kind"] == "started"), {})
    for examples, name in ((train, "hours"), (held_out, "held_out_hours")):
        if abs(float(started.get(name, examples.hours)) - examples.hours) > HOURS:
            raise _refusal(run, f"The dialogues are not those that the run {run.name} began with.")
    return [
        (
            f"The run {run.name} was begun by an Aizuchi that did not keep what it began with.",
            "What can be seen of its data is as it was; from now on all of it is kept.",
        )
    ]


def _refusal(run: Run, sentence: str) -> UserError:
    return UserError(
        sentence,
        f"Put back what it began with, or begin a new run: `aizuchi export {run.name}`, and name the model "
        "that comes of it.",
    )
