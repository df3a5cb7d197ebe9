"""Words are corrected beside their sound: by pointer and by key, undone, saved, never beyond what can be."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import UserError
from app.store.datasets import Dataset, hold, read_words, write_words
from app.ui.training.edit.field import WordField
from app.ui.training.edit.page import WordEditor
from app.ui.training.edit.words import SHORTEST_S
from tests.ui.checked import words
from tests.ui.word_editing import (
    ALT,
    CONTROL,
    FIRST,
    LEFT,
    SHIFT,
    chosen,
    click,
    dataset,
    drag,
    editor,
    on_disk,
    place,
    press,
)

__all__ = ["dataset", "editor"]  # fixtures


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


def test_while_a_command_writes_the_dataset_corrections_wait_and_none_is_lost(
    editor: WordEditor, dataset: Dataset, qtbot: QtBot
) -> None:
    press(editor, Qt.Key.Key_Tab)
    with hold(dataset, "aizuchi data transcribe"):
        with qtbot.waitSignal(editor.trouble, timeout=5_000) as told:
            press(editor, Qt.Key.Key_Delete)
        assert "`aizuchi data transcribe` is at work on it" in told.args[0]
        assert on_disk(dataset) == words()
    with qtbot.waitSignal(editor.saved, timeout=10_000):
        pass
    assert on_disk(dataset) == words()[1:]
    with hold(dataset, "aizuchi data transcribe"):
        press(editor, Qt.Key.Key_Delete)
        editor.shut()
    assert on_disk(dataset) == words()[2:], "what a person corrected is not thrown away"


def test_saving_says_that_what_was_prepared_is_older(editor: WordEditor, dataset: Dataset) -> None:
    (dataset.folder / "prepared.json").write_text(json.dumps({"format": 1}))
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    states = [label.text() for label in editor.findChildren(QLabel)]
    assert "Saved. Prepare the dataset again before you train." in states


def test_corrected_words_are_prepared_again_by_a_button(
    editor: WordEditor, dataset: Dataset, qtbot: QtBot
) -> None:
    (dataset.folder / "prepared.json").write_text(json.dumps({"format": 1}))
    again = next(each for each in editor.findChildren(QPushButton) if each.text() == "Prepare again")
    assert not again.isVisible()
    press(editor, Qt.Key.Key_Tab)
    press(editor, Qt.Key.Key_Delete)
    editor.save()
    assert again.isVisible()
    before = read_words(dataset.text("talk-01"))
    press(editor, Qt.Key.Key_Delete)
    with qtbot.waitSignal(editor.prepare_wanted):
        again.click()
    assert len(read_words(dataset.text("talk-01"))) < len(before), "saved before it is prepared"


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
