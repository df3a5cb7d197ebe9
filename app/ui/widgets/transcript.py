"""What was said, line by line; a click on a line goes there.

Knows nothing about playing: it is told the frame that is heard, and tells the frame that is wanted.
"""

from __future__ import annotations

from bisect import bisect_right

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.frames import seconds
from app.store.recordings import Line
from app.ui.shell import theme, wording

CLOCK_WIDTH = 7 * theme.GRID
"""Where the words begin, right of the time of their line."""


class Transcript(QTextEdit):
    """The lines of one talk; its text can be selected and copied."""

    frame_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []
        self._frames: list[int] = []
        self._current = -1
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(2 * theme.GRID)
        self.setAccessibleName(self.tr("Transcript"))
        self.setToolTip(self.tr("Click a line, or press Return in it, to play from there"))
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def set_lines(self, lines: list[Line]) -> None:
        """Show the lines of another talk."""
        self._lines = lines
        self._frames = [line.frame for line in lines]
        self._current = -1
        self._write()

    def set_cursor(self, frame: float) -> None:
        """Mark the line that is heard at a frame, and keep it in view."""
        current = bisect_right(self._frames, frame) - 1
        if current != self._current:
            self._current = current
            self._mark()

    def changeEvent(self, event: QEvent) -> None:
        """Write anew in other colours."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._write()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go to the line that was clicked, unless text was being selected."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self._choose(self.cursorForPosition(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the line of the caret with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.textCursor())
        else:
            super().keyPressEvent(event)

    def _choose(self, cursor: QTextCursor) -> None:
        number = cursor.blockNumber()
        if number < len(self._lines):
            self.frame_chosen.emit(self._lines[number].frame)

    def _write(self) -> None:
        tones = theme.colours(self.palette())
        self.clear()
        cursor = self.textCursor()
        cursor.beginEditBlock()
        for number, line in enumerate(self._lines):
            if number:
                cursor.insertBlock()
            cursor.setBlockFormat(_block_format(bool(line.text)))
            cursor.insertText(
                wording.clock(seconds(line.frame)) + "\t", self._format(tones.quiet, theme.SMALL)
            )
            if line.text:
                cursor.insertText(wording.spoken_line(line), self._format(tones.text, 1.0))
            else:
                tone = tones.quiet if line.gap else tones.user_text
                cursor.insertText(wording.spoken_line(line), self._format(tone, theme.SMALL))
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self._mark()

    def _format(self, colour: QColor, scale: float) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setFont(theme.scaled(self.font(), scale))
        style.setForeground(colour)
        return style

    def _mark(self) -> None:
        if not 0 <= self._current < len(self._lines):
            self.setExtraSelections([])
            return
        tones = theme.colours(self.palette())
        selection = QTextEdit.ExtraSelection()
        block = self.document().findBlockByNumber(self._current)
        ground = tones.model if self._lines[self._current].text else tones.user
        # PySide declares these two attributes without a type that can be assigned to.
        setattr(selection, "cursor", QTextCursor(block))  # noqa: B010
        style = QTextCharFormat()
        style.setBackground(theme.mixed(tones.base, ground, 0.16))
        style.setProperty(QTextFormat.Property.FullWidthSelection, True)
        setattr(selection, "format", style)  # noqa: B010
        self.setExtraSelections([selection])
        self._reveal(block.position())

    def _reveal(self, position: int) -> None:
        """Scroll so that a place can be seen, without moving the caret of the user."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        spot = self.cursorRect(cursor)
        height = self.viewport().height()
        if not 0 <= spot.top() <= height - 2 * spot.height():
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + spot.top() - height // 3)


def _block_format(spoken: bool) -> QTextBlockFormat:
    style = QTextBlockFormat()
    style.setBottomMargin(theme.GRID * (0.75 if spoken else 0.25))
    style.setLeftMargin(CLOCK_WIDTH)
    style.setTextIndent(-CLOCK_WIDTH)
    style.setTabPositions([QTextOption.Tab(CLOCK_WIDTH, QTextOption.TabType.LeftTab)])
    style.setLineHeight(118, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    return style
