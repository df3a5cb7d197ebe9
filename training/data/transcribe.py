"""The verb `data transcribe`: the words of each voice of a dataset, with their times.

Knows nothing about how words are recognised, nor about codes, models or text streams. Voices that have words
are left alone, so that neither what a person has corrected nor what a model is known to have said is lost.
What was heard is kept dialogue by dialogue, with a line in `transcribed.jsonl`: a voice in which no words
were found is not listened to again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app.errors import UserError
from app.files import private, read_json, read_json_lines, write_json
from app.paths import Paths
from app.store.datasets import DATASET, Dataset, Speaker, TimedWord, hold, read_words, write_words
from training.data.listening import Listened, listen
from training.data.places import dialogues_of, find_dataset
from training.data.recogniser import DEFAULT, Recogniser, open_recogniser
from training.data.voices import SoundError, open_voices, sound_length_s
from training.progress import Progress

TRANSCRIBED = "transcribed.jsonl"
"""Which voices were listened to, by what: one JSON object a line, the newest last."""

Finding = Mapping[str, object]
"""What progress tells, as a line of import.jsonl has it, and the `voice`."""

VOICES: tuple[Speaker, Speaker] = "A", "B"


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    dataset: str
    voice: str
    language: str
    recogniser: str
    device: str
    again: bool
    json: bool


class Task(NamedTuple):
    """The voices of one dialogue that are to be listened to."""

    dialogue: str
    voices: tuple[Speaker, ...]
    length_s: float


class Listener(NamedTuple):
    """Who listens, and in which language."""

    recogniser: Recogniser
    name: str
    """For the record."""
    language: str


class Plan(NamedTuple):
    """What is to be listened to, and what is not."""

    tasks: list[Task]
    spared: int
    """Voices that have words, of which the model's own are known, or that were listened to before."""
    unreadable: list[Finding]


@dataclass
class Outcome:
    """What was done, in numbers."""

    dialogues: int = 0
    voices: int = 0
    words: int = 0
    invented: int = 0
    failed: int = 0
    """Dialogues that could not be read."""


def main(argv: list[str], where: Paths) -> int:
    """Find the words of a dataset and return the exit status, 1 where dialogues could not be read.

    Raises UserError.
    """
    options = parse(argv)
    dataset = find_dataset(options.dataset, where)
    language = _language(options.language, dataset)
    with hold(dataset, "aizuchi data transcribe"):
        return _transcribe(options, dataset, language)


def _transcribe(options: Options, dataset: Dataset, language: str) -> int:
    voices = tuple(voice for voice in VOICES if options.voice in (voice, "both"))
    tasks, spared, unreadable = plan(dataset, voices, again=options.again)
    total_s = sum(task.length_s * len(task.voices) for task in tasks)
    overall = Progress("", 0, "s", options.json)
    for finding in unreadable:
        overall.finding(finding)
    outcome = Outcome(failed=len(unreadable))
    if tasks:
        recogniser = _open(options, language)
        _keep_language(dataset, language)
        listener = Listener(recogniser, Path(options.recogniser).name, language)
        # Begun only now: the time left follows from the time since.
        with Progress("Transcribing", total_s, "s", options.json) as progress:
            transcribe(dataset, tasks, listener, progress, outcome, again=options.again)
    overall.result({**asdict(outcome), "spared": spared, "sentence": _sentence(outcome, spared)})
    return 1 if outcome.failed else 0


def parse(argv: list[str]) -> Options:
    """Return the options of a command line; ends the program when they are not well formed."""
    parser = argparse.ArgumentParser(
        prog="aizuchi data transcribe",
        description="Find the words of both voices, with their times. Voices that have words are left alone.",
    )
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="the name or the folder of a dataset")
    add("--voice", choices=["A", "B", "both"], default="both", help="whose words (default: both)")
    add("--language", default="", metavar="CODE", help="such as en or ja (default: the dataset's)")
    add(
        "--recogniser",
        "--model",
        default=DEFAULT,
        metavar="DIR|NAME",
        help="a folder with a Whisper model in CTranslate2's format, or a name such as medium or large-v3 "
        f"that is fetched (default: {DEFAULT})",
    )
    add("--device", choices=["auto", "cpu", "cuda"], default="auto")
    add("--again", action="store_true", help="listen to voices that have words too, and replace these")
    add("--json", action="store_true", help="print one line of JSON for each step, for programs")
    return Options(**vars(parser.parse_args(argv)))


def plan(dataset: Dataset, voices: Sequence[Speaker], *, again: bool = False) -> Plan:
    """Return what is to be listened to; with `again`, all of it. Raises UserError where there is nothing."""
    dialogues = dialogues_of(dataset)
    heard = set() if again else _heard_before(dataset)
    made = Plan([], 0, [])
    for dialogue in dialogues:
        try:
            length_s = sound_length_s(dataset.audio(dialogue))
            present = {word.speaker for word in _words(dataset, dialogue)}
        except (SoundError, _WordsError) as fault:
            made.unreadable.append(_unreadable(dataset, dialogue, fault))
            continue
        identity = _identity(dataset.audio(dialogue))
        known = set() if again else present | ({"A"} if dataset.spoken(dialogue).exists() else set())
        wanted = tuple(v for v in voices if v not in known and (dialogue, v, identity) not in heard)
        made = made._replace(spared=made.spared + len(voices) - len(wanted))
        if wanted:
            made.tasks.append(Task(dialogue, wanted, length_s))
    return made


def transcribe(
    dataset: Dataset,
    tasks: Sequence[Task],
    listener: Listener,
    progress: Progress,
    outcome: Outcome,
    *,
    again: bool = False,
) -> None:
    """Listen to voices and write their words beside those of the others, dialogue by dialogue.

    A dialogue that can not be read is a finding, the others go on. Raises UserError where the recogniser
    stops or nothing can be written; what was written stays.
    """
    for task in tasks:
        try:
            heard = _listen(dataset, task, listener, progress)
            words = _write(dataset, task.dialogue, heard, again=again)
        except (SoundError, _WordsError) as fault:
            outcome.failed += 1
            progress.finding(_unreadable(dataset, task.dialogue, fault))
            continue
        _note(dataset, task.dialogue, heard, listener)
        outcome.dialogues += 1
        outcome.voices += len(heard)
        outcome.words += words
        for voice, listened in heard.items():
            outcome.invented += listened.invented
            for finding in _findings(dataset, task.dialogue, voice, listened):
                progress.finding(finding)


def _language(asked: str, dataset: Dataset) -> str:
    language = (asked or dataset.language).lower().split("-")[0]
    if not language:
        raise UserError(
            f"The language of the dataset {dataset.name} is not known.", "Name it: `--language en`, ja, …."
        )
    if not re.fullmatch("[a-z]{2,3}", language):
        raise UserError(f"'{asked or language}' is no language.", "Name its code, such as en or ja.")
    return language


def _keep_language(dataset: Dataset, language: str) -> None:
    """Write the language into a dataset that has none, for what reads it next."""
    if dataset.language:
        return
    path = dataset.folder / DATASET
    with _writing(path):
        told = read_json(path)
        write_json(path, {**told, "language": language})


def _open(options: Options, language: str) -> Recogniser:
    """Return the recogniser; reading or fetching it may take minutes."""
    stage = "Reading the recogniser"
    if not options.json:
        print(f"{stage} {options.recogniser} …", file=sys.stderr, flush=True)
        return open_recogniser(options.recogniser, language, options.device)
    with Progress(stage, 1, "s", as_json=True) as progress:
        recogniser = open_recogniser(options.recogniser, language, options.device)
        progress.advance(1)
    return recogniser


def _listen(dataset: Dataset, task: Task, listener: Listener, progress: Progress) -> dict[Speaker, Listened]:
    """Return what the voices of a dialogue say."""
    heard: dict[Speaker, Listened] = {}
    with open_voices(dataset.audio(task.dialogue)) as voices:
        for speaker in task.voices:
            told = _Told(progress, task.length_s)
            heard[speaker] = listen(voices[speaker], listener.recogniser, listener.language, told)
            told(task.length_s)
    return heard


class _Told:
    """Adds up how far one voice is."""

    def __init__(self, progress: Progress, length_s: float) -> None:
        self._progress = progress
        self._length_s = length_s
        self._done_s = 0.0

    def __call__(self, now_s: float) -> None:
        now_s = min(now_s, self._length_s)
        self._progress.advance(now_s - self._done_s)
        self._done_s = now_s


def _write(dataset: Dataset, dialogue: str, heard: dict[Speaker, Listened], *, again: bool) -> int:
    """Write what was heard among the other words of a dialogue, and return how many words that are.

    The words are read only now, and a voice that has got some in the meantime is left alone.
    """
    path = dataset.text(dialogue)
    present = _words(dataset, dialogue)
    replaced = set(heard) if again else set(heard) - {word.speaker for word in present}
    new = [
        TimedWord(voice, word.text, word.start_s, word.end_s)
        for voice in heard
        if voice in replaced
        for word in heard[voice].words
    ]
    with _writing(path):
        write_words(path, [word for word in present if word.speaker not in replaced] + new)
    return len(new)


def _findings(dataset: Dataset, dialogue: str, voice: Speaker, listened: Listened) -> Iterator[Finding]:
    """Yield what is odd about a voice."""
    of = {"dialogue": dialogue, "source": str(dataset.audio(dialogue)), "voice": voice}
    if listened.speech_s == 0:
        yield {**of, "finding": "silent", "sentence": f"Nobody speaks in {voice}.", "done": ""}
    elif not listened.words:
        sentence = f"No words were found in {listened.speech_s:.1f} s of sound in {voice}."
        yield {**of, "finding": "no words", "sentence": sentence, "done": ""}
    if listened.invented:
        count = _count(listened.invented, "unsure word")
        sentence = f"{count} in silence in {voice}."
        yield {**of, "finding": "invented", "sentence": sentence, "done": "Left out."}


def _unreadable(dataset: Dataset, dialogue: str, fault: UserError) -> Finding:
    of = {"dialogue": dialogue, "source": str(dataset.audio(dialogue)), "finding": "unreadable"}
    return {**of, "sentence": fault.sentence, "done": "Left out.", "advice": fault.advice}


def _heard_before(dataset: Dataset) -> set[tuple[str, str, str]]:
    """Return the (dialogue, voice, identity of the sound) that were listened to."""
    heard = set()
    with suppress(OSError):
        for told in read_json_lines(dataset.folder / TRANSCRIBED):
            # A line that a crash has cut off is worth no more than to listen once more.
            with suppress(ValueError, KeyError, TypeError):
                heard.add((str(told["dialogue"]), str(told["voice"]), str(told["audio"])))
    return heard


def _note(dataset: Dataset, dialogue: str, heard: dict[Speaker, Listened], listener: Listener) -> None:
    """Add the lines about a dialogue to the record."""
    path = dataset.folder / TRANSCRIBED
    about = {
        "audio": _identity(dataset.audio(dialogue)),
        "recogniser": listener.name,
        "language": listener.language,
    }
    time = datetime.now().astimezone().isoformat(timespec="seconds")
    with _writing(path), open(path, "a", encoding="utf-8", opener=private) as file:
        for voice, listened in heard.items():
            figures = {"words": len(listened.words), "invented": listened.invented}
            told = {"dialogue": dialogue, "voice": voice, **figures, **about, "made": time}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _identity(path: Path) -> str:
    """Return what tells a sound file from its successors, as codes/NAME.npz has it."""
    state = path.stat()
    return f"{state.st_size}:{state.st_mtime_ns}"


def _words(dataset: Dataset, dialogue: str) -> list[TimedWord]:
    """Return the words that a dialogue has. Raises _WordsError where they can not be read."""
    path = dataset.text(dialogue)
    try:
        return read_words(path) if path.exists() else []
    except UserError as fault:
        raise _WordsError(fault.sentence, fault.advice) from fault


class _WordsError(UserError):
    """The words of one dialogue can not be read."""


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        advice = "See whether the disk has room; what was found before is kept."
        raise UserError(f"{path} can not be written: {fault.strerror}.", advice) from fault


def _sentence(outcome: Outcome, spared: int) -> str:
    """Return what was done, for people."""
    told = []
    if outcome.voices:
        words, voices = _count(outcome.words, "word"), _count(outcome.voices, "voice")
        told.append(f"Found {words} in {voices} of {_count(outcome.dialogues, 'dialogue')}.")
    if spared:
        told.append(f"{_count(spared, 'voice')} had been done before; `--again` listens anew.")
    if outcome.failed:
        told.append(f"{_count(outcome.failed, 'dialogue')} could not be read.")
    return " ".join(told)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
