"""The step Listen: the same prompt before and after training, the scores, and a model made of the run.

Knows nothing about how a model is made: `aizuchi export` does that, a process of its own.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.frames import FRAME_RATE
from app.paths import Paths
from app.store.recordings import ChannelLevels, read_levels
from app.store.runs import Run, read_metrics
from app.ui.shell import theme
from app.ui.shell.background_worker import Aside
from app.ui.shell.theme import GRID, make_primary
from app.ui.shell.verb_process import Errand
from app.ui.timeview.overview import Overview
from app.ui.timeview.timeline_data import TimelineData
from app.ui.training.parts import FORM_WIDTH, ActionBar
from app.ui.training.run.config import prompt_seconds
from app.ui.training.run.words import score_names, score_words
from app.ui.widgets.controls import IconButton
from app.ui.widgets.panel import Column, Panel, Switch, heading, quiet
from app.ui.widgets.player import Player

Evaluation = dict[str, Any]
SCORE_WIDTH = 96


class Sample(Panel):
    """What was said at one step: a button, and its sound as a strip."""

    play_wanted = Signal(object)
    """The frame to play from, None to fall silent."""

    def __init__(self, title: str) -> None:
        super().__init__(down=2 * GRID)
        self._playing = False
        self._said: tuple[float, float] | None = None
        """The frames that the model said itself."""
        self._title = heading(title)
        self._step = quiet("")
        self._button = IconButton("play", self.tr("Play"))
        self._button.setAccessibleName(self.tr("Play: {0}").format(title))
        self._button.setToolTip(self.tr("Play or stop"))
        self._button.clicked.connect(lambda: self.play_wanted.emit(None if self._playing else 0.0))
        self.strip = Overview()
        self.strip.setAccessibleName(title)
        self.strip.setToolTip(self.tr("Orange is the model, blue the user; click to play from there"))
        self.strip.sought.connect(self.play_wanted.emit)
        self.strip.marked.connect(self._mark_said)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addSpacing(GRID)
        top.addWidget(self._step, 1)
        top.addWidget(self._button)
        self.add(top)
        self.add_space(GRID)
        self.add(self.strip)

    def show_sample(self, step: str, levels: ChannelLevels, prompt_frames: int) -> None:
        """Show another sound; what was given as its beginning is shaded."""
        self._step.setText(step)
        frames = levels.shape[1]
        there = frames > 0
        self.strip.set_data(TimelineData.from_levels(levels, []) if there else TimelineData())
        # As the judge of a run does: no more than half of a short dialogue is given.
        self._said = (float(min(prompt_frames, frames // 2)), float(frames)) if there else None
        self._mark_said()
        self._button.setEnabled(there)
        self.setEnabled(there)

    def _mark_said(self) -> None:
        self.strip.set_stretch(self._said)

    def set_playing(self, playing: bool) -> None:
        """Show whether it is heard."""
        self._playing = playing
        self._button.set_icon("pause" if playing else "play")


class Scores(Panel):
    """Each score before and after, and whether it became better."""

    def __init__(self) -> None:
        super().__init__(down=2 * GRID)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(0, 1)
        self.add(self._grid)

    @property
    def text(self) -> str:
        """Return all that is shown, row by row."""
        return "\n".join(label.text() for label in self.findChildren(QLabel) if not label.isHidden())

    def show_scores(self, before: Evaluation, after: Evaluation) -> None:
        """Show two evaluations beside each other."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        titles = (
            self.tr("Losses on dialogues kept aside, lower is better"),
            self.tr("Before"),
            self.tr("After"),
            "",
        )
        self._add_row(0, titles, quiet_row=True)
        for name, (title, less_is_better) in score_names().items():
            values = before.get(name), after.get(name)
            if isinstance(values[0], (int, float)) and isinstance(values[1], (int, float)):
                shown = [score_words(name, float(value)) for value in values if value is not None]
                judged = self._judge(float(values[0]), float(values[1]), less_is_better, name)
                self._add_row(self._grid.rowCount(), (title, *shown, judged), quiet_row=False)

    def _judge(self, before: float, after: float, less_is_better: bool, name: str) -> str:
        """Losses become better or worse; of the other scores only a collapse is bad."""
        if name in ("distinct_codes", "entropy_bits", "padding_share"):
            return ""
        if abs(after - before) < 0.005:
            return self.tr("as before")
        return self.tr("better") if (after < before) == less_is_better else self.tr("worse")

    def _add_row(self, row: int, texts: tuple[str, ...], *, quiet_row: bool) -> None:
        for column, text in enumerate(texts):
            label = quiet(text) if quiet_row or column == 3 else QLabel(text)
            if column:
                label.setFixedWidth(SCORE_WIDTH)
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(label, row, column)


class ListenStep(QWidget):
    """The page of the last step."""

    talk_wanted = Signal(str)
    """The name of the new model."""
    models_changed = Signal()
    trouble = Signal(str, str)
    """A sentence and an advice for the status line."""

    def __init__(self, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._run: Run | None = None
        self._files: dict[str, Path] = {}
        self._heard = ""
        self._errand: Errand | None = None
        self._made = ""
        self._aside = Aside(self)
        self.player = Player(self)
        self.samples = {
            "before": Sample(self.tr("Before")),
            "after": Sample(self.tr("After")),
        }
        self.scores = Scores()
        self._title = heading("")
        self._note = quiet("")
        self._bar = ActionBar()
        self._merge = Switch(self.tr("Merge into the base"))
        self._make = QPushButton(self.tr("Make it a model"))
        self._talk = QPushButton(self.tr("Talk to it"))
        self._lay_out()
        self._connect()
        self.show_run(None)

    @property
    def text(self) -> str:
        """Return what is said below."""
        return self._bar.text

    def show_run(self, run: Run | None) -> None:
        """Show before and after of a run."""
        self._silence()
        if run is None or self._run is None or run.folder != self._run.folder:
            self._made = ""
        self._run = run
        evaluations = []
        if run is not None:
            events, _ = read_metrics(run.folder)
            evaluations = [event for event in events if event["kind"] == "evaluation"]
        before, after = _before_and_after(evaluations)
        self._title.setText(run.name if run is not None else self.tr("Nothing to hear yet"))
        self._note.setText(self._explain(run, after))
        self.scores.show_scores(before, after)
        self.scores.setVisible(bool(before and after))
        for name, evaluation in (("before", before), ("after", after)):
            self.samples[name].setVisible(run is not None)
            self._show_sample(name, evaluation)
        self._show_state()

    def set_speaker(self, name: str) -> None:
        """Play through this device, '' for the default."""
        self.player.set_speaker(name)

    def shut(self) -> None:
        """End the sound and what is under way."""
        self.player.close()
        self._aside.close()
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def hideEvent(self, event: QHideEvent) -> None:
        """Fall silent."""
        super().hideEvent(event)
        self._silence()
        self._show_state()

    def _explain(self, run: Run | None, after: Evaluation) -> str:
        if run is None:
            return self.tr("A run can be heard once it has been judged for the first time.")
        if not after:
            return self.tr("This run has not been judged since it began.")
        return self.tr(
            "A dialogue kept aside: its beginning, faded, then what the model says. After: best step, {0}."
        ).format(f"{after.get('step', 0):,}")

    def _show_sample(self, name: str, evaluation: Evaluation) -> None:
        path = evaluation.get("sample")
        step = self.tr("Step {0}").format(f"{evaluation.get('step', 0):,}") if evaluation else ""
        self._files.pop(name, None)
        if self._run is None or not path:
            self.samples[name].show_sample(self.tr("no sample"), read_levels(Path()), 0)
            return
        file = self._run.folder / str(path)
        self._files[name] = file
        self._aside.ask(partial(read_levels, file), partial(self._show_levels, name, file, step))

    def _show_levels(self, name: str, file: Path, step: str, levels: ChannelLevels) -> None:
        if self._files.get(name) == file:
            prompt = round(prompt_seconds(file.parents[1]) * FRAME_RATE)
            self.samples[name].show_sample(step, levels, prompt)

    def _play(self, name: str, frame: float | None) -> None:
        if frame is None or name not in self._files:
            self._silence()
            return
        if self._heard != name:
            self._silence()
            self.player.load(self._files[name])
        self._heard = name
        self.player.pause()
        self.player.seek(frame)
        self.player.play()
        self._show_playing(True)

    def _silence(self) -> None:
        if self.player.playing:
            self.player.pause()
        self._heard = ""

    def _show_playing(self, playing: bool) -> None:
        for name, sample in self.samples.items():
            sample.set_playing(playing and name == self._heard)

    def _move(self, frame: float) -> None:
        if self._heard:
            self.samples[self._heard].strip.set_cursor(frame)

    def _export(self) -> None:
        if self._run is None:
            return
        arguments = ["export", str(self._run.folder), *(["--merge"] if self._merge.isChecked() else [])]
        self._errand = Errand(arguments, self._paths, self)
        self._errand.line.connect(lambda line: self._bar.say(self.tr("Making the model…"), line))
        self._errand.done.connect(self._exported)
        self._bar.say(self.tr("Making the model…"))
        self._show_buttons()

    def _exported(self, status: int, out: str, complaint: str) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
            self._errand = None
        if status != 0:
            lines = complaint.strip().splitlines() or [self.tr("The model could not be made.")]
            sentence, advice = (lines[-2], lines[-1]) if len(lines) > 1 else (lines[0], "")
            self._bar.say(sentence, advice, trouble=True)
            self._show_buttons()
            self.trouble.emit(sentence, advice)
            return
        self._made = Path(out.strip().splitlines()[-1]).name if out.strip() else ""
        self._show_state()
        self.models_changed.emit()

    def _show_state(self) -> None:
        """Say what can be done next."""
        if self._run is None:
            self._bar.say(self.tr("Train first; then listen."))
        elif self._errand is not None:
            return
        elif self._made or self._is_made():
            self._made = self._made or self._run.folder.name
            self._bar.say(
                self.tr("{0} is among your models.").format(self._made),
                self.tr("It stands on the Models page under the model that it came from."),
            )
        elif not self._run.values.get("best_step") and not self._run.step:
            self._bar.say(self.tr("There is no checkpoint of this run yet."))
        else:
            self._bar.say(
                self.tr("Make the best step a model to talk with."),
                self.tr(
                    "Merged, it needs no base beside it and takes as much disk as the base; else it is small."
                ),
            )
        self._show_buttons()

    def _is_made(self) -> bool:
        return (
            self._run is not None and (self._paths.models / self._run.folder.name / "aizuchi.json").exists()
        )

    def _show_buttons(self) -> None:
        made = bool(self._made) and self._errand is None
        self._make.setVisible(not made)
        self._merge_row.setVisible(not made and self._run is not None)
        self._make.setEnabled(self._run is not None and self._run.step > 0 and self._errand is None)
        self._talk.setVisible(made)

    def _connect(self) -> None:
        self._make.clicked.connect(self._export)
        self._talk.clicked.connect(lambda: self.talk_wanted.emit(self._made))
        for name, sample in self.samples.items():
            sample.play_wanted.connect(partial(self._play, name))
        self.player.playing_changed.connect(self._show_playing)
        self.player.moved.connect(self._move)
        self.player.trouble.connect(self.trouble)

    def _lay_out(self) -> None:
        self._title.setFont(theme.scaled(self._title.font(), 1.15))
        self._make.setToolTip(
            self.tr("Write the best step as a model that every program of the family can load")
        )
        self._talk.setToolTip(self.tr("Take it into memory, and go to Talk"))
        self._merge.setToolTip(self.tr("Add the adapter to the weights of the base, in place of beside them"))
        for button in (self._make, self._talk):
            button.setAutoDefault(True)
            make_primary(button)
        self._merge_row = QWidget()
        across = QHBoxLayout(self._merge_row)
        across.setContentsMargins(0, 0, GRID, 0)
        across.addWidget(QLabel(self.tr("Merge")))
        across.addWidget(self._merge)
        column = Column(FORM_WIDTH, margin=GRID)
        items = column.items
        items.addWidget(self._title)
        items.addWidget(self._note)
        items.addSpacing(GRID)
        pair = QHBoxLayout()
        pair.setSpacing(2 * GRID)
        for sample in self.samples.values():
            pair.addWidget(sample, 1)
        items.addLayout(pair)
        items.addSpacing(GRID)
        items.addWidget(self.scores)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column, 1)
        below = QHBoxLayout()
        below.setContentsMargins(GRID, 0, GRID, GRID)
        below.addWidget(self._bar, 1)
        whole.addLayout(below)
        self._bar.add(self._merge_row, self._make, self._talk)


def _before_and_after(evaluations: list[Evaluation]) -> tuple[Evaluation, Evaluation]:
    """Return the evaluation before training, and the best one since; {} where there is none."""
    before = next((each for each in evaluations if each.get("step") == 0), {})
    since = [each for each in evaluations if each.get("step", 0) > 0]
    best = [each for each in since if each.get("best")]
    return before, (best or since or [{}])[-1]
