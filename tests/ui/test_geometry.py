"""All of the window can be seen on any screen, and it comes back to where it was left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect

from app.files import write_json
from app.paths import paths
from app.ui.shell.geometry import Place, _moved_in, read_place, write_place

ROOT = Path(__file__).parents[2]
HD = (1280, 720)

Area = Sequence[int]


def open_window(
    home: Path, page: str = "0", *rest: str, screens: Sequence[Area] = ((0, 0, *HD),), scale: float = 1.0
) -> dict[str, Any]:
    """Open the window on screens (x, y, width, height) of Qt's own, and return what can be seen of it."""
    described = [
        dict(zip(("x", "y", "width", "height"), area, strict=True), name=str(n), logicalDpi=96, dpr=1)
        for n, area in enumerate(screens)
    ]
    home.mkdir(exist_ok=True)
    (home / "screens.json").write_text(json.dumps({"screens": described}))
    platform = f"offscreen:configfile={home / 'screens.json'}"
    return ask(home, page, *rest, env={"QT_QPA_PLATFORM": platform, "QT_SCALE_FACTOR": str(scale)})


def ask(home: Path, page: str, *rest: str, env: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.ui.place_command", str(home), page, *rest]
    ended = subprocess.run(
        command, env={**os.environ, **env}, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    facts: dict[str, Any] = json.loads(ended.stdout)
    return facts


def within(facts: dict[str, Any], name: str = "frame") -> bool:
    return QRect(*facts["available"]).contains(QRect(*facts[name]))


@pytest.mark.parametrize(
    ("screen", "scale", "page"),
    [
        (HD, 1.0, "0"),
        (HD, 1.0, "late"),
        (HD, 2.0, "0"),
        (HD, 2.0, "late"),
        ((1920, 1080), 1.0, "0"),
        ((1024, 600), 1.0, "late"),
        ((1366, 768), 1.5, "0"),
    ],
)
def test_start_and_the_status_line_can_be_seen(
    screen: tuple[int, int], scale: float, page: str, tmp_path: Path
) -> None:
    facts = open_window(tmp_path, page, screens=[(0, 0, *screen)], scale=scale)
    assert within(facts), facts
    assert facts["start"] and facts["status"], facts


@pytest.mark.parametrize("page", ["1", "2", "3", "4"])
def test_the_status_line_can_be_seen_on_each_page_of_a_small_screen(page: str, tmp_path: Path) -> None:
    facts = open_window(tmp_path, page, scale=2.0)
    assert within(facts), facts
    assert facts["status"], facts


@pytest.mark.parametrize("page", ["keys", "crash", "welcome"])
def test_dialogs_and_the_welcome_fit_a_small_screen(page: str, tmp_path: Path) -> None:
    facts = open_window(tmp_path, page, scale=2.0)
    assert within(facts, "shown"), facts
    assert facts["button"] is not False, facts


@pytest.fixture
def display() -> Iterator[str]:
    """A screen of 1366 x 768 with a panel of 32 pixels above, as a window manager tells of it."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen([*command, "-noreset"], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            name = f":{told.readline().strip()}"
        area = ["_NET_WORKAREA", "32c", "-set", "_NET_WORKAREA", "0, 32, 1366, 736"]
        subprocess.run(["xprop", "-display", name, "-root", "-f", *area], check=True, timeout=20)
        yield name
    finally:
        server.terminate()
        server.wait()


@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xprop")), reason="needs an X server")
def test_the_window_stays_clear_of_a_panel(display: str, tmp_path: Path) -> None:
    env = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": "1"}
    facts = ask(tmp_path, "0", env=env)
    assert facts["available"] == [0, 32, 1366, 736]
    assert within(facts), facts
    assert facts["start"] and facts["status"], facts


def test_it_comes_back_to_where_it_was_left(tmp_path: Path) -> None:
    left = open_window(tmp_path, "0", "130", "70", "1000", "610")
    assert open_window(tmp_path)["window"] == left["window"] == [130, 70, 1000, 610]


def test_it_comes_back_to_the_second_screen_while_that_is_there(tmp_path: Path) -> None:
    two = [(0, 0, *HD), (1280, 0, 1920, 1080)]
    left = open_window(tmp_path, "0", "1500", "90", "1100", "700", screens=two)
    assert open_window(tmp_path, screens=two)["window"] == left["window"]
    alone = open_window(tmp_path)
    assert within(alone), alone
    assert alone["window"][2] == 1100, "the size is kept as far as it fits"


def test_it_comes_back_filling_the_screen(tmp_path: Path) -> None:
    open_window(tmp_path, "0", "130", "70", "1000", "610")
    assert open_window(tmp_path, "0", "maximized")["maximized"]
    again = open_window(tmp_path)
    assert again["maximized"]
    place = read_place(paths(tmp_path).window)
    assert place is not None
    assert place.size.toTuple() == (1000, 610), "and what it was before is not forgotten"


@pytest.mark.parametrize(
    "known",
    [
        {},
        [],
        {"x": 1, "y": 2, "width": 3, "height": 4},
        {"x": 1, "y": 2, "width": 0, "height": 4, "maximized": False},
        {"x": 1, "y": 2, "width": -5, "height": 4, "maximized": False},
        {"x": 1e9, "y": 2, "width": 3, "height": 4, "maximized": False},
        {"x": 10**9, "y": 2, "width": 3, "height": 4, "maximized": False},
        {"x": True, "y": 2, "width": 3, "height": 4, "maximized": False},
        {"x": 1, "y": 2, "width": 3, "height": 4, "maximized": "no"},
        {"x": 1, "y": 2, "width": 3, "height": 4, "maximized": False, "more": 1},
    ],
)
def test_a_place_that_makes_no_sense_is_not_believed(known: Any, tmp_path: Path) -> None:
    write_json(tmp_path / "window.json", known)
    assert read_place(tmp_path / "window.json") is None


def test_a_place_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "config" / "window.json"
    assert read_place(file) is None
    write_place(file, Place(-3, 5, 1000, 700, True))
    assert read_place(file) == Place(-3, 5, 1000, 700, True)
    file.write_text("{")
    assert read_place(file) is None


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ((10, 20, 100, 100), (10, 20)),
        ((-50, -60, 100, 100), (0, 0)),
        ((950, 720, 100, 100), (900, 700)),
        ((300, 300, 2000, 100), (0, 300)),
    ],
)
def test_a_window_is_moved_onto_the_screen(area: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert _moved_in(QRect(*area), QRect(0, 0, 1000, 800)).topLeft().toTuple() == expected
