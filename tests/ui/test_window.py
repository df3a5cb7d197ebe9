"""The window: pages by key, a status line that is true, settings that are kept, and a proper end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import settings as store
from app.audio.devices import Device
from app.engine.events import Failed, Loading, Unloaded
from app.ui.models.gpu_memory import CardMemory, card_memory, parse_memory, roomiest_card
from app.ui.shell import theme
from app.ui.shell.icons import _ICONS
from app.ui.shell.window import SAVE_MS
from app.ui.widgets.player import Player
from tests.ui import dialogue
from tests.ui.staging import DEVICES, Stage

ROOT = Path(__file__).parents[2]


def test_pages_are_reached_by_key(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    for key, page in (
        (Qt.Key.Key_2, window.recordings),
        (Qt.Key.Key_3, window.models),
        (Qt.Key.Key_4, window.train),
        (Qt.Key.Key_5, window.setup),
        (Qt.Key.Key_1, window.talk),
    ):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert page.isVisible()


def test_keys_of_the_talk_do_nothing_on_other_pages(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    stage.window.show_page(1)
    before = list(stage.session.asked)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_R):
        qtbot.keyClick(stage.window, key)
    assert stage.session.asked == before
    stage.window.show_page(0)
    stage.window.setFocus()
    qtbot.keyClick(stage.window, Qt.Key.Key_R)
    assert stage.session.asked[-1] == ("record", False)


def test_a_talk_goes_on_while_another_page_is_open(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.window.show_page(1)
    stage.talk(1, 3)
    assert stage.page.timeline.data.frames == 37


def test_the_status_line_is_true(stage: Stage, qtbot: QtBot) -> None:
    status = stage.window.status
    assert "moshika · bf16" in status.text
    assert "network off" in status.text
    stage.beat(Unloaded())
    assert "no model" in status.text
    stage.beat(Loading("Downloading model.safetensors", 1, 2))
    assert "network on" in status.text
    stage.beat(Failed("The hub does not answer.", "Look at the network."))
    assert "network off" in status.text
    assert "no model" in status.text
    assert status.trouble == "The hub does not answer.\nLook at the network."


def test_the_graphics_memory_is_shown_where_there_is_a_card(stage: Stage, qtbot: QtBot) -> None:
    label = stage.window.status._memory
    qtbot.waitUntil(label.isVisible)
    assert label.text() == "18.1 of 25.8 GB"
    stage.window.status.set_memory(None)
    assert not label.isVisible()


MIB = 2**20


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("5621, 24564, 18520\n", [(5_621, 24_564, 18_520)]),
        ("7, 8188, 7900\n5, 24564, 24080\n", [(7, 8_188, 7_900), (5, 24_564, 24_080)]),
        ("[N/A], [N/A], [N/A]\n5, 24564, 24080\n", [(5, 24_564, 24_080)]),
        ("5621, 24564\n", []),
        ("", []),
    ],
)
def test_the_answer_of_the_driver_is_understood(text: str, cards: list[tuple[int, int, int]]) -> None:
    assert parse_memory(text) == [CardMemory(*(MIB * size for size in card)) for card in cards]


def test_of_several_cards_the_one_with_the_most_room_is_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho '7, 8188, 7900'\necho '9000, 24564, 15000'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    first, roomiest = card_memory(), roomiest_card()
    assert first is not None and first.total_bytes == 8188 * MIB
    assert roomiest is not None and roomiest.free_bytes == 15000 * MIB
    driver.unlink()
    assert card_memory() is roomiest_card() is None


def test_devices_are_found_beside_the_window(stage: Stage, qtbot: QtBot) -> None:
    stage.window.look_around()
    chooser = stage.page.bar._microphone
    qtbot.waitUntil(lambda: chooser.count() == 3)
    assert [chooser.itemText(n) for n in (1, 2)] == [device.label for device in DEVICES[:2]]


def test_the_settings_page_offers_the_same_devices_and_looks_again(stage: Stage, qtbot: QtBot) -> None:
    stage.window.look_around()
    qtbot.waitUntil(lambda: stage.window.setup._speaker.count() == 3)
    DEVICES.append(Device("pulse/new", "New headset", "out", False, 48_000))
    try:
        stage.window.show_page(4)
        qtbot.waitUntil(lambda: stage.window.setup._speaker.findData("pulse/new") > 0)
    finally:
        DEVICES.pop()
    assert stage.page.bar._speaker.findData("pulse/new") > 0


def test_recordings_are_heard_through_the_chosen_speaker(stage: Stage) -> None:
    stage.window.setup.changed.emit(replace(stage.window.settings, speaker="pulse/hdmi"))
    (player,) = stage.window.recordings.findChildren(Player)
    assert player._speaker == "pulse/hdmi"
    stage.window.use(replace(stage.window.settings, speaker=""))
    assert player._speaker == ""


def test_the_devices_of_the_talk_are_named_even_when_they_change(stage: Stage, qtbot: QtBot) -> None:
    stage.window.look_around()
    qtbot.waitUntil(lambda: bool(stage.window._devices))
    stage.talk(0, 1)
    assert "USB headset" in stage.window.status.text
    stage.sound.figures = replace(stage.sound.figures, speaker="pulse/hdmi")
    stage.beat()
    assert "USB headset → HDMI / DisplayPort 2" in stage.window.status.text


def test_what_is_changed_is_saved_and_shown_everywhere(stage: Stage) -> None:
    stage.page.desk.volume.setValue(30)
    stage.page.drawer._numbers["text_top_k"]._box.setValue(50)
    stage.beat(elapsed_ms=SAVE_MS + 1)
    saved = store.load(stage.where.settings)
    assert (saved.volume, saved.text_top_k) == (0.3, 50)
    assert stage.window.setup._settings == stage.window.settings


def test_what_the_settings_page_changes_reaches_the_talk(stage: Stage) -> None:
    stage.window.setup.changed.emit(replace(stage.window.settings, record=False, audio_top_k=99))
    assert not stage.page.desk.record.isChecked()
    assert stage.page.drawer._numbers["audio_top_k"].value() == 99


def test_what_the_command_line_asks_for_is_not_saved(stage: Stage) -> None:
    stage.window.use(replace(stage.window.settings, record=False))
    stage.page.desk.volume.setValue(30)
    stage.window.close()
    saved = store.load(stage.where.settings)
    assert (saved.record, saved.volume) == (True, 0.3)


def test_a_model_from_the_models_page_is_loaded_and_kept(stage: Stage) -> None:
    stage.window.models.load_model.emit("j-moshi")
    assert ("load", "j-moshi") in stage.session.asked
    assert stage.window.settings.model == "j-moshi"
    assert stage.page.isVisible()


def test_closing_the_window_ends_the_talk(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.window.close()
    assert "stop" in stage.session.asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [QSize(1180, 760), QSize(1280, 720), QSize(900, 600)])
def test_nothing_is_cut_off(stage: Stage, scheme: str, size: QSize, qtbot: QtBot) -> None:
    """Every visible part has at least the room that it needs, and lies within the window."""
    theme.set_scheme(scheme)
    stage.talk(0, 12, step_ms=97.0)
    stage.page.toggle_drawer()
    stage.window.resize(size)
    qtbot.wait(10)
    assert stage.window.size() == size
    for part in (stage.page.bar, stage.page.desk, stage.page.signpost.notice):
        for widget in part.findChildren(QWidget):
            if widget.isVisible():
                needed = widget.minimumSizeHint()
                assert widget.width() >= needed.width(), (part, widget)
                assert widget.height() >= needed.height(), (part, widget)
                corner = widget.mapTo(stage.window, widget.rect().bottomRight())
                assert stage.window.rect().contains(corner), (part, widget)


def test_the_window_is_drawn_in_both_schemes(stage: Stage) -> None:
    stage.talk(0, 20)
    pictures = {}
    for scheme in ("light", "dark"):
        theme.set_scheme(scheme)
        image = stage.window.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        pictures[scheme] = sum(image.constBits().tobytes()[::97])
    assert pictures["light"] > 3 * pictures["dark"]


def test_icons_are_drawn(stage: Stage) -> None:
    from app.ui.widgets.controls import drawn_icon

    for name in _ICONS:
        image = drawn_icon(name, theme.colours().text).pixmap(QSize(20, 20)).toImage()
        assert any(image.pixelColor(x, y).alpha() > 128 for x in range(20) for y in range(20)), name


def test_a_minute_of_ticks_costs_little(stage: Stage) -> None:
    """A tick of the window takes a small part of its 33 ms, so that the engine thread gets its turn."""
    stage.talk(0, 20)
    costs_ms = []
    for event in dialogue.events(20, 40):
        began = time.perf_counter()
        stage.beat(event)
        costs_ms.append(1000 * (time.perf_counter() - began))
    assert sorted(costs_ms)[len(costs_ms) // 2] < 8.0


def test_the_program_opens_says_so_and_ends_when_asked(tmp_path: Path) -> None:
    """The real program, as a process of its own: SIGTERM ends it properly."""
    code = (
        "import logging, sys; logging.basicConfig(level=logging.INFO)\n"
        "from pathlib import Path\n"
        "from app.paths import paths\n"
        "from app.settings import Settings\n"
        "from app.options import Options\n"
        "from app.ui.shell.app import run\n"
        "sys.exit(run(paths(Path(sys.argv[1])), Settings(), Options()))\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )
    assert program.stderr is not None
    try:
        lines = iter(program.stderr.readline, "")
        assert any("ready: the window is shown" in line for line in lines)
        time.sleep(0.3)
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.wait()
        program.stderr.close()
