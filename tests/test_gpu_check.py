"""The script for the first minutes on a card: tried on the processor, and where its steps hang or die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests import gpu_check
from tests.gpu_check import STEPS, Step, find_bars, is_failed, line_of, run_steps
from tests.gpu_packages import needs

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "gpu_check.py"


def step(name: str, code: str, limit_s: float = 20.0) -> Step:
    """Return a step that runs other code than a real one."""
    return Step(name, limit_s, (sys.executable, "-c", code))


SAYS = "import json; print(json.dumps({'found': 1, 'summary': 'all is well'}), flush=True)"
HANGS = f"""
import subprocess, time
{SAYS}
child = subprocess.Popen(['sleep', '611'])
time.sleep(611)
"""


def test_a_step_that_hangs_or_dies_leaves_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "out.json", []

    def look(name: str, found: gpu_check.Result) -> str:
        kept = json.loads(out.read_text())
        seen.append([step for step in kept["steps"] if step in kept])
        return line_of(name, found)

    monkeypatch.setattr(gpu_check, "line_of", look)
    steps = (
        step("hangs", HANGS, limit_s=2.0),
        step("dies", f"{SAYS}\nimport os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
        step("raises", "print('no JSON'); raise RuntimeError('CUDA error: device-side assert triggered')"),
        step("wrong", 'print(\'{"wrong": ["Mimi mishears"]}\')'),
        step("works", SAYS),
    )
    began = time.monotonic()
    results = run_steps(steps, out)
    assert time.monotonic() - began < 15
    assert results == json.loads(out.read_text())
    assert seen == [[each.name for each in steps[: at + 1]] for at in range(len(steps))]
    assert results["hangs"]["failed"] == "it took longer than 2 s"
    assert results["hangs"]["found"] == 1, "what was said before is kept"
    assert results["dies"]["failed"] == "signal 11 ended it"
    assert results["raises"]["failed"] == "it ended with status 1"
    assert "device-side assert" in results["raises"]["stderr"]
    assert [is_failed(results[each.name]) for each in steps] == [True, True, True, True, False]
    said = capsys.readouterr().out
    assert "RuntimeError: CUDA error: device-side assert triggered" in said
    assert "WRONG: Mimi mishears" in said
    assert "all is well" in said
    assert not running("sleep 611"), "what it started ended with it"


def running(command: str) -> bool:
    lines = (Path(entry, "cmdline") for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return any(command == text(line) for line in lines)


def text(file: Path) -> str:
    try:
        return file.read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def test_what_there_is_no_time_for_is_said(tmp_path: Path) -> None:
    steps = (step("slow", "import time; time.sleep(3)"), step("late", SAYS), step("later", SAYS))
    results = run_steps(steps, tmp_path / "out.json", 4.0)
    assert "failed" not in results["slow"]
    assert results["late"] == results["later"] == {"left_out": "no time was left"}
    assert not is_failed(results["late"])


def measured(ratio: float, p999: float, share: float, peak_gb: float) -> gpu_check.Result:
    step_ms = {"p50": 10.0, "p99": 10.1, "p999": p999}
    figures = {"step_ms": step_ms, "step_ratio": ratio, "bandwidth_share": share}
    return {"bf16": {**figures, "whole_peak_gb": peak_gb, "needed_gb": 20.5}}


def test_bars_are_met_or_not_or_not_measured() -> None:
    found = {"engine_bf16": measured(0.54, 11.4, 0.7, 20.0), "engine_int8": measured(0.46, 11.6, 0.6, 21.0)}
    bars = find_bars(found)
    assert [bar["met"] for name, bar in bars.items() if name.startswith("bf16")] == [True] * 4
    assert [bar["met"] for name, bar in bars.items() if name.startswith("int8")] == [False] * 4
    assert bars["int4: step over moshi's"] == {"value": None, "most": 0.40, "met": None}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "name the file for the results"),
        (["out.json", "--only", "env,dance"], "there is no step dance"),
        (["out.json", "--dry", "--wheels", "nowhere"], "no folder nowhere"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(line: list[str], words: str) -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPT, *line], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode
    assert words in " ".join(ended.stderr.split())


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a Python that has torch and NumPy, what they need, and nothing else."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in needs("torch") | needs("numpy"):
        found = metadata.distribution(name)
        tops = {Path(str(each)).parts[0] for each in found.files or () if not str(each).startswith("..")}
        for top in tops - {"__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(found.locate_file(top))))
    yield {**os.environ, "PYTHONPATH": str(folder), "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.slow
def test_where_only_torch_is_installed_the_rest_is_carried_along(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    python, out, folder = sys._base_executable, tmp_path / "out.json", tmp_path / "wheels"
    line = [python, str(SCRIPT), str(out), "--dry", "--only", "check_int4,engine_int8,kernels,load"]
    lacking = subprocess.run(line, env=bare, capture_output=True, text=True, timeout=200, check=False)
    assert "No module named 'moshi'" in lacking.stdout
    assert lacking.returncode == 1
    collect = [sys.executable, str(SCRIPT), "--collect", str(folder)]
    told = subprocess.run(collect, capture_output=True, text=True, timeout=200, check=True).stdout
    assert "moshi" in told
    assert "torch " not in told
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 25e6
    ended = subprocess.run(
        [*line, "--wheels", str(folder)], env=bare, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_steps_are_tried_on_the_processor(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    ended = subprocess.run(
        [sys.executable, SCRIPT, out, "--dry", "--nice", "19", "--budget", "850"],
        capture_output=True,
        text=True,
        timeout=880,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads(out.read_text())
    for each in STEPS:
        found = results[each.name]
        assert "failed" not in found
        assert found["summary"], each.name
        assert each.name in ended.stdout
    for mode, ratio in gpu_check.RATIO_BARS.items():
        engine = results[f"engine_{mode}"]["bf16"]
        assert results["bars"][f"{mode}: step over moshi's"] == {
            "value": engine["step_ratio"],
            "most": ratio,
            "met": engine["step_ratio"] <= ratio,
        }
    calls = {name: found for name, found in results["kernels"].items() if "KV" in name}
    # What draws a token has no numbers to compare.
    compared = [found for found in calls.values() if found["error"] is not None]
    assert len(compared) > 30
    assert all(found["error"] <= found["bound"] for found in compared)
    assert results["tokens"]["ours in float32"] == "equal for 24 of 24 frames"
    assert results["sampling"]["ours"]["captures"] == 0
    assert results["load"]["int8"]["mode"] == "int8"
