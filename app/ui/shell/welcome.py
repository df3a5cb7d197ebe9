"""The first page of all: which microphone and speaker, whether talks are recorded, which model.

Shown once. Knows nothing about where settings are kept, and nothing about how a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.audio.devices import lack, or_default
from app.audio.duplex import Duplex
from app.audio.process import ABSENT
from app.audio.trial import Trial, TrialPort
from app.settings import Settings
from app.ui.shell import theme
from app.ui.widgets.device_chooser import DeviceChooser
from app.ui.widgets.meters import LevelMeter
from app.ui.widgets.panel import COLUMN_WIDTH, Column, Switch, quiet

if TYPE_CHECKING:
    from app.audio.devices import Device

CONTROL_WIDTH = 264


class WelcomePage(QWidget):
    """What has to be asked before the first talk, each with an answer that will do."""

    answered = Signal(object)
    """The Settings, once the page is done with."""
    models_wanted = Signal()
    trouble = Signal(str, str)
    """A sentence and an advice for the status line; may come from another thread."""

    def __init__(
        self,
        settings: Settings,
        parent: QWidget | None = None,
        *,
        open_port: Callable[[Settings], TrialPort] | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._open_port = open_port or self._open
        self._lacking = ""
        self._trial: Trial | None = None
        self._column = Column()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._column)
        title = QLabel(self.tr("Welcome to Aizuchi"))
        title.setFont(theme.scaled(self.font(), theme.WORDS))
        self._column.items.addWidget(title)
        sentence = self.tr(
            "Here you talk with a model that listens while it speaks. It runs on this computer: nothing that "
            "you say leaves it."
        )
        self._column.items.addWidget(quiet(sentence))
        self._add_sound()
        self._add_recording()
        self._add_model()
        whole.addLayout(self._end())

    def set_devices(self, found: Sequence[Device]) -> None:
        """Offer these devices, and listen to them if none was listened to yet."""
        for box in (self._microphone, self._speaker):
            box.offer(found)
        lacking = lack(
            or_default({"in": self._settings.microphone, "out": self._settings.speaker}, found), found
        )
        if self._trial is None and not lacking:
            self._listen()
        elif lacking != self._lacking and lacking:
            self.trouble.emit(*ABSENT[lacking])
        self._lacking = lacking

    def advance(self, elapsed_ms: float) -> None:
        """Move the meters; called with each tick of the window."""
        counters = self._trial.counters() if self._trial is not None else None
        self._test.setEnabled(counters is not None)
        if counters is not None:
            self._heard.push(counters.heard_peak_db)
            self._said.push(counters.said_peak_db)
        for meter in (self._heard, self._said):
            meter.advance(elapsed_ms)

    def shut(self) -> None:
        """Let go of the devices."""
        if self._trial is not None:
            self._trial.close()
            self._trial = None

    def _open(self, settings: Settings) -> Duplex:
        """Open the devices; called on the thread of the trial."""
        return Duplex(settings.microphone, settings.speaker, echo="off", report=self.trouble.emit)

    def _listen(self) -> None:
        settings = self._settings
        self._trial = Trial(
            lambda: self._open_port(settings),
            lambda fault: self.trouble.emit(fault.sentence, fault.advice),
            after=self._trial,
        )

    def _change(self, **values: Any) -> None:
        self._settings = replace(self._settings, **values)
        self._listen()

    def _play(self) -> None:
        if self._trial is not None:
            self._trial.play()

    def _finish(self) -> None:
        self.shut()
        self.answered.emit(replace(self._settings, record=self._record.isChecked(), welcomed=True))

    def _add_sound(self) -> None:
        panel = self._column.section(self.tr("Sound"))
        self._microphone = DeviceChooser("in", self.tr("Microphone"), self.tr("What the model hears you by"))
        self._speaker = DeviceChooser("out", self.tr("Speaker"), self.tr("What you hear the model by"))
        for box, name in (
            (self._microphone, self._settings.microphone),
            (self._speaker, self._settings.speaker),
        ):
            box.fix_width(CONTROL_WIDTH)
            box.choose(name)
        self._heard = LevelMeter(self.tr("Level of the microphone"), user=True)
        self._said = LevelMeter(self.tr("Level of the speaker"), user=False)
        self._test = QPushButton(self.tr("Test sound"))
        self._test.setToolTip(self.tr("Play three notes"))
        self._test.setEnabled(False)
        self._test.clicked.connect(self._play)
        self._microphone.activated.connect(lambda _: self._change(microphone=self._microphone.currentData()))
        self._speaker.activated.connect(lambda _: self._change(speaker=self._speaker.currentData()))
        explanation = self.tr("Say something: the bar moves.")
        panel.add_row(self.tr("Microphone"), explanation, self._heard, self._microphone)
        explanation = self.tr("Headphones are best. Through a loudspeaker, echo is cancelled.")
        panel.add_row(self.tr("Speaker"), explanation, self._said, self._speaker)
        panel.add_row("", self.tr("Do you hear it?"), self._test)

    def _add_recording(self) -> None:
        panel = self._column.section(self.tr("Recordings"))
        self._record = Switch(self.tr("Record every talk"))
        self._record.setToolTip(self.tr("Can be changed at any time, also during a talk (R)"))
        explanation = self.tr(
            "Both voices and the words, to hear again and to train on. They stay on this computer until you "
            "delete them."
        )
        panel.add_row(self.tr("Record every talk"), explanation, self._record)

    def _add_model(self) -> None:
        panel = self._column.section(self.tr("Model"))
        more = QPushButton(self.tr("See the others"))
        more.setToolTip(
            self.tr("What they speak, what they may be used for, and what fits this graphics card")
        )
        more.clicked.connect(self.models_wanted)
        more.clicked.connect(self._finish)
        explanation = self.tr(
            "A small model is here already, and is enough to try. The large ones are 8 to 15 GB to download, "
            "and need an NVIDIA card."
        )
        panel.add_row("starter", explanation, more)

    def _end(self) -> QHBoxLayout:
        """Return what ends the page; it stays in sight where the page scrolls."""
        self._begin = QPushButton(self.tr("Begin"))
        self._begin.setToolTip(self.tr("Begin") + " (Ctrl+Return)")
        self._begin.setDefault(True)
        self._begin.clicked.connect(self._finish)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._finish)
        self.setFocusProxy(self._begin)
        inside = QWidget()
        inside.setMaximumWidth(COLUMN_WIDTH)
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self._begin)
        across = QHBoxLayout()
        across.setContentsMargins(3 * theme.GRID, theme.GRID, 3 * theme.GRID, theme.GRID)
        across.addStretch(1)
        across.addWidget(inside, 1000)
        across.addStretch(1)
        return across
