"""The lower row of the Talk page: start and stop, mute, restart, volume, recording, and whether it keeps up.

Knows nothing about sessions: it tells what is wanted.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSlider, QWidget

from app.ui.shell.icons import paint_icon
from app.ui.shell.theme import GRID, colours, make_primary
from app.ui.widgets.controls import CONTROL_HEIGHT, ICON, IconButton, RecordSign


class Glyph(QWidget):
    """An icon that is no button."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size of an icon."""
        return QSize(int(ICON), int(ICON))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the icon in the quiet colour."""
        paint_icon(QPainter(self), QRectF(0, 0, ICON, ICON), self._icon, colours(self.palette()).quiet)


class Desk(QWidget):
    """What is under the hand while talking."""

    start_wanted = Signal()
    stop_wanted = Signal()
    mute_wanted = Signal(bool)
    restart_wanted = Signal()
    volume_changed = Signal(float)
    record_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._talking = False
        self.start = QPushButton()
        self.start.setAutoDefault(True)
        self.start.setMinimumHeight(CONTROL_HEIGHT)
        make_primary(self.start)
        texts = (self.tr("Start"), self.tr("Stop"))
        widest = max(self.start.fontMetrics().horizontalAdvance(text) for text in texts)
        self.start.setFixedWidth(widest + 6 * GRID)
        self.start.clicked.connect(self.toggle)
        self.mute = IconButton("microphone", self.tr("mute"), self.tr("Space"))
        self.mute.setCheckable(True)
        self.mute.setToolTip(self.tr("Let the model hear silence (Space)"))
        self.mute.setAccessibleName(self.tr("Mute the microphone"))
        self.mute.clicked.connect(self.mute_wanted)
        self.restart = IconButton("restart")
        self.restart.setToolTip(self.tr("Let the model forget and begin anew (Ctrl+Shift+R)"))
        self.restart.setAccessibleName(self.tr("Restart the conversation"))
        self.restart.clicked.connect(self.restart_wanted)
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setRange(0, 100)
        self.volume.setPageStep(10)
        self.volume.setFixedWidth(96)
        self.volume.setToolTip(self.tr("How loud the model is (Ctrl+Up, Ctrl+Down)"))
        self.volume.setAccessibleName(self.tr("Volume"))
        self.volume.valueChanged.connect(lambda percent: self.volume_changed.emit(percent / 100))
        self.record = RecordSign()
        self.record.setToolTip(self.tr("Record the talk on this computer (R)"))
        self.record.setAccessibleName(self.tr("Record the talk"))
        self.record.clicked.connect(self.record_wanted)
        self._loudness = _beside(Glyph("speaker"), self.volume)
        self.pace = QLabel()
        self.pace.setAccessibleName(self.tr("Whether the model keeps up"))
        self.pace.setToolTip(self.tr("Whether the model keeps up; figures are in the drawer (Ctrl+,)"))
        widest = max(
            self.pace.fontMetrics().horizontalAdvance(text) for text in (self.tr("keeps up"), self.tr("late"))
        )
        self.pace.setMinimumWidth(widest)
        self._lay_out()
        self.set_talking(False)

    def set_talking(self, talking: bool) -> None:
        """Turn Start into Stop, and allow what only a running talk knows."""
        self._talking = talking
        self.start.setText(self.tr("Stop") if talking else self.tr("Start"))
        self.start.setToolTip(
            self.tr("End the talk (Ctrl+Return)") if talking else self.tr("Talk (Ctrl+Return)")
        )
        self.set_pace(late=False if talking else None)
        self.mute.setEnabled(talking)
        self.restart.setEnabled(talking)
        self.set_muted(False)

    def set_stoppable(self) -> None:
        """Turn Start into Stop while a talk is only about to begin, and allow nothing else of it."""
        self.set_talking(True)
        self.set_pace(None)
        self.start.setEnabled(True)
        self.mute.setEnabled(False)
        self.restart.setEnabled(False)

    def set_startable(self, startable: bool) -> None:
        """Allow Start, or not while there is nothing to talk with."""
        self.start.setEnabled(startable)

    def set_muted(self, muted: bool) -> None:
        """Show whether the model hears the microphone."""
        self.mute.setChecked(muted)
        self.mute.set_icon("muted" if muted else "microphone")

    def set_pace(self, late: bool | None) -> None:
        """Say in a word whether the model keeps up or is late; None where it does nothing."""
        texts = {None: "", False: self.tr("keeps up"), True: self.tr("late")}
        self.pace.setText(texts[late])
        palette = QPalette(self.palette())
        tones = colours(palette)
        palette.setColor(QPalette.ColorRole.WindowText, tones.trouble_text if late else tones.quiet)
        self.pace.setPalette(palette)

    def set_volume(self, volume: float) -> None:
        """Show a volume, 0..1, without telling it."""
        with QSignalBlocker(self.volume):
            self.volume.setValue(round(100 * volume))

    def toggle(self) -> None:
        """Ask for the start or the end of a talk."""
        if not self.start.isEnabled():
            return
        (self.stop_wanted if self._talking else self.start_wanted).emit()

    def minimumSizeHint(self) -> QSize:
        """Return the size that is needed without what may be left out."""
        return QSize(self._needed_px(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out whether it keeps up, then the volume, where there is no room for them."""
        super().resizeEvent(event)
        room = event.size().width() - self._needed_px()
        for part in (self._loudness, self.pace):
            room -= part.sizeHint().width() + 2 * GRID
            part.setVisible(room >= 0)

    def _needed_px(self) -> int:
        """Return the width of what is always there."""
        always = (self.start, self.mute, self.restart, self.record)
        widths = (max(each.sizeHint().width(), each.minimumWidth()) for each in always)
        return sum(widths) + (len(always) + 1) * GRID

    def _lay_out(self) -> None:
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(GRID)
        for widget in (self.start, self.mute, self.restart):
            across.addWidget(widget)
        across.addSpacing(GRID)
        across.addWidget(self._loudness)
        across.addStretch(1)
        across.addWidget(self.record)
        order = (self.start, self.mute, self.restart, self.volume, self.record)
        for before, after in pairwise(order):
            self.setTabOrder(before, after)
        across.addSpacing(GRID)
        across.addWidget(self.pace)


def _beside(*parts: QWidget) -> QWidget:
    """Return a widget that holds others side by side."""
    whole = QWidget()
    across = QHBoxLayout(whole)
    across.setContentsMargins(0, 0, 0, 0)
    across.setSpacing(GRID)
    for part in parts:
        across.addWidget(part)
    return whole
