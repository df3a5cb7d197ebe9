"""The verb `aizuchi data import`: a dataset of recordings, stereo files, or others' data.

Each dialogue is there or not, never half: an interrupted import goes on where it was, and importing the same
again adds nothing. Knows nothing about forms of data, sound or words.
"""

from __future__ import annotations

import argparse
import errno
import logging
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import UserError
from app.files import named, read_json, write_json
from app.frames import seconds
from app.paths import Paths
from app.store.datasets import DATASET, Dataset, create_dataset, hold, open_dataset
from training.data import arrival, audio, rewording, tokenised
from training.data.arrival import Arrived, Wishes
from training.data.ledger import Entry, Ledger, source_name
from training.data.oddities import Finding
from training.data.sources import Found, Incoming, find_sources
from training.data.voices import SoundError
from training.progress import Progress, counted, duration

log = logging.getLogger(__name__)

_OF_A_NAME = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
"""What a file system refuses about one name alone."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Options:
    """What the command line asks for. '' and None leave the choice to what is found."""

    sources: list[str]
    name: str
    out: Path | None
    language: str
    speaker: str | None
    wishes: Wishes
    json: bool


def main(argv: list[str], where: Paths) -> int:
    """Run `aizuchi data import` and return the exit status. Raises UserError."""
    options = _parse(argv)
    folder = options.out or where.datasets / (options.name or _name(options.sources[0]))
    _refuse_own(folder, options.sources)
    found = find_sources(options.sources, options.speaker, where, but=folder)
    is_new = not (folder / DATASET).exists()
    language = options.language or _only(found.languages)
    dataset = create_dataset(folder, language=language)
    with hold(dataset, "aizuchi data import"):
        try:
            dataset = _of_language(dataset, language)
            if found.tokens:
                _import_tokens(dataset, found, options.json)
            else:
                _Import(dataset, options.wishes, options.json).run(found)
        except BaseException:
            if is_new and not dataset.dialogues() and not dataset.shards:
                shutil.rmtree(dataset.folder, ignore_errors=True)
            raise
    return 0


def _parse(argv: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="aizuchi data import", description="Make a dataset of recordings, stereo files or others' data."
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="recordings, stereo sound files, a list of Kyutai's (.jsonl), nu-dialogue's folders, Parquet "
        "files, or folders of these; left = the voice that the model learns, right = the user's",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--name", default="", help="the dataset's name (that of the first source)")
    place.add_argument("--out", type=Path, metavar="DIR", help="the dataset's folder, elsewhere")
    parser.add_argument("--language", default="", metavar="CODE", help="en, ja, … (that of the recordings)")
    parser.add_argument("--swap", action="store_true", help="the left channel is the user's")
    parser.add_argument(
        "--speaker", metavar="LABEL", help="whom the sources call the voice that the model learns (A)"
    )
    parser.add_argument(
        "--longest", type=float, default=240.0, metavar="MINUTES", help="cut longer dialogues (240)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines, for programs")
    given = parser.parse_args(argv)
    if given.language and not _LANGUAGE.fullmatch(given.language):
        raise UserError(f"'{given.language}' is no code of a language.", "Write en, ja, de, fr, …")
    if given.name and (given.name in (".", "..") or re.search(r"[/\\\0]", given.name)):
        raise UserError(f"'{given.name}' can not be a name.", "Name a folder elsewhere with --out.")
    if not given.longest >= 0.5:
        raise UserError("Dialogues can not be cut shorter than half a minute.", "Say --longest 0.5 or more.")
    return Options(
        sources=given.sources,
        name=given.name,
        out=named(given.out) if given.out else None,
        language=given.language,
        speaker=given.speaker,
        wishes=Wishes(given.swap, given.longest * 60),
        json=given.json,
    )


def _name(source: str) -> str:
    path = named(source)
    return arrival.free_name(path.stem if path.is_file() else path.name, set())


def _only(languages: set[str]) -> str:
    known = {language for language in languages if language}
    return known.pop() if len(known) == 1 else ""


def _refuse_own(folder: Path, sources: Sequence[str]) -> None:
    for spec in sources:
        path = named(spec)
        if path == folder.resolve() or folder.resolve() in path.parents:
            raise UserError(
                f"{path} lies in the dataset's own folder.", "Choose another one for the dataset."
            )


def _of_language(dataset: Dataset, language: str) -> Dataset:
    """Return the dataset with a language where it had none. Raises UserError for one of another language."""
    if language and dataset.language and language != dataset.language:
        raise UserError(
            f"The dataset {dataset.name} is of the language {dataset.language}, the sources of {language}.",
            "Choose another --name, or say with --language that they are the same.",
        )
    if language and not dataset.language:
        file = dataset.folder / DATASET
        try:
            write_json(file, {**read_json(file), "language": language})
        except OSError as fault:
            raise _no_room(dataset, fault) from fault
        return open_dataset(dataset.folder)
    return dataset


class _Import:
    """Dialogues with sound on their way into a dataset."""

    def __init__(self, dataset: Dataset, wishes: Wishes, as_json: bool) -> None:
        self._dataset = dataset
        self._wishes = wishes
        self._as_json = as_json
        self._ledger = Ledger(dataset)
        self._dialogues = self._left_out = self._there = self._wordless = 0
        self._twins = self._alike = self._reworded = 0
        self._length_s = 0.0

    def run(self, found: Found) -> None:
        """Bring in all that is not there yet. Raises UserError where the dataset can not be written."""
        if self._dataset.prepared.get("model") == "":
            raise UserError(
                f"The dataset {self._dataset.name} holds tokens alone.", "Choose another --name for sound."
            )
        lengths_s = [_length_s(incoming) for incoming in found.dialogues]
        with Progress("Importing", sum(lengths_s), "s", self._as_json) as progress:
            try:
                arrival.clean(self._dataset)
                self._tell_troubles(found, progress)
                for incoming, length_s in zip(found.dialogues, lengths_s, strict=True):
                    self._bring_in_or_leave(incoming, length_s, progress)
            except OSError as fault:
                raise _no_room(self._dataset, fault) from fault
        if not (self._dialogues or self._there or self._twins):
            raise _nothing(self._left_out)
        progress.result(self._result())

    def _tell_troubles(self, found: Found, progress: Progress) -> None:
        for trouble in found.troubles:
            finding = Finding("unreadable", trouble.sentence, "It was left out.", trouble.advice)
            self._tell(progress, [trouble.name], trouble.source, finding)
            self._left_out += 1
        if found.repeated:
            self._tell(progress, [], self._dataset.folder, _repeated(found))

    def _bring_in_or_leave(self, incoming: Incoming, length_s: float, progress: Progress) -> None:
        """Bring a dialogue in; whatever is wrong with one is its own fault alone.

        Raises OSError where the dataset can not be written, since no other one will do better.
        """
        try:
            self._bring_in(incoming, length_s, progress)
        except Exception as fault:
            if isinstance(fault, OSError) and fault.errno not in _OF_A_NAME:
                raise
            log.exception("a fault in the import of %s", incoming.audio)
            reason = f"{type(fault).__name__}: {fault}"
            finding = Finding("unreadable", f"It can not be imported: {reason}.", "It was left out.")
            self._tell(progress, [incoming.name], incoming.audio, finding)
            self._left_out += 1

    def _bring_in(self, incoming: Incoming, length_s: float, progress: Progress) -> None:
        heard_s = 0.0

        def told(more_s: float) -> None:
            nonlocal heard_s
            heard_s += more_s
            progress.advance(more_s)

        ledger = self._ledger
        entry = ledger.known(incoming.audio) or ledger.moved(incoming.audio, arrival.identity_of(incoming))
        if entry is not None and ledger.is_there(entry):
            self._bring_up_to_date(incoming, entry, progress, told)
        else:
            arrived = arrival.bring_in(incoming, ledger, self._wishes, told)
            if arrived.twin is not None and ledger.is_gone(arrived.twin):
                self._bring_up_to_date(incoming, arrived.twin, progress, told)
            elif arrived.twin is not None:
                self._tell_twin(incoming, arrived, progress)
            else:
                self._tell_arrived(incoming, arrived, progress)
        progress.advance(length_s - heard_s)

    def _bring_up_to_date(
        self, incoming: Incoming, entry: Entry, progress: Progress, told: Callable[[float], None]
    ) -> None:
        self._there += 1
        found, has_words = rewording.bring_up_to_date(incoming, entry, self._ledger, self._wishes, told)
        self._reworded += len(entry.dialogues) if has_words else 0
        for finding in found:
            self._tell(progress, entry.dialogues, incoming.audio, finding)

    def _tell_twin(self, incoming: Incoming, arrived: Arrived, progress: Progress) -> None:
        """Say that a sound is there already; if words are missing there, they come in."""
        assert arrived.twin is not None and arrived.looked is not None, "a twin was found by its sound"
        self._twins += 1
        names, done = arrived.twin.dialogues, "It was left out."
        if rewording.add_missing(self._dataset, arrived.twin, arrived.looked):
            self._reworded += len(names)
            done = "It was left out, its words were added there."
        sentence = f"It has the same sound as {Path(arrived.twin.source).name}."
        self._tell(progress, [incoming.audio.name], incoming.audio, Finding("duplicate", sentence, done))

    def _tell_arrived(self, incoming: Incoming, arrived: Arrived, progress: Progress) -> None:
        self._dialogues += len(arrived.dialogues)
        self._alike += len(arrived.dialogues) if arrived.has_alike else 0
        self._left_out += not arrived.dialogues
        self._length_s += arrived.length_s
        for finding in arrived.findings:
            self._wordless += len(arrived.dialogues) if finding.kind == "no words" else 0
            self._tell(progress, arrived.dialogues or [incoming.name], incoming.audio, finding)

    def _tell(self, progress: Progress, dialogues: Sequence[str], source: Path, finding: Finding) -> None:
        line = {
            "dialogue": dialogues[0] if dialogues else "",
            "source": source_name(source),
            "finding": finding.kind,
            "sentence": finding.sentence,
            "done": finding.done,
            **({"advice": finding.advice} if finding.advice else {}),
        }
        self._ledger.add(line)
        progress.finding(line)

    def _result(self) -> dict[str, object]:
        name = self._dataset.name
        told = []
        if self._dialogues or not self._reworded:
            told.append(_came_in(self._dialogues, self._length_s, name))
        if self._reworded:
            told.append(f"New words came into {counted(self._reworded, 'dialogue')} of {name}.")
        if self._there:
            told.append(f"{counted(self._there, 'source')} had been imported before.")
        if self._twins:
            told.append(f"{counted(self._twins, 'source')} held the same dialogue as another.")
        if self._alike:
            many = counted(self._alike, "dialogue")
            told.append(f"Repeated sound in {many}: training uses it once.")
        if self._left_out:
            told.append(f"{counted(self._left_out, 'source')} had to be left out.")
        if self._wordless:
            told.append(f"Words are missing in {self._wordless}: run `aizuchi data transcribe {name}`.")
        return {
            "dialogues": self._dialogues,
            "there": self._there,
            "reworded": self._reworded,
            "twins": self._twins,
            "left_out": self._left_out,
            "wordless": self._wordless,
            "hours": self._length_s / 3600,
            "folder": str(self._dataset.folder),
            "sentence": " ".join(told),
        }


def _import_tokens(dataset: Dataset, found: Found, as_json: bool) -> None:
    """Bring dialogues that are tokens alone into a dataset that holds nothing else. Raises UserError."""
    if found.dialogues or found.troubles:
        raise UserError(
            "Some of the sources are sound, some are tokens alone.",
            "Import them into two datasets; a run can learn from both.",
        )
    if dataset.dialogues():
        raise UserError(f"The dataset {dataset.name} holds sound.", "Choose another --name for tokens alone.")
    ledger = Ledger(dataset)
    total = tokenised.count(found.tokens)
    with Progress("Reading tokens", total, "dialogues", as_json) as progress:
        try:
            taken = tokenised.take(dataset, found.tokens, lambda times: progress.advance(times / 2))
            repeated = [("", dataset.folder, _repeated(found))] if found.repeated else []
            for name, source, finding in [*repeated, *taken.findings]:
                line = {"dialogue": name, "source": source_name(source), "finding": finding.kind}
                line |= {"sentence": finding.sentence, "done": finding.done}
                ledger.add(line)
                progress.finding(line)
        except OSError as fault:
            raise _no_room(dataset, fault) from fault
        progress.advance(0)
    if not taken.dialogues and not taken.there:
        raise _nothing(taken.left_out)
    length_s = seconds(taken.frames)
    told = [_came_in(taken.dialogues, length_s, dataset.name)]
    told.append("All are ready for training, with a model like the one they were made for.")
    if taken.there:
        told.append(f"{counted(taken.there, 'dialogue')} had been imported before.")
    if taken.left_out:
        told.append(f"{counted(taken.left_out, 'dialogue')} had to be left out.")
    progress.result(
        {
            "dialogues": taken.dialogues,
            "there": taken.there,
            "left_out": taken.left_out,
            "wordless": 0,
            "hours": length_s / 3600,
            "folder": str(dataset.folder),
            "sentence": " ".join(told),
        }
    )


def _repeated(found: Found) -> Finding:
    many = counted(found.repeated, "source")
    return Finding("repeated", f"Named more than once: {many}.", "Each is used once.")


def _length_s(incoming: Incoming) -> float:
    with suppress(SoundError):
        return audio.about(incoming.audio).length_s
    return 0.0


def _came_in(dialogues: int, length_s: float, name: str) -> str:
    if not dialogues:
        return f"Nothing new came into {name}."
    return f"{counted(dialogues, 'dialogue')} of {duration(length_s)} in all came into {name}."


def _no_room(dataset: Dataset, fault: OSError) -> UserError:
    kept = "What was imported before is kept; run the same command again to go on."
    reason = fault.strerror or str(fault)
    return UserError(f"{dataset.folder} can not be written: {reason}.", f"Make room. {kept}")


def _nothing(left_out: int) -> UserError:
    if left_out == 1:
        return UserError("The dialogue could not be imported.", "What is wrong with it is said above.")
    return UserError(
        f"None of the {left_out} dialogues could be imported.", "What is wrong with them is said above."
    )
