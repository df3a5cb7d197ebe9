"""One dialogue comes into a dataset: its sound as 24 kHz FLAC, its words in its text, what is odd told.

Knows nothing about the command, or about where dialogues come from. A dialogue is there once its sound is,
which therefore comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.datasets import AUDIO, TEXT, Dataset, TimedWord, write_words
from app.errors import UserError
from app.files import clear_parts, put, replacing, scratch, write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, seconds
from training.data import audio, cutting, oddities
from training.data.audio import Measured
from training.data.identity import audio_identity
from training.data.ledger import Ledger
from training.data.oddities import Finding
from training.data.sources import Incoming
from training.data.voices import SoundError
from training.data.wording import UnknownSpeakersError, Wording
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


@dataclass
class Arrived:
    """What came of one source."""

    dialogues: list[str] = field(default_factory=list)
    length_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)


class _LeftOutError(Exception):
    """A dialogue that can not be learnt from."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.finding = Finding(kind, sentence, "It was left out.")


def bring_in(
    dataset: Dataset, incoming: Incoming, ledger: Ledger, wishes: Wishes, told: Callable[[float], None]
) -> Arrived:
    """Import one dialogue; one that can not be learnt from is left out, with a finding that says why.

    `told` hears how many more seconds of sound were read. Raises OSError where the dataset can not be
    written: of this dialogue there is then nothing, or some of its parts.
    """
    arrived = Arrived()
    with scratch(dataset.folder / AUDIO / "dialogue") as part:
        try:
            wording = _read(incoming, arrived.findings)
            seen = _convert(incoming.audio, part, arrived.findings, told)
            _refuse_alike(seen, wording, arrived.findings)
            swap, words = _judge(seen, wording, wishes, arrived.findings)
            levels_db = _turned(seen, swap).levels_db
            longest = max(1, int(wishes.longest_s * SAMPLE_RATE) // FRAME_SAMPLES)
            pieces = cutting.parts(levels_db, words, longest, wording.restarts)
            _tell_cut(pieces, wording, seen, wishes, arrived.findings)
            arrived.dialogues = _names(dataset, incoming, ledger, len(pieces), arrived.findings)
            ledger.imported(arrived.dialogues, incoming.audio, audio_identity(incoming.audio))
            for name, piece in zip(arrived.dialogues, pieces, strict=True):
                if not dataset.audio(name).exists():
                    _write_text(dataset, name, words, wording, piece)
                    _write_sound(part, dataset.audio(name), piece, seen, swap)
            arrived.length_s = seen.length_s
        except _LeftOutError as fault:
            arrived.findings.append(fault.finding)
        except SoundError as fault:
            arrived.findings.append(Finding("unreadable", fault.sentence, "It was left out."))
    return arrived


def is_there(dataset: Dataset, incoming: Incoming, ledger: Ledger) -> bool:
    """Say whether all that came of a source is in the dataset."""
    entry = ledger.known(incoming.audio)
    return entry is not None and all(dataset.audio(name).exists() for name in entry.dialogues)


def has_changed(incoming: Incoming, ledger: Ledger) -> bool:
    """Say whether a source is no longer what came in."""
    entry = ledger.known(incoming.audio)
    return entry is not None and entry.identity != audio_identity(incoming.audio)


def clean(dataset: Dataset) -> None:
    """Delete what an interrupted import left half written."""
    clear_parts(dataset.folder / AUDIO)


def free_name(wished: str, taken: set[str]) -> str:
    """Return a name that can be that of a file and is not taken: the wished one, or with -2, -3 and so on."""
    safe = re.sub(r"[/\\\0-\x1f]+", "-", wished).strip(" .-") or "dialogue"
    safe = safe.encode()[:_NAME_BYTES].decode(errors="ignore")
    name, number = safe, 1
    while name in taken:
        number += 1
        name = f"{safe}-{number}"
    return name


def _convert(source: Path, target: Path, findings: list[Finding], told: Callable[[float], None]) -> Measured:
    """Write the sound beside the dataset's, and leave out what are not two voices."""
    rate, channels, _ = audio.about(source)
    if channels == 1:
        raise _LeftOutError("mono", "It is mono, so that one voice is missing or both are mixed.")
    if channels != 2:
        raise _LeftOutError("channels", f"It has {channels} channels, not one for each of two voices.")
    if rate != SAMPLE_RATE:
        dull = f", with nothing above {rate / 2000:g} kHz" if rate < SAMPLE_RATE else ""
        sentence = f"It has {rate} samples a second{dull}."
        findings.append(Finding("rate", sentence, f"It was resampled to {SAMPLE_RATE}."))
    seen = audio.convert(source, target, told)
    if seen.samples < FRAME_SAMPLES:
        raise _LeftOutError("empty", f"It is {seen.length_s:.2f} s long, less than a frame.")
    if all(oddities.silent_sides(seen.levels_db)):
        raise _LeftOutError("silent", "Both channels are silent.")
    return seen


def _refuse_alike(seen: Measured, wording: Wording, findings: list[Finding]) -> None:
    if not seen.alike:
        return
    if not wording.recorded:
        raise _LeftOutError("mono", "Both channels are the same, so that the voices are mixed.")
    sentence = "Both channels are the same, as when the model is an echo."
    findings.append(Finding("mono", sentence, "It was kept."))


def _read(incoming: Incoming, findings: list[Finding]) -> Wording:
    try:
        return incoming.read()
    except UnknownSpeakersError as fault:
        # Left out rather than kept without words, so that it can be imported once that is said.
        raise _LeftOutError("speakers", f"{fault.sentence} {fault.advice}") from fault
    except UserError as fault:
        finding = Finding("unreadable words", fault.sentence, "The dialogue was kept without words.")
        findings.append(finding)
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
    elif len(pieces) > 1:
        times = "once" if len(pieces) == 2 else f"{len(pieces) - 1} times"
        findings.append(Finding("restarted", f"The model forgot the talk {times}.", done))


def _names(
    dataset: Dataset, incoming: Incoming, ledger: Ledger, count: int, findings: list[Finding]
) -> list[str]:
    """Return the names of the parts of a dialogue: those of an import that broke off, or new ones."""
    entry = ledger.known(incoming.audio)
    if entry is not None and len(entry.dialogues) == count:
        return entry.dialogues
    texts = (path.stem for path in (dataset.folder / TEXT).glob("*.json"))
    taken = ledger.dialogues.union(dataset.dialogues(), texts)
    if count == 1:
        name = free_name(incoming.name, taken)
        if name != (plain := free_name(incoming.name, set())):
            findings.append(Finding("renamed", f"There is another dialogue {plain}.", f"This is {name}."))
        return [name]
    number = 1
    while True:
        stem = free_name(incoming.name if number == 1 else f"{incoming.name}-{number}", set())
        names = [f"{stem}-{part + 1}" for part in range(count)]
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


def _write_sound(part: Path, target: Path, piece: cutting.Part, seen: Measured, swap: bool) -> None:
    is_whole = piece.frames == len(seen.levels_db[0])
    if is_whole and not swap:
        put(part, target)
        return
    first, samples = (FRAME_SAMPLES * frames for frames in (piece.first, piece.frames))
    with replacing(target) as beside:
        audio.copy(part, beside, first=first, samples=samples, swap=swap)
