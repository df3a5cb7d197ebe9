"""Each field for a number takes what a person types or pastes, in their locale, and shows what it took."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QLocale, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.settings import Settings
from app.ui.training.run.config import Choices
from app.ui.training.run.expert import Expert
from app.ui.widgets.number import Number
from app.ui.widgets.number_box import FractionBox, WholeBox
from tests.ui.staging import Stage

LOCALES = ("en_US", "ja_JP", "de_DE", "fr_FR", "sv_SE", "de_CH")


@pytest.fixture
def locale(request: pytest.FixtureRequest) -> Iterator[QLocale]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield QLocale()
    QLocale.setDefault(before)


def write(number: Number, text: str, *, paste: bool = False) -> None:
    """Put a text in place of the one that a field shows, and press Return."""
    box = number.findChild(QAbstractSpinBox)
    assert isinstance(box, QAbstractSpinBox)
    box.setFocus()
    box.selectAll()
    if paste:
        QGuiApplication.clipboard().setText(text)
        box.lineEdit().paste()
    else:
        # QTest types Latin letters alone.
        for letter in text:
            press = QKeyEvent(
                QEvent.Type.KeyPress, Qt.Key.Key_unknown, Qt.KeyboardModifier.NoModifier, letter
            )
            QApplication.sendEvent(box, press)
    QTest.keyClick(box, Qt.Key.Key_Return)


def share(qtbot: QtBot) -> Number:
    number = Number("Text temperature", "", 0.0, 2.0, default=0.7)
    qtbot.addWidget(number)
    number.show()
    return number


def shown(number: Number) -> str:
    box = number.findChild(QAbstractSpinBox)
    assert isinstance(box, QAbstractSpinBox)
    return box.text()


@pytest.mark.parametrize("locale", LOCALES, indirect=True)
@pytest.mark.parametrize("text", ["0.8", "0,8", "０．８", "８e−1", ".8", " 0,80 "])
@pytest.mark.parametrize("paste", [False, True])
def test_either_sign_is_understood_and_shown_as_the_locale_writes_it(
    locale: QLocale, text: str, paste: bool, qtbot: QtBot
) -> None:
    number = share(qtbot)
    with qtbot.waitSignal(number.changed) as told:
        write(number, text, paste=paste)
    assert told.args == [0.8]
    assert shown(number) == locale.toString(0.8, "f", 1)
    assert number.note == ""


@pytest.mark.parametrize("locale", LOCALES, indirect=True)
@pytest.mark.parametrize(
    "text", ["1000", "1,000", "1.000", "1 000", "1\u202f000", "1'000", "１０００", "1e3"]
)
def test_a_count_is_understood_with_and_without_groups(locale: QLocale, text: str, qtbot: QtBot) -> None:
    number = Number("Steps", "", 1, 1_000_000, default=500)
    qtbot.addWidget(number)
    number.show()
    write(number, text, paste=True)
    assert number.value() == 1000
    assert shown(number) == "1000"
    assert bool(number.note) == (text in ("1,000", "1.000")), "what can be read in two ways is told"


@pytest.mark.usefixtures("locale")
@pytest.mark.parametrize("locale", ["de_DE"], indirect=True)
def test_what_can_be_read_in_two_ways_is_said_until_something_else_is_typed(qtbot: QtBot) -> None:
    number = share(qtbot)
    write(number, "1.234")
    assert number.value() == 1.234
    assert number.note == "“1.234” was read as 1,234."
    write(number, "1")
    assert number.note == ""


@pytest.mark.parametrize("locale", LOCALES, indirect=True)
@pytest.mark.parametrize("text", ["abc", "5", "-1", "1.2.3", "−0,1", "nan", "2e9"])
def test_what_does_not_fit_leaves_the_number_and_says_so(locale: QLocale, text: str, qtbot: QtBot) -> None:
    number = share(qtbot)
    with qtbot.assertNotEmitted(number.changed):
        write(number, text)
    assert (number.value(), shown(number)) == (0.7, locale.toString(0.7, "f", 1))
    assert text.replace("−", "-") in number.note
    number.set_value(0.5)
    assert number.note == "", "what was said ends with the number that it was about"


def test_an_empty_field_is_what_it_was_and_nothing_is_said(qtbot: QtBot) -> None:
    number = share(qtbot)
    write(number, " ")
    assert (number.value(), number.note) == (0.7, "")


@pytest.mark.parametrize(("text", "expected"), [("7", 7), ("０", 0), ("", None), ("new each time", None)])
def test_a_seed_is_typed_over_the_words_for_none(text: str, expected: int | None, qtbot: QtBot) -> None:
    number = Number("Seed", "", -1, 2**31 - 1, default=None, whenever="new each time")
    qtbot.addWidget(number)
    number.show()
    write(number, text)
    assert number.value() == expected
    write(number, "-1")
    assert number.value() == expected, "what stands for none is not a number to type"
    assert "-1" in number.note


@pytest.mark.parametrize("locale", LOCALES, indirect=True)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5", 2.5),
        ("0.05", 0.05),
        ("0,05", 0.05),
        ("2e-6", 2.0),
        ("2,5e-6", 2.5),
        ("0.000002", 2.0),
        ("2.5 ×10⁻⁶", 2.5),
        ("1e−5", 10.0),
        ("１．５", 1.5),
    ],
)
def test_a_learning_rate_is_what_was_written(
    locale: QLocale, text: str, expected: float, qtbot: QtBot
) -> None:
    expert = Expert(Choices(lr_temporal=3.0))
    qtbot.addWidget(expert)
    expert.unfold()
    expert.show()
    with qtbot.waitSignal(expert.changed) as told:
        write(expert._numbers["lr_temporal"], text, paste=True)
    assert told.args[0].lr_temporal == expected
    assert told.args[0].document()["optimizer"]["lr_temporal"] == pytest.approx(expected * 1e-6)
    digits = locale.toString(expected, "f", QLocale.FloatingPointPrecisionOption.FloatingPointShortest.value)
    assert shown(expert._numbers["lr_temporal"]).startswith(digits)


@pytest.mark.usefixtures("locale")
@pytest.mark.parametrize("locale", ["de_DE", "ja_JP", "fr_FR"], indirect=True)
def test_the_drawer_and_the_settings_take_the_same(tmp_path: object, qtbot: QtBot) -> None:
    stage = Stage(Settings(model="moshika"))
    stage.window.show()
    for page, number in (
        (4, stage.window.setup._numbers["audio_temperature"]),
        (0, stage.page.drawer._numbers["audio_temperature"]),
    ):
        stage.window.show_page(page)
        for text, expected in (("0.6", 0.6), ("0,65", 0.65), ("０．９", 0.9)):
            write(number, text)
            assert stage.window.settings.audio_temperature == expected, (page, text)
    write(stage.page.drawer._numbers["context"], "60 s")
    assert stage.window.settings.context == 750
    stage.window.leave()


def test_each_number_of_the_window_is_of_this_kind(stage: Stage) -> None:
    boxes = [box for box in stage.window.findChildren(QWidget) if isinstance(box, QAbstractSpinBox)]
    assert len(boxes) > 15
    assert all(isinstance(box, (WholeBox, FractionBox)) for box in boxes)


def test_both_pages_call_a_setting_by_the_same_name(stage: Stage) -> None:
    names = [
        {box.accessibleName() for box in page.findChildren(QAbstractSpinBox)}
        for page in (stage.window.setup, stage.page.drawer)
    ]
    assert names[0] | {"Context"} == names[1], "the Settings page chooses the context from a list"
    assert stage.window.setup._context.accessibleName() == "Context"


def test_a_context_that_the_drawer_has_set_is_shown_in_seconds(stage: Stage) -> None:
    stage.page.drawer._numbers["context"]._box.setValue(45)
    assert stage.window.setup._context.currentText() == "44.96 seconds"
