"""One dialogue comes into a dataset: its sound as 24 kHz FLAC, its words in its text, what is odd told.

Knows nothing about the command, or about where dialogues come from. A dialogue is there once its sound is,
which therefore comes last.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.errors import UserError
from app.files import clear_parts, put, readable, replacing, scratch, write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, seconds
from app.store.datasets import AUDIO, TEXT, Dataset, TimedWord, write_words
from training.data import audio, cutting, oddities
from training.data.audio import Measured
from training.data.identity import audio_identity, sound_identity, words_identity
from training.data.ledger import Entry, Ledger, source_name
from training.data.oddities import Finding
from training.data.sources import Incoming
from training.data.transcript_formats import UnknownSpeakersError
from training.data.voices import SoundError
from training.data.wording import Wording
from training.progress import duration

_NAME_BYTES = 200
_LENGTH_DIFFERS_S = 1.0


@dataclass(frozen=True)
class Wishes:
    """What the command asks for."""

    swap: bool = False
    """Whether the left channel of the sources is the user's."""
    longest_s: float = 4 * 3600.0
    """Longer dialogues are cut."""


@dataclass(frozen=True)
class Looked:
    """What is known of a dialogue once its sound was read."""

    wording: Wording
    seen: Measured
    sound: str
    """Its identity."""
    swap: bool
    """Whether the channels are to be exchanged."""
    words: list[TimedWord]
    """Those that were said within the sound."""


@dataclass
class Arrived:
    """What came of one source."""

    dialogues: list[str] = field(default_factory=list)
    length_s: float = 0.0
    looked: Looked | None = None
    """What is known of it, if its sound can be read."""
    twin: Entry | None = None
    """The same dialogue from elsewhere, which is in the dataset already; nothing new came in then."""
    has_alike: bool = False
    """Whether the dataset has another dialogue with the same sound."""
    findings: list[Finding] = field(default_factory=list)


class LeftOutError(Exception):
    """A dialogue that can not be learnt from."""

    def __init__(self, kind: str, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.finding = Finding(kind, sentence, "It was left out.", advice)


def bring_in(incoming: Incoming, ledger: Ledger, wishes: Wishes, told: Callable[[float], None]) -> Arrived:
    """Import one dialogue; one that can not be learnt from is left out, with a finding that says why.

    `told` hears how many more seconds of sound were read. Raises OSError where the dataset can not be
    written: of this dialogue there is then nothing, or some of its parts.
    """
    arrived = Arrived()
    with part_of(ledger.dataset) as part:
        try:
            arrived.looked = look_at(incoming, part, wishes, arrived.findings, told)
            alike = ledger.twins(arrived.looked.sound, incoming.audio)
            arrived.twin = next((entry for entry in alike if _is_twin(incoming, entry, ledger)), None)
            arrived.has_alike = bool(alike)
            if arrived.twin is None:
                _take(incoming, ledger, wishes, part, arrived)
        except LeftOutError as fault:
            arrived.findings.append(fault.finding)
    return arrived


def _is_twin(incoming: Incoming, entry: Entry, ledger: Ledger) -> bool:
    """Say whether what has the same sound is the same dialogue: moved, or beside it in another format.

    Under two names they may have been meant to be two; training uses their sound once.
    """
    here, there = Path(source_name(incoming.audio)), Path(entry.source)
    is_beside = os.path.realpath(here.parent) == os.path.realpath(there.parent)
    return ledger.is_gone(entry) or (is_beside and here.stem == there.stem)


@contextmanager
def part_of(dataset: Dataset) -> Iterator[Path]:
    """Give an empty file for the sound of a dialogue on its way; what is left of it goes. Raises OSError."""
    with scratch(dataset.folder / AUDIO / "dialogue") as part:
        yield part


def look_at(
    incoming: Incoming, part: Path, wishes: Wishes, findings: list[Finding], told: Callable[[float], None]
) -> Looked:
    """Read the words of a dialogue, and its sound into `part`. Raises LeftOutError, OSError for `part`."""
    wording = _read(incoming, findings)
    seen = _convert(incoming.audio, part, findings, told)
    _refuse_alike(seen, wording, findings)
    swap, words = _judge(seen, wording, wishes, findings)
    return Looked(wording, seen, sound_identity(part), swap, words)


def identity_of(incoming: Incoming) -> str:
    """Return what tells a source from what it will be, '' where it can not even be looked at."""
    with suppress(OSError, ValueError):
        return audio_identity(incoming.audio)
    return ""


def entry_of(
    incoming: Incoming, looked: Looked, dialogues: Sequence[str], pieces: Sequence[cutting.Part]
) -> Entry:
    """Return what the ledger is to note of a source that became these dialogues."""
    texts = {
        name: identities(cutting.words_of(looked.words, piece))
        for name, piece in zip(dialogues, pieces, strict=True)
    }
    return Entry(
        source_name(incoming.audio),
        identity_of(incoming),
        tuple(dialogues),
        looked.sound,
        words_identity(looked.wording.words),
        looked.swap,
        texts,
    )


def identities(words: Sequence[TimedWord]) -> dict[str, str]:
    """Return the identities of the words of each voice."""
    return {voice: words_identity(word for word in words if word.speaker == voice) for voice in "AB"}


def _take(incoming: Incoming, ledger: Ledger, wishes: Wishes, part: Path, arrived: Arrived) -> None:
    """Write what came in, in the pieces into which it is cut. Raises OSError."""
    looked, dataset = arrived.looked, ledger.dataset
    assert looked is not None, "its sound was read"
    wording, seen = looked.wording, looked.seen
    levels_db = _turned(seen, looked.swap).levels_db
    longest = max(1, int(wishes.longest_s * SAMPLE_RATE) // FRAME_SAMPLES)
    pieces = cutting.parts(levels_db, looked.words, longest, wording.restarts, wording.gaps)
    _tell_cut(pieces, wording, seen, wishes, arrived.findings)
    names = _names(incoming, ledger, len(pieces), arrived.findings)
    ledger.imported(entry_of(incoming, looked, names, pieces))
    for name, piece in zip(names, pieces, strict=True):
        if not dataset.audio(name).exists():
            _write_text(dataset, name, looked.words, wording, piece)
            write_sound(part, dataset.audio(name), piece, seen, looked.swap)
    arrived.dialogues, arrived.length_s = names, _length_s(pieces, seen)


def clean(dataset: Dataset) -> None:
    """Delete what an interrupted import left half written."""
    clear_parts(dataset.folder / AUDIO)


def free_name(wished: str, taken: set[str]) -> str:
    """Return a name that can be that of a file and is not taken: the wished one, or with -2, -3 and so on.

    One that is no text, or could not be shown in one line, loses what is amiss.
    """
    text = os.fsencode(wished).decode("utf-8", "replace") if _is_name(wished) else wished
    plain = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    safe = re.sub(r"[/\\]+", "-", plain.replace("\N{REPLACEMENT CHARACTER}", "_"))
    safe = "".join(letter if readable(letter) == letter else "-" for letter in safe)
    safe = safe.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .-") or "dialogue"
    name, number = safe, 1
    while name in taken:
        number += 1
        name = f"{safe}-{number}"
    return name


def _is_name(text: str) -> bool:
    """Say whether a text can be turned back into the bytes of a file's name."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _convert(source: Path, target: Path, findings: list[Finding], told: Callable[[float], None]) -> Measured:
    """Write the sound beside the dataset's, and leave out what are not two voices."""
    try:
        return _converted(source, target, findings, told)
    except SoundError as fault:
        raise LeftOutError("unreadable", fault.sentence, fault.advice) from fault


def _converted(
    source: Path, target: Path, findings: list[Finding], told: Callable[[float], None]
) -> Measured:
    rate, channels, _ = audio.about(source)
    if channels == 1:
        raise LeftOutError("mono", "It is mono, so that one voice is missing or both are mixed.")
    if channels != 2:
        raise LeftOutError("channels", f"It has {channels} channels, not one for each of two voices.")
    if rate != SAMPLE_RATE:
        dull = f", with nothing above {rate / 2000:g} kHz" if rate < SAMPLE_RATE else ""
        sentence = f"It has {rate} samples a second{dull}."
        findings.append(Finding("rate", sentence, f"It was resampled to {SAMPLE_RATE}."))
    seen = audio.convert(source, target, told)
    if seen.samples < FRAME_SAMPLES:
        raise LeftOutError("empty", f"It is {seen.length_s:.2f} s long, less than a frame.")
    if all(oddities.silent_sides(seen.levels_db)):
        raise LeftOutError("silent", "Both channels are silent.")
    return seen


def _refuse_alike(seen: Measured, wording: Wording, findings: list[Finding]) -> None:
    if not seen.alike:
        return
    if not wording.recorded:
        raise LeftOutError("mono", "Both channels are the same, so that the voices are mixed.")
    sentence = "Both channels are the same, as when the model is an echo."
    findings.append(Finding("mono", sentence, "It was kept."))


def _read(incoming: Incoming, findings: list[Finding]) -> Wording:
    try:
        wording = incoming.read()
        findings += wording.findings
        return wording
    except UnknownSpeakersError as fault:
        # Left out rather than kept without words, so that it can be imported once that is said.
        raise LeftOutError("speakers", f"{fault.sentence} {fault.advice}") from fault
    except UserError as fault:
        done = "The dialogue was kept without words."
        findings.append(Finding("unreadable words", fault.sentence, done, fault.advice))
        return Wording()


def _judge(
    seen: Measured, wording: Wording, wishes: Wishes, findings: list[Finding]
) -> tuple[bool, list[TimedWord]]:
    """Return whether the channels are to be exchanged, and the words that were said; tell what is odd."""
    swap = wishes.swap != wording.exchanged
    words, found = oddities.fit(wording.words, seen.length_s)
    if not wording.recorded and oddities.is_swapped(words, _turned(seen, swap).levels_db):
        sentence = "The words of each voice are heard on the channel of the other."
        if wishes.swap:
            found.append(Finding("swapped", sentence, "They stay so, since --swap asked for it."))
        else:
            swap = not swap
            found.append(Finding("swapped", sentence, "The channels were exchanged."))
    turned = _turned(seen, swap)
    findings += oddities.sound_findings(turned)
    findings += found
    if not wording.recorded and (stretch := oddities.better_stretch(words, turned.levels_db)) is not None:
        findings.append(oddities.stretch_finding(stretch))
    if wording.said_s is not None and abs(wording.said_s - seen.length_s) > _LENGTH_DIFFERS_S:
        sentence = f"{wording.said_by} says {wording.said_s:.1f} s, the sound has {seen.length_s:.1f} s."
        findings.append(Finding("drifted", sentence, "The sound counts."))
    if wording.skipped_frames:
        sentence = f"{seconds(wording.skipped_frames):.1f} s of the user were lost in the talk."
        findings.append(Finding("skipped", sentence, "It was kept: the model heard it so."))
    voices = [voice for voice in "AB" if all(word.speaker != voice for word in words)]
    if voices:
        sentence = f"There are no words of {' and '.join(voices)}."
        findings.append(Finding("no words", sentence, "They can be transcribed."))
    return swap, words


def _turned(seen: Measured, swap: bool) -> Measured:
    return replace(seen, levels_db=seen.levels_db[::-1], clipped=seen.clipped[::-1]) if swap else seen


def _tell_cut(
    pieces: list[cutting.Part], wording: Wording, seen: Measured, wishes: Wishes, findings: list[Finding]
) -> None:
    done = f"It was cut into {len(pieces)} dialogues."
    if seen.length_s > wishes.longest_s:
        sentence = f"It is {duration(seen.length_s)} long, more than {duration(wishes.longest_s)}."
        findings.append(Finding("overlong", sentence, done))
    elif restarts := sum(0 < frame < len(seen.levels_db[0]) for frame in set(wording.restarts)):
        times = "once" if restarts == 1 else f"{restarts} times"
        findings.append(Finding("restarted", f"The model forgot the talk {times}.", done))
    if wording.gaps:
        _tell_gaps(pieces, wording, findings)


def _length_s(pieces: list[cutting.Part], seen: Measured) -> float:
    """Return how much of a sound is in its pieces, in s; the last frame may be a part of one."""
    return min(seen.length_s, seconds(sum(piece.frames for piece in pieces)))


def _tell_gaps(pieces: list[cutting.Part], wording: Wording, findings: list[Finding]) -> None:
    """Tell what gaps a recording has. Raises LeftOutError where nothing between them is long enough."""
    if not pieces:
        least_s = round(seconds(cutting.LEAST_FRAMES))
        raise LeftOutError("gap", f"It has gaps, and no stretch of {least_s} s without one.")
    lost_s = seconds(sum(gap.frames for gap in wording.gaps))
    sentence = f"Nothing was recorded for {lost_s:.1f} s of it in all."
    findings.append(Finding("gap", sentence, f"Gaps were left out: {len(pieces)} stretches are learnt from."))


def _names(incoming: Incoming, ledger: Ledger, count: int, findings: list[Finding]) -> list[str]:
    """Return the names of the parts of a dialogue: those of an import that broke off, or new ones."""
    entry = ledger.known(incoming.audio)
    if entry is not None and len(entry.dialogues) == count:
        return list(entry.dialogues)
    dataset = ledger.dataset
    texts = (path.stem for path in (dataset.folder / TEXT).glob("*.json"))
    taken = ledger.dialogues.union(dataset.dialogues(), texts)
    if count == 1:
        name = free_name(incoming.name, taken)
        if name != (plain := free_name(incoming.name, set())):
            findings.append(Finding("renamed", f"There is another dialogue {plain}.", f"This is {name}."))
        return [name]
    stem, number = free_name(incoming.name, set()), 1
    while True:
        whole = stem if number == 1 else f"{stem}-{number}"
        names = [f"{whole}-{part + 1}" for part in range(count)]
        if not taken.intersection(names):
            return names
        number += 1


def _write_text(
    dataset: Dataset, name: str, words: Iterable[TimedWord], wording: Wording, piece: cutting.Part
) -> None:
    """Write what was said, unless it stands there: it may have been corrected since."""
    said = cutting.words_of(words, piece)
    if said and not dataset.text(name).exists():
        write_words(dataset.text(name), said)
    tokens = cutting.tokens_of(wording.tokens, piece)
    if tokens and not dataset.spoken(name).exists():
        write_json(dataset.spoken(name), {"frames": piece.frames, "tokens": [list(pair) for pair in tokens]})


def write_sound(part: Path, target: Path, piece: cutting.Part, seen: Measured, swap: bool) -> None:
    """Let the sound in `part`, or a piece of it, become that of a dialogue. Raises OSError."""
    is_whole = piece.frames == len(seen.levels_db[0])
    if is_whole and not swap:
        put(part, target)
        return
    first, samples = (FRAME_SAMPLES * frames for frames in (piece.first, piece.frames))
    with replacing(target) as beside:
        audio.copy(part, beside, first=first, samples=samples, swap=swap)
