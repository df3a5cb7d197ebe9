"""A test that leaves the process other than it was fails, whatever it was that it left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ("os.nice(1)", "priority was"),
        ("os.umask(0o007)", "umask was"),
        ("os.chdir('/')", "working directory was"),
        ("os.environ['AIZUCHI_LEFT'] = 'x'", "$AIZUCHI_LEFT was None, is x"),
        ("os.environ.pop('PATH')", "$PATH was"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "handler of SIGTERM was"),
        ("threading.Thread(target=threading.Event().wait, args=(9,)).start()", "left running: thread"),
        ("None", "1 passed"),
    ],
)
def test_what_is_left_behind_is_told(left: str, told: str, tmp_path: Path) -> None:
    code = f"import os, signal, threading\n\ndef test_it():\n    {left}\n"
    (tmp_path / "test_left.py").write_text(code)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-q",
        tmp_path,
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert told in done.stdout
    assert (done.returncode == 0) == (left == "None")
