"""The step Train: goals, what a run needs, how it begins, is followed, stopped, resumed and painted."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from app.engine.events import Unloaded
from app.learning_rates import rates_of
from app.options import Options
from app.paths import paths
from app.settings import Settings
from app.store.datasets import list_datasets, open_dataset
from app.store.runs import open_run
from app.ui.models.model_list import OwnModelFacts
from app.ui.models.own_card import OwnCard
from app.ui.shell import theme
from app.ui.shell.app import open_window
from app.ui.training.page import LISTEN, TRAIN, TrainPage
from app.ui.training.run.config import Choices, for_goal, free_name
from app.ui.training.run.curve_scale import nice_steps, value_range
from app.ui.training.run.curves import Curves, Losses
from app.ui.training.run.form import RunForm
from app.ui.training.run.words import Figures, facts_line, fall_words
from tests.ui.staging import Stage, StagedSession
from tests.ui.test_talk_guard import answer
from tests.ui.train_stage import asked, begin, button, show_run, step_of, wait
from tests.ui.trained import WARNING, events, make_dataset, make_run, trainer
from training.config import parse_config

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


def test_learning_rates_follow_the_model_until_they_are_chosen(page: TrainPage, stage: Stage) -> None:
    make_dataset(stage.where.datasets)
    make_dataset(stage.where.datasets, "small", prepared="starter")
    page.show_step(TRAIN)
    form = page.run.form
    form.show_datasets(list_datasets(stage.where.datasets), open_dataset(stage.where.datasets / "my-talks"))
    assert rates(form) == (2e-6, 4e-6)
    form.show_datasets(list_datasets(stage.where.datasets), open_dataset(stage.where.datasets / "small"))
    assert form.choices.model == "starter"
    assert rates(form) == rates_of("starter", "lora")
    assert form.expert._numbers["lr_temporal"].value() == pytest.approx(1e6 * rates(form)[0])
    expert = form.expert
    expert.unfold()
    expert._method.setCurrentIndex(expert._method.findData("full"))
    expert._method.activated.emit(expert._method.currentIndex())
    assert rates(form) == rates_of("starter", "full")
    expert._numbers["lr_depth"]._box.setValue(77.0)
    form.show_datasets(list_datasets(stage.where.datasets), open_dataset(stage.where.datasets / "my-talks"))
    assert rates(form) == (rates_of("starter", "full").temporal, 77e-6)


def rates(form: RunForm) -> tuple[float, float]:
    optimizer = form.choices.document()["optimizer"]
    return optimizer["lr_temporal"], optimizer["lr_depth"]


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


def test_what_learns_is_chosen_and_what_has_no_meaning_then_is_not(page: TrainPage, stage: Stage) -> None:
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    expert = page.run.form.expert
    expert.unfold()
    expert._bits.setCurrentIndex(2)
    expert._bits.activated.emit(2)
    assert page.run.form.choices.document()["base_bits"] == 4
    expert._method.setCurrentIndex(expert._method.findData("depth"))
    expert._method.activated.emit(expert._method.currentIndex())
    document = page.run.form.choices.document()
    assert (document["method"], document["base_bits"]) == ("depth", 16)
    assert not expert._bits.isEnabled()
    assert not expert._numbers["rank"].isEnabled()
    assert parse_config(document, "the window").method == "depth"
    page.run.form.goals.choose("topic")
    assert expert._method.currentData() == "depth"


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


def test_a_run_begins_when_the_model_has_left_the_memory(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    stage.talk(0, 1)
    make_dataset(stage.where.datasets)
    page.show_step(TRAIN)
    wait(qtbot, lambda: button(page.run, "Train").isEnabled())
    button(page.run, "Train").click()
    # The talk is recorded, so it is asked for before it ends.
    answer(stage, "End the talk")
    stage.beat()
    qtbot.waitUntil(lambda: "unload" in stage.session.asked)
    assert stage.session.asked.index("stop") < stage.session.asked.index("unload")
    qtbot.wait(100)
    assert not any(line.startswith("train /") and "--plan" not in line for line in asked(command))
    stage.beat(Unloaded())
    wait(qtbot, lambda: bool(page.run.going))
    wait(qtbot, lambda: "41 s of audio a second" in page.run.view.text)
    assert " of 500 · " in page.run.view.text
    assert " left · " in page.run.view.text


def test_how_far_a_run_is_is_one_figure_whichever_page_is_in_front(
    page: TrainPage, stage: Stage, qtbot: QtBot
) -> None:
    assert page.progress is None
    with trainer() as process:
        make_run(stage.where.runs, state="running", done=250, pid=process.pid, step=200)
        stage.window.show_page(0)
        wait(qtbot, lambda: page.progress == 0.25)
        stage.window.show_page(3)
        page.show_step(TRAIN)
        wait(qtbot, lambda: "Step 250 of 1,000" in page.run.view.text)
        (rows,) = page.run.runs.findChildren(QListWidget)
        assert "training, 25 %" in rows.item(0).toolTip()
        assert page.run.view._progress.accessibleDescription() == "25%"
    wait(qtbot, lambda: page.progress is None)


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


def test_stopping_says_what_it_does_and_can_be_cut_short(
    page: TrainPage, stage: Stage, command: Path, qtbot: QtBot
) -> None:
    """The stand-in saves as long as a file is there, unless it is asked again."""
    (command / "saving").touch()
    folder = begin(page, stage, qtbot)
    buttons = page.run.findChildren(QPushButton)
    wait(qtbot, lambda: any(each.isVisible() for each in buttons if each.text() == "Stop"))
    button(page.run, "Stop").click()
    assert "Stopping…" in page.run.view.text
    assert "Saving" not in page.run.view.text
    wait(qtbot, lambda: "Saving a checkpoint" in page.run.view.text)
    now = button(page.run, "Stop now")
    assert "End at once at the checkpoint of step" in now.toolTip()
    now.click()
    wait(qtbot, lambda: open_run(folder).state == "stopped")
    wait(qtbot, lambda: step_of(page) == LISTEN)


def test_memory_is_called_what_it_is(qtbot: QtBot) -> None:
    for device, on_card, words in (
        ("CPU", False, "20 GB of memory"),
        ("2 x CPU", None, "20 GB of memory"),
        ("NVIDIA L4", None, "20 GB of graphics memory"),
        ("NVIDIA L4", True, "20 GB of graphics memory"),
    ):
        figures = Figures()
        started = {"kind": "started", "step": 0, "device": device}
        figures.add([started if on_card is None else {**started, "on_card": on_card}])
        figures.add([{"kind": "step", "step": 1, "memory_gb": 20.0}])
        assert words in facts_line(1, 2, figures, "").replace("20.0", "20")


def test_one_percentage_is_shown_of_a_run_wherever_it_stands(page: TrainPage, stage: Stage) -> None:
    folder = make_run(stage.where.runs)
    run = open_run(folder)
    first = run.values["first_loss"]
    show_run(page, folder)
    percent = fall_words(first, run.values["best_loss"])
    assert percent.startswith("−")
    (rows,) = page.run.runs.findChildren(QListWidget)
    assert f"({percent})" in rows.item(0).toolTip()
    assert f"at best ({percent})" in page.run.view.text
    before, after = {"loss": first}, {"loss": run.values["best_loss"]}
    card = OwnCard(OwnModelFacts("mine", "moshiko", before=before, scores=after))
    assert any(f"loss {percent}" in label.text() for label in card.findChildren(QLabel))


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
