"""Numbers as people write them: either decimal sign, groups of digits, full-width digits, exponents, units.

Knows nothing about Qt or about what a number means: the locale's two signs, the limits and the unit of the
field are given.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 64
"""No number that a person writes has more letters."""

MINUSES = "\u2212\u2010\u2011\u2012\u2013\u2014\u2015\ufe63\u30fc\uff70\u207b"
"""Minus, hyphens and dashes, and the long vowel mark, which a Japanese keyboard writes for a minus."""

SIGNS = {
    **dict.fromkeys(MINUSES, "-"),
    "\u207a": "+",
    "\u3002": ".",
    "\uff61": ".",
    "\u3001": ",",
    "\uff64": ",",
    "\u066b": ".",
    "\u066c": ",",
    "\u060c": ",",
    "\u2019": "'",
    "\u02bc": "'",
}
"""What stands for a sign of a number: the full stops and commas of Japanese and Arabic, apostrophes."""

FULL_WIDTH = range(0xFF01, 0xFF5F)
FULL_WIDTH_SHIFT = 0xFEE0
"""Full-width letters follow ASCII at this distance."""

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

_POWER = r"\s*(?:[×x*·]\s*)10\s*\^?\s*([+-]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_NUMBER = re.compile(rf"([+-]?)\s*([\d.,'_ ]*\d[\d.,'_ ]*)(?:[eE]\s*([+-]?\d{{1,4}})|{_POWER})?")
_UNIT_POWER = re.compile(_POWER)
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,'_ ])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3}")
"""Groups of three digits, or of two before the last three as in India; never after a leading zero."""

PLAIN_BELOW = 1e-3
"""In a field of millionths a smaller number is one written out: 0.000002 is 2 millionths."""


@dataclass(frozen=True)
class Notation:
    """How a locale writes numbers."""

    decimal: str = "."
    group: str = ","


@dataclass(frozen=True)
class Field:
    """What a number has to be: its limits, whether it is whole, and the unit that stands behind it."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    unit: str = ""

    @property
    def scale(self) -> float:
        """Return what a 1 in the field stands for: 1e-6 where the unit is ×10⁻⁶."""
        found = _UNIT_POWER.fullmatch(simplified(self.unit))
        return float(f"1e{found.group(1).translate(SUPERSCRIPTS)}") if found else 1.0

    def holds(self, value: float) -> bool:
        """Return whether a number may stand in the field."""
        return self.low <= value <= self.high and (not self.whole or value.is_integer())


@dataclass(frozen=True)
class Reading:
    """A number as it was understood, in the unit of its field."""

    value: float
    fits: bool
    """Whether it may stand in the field."""
    doubtful: bool = False
    """Whether it can be read in another way too, so that it is to be said what was understood."""


def read_number(text: str, notation: Notation | None = None, field: Field | None = None) -> Reading | None:
    """Return the number that a text says, None where it says none.

    One sign with exactly three digits behind it can be a decimal sign or part groups. In a field of whole
    numbers it parts groups; elsewhere it is what it is in the locale, or the other where that alone fits.
    """
    notation, field = notation or Notation(), field or Field()
    if len(text) > LONGEST:
        return None
    found = _NUMBER.fullmatch(_without_unit(simplified(text), simplified(field.unit)))
    if found is None:
        return None
    sign, digits, exponent = found.group(1), found.group(2).strip(), found.group(3) or found.group(4)
    values = list(dict.fromkeys(_values(sign, digits, exponent, notation, field)))
    if not values:
        return None
    fitting = [value for value in values if field.holds(value)]
    value = (fitting or values)[0]
    written_out = field.scale != 1.0 and exponent is None and 0 < abs(value) < PLAIN_BELOW
    if written_out:
        value = _tidy(value / field.scale)
    return Reading(value, field.holds(value), len(values) > 1 or written_out)


def simplified(text: str) -> str:
    """Return a text with plain digits, signs and spaces in place of their many forms."""
    return re.sub(r"\s+", " ", "".join(_plain_letters(text))).strip()


def _plain_letters(text: str) -> Iterator[str]:
    for letter in text:
        if letter.isdecimal():
            yield str(unicodedata.decimal(letter))
        elif letter.isspace() or letter == "\u3000":
            yield " "
        elif unicodedata.category(letter) == "Cf":
            continue  # marks of direction around numbers, joiners, a byte order mark
        elif letter in SIGNS:
            yield SIGNS[letter]
        elif ord(letter) in FULL_WIDTH:
            yield SIGNS.get(plain := chr(ord(letter) - FULL_WIDTH_SHIFT), plain)
        else:
            yield letter


def _without_unit(text: str, unit: str) -> str:
    """Return a number without the unit of its field, which may stand there twice: pasted and shown."""
    while unit and text.casefold().endswith(unit.casefold()) and text != unit:
        text = text[: -len(unit)].rstrip()
    return text


def _values(
    sign: str, digits: str, exponent: str | None, notation: Notation, field: Field
) -> Iterator[float]:
    """Yield the numbers that digits and signs can mean, the likeliest first, in the unit of the field."""
    scale = 1.0 if exponent is None else field.scale
    for mantissa in _mantissas(digits, notation, field.whole):
        value = float(f"{sign}{mantissa}e{(exponent or '0').translate(SUPERSCRIPTS)}")
        if math.isfinite(value):
            yield _tidy(value / scale)


def _mantissas(digits: str, notation: Notation, whole: bool) -> Iterator[str]:
    """Yield digits with a full stop as the only sign, for each way to read them."""
    points = [letter for letter in digits if letter in ".,"]
    last = points[-1] if points else ""
    grouped = _GROUPED.fullmatch(digits) is not None
    fraction = _as_fraction(digits, last)
    if grouped and fraction is not None and last:
        parted = re.sub(r"\D", "", digits)
        if whole or last == notation.group:
            yield from (parted, fraction)
        else:
            yield from (fraction,) if last == notation.decimal else (fraction, parted)
    elif grouped:
        yield re.sub(r"\D", "", digits)
    elif fraction is not None:
        yield fraction


def _as_fraction(digits: str, point: str) -> str | None:
    """Return digits whose one decimal sign is `point`, '' for none; None where that can not be."""
    before, _, after = digits.rpartition(point) if point else (digits, "", "")
    if point and point in before:
        return None
    if before and not before.isdigit():
        if not _GROUPED.fullmatch(before):
            return None
        before = re.sub(r"\D", "", before)
    return f"{before or '0'}.{after or '0'}" if (after or "0").isdigit() else None


def _tidy(value: float) -> float:
    """Return a number without what binary fractions add: 2e-06 / 1e-06 is 2."""
    return float(f"{value:.12g}")
