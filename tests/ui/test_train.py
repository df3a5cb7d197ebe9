"""The Train page and its first step: from talks or a folder to a dataset that can be learnt from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.events import Stopped
from app.ui.training.models import ModelChoice, ModelChooser
from app.ui.training.page import CHECK, DATA, LISTEN, TRAIN, TrainPage
from app.ui.training.steps import Step
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage
from tests.ui.train_stage import PATIENCE_MS, asked, button, show_run, step_of, wait
from tests.ui.trained import make_dataset, make_run

# The page


def test_the_steps_are_reached_by_key_and_by_click(page: TrainPage, qtbot: QtBot) -> None:
    for number, key in enumerate((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4)):
        qtbot.keyClick(page, key, Qt.KeyboardModifier.AltModifier)
        assert step_of(page) == number
        assert page.findChildren(Step)[number].isChecked()
    page.findChildren(Step)[0].click()
    assert step_of(page) == DATA


def test_every_control_has_a_name_and_a_tooltip(page: TrainPage, stage: Stage) -> None:
    make_run(stage.where.runs)
    show_run(page, stage.where.runs / "my-talks-1")
    for part in (page.steps, page.data, page.run, page.listen):
        for control in part.findChildren(QAbstractButton):
            if control.objectName().startswith("qt_"):
                continue
            assert control.text() or control.accessibleName(), control
            assert control.toolTip(), (part, control.text(), control.accessibleName())
        for field in part.findChildren(QLineEdit):
            if not field.objectName().startswith("qt_"):
                assert field.accessibleName(), field


def test_a_talk_that_just_ended_is_used_for_training(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    record_dialogue(stage.where.recordings)
    folder = record_dialogue(stage.where.recordings)
    stage.window.show_page(0)
    stage.talk(0, 2)
    stage.beat(Stopped(25, folder))
    (wanted,) = (b for b in stage.page.findChildren(QPushButton) if b.text() == "Use for training")
    wanted.click()
    assert page.isVisible()
    assert step_of(page) == DATA
    sources = page.data.new.sources
    qtbot.waitUntil(lambda: [each.folder for each in sources.marked] == [folder], timeout=PATIENCE_MS)


@pytest.mark.parametrize("size", [QSize(1180, 760), QSize(900, 600)])
def test_nothing_is_cut_off(page: TrainPage, stage: Stage, size: QSize, qtbot: QtBot) -> None:
    make_run(stage.where.runs, both=True)
    make_dataset(stage.where.datasets)
    stage.window.resize(size)
    page.data.show_dataset(stage.where.datasets / "my-talks")
    page.run.show_run(stage.where.runs / "my-talks-1")
    for step in (DATA, TRAIN, LISTEN):
        page.show_step(step)
        qtbot.wait(50)
        for control in page.findChildren(QAbstractButton):
            if not control.isVisible() or control.objectName().startswith("qt_"):
                continue
            needed = control.minimumSizeHint()
            assert control.width() >= needed.width(), (step, control.text())
            right = control.mapTo(stage.window, QPoint(control.width(), 0)).x()
            assert right <= stage.window.width(), (step, control.text())


# Data


@pytest.fixture
def talks(stage: Stage) -> list[Path]:
    return [record_dialogue(stage.where.recordings, span_s=(0, 5 + 5 * n)) for n in range(2)]


def test_talks_are_marked_and_their_minutes_counted(page: TrainPage, talks: list[Path], qtbot: QtBot) -> None:
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 2)
    assert "15 s to learn from" in page.data.bar.text
    button(page.data, "None").click()
    assert not button(page.data, "Prepare").isEnabled()
    assert "Mark talks" in page.data.bar.text
    (rows,) = page.data.new.sources.findChildren(QListWidget)
    first = rows.visualItemRect(rows.item(0)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert len(page.data.new.sources.marked) == 1
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert not page.data.new.sources.marked
    button(page.data, "All").click()
    assert button(page.data, "Prepare").isEnabled()


def test_prepare_makes_a_dataset_and_shows_what_will_be_learnt(
    page: TrainPage, talks: list[Path], command: Path, qtbot: QtBot
) -> None:
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 2)
    seen: list[tuple[str, float, float]] = []
    page.data.preparation.progressed.connect(lambda *told: seen.append(told))
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: step_of(page) == CHECK)
    lines = asked(command)
    assert lines[0].startswith("data import ")
    assert all(str(talk) in lines[0] for talk in talks)
    assert lines[0].endswith("--name my-talks --json")
    assert "data prepare" in lines[1]
    assert lines[1].endswith("--model moshika --json"), "the model in memory"
    assert ("Import", 0.5, 0.0) in seen
    assert ("Prepare", 1.0, 0.0) in seen
    assert page.data.dataset is not None
    assert page.data.dataset.prepared["model"] == "moshika"
    button(page, "Train…").click()
    assert step_of(page) == TRAIN
    assert page.run.form.choices.data == ("my-talks",)
    page.show_step(DATA)
    wait(qtbot, lambda: "talk-2: It is clipped: 0.02 % of the left channel." in page.data.view.text)
    assert "ready for Moshika" in page.data.bar.text


def test_the_model_that_is_shown_is_the_model_that_is_used(
    page: TrainPage, talks: list[Path], command: Path, qtbot: QtBot
) -> None:
    """Chosen once, it stays in each step, while commands run, and when they are stopped and begun again."""
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 2)
    choose(page.data.new._model, "starter")
    assert shown(page) == {"starter"}
    (command / "slow").touch()
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: "Import, 50 %" in page.data.bar.text)
    (command / "slow").unlink()
    wait(qtbot, lambda: page.data.dataset is not None)
    (command / "slow").touch()
    wait(qtbot, lambda: "Prepare, 50 %" in page.data.bar.text)
    page.show_step(TRAIN)
    page.show_step(DATA)
    assert shown(page) == {"starter"}
    button(page.data, "Stop").click()
    assert shown(page) == {"starter"}
    (command / "slow").unlink()
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: step_of(page) == CHECK)
    prepared = [line for line in asked(command) if line.startswith("data prepare")]
    assert len(prepared) == 2
    assert all(line.endswith("--model starter --json") for line in prepared)
    button(page, "Train…").click()
    assert page.run.form.choices.model == "starter"
    assert shown(page) == {"starter"}


def choose(chooser: ModelChooser, spec: str) -> None:
    """Choose a model as a user does."""
    chooser.setCurrentIndex(chooser.findData(spec))
    chooser.activated.emit(chooser.currentIndex())


def shown(page: TrainPage) -> set[str]:
    """Return the models that the steps show."""
    return {str(chooser.currentData()) for chooser in page.findChildren(ModelChooser)}


def test_a_model_that_is_suggested_is_on_this_computer(qtbot: QtBot, tmp_path: Path) -> None:
    choice = ModelChoice(tmp_path)
    assert choice.spec == "starter", "nothing else is here"
    choice.set_talks("j-moshi")
    assert choice.spec == "starter", "the talks were held with what is not here any more"
    (tmp_path / "talks-1").mkdir()
    (tmp_path / "talks-1" / "config.json").write_text("{}", encoding="utf-8")
    choice.look()
    choice.set_talks("talks-1")
    wait(qtbot, lambda: choice.spec == "talks-1")
    choice.set_loaded("moshika-q8")
    assert choice.spec == "moshika", "what is in memory, in the precision that can learn"
    choice.choose("j-moshi")
    assert ("j-moshi", "J-Moshi (not downloaded)") in choice.offered
    choice.set_loaded("moshiko")
    assert choice.spec == "j-moshi"
    choice.choose("")
    assert choice.spec == "moshiko"
    choice.set_loaded("echo")
    assert choice.spec == "talks-1", "an echo learns nothing"
    choice.shut()


def test_preparing_is_stopped_and_goes_on(
    page: TrainPage, talks: list[Path], command: Path, qtbot: QtBot
) -> None:
    (command / "slow").touch()
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 2)
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: "Import, 50 %" in page.data.bar.text)
    button(page.data, "Stop").click()
    assert "goes on from there" in page.data.bar.text
    (command / "slow").unlink()
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: step_of(page) == CHECK)


def test_where_words_are_lacking_they_are_asked_for(
    page: TrainPage, talks: list[Path], command: Path, qtbot: QtBot
) -> None:
    (command / "wordless").touch()
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 2)
    button(page.data, "Prepare").click()
    wait(qtbot, lambda: "3 of 3 dialogues have no words" in page.data.notice.text)
    assert len(asked(command)) == 1
    page.data.transcribe(command / "whisper")
    wait(qtbot, lambda: step_of(page) == CHECK)
    assert f"--model {command / 'whisper'}" in asked(command)[1]
    assert asked(command)[2].startswith("data prepare")


def test_a_folder_is_imported_and_can_be_left_out_again(page: TrainPage, tmp_path: Path) -> None:
    page.data.new.add_folder(tmp_path)
    assert page.data.new.wish.sources == (tmp_path,)
    assert "1 folder to learn from" in page.data.bar.text
    (drop,) = (
        each for each in page.data.new.findChildren(QAbstractButton) if str(tmp_path) in each.accessibleName()
    )
    drop.click()
    assert page.data.new.wish.complaint == "sources"


def test_a_command_that_fails_says_why(page: TrainPage, command: Path, tmp_path: Path, qtbot: QtBot) -> None:
    (command / "fail").write_text("The folder holds no sound.\nChoose another folder.", encoding="utf-8")
    page.data.new.add_folder(tmp_path)
    with qtbot.waitSignal(page.trouble, timeout=PATIENCE_MS) as told:
        page.data.prepare()
    assert told.args == ["The folder holds no sound.", "Choose another folder."]
    assert page.data.notice.text == "The folder holds no sound. Choose another folder."
    assert button(page.data, "Prepare").isEnabled()


def test_a_name_that_is_none_is_refused(page: TrainPage, tmp_path: Path, qtbot: QtBot) -> None:
    page.data.new.add_folder(tmp_path)
    (name,) = (each for each in page.data.new.findChildren(QLineEdit) if each.accessibleName())
    name.clear()
    qtbot.keyClicks(name, "../x")
    assert "letters and digits" in page.data.bar.text
    assert not button(page.data, "Prepare").isEnabled()


def test_a_corrected_word_asks_for_preparing_again(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    page.data.show_dataset(make_dataset(stage.where.datasets))
    assert page.steps._step(DATA).accessibleDescription() == "done"
    page.check.changed.emit()
    assert page.steps._step(DATA).accessibleDescription() == ""
    assert page._onward.isHidden()


def test_words_that_have_changed_are_prepared_again_by_a_button_wherever_it_is_needed(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    folder = make_dataset(stage.where.datasets)
    page.data.show_dataset(folder)
    page.show_step(CHECK)
    assert not page._outdated.isVisible()
    change_words(folder)
    page.check.changed.emit()
    assert "my-talks has changed since it was prepared." in page._outdated.text
    page.show_step(TRAIN)
    page.run.show_form()
    assert "my-talks has changed since it was prepared." in page.run.form.need
    assert not button(page.run, "Train").isEnabled()
    page.show_step(DATA)
    wait(qtbot, lambda: "have changed since" in page.data.bar.text)
    assert "words or sound have changed since" in page.data.view.text
    assert button(page.data, "Prepare again").property("primary")
    page.show_step(CHECK)
    button(page, "Prepare again").click()
    wait(qtbot, lambda: step_of(page) == CHECK and not page._outdated.isVisible())
    assert asked(command)[-1].startswith(f"data prepare {folder} --model moshiko")
    page.show_step(TRAIN)
    page.run.show_form()
    assert "changed" not in page.run.form.need


def change_words(folder: Path) -> None:
    """Correct a word, a moment after the dataset was prepared."""
    file = folder / "text" / "talk-2.json"
    file.write_text(file.read_text(encoding="utf-8").replace("yes", "no"), encoding="utf-8")
    later_ns = (folder / "prepared.json").stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later_ns, later_ns))


def test_another_base_asks_for_preparing_again(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    assert page.run.form.choices.model == "moshiko"
    choose(page.run.form._base, "starter")
    assert "my-talks is prepared for Moshiko, not for Starter." in page.run.form.need
    assert not button(page.run, "Train").isEnabled()
    button(page.run, "Prepare again").click()
    assert step_of(page) == DATA
    assert shown(page) == {"starter"}
    wait(qtbot, lambda: step_of(page) == CHECK)
    assert asked(command)[-1].endswith("--model starter --json")
    assert "my-talks is ready for Starter." in page._onward.text
    page.show_step(TRAIN)
    page.run.show_form()
    assert page.run.form.choices.model == "starter"


def test_a_dataset_says_what_it_lacks(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    folder = make_dataset(stage.where.datasets, prepared="")
    page.data.show_dataset(folder)
    wait(qtbot, lambda: "You have no words in 1 of 3 dialogues" in page.data.view.text)
    assert "Not prepared yet" in page.data.view.text
    assert button(page.data, "Transcribe…").toolTip()
