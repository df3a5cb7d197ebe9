"""What would be learnt, as six small pictures: how each is drawn, and the sentence that says what it means.

The same for the window and for the sheet of `aizuchi picture`. Knows nothing about widgets or files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLocale, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.ui.shell.theme import GRID, SMALL, Colours, mixed, scaled
from app.ui.shell.wording import length_words
from app.ui.timeview.timeline_paint import paint_hatch
from app.ui.training.check.data import BARE_SPACE_LIMIT, Check, Voice

translate = QCoreApplication.translate

BAR_PX = 14.0
ROW_PX = 22.0
MARK_PX = 18.0
"""The room above bars for the name of a limit."""
HISTOGRAM_PX = 5 * ROW_PX
BARE_SPACE_FULL = 0.2
"""The share of bare spaces that a full bar stands for, unless there are more."""


class Bar(NamedTuple):
    """One bar: what it is, its value, the value in words, and how it is filled."""

    name: str
    value: float | None
    words: str
    fill: str
    """'model', 'user', 'both' or 'plain'."""
    alarming: bool = False


class Picture(NamedTuple):
    """One picture: title, meaning, height, how it is painted; `numbers` is what a screen reader says."""

    title: str
    sentence: str
    numbers: str
    height: float
    paint: Callable[[QPainter, QRectF, Colours], None]


def pictures(check: Check) -> list[Picture]:
    """Return the pictures of a check, in the order in which they are looked at.

    Of dialogues that came as tokens alone nobody knows who speaks when.
    """
    if check.model.with_text + check.user.with_text and not any(
        voice.words or voice.speech_s for voice in (check.model, check.user)
    ):
        return [_lengths(check), _pace(check), _padding(check)]
    return [
        _speech(check), _lengths(check), _turn_taking(check),
        _pace(check), _padding(check), _bare_spaces(check),
    ]  # fmt: skip


def model_name() -> str:
    """Return what the voice A of a dataset is called."""
    return translate("CheckPictures", "Model (A)")


def user_name() -> str:
    """Return what the voice B of a dataset is called."""
    return translate("CheckPictures", "User (B)")


def percent(share: float) -> str:
    """Return a share as 41 %, small ones as 0.6 %."""
    digits = 1 if 0 < share < 0.0995 else 0
    return translate("CheckPictures", "{0} %").format(QLocale().toString(100 * share, "f", digits))


def _speech(check: Check) -> Picture:
    total_s = 3600 * check.hours

    def bar(name: str, share: float, fill: str) -> Bar:
        words = translate("CheckPictures", "{0} · {1}").format(length_words(share * total_s), percent(share))
        return Bar(name, share, words, fill)

    bars = [
        bar(model_name(), check.model.speech_share, "model"),
        bar(user_name(), check.user.speech_share, "user"),
        bar(translate("CheckPictures", "Both at once"), check.overlap_share, "both"),
    ]
    sentence = translate(
        "CheckPictures", "How much of the time each voice speaks; the model learns when to speak from this."
    )
    return _bar_picture(translate("CheckPictures", "Speech"), sentence, bars, full=1.0)


def _pace(check: Check) -> Picture:
    rates = [voice.tokens_per_s for voice in (check.model, check.user)]
    full = max(2.0, *(1.2 * (rate or 0.0) for rate in rates))
    bars = _voices(check, lambda voice: voice.tokens_per_s, _tokens_words)
    sentence = translate(
        "CheckPictures", "Text tokens in each second of the dialogues: how much there is to say in the time."
    )
    return _bar_picture(translate("CheckPictures", "Token rate"), sentence, bars, full=full)


def _padding(check: Check) -> Picture:
    bars = _voices(check, lambda voice: voice.padding_share, percent)
    sentence = translate(
        "CheckPictures",
        "The share of the text stream in which there is no text: silence, and words that last.",
    )
    return _bar_picture(translate("CheckPictures", "Padding"), sentence, bars, full=1.0)


def _bare_spaces(check: Check) -> Picture:
    bars = _voices(check, lambda voice: voice.bare_space_share, percent)
    bars = [bar._replace(alarming=(bar.value or 0.0) > BARE_SPACE_LIMIT) for bar in bars]
    full = max(BARE_SPACE_FULL, *(1.1 * (bar.value or 0.0) for bar in bars))
    sentence = translate(
        "CheckPictures",
        "The share of text tokens that are a bare ▁, a space without letters. "
        "Japanese above 10 % is refused: the model would learn to say spaces.",
    )
    return _bar_picture(
        translate("CheckPictures", "Bare ▁"), sentence, bars, full=full, limit=BARE_SPACE_LIMIT
    )


def _turn_taking(check: Check) -> Picture:
    each = check.per_minute
    rows = (
        (translate("CheckPictures", "Turns"), each.turns, "plain"),
        (translate("CheckPictures", "Pauses"), each.pauses, "plain"),
        (translate("CheckPictures", "Gaps"), each.gaps, "plain"),
        (translate("CheckPictures", "Overlaps"), each.overlaps, "both"),
        (translate("CheckPictures", "Backchannels"), each.backchannels, "model"),
    )
    bars = [
        Bar(
            name,
            value,
            translate("CheckPictures", "{0} / min").format(QLocale().toString(value, "f", 1)),
            fill,
        )
        for name, value, fill in rows
    ]
    full = max(2.0, *(1.1 * value for _, value, _ in rows))
    sentence = translate(
        "CheckPictures",
        "What happens each minute; a pause is a silence within a turn, a gap one between two.",
    )
    return _bar_picture(translate("CheckPictures", "Turn-taking"), sentence, bars, full=full)


def _lengths(check: Check) -> Picture:
    lengths = [item.seconds for item in check.items if item.seconds > 0]
    count = (
        translate("CheckPictures", "1 dialogue")
        if check.dialogues == 1
        else translate("CheckPictures", "{0} dialogues").format(check.dialogues)
    )
    numbers = count
    if lengths:
        span = length_words(min(lengths)), length_words(max(lengths))
        numbers = (
            translate("CheckPictures", "{0}, {1} to {2}").format(count, *span)
            if len(lengths) > 1
            else f"{count}, {span[0]}"
        )
    sentence = translate(
        "CheckPictures",
        "How long the dialogues are. Training cuts out stretches; very short ones are left out.",
    )

    def paint(painter: QPainter, area: QRectF, tones: Colours) -> None:
        _paint_histogram(painter, area, check, numbers, tones)

    return Picture(translate("CheckPictures", "Lengths"), sentence, numbers, HISTOGRAM_PX, paint)


def _voices(
    check: Check, figure: Callable[[Voice], float | None], words: Callable[[float], str]
) -> list[Bar]:
    """Return a bar for each voice; one that is not known yet says so."""
    rows = ((model_name(), check.model, "model"), (user_name(), check.user, "user"))
    found = []
    for name, voice, fill in rows:
        value = figure(voice)
        if value is not None and not voice.with_text:
            found.append(Bar(name, None, translate("CheckPictures", "no words"), fill))
        else:
            found.append(
                Bar(
                    name,
                    value,
                    translate("CheckPictures", "not prepared yet") if value is None else words(value),
                    fill,
                )
            )
    return found


def _tokens_words(rate: float) -> str:
    return translate("CheckPictures", "{0} tokens/s").format(QLocale().toString(rate, "f", 1))


def _bar_picture(
    title: str, sentence: str, bars: list[Bar], *, full: float, limit: float | None = None
) -> Picture:
    def paint(painter: QPainter, area: QRectF, tones: Colours) -> None:
        _paint_bars(painter, area, bars, tones, full=full, limit=limit)

    numbers = ", ".join(f"{bar.name} {bar.words}" for bar in bars)
    height = len(bars) * ROW_PX + (MARK_PX if limit is not None else 0.0)
    return Picture(title, sentence, numbers, height, paint)


def _paint_bars(
    painter: QPainter, area: QRectF, bars: list[Bar], tones: Colours, *, full: float, limit: float | None
) -> None:
    """Paint bars below each other: name, bar on its track, value; and where a limit is, a line."""
    metrics = QFontMetricsF(painter.font())
    names = max(metrics.horizontalAdvance(bar.name) for bar in bars) + 1.5 * GRID
    values = max(metrics.horizontalAdvance(bar.words) for bar in bars) + 1.5 * GRID
    left, width = area.left() + names, max(1.0, area.width() - names - values)
    top = area.top() + (MARK_PX if limit is not None else 0.0)
    for number, bar in enumerate(bars):
        y = top + number * ROW_PX
        line = QRectF(area.left(), y, area.width(), ROW_PX)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(tones.text)
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, bar.name)
        painter.setPen(_value_colour(bar, tones))
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, bar.words)
        track = QRectF(left, y + (ROW_PX - BAR_PX) / 2, width, BAR_PX)
        painter.fillRect(track, mixed(tones.base, tones.line, 0.6))
        if bar.value is not None:
            filled = QRectF(track)
            filled.setWidth(width * min(1.0, bar.value / full))
            _fill(painter, filled, bar.fill, tones)
    if limit is not None:
        x = left + width * limit / full
        _paint_limit(painter, x, (area.top(), top + len(bars) * ROW_PX), limit, tones)


def _value_colour(bar: Bar, tones: Colours) -> QColor:
    if bar.alarming:
        return tones.trouble_text
    return tones.quiet if bar.value is None else tones.text


def _fill(painter: QPainter, area: QRectF, fill: str, tones: Colours) -> None:
    if fill == "both":
        paint_hatch(painter, area, tones)
    else:
        colours = {"model": tones.model, "user": tones.user, "plain": mixed(tones.quiet, tones.base, 0.35)}
        painter.fillRect(area, colours[fill])


def _paint_limit(
    painter: QPainter, x: float, span: tuple[float, float], limit: float, tones: Colours
) -> None:
    top, bottom = span
    painter.save()
    painter.setFont(scaled(painter.font(), SMALL))
    painter.setPen(QPen(tones.text, 1.5, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(x, top + MARK_PX - 2), QPointF(x, bottom))
    painter.setPen(tones.quiet)
    name = translate("CheckPictures", "limit {0}").format(percent(limit))
    box = QRectF(x - 100, top, 200, MARK_PX - 2)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
    painter.restore()


def _paint_histogram(painter: QPainter, area: QRectF, check: Check, numbers: str, tones: Colours) -> None:
    """Paint a column for each step of length, its count above it, and the edges below."""
    metrics = QFontMetricsF(painter.font())
    painter.setPen(tones.text)
    painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, numbers)
    small = scaled(painter.font(), SMALL)
    line = QFontMetricsF(small).height()
    bottom, top = area.bottom() - line - 3, area.top() + metrics.height() + line + 2
    painter.setPen(QPen(tones.line, 1))
    painter.drawLine(QPointF(area.left(), bottom), QPointF(area.right(), bottom))
    painter.save()
    painter.setFont(small)
    width = area.width() / max(1, len(check.counts))
    most = max([1, *check.counts])
    for number, count in enumerate(check.counts):
        height = (bottom - top) * count / most
        column = QRectF(area.left() + number * width + 1, bottom - height, max(1.0, width - 2), height)
        painter.fillRect(column, mixed(tones.quiet, tones.base, 0.35))
        if count and width > 14:
            painter.setPen(tones.quiet)
            box = QRectF(column.left() - 20, column.top() - line, column.width() + 40, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(count))
    _paint_edges(painter, area, check, width, tones)
    painter.restore()


def _paint_edges(painter: QPainter, area: QRectF, check: Check, width: float, tones: Colours) -> None:
    """Write as many edges below the columns as there is room for."""
    metrics = QFontMetricsF(painter.font())
    painter.setPen(tones.quiet)
    free = area.left() - 1
    for number, edge in enumerate(check.edges_s):
        text = _edge_words(edge)
        wide = metrics.horizontalAdvance(text)
        x = area.left() + number * width - wide / 2
        x = min(max(x, area.left()), area.right() - wide)
        if x >= free:
            painter.drawText(QPointF(x, area.bottom() - metrics.descent()), text)
            free = x + wide + 1.5 * GRID


def _edge_words(edge_s: float) -> str:
    """Return a round length in its largest unit."""
    for unit_s, text in (
        (3600, translate("CheckPictures", "{0} h")),
        (60, translate("CheckPictures", "{0} min")),
    ):
        if edge_s >= unit_s:
            return text.format(QLocale().toString(edge_s / unit_s, "g", 3))
    return translate("CheckPictures", "{0} s").format(round(edge_s))
