"""Dates, lengths, sizes and languages in the words of the user's locale.

Knows nothing about where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QDate, QDateTime, QLocale, QTime

from app.frames import DEVICE, LATE, MICROPHONE, RESTARTED, STALLED, SUSPENDED, seconds
from app.prompts import OwnVoice, in_one_line
from app.store.recordings import Line, Recording

GB = 1e9

_VOICE = re.compile(r"(NATF|NATM|VARF|VARM)\d+")
"""How the voices of PersonaPlex are named."""

LANGUAGES = (
    QT_TRANSLATE_NOOP("Languages", "Chinese"),
    QT_TRANSLATE_NOOP("Languages", "Dutch"),
    QT_TRANSLATE_NOOP("Languages", "English"),
    QT_TRANSLATE_NOOP("Languages", "French"),
    QT_TRANSLATE_NOOP("Languages", "German"),
    QT_TRANSLATE_NOOP("Languages", "Hindi"),
    QT_TRANSLATE_NOOP("Languages", "Italian"),
    QT_TRANSLATE_NOOP("Languages", "Japanese"),
    QT_TRANSLATE_NOOP("Languages", "Korean"),
    QT_TRANSLATE_NOOP("Languages", "Portuguese"),
    QT_TRANSLATE_NOOP("Languages", "Spanish"),
)
"""The names of languages that are translated."""


def clock(time_s: float) -> str:
    """Return a time as people read it: 0:07, 12:34, 1:02:03."""
    whole = int(time_s)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Loss(Protocol):
    """Time that was lost, or was heard in part."""

    @property
    def reason(self) -> str:
        """Why, one of those of app.frames."""

    @property
    def skipped(self) -> int:
        """How many frames were lost."""

    @property
    def starved(self) -> int:
        """How many frames of silence were played."""

    @property
    def losses(self) -> int:
        """How often something was lost."""


def band_words(loss: Loss) -> str:
    """Return what was lost in a stretch of a talk, how often, and why."""
    lost_s = f"{seconds(loss.skipped):.1f}"
    if loss.reason != LATE:
        return gap_words(loss.reason).format(lost_s)
    parts = []
    if loss.skipped:
        parts.append(QCoreApplication.translate("Wording", "{0} s skipped").format(lost_s))
    if loss.starved:
        starved = QCoreApplication.translate("Wording", "{0} s of silence played")
        parts.append(starved.format(f"{seconds(loss.starved):.1f}"))
    late = QCoreApplication.translate("Wording", "late {0} times: {1}")
    return late.format(loss.losses, ", ".join(parts)) if loss.losses > 1 else ", ".join(parts)


def lost_words(loss: Loss) -> str:
    """Return how much was lost in a stretch of a talk, in a few words."""
    return gap_words("").format(f"{seconds(loss.skipped):.1f}") if loss.skipped else ""


def gap_words(reason: str) -> str:
    """Return a sentence about {0} seconds that are missing for a reason."""
    translate = QCoreApplication.translate
    return {
        LATE: translate("Wording", "{0} s skipped"),
        DEVICE: translate("Wording", "{0} s lost: the sound device was opened again"),
        MICROPHONE: translate("Wording", "{0} s lost: no sound from the microphone"),
        RESTARTED: translate("Wording", "{0} s lost: the model began anew"),
        STALLED: translate("Wording", "{0} s lost: the sound server stalled"),
        SUSPENDED: translate("Wording", "{0} s lost: the computer was asleep"),
    }.get(reason, translate("Wording", "{0} s lost"))


def date_words(when: datetime, today: QDate | None = None) -> str:
    """Return 'Today, 14:32', 'Yesterday, 14:32', or the whole date of the locale."""
    locale = QLocale()
    day = QDate(when.year, when.month, when.day)
    time = locale.toString(QTime(when.hour, when.minute), QLocale.FormatType.ShortFormat)
    ago = day.daysTo(today or QDate.currentDate())
    if ago == 0:
        return QCoreApplication.translate("Wording", "Today, {0}").format(time)
    if ago == 1:
        return QCoreApplication.translate("Wording", "Yesterday, {0}").format(time)
    return _day_and_time(locale.toString(day, QLocale.FormatType.LongFormat), time)


def full_date(when: datetime) -> str:
    """Return the date and time of the locale, the same on every day."""
    moment = QDateTime(QDate(when.year, when.month, when.day), QTime(when.hour, when.minute))
    locale = QLocale()
    day = locale.toString(moment.date(), QLocale.FormatType.LongFormat)
    return _day_and_time(day, locale.toString(moment.time(), QLocale.FormatType.ShortFormat))


def length_words(length_s: float) -> str:
    """Return a length such as '48 s', '3 min 12 s' or '1 h 5 min'."""
    whole = round(length_s)
    minutes, rest_s = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return QCoreApplication.translate("Wording", "{0} h {1} min").format(hours, minutes)
    if minutes:
        return QCoreApplication.translate("Wording", "{0} min {1} s").format(minutes, rest_s)
    return QCoreApplication.translate("Wording", "{0} s").format(rest_s)


def size_words(size_bytes: float) -> str:
    """Return a size in GB of 1e9 bytes, as graphics cards are sold, or in MB where it is small."""
    if size_bytes < GB / 10:
        return QCoreApplication.translate("Wording", "{0} MB").format(round(size_bytes / 1e6))
    number = QLocale().toString(size_bytes / GB, "f", 0 if size_bytes >= 100 * GB else 1)
    return QCoreApplication.translate("Wording", "{0} GB").format(number)


def language_words(codes: str) -> str:
    """Return the names of languages whose codes have spaces between, '' for none."""
    # Qt knows the names of languages in English alone.
    names = (QLocale.languageToString(QLocale(code).language()) for code in codes.split())
    comma = QCoreApplication.translate("Wording", ", ")
    return comma.join(QCoreApplication.translate("Languages", name) for name in names)


def model_words(name: str) -> str:
    """Return the name of a model as it is written in a sentence: a folder by its last part."""
    parts = name.rstrip("/").rsplit("/", 1)[-1].split("-")
    return "-".join(_capital(part, first=number == 0) for number, part in enumerate(parts))


def voice_kind(name: str) -> str:
    """Return what kind of voice a name of PersonaPlex stands for, '' for the name of another model."""
    found = _VOICE.fullmatch(name)
    translate = QCoreApplication.translate
    kinds = {
        "NATF": translate("Wording", "Natural, female"),
        "NATM": translate("Wording", "Natural, male"),
        "VARF": translate("Wording", "Varied, female"),
        "VARM": translate("Wording", "Varied, male"),
    }
    return kinds[found.group(1)] if found is not None else ""


def voice_words(name: str) -> str:
    """Return the name of a voice as people can choose by it: Natural, female · NATF2."""
    kind = voice_kind(name)
    return f"{kind} · {name}" if kind else name


def own_voice_words(voice: OwnVoice) -> str:
    """Return whose voice a file holds, and its name."""
    file = Path(voice.file).name
    return f"{voice.whose} · {file}" if voice.whose else file


def prompt_words(prompt: Mapping[str, str], between: str = " · ") -> str:
    """Return the `voice` and the `role` of a talk, '' for none."""
    voice, role = prompt.get("voice", ""), in_one_line(prompt.get("role", ""))
    translate = QCoreApplication.translate
    parts = (
        translate("Wording", "Voice: {0}").format(voice_words(Path(voice).name)) if voice else "",
        translate("Wording", "Role: {0}").format(role) if role else "",
    )
    return between.join(part for part in parts if part)


def facts(recording: Recording) -> str:
    """Return model, length and language of a recording in one line."""
    parts = (
        model_words(recording.model),
        length_words(recording.seconds) if recording.seconds else "",
        language_words(recording.language),
    )
    return " · ".join(part for part in parts if part)


def damage(recording: Recording) -> str:
    """Return what is wrong with a recording in one sentence, '' when it is whole."""
    if recording.seconds == 0:
        return QCoreApplication.translate("Wording", "Its sound can not be read.")
    if recording.damaged:
        return QCoreApplication.translate(
            "Wording", "Some of its files are damaged; what can be read is here."
        )
    if not recording.whole:
        return QCoreApplication.translate("Wording", "It was cut off; what was written until then is here.")
    return ""


def cut_off(recording: Recording) -> str:
    """Return the word for a recording that is damaged or was not closed."""
    if recording.damaged:
        return QCoreApplication.translate("Wording", "damaged")
    return QCoreApplication.translate("Wording", "cut off")


def spoken_line(line: Line) -> str:
    """Return the words of a line, or how long the user spoke, or nobody was recorded."""
    if line.text:
        return line.text.strip()
    length = QLocale().toString(seconds(line.frames), "f", 1)
    if line.gap:
        return gap_words(line.gap).format(length)
    return QCoreApplication.translate("Wording", "you, {0} s").format(length)


def _day_and_time(day: str, time: str) -> str:
    return QCoreApplication.translate("Wording", "{0}, {1}").format(day, time)


def _capital(part: str, *, first: bool) -> str:
    """Write a part of a model's name as its makers do: J-Moshi-ext, LLM-jp-Moshi-v1."""
    if (name := {"llm": "LLM", "personaplex": "PersonaPlex"}.get(part)) is not None:
        return name
    return part[:1].upper() + part[1:] if first or part.startswith("moshi") else part
