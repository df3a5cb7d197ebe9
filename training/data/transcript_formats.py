"""Words with times and speakers in the JSON files of others: Kyutai's, nu-dialogue's, WhisperX's, and ours.

What is not text is left out and named; a word without times takes the gap between its neighbours. Knows
nothing about sound, or about where the words go. A is the voice whose part the model learns: what Kyutai
calls SPEAKER_MAIN, and nu-dialogue A.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from app import files
from app.errors import UserError
from app.store.datasets import TimedWord, kind_of, time_in_s
from training.data.oddities import Finding

MAIN, OTHER = "SPEAKER_MAIN", "SPEAKER_OTHER"
"""Kyutai's name of the voice that the model learns, and ours for the other one in their files."""

USER = "SPEAKER_USER"
"""Another name of the other voice beside MAIN."""

GAP_S = 3.0
"""A word without times takes no more than this of a gap: no word is longer."""

_NO_SPEAKER = ""


class UnknownSpeakersError(UserError):
    """Which of the speakers is A has to be said."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A word as it stands in a file, of which times may be missing."""

    number: int
    """Its place in the file, from 1."""
    text: str
    start_s: float | None
    end_s: float | None
    label: str
    """The speaker, _NO_SPEAKER where none is named."""

    @property
    def is_timed(self) -> bool:
        """Return whether both times are known."""
        return self.start_s is not None and self.end_s is not None


class _Raw(NamedTuple):
    """The values of a word before they are checked."""

    text: Any
    start: Any
    end: Any
    label: Any


def read_transcript(path: Path, speaker: str | None) -> tuple[list[TimedWord], list[Finding]]:
    """Return the words of a file in its order, and what was odd about them.

    `speaker` is whom the file calls A, None for 'A' or SPEAKER_MAIN. Raises UserError for a file that is
    damaged or holds no words at all.
    """
    findings: list[Finding] = []
    raws = _raws(path, _read_json(path))
    entries = _with_times(_with_speakers(list(_texts(raws, findings)), findings), findings)
    if raws and not entries:
        raise _no_words(path)
    main, is_exchanged = _main(path, {entry.label for entry in entries}, speaker)
    return [_timed(entry, (entry.label == main) != is_exchanged) for entry in entries], findings


def _timed(entry: _Entry, is_a: bool) -> TimedWord:
    assert entry.start_s is not None and entry.end_s is not None, "others were left out"
    return TimedWord("A" if is_a else "B", entry.text, entry.start_s, entry.end_s)


def _read_json(path: Path) -> Any:
    try:
        return files.read_json(path, foreign=True)
    except OSError as fault:
        raise UserError(f"{path} can not be read: {fault.strerror}.", "See who may read it.") from fault
    except ValueError as fault:
        raise UserError(f"{path} {fault}.", "Correct the file, or transcribe the dialogue.") from fault


def _raws(path: Path, value: Any) -> list[_Raw]:
    """Return the words of a file in each of the forms. Raises UserError for what is none of them."""
    if isinstance(value, dict):
        if isinstance(value.get("alignments"), list):
            return [_kyutai(each) for each in value["alignments"]]
        # WhisperX: the words of segments, which name the speaker once more.
        if isinstance(value.get("segments"), list):
            return [raw for segment in value["segments"] for raw in _segment(segment)]
    if isinstance(value, list):
        return [_flat(each, None) for each in value]
    raise _no_words(path)


def _kyutai(each: Any) -> _Raw:
    if not isinstance(each, list) or len(each) < 2:
        return _Raw(each, None, None, None)
    start, end = each[1] if isinstance(each[1], list) and len(each[1]) == 2 else (None, None)
    return _Raw(each[0], start, end, each[2] if len(each) > 2 else None)


def _flat(each: Any, label: Any) -> _Raw:
    if not isinstance(each, dict):
        # A text alone is no word with a speaker.
        return _Raw([each], None, None, None)
    return _Raw(each.get("word"), each.get("start"), each.get("end"), each.get("speaker", label))


def _segment(segment: Any) -> Iterator[_Raw]:
    words = segment.get("words") if isinstance(segment, dict) else None
    for each in words if isinstance(words, list) else ():
        yield _flat(each, segment.get("speaker"))


def _texts(raws: Sequence[_Raw], findings: list[Finding]) -> Iterator[_Entry]:
    """Yield the words that are text, and tell of those that are not."""
    refused: list[tuple[int, str]] = []
    for number, raw in enumerate(raws, 1):
        if not isinstance(raw.text, str):
            refused.append((number, kind_of(raw.text)))
        elif not raw.text.strip():
            refused.append((number, "blank"))
        else:
            yield _Entry(number, raw.text, time_in_s(raw.start), time_in_s(raw.end), _label(raw.label))
    if refused:
        number, kind = refused[0]
        sentence = f"Word {number} is {kind}, not text."
        if len(refused) > 1:
            sentence = f"{len(refused)} words are not text; the first is word {number}, which is {kind}."
        findings.append(Finding("unreadable words", sentence, _left_out(len(refused))))


def _label(raw: Any) -> str:
    is_name = isinstance(raw, (str, int)) and not isinstance(raw, bool)
    return str(raw) if is_name else _NO_SPEAKER


def _with_speakers(entries: list[_Entry], findings: list[Finding]) -> list[_Entry]:
    """Return the words that somebody said: one without a speaker is that of its neighbours, if they agree."""
    named: list[_Entry] = []
    lost: list[_Entry] = []
    for at, entry in enumerate(entries):
        before = named[-1].label if named else _NO_SPEAKER
        after = next((each.label for each in entries[at:] if each.label), _NO_SPEAKER)
        if entry.label:
            named.append(entry)
        elif before and after and before != after:
            lost.append(entry)
        elif before or after:
            named.append(replace(entry, label=before or after))
    if lost:
        first = lost[0]
        sentence = f"The word '{first.text}' (word {first.number}) has no speaker."
        if len(lost) > 1:
            many = len(lost)
            sentence = f"{many} words have no speaker; the first is '{first.text}' (word {first.number})."
        findings.append(Finding("unreadable words", sentence, _left_out(len(lost))))
    return named


def _with_times(entries: list[_Entry], findings: list[Finding]) -> list[_Entry]:
    """Return the words with times; those without take the gaps between their neighbours of one speaker."""
    untimed = [entry for entry in entries if not entry.is_timed]
    if not untimed:
        return entries
    if len(untimed) == len(entries):
        # There is nothing to go by.
        return []
    filled = {entry.number: entry for entry in entries}
    for label in {entry.label for entry in untimed}:
        own = [entry for entry in entries if entry.label == label]
        beside = {entry.number for entry, following in pairwise(entries) if entry.label == following.label}
        for before, run, after in _runs(own):
            filled |= {entry.number: entry for entry in _fill(before, run, after, beside)}
    first = untimed[0]
    sentence, done = (
        f"The word '{first.text}' (word {first.number}) has no times.",
        "It takes the gap between its neighbours.",
    )
    if len(untimed) > 1:
        sentence = f"{len(untimed)} words have no times; the first is '{first.text}' (word {first.number})."
        done = "They take the gaps between their neighbours."
    findings.append(Finding("times", sentence, done))
    return [filled[entry.number] for entry in entries]


def _runs(own: Sequence[_Entry]) -> Iterator[tuple[_Entry | None, list[_Entry], _Entry | None]]:
    """Yield the words without times that follow each other, with the ones before and after them."""
    before: _Entry | None = None
    run: list[_Entry] = []
    for entry in own:
        if not entry.is_timed:
            run.append(entry)
            continue
        if run:
            yield before, run, entry
        before, run = entry, []
    if run:
        yield before, run, None


def _fill(
    before: _Entry | None, run: Sequence[_Entry], after: _Entry | None, beside: set[int]
) -> Iterator[_Entry]:
    """Yield a run of words with times that share the gap evenly, where they do not know better.

    Of a long gap they take the end at which their neighbour in the file is of the same speaker: `beside` are
    the words that the next one in the file follows in the same voice.
    """
    longest_s = GAP_S * len(run)
    first_s = before.end_s if before is not None else None
    last_s = after.start_s if after is not None else None
    if first_s is None:
        first_s = max(0.0, (last_s or 0.0) - longest_s)
    if last_s is None:
        last_s = first_s + longest_s
    elif last_s - first_s > longest_s:
        if before is not None and before.number not in beside and run[-1].number in beside:
            first_s = last_s - longest_s
        else:
            last_s = first_s + longest_s
    step_s = max(0.0, last_s - first_s) / len(run)
    for at, entry in enumerate(run):
        start_s = entry.start_s if entry.start_s is not None else first_s + at * step_s
        end_s = entry.end_s if entry.end_s is not None else first_s + (at + 1) * step_s
        if entry.end_s is not None:
            start_s = min(start_s, end_s)
        yield replace(entry, start_s=start_s, end_s=max(start_s, end_s))


def _main(path: Path, labels: set[str], speaker: str | None) -> tuple[str, bool]:
    """Return the label of A, and whether the voices are to be exchanged after that.

    Raises UnknownSpeakersError where it has to be said.
    """
    if MAIN in labels or (labels and labels <= {OTHER, USER}):
        if speaker in (None, "A", "B"):
            return MAIN, speaker == "B"
        if speaker in {MAIN, *labels}:
            return speaker, False
    elif labels <= {"A", "B"} and speaker in (None, "A", "B"):
        return speaker or "A", False
    if not labels or speaker in labels:
        return speaker or "A", False
    named = f"{path} names the speakers {', '.join(sorted(labels)[:5])}."
    raise UnknownSpeakersError(named, "Say with --speaker which of them the model learns.")


def _left_out(number: int) -> str:
    return "It was left out." if number == 1 else "They were left out."


def _no_words(path: Path) -> UserError:
    return UserError(
        f"{path} holds no words with speakers and times.",
        'It has to hold [{"speaker", "word", "start", "end"}, …] or {"alignments": […]}.',
    )
