"""The timeline shows who spoke when, remembers long talks cheaply, and is moved by hand."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.engine.events import Skipped, Spoke, Stepped
from app.frames import DEVICE, FRAME_RATE, LATE, SILENCE_DB, STALLED, SUSPENDED
from app.store.recordings import Gap, Skip
from app.ui.shell.theme import scheme_colours
from app.ui.shell.wording import clock
from app.ui.timeview import timeline_data
from app.ui.timeview.axis import times_before_now, times_of_talk
from app.ui.timeview.tiles import TILE_PX
from app.ui.timeview.timeline import Timeline, TimelineData, paint_timeline
from app.ui.timeview.timeline_data import MAX_FRAMES, MODEL, USER
from app.ui.timeview.timeline_paint import arrange, place_words
from tests.ui import dialogue


def feed(data: TimelineData, last_s: float = dialogue.LENGTH_S) -> TimelineData:
    for event in dialogue.events(0, last_s):
        match event:
            case Stepped():
                data.append(event.heard_db, event.said_db)
            case Spoke(frame, _, text):
                data.word(frame, text)
            case Skipped(frame, frames):
                data.skip(frame, frames)
    return data


@pytest.fixture
def data() -> TimelineData:
    return feed(TimelineData())


@pytest.fixture
def timeline(data: TimelineData, qtbot: QtBot) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1000, 240)
    widget.set_data(data, live=True)
    widget.show()
    return widget


def drawn(data: TimelineData, first: float, frames: float, width: int, *, compact: bool = False) -> QImage:
    image = QImage(width, 200, QImage.Format.Format_RGB32)
    image.fill(scheme_colours(False).base)
    painter = QPainter(image)
    rect = QRectF(0, 0, width, 200)
    paint_timeline(painter, rect, data, first, frames, colours=scheme_colours(False), compact=compact)
    painter.end()
    return image


def pixels(image: QImage) -> np.ndarray:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, 2::-1].astype(int)


def test_levels_come_back_to_half_a_decibel(data: TimelineData) -> None:
    assert np.abs(data.levels(0, data.frames) - dialogue.levels()).max() <= 0.5


def test_a_live_talk_and_its_recording_look_the_same(data: TimelineData) -> None:
    words = [event for event in dialogue.spoken() if event.frame < data.frames]
    whole = TimelineData.from_levels(dialogue.levels(), words)
    assert np.array_equal(whole.activity(0, whole.frames), data.activity(0, data.frames))
    assert whole.labels == data.labels
    assert whole.backchannels == data.backchannels
    assert whole.interruptions == data.interruptions


def test_backchannels_and_interruptions_are_marked(data: TimelineData) -> None:
    backchannels = [span.first / FRAME_RATE for span in data.backchannels]
    assert backchannels == pytest.approx([3.9, 10.7, 19.2, 27.6, 35.0], abs=0.2)
    assert [span.first / FRAME_RATE for span in data.interruptions] == pytest.approx([8.5, 33.2], abs=0.2)


def test_pieces_of_a_word_become_one_word() -> None:
    data = TimelineData()
    for frame, piece in enumerate([" what", "'s", " go", "ing", " on", "?", "今日", "は", "。"]):
        data.append(-60, -20)
        data.word(frame, piece)
    assert [label.text for label in data.labels] == ["what's", "going", "on?", "今日", "は。"]


def test_six_hours_take_about_a_megabyte_and_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    six_hours = np.full((2, 270_000), -40.0, dtype=np.float32)
    data = TimelineData.from_levels(six_hours, [])
    assert data._levels.nbytes + data._active.nbytes < 1.2e6
    monkeypatch.setattr(timeline_data, "MAX_FRAMES", 2_048)
    data = TimelineData()
    for frame in range(5_000):
        data.append(-30 if frame % 2 else -60, -30)
        data.word(frame, " on")
    assert data.frames == 5_000
    assert 5_000 - 2_048 <= data.first < 5_000
    assert data.labels[0].frame >= data.first
    assert data.levels(4_999, 5_000)[USER, 0] == -30


def test_words_never_lie_upon_each_other(data: TimelineData, qapp: QApplication) -> None:
    metrics = QFontMetricsF(qapp.font())
    for scale in (0.8, 2.0, 3.6, 12.0):
        for rows in (1, 2, 3):
            placed = place_words(data, (0, data.frames), scale, rows, metrics)
            assert placed
            for row in range(rows):
                line = [word for word in placed if word.row == row]
                for one, other in pairwise(line):
                    assert one.x + metrics.horizontalAdvance(one.text) <= other.x + 0.01
    # Zoomed in, every word has its place.
    assert len(place_words(data, (0, data.frames), 12.0, 3, metrics)) == len(data.labels)


def test_words_are_left_out_where_they_would_be_noise(data: TimelineData, qapp: QApplication) -> None:
    assert place_words(data, (0, data.frames), 0.3, 3, QFontMetricsF(qapp.font())) == []


def test_stretches_that_meet_agree(data: TimelineData) -> None:
    """What is scrolled through looks like what is drawn at once."""
    frames = 120.0
    whole = pixels(drawn(data, 0, 3 * frames, 3 * TILE_PX))
    parts = [pixels(drawn(data, n * frames, frames, TILE_PX)) for n in range(3)]
    differing = (np.abs(whole - np.concatenate(parts, axis=1)).max(axis=2) > 40).mean()
    assert differing < 0.002


def test_overlap_shows_both_colours_and_silence_neither(data: TimelineData) -> None:
    image = pixels(drawn(data, 0, data.frames, 1_050, compact=True))
    lanes = arrange(200, 0, compact=True)
    active = data.activity(0, data.frames)
    both = np.flatnonzero(active[MODEL] & active[USER])
    at = int((both[len(both) // 2] + 0.5) * 2)
    band = image[
        int(lanes.overlap.top) + 2 : int(lanes.overlap.top + lanes.overlap.height) - 2, at - 6 : at + 6
    ]
    tones = scheme_colours(False)
    for colour in (tones.model, tones.user):
        wanted = np.array([colour.red(), colour.green(), colour.blue()])
        assert (np.abs(band - wanted).max(axis=2) < 40).any()
    nobody = int((np.flatnonzero(~active.any(axis=0))[2] + 0.5) * 2)
    assert (image[int(lanes.overlap.middle), nobody] > 240).all()


def test_japanese_words_are_drawn_with_real_glyphs(qapp: QApplication) -> None:
    """Two different characters look different, so neither is the box of a missing glyph."""
    pictures = []
    for text in ("雨", "空"):
        data = TimelineData()
        data.append(-60, -60)
        data.word(0, text)
        image = QImage(100, 150, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.setFont(QFont(qapp.font()))
        paint_timeline(painter, QRectF(0, 0, 100, 150), data, 0, 10, colours=scheme_colours(False))
        painter.end()
        pictures.append(pixels(image))
    assert (pictures[0] < 200).any()
    assert (pictures[0] != pictures[1]).any()


def test_lateness_is_one_quiet_band_with_a_count_and_no_alarm(timeline: Timeline) -> None:
    data = TimelineData()
    for _ in range(100):
        data.append(-60, -60)
    for _ in range(300):
        data.lose(1)
        data.starve(data.frames, 1)
        data.append(-60, -60)
    (band,) = data.bands
    assert (band.reason, band.frame, band.end) == (LATE, 100, 699)
    assert (band.skipped, band.starved, band.losses) == (300, 300, 600)
    image = pixels(drawn(data, 80, 40, 400))
    reddish = (image[:, :, 0] - image[:, :, 1] > 60) & (image[:, :, 0] - image[:, :, 2] > 60)
    assert not reddish.any()
    middle = image[int(arrange(200, 14).model.middle) + 20]
    assert (middle[100] == 255).all()
    assert (middle[300] < 245).all()
    timeline.set_data(data)
    assert timeline._describe(400) == "0:32 · late 600 times: 24.0 s skipped, 24.0 s of silence played"


def test_what_was_lost_for_another_reason_is_a_band_of_its_own(timeline: Timeline) -> None:
    data = TimelineData()
    data.append(-20, -60)
    for frames, reason in ((6, STALLED), (6, STALLED), (10, SUSPENDED)):
        data.lose(frames, reason)
    data.append(-20, -60)
    assert [(band.reason, band.frame, band.end) for band in data.bands] == [
        (STALLED, 1, 13), (SUSPENDED, 13, 23)
    ]  # fmt: skip
    assert data.frames == 24
    assert np.flatnonzero(data.activity(0, 24)[USER]).tolist() == [0, 23]
    assert (data.levels(1, 23) == SILENCE_DB).all()
    timeline.set_data(data)
    assert timeline._describe(5) == "0:00 · 1.0 s lost: the sound server stalled"


def test_a_live_talk_with_losses_and_its_recording_look_the_same() -> None:
    live, levels = TimelineData(), np.full((2, 200), SILENCE_DB, dtype=np.float32)
    gaps, starved = [Gap(20, 3, LATE), Gap(40, 60, DEVICE), Gap(150, 1, LATE)], [Skip(23, 3), Skip(151, 1)]
    lost = {frame for gap in gaps for frame in range(gap.frame, gap.frame + gap.frames)}
    for frame in range(200):
        for gap in (gap for gap in gaps if gap.frame == frame):
            live.lose(gap.frames, gap.reason)
        if frame in lost:
            continue
        levels[:, frame] = -20 - frame % 7
        live.append(float(levels[1, frame]), float(levels[0, frame]))
        for silence in (silence for silence in starved if silence.frame == frame):
            live.starve(*silence)
    recorded = TimelineData.from_levels(levels, [], gaps, starved)
    assert live.bands == recorded.bands
    np.testing.assert_array_equal(live.activity(0, 200), recorded.activity(0, 200))
    np.testing.assert_array_equal(live.levels(0, 200), recorded.levels(0, 200))


def test_a_night_of_sleep_takes_no_more_room_than_twelve_hours() -> None:
    data = TimelineData()
    data.append(-20, -20)
    data.lose(2 * MAX_FRAMES, SUSPENDED)
    data.append(-20, -20)
    assert data.frames == 2 * MAX_FRAMES + 2
    assert data._levels.shape[1] <= MAX_FRAMES
    assert data.activity(data.frames - 2, data.frames)[USER].tolist() == [False, True]


def test_the_lane_is_called_by_the_models_name(timeline: Timeline) -> None:
    assert timeline._lane_names()[0] == "Model"
    timeline.set_data(timeline.data, model="J-Moshi-ext")
    assert timeline._lane_names()[0] == "J-Moshi-ext"
    gutter = timeline._gutter()
    timeline.set_data(timeline.data, model="a-model-with-a-name-that-is-longer-than-any-lane-may-be-wide")
    assert gutter < timeline._gutter() <= 160


def test_the_view_follows_evenly(timeline: Timeline, data: TimelineData) -> None:
    seen = []
    for event in dialogue.events(0, 4):
        if isinstance(event, Stepped):
            data.append(event.heard_db, event.said_db)
        for _ in range(2):
            timeline.advance(40.0)
            seen.append(timeline.first_frame + timeline.frames_shown)
    steps = np.diff(seen[10:])
    assert steps.min() >= 0
    assert steps.max() < 0.8
    assert seen[-1] == pytest.approx(data.frames, abs=1.5)


def test_a_drag_goes_back_while_the_talk_goes_on_and_end_returns(timeline: Timeline, qtbot: QtBot) -> None:
    start = QPoint(500, 100)
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        qtbot.mouseMove(timeline, start + QPoint(40 * step, 0))
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=start + QPoint(200, 0))
    assert not timeline.following
    before = timeline.first_frame
    timeline.data.append(-60, -60)
    timeline.advance(33)
    assert timeline.first_frame == before
    assert timeline._now.isVisible()
    qtbot.keyClick(timeline, Qt.Key.Key_End)
    assert timeline.following
    assert not timeline._now.isVisible()
    assert timeline.first_frame + timeline.frames_shown == timeline.data.frames


def test_a_click_tells_its_frame_and_a_drag_does_not(timeline: Timeline, qtbot: QtBot) -> None:
    timeline.show_frame(200)
    x = int(timeline._area.left() + (150.5 - timeline.first_frame) * timeline._scale)
    with qtbot.waitSignal(timeline.frame_clicked) as told:
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(x, 90))
    assert told.args == [150]


def wheel(timeline: Timeline, notches: int, x: float) -> None:
    spot = QPointF(x, 100)
    QApplication.sendEvent(
        timeline,
        QWheelEvent(
            spot, timeline.mapToGlobal(spot), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        ),
    )  # fmt: skip


def test_the_wheel_zooms_from_five_seconds_to_the_whole_talk(timeline: Timeline) -> None:
    wheel(timeline, 40, 500)
    assert timeline.frames_shown == 5 * FRAME_RATE
    wheel(timeline, -80, 500)
    assert timeline.frames_shown == timeline.data.frames


def test_zooming_keeps_what_is_under_the_pointer(timeline: Timeline) -> None:
    timeline.show_frame(250)
    before = timeline.frame_at(400)
    wheel(timeline, 3, 400)
    assert timeline.frame_at(400) == pytest.approx(before, abs=0.5)


def test_a_short_talk_fills_the_view_when_it_is_over(qtbot: QtBot) -> None:
    widget = Timeline(feed(TimelineData(), 8.0))
    qtbot.addWidget(widget)
    widget.set_live(True)
    widget.set_live(False)
    assert (widget.first_frame, widget.frames_shown) == (0, 100)


def test_the_play_cursor_stays_in_view(timeline: Timeline) -> None:
    timeline.set_data(timeline.data)
    wheel(timeline, 20, 100)
    for frame in range(0, timeline.data.frames, 10):
        timeline.set_cursor(frame)
        assert timeline.first_frame <= frame <= timeline.first_frame + timeline.frames_shown


def test_what_happens_to_a_talk_is_told_where_it_happened(timeline: Timeline) -> None:
    timeline.data.note("muted")
    frame = timeline.data.frames
    before = pixels(drawn(timeline.data, frame - 50, 100, 400))
    for _ in range(20):
        timeline.data.append(-60, -78)
    after = pixels(drawn(timeline.data, frame - 50, 100, 400))
    changed = np.abs(after - before).sum(axis=(0, 2))
    assert changed[195:205].argmax() in range(3, 7)
    assert timeline._describe(frame).endswith("muted")
    assert "muted" not in timeline._describe(frame + 10)


def test_a_view_that_was_dragged_away_from_the_play_cursor_stays(timeline: Timeline) -> None:
    timeline.set_data(timeline.data)
    timeline.zoom_to(10 * FRAME_RATE)
    timeline.set_cursor(20)
    timeline.show_frame(300)
    first = timeline.first_frame
    for frame in range(21, 60):
        timeline.set_cursor(frame)
    assert timeline.first_frame == first
    timeline.set_cursor(100)
    assert timeline.first_frame < 100 < timeline.first_frame + timeline.frames_shown


def test_zooming_to_a_length_shows_the_play_cursor(timeline: Timeline) -> None:
    timeline.set_data(timeline.data)
    for cursor, frames, shown in ((0, 125, 125), (400, 125, 125), (400, 10_000, timeline.data.frames)):
        timeline.set_cursor(cursor)
        timeline.zoom_to(frames)
        assert timeline.frames_shown == shown
        assert timeline.first_frame <= cursor <= timeline.first_frame + shown


def test_what_is_under_the_pointer_is_told(timeline: Timeline) -> None:
    assert timeline._describe(49) == "0:03 · backchannel, 0.4 s"
    assert "skipped" in timeline._describe(298)
    assert timeline._describe(-3) == ""


def test_a_repaint_costs_little(timeline: Timeline, qtbot: QtBot) -> None:
    """Scrolling moves pixels: well under a millisecond on an idle machine, with room for a busy one."""
    qtbot.waitExposed(timeline)
    qtbot.waitUntil(lambda: bool(timeline._tiles._tiles))
    costs_ms = []
    for _ in range(100):
        timeline._right -= 0.3
        began = time.perf_counter()
        timeline.repaint()
        costs_ms.append(1000 * (time.perf_counter() - began))
    assert np.median(costs_ms) < 5.0


@pytest.mark.parametrize(("time_s", "text"), [(7, "0:07"), (754, "12:34"), (3_723, "1:02:03")])
def test_times_read_as_people_read_them(time_s: float, text: str) -> None:
    assert clock(time_s) == text


def test_the_time_axis_counts_the_talk_or_back_from_now() -> None:
    labels = [(50.0, "0:10"), (175.0, "0:15"), (300.0, "0:20"), (425.0, "0:25"), (550.0, "0:30")]
    assert times_of_talk(100.0, 400.0, 2.0) == labels
    assert times_before_now(600.0, 4.0) == [(0.0, "now"), (-250.0, "-5 s"), (-500.0, "-10 s")]
