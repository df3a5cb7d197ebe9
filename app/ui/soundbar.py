"""The upper row of the Talk page: which model, which microphone, which speaker, and how loud they are.

Knows nothing about sessions: it tells what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.audio.devices import Device
from app.catalog import KNOWN
from app.ui.controls import Chooser, IconButton
from app.ui.meters import LevelMeter
from app.ui.theme import GRID

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
        self._microphone = Chooser("microphone", self.tr("Microphone"), self.tr("What the model hears"))
        self._speaker = Chooser("speaker", self.tr("Speaker"), self.tr("What the model speaks through"))
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
        self.set_devices([])
        for chooser, signal in (
            (self._model, self.model_chosen),
            (self._microphone, self.microphone_chosen),
            (self._speaker, self.speaker_chosen),
        ):
            chooser.activated.connect(lambda _, c=chooser, s=signal: s.emit(c.currentData()))

    def set_model(self, spec: str) -> None:
        """Show which model is chosen."""
        _choose(self._model, spec)

    def set_sound(self, microphone: str, speaker: str) -> None:
        """Show which devices are chosen, by their stable names."""
        _choose(self._microphone, microphone)
        _choose(self._speaker, speaker)

    def set_devices(self, devices: Sequence[Device]) -> None:
        """Offer these devices, and keep what is chosen even if it is not plugged in."""
        for chooser, kind in ((self._microphone, "in"), (self._speaker, "out")):
            chosen = chooser.currentData() or ""
            with QSignalBlocker(chooser):
                chooser.clear()
                chooser.addItem(self.tr("System default"), "")
                for device in devices:
                    if device.kind == kind:
                        chooser.addItem(device.label, device.name)
            _choose(chooser, chosen)

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


def _choose(chooser: Chooser, data: str) -> None:
    """Select the entry with this data; one that is not listed is added."""
    with QSignalBlocker(chooser):
        found = chooser.findData(data)
        if found < 0:
            chooser.addItem(data.rsplit("/", 1)[-1], data)
            found = chooser.count() - 1
        chooser.setCurrentIndex(found)
        chooser.update()
