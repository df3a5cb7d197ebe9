"""Whatever the child of a device test or the disk does, a load goes on and says what was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.engine import device_record as records
from app.engine.device_record import GRAPH, KERNELS, LOGITS, Finding, Record, describe, run_child

ABOUT = {"checks": [KERNELS, LOGITS], "device": "A Card", "graphs": True}
RIGHT = Record(
    "k1",
    ABOUT,
    (
        Finding(KERNELS, True, "16 kinds of calls are right", {"one": {"error": 0.001, "bound": 0.01}}),
        Finding(LOGITS, True, "the logits are those of moshi's own step", {}),
    ),
    frame_ms=20.7,
)


def child(code: str) -> list[str]:
    """Return a child that is about to check kernels, and then does something."""
    begin = f"""
import json, os, signal, sys, time
def say(**line): print(json.dumps(line), flush=True)
say(key="k1", about={ABOUT!r})
say(begins="kernels")
"""
    return [sys.executable, "-c", begin + code]


# --- The child ------------------------------------------------------------------------------------

RIGHT_LINES = """
say(finding={"name": "kernels", "right": True, "seen": "right", "figures": {}})
say(begins="logits")
say(finding={"name": "logits", "right": True, "seen": "right", "figures": {"error": 0.001}})
say(done="")
"""


def test_a_child_that_ends_well_tells_all() -> None:
    begun: list[str] = []
    found = run_child(child(RIGHT_LINES), told=begun.append)
    assert (found.key, found.about, found.trouble) == ("k1", ABOUT, "")
    assert [(each.name, each.right) for each in found.findings] == [(KERNELS, True), (LOGITS, True)]
    assert begun == [KERNELS, LOGITS]
    assert found.complete and found.lasting and found.wrong is None


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the test was ended by SIGSEGV"),
        ("os.abort()", "the test was ended by SIGABRT"),
        ("raise RuntimeError('CUDA error: an illegal memory access')", "status 1: RuntimeError: CUDA error"),
        ("os._exit(7)", "the test ended with status 7"),
        ("sys.exit(0)", "the test ended with status 0"),
    ],
)
def test_a_child_that_dies_leaves_its_check_wrong(code: str, seen: str) -> None:
    found = run_child(child(code))
    assert found.wrong is not None
    assert found.wrong.name == KERNELS
    assert seen in found.wrong.seen
    assert found.lasting, "it would die again"
    assert "wrong" in describe(found) and seen in describe(found)


def test_a_child_that_hangs_is_ended_with_all_that_it_started() -> None:
    code = """
import subprocess
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("other", other.pid, flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)
"""
    began = time.monotonic()
    found = run_child(child(code), limit_s=1.5)
    assert time.monotonic() - began < 10
    assert found.wrong is not None
    assert found.wrong.seen == "the test gave no answer within 2 s"
    # The grandchild is gone too, or it would keep the pipe open: `run_child` would not have returned.
    assert not _processes_with("time.sleep(60)")


def _processes_with(words: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True)
    lines = [line for line in listed.stdout.splitlines() if words in line and str(os.getpid()) not in line]
    return [line for line in lines if " Z" not in line and "import time; time.sleep(60)" in line]


def test_rubbish_is_passed_over() -> None:
    rubbish = r"""
sys.stdout.buffer.write(b"\xff\xfe\x00rubbish {\n" + b"x" * 3_000_000 + b"\n")
print("[1, 2]"); print("null"); print('{"finding": 5}'); print('{"begins": "what"}'); print('{"done": 3}')
say(finding={"name": "cookery", "right": True, "seen": "", "figures": {}})
say(finding={"name": "kernels", "right": "yes", "seen": "", "figures": {}})
say(finding={"name": "kernels"})
say(key=5, about={})
"""
    found = run_child(child(rubbish + RIGHT_LINES))
    assert [each.name for each in found.findings] == [KERNELS, LOGITS]
    assert (found.key, found.trouble) == ("k1", "")


def test_nothing_but_rubbish_is_no_finding_and_is_not_kept() -> None:
    found = run_child([sys.executable, "-c", "print('hello'); print('bye')"])
    assert found.findings == ()
    assert found.trouble == "the test ended with status 0: bye"
    assert not found.lasting and found.wrong is None
    assert describe(found) == "not checked on this card: the test ended with status 0: bye"


def test_a_child_that_can_not_be_started_is_told() -> None:
    found = run_child(["/nowhere/python"])
    assert "could not be started" in found.trouble
    assert not found.lasting


def test_a_child_that_fails_at_moshis_engine_leaves_ours_right() -> None:
    code = RIGHT_LINES.replace('say(done="")', 'say(begins="moshi"); os.abort()')
    found = run_child(child(code))
    assert found.wrong is None
    assert found.complete
    assert [each.right for each in found.findings] == [True, True, False]


# --- The cache ------------------------------------------------------------------------------------


def test_what_was_found_is_found_again(tmp_path: Path) -> None:
    assert records.read(tmp_path, "k1") is None
    assert records.write(tmp_path, RIGHT)
    assert records.read(tmp_path, "k1") == RIGHT
    assert describe(RIGHT) == "checked on this card: right, 21 ms of 80"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "null",
        lambda text: "[]",
        lambda text: text.replace('"format": 1', '"format": 0'),
        lambda text: text.replace('"right": true', '"right": "yes"'),
        lambda text: text.replace('"kernels"', '"cookery"'),
        lambda text: text.replace('"findings": [', '"findings": [3, '),
        lambda text: text.replace("20.7", '"soon"'),
        lambda text: text.replace("20.7", "NaN"),
        lambda text: json.dumps({**json.loads(text), "about": None}),
        lambda text: json.dumps({**json.loads(text), "key": "k2"}),
        lambda text: text + " " * (records.RECORD_BYTES + 1),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_record_is_none(tmp_path: Path, damage: object) -> None:
    records.write(tmp_path, RIGHT)
    (path,) = (tmp_path / records.FOLDER).glob("*.json")
    path.write_text(damage(path.read_text()))  # type: ignore[operator]  # one of the functions above
    assert records.read(tmp_path, "k1") is None
    assert records.write(tmp_path, RIGHT), "it is replaced"
    assert records.read(tmp_path, "k1") == RIGHT


def test_a_record_that_is_no_file_is_none(tmp_path: Path) -> None:
    folder = tmp_path / records.FOLDER
    folder.mkdir()
    (folder / "k1.json").mkdir()
    assert records.read(tmp_path, "k1") is None
    assert not records.write(tmp_path, RIGHT)
    os.mkfifo(folder / "k2.json")
    assert records.read(tmp_path, "k2") is None


def test_a_disk_that_refuses_costs_nothing_but_the_record(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "write_json", _no_space)
        assert not records.write(tmp_path, RIGHT)
    assert records.read(tmp_path, "k1") is None
    (tmp_path / "file").write_text("in the way")
    assert not records.write(tmp_path / "file", RIGHT)
    with records.alone(tmp_path / "file"):
        pass


def _no_space(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_only_so_many_are_kept_and_the_oldest_go(tmp_path: Path) -> None:
    for number in range(records.MOST_RECORDS + 5):
        records.write(tmp_path, replace(RIGHT, key=f"k{number}"))
        os.utime(tmp_path / records.FOLDER / f"k{number}.json", (1000 + number, 1000 + number))
    kept = {path.stem for path in (tmp_path / records.FOLDER).glob("*.json")}
    assert len(kept) == records.MOST_RECORDS
    assert "k0" not in kept and f"k{records.MOST_RECORDS + 4}" in kept


def test_anything_else_is_another_key() -> None:
    about = {"torch": "2.9.1", "driver": "570.1", "config": {"dim": 64, "card": 8}}
    key = records.make_key(about)
    assert key == records.make_key({"config": {"card": 8, "dim": 64}, "driver": "570.1", "torch": "2.9.1"})
    for name in about:
        assert records.make_key({**about, name: "other"}) != key


TAKE = """
import sys, time
from pathlib import Path
from app.engine import device_record as records
with records.alone(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
"""


def test_two_programs_do_not_test_at_once(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", TAKE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdin is not None
    with other:
        assert other.stdout.readline() == "in\n"
        entered = threading.Event()

        def wait() -> None:
            with records.alone(tmp_path):
                entered.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not entered.wait(0.7)
        other.stdin.write("\n")
        other.stdin.flush()
        assert entered.wait(10)
        waiting.join()
    began = time.monotonic()
    with records.alone(tmp_path), records.alone(tmp_path, wait_s=0.5):
        # A test that never ends keeps nobody waiting for ever.
        assert time.monotonic() - began < 5


def test_two_programs_that_write_at_once_leave_a_whole_record(tmp_path: Path) -> None:
    def write() -> None:
        for ms in range(50):
            records.write(tmp_path, replace(RIGHT, frame_ms=float(ms)))

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = records.read(tmp_path, "k1")
        assert found is None or replace(found, frame_ms=None) == replace(RIGHT, frame_ms=None)
    assert [path.name for path in (tmp_path / records.FOLDER).iterdir()] == ["k1.json"]


# --- What is said ---------------------------------------------------------------------------------


def test_the_line_for_people() -> None:
    assert describe(None) == ""
    assert describe(replace(RIGHT, frame_ms=None)) == "checked on this card: right"
    off = Finding(KERNELS, False, "the kernel “add” is off by 3 %, and 0.8 % are allowed", {})
    wrong = replace(RIGHT, findings=(off, *RIGHT.findings[1:]))
    assert describe(wrong) == (
        "checked on this card: wrong, the kernel “add” is off by 3 %, and 0.8 % are allowed"
    )
    short = replace(RIGHT, findings=(), trouble="The check needs 3.9 GB of memory, and 1.0 GB are free.")
    assert describe(short) == (
        "not checked on this card: The check needs 3.9 GB of memory, and 1.0 GB are free."
    )
    assert not short.lasting, "another time there may be room"
    missing = Record("k", {"checks": [KERNELS, GRAPH]}, (Finding(KERNELS, True, "right", {}),))
    assert not missing.complete
    processor = replace(RIGHT, about={**ABOUT, "graphs": False}, frame_ms=None)
    assert describe(processor) == "checked on this processor: right"
    assert json.loads(json.dumps(asdict(RIGHT)))["findings"][0]["figures"]["one"]["error"] == 0.001
