"""A run folder is read while it is written, and says the truth about a process that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.errors import UserError
from app.store.locks import LOCK, InUse
from app.store.runs import FORMAT, METRICS, RUN, list_runs, open_run, read_metrics

ROOT = Path(__file__).parent.parent
HOLD = """
with take(Path(sys.argv[1]), "run-1", "aizuchi train"):
    print("ready", flush=True)
    sys.stdin.read()
"""
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


def write(folder: Path, **values: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(json.dumps({"format": FORMAT, "name": folder.name, **values}))
    return folder


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """Return a process that trains, as far as anyone can see from outside."""
    command = [sys.executable, "-c", WAITS, "train", "my.toml"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
        started.kill()


def test_a_run_is_what_its_file_says(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run-1", state="finished", step=120, steps=500, best_loss=3.5))
    assert (run.name, run.state, run.step, run.steps) == ("run-1", "finished", 120, 500)
    assert run.values["best_loss"] == 3.5
    assert not run.alive


def test_what_is_not_said_has_a_value(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / RUN).write_text('{"format": 1}')
    run = open_run(tmp_path / "old")
    assert (run.name, run.state, run.step, run.steps) == ("old", "failed", 0, 0)


@contextmanager
def trained(folder: Path, **changes: object) -> Iterator[subprocess.Popen[str]]:
    """Let a process hold a run as training does; `changes` are what it is to say of itself."""
    code = f"import sys; from pathlib import Path; from app.store.locks import take\n{HOLD}"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        values = json.loads((folder / LOCK).read_text())
        (folder / LOCK).write_text(json.dumps({**values, **changes}))
        try:
            yield started
        finally:
            started.kill()


def test_a_run_goes_on_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    folder = write(tmp_path / "run-1", state="running", pid=None)
    with trained(folder) as process:
        run = open_run(folder)
        assert (run.state, run.alive, run.is_here) == ("running", True, True)
        run.stop()
        assert process.wait(10) == -signal.SIGTERM
    assert (run.state, run.alive, run.is_here) == ("stopped", False, False)


def test_a_run_that_was_killed_is_not_alive_though_its_number_lives(tmp_path: Path) -> None:
    """As in a container that is started again: the next process has the number of the killed one."""
    folder = write(tmp_path / "run-1", state="running", pid=os.getpid())
    with trained(folder) as process:
        process.kill()
        process.wait()
        values = json.loads((folder / LOCK).read_text())
        (folder / LOCK).write_text(json.dumps({**values, "pid": os.getpid()}))
        run = open_run(folder)
        assert (run.state, run.alive) == ("stopped", False)
        run.stop()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"boot": "another", "host": "cuda9"}, "on cuda9."),
        ({"namespace": "pid:[1]"}, "in another container."),
        ({"started": 1}, "in another container."),
    ],
)
def test_a_run_elsewhere_is_alive_and_not_signalled(
    place: dict[str, object], said: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "run-1", state="running", pid=os.getpid())
    with trained(folder, **place) as process:
        run = open_run(folder)
        assert (run.state, run.alive, run.is_here) == ("running", True, False)
        with pytest.raises(InUse) as caught:
            run.stop()
        assert caught.value.sentence == f"run-1 is in use: `aizuchi train` is at work on it {said}"
        assert process.poll() is None


def test_of_an_older_aizuchi_only_a_process_that_was_there_counts(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    """A process that began after the run wrote its number is another one."""
    folder = write(tmp_path / "run-1", state="running", pid=process.pid)
    assert open_run(folder).alive
    earlier = time.time() - 3600
    os.utime(folder / RUN, (earlier, earlier))
    run = open_run(folder)
    assert (run.state, run.alive) == ("stopped", False)
    run.stop()
    assert process.poll() is None


def test_a_run_goes_on_as_long_as_its_process(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    folder = write(tmp_path / "run-1", state="running", pid=process.pid)
    run = open_run(folder)
    assert (run.state, run.alive) == ("running", True)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    # Dead, though nobody has asked for its exit status yet.
    assert (run.state, run.alive) == ("stopped", False)
    process.wait()
    assert (open_run(folder).state, run.alive) == ("stopped", False)


def test_a_number_that_now_belongs_to_another_process_is_no_run(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        run = open_run(write(tmp_path / "run-1", state="running", pid=other.pid))
        assert run.state == "stopped"
        run.stop()
        assert other.poll() is None
        other.communicate("")
    assert other.returncode == 0


@pytest.mark.parametrize("pid", [None, 0, -1, "12", 2**40])
def test_a_process_that_can_not_be_is_not_alive(pid: object, tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run-1", state="running", pid=pid))
    assert run.state == "stopped"
    run.stop()


def test_a_run_that_has_ended_is_not_alive_whatever_its_number(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    run = open_run(write(tmp_path / "run-1", state="failed", pid=process.pid))
    run.stop()
    assert (run.state, run.alive, process.poll()) == ("failed", False, None)


def test_a_run_is_asked_to_stop_by_the_signal_that_it_waits_for(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    open_run(write(tmp_path / "run-1", state="running", pid=process.pid)).stop()
    assert process.wait(10) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no training run in"),
        (b"", "run.json is damaged"),
        (b'{"format": 1, "name"', "run.json is damaged"),
        (b"\xff\xfe", "run.json is damaged"),
        (b"[]", "run.json is damaged"),
        (b"null", "run.json is damaged"),
        (b"{}", "run.json is damaged"),
        (b'{"format": "1"}', "run.json is damaged"),
        (b'{"format": 2}', "was made by a newer Aizuchi"),
    ],
)
def test_what_is_no_run_is_refused_and_left_out_of_the_list(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    write(runs / "good")
    (runs / "odd").mkdir()
    (runs / "file").write_text("")
    if content is not None:
        (runs / "odd" / RUN).write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        open_run(runs / "odd")
    assert str(runs / "odd") in caught.value.sentence
    assert caught.value.advice
    assert [run.name for run in list_runs(runs)] == ["good"]


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="There is no training run"):
        open_run(tmp_path / "file")


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    for name, created in ("a", "2026-01-02"), ("b", "2026-03-01"), ("c", "2026-01-02"), ("d", None):
        write(tmp_path / "runs" / name, **({"created": created} if created else {}))
    assert [run.name for run in list_runs(tmp_path / "runs")] == ["b", "c", "a", "d"]
    assert list_runs(tmp_path / "none") == []


def test_metrics_are_read_from_where_one_stopped(tmp_path: Path) -> None:
    events = [{"kind": "step", "step": step, "text": "日本"} for step in range(3)]
    first, second, third = (json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)
    path = tmp_path / METRICS
    path.write_bytes(first + second[:15])
    assert read_metrics(tmp_path) == (events[:1], len(first))
    path.write_bytes(first + second)
    assert read_metrics(tmp_path, len(first)) == (events[1:2], len(first + second))
    path.write_bytes(first + second + third)
    found, end = read_metrics(tmp_path)
    assert (found, end) == (events, len(first + second + third))
    assert read_metrics(tmp_path, end) == ([], end)


def test_a_half_written_character_waits_for_its_rest(tmp_path: Path) -> None:
    line = json.dumps({"kind": "warning", "sentence": "日本"}, ensure_ascii=False).encode() + b"\n"
    for length in range(len(line)):
        (tmp_path / METRICS).write_bytes(line[:length])
        assert read_metrics(tmp_path) == ([], 0)


def test_lines_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    lines = [b"", b'{"kind": "st', b"\xff", b"[1]", b'"kind"', b'{"step": 3}', b'{"kind": "step", "step": 4}']
    (tmp_path / METRICS).write_bytes(b"\n".join(lines) + b"\n")
    assert read_metrics(tmp_path)[0] == [{"kind": "step", "step": 4}]


def test_a_run_without_metrics_has_none_yet(tmp_path: Path) -> None:
    assert read_metrics(tmp_path, 0) == ([], 0)
    assert read_metrics(tmp_path / "none", 7) == ([], 7)


def test_how_far_a_run_is_counts_what_it_told_since_the_last_checkpoint(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    folder = write(tmp_path / "run-1", state="running", pid=process.pid, step=50, steps=200)
    told = [{"kind": "step", "step": step, "loss": 1.0, "text": "x" * 200} for step in range(1, 98)]
    told.append({"kind": "evaluation", "step": 99})
    lines = "".join(json.dumps(event) + "\n" for event in told)
    (folder / METRICS).write_text(lines + '{"kind": "step", "step": 98')
    run = open_run(folder)
    assert (run.newest_step, run.progress) == (97, 97 / 200)
    process.kill()
    process.wait()
    assert (run.newest_step, run.progress) == (50, 0.25), "what was not kept is lost"
    assert open_run(write(tmp_path / "run-2", step=3)).progress == 0.0
