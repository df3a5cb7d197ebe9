"""Words are corrected beside their sound: by pointer and by key, undone, saved, never beyond what can be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.audio.rig import Rig
from app.datasets import Dataset, TimedWord, read_words, write_words
from app.errors import UserError
from app.frames import SAMPLE_RATE
from app.ui import theme
from app.ui.editor.field import WordField
from app.ui.editor.page import WordEditor
from app.ui.editor.peaks import Peaks, open_peaks, read_fine, read_piece
from app.ui.editor.waveform import Waveform
from app.ui.editor.words import SHORTEST_S, WordList, exact_clock
from tests.ui.checked import make_dataset, words

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
LEFT = Qt.MouseButton.LeftButton
FIRST = words()[0]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "kyoto", 2, spoken=True)


@pytest.fixture
def editor(dataset: Dataset, qtbot: QtBot) -> Iterator[WordEditor]:
    editor = WordEditor()
    qtbot.addWidget(editor)
    editor.resize(1180, 640)
    editor.open(dataset, "talk-01")
    editor.show()
    editor.activateWindow()
    qtbot.waitUntil(lambda: editor.is_read and editor.isActiveWindow())
    editor.take_focus()
    yield editor
    editor.shut()


def place(editor: WordEditor, time_s: float, speaker: str = "A") -> QPoint:
    """Return where a time of a voice is in the sound."""
    sound = editor.sound
    lane = sound.lanes[0 if speaker == "A" else 1]
    return QPoint(round(sound.view.x(time_s)), round(lane.sound.middle))


def click(editor: WordEditor, time_s: float, speaker: str = "A") -> None:
    QTest.mouseClick(editor.sound, LEFT, pos=place(editor, time_s, speaker))


def drag(editor: WordEditor, start: QPoint, end: QPoint) -> None:
    sound = editor.sound
    QTest.mousePress(sound, LEFT, pos=start)
    for share in (0.3, 0.6, 1.0):
        step = start + (end - start) * share
        QTest.mouseMove(sound, step)
        QApplication.processEvents()
    QTest.mouseRelease(sound, LEFT, pos=end)


def press(editor: WordEditor, key: Qt.Key, modifiers: Qt.KeyboardModifier | None = None) -> None:
    QTest.keyClick(editor.sound, key, modifiers or Qt.KeyboardModifier.NoModifier)


def chosen(editor: WordEditor) -> TimedWord:
    key = editor.sound.chosen_key
    assert key is not None
    return editor.words.word(key)


def on_disk(dataset: Dataset, dialogue: str = "talk-01") -> list[TimedWord]:
    return read_words(dataset.text(dialogue))


def button(editor: WordEditor, text: str) -> QPushButton:
    return next(found for found in editor.findChildren(QPushButton) if found.text().startswith(text))


# The pointer.


def test_a_click_on_a_word_chooses_it_in_both_places(editor: WordEditor) -> None:
    click(editor, (FIRST.start_s + FIRST.end_s) / 2)
    assert chosen(editor) == FIRST
    assert editor.table.currentIndex().row() == 0
    assert editor.sound.cursor_s == pytest.approx(FIRST.start_s)
    assert "Hi," in editor.sound.accessibleDescription()


def test_a_row_of_the_table_chooses_the_word_in_the_sound(editor: WordEditor) -> None:
    index = editor.words.index(20, 2)
    editor.table.scrollTo(index)
    QTest.mouseClick(editor.table.viewport(), LEFT, pos=editor.table.visualRect(index).center())
    assert chosen(editor) == editor.words.words[20]
    view = editor.sound.view
    assert view.first_s <= chosen(editor).start_s <= view.last_s


def test_an_edge_is_dragged(editor: WordEditor) -> None:
    drag(editor, place(editor, FIRST.start_s), place(editor, FIRST.start_s - 0.2))
    moved = editor.words.words[0]
    assert moved.start_s == pytest.approx(FIRST.start_s - 0.2, abs=0.01)
    assert moved.end_s == FIRST.end_s
    drag(editor, place(editor, FIRST.end_s - 0.005), place(editor, FIRST.end_s + 0.1))
    assert editor.words.words[0].end_s == pytest.approx(FIRST.end_s + 0.1, abs=0.02)


def test_an_edge_never_passes_the_other_one_or_the_sound(editor: WordEditor) -> None:
    drag(editor, place(editor, FIRST.start_s), place(editor, FIRST.end_s + 2))
    squeezed = editor.words.words[0]
    assert squeezed.end_s - squeezed.start_s == pytest.approx(SHORTEST_S, abs=1e-6)
    press(editor, Qt.Key.Key_Z, CONTROL)
    drag(editor, place(editor, FIRST.start_s), QPoint(2, place(editor, 0).y()))
    assert editor.words.words[0].start_s == 0.0


def test_a_word_is_dragged_as_a_whole_and_stays_within_the_sound(editor: WordEditor) -> None:
    middle = (FIRST.start_s + FIRST.end_s) / 2
    length_s = FIRST.end_s - FIRST.start_s
    drag(editor, place(editor, middle), place(editor, middle - 0.3))
    moved = editor.words.words[0]
    assert moved.start_s == pytest.approx(FIRST.start_s - 0.3, abs=0.01)
    drag(editor, place(editor, moved.start_s + length_s / 2), QPoint(2, place(editor, 0).y()))
    assert editor.words.words[0].start_s == 0.0
    assert editor.words.words[0].end_s == pytest.approx(length_s, abs=0.002)


def test_the_ground_is_dragged_and_clicked(editor: WordEditor) -> None:
    first_s = editor.sound.view.first_s
    drag(editor, place(editor, 3.0), place(editor, 1.0))
    assert editor.sound.view.first_s == pytest.approx(first_s + 2.0, abs=0.1)
    assert editor.words.words == words()
    click(editor, 3.2)
    assert editor.sound.chosen_key is None
    assert editor.sound.cursor_s == pytest.approx(3.2, abs=0.01)


def test_the_wheel_zooms_where_the_pointer_is(editor: WordEditor) -> None:
    spot = place(editor, 2.0)

    def turn(clicks: int) -> None:
        event = QWheelEvent(
            QPointF(spot), QPointF(editor.sound.mapToGlobal(spot)), QPoint(), QPoint(0, 120 * clicks),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(editor.sound, event)

    turn(4)
    assert editor.sound.view.shown_s < 2.5
    assert editor.sound.view.time_s(spot.x()) == pytest.approx(2.0, abs=0.02)
    for _ in range(60):
        turn(1)
    assert editor.sound.view.shown_s == pytest.approx(0.25)
    for _ in range(60):
        turn(-1)
    assert editor.sound.view.shown_s == pytest.approx(42.0)


def test_a_double_click_writes(editor: WordEditor) -> None:
    QTest.mouseDClick(editor.sound, LEFT, pos=place(editor, (FIRST.start_s + FIRST.end_s) / 2))
    (field,) = editor.sound.findChildren(WordField)
    assert field.isVisible() and field.text() == "Hi,"
    QTest.keyClicks(field, "Hello there,")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert editor.words.words[0].text == "Hello there,"
    assert editor.sound.hasFocus()


# The keys.


def test_tab_goes_from_word_to_word_and_leaves_behind_the_last(editor: WordEditor) -> None:
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Tab)
    assert chosen(editor) == words()[1]
    QTest.keyClick(editor.sound, Qt.Key.Key_Backtab, SHIFT)
    assert chosen(editor) == words()[0]
    editor.sound.choose(editor.words.key(len(words()) - 1))
    press(editor, Qt.Key.Key_Tab)
    assert not editor.sound.hasFocus()


def test_times_are_moved_by_key_and_such_steps_are_undone_together(editor: WordEditor) -> None:
    press(editor, Qt.Key.Key_Tab)
    for _ in range(3):
        press(editor, Qt.Key.Key_Right, ALT)
    press(editor, Qt.Key.Key_Left, ALT | SHIFT)
    assert chosen(editor).start_s == pytest.approx(FIRST.start_s + 0.03)
    assert chosen(editor).end_s == pytest.approx(FIRST.end_s - 0.01)
    press(editor, Qt.Key.Key_Z, CONTROL)
    assert editor.words.words == words()
    press(editor, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert editor.words.words[0].start_s == pytest.approx(FIRST.start_s + 0.03)
    for _ in range(200):
        press(editor, Qt.Key.Key_Left, ALT)
    assert editor.words.words[0].start_s == 0.0


def test_a_word_is_added_deleted_and_given_to_the_other_voice(editor: WordEditor) -> None:
    click(editor, 1.0, "B")
    press(editor, Qt.Key.Key_Insert)
    (field,) = editor.sound.findChildren(WordField)
    QTest.keyClicks(field, "oh m")
    QTest.keyClick(field, Qt.Key.Key_Return)
    added = chosen(editor)
    assert (added.speaker, added.text) == ("B", "oh m")
    assert added.start_s == pytest.approx(1.0, abs=0.01)
    assert added.end_s - added.start_s == pytest.approx(0.3, abs=0.01)
    press(editor, Qt.Key.Key_M)
    assert chosen(editor) == added._replace(speaker="A")
    press(editor, Qt.Key.Key_Delete)
    assert editor.words.words == words()
    assert editor.sound.chosen_key is not None
    for _ in range(2):
        press(editor, Qt.Key.Key_Z, CONTROL)
    assert added in editor.words.words
    press(editor, Qt.Key.Key_Z, CONTROL)
    assert editor.words.words == words()


def test_a_new_word_ends_where_the_next_one_begins_and_none_is_empty(editor: WordEditor) -> None:
    click(editor, FIRST.start_s - 0.1)
    press(editor, Qt.Key.Key_Insert)
    (field,) = editor.sound.findChildren(WordField)
    QTest.keyClicks(field, "  ")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert editor.words.words == words()
    press(editor, Qt.Key.Key_Insert)
    QTest.keyClicks(field, "so")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert chosen(editor).end_s == FIRST.start_s


def test_tab_while_writing_goes_on_with_the_next_word(editor: WordEditor) -> None:
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_F2)
    (field,) = editor.sound.findChildren(WordField)
    QTest.keyClicks(field, "Hey,")
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert field.isVisible() and field.text() == words()[1].text
    QTest.keyClicks(field, "never")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert [word.text for word in editor.words.words[:2]] == ["Hey,", words()[1].text]


def test_a_word_is_written_in_the_table(editor: WordEditor, qtbot: QtBot) -> None:
    editor.table.setFocus()
    editor.table.setCurrentIndex(editor.words.index(1, 2))
    QTest.keyClick(editor.table, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: bool(editor.table.viewport().findChildren(QLineEdit)))
    (line,) = editor.table.viewport().findChildren(QLineEdit)
    QTest.keyClicks(line, "is m")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: editor.words.words[1].text == "is m")
    QTest.keyClick(editor.table, Qt.Key.Key_M)
    assert editor.words.words[1].speaker == "B"


def test_up_and_down_change_the_voice_and_arrows_move_the_play_head(editor: WordEditor) -> None:
    press(editor, Qt.Key.Key_Down)
    assert chosen(editor).speaker == "B"
    press(editor, Qt.Key.Key_Up)
    assert chosen(editor).speaker == "A"
    at_s = editor.sound.cursor_s
    press(editor, Qt.Key.Key_Right)
    assert editor.sound.cursor_s > at_s
    press(editor, Qt.Key.Key_End)
    assert editor.sound.cursor_s == pytest.approx(42.0)
    assert editor.sound.view.last_s == pytest.approx(42.0)
    press(editor, Qt.Key.Key_Home)
    assert editor.sound.view.first_s == 0.0
    shown_s = editor.sound.view.shown_s
    press(editor, Qt.Key.Key_Plus)
    assert editor.sound.view.shown_s < shown_s


# Saving.


def test_changes_are_saved_by_themselves_and_so_is_undoing(
    editor: WordEditor, dataset: Dataset, qtbot: QtBot
) -> None:
    press(editor, Qt.Key.Key_Tab)
    with qtbot.waitSignal(editor.saved, timeout=5_000):
        press(editor, Qt.Key.Key_Delete)
    assert on_disk(dataset) == words()[1:]
    with qtbot.waitSignal(editor.saved, timeout=5_000):
        press(editor, Qt.Key.Key_Z, CONTROL)
    assert on_disk(dataset) == words()


def test_leaving_saves_at_once(editor: WordEditor, dataset: Dataset, qtbot: QtBot) -> None:
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    with qtbot.waitSignal(editor.closed):
        press(editor, Qt.Key.Key_Escape)
    assert on_disk(dataset) == words()[1:]
    editor.open(dataset, "talk-02")
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    press(editor, Qt.Key.Key_S, CONTROL)
    assert on_disk(dataset, "talk-02")[0] == words()[1]
    assert on_disk(dataset) == words()[1:]


def test_correcting_the_model_sets_its_exact_text_aside_and_undoing_brings_it_back(
    editor: WordEditor, dataset: Dataset, qtbot: QtBot
) -> None:
    exact = dataset.spoken("talk-01")
    before = exact.read_bytes()
    press(editor, Qt.Key.Key_Down)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    assert exact.exists(), "a word of the user says nothing about the model"
    click(editor, (FIRST.start_s + FIRST.end_s) / 2)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    aside = exact.with_name("talk-01.json.replaced")
    assert not exact.exists() and aside.read_bytes() == before
    notes = [label.text() for label in editor.findChildren(QLabel) if label.isVisible()]
    assert any("talk-01.json.replaced" in text for text in notes)
    press(editor, Qt.Key.Key_Z, CONTROL)
    editor.save()
    assert exact.read_bytes() == before and not aside.exists()


def test_an_older_text_that_was_set_aside_is_kept(editor: WordEditor, dataset: Dataset) -> None:
    exact = dataset.spoken("talk-01")
    exact.with_name("talk-01.json.replaced").write_text("older")
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    assert exact.with_name("talk-01.json.replaced").read_text() == "older"
    assert exact.with_name("talk-01.json.replaced-2").exists()


def test_a_place_that_can_not_be_written_is_a_sentence_and_nothing_is_lost(
    editor: WordEditor, dataset: Dataset, qtbot: QtBot
) -> None:
    text = dataset.text("talk-01")
    away = text.parent.with_name("text-away")
    text.parent.rename(away)
    text.parent.write_text("in the way")
    press(editor, Qt.Key.Key_Tab)
    with qtbot.waitSignal(editor.trouble, timeout=5_000) as told:
        press(editor, Qt.Key.Key_Delete)
    assert "could not be saved" in told.args[0]
    assert any(label.text() == "Not saved." for label in editor.findChildren(QLabel))
    text.parent.unlink()
    away.rename(text.parent)
    press(editor, Qt.Key.Key_S, CONTROL)
    assert on_disk(dataset) == words()[1:]


def test_saving_says_that_what_was_prepared_is_older(editor: WordEditor, dataset: Dataset) -> None:
    (dataset.folder / "prepared.json").write_text(json.dumps({"format": 1}))
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    states = [label.text() for label in editor.findChildren(QLabel)]
    assert "Saved. Prepare the dataset again before you train." in states


def test_words_that_were_transcribed_again_are_read_anew(editor: WordEditor, dataset: Dataset) -> None:
    editor.hide()
    write_words(dataset.text("talk-01"), words()[:5])
    editor.show()
    assert editor.words.words == words()[:5]


def test_a_dialogue_without_words_can_be_given_some(editor: WordEditor, dataset: Dataset) -> None:
    dataset.text("talk-02").unlink()
    editor.open(dataset, "talk-02")
    assert editor.words.words == []
    press(editor, Qt.Key.Key_Tab)
    editor.take_focus()
    press(editor, Qt.Key.Key_Insert)
    (field,) = editor.sound.findChildren(WordField)
    QTest.keyClicks(field, "hello")
    QTest.keyClick(field, Qt.Key.Key_Return)
    editor.save()
    assert [word.text for word in on_disk(dataset, "talk-02")] == ["hello"]


def test_damaged_words_are_a_sentence_and_change_nothing(editor: WordEditor, dataset: Dataset) -> None:
    dataset.text("talk-02").write_text("[{}]")
    with pytest.raises(UserError, match="does not hold words"):
        editor.open(dataset, "talk-02")
    assert dataset.text("talk-02").read_text() == "[{}]"


# The sound.


def test_the_chosen_word_alone_is_played(
    dataset: Dataset, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Rig() as rig:
        for name, value in rig.env.items():
            monkeypatch.setenv(name, value)
        editor = WordEditor()
        qtbot.addWidget(editor)
        editor.open(dataset, "talk-01")
        editor.show()
        editor.sound.choose(editor.words.key(2))
        word = chosen(editor)
        press(editor, Qt.Key.Key_Space, CONTROL)
        assert editor._player.playing
        qtbot.waitUntil(lambda: not editor._player.playing, timeout=8_000)
        assert editor.sound.cursor_s == pytest.approx(word.end_s, abs=0.02)
        press(editor, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: editor.sound.cursor_s > word.end_s + 0.3, timeout=8_000)
        assert button(editor, "Pause").isVisible()
        press(editor, Qt.Key.Key_Space)
        assert not editor._player.playing
        editor.shut()


def whole(audio: Path) -> Peaks:
    peaks = open_peaks(audio)
    while not peaks.whole:
        peaks.add(read_piece(audio, peaks, peaks.values_read))
    return peaks


def test_the_shape_is_that_of_the_samples_at_every_zoom(dataset: Dataset) -> None:
    audio = dataset.audio("talk-01")
    samples, _ = soundfile.read(audio, dtype="float32")
    peaks = whole(audio)
    for first_s, last_s, count in ((0.0, 42.0, 300), (5.0, 9.0, 500), (1.0, 1.5, 50)):
        found = peaks.columns(first_s, last_s, count)
        edges = np.linspace(first_s, last_s, count + 1) * SAMPLE_RATE
        for column in range(0, count, 7):
            part = samples[int(edges[column]) : int(np.ceil(edges[column + 1]))]
            assert (found[:, column, 1] >= part.max(axis=0) - 1e-3).all()
            assert (found[:, column, 0] <= part.min(axis=0) + 1e-3).all()
        assert np.abs(found).max() <= np.abs(samples).max() + 1e-3
    fine = read_fine(audio, SAMPLE_RATE, SAMPLE_RATE)
    exact = fine.columns(1.2 * SAMPLE_RATE, 1.3 * SAMPLE_RATE, 2400)
    stretch = samples[int(1.2 * SAMPLE_RATE) : int(1.3 * SAMPLE_RATE)].T
    np.testing.assert_allclose(exact[:, :, 1], stretch, atol=1e-3)


def test_an_hour_is_kept_small_and_what_lies_outside_is_silence() -> None:
    hour = Peaks(3_600 * SAMPLE_RATE, SAMPLE_RATE)
    assert sum(level.nbytes for level in hour._levels) < 12_000_000
    day = Peaks(24 * 3_600 * SAMPLE_RATE, SAMPLE_RATE)
    assert sum(level.nbytes for level in day._levels) < 40_000_000
    assert not hour.columns(-5.0, 4_000.0, 100).any()


def test_near_enough_the_samples_themselves_are_drawn(editor: WordEditor, qtbot: QtBot) -> None:
    for _ in range(20):
        press(editor, Qt.Key.Key_Plus)
    editor.sound.grab()
    qtbot.waitUntil(lambda: editor.sound._fine is not None)
    assert editor.sound._fine.holds(0, 0.25 * SAMPLE_RATE)


def test_a_sound_that_breaks_off_is_a_sentence(editor: WordEditor, dataset: Dataset, qtbot: QtBot) -> None:
    audio = dataset.audio("talk-02")
    data = audio.read_bytes()
    audio.write_bytes(data[: len(data) // 2])
    with qtbot.waitSignal(editor.trouble, timeout=8_000) as told:
        editor.open(dataset, "talk-02")
    assert "any further" in told.args[0]


def test_both_voices_and_their_overlap_can_be_seen(editor: WordEditor) -> None:
    for scheme in ("light", "dark"):
        theme.set_scheme(scheme)
        picture = editor.sound.grab().toImage()
        seen = {
            picture.pixelColor(x, y).name()
            for x in range(0, picture.width(), 2)
            for y in range(0, picture.height(), 2)
        }
        assert {theme.MODEL_COLOUR.lower(), theme.USER_COLOUR.lower()} <= seen


def many(count: int) -> list[TimedWord]:
    """Return so many words of both voices, six in a second."""
    return [TimedWord("AB"[n % 2], f"word{n}", n / 6, n / 6 + 0.2) for n in range(count)]


def best(paint: Callable[[], object], times: int = 9) -> float:
    """Return the seconds of the fastest of some runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        paint()
        took.append(time.perf_counter() - began)
    return min(took)


def test_painting_is_fast_however_many_words_there_are(qtbot: QtBot) -> None:
    listed = WordList()
    listed.show(many(12_000), 2_000.0)
    sound = Waveform(listed)
    qtbot.addWidget(sound)
    sound.resize(900, 400)
    sound.show_sound(Peaks(2_000 * SAMPLE_RATE, SAMPLE_RATE))
    canvas = QPixmap(sound.size())

    def paint() -> None:
        painter = QPainter(canvas)
        sound.render(painter, QPoint(0, 0))
        painter.end()

    for zoom in (1.0, 5.0, 20.0, 1_000.0):
        sound.zoom(zoom, 500.0)
        sound.look_at(700.0)
        paint()
        assert best(paint) < 0.008, zoom


def test_editing_one_of_many_words_is_fast() -> None:
    listed = WordList()
    listed.show(many(12_000), 2_000.0)
    key = listed.key(6_000)
    assert best(lambda: listed.nudge(key, 0.01, 0.01)) < 0.005
    assert listed.row(key) == 6_000
    listed.set_times(key, 10.0, 10.5)
    assert listed.words == sorted(listed.words, key=lambda word: word.start_s)


def test_times_are_written_exactly() -> None:
    assert [exact_clock(time_s) for time_s in (0, 7.476, 59.999, 3_723.5)] == [
        "0:00.00", "0:07.48", "1:00.00", "1:02:03.50",
    ]  # fmt: skip


def test_everything_has_a_name(editor: WordEditor) -> None:
    for found in editor.findChildren(QPushButton):
        assert found.toolTip() or found.accessibleName(), found.text()
    for part in (editor.sound, editor.table, editor._bar, *editor.sound.findChildren(WordField)):
        assert part.accessibleName()
