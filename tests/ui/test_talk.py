"""The Talk page: each state says what to do, and each control does it while the talk goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QPushButton, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.engine.events import (
    Failed,
    Loading,
    Mute,
    RecordingEnded,
    RecordingStarted,
    Restart,
    Sampling,
    Skipped,
    Spoke,
    Starved,
    Stepped,
    Stopped,
    Trouble,
    Unloaded,
)
from app.frames import LATE, MICROPHONE
from app.session import Talk
from app.settings import Settings
from app.store import locks
from app.ui.talk.talk_status import State
from app.ui.talk.words import Words
from tests.ui import dialogue
from tests.ui.staging import DEVICES, Stage


def press(stage: Stage, word: str) -> None:
    """Press the visible button with this word."""
    QApplication.processEvents()
    shown = [button for button in stage.window.findChildren(QPushButton) if button.isVisible()]
    next(button for button in shown if word in button.text()).click()


def asked(stage: Stage, kind: type) -> list[object]:
    return [wish for wish in stage.session.asked if isinstance(wish, kind)]


def test_whoever_comes_first_is_told_how_to_begin(qtbot: QtBot) -> None:
    stage = Stage(Settings())
    stage.window.show()
    assert stage.page.state is State.NO_MODEL
    assert stage.page.desk.start.isEnabled()
    press(stage, "Load starter")
    assert ("load", "starter") in stage.session.asked
    stage.load(replace(dialogue.READY, model="starter"))
    assert stage.page.signpost.pane.title == "Hello."
    stage.window.close()


def test_choosing_a_model_leads_to_the_models(qtbot: QtBot) -> None:
    stage = Stage(Settings())
    stage.window.show()
    press(stage, "Choose another model")
    assert stage.window.models.isVisible()
    stage.window.close()


def test_loading_says_what_how_much_and_how_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("app.ui.talk.loading.time.monotonic", lambda: now)
    stage.beat(Loading("Reading model.safetensors", 0, 15_000_000_000))
    now = 5.0
    stage.beat(Loading("Reading model.safetensors", 5_000_000_000, 15_000_000_000))
    assert stage.page.state is State.LOADING
    assert stage.page.signpost.pane._detail.text() == (
        "Reading model.safetensors · 5.0 of 15.0 GB · 10 s left"
    )


def test_a_load_that_fails_says_why_and_offers_a_way_out(stage: Stage) -> None:
    stage.beat(Loading("Reading"))
    stage.beat(Failed("The file is damaged.", "Download it again."))
    assert stage.page.signpost.pane.title == "The file is damaged."
    press(stage, "Try again")
    assert stage.session.asked[-1] == ("load", "moshika")


def test_start_before_the_model_is_there_begins_when_it_is(stage: Stage) -> None:
    stage.beat(Unloaded())
    stage.beat(Loading("Reading"))
    stage.page.desk.start.click()
    assert "as soon as" in stage.page.signpost.notice.text
    stage.load()
    assert len(asked(stage, Talk)) == 1
    stage.beat()
    assert stage.page.state is State.TALKING


def test_one_button_starts_and_stops(stage: Stage, qtbot: QtBot) -> None:
    qtbot.mouseClick(stage.page.desk.start, Qt.MouseButton.LeftButton)
    stage.beat()
    assert stage.page.state is State.TALKING
    assert stage.page.desk.start.text() == "Stop"
    qtbot.keyClick(stage.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    stage.beat()
    assert stage.page.state is State.STOPPED
    assert stage.page.desk.start.text() == "Start"


def test_a_talk_starts_with_the_settings(qtbot: QtBot, tmp_path: Path) -> None:
    stage = Stage(Settings(model="moshika", text_temperature=0.5, seed=11, volume=0.25, speaker="pulse/hdmi"))
    stage.page.set_devices([])
    stage.load()
    stage.page.start()
    (talk,) = asked(stage, Talk)
    assert (talk.seed, talk.sampling.text_temperature) == (11, 0.5)
    assert stage.sound.volume == 0.25
    stage.window.close()


def test_words_timeline_and_figures_follow(stage: Stage) -> None:
    stage.talk(0, 10)
    assert stage.page.words.lines()[0] == "Hi, what's going on?"
    assert stage.page.timeline.data.frames == 125
    assert stage.page.drawer.readout.text("step") == "31/80 ms"
    assert stage.page.drawer.readout.text("lag").endswith("ms")
    assert stage.page.scene.time == "0:10"
    assert stage.page.bar.heard.level_db > -30


def test_losses_are_counted(stage: Stage) -> None:
    stage.talk(23, 24.5)
    stage.beat(Starved(310, 4))
    assert stage.page.drawer.readout.text("skipped") == "2"
    assert stage.page.drawer.readout.text("starved") == "4"


def test_space_mutes_and_the_icon_tells(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    stage.page.words.setFocus()
    qtbot.keyClick(stage.page.words, Qt.Key.Key_Space)
    stage.beat()
    assert asked(stage, Mute) == [Mute(True)]
    assert stage.page.desk.mute.isChecked()
    stage.page.desk.mute.click()
    stage.beat()
    assert asked(stage, Mute) == [Mute(True), Mute(False)]
    assert not stage.page.desk.mute.isChecked()
    assert [note.text for note in stage.page.timeline.data.notes] == ["muted", "heard again"]


def test_volume_is_honoured_while_talking_and_kept(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.page.desk.volume.setValue(40)
    assert stage.sound.volume == 0.4
    assert stage.window.settings.volume == 0.4


def test_sampling_is_honoured_while_talking(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.page.toggle_drawer()
    stage.page.drawer._numbers["audio_temperature"]._box.setValue(0.5)
    (sampling,) = asked(stage, Sampling)
    assert sampling.audio_temperature == 0.5
    stage.page.drawer._numbers["audio_temperature"]._reset.click()
    assert asked(stage, Sampling)[-1] == Sampling()


def test_a_context_in_seconds_is_kept_in_frames(stage: Stage) -> None:
    stage.page.drawer._numbers["context"]._box.setValue(60)
    assert stage.window.settings.context == 750
    assert asked(stage, Sampling) == []


def test_the_conversation_restarts(stage: Stage) -> None:
    stage.talk(0, 3)
    stage.page.desk.restart.click()
    stage.beat()
    assert len(asked(stage, Restart)) == 1
    stage.beat(Spoke(40, 1, " again"))
    assert stage.page.words.lines()[-1] == "again"


def test_r_switches_the_recording_and_the_sign_tells(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 2)
    sign = stage.page.desk.record
    assert sign.isChecked()
    assert sign._time == "0:02"
    qtbot.keyClick(stage.window, Qt.Key.Key_R)
    stage.beat(RecordingEnded(Path("a"), "", ""))
    assert stage.session.asked[-1] == ("record", False)
    assert not sign.isChecked()
    assert sign._time == ""
    qtbot.keyClick(stage.window, Qt.Key.Key_R)
    stage.beat(RecordingStarted(Path("b")))
    stage.talk(2, 5.2)
    assert sign._time == "0:03"


def test_a_full_disk_is_told_and_the_talk_goes_on(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.beat(RecordingEnded(Path("a"), "The disk is full.", "Free some space."))
    assert stage.page.signpost.notice.text == "The disk is full. Free some space."
    assert not stage.page.desk.record.isChecked()
    assert stage.page.state is State.TALKING


def test_a_lost_device_is_told_on_the_page_and_in_the_status_line(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.beat(Trouble("The microphone is gone.", "Plug it in again."))
    assert stage.page.signpost.notice.isVisible()
    assert stage.window.status.trouble == "The microphone is gone.\nPlug it in again."


def test_a_late_model_is_told_with_a_button_for_a_lighter_one(stage: Stage) -> None:
    stage.talk(0, 6, step_ms=97.0)
    assert stage.page.signpost.notice.text.startswith("This model needs 97 ms for each 80 ms")
    before = stage.window.settings
    press(stage, "Load in 8 bits")
    stage.beat()
    asked = [each for each in stage.session.asked if each == "stop" or isinstance(each, tuple)]
    assert asked[-2:] == ["stop", ("load", before.model)]
    assert stage.session.mode == "int8"
    assert stage.window.settings == before, "a mode for all models would keep others from loading"
    stage.window.load("starter")
    assert stage.session.mode == "auto"


def test_a_model_that_was_too_slow_stays_in_the_lighter_mode_while_that_loads(stage: Stage) -> None:
    model = stage.window.settings.model
    stage.window.load(model, "moshiko")
    stage.beat()
    stage.talk(0, 6, step_ms=97.0)
    press(stage, "Load in 8 bits")
    assert (stage.session.mode, stage.session.base) == ("int8", "moshiko")
    stage.beat()
    stage.talk(0, 1)
    stage.beat(Failed("The talk broke off.", "Start again."))
    stage.stop()
    stage.window.load(model)
    assert stage.session.mode == "int8", "the talk failed, and not the mode"
    stage.session.drain()
    stage.beat(Loading("Warming up"), Failed("It can not run in int8.", "Choose another."))
    press(stage, "Try again")
    assert stage.session.mode == "auto"


def test_lateness_is_a_word_at_the_foot_and_its_figure_is_renewed_in_place(stage: Stage) -> None:
    stage.talk(0, 4, step_ms=31.0)
    assert stage.page.desk.pace.text() == "keeps up"
    stage.talk(4, 12, step_ms=97.0)
    notice = stage.page.signpost.notice
    assert stage.page.desk.pace.text() == "late"
    (button,) = [each for each in notice.findChildren(QPushButton) if each.text().startswith("Load in")]
    stage.talk(12, 20, step_ms=131.0)
    assert notice.text.startswith("This model needs 131 ms for each 80 ms")
    assert button.isVisible(), "nothing under the pointer was made anew"
    stage.talk(20, 28, step_ms=31.0)
    assert stage.page.desk.pace.text() == "keeps up"
    stage.stop()
    assert stage.page.desk.pace.text() == ""


@pytest.mark.parametrize(
    ("model", "mode", "lighter", "expected"),
    [
        ("starter", "float32", "", ("Close other programs that use this computer.",)),
        ("starter", "int4", "", ("Close other programs that use this computer.",)),
        ("moshika-q8", "q8", "", ("or try a smaller model.", "Choose another model")),
        ("moshika", "float32", "", ("or try a smaller model.", "Choose another model")),
        ("moshika", "bf16", "", ("or try a smaller model.", "Choose another model")),
        ("moshika", "int4", "", ("or try a smaller model.", "Choose another model")),
        ("moshika", "bf16", "int8", ("The same model is lighter in 8 bits.", "Load in 8 bits")),
        ("my-own", "fp16", "int8", ("The same model is lighter in 8 bits.", "Load in 8 bits")),
        ("moshika", "int8", "int4", ("The same model is lighter in 4 bits.", "Load in 4 bits")),
    ],
)
def test_nothing_lighter_is_advised_than_there_is(
    stage: Stage, model: str, mode: str, lighter: str, expected: tuple[str, ...]
) -> None:
    stage.load(replace(dialogue.READY, model=model, mode=mode, lighter=lighter))
    stage.talk(0, 6, step_ms=97.0)
    notice = stage.page.signpost.notice
    advice, *buttons = expected
    assert notice.text.endswith(advice)
    assert [each.text() for each in notice.findChildren(QPushButton) if each.text()] == buttons


def test_the_clock_is_that_of_the_wall_while_frames_are_lost(stage: Stage) -> None:
    stage.page.start()
    stage.beat()
    frame = 0
    for _ in range(75):  # as where a step takes two frames
        stage.beat(Skipped(frame, 1), Stepped(frame + 1, -60.0, -60.0, 160.0, 200.0))
        frame += 2
    stage.beat(Skipped(frame, 500, MICROPHONE))
    assert stage.page.scene.time == "0:52"
    assert stage.page.timeline.data.frames == 650
    assert stage.page.desk.record._time == "0:52"
    assert stage.page.drawer.readout.text("skipped") == "75", "the rest was not dropped to keep up"
    assert [(band.reason, band.skipped) for band in stage.page.timeline.data.bands] == [
        (LATE, 75), (MICROPHONE, 500)
    ]  # fmt: skip
    stage.beat(Spoke(650, 7, " hi"), Stepped(650, -60.0, -60.0, 31.0, 200.0))
    assert stage.page.timeline.data.labels[-1].frame == 650


def test_a_late_model_that_recovers_is_told_no_more(stage: Stage) -> None:
    stage.talk(0, 5, step_ms=97.0)
    stage.talk(5, 11, step_ms=31.0)
    assert not stage.page.signpost.notice.isVisible()


def test_a_notice_that_was_closed_stays_away(stage: Stage) -> None:
    stage.talk(0, 5, step_ms=97.0)
    stage.page.signpost.notice.clear()
    stage.talk(5, 8, step_ms=97.0)
    assert not stage.page.signpost.notice.isVisible()


def test_the_volume_ends_at_its_ends(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    for _ in range(3):
        qtbot.keyClick(stage.window, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert stage.sound.volume == 1.0
    qtbot.keyClick(stage.window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert stage.sound.volume == 0.95


def test_a_talk_that_breaks_off_says_why_and_offers_its_recording(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.beat(Failed("The talk broke off.", "The log holds the details."), Stopped(12, Path("x")))
    assert "broke off" in stage.page.signpost.notice.text
    assert [b for b in stage.page.findChildren(QPushButton) if b.isVisible() and b.text() == "Play it back"]


def test_after_the_talk_it_is_played_back(stage: Stage) -> None:
    stage.talk(0, 2)
    stage.stop()
    press(stage, "Play it back")
    assert stage.window.recordings.isVisible()


def test_after_the_talk_it_is_deleted_only_when_that_is_confirmed(stage: Stage, home: Path) -> None:
    (home / ".local/share").mkdir(parents=True)
    folder = stage.where.recordings / "talk"
    folder.mkdir(parents=True)
    (folder / "audio.wav").write_bytes(b"sound")
    stage.talk(0, 2)
    stage.stop()
    press(stage, "Delete")
    press(stage, "Keep it")
    assert folder.exists()
    with locks.take(folder, "talk", "aizuchi"):
        press(stage, "Delete")
        press(stage, "Move to trash")
    assert stage.page.signpost.notice.text.startswith("talk is in use")
    assert folder.exists()
    stage.page.signpost.delete(folder)
    assert not folder.exists()
    assert not stage.page.signpost.notice.isVisible()


def test_a_talk_that_was_not_recorded_says_so(stage: Stage) -> None:
    stage.talk(0, 1)
    stage.beat(Stopped(12, None))
    assert stage.page.signpost.notice.text == "The talk took 0:00 and was not recorded."


def test_a_line_leads_to_its_place_in_the_timeline(stage: Stage, qtbot: QtBot) -> None:
    stage.talk()
    stage.stop()
    words = stage.page.findChild(Words)
    assert words is not None
    words.verticalScrollBar().setValue(0)
    qtbot.mouseClick(words.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 24))
    timeline = stage.page.timeline
    assert not timeline.following
    assert timeline.first_frame <= 8 <= timeline.first_frame + timeline.frames_shown


def test_end_returns_to_now_from_anywhere_on_the_page(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 30)
    stage.page.timeline.show_frame(100)
    qtbot.keyClick(stage.window, Qt.Key.Key_End)
    assert stage.page.timeline.following


def test_the_model_is_held_while_a_talk_uses_it(stage: Stage) -> None:
    stage.talk(0, 1)
    assert not stage.page.bar._model.isEnabled()
    stage.stop()
    assert all(box.isEnabled() for box in stage.page.bar.findChildren(QComboBox))


def test_a_device_that_is_not_plugged_in_stays_chosen(stage: Stage) -> None:
    stage.window.use(Settings(model="moshika", microphone="usb/gone"))
    stage.page.set_devices(DEVICES)
    assert stage.page.bar._microphone.currentData() == "usb/gone"


def test_the_drawer_opens_and_closes_by_key(stage: Stage, qtbot: QtBot) -> None:
    qtbot.keyClick(stage.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert stage.page.drawer.isVisible()
    qtbot.keyClick(stage.window, Qt.Key.Key_Escape)
    assert not stage.page.drawer.isVisible()


def test_typing_into_a_box_does_not_mute_or_record(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    stage.page.toggle_drawer()
    box = stage.page.drawer._numbers["text_top_k"]._box
    box.setFocus()
    before = list(stage.session.asked)
    qtbot.keyClicks(box, "7")
    assert stage.session.asked == before


def controls(stage: Stage) -> list[QWidget]:
    kinds = (QAbstractButton, QComboBox, QSlider)
    return [w for kind in kinds for w in stage.page.findChildren(kind) if w.isVisibleTo(stage.page)]


def test_every_control_has_a_tooltip_a_name_and_takes_the_focus(stage: Stage) -> None:
    stage.page.toggle_drawer()
    stage.talk(0, 1)
    found = [w for w in controls(stage) if not w.objectName().startswith("qt_")]
    assert len(found) >= 10
    for widget in found:
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert name, widget
        assert widget.toolTip(), name
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, name


def test_the_focus_can_be_seen(stage: Stage, qtbot: QtBot) -> None:
    stage.talk(0, 1)
    for widget in (stage.page.desk.mute, stage.page.desk.record, stage.page.bar.drawer_button):
        stage.page.desk.start.setFocus()
        before = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        assert widget.grab().toImage() != before
