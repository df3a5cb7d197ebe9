"""Settings survive upgrades, damage and odd values."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.events import Sampling
from app.errors import UserError
from app.prompts import OwnVoice
from app.settings import UPGRADES, VERSION, Document, Settings, load, save, upgrade
from tests import damaged


class Reports(list[str]):
    """Collects what `load` tells."""

    def __call__(self, sentence: str, advice: str) -> None:
        self.append(f"{sentence} {advice}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_no_file_means_the_defaults(path: Path) -> None:
    reports = Reports()
    assert load(path, reports) == Settings()
    assert not reports


def test_what_was_saved_comes_back(path: Path) -> None:
    chosen = Settings(
        model="j-moshi",
        microphone="USB “ヘッドセット”",
        record=False,
        volume=0.25,
        text_top_k=0,
        seed=7,
        scheme="dark",
        voice="/home/anna/声.wav",
        role="You are a teacher.\n\nBe “kind”\\ and 親切.",
        roles=("You are a teacher.", "a b\n'''\"\"\""),
        own_voices=(OwnVoice("/home/anna/声.wav", 64 * "0", "Anna", "2026-11-30"),),
    )
    save(path, chosen)
    assert load(path) == chosen
    assert path.stat().st_mode & 0o777 == 0o600


def test_none_comes_back_as_none(path: Path) -> None:
    save(path, Settings(seed=7))
    save(path, Settings())
    assert load(path).seed is None


def test_the_defaults_are_those_of_the_engine() -> None:
    assert Settings().sampling() == Sampling()


def test_sampling_takes_every_choice() -> None:
    chosen = Settings(
        text_temperature=0.1, text_top_k=2, audio_temperature=0.3, audio_top_k=4, repetition_penalty=1.5
    )
    assert chosen.sampling() == Sampling(0.1, 2, 0.3, 4, 1.5)


def test_a_damaged_file_is_kept_aside_and_told(path: Path) -> None:
    write(path, "volume = = 3")
    reports = Reports()
    assert load(path, reports) == Settings()
    aside = path.with_name("settings.toml.broken")
    assert aside.read_text() == "volume = = 3"
    assert not path.exists()
    assert len(reports) == 1
    assert str(aside) in reports[0]


def test_a_file_that_is_not_text_is_kept_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00")
    assert load(path, Reports()) == Settings()
    assert path.with_name("settings.toml.broken").exists()


@pytest.mark.parametrize("version", ["99", "0", "1.0", '"one"'])
def test_a_file_of_an_unknown_version_is_kept_aside(path: Path, version: str) -> None:
    write(path, f"version = {version}\nvolume = 0.5\n")
    reports = Reports()
    assert load(path, reports) == Settings()
    assert "version" in reports[0]
    assert path.with_name("settings.toml.broken").exists()


@pytest.mark.parametrize(
    "line",
    [
        "volume = 3",
        "volume = nan",
        'volume = "loud"',
        "volume = true",
        "record = 1",
        "text_top_k = 2.5",
        "seed = -1",
        'scheme = "pink"',
        "model = 3",
        'model = "a\\u0000b"',
        'microphone = "a\\nb"',
        f'speaker = "{9_000 * "x"}"',
        f"seed = {400 * '9'}",
        f"context = 0x{9_000 * 'f'}",
        f"volume = {400 * '9'}",
        "volume = inf",
        "volume = 2026-01-01",
        "seed = 12:30:00",
        "mode = [1, [2, [3]]]",
        "kv = {a = 1, b = {c = 2}}",
        "record = 2026-01-01T12:00:00Z",
        f'role = "{3_000 * "x"}"',
        'role = "a\\u0000b"',
        'voice = "a\\nb"',
        "roles = 3",
        'roles = "one"',
        "roles = [1]",
        f"roles = {['x'] * 9}",
        'roles = ["\\u001b[2J"]',
        "own_voices = [1]",
        'own_voices = [{file = "a.wav"}]',
        'own_voices = [{file = "a.wav", sha256 = 3, whose = "A", agreed = "2026-01-01"}]',
        'own_voices = [{file = "a\\u0000", sha256 = "3", whose = "A", agreed = "2026-01-01"}]',
        f"own_voices = {[[]] * 100}",
    ],
)
def test_a_value_that_does_not_fit_is_told_and_the_others_hold(path: Path, line: str) -> None:
    write(path, f"{line}\nsuppress_noise = true\n")
    reports = Reports()
    assert load(path, reports) == Settings(suppress_noise=True)
    (told,) = reports
    assert line.split(maxsplit=1)[0] in told and len(told) < 300


def test_an_unknown_key_is_told_and_left_out(path: Path) -> None:
    write(path, "volum = 0.5\nvolume = 0.75\n")
    reports = Reports()
    assert load(path, reports) == Settings(volume=0.75)
    assert "volum" in reports[0]


def test_a_value_out_of_its_limits_is_refused() -> None:
    with pytest.raises(UserError, match="volume"):
        replace(Settings(), volume=1.5)


def test_an_interrupted_save_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, Settings(volume=0.5))

    def full_disk(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(UserError, match="No space left"):
        save(path, Settings(volume=0.75))
    assert load(path).volume == 0.5
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


def test_upgrades_run_from_the_version_of_the_file_on() -> None:
    def to_2(document: Document) -> Document:
        return {"loudness": document["volume"]}

    def to_3(document: Document) -> Document:
        return {"loudness_percent": 100 * document["loudness"]}

    assert upgrade({"version": 1, "volume": 0.5}, [to_2, to_3]) == {"loudness_percent": 50.0}
    assert upgrade({"version": 2, "loudness": 0.5}, [to_2, to_3]) == {"loudness_percent": 50.0}
    assert upgrade({"version": 3, "loudness_percent": 50.0}, [to_2, to_3]) == {"loudness_percent": 50.0}


def test_the_version_counts_the_upgrades(path: Path) -> None:
    save(path, Settings())
    assert f"version = {VERSION}\n" in path.read_text()
    assert len(UPGRADES) + 1 == VERSION


@pytest.mark.parametrize(
    "how", [*damaged.IN_PLACE, *damaged.WEIRD, "deep toml", "huge toml", "no date", "digits toml"]
)
def test_whatever_stands_in_its_place_the_program_starts_and_saves_anew(path: Path, how: str) -> None:
    toml = {
        "deep toml": "a = " + 100_000 * "[",
        "huge toml": 300_000 * "a = 1 # no end\n",
        "no date": "volume = 2026-02-31",
        "digits toml": f"seed = {9_000 * '9'}",
    }
    path.parent.mkdir()
    if how in toml:
        path.write_text(toml[how])
    else:
        damaged.damage(path, how)
    reports = Reports()
    assert load(path, reports) == Settings()
    assert how == "nothing" or len(reports) == 1
    save(path, Settings(volume=0.25))
    assert load(path) == Settings(volume=0.25)


def test_of_many_unknown_settings_only_some_are_told(path: Path) -> None:
    write(
        path, "".join(f'"{number}\\u001b[2J{100 * "x"}" = 1\n' for number in range(1_000)) + "volume = 0.5\n"
    )
    reports = Reports()
    assert load(path, reports) == Settings(volume=0.5)
    assert 0 < len(reports) < 10
    assert all(len(told) < 150 and told.isprintable() for told in reports)


def test_settings_that_may_not_be_read_are_the_defaults_and_stay(path: Path) -> None:
    write(path, "volume = 0.5")
    path.chmod(0o000)
    script = (
        "where = app.settings.Path('settings.toml')\n"
        "told = []\n"
        "found = app.settings.load(where, lambda *words: told.append(words))\n"
        "print(found == app.settings.Settings(), len(told))\n"
        "os.chmod('.', 0o500)\n"
        "try:\n"
        "    app.settings.save(where, app.settings.Settings())\n"
        "except app.settings.UserError as fault:\n"
        "    print(fault.sentence)\n"
    )
    told = damaged.run_unprivileged(script, path.parent, "app.settings")
    assert told.startswith("True 1\nThe settings could not be saved: ")
    assert path.stat().st_size
