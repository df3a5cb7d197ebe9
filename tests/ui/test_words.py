"""The words of a talk: lines break where people pause, the user leaves marks, nothing grows without bound."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from app.engine.events import Spoke, Stepped
from app.ui.shell import theme
from app.ui.talk import words
from app.ui.talk.words import Words
from app.ui.timeview.timeline_data import USER, TimelineData
from tests.ui import dialogue


@pytest.fixture
def page(qtbot: QtBot) -> Words:
    widget = Words()
    qtbot.addWidget(widget)
    widget.resize(700, 400)
    widget.show()
    return widget


def feed(page: Words, last_s: float = dialogue.LENGTH_S) -> None:
    data = TimelineData()
    for event in dialogue.events(0, last_s):
        if isinstance(event, Stepped):
            data.append(event.heard_db, event.said_db)
            page.heard(event.frame, bool(data.activity(event.frame, event.frame + 1)[USER, 0]))
        elif isinstance(event, Spoke):
            page.word(event.frame, event.text)


def shade(page: Words, number: int) -> str:
    cursor = QTextCursor(page.document().findBlockByNumber(number))
    cursor.movePosition(QTextCursor.MoveOperation.Right)
    return cursor.charFormat().foreground().color().name()


def test_the_rhythm_of_the_talk_can_be_read(page: Words) -> None:
    feed(page, 21.2)
    assert (
        page.lines()
        == [
            "Hi, what's going on?",
            "Mm.",
            "(you: 3.3 s)",
            "Oh nice, how long have you been there? I imagine it must be",
            "Right.",
            "(you: 4.2 s)",
            "Ha, I have always wanted to see the lanterns over the (you: 0.6 s) river at night.",
            "Mm-hm.",
            "(you: 3.7 s)",
        ][: len(page.lines())]
    )
    assert len(page.lines()) >= 8


def test_a_pause_of_the_model_begins_a_line(page: Words) -> None:
    for frame, text in ((0, " one"), (5, " two"), (40, " three")):
        page.word(frame, text)
    assert page.lines() == ["one two", "three"]


def test_a_model_that_never_pauses_is_broken_after_a_sentence(page: Words) -> None:
    for frame in range(60):
        page.word(frame, " word." if frame % 10 == 9 else " word")
    assert [len(line) > 72 for line in page.lines()] == [True, True, True]
    assert all(line.endswith(".") for line in page.lines())


def test_pieces_of_characters_are_not_shown_alone(page: Words) -> None:
    for frame, text in ((0, ""), (1, ""), (2, "雨"), (3, "です")):
        page.word(frame, text)
    assert page.lines() == ["雨です"]


def test_a_cough_is_no_turn(page: Words) -> None:
    for frame in range(40):
        page.heard(frame, frame in (5, 6))
    assert page.lines() == []


def test_older_lines_fade_and_can_still_be_read(page: Words) -> None:
    for number in range(8):
        page.word(100 * number, f" line {number}")
    tones = theme.colours(page.palette())
    assert shade(page, 7) == tones.text.name()
    strengths = [theme.contrast(page._shade(age), tones.window) for age in range(8)]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[-1] >= theme.TEXT_CONTRAST
    assert shade(page, 0) == page._shade(7).name()


def test_the_words_are_larger_than_anything_else(page: Words) -> None:
    page.word(0, " large")
    cursor = QTextCursor(page.document().firstBlock())
    cursor.movePosition(QTextCursor.MoveOperation.Right)
    assert cursor.charFormat().fontPointSize() == pytest.approx(1.4 * page.font().pointSizeF())


def test_a_click_on_a_line_tells_its_frame(page: Words, qtbot: QtBot) -> None:
    page.word(0, " one")
    page.word(77, " two")
    block = page.document().findBlockByNumber(1)
    spot = page.cursorRect(QTextCursor(block)).center() + QPoint(8, 0)
    with qtbot.waitSignal(page.frame_clicked) as told:
        qtbot.mouseClick(page.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert told.args == [77]


def test_the_newest_line_is_in_view_unless_somebody_reads_further_up(page: Words) -> None:
    for number in range(60):
        page.word(100 * number, f" line {number}")
    bar = page.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(0)
    page.word(9_000, " and more")
    assert bar.value() == 0


def test_the_newest_line_stays_in_view_when_the_room_shrinks(page: Words, qtbot: QtBot) -> None:
    for number in range(60):
        page.word(100 * number, f" line {number}")
    page.resize(500, 250)
    qtbot.wait(1)
    bar = page.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_the_oldest_lines_are_forgotten(page: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    page.document().setMaximumBlockCount(50)
    for number in range(120):
        page.word(100 * number, f" line {number}")
    assert page.lines()[0] == "line 70"
    assert page.lines()[-1] == "line 119"
    assert words.MAX_LINES <= 10_000


def test_another_scheme_changes_the_lines_that_are_there(page: Words) -> None:
    feed(page, 17.5)
    theme.set_scheme("dark")
    tones = theme.scheme_colours(True)
    assert shade(page, page.document().blockCount() - 1) == tones.text.name()


def test_everything_is_text_for_a_screen_reader(page: Words) -> None:
    feed(page)
    assert page.accessibleName()
    assert "京都には" in page.toPlainText()
