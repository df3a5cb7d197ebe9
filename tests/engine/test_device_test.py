"""A load tests a card once, keeps what was found, and goes by it; here the card is a stand-in."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from app import catalog
from app.engine import build, device_checks, device_test
from app.engine import device_record as records
from app.engine import model as engine_model
from app.engine.build import Outline
from app.engine.checkpoint import find
from app.engine.choice import Choice
from app.engine.device import Device, choose_device
from app.engine.device_record import GRAPH, KERNELS, LOGITS, MIMI, MOSHI, SPEED, Finding, Record
from app.engine.device_test import Request, check_bytes, check_once, foresee, identify, run_checks
from app.engine.events import Event, Loading, Loadout, Ready, Trouble
from app.memory_plan import Fit, Sizes
from tests.engine.conftest import Load

WHOLE_FIT = Fit()
CARD = Device(torch.device("cuda:0"), "A Card", torch.bfloat16, 24_000_000_000, 25_000_000_000)


@pytest.fixture
def outline(tiny: Path) -> Outline:
    return build.prove(find(str(tiny)))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Device:
    """Let what asks torch about a card get an answer."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 9))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(device_test, "_single_card", lambda _: "GPU-1")
    return CARD


def finding(name: str, right: bool | None = True, **figures: Any) -> dict[str, Any]:
    return {"name": name, "right": right, "seen": f"the {name} was seen", "figures": figures}


class Child:
    """Stands for the child of a test: says what it is told to, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[dict[str, Any]] = []
        self.findings = [finding(name) for name in (KERNELS, LOGITS, GRAPH, MIMI)]
        self.end = "say(done='')"
        monkeypatch.setattr(records, "child_command", self.command)

    def command(self, request: dict[str, Any]) -> list[str]:
        self.requests.append(request)
        code = f"""
import json, os, time
def say(**line): print(json.dumps(line), flush=True)
say(key="of the child", about={{"checks": {[KERNELS, LOGITS, GRAPH, MIMI]}, "graphs": True}})
for each in json.loads({json.dumps(json.dumps(self.findings))}):
    say(begins=each["name"]); say(finding=each)
{self.end}
"""
        return [sys.executable, "-c", code]


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    return Child(monkeypatch)


Check = Callable[..., "Record | None"]


@pytest.fixture
def check(outline: Outline, card: Device, tmp_path: Path) -> Check:
    def check(
        device: Device = card, *, fit: Fit = WHOLE_FIT, emit: Callable[[Event], None] = lambda _: None
    ) -> Record | None:
        request = Request("tiny", None, "models", 100)
        return check_once(outline, device, fit, compiled=True, request=request, cache=tmp_path, emit=emit)

    return check


# --- Once -----------------------------------------------------------------------------------------


def test_a_card_is_tested_once_and_it_is_told(check: Check, child: Child) -> None:
    told: list[Event] = []
    first = check(emit=told.append)
    assert told == [Loading("Checking the graphics card")]
    assert first is not None and first.complete and first.wrong is None
    assert check(emit=told.append) == first
    assert (len(child.requests), len(told)) == (1, 1)
    asked = child.requests[0]
    assert (asked["spec"], asked["models"], asked["context"]) == ("tiny", "models", 100)
    assert (asked["mode"], asked["kv"], asked["device"], asked["whole"]) == ("bf16", "bf16", "cuda:0", False)


def test_whoever_waits_for_another_program_takes_what_that_one_found(
    check: Check, child: Child, outline: Outline, card: Device, tmp_path: Path
) -> None:
    key, about = identify(outline, card, Fit(), compiled=True)
    theirs = Record(key, about, tuple(Finding(**each) for each in child.findings))
    found: list[Record | None] = []
    with records.alone(tmp_path):
        waiting = threading.Thread(target=lambda: found.append(check()))
        waiting.start()
        time.sleep(0.5)
        records.write(tmp_path, theirs)
    waiting.join()
    assert found == [theirs]
    assert child.requests == []


def test_another_mode_is_tested_by_itself(check: Check, child: Child) -> None:
    for fit in (Fit(), Fit("int8"), Fit("int8", "int8"), Fit("int4", "int8", mimi_apart=True)):
        check(fit=fit)
    assert [(each["mode"], each["kv"], each["mimi_apart"]) for each in child.requests] == [
        ("bf16", "bf16", False), ("int8", "bf16", False), ("int8", "int8", False), ("int4", "int8", True),
    ]  # fmt: skip


@pytest.mark.parametrize("other", ["torch", "triton", "moshi", "driver", "card", "program", "capability"])
def test_a_record_of_another_environment_is_not_believed(
    check: Check, child: Child, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    check()
    if other in ("torch", "triton", "moshi"):
        versions = device_test._version
        monkeypatch.setattr(device_test, "_version", lambda name: "9.9" if name == other else versions(name))
    elif other == "driver":
        monkeypatch.setattr(device_test, "driver_version", lambda: "999.1")
    elif other == "card":
        monkeypatch.setattr(device_test, "_single_card", lambda _: "GPU-2")
    elif other == "program":
        monkeypatch.setattr(device_test, "program_hash", lambda: "0")
    else:
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    check()
    assert len(child.requests) == 2
    monkeypatch.undo()


def test_the_code_of_our_engine_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "engine" / "fast"
    engine.mkdir(parents=True)
    monkeypatch.setattr(device_test.app, "__file__", str(tmp_path / "__init__.py"))
    hashes = set()
    for text in ("a = 1", "a = 2"):
        (engine / "kernels.py").write_text(text)
        hashes.add(device_test.program_hash())
    (engine / "more.py").write_text("")
    assert len({*hashes, device_test.program_hash()}) == 3


@pytest.mark.parametrize("end", ["os.abort()", "time.sleep(60)"])
def test_what_is_wrong_is_kept_and_told_on_later_loads(
    check: Check, child: Child, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    child.findings, child.end = child.findings[:1], f"say(begins='logits'); {end}"
    run = records.run_child
    monkeypatch.setattr(records, "run_child", lambda command: run(command, limit_s=1.0))
    first, second = check(), check()
    assert first is not None and first.wrong is not None
    assert first.wrong.name == LOGITS
    assert second == first
    assert len(child.requests) == 1


def test_what_lacked_memory_is_looked_at_again(check: Check, child: Child) -> None:
    child.findings = []
    child.end = "say(done='The check needs 4.1 GB of memory, and 1.0 GB are free.')"
    first = check()
    assert first is not None and not first.lasting
    assert "4.1 GB" in records.describe(first)
    child.findings, child.end = [finding(name) for name in (KERNELS, LOGITS, GRAPH, MIMI)], "say(done='')"
    second = check()
    assert second is not None and second.complete


def test_a_full_disk_costs_another_test_and_no_load(
    check: Check, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "write_json", full)
    for number in (1, 2):
        found = check()
        assert found is not None and found.complete
        assert len(child.requests) == number


def test_neither_a_processor_nor_what_moshi_steps_is_tested(
    check: Check, child: Child, outline: Outline, tmp_path: Path, card: Device
) -> None:
    assert check(choose_device("cpu")) is None
    odd = replace(outline, uncovered="conditions")
    arguments: Any = {"compiled": True, "request": Request("tiny"), "cache": tmp_path, "emit": print}
    assert check_once(odd, card, Fit(), **arguments) is None
    assert child.requests == []


# --- The test itself ------------------------------------------------------------------------------


@pytest.fixture
def said() -> Iterator[list[dict[str, Any]]]:
    yield []


def test_a_test_on_the_processor_does_all_that_it_can(tiny: Path, said: list[dict[str, Any]]) -> None:
    run_checks(Request(str(tiny), device="cpu", whole=True), said.append)
    assert set(said[0]) == {"key", "about"}
    names = [line["finding"]["name"] for line in said if "finding" in line]
    assert names == [line["begins"] for line in said if "begins" in line]
    assert names == [KERNELS, LOGITS, SPEED, MOSHI]
    assert all(line["finding"]["right"] for line in said if "finding" in line)
    assert said[-1] == {"done": ""}
    json.dumps(said)
    assert str(tiny.parent) not in json.dumps(said)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_packed_weights_are_tested_too(tiny: Path, said: list[dict[str, Any]], mode: str) -> None:
    run_checks(Request(str(tiny), mode=mode, kv="int8", device="cpu", whole=True), said.append)
    found = {line["finding"]["name"]: line["finding"] for line in said if "finding" in line}
    assert [*found] == [KERNELS, LOGITS, SPEED], "moshi's engine takes nothing packed"
    assert all(each["right"] for each in found.values()), found
    assert any(f"in {mode[3:]} bits" in name for name in found[KERNELS]["figures"])
    assert said[0]["about"]["packed"] == f"{mode} with keys in int8"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (RuntimeError("out of resource: shared\nmore"), (False, "RuntimeError: out of resource", True)),
        (torch.OutOfMemoryError("CUDA out of memory"), (None, "the memory ran out", True)),
        (RuntimeError("CUDA error: an illegal access"), (False, "RuntimeError: CUDA error: an ill", False)),
        (AssertionError(), (False, "AssertionError: no reason given", True)),
    ],
)  # fmt: skip
def test_a_check_that_fails_is_a_finding(
    tiny: Path,
    said: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    expected: tuple[bool | None, str, bool],
) -> None:
    right, seen, goes_on = expected

    def fail(*_: object) -> Finding:
        raise fault

    monkeypatch.setattr(device_checks, "check_kernels", fail)
    run_checks(Request(str(tiny), device="cpu"), said.append)
    found = [line["finding"] for line in said if "finding" in line]
    assert (found[0]["name"], found[0]["right"]) == (KERNELS, right)
    assert seen in found[0]["seen"]
    assert (len(found) > 1) == goes_on
    assert bool(said[-1]["done"]) != goes_on


def test_there_has_to_be_room_for_a_test(
    tiny: Path,
    said: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = replace(choose_device("cpu"), free_bytes=1_000_000)
    monkeypatch.setattr(device_test, "choose_device", lambda _: full)
    assert device_test.main([json.dumps({"spec": str(tiny), "limit_s": 100})]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "key" in lines[0]
    assert lines[-1]["done"].startswith("The check needs 0.2 GB of memory, and 0.0 GB are free.")
    device_test.signal.alarm(0)


@pytest.mark.parametrize(
    ("mode", "kv", "most_gb"), [("bf16", "bf16", 6.0), ("int8", "bf16", 6.0), ("int4", "int8", 6.0)]
)
def test_a_test_of_a_7b_model_needs_less_than_the_model(
    outline: Outline, monkeypatch: pytest.MonkeyPatch, mode: str, kv: str, most_gb: float
) -> None:
    """So that whoever can load it can test it: 6.7 GB are what the least way takes."""
    large = replace(outline, checkpoint=replace(outline.checkpoint, config=catalog.moshi_7b()))
    monkeypatch.setattr(Outline, "mimi_bytes", property(lambda _: catalog.MIMI_BYTES))
    need = check_bytes(large, CARD, Fit(mode, kv)) / 1e9
    print(f"{mode} {kv}: {need:.2f} GB")
    assert need < most_gb


# --- What follows ---------------------------------------------------------------------------------


def test_a_load_goes_by_the_choice_and_says_so(
    tiny: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = ("tiny runs with moshi's own engine, since a check of this card failed: it was.", "Update.")
    monkeypatch.setattr(
        engine_model, "choose_engine", lambda *_: Choice("moshi", whole_mimi=False, trouble=trouble)
    )
    events: list[Event] = []
    model = load(tiny, events.append)
    assert Trouble(*trouble) in events
    assert model.details["engine"] == "moshi"


def test_a_load_tells_in_which_mode_the_model_is_lighter(
    tiny: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    load(tiny, events.append, loadout=Loadout(device="cpu"))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        engine_model, "find_lighter", lambda *given, **how: (asked.append((*given, how)), "int8")[1]
    )
    load(tiny, events.append, loadout=Loadout(device="cpu", engine="fast"))
    assert [event.lighter for event in events if isinstance(event, Ready)] == ["", "int8"]
    ((wish, _, fit, sizes, how),) = asked
    assert (wish, fit, how) == ("fast", Fit(), {"compiled": False})
    assert isinstance(sizes, Sizes) and [*sizes.weights] == ["bf16", "int8", "int4"]


def test_a_load_times_the_model_once_and_tells_what_is_known(
    tiny: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = {"checks": [KERNELS], "graphs": True}
    record = Record("k1", about, (Finding(KERNELS, True, "right", {}),))
    monkeypatch.setattr(engine_model._Tests, "find", lambda *_, **__: record)
    events: list[Event] = []
    model = load(tiny, events.append, cache=tmp_path)
    (ready,) = (event for event in events if isinstance(event, Ready))
    kept = records.read(tmp_path, "k1")
    assert kept is not None and kept.frame_ms is not None and kept.frame_ms > 0
    assert ready.checked == f"checked on this card: right, {kept.frame_ms:.0f} ms of 80"
    assert model.details["checked"] == ready.checked
    timed = []
    monkeypatch.setattr(engine_model._Tests, "find", lambda *_, **__: kept)
    monkeypatch.setattr(engine_model.Moshi, "time_frames", lambda _: timed.append(1))
    load(tiny, cache=tmp_path)
    assert not timed


def test_a_model_on_the_processor_is_not_tested(tiny: Path, load: Load, tmp_path: Path) -> None:
    events: list[Event] = []
    model = load(tiny, events.append, cache=tmp_path, loadout=Loadout(device="cpu"))
    assert model.details["engine"] == "fast"
    assert "checked" not in model.details
    assert not [event for event in events if isinstance(event, Trouble)]
    assert not (tmp_path / records.FOLDER).exists()


@pytest.fixture
def chosen_card(card: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_test, "choose_device", lambda _: card)
    monkeypatch.setattr(device_test, "compile_trouble", lambda _: None)


RIGHT = [*map(finding, (KERNELS, LOGITS, GRAPH, MIMI))]


@pytest.mark.parametrize(
    ("findings", "loadout", "expected"),
    [
        (None, Loadout(), ("moshi", "")),
        (RIGHT, Loadout(), ("fast", "")),
        ([finding(KERNELS, False)], Loadout(), ("moshi", "the kernels was seen")),
        ([finding(KERNELS, False)], Loadout(engine="moshi"), ("moshi", "")),
        ([*RIGHT, finding(SPEED, ms=9), finding(MOSHI, ms=5)], Loadout(), ("moshi", "")),
        (None, Loadout(mode="int8"), ("fast", "")),
        (None, Loadout(engine="fast"), ("fast", "")),
    ],
)
@pytest.mark.usefixtures("chosen_card")
def test_the_doctor_foresees_what_a_load_would_take(
    outline: Outline,
    tmp_path: Path,
    findings: list[dict[str, Any]] | None,
    loadout: Loadout,
    expected: tuple[str, str],
) -> None:
    if findings is not None:
        key, about = identify(outline, CARD, Fit(), compiled=True)
        records.write(tmp_path, Record(key, about, tuple(Finding(**each) for each in findings)))
    found = foresee(outline.checkpoint.source, tmp_path, tmp_path, loadout)
    assert (found["engine"], found["device"]) == (expected[0], "A Card")
    assert expected[1] in found["reason"] and bool(expected[1]) == bool(found["reason"])
    assert bool(found["checked"]) == (findings is not None)
