"""The words of a running talk: newest at full strength, older ones fading, the user's turns as quiet marks.

Knows nothing about sessions: it is told what is spoken in which frame, and who is active.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextBlockUserData,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.frames import FRAME_RATE, seconds
from app.store.turn_taking import BACKCHANNEL_S, TURN_PAUSE_S
from app.ui.shell.theme import GRID, SMALL, WORDS, colours, mixed, readable, scaled

MAX_LINES = 2_000
PAUSE_FRAMES = round(TURN_PAUSE_S * FRAME_RATE)
"""A pause of the model that begins a new line, and one of the user that ends a turn."""
REPLY_FRAMES = 3
"""A pause of the user after which an answer of the model ends the turn."""
MIN_TURN_FRAMES = 4
"""What is shorter is no turn: a cough, a key."""
SHORT_FRAMES = round(BACKCHANNEL_S * FRAME_RATE)
"""What the user says within a line of the model and is no longer than this stands in that line."""
LONG_LINE = 72
SENTENCE_ENDS = ".?!。？！"
"""A model that never pauses begins a new line after a sentence, once the line has so many characters."""
FADE_STEP = 0.1
WEAKEST = 0.6
FADING_LINES = 6
RAIL_PX = 3.0
INDENT_PX = 3.0 * GRID


class _Line(QTextBlockUserData):
    """What a line stands for."""

    def __init__(self, frame: int, *, spoken: bool) -> None:
        super().__init__()
        self.frame = frame
        self.spoken = spoken


class Words(QTextEdit):
    """The lines of a talk; they can be selected, copied and read by a screen reader."""

    frame_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.document().setMaximumBlockCount(MAX_LINES)
        self.document().setDocumentMargin(2 * GRID)
        self.setAccessibleName(self.tr("What is said"))
        self.setToolTip(self.tr("Click a line to see it in the timeline"))
        self._frame = 0
        self.begin()

    def begin(self) -> None:
        """Forget the lines; a new talk begins."""
        self.clear()
        self._open = False
        self._last_word = -PAUSE_FRAMES
        self._turn_first: int | None = None
        self._turn_last = 0

    def word(self, frame: int, text: str) -> None:
        """Show what the model says in a frame."""
        if not text.strip() and not self._open:
            return
        if self._turn_first is not None and frame - self._turn_last >= REPLY_FRAMES:
            self._end_turn()
        if self._open and (frame - self._last_word > PAUSE_FRAMES or self._is_full()):
            self._open = False
        following = self._at_end()
        if not self._open:
            self._add_line(frame, spoken=True)
            self._open = True
            text = text.lstrip()
        self._last_word = frame
        cursor = self._end()
        cursor.insertText(text, self._format(self._shade(0), WORDS))
        if following:
            self._scroll_down()

    def heard(self, frame: int, active: bool) -> None:
        """Follow the user: each turn leaves a mark with its length once it is over."""
        if active:
            if self._turn_first is None:
                self._turn_first = frame
            self._turn_last = frame
        elif self._turn_first is not None and frame - self._turn_last > PAUSE_FRAMES:
            self._end_turn()

    def restart(self) -> None:
        """Begin a new line: the model has forgotten what was before."""
        self._open = False

    def lines(self) -> list[str]:
        """Return the text of the lines."""
        block = self.document().firstBlock()
        texts = []
        while block.isValid():
            if _line_of(block) is not None:
                texts.append(block.text())
            block = block.next()
        return texts

    def changeEvent(self, event: QEvent) -> None:
        """Write anew in other colours."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._restyle(self.document().blockCount())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the newest line in view."""
        following = self._at_end()
        super().resizeEvent(event)
        if following:
            self._scroll_down()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell the line that was clicked, unless text was being selected."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self._tell(self.cursorForPosition(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell the line of the caret with Return."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._tell(self.textCursor())
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text, and beside it a rail in the colour of who spoke."""
        super().paintEvent(event)
        tones = colours(self.palette())
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        layout = self.document().documentLayout()
        offset = self.verticalScrollBar().value()
        block = self.document().lastBlock()
        while block.isValid():
            area = layout.blockBoundingRect(block).translated(0, -offset)
            if area.bottom() < 0:
                break
            line = _line_of(block)
            if line is not None and area.top() < self.viewport().height():
                painter.setBrush(tones.model if line.spoken else tones.user)
                rail = QRectF(2 * GRID, area.top() + 5, RAIL_PX, max(4.0, area.height() - 8))
                painter.drawRoundedRect(rail, RAIL_PX / 2, RAIL_PX / 2)
            block = block.previous()

    def _is_full(self) -> bool:
        """Say whether a sentence has just ended in a line that is long enough."""
        text = self.document().lastBlock().text()
        return len(text) > LONG_LINE and text[-1] in SENTENCE_ENDS

    def _end_turn(self) -> None:
        assert self._turn_first is not None
        frames = self._turn_last - self._turn_first + 1
        first, self._turn_first = self._turn_first, None
        if frames < MIN_TURN_FRAMES:
            return
        following = self._at_end()
        text = self.tr("(you: {length} s)").format(length=f"{seconds(frames):.1f}")
        if self._open and frames <= SHORT_FRAMES and first - self._last_word < PAUSE_FRAMES:
            text = f" {text}"
        else:
            self._add_line(first, spoken=False)
            self._open = False
        self._end().insertText(text, self._format(colours(self.palette()).user_text, SMALL))
        if following:
            self._scroll_down()

    def _add_line(self, frame: int, *, spoken: bool) -> None:
        cursor = self._end()
        if _line_of(cursor.block()) is not None:
            cursor.insertBlock()
        style = QTextBlockFormat()
        style.setLeftMargin(INDENT_PX - 2 * GRID + GRID / 2)
        style.setBottomMargin(GRID if spoken else GRID / 2)
        style.setTopMargin(0 if spoken else GRID / 2)
        cursor.setBlockFormat(style)
        cursor.block().setUserData(_Line(frame, spoken=spoken))
        self._restyle(FADING_LINES + 2)

    def _restyle(self, count: int) -> None:
        """Give the newest `count` blocks the strength of their age."""
        block, age = self.document().lastBlock(), 0
        while block.isValid() and count > 0:
            line = _line_of(block)
            self._repaint_line(block, self._shade(age))
            age += line is not None and line.spoken
            block = block.previous()
            count -= 1

    def _repaint_line(self, block: QTextBlock, shade: QColor) -> None:
        """Give the words of a line a shade, and what the user did in it the user's colour."""
        mark = colours(self.palette()).user_text
        size = scaled(self.font(), WORDS).pointSizeF()
        spans = block.textFormats()
        for span in spans:
            style = QTextCharFormat(span.format)
            style.setForeground(shade if style.fontPointSize() == size else mark)
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + span.start)
            cursor.setPosition(block.position() + span.start + span.length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(style)

    def _shade(self, age: int) -> QColor:
        """Return the colour of a line so many lines ago."""
        tones = colours(self.palette())
        strength = max(WEAKEST, 1.0 - FADE_STEP * age)
        return readable(mixed(tones.text, tones.window, 1.0 - strength), tones.window, tones.base)

    def _format(self, colour: QColor, scale: float) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setFont(scaled(self.font(), scale))
        style.setForeground(colour)
        return style

    def _end(self) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        return cursor

    def _at_end(self) -> bool:
        """Say whether the newest line is in view."""
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - GRID

    def _scroll_down(self) -> None:
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _tell(self, cursor: QTextCursor) -> None:
        line = _line_of(cursor.block())
        if line is not None:
            self.frame_clicked.emit(line.frame)


def _line_of(block: QTextBlock) -> _Line | None:
    line = block.userData()
    return line if isinstance(line, _Line) else None
