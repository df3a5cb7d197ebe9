"""The verb `aizuchi models`: list what is known, download, verify, and make a tiny one.

Knows nothing about talk; a model is looked over here, never loaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

import torch
from huggingface_hub import constants

from app import catalog, settings
from app.engine import download
from app.engine.build import prove
from app.engine.checkpoint import PEDIGREE, Progress, find
from app.engine.device import Device, choose_device
from app.engine.events import Loadout, Prompt
from app.engine.fake import make_tiny
from app.engine.persona import PromptReader
from app.engine.reader import read_tensors
from app.errors import UserError
from app.files import named, read_json
from app.memory_plan import words
from app.paths import Paths

LANGUAGES = {"en": "English", "hi": "Hindi", "ja": "Japanese"}

TELL_S = 0.2

SHORT_CONTEXT = 375
"""30 s: the least that the makers of Moshi quote figures for."""


class Row(TypedDict):
    """One known model on this computer, as `models list --json` prints it. GB are 1e9 bytes."""

    name: str
    repo: str
    language: str
    voice: str
    voices: list[str]
    """Those that it can be told to speak with."""
    takes_role: bool
    licence: str
    research_only: bool
    gated: bool
    """Whether its files are for those alone who accepted its licence on the hub."""
    summary: str
    size_gb: float
    mode: str
    memory_gb: float
    memory_short_gb: float
    fits: bool
    way: str
    """How it is kept on the graphics card, '' where it does not fit or needs none."""
    downloaded: bool


class OwnRow(TypedDict):
    """A model of the user's own below the models folder, as its `aizuchi.json` tells."""

    name: str
    own: bool
    """Always True: a known model has no such key."""
    folder: str
    parent: str
    """What it was trained on: a name of the catalogue, a folder or a hub repository."""
    language: str
    created: str
    data: list[str]
    hours: float
    method: str
    steps: int
    scores: dict[str, float]
    before: dict[str, float]
    downloaded: bool


def main(argv: list[str], where: Paths) -> int:
    """Run `aizuchi models` and return the exit status."""
    parser = argparse.ArgumentParser(prog="aizuchi models", description="List and verify models.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("list", help="what is known, what it needs, and what is on this computer")
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")
    verb = verbs.add_parser("download", help="fetch the files of a model")
    verb.add_argument("model", metavar="NAME", help="a known model, or a hub repository owner/name")
    verb.add_argument("--json", action="store_true", help="tell how far it is in lines of JSON")
    verb = verbs.add_parser("verify", help="check that the files of a model are whole and fit together")
    verb.add_argument("model", metavar="NAME|DIR")
    verb.add_argument("--base", metavar="NAME|DIR", help="what an adapter was trained on")
    verb = verbs.add_parser("make-tiny", help="write a tiny random model in the official format")
    verb.add_argument("folder", metavar="DIR", type=Path)
    verb.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args(argv)
    if options.verb == "list":
        _list(where, as_json=options.json)
    elif options.verb == "download":
        _download(options.model, where, as_json=options.json)
    elif options.verb == "verify":
        _verify(options.model, options.base, where)
    else:
        _make_tiny(options.folder, options.seed)
    return 0


def rows(device: Device, loadout: Loadout | None = None) -> list[Row]:
    """Return the known models, and whether they are here and fit into what is free of a device.

    `loadout` is how the user wants models to be loaded.
    """
    return [_row(known, device, loadout) for known in catalog.KNOWN]


def _row(known: catalog.KnownModel, device: Device, loadout: Loadout | None) -> Row:
    found = known.plan(device.free_bytes, loadout)
    way = words(found.fit, known.mode) if device.on_card and found.fits and not known.bundled else ""
    return Row(
        name=known.name,
        repo=known.repo,
        language=known.language,
        voice=known.voice,
        voices=list(known.voices),
        takes_role=known.takes_role,
        licence=known.licence,
        research_only=known.research_only,
        gated=known.gated,
        summary=known.summary,
        size_gb=round(known.size_gb, 3),
        mode=known.mode,
        memory_gb=round(known.memory_gb(), 1),
        memory_short_gb=round(known.memory_gb(SHORT_CONTEXT), 1),
        fits=known.bundled or bool(way),
        way=way,
        downloaded=_is_downloaded(known),
    )


def own_rows(models: Path) -> list[OwnRow]:
    """Return the models that were trained on this computer, newest first; what is damaged is left out."""
    found = list(_read_own(models))
    return sorted(found, key=lambda row: (row["created"], row["name"]), reverse=True)


def _read_own(models: Path) -> Iterator[OwnRow]:
    for path in sorted(models.glob(f"*/{PEDIGREE}")):
        with suppress(OSError, ValueError, TypeError, AttributeError):
            # One with a dot is only being made.
            if not path.parent.name.startswith("."):
                yield _own_row(path.parent, read_json(path))


def _own_row(folder: Path, told: dict[str, Any]) -> OwnRow:
    return OwnRow(
        name=folder.name,
        own=True,
        folder=str(folder),
        parent=str(told.get("parent", "")),
        language=str(told.get("language", "")),
        created=str(told.get("created", "")),
        data=[str(name) for name in told.get("data", [])],
        hours=float(told.get("hours", 0.0)),
        method=str(told.get("method", "")),
        steps=int(told.get("step", told.get("steps", 0))),
        scores=_scores(told.get("scores")),
        before=_scores(told.get("before")),
        downloaded=True,
    )


def _scores(told: Any) -> dict[str, float]:
    return {str(name): float(value) for name, value in (told or {}).items() if value is not None}


def _list(where: Paths, *, as_json: bool) -> None:
    device = choose_device()
    known, own = rows(device, settings.load(where.settings).loadout()), own_rows(where.models)
    if as_json:
        print(json.dumps([*known, *own], indent=2))
        return
    cells = [["NAME", "LANGUAGE", "LICENCE", "DISK", "MEMORY", "FITS", "HERE"]]
    cells += [
        [
            row["name"],
            ", ".join(LANGUAGES[code] for code in row["language"].split()),
            row["licence"] + (" (research only)" if row["research_only"] else ""),
            f"{row['size_gb']:.{1 if row['size_gb'] >= 0.1 else 2}f} GB",
            f"{row['mode']} {row['memory_gb']:.1f} GB",
            row["way"] or ("yes" if row["fits"] else "no"),
            "yes" if row["downloaded"] else "no",
        ]
        for row in known
    ]
    print(_table(cells))
    for row in known:
        if row["voices"]:
            role = ", and takes a --role" if row["takes_role"] else ""
            print(f"\n{row['name']} has a choice of --voice{role}: {', '.join(row['voices'])}.")
    if own:
        print(f"\n{_table(_own_cells(own))}")
    if device.on_card:
        free, total = (size / 1e9 for size in (device.free_bytes, device.total_bytes))
        print(f"\n{device.label} has {free:.1f} of {total:.1f} GB free.", end=" ")
    else:
        print("\nThere is no graphics card that PyTorch can use; `starter` runs without one.", end=" ")
    print(f"A context of 30 s in place of 240 s saves {_saved_gb():.1f} GB.")


def _own_cells(own: list[OwnRow]) -> list[list[str]]:
    cells = [["YOUR OWN", "TRAINED ON", "DATA", "HOURS", "HELD-OUT LOSS", "MADE"]]
    for row in own:
        scores = [f"{scores['loss']:.2f}" for scores in (row["before"], row["scores"]) if "loss" in scores]
        data = ", ".join(row["data"])
        cells.append(
            [row["name"], row["parent"], data, f"{row['hours']:.1f}", " → ".join(scores), row["created"][:10]]
        )
    return cells


def _saved_gb() -> float:
    known = catalog.HUB[0]
    return known.memory_gb() - known.memory_gb(SHORT_CONTEXT)


def _table(cells: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _is_downloaded(known: catalog.KnownModel) -> bool:
    return all(download.cached(reference) for reference in known.files)


def _download(name: str, where: Paths, *, as_json: bool) -> None:
    known = catalog.find(name)
    if known is not None and known.research_only:
        print(f"{known.name} is licensed {known.licence}: for research, not for commercial use.")
    if known is not None:
        _check_room(known)
    progress = _told_to_programs(known) if as_json else _progress()
    found = find(name, models=where.models, progress=progress, reach="all")
    prove(found)
    for path in found.files:
        _check_hash(path, known)
    print(f"{found.name} is on this computer, whole: {found.weights.parent}")


def _check_room(known: catalog.KnownModel) -> None:
    """Raise UserError before a download begins that the disk has no room for."""
    folder = Path(constants.HF_HUB_CACHE)
    there = folder
    while not there.exists():
        there = there.parent
    # What came before is not fetched again.
    here = sum(path.stat().st_size for path in _blobs(known))
    needed, free = known.size_gb * 1e9 - here, shutil.disk_usage(there).free
    if needed > free:
        raise UserError(
            f"{known.name} needs {needed / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are free in {folder}.",
            "Free some space, or let HF_HOME name a folder on another disk.",
        )


def _blobs(known: catalog.KnownModel) -> Iterator[Path]:
    """Yield the files of a model in the cache, whole or begun."""
    for repo in {download.split(reference)[0] for reference in known.files}:
        yield from (Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}" / "blobs").glob("*")


def _verify(name: str, base: str | None, where: Paths) -> None:
    known = catalog.find(name)
    found = find(name, base=base, models=where.models, reach="never")
    if found.note:
        print(found.note)
    outline = prove(found)
    prompts = PromptReader(outline, outline.lm)
    for voice in prompts.support.voices:
        prompts.read(Prompt(voice))
    for path in found.files:
        if path not in (found.tokenizer, found.voices):
            _check_numbers(path)
        print(f"{path}: {_check_hash(path, known)}", flush=True)
    print(f"{found.name} is whole, and its files fit together.")


def _check_numbers(path: Path) -> None:
    """Read all weights of a file. Raises UserError for numbers that are not finite."""
    for _ in read_tensors(path, torch.device("cpu")):
        pass


def _check_hash(path: Path, known: catalog.KnownModel | None) -> str:
    """Return what is to be said about a file's hash; raise UserError if it is not what it should be."""
    pinned = dict(known.sha256).get(path.name) if known is not None else None
    expected = pinned or download.expected_sha256(path)
    if expected is None:
        return "fits; the hub tells no SHA-256 to compare with"
    with path.open("rb") as file:
        found = _sha256(file.read)
    if found != expected:
        advice = f"Delete {path.resolve()} and download it again."
        raise UserError(f"{path} is damaged: its SHA-256 is not the one that the hub tells.", advice)
    return "fits, and its SHA-256 is the hub's"


def _sha256(read: Callable[[int], bytes]) -> str:
    digest = hashlib.sha256()
    while block := read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _progress() -> Progress:
    """Return a callback that prints a line for each tenth of each file."""
    printed: set[tuple[str, int]] = set()

    def tell(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if (stage, tenth) not in printed:
            printed.add((stage, tenth))
            print(f"{stage}: {10 * tenth} % of {total / 1e9:.2f} GB", flush=True)

    return tell


def _told_to_programs(known: catalog.KnownModel | None) -> Progress:
    """Return a callback that prints a line of JSON, in bytes of the whole model, a few times a second."""
    sizes: dict[str, int] = {}
    last = 0.0

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        sizes[stage] = done
        now = time.monotonic()
        if now - last > TELL_S or done == total:
            last = now
            whole = round(known.size_gb * 1e9) if known is not None else total
            print(json.dumps({"done": min(whole, sum(sizes.values())), "total": whole}), flush=True)

    return tell


def _make_tiny(folder: Path, seed: int) -> None:
    folder = make_tiny(named(folder), seed=seed)
    print(f"A tiny random model was written; talk with it: aizuchi talk --model {folder}")
