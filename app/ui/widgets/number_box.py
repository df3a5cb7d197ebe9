"""Spin boxes that take a number as a person writes it, and tell what they made of it.

Knows nothing about what the number means; how numbers are read is told in `number_parser`.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from app.ui.widgets.number_parser import Field, Notation, Reading, read_number, simplified

translate = QCoreApplication.translate

DECIMALS = 6
"""So fine a fraction can be; what is shown has no more digits than it needs."""

STEP = 0.05


class WholeBox(QSpinBox):
    """A whole number."""

    noted = Signal(str)
    """What was made of the last text that was typed, where that is not plain; '' once it is over."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self._typing = _Typing(self)
        self.setRange(int(low), int(high))

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Let anything be typed; what is a number within the limits can be taken over."""
        return self._typing.state(text), text, pos

    def valueFromText(self, text: str) -> int:
        """Return the number that was typed."""
        return round(self._typing.value(text))

    def textFromValue(self, value: int) -> str:
        """Return a number as the locale writes it."""
        return _ungrouped(self.locale()).toString(value)

    def fixup(self, text: str) -> str:
        """Say why a text is no number for this box; the number before comes back."""
        self._typing.refuse(text)
        return text


class FractionBox(QDoubleSpinBox):
    """A number that need not be whole."""

    noted = Signal(str)
    """As WholeBox.noted."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self._typing = _Typing(self)
        self.setDecimals(DECIMALS)
        self.setSingleStep(STEP)
        self.setRange(low, high)

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Let anything be typed; what is a number within the limits can be taken over."""
        return self._typing.state(text), text, pos

    def valueFromText(self, text: str) -> float:
        """Return the number that was typed."""
        return self._typing.value(text)

    def textFromValue(self, value: float) -> str:
        """Return a number as the locale writes it, with the digits that it needs."""
        return number_words(round(value, DECIMALS), self.locale())

    def fixup(self, text: str) -> str:
        """Say why a text is no number for this box; the number before comes back."""
        self._typing.refuse(text)
        return text


class _Typing:
    """What a box makes of the text in it. It holds no number of its own."""

    def __init__(self, box: WholeBox | FractionBox) -> None:
        self._box = box
        self._typed = ""
        box.setKeyboardTracking(False)
        box.lineEdit().textEdited.connect(self._note_typed)
        box.editingFinished.connect(self._tell_doubtful)

    def state(self, text: str) -> QValidator.State:
        reading = self._read(text)
        taken = self._is_special(text) or (reading is not None and reading.fits)
        return QValidator.State.Acceptable if taken else QValidator.State.Intermediate

    def value(self, text: str) -> float:
        reading = self._read(text)
        if self._is_special(text) or reading is None:
            return self._box.minimum()
        return reading.value

    def refuse(self, text: str) -> None:
        """Say what is wrong with a text, and which number stays."""
        wanted = self._without_suffix(text)
        if not wanted:
            return
        self._typed = ""
        field = self._field()
        if (reading := self._read(text)) is None:
            note = translate("NumberBox", "“{0}” is not a number.").format(wanted)
        elif field.whole and not reading.value.is_integer():
            note = translate("NumberBox", "“{0}” is not a whole number.").format(wanted)
        else:
            limits = (number_words(limit, self._box.locale()) for limit in (field.low, field.high))
            note = translate("NumberBox", "“{0}” is not between {1} and {2}.").format(wanted, *limits)
        self._say(note)

    def _note_typed(self, text: str) -> None:
        self._typed = text
        self._say("")

    def _tell_doubtful(self) -> None:
        """Say how a text was understood that can mean another number too."""
        typed, self._typed = self._typed, ""
        reading = self._read(typed) if typed else None
        if reading is not None and reading.doubtful and reading.fits:
            note = translate("NumberBox", "“{0}” was read as {1}.")
            self._say(note.format(self._without_suffix(typed), self._box.text()))

    def _say(self, note: str) -> None:
        self._box.setAccessibleDescription(note)
        self._box.noted.emit(note)

    def _read(self, text: str) -> Reading | None:
        locale = self._box.locale()
        if special := self._box.specialValueText():
            text = text.replace(special, "", 1)
        return read_number(text, Notation(locale.decimalPoint(), locale.groupSeparator()), self._field())

    def _field(self) -> Field:
        """Return what the box takes; what stands for none is not a number to type."""
        box = self._box
        none = 1 if box.specialValueText() else 0
        return Field(box.minimum() + none, box.maximum(), isinstance(box, WholeBox), box.suffix())

    def _is_special(self, text: str) -> bool:
        special = self._box.specialValueText()
        return bool(special) and self._without_suffix(text) in (special, "")

    def _without_suffix(self, text: str) -> str:
        return simplified(text.removesuffix(self._box.suffix()))


def number_words(value: float, locale: QLocale | None = None) -> str:
    """Return a number as the locale writes it, with the digits that it needs and no groups."""
    # The precision of Qt that shows the fewest digits that mean the same number.
    shortest = QLocale.FloatingPointPrecisionOption.FloatingPointShortest.value
    return _ungrouped(locale or QLocale()).toString(float(value), "f", shortest)


def _ungrouped(locale: QLocale) -> QLocale:
    plain = QLocale(locale)
    plain.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return plain
