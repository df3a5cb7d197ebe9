"""The verb `aizuchi starter codes`: the bank of user speech as the starter's Mimi hears it, in codes.

Each clip is mixed, with microphones, rooms, noise and levels drawn anew, and encoded with some of the room
before and after it, so that dialogues can be pasted together of codes. So is the room without anybody. Each
shard of the bank becomes one file; a run that was stopped goes on. Knows nothing about dialogues.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soxr
import torch
from moshi.models import MimiModel
from moshi.utils.compile import no_compile
from safetensors.torch import load_file

from app.catalog import STARTER
from app.engine.checkpoint import BUNDLED
from app.errors import UserError
from app.files import clear_parts, make_folder, named, read_json, replacing, write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE
from app.paths import Paths
from training.progress import Progress
from training.starter.acoustics import Place, carry, draw_calm_place, draw_place, scale
from training.starter.bank import Entry, read_shard, shards
from training.starter.codec import WEIGHTS, load_codec
from training.starter.microphones import draw_microphone, through
from training.starter.speech import Sound

SETTINGS = "codes.json"
LEAD_FRAMES, TAIL_FRAMES = 4, 8
"""The room before and after what is said."""
_ROOM_FRAMES = 50
_ROOMS = 8
"""So many stretches of a room without anybody come with each shard."""
_BATCH = 4
"""More take twice as long: what the convolutions need no longer fits into the caches of a processor."""
_CALM_SHARE = 0.5
"""How often a place is one in which people like to talk; else it is any place."""
_RESAMPLED = 0.12
"""Speech is up to so much faster and higher, or slower and deeper."""
_DECODES = "decoder.", "decoder_transformer.", "upsample."
"""How the names begin of what decoding alone depends on."""
ROOM = -1
"""Stands for the number of a clip where nobody speaks."""

Codes = npt.NDArray[np.uint16]
"""[K, T]"""


@dataclass(frozen=True)
class Settings:
    """What codes follow from, beside the bank and the codec."""

    seed: int = 0
    renditions: int = 3
    """How often each clip is mixed and encoded."""


class Mixed(NamedTuple):
    """What a microphone hears: whole frames, and where in them somebody speaks, in frames."""

    clip: int
    rendition: int
    sound: Sound
    begin: float
    end: float
    stretch: float = 1.0


class Coded(NamedTuple):
    """A clip in codes; `begin` and `end` are the first and the last moment of the speech, in frames."""

    clip: int
    rendition: int
    codes: Codes
    begin: float
    end: float
    stretch: float
    """So many times as long as in the bank: `t` s there are frame `begin + FRAME_RATE * stretch * t`."""


def main(argv: list[str], where: Paths) -> int:
    """Encode a bank, or go on, and return the exit status. Raises UserError."""
    parser = argparse.ArgumentParser(
        prog="aizuchi starter codes", description="Mix and encode the bank of user speech: an hour or two."
    )
    parser.add_argument("bank", type=Path, metavar="BANK", help="what `starter bank` made")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="its folder; the same goes on")
    parser.add_argument(
        "--model", type=Path, default=BUNDLED / STARTER.name, metavar="DIR", help="whose codec"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn by chance")
    parser.add_argument(
        "--renditions", type=int, default=3, metavar="N", help="of each clip, each in another place"
    )
    options = parser.parse_args(argv)
    settings = Settings(options.seed, options.renditions)
    folder = named(options.out)
    encode_bank(named(options.bank), folder, named(options.model), settings)
    print(summary(folder))
    return 0


def encode_bank(bank: Path, folder: Path, codec: Path, settings: Settings) -> None:
    """Encode the shards that are missing, by the codec of a folder, which may hold a model too.

    Raises UserError for a folder that was begun otherwise, or has no codec.
    """
    if not (codec / WEIGHTS).is_file():
        raise UserError(f"{codec} has no codec.", "Name the folder of a model that `starter build` made.")
    make_folder(folder)
    clear_parts(folder)
    _begin(folder, {"seed": settings.seed, "renditions": settings.renditions, "codec": _fingerprint(codec)})
    mimi = load_codec(codec)
    every = shards(bank)
    with Progress("Codes", len(every), "shards", as_json=False) as progress:
        for shard in every:
            if not (folder / f"{shard.name}.npz").exists():
                write_codes(folder / f"{shard.name}.npz", encode(mimi, mixes(shard, settings)))
            progress.advance(1)


def mixes(shard: Path, settings: Settings) -> Iterator[Mixed]:
    """Yield the clips of a shard as microphones hear them, and rooms without anybody."""
    for entry, speech in read_shard(shard):
        for rendition in range(settings.renditions):
            yield mix(entry, speech, rendition, settings.seed)
    for number in range(_ROOMS):
        chance = np.random.default_rng([settings.seed, 1, int(shard.name), number])
        silence = np.zeros(_ROOM_FRAMES * FRAME_SAMPLES, dtype=np.float32)
        yield Mixed(ROOM, number, carry(silence, _draw_place(chance), chance), 0.0, 0.0)


def mix(entry: Entry, speech: Sound, rendition: int, seed: int) -> Mixed:
    """Return a clip in a place: it follows from the seed, the clip's number and that of the rendition."""
    chance = np.random.default_rng([seed, 0, entry.number, rendition])
    place, microphone = _draw_place(chance), draw_microphone(chance)
    stretch = float(np.exp(chance.uniform(-1, 1) * np.log1p(_RESAMPLED)))
    other = soxr.resample(speech, SAMPLE_RATE, SAMPLE_RATE * stretch).astype(np.float32)
    return place_in_room(
        entry.number, rendition, scale(through(other, microphone), place), place, chance
    )._replace(stretch=len(other) / max(1, len(speech)))


def place_in_room(
    clip: int, rendition: int, speech: Sound, place: Place, chance: np.random.Generator
) -> Mixed:
    """Return speech, as loud as it should be, with the room before and after it, in whole frames."""
    first = LEAD_FRAMES * FRAME_SAMPLES + int(chance.integers(FRAME_SAMPLES))
    last = first + len(speech)
    frames = -(-last // FRAME_SAMPLES) + TAIL_FRAMES
    room = np.zeros(frames * FRAME_SAMPLES, dtype=np.float32)
    room[first:last] = speech
    heard = carry(room, place, chance)
    return Mixed(clip, rendition, heard, first / FRAME_SAMPLES, last / FRAME_SAMPLES)


def encode(mimi: MimiModel, sounds: Iterable[Mixed]) -> list[Coded]:
    """Return codes of sounds in their order; what follows a sound changes none of its codes.

    Sounds of about the same length are encoded side by side.
    """
    mixed = list(sounds)
    order = sorted(range(len(mixed)), key=lambda at: len(mixed[at].sound))
    coded: dict[int, Coded] = {}
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        coded.update(zip(batch, _encode(mimi, [mixed[at] for at in batch]), strict=True))
    return [coded[at] for at in range(len(mixed))]


def write_codes(path: Path, every: Sequence[Coded]) -> None:
    """Write codes into a file, all in one row."""
    arrays: dict[str, Any] = {
        "clips": np.array([each.clip for each in every], dtype=np.int32),
        "renditions": np.array([each.rendition for each in every], dtype=np.int16),
        "begins": np.array([each.begin for each in every], dtype=np.float32),
        "ends": np.array([each.end for each in every], dtype=np.float32),
        "stretches": np.array([each.stretch for each in every], dtype=np.float32),
        "frames": np.array([each.codes.shape[1] for each in every], dtype=np.int32),
        "codes": np.concatenate([each.codes for each in every], axis=1),
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_codes(path: Path) -> Iterator[Coded]:
    """Yield what is in a file of codes."""
    with np.load(path) as arrays:
        whole = {name: arrays[name] for name in arrays.files}
    last = np.cumsum(whole["frames"])
    for at, end in enumerate(last):
        yield Coded(
            int(whole["clips"][at]),
            int(whole["renditions"][at]),
            whole["codes"][:, end - whole["frames"][at] : end],
            float(whole["begins"][at]),
            float(whole["ends"][at]),
            float(whole["stretches"][at]),
        )


def summary(folder: Path) -> str:
    """Return in a line what there is in codes."""
    files = sorted(folder.glob("[0-9]*.npz"))
    frames = clips = 0
    for path in files:
        with np.load(path) as arrays:
            frames, clips = frames + int(arrays["frames"].sum()), clips + len(arrays["frames"])
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    hours = frames * FRAME_SAMPLES / SAMPLE_RATE / 3600
    return f"{folder}: {clips} stretches, {hours:.2f} hours, {size_mb:.1f} MB."


def _encode(mimi: MimiModel, batch: Sequence[Mixed]) -> Iterator[Coded]:
    longest = max(len(each.sound) for each in batch)
    sounds = np.stack([np.pad(each.sound, (0, longest - len(each.sound))) for each in batch])
    with torch.no_grad(), no_compile():
        codes = mimi.encode(torch.from_numpy(sounds)[:, None]).numpy().astype(np.uint16)
    for each, row in zip(batch, codes, strict=True):
        frames = len(each.sound) // FRAME_SAMPLES
        yield Coded(each.clip, each.rendition, row[:, :frames], each.begin, each.end, each.stretch)


def _draw_place(chance: np.random.Generator) -> Place:
    return draw_calm_place(chance) if chance.random() < _CALM_SHARE else draw_place(chance)


def _begin(folder: Path, wanted: dict[str, Any]) -> None:
    if (folder / SETTINGS).exists() and read_json(folder / SETTINGS) != json.loads(json.dumps(wanted)):
        raise UserError(
            f"{folder} was begun with other settings.", f"See {SETTINGS} in it, or name a new folder."
        )
    write_json(folder / SETTINGS, wanted)


def _fingerprint(codec: Path) -> str:
    """Return what tells one codec from another where it encodes: another decoder leaves codes as they are."""
    whole = sha256()
    for name, weight in sorted(load_file(codec / WEIGHTS).items()):
        if not (name.startswith(_DECODES) or ".output_proj." in name):
            whole.update(name.encode() + weight.numpy().tobytes())
    return whole.hexdigest()[:16]
