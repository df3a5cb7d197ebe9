"""A number with limits and a default; and a guard against the mouse wheel.

Knows nothing about what the number means.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.ui.shell import theme
from app.ui.widgets.number_box import FractionBox, WholeBox
from app.ui.widgets.panel import quiet

NUMBER_WIDTH = 112


class Number(QWidget):
    """A number with its limits, and a button that brings back its default where it is not that."""

    changed = Signal(object)

    def __init__(
        self,
        name: str,
        tip: str,
        low: float,
        high: float,
        *,
        default: float | None,
        whenever: str = "",
        suffix: str = "",
    ) -> None:
        super().__init__()
        self._default = default
        self._box = _number_box(low, high, default)
        self._box.setFixedWidth(NUMBER_WIDTH if not whenever else NUMBER_WIDTH + 4 * theme.GRID)
        # Qt measures the first font alone; the letters of another, such as Japanese ones, are taller.
        self._box.setMinimumHeight(3 * theme.GRID)
        self._box.setSpecialValueText(whenever)
        self._box.setSuffix(suffix)
        self._box.setAccessibleName(name)
        self._box.setToolTip(tip)
        self._box.valueChanged.connect(self._tell)
        self._reset = QPushButton("↺", flat=True)
        self._reset.setFixedWidth(5 * theme.GRID)
        self._reset.setAccessibleName(self.tr("Bring back the default of: {0}").format(name))
        self._reset.setToolTip(self.tr("Bring back the default"))
        self._reset.clicked.connect(self._bring_back)
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(policy)
        self._note = quiet("")
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._note.hide()
        self._box.noted.connect(self._show_note)
        across = QHBoxLayout()
        across.setSpacing(theme.GRID // 2)
        across.addStretch(1)
        across.addWidget(self._reset)
        across.addWidget(self._box)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        rows.addLayout(across)
        rows.addWidget(self._note)
        self.set_value(default)

    @property
    def note(self) -> str:
        """Return what is said about the number that was typed last, '' for nothing."""
        return self._note.text()

    def value(self) -> float | None:
        """Return the number; None where none is fixed."""
        value = self._box.value()
        return None if self._default is None and value == self._box.minimum() else value

    def set_value(self, value: float | None) -> None:
        """Show a number without telling it."""
        if value != self.value():
            self._show_note("")
        with QSignalBlocker(self._box):
            _show(self._box, self._box.minimum() if value is None else value)
        self._reset.setVisible(self.value() != self._default)

    def set_default(self, default: float) -> None:
        """Let another number be the default, and show it."""
        self._default = default
        self.set_value(default)

    def move_default(self, default: float) -> None:
        """Let another number be the default, and leave the one that is shown."""
        self._default = default
        self._reset.setVisible(self.value() != default)

    def _bring_back(self) -> None:
        self.set_value(self._default)
        self._box.setFocus()
        self.changed.emit(self._default)

    def _show_note(self, note: str) -> None:
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def _tell(self) -> None:
        self._show_note("")
        self._reset.setVisible(self.value() != self._default)
        self.changed.emit(self.value())


class NoWheel(QObject):
    """Lets a page scroll under the mouse without changing the numbers that it passes."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold back the wheel from what has not been clicked."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


def _number_box(low: float, high: float, default: float | None) -> WholeBox | FractionBox:
    return FractionBox(low, high) if isinstance(default, float) else WholeBox(low, high)


def _show(box: WholeBox | FractionBox, value: float) -> None:
    if isinstance(box, WholeBox):
        box.setValue(round(value))
    else:
        box.setValue(value)
