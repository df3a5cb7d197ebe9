"""The verb `aizuchi starter bank`: thousands of things that users say, in hundreds of voices, clean.

Every clip follows from the seed and its number alone; they are in an order drawn by chance, so that any
beginning of the bank is a small bank. It lies in shards of FLAC with an index, and one that was stopped goes
on. Rooms, noise and microphones come when it is mixed. Knows nothing about codes or dialogues.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from app.errors import UserError
from app.files import (
    clear_parts,
    make_folder,
    named,
    read_json,
    read_json_lines,
    replace_file,
    replacing_folder,
    write_json,
)
from app.frames import SAMPLE_RATE
from app.paths import Paths
from training.progress import Progress
from training.starter.bank_voices import ENGINES, REVOICED, check_engines, draw_who
from training.starter.engines import Engines, Spoken, Who, package
from training.starter.notices import notices
from training.starter.speech import Sound, Timed
from training.starter.user_texts import KINDS, Kind, UserText, taught
from training.starter.vocoder import Change, change_voice, draw_change

SETTINGS, INDEX, SOUND, NOTICE = "bank.json", "clips.jsonl", "speech.flac", "NOTICE.md"
SHARD_CLIPS = 100
"""So many are lost at most when it is stopped."""
_PEAK = 0.7

QUESTION_RENDITIONS = 400
"""Of each question, in all its phrasings together."""
RENDITIONS: Mapping[Kind, int] = {
    "cut_in": 60, "murmur": 30, "hesitation": 30, "opening": 30, "clause": 30,
    "unknown": 10, "name": 10, "again": 15, "slower": 15, "follow_up": 12,
}  # fmt: skip
"""Of each other text."""


@dataclass(frozen=True)
class Settings:
    """What a bank follows from."""

    seed: int = 0
    engines: tuple[str, ...] = ENGINES
    revoiced: bool = True
    """Whether the vocoder changes some voices."""
    share: float = 1.0
    """How much of the bank there is: its beginning."""
    kinds: tuple[str, ...] = KINDS
    """Of which kinds the texts are."""


class Clip(NamedTuple):
    """Something that is going to be said."""

    number: int
    text: UserText
    who: Who
    change: Change | None


class Entry(NamedTuple):
    """A clip in the index of its shard."""

    number: int
    seed: int
    kind: str
    language: str
    text: str
    answer: str
    engine: str
    voice: str
    speed: float
    pitch: float
    change: list[float] | None
    """Formants, pitch, range of pitch and time of the vocoder."""
    timed: bool
    """Whether the engine told the times of the words."""
    words: list[tuple[str, float, float]]
    """Word, its first and its last moment in s."""
    first: int
    """Its first sample in the shard, …"""
    samples: int
    """… and how many there are."""


def main(argv: list[str], where: Paths) -> int:
    """Make a bank, or go on, and return the exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi starter bank",
        description="Make the bank of user speech that the starter learns from: hours.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="its folder; the same goes on")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn by chance")
    parser.add_argument(
        "--share", type=float, default=1.0, metavar="X", help="how much of it, 0.01 for a trial"
    )
    parser.add_argument(
        "--engines", default=",".join(ENGINES), metavar="A,B", help="who speaks; all, if left out"
    )
    parser.add_argument(
        "--kinds",
        default=",".join(KINDS),
        metavar="A,B",
        help="of which kinds the texts are; all, if left out",
    )
    parser.add_argument("--plain", action="store_true", help="let no vocoder change the voices")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    options = parser.parse_args(argv)
    kinds = tuple(options.kinds.split(","))
    engines = tuple(options.engines.split(","))
    settings = Settings(options.seed, engines, not options.plain, options.share, kinds)
    folder = named(options.out)
    make_bank(folder, settings, options.workers)
    print(summary(folder))
    return 0


def make_bank(folder: Path, settings: Settings, workers: int = 1) -> None:
    """Make the shards that are missing. Raises UserError for a folder that was begun otherwise."""
    if strange := set(settings.kinds) - set(KINDS):
        raise UserError(f"No text is of the kind {min(strange)}.", f"There are: {', '.join(KINDS)}.")
    check_engines(settings.engines)
    if settings.revoiced:
        package("pyworld")
    make_folder(folder)
    clear_parts(folder)
    _begin(folder, settings)
    clips = plan(settings)
    shards = [clips[first : first + SHARD_CLIPS] for first in range(0, len(clips), SHARD_CLIPS)]
    missing = [shard for shard in shards if not _is_done(shard_folder(folder, shard[0].number), len(shard))]
    with Progress("Speech", len(clips), "clips", as_json=False) as progress, _speakers(workers) as say:
        progress.advance(len(clips) - sum(map(len, missing)))
        for shard in missing:
            with replacing_folder(shard_folder(folder, shard[0].number)) as part:
                _write_shard(part, shard, _told(say(shard), progress), settings.seed)


def plan(settings: Settings) -> list[Clip]:
    """Return all clips of a bank in their order: who says what, and what is done to the voice."""
    texts = _often(settings.kinds)
    order = np.random.default_rng(settings.seed).permutation(len(texts))
    count = max(1, round(settings.share * len(texts)))
    return [_clip(number, texts[at], settings) for number, at in enumerate(order[:count])]


def render(engines: Engines, clip: Clip) -> Spoken:
    """Return what is said in a clip, as loud as all others."""
    spoken = engines.say(clip.text, clip.who)
    sound, stretch = spoken.sound, 1.0
    if clip.change is not None and len(sound):
        sound, stretch = change_voice(sound, clip.change), clip.change.time
    words = tuple(Timed(word, start * stretch, end * stretch) for word, start, end in spoken.words)
    return Spoken(
        sound * np.float32(_PEAK / max(1e-6, float(np.abs(sound).max(initial=0.0)))), words, spoken.timed
    )


def shard_folder(folder: Path, first: int) -> Path:
    """Return the folder of the shard that begins with a clip."""
    return folder / f"{first // SHARD_CLIPS:04}"


def shards(folder: Path) -> list[Path]:
    """Return the shards of a bank that are done. Raises UserError where there are none."""
    found = sorted(path.parent for path in folder.glob(f"[0-9]*/{INDEX}"))
    if not found:
        raise UserError(f"{folder} is no bank of speech.", "Make one with `aizuchi starter bank`.")
    return found


def read_shard(shard: Path) -> Iterator[tuple[Entry, Sound]]:
    """Yield the clips of a shard: their entries and what is said."""
    sound, _ = soundfile.read(shard / SOUND, dtype="float32")
    for raw in read_json_lines(shard / INDEX):
        entry = Entry(**raw)
        yield entry, sound[entry.first : entry.first + entry.samples]


def summary(folder: Path) -> str:
    """Return in a line what is in a bank."""
    entries = [Entry(**raw) for shard in shards(folder) for raw in read_json_lines(shard / INDEX)]
    hours = sum(entry.samples for entry in entries) / SAMPLE_RATE / 3600
    voices = len({(entry.engine, entry.voice) for entry in entries})
    texts = len({(entry.language, entry.text) for entry in entries})
    return f"{folder}: {len(entries)} clips of {texts} texts in {voices} voices, {hours:.2f} hours."


def _is_done(shard: Path, clips: int) -> bool:
    """Tell whether a shard has all its clips: the last one of a smaller share has not."""
    return (shard / INDEX).exists() and sum(1 for _ in read_json_lines(shard / INDEX)) == clips


def _begin(folder: Path, settings: Settings) -> None:
    wanted = json.loads(json.dumps(asdict(settings)))
    if (folder / SETTINGS).exists():
        found: Any = read_json(folder / SETTINGS)
        if {**found, "share": 0} != {**wanted, "share": 0}:
            raise UserError(
                f"{folder} was begun with other settings.", f"See {SETTINGS} in it, or name a new folder."
            )
    write_json(folder / SETTINGS, wanted)
    replace_file(folder / NOTICE, notices(settings.engines))


def _often(kinds: Collection[str]) -> list[UserText]:
    """Return each text of some kinds as often as it is said."""
    texts = taught(kinds)
    phrasings: dict[tuple[str, str], int] = {}
    for text in texts:
        phrasings[text.language, text.answer] = phrasings.get((text.language, text.answer), 0) + 1
    often: list[UserText] = []
    for text in texts:
        asked = -(-QUESTION_RENDITIONS // phrasings[text.language, text.answer])
        often += [text] * (asked if text.kind == "question" else RENDITIONS[text.kind])
    return often


def _clip(number: int, text: UserText, settings: Settings) -> Clip:
    chance = np.random.default_rng([settings.seed, number])
    who = draw_who(text.language, settings.engines, chance)
    changed = settings.revoiced and chance.random() < REVOICED[who.engine]
    return Clip(number, text, who, draw_change(chance) if changed else None)


@contextmanager
def _speakers(workers: int) -> Iterator[Any]:
    """Yield a function that says clips, in their order, on so many cores."""
    if workers <= 1:
        with closing(Engines()) as engines:
            yield lambda clips: (render(engines, clip) for clip in clips)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _begin_worker) as pool:
        yield lambda clips: pool.imap(_render_in_worker, clips, 4)


_worker: list[Engines] = []
"""What a worker process speaks with."""


def _begin_worker() -> None:
    _worker.append(Engines())


def _render_in_worker(clip: Clip) -> Spoken:
    return render(_worker[0], clip)


def _told(said: Iterator[Spoken], progress: Progress) -> Iterator[Spoken]:
    for each in said:
        yield each
        progress.advance(1)


def _write_shard(part: Path, clips: Sequence[Clip], said: Iterator[Spoken], seed: int) -> None:
    first, sounds, lines = 0, [], []
    for clip, rendered in zip(clips, said, strict=True):
        sounds.append(rendered.sound)
        lines.append(json.dumps(_entry(clip, rendered, first, seed)._asdict(), ensure_ascii=False))
        first += len(rendered.sound)
    soundfile.write(part / SOUND, np.concatenate(sounds), SAMPLE_RATE, subtype="PCM_16")
    (part / INDEX).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _entry(clip: Clip, rendered: Spoken, first: int, seed: int) -> Entry:
    return Entry(
        clip.number,
        seed,
        clip.text.kind,
        clip.text.language,
        clip.text.written,
        clip.text.answer,
        *clip.who,
        None if clip.change is None else list(clip.change),
        rendered.timed,
        [(word, round(start, 3), round(end, 3)) for word, start, end in rendered.words],
        first,
        len(rendered.sound),
    )
