"""The Check step shows what would be learnt, lists what is odd first, and leads to where it is mended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import UserError
from app.paths import Paths, paths
from app.store.datasets import Dataset, read_words
from app.ui.shell import theme
from app.ui.training.check.data import Finding, is_outdated, parse_check, read_check
from app.ui.training.check.pictures import pictures
from app.ui.training.check.sheet import PictureCard
from app.ui.training.check.step import CheckStep
from app.ui.training.check.table import DialogueTable
from app.ui.widgets.empty_state import Pane
from tests.ui.checked import check_values, make_dataset, write_check


@pytest.fixture
def where(tmp_path: Path) -> Paths:
    return paths(tmp_path / "aizuchi")


@pytest.fixture
def dataset(where: Paths) -> Dataset:
    made = make_dataset(where.datasets / "kyoto", 2)
    write_check(made, check_values())
    return made


@pytest.fixture
def step(where: Paths, qtbot: QtBot) -> Iterator[CheckStep]:
    step = CheckStep(where)
    qtbot.addWidget(step)
    step.resize(1150, 620)
    step.show()
    yield step
    step.shut()


def texts(step: CheckStep) -> str:
    return "\n".join(label.text() for label in step.findChildren(QLabel) if label.isVisible())


def button(step: CheckStep, text: str) -> QPushButton:
    buttons = step.findChildren(QPushButton)
    return next(found for found in buttons if found.isVisible() and found.text().startswith(text))


def click(found: QPushButton) -> None:
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def has(picture: QImage, *names: str) -> bool:
    seen = {
        picture.pixelColor(x, y).name()
        for y in range(0, picture.height(), 2)
        for x in range(0, picture.width(), 2)
    }
    return {QColor(name).name() for name in names} <= seen


def test_without_a_dataset_the_step_says_where_to_begin(step: CheckStep) -> None:
    assert step.findChildren(Pane)[0].title == "Nothing to check yet"
    step.refresh()
    step.open_words("nothing")


def test_a_check_that_is_still_true_is_shown_at_once(step: CheckStep, dataset: Dataset) -> None:
    step.show_dataset(dataset.folder)
    assert "3 things are odd" in texts(step)
    assert "kyoto · 14 dialogues · 56 min 14 s · English" in texts(step)
    assert button(step, "Check again").isEnabled()


def test_six_pictures_with_numbers_units_and_a_sentence(
    step: CheckStep, dataset: Dataset, qtbot: QtBot
) -> None:
    step.show_dataset(dataset.folder)
    found = pictures(read_check(dataset.folder))
    assert len(step.findChildren(PictureCard)) == len(found) == 6
    assert all(picture.sentence.endswith(".") for picture in found)
    numbers = {picture.title: picture.numbers for picture in found}
    assert "Model (A) 23 min 3 s · 41 %" in numbers["Speech"]
    assert numbers["Token rate"] == "Model (A) 1.9 tokens/s, User (B) 1.6 tokens/s"
    assert numbers["Padding"] == "Model (A) 85 %, User (B) 87 %"
    assert "0.4 %" in numbers["Bare ▁"]
    assert "Overlaps 4.7 / min" in numbers["Turn-taking"]
    assert numbers["Lengths"] == "14 dialogues, 1 min 33 s to 7 min 21 s"
    cards = step.findChildren(PictureCard)
    qtbot.waitUntil(lambda: has(cards[0].grab().toImage(), theme.MODEL_COLOUR, theme.USER_COLOUR))


def test_pictures_stand_below_each_other_where_there_is_little_room(
    step: CheckStep, dataset: Dataset, qtbot: QtBot
) -> None:
    step.show_dataset(dataset.folder)
    qtbot.waitUntil(lambda: len({card.y() for card in step.findChildren(PictureCard)}) == 2)
    step.resize(660, 500)
    qtbot.waitUntil(lambda: len({card.y() for card in step.findChildren(PictureCard)}) == 3)
    right = step.sheet.viewport().width()
    for card in step.findChildren(PictureCard):
        assert card.mapTo(step.sheet.viewport(), card.rect().topRight()).x() <= right


def test_what_is_refused_is_red_and_says_where_to_prepare(
    step: CheckStep, dataset: Dataset, qtbot: QtBot
) -> None:
    write_check(dataset, check_values(state="refused"))
    step.show_dataset(dataset.folder)
    verdict = next(
        label for label in step.findChildren(QLabel) if label.text().startswith("Training refuses")
    )
    assert verdict.palette().color(verdict.foregroundRole()) == theme.colours().trouble_text
    theme.set_scheme("dark")
    assert verdict.palette().color(verdict.foregroundRole()) == theme.scheme_colours(True).trouble_text
    with qtbot.waitSignal(step.prepare_wanted):
        click(button(step, "Prepare"))


def test_a_dataset_that_is_not_prepared_has_no_text_figures(step: CheckStep, dataset: Dataset) -> None:
    write_check(dataset, check_values(state="unprepared"))
    step.show_dataset(dataset.folder)
    numbers = {picture.title: picture.numbers for picture in pictures(read_check(dataset.folder))}
    assert numbers["Padding"] == "Model (A) not prepared yet, User (B) not prepared yet"


def test_dialogues_with_trouble_come_first_and_columns_sort(step: CheckStep, dataset: Dataset) -> None:
    step.show_dataset(dataset.folder)
    (table,) = step.findChildren(DialogueTable)

    def column(number: int) -> list[str]:
        return [table.model().index(row, number).data() for row in range(table.model().rowCount())]

    assert column(0)[:2] == ["talk-02", "talk-07"]
    assert "(and 1 more)" in column(6)[0]
    header = table.horizontalHeader()
    header.setSortIndicator(1, Qt.SortOrder.DescendingOrder)
    assert column(1)[0] == "7 min 21 s"


def test_a_finding_leads_to_the_words_and_back(step: CheckStep, dataset: Dataset, qtbot: QtBot) -> None:
    step.show_dataset(dataset.folder)
    click(button(step, "Correct the words"))
    assert step.editor.isVisible()
    assert len(step.editor.words.words) == len(read_words(dataset.text("talk-02")))
    QTest.keyClick(step.editor.sound, Qt.Key.Key_Escape)
    assert step.sheet.isVisible()


def test_a_finding_about_one_word_leads_to_that_word(step: CheckStep, dataset: Dataset) -> None:
    step.show_dataset(dataset.folder)
    words = [word for word in read_words(dataset.text("talk-02")) if word.speaker == "B"]
    late = words[-1]
    step.sheet.mend_wanted.emit("talk-02", Finding("talk-02", False, "Odd.", "", late.start_s, "B"))
    assert step.editor.isVisible()
    key = step.editor.sound.chosen_key
    assert key is not None
    assert step.editor.words.word(key) == late
    view = step.editor.sound.view
    assert view.first_s <= late.start_s <= view.last_s
    # Where no word begins the place alone is shown.
    step.open_words("talk-02", Finding("talk-02", False, "Odd.", "", late.start_s + 100.0, "B"))
    assert step.editor.sound.chosen_key is None


def test_return_in_the_table_opens_a_dialogue(step: CheckStep, dataset: Dataset) -> None:
    step.show_dataset(dataset.folder)
    (table,) = step.findChildren(DialogueTable)
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, 0))
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert step.editor.isVisible()


def test_a_dialogue_that_is_gone_is_a_sentence(step: CheckStep, dataset: Dataset, qtbot: QtBot) -> None:
    step.show_dataset(dataset.folder)
    dataset.audio("talk-02").unlink()
    with qtbot.waitSignal(step.trouble) as told:
        step.open_words("talk-02")
    assert "talk-02 can not be read" in told.args[0]
    assert step.sheet.isVisible()


def test_the_real_check_is_run_when_words_changed(step: CheckStep, dataset: Dataset, qtbot: QtBot) -> None:
    os.utime(dataset.folder / "check.json", (1, 1))
    assert is_outdated(dataset.folder)
    step.show_dataset(dataset.folder)
    assert not button(step, "Checking").isEnabled()
    qtbot.waitUntil(lambda: "kyoto · 2 dialogues · 1 min 20 s" in texts(step), timeout=60_000)
    qtbot.waitUntil(lambda: "kyoto is not prepared yet." in texts(step))
    assert not is_outdated(dataset.folder)


def test_a_dataset_that_was_never_checked_is_looked_at(
    step: CheckStep, dataset: Dataset, qtbot: QtBot
) -> None:
    (dataset.folder / "check.json").unlink()
    step.show_dataset(dataset.folder)
    assert step.findChildren(Pane)[0].title == "Looking at kyoto"
    qtbot.waitUntil(step.sheet.isVisible, timeout=60_000)


def test_a_check_that_fails_says_why_and_can_be_tried_again(
    step: CheckStep, where: Paths, qtbot: QtBot
) -> None:
    empty = make_dataset(where.datasets / "empty", 0)
    step.show_dataset(empty.folder)
    pane = step.findChildren(Pane)[0]
    qtbot.waitUntil(lambda: pane.title == "empty holds no dialogues.", timeout=60_000)
    # A layout shows what was put into it in the next round of the event loop.
    again = next(each for each in pane.findChildren(QPushButton) if each.text() == "Try again")
    qtbot.waitUntil(again.isVisible)


def test_a_step_that_is_not_seen_asks_for_nothing(where: Paths, dataset: Dataset, qtbot: QtBot) -> None:
    (dataset.folder / "check.json").unlink()
    step = CheckStep(where)
    qtbot.addWidget(step)
    step.show_dataset(dataset.folder)
    assert step._errand is None
    step.shut()


def test_the_same_dataset_again_leaves_the_words_open(step: CheckStep, dataset: Dataset) -> None:
    step.show_dataset(dataset.folder)
    step.open_words("talk-01")
    step.show_dataset(dataset.folder)
    assert step.editor.isVisible()


@pytest.mark.parametrize("damage", [[], {}, {**check_values(), "A": None}, {**check_values(), "items": [3]}])
def test_a_damaged_check_is_no_check(damage: object, dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="check"):
        parse_check(json.loads(json.dumps(damage)))
    (dataset.folder / "check.json").write_text("{")
    with pytest.raises(UserError, match="can not be read"):
        read_check(dataset.folder)
    (dataset.folder / "check.json").unlink()
    with pytest.raises(UserError, match="not checked"):
        read_check(dataset.folder)


def test_many_findings_are_folded(step: CheckStep, dataset: Dataset) -> None:
    values = check_values()
    values["findings"] = values["findings"] * 10
    write_check(dataset, values)
    step.show_dataset(dataset.folder)
    count = len([b for b in step.findChildren(QPushButton) if b.text().startswith("Correct")])
    click(button(step, "Show all 30"))
    QTest.qWait(10)
    after = len([b for b in step.findChildren(QPushButton) if b.text().startswith("Correct")])
    assert (count, after) == (6, 30)
