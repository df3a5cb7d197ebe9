"""A folder of dialogues that a model went on with, laid out as nu-dialogue's generate.py does.

So the same evaluation reads either: the tokens that were generated, without the prompt, are
`generated_tokens/NAME.npy` ([1 + n_q, frames] int64, no delays; there one frame less, which is lost at the
seam), and their sound is `generated_wavs/NAME.wav` (24 kHz, left = the model, right = the user).
`continuation.json` tells how they came about, with figures of each. Knows nothing about models.
"""

from __future__ import annotations

import json
import statistics
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from moshi.models import MimiModel
from torch import Tensor

from app.errors import UserError
from app.files import make_folder, read_json, replacing, write_json
from app.frames import FRAME_SAMPLES, SAMPLE_RATE, level_db
from app.store import turn_taking as turns
from training.codec import Stereo, decode_stereo
from training.generation import collapse_figures

FORMAT = 1
TOKENS, SOUNDS, RECORD = "generated_tokens", "generated_wavs", "continuation.json"

_ADVICE = "Name a new folder with --out."


@dataclass(frozen=True, slots=True)
class Continued:
    """One such folder."""

    folder: Path
    values: dict[str, Any]
    """What continuation.json says."""

    @property
    def frames(self) -> int:
        """Return how much of each dialogue was generated."""
        return int(self.values["frames"])

    @property
    def names(self) -> set[str]:
        """Return the dialogues that are there."""
        return {entry["name"] for entry in self.values["dialogues"]}

    def keep(self, name: str, tokens: Tensor, mimi: MimiModel) -> None:
        """Write the files of a dialogue, [1 + n_q, prompt + frames]. Raises UserError."""
        # Mimi hears the prompt too: sound that began in the middle of a word would begin with a click.
        sound = decode_stereo(mimi, tokens)[:, -self.frames * FRAME_SAMPLES :]
        generated = tokens[:, -self.frames :]
        with _beside(self._tokens(name)) as file:
            np.save(file, generated.numpy())
        with _beside(self._sound(name)) as file:
            write_wav(file, sound)
        voice = 1 + (len(tokens) - 1) // 2
        figures = collapse_figures(generated[1:voice], generated[0])
        entry = {"name": name, **asdict(figures), "turns": _measure_turns(sound)}
        self.values["dialogues"].append(entry)

    def save(self) -> None:
        """Write continuation.json. Raises UserError."""
        with _refused(self.folder / RECORD):
            write_json(self.folder / RECORD, self.values)

    def mean_turns(self) -> dict[str, float]:
        """Return the turn-taking of all dialogues, of which there must be one."""
        taking = [entry["turns"] for entry in self.values["dialogues"]]
        return {name: round(statistics.fmean(each[name] for each in taking), 3) for name in taking[0]}

    def forget_missing(self) -> None:
        """Forget the dialogues of which a file is missing, so that they are made again."""
        self.values["dialogues"] = [
            entry
            for entry in self.values["dialogues"]
            if self._tokens(entry["name"]).is_file() and self._sound(entry["name"]).is_file()
        ]

    def _tokens(self, name: str) -> Path:
        return self.folder / TOKENS / f"{name}.npy"

    def _sound(self, name: str) -> Path:
        return self.folder / SOUNDS / f"{name}.wav"


def open_continued(folder: Path, settings: dict[str, Any]) -> Continued:
    """Open a folder, or begin one, of dialogues that are made as `settings` say: JSON values, with 'frames'.

    Raises UserError where it holds anything else, or dialogues that were made otherwise.
    """
    try:
        if (folder / RECORD).exists():
            continued = Continued(folder, read_json(folder / RECORD))
            _check_settings(continued, json.loads(json.dumps(settings)))
            continued.forget_missing()
            return continued
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} holds other files.", _ADVICE)
        for part in (TOKENS, SOUNDS):
            make_folder(folder / part)
    except OSError as fault:
        raise UserError(f"{folder} can not be used: {fault.strerror}.", _ADVICE) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise UserError(f"{folder / RECORD} is damaged.", _ADVICE) from fault
    continued = Continued(folder, {"format": FORMAT, **settings, "dialogues": []})
    continued.save()
    return continued


def _check_settings(continued: Continued, wanted: dict[str, Any]) -> None:
    other = [name for name, value in wanted.items() if continued.values.get(name) != value]
    if other:
        was, now = continued.values.get(other[0]), wanted[other[0]]
        change = (
            "the model was another" if isinstance(now, dict) else f"{other[0]} was {was}, and is {now} now"
        )
        made = f"{len(continued.names)} dialogues that were made otherwise"
        raise UserError(f"{continued.folder} holds {made}: {change}.", _ADVICE)


def write_wav(file: IO[bytes], sound: Stereo) -> None:
    """Write [2, N] samples at 24 kHz as a WAV file of 16 bits."""
    with wave.open(file, "wb") as wav:
        wav.setparams((2, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
        wav.writeframes((np.clip(sound.T, -1.0, 1.0) * 32_767).round().astype("<i2").tobytes())


def _measure_turns(sound: Stereo) -> dict[str, float]:
    """Return who spoke how much and when, of a stereo sound [2, 1920 T]."""
    said, heard = (_levels(channel) for channel in sound)
    figures = asdict(turns.statistics(turns.find_turns(heard, said)))
    return {name: round(value, 3) for name, value in figures.items()}


def _levels(channel: npt.NDArray[np.float32]) -> turns.Levels:
    """Return the level of each frame, [T] dB, of a channel [1920 T]."""
    frames = channel.reshape(-1, FRAME_SAMPLES)
    return np.array([level_db(frame) for frame in frames], dtype=np.float32)


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn a disk that refuses into a sentence."""
    try:
        yield
    except OSError as fault:
        advice = "Free some space and give the same command again: what is there is kept."
        raise UserError(f"{path} can not be written: {fault.strerror or fault}.", advice) from fault


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of another when it is whole. Raises UserError."""
    with _refused(path):
        make_folder(path.parent)
        with replacing(path) as part, part.open("wb") as file:
            yield file
