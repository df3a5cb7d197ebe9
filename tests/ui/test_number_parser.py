"""A number is understood as the person meant it, in whichever way their part of the world writes it."""

from __future__ import annotations

import pytest

from app.ui.widgets.number_parser import Field, Notation, Reading, read_number, simplified

EN = JA = Notation(".", ",")
DE = Notation(",", ".")
FR = Notation(",", "\u202f")
SV = Notation(",", "\u00a0")
SWISS = Notation(".", "’")

EVERYWHERE = (EN, DE, FR, SV, SWISS)

SHARE = Field(0.0, 2.0)
RATE = Field(0.0, 1_000.0, unit=" ×10⁻⁶")
COUNT = Field(1, 1_000_000, whole=True)
LENGTH = Field(1, 3_600, whole=True, unit=" s")


def value(text: str, notation: Notation, field: Field | None = None) -> float | None:
    reading = read_number(text, notation, field)
    return reading.value if reading is not None else None


@pytest.mark.parametrize("notation", EVERYWHERE)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.8", 0.8),
        ("0,8", 0.8),
        ("2.5", 2.5),
        ("0,05", 0.05),
        ("0.05", 0.05),
        (".5", 0.5),
        (",5", 0.5),
        ("5.", 5.0),
        ("0.234", 0.234),
        ("0,234", 0.234),
        ("1.2345", 1.2345),
        ("1234,5", 1234.5),
        ("12345.678", 12345.678),
        ("7", 7.0),
        ("007", 7.0),
        ("+3", 3.0),
        ("-3", -3.0),
        ("- 3", -3.0),
        ("  42  ", 42.0),
        ("2e-6", 2e-6),
        ("2,5E-6", 2.5e-6),
        ("1e3", 1000.0),
        ("2.5×10⁻⁶", 2.5e-6),
        ("2,5 x 10^-6", 2.5e-6),
        ("3·10−2", 0.03),
    ],
)
def test_both_decimal_signs_are_understood_everywhere(text: str, expected: float, notation: Notation) -> None:
    assert read_number(text, notation) == Reading(pytest.approx(expected, rel=1e-12), fits=True)


@pytest.mark.parametrize("notation", EVERYWHERE)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1.234.567,89", 1234567.89),
        ("1 234 567", 1234567),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234.5", 1234.5),
        ("1\u2009234", 1234),
        ("1'234.50", 1234.5),
        ("1’234’567", 1234567),
        ("1_000_000", 1000000),
        ("1,00,000", 100000),
    ],
)
def test_groups_of_digits_are_understood(text: str, expected: float, notation: Notation) -> None:
    assert value(text, notation) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("０．８", 0.8),
        ("０，８", 0.8),
        ("０。８", 0.8),
        ("０、８", 0.8),
        ("１００", 100),
        ("１，０００，０００", 1000000),
        ("ー３", -3),
        ("－３", -3),
        ("2e－6", 2e-6),
        ("２ｅー６", 2e-6),
        ("１　０００", 1000),
        ("٣٫٥", 3.5),
        ("१२", 12),
        ("\u200e-5", -5),
        ("\ufeff5", 5),
        ("−0.5", -0.5),
        ("–5", -5),
    ],
)
def test_digits_and_signs_of_other_scripts_are_understood(text: str, expected: float) -> None:
    assert value(text, JA) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "abc", "1.2.3", "1,2,3", "1 5", "12 34", "1..2", "1,.2", "--5", "5-", "1e999", "nan", "inf",
        "5²", "½", "①", "五", "0x10", "1/2", "2:30", "5 m", "lr = 2", "e5", ".", "1.234.56", "1,2345,678",
        "9" * 65,
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_made_one(text: str) -> None:
    for notation in EVERYWHERE:
        assert read_number(text, notation) is None, notation


@pytest.mark.parametrize(
    ("notation", "text", "field", "expected"),
    [
        # A sign that parts groups in the locale does so, unless only the other reading fits.
        (DE, "1.234", Field(), 1234),
        (EN, "1,234", Field(), 1234),
        (DE, "1.234", SHARE, 1.234),
        (EN, "1,234", SHARE, 1.234),
        (DE, "1.234", RATE, 1.234),
        # A sign that means nothing in the locale is a decimal sign.
        (FR, "1.234", Field(), 1.234),
        (SV, "1.234", Field(), 1.234),
        # Nobody writes a count with three decimals.
        (EN, "1,000", COUNT, 1000),
        (EN, "1.000", COUNT, 1000),
        (DE, "1.000", COUNT, 1000),
        (DE, "1,000", COUNT, 1000),
        (SV, "250.000", COUNT, 250_000),
    ],
)
def test_a_sign_before_three_digits_is_decided_and_told(
    notation: Notation, text: str, field: Field, expected: float
) -> None:
    assert read_number(text, notation, field) == Reading(expected, fits=True, doubtful=True)


@pytest.mark.parametrize(
    ("notation", "text"), [(DE, "1,234"), (FR, "1,234"), (EN, "1.234"), (SWISS, "1.234")]
)
def test_the_decimal_sign_of_the_locale_leaves_no_doubt(notation: Notation, text: str) -> None:
    assert read_number(text, notation) == Reading(1.234, fits=True)


@pytest.mark.parametrize("notation", EVERYWHERE)
def test_spaces_and_apostrophes_leave_no_doubt(notation: Notation) -> None:
    for text in ("1 000", "1\u202f000", "1'000"):
        assert read_number(text, notation, COUNT) == Reading(1000, fits=True)


@pytest.mark.parametrize("notation", EVERYWHERE)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5", 2.5),
        ("0,05", 0.05),
        ("2.5 ×10⁻⁶", 2.5),
        ("2.5×10-6", 2.5),
        ("2.5 ×10⁻⁶ ×10⁻⁶", 2.5),
        ("2e-6", 2.0),
        ("2e-6 ×10⁻⁶", 2.0),
        ("2,5×10⁻⁵ ×10⁻⁶", 25.0),
        ("1e-4", 100.0),
        ("0.05", 0.05),
        ("0", 0.0),
    ],
)
def test_a_rate_in_millionths_is_never_multiplied_twice(
    text: str, expected: float, notation: Notation
) -> None:
    assert read_number(text, notation, RATE) == Reading(expected, fits=True)


@pytest.mark.parametrize("text", ["0.000002", "0,000002", "0.000002 ×10⁻⁶"])
def test_a_rate_that_is_written_out_is_understood_and_told(text: str) -> None:
    for notation in EVERYWHERE:
        assert read_number(text, notation, RATE) == Reading(2.0, fits=True, doubtful=True)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("100 s", " s", 100),
        ("100s", " s", 100),
        ("100 s s", " s", 100),
        ("１００ｓ", " s", 100),
        ("100 S", " s", 100),
        ("100 秒", " 秒", 100),
        ("10%", " %", 10),
        ("１０％", " %", 10),
    ],
)
def test_the_unit_of_the_field_may_stand_behind(text: str, unit: str, expected: float) -> None:
    assert value(text, EN, Field(unit=unit)) == expected
    assert value(text, EN) is None, "a unit that the field does not have is not passed over"


@pytest.mark.parametrize(
    ("text", "field"),
    [("5", SHARE), ("-1", SHARE), ("2.5", COUNT), ("0", COUNT), ("1e-1", COUNT), ("0.5 s", LENGTH)],
)
def test_what_does_not_fit_is_not_bent(text: str, field: Field) -> None:
    reading = read_number(text, EN, field)
    assert reading is not None
    assert not reading.fits


def test_a_text_is_shown_in_its_plain_form() -> None:
    assert simplified(" １２．５　％ ") == "12.5 %"
