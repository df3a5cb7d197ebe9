"""The Train page: from talks to a dataset, from a dataset to a run, from a run to a model."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListWidget, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.datasets import open_dataset
from app.engine.events import Unloaded
from app.options import Options
from app.paths import Paths, paths
from app.runs import list_runs, open_run
from app.settings import Settings
from app.ui import theme
from app.ui.app import open_window
from app.ui.curve_scale import nice_steps, value_range
from app.ui.curves import Curves, Losses
from app.ui.own_card import OwnCard
from app.ui.train import CHECK, DATA, LISTEN, TRAIN, TrainPage
from app.ui.train_config import Choices, for_goal, free_name
from app.ui.train_steps import Step
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage, StagedSession
from tests.ui.trained import WARNING, events, make_dataset, make_run, trainer

PATIENCE_MS = 20_000


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> Iterator[Path]:
    """Let children be the quick stand-in for the command; return its home. Ends what trains."""
    home = stage.where.config.parent
    home.mkdir(parents=True, exist_ok=True)

    def stand_in(where: Paths) -> list[str]:
        return [sys.executable, "-m", "tests.ui.train_command", str(where.config.parent)]

    monkeypatch.setattr("app.ui.errand.child_command", stand_in)
    monkeypatch.setattr("app.ui.train_process.child_command", stand_in)
    yield home
    (home / "slow").unlink(missing_ok=True)
    for run in list_runs(stage.where.runs):
        if run.alive:
            os.kill(run.values["pid"], signal.SIGKILL)


@pytest.fixture
def page(stage: Stage) -> TrainPage:
    stage.window.show_page(3)
    return stage.window.train


def button(widget: QWidget, text: str) -> QPushButton:
    return next(
        found
        for found in widget.findChildren(QPushButton)
        if found.text() == text and found.isVisibleTo(widget)
    )


def wait(qtbot: QtBot, there: Callable[[], bool]) -> None:
    qtbot.waitUntil(there, timeout=PATIENCE_MS)


def asked(home: Path) -> list[str]:
    return (home / "asked").read_text(encoding="utf-8").splitlines() if (home / "asked").exists() else []


def step_of(page: TrainPage) -> int:
    return page._stack.currentIndex()


def show_run(page: TrainPage, folder: Path) -> None:
    page.show_step(TRAIN)
    page.run.show_run(folder)


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
    assert lines[1].endswith("--model moshiko --json")
    assert ("Import", 0.5, 0.0) in seen
    assert ("Prepare", 1.0, 0.0) in seen
    assert page.data.dataset is not None
    assert page.data.dataset.prepared["model"] == "moshiko"
    button(page, "Train…").click()
    assert step_of(page) == TRAIN
    assert page.run.form.choices.data == ("my-talks",)
    page.show_step(DATA)
    wait(qtbot, lambda: "talk-2 is clipped in 31 places" in page.data.view.text)
    assert "ready for Moshiko" in page.data.bar.text


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


def test_a_dataset_says_what_it_lacks(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    folder = make_dataset(stage.where.datasets, prepared="")
    page.data.show_dataset(folder)
    wait(qtbot, lambda: "You have no words in 1 of 3 dialogues" in page.data.view.text)
    assert "Not prepared yet" in page.data.view.text
    assert button(page.data, "Transcribe…").toolTip()


# Train


def test_goals_are_settings() -> None:
    chosen = for_goal(Choices(data=("mine",), name="mine-1"), "manner")
    document = chosen.document()
    assert document["streams"] == "both"
    assert document["optimizer"]["lr_temporal"] == 2e-6
    assert document["optimizer"]["lr_depth"] == 4e-6
    assert for_goal(chosen, "topic").document()["lora"] == {"rank": 128}
    assert for_goal(chosen, "voice").document()["streams"] == "model"
    assert free_name("mine", ["mine-1", "mine-2"]) == "mine-3"


def test_what_the_window_writes_is_a_configuration() -> None:
    from training.config import parse_config

    for goal in ("voice", "manner", "topic"):
        config = parse_config(for_goal(Choices(data=("mine",), name="m"), goal).document(), "window")
        assert config.method == "lora"
        assert config.batch.seconds == 100.0


def test_the_need_is_told_before_anything_starts(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: "Needs about 20.4 GB of 25.8 GB graphics memory" in page.run.form.need)
    assert "About 38 min" in page.run.form.need
    assert "learns from 49 min 48 s" in page.run.form.need
    page.run.form.goals.choose("topic")
    assert page.run.form.choices.rank == 128
    page.run.form.expert.unfold()
    page.run.form.expert._numbers["steps"]._box.setValue(77)
    assert page.run.form.choices.steps == 77
    assert button(page.run, "Train").isEnabled()
    page.run.form._show_plan({"memory_gb": 30.0, "hours": 1.0, "steps": 10, "minutes": None, "fits": False})
    assert "Try 8 or 4 bits" in page.run.form.need


def test_without_a_dataset_there_is_nothing_to_train(page: TrainPage) -> None:
    page.show_step(TRAIN)
    assert "no prepared dataset" in page.run.form.need
    assert not button(page.run, "Train").isEnabled()


def test_a_plan_that_is_refused_says_why(page: TrainPage, stage: Stage, command: Path, qtbot: QtBot) -> None:
    make_dataset(stage.where.datasets)
    (command / "fail").write_text(
        "my-talks was prepared for another model.\nPrepare it again.", encoding="utf-8"
    )
    page.show_step(TRAIN)
    wait(qtbot, lambda: "my-talks was prepared for another model. Prepare it again." in page.run.form.need)


def begin(page: TrainPage, stage: Stage, qtbot: QtBot) -> Path:
    """Start a run as a user does, the model in memory given back first."""
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: button(page.run, "Train").isEnabled())
    button(page.run, "Train").click()
    stage.beat(Unloaded())
    folder = stage.where.runs / "my-talks-1"
    wait(qtbot, lambda: (folder / "run.json").exists() and open_run(folder).alive)
    return folder


def test_a_run_begins_when_the_model_has_left_the_memory(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    stage.talk(0, 1)
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: button(page.run, "Train").isEnabled())
    button(page.run, "Train").click()
    assert stage.session.asked[-2:] == ["stop", "unload"]
    qtbot.wait(100)
    assert not any(line.startswith("train /") and "--plan" not in line for line in asked(command))
    stage.beat(Unloaded())
    wait(qtbot, lambda: bool(page.run.going))
    wait(qtbot, lambda: "41 s of audio a second" in page.run.view.text)
    assert " of 500 · " in page.run.view.text
    assert " left · " in page.run.view.text


def test_a_run_is_paused_resumed_and_stopped(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    folder = begin(page, stage, qtbot)
    wait(
        qtbot,
        lambda: any(
            each.isVisible() for each in page.run.findChildren(QPushButton) if each.text() == "Pause"
        ),
    )
    button(page.run, "Pause").click()
    wait(qtbot, lambda: open_run(folder).state == "stopped")
    wait(qtbot, lambda: "it can go on from there" in page.run.view.text)
    done = open_run(folder).step
    button(page.run, "Resume").click()
    wait(qtbot, lambda: open_run(folder).step > done)
    wait(qtbot, lambda: page.run.run is not None and page.run.run.state == "running")
    button(page.run, "Stop").click()
    wait(qtbot, lambda: step_of(page) == LISTEN)
    assert open_run(folder).state == "stopped"
    assert f"train --resume {folder}" in asked(command)


def test_a_run_that_goes_on_is_found_by_another_window(stage: Stage, qtbot: QtBot) -> None:
    with trainer() as process:
        make_run(stage.where.runs, state="running", done=500, pid=process.pid)
        other = Stage(where=stage.where)
        other.window.show()
        other.window.show_page(3)
        other.window.train.show_step(TRAIN)
        wait(qtbot, lambda: "Step 500 of 1,000" in other.window.train.run.view.text)
        assert other.window.train.going
        other.window.leave()
        other.window.deleteLater()


def test_no_model_is_loaded_over_a_run_when_the_window_is_opened_again(tmp_path: Path) -> None:
    where = paths(tmp_path / "again")
    with trainer() as process:
        make_run(where.runs, state="running", done=500, pid=process.pid)
        session = StagedSession()
        window = open_window(session, where, Settings(model="moshika"), Options())
        assert not session.asked
        assert "A run is training" in window.status.trouble
        window.leave()
    session = StagedSession()
    window = open_window(session, where, Settings(model="moshika"), Options())
    assert session.asked == [("load", "moshika")]
    window.leave()


def test_a_process_that_ends_at_once_says_why(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: "Needs about" in page.run.form.need)
    (command / "fail").write_text("moshiko is not on this computer.\nDownload it first.", encoding="utf-8")
    button(page.run, "Train").click()
    stage.beat(Unloaded())
    wait(qtbot, lambda: "It did not start" in page.run.view.text)
    assert stage.window.status.trouble == "moshiko is not on this computer.\nDownload it first."


def test_a_failed_run_says_what_to_do(page: TrainPage, stage: Stage) -> None:
    folder = make_run(
        stage.where.runs,
        state="failed",
        done=100,
        sentence="The graphics memory ran out.",
        advice="Shorten the examples.",
    )
    show_run(page, folder)
    ending = page.run.view._ending
    assert ending.text() == "The graphics memory ran out.\nShorten the examples."
    assert ending.isVisible()
    assert ending.palette().color(ending.foregroundRole()) == theme.colours().trouble_text
    assert button(page.run, "Resume").isEnabled()


def test_a_collapse_is_told_in_words_and_in_red(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    folder = make_run(stage.where.runs, done=400, warning=True)
    show_run(page, folder)
    assert "Step 400: The voice collapses" in page.run.view.warnings.text
    assert "Lower the learning rates" in page.run.view.warnings.text
    page.run.view.warnings.add([WARNING | {"step": 400}])
    wait(qtbot, lambda: page.run.view.warnings.text.count("collapses") == 1)


def test_runs_are_listed_with_state_and_best_loss(page: TrainPage, stage: Stage) -> None:
    make_run(stage.where.runs, "mine-1", state="stopped", done=300)
    make_run(stage.where.runs, "mine-2")
    page.show_step(TRAIN)
    (rows,) = page.run.runs.findChildren(QListWidget)
    told = {rows.item(n).text(): rows.item(n).toolTip() for n in range(rows.count())}
    assert "stopped · best" in told["mine-1"]
    assert "finished · best" in told["mine-2"]
    rows.setCurrentRow(1)
    assert page.run.run is not None
    assert page.run.run.name == rows.item(1).text()


# Curves


def test_curves_take_in_what_happened_once() -> None:
    losses = Losses()
    told = list(events(100, 60, both=True, every=20))
    losses.add(told)
    losses.add([event for event in told if event["step"] > 40])
    assert [step for step, _ in losses.held_out["user"]] == [0, 20, 40, 60]
    assert losses.streams == ["text", "semantic", "acoustic", "user"]
    assert losses.best_step == max(event["step"] for event in told if event.get("best"))


def test_curves_are_painted_in_the_two_colours(qtbot: QtBot) -> None:
    curves = Curves()
    qtbot.addWidget(curves)
    curves.resize(960, 160)
    curves.add(list(events(200, 200, both=True)))
    curves.set_steps(200)
    image = curves.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    found = {
        name
        for name, colour in (("model", theme.MODEL_COLOUR), ("user", theme.USER_COLOUR))
        if any(
            image.pixelColor(x, y) == QColor(colour)
            for x in range(0, image.width(), 1)
            for y in range(0, image.height(), 2)
        )
    }
    assert found == {"model", "user"}
    assert "Words (text) best" in curves.accessibleDescription()
    qtbot.mouseMove(curves, QPoint(120, 80))
    assert "at" in curves._reading("text", 100)


def test_scales_are_round() -> None:
    assert [text for _, text in nice_steps(0.0, 1000.0, 4)] == ["0", "500", "1,000"]
    assert [text for _, text in nice_steps(1.62, 2.98, 3)] == ["2.0", "2.5"]
    assert value_range([]) == (0.0, 1.0)
    low, high = value_range([(0, 2.0), (1, 3.0)])
    assert low < 2.0
    assert high > 3.0


# Listen


def test_before_and_after_stand_side_by_side(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    folder = make_run(stage.where.runs, both=True)
    show_run(page, folder)
    button(page.run, "Listen").click()
    assert step_of(page) == LISTEN
    strips = [sample.strip for sample in page.listen.samples.values()]
    wait(qtbot, lambda: all(strip._data.frames == 250 for strip in strips))
    assert "2.9" in page.listen.scores.text
    assert page.listen.scores.text.count("\nbetter") == 4
    played: list[Path] = []
    page.listen.player.load = played.append
    page.listen.player.play = lambda: None
    for sample in page.listen.samples.values():
        sample.strip.sought.emit(10.0)
    best = open_run(folder).values["best_step"]
    assert [path.name for path in played] == ["step-000000.flac", f"step-{best:06}.flac"]


def test_samples_of_the_run_are_played(page: TrainPage, stage: Stage) -> None:
    folder = make_run(stage.where.runs, done=100)
    show_run(page, folder)
    played: list[Path] = []
    page.run.player.load = played.append
    page.run.player.play = lambda: None
    before = next(
        each for each in page.run.view.samples.findChildren(QAbstractButton) if each.text() == "Before"
    )
    before.click()
    assert played == [folder / "samples" / "step-000000.flac"]
    assert before.icon_name == "pause"
    before.click()
    assert before.icon_name == "play"


def test_a_model_is_made_and_talked_to(page: TrainPage, stage: Stage, command: Path, qtbot: QtBot) -> None:
    folder = make_run(stage.where.runs)
    show_run(page, folder)
    button(page.run, "Listen").click()
    with qtbot.waitSignal(page.models_changed, timeout=PATIENCE_MS):
        button(page.listen, "Make it a model").click()
    assert f"export {folder}" in asked(command)
    assert "my-talks-1 is among your models" in page.listen.text
    button(page.listen, "Talk to it").click()
    assert ("load", "my-talks-1") in stage.session.asked
    assert stage.page.isVisible()
    wait(qtbot, lambda: not stage.window.models._errands)


def test_a_model_that_can_not_be_made_says_why(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    (command / "fail").write_text("The disk is full.\nMake room.", encoding="utf-8")
    show_run(page, make_run(stage.where.runs))
    button(page.run, "Listen").click()
    with qtbot.waitSignal(page.trouble, timeout=PATIENCE_MS) as told:
        button(page.listen, "Make it a model").click()
    assert told.args == ["The disk is full.", "Make room."]
    assert button(page.listen, "Make it a model").isEnabled()


# Closing


def question(stage: Stage, answer: str) -> QAbstractButton:
    stage.window.close()
    (box,) = stage.window.findChildren(QMessageBox)
    assert "Training goes on without the window" in box.text()
    return next(each for each in box.buttons() if each.text() == answer)


def test_closing_asks_and_training_goes_on(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    begin(page, stage, qtbot)
    question(stage, "Cancel").click()
    wait(qtbot, lambda: not stage.window.findChildren(QMessageBox))
    assert stage.window.isVisible()
    with qtbot.waitSignal(stage.window.closed):
        question(stage, "Let it go on").click()
    (run,) = list_runs(stage.where.runs)
    assert run.alive


def test_closing_can_stop_and_save(page: TrainPage, stage: Stage, command: Path, qtbot: QtBot) -> None:
    folder = begin(page, stage, qtbot)
    with qtbot.waitSignal(stage.window.closed, timeout=PATIENCE_MS):
        question(stage, "Stop it and save").click()
    assert open_run(folder).state == "stopped"


def test_a_signal_closes_without_a_question(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    begin(page, stage, qtbot)
    with qtbot.waitSignal(stage.window.closed):
        stage.window.leave()
    assert open_dataset(stage.where.datasets / "my-talks").prepared


# From talks to a talk, with nothing that stands in for anything


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_talks_to_a_model_of_ones_own(page: TrainPage, stage: Stage, qtbot: QtBot) -> None:
    """Prepare, train the tiny model, make it a model, and find it among the models."""
    from app.engine.checkpoint import find
    from app.engine.fake import make_tiny

    long_ms = 240_000
    for n in range(3):
        record_dialogue(stage.where.recordings, span_s=(0, 20 + 5 * n))
    make_tiny(stage.where.models / "tiny")
    page.data.refresh()
    wait(qtbot, lambda: len(page.data.new.sources.marked) == 3)
    page.data.new.begin_anew()
    page.data.new.choose_model("tiny")
    button(page.data, "Prepare").click()
    qtbot.waitUntil(lambda: step_of(page) == CHECK, timeout=long_ms)
    page.show_step(TRAIN)
    form = page.run.form
    form.expert.unfold()
    for name, value in (("steps", 2), ("seconds", 10), ("accumulation", 1), ("held_out_percent", 34)):
        form.expert._numbers[name]._box.setValue(value)
    assert form.choices.model == "tiny"
    qtbot.waitUntil(lambda: "Working out" not in form.need, timeout=long_ms)
    assert "Needs about" in form.need
    button(page.run, "Train").click()
    stage.beat(Unloaded())
    folder = stage.where.runs / "my-talks-1"
    qtbot.waitUntil(
        lambda: (folder / "run.json").exists() and open_run(folder).state == "finished", timeout=long_ms
    )
    wait(qtbot, lambda: "Finished" in page.run.view.text)
    assert "Step 2 of 2" in page.run.view.text
    button(page.run, "Listen").click()
    strips = [sample.strip for sample in page.listen.samples.values()]
    wait(qtbot, lambda: all(strip._data.frames > 0 for strip in strips))
    assert "Words" in page.listen.scores.text
    with qtbot.waitSignal(page.models_changed, timeout=long_ms):
        button(page.listen, "Make it a model").click()
    qtbot.waitUntil(lambda: bool(stage.window.models.findChildren(OwnCard)), timeout=long_ms)
    found = find("my-talks-1", models=stage.where.models)
    assert found.adapter is not None
    assert found.source == str(stage.where.models / "my-talks-1")
