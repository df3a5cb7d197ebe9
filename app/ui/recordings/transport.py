"""The controls under an opened recording: play, speed, loop, and how loud each voice is.

Knows nothing about sound: it tells what is wanted, and shows what it is told.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from app.frames import seconds
from app.ui.shell import theme
from app.ui.shell.wording import clock

SPEEDS = (0.75, 1.0, 1.5, 2.0)
BALANCE_STEPS = 20
SPEED_WIDTH = 64


class Transport(QWidget):
    """One row of controls."""

    play_pressed = Signal()
    speed_chosen = Signal(float)
    loop_toggled = Signal(bool)
    balance_chosen = Signal(float, float)
    """The gain of the model and of the user, 0 to 1 each."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length = "0:00"
        self._play = self._play_button()
        self._place = QLabel()
        self._place.setAccessibleName(self.tr("Place in the talk"))
        self._loop = QPushButton(self.tr("Loop"))
        self._loop.setCheckable(True)
        self._loop.toggled.connect(self.loop_toggled)
        self._balance = self._balance_slider()
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(theme.GRID)
        across.addWidget(self._play)
        across.addSpacing(theme.GRID)
        across.addWidget(self._place)
        across.addStretch(1)
        for button in self._speed_buttons():
            across.addWidget(button)
        across.addSpacing(theme.GRID)
        across.addWidget(self._loop)
        across.addStretch(1)
        across.addWidget(QLabel(self.tr("Model")))
        across.addWidget(self._balance)
        across.addWidget(QLabel(self.tr("You")))
        self.set_playing(False)
        self.set_stretch(False)
        self.set_frame(0.0)

    def set_length(self, frames: int) -> None:
        """Show how long the talk is."""
        self._length = clock(seconds(frames))
        self.set_frame(0.0)
        self._play.setEnabled(frames > 0)

    def set_frame(self, frame: float) -> None:
        """Show where the play head is."""
        self._place.setText(f"{clock(frame * seconds(1))} / {self._length}")

    def set_playing(self, playing: bool) -> None:
        """Show whether it plays."""
        self._play.setText(self.tr("Pause") if playing else self.tr("Play"))

    def set_stretch(self, marked: bool) -> None:
        """Show whether there is a stretch to go round in."""
        self._loop.setEnabled(marked)
        tip = self.tr("Go round in the marked stretch (L)")
        self._loop.setToolTip(tip if marked else self.tr("Mark a stretch first: drag over the strip above"))
        if self._loop.isChecked() != marked:
            self._loop.setChecked(marked)

    def toggle_loop(self) -> None:
        """Press the loop button, if there is something marked."""
        self._loop.click()

    def _play_button(self) -> QPushButton:
        button = QPushButton(self.tr("Play"))
        button.setMinimumWidth(12 * theme.GRID)
        button.setToolTip(self.tr("Play or pause (Space)"))
        button.clicked.connect(self.play_pressed)
        theme.make_primary(button)
        return button

    def _speed_buttons(self) -> list[QPushButton]:
        group = QButtonGroup(self)
        buttons = []
        for speed in SPEEDS:
            text = self.locale().toString(speed, "g", 3) + "×"
            button = QPushButton(text)
            button.setCheckable(True)
            button.setChecked(speed == 1.0)
            button.setMinimumWidth(SPEED_WIDTH)
            button.setAccessibleName(self.tr("Speed {0}").format(text))
            button.setToolTip(self.tr("Play {0} as fast, at the same pitch").format(text))
            button.clicked.connect(partial(self.speed_chosen.emit, speed))
            group.addButton(button)
            buttons.append(button)
        return buttons

    def _balance_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(-BALANCE_STEPS, BALANCE_STEPS)
        slider.setFixedWidth(15 * theme.GRID)
        slider.setAccessibleName(self.tr("Balance of the two voices"))
        slider.setToolTip(self.tr("To the left the model alone, to the right you alone"))
        slider.valueChanged.connect(self._tell_balance)
        return slider

    def _tell_balance(self, value: int) -> None:
        share = value / BALANCE_STEPS
        self.balance_chosen.emit(min(1.0, 1.0 - share), min(1.0, 1.0 + share))
