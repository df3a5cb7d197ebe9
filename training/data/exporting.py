"""The verb `aizuchi data export`: a dataset as other finetuners read it.

`kyutai` is what kyutai-labs/moshi-finetune reads: a list `data.jsonl`, and beside each wav its alignments.
`nu-dialogue` is what nu-dialogue/moshi-finetune reads: wavs and words, and where the dataset is prepared the
tokens that its tools would make of them. Knows nothing about how a dataset came to be.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from app.errors import UserError
from app.files import make_folder, named, replacing_folder, write_json
from app.paths import Paths
from app.store.datasets import AUDIO, SPOKEN, TEXT, Dataset, TimedWord, read_words, write_words
from training.data import audio
from training.data.arrival import free_name
from training.data.identity import inputs
from training.data.places import find_dataset
from training.data.shards import read_parquet
from training.data.sources import TOKENIZED
from training.data.transcript_formats import MAIN, OTHER
from training.data.voices import SoundError, sound_length_s
from training.progress import Progress, counted, duration

FORMATS = "kyutai", "nu-dialogue"

LIST, STEREO, PROCESSED = "data.jsonl", "data_stereo", "processed"

_CODEBOOKS = 8


def main(argv: list[str], where: Paths) -> int:
    """Run `aizuchi data export` and return the exit status. Raises UserError."""
    arguments = _parse(argv)
    dataset = find_dataset(arguments.dataset, where)
    out = named(arguments.out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(f"{out} is there already.", "Name a new folder.")
    if not dataset.dialogues() and not (arguments.format == "nu-dialogue" and dataset.shards):
        held = "tokens alone, and Kyutai's data is sound" if dataset.shards else "no dialogues"
        raise UserError(f"The dataset {dataset.name} holds {held}.", "Import dialogues with sound first.")
    try:
        make_folder(out.parent)
        with replacing_folder(out) as folder:
            export = _Export(dataset, folder, arguments.json)
            export.run(arguments.format)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise UserError(
            f"{out} can not be written: {reason}.", "Make room, or name another folder."
        ) from fault
    export.tell_result(out)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aizuchi data export", description="Write a dataset as other finetuners read it."
    )
    parser.add_argument("dataset", metavar="DATASET", help="a dataset's name or folder")
    parser.add_argument("out", metavar="OUT", type=Path, help="a new folder")
    parser.add_argument("--format", choices=FORMATS, required=True, help="whose finetuner is to read it")
    parser.add_argument("--json", action="store_true", help="print JSON lines, for programs")
    return parser.parse_args(argv)


class _Export:
    """One dataset on its way into a folder."""

    def __init__(self, dataset: Dataset, folder: Path, as_json: bool) -> None:
        self._dataset = dataset
        self._folder = folder
        self._as_json = as_json
        self._dialogues = self._left_out = self._tokenised = 0
        self._length_s = 0.0
        self._progress: Progress

    def run(self, form: str) -> None:
        """Write all dialogues in one of FORMATS. Raises OSError, and UserError where nothing is left."""
        write = self._write_kyutai if form == "kyutai" else self._write_nu_dialogue
        names = self._dataset.dialogues()
        if names:
            with self._stage("Writing", len(names)):
                for name in names:
                    self._write(name, write)
                    self._progress.advance(1)
            if not self._dialogues:
                advice = "What is wrong with them is said above."
                raise UserError("None of the dialogues could be written.", advice)
        if form == "nu-dialogue" and self._dataset.shards:
            with self._stage("Writing tokens", len(self._dataset.shards), "files"):
                self._write_tokens()

    def tell_result(self, out: Path) -> None:
        """Say what was written where."""
        told = []
        if self._dialogues:
            told.append(f"{counted(self._dialogues, 'dialogue')} of {duration(self._length_s)} in all")
        if self._tokenised:
            told.append(f"the tokens of {counted(self._tokenised, 'dialogue')}")
        left_out = f" {counted(self._left_out, 'dialogue')} had to be left out." if self._left_out else ""
        sentence = f"In {out}: {' and '.join(told)}.{left_out}"
        self._progress.result(
            {
                "dialogues": self._dialogues,
                "tokenised": self._tokenised,
                "left_out": self._left_out,
                "hours": self._length_s / 3600,
                "folder": str(out),
                "sentence": sentence,
            }
        )

    @contextmanager
    def _stage(self, name: str, total: int, unit: str = "dialogues") -> Iterator[None]:
        self._progress = Progress(name, total, unit, self._as_json)
        with self._progress:
            yield

    def _write(self, name: str, write: Callable[[str, float, Sequence[TimedWord] | None], None]) -> None:
        """Write one dialogue, or say why it is left out."""
        try:
            length_s = sound_length_s(self._dataset.audio(name))
            text = self._dataset.text(name)
            write(name, length_s, read_words(text) if text.exists() else None)
        except (SoundError, UserError) as fault:
            self._left_out += 1
            self._tell(name, "unreadable", fault.sentence, "It was left out.")
            return
        self._dialogues += 1
        self._length_s += length_s

    def _tell(self, name: str, kind: str, sentence: str, done: str) -> None:
        source = str(self._dataset.audio(name)) if name else str(self._dataset.folder)
        line = {"dialogue": name, "source": source, "finding": kind, "sentence": sentence, "done": done}
        self._progress.finding(line)

    def _write_kyutai(self, name: str, length_s: float, words: Sequence[TimedWord] | None) -> None:
        folder = self._folder / STEREO
        self._write_wav(name, folder)
        # Their training keeps the words of SPEAKER_MAIN alone (keep_main_only), whatever the others are
        # called, and looks for them by time; with B's words beside them nothing is lost on the way back.
        # Each wav needs the file, even where there are no words.
        alignments = [
            [word.text, [word.start_s, word.end_s], MAIN if word.speaker == "A" else OTHER]
            for word in sorted(words or (), key=lambda word: (word.start_s, word.speaker))
        ]
        write_json(folder / f"{name}.json", {"alignments": alignments}, sync=False)
        entry = {"path": f"{STEREO}/{name}.wav", "duration": length_s}
        with (self._folder / LIST).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _write_nu_dialogue(self, name: str, length_s: float, words: Sequence[TimedWord] | None) -> None:
        self._write_wav(name, self._folder / AUDIO)
        if words is not None:
            write_words(self._folder / TEXT / f"{name}.json", words)
        if (spoken := self._dataset.spoken(name)).exists():
            # Their tools do not look at it; what the model spoke, exactly, comes back with an import.
            (self._folder / SPOKEN).mkdir(exist_ok=True)
            shutil.copyfile(spoken, self._folder / SPOKEN / spoken.name)

    def _write_wav(self, name: str, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        target = folder / f"{name}.wav"
        # A file that breaks off leaves nothing half written behind.
        with audio.writer(target, "WAV") as write:
            for block in audio.pcm_blocks(self._dataset.audio(name)):
                write(block)

    def _write_tokens(self) -> None:
        """Write the tokens as nu-dialogue's tools do: npz files for each dialogue, and the Parquet files."""
        made_of = self._dataset.prepared.get("inputs")
        if made_of and made_of != inputs(self._dataset):
            sentence = "Words or sound have changed since the dataset was prepared."
            self._tell("", "odd", sentence, "The tokens are those of before.")
        for part in (*TOKENIZED, PROCESSED):
            (self._folder / part).mkdir()
        taken: set[str] = set()
        for shard in self._dataset.shards:
            for _, _, identity, both in read_parquet(shard, _CODEBOOKS):
                # Theirs begins with where the Parquet files were meant to be.
                name = free_name(PurePosixPath(identity).name, taken)
                taken.add(name)
                a, b = (both[:, voice].T.astype(np.int64) for voice in (0, 1))
                np.savez_compressed(self._folder / TOKENIZED[0] / f"{name}.npz", A=a[1:], B=b[1:])
                np.savez_compressed(self._folder / TOKENIZED[1] / f"{name}.npz", A=a[0], B=b[0])
            shutil.copyfile(shard, self._folder / PROCESSED / shard.name)
            self._progress.advance(1)
        self._tokenised = len(taken)
