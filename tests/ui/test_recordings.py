"""The Recordings page finds, plays, exports and deletes real recordings, and a damaged one breaks nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import soundfile
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app import paths
from app.audio.rig import Rig
from app.engine.events import Stopped
from app.paths import Paths
from app.store import locks
from app.store.recordings import list_recordings
from app.ui.recordings.gallery import GLIMPSE, RECORDING
from app.ui.recordings.page import CardList, RecordingsPage
from app.ui.recordings.replay import Replay
from app.ui.timeview.overview import Overview
from app.ui.timeview.timeline import Timeline
from app.ui.widgets.figures import Figures
from app.ui.widgets.player import Player
from app.ui.widgets.transcript import Transcript
from tests import damaged
from tests.ui import dialogue
from tests.ui.recorded import record_dialogue

NOW = datetime(2026, 11, 20, 12, 0)


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths.paths(tmp_path / "aizuchi")


@pytest.fixture
def talks(where: Paths) -> list[Path]:
    """Return three recordings, newest first: English, Japanese, and one that can not be read."""
    english = record_dialogue(where.recordings, started=NOW, span_s=(0, 21))
    japanese = record_dialogue(
        where.recordings, model="j-moshi", language="ja", started=NOW - timedelta(days=1), span_s=(26, 36)
    )
    broken = record_dialogue(where.recordings, started=NOW - timedelta(days=2), span_s=(0, 5))
    (broken / "audio.flac").write_bytes(b"damaged")
    return [english, japanese, broken]


@pytest.fixture
def page(where: Paths, qtbot: QtBot) -> Iterator[RecordingsPage]:
    page = RecordingsPage(where)
    qtbot.addWidget(page)
    page.resize(1000, 650)
    yield page
    page.shut()


def cards(page: RecordingsPage) -> CardList:
    return page.findChildren(CardList)[0]


def shown(page: RecordingsPage) -> list[Path]:
    model = cards(page).model()
    return [model.index(row, 0).data(RECORDING).folder for row in range(model.rowCount())]


def show(page: RecordingsPage, qtbot: QtBot, count: int) -> None:
    page.show()
    qtbot.waitUntil(lambda: len(shown(page)) == count)


def click_card(page: RecordingsPage, row: int) -> None:
    area = cards(page).visualRect(cards(page).model().index(row, 0))
    QTest.mouseClick(cards(page).viewport(), Qt.MouseButton.LeftButton, pos=area.center())


def open_first(page: RecordingsPage, qtbot: QtBot, count: int = 3) -> Replay:
    show(page, qtbot, count)
    click_card(page, 0)
    (replay,) = page.findChildren(Replay)
    qtbot.waitUntil(lambda: replay.findChildren(Timeline)[0].data.frames > 0)
    return replay


def button(page: Replay | QMessageBox, text: str) -> QPushButton:
    return next(found for found in page.findChildren(QPushButton) if found.text().startswith(text))


def test_talks_are_listed_newest_first(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    show(page, qtbot, 3)
    assert shown(page) == talks


def test_a_card_reads_out_what_it_shows(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    show(page, qtbot, 3)
    model = cards(page).model()
    spoken = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(3)]
    assert "Moshika · 21 s · English" in spoken[0]
    assert "J-Moshi · 10 s · Japanese" in spoken[1]
    assert "can not be read" in spoken[2]


def test_a_card_shows_the_picture_of_its_talk(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    show(page, qtbot, 3)
    model = cards(page).model()
    qtbot.waitUntil(lambda: model.index(0, 0).data(GLIMPSE) is not None)
    picture = cards(page).grab(cards(page).visualRect(model.index(0, 0))).toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(0, 112, 3)}
    assert {"#e69f00", "#0072b2"} <= seen


def test_the_search_looks_at_the_words(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    show(page, qtbot, 3)
    qtbot.keyClicks(page._search, "LANTERNS")
    qtbot.waitUntil(lambda: shown(page) == talks[:1])
    page._search.setText("京都")
    qtbot.waitUntil(lambda: shown(page) == talks[1:2])
    page._search.setText("nobody says this")
    qtbot.waitUntil(lambda: any("nobody says this" in label.text() for label in page.findChildren(QLabel)))
    # The user's words are not known, so nothing is said about what nobody said.
    said = " ".join(label.text() for label in page._empty.findChildren(QLabel))
    assert "the model's words" in said
    assert "Your words are not known" in said
    assert "the model's words" in page._search.placeholderText()
    page._search.clear()
    qtbot.waitUntil(lambda: shown(page) == talks)


def test_without_talks_the_page_says_how_to_begin(page: RecordingsPage, qtbot: QtBot) -> None:
    page.show()
    qtbot.waitUntil(lambda: any(label.text() == "No talks yet" for label in page.findChildren(QLabel)))
    assert not page._search.isVisible()


def test_a_talk_that_ends_appears(page: RecordingsPage, where: Paths, qtbot: QtBot) -> None:
    show(page, qtbot, 0)
    folder = record_dialogue(where.recordings, span_s=(0, 3))
    page.on_event(Stopped(37, folder))
    qtbot.waitUntil(lambda: shown(page) == [folder])


def test_hundreds_of_talks_open_at_once(page: RecordingsPage, where: Paths, qtbot: QtBot) -> None:
    one = record_dialogue(where.recordings, span_s=(0, 2))
    for number in range(299):
        copy = where.recordings / f"2026-01-01_00-00-00-copy-{number:03}"
        copy.mkdir()
        for file in one.iterdir():
            (copy / file.name).hardlink_to(file)
    began = time.monotonic()
    page.show()
    blocked = 0.0
    while len(shown(page)) < 300:
        at = time.monotonic()
        QApplication.processEvents()
        blocked = max(blocked, time.monotonic() - at)
        time.sleep(0.002)
    qtbot.waitUntil(lambda: cards(page).model().index(0, 0).data(GLIMPSE) is not None)
    assert time.monotonic() - began < 3.0
    assert blocked < 0.15
    assert len(page._gallery._glimpses) < 30, "only what is seen is read"


def test_an_opened_talk_shows_words_and_figures(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot
) -> None:
    replay = open_first(page, qtbot)
    assert "lanterns over the river" in replay.findChildren(Transcript)[0].toPlainText()
    assert "you, 3." in replay.findChildren(Transcript)[0].toPlainText()
    numbers = [label.text() for label in replay.findChildren(Figures)[0]._values]
    assert all(numbers) and any(number != "0.0" for number in numbers)


def test_a_long_talk_opens_where_its_words_can_be_read(
    page: RecordingsPage, where: Paths, qtbot: QtBot
) -> None:
    record_dialogue(where.recordings, started=NOW, span_s=(0, 21), times=4)
    replay = open_first(page, qtbot, count=1)
    (timeline,) = replay.findChildren(Timeline)
    assert timeline.frames_shown == pytest.approx(30 * 12.5)
    assert timeline.first_frame == 0
    replay.go_to(60 * 12.5)
    assert timeline.first_frame < 60 * 12.5 < timeline.first_frame + timeline.frames_shown


def test_a_damaged_talk_opens_with_a_sentence(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    show(page, qtbot, 3)
    click_card(page, 2)
    (replay,) = page.findChildren(Replay)
    qtbot.waitUntil(lambda: "Hi, what's going on?" in replay.findChildren(Transcript)[0].toPlainText())
    assert any(
        "can not be read" in label.text() for label in replay.findChildren(QLabel) if label.isVisible()
    )
    assert not replay.findChildren(Timeline)[0].isVisible()


def test_a_folder_without_a_recording_is_told(page: RecordingsPage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.trouble) as told:
        page.open_recording(tmp_path)
    assert str(tmp_path) in told.args[0]


def test_clicks_move_the_play_head(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    replay = open_first(page, qtbot)
    (player,) = replay.findChildren(Player)
    (transcript,) = replay.findChildren(Transcript)
    line = transcript.document().find("lanterns")
    QTest.mouseClick(
        transcript.viewport(), Qt.MouseButton.LeftButton, pos=transcript.cursorRect(line).center()
    )
    assert player.frame == pytest.approx(13.0 * 12.5, abs=2)
    (strip,) = replay.findChildren(Overview)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(strip.width() // 2, 20))
    assert player.frame == pytest.approx(10.5 * 12.5, abs=3)
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert player.frame == pytest.approx(11.5 * 12.5, abs=3)


def test_a_drag_marks_a_stretch_for_the_loop(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    replay = open_first(page, qtbot)
    (strip,) = replay.findChildren(Overview)
    loop = button(replay, "Loop")
    assert not loop.isEnabled()
    drag(strip, 0.25, 0.75)
    assert loop.isChecked()
    first, last = replay._stretch or (0.0, 0.0)
    assert (first / 12.5, last / 12.5) == pytest.approx((5.25, 15.75), abs=0.3)
    assert replay.findChildren(Player)[0].frame == first
    QTest.keyClick(replay, Qt.Key.Key_L)
    assert replay._stretch is None
    assert not loop.isEnabled()


def drag(strip: Overview, first: float, last: float) -> None:
    points = [QPoint(int(strip.width() * share), 20) for share in (first, (first + last) / 2, last)]
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(strip, point)
        # Where no screen is, the platform does not send moves with a pressed button.
        strip.mouseMoveEvent(_move(strip, point))
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=points[-1])


def _move(strip: Overview, point: QPoint) -> object:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    return QMouseEvent(
        QEvent.Type.MouseMove, QPointF(point), QPointF(strip.mapToGlobal(point)), left, left, none
    )


def test_export_writes_sound_and_text(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot, tmp_path: Path
) -> None:
    replay = open_first(page, qtbot)
    replay.export_to(tmp_path / "out")
    qtbot.waitUntil(lambda: any(label.text().startswith("Exported") for label in replay.findChildren(QLabel)))
    wav, text = sorted((tmp_path / "out").iterdir(), key=lambda file: file.suffix, reverse=True)
    assert soundfile.info(wav).duration == pytest.approx(21, abs=0.1)
    assert "lanterns" in text.read_text(encoding="utf-8")


def test_an_export_that_fails_is_told(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot, tmp_path: Path
) -> None:
    replay = open_first(page, qtbot)
    (tmp_path / "file").write_text("in the way")
    with qtbot.waitSignal(page.trouble) as told:
        replay.export_to(tmp_path / "file")
    assert "could not be exported" in told.args[0]


def test_deleting_asks_once_and_moves_to_the_trash(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot, home: Path
) -> None:
    replay = open_first(page, qtbot)
    QTest.keyClick(replay, Qt.Key.Key_Delete)
    (question,) = replay.findChildren(QMessageBox)
    assert talks[0].exists()
    button(question, "Move to trash").click()
    assert not talks[0].exists()
    assert shown(page) == talks[1:]
    assert list((home / ".local/share/Trash/files").iterdir())


@pytest.mark.parametrize("how", [*damaged.IN_PLACE, "deep", "bytes"])
@pytest.mark.parametrize("name", ["session.json", "audio.flac", "events.jsonl"])
def test_a_damaged_talk_is_seen_opened_and_deleted(
    page: RecordingsPage, where: Paths, name: str, how: str, qtbot: QtBot
) -> None:
    whole = record_dialogue(where.recordings, started=NOW, span_s=(0, 5))
    broken = record_dialogue(where.recordings, started=NOW - timedelta(days=2), span_s=(0, 5))
    damaged.damage(broken / name, how)
    show(page, qtbot, 2)
    assert set(shown(page)) == {whole, broken}
    row = shown(page).index(broken)
    model = cards(page).model()
    told = "can not be read" if name == "audio.flac" else "damaged"
    # What stands in a line of events is passed over.
    is_read = name == "events.jsonl" and how not in damaged.IN_PLACE
    assert (told in model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)) is not is_read
    page.search("nobody says this")
    qtbot.waitUntil(lambda: shown(page) == [])
    page.search("")
    qtbot.waitUntil(lambda: len(shown(page)) == 2)
    click_card(page, row)
    (replay,) = page.findChildren(Replay)
    qtbot.waitUntil(lambda: not replay._aside.busy)
    QTest.keyClick(replay, Qt.Key.Key_Delete)
    (question,) = replay.findChildren(QMessageBox)
    button(question, "Move to trash").click()
    qtbot.waitUntil(lambda: shown(page) == [whole])
    assert not broken.exists()


def test_what_is_not_to_be_deleted_stays(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    replay = open_first(page, qtbot)
    QTest.keyClick(replay, Qt.Key.Key_Delete)
    (question,) = replay.findChildren(QMessageBox)
    button(question, "Keep it").click()
    assert talks[0].exists()


def test_a_talk_that_is_still_recorded_is_not_deleted(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot
) -> None:
    replay = open_first(page, qtbot)
    with locks.take(talks[0], "talk", "aizuchi"), qtbot.waitSignal(page.trouble) as told:
        replay.delete()
    assert "is in use" in told.args[0]
    assert talks[0].exists()


def test_a_talk_that_is_gone_already_is_told(page: RecordingsPage, talks: list[Path], qtbot: QtBot) -> None:
    replay = open_first(page, qtbot)
    talks[0].rename(talks[0].with_name("elsewhere"))
    with qtbot.waitSignal(page.trouble) as told:
        replay.delete()
    assert "trash" in told.args[0]


def test_everything_can_be_reached_by_key_and_name(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot
) -> None:
    replay = open_first(page, qtbot)
    for control in replay.findChildren(QPushButton):
        assert control.toolTip() and (control.accessibleName() or control.text())
    QTest.keyClick(replay, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: cards(page).isVisible())
    cards(page).setCurrentIndex(cards(page).model().index(1, 0))
    QTest.keyClick(cards(page), Qt.Key.Key_Return)
    assert replay.isVisible()


def test_a_talk_is_heard_and_the_cursor_moves(
    page: RecordingsPage, talks: list[Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Rig() as rig:
        for name, value in rig.env.items():
            monkeypatch.setenv(name, value)
        replay = open_first(page, qtbot)
        (player,) = replay.findChildren(Player)
        player.seek(100.0)
        QTest.keyClick(replay, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: player.frame > 106.0, timeout=8_000)
        assert replay.findChildren(Timeline)[0]._cursor == int(player.frame)
        assert button(replay, "Pause").isVisible()
        QTest.keyClick(replay, Qt.Key.Key_Space)
        assert not player.playing
        page.shut()


def test_the_made_up_talk_is_recorded_whole(talks: list[Path], where: Paths) -> None:
    (english, *_) = list_recordings(where.recordings)
    assert english.levels().shape[1] == int(21 * 12.5)
    assert [word.frame for word in english.words()] == [
        word.frame for word in dialogue.spoken() if word.frame < int(21 * 12.5)
    ]
