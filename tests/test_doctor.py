"""The doctor tells what is there and what to do, and never who the user is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.audio.devices import all_devices
from app.audio.naming import DEFAULT_MARK, name_of
from app.audio.rig import Rig
from app.cli import main as aizuchi
from app.commands import doctor
from app.commands.doctor import Check, examine, judge_card, table
from app.engine import device_record as records
from app.engine.fake import make_tiny
from app.paths import Paths, paths

CARD = {
    "name": "NVIDIA GeForce RTX 4090",
    "capability": [8, 9],
    "free": 24_000_000_000,
    "total": 25_000_000_000,
    "trouble": "",
}


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "home" / "aizuchi")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> list[Check]:
    """Return what the doctor says of the computer that runs the tests."""
    return examine(paths(tmp_path_factory.mktemp("home")))


def test_this_computer_has_what_is_essential(checks: list[Check]) -> None:
    assert all(check.ok for check in checks if check.essential)
    names = {check.name for check in checks}
    assert {"Python", "Packages", "PyTorch", "Graphics card", "PortAudio", "Display", "Models"} <= names


def test_what_will_not_do_comes_with_an_advice_that_is_a_sentence(checks: list[Check]) -> None:
    for check in checks:
        if not check.ok:
            assert check.advice.endswith("."), check


def test_the_report_of_the_command_is_json_without_names(
    where: Paths, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = aizuchi(["--home", str(where.config.parent), "doctor", "--json"])
    printed = capsys.readouterr().out
    checks = json.loads(printed)
    assert status == 0
    assert all({"name", "ok", "found", "advice", "essential"} == set(check) for check in checks)
    assert str(home) not in printed
    assert "~/aizuchi/recordings" in printed


def test_something_essential_that_is_missing_is_an_exit_status_and_a_word(
    where: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("aizuchi", "no-such-package"))
    monkeypatch.setattr(doctor, "PROBES", (doctor.python, doctor.packages))
    assert doctor.main([], where) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "no-such-package" in line)
    assert line.startswith("MISSING")


def test_a_note_is_no_fault(
    where: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "PROBES", (lambda _where: [Check("Cup", False, "empty", "Fill it.")],))
    assert doctor.main([], where) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["note", "Cup", "empty"], ["->", "Fill", "it."]]


def test_advice_is_kept_for_what_needs_it() -> None:
    assert "Fill it." not in table([Check("Cup", True, "full", "Fill it.")])


def test_a_large_card_is_told_what_fits() -> None:
    card, room = judge_card(CARD)
    assert card.ok
    assert "8.9" in card.found
    assert room.ok
    assert "moshika," in room.found


def test_a_small_card_is_told_how_much_is_needed() -> None:
    _, room = judge_card(CARD | {"free": 6_200_000_000, "total": 8_000_000_000})
    assert not room.ok
    assert "6.2 of 8.0 GB" in room.found
    assert "GB" in room.advice


def test_a_card_before_ampere_is_told_of() -> None:
    card, _ = judge_card(CARD | {"capability": [7, 5]})
    assert not card.ok
    assert "bfloat16" in card.advice


def test_a_card_without_code_for_it_is_told_of() -> None:
    (card,) = judge_card(CARD | {"capability": [6, 1], "trouble": "this PyTorch has no code for it"})
    assert not card.ok
    assert "no code" in card.found
    assert "processor" in card.advice


def test_a_child_that_fails_is_a_check_and_not_a_fault(where: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TORCH", "raise ImportError('libcudart.so.12 is missing')")
    (check,) = doctor.graphics(where)
    assert not check.ok
    assert check.essential
    assert "libcudart.so.12 is missing" in check.found


def test_a_child_that_hangs_is_a_check_and_not_a_fault(where: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TORCH", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "CHILD_S", 0.3)
    (check,) = doctor.graphics(where)
    assert "no answer" in check.found


def test_a_model_that_the_fast_engine_does_not_cover_is_named(where: Paths) -> None:
    folder = make_tiny(where.models / "tiny")
    engine, tested = doctor.engines(where)
    assert (engine.ok, engine.found) == (True, "starter: the fast one; tiny: the fast one")
    assert (tested.ok, tested.found) == (True, "not needed: models run on the processor")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "positional_embedding": "sin"}))
    check, _ = doctor.engines(where)
    assert not check.ok
    assert check.found == "starter: the fast one; tiny: moshi's own, since sin embeddings of positions"
    assert "moshi's own" in check.advice
    (folder / "model.safetensors").write_bytes(b"nothing")
    check, _ = doctor.engines(where)
    assert "tiny: none, since " in check.found and "model.safetensors" in check.found


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with Rig() as rig:
        for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR", "ALSA_CONFIG_PATH"):
            monkeypatch.setenv(name, rig.env[name])
        yield rig


@pytest.mark.sound
def test_every_label_of_a_device_is_taken_by_talk(where: Paths, rig: Rig) -> None:
    rig.add_microphone("a", "会議用マイク")
    rig.add_microphone("b", "会議用マイク")
    devices = all_devices()
    checks = {check.name: check for check in doctor.sound(where)}
    assert all(check.ok for check in checks.values())
    labels = checks["Microphone"].found.split(", ")
    assert f"Virtual-microphone{DEFAULT_MARK}" in labels
    assert {"会議用マイク (1)", "会議用マイク (2)"} < set(labels)
    monitors = checks["Monitors"].found.split(", ")
    assert "Monitor of Virtual-speaker" in monitors
    names = [name_of(label, "in", devices) for label in labels + monitors]
    assert sorted(names) == sorted(device.name for device in devices if device.kind == "in")
    speakers = [name_of(label, "out", devices) for label in checks["Speaker"].found.split(", ")]
    assert sorted(speakers) == sorted(device.name for device in devices if device.kind == "out")


@pytest.mark.sound
def test_a_monitor_is_no_microphone(where: Paths, rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.control("set-default-source", "speaker.monitor")
    (check,) = (check for check in doctor.sound(where) if check.name == "Microphone")
    assert not check.ok
    assert "Virtual-microphone" in check.found, "there is one"
    assert "the system's default is “Monitor of Virtual-speaker”" in check.found
    assert "--microphone" in check.advice
    rig.unplug("mic")
    rig.unplug("other_mic")
    assert aizuchi(["--home", str(where.config.parent), "doctor", "--json"]) == 0, (
        "a talk without one is held"
    )
    printed = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert not printed["Microphone"]["ok"]
    assert printed["Microphone"]["found"].startswith("none; the system's default is “Monitor of ")
    assert printed["Microphone"]["advice"].startswith("Plug one in")
    assert printed["Speaker"]["ok"]


@pytest.mark.sound
def test_a_server_that_can_not_be_asked_is_a_note(
    where: Paths, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = {check.name: check for check in doctor.sound(where)}
    assert not checks["Sound server"].ok
    assert "pulseaudio-utils" in checks["Sound server"].advice
    for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path) if name == "XDG_RUNTIME_DIR" else "")
    assert not doctor.runs_server()


# --- A model checked on this device ---------------------------------------------------------------

ABOUT = {"model": "moshika", "packed": "", "uncovered": "", "graphs": True, "checks": ["kernels"]}
KERNELS = {
    "name": "kernels",
    "right": True,
    "seen": "16 kinds of calls are right",
    "figures": {
        "project 4096 to 12288 in 16 bits, rms norm": {"error": 0.0021, "bound": 0.0081, "calls": 36}
    },
}
TIMES = [
    {
        "name": name,
        "right": True,
        "seen": f"a frame of the language model takes {ms} ms",
        "figures": {"ms": ms},
    }
    for name, ms in (("speed", 7.5), ("moshi", 16.0))
]


def checked(monkeypatch: pytest.MonkeyPatch, *findings: dict[str, Any], **about: Any) -> None:
    """Let the child of a check say this."""
    lines = [{"key": "k1", "about": {**ABOUT, **about}}]
    lines += [line for each in findings for line in ({"begins": each["name"]}, {"finding": each})]
    text = "\n".join(json.dumps(line) for line in [*lines, {"done": ""}])
    monkeypatch.setattr(doctor, "child_command", lambda _: [sys.executable, "-c", f"print({text!r})"])


def test_a_model_that_is_right_is_told_in_lines(
    where: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(monkeypatch, KERNELS, *TIMES)
    assert doctor.main(["--check", "moshika"], where) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].split() == ["right", "kernels", *KERNELS["seen"].split()]
    assert lines[-2:] == ["checked on this card: right", "engine: fast"]
    assert "Checking: kernels" in printed.err
    kept = records.read(where.cache, "k1")
    assert kept is not None and kept.complete and kept.wrong is None


def test_what_a_talk_took_is_kept_when_it_is_checked_again(
    where: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records.write(where.cache, records.Record("k1", ABOUT, frame_ms=20.6))
    checked(monkeypatch, KERNELS)
    assert doctor.main(["--check", "moshika"], where) == 0
    assert "checked on this card: right, 21 ms of 80" in capsys.readouterr().out


@pytest.mark.parametrize(("packed", "engine"), [("", "moshi"), ("int8", "none")])
def test_what_is_wrong_is_an_exit_status_and_a_report(
    where: Paths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packed: str,
    engine: str,
) -> None:
    home = Path.home()
    monkeypatch.setattr(doctor, "PROBES", (doctor.python,))
    seen = f"RuntimeError: {home}/.triton/cache is full"
    checked(monkeypatch, {**KERNELS, "right": False, "seen": seen}, packed=packed)
    assert doctor.main(["--check", "moshika", "--json"], where) == 1
    printed = capsys.readouterr().out
    report = json.loads(printed)
    assert str(home) not in printed
    assert report["findings"][0]["figures"] == KERNELS["figures"]
    assert report["engine"] == engine
    assert "since a check of this card failed: RuntimeError: ~/.triton/cache is full." in report["told"]
    assert report["line"].startswith("checked on this card: wrong, RuntimeError")
    assert report["computer"][0]["name"] == "Python"
    assert report["about"]["model"] == "moshika"
    kept = records.read(where.cache, "k1")
    assert kept is not None and kept.wrong is not None, "later loads are told as well"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nobody", "There is no model called 'nobody'"), ("echo", "echo has no weights")],
)
def test_a_model_that_can_not_be_checked_is_a_sentence(
    name: str, reason: str, where: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aizuchi(["--home", str(where.config.parent), "doctor", "--check", name]) == 1
    assert f"{name} could not be checked: {reason}" in capsys.readouterr().err


def test_a_real_model_is_checked_on_the_processor(where: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    make_tiny(where.models / "tiny")
    assert doctor.main(["--check", "tiny", "--device", "cpu", "--mode", "int8"], where) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["right", "kernels"], ["right", "logits"], ["right", "speed"],
    ]  # fmt: skip
    assert lines[3:] == ["checked on this processor: right", "engine: fast"]


def test_the_line_of_the_device_test_names_what_is_wrong() -> None:
    way = {"engine": "fast", "device": "A Card", "reason": "", "checked": ""}
    right, wrong = "checked on this card: right, 21 ms of 80", "checked on this card: wrong, it hangs"
    check = doctor._tested({"a": {**way, "checked": right}, "b": {**way, "checked": wrong}})
    assert not check.ok
    assert check.found == f"a: {right}; b: {wrong}"
    assert "`aizuchi doctor --check b`" in check.advice
    assert doctor._tested({"a": way}).found == "done when a model is loaded"
    assert doctor._tested({"a": {**way, "device": "CPU"}}).ok
