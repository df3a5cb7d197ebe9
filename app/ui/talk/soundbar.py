"""The upper row of the Talk page: which model, which microphone, which speaker, and how loud they are.

Knows nothing about sessions: it tells what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.audio.devices import Device
from app.catalog import KNOWN
from app.ui.shell.theme import GRID
from app.ui.widgets.controls import Chooser, IconButton
from app.ui.widgets.device_chooser import DeviceChooser
from app.ui.widgets.meters import LevelMeter

TRIALS = ("tiny", "echo")
"""Models that need no download: random weights, and one that says what it hears."""


class SoundBar(QWidget):
    """Three choosers, two meters, and the button of the drawer."""

    model_chosen = Signal(str)
    microphone_chosen = Signal(str)
    speaker_chosen = Signal(str)
    drawer_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = Chooser("models", self.tr("Model"), self.tr("The model to talk with"))
        self._microphone = DeviceChooser("in", self.tr("Microphone"), self.tr("What the model hears"))
        self._speaker = DeviceChooser("out", self.tr("Speaker"), self.tr("What the model speaks through"))
        self.heard = LevelMeter(self.tr("Your level"), user=True)
        self.said = LevelMeter(self.tr("The model's level"), user=False)
        self.drawer_button = IconButton("sliders")
        self.drawer_button.setCheckable(True)
        self.drawer_button.setToolTip(self.tr("Live settings and graphs (Ctrl+,)"))
        self.drawer_button.setAccessibleName(self.tr("Live settings"))
        self.drawer_button.clicked.connect(self.drawer_wanted)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(GRID)
        across.addWidget(self._model, 5)
        across.addStretch(1)
        across.addWidget(self._microphone, 5)
        across.addWidget(self.heard, 2)
        across.addSpacing(GRID)
        across.addWidget(self._speaker, 5)
        across.addWidget(self.said, 2)
        across.addSpacing(GRID)
        across.addWidget(self.drawer_button)
        self._fill_models()
        for chooser, signal in (
            (self._model, self.model_chosen),
            (self._microphone, self.microphone_chosen),
            (self._speaker, self.speaker_chosen),
        ):
            chooser.activated.connect(lambda _, c=chooser, s=signal: s.emit(c.currentData()))

    def set_model(self, spec: str) -> None:
        """Show which model is chosen."""
        self._model.choose(spec)

    def set_sound(self, microphone: str, speaker: str) -> None:
        """Show which devices are chosen, by their stable names."""
        self._microphone.choose(microphone)
        self._speaker.choose(speaker)

    def set_devices(self, devices: Sequence[Device]) -> None:
        """Offer these devices, and keep what is chosen even if it is not plugged in."""
        for chooser in (self._microphone, self._speaker):
            chooser.offer(devices)

    def set_locked(self, locked: bool) -> None:
        """Hold the choices while a talk uses them."""
        self._model.setEnabled(not locked)

    def device_names(self) -> tuple[str, str]:
        """Return the names of microphone and speaker for people."""
        return self._microphone.currentText(), self._speaker.currentText()

    def _fill_models(self) -> None:
        for known in KNOWN:
            self._model.addItem(known.name, known.name)
        self._model.insertSeparator(self._model.count())
        for spec, text in zip(
            TRIALS, (self.tr("tiny (to try things)"), self.tr("echo (to test)")), strict=True
        ):
            self._model.addItem(text, spec)
        self._model.insertSeparator(self._model.count())
        self._model.addItem(self.tr("All models…"), "")
