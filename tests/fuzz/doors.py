"""The doors through which files come into the program, each with whole files to begin with.

A door fills a folder once: `home` is what `--home` would be, `input` what a user names. Then it goes in as a
verb or the window does. Knows nothing about damage.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from app import settings
from app.engine.fake import make_tiny
from app.errors import UserError
from app.files import write_json
from app.frames import SAMPLE_RATE
from app.paths import Paths, paths
from app.store import archive as parcel
from app.store import recordings
from app.store.datasets import PREPARED, SHARDS, create_dataset, list_datasets, read_words, write_words
from app.store.runs import list_runs, open_run, read_metrics
from tests.training.dialogues import Stereo, make_dialogue
from tests.training.imports import record, rows, write_parquet

HOME, INPUT = "home", "input"

TALK_S = 6.0

PIECES = [(5, 100, "Hello"), (7, 102, ","), (9, 103, " how"), (30, 105, " you")]


class Door(NamedTuple):
    """One way in. `damaged` is the folder in which files are damaged."""

    name: str
    fill: Callable[[Path], None]
    enter: Callable[[Path, Paths], None]
    damaged: str = INPUT


@cache
def _talk() -> tuple[Stereo, list[Any]]:
    return make_dialogue(TALK_S, seed=3)


@cache
def _sound() -> Stereo:
    """Return two voices that never rest, [2, N]."""
    chance = np.random.default_rng(0)
    swell = 0.1 + 0.1 * np.sin(np.arange(int(TALK_S * SAMPLE_RATE)) / 4000)
    noise: Stereo = (chance.standard_normal((2, swell.size)) * swell).astype(np.float32)
    return noise


def _write_sound(path: Path, form: str | None = None) -> None:
    soundfile.write(path, _sound().T, SAMPLE_RATE, format=form)


def _import(*sources: Path | str, where: Paths) -> None:
    from training.data import importing

    importing.main([*map(str, sources), "--name", "talks", "--json"], where)


def _refusable(enter: Callable[[], object]) -> None:
    """Go in where one file of several may be refused."""
    try:
        enter()
    except UserError as fault:
        assert fault.sentence


# --- Models ---------------------------------------------------------------------------------------


def _fill_model(root: Path) -> None:
    make_tiny(root / INPUT / "model")


def _fill_exported(root: Path) -> None:
    from tests.training.trained_runs import export, make_run

    home = paths(root / HOME)
    make_tiny(home.models / "base")
    make_run(home, home.models / "base")
    export(home, "run-1", "--out", root / INPUT / "model")


def _verify(root: Path, where: Paths) -> None:
    from app.commands import models

    models.main(["verify", str(root / INPUT / "model")], where)


def _load_model(root: Path, where: Paths) -> None:
    from app.engine.events import Loadout
    from app.engine.model import load_model

    model = load_model(
        str(root / INPUT / "model"), lambda _: None, models=where.models, loadout=Loadout(mode="bf16")
    )
    try:
        for _ in range(3):
            said = model.step(np.zeros(1920, dtype=np.float32)).samples
            assert np.isfinite(said).all(), "the model says what is no sound"
    finally:
        model.close()


# --- Dialogues ------------------------------------------------------------------------------------


def _fill_words(root: Path) -> None:
    folder = root / INPUT / "talks"
    folder.mkdir(parents=True)
    words = [
        {"speaker": word.speaker, "word": word.text, "start": word.start_s, "end": word.end_s}
        for word in _talk()[1]
    ]
    whisper = {"segments": [{"text": "well I", "start": 0.1, "end": 1.0, "words": [
        {"word": "well", "start": 0.1, "end": 0.4, "score": 0.9}, {"word": "23", "speaker": "A"},
        {"word": "I", "start": 0.5, "end": 1.0, "speaker": "B"}]}]}  # fmt: skip
    kyutai = {"alignments": [["well", [0.1, 0.4], "SPEAKER_MAIN"], ["no", [0.5, 0.9], "SPEAKER_USER"]]}
    for name, content in (("a", words), ("b", whisper), ("c", kyutai)):
        _write_sound(folder / f"{name}.wav")
        (folder / f"{name}.json").write_text(json.dumps(content))


def _enter_words(root: Path, where: Paths) -> None:
    _import(root / INPUT / "talks", where=where)
    for dataset in list_datasets(where.datasets):
        for dialogue in dataset.dialogues():
            if dataset.text(dialogue).exists():
                read_words(dataset.text(dialogue))


def _fill_list(root: Path) -> None:
    folder = root / INPUT / "talks"
    folder.mkdir(parents=True)
    for name in "abc":
        _write_sound(folder / f"{name}.wav")
    lines = [json.dumps({"path": f"{name}.wav", "duration": TALK_S}) for name in "ab"]
    (folder / "list.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "a.json").write_text(json.dumps({"alignments": [["well", [0.1, 0.4], "SPEAKER_MAIN"]]}))


def _enter_list(root: Path, where: Paths) -> None:
    folder = root / INPUT / "talks"
    name = folder / "list.jsonl"
    _import(name if name.exists() else folder, where=where)


def _fill_sounds(root: Path) -> None:
    folder = root / INPUT / "talks"
    folder.mkdir(parents=True)
    for name, form in (("a.wav", "WAV"), ("b.flac", "FLAC"), ("c.ogg", "OGG"), ("d.w64", "W64")):
        _write_sound(folder / name, form)


def _enter_sounds(root: Path, where: Paths) -> None:
    from app.audio.wav import read_wav

    for path in sorted((root / INPUT / "talks").iterdir()):
        _refusable(lambda path=path: read_wav(path))
    _import(root / INPUT / "talks", where=where)


def _fill_parquet(root: Path) -> None:
    write_parquet(root / INPUT / "talks", *rows("one", "two", frames=200))


def _enter_parquet(root: Path, where: Paths) -> None:
    from training.data.shards import Shards

    files = sorted((root / INPUT / "talks").glob("*.parquet"))
    _import(root / INPUT / "talks", where=where)
    Shards(files, where.cache, codebooks=8, card=2048, text_card=32_000)


def _fill_npz(root: Path) -> None:
    for row in rows("one", "two", frames=200):
        for part, of in (("tokenized_audio", slice(1, None)), ("tokenized_text", 0)):
            folder = root / INPUT / "talks" / part
            folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(folder / f"{row.dialogue}.npz", A=row.a[of], B=row.b[of])


def _enter_npz(root: Path, where: Paths) -> None:
    _import(root / INPUT / "talks", where=where)


# --- What lies in the home ------------------------------------------------------------------------


def _fill_settings(root: Path) -> None:
    file = paths(root / HOME).settings
    settings.save(file, settings.Settings(seed=3, context=500, microphone="a microphone"))


def _enter_settings(_: Path, where: Paths) -> None:
    chosen = settings.load(where.settings, lambda sentence, advice: None)
    # Whatever the file held, the program goes on, and saves over it.
    assert settings.Settings(**asdict(chosen)) == chosen
    chosen.sampling(), chosen.loadout()
    settings.save(where.settings, chosen)


def _fill_recordings(root: Path) -> None:
    home = paths(root / HOME)
    for name in ("2026-01-02_03-04-05-tiny", "2026-01-03_03-04-05-tiny"):
        folder = record(home, name, PIECES, notes=[("skipped", {"frame": 50, "frames": 3})])
        recordings.open_recording(folder).levels()


def _enter_recordings(_: Path, where: Paths) -> None:
    whole = {path.name for path in where.recordings.iterdir() if path.is_dir() and not path.is_symlink()}
    found = recordings.list_recordings(where.recordings)
    assert {each.folder.name for each in found} >= whole, "a recording is hidden"
    for each in found:
        each.levels(), each.turns(), each.lines(), each.skips(), each.session(), each.transcript()
    recordings.list_recordings(where.recordings)


def _enter_picture(_: Path, where: Paths) -> None:
    for folder in sorted(where.recordings.iterdir()):
        _refusable(lambda at=folder: recordings.open_recording(at).export(where.cache / "exported"))


def _fill_parcel(root: Path) -> None:
    source = paths(root / "source")
    folder = record(source, "2026-01-02_03-04-05-tiny", PIECES)
    parcel.pack(folder, root / INPUT)


def _enter_parcel(root: Path, where: Paths) -> None:
    for file in sorted((root / INPUT).iterdir()):
        folder = parcel.unpack(file, where.recordings)
        assert folder.parent == where.recordings
        taken = sum(path.stat().st_size for path in folder.rglob("*"))
        given = file.stat().st_size
        assert taken < max(20_000_000, 2 * given), f"{taken} bytes came out of a parcel of {given}"
    for each in recordings.list_recordings(where.recordings):
        each.levels(), each.lines()


def _fill_runs(root: Path) -> None:
    from tests.training.trained_runs import make_run

    home = paths(root / HOME)
    make_tiny(home.models / "base")
    make_run(home, home.models / "base")


def _enter_runs(_: Path, where: Paths) -> None:
    from app.ui.training.run.config import prompt_seconds
    from training.source import find_source

    for run in list_runs(where.runs):
        assert run.name and run.state
        assert isinstance(run.step, int) and isinstance(run.steps, int)
        read_metrics(run.folder)
        prompt_seconds(run.folder)
    for folder in sorted(where.runs.iterdir()):
        _refusable(lambda at=folder: open_run(at))
        _refusable(lambda at=folder: find_source(at.name, where))


def _enter_export(_: Path, where: Paths) -> None:
    from training import export

    export.main(["run-1"], where)


def _fill_dataset(root: Path) -> None:
    home = paths(root / HOME)
    dataset = create_dataset(home.datasets / "talks", language="en")
    for name in "ab":
        _write_sound(dataset.audio(name))
        write_words(dataset.text(name), _talk()[1])
    write_parquet(dataset.folder / SHARDS, *rows("a", "b", frames=75))


def _enter_dataset(_: Path, where: Paths) -> None:
    from app.ui.training.check.data import is_outdated, read_check
    from training.data import check

    list_datasets(where.datasets)
    check.main(["talks", "--json"], where)
    folder = where.datasets / "talks"
    read_check(folder)
    is_outdated(folder)


def _fill_config(root: Path) -> None:
    from training.config import Config, write_config

    (root / INPUT).mkdir()
    home = paths(root / HOME)
    make_tiny(home.models / "base")
    dataset = create_dataset(home.datasets / "talks", language="en")
    # Codes of the tiny model's Mimi.
    made = [row._replace(a=row.a % 256, b=row.b % 256) for row in rows("a", "b", "c", frames=150)]
    write_parquet(dataset.folder / SHARDS, *made)
    write_json(dataset.folder / PREPARED, {"format": 1, "model": "base"})
    write_config(Config(model="base", data=("talks",)), root / INPUT / "talks.toml")


def _enter_config(root: Path, where: Paths) -> None:
    from training import main

    for file in sorted((root / INPUT).iterdir()):
        main.main([str(file), "--plan"], where)


DOORS = {
    door.name: door
    for door in (
        Door("settings", _fill_settings, _enter_settings, HOME),
        Door("recordings", _fill_recordings, _enter_recordings, HOME),
        Door("recordings exported", _fill_recordings, _enter_picture, HOME),
        Door("parcels", _fill_parcel, _enter_parcel),
        Door("words", _fill_words, _enter_words),
        Door("lists", _fill_list, _enter_list),
        Door("sounds", _fill_sounds, _enter_sounds),
        Door("Parquet", _fill_parquet, _enter_parquet),
        Door("npz", _fill_npz, _enter_npz),
        Door("datasets", _fill_dataset, _enter_dataset, HOME),
        Door("train configurations", _fill_config, _enter_config),
        Door("train data", _fill_config, _enter_config, f"{HOME}/datasets"),
        Door("runs", _fill_runs, _enter_runs, f"{HOME}/runs"),
        Door("runs exported", _fill_runs, _enter_export, f"{HOME}/runs"),
        Door("checkpoints", _fill_model, _verify),
        Door("checkpoints loaded", _fill_model, _load_model),
        Door("exported checkpoints", _fill_exported, _verify),
    )
}
