"""A minute in the real window, with everything that disturbs it, has no gap."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.sound
def test_a_minute_in_the_window_starves_and_skips_nothing_and_the_lag_stays_flat() -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds", "60"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stderr
    noted = json.loads(ended.stdout.splitlines()[-1])
    assert (noted["starved_frames"], noted["skipped_frames"]) == (0, 0)
    assert abs(noted["last_p50_ms"] - noted["first_p50_ms"]) < 20
    assert noted["holds"] > 10
    assert noted["ticks_per_s"] > 20, "the window has to live meanwhile"
    assert noted["recorded_s"] >= 120
