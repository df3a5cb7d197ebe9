"""A source that was imported before, once more: words that were corrected or added in it since come in too.

What a person has corrected in the dataset, or a recogniser has found there, is never overwritten. Knows
nothing about the command, or about where dialogues come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from app.errors import UserError
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.store.datasets import Dataset, Speaker, TimedWord, read_words, write_words
from training.data import arrival, audio, cutting
from training.data.arrival import LeftOutError, Looked, Wishes
from training.data.identity import words_identity
from training.data.ledger import Entry, Ledger, source_name
from training.data.oddities import Finding
from training.data.sources import Incoming

Change = Literal["added", "replaced", "kept"]
"""What became of the words of a voice that are others in the source than in the dataset."""

VOICES: tuple[Speaker, Speaker] = "A", "B"


def bring_up_to_date(
    incoming: Incoming, entry: Entry, ledger: Ledger, wishes: Wishes, told: Callable[[float], None]
) -> tuple[list[Finding], bool]:
    """Take the words of a source that is there where they are new; return what was found, and if any came in.

    `told` hears how many more seconds of sound were read. Raises OSError where nothing can be written.
    """
    dataset = ledger.dataset
    entry = replace(entry, source=source_name(incoming.audio))
    is_same = entry.identity == arrival.identity_of(incoming)
    try:
        if is_same and entry.sound and entry.words == words_identity(incoming.read().words):
            ledger.imported(entry)
            return [], False
        with arrival.part_of(dataset) as part:
            looked = arrival.look_at(incoming, part, wishes, [], told)
            pieces = _pieces(dataset, entry, looked)
            if (entry.sound or (is_same and looked.sound)) != looked.sound or pieces is None:
                return [
                    Finding("changed", "Its source has changed since it was imported.", "It stays.")
                ], False
            noted = arrival.entry_of(incoming, looked, entry.dialogues, pieces)
            changes, texts = _take_words(dataset, entry, looked, pieces)
            if {"added", "replaced"} & set(changes) and entry.swapped not in (None, looked.swap):
                for name, piece in zip(entry.dialogues, pieces, strict=True):
                    arrival.write_sound(part, dataset.audio(name), piece, looked.seen, looked.swap)
    except LeftOutError as fault:
        return [fault.finding._replace(done="It stays.")], False
    except UserError as fault:
        return [Finding("unreadable words", fault.sentence, _STAY, fault.advice)], False
    # What was kept is told again next time, and comes in once the words of the dataset are deleted.
    ledger.imported(replace(noted, texts=texts, words=entry.words if "kept" in changes else noted.words))
    found = looked.wording.findings if changes else []
    return [*found, *_findings(dataset, entry, changes)], bool({"added", "replaced"} & set(changes))


def add_missing(dataset: Dataset, twin: Entry, looked: Looked) -> bool:
    """Give what has the same sound the words of a voice that has none; return whether there were any.

    Raises UserError where the words of the dataset can not be read, OSError where they can not be written.
    """
    pieces = _pieces(dataset, twin, looked)
    if pieces is None or twin.swapped not in (None, looked.swap):
        return False
    return bool(_take_words(dataset, twin, looked, pieces, only_missing=True)[0])


_STAY = "Those of the dataset stay."


def _findings(dataset: Dataset, entry: Entry, changes: Iterable[Change]) -> list[Finding]:
    """Return what to say of the changes, each kind once."""
    found: dict[Change, Finding] = {
        "added": Finding("words", "There are words now that it did not have.", "They were added."),
        "replaced": Finding("words", "Its words have changed since it was imported.", "They were replaced."),
        "kept": Finding(
            "words",
            "Its source has other words than the dataset, where they were corrected.",
            _STAY,
            f"To take the others, delete {dataset.text(entry.dialogues[0])} and import it again.",
        ),
    }
    return [found[change] for change in dict.fromkeys(changes)]


def _pieces(dataset: Dataset, entry: Entry, looked: Looked) -> list[cutting.Part] | None:
    """Return which parts of a source its dialogues are, by their lengths; None where they do not fit in.

    Raises SoundError.
    """
    levels_db, wording = looked.seen.levels_db, looked.wording
    # Where nothing is too long: how long a part might be when it came in is not known.
    left = cutting.parts(levels_db, (), len(levels_db[0]), wording.restarts, wording.gaps)
    pieces: list[cutting.Part] = []
    for name in entry.dialogues:
        samples = round(audio.about(dataset.audio(name)).length_s * SAMPLE_RATE)
        frames = -(-samples // FRAME_SAMPLES)
        if not left or left[0].frames < frames:
            return None
        first, whole = left.pop(0)
        pieces.append(cutting.Part(first, frames))
        if whole > frames:
            left.insert(0, cutting.Part(first + frames, whole - frames))
    return None if left else pieces


def _take_words(
    dataset: Dataset,
    entry: Entry,
    looked: Looked,
    pieces: Sequence[cutting.Part],
    *,
    only_missing: bool = False,
) -> tuple[list[Change], dict[str, dict[str, str]]]:
    """Write the words that are new; return what became of which, and the identities of what the source has.

    Of words that were kept it is the identity of before.
    """
    changes: list[Change] = []
    texts: dict[str, dict[str, str]] = {}
    for name, piece in zip(entry.dialogues, pieces, strict=True):
        path = dataset.text(name)
        new = cutting.words_of(looked.words, piece)
        present = read_words(path) if path.exists() else []
        noted = entry.texts.get(name, {}) if path.exists() else {}
        texts[name] = arrival.identities(new)
        taken: set[Speaker] = set()
        for voice in VOICES:
            change = _change(_of(present, voice), _of(new, voice), noted.get(voice))
            if change is None or (only_missing and change != "added"):
                continue
            changes.append(change)
            if change == "kept":
                texts[name][voice] = noted.get(voice, "")
            else:
                taken.add(voice)
        if taken:
            kept = [word for word in present if word.speaker not in taken]
            write_words(path, [*kept, *(word for word in new if word.speaker in taken)])
    return changes, texts


def _change(present: Sequence[TimedWord], new: Sequence[TimedWord], noted: str | None) -> Change | None:
    """Return what is to become of the words of a voice; `noted` is the identity of what came in before."""
    now, then = words_identity(present), words_identity(new)
    if not new or then in (now, noted):
        return None
    if not present:
        return "added"
    return "replaced" if now == noted else "kept"


def _of(words: Iterable[TimedWord], voice: Speaker) -> list[TimedWord]:
    return [word for word in words if word.speaker == voice]
