"""The states of the Train page for `tests.screenshots`: made-up datasets and runs, the real window."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ui.training.page import TrainPage
    from tests.screenshots import Camera


def leave_runs(home: Path) -> None:
    """Leave datasets and runs: one that is whole, one that was stopped, one that failed, two that go on."""
    from app.paths import paths
    from tests.ui import checked
    from tests.ui.trained import make_dataset, make_run

    where = paths(home)
    kyoto = checked.make_dataset(where.datasets / "kyoto", 14, spoken=True)
    checked.write_check(kyoto, checked.check_values())
    make_dataset(where.datasets, "bedtime-stories", language="ja", prepared="")
    make_dataset(where.datasets, "my-talks", dialogues=9)
    failed = {
        "sentence": "The graphics memory ran out.",
        "advice": "Lower batch.seconds, or set base_bits to 8 or 4.",
    }
    make_run(where.runs, "my-talks-1", state="failed", steps=500, done=50, **failed)
    make_run(where.runs, "my-talks-2", state="stopped", steps=500, done=300)
    make_run(where.runs, "my-talks-3", steps=1_000, done=1_000, both=True)


def show_step(camera: Camera, index: int) -> TrainPage:
    page = camera.window.train
    camera.window.show_page(3)
    page.show_step(index)
    camera.wait(200)
    return page


def train_data(camera: Camera) -> None:
    page = show_step(camera, 0)
    camera.wait_until(lambda: bool(page.data.new.sources.marked))
    camera.shoot()


def train_dataset(camera: Camera) -> None:
    page = show_step(camera, 0)
    page.data.show_dataset(camera.stage.where.datasets / "my-talks")
    camera.wait_until(lambda: page.data._facts is not None)
    camera.shoot()


def show_check(camera: Camera, dataset: str) -> TrainPage:
    page = show_step(camera, 0)
    page.data.show_dataset(camera.stage.where.datasets / dataset)
    page.show_step(1)
    camera.wait_until(lambda: page.check._errand is None)
    return page


def train_check(camera: Camera) -> None:
    show_check(camera, "kyoto")
    camera.shoot()


def train_unchecked(camera: Camera) -> None:
    show_check(camera, "my-talks")
    camera.shoot()


def train_words(camera: Camera) -> None:
    page = show_check(camera, "kyoto")
    page.check.open_words("talk-01")
    camera.wait_until(lambda: page.check.editor.is_read)
    camera.shoot()


def train_preparing(camera: Camera) -> None:
    page = show_step(camera, 0)
    camera.wait_until(lambda: bool(page.data.new.sources.marked))
    page.data.new.setEnabled(False)
    page.data._show_progress("Encoding", 0.37, 94.0)
    page.data._stop.show()
    page.data._go.hide()
    page.data._found(
        {
            "dialogue": "talk-2",
            "sentence": "It is clipped: 0.02 % of the left channel.",
            "done": "It was kept as it is.",
        }
    )
    camera.shoot()


def train_form(camera: Camera, *, expert: bool = False) -> None:
    page = show_step(camera, 2)
    page.run.form.shut()
    page.run.form.goals.choose("manner")
    page.run.form.shut()
    page.run.form._card_bytes = 25_757_220_864
    plan = {"memory_gb": 20.4, "hours": 0.83, "held_out_hours": 0.09, "minutes": 38.0, "fits": True}
    page.run.form._show_plan(plan)
    if expert:
        page.run.form.expert.unfold()
    camera.shoot()


def train_expert(camera: Camera) -> None:
    train_form(camera, expert=True)


def running(camera: Camera, *, warning: bool = False) -> Path:
    from tests.ui.trained import make_run, trainer

    process = camera.ending.enter_context(trainer())
    runs = camera.stage.where.runs
    folder = make_run(
        runs, "my-talks-4", state="running", done=640, both=True, pid=process.pid, warning=warning
    )
    camera.ending.callback(shutil.rmtree, folder)
    show_step(camera, 2)
    camera.wait(700)
    return folder


def train_running(camera: Camera) -> None:
    running(camera)
    camera.shoot()


def train_collapse(camera: Camera) -> None:
    running(camera, warning=True)
    camera.shoot()


def train_stopping(camera: Camera) -> None:
    running(camera)
    page = camera.window.train
    page.run._stopping = True
    assert page.run.run is not None
    page.run._show_run(page.run.run)
    camera.shoot()


def train_other_base(camera: Camera) -> None:
    page = show_step(camera, 2)
    page.choice.choose("starter")
    camera.wait(200)
    camera.shoot()


def train_outdated(camera: Camera) -> None:
    page = show_check(camera, "my-talks")
    folder = camera.stage.where.datasets / "my-talks"
    (folder / "text" / "talk-2.json").touch()
    page.check.changed.emit()
    camera.wait(200)
    camera.shoot()
    (folder / "prepared.json").touch()


def train_failed(camera: Camera) -> None:
    page = show_step(camera, 2)
    page.run.show_run(camera.stage.where.runs / "my-talks-1")
    camera.shoot()


def train_listen(camera: Camera) -> None:
    page = show_step(camera, 2)
    page.run.show_run(camera.stage.where.runs / "my-talks-3")
    page.run.view.listen_wanted.emit()
    camera.wait(1_000)
    camera.shoot()


def train_closing(camera: Camera) -> None:
    from PySide6.QtWidgets import QMessageBox

    running(camera)
    camera.window.close()
    camera.wait(300)
    (question,) = camera.window.findChildren(QMessageBox)
    question.grab().save(str(camera.file))
    print(camera.file, flush=True)
    question.close()


def train_small(camera: Camera) -> None:
    camera.window.resize(900, 600)
    running(camera)
    camera.shoot()


def train_small_data(camera: Camera) -> None:
    camera.window.resize(900, 600)
    train_data(camera)


def models_own(camera: Camera) -> None:
    from app.ui.models.model_list import OwnModelFacts, Shelf

    camera.window.show_page(2)
    camera.window.models.shut()
    own = OwnModelFacts(
        name="my-talks-3",
        parent="moshiko",
        language="en",
        created=datetime.now().astimezone().isoformat(),
        data=("my-talks",),
        hours=0.83,
        steps=550,
        scores={"loss": 5.23, "text": 1.82, "semantic": 3.41, "acoustic": 4.76, "user": 4.21},
        before={"loss": 7.54, "text": 2.92, "semantic": 4.62, "acoustic": 5.4, "user": 5.09},
    )
    camera.window.models.show_shelf(
        Shelf(frozenset({"moshiko", "moshika"}), 25_757_220_864, 24_900_000_000, own=(own,))
    )
    camera.shoot()


TRAIN_STATES: dict[str, Callable[[Camera], None]] = {
    "32-models-own": models_own,
    "50-train-data": train_data,
    "50-train-data-small": train_small_data,
    "50-train-dataset": train_dataset,
    "50-train-preparing": train_preparing,
    "50-train-step-check": train_check,
    "50-train-step-unchecked": train_unchecked,
    "50-train-step-outdated": train_outdated,
    "50-train-step-words": train_words,
    "51-train-form": train_form,
    "51-train-form-expert": train_expert,
    "51-train-form-other-base": train_other_base,
    "51-train-running": train_running,
    "51-train-stopping": train_stopping,
    "51-train-running-small": train_small,
    "51-train-collapse": train_collapse,
    "51-train-failed": train_failed,
    "52-train-listen": train_listen,
    "53-train-closing": train_closing,
}
