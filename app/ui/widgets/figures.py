"""The figures of one talk: who spoke how much, as a bar, and turn-taking per minute, as a short table.

Knows nothing about how they are found.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.store.turn_taking import Statistics
from app.ui.shell import theme
from app.ui.timeview.timeline_paint import paint_hatch
from app.ui.widgets.panel import quiet

BAR_HEIGHT = 14


class Figures(QWidget):
    """Share of the talk by speaker, then what happened each minute."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = ShareBar()
        self._legend = quiet("")
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(2 * theme.GRID)
        self._table.setVerticalSpacing(theme.GRID // 2)
        self._table.setColumnStretch(0, 1)
        self._values: list[QLabel] = []
        for row, (name, tip) in enumerate(self._rows()):
            label, value = QLabel(name), QLabel("")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            for part in (label, value):
                part.setToolTip(tip)
            value.setAccessibleName(name)
            self._table.addWidget(label, row, 0)
            self._table.addWidget(value, row, 1)
            self._values.append(value)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.GRID)
        rows.addWidget(self._bar)
        rows.addWidget(self._legend)
        rows.addSpacing(theme.GRID)
        title = QLabel(self.tr("Each minute"))
        title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        rows.addWidget(title)
        rows.addLayout(self._table)
        rows.addStretch(1)

    def set_statistics(self, figures: Statistics, model: str) -> None:
        """Show the figures of a talk with a model of this name."""
        self._bar.set_statistics(figures)
        share = 100 / max(figures.length_s, 0.08)
        self._legend.setText(
            self.tr("{0} {1} %, you {2} %, both at once {3} %").format(
                model,
                round(figures.said_s * share),
                round(figures.heard_s * share),
                round(figures.overlap_s * share),
            )
        )
        numbers = (
            figures.turns, figures.pauses, figures.gaps, figures.overlaps,
            figures.backchannels, figures.interruptions,
        )  # fmt: skip
        for label, number in zip(self._values, numbers, strict=True):
            label.setText(self.locale().toString(number, "f", 1))

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Turns"), self.tr("How often one takes over from the other")),
            (self.tr("Pauses"), self.tr("Joint silences within the speech of one")),
            (self.tr("Gaps"), self.tr("Joint silences between one and the other")),
            (self.tr("Overlaps"), self.tr("Stretches where both speak")),
            (self.tr("Backchannels"), self.tr("Short words of the model while you go on speaking")),
            (self.tr("Interruptions"), self.tr("You speak up and the model stops")),
        ]


class ShareBar(QWidget):
    """The talk as one bar: the model alone, both at once, you alone, and silence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shares = (0.0, 0.0, 0.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Who spoke how much"))

    def set_statistics(self, figures: Statistics) -> None:
        """Show the shares of a talk."""
        length_s = max(figures.length_s, 0.08)
        alone = figures.said_s - figures.overlap_s, figures.overlap_s, figures.heard_s - figures.overlap_s
        self._shares = (alone[0] / length_s, alone[1] / length_s, alone[2] / length_s)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(200, BAR_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shares from left to right; what is left is silence."""
        tones = theme.colours(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), tones.line)
        left = 0.0
        for share, fill in zip(self._shares, ("model", "both", "user"), strict=True):
            area = QRectF(left, 0, share * self.width(), self.height())
            if fill == "both":
                paint_hatch(painter, area, tones)
            else:
                painter.fillRect(area, getattr(tones, fill))
            left += area.width()
