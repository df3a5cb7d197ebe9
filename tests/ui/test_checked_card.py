"""What a test of the graphics card found is one line of the window, and what went wrong is never silent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.engine.events import Loading, PromptSupport, Trouble
from app.ui.shell import translation as words
from app.ui.shell.translation import PARTS, TEMPLATES
from tests.ui import dialogue
from tests.ui.staging import Stage

RIGHT = "checked on this card: right, 21 ms of 80"
WRONG = "checked on this card: wrong, the test was ended by SIGSEGV"
FALLBACK = Trouble(
    "moshika runs with moshi's own engine, since a check of this card failed: the test was ended by SIGSEGV.",
    "Update the driver and Aizuchi, then run `aizuchi doctor --check moshika` again.",
)


def stage_with(qtbot: QtBot, checked: str, **ready: object) -> Stage:
    stage = Stage()
    qtbot.addWidget(stage.window)
    stage.load(replace(dialogue.READY, checked=checked, **ready))  # type: ignore[arg-type]  # fields of Ready
    return stage


def detail(stage: Stage) -> str:
    return stage.page.signpost.pane._detail.text()


def test_the_line_stands_under_the_model_that_is_ready_and_in_the_status(qtbot: QtBot) -> None:
    stage = stage_with(qtbot, RIGHT)
    assert detail(stage) == RIGHT
    tip = stage.window.status._model.toolTip().splitlines()
    assert tip[-1] == RIGHT
    assert "RTX 4090" in tip[0]


def test_nothing_is_said_where_nothing_was_checked(qtbot: QtBot) -> None:
    stage = stage_with(qtbot, "")
    assert detail(stage) == ""
    assert "\n" not in stage.window.status._model.toolTip()


def test_it_stands_below_the_prompt_of_a_model_that_takes_one(qtbot: QtBot) -> None:
    stage = stage_with(qtbot, RIGHT, prompts=PromptSupport(voices=("NATF0",), role=True))
    assert detail(stage).splitlines()[-1] == RIGHT


def test_a_failure_is_told_with_its_advice_and_stays(qtbot: QtBot) -> None:
    stage = Stage()
    qtbot.addWidget(stage.window)
    stage.beat(Loading("Checking the graphics card"), FALLBACK, Loading("Reading Mimi"))
    stage.beat(replace(dialogue.READY, checked=WRONG))
    assert stage.window.status.trouble == f"{FALLBACK.sentence}\n{FALLBACK.advice}"
    assert detail(stage) == WRONG


def test_a_load_knows_where_tests_are_kept(qtbot: QtBot) -> None:
    stage = Stage()
    qtbot.addWidget(stage.window)
    stage.window.load("moshika")
    assert stage.session.cache == stage.where.cache


@pytest.mark.parametrize(
    ("text", "template"),
    [
        (RIGHT, "checked on this card: right, {0} ms of {1}"),
        (WRONG, "checked on this card: wrong, {0}"),
        (FALLBACK.sentence, "{0} runs with moshi's own engine, since a check of this card failed: {1}."),
        (FALLBACK.advice, "Update the driver and Aizuchi, then run `aizuchi doctor --check {0}` again."),
        ("the test was ended by SIGSEGV", "the test was ended by {0}"),
    ],
)
def test_what_is_said_is_known_to_the_translators(text: str, template: str) -> None:
    patterns = words._patterns(TEMPLATES + PARTS)
    assert next(each for each, pattern in patterns if pattern.fullmatch(text)) == template
