"""The codes of a dataset: each dialogue's sound is encoded once, and again only where it or Mimi changed.

Knows nothing about words, text or the files that training reads.
"""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from moshi.models import MimiModel
from torch import Tensor

from app.errors import UserError
from app.files import make_folder, replacing
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, seconds
from app.store.datasets import Dataset
from training.codec import encode_dialogues
from training.data.identity import audio_identity

Codes = npt.NDArray[np.int16]
"""[K, T]: the codes of one voice."""

Unreadable = Callable[[str, UserError], None]
"""Told a dialogue whose sound can not be read, and why."""

_TOGETHER = 16
"""At most so many dialogues go through a card at once, …"""

_LIKE = 0.8
"""… and only those of which the shortest has this share of the longest."""

_BLOCK_SAMPLES = 64 * FRAME_SAMPLES

_IMPORT_AGAIN = "Import the dialogue again, or take it out of the dataset."


@dataclass(frozen=True)
class Encoder:
    """Mimi, and what tells it from others."""

    mimi: MimiModel
    fingerprint: str

    @property
    def on_card(self) -> bool:
        """Return whether it pays to encode several dialogues at once."""
        return str(next(self.mimi.parameters()).device.type) != "cpu"


def read_codes(dataset: Dataset, dialogue: str, fingerprint: str) -> tuple[Codes, Codes] | None:
    """Return the codes (A, B) of a dialogue, None where there are none of this sound by this Mimi."""
    with (
        suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
        np.load(dataset.codes(dialogue), allow_pickle=False) as file,
    ):
        made_of = str(file["mimi"]), str(file["audio"])
        if made_of == (fingerprint, audio_identity(dataset.audio(dialogue))):
            a, b = file["A"], file["B"]
            if a.shape == b.shape and a.ndim == 2:
                return a, b
    return None


def sound_seconds(dataset: Dataset, dialogue: str) -> float:
    """Return how long a dialogue is. Raises UserError for what is not 24 kHz stereo sound."""
    return _count_samples(dataset.audio(dialogue)) / SAMPLE_RATE


def encode(
    dataset: Dataset,
    lengths_s: dict[str, float],
    encoder: Encoder,
    unreadable: Unreadable,
    told: Callable[[float], None],
) -> None:
    """Encode the dialogues and keep their codes, each as soon as it is done. `told` hears seconds.

    A dialogue whose sound breaks off is told to `unreadable`, the others go on. Raises UserError where the
    codes can not be written or the card's memory runs out: what was encoded before is kept.
    """
    for group in _groups(lengths_s, encoder.on_card):
        length_s, heard_s = sum(lengths_s[dialogue] for dialogue in group), 0.0

        def tell(frames: int, factor: float = length_s / max(lengths_s[each] for each in group)) -> None:
            nonlocal heard_s
            heard_s += factor * seconds(frames)
            told(factor * seconds(frames))

        try:
            _encode_group(dataset, group, encoder, tell)
        except _SoundError as fault:
            if len(group) == 1:
                unreadable(group[0], fault)
            else:
                # One of them is broken: the others are done one by one.
                for dialogue in group:
                    encode(dataset, {dialogue: lengths_s[dialogue]}, encoder, unreadable, lambda _: None)
        told(max(0.0, length_s - heard_s))


class _SoundError(UserError):
    """The sound of a dialogue can not be read."""


def _groups(lengths_s: dict[str, float], on_card: bool) -> Iterator[list[str]]:
    """Yield the dialogues that are encoded together: on the CPU each alone, in order."""
    if not on_card:
        yield from ([dialogue] for dialogue in lengths_s)
        return
    group: list[str] = []
    for dialogue in sorted(lengths_s, key=lambda name: -lengths_s[name]):
        if group and (len(group) == _TOGETHER or lengths_s[dialogue] < _LIKE * lengths_s[group[0]]):
            yield group
            group = []
        group.append(dialogue)
    if group:
        yield group


def _encode_group(
    dataset: Dataset, group: Sequence[str], encoder: Encoder, told: Callable[[int], None]
) -> None:
    paths = [dataset.audio(dialogue) for dialogue in group]
    samples = [_count_samples(path) for path in paths]
    identities = [audio_identity(path) for path in paths]
    sounds = [_read_sound(path, count) for path, count in zip(paths, samples, strict=True)]
    try:
        coded = encode_dialogues(encoder.mimi, sounds, samples, told)
    except torch.OutOfMemoryError as fault:
        advice = "Close other programs that use it, or encode with --device cpu."
        raise UserError("The memory of the graphics card ran out while encoding.", advice) from fault
    for dialogue, (a, b), identity in zip(group, coded, identities, strict=True):
        _write(dataset.codes(dialogue), a, b, encoder.fingerprint, identity)


def _count_samples(path: Path) -> int:
    """Return the number of samples of each channel. Raises _SoundError."""
    import soundfile

    try:
        about = soundfile.info(path)
    except (soundfile.SoundFileError, OSError, RuntimeError) as fault:
        raise _SoundError(f"{path} can not be read as sound.", _IMPORT_AGAIN) from fault
    if (about.channels, about.samplerate) != (2, SAMPLE_RATE):
        found = f"{about.channels} channels at {about.samplerate} Hz, not 2 at {SAMPLE_RATE}"
        raise _SoundError(f"{path} has {found}.", _IMPORT_AGAIN)
    if not about.frames:
        raise _SoundError(f"{path} is empty.", _IMPORT_AGAIN)
    return int(about.frames)


def _read_sound(path: Path, samples: int) -> Iterator[Tensor]:
    """Yield the sound in pieces [2, n], in all `samples`. Raises _SoundError where it breaks off."""
    import soundfile

    left = samples
    try:
        with soundfile.SoundFile(path) as file:
            while left and (block := file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)).size:
                left -= len(block)
                yield torch.from_numpy(block.T)
    except (soundfile.SoundFileError, OSError, RuntimeError) as fault:
        reason = str(fault).rstrip(".")
        raise _SoundError(f"{path} can not be read as sound: {reason}.", _IMPORT_AGAIN) from fault
    if left:
        broken = f"{path} breaks off {left / SAMPLE_RATE:.1f} s before its end."
        raise _SoundError(broken, _IMPORT_AGAIN)


def _write(path: Path, a: Tensor, b: Tensor, fingerprint: str, identity: str) -> None:
    """Keep the codes of a dialogue, whole or not at all. Raises UserError."""
    try:
        make_folder(path.parent)
        with replacing(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file,
                A=a.numpy().astype(np.int16),
                B=b.numpy().astype(np.int16),
                mimi=np.array(fingerprint),
                audio=np.array(identity),
            )
    except OSError as fault:
        raise no_room(path, fault) from fault


def no_room(path: Path, fault: OSError) -> UserError:
    """Return what to tell people where a file can not be written."""
    kept = "What was prepared before is kept."
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"The disk is full: {path} can not be written.", f"Make room, and go on. {kept}")
    reason = fault.strerror or str(fault)
    return UserError(
        f"{path} can not be written: {reason}.", f"See whether the folder can be written. {kept}"
    )
