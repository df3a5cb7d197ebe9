"""What will be learnt from one dataset, as a page: pictures, what is odd, and the dialogues.

Knows nothing about how it was found out; tells which dialogue is to be mended.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.ui.shell import theme
from app.ui.shell.translation import told
from app.ui.training.check.data import Check, Finding
from app.ui.training.check.pictures import Picture, pictures
from app.ui.training.check.table import DialogueTable
from app.ui.training.check.words import facts, verdict
from app.ui.widgets.panel import Column, Panel, heading, quiet

SHEET_WIDTH = 1_160
CARD_WIDTH = 300
"""The least width of a picture; as many stand side by side as fit, at most MOST_ACROSS."""
MOST_ACROSS = 3
FIRST_FINDINGS = 6
"""So many findings are shown before the rest is asked for."""


class CheckSheet(Column):
    """The page for one check."""

    mend_wanted = Signal(str, object)
    """Correct the words of this dialogue, where a Finding is; None for its beginning."""
    refresh_wanted = Signal()
    prepare_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(SHEET_WIDTH, margin=theme.GRID, parent=parent)
        self._facts = quiet("")
        self._verdict = GraveLabel(grave=False)
        self._verdict.setWordWrap(True)
        self._again = QPushButton(self.tr("Check again"))
        self._again.setToolTip(self.tr("Look at the sound and the words anew"))
        self._again.clicked.connect(self.refresh_wanted)
        self._grid = _Grid()
        self._findings = _Findings()
        self._table = DialogueTable()
        self._lay_out()
        self._findings.mend_wanted.connect(self.mend_wanted)
        self._findings.prepare_wanted.connect(self.prepare_wanted)
        self._table.chosen.connect(self._mend)

    def set_check(self, name: str, check: Check) -> None:
        """Show what was found in a dataset of this name."""
        self._facts.setText(f"{name} · {facts(check)}")
        self._verdict.setText(verdict(check))
        self._verdict.set_grave(check.refused)
        self._grid.set_pictures(pictures(check))
        self._findings.set_findings(check.findings)
        self._table.set_check(check)

    def _mend(self, dialogue: str) -> None:
        """Correct the words of a dialogue, where the first finding about it is."""
        self.mend_wanted.emit(dialogue, self._findings.first_of(dialogue))

    def set_busy(self, busy: bool) -> None:
        """Show whether the dataset is being looked at anew."""
        self._again.setEnabled(not busy)
        self._again.setText(self.tr("Checking…") if busy else self.tr("Check again"))

    def _lay_out(self) -> None:
        across = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._verdict)
        words.addWidget(self._facts)
        across.addLayout(words, 1)
        across.addWidget(self._again, 0, Qt.AlignmentFlag.AlignTop)
        self.items.addLayout(across)
        self.items.addSpacing(theme.GRID)
        self.items.addWidget(self._grid)
        self.items.addWidget(self._findings)
        self.items.addSpacing(2 * theme.GRID)
        self.items.addWidget(heading(self.tr("Dialogues")))
        sheet = Panel(across=theme.GRID)
        sheet.add(self._table)
        self.items.addWidget(sheet)


class PictureCard(Panel):
    """One picture on its sheet: title, picture, meaning."""

    def __init__(self, picture: Picture) -> None:
        super().__init__(down=round(1.5 * theme.GRID))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.add(heading(picture.title))
        self.add_space(theme.GRID)
        self.add(_Drawing(picture))
        self.add_space(theme.GRID)
        sentence = quiet(picture.sentence)
        sentence.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        sentence.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.add(sentence)


class _Drawing(QWidget):
    """Where a picture is drawn."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture
        self.setAccessibleName(picture.title)
        self.setAccessibleDescription(picture.numbers)
        self.setToolTip(picture.numbers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the height of the picture."""
        return QSize(CARD_WIDTH - 4 * theme.GRID, round(self._picture.height))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._picture.paint(painter, QRectF(self.rect()), theme.colours(self.palette()))


class _Grid(QWidget):
    """The pictures side by side, as many as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[PictureCard] = []
        self._across = 0
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID)

    def set_pictures(self, found: list[Picture]) -> None:
        """Show other pictures."""
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = [PictureCard(picture) for picture in found]
        self._across = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put more or fewer side by side."""
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        """Return the least size: one beside the other may always become one below the other."""
        return QSize(CARD_WIDTH, super().minimumSizeHint().height())

    def _arrange(self) -> None:
        across = min(MOST_ACROSS, max(1, (self.width() + theme.GRID) // (CARD_WIDTH + theme.GRID)))
        if across == self._across or not self._cards:
            return
        self._across = across
        for column in range(MOST_ACROSS):
            self._layout.setColumnStretch(column, int(column < across))
        for number, card in enumerate(self._cards):
            self._layout.addWidget(card, number // across, number % across)


class _Findings(QWidget):
    """What is odd, one sentence a row, and a button that leads to where it is mended."""

    mend_wanted = Signal(str, object)
    prepare_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 2 * theme.GRID, 0, 0)
        self._rows.setSpacing(theme.GRID)
        self._found: tuple[Finding, ...] = ()

    def set_findings(self, found: tuple[Finding, ...]) -> None:
        """Show these findings, what is refused and what concerns everything first."""
        self._found = tuple(sorted(found, key=lambda each: (not each.refused, bool(each.dialogue))))
        self._show(FIRST_FINDINGS)

    def first_of(self, dialogue: str) -> Finding | None:
        """Return the first finding that is at one place of a dialogue."""
        own = (each for each in self._found if each.dialogue == dialogue and each.at_s is not None)
        return next(own, None)

    def _show(self, most: int) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.setVisible(bool(self._found))
        if not self._found:
            return
        self._rows.addWidget(heading(self.tr("To look at")))
        panel = Panel()
        panel.setAccessibleName(self.tr("What is odd"))
        for finding in self._found[:most]:
            self._add(panel, finding)
        if len(self._found) > most:
            every = QPushButton(self.tr("Show all {0}").format(len(self._found)))
            every.clicked.connect(partial(self._show, len(self._found)))
            panel.add_row(self.tr("{0} more").format(len(self._found) - most), "", every)
        self._rows.addWidget(panel)

    def _add(self, panel: Panel, finding: Finding) -> None:
        controls: list[QWidget] = [GraveLabel(self.tr("Refused") if finding.refused else self.tr("Odd"))]
        if finding.dialogue:
            mend = QPushButton(self.tr("Correct the words…"))
            mend.setToolTip(self.tr("Open the words of {0} beside its sound").format(finding.dialogue))
            mend.clicked.connect(
                lambda _=False, finding=finding: self.mend_wanted.emit(finding.dialogue, finding)
            )
            controls.append(mend)
        elif "data prepare" in finding.advice:
            prepare = QPushButton(self.tr("Prepare"))
            prepare.setToolTip(self.tr("Go to where the dataset is prepared"))
            prepare.clicked.connect(self.prepare_wanted)
            controls.append(prepare)
        row = panel.add_row(finding.words, told(finding.advice), *controls)
        for label in row.findChildren(QLabel):
            label.setWordWrap(label is not controls[0])


class GraveLabel(QLabel):
    """A label that may stand in the colour of trouble."""

    def __init__(self, text: str = "", *, grave: bool = True) -> None:
        super().__init__(text)
        self._grave = grave
        self._colour()

    def set_grave(self, grave: bool) -> None:
        """Take the colour of trouble, or leave it."""
        self._grave = grave
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def _colour(self) -> None:
        tones = theme.colours()
        colour = tones.trouble_text if self._grave else tones.text
        if self.palette().color(QPalette.ColorRole.WindowText) != colour:
            palette = self.palette()
            palette.setColor(QPalette.ColorRole.WindowText, colour)
            self.setPalette(palette)
