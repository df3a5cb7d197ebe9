"""The step Listen and the end of the window: before and after, a model of one's own, and what goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QMessageBox
from pytestqt.qtbot import QtBot

from app.engine.events import Unloaded
from app.store.datasets import open_dataset
from app.store.runs import list_runs, open_run
from app.ui.models.own_card import OwnCard
from app.ui.training.page import CHECK, LISTEN, TRAIN, TrainPage
from tests.ui.recorded import record_dialogue
from tests.ui.staging import Stage
from tests.ui.train_stage import PATIENCE_MS, asked, begin, button, question, show_run, step_of, wait
from tests.ui.trained import make_run

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
